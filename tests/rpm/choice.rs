//! Which packages, which of their files, and from where.

use bareroot_testkit::door::{self, Run, is_there, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::{Item, Kind, RpmBuilder};
use bareroot_testkit::rpm_repo::{RpmRepo, environment, group};
use bareroot_testkit::{Compression, cases, rpm_base};

use crate::Ground;

pub const CASES: &[Case] = cases![
    Nothing: groups_by_id_and_name, environments_by_id_and_name, optional_packages, weak_dependencies, exclusions, versions_and_architectures,
        paths_and_provides, rich_dependencies, obsoletes, priorities, costs, of_two_versions_the_newer, excluded_by_the_repository,
        releasever_and_other_variables, every_compression_of_metadata, files_that_only_filelists_know, resolve_as_json, resolve_why,
        disabled_repositories, module_streams;
    Root: without_documents, languages, path_filters, colours, an_old_and_a_new_name_of_a_directory;
];

/// The names that a solution has, of those packages that are not the base's.
#[track_caller]
fn names(run: Run) -> Vec<String> {
    let run = run.succeeded();
    let base = ["setup", "filesystem", "sh", "tiny-release"];
    let words = run
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let last = run.stdout.lines().count().saturating_sub(1);
    words
        .take(last)
        .filter(|name| !base.contains(name))
        .map(str::to_owned)
        .collect()
}

fn plain(name: &str) -> RpmBuilder {
    rpm_base::package(name, "1-1")
}

fn with_groups(packages: &[RpmBuilder], parts: &[String]) -> Ground {
    Ground::new(
        &packages
            .iter()
            .fold(rpm_base::with_groups(parts), RpmRepo::package),
    )
}

/// A group with a package of each type, and an environment with it.
fn grouped() -> Ground {
    let group = group(
        "tools",
        "Useful Tools",
        &[
            ("must", "mandatory"),
            ("should", "default"),
            ("may", "optional"),
            ("gone", "mandatory"),
        ],
    );
    let other = self::group("extra", "Extra", &[("extra", "mandatory")]);
    let environment = environment("work-environment", "Work Station", &["tools"], &["extra"]);
    with_groups(
        &["must", "should", "may", "extra"].map(plain),
        &[group, other, environment],
    )
}

fn groups_by_id_and_name() {
    let ground = grouped();
    for wish in ["@tools", "@Useful Tools", "@useful tools"] {
        assert_eq!(
            names(ground.resolve(&["--include", wish])),
            ["must", "should"],
            "{wish}"
        );
    }
}

fn environments_by_id_and_name() {
    let ground = grouped();
    for wish in ["@work-environment", "@Work Station"] {
        assert_eq!(
            names(ground.resolve(&["--include", wish])),
            ["must", "should"],
            "{wish}"
        );
    }
    let base = names(ground.resolve(&["--include", "@Minimal Install"]));
    assert_eq!(base, Vec::<String>::new());
}

fn optional_packages() {
    let ground = grouped();
    let found = names(ground.resolve(&["--include", "@tools", "--with-optional"]));
    assert_eq!(found, ["may", "must", "should"]);
}

fn weak_dependencies() {
    let ground = Ground::with(&[
        plain("a")
            .dependency(Kind::Recommends, "recommended", 0)
            .dependency(Kind::Recommends, "nowhere", 0)
            .dependency(Kind::Suggests, "suggested", 0),
        plain("recommended"),
        plain("suggested"),
        plain("supplement").dependency(Kind::Supplements, "a", 0),
        plain("enhancement").dependency(Kind::Enhances, "a", 0),
    ]);
    assert_eq!(
        names(ground.resolve(&["--include", "a"])),
        ["a", "recommended", "supplement"]
    );
    assert_eq!(
        names(ground.resolve(&["--include", "a", "--no-recommends"])),
        ["a"]
    );
    let excluded = ["--include", "a", "--exclude", "recommended"];
    assert_eq!(names(ground.resolve(&excluded)), ["a", "supplement"]);
}

fn exclusions() {
    let ground = Ground::with(&[
        plain("a").requires("engine"),
        plain("b-engine").provides("engine"),
        plain("c-engine").provides("engine"),
    ]);
    assert_eq!(names(ground.resolve(&["--include", "a"])), ["a", "b-engine"]);
    let excluded = ["--include", "a", "--exclude", "b-*"];
    assert_eq!(names(ground.resolve(&excluded)), ["a", "c-engine"]);
    ground
        .resolve(&["--include", "a", "--exclude", "*-engine"])
        .failed(3, &["a-1-1", "engine"]);
}

fn versions_and_architectures() {
    let ground = Ground::with(&[
        rpm_base::package("a", "1-1"),
        rpm_base::package("a", "1:0.5-1"),
        rpm_base::package("a", "1:0.5~rc1-1"),
        RpmBuilder::new("a", "9-1", "s390x"),
        RpmBuilder::new("b", "1-1", "noarch"),
    ]);
    let version = |wish: &str| {
        let run = ground.resolve(&["--include", wish]).succeeded();
        let words: Vec<&str> = run
            .stdout
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        words[..3].join(" ")
    };
    let arch = rpm_base::ARCH;
    assert_eq!(version("a"), format!("a 1:0.5-1 {arch}"));
    assert_eq!(version("a-1-1"), format!("a 1-1 {arch}"));
    assert_eq!(version("a-1:0.5~rc1-1"), format!("a 1:0.5~rc1-1 {arch}"));
    assert_eq!(version(&format!("a.{arch}")), format!("a 1:0.5-1 {arch}"));
    assert_eq!(version("b.noarch"), "b 1-1 noarch");
    ground
        .resolve(&["--include", "a.s390x"])
        .failed(3, &["no package matches `a.s390x`"]);
}

fn paths_and_provides() {
    let ground = Ground::with(&[
        plain("tool").file("/usr/bin/tool", "x").provides("tooling = 3"),
        plain("needs").requires("/usr/bin/tool"),
        plain("also").requires("tooling >= 2"),
    ]);
    assert_eq!(names(ground.resolve(&["--include", "/usr/bin/tool"])), ["tool"]);
    assert_eq!(names(ground.resolve(&["--include", "needs"])), ["needs", "tool"]);
    assert_eq!(names(ground.resolve(&["--include", "also"])), ["also", "tool"]);
    assert_eq!(names(ground.resolve(&["--include", "tooling"])), ["tool"]);
}

fn rich_dependencies() {
    let ground = Ground::with(&[
        plain("a").requires("(b if c)"),
        plain("b"),
        plain("c"),
        plain("d").requires("(x or b)"),
        plain("e").requires("(f with g)"),
        plain("f1").provides("f"),
        plain("f2").provides("f").provides("g"),
    ]);
    assert_eq!(names(ground.resolve(&["--include", "a"])), ["a"]);
    assert_eq!(names(ground.resolve(&["--include", "a,c"])), ["a", "b", "c"]);
    assert_eq!(names(ground.resolve(&["--include", "d"])), ["b", "d"]);
    assert_eq!(names(ground.resolve(&["--include", "e"])), ["e", "f2"]);
}

fn obsoletes() {
    let ground = Ground::with(&[
        plain("old"),
        rpm_base::package("new", "2-1")
            .provides("old = 2")
            .dependency(Kind::Obsoletes, "old < 2", 0),
        plain("user").requires("old"),
    ]);
    assert_eq!(names(ground.resolve(&["--include", "user"])), ["new", "user"]);
}

/// Two repositories, each with a package `a` of these versions, and these options.
fn two(versions: [&str; 2], options: [&str; 2]) -> String {
    let repo = |version| RpmRepo::new().package(&rpm_base::package("a", version));
    let mut files = repo(versions[0]).files("one/", Some(signer()));
    files.extend(repo(versions[1]).files("two/", Some(signer())));
    let ground = Ground::over(files);
    let url = ground.door.mirror.url();
    let text = format!(
        "[one]\nbaseurl={url}/one\n{}\n[two]\nbaseurl={url}/two\n{}\n",
        options[0], options[1]
    );
    let file = ground.door.file("two.repo", text);
    door::run(ground.command("resolve", &file, &["--include", "a", "--json"]))
        .succeeded()
        .stdout
}

#[track_caller]
fn from(json: &str, repo: &str, version: &str) {
    assert!(
        json.contains(&format!("/{repo}/Packages/a-")) && json.contains(&format!("\"{version}\"")),
        "{json}"
    );
}

fn priorities() {
    from(&two(["1-1", "2-1"], ["", ""]), "two", "2-1");
    from(&two(["1-1", "2-1"], ["priority=10", ""]), "one", "1-1");
    from(&two(["1-1", "2-1"], ["priority=10", "priority=9"]), "two", "2-1");
}

fn costs() {
    from(&two(["1-1", "1-1"], ["cost=2000", "cost=10"]), "two", "1-1");
    from(&two(["1-1", "1-1"], ["cost=10", "cost=2000"]), "one", "1-1");
}

fn of_two_versions_the_newer() {
    from(&two(["2-1", "1-1"], ["", ""]), "one", "2-1");
    from(&two(["2.10-1", "2.9-1"], ["", ""]), "one", "2.10-1");
    from(&two(["2~rc-1", "2-1"], ["", ""]), "two", "2-1");
    from(&two(["2^git-1", "2-1"], ["", ""]), "one", "2^git-1");
}

fn excluded_by_the_repository() {
    from(&two(["1-1", "2-1"], ["", "excludepkgs=a*"]), "one", "1-1");
    from(&two(["1-1", "2-1"], ["", "includepkgs=b c"]), "one", "1-1");
    from(&two(["1-1", "2-1"], ["", "includepkgs=b,a"]), "two", "2-1");
}

fn disabled_repositories() {
    from(&two(["1-1", "2-1"], ["", "enabled=0"]), "one", "1-1");
}

/// A stream of the module `engine`: its number is its packages' version.
fn stream(number: u32) -> String {
    let arch = rpm_base::ARCH;
    format!(
        "---\ndocument: modulemd\nversion: 2\ndata:\n  name: engine\n  stream: \"{number}\"\n  version: {number}0\n  \
         context: c0ffee{number}\n  arch: {arch}\n  summary: x\n  description: x\n  license:\n    module: [MIT]\n  \
         dependencies:\n  - requires: {{}}\n  profiles:\n    server:\n      rpms: [engine-server]\n  artifacts:\n    rpms:\n    \
         - engine-server-0:{number}-1.{arch}\n    - engine-lib-0:{number}-1.{arch}\n...\n"
    )
}

fn module_streams() {
    const DEFAULTS: &str = "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: engine\n  stream: \"1\"\n  \
                            profiles:\n    \"1\": [server]\n    \"2\": [server]\n...\n";
    let module = |name: &str, number: u32| {
        let label = format!("engine:{number}:{number}0:c0ffee{number}");
        rpm_base::package(name, &format!("{number}-1"))
            .on_header(move |entries| drop(entries.insert(5096, label.as_str().into())))
    };
    let repository = [1, 2].iter().fold(rpm_base::repository(), |repository, number| {
        let server = module("engine-server", *number).requires("engine-lib");
        repository
            .package(&server)
            .package(&module("engine-lib", *number))
    });
    let text = [stream(1), stream(2), DEFAULTS.to_owned()].concat();
    let ground = Ground::new(&repository.modules(&text));
    let versions = |wish: &str| -> Vec<String> {
        let run = ground.resolve(&["--include", wish]).succeeded();
        let own = run.stdout.lines().filter(|line| line.starts_with("engine-"));
        own.map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
            .collect()
    };
    // The stream that is the default hides the newer one, until that one is asked for.
    assert_eq!(versions("engine-server"), ["engine-lib 1-1", "engine-server 1-1"]);
    assert_eq!(versions("@engine"), ["engine-lib 1-1", "engine-server 1-1"]);
    assert_eq!(versions("@engine:2"), ["engine-lib 2-1", "engine-server 2-1"]);
    assert_eq!(
        versions("@engine:2/server"),
        ["engine-lib 2-1", "engine-server 2-1"]
    );
    ground
        .resolve(&["--include", "@engine:3"])
        .failed(3, &["@engine:3"]);
}

fn releasever_and_other_variables() {
    let directory = format!("9/{}/", rpm_base::ARCH);
    let ground = Ground::over(rpm_base::repository().files(&directory, Some(signer())));
    let text = format!(
        "[a]\nbaseurl={}/$releasever/${{basearch}}/\n",
        ground.door.mirror.url()
    );
    let repo = ground.door.file("a.repo", text);
    let options = ["--include", "setup", "--releasever", "9"];
    door::run(ground.command("resolve", &repo, &options)).succeeded();
    let options = ["--include", "setup", "--releasever", "8"];
    door::run(ground.command("resolve", &repo, &options)).failed(4, &["/8/", "does not exist"]);
}

fn every_compression_of_metadata() {
    let compressions = [
        Compression::Gzip,
        Compression::Xz,
        Compression::Zstd,
        Compression::Bzip2,
        Compression::None,
    ];
    for compression in compressions {
        let repository = RpmRepo::new()
            .compression(compression)
            .groups(&bareroot_testkit::rpm_repo::comps(&[group(
                "g",
                "G",
                &[("a", "mandatory")],
            )]))
            .package(&plain("a").requires("/usr/share/only/in/filelists"))
            .package(&plain("b").file("/usr/share/only/in/filelists", "x"));
        let found = names(Ground::new(&repository).resolve(&["--include", "@g"]));
        assert_eq!(found, ["a", "b"], "{compression:?}");
    }
}

fn files_that_only_filelists_know() {
    let ground = Ground::with(&[
        plain("a").requires("/usr/share/far/away"),
        plain("b").file("/usr/share/far/away", "x"),
        plain("c"),
    ]);
    let fetched = || {
        let requests = ground.door.mirror.requests();
        requests
            .iter()
            .any(|request| request.path.contains("-filelists."))
    };
    names(ground.resolve(&["--include", "c"]));
    assert!(!fetched(), "nobody asked for it");
    assert_eq!(names(ground.resolve(&["--include", "a"])), ["a", "b"]);
    assert!(fetched());
    let nobody = Ground::with(&[plain("a").requires("/usr/share/nowhere")]);
    nobody
        .resolve(&["--include", "a"])
        .failed(3, &["/usr/share/nowhere"]);
    let without = RpmRepo::new()
        .without_filelists()
        .package(&plain("a").requires("/usr/share/nowhere"));
    Ground::new(&without)
        .resolve(&["--include", "a"])
        .failed(3, &["/usr/share/nowhere"]);
}

fn resolve_as_json() {
    let ground = Ground::with(&[plain("a").requires("b"), plain("b")]);
    let run = ground.resolve(&["--include", "a", "--json"]).succeeded();
    for part in [
        "\"name\":\"a\"",
        "\"version\":\"1-1\"",
        &format!("\"architecture\":\"{}\"", rpm_base::ARCH),
        "\"sha256\":\"",
        &format!(
            "\"url\":\"{}/Packages/a-1-1.{}.rpm\"",
            ground.url(),
            rpm_base::ARCH
        ),
        "\"reason\":",
    ] {
        assert!(run.stdout.contains(part), "{part} in {}", run.stdout);
    }
    assert_eq!(run.stdout.lines().count(), 1);
}

fn resolve_why() {
    let ground = Ground::with(&[
        plain("a").requires("b >= 1"),
        plain("b").requires("c"),
        plain("c"),
    ]);
    let run = ground.resolve(&["--include", "a", "--why", "c"]).succeeded();
    for name in ["a", "b", "c"] {
        assert!(run.stdout.contains(name), "{}", run.stdout);
    }
    assert!(run.stdout.contains("b >= 1"), "{}", run.stdout);
}

/// A package with documents and texts in several languages.
fn spoken() -> RpmBuilder {
    let locale = |lang: &str| Item::file(&format!("/usr/share/locale/{lang}/a"), lang).lang(lang);
    plain("a")
        .item(Item::file("/usr/share/doc/a/README", "read me").doc())
        .item(Item::directory("/usr/share/doc/a").doc())
        .item(Item::file("/usr/share/licenses/a", "MIT").license())
        .item(locale("de"))
        .item(locale("de_AT"))
        .item(locale("fr"))
        .item(Item::file("/usr/share/locale/both", "x").lang("de|fr"))
        .file("/usr/share/a", "for all")
}

#[track_caller]
fn unpacked(rpm: RpmBuilder, options: &[&str]) -> Vec<String> {
    let ground = Ground::with(&[rpm]);
    let all = [&["--include", "@core,a"], options].concat();
    ground.bootstrap(&all).succeeded();
    let paths = [
        "usr/share/doc/a/README",
        "usr/share/licenses/a",
        "usr/share/locale/de/a",
        "usr/share/locale/de_AT/a",
        "usr/share/locale/fr/a",
        "usr/share/locale/both",
        "usr/share/a",
        "usr/lib/liba",
        "usr/lib64/liba",
    ];
    let here = paths.iter().filter(|path| is_there(&ground.root(path)));
    here.map(|path| path.trim_start_matches("usr/").to_owned())
        .collect()
}

fn without_documents() {
    let found = unpacked(spoken(), &["--nodocs"]);
    assert!(!found.contains(&"share/doc/a/README".to_owned()), "{found:?}");
    assert!(found.contains(&"share/licenses/a".to_owned()) && found.contains(&"share/a".to_owned()));
    assert_eq!(found.len(), 6, "{found:?}");
}

fn languages() {
    let found = unpacked(spoken(), &["--langs", "de"]);
    assert_eq!(
        found,
        [
            "share/doc/a/README",
            "share/licenses/a",
            "share/locale/de/a",
            "share/locale/both",
            "share/a"
        ]
    );
    let found = unpacked(spoken(), &["--langs", "fr,de_AT", "--nodocs"]);
    assert_eq!(
        found,
        [
            "share/licenses/a",
            "share/locale/de/a",
            "share/locale/de_AT/a",
            "share/locale/fr/a",
            "share/locale/both",
            "share/a"
        ]
    );
    assert_eq!(unpacked(spoken(), &[]).len(), 7);
}

fn path_filters() {
    let options = [
        "--path-exclude",
        "/usr/share/locale/*",
        "--path-include",
        "/usr/share/locale/fr/*",
    ];
    let found = unpacked(spoken(), &options);
    assert_eq!(
        found,
        [
            "share/doc/a/README",
            "share/licenses/a",
            "share/locale/fr/a",
            "share/a"
        ]
    );
}

/// Of two packages with a program of one path for two classes of ELF, the wider stays.
fn colours() {
    let rpm = |arch: &str, color, content: &str| {
        RpmBuilder::new("both", "1-1", arch)
            .item(Item::file("/usr/bin/both", content).mode(0o755).color(color))
            .item(Item::file(&format!("/usr/lib/{content}"), content).color(color))
    };
    if rpm_base::ARCH != "x86_64" {
        let ground = Ground::with(&[rpm(rpm_base::ARCH, 2, "wide")]);
        ground.include("both").succeeded();
        return;
    }
    let ground = Ground::with(&[rpm("x86_64", 2, "wide"), rpm("i686", 1, "narrow")]);
    ground.include("both.x86_64,both.i686").succeeded();
    assert_eq!(ground.text("usr/bin/both"), "wide");
    assert_eq!(ground.text("usr/lib/narrow"), "narrow");
    assert_eq!(ground.text("usr/lib/wide"), "wide");
}

/// A file by the way of a link, of packages that know nothing of each other.
fn an_old_and_a_new_name_of_a_directory() {
    let ground = Ground::with(&[
        plain("a").file("/bin/a", "a"),
        plain("b").file("/usr/bin/b", "b").symlink("/sbin/b", "../bin/b"),
    ]);
    ground.include("a,b").succeeded();
    assert_eq!(
        (ground.text("usr/bin/a"), ground.text("bin/b")),
        ("a".into(), "b".into())
    );
    assert_eq!(ground.text("usr/sbin/b"), "b");
    for name in ["bin", "sbin", "lib", "lib64"] {
        let text = std::fs::read_link(ground.root(name)).expect(name);
        assert_eq!(text.to_string_lossy(), format!("usr/{name}"));
    }
}
