//! Where the root's own rpm looks for its database.

use std::path::{Path, PathBuf};

use bareroot_unpack::{FileKind, Root};

use crate::error::Error;

/// Where rpm has had its database for long.
const OLD: &str = "var/lib/rpm";

/// Where newer distributions have it, so that it is part of /usr.
const NEW: &str = "usr/lib/sysimage/rpm";

/// The database's directory, by the root's own macros, else by what its packages made.
pub fn location(root: &Root) -> Result<PathBuf, Error> {
    let mut found = None;
    for file in ["usr/lib/rpm/macros", "etc/rpm/macros"] {
        found = dbpath(&root.read_if_exists(file)?.unwrap_or_default()).or(found);
    }
    for directory in ["usr/lib/rpm/macros.d", "etc/rpm"] {
        if root
            .lstat(directory)?
            .is_none_or(|stat| stat.kind != FileKind::Directory)
        {
            continue;
        }
        let mut names: Vec<Vec<u8>> = root
            .read_dir(directory)?
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        names.sort_unstable();
        for name in names.iter().filter(|name| name.starts_with(b"macros.")) {
            let path = Path::new(directory).join(String::from_utf8_lossy(name).as_ref());
            found = dbpath(&root.read_if_exists(path)?.unwrap_or_default()).or(found);
        }
    }
    if let Some(path) = found {
        return Ok(path);
    }
    let has = |path: &str| -> Result<bool, Error> {
        Ok(root
            .lstat(path)?
            .is_some_and(|stat| stat.kind == FileKind::Directory))
    };
    Ok(match has(NEW)? && !has(OLD)? {
        true => NEW,
        false => OLD,
    }
    .into())
}

/// `%_dbpath` of a file of macros, without the first slash; macros in it that are not known make it unknown.
fn dbpath(text: &[u8]) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(text);
    let value = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("%_dbpath"))
        .rfind(|rest| rest.starts_with([' ', '\t']))?
        .trim()
        .replace("%{_var}", "/var")
        .replace("%{_usr}", "/usr")
        .replace("%{_prefix}", "/usr")
        .replace("%{_localstatedir}", "/var");
    let relative = value.strip_prefix('/')?;
    let plain = !value.contains('%') && !relative.split('/').any(|part| part == "..");
    plain.then(|| PathBuf::from(relative))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_is_where_the_macros_say() {
        let path = |text: &str| dbpath(text.as_bytes());
        assert_eq!(path("%_dbpath\t\t%{_var}/lib/rpm\n"), Some(OLD.into()));
        assert_eq!(path("# x\n%_dbpath %{_usr}/lib/sysimage/rpm"), Some(NEW.into()));
        assert_eq!(path("%_dbpath_rebuild /x\n%_dbpath %{unknown}/x"), None);
        assert_eq!(path("%_dbpath /../x"), None);
        assert_eq!(path(""), None);
    }
}
