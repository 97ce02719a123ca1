//! Package files: lead, signature header, header, payload (rpm's manual, "RPM v4 file format").

use std::io::{BufReader, Read};

use bareroot_archive::{Compression, Limits as DecoderLimits, decoder};
use bareroot_trust::{Blob, Verified};
use base64::Engine as _;
use sha2::{Digest as _, Sha256, Sha512};

use crate::error::Error;
use crate::header::{Header, Limits};
use crate::payload::{FileChoice, Payload};
use crate::tag::Tag;

/// The lead: a relic of which only the magic matters.
const LEAD: usize = 96;

/// How much is read from a file at once.
const CHUNK: usize = 128 << 10;

/// What a signature is made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Covers {
    /// The header alone, from its magic on.
    Header,
    /// The header and the payload as it is compressed.
    HeaderAndPayload,
}

/// A signature that a package carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageSignature {
    /// What it is made over.
    pub covers: Covers,
    /// OpenPGP packets.
    pub packets: Vec<u8>,
}

/// A package file whose two headers are parsed. Clones share them.
#[derive(Clone, Debug)]
pub struct PackageFile {
    name: String,
    signature: Header,
    header: Header,
    header_offset: u64,
    payload_offset: u64,
}

impl PackageFile {
    /// Reads the headers.
    ///
    /// # Errors
    /// [`Error::Package`], [`Error::Header`] for what is none; [`Error::Feature`] for a package that needs what bareroot
    /// does not know.
    pub fn open(blob: &Blob, limits: &Limits) -> Result<PackageFile, Error> {
        let name = blob.name();
        let package = |reason: String| Error::Package {
            name: name.to_owned(),
            reason,
        };
        let mut at = 0;
        let lead = read(blob, &mut at, LEAD)?;
        if lead.get(..4) != Some(&[0xed, 0xab, 0xee, 0xdb]) {
            return Err(package("it does not begin with a lead".into()));
        }
        if lead.get(6..8) == Some(&[0, 1]) {
            return Err(package("it is a source package".into()));
        }
        let signature_name = format!("{name} (signatures)");
        let bytes = header_bytes(blob, &mut at, &signature_name, limits)?;
        let signature = Header::parse(&signature_name, bytes, Tag::HEADERSIGNATURES, limits)?;
        at = at.next_multiple_of(8);
        let header_offset = at;
        let bytes = header_bytes(blob, &mut at, name, limits)?;
        let header = Header::parse(name, bytes, Tag::HEADERIMMUTABLE, limits)?;
        for tag in [Tag::NAME, Tag::VERSION, Tag::RELEASE, Tag::ARCH, Tag::OS] {
            if header.text(tag).is_none_or(str::is_empty) {
                return Err(Error::Header {
                    name: name.to_owned(),
                    reason: format!("it has no {tag}"),
                });
            }
        }
        if let Some(feature) = header.unknown_feature() {
            return Err(Error::Feature {
                name: name.to_owned(),
                feature: feature.to_string(),
            });
        }
        Ok(PackageFile {
            name: name.to_owned(),
            signature,
            header,
            header_offset,
            payload_offset: at,
        })
    }

    /// The file's name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The header of digests and signatures.
    pub fn signature(&self) -> &Header {
        &self.signature
    }

    /// Where the header begins in the file: signatures over header and payload cover everything from there on.
    pub fn header_offset(&self) -> u64 {
        self.header_offset
    }

    /// Whether it is of version 6, in which the old signature tags mean nothing.
    pub fn is_v6(&self) -> bool {
        !self.signature.has(Tag(1000))
            && !self.signature.has(Tag(1004))
            && self.header.has(Tag::LONGFILESIZES)
            || self.signature.has(Tag(999))
    }

    /// The signatures that it carries.
    pub fn signatures(&self) -> Vec<PackageSignature> {
        let mut all = Vec::new();
        for text in self.signature.strings(Tag::OPENPGP) {
            // One that is no base64 cannot be verified and does not count.
            if let Ok(packets) = base64::engine::general_purpose::STANDARD.decode(text) {
                all.push(PackageSignature {
                    covers: Covers::Header,
                    packets,
                });
            }
        }
        let old: &[(Tag, Covers)] = match self.is_v6() {
            true => &[],
            false => &[
                (Tag(1002), Covers::HeaderAndPayload),
                (Tag(1005), Covers::HeaderAndPayload),
            ],
        };
        for (tag, covers) in [(Tag::RSAHEADER, Covers::Header), (Tag::DSAHEADER, Covers::Header)]
            .iter()
            .chain(old)
        {
            if let Some(packets) = self.signature.binary(*tag) {
                let packets = packets.to_vec();
                if !all.iter().any(|other| other.packets == packets) {
                    all.push(PackageSignature {
                        covers: *covers,
                        packets,
                    });
                }
            }
        }
        all
    }

    /// Holds the header against the digests that the signature header has of it.
    ///
    /// # Errors
    /// [`Error::Digest`] for one that differs.
    pub fn check_header(&self) -> Result<(), Error> {
        let bytes = self.header.bytes();
        if let Some(expected) = self.signature.text(Tag::SHA256HEADER) {
            self.same("SHA-256 of its header", expected, &hex(&Sha256::digest(bytes)))?;
        } else if let Some(expected) = self.signature.text(Tag::SHA1HEADER) {
            self.same("SHA-1 of its header", expected, &hex(&sha1::Sha1::digest(bytes)))?;
        }
        Ok(())
    }

    /// Whether the header has a strong digest of the payload.
    pub fn has_payload_digest(&self) -> bool {
        self.payload_digest().is_some()
    }

    fn payload_digest(&self) -> Option<(u64, &str)> {
        let algorithm = self.header.number(Tag::PAYLOADSHA256ALGO).unwrap_or(8);
        let digest = self.header.text(Tag::PAYLOADSHA256)?;
        matches!(algorithm, 8 | 10).then_some((algorithm, digest))
    }

    /// Holds the payload, as it is compressed, against the header's digest of it, where there is one.
    ///
    /// # Errors
    /// [`Error::Digest`] for one that differs, [`Error::Io`] when the file cannot be read.
    pub fn check_payload(&self, blob: &Blob) -> Result<(), Error> {
        let Some((algorithm, expected)) = self.payload_digest() else {
            return Ok(());
        };
        let found = match algorithm {
            10 => self.digest::<Sha512>(blob)?,
            _ => self.digest::<Sha256>(blob)?,
        };
        self.same("digest of its payload", expected, &found)
    }

    fn digest<D: sha2::Digest>(&self, blob: &Blob) -> Result<String, Error> {
        let mut hasher = D::new();
        let mut at = self.payload_offset;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = blob.read_at(&mut buffer, at).map_err(|source| Error::Io {
                name: self.name.clone(),
                source,
            })?;
            if count == 0 {
                return Ok(hex(&hasher.finalize()));
            }
            hasher.update(buffer.get(..count).unwrap_or_default());
            at = at.saturating_add(count as u64);
        }
    }

    fn same(&self, what: &str, expected: &str, found: &str) -> Result<(), Error> {
        match expected.eq_ignore_ascii_case(found) {
            true => Ok(()),
            false => Err(Error::Digest {
                name: self.name.clone(),
                what: what.to_owned(),
                expected: expected.to_owned(),
                found: found.to_owned(),
            }),
        }
    }

    /// How the payload is compressed.
    ///
    /// # Errors
    /// [`Error::Payload`] for a format or compression that rpm does not know.
    pub fn compression(&self) -> Result<Compression, Error> {
        let bad = |reason: String| Error::Payload {
            name: self.name.clone(),
            reason,
        };
        match self.header.text(Tag::PAYLOADFORMAT) {
            None | Some("cpio") => {}
            Some(other) => return Err(bad(format!("its format is {other}; expected cpio"))),
        }
        match self.header.text(Tag::PAYLOADCOMPRESSOR) {
            // rpm itself assumes gzip where nothing is said.
            None | Some("gzip") => Ok(Compression::Gzip),
            Some("bzip2") => Ok(Compression::Bzip2),
            Some("lzma") => Ok(Compression::Lzma),
            Some("xz") => Ok(Compression::Xz),
            Some("zstd") => Ok(Compression::Zstd),
            Some("none" | "identity") => Ok(Compression::None),
            Some(other) => Err(bad(format!(
                "its compression is {other}; expected gzip, bzip2, lzma, xz, zstd or none"
            ))),
        }
    }

    /// The decompressed payload.
    ///
    /// # Errors
    /// As [`PackageFile::compression`]; [`Error::Decode`] when a decoder cannot be set up.
    pub fn plain_payload<'b>(
        &self,
        blob: &'b Verified<Blob>,
        limits: DecoderLimits,
    ) -> Result<Verified<Box<dyn Read + Send + 'b>>, Error> {
        let compression = self.compression()?;
        let offset = self.payload_offset;
        blob.as_ref().try_map(|blob| {
            let compression = match compression {
                // rpm reads it by zlib's gzread, which passes on what is not gzip; rpmbuild names no compression for a
                // payload that is not compressed.
                Compression::Gzip if !self.begins_as_gzip(blob)? => Compression::None,
                other => other,
            };
            let part = Part { blob, at: offset };
            let plain = decoder(compression, BufReader::with_capacity(CHUNK, part), limits);
            let plain = plain.map_err(|source| Error::Decode {
                name: self.name.clone(),
                source,
            })?;
            // Entries' heads are read a hundred bytes at a time.
            Ok(Box::new(BufReader::with_capacity(CHUNK, plain)) as Box<dyn Read + Send + 'b>)
        })
    }

    fn begins_as_gzip(&self, blob: &Blob) -> Result<bool, Error> {
        let mut magic = [0; 2];
        let mut part = Part {
            blob,
            at: self.payload_offset,
        };
        match part.read_exact(&mut magic) {
            Ok(()) => Ok(magic == [0x1f, 0x8b]),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(source) => Err(Error::Io {
                name: self.name.clone(),
                source,
            }),
        }
    }

    /// The payload's entries, from its decompressed bytes.
    pub fn entries<R: Read>(&self, plain: R, choice: &FileChoice) -> Payload<R> {
        Payload::new(self.name.clone(), &self.header, plain, choice)
    }
}

/// The end of a file, read by position.
struct Part<'b> {
    blob: &'b Blob,
    at: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.blob.read_at(buffer, self.at)?;
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

fn read(blob: &Blob, at: &mut u64, length: usize) -> Result<Vec<u8>, Error> {
    // The file's own size bounds what is allocated for it.
    if blob.size().saturating_sub(*at) < length as u64 {
        return Err(Error::Package {
            name: blob.name().to_owned(),
            reason: format!(
                "it ends after {} bytes; expected at least {} more",
                blob.size(),
                length
            ),
        });
    }
    let mut bytes = vec![0; length];
    let mut done = 0;
    while done < length {
        let rest = bytes.get_mut(done..).unwrap_or_default();
        let count = blob
            .read_at(rest, *at + done as u64)
            .map_err(|source| Error::Io {
                name: blob.name().to_owned(),
                source,
            })?;
        if count == 0 {
            return Err(Error::Package {
                name: blob.name().to_owned(),
                reason: "it was cut off while it was read".into(),
            });
        }
        done += count;
    }
    *at += length as u64;
    Ok(bytes)
}

/// The bytes of a header, from its magic on.
fn header_bytes(blob: &Blob, at: &mut u64, name: &str, limits: &Limits) -> Result<Vec<u8>, Error> {
    let mut start = *at;
    let first = read(blob, &mut start, 16)?;
    let size = crate::header::whole_size(name, &first, limits)?;
    read(blob, at, size)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
