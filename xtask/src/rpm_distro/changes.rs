//! What is done to a package of Debian's beside converting it: `changes/NAME` below the recipe.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The changes of one package.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Paths that are taken out.
    pub remove: Vec<String>,
    /// Links that maintainer scripts or alternatives would have made: path and text.
    pub links: Vec<(String, String)>,
    /// Directives of a path in `%files`.
    pub files: Vec<(String, String)>,
    /// Lines of the preamble.
    pub tags: Vec<String>,
    /// Scriptlets and triggers, as they stand in the spec file.
    pub scripts: String,
}

impl Changes {
    /// Those of a package; none where the recipe has none.
    ///
    /// # Errors
    /// When a line is not understood.
    pub fn of(recipe: &Path, name: &str) -> Result<Changes> {
        let path = recipe.join("changes").join(name);
        if !path.exists() {
            return Ok(Changes::default());
        }
        let text = fs::read_to_string(&path)?;
        Changes::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Changes> {
        let mut changes = Changes::default();
        let scripts_at = match text.find("\n%") {
            _ if text.starts_with('%') => 0,
            Some(at) => at + 1,
            None => text.len(),
        };
        let (lines, scripts) = text.split_at(scripts_at);
        scripts.clone_into(&mut changes.scripts);
        for line in lines
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let pair = || {
                let (path, rest) = rest.split_once(' ').context(line.to_owned())?;
                anyhow::Ok((path.to_owned(), rest.to_owned()))
            };
            match word {
                "remove" => changes.remove.push(rest.to_owned()),
                "link" => changes.links.push(pair()?),
                "file" => changes.files.push(pair()?),
                "tag" => changes.tags.push(rest.to_owned()),
                _ => bail!("`{line}` is no change"),
            }
        }
        Ok(changes)
    }

    /// Takes out and links, in a tree.
    ///
    /// # Errors
    /// When what is to be removed is not there.
    pub fn apply(&self, tree: &Path) -> Result<()> {
        let inside = |path: &str| tree.join(path.trim_start_matches('/'));
        for path in &self.remove {
            let path = inside(path);
            let stat = fs::symlink_metadata(&path).with_context(|| path.display().to_string())?;
            if stat.is_dir() {
                fs::remove_dir_all(&path)?;
            } else {
                fs::remove_file(&path)?;
            }
        }
        for (path, text) in &self.links {
            let path = inside(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            symlink(text, &path).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_then_scripts() {
        let changes =
            Changes::parse("# why\nremove /a\nlink /b c d\ntag Provides: x = 1\n\n%post\nexit 0\n").unwrap();
        assert_eq!(changes.remove, ["/a"]);
        assert_eq!(changes.links, [("/b".to_owned(), "c d".to_owned())]);
        assert_eq!(changes.tags, ["Provides: x = 1"]);
        assert_eq!(changes.scripts, "%post\nexit 0\n");
        assert_eq!(Changes::parse("%post\ntrue\n").unwrap().scripts, "%post\ntrue\n");
        assert!(Changes::parse("frobnicate /a\n").is_err());
    }
}
