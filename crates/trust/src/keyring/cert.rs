use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{PacketHeader, PublicKey, Signature};
use pgp::types::{KeyDetails, Tag};

use crate::packet::{self, Packet};

/// A certificate: a primary key and what is bound to it, as byte ranges of the keyring.
#[derive(Clone)]
pub(crate) struct Cert {
    data: Arc<Cow<'static, [u8]>>,
    /// All its packets, those included that mean nothing here.
    packets: Range<usize>,
    /// The primary key comes first.
    pub(crate) components: Vec<Component>,
    /// Whether its keys are kept for what they signed long ago: their expiry is judged at the time of the signature.
    pub(crate) historic: bool,
}

/// A key, a user id or a user attribute, and the signatures that follow it.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    pub(crate) kind: Kind,
    body: Range<usize>,
    signatures: Vec<Range<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Key {
        fingerprint: Vec<u8>,
        may_sign: bool,
    },
    UserId,
    UserAttribute,
    /// A key of a version, or something of a kind, that is not known.
    Other,
}

impl fmt::Debug for Cert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cert({})", crate::hex::upper(self.primary()))
    }
}

impl Cert {
    /// The fingerprint of the primary key.
    pub(crate) fn primary(&self) -> &[u8] {
        match self.components.first() {
            Some(Component {
                kind: Kind::Key { fingerprint, .. },
                ..
            }) => fingerprint,
            _ => &[],
        }
    }

    /// All packets, as the keyring has them.
    pub(crate) fn packets(&self) -> &[u8] {
        self.data.get(self.packets.clone()).unwrap_or_default()
    }

    /// The first user id.
    pub(crate) fn user(&self) -> String {
        let first = self.components.iter().find(|c| c.kind == Kind::UserId);
        first
            .map(|c| String::from_utf8_lossy(self.body(c)).into_owned())
            .unwrap_or_default()
    }

    /// The keys that may sign: their component's index and fingerprint.
    pub(crate) fn signers(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.components
            .iter()
            .enumerate()
            .filter_map(|(at, component)| match &component.kind {
                Kind::Key {
                    fingerprint,
                    may_sign: true,
                } => Some((at, fingerprint.as_slice())),
                _ => None,
            })
    }

    pub(crate) fn body(&self, component: &Component) -> &[u8] {
        self.data.get(component.body.clone()).unwrap_or_default()
    }

    /// The key of a component, ready for mathematics; `None` when its algorithm or curve is not known.
    pub(crate) fn key(&self, component: &Component) -> Option<PublicKey> {
        let Kind::Key { fingerprint, .. } = &component.kind else {
            return None;
        };
        let body = self.body(component);
        // Subkeys are hashed and used exactly like primary keys, so that one type does for both.
        let header = PacketHeader::new_fixed(Tag::PublicKey, u32::try_from(body.len()).ok()?);
        let key = PublicKey::try_from_reader(header, body).ok()?;
        (key.fingerprint().as_bytes() == fingerprint.as_slice()).then_some(key)
    }

    /// The signature that stands right behind a component, where it can be read.
    pub(crate) fn first_signature(&self, component: &Component) -> Option<Signature> {
        signature(self.data.get(component.signatures.first()?.clone())?)
    }

    /// The signatures of a component that can be read.
    pub(crate) fn signatures(&self, component: &Component) -> Vec<Signature> {
        let bodies = component
            .signatures
            .iter()
            .filter_map(|range| self.data.get(range.clone()));
        bodies.filter_map(signature).collect()
    }
}

/// A signature packet's body, parsed; `None` when it is malformed or of an unknown version.
pub(crate) fn signature(body: &[u8]) -> Option<Signature> {
    let header = PacketHeader::new_fixed(Tag::Signature, u32::try_from(body.len()).ok()?);
    Signature::try_from_reader(header, body)
        .ok()
        .filter(|signature| signature.config().is_some())
}

/// Splits a binary keyring. Certificates whose primary key is of an unknown version are left out: a keyring may be
/// newer than this program.
pub(crate) fn split(data: Arc<Cow<'static, [u8]>>) -> Result<Vec<Cert>, &'static str> {
    let mut certs: Vec<Cert> = Vec::new();
    let (mut seen, mut skipping) = (false, true);
    for Packet { tag, start, body } in packet::packets(&data)? {
        if let Some(cert) = certs
            .last_mut()
            .filter(|_| !skipping && tag != packet::PUBLIC_KEY)
        {
            cert.packets.end = body.end;
        }
        match tag {
            packet::PUBLIC_KEY => {
                let kind = key(data.get(body.clone()).unwrap_or_default());
                (seen, skipping) = (true, kind == Kind::Other);
                if !skipping {
                    let packets = start..body.end;
                    let components = vec![Component {
                        kind,
                        body,
                        signatures: Vec::new(),
                    }];
                    certs.push(Cert {
                        data: Arc::clone(&data),
                        packets,
                        components,
                        historic: false,
                    });
                }
                continue;
            }
            packet::SECRET_KEY | packet::SECRET_SUBKEY => return Err("it holds a secret key"),
            packet::MARKER | packet::TRUST | packet::PADDING => continue,
            packet::SIGNATURE | packet::USER_ID | packet::PUBLIC_SUBKEY | packet::USER_ATTRIBUTE => {}
            // Types from 40 on may be ignored, lower ones may not (RFC 9580, section 4.3).
            40.. => {}
            _ => return Err("it holds something other than keys"),
        }
        if tag == packet::SIGNATURE && certs.is_empty() && !seen {
            return Err("it holds a signature and no key");
        }
        // What follows a key of unknown version is left out with it.
        let Some(cert) = certs.last_mut().filter(|_| !skipping) else {
            continue;
        };
        let kind = match tag {
            packet::SIGNATURE => {
                if let Some(component) = cert.components.last_mut() {
                    component.signatures.push(body);
                }
                continue;
            }
            packet::PUBLIC_SUBKEY => key(data.get(body.clone()).unwrap_or_default()),
            packet::USER_ID => Kind::UserId,
            packet::USER_ATTRIBUTE => Kind::UserAttribute,
            _ => Kind::Other,
        };
        cert.components.push(Component {
            kind,
            body,
            signatures: Vec::new(),
        });
    }
    Ok(certs)
}

/// A key packet's fingerprint (RFC 9580, section 5.5.4). Versions 4 and 6 only: those before are broken by design.
fn key(body: &[u8]) -> Kind {
    let digest = |algorithm: HashAlgorithm, start: &[u8]| algorithm.digest(&[start, body].concat()).ok();
    let fingerprint = match body.first() {
        Some(4) => u16::try_from(body.len()).ok().and_then(|length| {
            let [high, low] = length.to_be_bytes();
            digest(HashAlgorithm::Sha1, &[0x99, high, low])
        }),
        Some(6) => u32::try_from(body.len()).ok().and_then(|length| {
            let [a, b, c, d] = length.to_be_bytes();
            digest(HashAlgorithm::Sha256, &[0x9b, a, b, c, d])
        }),
        _ => None,
    };
    fingerprint.map_or(Kind::Other, |fingerprint| Kind::Key {
        fingerprint,
        may_sign: true,
    })
}

/// The id by which older signatures name a key: the end of a version 4 fingerprint, the start of a version 6 one.
pub(crate) fn key_id(fingerprint: &[u8]) -> &[u8] {
    match fingerprint.len() {
        20 => fingerprint.get(12..),
        _ => fingerprint.get(..8),
    }
    .unwrap_or_default()
}

/// Why a key's algorithm is too weak to vouch for anything, by its packet: DSA, and RSA of less than 2048 bits.
pub(crate) fn weakness(body: &[u8]) -> Option<String> {
    let algorithm = body.get(5)?;
    // Version 6 has the length of the key material before it.
    let material = if body.first() == Some(&6) { 10 } else { 6 };
    let bits = || match body.get(material..material + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    };
    match algorithm {
        1..=3 if bits() < 2048 => Some(format!("RSA of {} bits", bits())),
        17 => Some(format!("DSA of {} bits", bits())),
        _ => None,
    }
}
