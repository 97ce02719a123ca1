//! Endless data: every kind of file that is fetched, with no end. Each has a limit, or a size that an index states.

use std::time::{Duration, Instant};

use bareroot_testkit::cases;
use bareroot_testkit::door::signer;
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Fault;
use bareroot_testkit::rpm_repo::metalink;
use bareroot_testkit::{Signer as _, base};

use crate::site::{IN_RELEASE, REPOMD, Site, deb, hello, packages_of, repository, rpm, rpms};

pub const CASES: &[Case] = cases![
    Nothing: an_inrelease, a_release_file, a_detached_signature, a_package_index, the_map_of_a_mirror, a_repomd, a_signature_of_repomd,
        a_primary, a_metalink, a_list_of_mirrors, a_key;
    Root: a_deb, an_rpm;
];

/// How long it may take to see that a file has no end, by a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// The file is refused, soon.
#[track_caller]
fn refused(site: &Site, path: &str, words: &[&str]) {
    site.mirror().always(path, Fault::Endless);
    let begin = Instant::now();
    site.refused(5, words);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    assert_ne!(site.mirror().count(path), 0, "{path} was asked for");
}

fn debian() -> Site {
    Site::new(&repository(&[hello("1.0")]))
}

fn an_inrelease() {
    refused(&debian(), IN_RELEASE, &[IN_RELEASE, "too large"]);
}

fn a_release_file() {
    let site = debian();
    site.mirror().remove(IN_RELEASE);
    refused(&site, "dists/tiny/Release", &["dists/tiny/Release", "too large"]);
}

fn a_detached_signature() {
    let site = debian();
    site.mirror().remove(IN_RELEASE);
    refused(&site, "dists/tiny/Release.gpg", &["Release.gpg", "too large"]);
}

fn a_package_index() {
    let path = packages_of("tiny", "main", base::ARCH);
    refused(&debian(), &path, &["Packages.gz", "expected "]);
}

fn a_deb() {
    refused(&debian(), &deb("hello", "1.0"), &["hello_1.0", "expected "]);
}

/// Whether a mirror is a partial one is a question that has an answer without the file: the run goes on.
fn the_map_of_a_mirror() {
    let site = debian();
    site.mirror().always("bareroot-mirror.toml", Fault::Endless);
    let begin = Instant::now();
    site.resolve(&[]).succeeded();
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    assert_eq!(site.mirror().count("bareroot-mirror.toml"), 1);
}

fn red_hat() -> Site {
    Site::rpm(&rpms(&[rpm("1.0-1")]))
}

/// A file of an RPM repository is refused, soon; `text` are the repository's options.
#[track_caller]
fn rpm_refused(site: &Site, path: &str, text: &str, words: &[&str]) {
    site.mirror().always(path, Fault::Endless);
    let begin = Instant::now();
    site.run(site.rpm_command("bootstrap", text, &[]))
        .failed(5, words);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    assert_ne!(site.mirror().count(path), 0, "{path} was asked for");
}

fn a_repomd() {
    let site = red_hat();
    rpm_refused(&site, REPOMD, &site.strict(), &["repomd.xml", "too large"]);
}

fn a_signature_of_repomd() {
    let site = red_hat();
    let path = format!("{REPOMD}.asc");
    rpm_refused(&site, &path, &site.strict(), &["repomd.xml.asc", "too large"]);
}

fn a_primary() {
    let files = crate::site::rpm_files(&rpms(&[rpm("1.0-1")]));
    let path = files
        .keys()
        .find(|path| path.ends_with("primary.xml.gz"))
        .expect("it is there")
        .clone();
    let site = Site::over(files);
    rpm_refused(&site, &path, &site.strict(), &["primary.xml.gz", "expected "]);
}

fn an_rpm() {
    let site = red_hat();
    let path = format!(
        "repo/Packages/hello-1.0-1.{}.rpm",
        bareroot_testkit::rpm_base::ARCH
    );
    rpm_refused(&site, &path, &site.strict(), &["hello-1.0-1", "expected "]);
}

fn a_metalink() {
    let site = red_hat();
    site.mirror().put("metalink", metalink(&[], &[]));
    let text = format!("metalink={}/metalink\ngpgcheck=1", site.url());
    rpm_refused(&site, "metalink", &text, &["metalink", "too large"]);
}

fn a_list_of_mirrors() {
    let site = red_hat();
    site.mirror().put("list", format!("{}/repo\n", site.url()));
    let text = format!("mirrorlist={}/list\ngpgcheck=1", site.url());
    rpm_refused(&site, "list", &text, &["list", "too large"]);
}

fn a_key() {
    let site = red_hat();
    site.mirror().put("key.asc", signer().detach_sign(b"no key"));
    let text = format!("{}\ngpgkey={}/key.asc", site.strict(), site.url());
    let mut command = site
        .door()
        .command(["resolve", "--include", "hello", "--no-cache"]);
    command
        .arg("--repo")
        .arg(site.door().file("tiny.repo", format!("[tiny]\n{text}\n")));
    site.mirror().always("key.asc", Fault::Endless);
    site.run(command).failed(5, &["key.asc", "too large"]);
}
