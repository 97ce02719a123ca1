use pgp::packet::SignatureType;

use super::Keyring;
use super::cert::{self, Cert, Component, Kind};
use crate::candidate::candidates;
use crate::{hex, packet};

/// A certificate of a keyring, for those who record which keys were used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The primary key.
    pub primary: CertKey,
    /// The last user id, as rpm 4.18 takes it.
    pub user: Option<Vec<u8>>,
    /// The subkeys whose binding says that they sign, in order. Their expiry is not looked at.
    pub signing_subkeys: Vec<CertKey>,
    /// All packets, in binary.
    pub packets: Vec<u8>,
}

/// A key of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertKey {
    /// Fingerprint in upper-case hexadecimal.
    pub fingerprint: String,
    /// The id by which signatures name it.
    pub id: [u8; 8],
    /// When it was made, in seconds since 1970.
    pub created: u32,
}

impl Keyring {
    /// The certificates, in the keyring's order.
    pub fn certificates(&self) -> Vec<Certificate> {
        self.certs().iter().filter_map(certificate).collect()
    }

    /// The fingerprint, in upper-case hexadecimal, of the primary key of the certificate that a signature names; `None`
    /// when the keyring has none such. Nothing is verified.
    pub fn named_by(&self, signature: &[u8]) -> Option<String> {
        let parts = packet::packets(signature).ok()?;
        parts
            .iter()
            .filter(|part| part.tag == packet::SIGNATURE)
            .filter_map(|part| cert::signature(signature.get(part.body.clone())?))
            .find_map(|signature| Some(hex::upper(candidates(&signature, self).first()?.primary())))
    }
}

fn certificate(cert: &Cert) -> Option<Certificate> {
    let mut components = cert.components.iter();
    let primary = key(cert, components.next()?)?;
    let last = components
        .clone()
        .rfind(|component| component.kind == Kind::UserId);
    Some(Certificate {
        primary,
        user: last.map(|component| cert.body(component).to_vec()),
        signing_subkeys: components
            .filter(|component| signs(cert, component))
            .filter_map(|component| key(cert, component))
            .collect(),
        packets: cert.packets().to_vec(),
    })
}

/// Versions 4 and 6 alike have the time behind the version's byte (RFC 9580, section 5.5.2).
fn key(cert: &Cert, component: &Component) -> Option<CertKey> {
    let Kind::Key { fingerprint, .. } = &component.kind else {
        return None;
    };
    Some(CertKey {
        fingerprint: hex::upper(fingerprint),
        id: cert::key_id(fingerprint).try_into().ok()?,
        created: u32::from_be_bytes(cert.body(component).get(1..5)?.try_into().ok()?),
    })
}

/// Whether the first signature behind a subkey binds it for signing.
fn signs(cert: &Cert, component: &Component) -> bool {
    matches!(component.kind, Kind::Key { .. })
        && cert.first_signature(component).is_some_and(|signature| {
            signature.typ() == Some(SignatureType::SubkeyBinding) && signature.key_flags().sign()
        })
}
