use std::collections::BTreeMap;

use bareroot_testkit::door::{self, Run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::keys::{DAY, HashAlgorithm, Key, Kind, MADE, Revoke, Signing};
use bareroot_testkit::rpm::{Form, RpmBuilder, Signature, Value};
use bareroot_testkit::rpm_repo::{RpmRepo, metalink};
use bareroot_testkit::{Compression, Signer as _, cases, rpm_base};

use crate::{Ground, REPO, repository};

pub const CASES: &[Case] = cases![
    Nothing: repomd_bad_signature, repomd_no_signature, repomd_unknown_key, repomd_waived, primary_digest,
        primary_weak_digest, no_primary, metalink_of_another, metalink_and_a_stale_mirror, metalink_with_alternates,
        a_metalink_without_strong_hashes, no_such_keyring, a_key_of_the_repo_file;
    Root: signs_nothing, package_signed_by_another, package_not_signed, package_bad_signature, package_by_an_expired_key,
        package_by_a_revoked_key, package_with_a_weak_digest, package_waived, only_packages_are_signed, package_digest, package_size, package_of_another_name,
        header_digest, payload_digest, every_kind_of_signature, old_signatures_cover_all;
];

/// A package that tests do something to.
fn hello() -> RpmBuilder {
    rpm_base::package("hello", "1.0-1").file("/usr/share/hello", "hello")
}

/// A bootstrap of `hello` alone, unpacked only.
const HELLO: &[&str] = &["--include", "hello", "--variant", "extract"];

#[track_caller]
fn refused(ground: &Ground, words: &[&str]) {
    ground.bootstrap(HELLO).failed(5, words);
    ground.door.assert_nothing_left();
}

fn files() -> BTreeMap<String, Vec<u8>> {
    repository(&[hello()]).files(REPO, Some(signer()))
}

#[track_caller]
fn warned(run: &Run, words: &[&str]) {
    let warning = |line: &str| line.starts_with("warning: ") && words.iter().all(|word| line.contains(word));
    assert!(run.stderr.lines().any(warning), "{}", run.stderr);
}

const REPOMD: &str = "repo/repodata/repomd.xml";
const SIGNATURE: &str = "repo/repodata/repomd.xml.asc";

fn repomd_bad_signature() {
    let mut files = files();
    files.insert(SIGNATURE.into(), signer().detach_sign(b"another text"));
    refused(&Ground::over(files), &["bad signature on `repomd.xml of tiny`"]);
}

fn repomd_no_signature() {
    let mut files = files();
    files.remove(SIGNATURE);
    refused(
        &Ground::over(files),
        &["`repomd.xml of tiny` carries no signature", "hint: "],
    );
}

fn repomd_unknown_key() {
    let other = Key::new(2);
    let files = repository(&[hello()]).files(REPO, Some(&other));
    refused(
        &Ground::over(files),
        &[
            "no key of the keyring has signed `repomd.xml of tiny`",
            &other.fingerprint(),
            "hint: ",
        ],
    );
}

fn repomd_waived() {
    let mut files = files();
    files.remove(SIGNATURE);
    let ground = Ground::over(files);
    let run = ground
        .resolve(&["--include", "hello", "--no-gpgcheck"])
        .succeeded();
    warned(&run, &["tiny is not verified"]);
}

fn signs_nothing() {
    let ground = Ground::over(files());
    let text = format!("[bare]\nbaseurl={}\ngpgcheck=0\n", ground.url());
    let repo = ground.door.file("bare.repo", text);
    let bootstrap = |options: &[&str]| door::run(ground.command("bootstrap", &repo, options));
    bootstrap(HELLO).failed(
        5,
        &[
            "`bare` signs nothing",
            "bare.repo",
            "hint: --no-gpgcheck takes it all the same",
        ],
    );
    ground.door.assert_nothing_left();
    // It is told of each package that nobody vouches for.
    ground.door.file("keyring.pgp", Key::new(2).certificate());
    let run = bootstrap(&[HELLO, &["--no-gpgcheck"]].concat()).succeeded();
    warned(&run, &["hello-1.0-1", "is not verified"]);
}

/// The metadata files of a kind are changed after they were signed.
fn with_metadata(kind: &str, change: impl Fn(&mut Vec<u8>)) -> Ground {
    let mut files = files();
    let name = format!("-{kind}.");
    for (_, bytes) in files.iter_mut().filter(|(path, _)| path.contains(&name)) {
        change(bytes);
    }
    Ground::over(files)
}

fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
}

fn primary_digest() {
    refused(
        &with_metadata("primary", |bytes| flip(bytes)),
        &[
            "primary.xml.gz",
            "wrong SHA-256: expected ",
            ", found ",
            "changed while it was read, twice",
        ],
    );
    refused(
        &with_metadata("primary", |bytes| bytes.push(0)),
        &["primary.xml.gz", "expected "],
    );
    refused(
        &with_metadata("comps", |bytes| flip(bytes)),
        &["comps.xml.gz", "wrong SHA-256"],
    );
}

/// The repository with another repomd.xml, properly signed.
fn with_repomd(change: impl Fn(String) -> String) -> Ground {
    let text = String::from_utf8(files()[REPOMD].clone()).expect("text");
    let repository = repository(&[hello()]).file("repodata/repomd.xml", change(text));
    Ground::new(&repository)
}

fn primary_weak_digest() {
    let ground = with_repomd(|text| text.replace("checksum type=\"sha256\"", "checksum type=\"sha\""));
    refused(&ground, &["has only a sha digest, which vouches for nothing"]);
}

fn no_primary() {
    let ground = with_repomd(|text| text.replace("type=\"primary\"", "type=\"secondary\""));
    refused(&ground, &["repomd.xml of `tiny` names no primary metadata"]);
}

/// A .repo file with a metalink of these mirrors and contents of repomd.xml.
fn by_metalink(ground: &Ground, text: &str) -> Run {
    ground.door.mirror.put("metalink", text);
    let repo = format!(
        "[linked]\nmetalink={}/metalink?repo=tiny&arch=$basearch\ngpgcheck=1\n",
        ground.door.mirror.url()
    );
    let repo = ground.door.file("linked.repo", repo);
    door::run(ground.command("resolve", &repo, &["--include", "hello"]))
}

fn metalink_of_another() {
    let ground = Ground::over(files());
    let text = metalink(&[ground.url()], &[b"<repomd/>"]);
    by_metalink(&ground, &text).failed(
        5,
        &[
            "repomd.xml of `linked`",
            &ground.url(),
            "none of those that the metalink knows",
        ],
    );
    ground.door.assert_nothing_left();
}

/// Files of the repository at `old/`, from before `hello` was in it.
fn with_an_old_mirror() -> (Ground, Vec<u8>, Vec<u8>) {
    let old = rpm_base::repository().files("old/", Some(signer()));
    let mut all = files();
    let (current, before) = (all[REPOMD].clone(), old["old/repodata/repomd.xml"].clone());
    all.extend(old);
    (Ground::over(all), current, before)
}

fn metalink_and_a_stale_mirror() {
    let (ground, current, _) = with_an_old_mirror();
    let old = format!("{}/old", ground.door.mirror.url());
    // The first mirror has an older state, which counts no more.
    by_metalink(&ground, &metalink(&[old, ground.url()], &[&current])).succeeded();
    assert_eq!(ground.door.mirror.count("old/repodata/repomd.xml"), 1);
}

fn metalink_with_alternates() {
    let (ground, current, before) = with_an_old_mirror();
    let old = format!("{}/old", ground.door.mirror.url());
    // An older state that still counts is taken, and has no `hello`.
    let run = by_metalink(&ground, &metalink(&[old, ground.url()], &[&current, &before]));
    run.failed(3, &["no package matches `hello`"]);
}

fn a_metalink_without_strong_hashes() {
    let ground = Ground::over(files());
    let text = metalink(&[ground.url()], &[&files()[REPOMD]])
        .replace("sha256", "md5")
        .replace("sha512", "sha1");
    by_metalink(&ground, &text).failed(5, &["none of those that the metalink knows"]);
}

fn no_such_keyring() {
    let ground = Ground::over(files());
    let missing = ground.door.path("missing.pgp");
    ground
        .bootstrap(&["--include", "hello", "--keyring", &missing.to_string_lossy()])
        .failed(2, &["cannot read keyring", "missing.pgp"]);
    ground.door.assert_nothing_left();
}

fn a_key_of_the_repo_file() {
    let mut files = files();
    files.insert("key.asc".into(), signer().armored().into_bytes());
    files.insert("other.asc".into(), Key::new(9).armored().into_bytes());
    let ground = Ground::over(files);
    let resolve = |key: &str| {
        let url = ground.door.mirror.url();
        let text = format!("[tiny]\nbaseurl={url}/repo\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey={url}/{key}\n");
        let repo = ground.door.file("tiny.repo", text);
        let mut command = ground
            .door
            .command(["resolve", "--include", "hello", "--no-cache", "--repo"]);
        command.arg(repo);
        door::run(command)
    };
    let run = resolve("key.asc").succeeded();
    warned(&run, &["plain http", &signer().fingerprint()]);
    resolve("other.asc").failed(5, &["no key of the keyring has signed"]);
    resolve("missing.asc").failed(4, &["missing.asc", "does not exist"]);
}

fn packages(rpm: RpmBuilder) -> Ground {
    Ground::with(&[rpm])
}

fn package_signed_by_another() {
    let other = Key::new(2);
    let rpm = hello().signatures(vec![Signature::by(&other)]);
    refused(
        &packages(rpm),
        &[
            "no key of the keyring has signed `hello-1.0-1",
            &other.fingerprint(),
            "hint: ",
        ],
    );
}

fn package_not_signed() {
    refused(
        &packages(hello().signatures(Vec::new())),
        &["`hello-1.0-1", "carries no signature"],
    );
}

fn package_bad_signature() {
    let rpm = hello().signatures(vec![Signature::Elsewhere(signer().clone())]);
    refused(
        &packages(rpm),
        &["bad signature on `hello-1.0-1", &signer().fingerprint()],
    );
    // Bytes that are no signature at all.
    let rpm = hello().on_signature(|entries| {
        entries.insert(267, Value::Bytes(vec![0x88, 0xff, 1, 2, 3]));
    });
    refused(&packages(rpm), &["`hello-1.0-1"]);
}

/// `hello` signed by a key of its own, which is the keyring's only one beside the usual one.
#[track_caller]
fn signed_by(key: &Key, signing: Signing, words: &[&str]) -> Ground {
    let rpm = hello().signatures(vec![Signature::Header(key.clone(), signing)]);
    let ground = packages(rpm);
    let both = [signer().certificate(), key.certificate()].concat();
    ground.door.file("keyring.pgp", both);
    refused(&ground, words);
    ground
}

fn package_by_an_expired_key() {
    let key = Key::builder(3).life(30 * DAY).build();
    let ground = signed_by(
        &key,
        Signing::default(),
        &["hello-1.0-1", "which expired on 2024-01-31", "--allow-weak-key"],
    );
    // What the hint says works.
    let fingerprint = key.fingerprint();
    let options = [HELLO, &["--allow-weak-key", &fingerprint]].concat();
    ground.bootstrap(&options).succeeded();
}

fn package_by_a_revoked_key() {
    let revoke = Revoke {
        at: MADE + 2 * DAY,
        retired: false,
    };
    let key = Key::builder(4).revoked(revoke).build();
    signed_by(&key, Signing::default(), &["hello-1.0-1", "which is revoked"]);
}

fn package_with_a_weak_digest() {
    let key = Key::builder(5).kind(Kind::Rsa2048).build();
    let signing = Signing {
        hash: HashAlgorithm::Sha1,
        ..Signing::default()
    };
    signed_by(&key, signing, &["hello-1.0-1", "weak digest SHA"]);
}

fn package_waived() {
    for signatures in [
        vec![],
        vec![Signature::by(&Key::new(2))],
        vec![Signature::Elsewhere(signer().clone())],
    ] {
        let ground = packages(hello().signatures(signatures));
        let run = ground
            .bootstrap(&[HELLO, &["--no-gpgcheck"]].concat())
            .succeeded();
        warned(&run, &["hello-1.0-1", "is not verified"]);
        assert_eq!(ground.text("usr/share/hello"), "hello");
    }
}

/// A repository that signs its packages and not its metadata, as most do.
fn only_packages_are_signed() {
    let ground = Ground::over(repository(&[hello()]).files(REPO, None));
    let text = format!("[half]\nbaseurl={}\ngpgcheck=1\n", ground.url());
    let repo = ground.door.file("half.repo", text);
    door::run(ground.command("bootstrap", &repo, HELLO)).succeeded();
    assert_eq!(ground.text("usr/share/hello"), "hello");
}

/// The file of `hello` on the mirror is another one than the index says.
fn with_file(change: impl Fn(&mut Vec<u8>)) -> Ground {
    let mut files = files();
    let hello = files
        .iter_mut()
        .find(|(path, _)| path.contains("Packages/hello-"));
    change(hello.expect("hello is there").1);
    Ground::over(files)
}

fn package_digest() {
    let ground = with_file(|bytes| flip(bytes));
    let words = ["Packages/hello-1.0-1", "wrong SHA-256: expected ", ", found "];
    refused(&ground, &words);
    // What was wrong is not in the cache either.
    refused(&ground, &words);
}

fn package_size() {
    refused(
        &with_file(|bytes| bytes.extend([0; 100])),
        &["Packages/hello-1.0-1", "expected "],
    );
    refused(
        &with_file(|bytes| bytes.truncate(100)),
        &["Packages/hello-1.0-1", "expected ", "found 100"],
    );
}

fn package_of_another_name() {
    let mut repository = repository(&[hello()]);
    for package in repository.packages_mut() {
        package.primary = package.primary.replace("<name>hello<", "<name>good-bye<");
    }
    let ground = Ground::new(&repository);
    ground
        .bootstrap(&["--include", "good-bye", "--variant", "extract"])
        .failed(5, &["hello-1.0-1", "expected good-bye-1.0-1"]);
    ground.door.assert_nothing_left();
}

fn header_digest() {
    let rpm = hello().on_signature(|entries| drop(entries.insert(273, "00".repeat(32).as_str().into())));
    refused(
        &packages(rpm),
        &["hello-1.0-1", "SHA-256 of its header", "expected 0000"],
    );
}

fn payload_digest() {
    let rpm = hello().on_header(|entries| {
        entries.insert(5092, ["00".repeat(32)].iter().collect());
    });
    refused(
        &packages(rpm),
        &["hello-1.0-1", "digest of its payload", "expected 0000"],
    );
}

/// Every kind of key and compression that packages have, and the stripped form of payloads.
fn every_kind_of_signature() {
    let ed25519 = Key::builder(6).build();
    let rsa = Key::builder(7).kind(Kind::Rsa2048).build();
    let subkey = Key::builder(8).subkey(bareroot_testkit::keys::Bind::Both).build();
    let packages = [
        ("gzip", Compression::Gzip, &ed25519),
        ("xz", Compression::Xz, &rsa),
        ("zstd", Compression::Zstd, &subkey),
        ("bzip2", Compression::Bzip2, &ed25519),
        ("lzma", Compression::Lzma, &rsa),
        ("none", Compression::None, &subkey),
        ("stripped", Compression::Zstd, &rsa),
    ];
    let rpm = |(name, compression, key): &(&str, Compression, &Key)| {
        let form = if *name == "stripped" {
            Form::Stripped
        } else {
            Form::Newc
        };
        rpm_base::package(name, "1-1")
            .compression(*compression)
            .form(form)
            .signatures(vec![Signature::by(key)])
            .file(&format!("/usr/share/{name}"), vec![7; 100_000])
    };
    let repository = packages
        .iter()
        .map(rpm)
        .fold(RpmRepo::new(), |repository, rpm| repository.package(&rpm));
    let ground = Ground::new(&repository);
    let all = [signer(), &ed25519, &rsa, &subkey].map(Key::certificate).concat();
    ground.door.file("keyring.pgp", all);
    let names: Vec<&str> = packages.iter().map(|(name, ..)| *name).collect();
    ground
        .bootstrap(&["--include", &names.join(","), "--variant", "extract"])
        .succeeded();
    for name in names {
        let content = std::fs::read(ground.root(&format!("usr/share/{name}"))).expect(name);
        assert!(content == vec![7; 100_000], "{name}");
    }
}

/// Packages of old have no digest of the payload in their header: their signature must cover all of it.
fn old_signatures_cover_all() {
    let rsa = Key::builder(7).kind(Kind::Rsa2048).build();
    let old = |signature| {
        let rpm = hello()
            .signatures(vec![signature])
            .file_digest(1)
            .on_header(|entries| {
                [5092, 5093, 5097]
                    .iter()
                    .for_each(|tag| drop(entries.remove(tag)))
            })
            .on_signature(|entries| [269, 273].iter().for_each(|tag| drop(entries.remove(tag))));
        let ground = packages(rpm);
        let both = [signer().certificate(), rsa.certificate()].concat();
        ground.door.file("keyring.pgp", both);
        ground
    };
    let ground = old(Signature::Whole(rsa.clone(), Signing::default()));
    ground.bootstrap(HELLO).succeeded();
    assert_eq!(ground.text("usr/share/hello"), "hello");
}
