use bareroot_model::Digest;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Error, Trusted, Waiver};

/// What a file must be, as a signed index states it: at least one digest, a strong one but for [`Expected::weak`], and the
/// size where it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    size: Option<u64>,
    sha256: Option<Digest>,
    sha512: Option<[u8; 64]>,
    sha1: Option<[u8; 20]>,
}

impl Expected {
    /// `size` is in bytes. [`Error::NoDigest`] when there is neither a SHA-256 nor a SHA-512: MD5 and SHA-1 vouch for
    /// nothing.
    pub fn new(
        size: Option<u64>,
        sha256: Option<Digest>,
        sha512: Option<[u8; 64]>,
    ) -> Result<Expected, Error> {
        if sha256.is_none() && sha512.is_none() {
            return Err(Error::NoDigest);
        }
        Ok(Expected {
            size,
            sha256,
            sha512,
            sha1: None,
        })
    }

    /// A file known by its SHA-1 alone, `size` in bytes: for repositories of an age that knew nothing better, of which the
    /// user said that they are to be taken.
    pub fn weak(size: Option<u64>, sha1: [u8; 20]) -> Expected {
        Expected {
            size,
            sha256: None,
            sha512: None,
            sha1: Some(sha1),
        }
    }

    /// A file known by its size in bytes and its SHA-256.
    pub fn of(size: u64, sha256: Digest) -> Expected {
        Expected {
            size: Some(size),
            sha256: Some(sha256),
            sha512: None,
            sha1: None,
        }
    }

    /// Size in bytes.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// SHA-256.
    pub fn sha256(&self) -> Option<Digest> {
        self.sha256
    }

    /// SHA-512.
    pub fn sha512(&self) -> Option<&[u8; 64]> {
        self.sha512.as_ref()
    }

    /// SHA-1, where nothing better is known.
    pub fn sha1(&self) -> Option<&[u8; 20]> {
        self.sha1.as_ref()
    }
}

/// Checks bytes against an [`Expected`] while they pass.
#[derive(Clone, Debug)]
pub struct Verifier {
    expected: Trusted<Expected>,
    seen: u64,
    sha256: Sha256,
    sha512: Option<Sha512>,
    sha1: Option<Sha1>,
}

/// Bytes that passed through a [`Verifier`] were the expected ones. It turns one value into a
/// [`Verified`](crate::Verified).
#[derive(Debug)]
pub struct Proof {
    size: u64,
    sha256: Digest,
    waiver: Option<Waiver>,
}

impl Verifier {
    /// A check that has not seen any byte yet.
    pub fn new(expected: Trusted<Expected>) -> Verifier {
        let sha512 = expected.sha512().map(|_| Sha512::new());
        let sha1 = expected.sha1().map(|_| Sha1::new());
        Verifier {
            expected,
            seen: 0,
            sha256: Sha256::new(),
            sha512,
            sha1,
        }
    }

    /// Takes the next bytes. [`Error::TooLong`] as soon as there are more than expected, so that an endless body is
    /// cut off early.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        if let Some(expected) = self.expected.size().filter(|&size| self.seen > size) {
            return Err(Error::TooLong { expected });
        }
        self.sha256.update(bytes);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(bytes);
        }
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
        Ok(())
    }

    /// Bytes taken so far.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Judges what was seen: [`Error::Size`] when it was too short, [`Error::Digest`] when it was something else.
    pub fn finish(self) -> Result<Proof, Error> {
        if let Some(expected) = self.expected.size().filter(|&size| self.seen != size) {
            return Err(Error::Size {
                expected,
                found: self.seen,
            });
        }
        let sha256 = Digest::new(self.sha256.finalize().into());
        if let Some(expected) = self.expected.sha256().filter(|&expected| expected != sha256) {
            return Err(Error::Digest {
                algorithm: "SHA-256",
                expected: expected.to_string(),
                found: sha256.to_string(),
            });
        }
        if let (Some(expected), Some(sha512)) = (self.expected.sha512(), self.sha512) {
            let found: [u8; 64] = sha512.finalize().into();
            if found != *expected {
                return Err(Error::Digest {
                    algorithm: "SHA-512",
                    expected: crate::hex::lower(expected),
                    found: crate::hex::lower(&found),
                });
            }
        }
        if let (Some(expected), Some(sha1)) = (self.expected.sha1(), self.sha1) {
            let found: [u8; 20] = sha1.finalize().into();
            if found != *expected {
                return Err(Error::Digest {
                    algorithm: "SHA-1",
                    expected: crate::hex::lower(expected),
                    found: crate::hex::lower(&found),
                });
            }
        }
        Ok(Proof {
            size: self.seen,
            sha256,
            waiver: self.expected.waiver().cloned(),
        })
    }
}

impl Proof {
    /// Size in bytes of what was seen.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of what was seen.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }

    pub(crate) fn into_waiver(self) -> Option<Waiver> {
        self.waiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: Expected, parts: &[&[u8]]) -> Result<Proof, Error> {
        let mut verifier = Verifier::new(Trusted::mint(expected));
        for part in parts {
            verifier.update(part)?;
        }
        verifier.finish()
    }

    #[test]
    fn the_right_bytes_pass_in_any_pieces() {
        let sha256 = Digest::new(Sha256::digest(b"hello").into());
        let sha512: [u8; 64] = Sha512::digest(b"hello").into();
        for parts in [&[b"hello".as_slice()][..], &[b"h", b"", b"ello"]] {
            let proof = check(Expected::of(5, sha256), parts).unwrap();
            assert_eq!((proof.size(), proof.sha256()), (5, sha256));
            check(Expected::new(None, None, Some(sha512)).unwrap(), parts).unwrap();
            check(Expected::new(Some(5), Some(sha256), Some(sha512)).unwrap(), parts).unwrap();
        }
    }

    #[test]
    fn a_weak_digest_is_held_against_too() {
        let sha1: [u8; 20] = Sha1::digest(b"hello").into();
        check(Expected::weak(Some(5), sha1), &[b"hel", b"lo"]).unwrap();
        check(Expected::weak(None, sha1), &[b"hello"]).unwrap();
        assert!(matches!(
            check(Expected::weak(Some(5), sha1), &[b"hallo"]),
            Err(Error::Digest {
                algorithm: "SHA-1",
                ..
            })
        ));
    }

    #[test]
    fn wrong_bytes_do_not() {
        let sha256 = Digest::new(Sha256::digest(b"hello").into());
        let sha512: [u8; 64] = Sha512::digest(b"hello").into();
        assert!(matches!(
            check(Expected::of(5, sha256), &[b"hell", b"o!"]),
            Err(Error::TooLong { expected: 5 })
        ));
        assert!(matches!(
            check(Expected::of(5, sha256), &[b"hell"]),
            Err(Error::Size {
                expected: 5,
                found: 4
            })
        ));
        assert!(matches!(
            check(Expected::of(5, sha256), &[b"hellO"]),
            Err(Error::Digest { .. })
        ));
        let both = Expected::new(None, Some(Digest::new(Sha256::digest(b"x").into())), Some(sha512)).unwrap();
        assert!(matches!(
            check(both.clone(), &[b"x"]),
            Err(Error::Digest {
                algorithm: "SHA-512",
                ..
            })
        ));
        assert!(matches!(
            check(both, &[b"hello"]),
            Err(Error::Digest {
                algorithm: "SHA-256",
                ..
            })
        ));
        assert!(matches!(Expected::new(Some(5), None, None), Err(Error::NoDigest)));
    }
}
