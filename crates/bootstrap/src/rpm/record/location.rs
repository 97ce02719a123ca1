//! Where the root's own rpm looks for its database, and of which kind it is.

use std::path::{Component, Path, PathBuf};

use bareroot_rpm_db::Backend;
use bareroot_rpm_script::macros::Nowhere;
use bareroot_unpack::{FileKind, Root};

use super::super::macros;
use crate::error::Error;

/// Where rpm has had its database for long.
pub const OLD: &str = "var/lib/rpm";

/// Where newer distributions have it, so that it is part of /usr.
pub const NEW: &str = "usr/lib/sysimage/rpm";

/// The database as the root's rpm is set up for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Its directory, relative to the root.
    pub directory: PathBuf,
    /// Its kind; `None` where the root has no rpm that says.
    pub backend: Option<Backend>,
}

/// The database's place and kind, by the root's own macros, else by what its packages made.
pub fn of(root: &Root, arch: &str) -> Result<Location, Error> {
    let macros = macros::of(root, arch);
    let expanded = |text: &[u8]| -> Option<String> {
        // What runs code, as Debian's `%(bash ...)`, says nothing here.
        let text = macros.expand(text, &Nowhere).ok()?;
        let text = String::from_utf8(text).ok()?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let is_there = |path: &str, kind: FileKind| -> Result<bool, Error> {
        Ok(root.lstat(path)?.is_some_and(|stat| stat.kind == kind))
    };
    let directory = expanded(b"%{?_dbpath}").and_then(|path| inside(&path));
    let directory = match directory {
        Some(directory) => directory,
        None if is_there(NEW, FileKind::Directory)? && !is_there(OLD, FileKind::Directory)? => NEW.into(),
        None => OLD.into(),
    };
    let backend = match expanded(b"%{?_db_backend}") {
        Some(word) => Backend::of_word(&word),
        // Up to rpm 4.13 there was no choice.
        None if is_there("usr/lib/rpm/macros", FileKind::File)? => Some(Backend::Bdb),
        None => None,
    };
    Ok(Location { directory, backend })
}

/// An absolute path without its first slash, if it says where in a root it is.
fn inside(path: &str) -> Option<PathBuf> {
    let relative = Path::new(path).strip_prefix("/").ok()?;
    let plain = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (plain && !path.contains('%') && !relative.as_os_str().is_empty()).then(|| relative.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_macros_say_where_and_which() {
        let cases = [
            (None, OLD, None),
            (
                Some("%_var /var\n%_dbpath\t\t%{_var}/lib/rpm\n"),
                OLD,
                Some(Backend::Bdb),
            ),
            (
                Some("# x\n%_usr /usr\n%_dbpath %{_usr}/lib/sysimage/rpm\n%_db_backend ndb\n"),
                NEW,
                Some(Backend::Ndb),
            ),
            (
                Some("%_dbpath /var/lib/rpm\n%_db_backend\t      bdb\n"),
                OLD,
                Some(Backend::Bdb),
            ),
            (
                Some("%_dbpath %{unknown}/x\n%_db_backend sqlite\n"),
                OLD,
                Some(Backend::Sqlite),
            ),
            (Some("%_dbpath /../x\n%_db_backend dummy\n"), OLD, None),
            (
                Some("%_dbpath %(echo /x)\n%_db_backend bdb_ro\n"),
                OLD,
                Some(Backend::Bdb),
            ),
        ];
        for (text, directory, backend) in cases {
            let temp = tempfile::tempdir().unwrap();
            fs::create_dir_all(temp.path().join("usr/lib/rpm")).unwrap();
            if let Some(text) = text {
                fs::write(temp.path().join("usr/lib/rpm/macros"), text).unwrap();
            }
            let found = of(&Root::open(temp.path()).unwrap(), "x86_64").unwrap();
            let expected = Location {
                directory: directory.into(),
                backend,
            };
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn without_macros_the_directories_say() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join(NEW)).unwrap();
        let root = Root::open(temp.path()).unwrap();
        assert_eq!(of(&root, "x86_64").unwrap().directory, Path::new(NEW));
        fs::create_dir_all(temp.path().join(OLD)).unwrap();
        assert_eq!(of(&root, "x86_64").unwrap().directory, Path::new(OLD));
    }
}
