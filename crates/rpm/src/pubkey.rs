//! An imported key as rpm stores it: the header of a package `gpg-pubkey` without files (rpm's lib/rpmts.c:
//! makePubkeyHeader, makeImmutable).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::blob::{self, Added, extended};
use crate::dependency::Sense;
use crate::header::MAGIC;
use crate::tag::Tag;

/// A key that packages are verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pubkey<'k> {
    /// The certificate: OpenPGP packets.
    pub packets: &'k [u8],
    /// The primary key.
    pub primary: KeyName,
    /// The user id that stands for the certificate.
    pub user: Option<&'k [u8]>,
    /// The subkeys that may sign.
    pub subkeys: Vec<KeyName>,
}

/// A key as rpm names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyName {
    /// Its id.
    pub id: [u8; 8],
    /// When it was made, in seconds since 1970.
    pub created: u32,
}

impl KeyName {
    fn long(&self) -> String {
        hex(&self.id)
    }

    fn short(&self) -> String {
        self.long().split_off(8)
    }

    /// The version of what it provides: OpenPGP's, which has been 4 for all keys that rpm takes.
    fn version(&self) -> Vec<u8> {
        format!("4:{}-{:x}", self.long(), self.created).into_bytes()
    }
}

impl Pubkey<'_> {
    /// The stored form of its header. `time` is that of the import and the number of its transaction; `rpm_version` is the
    /// version of the rpm in whose name it is imported.
    pub fn stored(&self, time: u32, rpm_version: &str) -> Vec<u8> {
        let (index, store) = blob::region(self.entries(rpm_version));
        let whole = [
            &MAGIC,
            extended(index.clone(), store.clone(), Vec::new()).as_slice(),
        ]
        .concat();
        let added = vec![
            Added::string(Tag::SHA1HEADER, hex(&sha1::Sha1::digest(&whole)).as_bytes()),
            Added::string(Tag::SHA256HEADER, hex(&Sha256::digest(&whole)).as_bytes()),
            Added::number(Tag::INSTALLTIME, time),
            Added::number(Tag::INSTALLTID, time),
        ];
        extended(index, store, added)
    }

    fn entries(&self, rpm_version: &str) -> Vec<Added> {
        let user = self.user.unwrap_or(b"none");
        let provided = |name: &[u8]| [b"gpg(", name, b")"].concat();
        let mut names = vec![provided(user)];
        let mut versions = vec![self.primary.version()];
        for key in std::iter::once(&self.primary).chain(&self.subkeys) {
            for id in [key.short(), key.long()] {
                names.push(provided(id.as_bytes()));
                versions.push(key.version());
            }
        }
        let flags = vec![(Sense::KEYRING | Sense::EQUAL).0; names.len()];
        let encoded = base64_lines(self.packets);
        vec![
            Added::strings(Tag::PUBKEYS, std::slice::from_ref(&encoded)),
            Added::string(Tag::NAME, b"gpg-pubkey"),
            Added::string(Tag::VERSION, self.primary.short().as_bytes()),
            Added::string(Tag::RELEASE, format!("{:x}", self.primary.created).as_bytes()),
            Added::text(Tag::SUMMARY, &[user, b" public key"].concat()),
            Added::text(Tag::DESCRIPTION, &self.armored(&encoded, rpm_version)),
            Added::number(Tag::BUILDTIME, self.primary.created),
            Added::string(Tag::BUILDHOST, b"localhost"),
            Added::number(Tag::SIZE, 0),
            Added::string(Tag::LICENSE, b"pubkey"),
            Added::string(Tag::PACKAGER, user),
            Added::text(Tag::GROUP, b"Public Keys"),
            Added::string(Tag::SOURCERPM, b"(none)"),
            Added::strings(Tag::PROVIDENAME, &names),
            Added::string(Tag::RPMVERSION, rpm_version.as_bytes()),
            Added::numbers(Tag::PROVIDEFLAGS, &flags),
            Added::strings(Tag::PROVIDEVERSION, &versions),
        ]
    }

    fn armored(&self, encoded: &[u8], rpm_version: &str) -> Vec<u8> {
        let [_, sum @ ..] = crc24(self.packets).to_be_bytes();
        let mut text =
            format!("-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: rpm-{rpm_version}\n\n").into_bytes();
        text.extend_from_slice(encoded);
        text.push(b'=');
        text.extend_from_slice(STANDARD.encode(sum).as_bytes());
        text.extend_from_slice(b"\n-----END PGP PUBLIC KEY BLOCK-----\n");
        text
    }
}

/// Base64 in lines of 64 characters, each with its end.
fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(bytes.len() / 48 * 65 + 66);
    for part in bytes.chunks(48) {
        lines.extend_from_slice(STANDARD.encode(part).as_bytes());
        lines.push(b'\n');
    }
    lines
}

/// The check sum of armor (RFC 4880, section 6.1).
fn crc24(bytes: &[u8]) -> u32 {
    let mut sum: u32 = 0x00b7_04ce;
    for byte in bytes {
        sum ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            sum <<= 1;
            if sum & 0x0100_0000 != 0 {
                sum ^= 0x0186_4cfb;
            }
        }
    }
    sum & 0x00ff_ffff
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
