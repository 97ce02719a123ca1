//! Names and passwords go to the host that they are for, and nowhere else: not to another host, not onto the terminal, not
//! into the root or the cache.

use std::fs;
use std::path::Path;
use std::process::Command;

use bareroot_testkit::cases;
use bareroot_testkit::door::Run;
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::{Fault, Mirror, basic};

use crate::site::{Files, IN_RELEASE, Site, deb, hello, repository, signed};

pub const CASES: &[Case] = cases![
    Nothing: of_a_mirror_after_a_redirection, of_netrc_after_a_redirection, of_netrc_for_everybody, in_a_redirection, in_errors, in_the_log;
    Root: in_the_root_and_the_cache;
];

const SECRET: &str = "s3cret-Pa55";

fn files() -> Files {
    signed(&repository(&[hello("1.0")]))
}

/// A mirror that wants credentials.
fn site() -> Site {
    let site = Site::over(files());
    site.mirror().require("user", SECRET);
    site
}

/// The mirror's address with the credentials in it.
fn address(site: &Site) -> String {
    site.url().replace("//", &format!("//user:{SECRET}@"))
}

/// A verb before an address.
fn command(site: &Site, verb: &str, mirror: &str, options: &[&str]) -> Command {
    let mut command = site.door().command([verb, "debian:tiny"]);
    if verb == "bootstrap" {
        command.arg(site.door().target()).arg("--no-host-files");
    }
    command.args(["--mirror", mirror, "--variant", "extract", "--include", "hello"]);
    command.arg("--keyring").arg(site.door().keyring());
    command.arg("--cache-dir").arg(site.door().path("cache"));
    command.args(options);
    command
}

/// Neither the password nor its form in a header was printed.
#[track_caller]
fn assert_secret(run: &Run) {
    for text in [&run.stderr, &run.stdout] {
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.contains(&basic("user", SECRET)[6..]), "{text}");
    }
}

/// Nobody told the other anything.
#[track_caller]
fn assert_untold(other: &Mirror) {
    let asked = other.requests();
    assert!(!asked.is_empty());
    for request in asked {
        assert_eq!(request.header("authorization"), None);
        assert!(!request.target.contains(SECRET), "{request:?}");
        assert!(
            request.headers.iter().all(|(_, value)| !value.contains(SECRET)),
            "{request:?}"
        );
    }
}

/// Everything is elsewhere.
fn redirected(site: &Site) -> Mirror {
    let files = files();
    let other = Mirror::serve(files.clone()).expect("a listening socket");
    for path in files.keys() {
        site.mirror()
            .always(path, Fault::Redirect(format!("{}/{path}", other.url())));
    }
    other
}

fn of_a_mirror_after_a_redirection() {
    let site = site();
    let other = redirected(&site);
    let run = site
        .run(command(&site, "resolve", &address(&site), &[]))
        .succeeded();
    assert_secret(&run);
    assert_untold(&other);
}

/// The same host, by another port and in the clear: whoever can forge an answer could ask for it so.
fn of_netrc_after_a_redirection() {
    let text = format!("machine 127.0.0.1 login user password {SECRET}\n");
    let site = site();
    let netrc = site.door().file("netrc", text);
    let other = redirected(&site);
    let mut command = command(&site, "resolve", &site.url(), &[]);
    command.env("NETRC", netrc);
    let run = site.run(command).succeeded();
    assert_secret(&run);
    assert_untold(&other);
}

fn of_netrc_for_everybody() {
    let site = site();
    let netrc = site
        .door()
        .file("netrc", format!("default login user password {SECRET}\n"));
    let other = redirected(&site);
    let mut command = command(&site, "resolve", &site.url(), &[]);
    command.env("NETRC", netrc);
    site.run(command).succeeded();
    assert_untold(&other);
}

/// A server that names credentials in an address gets none of ours, and its own are not sent.
fn in_a_redirection() {
    let site = site();
    let other = Mirror::serve(files()).expect("a listening socket");
    let to = format!("{}/{IN_RELEASE}", other.url().replace("//", "//evil:twin@"));
    site.mirror().always(IN_RELEASE, Fault::Redirect(to));
    site.run(command(&site, "resolve", &address(&site), &[]))
        .succeeded();
    assert_untold(&other);
}

fn in_errors() {
    let site = site();
    let wrong = site.url().replace("//", &format!("//other:{SECRET}@"));
    let run = site
        .run(command(&site, "bootstrap", &wrong, &["--json"]))
        .ended_with(4);
    assert_secret(&run);
    let dead = format!("http://user:{SECRET}@127.0.0.1:1/debian");
    let run = site.run(command(&site, "bootstrap", &dead, &["--verbose"]));
    assert_secret(&run.failed(4, &["127.0.0.1:1/debian"]));
    for broken in [
        format!("ftp://user:{SECRET}@h/x"),
        format!("http://user:{SECRET}@h/x?y"),
        format!("http://user:{SECRET}@[::x/"),
    ] {
        let run = site.run(command(&site, "bootstrap", &broken, &[])).ended_with(2);
        assert_secret(&run);
    }
    let good = address(&site);
    for fault in [
        Fault::Status(404),
        Fault::Status(500),
        Fault::Redirect("file:///x".into()),
        Fault::Truncate(1),
        Fault::Replace(b"x".to_vec()),
        Fault::Raw(b"x".to_vec()),
    ] {
        site.mirror().behave();
        site.mirror().always(IN_RELEASE, fault.clone());
        site.mirror().always("dists/tiny/Release", fault.clone());
        let run = site.run(command(&site, "bootstrap", &good, &["--verbose"]));
        assert!(matches!(run.code, Some(4 | 5)), "{fault:?}: {run:?}");
        assert_secret(&run);
    }
    site.mirror().behave();
    site.mirror()
        .always(&deb("hello", "1.0"), Fault::Replace(b"x".to_vec()));
    assert_secret(
        &site
            .run(command(&site, "bootstrap", &good, &["--json"]))
            .ended_with(5),
    );
}

fn in_the_log() {
    let site = site();
    let trace = site.door().path("trace.json");
    let good = address(&site);
    for options in [&["--verbose"][..], &["--json"]] {
        let mut command = command(&site, "resolve", &good, options);
        command.arg("--trace").arg(&trace);
        assert_secret(&site.run(command).succeeded());
        let text = fs::read_to_string(&trace).expect("a trace");
        assert!(!text.contains(SECRET), "{text}");
    }
}

/// No file below a directory has the password in its name or its bytes.
#[track_caller]
fn assert_nowhere(directory: &Path) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        assert!(!path.to_string_lossy().contains(SECRET), "{}", path.display());
        let kind = fs::symlink_metadata(&path).expect("it is there").file_type();
        if kind.is_dir() {
            assert_nowhere(&path);
        } else if kind.is_file() {
            let bytes = fs::read(&path).expect("a file");
            let found = bytes
                .windows(SECRET.len())
                .any(|window| window == SECRET.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

fn in_the_root_and_the_cache() {
    let site = site();
    let run = site
        .run(command(&site, "bootstrap", &address(&site), &["--verbose"]))
        .succeeded();
    assert_secret(&run);
    assert_nowhere(&site.door().path("cache"));
    assert_nowhere(&site.door().target());
}
