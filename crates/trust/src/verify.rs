use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{PublicKey, Signature, SignatureType};

use crate::keyring::{Cert, Keyring, cert};
use crate::validity::{self, FUTURE_GRACE, Refusal, Times};
use crate::{Error, Policy, Trusted, Waiver, armor, clearsign, hex, packet, time};

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
            match self.verdict(body, keyring, policy)? {
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

    /// `Err` only for what makes the whole document bad: a known key that did not sign it.
    fn verdict(&self, body: &[u8], keyring: &Keyring, policy: &Policy) -> Result<Verdict, Error> {
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

/// A key of the keyring that a signature names.
struct Candidate<'k> {
    cert: &'k Cert,
    component: usize,
    fingerprint: &'k [u8],
}

impl Candidate<'_> {
    fn name(&self) -> String {
        hex::upper(self.fingerprint)
    }

    fn key(&self) -> Option<PublicKey> {
        self.cert.key(self.cert.components.get(self.component)?)
    }

    /// Whether the user accepts this key although it is weak or old.
    fn allowed(&self, policy: &Policy) -> bool {
        let (key, primary) = (self.name(), hex::upper(self.cert.primary()));
        policy.allow_weak_keys.iter().any(|allowed| {
            let allowed: String = allowed
                .split_whitespace()
                .collect::<String>()
                .to_ascii_uppercase();
            let allowed = allowed.strip_prefix("0X").unwrap_or(&allowed);
            allowed == key || allowed == primary
        })
    }

    /// The signature is the key's; may the key vouch, and is the signature in force?
    fn judge(
        &self,
        name: &str,
        signature: &Signature,
        made: u64,
        weak_digest: bool,
        keyring: &Keyring,
        policy: &Policy,
    ) -> Result<(), Error> {
        let (name, key) = (name.to_owned(), self.name());
        let (now, allowed) = (time::seconds(policy.now), self.allowed(policy));
        if made > now.saturating_add(FUTURE_GRACE) {
            return Err(Error::FutureSignature {
                name,
                key,
                made: time::moment(made),
            });
        }
        if let Some(end) = validity::ends(signature).filter(|&end| end <= now) {
            return Err(Error::ExpiredSignature {
                name,
                key,
                expired: time::day(end),
            });
        }
        if weak_digest && !allowed {
            let algorithm = signature.hash_alg().unwrap_or_default().to_string();
            return Err(Error::WeakDigest { name, key, algorithm });
        }
        let body = self
            .cert
            .components
            .get(self.component)
            .map(|c| self.cert.body(c))
            .unwrap_or_default();
        if let Some(algorithm) = cert::weakness(body).filter(|_| !allowed) {
            return Err(Error::WeakKey { name, key, algorithm });
        }
        let copies: Vec<&Cert> = keyring
            .certs()
            .iter()
            .filter(|cert| cert.primary() == self.cert.primary())
            .collect();
        let historic = copies.iter().any(|cert| cert.historic);
        let times = Times {
            made,
            now,
            still: !historic && !allowed,
        };
        validity::judge(&copies, self.fingerprint, times).map_err(|refusal| match refusal {
            Refusal::Expired(end) => Error::ExpiredKey {
                name,
                key,
                expired: time::day(end),
            },
            Refusal::Revoked => Error::RevokedKey { name, key },
            Refusal::Invalid(reason) => Error::InvalidKey {
                name,
                key,
                reason: reason.to_owned(),
            },
        })
    }
}

fn candidates<'k>(signature: &Signature, keyring: &'k Keyring) -> Vec<Candidate<'k>> {
    let fingerprints = signature.issuer_fingerprint();
    let ids = signature.issuer_key_id();
    let mut candidates = Vec::new();
    for cert in keyring.certs() {
        for (component, fingerprint) in cert.signers() {
            let by_fingerprint = fingerprints.iter().any(|f| f.as_bytes() == fingerprint);
            let by_id =
                fingerprints.is_empty() && ids.iter().any(|id| id.as_ref() == cert::key_id(fingerprint));
            if by_fingerprint || by_id {
                candidates.push(Candidate {
                    cert,
                    component,
                    fingerprint,
                });
            }
        }
    }
    candidates
}

/// The keys that a signature says it is by.
fn named(signature: &Signature) -> Vec<String> {
    let fingerprints = signature.issuer_fingerprint();
    let mut keys: Vec<String> = fingerprints.iter().map(|f| hex::upper(f.as_bytes())).collect();
    if keys.is_empty() {
        keys = signature
            .issuer_key_id()
            .iter()
            .map(|id| hex::upper(id.as_ref()))
            .collect();
    }
    if keys.is_empty() {
        keys.push("an unnamed key".to_owned());
    }
    keys.truncate(1);
    keys
}
