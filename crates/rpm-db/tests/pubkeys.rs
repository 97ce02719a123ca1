//! Keys as `rpm --import` stores them.

use bareroot_rpm::{KeyName, Pubkey};
use bareroot_rpm_db::{Backend, Database};
use bareroot_trust::{CertKey, Keyring};
use sha2::{Digest as _, Sha256};

/// The digests of what Debian's rpm 4.18.0 stores for the keys of these keyrings by `SOURCE_DATE_EPOCH=1700000000 rpm
/// --root DIR --import`. The first has a subkey that signs.
const STORED: &[(&str, &[&str])] = &[
    (
        "alma",
        &[
            "30c7eb0b6d710372a970886d371b53b6c645cf62ecddfd1b0808382d9688cca8",
            "18003f678e819e9839e7efcc32e41aca57d6d07c55d43c422115e152e921d274",
            "25d9b30c5ee464c556b12179d530924412272748775cfa1e7960a190f4906815",
            "4e8178d7745c399a1b700db3a2cc60cbb090bc9c75eda67503b4f16384943686",
        ],
    ),
    (
        "rocky",
        &[
            "d4691419648a21a1e0f8dfc90137581cc22abb51dc30007044a5f40fd2b6fa56",
            "0a62aa9187707d76cc48adda3d863b4fd446eca3478252de3385ea0ad40526c1",
            "1b5d386624e36f813a93158ce0265b884655618c2026891a3e89a6f78852934f",
        ],
    ),
    (
        "azurelinux",
        &["ecabafde79246f1f581234dae0e58f940fdc319acfd42d10d2b0da6ffa27a926"],
    ),
];

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn keys_are_stored_as_rpm_stores_them() {
    let name = |key: &CertKey| KeyName {
        id: key.id,
        created: key.created,
    };
    let mut database = Database::create(Backend::Sqlite).unwrap();
    let mut number = 0;
    for (id, digests) in STORED {
        let certificates = Keyring::builtin(id).unwrap().certificates();
        assert_eq!(certificates.len(), digests.len(), "{id}");
        for (certificate, digest) in certificates.iter().zip(*digests) {
            let key = Pubkey {
                packets: &certificate.packets,
                primary: name(&certificate.primary),
                user: certificate.user.as_deref(),
                subkeys: certificate.signing_subkeys.iter().map(name).collect(),
            };
            let stored = key.stored(1_700_000_000, "4.18.0");
            assert_eq!(
                hex(&Sha256::digest(&stored)),
                *digest,
                "{}",
                certificate.primary.fingerprint
            );
            number += 1;
            assert_eq!(database.add(&stored).unwrap(), number);
        }
    }
    assert!(!database.finish().unwrap().is_empty());
}
