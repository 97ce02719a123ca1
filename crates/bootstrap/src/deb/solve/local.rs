//! .deb files that the user named: they are packages like those of an index, and preferred to all of them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use bareroot_deb::archive::{Deb, InfoLimits};
use bareroot_deb::packages::{Index, IndexInfo, Limits};
use bareroot_enter::confine;
use bareroot_model::Digest;
use bareroot_trust::{Blob, Verified};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// The files, opened and hashed.
#[derive(Debug, Default)]
pub struct LocalFiles {
    files: Vec<(String, Verified<Blob>, Deb)>,
}

impl LocalFiles {
    /// Opens the files.
    ///
    /// # Errors
    /// When one cannot be read or is no package.
    pub fn open(paths: &[PathBuf]) -> Result<LocalFiles, Error> {
        let mut files = Vec::new();
        for path in paths {
            let read = |source| Error::Read {
                path: path.clone(),
                source,
            };
            let mut file = File::open(path).map_err(read)?;
            let mut hasher = Sha256::new();
            let mut buffer = vec![0; 128 << 10];
            let mut size = 0;
            loop {
                let count = file.read(&mut buffer).map_err(read)?;
                if count == 0 {
                    break;
                }
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            let name = path.display().to_string();
            let blob = Verified::local(Blob::new(
                file,
                size,
                Digest::new(hasher.finalize().into()),
                name.clone(),
            ));
            let deb = confine::parse(|| Deb::open(&blob, &InfoLimits::default()))?;
            files.push((name, blob, deb));
        }
        Ok(LocalFiles { files })
    }

    /// Their index, as source number `source`; `None` without files.
    pub fn index(&self, source: u32) -> Result<Option<Index>, Error> {
        if self.files.is_empty() {
            return Ok(None);
        }
        let mut text = Vec::new();
        for (number, (_, blob, deb)) in self.files.iter().enumerate() {
            for (field, value) in deb.control.fields() {
                // What the archive says of itself would come twice.
                if ["filename", "size", "sha256", "sha512"].contains(&field.to_ascii_lowercase().as_str()) {
                    continue;
                }
                text.extend_from_slice(field.as_bytes());
                text.extend_from_slice(b": ");
                text.extend_from_slice(value);
                text.push(b'\n');
            }
            let mut own = String::new();
            let blob = blob.get();
            // The path may have characters that an index cannot hold, and be absolute: the number stands for it.
            let _ = write!(
                own,
                "Filename: {number}\nSize: {}\nSHA256: {}\n\n",
                blob.size(),
                blob.sha256()
            );
            text.extend_from_slice(own.as_bytes());
        }
        Ok(Some(Index::read(
            text.as_slice(),
            IndexInfo::new(source, "the files named"),
            Limits::default(),
        )?))
    }

    /// The path of the file that the index calls `filename`.
    pub fn path(&self, filename: &str) -> Option<&str> {
        self.files
            .get(filename.parse::<usize>().ok()?)
            .map(|(name, _, _)| name.as_str())
    }

    /// The file of that path.
    pub fn blob(&self, path: &str) -> Result<Option<Verified<Blob>>, Error> {
        let Some((name, blob, _)) = self.files.iter().find(|(name, _, _)| name == path) else {
            return Ok(None);
        };
        let share = |blob: &Blob| {
            let file = blob.file().try_clone()?;
            Ok(Blob::new(file, blob.size(), blob.sha256(), name.clone()))
        };
        let read = |source| Error::Read {
            path: name.into(),
            source,
        };
        blob.as_ref().try_map(share).map(Some).map_err(read)
    }
}
