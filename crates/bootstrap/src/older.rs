//! A mirror that gives an older signed index than it gave before.
//!
//! Its signature is good, and where it has no `Valid-Until`, or not yet, nothing in it says that it is old: whoever answers
//! for the mirror could keep known holes open this way. The newest index of each address is in the cache, signature and
//! all; it is used in the place of an older one, as apt and yum do, because servers of one address that lag behind each other
//! are a common thing. Where it cannot be, the older one is refused.

use std::fmt;

use crate::error::Error;

/// What a mirror gave, and what it gave before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Older {
    /// The address of the file, without credentials.
    pub url: String,
    /// The date of what it gave.
    pub found: String,
    /// The date of the newest that it gave before.
    pub kept: String,
}

impl Older {
    /// It is refused, because the newer one cannot be used for this reason.
    pub fn refused(self, why: Option<Error>) -> Error {
        Error::OlderIndex {
            older: self,
            why: why.map(Box::new),
        }
    }

    /// What is said where the newer one takes its place.
    pub fn replaced(&self) -> String {
        format!("{self}: the newer one is used, from the cache")
    }

    /// What is said where the user has waived the guard.
    pub fn waived(&self) -> String {
        format!("{self}: it is taken all the same")
    }
}

impl fmt::Display for Older {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Older { url, found, kept } = self;
        write!(f, "`{url}` is of {found}, and was of {kept} before")
    }
}

/// The end of the sentence that refuses an older index.
pub fn why_not(why: Option<&Error>) -> String {
    why.map(|error| format!("; the newer one cannot be used: {error}"))
        .unwrap_or_default()
}
