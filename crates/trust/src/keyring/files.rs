use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Keyring;
use crate::Error;

/// The largest keyring of Debian's packages has 30 MB (debian-keyring, every developer); an archive's has 0.1 MB.
const LARGEST: u64 = 64 << 20;

pub(super) fn read(paths: &[PathBuf]) -> Result<Keyring, Error> {
    let mut keyring = Keyring::default();
    for path in paths {
        if !fs::metadata(path).map_err(|e| unreadable(path, e))?.is_dir() {
            keyring.extend(file(path)?);
            continue;
        }
        let entries = fs::read_dir(path).map_err(|e| unreadable(path, e))?;
        let mut files = Vec::new();
        for entry in entries {
            let file = entry.map_err(|e| unreadable(path, e))?.path();
            if file
                .extension()
                .and_then(OsStr::to_str)
                .is_some_and(|e| matches!(e, "gpg" | "pgp" | "asc"))
            {
                files.push(file);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(Error::KeyringEmpty {
                name: path.display().to_string(),
            });
        }
        for path in files {
            keyring.extend(file(&path)?);
        }
    }
    Ok(keyring)
}

fn file(path: &Path) -> Result<Keyring, Error> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|e| unreadable(path, e))?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(path, e))?;
    if bytes.len() as u64 > LARGEST {
        let reason = format!("it is larger than {LARGEST} bytes");
        return Err(Error::KeyringMalformed {
            name: path.display().to_string(),
            reason,
        });
    }
    Keyring::from_bytes(&path.display().to_string(), &bytes)
}

fn unreadable(path: &Path, source: io::Error) -> Error {
    Error::KeyringRead {
        path: path.to_owned(),
        source,
    }
}
