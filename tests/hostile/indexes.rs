use bareroot_testkit::door::SUITE;
use bareroot_testkit::harness::Case;
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::{Compression, base, cases};

use crate::{Ground, evil};

pub const CASES: &[Case] = cases![
    Root: addresses_that_climb;
    Nothing: names_that_climb, a_long_line, a_stanza_without_an_end, many_stanzas_of_nothing,
        numbers_that_are_none;
];

/// A mirror whose index has this stanza for `evil`.
#[track_caller]
fn stanza(text: &str) -> Ground {
    let mut repository = base::repository(SUITE).package(SUITE, "main", &evil());
    for package in repository
        .packages_mut()
        .iter_mut()
        .filter(|package| package.package == "evil")
    {
        package.stanza = text.into();
    }
    Ground::new(&repository)
}

fn fields(name: &str, filename: &str, size: &str) -> String {
    format!(
        "Package: {name}\nVersion: 1\nArchitecture: {}\nFilename: {filename}\nSize: {size}\nSHA256: {}\n",
        base::ARCH,
        "0".repeat(64)
    )
}

fn addresses_that_climb() {
    for path in [
        "../../canary/bird",
        "pool/../../x",
        "/etc/passwd",
        "//host/x",
        "http://elsewhere.invalid/x",
        "pool/%2e%2e/x",
        "",
    ] {
        let ground = stanza(&fields("evil", path, "10"));
        let run = ground.bootstrap();
        assert!(matches!(run.code, Some(4 | 5)), "{path}: {run:?}");
        let asked = ground.door.mirror.requests();
        assert!(
            asked.iter().all(|request| !request.target.contains("..")),
            "{path}: {asked:?}"
        );
    }
}

fn names_that_climb() {
    for name in ["../../evil", "evil/../..", "-evil", "evil evil"] {
        let ground = stanza(&fields(name, "pool/x", "10"));
        let run = ground.door.bootstrap(&["--include", "evil"]);
        ground.assert_unharmed(&run);
        assert!(matches!(run.code, Some(2 | 3 | 5)), "{name}: {run:?}");
    }
}

/// A repository whose only index has this text.
#[track_caller]
fn index(text: Vec<u8>) {
    let suite = Suite {
        compressions: vec![Compression::Zstd],
        listed_only: vec![],
        by_hash: false,
        ..base::suite(SUITE)
    };
    let mut repository = RepoBuilder::new().suite(suite).package(SUITE, "main", &evil());
    repository.packages_mut()[0].stanza = String::from_utf8(text).expect("text");
    Ground::new(&repository).bootstrap().failed(5, &["Packages"]);
}

fn a_long_line() {
    index([b"Package: evil\nDescription: ".to_vec(), vec![b'x'; 20 << 20]].concat());
}

fn a_stanza_without_an_end() {
    let field = format!("X: {}\n", "y".repeat(1 << 16)).into_bytes();
    index([b"Package: evil\n".to_vec(), field.repeat(300)].concat());
}

fn many_stanzas_of_nothing() {
    index(b"Package: evil\n\n".repeat(1 << 16));
}

fn numbers_that_are_none() {
    for size in ["-1", "99999999999999999999999", "0x10", "ten", ""] {
        let ground = stanza(&fields("evil", "pool/x", size));
        let run = ground.bootstrap();
        assert!(matches!(run.code, Some(3..=5)), "{size}: {run:?}");
    }
    // A size that is a number, and no disk has.
    let ground = stanza(&fields("evil", "pool/x", "18446744073709551615"));
    let run = ground.bootstrap();
    assert!(matches!(run.code, Some(4 | 5)), "{run:?}");
}
