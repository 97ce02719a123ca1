//! Files that somebody named, or that this host has, read up to a bound: `/dev/zero` is a path, too.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// No text that bareroot reads whole is longer than this by right, in bytes.
const MOST: u64 = 16 << 20;

/// A file's bytes. Pipes are read as well, as from a shell's `<(...)`.
///
/// # Errors
/// As for [`std::fs::read`]; [`ErrorKind::FileTooLarge`] when there are more than 16 MiB.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            "it is larger than 16 MiB",
        ));
    }
    Ok(bytes)
}

/// The same, as text.
///
/// # Errors
/// As [`read`]; [`ErrorKind::InvalidData`] when it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_files_end() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("f");
        std::fs::write(&path, b"text\xff").unwrap();
        assert_eq!(read(&path).unwrap(), b"text\xff");
        assert_eq!(read_text(&path).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
