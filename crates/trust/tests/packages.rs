//! Signatures of real packages, against their vendors' keys.

use std::path::{Path, PathBuf};

use bareroot_trust::{Error, Keyring, PackageSignature, Policy, verify_detached, verify_package};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name)
}

/// The data of a package's signature header entry, and the header and payload that follow.
struct Package {
    bytes: Vec<u8>,
    header: std::ops::Range<usize>,
    signatures: Vec<(u32, Vec<u8>)>,
}

impl Package {
    fn read(name: &str) -> Package {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let size = |at: usize| 16 + number(at + 8) * 16 + number(at + 12);
        let store = 96 + 16 + number(96 + 8) * 16;
        let signatures = (0..number(96 + 8))
            .map(|entry| 96 + 16 + entry * 16)
            .map(|at| {
                let from = store + number(at + 8);
                (number(at) as u32, bytes[from..from + number(at + 12)].to_vec())
            })
            .filter(|(tag, _)| [268, 1002].contains(tag))
            .collect();
        let start = (96 + size(96)).next_multiple_of(8);
        let header = start..start + size(start);
        Package {
            bytes,
            header,
            signatures,
        }
    }

    fn verify(&self, key: &str, policy: &Policy) -> Result<(), Error> {
        let keyring = Keyring::from_paths(&[fixture(key)]).unwrap();
        let signatures: Vec<PackageSignature<'_>> = self
            .signatures
            .iter()
            .map(|(tag, packets)| PackageSignature {
                packets,
                signed: match tag {
                    268 => &self.bytes[self.header.clone()],
                    _ => &self.bytes[self.header.start..],
                },
            })
            .collect();
        verify_package("it", &signatures, &keyring, policy).map(|_| ())
    }
}

const PACKAGES: [(&str, &str); 2] = [
    (
        "rpm/filesystem-2.4.44-1.fc16.i686.rpm",
        "keys/RPM-GPG-KEY-fedora-16-primary",
    ),
    (
        "rpm/centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm",
        "keys/RPM-GPG-KEY-CentOS-7",
    ),
];

#[test]
fn packages_of_old_verify_against_their_vendors_keys() {
    for (package, key) in PACKAGES {
        let mut package = Package::read(package);
        assert_eq!(package.signatures.len(), 2);
        package.verify(key, &Policy::default()).unwrap();
        let signatures = std::mem::take(&mut package.signatures);
        for one in signatures {
            package.signatures = vec![one];
            package.verify(key, &Policy::default()).unwrap();
        }
    }
}

#[test]
fn another_key_and_other_bytes_are_refused() {
    let [(filesystem, fedora), (_, centos)] = PACKAGES;
    let mut package = Package::read(filesystem);
    assert!(matches!(
        package.verify(centos, &Policy::default()),
        Err(Error::UnknownKey { .. })
    ));
    let at = package.header.end - 100;
    package.bytes[at] ^= 1;
    assert!(matches!(
        package.verify(fedora, &Policy::default()),
        Err(Error::BadSignature { .. })
    ));
    package.signatures.clear();
    assert!(matches!(
        package.verify(fedora, &Policy::default()),
        Err(Error::NoSignature { .. })
    ));
}

/// openSUSE 11.0's update repository: DSA and SHA-1, by a key that has long expired.
#[test]
fn an_old_repository_takes_the_users_word() {
    let read = |name: &str| std::fs::read(fixture(&format!("opensuse-11.0-update/{name}"))).unwrap();
    let keyring = Keyring::from_paths(&[fixture("opensuse-11.0-update/repomd.xml.key")]).unwrap();
    let verify = |policy: &Policy| {
        let (text, signature) = (read("repomd.xml"), read("repomd.xml.asc"));
        verify_detached("repomd.xml", text, &signature, &keyring, policy).map(|_| ())
    };
    assert!(verify(&Policy::default()).is_err());
    let policy = Policy {
        allow_weak_keys: keyring.fingerprints(),
        ..Policy::default()
    };
    verify(&policy).unwrap();
}
