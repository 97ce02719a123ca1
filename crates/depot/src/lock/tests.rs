use proptest::prelude::*;

use super::*;
use crate::error::Error;

/// A package of a root of amd64.
pub fn package(name: &str, version: &str, digest: u8) -> Package {
    Package {
        name: name.into(),
        version: version.into(),
        arch: "amd64".into(),
        source: Some(0),
        path: format!("pool/{name}_{version}.deb"),
        base: None,
        size: 10,
        digest: Checksum::Sha256(Digest::new([digest; 32])),
        stage: 0,
        automatic: false,
        multi_arch_same: false,
        replaces: String::new(),
        reason: Reason::Wished,
    }
}

/// A root of amd64.
pub fn root(packages: &[Package]) -> Root {
    Root {
        arch: "amd64".into(),
        epoch: Some(1_700_000_000),
        family: Family::Deb(Deb::default()),
        sources: vec![Source {
            uris: vec!["http://m/debian".into()],
            index: "InRelease".into(),
            sha256: Some(Digest::new([9; 32])),
            date: Some("Sat, 09 Aug 2025 09:00:00 UTC".into()),
            apt: Some("Types: deb\nURIs: http://m/debian\nSuites: tiny\n".into()),
            ..Source::default()
        }],
        packages: packages.to_vec(),
    }
}

fn lock() -> Lock {
    let mut made_from = Meaning::default();
    made_from.set("spec", Some(Value::Text("debian:tiny".into())));
    made_from.set("include", Some(Value::List(vec!["vim".into(), "a\"b".into()])));
    made_from.set("updates", Some(Value::Bool(false)));
    let mut dependency = package("libc6", "2.41-12", 2);
    dependency.stage = 1;
    dependency.automatic = true;
    dependency.multi_arch_same = true;
    dependency.replaces = "libc6-amd64 (<< 2), x\u{7f}\"\\".into();
    dependency.reason = Reason::Dependency {
        of: "vim".into(),
        kind: "Depends".into(),
        relation: "libc6 (>= 2.38)".into(),
    };
    let mut local = package("own", "1", 3);
    local.source = None;
    local.path = "./own.deb".into();
    local.digest = Checksum::Sha512("0a".repeat(64));
    local.reason = Reason::Variant {
        rule: "priority required".into(),
    };
    let rpm = Root {
        arch: "x86_64".into(),
        epoch: None,
        family: Family::Rpm(Rpm {
            releasever: Some("9".into()),
            wishes: vec!["@core".into()],
            local: vec!["./own.rpm".into()],
            modules: vec![Module {
                name: "perl".into(),
                stream: "5.32".into(),
                profiles: vec!["common".into()],
            }],
            groups: vec![Group {
                id: "core".into(),
                name: "Core".into(),
                by_user: true,
                members: vec![("bash".into(), "mandatory".into(), true)],
            }],
            environments: vec![Environment {
                id: "minimal".into(),
                name: "Minimal Install".into(),
                groups: vec![("core".into(), true)],
            }],
        }),
        sources: vec![Source {
            uris: vec!["http://m/el9".into()],
            index: "repomd.xml".into(),
            unsigned: Some("nobody signs it".into()),
            repository: Some(Repository {
                id: "base".into(),
                priority: 99,
                cost: 1000,
                gpgcheck: true,
                of_release: true,
                keys: vec!["file:///k.asc".into()],
            }),
            ..Source::default()
        }],
        packages: vec![Package {
            base: Some("http://other".into()),
            digest: Checksum::Sha1("0a".repeat(20)),
            ..package("bash", "5.2-1", 1)
        }],
    };
    Lock {
        made_from,
        recipe: Some("root.toml".into()),
        roots: vec![root(&[package("a", "1", 1), dependency, local]), rpm],
    }
}

#[test]
fn what_is_written_is_read() {
    let text = render(&lock());
    assert_eq!(parse("bareroot.lock", &text).unwrap(), lock(), "{text}");
    assert_eq!(
        parse("bareroot.lock", &text.replace('\n', "\r\n")).map(|lock| lock.roots.len()),
        Ok(2)
    );
}

#[test]
fn a_package_is_a_line() {
    let before = render(&lock());
    let mut moved = lock();
    moved.roots[0].packages[1].version = "2.41-13".into();
    let after = render(&moved);
    let changed = before.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
    assert_eq!(before.lines().count(), after.lines().count());
    assert_eq!(changed, 2, "the package and the digest of the content");
}

#[test]
fn edits_are_seen() {
    let text = render(&lock());
    for (from, to) in [
        ("2.41-12", "2.41-11"),
        ("size = 10", "size = 11"),
        ("\"vim\"", "\"vi\""),
    ] {
        let edited = text.replacen(from, to, 1);
        assert!(matches!(parse("x", &edited), Err(Error::Edited { .. })), "{from}");
    }
    let cut: String = text.lines().take(9).map(|line| format!("{line}\n")).collect();
    assert!(matches!(parse("x", &cut), Err(Error::Edited { .. })));
}

#[test]
fn other_versions_are_named() {
    for text in [
        "version = 2\nanything at all",
        "# a\n# b\nversion = 2\ncontent = \"x\"\n[[[",
    ] {
        match parse("x", text) {
            Err(Error::Version { found, expected, .. }) => assert_eq!((found, expected), (2, VERSION)),
            other => panic!("{other:?}"),
        }
    }
    for text in ["", "version = x\n", "hello\n", "[root]\nversion = 1\n"] {
        assert!(matches!(parse("x", text), Err(Error::Malformed { .. })), "{text}");
    }
}

/// A text whose content is changed and sealed again, as an honest tool with a defect would write it.
fn resealed(change: impl FnOnce(&str) -> String) -> Result<Lock, Error> {
    let text = render(&lock());
    let (_, content) = text.split_once("content = ").unwrap();
    let (_, content) = content.split_once('\n').unwrap();
    let content = change(content);
    parse(
        "x",
        &format!(
            "version = 1\ncontent = \"{}\"\n{content}",
            write::digest(&content)
        ),
    )
}

#[test]
fn what_makes_no_sense_is_named() {
    assert!(resealed(str::to_owned).is_ok());
    for (from, to, words) in [
        ("source = 0", "source = 7", "a source that there is not"),
        ("why = [\"wished\"]", "why = []", "no reason"),
        ("stage = 1", "stage = 2", "stage 2"),
        ("updates = false", "updates = true", "meaning"),
        ("arch = \"x86_64\"", "arch = \"amd64\"", "twice"),
        ("[root.deb]", "[root.dep]", "unknown field"),
        ("size = 10", "size = -1", "line"),
        ("priority = 99\n", "", "needs id"),
    ] {
        match resealed(|content| content.replacen(from, to, 1)) {
            Err(Error::Malformed { reason, .. }) => assert!(reason.contains(words), "{from}: {reason}"),
            other => panic!("{from}: {other:?}"),
        }
    }
    let cut = resealed(|content| content.replacen("sha1 = \"0a", "sha1 = \"0", 1));
    assert!(matches!(cut, Err(Error::Malformed { .. })), "{cut:?}");
}

proptest! {
    #[test]
    fn any_text_comes_back(version in "\\PC*|[\\x00-\\x7f]*", apt in "[\\x09\\x0a\\x20-\\x7e]*") {
        let mut lock = lock();
        lock.roots[0].packages[0].version = version;
        // A multi-line string begins after its first line end.
        lock.roots[0].sources[0].apt = Some(apt);
        prop_assert_eq!(parse("x", &render(&lock)).unwrap(), lock);
    }

    #[test]
    fn no_text_is_fatal(text in "(version = 1\n)?(content = \"x\"\n)?\\PC*") {
        let _ = parse("x", &text);
    }
}
