//! Chapter seven: rpm's database is written, at the place where the root's own rpm looks for it.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bareroot_rpm::blob::{self, Install};
use bareroot_rpm_db::{Backend, Database};
use bareroot_unpack::{FileKind, Root};

use super::arch;
use super::plan::Plan;
use super::unpack::{Arrived, Unpacked};
use crate::error::Error;

/// Where rpm has had its database for long.
const OLD: &str = "var/lib/rpm";

/// Where newer distributions have it, so that it is part of /usr.
const NEW: &str = "usr/lib/sysimage/rpm";

/// Records all packages, in the order of installation.
///
/// # Errors
/// When the root refuses.
pub fn record(root: &Root, plan: &Plan, arrived: &[Arrived], unpacked: &Unpacked) -> Result<(), Error> {
    let time = plan
        .epoch
        .map_or_else(now, |epoch| u32::try_from(epoch).unwrap_or_default());
    let directory = location(root)?;
    root.create_dir_all(&directory, 0o755)?;
    let mut database = Database::create(&on_host(root, &directory)?, Backend::Sqlite)?;
    for (place, package) in arrived.iter().enumerate() {
        let states = unpacked.states[place].iter().map(|state| *state as u8).collect();
        database.add(&blob::stored(
            &package.file,
            &Install {
                time,
                transaction: time,
                color: arch::color(&plan.arch),
                states,
            },
        ))?;
    }
    Ok(database.finish()?)
}

fn now() -> u32 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
}

/// The database's directory, by the root's own macros, else by what its packages made.
fn location(root: &Root) -> Result<PathBuf, Error> {
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
        .filter(|rest| rest.starts_with([' ', '\t']))
        .last()?
        .trim()
        .replace("%{_var}", "/var")
        .replace("%{_usr}", "/usr")
        .replace("%{_prefix}", "/usr")
        .replace("%{_localstatedir}", "/var");
    let relative = value.strip_prefix('/')?;
    let plain = !value.contains('%') && !relative.split('/').any(|part| part == "..");
    plain.then(|| PathBuf::from(relative))
}

/// A directory of the root as a path of the host, every link in it followed inside the root.
fn on_host(root: &Root, directory: &Path) -> Result<PathBuf, Error> {
    let mut done = PathBuf::new();
    let mut rest: Vec<std::ffi::OsString> = directory
        .components()
        .rev()
        .map(|part| part.as_os_str().to_owned())
        .collect();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        match part.to_str() {
            Some("/" | ".") => continue,
            Some("..") => {
                done.pop();
                continue;
            }
            _ => {}
        }
        let next = done.join(&part);
        match root.read_link(&next)? {
            Some(text) => {
                links += 1;
                if links > 40 {
                    return Err(Error::Worker("the database's directory"));
                }
                use std::os::unix::ffi::OsStringExt as _;
                let text = PathBuf::from(std::ffi::OsString::from_vec(text));
                if text.is_absolute() {
                    done = PathBuf::new();
                }
                rest.extend(text.components().rev().map(|part| part.as_os_str().to_owned()));
            }
            None => done = next,
        }
    }
    Ok(root.path().join(done))
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
