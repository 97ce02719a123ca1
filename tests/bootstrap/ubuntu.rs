//! A repository of Ubuntu's shape: two components, three suites, zst archives, phased updates, and a base-files that
//! wants the links of the merged /usr to be there before it.

use std::fs;

use bareroot_testkit::deb::{Compression, DebBuilder};
use bareroot_testkit::door::{Door, run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::{base, cases};

use crate::{door, installed, text};

pub const CASES: &[Case] = cases![Root: noble, noble_with_its_updates; Nothing: a_suite_alone];

fn zst(deb: DebBuilder) -> DebBuilder {
    deb.compression(Compression::Zstd)
        .control_compression(Compression::Zstd)
}

fn repository() -> RepoBuilder {
    let suite = |name: &str| Suite {
        components: vec!["main".into(), "universe".into()],
        codename: Some("noble".into()),
        compressions: vec![Compression::Xz, Compression::Gzip],
        listed_only: vec![Compression::None],
        digests: vec!["MD5Sum", "SHA1", "SHA256"],
        ..base::suite(name)
    };
    let [_, passwd, dpkg, apt] = base::packages();
    // As Ubuntu's has it: real directories are refused, and the package ships none of them.
    let base_files = base::package("base-files", "13ubuntu10")
        .field("Priority", "required")
        .field("Essential", "yes")
        .directory("/var/log")
        .directory("/usr/bin")
        .directory("/proc")
        .directory("/sys")
        .file("/etc/lsb-release", "DISTRIB_ID=Ubuntu\n")
        .script("preinst", script("link /bin\nlink /sbin\nlink /lib"));
    let suites = ["noble", "noble-updates", "noble-security"];
    let repository = suites.iter().fold(RepoBuilder::new(), |repository, name| {
        repository.suite(suite(name))
    });
    [base_files, passwd, apt.field("Priority", "important")]
        .into_iter()
        .fold(repository, |repository, deb| {
            repository.package("noble", "main", &zst(deb))
        })
        .package("noble", "main", &dpkg)
        .package(
            "noble",
            "universe",
            &zst(base::package("hello", "2.10-3build1").file("/usr/bin/hello", "hello")),
        )
        .package_with(
            "noble-updates",
            "universe",
            &zst(base::package("hello", "2.10-3ubuntu1").file("/usr/bin/hello", "hello again")),
            &[("Phased-Update-Percentage", "0")],
        )
}

fn bootstrap(door: &Door, options: &[&str]) {
    let mut command = door.command([
        "bootstrap",
        "ubuntu:24.04",
        "--no-cache",
        "--mirror",
        &door.mirror.url(),
        "--keyring",
    ]);
    command.arg(door.keyring()).arg(door.target()).args(options);
    run(command).succeeded();
}

fn noble() {
    let door = door(&repository());
    bootstrap(&door, &["--include", "hello"]);
    let root = door.target();
    assert_eq!(
        installed(&root),
        [
            "apt 3.0.3 installed",
            "base-files 13ubuntu10 installed",
            "base-passwd 3.6.7 installed",
            "dpkg 1.22.21 installed",
            "hello 2.10-3build1 installed",
        ]
    );
    for (link, to) in [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib")] {
        assert_eq!(fs::read_link(root.join(link)).unwrap().to_string_lossy(), to);
    }
    assert_eq!(
        text(root.join("etc/apt/sources.list.d/0000bareroot.sources")),
        format!(
            "Types: deb\nURIs: {}\nSuites: noble\nComponents: main universe\n\
             Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n",
            door.mirror.url()
        )
    );
}

fn noble_with_its_updates() {
    let door = door(&repository());
    // Security has its own mirror, unless one names the three as entries.
    let entry = |suite: &str| format!("deb {} {suite} main universe", door.mirror.url());
    let mut command = door.command([
        "bootstrap",
        "ubuntu:noble",
        "--no-cache",
        "--include",
        "hello",
        "--keyring",
    ]);
    command.arg(door.keyring()).arg(door.target());
    for suite in ["noble", "noble-updates", "noble-security"] {
        command.args(["--mirror", &entry(suite)]);
    }
    run(command).succeeded();
    // apt, too, takes a phased update where it installs a package anew.
    assert!(installed(&door.target()).contains(&"hello 2.10-3ubuntu1 installed".to_owned()));
    assert_eq!(text(door.target().join("usr/bin/hello")), "hello again");
}

fn a_suite_alone() {
    let door = door(&repository());
    let keyring = door.keyring();
    let words = [
        "resolve",
        "ubuntu:noble",
        "--no-cache",
        "--components",
        "main",
        "--mirror",
        &door.mirror.url(),
        "--keyring",
        &keyring.to_string_lossy(),
    ];
    let resolved = run(door.command(words)).succeeded();
    assert_eq!(resolved.stdout.lines().count(), 5, "{}", resolved.stdout);
    let asked: Vec<String> = door
        .mirror
        .fetches()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert!(
        asked.iter().all(|path| path.starts_with("dists/noble/")),
        "{asked:?}"
    );
}
