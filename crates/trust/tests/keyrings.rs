//! Keyring files of every kind, the built-in ones, and a real signed file.

use std::fs;
use std::time::{Duration, SystemTime};

use bareroot_model::{Class, Classified};
use bareroot_testkit::keys::{Key, armor};
use bareroot_trust::{Error, Keyring, Policy, verify_cleartext};

fn at(seconds: u64) -> Policy {
    Policy::at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[test]
fn every_form_of_a_keyring() {
    let (a, b) = (Key::new(1), Key::new(2));
    let both = [a.fingerprint(), b.fingerprint()];
    let read = |bytes: &[u8]| Keyring::from_bytes("it", bytes).unwrap().fingerprints();
    assert_eq!(read(&[a.certificate(), b.certificate()].concat()), both);
    assert_eq!(
        read(armor("PUBLIC KEY BLOCK", &[a.certificate(), b.certificate()].concat()).as_bytes()),
        both
    );
    assert_eq!(
        read(format!("pub  ed25519\n{}\nand\n{}", a.armored(), b.armored()).as_bytes()),
        both
    );
    assert_eq!(read(a.armored().replace('\n', "\r\n").as_bytes()), both[..1]);
    // As a deb822 field has it.
    let armored = a.armored();
    let field = armored.lines().map(|l| {
        if l.is_empty() {
            " .\n".to_owned()
        } else {
            format!(" {l}\n")
        }
    });
    assert_eq!(read(field.collect::<String>().as_bytes()), both[..1]);

    let keys = Keyring::from_bytes("it", a.certificate()).unwrap().keys();
    assert_eq!(
        (keys[0].fingerprint.clone(), keys[0].user.as_str()),
        (a.fingerprint(), "Test 1 <test@example.org>")
    );
}

#[test]
fn what_is_not_a_keyring() {
    let key = Key::new(1);
    let read = |bytes: &[u8]| Keyring::from_bytes("it", bytes).unwrap_err();
    let keybox = [&[0, 0, 0, 32, 1, 1, 0, 2][..], b"KBXf", &[0; 20]].concat();
    let error = read(&keybox);
    assert!(matches!(error, Error::Keybox { .. }));
    assert!(error.hint().is_some_and(|hint| hint.contains("--export")));
    assert!(matches!(read(b""), Error::KeyringEmpty { .. }));
    assert!(matches!(read(b"not a key\n"), Error::KeyringEmpty { .. }));
    let secret = key
        .certificate()
        .iter()
        .enumerate()
        .map(|(at, b)| if at == 0 { 0xc5 } else { *b });
    assert!(matches!(
        read(&secret.collect::<Vec<_>>()),
        Error::KeyringMalformed { .. }
    ));
    assert!(matches!(
        read(&key.certificate()[..40]),
        Error::KeyringMalformed { .. }
    ));
    assert!(matches!(
        read(armor("PRIVATE KEY BLOCK", key.certificate()).as_bytes()),
        Error::KeyringMalformed { .. }
    ));
    assert!(matches!(
        read(armor("SIGNATURE", key.certificate()).as_bytes()),
        Error::KeyringMalformed { .. }
    ));
    assert!(matches!(
        read(&key.sign(b"x", &Default::default())),
        Error::KeyringMalformed { .. }
    ));
    assert!(matches!(read(&[0xcb, 1, 0]), Error::KeyringMalformed { .. }));
}

#[test]
fn files_and_directories() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (a, b) = (Key::new(1), Key::new(2));
    fs::write(path("b.gpg"), b.certificate()).unwrap();
    fs::write(path("a.asc"), a.armored()).unwrap();
    fs::write(path("c.txt"), "not looked at").unwrap();
    let read = |paths: &[&str]| {
        Keyring::from_paths(&paths.iter().map(|p| path(p)).collect::<Vec<_>>())
            .map(|keyring| keyring.fingerprints())
    };
    assert_eq!(read(&[""]).unwrap(), [a.fingerprint(), b.fingerprint()]);
    assert_eq!(
        read(&["b.gpg", "a.asc"]).unwrap(),
        [b.fingerprint(), a.fingerprint()]
    );
    let missing = read(&["none.gpg"]).unwrap_err();
    assert_eq!(missing.class(), Class::Usage);
    assert!(missing.to_string().contains("none.gpg"));
    assert!(matches!(read(&["c.txt"]), Err(Error::KeyringEmpty { .. })));
    fs::create_dir(path("empty")).unwrap();
    assert!(matches!(read(&["empty"]), Err(Error::KeyringEmpty { .. })));
    fs::write(path("broken.pgp"), b"\xff\xff").unwrap();
    assert!(matches!(read(&[""]), Err(Error::KeyringMalformed { name, .. }) if name.ends_with("broken.pgp")));
}

/// What `keyrings/README.md` says of each must be what is in it.
#[test]
fn the_built_in_keyrings_are_as_documented() {
    let readme = include_str!("../keyrings/README.md");
    let mut documented: Vec<(String, String)> = Vec::new();
    let mut id = "";
    for line in readme.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            id = title;
        }
        let fingerprint = line.strip_prefix("- `").and_then(|l| l.split('`').next());
        documented.extend(fingerprint.map(|f| (id.to_owned(), f.to_owned())));
    }
    let shipped: Vec<(String, String)> = Keyring::builtin_ids()
        .flat_map(|id| {
            let keyring = Keyring::builtin(id).unwrap();
            keyring
                .fingerprints()
                .into_iter()
                .map(move |f| (id.to_owned(), f))
        })
        .collect();
    // The file lists them by family.
    documented.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(documented, shipped);
    assert!(Keyring::builtin_ids().is_sorted());
    assert!(Keyring::builtin("nothing").is_none());
}

/// The day after the file below was signed.
const THEN: u64 = 1_795_400_000;

const IN_RELEASE: &[u8] = include_bytes!("../../../fixtures/debian/InRelease.trixie-updates");

#[test]
fn a_real_file_by_the_built_in_keyring() {
    let keyring = Keyring::builtin("debian").unwrap();
    let text = verify_cleartext("InRelease", IN_RELEASE, &keyring, &at(THEN)).unwrap();
    let text = String::from_utf8(text.into_inner()).unwrap();
    assert!(text.starts_with("Origin: Debian\n") && text.ends_with('\n') && !text.contains("-----"));
    // The whole is the file's middle.
    assert!(
        IN_RELEASE
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    );

    // Each of its signatures is enough for a keyring that has only that key.
    for info in keyring.keys() {
        let one = keyring.restrict(std::slice::from_ref(&info.fingerprint)).unwrap();
        let found = verify_cleartext("InRelease", IN_RELEASE, &one, &at(THEN));
        assert!(
            matches!(found, Ok(_) | Err(Error::UnknownKey { .. })),
            "{info:?} {found:?}"
        );
    }

    let refused = |id: &str, text: &[u8], seconds: u64| {
        verify_cleartext("InRelease", text, &Keyring::builtin(id).unwrap(), &at(seconds)).unwrap_err()
    };
    assert!(matches!(
        refused("ubuntu", IN_RELEASE, THEN),
        Error::UnknownKey { .. }
    ));
    assert!(matches!(
        refused("debian", IN_RELEASE, 1_600_000_000),
        Error::FutureSignature { .. }
    ));
    assert!(matches!(
        refused("debian", IN_RELEASE, 2_200_000_000),
        Error::ExpiredKey { .. }
    ));
    let tampered =
        String::from_utf8_lossy(IN_RELEASE).replace("Suite: stable-updates", "Suite: oldstable-updates");
    assert!(matches!(
        refused("debian", tampered.as_bytes(), THEN),
        Error::BadSignature { .. }
    ));
}
