//! Metadata that is properly signed and means harm.

use std::time::{Duration, Instant};

use bareroot_testkit::door::{self, Run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm_repo::{RpmRepo, comps, group, metalink};
use bareroot_testkit::{Compression, cases, rpm_base};

use crate::{Ground, REPO, repository};

pub const CASES: &[Case] = cases![
    Nothing: entities, many_entities_of_a_metalink, attributes_without_end, nesting_without_end, texts_without_end, no_xml_at_all, cut_off_xml,
        names_that_a_terminal_obeys, numbers_that_are_none, decompression_bombs, damaged_compression, comps_that_lie,
        groups_in_circles, relations_without_end, rich_dependencies_without_end;
    Root: names_that_climb, locations_that_climb, bases_elsewhere, names_of_files_in_the_cache;
];

/// How long anything may take, by a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(60);

#[track_caller]
fn resolve(repository: &RpmRepo) -> Run {
    let ground = Ground::new(repository);
    let begin = Instant::now();
    let run = ground.resolve(&["--include", "evil"]);
    assert!(begin.elapsed() < SOON, "{:?}: {}", begin.elapsed(), run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// A repository whose primary.xml is this.
#[track_caller]
fn primary(text: impl Into<Vec<u8>>) -> Run {
    resolve(&RpmRepo::new().compression(Compression::Zstd).primary(text))
}

/// The element of `evil`, with parts replaced.
fn element(changes: &[(&str, &str)]) -> String {
    let evil = RpmRepo::new().package(&rpm_base::package("evil", "1-1").file("/etc/evil", "x"));
    changes.iter().fold(evil.primary_text(), |text, (from, to)| {
        assert!(text.contains(from), "{from} in {text}");
        text.replacen(from, to, 1)
    })
}

fn entities() {
    let mut bomb = String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE metadata [\n<!ENTITY a0 \"evil\">\n");
    for level in 1..40 {
        let before = format!("&a{};", level - 1).repeat(10);
        bomb += &format!("<!ENTITY a{level} \"{before}\">\n");
    }
    let body = element(&[("<name>evil</name>", "<name>&a39;</name>")]);
    let body = body.split_once('\n').expect("a first line").1.to_owned();
    primary(bomb + "]>\n" + &body).failed(5, &["primary.xml.zst", "is malformed"]);
    // An entity of a file of this host.
    let outside =
        "<?xml version=\"1.0\"?>\n<!DOCTYPE metadata [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n";
    let body = element(&[("<name>evil</name>", "<name>&x;</name>")]);
    let body = body.split_once('\n').expect("a first line").1.to_owned();
    let run = primary(format!("{outside}{body}")).failed(5, &["is malformed"]);
    assert!(!run.stderr.contains("root:"), "{}", run.stderr);
}

fn many_entities_of_a_metalink() {
    let ground = Ground::with(&[]);
    let text = metalink(&[ground.url()], &[b"x"]).replace("/repo/", "/&a;&a;&a;/");
    let head = "<!DOCTYPE metalink [<!ENTITY a \"lol\">]>";
    ground.door.mirror.put("metalink", format!("{head}{text}"));
    let text = format!("[a]\nmetalink={}/metalink\n", ground.door.mirror.url());
    let repo = ground.door.file("a.repo", text);
    door::run(ground.command("resolve", &repo, &["--include", "setup"])).failed(5, &["is malformed"]);
}

fn attributes_without_end() {
    let long = "x".repeat(64 << 20);
    let run = primary(element(&[("ver=\"1\"", &format!("ver=\"{long}\""))]));
    run.failed(5, &["primary.xml.zst", "is malformed"]);
    let many: String = (0..200_000).map(|number| format!(" a{number}=\"x\"")).collect();
    let run = primary(element(&[("<version ", &format!("<version{many} "))]));
    assert!(matches!(run.code, Some(0 | 5)), "{run:?}");
}

fn nesting_without_end() {
    let deep = "<x>".repeat(1 << 20) + &"</x>".repeat(1 << 20);
    let run = primary(element(&[("<format>", &format!("<format>{deep}"))]));
    run.failed(5, &["is malformed"]);
    let run = primary(element(&[(
        "<summary>",
        &format!("<summary>{}", "<y>".repeat(1 << 20)),
    )]));
    run.failed(5, &["is malformed"]);
}

fn texts_without_end() {
    let long = "y".repeat(64 << 20);
    let run = primary(element(&[("<name>evil", &format!("<name>evil{long}"))]));
    run.failed(5, &["is malformed"]);
    // What nobody reads may be long.
    let run = primary(element(&[("A package", &format!("A {long} package"))]));
    assert!(matches!(run.code, Some(0 | 5)), "{run:?}");
}

fn no_xml_at_all() {
    for text in [
        "not XML",
        "<html><body>moved</body></html>",
        "\0\0\0\0",
        "<metadata",
        "<metadata a='>",
    ] {
        primary(text).failed(5, &["primary.xml.zst", "is malformed"]);
    }
    let repository = repository(&[]).file("repodata/repomd.xml", "no <xml");
    resolve(&repository).failed(5, &["repomd.xml of tiny", "is malformed"]);
    let repository = self::repository(&[]).file("repodata/repomd.xml", "");
    resolve(&repository).failed(5, &["repomd.xml of tiny", "is malformed"]);
}

fn cut_off_xml() {
    let whole = element(&[]);
    for part in 1..8 {
        let cut = whole.get(..whole.len() * part / 8).expect("ASCII");
        primary(cut).failed(5, &["is malformed"]);
    }
}

/// Names, versions and paths of an index reach the terminal as text.
fn names_that_a_terminal_obeys() {
    for (from, to) in [
        ("<name>evil<", "<name>evil&#27;[2J&#7;<"),
        ("ver=\"1\"", "ver=\"1&#27;[2J\""),
        ("<arch>", "<arch>\x1b]0;owned\x07"),
        ("href=\"Packages", "href=\"&#27;[2J&#10;error: no"),
    ] {
        let ground = Ground::new(&RpmRepo::new().primary(element(&[(from, to)])));
        for words in [
            &["--include", "evil*"] as &[&str],
            &["--include", "evil"],
            &["--include", "nothing-of-it"],
        ] {
            let run = ground.resolve(words);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(!said.contains(['\x1b', '\x07']), "{to}: {said:?}");
        }
    }
    let text = comps(&[group("core\x1b[2J", "Core\x1b[31m", &[("evil\x1b", "mandatory")])]);
    let ground = Ground::new(&RpmRepo::new().groups(&text));
    let run = ground.resolve(&["--include", "@cor"]);
    assert!(!run.stderr.contains('\x1b'), "{:?}", run.stderr);
}

fn names_that_climb() {
    for name in ["../../evil", "evil/../..", ".."] {
        let text = element(&[("<name>evil<", &format!("<name>{name}<"))]);
        let rpm = rpm_base::package("evil", "1-1").file("/etc/evil", "x");
        let ground = Ground::new(&RpmRepo::new().package(&rpm).primary(text));
        let run = ground.bootstrap(&["--include", name, "--variant", "extract"]);
        assert!(matches!(run.code, Some(2 | 3 | 5)), "{name}: {run:?}");
        ground.door.assert_nothing_left();
    }
}

fn numbers_that_are_none() {
    for (from, to) in [
        ("epoch=\"0\"", "epoch=\"-1\""),
        ("epoch=\"0\"", "epoch=\"99999999999999999999\""),
        ("start=\"", "start=\"-"),
        ("<size package=\"", "<size package=\"9999999999999999999999"),
        ("<size package=\"", "<size package=\"-"),
        ("build=\"", "build=\"x"),
    ] {
        let run = primary(element(&[(from, to)]));
        assert!(matches!(run.code, Some(0 | 5)), "{to}: {run:?}");
    }
}

fn decompression_bombs() {
    // 5 GiB of zeros in zstd blocks of four bytes each.
    let blocks = 5usize << 13;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3];
    for block in 0..blocks {
        let bits = (128u32 << 10) << 3 | 1 << 1 | u32::from(block + 1 == blocks);
        frame.extend(&bits.to_le_bytes()[..3]);
        frame.push(0);
    }
    for (kind, name) in [("primary", "primary.xml.zst"), ("group", "comps.xml.zst")] {
        let base = match kind {
            "primary" => RpmRepo::new().without_primary(),
            _ => RpmRepo::new(),
        };
        resolve(&base.raw_data(kind, name, frame.clone())).failed(5, &[name]);
    }
}

fn damaged_compression() {
    for (name, bytes) in [
        ("primary.xml.gz", b"no gzip".as_slice()),
        ("primary.xml.xz", b"\xfd7zXZ\0no"),
        ("primary.xml.zst", b"\x28\xb5\x2f\xfdno"),
        ("primary.xml.bz2", b"BZh9no"),
    ] {
        let repository = RpmRepo::new().without_primary().raw_data("primary", name, bytes);
        resolve(&repository).failed(5, &[]);
    }
}

/// A repository with `evil` and this comps.xml.
fn with_comps(text: &str) -> RpmRepo {
    RpmRepo::new()
        .package(&rpm_base::package("evil", "1-1"))
        .groups(text)
}

fn comps_that_lie() {
    for text in ["", "no XML", "<html/>", "<comps><group><id>core"] {
        resolve(&with_comps(text)).failed(5, &["comps.xml"]);
    }
    let bomb = "<!DOCTYPE comps [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let text = format!("{bomb}{}", group("&b;", "x", &[])).replace("<group>", "<comps><group>") + "</comps>";
    resolve(&with_comps(&text)).failed(5, &["comps.xml", "is malformed"]);
    let deep = format!("<comps>{}</comps>", "<group>".repeat(1 << 18));
    resolve(&with_comps(&deep)).failed(5, &["comps.xml", "is malformed"]);
}

fn groups_in_circles() {
    use bareroot_testkit::rpm_repo::environment;
    let text = comps(&[
        environment("a", "A", &["a", "b"], &["a"]),
        group(
            "b",
            "B",
            &[
                ("evil", "mandatory"),
                ("@b", "mandatory"),
                ("nothing", "mandatory"),
            ],
        ),
    ]);
    let ground = Ground::new(&with_comps(&text));
    let run = ground.resolve(&["--include", "@a"]);
    assert!(matches!(run.code, Some(0 | 3)), "{run:?}");
}

fn relations_without_end() {
    // A hundred thousand ways to say the same.
    let many: String = (0..100_000)
        .map(|number| format!("<rpm:entry name=\"evil\" flags=\"GE\" epoch=\"0\" ver=\"0.{number}\"/>"))
        .collect();
    let requires = format!("<rpm:requires>{many}</rpm:requires>");
    let run = primary(element(&[(
        "    <rpm:provides>",
        &format!("{requires}<rpm:provides>"),
    )]));
    assert!(matches!(run.code, Some(0 | 3 | 5)), "{run:?}");
}

fn rich_dependencies_without_end() {
    let deep = |depth: usize| format!("{}evil{}", "(".repeat(depth), " or evil)".repeat(depth));
    let names: Vec<String> = (0..4000).map(|number| format!("a{number}")).collect();
    for text in [
        deep(10),
        deep(1000),
        deep(100_000),
        "(".repeat(100_000),
        format!("({})", names.join(" or ")),
    ] {
        let requires = format!("<rpm:requires><rpm:entry name=\"{text}\"/></rpm:requires>");
        let run = primary(element(&[(
            "    <rpm:provides>",
            &format!("{requires}<rpm:provides>"),
        )]));
        assert!(matches!(run.code, Some(0 | 3 | 5)), "{run:?}");
    }
}

/// A mirror of the base and `evil`, whose element has other words.
#[track_caller]
fn bootstrap(from: &str, to: &str) -> (Ground, Run) {
    let mut repository = repository(&[rpm_base::package("evil", "1-1").file("/usr/share/evil", "x")]);
    for package in repository
        .packages_mut()
        .iter_mut()
        .filter(|package| package.name == "evil")
    {
        assert!(package.primary.contains(from));
        package.primary = package.primary.replacen(from, to, 1);
    }
    let ground = Ground::new(&repository);
    let run = ground.bootstrap(&["--include", "evil", "--variant", "extract"]);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    (ground, run)
}

fn locations_that_climb() {
    for location in [
        "../../canary/bird",
        "Packages/../../x",
        "/etc/passwd",
        "//host.invalid/x",
        "http://elsewhere.invalid/x",
        "file:///etc/passwd",
        "Packages/%2e%2e/x",
        "Packages/x?y#z",
        ".",
    ] {
        let (ground, run) = bootstrap("href=\"Packages/", &format!("href=\"{location}"));
        assert!(matches!(run.code, Some(4 | 5)), "{location}: {run:?}");
        let asked = ground.door.mirror.requests();
        assert!(
            asked.iter().all(|request| !request.target.contains("..")),
            "{location}: {asked:?}"
        );
        ground.door.assert_nothing_left();
    }
}

fn bases_elsewhere() {
    for base in [
        "file:///etc",
        "ftp://elsewhere.invalid/",
        "gopher:x",
        "not a URL",
        "http://[::bad/",
        "http://127.0.0.1:1/x",
    ] {
        let (ground, run) = bootstrap("<location ", &format!("<location xml:base=\"{base}\" "));
        assert!(matches!(run.code, Some(2 | 4 | 5)), "{base}: {run:?}");
        ground.door.assert_nothing_left();
    }
}

/// What an index calls a package names no file beside the cache's own.
fn names_of_files_in_the_cache() {
    let digest = "../../../../canary";
    let text = repository(&[]).primary_text();
    let start = text.find("pkgid=\"YES\">").expect("a checksum") + 12;
    let mut lying = text.clone();
    lying.replace_range(start..start + 64, digest);
    let ground = Ground::over(repository(&[]).primary(lying).files(REPO, Some(signer())));
    ground
        .bootstrap(&["--include", "setup", "--variant", "extract"])
        .failed(5, &[]);
    assert!(!ground.door.path("canary").exists());
    ground.door.assert_nothing_left();
}
