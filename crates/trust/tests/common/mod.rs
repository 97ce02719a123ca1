//! One text, signed by whatever key and verified four days after the keys were made.

use std::time::{Duration, SystemTime};

use bareroot_testkit::keys::{DAY, Key, MADE, Signing, clear_signed_by};
use bareroot_trust::{Error, Keyring, Policy, verify_cleartext};

pub const TEXT: &[u8] =
    b"Origin: Test\nSuite: stable\n- dashes\n-----BEGIN PGP SIGNATURE-----\n\nFrom here\n";

/// Four days after the keys were made: documents are signed after one.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(MADE + 4 * DAY))
}

pub fn keyring(keys: &[&Key]) -> Keyring {
    let bytes: Vec<u8> = keys.iter().flat_map(|key| key.certificate()).copied().collect();
    Keyring::from_bytes("test", &bytes).unwrap()
}

pub fn verify(message: &[u8], keys: &[&Key]) -> Result<Vec<u8>, Error> {
    verify_cleartext("it", message, &keyring(keys), &Policy::at(now())).map(|text| text.into_inner())
}

/// A message by this key, signed as it pleases, and the keyring that has it.
pub fn by(key: &Key, signing: Signing) -> Result<Vec<u8>, Error> {
    verify(&clear_signed_by(TEXT, &[(key, signing)]), &[key])
}

pub fn plain(key: &Key) -> Result<Vec<u8>, Error> {
    by(key, Signing::default())
}

#[track_caller]
pub fn good(result: Result<Vec<u8>, Error>) {
    assert_eq!(String::from_utf8(result.unwrap()).unwrap().as_bytes(), TEXT);
}

macro_rules! refused {
    ($result:expr, $pattern:pat) => {{
        let result = $result;
        assert!(matches!(result, Err($pattern)), "{result:?}");
        assert_eq!(
            bareroot_model::Classified::class(&result.unwrap_err()),
            bareroot_model::Class::Trust
        );
    }};
}
pub(crate) use refused;
