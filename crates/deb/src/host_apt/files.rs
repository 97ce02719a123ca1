use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::Error;

/// The most of a file that is read: no such file is longer by right.
const LIMIT: u64 = 4 << 20;

/// A file's bytes; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let wrong = |error| Error::HostFile {
        path: path.to_owned(),
        error,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    let mut text = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut text).map_err(wrong)?;
    if text.len() as u64 > LIMIT {
        return Err(wrong(std::io::Error::new(
            ErrorKind::FileTooLarge,
            "it is larger than 4 MiB",
        )));
    }
    Ok(Some(text))
}

/// The files of a directory of parts that apt would read, in apt's order. `extensions` are those that count; the
/// empty one is a name without a dot.
pub(super) fn parts(directory: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let wrong = |error| Error::HostFile {
        path: directory.to_owned(),
        error,
    };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(wrong)?.file_name();
        let Some(name) = name.to_str() else { continue };
        // A link to a file counts as a file.
        if is_part(name, extensions) && fs::metadata(directory.join(name)).is_ok_and(|entry| entry.is_file())
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names.into_iter().map(|name| directory.join(name)).collect())
}

/// Whether apt reads a file of this name: letters, digits, hyphens, underscores, colons, and dots where there is an
/// extension; not hidden.
fn is_part(name: &str, extensions: &[&str]) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = match name.contains('.') {
        true => !extension.is_empty() && extensions.contains(&extension),
        false => extensions.contains(&""),
    };
    known
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, sources, config) in [
            ("debian.sources", true, false),
            ("debian.list", true, false),
            ("a_b-c.1:2.list", true, false),
            ("debian.list.save", false, false),
            ("debian.list~", false, false),
            ("debian.dpkg-new", false, false),
            (".hidden.list", false, false),
            ("list", false, true),
            ("a b.list", false, false),
            ("ä.list", false, false),
            ("debian.", false, false),
            ("99x", false, true),
            ("99x.conf", false, true),
            ("99x.bak", false, false),
        ] {
            assert_eq!(is_part(name, &["list", "sources"]), sources, "{name}");
            assert_eq!(is_part(name, &["", "conf"]), config, "{name}");
        }
    }
}
