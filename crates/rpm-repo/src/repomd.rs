//! repomd.xml: the files of a repository's metadata.

use bareroot_model::Digest;
use bareroot_trust::Expected;

use crate::error::Error;
use crate::xml::{Item, Xml};

/// Which file of the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DataKind {
    /// The packages.
    Primary,
    /// The files of the packages.
    Filelists,
    /// Groups and environments.
    Group,
    /// Modules.
    Modules,
}

impl DataKind {
    /// The types that name it, the preferred one first: with `_zst`, `_xz`, `_gz` there are other compressions of the same.
    /// What has `_zck` or `_db` is of a kind that bareroot has no use for.
    fn types(self) -> &'static [&'static str] {
        match self {
            DataKind::Primary => &["primary_zst", "primary", "primary_xz", "primary_gz"],
            DataKind::Filelists => &["filelists_zst", "filelists", "filelists_xz", "filelists_gz"],
            DataKind::Group => &["group_zst", "group_xz", "group_gz", "group"],
            DataKind::Modules => &["modules_zst", "modules", "modules_xz", "modules_gz"],
        }
    }
}

/// A file of the metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// Its type.
    pub kind: String,
    /// The path below the repository.
    pub location: String,
    /// Kind and digest of the file as it is on the mirror, in hexadecimal.
    pub checksum: (String, String),
    /// Its size in bytes, where it is stated.
    pub size: Option<u64>,
    /// When it was made, in seconds since 1970.
    pub timestamp: Option<u64>,
}

/// A repomd.xml.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repomd {
    /// The revision: usually seconds since 1970.
    pub revision: String,
    /// The files.
    pub data: Vec<Data>,
}

impl Repomd {
    /// Reads a repomd.xml. `name` is for messages.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(name: &str, text: &[u8]) -> Result<Repomd, Error> {
        let mut xml = Xml::new(name, text);
        let mut repomd = Repomd::default();
        let mut root = false;
        let mut data: Option<Data> = None;
        let mut checksum = String::new();
        loop {
            match xml.next()? {
                Item::Start(element) => {
                    let attribute = |wanted| element.attribute(wanted).map(Option::unwrap_or_default);
                    let result = match element.name() {
                        "repomd" => {
                            root = true;
                            Ok(())
                        }
                        other if !root => Err(format!("its first element is `{other}`; expected `repomd`")),
                        "data" => attribute("type").map(|kind| {
                            data = Some(Data {
                                kind,
                                ..Data::default()
                            });
                        }),
                        "checksum" => attribute("type").map(|kind| checksum = kind),
                        "location" => attribute("href").map(|location| {
                            if let Some(data) = &mut data {
                                data.location = location;
                            }
                        }),
                        _ => Ok(()),
                    };
                    result.map_err(|reason| xml.bad(reason))?;
                }
                Item::End => {
                    let text = xml.text().trim();
                    match (xml.name(), &mut data) {
                        ("checksum", Some(data)) => data.checksum = (checksum.clone(), text.to_owned()),
                        // createrepo of old wrote fractions of a second.
                        ("timestamp", Some(data)) => {
                            data.timestamp = text.split('.').next().and_then(|seconds| seconds.parse().ok());
                        }
                        ("size", Some(data)) => data.size = text.parse().ok(),
                        ("revision", None) => repomd.revision = text.to_owned(),
                        ("data", _) => {
                            if let Some(data) = data.take().filter(|data| !data.location.is_empty()) {
                                repomd.data.push(data);
                            }
                        }
                        _ => {}
                    }
                }
                Item::Eof if root => return Ok(repomd),
                Item::Eof => return Err(xml.bad("it has no element `repomd`")),
            }
        }
    }

    /// When it was made, in seconds since 1970: the newest of its files, else its revision where that is a time.
    pub fn date(&self) -> Option<u64> {
        let newest = self.data.iter().filter_map(|data| data.timestamp).max();
        newest.or_else(|| self.revision.parse().ok())
    }

    /// When the repository was made as it is, in seconds since 1970: its revision, where that is such a number, else its date.
    pub fn made(&self) -> Option<u64> {
        self.revision.parse().ok().or_else(|| self.date())
    }

    /// Whether another state of the same repository is newer. The two are only compared by what both have: their revisions,
    /// which are numbers that grow, else their dates.
    pub fn is_older_than(&self, other: &Repomd) -> bool {
        let revision = |repomd: &Repomd| repomd.revision.parse::<u64>().ok();
        match (revision(self), revision(other)) {
            (Some(own), Some(its)) => own < its,
            _ => self.date() < other.date(),
        }
    }

    /// The file of a kind that is quickest to read.
    pub fn best(&self, kind: DataKind) -> Option<&Data> {
        kind.types()
            .iter()
            .find_map(|wanted| self.data.iter().find(|data| data.kind == *wanted))
    }
}

impl Data {
    /// What the file must be. `name` is for messages.
    ///
    /// # Errors
    /// [`Error::WeakDigest`] for a digest that is not of those, or is none.
    pub fn expected(&self, name: &str, digests: Digests) -> Result<Expected, Error> {
        expected(&self.checksum.0, &self.checksum.1, self.size, digests).ok_or_else(|| Error::WeakDigest {
            name: name.to_owned(),
            location: self.location.clone(),
            kind: self.checksum.0.clone(),
        })
    }
}

/// Which digests vouch for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digests {
    /// SHA-256 and SHA-512.
    Strong,
    /// SHA-1 as well, which is all that repositories before 2009 have.
    Old,
}

/// What a file with that digest must be; `None` for a digest that vouches for nothing.
pub fn expected(kind: &str, digest: &str, size: Option<u64>, digests: Digests) -> Option<Expected> {
    let (sha256, sha512) = match kind {
        "sha256" => (Some(digest.parse::<Digest>().ok()?), None),
        "sha512" => (None, Some(bytes(digest)?)),
        "sha" | "sha1" if digests == Digests::Old => return Some(Expected::weak(size, bytes(digest)?)),
        _ => return None,
    };
    Expected::new(size, sha256, sha512).ok()
}

fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect();
    let digits = digits?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    (digits.len() == 2 * N).then_some(bytes)?.try_into().ok()
}
