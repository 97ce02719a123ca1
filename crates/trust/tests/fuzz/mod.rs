//! The bodies of this crate's fuzz targets. `fuzz/` runs them over what libFuzzer makes up, `mutate.rs` over seeded
//! mutations, so that they also run where there is no nightly compiler.

use bareroot_trust::{Keyring, Policy, Waiver, verify_cleartext, verify_detached, waive_cleartext};

/// The framing of a clear-signed file: whatever text comes out stands in the file, unescaped.
pub fn clearsign(data: &[u8]) {
    let Ok(text) = waive_cleartext("fuzz", data, Waiver::new("a test")) else {
        return;
    };
    let text = text.into_inner();
    let first = data.split(|b| *b == b'\n').next().unwrap_or_default();
    let rest = first.strip_prefix(b"-----BEGIN PGP SIGNED MESSAGE-----");
    if !rest.is_some_and(|rest| rest.iter().all(|b| b" \t\r".contains(b))) {
        assert_eq!(text, data);
        return;
    }
    assert!(text.len() <= data.len());
    assert!(!text.iter().any(|b| matches!(b, 0 | b'\r')));
    assert!(text.is_empty() || text.ends_with(b"\n"));
    // What was taken for signed must not lie after the signature, nor before the begin line.
    let mut rest = data.split(|b| *b == b'\n').skip(1);
    for line in text
        .strip_suffix(b"\n")
        .unwrap_or(&text)
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
    {
        let found = rest.find(|have| {
            let (have, line) = (ended(have), ended(line));
            have == line || have.strip_prefix(b"- ") == Some(line)
        });
        assert!(found.is_some());
    }
    assert!(rest.any(|line| line.starts_with(b"-----BEGIN PGP SIGNATURE-----")));
}

/// A line without the white space at its end that does not count (RFC 9580, section 7.1).
fn ended(line: &[u8]) -> &[u8] {
    let blanks = line
        .iter()
        .rev()
        .take_while(|byte| b" \t\r".contains(byte))
        .count();
    line.get(..line.len() - blanks).unwrap_or_default()
}

/// A keyring, then a signature of each form by whatever is in it.
pub fn keyring(data: &[u8]) {
    let Ok(keyring) = Keyring::from_bytes("fuzz", data) else {
        return;
    };
    assert!(!keyring.is_empty());
    for key in keyring.keys() {
        assert!(matches!(key.fingerprint.len(), 40 | 64));
        let _ = keyring.restrict(&[key.fingerprint]).unwrap();
    }
    let signature = include_bytes!("../data/seed.sig");
    let _ = keyring.named_by(signature);
    // A certificate taken out by itself is the same certificate.
    for certificate in keyring.certificates() {
        let alone = Keyring::from_bytes("fuzz", &certificate.packets).unwrap();
        assert_eq!(alone.certificates(), [certificate]);
    }
    let _ = verify_detached(
        "fuzz",
        b"a document\n".to_vec(),
        signature,
        &keyring,
        &Policy::default(),
    );
}

/// A signature by a known key that was made over something else, mutated: nothing may make it good.
pub fn signature(data: &[u8]) {
    let certificate = include_bytes!("../data/seed.cert");
    let keyring = Keyring::from_bytes("seed", certificate).unwrap();
    let document = b"another document\n".to_vec();
    assert!(verify_detached("fuzz", document, data, &keyring, &Policy::default()).is_err());
    if let Ok(text) = verify_cleartext("fuzz", data, &keyring, &Policy::default()) {
        assert_eq!(text.into_inner(), include_bytes!("../data/seed.txt"));
    }
}
