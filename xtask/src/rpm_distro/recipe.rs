//! The recipe: lists, spec files and metadata below `xtask/data/rpm-distro`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::machine;

/// What the distribution is made of.
pub struct Recipe {
    /// Debian's packages of `base`, without their dependencies.
    pub base: Vec<String>,
    /// Debian's packages of `extra`, without their dependencies.
    pub extra: Vec<String>,
    /// Debian's packages that are left out, whoever depends on them.
    pub without: BTreeSet<String>,
    /// The directory.
    pub home: PathBuf,
}

impl Recipe {
    /// Reads the lists.
    ///
    /// # Errors
    /// When one of them is missing.
    pub fn read() -> Result<Recipe> {
        let mut recipe = Recipe {
            base: Vec::new(),
            extra: Vec::new(),
            without: BTreeSet::new(),
            home: machine::workspace().join("xtask/data/rpm-distro"),
        };
        recipe.base = recipe.list("base.list")?;
        recipe.extra = recipe.list("extra.list")?;
        recipe.without = recipe.list("without.list")?.into_iter().collect();
        Ok(recipe)
    }

    /// The words of a file, lines that start with `#` left out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(&self, name: &str) -> Result<Vec<String>> {
        let path = self.home.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Ok(lines.flat_map(str::split_whitespace).map(str::to_owned).collect())
    }

    /// The hand-written spec files, by name; those whose names start with `extra-` go to `extra`.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn specs(&self) -> Result<Vec<PathBuf>> {
        let mut specs: Vec<PathBuf> = fs::read_dir(self.home.join("specs"))?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        specs.retain(|path| path.extension().is_some_and(|extension| extension == "spec"));
        specs.sort();
        Ok(specs)
    }
}
