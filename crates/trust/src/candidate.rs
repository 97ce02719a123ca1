use pgp::packet::{PublicKey, Signature};

use crate::keyring::{Cert, Keyring, cert};
use crate::validity::{self, FUTURE_GRACE, Refusal, Times};
use crate::{Error, Policy, hex, time};

/// A key of the keyring that a signature names.
pub(crate) struct Candidate<'k> {
    cert: &'k Cert,
    component: usize,
    fingerprint: &'k [u8],
}

impl Candidate<'_> {
    pub(crate) fn name(&self) -> String {
        hex::upper(self.fingerprint)
    }

    /// The fingerprint of the certificate's primary key.
    pub(crate) fn primary(&self) -> &[u8] {
        self.cert.primary()
    }

    pub(crate) fn key(&self) -> Option<PublicKey> {
        self.cert.key(self.cert.components.get(self.component)?)
    }

    /// Whether the user accepts this key although it is weak or old.
    pub(crate) fn allowed(&self, policy: &Policy) -> bool {
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
    pub(crate) fn judge(
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

/// The keys of the keyring that a signature says it is by: by fingerprint, or by key id where it gives no more.
pub(crate) fn candidates<'k>(signature: &Signature, keyring: &'k Keyring) -> Vec<Candidate<'k>> {
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
pub(crate) fn named(signature: &Signature) -> Vec<String> {
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
