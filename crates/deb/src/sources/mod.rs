//! Where packages come from: apt's sources, in both formats of sources.list(5).
//!
//! A stanza or line stands for every pair of an address and a suite in it, as for apt; each pair becomes one
//! [`Source`]. [`render`] joins them again.
//!
//! ```
//! use bareroot_deb::sources;
//!
//! let text = b"deb [signed-by=/usr/share/keyrings/a.pgp] http://mirror.example/debian trixie main contrib # one\n";
//! let sources = sources::parse("a.list", text)?;
//! assert_eq!(sources[0].components, ["main", "contrib"]);
//! assert_eq!(
//!     sources::render(&sources)?,
//!     "Types: deb\nURIs: http://mirror.example/debian\nSuites: trixie\nComponents: main contrib\n\
//!      Signed-By: /usr/share/keyrings/a.pgp\n"
//! );
//! # Ok::<(), bareroot_deb::Error>(())
//! ```

mod deb822;
mod one_line;
mod options;
mod render;

use std::path::PathBuf;
use std::time::Duration;

use crate::Error;

pub use deb822::parse as parse_deb822;
pub use one_line::parse as parse_one_line;
pub use render::render;

/// One repository and suite, and what is wanted of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Whether binary packages are wanted (`deb`).
    pub binary: bool,
    /// Whether source packages are wanted (`deb-src`); bareroot only hands this on to the target.
    pub source: bool,
    /// Addresses of one and the same repository, the preferred one first. Parsing gives exactly one.
    pub uris: Vec<String>,
    /// The suite; the path of a flat repository when it ends in a slash.
    pub suite: String,
    /// The components; none in a flat repository.
    pub components: Vec<String>,
    /// `Architectures` (`arch=`); empty means the root's own.
    pub architectures: Vec<String>,
    /// `Architectures-Add` (`arch+=`).
    pub architectures_add: Vec<String>,
    /// `Architectures-Remove` (`arch-=`).
    pub architectures_remove: Vec<String>,
    /// `Signed-By`.
    pub signed_by: Option<SignedBy>,
    /// `Trusted`: `yes` takes packages without any signature, `no` takes none.
    pub trusted: Option<bool>,
    /// `Allow-Insecure`: the suite may lack a signature.
    pub allow_insecure: Option<bool>,
    /// `Check-Valid-Until`: `no` takes an expired suite.
    pub check_valid_until: Option<bool>,
    /// `Valid-Until-Min`.
    pub valid_until_min: Option<Duration>,
    /// `Valid-Until-Max`.
    pub valid_until_max: Option<Duration>,
    /// `Check-Date`: `no` trusts no clock and judges no date.
    pub check_date: Option<bool>,
    /// `Date-Max-Future`.
    pub date_max_future: Option<Duration>,
    /// `By-Hash`.
    pub by_hash: Option<ByHash>,
    /// `Include`: only these packages are taken from here; empty means all.
    pub include: Vec<String>,
    /// `Exclude`: these packages are not taken from here.
    pub exclude: Vec<String>,
    /// Further options by their deb822 names, which bareroot does not use and hands on to the target.
    pub other: Vec<(String, String)>,
}

/// Which keys may sign a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedBy {
    /// Keyring files.
    pub keyrings: Vec<PathBuf>,
    /// Fingerprints in upper case; a final `!` means this very key and none of its subkeys.
    pub fingerprints: Vec<String>,
    /// An armored public key block that stands in the source itself.
    pub key_block: Option<String>,
}

/// Whether indexes are asked for by their digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByHash {
    /// Where the suite says that it can be done.
    Yes,
    /// Never.
    No,
    /// Always.
    Force,
}

impl Source {
    /// Whether the repository is flat: one index in the directory that the suite names.
    pub fn is_flat(&self) -> bool {
        self.suite.ends_with('/')
    }

    /// Puts the architecture in the place of `$(ARCH)` in addresses and suite, as apt does.
    pub fn expand(&mut self, architecture: &str) {
        for text in self.uris.iter_mut().chain([&mut self.suite]) {
            if text.contains("$(ARCH)") {
                *text = text.replace("$(ARCH)", architecture);
            }
        }
    }

    /// The architectures that are wanted of this source in a root that has these.
    pub fn architectures_of<'a>(&'a self, root: &'a [String]) -> Vec<&'a str> {
        let all = if self.architectures.is_empty() {
            root
        } else {
            &self.architectures
        };
        let mut wanted: Vec<&str> = Vec::new();
        for architecture in all.iter().chain(&self.architectures_add) {
            if !wanted.contains(&architecture.as_str()) && !self.architectures_remove.contains(architecture) {
                wanted.push(architecture);
            }
        }
        wanted
    }
}

/// Reads sources in either format: by the file's extension (`.list`, `.sources`), else by what stands in it.
///
/// Disabled entries are left out. `file` is for messages.
///
/// # Errors
///
/// [`Error::Sources`] with file and line.
pub fn parse(file: &str, text: &[u8]) -> Result<Vec<Source>, Error> {
    if file.ends_with(".sources") {
        return parse_deb822(file, text);
    }
    let first = text
        .split(|&b| b == b'\n')
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty() && !line.starts_with(b"#"))
        .unwrap_or_default();
    let word = first
        .split(|b| b.is_ascii_whitespace() || *b == b'[')
        .next()
        .unwrap_or_default();
    if file.ends_with(".list") || word == b"deb" || word == b"deb-src" {
        parse_one_line(file, text)
    } else {
        parse_deb822(file, text)
    }
}

/// A malformed entry, as [`Error::Sources`] without its place.
type Malformed = String;

#[cfg(test)]
mod tests;
