//! The attacks on repositories, on RPM's: wrong keys, other packages, and metadata that does not belong together.

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;
use bareroot_testkit::keys::Key;
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::rpm::Signature;
use bareroot_testkit::rpm_base;

use crate::site::{Files, REPOMD, Site, rpm, rpm_files, rpms};

pub const CASES: &[Case] = cases![
    Nothing: arbitrary_install_by_another_key, extraneous_dependency, metadata_of_another_repository,
        a_signature_of_another_repomd, a_repomd_that_is_not_signed, slow_retrieval_of_repomd, two_primaries;
    Root: arbitrary_install_of_another_signed_package, same_size_other_bytes, a_package_by_another_key, a_package_without_a_signature,
        a_payload_of_another_package, a_header_of_another_package, a_package_of_another_name, a_package_of_another_version;
];

fn path(name: &str, version: &str) -> String {
    format!("repo/Packages/{name}-{version}.{}.rpm", rpm_base::ARCH)
}

fn files() -> Files {
    rpm_files(&rpms(&[rpm("1.0-1"), evil()]))
}

/// Another package, signed as well.
fn evil() -> bareroot_testkit::rpm::RpmBuilder {
    rpm_base::package("evil", "6.66-1").file("/usr/share/hello", "dead")
}

fn arbitrary_install_by_another_key() {
    let forged = rpms(&[rpm("6.66-1")]).files("repo/", Some(&Key::new(66)));
    let site = Site::over(forged);
    site.rpm_refused(
        5,
        &[
            "no key of the keyring has signed `repomd.xml of tiny`",
            &Key::new(66).fingerprint(),
        ],
    );
    assert!(
        site.mirror()
            .requests()
            .iter()
            .all(|request| !request.path.contains("primary"))
    );
}

fn arbitrary_install_of_another_signed_package() {
    let mut files = files();
    let other = files[&path("evil", "6.66-1")].clone();
    files.insert(path("hello", "1.0-1"), other);
    Site::over(files).rpm_refused(5, &["hello-1.0-1", "is not what its index promises"]);
}

fn same_size_other_bytes() {
    let mut files = files();
    let bytes = files.get_mut(&path("hello", "1.0-1")).expect("hello");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    Site::over(files).rpm_refused(5, &["hello-1.0-1", "wrong SHA-256: expected "]);
}

/// A repository that whoever has no key makes: its metadata is not signed, its package is signed by somebody.
fn a_package_by_another_key() {
    let other = Key::new(66);
    let rpm = rpm("1.0-1").signatures(vec![Signature::by(&other)]);
    Site::rpm(&rpms(&[rpm])).rpm_refused(
        5,
        &[
            "no key of the keyring has signed `hello-1.0-1",
            &other.fingerprint(),
        ],
    );
}

fn a_package_without_a_signature() {
    let bare = rpms(&[rpm("1.0-1").signatures(Vec::new())]);
    Site::rpm(&bare).rpm_refused(5, &["`hello-1.0-1", "carries no signature"]);
    // Nor where the repository's metadata is not to be signed at all.
    let site = Site::over(bare.files("repo/", None));
    let text = format!("baseurl={}/repo\ngpgcheck=1", site.url());
    site.run(site.rpm_command("bootstrap", &text, &[]))
        .failed(5, &["`hello-1.0-1", "carries no signature"]);
}

/// The header is signed; the payload is another package's.
fn a_payload_of_another_package() {
    let other = evil().built();
    let payload = other.bytes[other.header.1..].to_vec();
    let rpm = rpm("1.0-1").on_file(move |bytes| {
        let built = crate::site::rpm("1.0-1").built();
        bytes.truncate(built.header.1);
        bytes.extend(&payload);
    });
    Site::rpm(&rpms(&[rpm])).rpm_refused(5, &["hello-1.0-1", "digest of its payload"]);
}

/// The signatures of one package before the header of another.
fn a_header_of_another_package() {
    let other = evil().built();
    let rest = other.bytes[other.header.0..].to_vec();
    let rpm = rpm("1.0-1").on_file(move |bytes| {
        let built = crate::site::rpm("1.0-1").built();
        bytes.truncate(built.header.0);
        bytes.extend(&rest);
    });
    Site::rpm(&rpms(&[rpm])).rpm_refused(5, &["hello-1.0-1"]);
}

/// An index that says of a package that it is another one: the digest is right, the signature is, and the name is not.
fn a_package_of_another_name() {
    let mut repository = rpms(&[evil()]);
    let package = &mut repository.packages_mut()[0];
    package.primary = package.primary.replace("<name>evil<", "<name>hello<");
    Site::rpm(&repository).rpm_refused(5, &["is evil-6.66-1", "expected hello-6.66-1"]);
}

/// A version of old in the place of one with its holes closed.
fn a_package_of_another_version() {
    let mut repository = rpms(&[rpm("1.0-1")]);
    let package = &mut repository.packages_mut()[0];
    package.primary = package.primary.replace(
        "ver=\"1.0\" rel=\"1\"/>\n  <checksum",
        "ver=\"2.0\" rel=\"1\"/>\n  <checksum",
    );
    assert!(package.primary.contains("ver=\"2.0\""), "{}", package.primary);
    Site::rpm(&repository).rpm_refused(5, &["is hello-1.0-1", "expected hello-2.0-1"]);
}

/// The first file of a kind.
#[track_caller]
fn metadata(files: &Files, kind: &str) -> String {
    files
        .keys()
        .find(|path| path.ends_with(kind))
        .unwrap_or_else(|| panic!("no {kind}"))
        .clone()
}

/// The mirror writes into primary.xml that a package needs another one.
fn extraneous_dependency() {
    let mut altered = rpms(&[rpm("1.0-1"), evil()]);
    let package = &mut altered.packages_mut()[0];
    package.primary = package.primary.replace(
        "<rpm:provides>",
        "<rpm:requires><rpm:entry name=\"evil\"/></rpm:requires><rpm:provides>",
    );
    assert!(package.primary.contains("name=\"evil\""), "{}", package.primary);
    let lie = rpm_files(&altered);
    let lie = lie[&metadata(&lie, "primary.xml.gz")].clone();
    let mut files = files();
    let place = metadata(&files, "primary.xml.gz");
    assert_ne!(files.insert(place, lie.clone()), Some(lie));
    Site::over(files).rpm_refused(5, &["primary.xml.gz", "is not what its index promises"]);
}

/// repomd.xml of one repository and primary of another, by the same key.
fn metadata_of_another_repository() {
    let other = rpm_files(&rpms(&[rpm("6.66-1")]));
    let mut mixed = files();
    let place = metadata(&mixed, "primary.xml.gz");
    mixed.insert(place, other[&metadata(&other, "primary.xml.gz")].clone());
    Site::over(mixed).rpm_refused(5, &["primary.xml.gz", "is not what its index promises"]);
    // The lists of files are asked for when a dependency is a path.
    let needs = |version: &str| rpm(version).requires("/usr/share/hello");
    let mut files = rpm_files(&rpms(&[needs("1.0-1")]));
    let place = metadata(&files, "filelists.xml.gz");
    files.insert(place, other[&metadata(&other, "filelists.xml.gz")].clone());
    Site::over(files).rpm_refused(5, &["filelists.xml.gz", "is not what its index promises"]);
}

fn a_signature_of_another_repomd() {
    let mut files = files();
    let other = rpm_files(&rpms(&[rpm("0.9-1")]));
    let signature = format!("{REPOMD}.asc");
    files.insert(signature.clone(), other[&signature].clone());
    Site::over(files).rpm_refused(5, &["bad signature on `repomd.xml of tiny`"]);
}

/// No signature is no reason to go on without one.
fn a_repomd_that_is_not_signed() {
    let mut files = files();
    let signature = format!("{REPOMD}.asc");
    files.remove(&signature);
    let site = Site::over(files);
    site.rpm_refused(5, &["`repomd.xml of tiny` carries no signature"]);
    site.mirror().put(signature.as_str(), "");
    site.rpm_refused(5, &["repomd.xml of tiny"]);
    site.mirror().put(signature.as_str(), "<html>moved</html>");
    site.rpm_refused(5, &["repomd.xml of tiny"]);
}

fn slow_retrieval_of_repomd() {
    let site = Site::over(files());
    let pause = std::time::Duration::from_millis(100);
    site.mirror().always(REPOMD, Fault::Slow(8, pause));
    let begin = std::time::Instant::now();
    site.rpm_bootstrap(&["--timeout", "1"])
        .failed(4, &["repomd.xml", "stalled for 1 s"]);
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
}

/// A repomd.xml with a second primary, which is not what it says: whichever is read is held against its own digest.
fn two_primaries() {
    let repository = rpms(&[rpm("1.0-1")]);
    let text = repository.files("", None)["repodata/repomd.xml"].clone();
    let text = String::from_utf8(text).expect("a text");
    let zeros = "0".repeat(64);
    let second = format!(
        "<data type=\"primary\"><checksum type=\"sha256\">{zeros}</checksum><location href=\"repodata/x-primary.xml\"/>\
         <size>4</size></data>"
    );
    let text = text.replacen(
        "<data type=\"primary\">",
        &format!("{second}<data type=\"primary\">"),
        1,
    );
    let mut files = rpm_files(&repository.file("repodata/repomd.xml", text));
    files.insert("repo/repodata/x-primary.xml".into(), b"evil".to_vec());
    Site::over(files).rpm_refused(5, &["x-primary.xml", "wrong SHA-256"]);
}
