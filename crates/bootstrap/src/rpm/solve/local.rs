//! .rpm files that the user named, by path or by URL: packages of a repository of their own, which dnf calls
//! `@commandline`.

use std::fs::File;
use std::io::{Read, Seek as _, Write as _};
use std::path::Path;

use bareroot_enter::confine;
use bareroot_fetch::{Fetcher, Location};
use bareroot_model::Digest;
use bareroot_rpm::{Limits, PackageFile};
use bareroot_rpm_repo::{Index, LocalPackage, arch};
use bareroot_trust::{Blob, Verified};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// A file that comes by a URL is kept in memory while it is read, and is no larger.
const LARGEST: u64 = 2 << 30;

/// The files, opened and hashed.
#[derive(Debug, Default)]
pub struct LocalFiles {
    files: Vec<(Verified<Blob>, PackageFile)>,
}

/// Whether a wish means a file rather than a package's name (dnf's option parser).
pub fn is_file(word: &str) -> bool {
    let schemes = ["http://", "https://", "ftp://", "file://"];
    !word.starts_with('@')
        && (word.ends_with(".rpm") || schemes.iter().any(|scheme| word.starts_with(scheme)))
}

impl LocalFiles {
    /// Opens the files, those at a URL after they were fetched.
    ///
    /// # Errors
    /// When one cannot be had, is no package, or is one of another architecture than `root`.
    pub fn open(words: &[String], root: &str, fetcher: &Fetcher) -> Result<LocalFiles, Error> {
        let mut local = LocalFiles::default();
        for word in words {
            let (name, file) = match word.contains("://") && !Path::new(word).exists() {
                true => fetched(word, fetcher)?,
                false => (
                    word.clone(),
                    File::open(word).map_err(|source| unreadable(word, source))?,
                ),
            };
            if local.files.iter().any(|(blob, _)| blob.get().name() == name) {
                continue;
            }
            let blob = hashed(name, file)?;
            let package = confine::parse(|| PackageFile::open(blob.get(), &Limits::default()))?;
            let nevra = package.header().nevra();
            if !arch::is_compatible(&nevra.arch, root) {
                return Err(Error::OtherArch {
                    path: package.name().to_owned(),
                    found: nevra.arch,
                    root: root.to_owned(),
                });
            }
            local.files.push((blob, package));
        }
        Ok(local)
    }

    /// Their index.
    ///
    /// # Errors
    /// When it cannot hold them.
    pub fn index(&self) -> Result<Index, Error> {
        let digests: Vec<String> = self
            .files
            .iter()
            .map(|(blob, _)| blob.get().sha256().to_string())
            .collect();
        let packages: Vec<LocalPackage<'_>> = self
            .files
            .iter()
            .zip(&digests)
            .map(|((blob, package), sha256)| LocalPackage {
                header: package.header(),
                name: package.name(),
                size: blob.get().size(),
                sha256,
            })
            .collect();
        Ok(Index::of_headers(&packages)?)
    }

    /// The file of that name.
    ///
    /// # Errors
    /// When there is none, or the system refuses another handle of it.
    pub fn blob(&self, name: &str) -> Result<Verified<Blob>, Error> {
        let find = self.files.iter().find(|(blob, _)| blob.get().name() == name);
        let (blob, _) = find.ok_or(Error::Worker("local files"))?;
        let share = |blob: &Blob| {
            let file = blob.file().try_clone()?;
            Ok(Blob::new(file, blob.size(), blob.sha256(), name))
        };
        let shared = blob.as_ref().try_map(share);
        shared.map_err(|source| unreadable(name, source))
    }
}

fn unreadable(path: &str, source: std::io::Error) -> Error {
    Error::Read {
        path: path.into(),
        source,
    }
}

/// The file at a URL, in memory, and the URL without its credentials.
fn fetched(url: &str, fetcher: &Fetcher) -> Result<(String, File), Error> {
    let name = bareroot_fetch::without_credentials(url);
    let bytes = fetcher.index(&Location::of_url(url), LARGEST)?;
    let fd = rustix::fs::memfd_create("package", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|error| unreadable(&name, error.into()))?;
    let mut file = File::from(fd);
    file.write_all(&bytes)
        .and_then(|()| file.rewind())
        .map_err(|source| unreadable(&name, source))?;
    Ok((name, file))
}

fn hashed(name: String, mut file: File) -> Result<Verified<Blob>, Error> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    let mut size = 0;
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|source| unreadable(&name, source))?;
        if count == 0 {
            break;
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
        size += count as u64;
    }
    let digest = Digest::new(hasher.finalize().into());
    Ok(Verified::local(Blob::new(file, size, digest, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_files() {
        for (word, file) in [
            ("bash", false),
            ("./bash-5.2-1.x86_64.rpm", true),
            ("bash.rpm", true),
            ("https://h.example/x", true),
            ("file:///x.rpm", true),
            ("@core.rpm", false),
            ("perl(File::Spec)", false),
        ] {
            assert_eq!(is_file(word), file, "{word}");
        }
    }
}
