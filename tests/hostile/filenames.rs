//! Where an index says that a package is: below its mirror, and nowhere else.

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Mirror;

use crate::site::{Site, deb, hello, repository, rpm, rpms};

pub const CASES: &[Case] = cases![
    Nothing: a_name_that_climbs, a_name_with_a_line_end, an_empty_name;
    Root: a_name_that_climbs_in_code, an_absolute_name, a_name_of_another_host, backslashes, a_name_for_the_shell,
        an_rpm_that_climbs, an_rpm_of_another_host, an_rpm_with_another_base;
];

/// A mirror whose index says that hello is there.
fn site(filename: &str) -> Site {
    let mut repository = repository(&[hello("1.0")]);
    let stanza = &mut repository.packages_mut()[0].stanza;
    let own = format!("Filename: {}\n", deb("hello", "1.0"));
    assert!(stanza.contains(&own), "{stanza}");
    *stanza = stanza.replace(&own, &format!("Filename: {filename}\n"));
    Site::new(&repository)
}

/// Nothing was asked for that a server could read as a place above the mirror, or as more than one line.
#[track_caller]
fn assert_asked_below(site: &Site) {
    for request in site.mirror().requests() {
        let target = &request.target;
        assert!(
            target.starts_with('/') && target.bytes().all(|byte| (0x21..0x7f).contains(&byte)),
            "{target}"
        );
        let target = target.to_ascii_lowercase();
        let decoded = target.replace("%2e", ".").replace("%2f", "/");
        assert!(decoded.split('/').all(|part| part != ".."), "{target} climbs");
        assert_eq!(request.header("x-evil"), None);
    }
}

/// Whatever comes of a name, it is an error of the index or a file that is not there.
#[track_caller]
fn refused(filename: &str, code: i32) {
    let site = site(filename);
    let run = site.bootstrap(&[]);
    assert_eq!(run.code, Some(code), "{filename:?}: {run:?}");
    run.failed(code, &[]);
    assert_asked_below(&site);
}

fn a_name_that_climbs() {
    for name in [
        "../../etc/passwd",
        "pool/../../x",
        "..",
        "pool/..",
        "./../x",
        "a/./../../b",
    ] {
        refused(name, 5);
    }
}

/// A percent sign in an index is a percent sign: nothing decodes it on this side, nor lets a server do it.
fn a_name_that_climbs_in_code() {
    for name in [
        "%2e%2e/%2e%2e/x",
        "pool/%2E%2E/x",
        "pool/..%2f..%2fx",
        "pool%2f..%2f..%2fx",
        "pool/%00x",
        "pool/x%0d%0aX-Evil:%20yes",
        "pool/%252e%252e/x",
        "pool/%c0%ae%c0%ae/x",
    ] {
        refused(name, 4);
    }
}

fn an_absolute_name() {
    for name in ["/etc/passwd", "//127.0.0.1/x", "///x"] {
        let site = site(name);
        let run = site.bootstrap(&[]);
        assert!(matches!(run.code, Some(4 | 5)), "{name}: {run:?}");
        assert_asked_below(&site);
    }
}

/// An address in the place of a path is a path.
fn a_name_of_another_host() {
    let other = Mirror::serve([("x", "dead")]).expect("a listening socket");
    for name in [
        format!("{}/x", other.url()),
        format!("//{}/x", other.address()),
        format!("@{}/x", other.address()),
        "file:///etc/passwd".into(),
        "file:/etc/passwd".into(),
    ] {
        let site = site(&name);
        let run = site.bootstrap(&[]);
        assert!(matches!(run.code, Some(4 | 5)), "{name}: {run:?}");
        assert_asked_below(&site);
    }
    assert_eq!(other.connections(), 0);
}

fn backslashes() {
    for name in [
        "pool\\..\\..\\x",
        "..\\..\\etc\\passwd",
        "\\\\host\\share\\x",
        "pool/\\../x",
    ] {
        refused(name, 5);
    }
}

fn a_name_with_a_line_end() {
    for name in [
        "pool/x\n X-Evil: yes",
        "pool/x\n .\n y",
        "pool/x\ry",
        "pool/x\ty",
        "pool/\u{1b}[2Jx",
        "pool/x\u{7f}",
    ] {
        refused(name, 5);
    }
}

fn an_empty_name() {
    for name in ["", ".", "./", "/"] {
        let site = site(name);
        let run = site.bootstrap(&[]);
        assert!(matches!(run.code, Some(3 | 5)), "{name:?}: {run:?}");
        assert_asked_below(&site);
    }
}

fn a_name_for_the_shell() {
    for name in [
        "pool/$(id)",
        "pool/`id`",
        "pool/;id",
        "-rf",
        "pool/x y",
        "pool/x?y#z",
        "pool/*",
    ] {
        refused(name, 4);
    }
}

/// A mirror whose primary.xml says that hello is there.
fn rpm_site(location: &str) -> Site {
    let mut repository = rpms(&[rpm("1.0-1")]);
    let package = &mut repository.packages_mut()[0];
    let own = format!("<location href=\"{}\"/>", package.path);
    assert!(package.primary.contains(&own), "{}", package.primary);
    package.primary = package.primary.replace(&own, &format!("<location {location}/>"));
    Site::rpm(&repository)
}

fn an_rpm_that_climbs() {
    for (path, code) in [
        ("../../etc/passwd", 5),
        ("Packages/../../x", 5),
        ("%2e%2e/%2e%2e/x", 4),
        ("Packages/..%2fx", 4),
        ("..\\x", 4),
        ("Packages/x&#10;X-Evil: yes", 5),
        ("Packages/&#27;[2Jx", 5),
    ] {
        let site = rpm_site(&format!("href=\"{path}\""));
        let run = site.rpm_bootstrap(&[]);
        assert_eq!(run.code, Some(code), "{path}: {run:?}");
        run.failed(code, &[]);
        assert_asked_below(&site);
    }
}

fn an_rpm_of_another_host() {
    let other = Mirror::serve([("x", "dead")]).expect("a listening socket");
    for path in [
        format!("{}/x", other.url()),
        format!("//{}/x", other.address()),
        "file:///etc/passwd".into(),
        "/etc/passwd".into(),
    ] {
        let site = rpm_site(&format!("href=\"{path}\""));
        let run = site.rpm_bootstrap(&[]);
        assert!(matches!(run.code, Some(4 | 5)), "{path}: {run:?}");
        assert_asked_below(&site);
    }
    assert_eq!(other.connections(), 0);
}

/// The metadata may say that a package is below another address (`xml:base`), of a network alone. What is there is held
/// against the digest.
fn an_rpm_with_another_base() {
    for base in [
        "file:///etc",
        "copy:///etc",
        "ftp://127.0.0.1/",
        "/etc",
        "..",
        "gopher://h/",
    ] {
        let site = rpm_site(&format!("xml:base=\"{base}\" href=\"passwd\""));
        let run = site.rpm_bootstrap(&[]);
        assert_eq!(run.code, Some(5), "{base}: {run:?}");
    }
    let other = Mirror::serve([("there/x", "dead".repeat(1000))]).expect("a listening socket");
    let site = rpm_site(&format!("xml:base=\"{}/there\" href=\"x\"", other.url()));
    site.rpm_refused(5, &["is not what its index promises"]);
    assert_eq!(other.count("there/x"), 1);
    let asked = other.requests();
    assert!(
        asked
            .iter()
            .all(|request| request.header("authorization").is_none()),
        "{asked:?}"
    );
}
