use std::io::Read;

use bareroot_archive::{Error, TarLimits, TarReader};
use bareroot_model::{Entry, Kind};

use super::{ArchiveError, Control};

/// A file of a package's control archive that dpkg keeps in `info/`: a maintainer script, `conffiles`, `triggers`...
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfoFile {
    /// Its name: one component, without a dot.
    pub name: String,
    /// Permission bits.
    pub mode: u32,
    /// Modification time in seconds since 1970.
    pub mtime: i64,
    /// Content.
    pub bytes: Vec<u8>,
}

/// How large a control archive may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoLimits {
    /// Bytes of the decompressed archive.
    pub total: u64,
    /// Bytes of one of its files.
    pub file: u64,
    /// Entries.
    pub files: u64,
}

impl Default for InfoLimits {
    /// 64 MiB in all, 32 MiB for a file (`md5sums` of the largest packages has a tenth of that), 1000 entries.
    fn default() -> Self {
        InfoLimits {
            total: 64 << 20,
            file: 32 << 20,
            files: 1000,
        }
    }
}

/// dpkg's longest name for a control file (`MAXCONTROLFILENAME`).
const LONGEST_NAME: usize = 100;

/// Reads a control archive: the control file, and what dpkg would put into `info/`.
pub(super) fn read(
    archive: &str,
    input: impl Read,
    limits: &InfoLimits,
) -> Result<(Control, Vec<InfoFile>), ArchiveError> {
    let member = "its control archive";
    let broken = |error| ArchiveError::Read {
        archive: archive.to_owned(),
        member,
        error,
    };
    let wrong = |reason| ArchiveError::Malformed {
        archive: archive.to_owned(),
        member,
        reason,
    };
    let tar_limits = TarLimits {
        entries: limits.files,
        size: limits.file,
        ..TarLimits::default()
    };
    let mut tar = TarReader::new(input, tar_limits);
    let mut files: Vec<InfoFile> = Vec::new();
    while let Some(entry) = tar.next_entry().map_err(broken)? {
        let Some(name) = name(&entry).map_err(wrong)? else {
            continue;
        };
        let bytes = match &entry.kind {
            Kind::File => content(&mut tar, &entry).map_err(broken)?,
            // tar writes scripts that are one file in the build tree like this.
            Kind::Hardlink(target) => {
                let target = target.strip_prefix(b"./").unwrap_or(target);
                let found = files.iter().find(|file| file.name.as_bytes() == target);
                let missing = || wrong(format!("`{name}` is a link to what is not there"));
                found.ok_or_else(missing)?.bytes.clone()
            }
            _ => return Err(wrong(format!("`{name}` is not a regular file"))),
        };
        // As when tar extracts it: a later one replaces an earlier one.
        files.retain(|file| file.name != name);
        files.push(InfoFile {
            name,
            mode: entry.mode & 0o7777,
            mtime: entry.mtime,
            bytes,
        });
    }
    let place = files.iter().position(|file| file.name == "control");
    let control = files.remove(place.ok_or_else(|| wrong("it has no `control`".to_owned()))?);
    let control = Control::parse(&control.bytes).map_err(|reason| ArchiveError::Malformed {
        archive: archive.to_owned(),
        member: "its control file",
        reason,
    })?;
    // dpkg leaves out what has a dot in its name, for `info/` could not tell what it belongs to, and makes the list
    // itself.
    files.retain(|file| !file.name.contains('.') && file.name != "list");
    Ok((control, files))
}

/// The name of an entry; `None` for the archive's root. One plain component or nothing: it becomes part of a path.
fn name(entry: &Entry) -> Result<Option<String>, String> {
    let path = entry.path.strip_prefix(b"./").unwrap_or(&entry.path);
    if entry.kind == Kind::Directory && matches!(path, b"" | b"." | b"/") {
        return Ok(None);
    }
    let shown = path.escape_ascii().to_string();
    let plain = |name: &&str| {
        !matches!(*name, "" | "." | "..") && name.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
    };
    match std::str::from_utf8(path).ok().filter(plain) {
        Some(name) if name.len() > LONGEST_NAME => Err(format!("the name `{name}` is too long")),
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(format!("`{shown}` is not the name of a control file")),
    }
}

fn content(tar: &mut TarReader<impl Read>, entry: &Entry) -> Result<Vec<u8>, Error> {
    // The size is only stated so far; what is there is at most what the limit lets through.
    let mut bytes = Vec::with_capacity(usize::try_from(entry.size.min(64 << 10)).unwrap_or_default());
    tar.read_to_end(&mut bytes).map_err(Error::from_io)?;
    Ok(bytes)
}
