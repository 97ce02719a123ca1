use std::fs;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{SUITE, is_there};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::repo::RepoBuilder;
use bareroot_testkit::{base, cases};

use crate::{door, installed, repository, text};

pub const CASES: &[Case] = cases![
    Root: configuration_of_apt_and_dpkg, the_hostname, a_deb_by_path, a_deb_by_path_wins, path_filters, variants,
        extract_leaves_no_database, merged_by_its_packages, unmerged, merged_because_it_was_asked_for, no_cache,
        default_cache, a_second_run_without_a_network;
    Nothing: words_that_make_no_sense;
];

fn configuration_of_apt_and_dpkg() {
    let door = door(&repository(&[]));
    let file = door.file("options", "path-exclude=/usr/share/doc/*\n# more\n");
    door.bootstrap(&[
        "--aptopt",
        "Acquire::Retries \"3\"",
        "--aptopt",
        "APT::Foo \"bar\";",
        "--dpkgopt",
        "force-unsafe-io",
        "--dpkgopt",
        &file.to_string_lossy(),
    ])
    .succeeded();
    let root = door.target();
    assert_eq!(
        text(root.join("etc/apt/apt.conf.d/99bareroot")),
        "Acquire::Retries \"3\";\nAPT::Foo \"bar\";\n"
    );
    assert_eq!(
        text(root.join("etc/dpkg/dpkg.cfg.d/99bareroot")),
        "force-unsafe-io\npath-exclude=/usr/share/doc/*\n# more\n"
    );
    assert!(!is_there(&root.join("etc/apt/apt.conf.d/00bareroot")));
}

fn the_hostname() {
    let door = door(&repository(&[]));
    door.bootstrap(&["--hostname", "builder", "--no-host-files"])
        .succeeded();
    assert_eq!(text(door.target().join("etc/hostname")), "builder\n");
    assert!(!is_there(&door.target().join("etc/resolv.conf")));
}

fn a_deb_by_path() {
    let door = door(&repository(&[base::package("needed", "1").file("/needed", "")]));
    let deb = base::package("mine", "3")
        .field("Depends", "needed")
        .file("/mine", "mine")
        .script("postinst", script("touch /done"));
    let path = door.file("mine.deb", deb.build());
    door.bootstrap(&["--include", &path.to_string_lossy()])
        .succeeded();
    let root = door.target();
    assert!(
        installed(&root).contains(&"mine 3 installed".to_owned()),
        "{:?}",
        installed(&root)
    );
    assert!(
        ["mine", "needed", "done"]
            .iter()
            .all(|name| is_there(&root.join(name)))
    );
    let automatic = text(root.join("var/lib/apt/extended_states"));
    assert!(
        automatic.contains("Package: needed\n") && !automatic.contains("Package: mine\n"),
        "{automatic}"
    );
    assert!(is_there(&path));
}

fn a_deb_by_path_wins() {
    let door = door(&repository(
        &[base::package("mine", "2").file("/from-mirror", "")],
    ));
    let path = door.file(
        "mine.deb",
        base::package("mine", "1").file("/from-file", "").build(),
    );
    door.bootstrap(&["--include", &path.to_string_lossy()])
        .succeeded();
    assert!(installed(&door.target()).contains(&"mine 1 installed".to_owned()));
    assert!(is_there(&door.target().join("from-file")) && !is_there(&door.target().join("from-mirror")));
}

fn path_filters() {
    let docs = base::package("docs", "1")
        .file("/usr/share/doc/docs/copyright", "c")
        .file("/usr/share/doc/docs/examples/one", "1")
        .file("/usr/share/man/man1/docs.1", "m")
        .symlink("/usr/share/doc/docs/link", "copyright")
        .file("/usr/bin/docs", "d");
    let door = door(&repository(&[docs]));
    door.bootstrap(&[
        "--include",
        "docs",
        "--path-exclude=/usr/share/doc/*",
        "--path-include=/usr/share/doc/*/copyright",
        "--path-exclude=/usr/share/man/*",
    ])
    .succeeded();
    let root = door.target();
    let there = |path: &str| is_there(&root.join(path));
    assert!(there("usr/bin/docs") && there("usr/share/doc/docs/copyright"));
    assert!(!there("usr/share/doc/docs/examples/one") && !there("usr/share/man/man1"));
    // dpkg keeps directories, and what may be a link to one, where something may have to be brought back below them
    // (its filter_should_skip).
    assert!(there("usr/share/doc/docs/examples") && there("usr/share/doc/docs/link"));
    // dpkg's list has what is left out too.
    let list = text(root.join("var/lib/dpkg/info/docs.list"));
    assert!(list.contains("/usr/share/man/man1/docs.1\n"), "{list}");
}

fn ladder() -> RepoBuilder {
    repository(&[
        base::package("needed", "1").field("Priority", "required"),
        base::package("weighty", "1").field("Priority", "important"),
        base::package("usual", "1").field("Priority", "standard"),
        base::package("spare", "1"),
        base::package("build-essential", "1"),
    ])
}

fn variants() {
    let door = door(&ladder());
    let always = ["base-files", "base-passwd", "dpkg"];
    for (variant, more) in [
        ("essential", &[][..]),
        ("apt", &["apt"]),
        ("minbase", &["apt", "needed"]),
        ("required", &["apt", "needed"]),
        ("buildd", &["apt", "build-essential"]),
        ("-", &["apt", "needed", "weighty"]),
        ("standard", &["apt", "needed", "usual", "weighty"]),
    ] {
        let run = door.resolve(&["--variant", variant]).succeeded();
        let mut names: Vec<&str> = run
            .stdout
            .lines()
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert!(
            names.pop().is_some_and(|last| last.parse::<usize>().is_ok()),
            "{}",
            run.stdout
        );
        names.sort_unstable();
        let mut wanted = [&always[..], more].concat();
        wanted.sort_unstable();
        assert_eq!(names, wanted, "{variant}");
    }
    door.bootstrap(&[
        "--variant",
        "custom",
        "--include",
        "dpkg,base-files,base-passwd,spare",
    ])
    .succeeded();
    assert_eq!(installed(&door.target()).len(), 4);
}

fn extract_leaves_no_database() {
    let door = door(&repository(&[base::package("hello", "1")
        .file("/usr/bin/hello", "hello")
        .script("preinst", script("exit 1"))]));
    door.bootstrap(&["--variant", "extract", "--include", "hello"])
        .succeeded();
    let root = door.target();
    assert_eq!(text(root.join("usr/bin/hello")), "hello");
    assert!(!is_there(&root.join("var/lib/dpkg/info/hello.list")));
    assert!(!is_there(&root.join("usr/bin/dpkg")));
}

/// A repository with a base-files of before the merged /usr, and another package.
fn older(extra: &[DebBuilder]) -> RepoBuilder {
    let mut repository = extra
        .iter()
        .fold(base::repository(SUITE), |repository, package| {
            repository.package(SUITE, "main", package)
        })
        .package(SUITE, "main", &base::base_files_unmerged());
    // The unmerged one is older: it must be alone.
    for package in repository
        .packages_mut()
        .iter_mut()
        .filter(|package| package.version == "13.8")
    {
        package.suite = "nowhere".into();
    }
    repository
}

fn merged_by_its_packages() {
    let door = door(&older(&[base::package("usr-is-merged", "39")
        .field("Priority", "required")
        .field("Essential", "yes")]));
    door.bootstrap(&[]).succeeded();
    assert_eq!(
        fs::read_link(door.target().join("bin"))
            .unwrap()
            .to_string_lossy(),
        "usr/bin"
    );
}

fn unmerged() {
    let tool = base::package("tool", "1").executable("/bin/tool", "tool");
    let door = door(&older(&[tool]));
    door.bootstrap(&["--include", "tool"]).succeeded();
    let root = door.target();
    assert!(fs::symlink_metadata(root.join("bin")).unwrap().is_dir());
    assert!(
        is_there(&root.join("bin/tool"))
            && !is_there(&root.join("usr/bin/tool"))
            && !is_there(&root.join("lib64"))
    );
}

fn merged_because_it_was_asked_for() {
    let tool = base::package("tool", "1").executable("/bin/tool", "tool");
    let door = door(&older(&[tool]));
    door.bootstrap(&["--include", "tool", "--merged-usr"]).succeeded();
    let root = door.target();
    assert!(fs::symlink_metadata(root.join("bin")).unwrap().is_symlink());
    assert!(is_there(&root.join("usr/bin/tool")));
    assert!(text(root.join("var/lib/dpkg/info/tool.list")).contains("/bin/tool\n"));
}

fn no_cache() {
    let door = door(&repository(&[]));
    door.bootstrap(&["--no-cache"]).succeeded();
    assert!(!is_there(&door.path("cache")));
    assert_eq!(fs::read_dir(door.path("xdg")).unwrap().count(), 0);
}

fn default_cache() {
    let door = door(&repository(&[]));
    let mut command = door.command(["bootstrap", "debian:tiny"]);
    command
        .arg(door.target())
        .args(["--mirror", &door.mirror.url(), "--keyring"])
        .arg(door.keyring());
    bareroot_testkit::door::run(command).succeeded();
    assert!(is_there(&door.path("xdg/bareroot")));
}

fn a_second_run_without_a_network() {
    let door = door(&repository(&[]));
    door.bootstrap(&[]).succeeded();
    fs::remove_dir_all(door.target()).unwrap();
    let before = door.mirror.requests().len();
    door.bootstrap(&["--offline"]).succeeded();
    assert_eq!(door.mirror.requests().len(), before);
    assert_eq!(installed(&door.target()).len(), 4);
}

fn words_that_make_no_sense() {
    let door = door(&RepoBuilder::new());
    for (words, message) in [
        (&["bootstrap"][..], "SPEC"),
        (&["bootstrap", "debian:trixie"], "no target directory is given"),
        (&["bootstrap", "./somewhere"], "--sources"),
        (
            &["bootstrap", "debian:trixie", "t", "--variant", "tiny"],
            "no variant is called `tiny`",
        ),
        (
            &["bootstrap", "nowhere:1", "t"],
            "no distribution is called `nowhere`",
        ),
        (&["bootstrap", "debian:hamm", "t"], "no release called `hamm`"),
        (&["bootstrap", "debian:trixie", "t", "--jobs", "0"], "0"),
        (&["bootstrap", "debian:trixie", "t", "--arch", "vax"], "`vax`"),
        (
            &["bootstrap", "t", "--sources", "missing.sources"],
            "missing.sources",
        ),
        (
            &["bootstrap", "debian:tiny", "t", "--mirror", "gopher://x/"],
            "gopher",
        ),
        (&["resolve", "--frobnicate"], "--frobnicate"),
        (&["frobnicate"], "frobnicate"),
    ] {
        bareroot_testkit::door::run(door.command(words))
            .ended_with(2)
            .says(&[message]);
        assert!(!is_there(&door.path("t")), "{words:?}");
    }
    let mut command = door.command(["bootstrap", "debian:trixie", "t"]);
    command.env("SOURCE_DATE_EPOCH", "yesterday");
    bareroot_testkit::door::run(command).failed(2, &["SOURCE_DATE_EPOCH", "`yesterday`"]);
    assert_eq!(door.mirror.requests().len(), 0);
}
