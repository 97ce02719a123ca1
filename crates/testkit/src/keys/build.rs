use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::crypto::{ed25519, eddsa_legacy};
use pgp::packet::{
    KeyFlags, Notation, PacketHeader, PacketTrait, PubKeyInner, PublicKey, RevocationCode, SecretKey,
    SignatureConfig, SignatureType, Subpacket, SubpacketData, UserId,
};
use pgp::ser::Serialize;
use pgp::types::{
    Duration, KeyDetails, KeyVersion, PacketHeaderVersion, Password, PlainSecretParams, PublicParams,
    SecretParams, Tag, Timestamp,
};
use sha2::{Digest, Sha256};

use super::{MADE, Signing};

/// What mathematics a key uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Version 4, algorithm 22, as GnuPG makes them.
    Ed25519,
    /// Version 6, algorithm 27.
    Ed25519V6,
    /// Version 4. There is but one, whatever the seed.
    Rsa2048,
    /// Too short. There is but one, whatever the seed.
    Rsa1024,
    /// Too old. There is but one, whatever the seed.
    Dsa1024,
}

/// What a self-signature says of a key's uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flags {
    /// Certify and sign.
    Sign,
    /// Certify only.
    Certify,
    /// Nothing at all.
    Unstated,
}

/// How a signing subkey hangs on its primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// As it should.
    Both,
    /// Bound by the primary key, without the subkey's own signature.
    NoBackSignature,
    /// Bound by the primary key, with a back signature that is over other keys.
    WrongBackSignature,
    /// Not bound by anything.
    Not,
}

/// A revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoke {
    /// When, in seconds since 1970.
    pub at: u32,
    /// Whether the key was only retired, and not lost.
    pub retired: bool,
}

/// Describes a key; [`build`](KeyBuilder::build) makes it.
#[derive(Clone, Copy, Debug)]
pub struct KeyBuilder {
    seed: u64,
    kind: Kind,
    made: u32,
    life: Option<u32>,
    renewed: Option<(u32, Option<u32>)>,
    flags: Flags,
    hash: HashAlgorithm,
    self_signed: bool,
    subkey: Option<Bind>,
    subkey_life: Option<u32>,
    subkey_flags: Flags,
    revoked: Option<Revoke>,
    subkey_revoked: Option<Revoke>,
}

/// A certificate with its secrets.
#[derive(Clone, Debug)]
pub struct Key {
    primary: SecretKey,
    subkey: Option<SecretKey>,
    certificate: Vec<u8>,
}

impl Key {
    /// An Ed25519 key without a subkey, made at [`MADE`], that never expires.
    pub fn new(seed: u64) -> Key {
        Key::builder(seed).build()
    }

    /// The same, to be changed first.
    pub fn builder(seed: u64) -> KeyBuilder {
        KeyBuilder {
            seed,
            kind: Kind::Ed25519,
            made: MADE,
            life: None,
            renewed: None,
            flags: Flags::Sign,
            hash: HashAlgorithm::Sha256,
            self_signed: true,
            subkey: None,
            subkey_life: None,
            subkey_flags: Flags::Sign,
            revoked: None,
            subkey_revoked: None,
        }
    }

    /// The public certificate, binary.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The public certificate, armored.
    pub fn armored(&self) -> String {
        super::armor("PUBLIC KEY BLOCK", &self.certificate)
    }

    /// The primary key's fingerprint in upper-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.primary.fingerprint())
    }

    /// Whether its mathematics is RSA, for which rpm has tags of its own.
    pub fn is_rsa(&self) -> bool {
        matches!(self.primary.algorithm(), PublicKeyAlgorithm::RSA)
    }

    /// The fingerprint of the key that signs documents.
    pub fn signing_fingerprint(&self) -> String {
        format!(
            "{:X}",
            self.subkey.as_ref().unwrap_or(&self.primary).fingerprint()
        )
    }

    /// A signature packet over `data`.
    pub fn sign(&self, data: &[u8], signing: &Signing) -> Vec<u8> {
        let key = self
            .subkey
            .as_ref()
            .filter(|_| !signing.by_primary)
            .unwrap_or(&self.primary);
        let kind = if signing.text {
            SignatureType::Text
        } else {
            SignatureType::Binary
        };
        let mut config = config(key, kind, signing.hash);
        let mut add = |data| config.hashed_subpackets.push(Subpacket::regular(data).unwrap());
        if let Some(made) = signing.made {
            add(SubpacketData::SignatureCreationTime(Timestamp::from_secs(made)));
        }
        if let Some(life) = signing.life {
            add(SubpacketData::SignatureExpirationTime(Duration::from_secs(life)));
        }
        if signing.named && (signing.fingerprint || key.version() == KeyVersion::V6) {
            add(SubpacketData::IssuerFingerprint(key.fingerprint()));
        }
        if signing.named && key.version() == KeyVersion::V4 {
            let id = SubpacketData::IssuerKeyId(key.legacy_key_id());
            config.unhashed_subpackets.push(Subpacket::regular(id).unwrap());
        }
        if signing.critical {
            let (name, value) = (b"x@example.org".as_slice().into(), b"y".as_slice().into());
            let notation = SubpacketData::Notation(Notation {
                readable: true,
                name,
                value,
            });
            config
                .hashed_subpackets
                .push(Subpacket::critical(notation).unwrap());
        }
        packet(&config.sign(key, &Password::empty(), data).unwrap())
    }
}

impl KeyBuilder {
    /// Another kind of mathematics.
    pub fn kind(self, kind: Kind) -> Self {
        KeyBuilder { kind, ..self }
    }

    /// Made then, in seconds since 1970.
    pub fn made(self, made: u32) -> Self {
        KeyBuilder { made, ..self }
    }

    /// Expires so many seconds after it was made.
    pub fn life(self, life: u32) -> Self {
        KeyBuilder {
            life: Some(life),
            ..self
        }
    }

    /// A second self-signature, made at `at`, states another life.
    pub fn renewed(self, at: u32, life: Option<u32>) -> Self {
        KeyBuilder {
            renewed: Some((at, life)),
            ..self
        }
    }

    /// What the primary key may do.
    pub fn flags(self, flags: Flags) -> Self {
        KeyBuilder { flags, ..self }
    }

    /// The digest of self-signatures and bindings.
    pub fn hash(self, hash: HashAlgorithm) -> Self {
        KeyBuilder { hash, ..self }
    }

    /// No self-signature at all.
    pub fn without_self_signature(self) -> Self {
        KeyBuilder {
            self_signed: false,
            ..self
        }
    }

    /// With a subkey, which then signs documents.
    pub fn subkey(self, bind: Bind) -> Self {
        KeyBuilder {
            subkey: Some(bind),
            ..self
        }
    }

    /// The subkey expires so many seconds after it was made.
    pub fn subkey_life(self, life: u32) -> Self {
        KeyBuilder {
            subkey_life: Some(life),
            ..self
        }
    }

    /// What the subkey may do.
    pub fn subkey_flags(self, flags: Flags) -> Self {
        KeyBuilder {
            subkey_flags: flags,
            ..self
        }
    }

    /// The primary key is revoked.
    pub fn revoked(self, revoke: Revoke) -> Self {
        KeyBuilder {
            revoked: Some(revoke),
            ..self
        }
    }

    /// The subkey is revoked.
    pub fn subkey_revoked(self, revoke: Revoke) -> Self {
        KeyBuilder {
            subkey_revoked: Some(revoke),
            ..self
        }
    }

    /// Makes the key.
    pub fn build(self) -> Key {
        let primary = secret(self.kind, self.seed, "primary", self.made);
        let public = primary.public_key();
        let mut certificate = packet(public);
        let none = &Password::empty();
        if let Some(revoke) = self.revoked {
            let config = self.revocation(&primary, SignatureType::KeyRevocation, revoke);
            certificate.extend(packet(&config.sign_key(&primary, none, public).unwrap()));
        }
        let user = UserId::from_str(
            PacketHeaderVersion::New,
            format!("Test {} <test@example.org>", self.seed),
        )
        .unwrap();
        certificate.extend(packet(&user));
        if self.self_signed {
            let statements = [Some((self.made, self.life)), self.renewed];
            for (at, life) in statements.into_iter().flatten() {
                let mut config = self.statement(&primary, SignatureType::CertPositive, at);
                describe(&mut config, self.flags, life);
                let signature = config
                    .sign_certification(&primary, public, none, Tag::UserId, &user)
                    .unwrap();
                certificate.extend(packet(&signature));
            }
        }
        let subkey = self.subkey.map(|bind| {
            let subkey = secret(self.kind, self.seed, "subkey", self.made + 1);
            certificate.extend(self.subkey_packets(&primary, &subkey, bind));
            subkey
        });
        Key {
            primary,
            subkey,
            certificate,
        }
    }

    fn subkey_packets(&self, primary: &SecretKey, subkey: &SecretKey, bind: Bind) -> Vec<u8> {
        let none = &Password::empty();
        let (public, signee) = (primary.public_key(), subkey.public_key());
        let mut packets = retagged(signee);
        if let Some(revoke) = self.subkey_revoked {
            let config = self.revocation(primary, SignatureType::SubkeyRevocation, revoke);
            packets.extend(packet(
                &config.sign_subkey_binding(primary, public, none, signee).unwrap(),
            ));
        }
        if bind == Bind::Not {
            return packets;
        }
        let mut config = self.statement(primary, SignatureType::SubkeyBinding, self.made + 1);
        describe(&mut config, self.subkey_flags, self.subkey_life);
        if bind != Bind::NoBackSignature {
            let back = self.statement(subkey, SignatureType::KeyBinding, self.made + 1);
            let over = if bind == Bind::WrongBackSignature {
                signee
            } else {
                public
            };
            let back = back.sign_primary_key_binding(subkey, signee, none, over).unwrap();
            config
                .hashed_subpackets
                .push(Subpacket::regular(SubpacketData::EmbeddedSignature(Box::new(back))).unwrap());
        }
        packets.extend(packet(
            &config.sign_subkey_binding(primary, public, none, signee).unwrap(),
        ));
        packets
    }

    fn statement(&self, by: &SecretKey, kind: SignatureType, at: u32) -> SignatureConfig {
        let mut config = config(by, kind, self.hash);
        config.hashed_subpackets = vec![
            Subpacket::regular(SubpacketData::SignatureCreationTime(Timestamp::from_secs(at))).unwrap(),
            Subpacket::regular(SubpacketData::IssuerFingerprint(by.fingerprint())).unwrap(),
        ];
        // GnuPG 2.2 looks for nothing else.
        if by.version() == KeyVersion::V4 {
            let id = SubpacketData::IssuerKeyId(by.legacy_key_id());
            config.unhashed_subpackets.push(Subpacket::regular(id).unwrap());
        }
        config
    }

    fn revocation(&self, by: &SecretKey, kind: SignatureType, revoke: Revoke) -> SignatureConfig {
        let mut config = self.statement(by, kind, revoke.at);
        let code = if revoke.retired {
            RevocationCode::KeyRetired
        } else {
            RevocationCode::KeyCompromised
        };
        let reason = SubpacketData::RevocationReason(code, b"a test".as_slice().into());
        config.hashed_subpackets.push(Subpacket::regular(reason).unwrap());
        config
    }
}

/// Adds key flags and the life of the key.
fn describe(config: &mut SignatureConfig, flags: Flags, life: Option<u32>) {
    if flags != Flags::Unstated {
        let mut bits = KeyFlags::default();
        bits.set_certify(config.typ() != SignatureType::SubkeyBinding);
        bits.set_sign(flags == Flags::Sign);
        config
            .hashed_subpackets
            .push(Subpacket::regular(SubpacketData::KeyFlags(bits)).unwrap());
    }
    if let Some(life) = life {
        let life = SubpacketData::KeyExpirationTime(Duration::from_secs(life));
        config.hashed_subpackets.push(Subpacket::regular(life).unwrap());
    }
}

fn config(key: &SecretKey, kind: SignatureType, hash: HashAlgorithm) -> SignatureConfig {
    match key.version() {
        KeyVersion::V6 => {
            let salt = vec![0x5a; hash.salt_len().unwrap_or(16)];
            SignatureConfig::v6_with_salt(kind, key.algorithm(), hash, salt)
        }
        _ => SignatureConfig::v4(kind, key.algorithm(), hash),
    }
}

fn secret(kind: Kind, seed: u64, role: &str, made: u32) -> SecretKey {
    let raw = Sha256::digest(format!("bareroot test key {seed} {role}")).into();
    let stored = match kind {
        Kind::Ed25519 => {
            let secret = ed25519::SecretKey::try_from_bytes(raw, ed25519::Mode::EdDSALegacy).unwrap();
            let public = PublicParams::EdDSALegacy((&secret).into());
            let secret = PlainSecretParams::EdDSALegacy(eddsa_legacy::SecretKey::Ed25519(secret));
            return assemble(
                KeyVersion::V4,
                PublicKeyAlgorithm::EdDSALegacy,
                made,
                public,
                secret,
            );
        }
        Kind::Ed25519V6 => {
            let secret = ed25519::SecretKey::try_from_bytes(raw, ed25519::Mode::Ed25519).unwrap();
            let public = PublicParams::Ed25519((&secret).into());
            return assemble(
                KeyVersion::V6,
                PublicKeyAlgorithm::Ed25519,
                made,
                public,
                PlainSecretParams::Ed25519(secret),
            );
        }
        Kind::Rsa2048 => include_bytes!("rsa2048.secret").as_slice(),
        Kind::Rsa1024 => include_bytes!("rsa1024.secret"),
        Kind::Dsa1024 => include_bytes!("dsa1024.secret"),
    };
    let mut body = stored.to_vec();
    body[1..5].copy_from_slice(&made.to_be_bytes());
    let header = PacketHeader::new_fixed(Tag::SecretKey, body.len() as u32);
    SecretKey::try_from_reader(header, body.as_slice()).unwrap()
}

fn assemble(
    version: KeyVersion,
    algorithm: PublicKeyAlgorithm,
    made: u32,
    public: PublicParams,
    secret: PlainSecretParams,
) -> SecretKey {
    let inner = PubKeyInner::new(version, algorithm, Timestamp::from_secs(made), None, public).unwrap();
    SecretKey::new(PublicKey::from_inner(inner).unwrap(), SecretParams::Plain(secret)).unwrap()
}

fn packet(packet: &impl PacketTrait) -> Vec<u8> {
    let mut out = Vec::new();
    packet.to_writer_with_header(&mut out).unwrap();
    out
}

/// A key as a subkey packet (type 14).
fn retagged(key: &PublicKey) -> Vec<u8> {
    let body = key.to_bytes().unwrap();
    let mut out = Vec::new();
    PacketHeader::new_fixed(Tag::PublicSubkey, body.len() as u32)
        .to_writer(&mut out)
        .unwrap();
    out.extend(body);
    out
}

/// That signatures are deterministic is what makes failures repeatable.
#[cfg(test)]
mod tests {
    use pgp::packet::Signature;

    use super::super::DAY;
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let make = || Key::builder(7).subkey(Bind::Both).life(9 * DAY).build();
        let signed = || parse(&make().sign(b"text", &Signing::default()));
        assert_eq!(make().certificate(), make().certificate());
        assert_eq!(signed(), signed());
        assert_ne!(Key::new(1).fingerprint(), Key::new(2).fingerprint());
    }

    fn parse(bytes: &[u8]) -> Signature {
        let mut packets = pgp::packet::PacketParser::new(bytes);
        match packets.next() {
            Some(Ok(pgp::packet::Packet::Signature(signature))) => signature,
            other => panic!("{other:?}"),
        }
    }
}
