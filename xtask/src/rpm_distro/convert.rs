//! One of Debian's packages as a tree and a spec file.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::changes::Changes;
use super::debs::Deb;
use super::relations::{Names, Version};
use crate::run::must;

/// Directories that /usr has taken over.
const MERGED: &[&str] = &["bin", "sbin", "lib", "lib64"];

/// What only Debian reads.
const DEBIAN_ONLY: &[&str] = &[
    "usr/share/lintian",
    "usr/share/bug",
    "usr/share/doc-base",
    "usr/share/menu",
];

/// What all conversions know.
pub struct Converter<'a> {
    /// The recipe's directory.
    pub recipe: &'a Path,
    /// The names of the distribution.
    pub names: &'a Names,
    /// Directories of the package `filesystem`.
    pub directories: &'a BTreeSet<String>,
    /// Packages whose libraries' needs are not looked for.
    pub no_requires: &'a BTreeSet<String>,
}

/// A package that can be built.
pub struct Source {
    /// The spec file.
    pub spec: PathBuf,
    /// Bytes of the tree's files.
    pub size: u64,
}

impl Converter<'_> {
    /// Lays out the package's tree and writes its spec file, both below `home`.
    ///
    /// # Errors
    /// When the archive cannot be unpacked or its fields cannot be read.
    pub fn convert(&self, deb: &Deb, home: &Path) -> Result<Source> {
        let tree = home.join("trees").join(&deb.name);
        fs::create_dir_all(&tree)?;
        must(Command::new("dpkg-deb").arg("-x").arg(&deb.archive).arg(&tree))?;
        let conffiles = conffiles(&deb.archive)?;
        merge_usr(&tree).with_context(|| deb.name.clone())?;
        for path in DEBIAN_ONLY {
            let path = tree.join(path);
            if path.exists() {
                fs::remove_dir_all(path)?;
            }
        }
        let changes = Changes::of(self.recipe, &deb.name)?;
        changes.apply(&tree).with_context(|| deb.name.clone())?;
        let mut files = Files {
            conffiles,
            changes: &changes,
            directories: self.directories,
            text: String::new(),
            size: 0,
        };
        files.walk(&tree, "")?;
        let spec = home.join("specs").join(format!("{}.spec", deb.name));
        fs::create_dir_all(home.join("specs"))?;
        fs::write(&spec, self.spec(deb, &tree, &changes, &files)?)?;
        Ok(Source {
            spec,
            size: files.size,
        })
    }

    fn spec(&self, deb: &Deb, tree: &Path, changes: &Changes, files: &Files<'_>) -> Result<String> {
        let Version {
            epoch,
            version,
            release,
        } = Version::of(deb.field("Version"));
        let description = deb.field("Description").replace('%', "%%");
        let summary = description.lines().next().unwrap_or("none").trim_end_matches('.');
        let mut text = format!(
            "Name: {}\nVersion: {version}\nRelease: {release}\nSummary: {summary}\nLicense: as Debian says\nGroup: {}\n",
            deb.name,
            deb.field("Section")
        );
        if let Some(epoch) = epoch {
            writeln!(text, "Epoch: {epoch}")?;
        }
        if deb.field("Architecture") == "all" {
            text += "BuildArch: noarch\n";
        }
        if let Some(url) = Some(deb.field("Homepage")).filter(|url| !url.is_empty()) {
            writeln!(text, "URL: {}", url.replace('%', "%%"))?;
        }
        if self.no_requires.contains(&deb.name) {
            text += "AutoReq: no\n";
        }
        let mut tags = |tag: &str, lines: Vec<String>| {
            for line in lines {
                text += &format!("{tag}: {line}\n");
            }
        };
        tags("Requires", self.names.requires(deb.field("Pre-Depends"))?);
        tags("Requires", self.names.requires(deb.field("Depends"))?);
        tags("Recommends", self.names.requires(deb.field("Recommends"))?);
        tags("Suggests", self.names.requires(deb.field("Suggests"))?);
        tags("Provides", self.names.provides(&deb.name, deb.field("Provides"))?);
        for field in ["Breaks", "Conflicts"] {
            tags("Conflicts", self.names.conflicts(&deb.name, deb.field(field))?);
        }
        for line in &changes.tags {
            writeln!(text, "{line}")?;
        }
        let body: String = description
            .lines()
            .skip(1)
            .map(|line| format!("{}\n", line.trim()))
            .collect();
        write!(
            text,
            "\n%description\n{}\n%install\nmkdir -p %{{buildroot}}\nrmdir %{{buildroot}}\nmv {} %{{buildroot}}\n\n{}\n%files\n{}",
            if body.trim().is_empty() { summary } else { &body },
            tree.display(),
            changes.scripts,
            files.text
        )?;
        Ok(text)
    }
}

fn conffiles(archive: &Path) -> Result<BTreeSet<String>> {
    let control = Command::new("dpkg-deb")
        .arg("--info")
        .arg(archive)
        .arg("conffiles")
        .output()
        .context("dpkg-deb cannot be run")?;
    // It fails where the package has none.
    Ok(String::from_utf8_lossy(&control.stdout)
        .lines()
        .map(|line| line.trim().to_owned())
        .collect())
}

/// Moves what stands in /bin and its kin below /usr.
fn merge_usr(tree: &Path) -> Result<()> {
    for name in MERGED {
        let from = tree.join(name);
        if from.is_dir() {
            let into = tree.join("usr").join(name);
            fs::create_dir_all(&into)?;
            move_into(&from, &into)?;
        }
    }
    Ok(())
}

/// Moves a directory's entries into another one; of a name that both have, the link goes.
fn move_into(from: &Path, into: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), into.join(entry.file_name()));
        match fs::symlink_metadata(&target) {
            Err(_) => fs::rename(&source, &target)?,
            Ok(there) if there.is_dir() && entry.file_type()?.is_dir() => move_into(&source, &target)?,
            Ok(there) if there.is_symlink() => fs::rename(&source, &target)?,
            Ok(_) => {
                ensure!(
                    entry.file_type()?.is_symlink(),
                    "`{}` is there twice",
                    target.display()
                );
                fs::remove_file(&source)?;
            }
        }
    }
    Ok(fs::remove_dir(from)?)
}

/// The lines of `%files`.
struct Files<'a> {
    conffiles: BTreeSet<String>,
    changes: &'a Changes,
    directories: &'a BTreeSet<String>,
    text: String,
    size: u64,
}

impl Files<'_> {
    fn walk(&mut self, directory: &Path, path: &str) -> Result<()> {
        let mut names: Vec<_> = fs::read_dir(directory)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            let path = format!("{path}/{}", name.to_str().context("a name that is not UTF-8")?);
            let here = directory.join(&name);
            let stat = fs::symlink_metadata(&here)?;
            if stat.is_dir() {
                if !self.directories.contains(&path) {
                    self.line("%dir ", &path);
                }
                self.walk(&here, &path)?;
                continue;
            }
            if stat.is_file() {
                if stat.nlink() == 1 {
                    self.size += stat.len();
                }
                executable_as_rpm_wants_it(&here, &path, stat.mode())?;
            }
            let directive = self.directive(&path);
            self.line(&directive, &path);
        }
        Ok(())
    }

    fn directive(&self, path: &str) -> String {
        let special: String = self
            .changes
            .files
            .iter()
            .filter(|(named, _)| named == path)
            .map(|(_, directive)| format!("{directive} "))
            .collect();
        // Paths of /etc are the same before and after the merge.
        let own = if self.conffiles.contains(path) {
            "%config(noreplace) ".to_owned()
        } else if path.starts_with("/usr/share/doc/") && path.ends_with("/copyright") {
            "%license ".to_owned()
        } else if ["/usr/share/doc/", "/usr/share/man/", "/usr/share/info/"]
            .iter()
            .any(|start| path.starts_with(start))
        {
            format!("{}%doc ", language(path, "/usr/share/man/"))
        } else {
            language(path, "/usr/share/locale/")
        };
        special + &own
    }

    fn line(&mut self, directive: &str, path: &str) {
        // rpm takes some names for patterns and knows no way to say that they are none: `?` stands for what looks so.
        let pattern = path.contains(['*', '?', '{']) || (path.contains('[') && path.contains(']'));
        let mut escaped = String::new();
        for c in path.chars() {
            match c {
                '%' => escaped += "%%",
                '*' | '[' | ']' | '{' | '}' if pattern => escaped.push('?'),
                _ => escaped.push(c),
            }
        }
        self.text += &format!("{directive}\"{escaped}\"\n");
    }
}

/// `%lang(xx) ` of a path like /usr/share/locale/xx/...
fn language(path: &str, below: &str) -> String {
    let word = path
        .strip_prefix(below)
        .and_then(|rest| rest.split_once('/'))
        .map(|(word, _)| word);
    match word {
        Some(word) if !(word.starts_with("man") && word.len() <= 5) => format!("%lang({word}) "),
        _ => String::new(),
    }
}

/// rpm looks for a library's sonames only where it is executable, as Fedora's are.
fn executable_as_rpm_wants_it(file: &Path, path: &str, mode: u32) -> Result<()> {
    let library = path.contains("/lib") && path.rsplit('/').next().is_some_and(|name| name.contains(".so"));
    if library && mode & 0o111 == 0 {
        fs::set_permissions(file, fs::Permissions::from_mode(mode | 0o111))?;
    }
    Ok(())
}
