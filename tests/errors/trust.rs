use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bareroot_testkit::Signer;
use bareroot_testkit::door::{Door, SUITE, run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::keys::{DAY, HashAlgorithm, Key, Kind, MADE, Revoke, Signing, clear_signed_by};
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::{base, cases};

use crate::{door, over, repository};

pub const CASES: &[Case] = cases![
    Nothing: bad_signature, bad_detached_signature, no_signature, unsigned_text, unknown_key, expired_key, revoked_key,
        weak_digest, text_before, text_after, a_second_text, wrong_suite, expired_index, expired_and_waived,
        from_the_future, index_digest, index_size, index_that_is_no_index, only_weak_digests, only_weak_digests_of_packages,
        signature_waived, no_such_keyring, a_keyring_without_keys, no_trust_in_builtin_keys_only;
    Root: package_digest, package_size, package_that_is_another;
];

const IN_RELEASE: &str = "dists/tiny/InRelease";

/// A bootstrap fails with code 5 and these words, and leaves nothing.
#[track_caller]
fn refused(door: &Door, words: &[&str]) {
    refused_with(door, &[], words);
}

#[track_caller]
fn refused_with(door: &Door, options: &[&str], words: &[&str]) {
    let run = door.bootstrap(options);
    run.failed(5, words);
    door.assert_nothing_left();
}

/// A repository whose InRelease is made from its text by a function.
fn signed_by(key: &Key, sign: impl Fn(&[u8]) -> Vec<u8>) -> Door {
    let mut files = repository(&[]).files(None);
    let text = files["dists/tiny/Release"].clone();
    files.insert(IN_RELEASE.into(), sign(&text));
    over(files, key.certificate())
}

fn text_of(files: &BTreeMap<String, Vec<u8>>) -> String {
    String::from_utf8(files[IN_RELEASE].clone()).expect("a clear-signed text")
}

fn bad_signature() {
    let mut files = repository(&[]).files(Some(signer()));
    let forged = text_of(&files).replacen("Label: Test", "Label: Tess", 1);
    files.insert(IN_RELEASE.into(), forged.into_bytes());
    let door = over(files, signer().certificate());
    refused(&door, &["bad signature", &door.mirror.url(), SUITE]);
}

fn bad_detached_signature() {
    let suite = Suite {
        in_release: false,
        ..base::suite(SUITE)
    };
    let mut files = base::with_base(RepoBuilder::new().suite(suite), SUITE).files(Some(signer()));
    files.insert(
        "dists/tiny/Release.gpg".into(),
        signer().detach_sign(b"another text"),
    );
    refused(&over(files, signer().certificate()), &["bad signature", SUITE]);
}

fn no_signature() {
    let door = door(&repository(&[]));
    door.mirror.remove(IN_RELEASE);
    door.mirror.remove("dists/tiny/Release.gpg");
    refused(
        &door,
        &["carries no signature", "hint: `--allow-unauthenticated`"],
    );
}

fn unsigned_text() {
    let door = over(repository(&[]).files(None), signer().certificate());
    refused(&door, &[&door.mirror.url()]);
}

fn unknown_key() {
    let door = over(repository(&[]).files(Some(&Key::new(2))), signer().certificate());
    let fingerprint = Key::new(2).fingerprint();
    refused(
        &door,
        &[
            "no key of the keyring has signed",
            &fingerprint,
            "hint: name the keyring",
        ],
    );
}

fn expired_key() {
    let key = Key::builder(3).life(30 * DAY).build();
    let door = signed_by(&key, |text| key.clear_sign(text));
    refused(&door, &["which expired on 2024-01-31", "--allow-weak-key"]);
    // What the hint says works.
    door.resolve(&["--allow-weak-key", &key.fingerprint()])
        .succeeded();
}

fn revoked_key() {
    let key = Key::builder(4)
        .revoked(Revoke {
            at: MADE + 2 * DAY,
            retired: false,
        })
        .build();
    refused(
        &signed_by(&key, |text| key.clear_sign(text)),
        &["which is revoked"],
    );
}

fn weak_digest() {
    let key = Key::builder(5).kind(Kind::Rsa2048).build();
    let signing = Signing {
        hash: HashAlgorithm::Sha1,
        ..Signing::default()
    };
    refused(
        &signed_by(&key, |text| clear_signed_by(text, &[(&key, signing)])),
        &["weak digest SHA"],
    );
}

fn text_before() {
    let mut files = repository(&[]).files(Some(signer()));
    let text = format!("Package: evil\n{}", text_of(&files));
    files.insert(IN_RELEASE.into(), text.into_bytes());
    refused(
        &over(files, signer().certificate()),
        &["text outside its signed part", "line 1"],
    );
}

fn text_after() {
    let mut files = repository(&[]).files(Some(signer()));
    let text = format!("{}Package: evil\n", text_of(&files));
    files.insert(IN_RELEASE.into(), text.into_bytes());
    refused(
        &over(files, signer().certificate()),
        &["text outside its signed part"],
    );
}

fn a_second_text() {
    let mut files = repository(&[]).files(Some(signer()));
    let text = text_of(&files);
    files.insert(IN_RELEASE.into(), format!("{text}{text}").into_bytes());
    refused(&over(files, signer().certificate()), &[SUITE]);
}

fn wrong_suite() {
    let suite = Suite {
        suite: Some("other".into()),
        codename: Some("strange".into()),
        ..base::suite(SUITE)
    };
    let door = door(&base::with_base(RepoBuilder::new().suite(suite), SUITE));
    refused(&door, &["`tiny`", "other", "strange"]);
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs() as i64)
}

fn expired() -> Door {
    let suite = Suite {
        date: Some(now() - 9 * 86_400),
        valid_until: Some(now() - 2 * 86_400),
        ..base::suite(SUITE)
    };
    door(&base::with_base(RepoBuilder::new().suite(suite), SUITE))
}

fn expired_index() {
    refused(
        &expired(),
        &["expired", SUITE, "hint: ", "--no-check-valid-until"],
    );
}

fn expired_and_waived() {
    let door = expired();
    let run = door.resolve(&["--no-check-valid-until"]).succeeded();
    assert!(
        run.stderr
            .lines()
            .any(|line| line.starts_with("warning: ") && line.contains("expired")),
        "{}",
        run.stderr
    );
    let entry = format!("deb [check-valid-until=no] {} tiny main", door.mirror.url());
    let mut command = door.command([
        "resolve",
        "debian:tiny",
        "--no-cache",
        "--mirror",
        &entry,
        "--keyring",
    ]);
    command.arg(door.keyring());
    run_and_warn(command);
}

fn run_and_warn(command: std::process::Command) {
    run(command).succeeded().says(&["warning: "]);
}

fn from_the_future() {
    let suite = Suite {
        date: Some(now() + 2 * 86_400),
        ..base::suite(SUITE)
    };
    refused(
        &door(&base::with_base(RepoBuilder::new().suite(suite), SUITE)),
        &["future"],
    );
}

/// A mirror whose package indexes are changed after they were signed.
fn with_indexes(change: impl Fn(Vec<u8>) -> Vec<u8>) -> Door {
    let mut files = repository(&[]).files(Some(signer()));
    for (path, bytes) in &mut files {
        if path.contains("/Packages") || path.contains("/by-hash/") {
            *bytes = change(std::mem::take(bytes));
        }
    }
    over(files, signer().certificate())
}

fn flip(mut bytes: Vec<u8>) -> Vec<u8> {
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    bytes
}

fn index_digest() {
    let door = with_indexes(flip);
    refused(
        &door,
        &[
            "the mirror changed while it was read, twice",
            "wrong SHA-256: expected ",
            ", found ",
        ],
    );
}

fn index_size() {
    refused(
        &with_indexes(|bytes| [bytes, vec![0]].concat()),
        &["expected ", "Packages"],
    );
    refused(
        &with_indexes(|mut bytes| bytes.split_off(1)),
        &["expected ", "Packages"],
    );
}

fn index_that_is_no_index() {
    let mut repository = repository(&[]);
    repository.packages_mut()[0].stanza = "Package: broken\nno field here\n".into();
    refused(&door(&repository), &["main/binary-", "stanza"]);
}

fn only_weak_digests() {
    let suite = Suite {
        digests: vec!["MD5Sum"],
        ..base::suite(SUITE)
    };
    let door = door(&base::with_base(RepoBuilder::new().suite(suite), SUITE));
    let run = door.bootstrap(&[]);
    // Nothing that it lists can be trusted: it has no index.
    assert!(matches!(run.code, Some(4 | 5)), "{run:?}");
    door.assert_nothing_left();
}

fn only_weak_digests_of_packages() {
    let mut repository = repository(&[]);
    for package in repository.packages_mut() {
        let lines = package
            .stanza
            .lines()
            .filter(|line| !line.starts_with("SHA256: "));
        package.stanza = lines.map(|line| format!("{line}\n")).collect::<String>()
            + "MD5sum: 00000000000000000000000000000000\n";
    }
    refused(&door(&repository), &["SHA256"]);
}

fn signature_waived() {
    let door = over(repository(&[]).files(Some(&Key::new(2))), signer().certificate());
    let run = door.resolve(&["--allow-unauthenticated"]).succeeded();
    assert!(
        run.stderr
            .lines()
            .any(|line| line.starts_with("warning: ") && line.contains("is not verified")),
        "{}",
        run.stderr
    );
    let door = over(repository(&[]).files(None), signer().certificate());
    door.resolve(&["--no-gpgcheck"]).succeeded().says(&["warning: "]);
    // Digests are still held to what the unsigned text says.
    let mut files = repository(&[]).files(None);
    for (path, bytes) in &mut files {
        if path.contains("/Packages") || path.contains("/by-hash/") {
            *bytes = flip(std::mem::take(bytes));
        }
    }
    let door = over(files, signer().certificate());
    refused_with(&door, &["--allow-unauthenticated"], &["wrong SHA-256"]);
}

fn no_such_keyring() {
    let door = door(&repository(&[]));
    let keyring = door.path("missing.pgp");
    door.bootstrap(&["--keyring", &keyring.to_string_lossy()])
        .failed(2, &["cannot read keyring", "missing.pgp"]);
    door.assert_nothing_left();
}

fn a_keyring_without_keys() {
    let door = over(repository(&[]).files(Some(signer())), b"not a key");
    let run = door.bootstrap(&[]);
    assert!(
        matches!(run.code, Some(2 | 5)) && run.stderr.contains("keyring.pgp"),
        "{run:?}"
    );
    door.assert_nothing_left();
}

fn no_trust_in_builtin_keys_only() {
    let door = door(&repository(&[]));
    let mut command = door.command([
        "bootstrap",
        "debian:tiny",
        "--no-cache",
        "--mirror",
        &door.mirror.url(),
    ]);
    command.arg(door.target());
    run(command).failed(5, &["no key of the keyring has signed"]);
    door.assert_nothing_left();
}

const HELLO: &str = "pool/main/hello/hello_1.0_";

/// A mirror that has other bytes for a package than the index says.
fn with_archive(change: impl Fn(Vec<u8>) -> Vec<u8>) -> Door {
    let hello = base::package("hello", "1.0").file("/usr/bin/hello", "hello");
    let mut files = repository(&[hello]).files(Some(signer()));
    for (path, bytes) in &mut files {
        if path.starts_with(HELLO) {
            *bytes = change(std::mem::take(bytes));
        }
    }
    over(files, signer().certificate())
}

fn package_digest() {
    let door = with_archive(flip);
    refused_with(
        &door,
        &["--include", "hello"],
        &[HELLO, "wrong SHA-256: expected ", ", found "],
    );
    // What was wrong is not in the cache either.
    refused_with(&door, &["--include", "hello"], &["wrong SHA-256"]);
}

fn package_size() {
    let longer = with_archive(|bytes| [bytes, vec![0; 100]].concat());
    refused_with(&longer, &["--include", "hello"], &[HELLO, "expected "]);
    let shorter = with_archive(|mut bytes| {
        bytes.truncate(100);
        bytes
    });
    refused_with(
        &shorter,
        &["--include", "hello"],
        &[HELLO, "expected ", "found 100"],
    );
}

fn package_that_is_another() {
    let mut repository = repository(&[base::package("hello", "1.0")]);
    for package in repository.packages_mut() {
        package.stanza = package.stanza.replace("Package: hello\n", "Package: good-bye\n");
    }
    let door = door(&repository);
    refused_with(&door, &["--include", "good-bye"], &["good-bye", "hello"]);
}
