//! Which of Debian's packages become the distribution's, and their archives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use bareroot_deb::deb822;

use super::recipe::Recipe;
use crate::machine;
use crate::peers::apt::Apt;
use crate::run::must;

/// The suite whose dnf, rpm and libraries fit the peers that run outside.
const SUITE: &str = "bookworm";

/// How many archives one apt-get is asked for.
const BATCH: usize = 60;

/// The repositories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repo {
    /// What a minimal installation needs.
    Base,
    /// The rest.
    Extra,
}

impl Repo {
    /// Both.
    pub const ALL: [Repo; 2] = [Repo::Base, Repo::Extra];

    /// Its id and directory.
    pub fn word(self) -> &'static str {
        match self {
            Repo::Base => "base",
            Repo::Extra => "extra",
        }
    }
}

/// One of Debian's packages.
#[derive(Debug)]
pub struct Deb {
    /// Its name.
    pub name: String,
    /// Where it goes.
    pub repo: Repo,
    /// The archive.
    pub archive: PathBuf,
    fields: BTreeMap<String, String>,
}

impl Deb {
    /// A field of its control file, or an empty text.
    pub fn field(&self, name: &str) -> &str {
        self.fields
            .get(&name.to_ascii_lowercase())
            .map_or("", String::as_str)
    }

    fn read(name: &str, repo: Repo, archive: PathBuf) -> Result<Deb> {
        let control = must(Command::new("dpkg-deb").arg("-f").arg(&archive))?.stdout;
        let paragraph = deb822::paragraphs("control", control.as_bytes())
            .next()
            .context("an archive without a control file")??;
        let mut fields = BTreeMap::new();
        for field in paragraph.fields() {
            let value = String::from_utf8_lossy(field.value).trim().to_owned();
            fields.insert(field.name.to_ascii_lowercase(), value);
        }
        Ok(Deb {
            name: name.to_owned(),
            repo,
            archive,
            fields,
        })
    }
}

/// Chooses the packages by apt's closure of what the recipe names, and fetches them into a directory.
///
/// # Errors
/// When apt has no mirror, finds no closure, or fails to fetch.
pub fn fetch(home: &Path, recipe: &Recipe) -> Result<Vec<Deb>> {
    let arch = &machine::architecture()?;
    let apt = Apt::new(&home.join("apt"), SUITE, &[arch])?;
    // What the distribution has otherwise, or needs not, counts as installed.
    let stanzas: Vec<String> = recipe.without.iter().map(|name| installed(name, arch)).collect();
    apt.set_status(&stanzas)?;
    let closure = |names: &[String]| -> Result<BTreeSet<String>> {
        let answer = apt
            .install(false, names)?
            .context("apt cannot install the recipe's packages together")?;
        Ok(answer
            .iter()
            .filter_map(|one| Some(one.split_once('=')?.0.to_owned()))
            .filter(|name| !recipe.without.contains(name))
            .collect())
    };
    let base = closure(&recipe.base)?;
    let mut both = recipe.base.clone();
    both.extend(recipe.extra.iter().cloned());
    let all: Vec<String> = closure(&both)?.into_iter().collect();
    let archives = home.join("debs");
    fs::create_dir_all(&archives)?;
    let mut found = archives_in(&archives)?;
    let missing: Vec<String> = all
        .iter()
        .filter(|name| !found.contains_key(*name))
        .cloned()
        .collect();
    for batch in missing.chunks(BATCH) {
        apt.download_all(&archives, batch)?;
    }
    found = archives_in(&archives)?;
    let mut debs = Vec::new();
    for name in all {
        let archive = found
            .remove(&name)
            .with_context(|| format!("apt fetched no `{name}`"))?;
        let repo = if base.contains(&name) {
            Repo::Base
        } else {
            Repo::Extra
        };
        debs.push(Deb::read(&name, repo, archive)?);
    }
    ensure!(!debs.is_empty(), "no package was chosen");
    Ok(debs)
}

/// A stanza of dpkg's status for a package that nothing is too old or too new for.
fn installed(name: &str, arch: &str) -> String {
    format!(
        "Package: {name}\nVersion: 99:99\nArchitecture: {arch}\nMulti-Arch: allowed\n\
         Maintainer: nobody <nobody@localhost>\nDescription: left out\n"
    )
}

fn archives_in(directory: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if let (Some((package, _)), true) = (name.split_once('_'), name.ends_with(".deb")) {
            found.insert(package.to_owned(), path);
        }
    }
    Ok(found)
}
