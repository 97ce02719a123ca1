//! Metalinks of version 3, as MirrorManager writes them: mirrors, and what repomd.xml must be.

use sha2::{Digest as _, Sha256, Sha512};

use crate::error::Error;
use crate::xml::{Item, Xml};

/// One repomd.xml that counts: the current one, or one before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepomdFile {
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Kinds and digests.
    pub hashes: Vec<(String, String)>,
}

impl RepomdFile {
    /// Whether these bytes are it, by its size and its strongest digest. Without a digest that vouches for something
    /// nothing is.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let digest = |kind: &str| self.hashes.iter().find(|(known, _)| known == kind);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        if self.size.is_some_and(|size| size != bytes.len() as u64) {
            return false;
        }
        match (digest("sha512"), digest("sha256")) {
            (Some((_, wanted)), _) => wanted.eq_ignore_ascii_case(&hex(&Sha512::digest(bytes))),
            (_, Some((_, wanted))) => wanted.eq_ignore_ascii_case(&hex(&Sha256::digest(bytes))),
            _ => false,
        }
    }
}

/// A metalink of a repomd.xml.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metalink {
    /// The files that count, the current one first.
    pub repomd: Vec<RepomdFile>,
    /// URLs of repomd.xml, the preferred one first.
    pub urls: Vec<String>,
}

impl Metalink {
    /// The mirrors: their base URLs, http and https alone.
    pub fn base_urls(&self) -> impl Iterator<Item = &str> {
        self.urls
            .iter()
            .filter(|url| crate::is_remote(url))
            .filter_map(|url| url.strip_suffix("/repodata/repomd.xml"))
    }
}

/// Whether a text is a metalink and no plain list.
pub fn is_metalink(text: &[u8]) -> bool {
    let start = text.get(..4096).unwrap_or(text);
    memchr::memmem::find(start, b"<metalink").is_some()
}

/// Reads a metalink. `name` is for messages.
///
/// # Errors
/// [`Error::Malformed`], also for one of another file than repomd.xml.
pub fn parse(name: &str, text: &[u8]) -> Result<Metalink, Error> {
    let mut xml = Xml::new(name, text);
    let mut metalink = Metalink::default();
    let mut urls: Vec<(u32, usize, String)> = Vec::new();
    let (mut inside, mut seen) = (false, false);
    let (mut hash, mut preference, mut protocol) = (String::new(), 0, String::new());
    loop {
        match xml.next()? {
            Item::Start(element) => {
                let attribute = |wanted| element.attribute(wanted).map(Option::unwrap_or_default);
                let result = match element.name() {
                    "file" => attribute("name").map(|file| {
                        inside = file == "repomd.xml";
                        seen |= inside;
                        if inside {
                            metalink.repomd.push(RepomdFile::default());
                        }
                    }),
                    "alternate" if inside => {
                        metalink.repomd.push(RepomdFile::default());
                        Ok(())
                    }
                    "hash" => attribute("type").map(|kind| hash = kind),
                    "url" => attribute("preference").and_then(|text| {
                        preference = text.parse().unwrap_or_default();
                        attribute("protocol").map(|text| protocol = text)
                    }),
                    _ => Ok(()),
                };
                result.map_err(|reason| xml.bad(reason))?;
            }
            Item::End => {
                let text = xml.text().trim();
                match (xml.name(), metalink.repomd.last_mut()) {
                    ("file", _) => inside = false,
                    ("hash", Some(file)) if inside => file.hashes.push((hash.clone(), text.to_owned())),
                    ("size", Some(file)) if inside => file.size = text.parse().ok(),
                    ("url", _) if inside && protocol != "rsync" => {
                        urls.push((u32::MAX - preference, urls.len(), text.to_owned()));
                    }
                    _ => {}
                }
            }
            Item::Eof if seen => break,
            Item::Eof => return Err(xml.bad("it has no file `repomd.xml`")),
        }
    }
    urls.sort();
    metalink.urls = urls.into_iter().map(|(_, _, url)| url).collect();
    Ok(metalink)
}
