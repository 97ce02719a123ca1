use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::SignatureType;

use crate::candidate::{candidates, named};
use crate::keyring::{Keyring, cert};
use crate::{Error, Policy, Trusted, Waiver, armor, clearsign, packet, validity};

/// More signatures than anyone puts on an index; each may cost several exponentiations.
const MOST_SIGNATURES: usize = 64;

/// Verifies a clear-signed file (`InRelease`) and returns the signed text, which alone may be parsed: lines end in one
/// newline, dash escapes and trailing white space are gone. `name` is for messages.
///
/// The framing is as strict as apt's: the file must begin with the begin line and end with the signature, with no
/// header but `Hash`. At least one signature by a key of the keyring must be good. Signatures by unknown keys do not
/// matter; one that a known key did not make is fatal.
pub fn verify_cleartext(
    name: &str,
    text: &[u8],
    keyring: &Keyring,
    policy: &Policy,
) -> Result<Trusted<Vec<u8>>, Error> {
    let framed = clearsign::split(name, text)?;
    let canonical = framed.canonical();
    // Some signers (Go's) make a binary signature over the canonical text: the same bytes.
    let document = Document {
        name,
        bytes: &canonical,
        text: true,
    };
    document.verify(&framed.signatures, keyring, policy)?;
    Ok(Trusted::mint(framed.text))
}

/// Verifies `data` (`Release`) by a detached signature (`Release.gpg`), armored or binary.
pub fn verify_detached(
    name: &str,
    data: Vec<u8>,
    signature: &[u8],
    keyring: &Keyring,
    policy: &Policy,
) -> Result<Trusted<Vec<u8>>, Error> {
    let blocks = detached(name, signature)?;
    // A text signature does not cover how lines end: without carriage returns there is only one way.
    let document = Document {
        name,
        bytes: &data,
        text: !data.contains(&b'\r'),
    };
    document.verify(&blocks, keyring, policy)?;
    Ok(Trusted::mint(data))
}

/// A signature of an RPM package: OpenPGP packets, and the bytes that they are made over.
#[derive(Clone, Copy, Debug)]
pub struct PackageSignature<'p> {
    /// The packets.
    pub packets: &'p [u8],
    /// What is signed: the header alone, or header and payload in packages of old.
    pub signed: &'p [u8],
}

/// Verifies an RPM package by its signatures: at least one by a key of the keyring must be good. What is proven is that
/// the signed bytes are the key's; that they are the package's, the caller knows. `name` is for messages.
///
/// A key that expired after it signed is refused here as everywhere: see [`Policy::allow_weak_keys`].
///
/// # Errors
/// [`Error::NoSignature`] without any; what the first refused one says where none is good.
pub fn verify_package(
    name: &str,
    signatures: &[PackageSignature<'_>],
    keyring: &Keyring,
    policy: &Policy,
) -> Result<Trusted<()>, Error> {
    let mut refused = None;
    for signature in signatures {
        let document = Document {
            name,
            bytes: signature.signed,
            text: false,
        };
        match document.verify(&[signature.packets.to_vec()], keyring, policy) {
            Ok(()) => return Ok(Trusted::mint(())),
            // A signature that a known key did not make is fatal, whatever the others are.
            Err(error @ Error::BadSignature { .. }) => return Err(error),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| Error::NoSignature {
        name: name.to_owned(),
    }))
}

/// A package of which no signature is asked for, because the user said so.
pub fn waive_package(waiver: Waiver) -> Trusted<()> {
    Trusted::waived((), waiver)
}

/// The text of a clear-signed file without looking at its signatures, or the whole file when it is not clear-signed,
/// because the user said that no signature is needed.
pub fn waive_cleartext(name: &str, text: &[u8], waiver: Waiver) -> Result<Trusted<Vec<u8>>, Error> {
    let text = if clearsign::is_framed(text) {
        clearsign::split(name, text)?.text
    } else {
        text.to_vec()
    };
    Ok(Trusted::waived(text, waiver))
}

fn detached(name: &str, signature: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    if signature.first().is_some_and(|b| b & 0x80 != 0) {
        return Ok(vec![signature.to_vec()]);
    }
    let malformed = |reason: String| Error::Malformed {
        name: name.to_owned(),
        reason,
    };
    let blocks = armor::blocks(armor::lines(signature), 0, armor::Outside::Refuse)
        .map_err(|e| malformed(format!("its detached signature has {e}")))?;
    if let Some(block) = blocks.iter().find(|block| block.label != "SIGNATURE") {
        return Err(malformed(format!(
            "an armored {} for a signature",
            block.label.to_lowercase()
        )));
    }
    Ok(blocks.into_iter().map(|block| block.bytes).collect())
}

/// What was signed.
struct Document<'d> {
    name: &'d str,
    bytes: &'d [u8],
    /// Whether a signature of the text kind may stand for it.
    text: bool,
}

/// What one signature is worth.
enum Verdict {
    Good,
    /// By none of the keyring's keys; these are the keys that it names.
    Unknown(Vec<String>),
    Unusable(&'static str),
    Refused(Error),
}

impl Document<'_> {
    fn verify(&self, blocks: &[Vec<u8>], keyring: &Keyring, policy: &Policy) -> Result<(), Error> {
        let name = || self.name.to_owned();
        let malformed = |reason: &str| Error::Malformed {
            name: name(),
            reason: reason.to_owned(),
        };
        let mut bodies = Vec::new();
        for block in blocks {
            for part in packet::packets(block).map_err(malformed)? {
                match part.tag {
                    packet::SIGNATURE => bodies.push(block.get(part.body).unwrap_or_default()),
                    packet::MARKER | packet::PADDING => {}
                    _ => return Err(malformed("something other than a signature for a signature")),
                }
            }
        }
        if bodies.len() > MOST_SIGNATURES {
            return Err(malformed("too many signatures"));
        }
        let (mut good, mut refused, mut unknown, mut unusable) = (false, None, Vec::new(), None);
        for body in bodies {
            match self.verdict(body, keyring, policy, good)? {
                Verdict::Good => good = true,
                Verdict::Unknown(keys) => unknown.extend(keys),
                Verdict::Unusable(reason) => unusable = Some(reason),
                Verdict::Refused(error) => refused = refused.or(Some(error)),
            }
        }
        match (good, refused, unusable) {
            (true, ..) => Ok(()),
            (_, Some(error), _) => Err(error),
            _ if !unknown.is_empty() => Err(Error::UnknownKey {
                name: name(),
                keys: unknown,
            }),
            (_, _, Some(reason)) => Err(Error::Unusable {
                name: name(),
                reason: reason.to_owned(),
            }),
            _ => Err(Error::NoSignature { name: name() }),
        }
    }

    /// `Err` only for what makes the whole document bad: a known key that did not sign it. Once one signature is good
    /// (`enough`), the others must be their keys', but what those keys are worth no longer matters.
    fn verdict(
        &self,
        body: &[u8],
        keyring: &Keyring,
        policy: &Policy,
        enough: bool,
    ) -> Result<Verdict, Error> {
        let Some(signature) = cert::signature(body) else {
            return Ok(Verdict::Unusable("it is malformed or of an unknown version"));
        };
        let fits = match signature.typ() {
            Some(SignatureType::Binary) => true,
            Some(SignatureType::Text) => self.text,
            _ => false,
        };
        if !fits {
            return Ok(Verdict::Unusable("it is not over a document"));
        }
        let (Some(made), Some(hash)) = (validity::created(&signature), signature.hash_alg()) else {
            return Ok(Verdict::Unusable("it does not say when it was made"));
        };
        let candidates = candidates(&signature, keyring);
        let Some(first) = candidates.first() else {
            return Ok(Verdict::Unknown(named(&signature)));
        };
        if validity::demands_more(&signature) {
            return Ok(Verdict::Unusable("it has a critical notation that is not known"));
        }
        let weak_digest = !validity::is_strong(hash);
        if weak_digest && !(hash == HashAlgorithm::Sha1 && candidates.iter().any(|c| c.allowed(policy))) {
            let (name, key, algorithm) = (self.name.to_owned(), first.name(), hash.to_string());
            return Ok(Verdict::Refused(Error::WeakDigest { name, key, algorithm }));
        }
        let mut refused = None;
        let mut usable = false;
        for candidate in &candidates {
            let Some(key) = candidate.key() else { continue };
            usable = true;
            if signature.verify(&key, self.bytes).is_err() {
                continue;
            }
            if enough {
                return Ok(Verdict::Good);
            }
            match candidate.judge(self.name, &signature, made, weak_digest, keyring, policy) {
                Ok(()) => return Ok(Verdict::Good),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            Some(error) => Ok(Verdict::Refused(error)),
            None if usable => Err(Error::BadSignature {
                name: self.name.to_owned(),
                key: first.name(),
            }),
            None => Ok(Verdict::Unusable("its key is of an unknown kind")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bareroot_testkit::Signer;
    use bareroot_testkit::keys::{Bind, DAY, Key, MADE, Revoke};

    use super::*;

    #[test]
    fn archived_releases_are_judged_at_the_time_of_their_signature() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(MADE + 4 * DAY));
        let verify = |key: &Key, historic: bool| {
            let mut certs = Keyring::from_bytes("test", key.certificate()).unwrap();
            certs.set_historic(historic);
            verify_cleartext("it", &key.clear_sign(b"text\n"), &certs, &Policy::at(now)).map(|_| ())
        };
        let retired = |at| Key::builder(1).revoked(Revoke { at, retired: true }).build();
        for key in [
            Key::builder(1).life(2 * DAY).build(),
            Key::builder(1).subkey(Bind::Both).subkey_life(2 * DAY).build(),
            retired(MADE + 3 * DAY),
        ] {
            assert!(matches!(
                verify(&key, false),
                Err(Error::ExpiredKey { .. } | Error::RevokedKey { .. })
            ));
            verify(&key, true).unwrap();
        }
        let dead = Key::builder(1).life(DAY / 2).build();
        assert!(matches!(verify(&dead, true), Err(Error::ExpiredKey { .. })));
        assert!(matches!(
            verify(&retired(MADE + DAY / 2), true),
            Err(Error::RevokedKey { .. })
        ));
        let lost = Key::builder(1)
            .revoked(Revoke {
                at: MADE + 3 * DAY,
                retired: false,
            })
            .build();
        assert!(matches!(verify(&lost, true), Err(Error::RevokedKey { .. })));
    }
}
