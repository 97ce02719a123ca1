//! Whether a key could vouch for something at the time when it signed: expiry, revocation, bindings and flags.
//!
//! The mathematics only say that a key made a signature. What its owner says about the key is in self-signatures, the
//! newest valid one of which counts (RFC 9580, section 5.2.3.10).

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{PublicKey, RevocationCode, Signature, SignatureType, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, Tag};

use crate::keyring::{Cert, Component, Kind};

/// Clocks differ a little; apt allows as much (`Acquire::Max-FutureTime`).
pub(crate) const FUTURE_GRACE: u64 = 10;

/// Why a key cannot vouch. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Expired(u64),
    Revoked,
    Invalid(&'static str),
}

/// When a signature was made, and what time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) made: u64,
    pub(crate) now: u64,
    /// Whether the key must still be good now, and not only when it signed.
    pub(crate) still: bool,
}

/// Judges the key with this fingerprint, by all certificates of the keyring that have its primary key.
pub(crate) fn judge(copies: &[&Cert], fingerprint: &[u8], times: Times) -> Result<(), Refusal> {
    let Some((cert, component)) = copies
        .iter()
        .find_map(|cert| Some((cert, cert.components.first()?)))
    else {
        return Err(Refusal::Invalid("there is no primary key"));
    };
    let primary = cert
        .key(component)
        .ok_or(Refusal::Invalid("its primary key is of an unknown kind"))?;
    let own = fingerprint == cert.primary();
    if u64::from(primary.created_at().as_secs()) > times.made.saturating_add(FUTURE_GRACE) {
        return Err(Refusal::Invalid("it was made before the key was"));
    }
    let certs = Signatures {
        copies,
        primary: &primary,
        now: times.now,
    };
    if certs.revoked(
        |_, at| at == 0,
        SignatureType::KeyRevocation,
        times,
        |s| s.verify_key(&primary),
    ) {
        return Err(Refusal::Revoked);
    }
    let newest = certs
        .self_signature()
        .ok_or(Refusal::Invalid("it has no valid self-signature"))?;
    alive(&primary, &newest, times)?;
    if own {
        return match flags(&newest) {
            Some(false) => Err(Refusal::Invalid("it may not sign data")),
            _ => Ok(()),
        };
    }
    certs.subkey(fingerprint, times)
}

struct Signatures<'c> {
    copies: &'c [&'c Cert],
    primary: &'c PublicKey,
    now: u64,
}

impl Signatures<'_> {
    /// The newest signature of the primary key over itself or over one of its user ids.
    fn self_signature(&self) -> Option<Signature> {
        let mut candidates: Vec<(Signature, Over<'_>)> = Vec::new();
        for cert in self.copies {
            for (at, component) in cert.components.iter().enumerate() {
                let over = match component.kind {
                    Kind::Key { .. } if at == 0 => Over::Key,
                    Kind::UserId => Over::Id(Tag::UserId, Raw(cert.body(component))),
                    Kind::UserAttribute => Over::Id(Tag::UserAttribute, Raw(cert.body(component))),
                    _ => continue,
                };
                let signatures = cert.signatures(component);
                let withdrawn = signatures
                    .iter()
                    .filter(|s| s.typ() == Some(SignatureType::CertRevocation))
                    .filter(|s| self.by_primary(s) && self.verifies(s, &over))
                    .filter_map(created)
                    .max();
                let wanted = signatures.into_iter().filter(|s| {
                    over.fits(s) && created(s).is_some_and(|made| withdrawn.is_none_or(|w| made > w))
                });
                candidates.extend(wanted.map(|s| (s, over.clone())));
            }
        }
        self.newest(candidates, |s, over| self.verifies(s, over))
            .map(|(s, _)| s)
    }

    /// A subkey must be bound by the primary key, and must itself say that it belongs there: otherwise anyone could
    /// claim the signatures of another's key for his own certificate.
    fn subkey(&self, fingerprint: &[u8], times: Times) -> Result<(), Refusal> {
        let is = |component: &Component| matches!(&component.kind, Kind::Key { fingerprint: f, .. } if f == fingerprint);
        let found = self
            .copies
            .iter()
            .find_map(|cert| cert.key(cert.components.iter().find(|c| is(c))?));
        let subkey = found.ok_or(Refusal::Invalid("it is of an unknown kind"))?;
        let bound = |s: &Signature| s.verify_subkey_binding(self.primary, &subkey);
        if self.revoked(|c, _| is(c), SignatureType::SubkeyRevocation, times, bound) {
            return Err(Refusal::Revoked);
        }
        let signatures = self.copies.iter().flat_map(|cert| {
            cert.components
                .iter()
                .filter(|c| is(c))
                .flat_map(|c| cert.signatures(c))
                .collect::<Vec<_>>()
        });
        let bindings = signatures
            .filter(|s| s.typ() == Some(SignatureType::SubkeyBinding))
            .map(|s| (s, ()))
            .collect();
        let (binding, ()) = self
            .newest(bindings, |s, ()| bound(s).is_ok())
            .ok_or(Refusal::Invalid(
                "it is a subkey that is not bound to its primary key",
            ))?;
        alive(&subkey, &binding, times)?;
        if flags(&binding) == Some(false) {
            return Err(Refusal::Invalid("it may not sign data"));
        }
        let back = binding.embedded_signature().filter(|back| {
            usable(back, self.now) && back.verify_primary_key_binding(&subkey, self.primary).is_ok()
        });
        back.map(|_| ()).ok_or(Refusal::Invalid(
            "it is a subkey that has not agreed to its primary key",
        ))
    }

    /// The newest usable candidate that verifies. Among several of one second, the one whose key expires first.
    fn newest<O>(
        &self,
        mut candidates: Vec<(Signature, O)>,
        verifies: impl Fn(&Signature, &O) -> bool,
    ) -> Option<(Signature, O)> {
        candidates.retain(|(s, _)| usable(s, self.now) && self.by_primary(s));
        candidates.sort_by_key(|(s, _)| (std::cmp::Reverse(created(s)), lifetime(s).unwrap_or(u64::MAX)));
        candidates.into_iter().find(|(s, over)| verifies(s, over))
    }

    fn revoked(
        &self,
        of: impl Fn(&Component, usize) -> bool,
        kind: SignatureType,
        times: Times,
        verify: impl Fn(&Signature) -> pgp::errors::Result<()>,
    ) -> bool {
        self.copies.iter().any(|cert| {
            let components = cert.components.iter().enumerate().filter(|(at, c)| of(c, *at));
            components.flat_map(|(_, c)| cert.signatures(c)).any(|s| {
                s.typ() == Some(kind) && self.by_primary(&s) && revokes(&s, times) && verify(&s).is_ok()
            })
        })
    }

    fn by_primary(&self, signature: &Signature) -> bool {
        let ids = signature.issuer_key_id();
        let fingerprints = signature.issuer_fingerprint();
        ids.is_empty() && fingerprints.is_empty()
            || ids.iter().any(|&id| *id == self.primary.legacy_key_id())
            || fingerprints.iter().any(|&f| *f == self.primary.fingerprint())
    }

    fn verifies(&self, signature: &Signature, over: &Over<'_>) -> bool {
        match over {
            Over::Key => signature.verify_key(self.primary).is_ok(),
            Over::Id(tag, id) => signature.verify_certification(self.primary, *tag, id).is_ok(),
        }
    }
}

/// What a self-signature is over.
#[derive(Clone)]
enum Over<'b> {
    Key,
    Id(Tag, Raw<'b>),
}

impl Over<'_> {
    fn fits(&self, signature: &Signature) -> bool {
        match self {
            Over::Key => signature.typ() == Some(SignatureType::Key),
            Over::Id(..) => {
                signature.is_certification() && signature.typ() != Some(SignatureType::CertRevocation)
            }
        }
    }
}

/// A packet's body as it stands in the keyring.
#[derive(Clone)]
struct Raw<'b>(&'b [u8]);

impl Serialize for Raw<'_> {
    fn to_writer<W: std::io::Write>(&self, writer: &mut W) -> pgp::errors::Result<()> {
        Ok(writer.write_all(self.0)?)
    }

    fn write_len(&self) -> usize {
        self.0.len()
    }
}

/// When a signature was made, by its signed part.
pub(crate) fn created(signature: &Signature) -> Option<u64> {
    signature.created().map(|at| u64::from(at.as_secs()))
}

/// When a signature ends, if it does.
pub(crate) fn ends(signature: &Signature) -> Option<u64> {
    let length = signature
        .signature_expiration_time()
        .filter(|d| d.as_secs() != 0)?;
    created(signature)?.checked_add(u64::from(length.as_secs()))
}

/// Whether a signature demands to understand something that is not understood here: a critical notation. (pgp
/// itself refuses unknown critical subpackets.)
pub(crate) fn demands_more(signature: &Signature) -> bool {
    signature.config().is_some_and(|config| {
        config
            .hashed_subpackets()
            .any(|s| s.is_critical && matches!(s.data, SubpacketData::Notation(_)))
    })
}

/// A digest that documents may be signed with.
pub(crate) fn is_strong(hash: HashAlgorithm) -> bool {
    matches!(
        hash,
        HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512
    )
}

/// Whether a self-signature can count at all. SHA-1 may be under one, though not under a document: forging it would
/// take a second preimage of what the owner wrote about his own key, in a keyring that is trusted as a file; collisions
/// are detected by the implementation. GnuPG draws the line at the same place.
fn usable(signature: &Signature, now: u64) -> bool {
    let hash = signature.hash_alg();
    hash.is_some_and(|hash| is_strong(hash) || matches!(hash, HashAlgorithm::Sha1 | HashAlgorithm::Sha224))
        && created(signature).is_some_and(|made| made <= now.saturating_add(FUTURE_GRACE))
        && ends(signature).is_none_or(|end| end > now)
        && !demands_more(signature)
}

/// The life of the key in seconds that a self-signature states.
fn lifetime(signature: &Signature) -> Option<u64> {
    signature
        .key_expiration_time()
        .map(|d| u64::from(d.as_secs()))
        .filter(|&d| d != 0)
}

fn alive(key: &PublicKey, stated: &Signature, times: Times) -> Result<(), Refusal> {
    let made = u64::from(key.created_at().as_secs());
    if made > times.made.saturating_add(FUTURE_GRACE) {
        return Err(Refusal::Invalid("it was made before the key was"));
    }
    let Some(end) = lifetime(stated).and_then(|life| made.checked_add(life)) else {
        return Ok(());
    };
    if times.made >= end || times.still && times.now >= end {
        return Err(Refusal::Expired(end));
    }
    Ok(())
}

/// Whether the key may sign data; `None` where the owner says nothing, as for very old keys, which may do anything.
fn flags(signature: &Signature) -> Option<bool> {
    let config = signature.config()?;
    config.hashed_subpackets().find_map(|s| match &s.data {
        SubpacketData::KeyFlags(flags) => Some(flags.sign()),
        _ => None,
    })
}

/// A key that was lost to someone (or for a reason not given) never signed anything that counts; one that was retired or
/// replaced did until then.
fn revokes(revocation: &Signature, times: Times) -> bool {
    let retired = matches!(
        revocation.revocation_reason_code(),
        Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired)
    );
    !retired || times.still || created(revocation).is_none_or(|at| at <= times.made)
}
