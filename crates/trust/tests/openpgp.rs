//! What may vouch for a file, and every way of pretending to, with keys made for the purpose.

mod common;

use bareroot_model::Classified;
use bareroot_testkit::Signer;
use bareroot_testkit::keys::{
    Bind, DAY, Flags, HashAlgorithm, Key, Kind, MADE, Signing, armor, clear_signed, clear_signed_by,
};
use bareroot_trust::{Error, Policy, Waiver, verify_detached, waive_cleartext};
use common::{TEXT, by, good, keyring, now, plain, refused, verify};

#[test]
fn good_signatures() {
    for kind in [Kind::Ed25519, Kind::Ed25519V6, Kind::Rsa2048] {
        good(plain(&Key::builder(1).kind(kind).build()));
    }
    good(plain(&Key::builder(1).subkey(Bind::Both).build()));
    good(plain(
        &Key::builder(1).kind(Kind::Ed25519V6).subkey(Bind::Both).build(),
    ));
    good(plain(
        &Key::builder(1).flags(Flags::Certify).subkey(Bind::Both).build(),
    ));
    good(plain(&Key::builder(1).flags(Flags::Unstated).build()));
    let key = Key::new(1);
    for hash in [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
        HashAlgorithm::Sha3_256,
    ] {
        good(by(
            &key,
            Signing {
                hash,
                ..Signing::default()
            },
        ));
    }
    good(by(
        &key,
        Signing {
            fingerprint: false,
            ..Signing::default()
        },
    ));
    good(by(
        &key,
        Signing {
            life: Some(4 * DAY),
            ..Signing::default()
        },
    ));
    good(by(
        &key,
        Signing {
            made: Some(MADE + 4 * DAY + 5),
            ..Signing::default()
        },
    ));
    // Go's OpenPGP makes binary signatures over the canonical text.
    let canonical = String::from_utf8_lossy(TEXT).trim_end().replace('\n', "\r\n");
    let message = clear_signed(TEXT, &[key.sign(canonical.as_bytes(), &Signing::default())]);
    good(verify(&message, &[&key]));
    good(verify(&key.clear_sign(TEXT), &[&key]));
    good(verify(
        &String::from_utf8(key.clear_sign(TEXT))
            .unwrap()
            .replace('\n', " \r\n")
            .into_bytes(),
        &[&key],
    ));
}

#[test]
fn several_signatures() {
    let (a, b, c) = (Key::new(1), Key::new(2), Key::new(3));
    let s = Signing::default();
    let message = clear_signed_by(TEXT, &[(&a, s), (&b, s), (&c, s)]);
    good(verify(&message, &[&a]));
    good(verify(&message, &[&c]));
    good(verify(&message, &[&a, &b, &c]));
    let result = verify(&message, &[&Key::new(4)]);
    let Err(Error::UnknownKey { keys, .. }) = &result else {
        panic!("{result:?}")
    };
    assert_eq!(*keys, [a.fingerprint(), b.fingerprint(), c.fingerprint()]);
    assert!(result.unwrap_err().hint().is_some());

    let canonical = String::from_utf8_lossy(TEXT).trim_end().replace('\n', "\r\n");
    let (own, other) = (
        a.sign(canonical.as_bytes(), &Signing { text: true, ..s }),
        b.sign(b"something else", &Signing { text: true, ..s }),
    );
    let blocks = clear_signed(
        TEXT,
        &[
            own.clone(),
            b.sign(canonical.as_bytes(), &Signing { text: true, ..s }),
        ],
    );
    good(verify(&blocks, &[&a]));
    good(verify(&blocks, &[&b]));
    // One that a known key did not make spoils the others; of an unknown key nobody can say.
    let spoilt = clear_signed(TEXT, &[[own.clone(), other.clone()].concat()]);
    refused!(verify(&spoilt, &[&a, &b]), Error::BadSignature { .. });
    refused!(
        verify(&clear_signed(TEXT, &[other, own]), &[&a, &b]),
        Error::BadSignature { .. }
    );
    good(verify(&spoilt, &[&a]));

    // An expired key beside a good one does not matter, in either order.
    let old = Key::builder(5).life(2 * DAY).build();
    good(verify(&clear_signed_by(TEXT, &[(&old, s), (&a, s)]), &[&a, &old]));
    good(verify(&clear_signed_by(TEXT, &[(&a, s), (&old, s)]), &[&a, &old]));

    let many: Vec<(&Key, Signing)> = std::iter::repeat_n((&a, s), 65).collect();
    refused!(
        verify(&clear_signed_by(TEXT, &many), &[&a]),
        Error::Malformed { .. }
    );
}

#[test]
fn other_texts() {
    let key = Key::new(1);
    let message = String::from_utf8(key.clear_sign(TEXT)).unwrap();
    let bad = |text: String| refused!(verify(text.as_bytes(), &[&key]), Error::BadSignature { .. });
    bad(message.replace("stable", "Stable"));
    bad(message.replace("Suite: stable\n", ""));
    bad(message.replace("Suite: stable\n", "Suite: stable\n\n"));
    bad(message.replace("- - dashes", "- dashes"));
    bad(message.replace("- -----BEGIN PGP SIG", "- - -----BEGIN PGP SIG"));
    bad(message.replace("From", "- - From"));
    // An escape that is not needed is still one, and is not part of the text.
    good(verify(message.replace("From", "- From").as_bytes(), &[&key]));

    let malformed = |text: String| refused!(verify(text.as_bytes(), &[&key]), Error::Malformed { .. });
    malformed(message.replace("- -----BEGIN PGP SIG", "-----BEGIN PGP SIG"));
    malformed(message.replace("- - dashes", "-- dashes"));
    malformed(message.replace("Suite: stable", "Suite: stable\0"));
    malformed(message.replace("Suite: stable", "Suite: sta\rble"));
    malformed(message.replace("Hash: SHA512", "Comment: hello"));
    malformed(format!("{message}{message}"));
    malformed(message.replace("-----END PGP SIGNATURE-----\n", ""));
    malformed(message.trim_end()[..message.len() - 60].to_owned());
    malformed(message.replace("\n-----END PGP", "\n=AAAA\n-----END PGP"));

    let outside = |text: String| refused!(verify(text.as_bytes(), &[&key]), Error::OutsideText { .. });
    outside(format!("Suite: evil\n{message}"));
    outside(format!("\n{message}"));
    outside(format!("{message}Suite: evil\n"));

    refused!(verify(TEXT, &[&key]), Error::NoSignature { .. });
    refused!(verify(b"", &[&key]), Error::NoSignature { .. });
    refused!(
        verify(&clear_signed(TEXT, &[]), &[&key]),
        Error::NoSignature { .. }
    );
}

#[test]
fn what_is_not_a_signature_over_a_document() {
    let key = Key::new(1);
    refused!(
        verify(&clear_signed(TEXT, &[key.certificate().to_vec()]), &[&key]),
        Error::Malformed { .. }
    );
    refused!(
        verify(&clear_signed(TEXT, &[b"rubbish".to_vec()]), &[&key]),
        Error::Malformed { .. }
    );
    // The certificate's own self-signature, type 0x13, is not over any document.
    let packets = key.certificate();
    let mut at = 0;
    let mut last = packets;
    while at < packets.len() {
        let (length, header) = match packets[at + 1] {
            short @ 0..192 => (usize::from(short), 2),
            high => (
                ((usize::from(high) - 192) << 8) + usize::from(packets[at + 2]) + 192,
                3,
            ),
        };
        last = &packets[at..];
        at += header + length;
    }
    refused!(
        verify(&clear_signed(TEXT, &[last.to_vec()]), &[&key]),
        Error::Unusable { .. }
    );
    refused!(
        by(
            &key,
            Signing {
                made: None,
                ..Signing::default()
            }
        ),
        Error::Unusable { .. }
    );
    refused!(
        by(
            &key,
            Signing {
                critical: true,
                ..Signing::default()
            }
        ),
        Error::Unusable { .. }
    );
    refused!(
        by(
            &key,
            Signing {
                named: false,
                ..Signing::default()
            }
        ),
        Error::UnknownKey { .. }
    );
    // A version that does not exist yet.
    let mut future = key.sign(b"x", &Signing::default());
    future[2] = 7;
    refused!(
        verify(&clear_signed(TEXT, &[future]), &[&key]),
        Error::Unusable { .. }
    );
}

#[test]
fn detached_signatures() {
    let key = Key::new(1);
    let check = |data: &[u8], signature: &[u8]| {
        verify_detached(
            "it",
            data.to_vec(),
            signature,
            &keyring(&[&key]),
            &Policy::at(now()),
        )
        .map(|d| d.into_inner())
    };
    let binary = key.sign(TEXT, &Signing::default());
    good(check(TEXT, &binary));
    good(check(TEXT, &key.detach_sign(TEXT)));
    let two = format!("{}\n{}", armor("SIGNATURE", &binary), armor("SIGNATURE", &binary));
    good(check(TEXT, two.as_bytes()));
    good(check(
        TEXT,
        &[binary.clone(), Key::new(2).sign(TEXT, &Signing::default())].concat(),
    ));
    refused!(check(b"another", &binary), Error::BadSignature { .. });
    refused!(check(TEXT, b""), Error::NoSignature { .. });
    refused!(check(TEXT, &binary[..binary.len() - 1]), Error::Malformed { .. });
    refused!(
        check(TEXT, format!("x\n{two}").as_bytes()),
        Error::Malformed { .. }
    );
    refused!(
        check(TEXT, armor("MESSAGE", &binary).as_bytes()),
        Error::Malformed { .. }
    );
    refused!(check(TEXT, key.armored().as_bytes()), Error::Malformed { .. });
    refused!(check(TEXT, &key.clear_sign(TEXT)), Error::Malformed { .. });
    // A text signature cannot tell line ends apart, so there must be only one way to end them.
    let text = key.sign(
        b"a\nb\n",
        &Signing {
            text: true,
            ..Signing::default()
        },
    );
    assert_eq!(check(b"a\nb\n", &text).unwrap(), b"a\nb\n");
    refused!(check(b"a\r\nb\n", &text), Error::Unusable { .. });
}

#[test]
fn going_without() {
    let waiver = || Waiver::new("--allow-unauthenticated");
    let text = waive_cleartext("it", &Key::new(1).clear_sign(TEXT), waiver()).unwrap();
    assert_eq!((text.get().as_slice(), text.waiver()), (TEXT, Some(&waiver())));
    assert_eq!(waive_cleartext("it", TEXT, waiver()).unwrap().get(), TEXT);
    let twice = [Key::new(1).clear_sign(TEXT), b"x".to_vec()].concat();
    refused!(waive_cleartext("it", &twice, waiver()), Error::OutsideText { .. });
}
