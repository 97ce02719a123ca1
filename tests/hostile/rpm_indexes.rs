//! XML and YAML of an RPM repository that are made to use up whoever reads them, by somebody who can sign.

use std::time::{Duration, Instant};

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm_repo::RpmRepo;

use crate::site::{REPOMD, Site, rpm, rpm_files, rpms};

pub const CASES: &[Case] = cases![
    Nothing: a_billion_laughs, an_entity_of_a_file, elements_inside_elements, a_tag_of_megabytes, a_text_of_megabytes,
        anchors_and_aliases, values_inside_values, a_compressed_bomb, a_location_that_climbs, a_count_that_is_a_lie;
];

const SOON: Duration = Duration::from_secs(60);

fn repository() -> RpmRepo {
    rpms(&[rpm("1.0-1")])
}

/// The repository is refused, soon.
#[track_caller]
fn refused(repository: &RpmRepo, words: &[&str]) {
    let begin = Instant::now();
    Site::rpm(repository).rpm_refused(5, words);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

/// Each place where there is XML: a name for messages, and the repository with this text in its place.
fn everywhere(text: impl Fn(&str) -> String) -> Vec<(&'static str, RpmRepo)> {
    vec![
        (
            "repomd.xml",
            repository().file("repodata/repomd.xml", text("repomd")),
        ),
        ("primary.xml", repository().primary(text("metadata"))),
        ("comps.xml", repository().groups(&text("comps"))),
    ]
}

/// Entities that double and double.
fn laughs(root: &str, inside: &str) -> String {
    let entities: String = (1..30)
        .map(|number| {
            let before = number - 1;
            format!("<!ENTITY l{number} \"&l{before};&l{before};&l{before};&l{before};\">\n")
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE {root} [<!ENTITY l0 \"ha\">\n{entities}]>\n<{root}>{inside}</{root}>\n"
    )
}

fn a_billion_laughs() {
    for (name, repository) in everywhere(|root| laughs(root, "<x>&l29;</x>")) {
        refused(&repository, &[name, "an entity is not known"]);
    }
    // In an attribute.
    let text = laughs("repomd", "<data type=\"&l29;\"></data>");
    refused(&repository().file("repodata/repomd.xml", text), &["repomd.xml"]);
}

/// An entity that stands for a file of this host, or for one of another.
fn an_entity_of_a_file() {
    for system in ["file:///etc/passwd", "http://127.0.0.1:1/x"] {
        for (name, repository) in everywhere(|root| {
            format!(
                "<?xml version=\"1.0\"?>\n<!DOCTYPE {root} [<!ENTITY x SYSTEM \"{system}\"> <!ENTITY % y SYSTEM \
                 \"{system}\"> %y;]>\n<{root}><name>&x;</name></{root}>\n"
            )
        }) {
            refused(&repository, &[name]);
        }
    }
}

fn elements_inside_elements() {
    for (name, repository) in everywhere(|root| {
        format!(
            "<{root}>{}{}</{root}>",
            "<x>".repeat(100_000),
            "</x>".repeat(100_000)
        )
    }) {
        refused(&repository, &[name, "too deep"]);
    }
}

fn a_tag_of_megabytes() {
    for (name, repository) in
        everywhere(|root| format!("<{root}><data type=\"{}\"/></{root}>", "x".repeat(5 << 20)))
    {
        refused(&repository, &[name]);
    }
    for (name, repository) in everywhere(|root| format!("<{root}><!-- {} --></{root}>", "x".repeat(5 << 20)))
    {
        refused(&repository, &[name]);
    }
}

fn a_text_of_megabytes() {
    for (name, repository) in
        everywhere(|root| format!("<{root}><name>{}</name></{root}>", "x".repeat(3 << 20)))
    {
        refused(&repository, &[name, "a text is too long"]);
    }
}

/// A YAML text that doubles and doubles where aliases are followed.
fn anchors_and_aliases() {
    let mut text = String::from("---\na0: &a0 [x, x, x, x]\n");
    for number in 1..40 {
        let before = number - 1;
        text += &format!("a{number}: &a{number} [*a{before}, *a{before}, *a{before}, *a{before}]\n");
    }
    refused(&repository().modules(&text), &["modules.yaml", "alias"]);
    // An anchor inside itself.
    refused(
        &repository().modules("---\na: &a [*a]\n"),
        &["modules.yaml", "alias"],
    );
}

fn values_inside_values() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!("---\nx: {}1{}\n", open.repeat(20_000), close.repeat(20_000));
        refused(&repository().modules(&text), &["modules.yaml"]);
    }
    let text = format!("---\nx:\n  {}1\n", "- ".repeat(2000));
    refused(
        &repository().modules(&text),
        &["modules.yaml", "too deep inside each other"],
    );
}

/// Gigabytes of white space in a few megabytes.
fn a_compressed_bomb() {
    let text = format!("<comps>{}</comps>", " ".repeat(64 << 20));
    for repository in [
        repository().groups(&text),
        repository().primary(text.replace("comps", "metadata")),
    ] {
        refused(&repository, &["more than 4194304 bytes"]);
    }
}

/// repomd.xml says that its files are elsewhere.
fn a_location_that_climbs() {
    let text = rpm_files(&repository())[REPOMD].clone();
    let text = String::from_utf8(text).expect("a text");
    for (location, code) in [
        ("../../etc/passwd", 5),
        ("/etc/passwd", 4),
        ("http://127.0.0.1:1/x", 4),
        ("file:///etc/passwd", 4),
        ("..%2f..%2fetc/passwd", 4),
        ("repodata/&#10;x", 5),
    ] {
        let place = text.find("href=\"").expect("a location") + 6;
        let end = place + text[place..].find('"').expect("its end");
        let changed = format!("{}{location}{}", &text[..place], &text[end..]);
        let site = Site::rpm(&repository().file("repodata/repomd.xml", changed));
        let run = site.rpm_bootstrap(&[]);
        assert_eq!(run.code, Some(code), "{location}: {run:?}");
        run.failed(code, &[]);
        for request in site.mirror().requests() {
            assert!(request.target.starts_with("/repo/"), "{request:?}");
        }
    }
}

/// primary.xml says how many packages it has, which nobody should believe.
fn a_count_that_is_a_lie() {
    let honest = repository();
    for count in ["0", "18446744073709551615", "-1", "x"] {
        let text = honest
            .primary_text()
            .replace("packages=\"1\"", &format!("packages=\"{count}\""));
        let site = Site::rpm(&honest.clone().primary(text));
        let run = site.run(site.rpm_command("resolve", &site.strict(), &[]));
        assert!(matches!(run.code, Some(0 | 5)), "{count}: {run:?}");
    }
}
