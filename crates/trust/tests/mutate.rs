//! The fuzz targets' bodies over seeded mutations: no input may panic, hang, or be believed.

mod fuzz;

use bareroot_testkit::keys::{Bind, Key, Signing, armor, clear_signed_by};
use bareroot_testkit::mutate;

const FRAMES: &[&[u8]] = &[
    b"-----BEGIN PGP SIGNED MESSAGE-----\n",
    b"-----BEGIN PGP SIGNATURE-----\n",
    b"-----END PGP SIGNATURE-----\n",
    b"Hash: SHA512\n",
    b"\n\n",
    b"\r\n",
    b"- -",
    b"=abcd\n",
];

fn key() -> Key {
    Key::builder(1).subkey(Bind::Both).build()
}

const TEXT: &[u8] = include_bytes!("data/seed.txt");

fn message() -> Vec<u8> {
    clear_signed_by(TEXT, &[(&key(), Signing::default())])
}

#[test]
fn the_seeds_are_what_the_testkit_makes() {
    assert_eq!(key().certificate(), include_bytes!("data/seed.cert"));
    assert_eq!(
        key().sign(b"a document\n", &Signing::default()),
        include_bytes!("data/seed.sig")
    );
}

#[test]
fn clearsign() {
    mutate::over("clearsign", &[&message()], FRAMES, 10_000, fuzz::clearsign);
}

#[test]
fn keyring() {
    let key = key();
    let armored = key.armored();
    let seeds = [key.certificate(), armored.as_bytes()];
    mutate::over("keyring", &seeds, FRAMES, 1_000, fuzz::keyring);
}

#[test]
fn signature() {
    let signature = key().sign(b"a document\n", &Signing::default());
    let armored = armor("SIGNATURE", &signature);
    let message = message();
    let seeds = [signature.as_slice(), armored.as_bytes(), &message];
    mutate::over("signature", &seeds, FRAMES, 1_000, fuzz::signature);
}
