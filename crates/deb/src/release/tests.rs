use std::time::{Duration, SystemTime};

use bareroot_model::{Class, Classified};

use super::*;

const SECURITY: &str = "\
Origin: Debian
Label: Debian-Security
Suite: stable-security
Version: 13
Codename: trixie-security
Date: Sat, 21 Nov 2026 00:53:03 UTC
Valid-Until: Sat, 28 Nov 2026 00:53:03 UTC
Acquire-By-Hash: yes
Architectures: amd64 arm64
Components: updates/main updates/contrib
Description: Debian 13 - Security Updates
MD5Sum:
 d41d8cd98f00b204e9800998ecf8427e 0 main/binary-amd64/Packages
SHA256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855        0 contrib/binary-amd64/Packages
 1111111111111111111111111111111111111111111111111111111111111111  1234567 main/binary-amd64/Packages
 2222222222222222222222222222222222222222222222222222222222222222   234567 main/binary-amd64/Packages.xz
 3333333333333333333333333333333333333333333333333333333333333333   345678 ./main/binary-amd64/Packages.gz
";

fn parse(text: &str) -> Result<Release, Error> {
    Release::parse("http://mirror.example/dists/x/InRelease", text.as_bytes())
}

fn at(text: &str) -> Dates {
    Dates::strict(parse_date(text).unwrap())
}

#[test]
fn a_security_suite() {
    let release = parse(SECURITY).unwrap();
    assert_eq!(
        (release.suite.as_str(), release.codename.as_str()),
        ("stable-security", "trixie-security")
    );
    assert!(release.acquire_by_hash && !release.no_support_for_all && !release.has_index_of_all());
    assert!(release.has_component("main") && release.has_component("updates/main"));
    assert!(!release.has_component("updates") && !release.has_component("non-free"));
    assert!(release.has_architecture("arm64") && !release.has_architecture("i386"));
    for component in ["main", "updates/main"] {
        let found = release.packages(component, "amd64");
        let seen: Vec<_> = found
            .iter()
            .map(|c| (c.path, c.extension, c.listed.size))
            .collect();
        assert_eq!(
            seen,
            [
                ("main/binary-amd64/Packages.xz", ".xz", 234567),
                ("main/binary-amd64/Packages.gz", ".gz", 345678),
                ("main/binary-amd64/Packages", "", 1234567),
            ]
        );
        assert_eq!(
            found[0].by_hash(),
            format!("main/binary-amd64/by-hash/SHA256/{}", "2".repeat(64))
        );
    }
    assert!(release.packages("main", "arm64").is_empty());
    assert_eq!(release.packages("contrib", "amd64")[0].listed.size, 0);
}

#[test]
fn suites() {
    let release = |suite: &str, codename: &str| Release {
        suite: suite.to_owned(),
        codename: codename.to_owned(),
        ..Release::default()
    };
    for (asked, suite, codename, fits) in [
        ("trixie", "stable", "trixie", true),
        ("stable", "stable", "trixie", true),
        ("testing", "stable", "trixie", false),
        ("trixie-security", "stable-security", "trixie-security", true),
        ("trixie", "stable-security", "trixie-security", false),
        ("buster/updates", "oldoldstable", "buster", true),
        ("buster/updates", "oldstable", "bullseye", false),
        ("../project/experimental", "experimental", "rc-buggy", true),
        ("noble-updates", "noble-updates", "noble", true),
        ("./", "", "", true),
        ("some/where/", "stable", "trixie", true),
        ("/", "stable", "trixie", true),
    ] {
        assert_eq!(
            release(suite, codename).is_suite(asked),
            fits,
            "{asked} {suite} {codename}"
        );
    }
}

#[test]
fn a_wrong_suite_and_one_that_is_not_named() {
    let dates = at("Sat, 21 Nov 2026 01:00:00 UTC");
    let error = parse(SECURITY).unwrap().check("trixie", &dates).unwrap_err();
    assert_eq!(error.class(), Class::Trust);
    for part in [
        "http://mirror.example/",
        "`trixie`",
        "`stable-security`",
        "`trixie-security`",
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let nameless = SECURITY
        .replace("Suite:", "X-Suite:")
        .replace("Codename:", "X-Codename:");
    let warnings = parse(&nameless).unwrap().check("trixie", &dates).unwrap();
    assert!(
        warnings.len() == 1 && warnings[0].contains("`trixie`"),
        "{warnings:?}"
    );
}

#[test]
fn dates() {
    let release = parse(SECURITY).unwrap();
    let check = |dates: &Dates| release.check("trixie-security", dates);
    for good in [
        "Sat, 21 Nov 2026 00:52:53 UTC",
        "Sat, 21 Nov 2026 00:53:03 UTC",
        "Sat, 28 Nov 2026 00:53:03 UTC",
    ] {
        assert_eq!(check(&at(good)).unwrap(), [""; 0], "{good}");
    }
    let (early, late) = (
        at("Sat, 21 Nov 2026 00:52:52 UTC"),
        at("Sat, 28 Nov 2026 00:53:04 UTC"),
    );
    assert!(matches!(check(&early), Err(Error::ReleaseFuture { .. })));
    let error = check(&late).unwrap_err();
    assert!(matches!(error, Error::ReleaseExpired { .. }));
    assert!(
        error.to_string().contains("Sat, 28 Nov 2026 00:53:03 UTC"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--no-check-valid-until"));

    assert_eq!(
        check(&Dates {
            future: Response::Warn,
            ..early
        })
        .unwrap()
        .len(),
        1
    );
    assert_eq!(
        check(&Dates {
            expired: Response::Warn,
            ..late
        })
        .unwrap()
        .len(),
        1
    );
    let day = |days: u64| Some(Duration::from_secs(days * 86400));
    assert!(
        check(&Dates {
            min_age: day(8),
            ..late
        })
        .is_ok()
    );
    let soon = at("Tue, 24 Nov 2026 00:00:00 UTC");
    assert!(
        check(&Dates {
            max_age: day(8),
            ..soon
        })
        .is_ok()
    );
    assert!(matches!(
        check(&Dates {
            max_age: day(2),
            ..soon
        }),
        Err(Error::ReleaseExpired { .. })
    ));

    let dateless = parse(&SECURITY.replace("Date:", "X:")).unwrap();
    assert_eq!(dateless.check("trixie-security", &soon).unwrap().len(), 1);
    let far = Dates::strict(SystemTime::UNIX_EPOCH + Duration::from_secs(u32::MAX.into()));
    assert!(matches!(check(&far), Err(Error::ReleaseExpired { .. })));
}

#[test]
fn what_is_refused() {
    let digest = "4".repeat(64);
    let with = |line: &str| format!("{SECURITY} {line}\n");
    for (text, part) in [
        (String::new(), "empty"),
        ("nonsense".to_owned(), "line 1"),
        (SECURITY.split("SHA256").next().unwrap().to_owned(), "no SHA256"),
        (SECURITY.replace("Valid-Until: Sat, ", "Valid-Until: "), ""),
        (
            SECURITY.replace("Valid-Until: Sat, 28", "Valid-Until: tomorrow"),
            "`Valid-Until`",
        ),
        (with(&digest), "not a digest, a size and a path"),
        (
            with(&format!("{digest} 12 a b")),
            "not a digest, a size and a path",
        ),
        (with(&format!("{digest} -1 a")), "size"),
        (with(&format!("{digest} +1 a")), "size"),
        (with(&format!("{digest} 99999999999999999999999 a")), "size"),
        (with(&format!("{} 1 a", "4".repeat(40))), "digest"),
        (with(&format!("{digest} 1 ../a")), "`..`"),
        (with(&format!("{digest} 1 a/../../b")), "`..`"),
        (with(&format!("{digest} 1 /etc/passwd")), "absolute"),
        (with(&format!("{digest} 1 a\\b")), "character"),
        (with(&format!("{digest} 1 .")), "empty"),
        (
            with(&format!("{digest} 1 main/binary-amd64/Packages.xz")),
            "something else",
        ),
        (
            format!(
                "{SECURITY}SHA512:\n {} 1 main/binary-amd64/Packages.xz\n",
                "5".repeat(128)
            ),
            "something else",
        ),
    ] {
        match parse(&text) {
            Ok(_) => assert!(part.is_empty(), "{part}: taken\n{text}"),
            Err(error) => {
                assert!(
                    !part.is_empty() && error.to_string().contains(part),
                    "{part}: {error}"
                );
                assert_eq!(error.class(), Class::Trust);
            }
        }
    }
}

#[test]
fn both_digests_and_an_index_of_all() {
    let text = format!(
        "Suite: x\nArchitectures: all amd64\nDate: Sat, 21 Nov 2026 00:53:03 UTC\n\
         SHA256:\n {} 5 Packages.gz\nSHA512:\n {} 5 Packages.gz\n",
        "a".repeat(64),
        "b".repeat(128)
    );
    let release = parse(&text).unwrap();
    assert!(release.has_index_of_all() && release.has_component("anything"));
    let [candidate] = &release.flat_packages()[..] else {
        panic!("one form")
    };
    assert_eq!(candidate.by_hash(), format!("by-hash/SHA512/{}", "b".repeat(128)));
    assert_eq!(candidate.listed.sha256.unwrap().to_string(), "a".repeat(64));
    let expected = candidate.listed.expected().unwrap();
    assert_eq!(
        (expected.size(), expected.sha256()),
        (Some(5), candidate.listed.sha256)
    );
    assert!(
        !parse(&format!("No-Support-for-Architecture-all: Packages\n{text}"))
            .unwrap()
            .has_index_of_all()
    );
}
