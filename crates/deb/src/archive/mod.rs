//! The `.deb`: who it is, what goes into dpkg's database, what goes into the root (deb(5), deb-control(5)).
//!
//! [`Deb::open`] reads the small part whole; [`Deb::payload`] streams the large one. Both read the file by position,
//! so that many threads can have many archives open, or the same one.

mod control;
mod error;
mod info;
mod payload;
pub(crate) mod stanza;

use std::collections::HashSet;

use std::io::Read;

use bareroot_archive::{Compression, DebLayout, Limits, Member, deb_members};
use bareroot_model::Digest;
use bareroot_trust::{Blob, Verified};

use crate::record::Conffile;

pub use control::Control;
pub use error::ArchiveError;
pub use info::{InfoFile, InfoLimits};
pub use payload::{Payload, PayloadLimits};

/// A package archive: everything about it but its payload.
#[derive(Clone, Debug)]
pub struct Deb {
    /// The archive's name, for messages.
    pub name: String,
    /// Its control file.
    pub control: Control,
    /// The other files of its control archive, in its order.
    pub info: Vec<InfoFile>,
    /// The archive's digest: offsets are good for this file only.
    sha256: Digest,
    data: Member,
}

/// Of which files [`record`](crate::record) will want to know the MD5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Digests {
    /// Of none.
    None,
    /// Of the conffiles, by absolute path.
    Only(HashSet<Vec<u8>>),
    /// Of all, because the package brings no `md5sums`.
    All,
}

impl Deb {
    /// Reads all of a `.deb` but its payload.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Read`] and [`ArchiveError::Malformed`]: it is no `.deb`, it is damaged, larger than the limits
    /// allow, or has what dpkg refuses.
    pub fn open(blob: &Verified<Blob>, limits: &InfoLimits) -> Result<Self, ArchiveError> {
        let name = blob.name();
        let broken = |member| {
            move |error| ArchiveError::Read {
                archive: name.to_owned(),
                member,
                error,
            }
        };
        let layout = deb_members(blob.reader(), blob.size());
        let DebLayout { control, data } = layout.map_err(broken("its members"))?;
        let decoded = Limits {
            output: limits.total,
            ..Limits::default()
        };
        let reader = payload::open(blob, &control, decoded).map_err(broken("its control archive"))?;
        let (control, info) = info::read(name, reader, limits)?;
        Ok(Deb {
            name: name.to_owned(),
            control,
            info,
            sha256: blob.sha256(),
            data,
        })
    }

    /// The payload of the archive, which is given once more: who has many of them need not keep them all open.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Malformed`] when `blob` is another file than the one that was opened, [`ArchiveError::Read`] when
    /// it cannot be decoded.
    pub fn payload<'b>(
        &self,
        blob: &'b Verified<Blob>,
        limits: PayloadLimits,
    ) -> Result<Verified<Payload<'b>>, ArchiveError> {
        self.is_from(blob)?;
        blob.as_ref()
            .try_map(|blob| Payload::new(blob, &self.data, limits))
    }

    /// Whether this was read from `blob`.
    fn is_from(&self, blob: &Verified<Blob>) -> Result<(), ArchiveError> {
        if blob.sha256() == self.sha256 {
            return Ok(());
        }
        let reason = format!("it is not in `{}`, which is another file", blob.name());
        Err(ArchiveError::Malformed {
            archive: self.name.clone(),
            member: "its data archive",
            reason,
        })
    }

    /// The plain tar archive of the payload, for a cache that [`payload_from_tar`] reads again.
    ///
    /// # Errors
    ///
    /// As for [`payload`](Self::payload).
    pub fn plain_payload<'b>(
        &self,
        blob: &'b Verified<Blob>,
        limits: PayloadLimits,
    ) -> Result<Box<dyn Read + Send + 'b>, ArchiveError> {
        self.is_from(blob)?;
        payload::open(blob.get(), &self.data, limits.decoder).map_err(|error| ArchiveError::Read {
            archive: self.name.clone(),
            member: "its data archive",
            error,
        })
    }

    /// How the payload is compressed.
    pub fn compression(&self) -> Compression {
        self.data.compression
    }

    /// A control archive's file by its name.
    pub fn info(&self, name: &str) -> Option<&InfoFile> {
        self.info.iter().find(|file| file.name == name)
    }

    /// Makes sure that it is the package that an index (or a lock) promised. Digests say so already; this says it in
    /// words when an index names one package and points to another.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Mismatch`] with the first field that differs.
    pub fn check_against(
        &self,
        package: &str,
        version: &str,
        architecture: &str,
    ) -> Result<(), ArchiveError> {
        let control = &self.control;
        for (field, expected, found) in [
            ("Package", package, control.package()),
            ("Version", version, control.version()),
            ("Architecture", architecture, control.architecture()),
        ] {
            if expected != found {
                let (expected, found) = (expected.to_owned(), found.to_owned());
                return Err(ArchiveError::Mismatch {
                    archive: self.name.clone(),
                    field,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    /// Of which files of the payload the record will need the MD5.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Malformed`] when `conffiles` cannot be read.
    pub fn digests(&self) -> Result<Digests, ArchiveError> {
        let conffiles = self.conffiles()?;
        if self.info("md5sums").is_none() {
            return Ok(Digests::All);
        }
        if conffiles.is_empty() {
            return Ok(Digests::None);
        }
        Ok(Digests::Only(
            conffiles.into_iter().map(|conffile| conffile.path).collect(),
        ))
    }

    /// The package's conffiles.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Malformed`] when the list cannot be read.
    pub fn conffiles(&self) -> Result<Vec<Conffile>, ArchiveError> {
        let Some(file) = self.info("conffiles") else {
            return Ok(Vec::new());
        };
        Conffile::parse(&file.bytes).map_err(|reason| ArchiveError::Malformed {
            archive: self.name.clone(),
            member: "its list of conffiles",
            reason,
        })
    }
}

/// The payload of a package from its decompressed `data.tar`, as a cache keeps it.
///
/// # Errors
///
/// [`ArchiveError::Read`] when it cannot be read.
pub fn payload_from_tar(
    tar: &Verified<Blob>,
    limits: PayloadLimits,
) -> Result<Verified<Payload<'_>>, ArchiveError> {
    let whole = Member {
        offset: 0,
        size: tar.size(),
        compression: Compression::None,
    };
    tar.as_ref().try_map(|blob| Payload::new(blob, &whole, limits))
}
