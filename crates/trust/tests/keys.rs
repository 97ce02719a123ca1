//! Keys that may not vouch for anything, or only for some, and what the user may accept nevertheless.

mod common;

use bareroot_testkit::Signer;
use bareroot_testkit::keys::{
    Bind, DAY, Flags, HashAlgorithm, Key, Kind, MADE, Revoke, Signing, clear_signed_by,
};
use bareroot_trust::{Error, Keyring, Policy, verify_cleartext};
use common::{TEXT, by, good, keyring, now, plain, refused, verify};

#[test]
fn keys_whose_time_is_over() {
    // Expired before it signed, and since.
    refused!(
        plain(&Key::builder(1).life(DAY / 2).build()),
        Error::ExpiredKey { .. }
    );
    refused!(
        plain(&Key::builder(1).life(2 * DAY).build()),
        Error::ExpiredKey { .. }
    );
    good(plain(&Key::builder(1).life(5 * DAY).build()));
    refused!(
        plain(&Key::builder(1).subkey(Bind::Both).life(2 * DAY).build()),
        Error::ExpiredKey { .. }
    );
    refused!(
        plain(&Key::builder(1).subkey(Bind::Both).subkey_life(2 * DAY).build()),
        Error::ExpiredKey { .. }
    );
    // The newest self-signature decides, one from the future does not count yet.
    good(plain(
        &Key::builder(1)
            .life(DAY / 2)
            .renewed(MADE + DAY / 4, Some(9 * DAY))
            .build(),
    ));
    good(plain(
        &Key::builder(1)
            .life(DAY / 2)
            .renewed(MADE + DAY / 4, None)
            .build(),
    ));
    refused!(
        plain(&Key::builder(1).renewed(MADE + 2 * DAY, Some(3 * DAY)).build()),
        Error::ExpiredKey { .. }
    );
    refused!(
        plain(
            &Key::builder(1)
                .life(2 * DAY)
                .renewed(MADE + 9 * DAY, None)
                .build()
        ),
        Error::ExpiredKey { .. }
    );

    let result = plain(&Key::builder(1).life(2 * DAY).build());
    assert!(
        result
            .unwrap_err()
            .to_string()
            .ends_with("which expired on 2024-01-03")
    );

    refused!(
        by(
            &Key::new(1),
            Signing {
                life: Some(DAY),
                ..Signing::default()
            }
        ),
        Error::ExpiredSignature { .. }
    );
    let made = Some(MADE + 5 * DAY);
    refused!(
        by(
            &Key::new(1),
            Signing {
                made,
                ..Signing::default()
            }
        ),
        Error::FutureSignature { .. }
    );
    refused!(
        by(
            &Key::new(1),
            Signing {
                made: Some(MADE - DAY),
                ..Signing::default()
            }
        ),
        Error::InvalidKey { .. }
    );
    refused!(
        plain(&Key::builder(1).made(MADE + 3 * DAY).build()),
        Error::InvalidKey { .. }
    );
}

#[test]
fn revoked_keys() {
    let lost = Revoke {
        at: MADE + 3 * DAY,
        retired: false,
    };
    let retired = Revoke {
        at: MADE + 3 * DAY,
        retired: true,
    };
    for revoke in [lost, retired] {
        refused!(
            plain(&Key::builder(1).revoked(revoke).build()),
            Error::RevokedKey { .. }
        );
        refused!(
            plain(&Key::builder(1).subkey(Bind::Both).revoked(revoke).build()),
            Error::RevokedKey { .. }
        );
        refused!(
            plain(&Key::builder(1).subkey(Bind::Both).subkey_revoked(revoke).build()),
            Error::RevokedKey { .. }
        );
    }
    // Either copy of a certificate may know of it.
    let (fresh, revoked) = (Key::new(1), Key::builder(1).revoked(lost).build());
    let message = fresh.clear_sign(TEXT);
    refused!(verify(&message, &[&fresh, &revoked]), Error::RevokedKey { .. });
    refused!(verify(&message, &[&revoked, &fresh]), Error::RevokedKey { .. });
    // A revocation by someone else's key is no revocation.
    let other = Key::builder(2).revoked(lost).build();
    let length = 2 + usize::from(other.certificate()[1]);
    let revocation = &other.certificate()[length..];
    let revocation = &revocation[..2 + usize::from(revocation[1])];
    let length = 2 + usize::from(fresh.certificate()[1]);
    let forged = [
        &fresh.certificate()[..length],
        revocation,
        &fresh.certificate()[length..],
    ]
    .concat();
    let keyring = Keyring::from_bytes("forged", &forged).unwrap();
    verify_cleartext("it", &message, &keyring, &Policy::at(now())).unwrap();
}

#[test]
fn keys_that_may_not_sign() {
    refused!(
        plain(&Key::builder(1).flags(Flags::Certify).build()),
        Error::InvalidKey { .. }
    );
    refused!(
        plain(&Key::builder(1).without_self_signature().build()),
        Error::InvalidKey { .. }
    );
    let bound = |bind| plain(&Key::builder(1).subkey(bind).build());
    refused!(bound(Bind::Not), Error::InvalidKey { .. });
    refused!(bound(Bind::NoBackSignature), Error::InvalidKey { .. });
    refused!(bound(Bind::WrongBackSignature), Error::InvalidKey { .. });
    let certifying = Key::builder(1)
        .subkey(Bind::Both)
        .subkey_flags(Flags::Certify)
        .build();
    refused!(plain(&certifying), Error::InvalidKey { .. });
    good(by(
        &certifying,
        Signing {
            by_primary: true,
            ..Signing::default()
        },
    ));
    let unstated = |bind| plain(&Key::builder(1).subkey(bind).subkey_flags(Flags::Unstated).build());
    good(unstated(Bind::Both));
    refused!(unstated(Bind::NoBackSignature), Error::InvalidKey { .. });
    refused!(
        plain(
            &Key::builder(1)
                .subkey(Bind::Both)
                .without_self_signature()
                .build()
        ),
        Error::InvalidKey { .. }
    );
}

#[test]
fn weak_digests_and_weak_keys() {
    let rsa = Key::builder(1).kind(Kind::Rsa2048).build();
    let with = |hash| {
        by(
            &rsa,
            Signing {
                hash,
                ..Signing::default()
            },
        )
    };
    good(with(HashAlgorithm::Sha256));
    for hash in [
        HashAlgorithm::Md5,
        HashAlgorithm::Sha1,
        HashAlgorithm::Ripemd160,
        HashAlgorithm::Sha224,
    ] {
        refused!(with(hash), Error::WeakDigest { .. });
    }
    refused!(
        plain(&Key::builder(1).kind(Kind::Rsa1024).build()),
        Error::WeakKey { .. }
    );
    let dsa = by(
        &Key::builder(1).kind(Kind::Dsa1024).build(),
        Signing {
            hash: HashAlgorithm::Sha256,
            ..Signing::default()
        },
    );
    refused!(dsa, Error::WeakKey { .. });
    // Under what a key's owner says of his own key.
    good(plain(
        &Key::builder(1)
            .kind(Kind::Rsa2048)
            .hash(HashAlgorithm::Sha1)
            .build(),
    ));
    refused!(
        plain(
            &Key::builder(1)
                .kind(Kind::Rsa2048)
                .hash(HashAlgorithm::Md5)
                .build()
        ),
        Error::InvalidKey { .. }
    );
}

#[test]
fn what_the_user_accepts() {
    let allow = |key: &Key, signing, allowed: String| {
        let policy = Policy {
            now: now(),
            allow_weak_keys: vec![allowed],
        };
        let message = clear_signed_by(TEXT, &[(key, signing)]);
        verify_cleartext("it", &message, &keyring(&[key]), &policy).map(|text| text.into_inner())
    };
    let s = Signing::default();
    let sha1 = Signing {
        hash: HashAlgorithm::Sha1,
        ..s
    };
    let rsa = Key::builder(1).kind(Kind::Rsa2048).build();
    let short = Key::builder(1).kind(Kind::Rsa1024).build();
    let old = Key::builder(1).life(2 * DAY).build();
    let retired = Key::builder(1)
        .revoked(Revoke {
            at: MADE + 3 * DAY,
            retired: true,
        })
        .build();
    good(allow(&rsa, sha1, rsa.fingerprint()));
    good(allow(&short, s, short.fingerprint()));
    good(allow(
        &short,
        sha1,
        format!("0x{}", short.fingerprint().to_lowercase()),
    ));
    good(allow(&old, s, old.fingerprint()));
    good(allow(&retired, s, retired.fingerprint()));
    refused!(allow(&rsa, sha1, short.fingerprint()), Error::WeakDigest { .. });
    refused!(
        allow(
            &rsa,
            Signing {
                hash: HashAlgorithm::Md5,
                ..s
            },
            rsa.fingerprint()
        ),
        Error::WeakDigest { .. }
    );
    // What was never good does not become so.
    let dead = Key::builder(1).life(DAY / 2).build();
    refused!(allow(&dead, s, dead.fingerprint()), Error::ExpiredKey { .. });
    let lost = Key::builder(1)
        .revoked(Revoke {
            at: MADE + 3 * DAY,
            retired: false,
        })
        .build();
    refused!(allow(&lost, s, lost.fingerprint()), Error::RevokedKey { .. });
}

#[test]
fn pinned_fingerprints() {
    let (a, b) = (Key::builder(1).subkey(Bind::Both).build(), Key::new(2));
    let both = keyring(&[&a, &b]);
    let try_pins = |message: &[u8], pins: &[String]| {
        let pinned = both.restrict(pins).unwrap();
        verify_cleartext("it", message, &pinned, &Policy::at(now())).map(|text| text.into_inner())
    };
    let by_subkey = a.clear_sign(TEXT);
    let by_primary = clear_signed_by(
        TEXT,
        &[(
            &a,
            Signing {
                by_primary: true,
                ..Signing::default()
            },
        )],
    );
    good(try_pins(&by_subkey, &[a.fingerprint()]));
    good(try_pins(
        &by_subkey,
        &[b.fingerprint(), a.fingerprint().to_lowercase()],
    ));
    good(try_pins(&by_primary, &[a.fingerprint()]));
    good(try_pins(&by_primary, &[format!("{}!", a.fingerprint())]));
    good(try_pins(&by_subkey, &[a.signing_fingerprint()]));
    refused!(
        try_pins(&by_subkey, &[format!("{}!", a.fingerprint())]),
        Error::UnknownKey { .. }
    );
    refused!(
        try_pins(&by_primary, &[a.signing_fingerprint()]),
        Error::UnknownKey { .. }
    );
    refused!(try_pins(&by_subkey, &[b.fingerprint()]), Error::UnknownKey { .. });
    refused!(try_pins(&by_subkey, &["0".repeat(40)]), Error::UnknownKey { .. });
    for wrong in ["", "12345678", "zz", &"g".repeat(40), &"0".repeat(41)] {
        assert!(
            matches!(both.restrict(&[wrong.to_owned()]), Err(Error::Fingerprint { .. })),
            "{wrong}"
        );
    }
}
