use crate::archive::InfoFile;

use super::{Listed, Owner, Record, RecordError, Unpacked, hex};

/// The files in `info/` that a package has: its list, what its control archive brings, its checksums.
pub(crate) fn files(unpacked: &Unpacked<'_>) -> Result<Vec<Record>, RecordError> {
    let name = unpacked.control.record_name();
    let path = |extension: &str| format!("var/lib/dpkg/info/{name}.{extension}");
    let mut records = vec![Record::new(path("list"), list(unpacked)?)];
    for file in unpacked.info {
        let mode = mode(file);
        records.push(Record {
            path: path(&file.name),
            mode,
            mtime: Some(file.mtime),
            bytes: file.bytes.clone(),
        });
    }
    if !unpacked.info.iter().any(|file| file.name == "md5sums") {
        records.push(Record::new(path("md5sums"), md5sums(unpacked.paths)));
    }
    Ok(records)
}

/// dpkg sets the mode of a script when it is about to run it and finds a missing read or execute bit; on a first
/// installation it runs these two.
fn mode(file: &InfoFile) -> u32 {
    let runs = matches!(file.name.as_str(), "preinst" | "postinst");
    if runs && file.mode & 0o555 != 0o555 {
        0o755
    } else {
        file.mode & 0o7777
    }
}

/// The `.list`: a path a line, symbolic links last because dpkg makes them last.
fn list(unpacked: &Unpacked<'_>) -> Result<Vec<u8>, RecordError> {
    let mut text = Vec::with_capacity(unpacked.paths.iter().map(|listed| listed.path.len() + 1).sum());
    for symlinks in [false, true] {
        for listed in unpacked
            .paths
            .iter()
            .filter(|l| l.symlink == symlinks && l.owner == Owner::This)
        {
            if listed.path.contains(&b'\n') || !listed.path.starts_with(b"/") {
                let path = String::from_utf8_lossy(listed.path).into_owned();
                let reason = format!("the path {path:?} cannot stand in a file list");
                return Err(RecordError::package(unpacked.control.package(), reason));
            }
            text.extend_from_slice(if listed.path == b"/" { b"/." } else { listed.path });
            text.push(b'\n');
        }
    }
    Ok(text)
}

/// What dpkg writes for a package that brings no `md5sums`: every file that it put into the root.
fn md5sums(paths: &[Listed<'_>]) -> Vec<u8> {
    let mut text = Vec::new();
    for listed in paths.iter().filter(|listed| listed.owner == Owner::This) {
        if let Some(md5) = listed.md5 {
            text.extend_from_slice(hex(&md5).as_bytes());
            text.extend_from_slice(b"  ");
            text.extend_from_slice(listed.path.strip_prefix(b"/").unwrap_or(listed.path));
            text.push(b'\n');
        }
    }
    text
}
