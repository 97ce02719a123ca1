//! Links in payloads: in a path's way, at its end, in place of what the root is built with.

use bareroot_testkit::deb::{DebBuilder, Item};
use bareroot_testkit::door::{Run, SUITE};
use bareroot_testkit::harness::Case;
use bareroot_testkit::{base, cases};

use crate::{Ground, evil};

pub const CASES: &[Case] = cases![
    Root: chains_and_the_ways_of_proc, a_link_that_becomes_a_directory_and_back, a_directory_that_becomes_a_link_in_another_package,
        hard_links_to_links, hard_links_to_the_setuid_files_of_others, hard_links_to_what_is_no_file_before, links_in_a_ring,
        texts_of_links_at_their_limits, links_of_the_merged_usr, conffiles_that_are_links, links_where_dpkg_keeps_its_records,
        links_where_the_hosts_files_go, links_that_the_dynamic_linker_reads, links_where_apt_is_configured;
];

fn bare(items: Vec<Item>) -> DebBuilder {
    let deb = evil().bare().item(Item::directory("./"));
    items.into_iter().fold(deb, DebBuilder::item)
}

#[track_caller]
fn refused(items: Vec<Item>, words: &[&str]) {
    let run = Ground::with(&bare(items)).extract();
    run.failed(5, &[&["evil"], words].concat());
}

/// `evil`, which needs another package; both are unpacked.
#[track_caller]
fn beside(one: &DebBuilder, evil: DebBuilder) -> (Ground, Run) {
    let name = one.get("Package").expect("its name").to_owned();
    let repository = base::repository(SUITE).package(SUITE, "main", one).package(
        SUITE,
        "main",
        &evil.field("Depends", &name),
    );
    let ground = Ground::new(&repository);
    let run = ground.extract();
    (ground, run)
}

/// A whole bootstrap with `evil`; it ends as it should.
#[track_caller]
fn unharmed(deb: &DebBuilder, options: &[&str]) {
    let ground = Ground::with(deb);
    let run = ground.door.bootstrap(&[&["--include", "evil"], options].concat());
    ground.assert_unharmed(&run);
    assert!(matches!(run.code, Some(0 | 3 | 5 | 6 | 7)), "{run:?}");
}

const THROUGH: &str = "goes through a symbolic link of the same package";

fn chains_and_the_ways_of_proc() {
    for text in [
        "/proc/self/root/tmp",
        "/proc/self/cwd/out/canary",
        "/proc/1/root",
        "/proc/self/fd/3",
        "/dev/fd/../../../canary",
    ] {
        let file = || Item::file("./way/bird", "dead");
        refused(vec![Item::symlink("./way", text), file()], &[THROUGH]);
        refused(vec![file(), Item::symlink("./way", text)], &["evil"]);
        let way = base::package("way", "1").symlink("/way", text);
        // What it is in the root decides: nothing, so the directory and the link fight.
        let (_, run) = beside(&way, evil().file("/way/bird", "dead"));
        assert!(matches!(run.code, Some(3 | 5)), "{text}: {run:?}");
    }
    refused(
        vec![
            Item::symlink("./a", "/b"),
            Item::symlink("./b", "c/../d"),
            Item::symlink("./d", "../canary"),
            Item::file("./a/bird", "dead"),
        ],
        &[THROUGH],
    );
}

fn a_link_that_becomes_a_directory_and_back() {
    let way = || Item::symlink("./way", "../canary");
    let file = || Item::file("./way/bird", "dead");
    refused(vec![way(), Item::directory("./way/"), file(), way()], &[]);
    refused(vec![Item::directory("./way/"), file(), way()], &[]);
    refused(vec![Item::directory("./way/"), way(), file()], &[]);
    refused(
        vec![
            way(),
            Item::file("./way", "x"),
            Item::directory("./way/"),
            file(),
            way(),
        ],
        &[],
    );
}

fn a_directory_that_becomes_a_link_in_another_package() {
    for text in ["../canary", "/../canary", "/"] {
        // As for dpkg a directory that is there stays one.
        let nest = base::package("nest", "1").file("/nest/bird", "tame");
        let (ground, run) = beside(&nest, evil().symlink("/nest", text));
        run.succeeded();
        let nest = ground.door.target().join("nest");
        assert!(std::fs::symlink_metadata(&nest).unwrap().is_dir());
        assert_eq!(std::fs::read_to_string(nest.join("bird")).unwrap(), "tame");
        let link = base::package("nest", "1").symlink("/nest", text);
        let (ground, run) = beside(&link, evil().file("/nest/bird", "dead"));
        if text == "/" {
            // The root's own, wherever it is.
            run.succeeded();
            assert!(ground.door.target().join("bird").is_file());
        } else {
            run.failed(3, &["/nest", "evil", "nest 1"]);
        }
    }
}

fn hard_links_to_links() {
    for text in ["../canary/bird", "/../canary/bird", "/proc/self/root/etc/passwd"] {
        refused(
            vec![Item::symlink("./bird", text), Item::hardlink("./mine", "./bird")],
            &["which is a symbolic link"],
        );
    }
}

/// A name of another package's setuid file would outlive what dpkg does to make an old one harmless.
fn hard_links_to_the_setuid_files_of_others() {
    let su = base::package("su", "1").item(Item::file("./usr/bin/su", "root").mode(0o4755));
    for path in ["./usr/bin/su", "./bin/su", "./usr/../usr/bin/su"] {
        let (_, run) = beside(&su, evil().item(Item::hardlink("./usr/bin/mine", path)));
        run.failed(5, &["evil", "hard link", "su"]);
    }
}

fn hard_links_to_what_is_no_file_before() {
    let no_file = "is no file before it in the package";
    refused(
        vec![Item::directory("./d/"), Item::hardlink("./mine", "./d")],
        &[no_file],
    );
    refused(vec![Item::hardlink("./mine", "./mine")], &[no_file]);
    refused(vec![Item::hardlink("./mine", "./")], &[no_file]);
    refused(
        vec![Item::hardlink("./mine", "./later"), Item::file("./later", "x")],
        &[no_file],
    );
    refused(
        vec![
            Item::file("./file", "x"),
            Item::hardlink("./mine", "./file/../file"),
        ],
        &["is no path inside the root"],
    );
}

fn links_in_a_ring() {
    let ring = || {
        base::package("ring", "1")
            .symlink("/a", "b")
            .symlink("/b", "c")
            .symlink("/c", "a")
            .symlink("/me", "me")
    };
    for path in ["/a/bird", "/me/bird"] {
        let (_, run) = beside(&ring(), evil().file(path, "dead"));
        assert!(matches!(run.code, Some(3 | 5)), "{run:?}");
    }
    // Where bareroot itself looks, they lead nowhere.
    for path in [
        "./etc/passwd",
        "./var/lib/dpkg/status",
        "./etc/machine-id",
        "./var/lib/apt",
    ] {
        let name = path.rsplit('/').next().expect("a name");
        unharmed(
            &evil().bare().item(Item::symlink(path, name)),
            &["--no-host-files"],
        );
    }
}

fn texts_of_links_at_their_limits() {
    let text = |length: usize| "x/".repeat(length / 2) + &"y".repeat(length % 2);
    for length in [4096, 5000, 1 << 16] {
        refused(
            vec![Item::symlink("./long", &text(length))],
            &["a link over the limit of 4095"],
        );
        refused(
            vec![Item::file("./file", "x"), Item::hardlink("./long", &text(length))],
            &["a link over the limit of 4095"],
        );
    }
    refused(vec![Item::symlink("./none", "")], &["its link leads nowhere"]);
    let ground = Ground::with(&bare(vec![Item::symlink("./long", &text(4000))]));
    ground.extract().succeeded();
    let made = std::fs::read_link(ground.door.target().join("long")).unwrap();
    assert_eq!(made.as_os_str().len(), 4000);
}

/// The links of the merged /usr are followed: whoever could turn one would turn everything that goes through it.
fn links_of_the_merged_usr() {
    for (path, text) in [
        ("./lib", "../canary"),
        ("./lib", "/../canary"),
        ("./bin", "tmp"),
        ("./sbin", "/proc/self/root"),
        ("./lib", "usr/lib/../../../canary"),
    ] {
        let run = Ground::with(&bare(vec![Item::symlink(path, text)])).bootstrap();
        assert!(matches!(run.code, Some(3 | 5)), "{path} {text}: {run:?}");
        assert!(run.stderr.contains("evil"), "{}", run.stderr);
    }
    refused(
        vec![
            Item::symlink("./lib", "../canary"),
            Item::file("./lib/bird", "dead"),
        ],
        &[],
    );
    // Through the true ones a file ends up below /usr.
    let ground = Ground::with(&evil().file("/lib/bird", "tame"));
    ground.bootstrap().succeeded();
    let made = ground.door.target().join("usr/lib/bird");
    assert_eq!(std::fs::read_to_string(made).unwrap(), "tame");
}

/// The MD5 of a conffile is recorded: it must be of what the package has.
fn conffiles_that_are_links() {
    for text in [
        "../../canary/bird",
        "/../canary/bird",
        "/proc/self/root/etc/shadow",
    ] {
        let deb = evil()
            .symlink("/etc/evil", text)
            .info("conffiles", "/etc/evil\n/etc/evil/bird\n/etc/missing\n");
        let ground = Ground::with(&deb);
        let run = ground.bootstrap();
        assert!(matches!(run.code, Some(0 | 5)), "{run:?}");
        if run.code == Some(0) {
            let status = std::fs::read_to_string(ground.door.target().join("var/lib/dpkg/status")).unwrap();
            assert!(!status.contains(BIRD), "{status}");
        }
    }
}

/// The MD5 of what a bird is.
const BIRD: &str = "7bd3d5f5b3cdb13aed632121206e729c";

fn links_where_dpkg_keeps_its_records() {
    let names = [
        "triggers",
        "alternatives",
        "updates",
        "parts",
        "info",
        "lock",
        "lock-frontend",
        "diversions",
        "statoverride",
        "available",
        "arch",
        "cmethopt",
        "status-old",
        "triggers/Lock",
        "triggers/File",
        "triggers/Unincorp",
    ];
    for name in names {
        let up = "../".repeat(3 + name.matches('/').count());
        for end in ["../canary/bird", "../canary"] {
            let link = Item::symlink(&format!("./var/lib/dpkg/{name}"), &format!("{up}{end}"));
            unharmed(&evil().bare().item(link), &["--no-host-files"]);
        }
    }
    for path in ["./var/lib/dpkg", "./var/lib", "./var"] {
        let up = "../".repeat(path.matches('/').count());
        unharmed(
            &evil().bare().item(Item::symlink(path, &format!("{up}canary"))),
            &["--no-host-files"],
        );
    }
}

/// The host's resolv.conf and hosts are shown to scripts, and the root gets a copy of some.
fn links_where_the_hosts_files_go() {
    for path in [
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/hostname",
        "/etc/localtime",
    ] {
        for text in ["../../canary/bird", "/../canary/bird", "../../canary/new"] {
            unharmed(
                &evil().bare().item(Item::symlink(&format!(".{path}"), text)),
                &["--hostname", "nest"],
            );
        }
    }
    unharmed(
        &evil().bare().item(Item::symlink("./etc", "../canary")),
        &["--hostname", "nest"],
    );
}

fn links_that_the_dynamic_linker_reads() {
    for path in [
        "/etc/ld.so.preload",
        "/etc/ld.so.cache",
        "/etc/ld.so.conf",
        "/etc/locale.conf",
        "/usr/lib/locale",
        "/usr/share/zoneinfo",
    ] {
        let up = "../".repeat(path.matches('/').count());
        let link = Item::symlink(&format!(".{path}"), &format!("{up}canary/bird"));
        unharmed(&evil().bare().item(link), &[]);
    }
}

fn links_where_apt_is_configured() {
    for path in [
        "/etc/apt",
        "/etc/apt/sources.list",
        "/etc/apt/sources.list.d",
        "/etc/apt/apt.conf.d",
        "/etc/apt/trusted.gpg.d",
        "/etc/apt/preferences.d",
        "/var/lib/apt",
        "/var/lib/apt/lists",
        "/etc/dpkg",
        "/etc/dpkg/dpkg.cfg.d",
    ] {
        let up = "../".repeat(path.matches('/').count());
        for end in ["canary", "canary/bird"] {
            let link = Item::symlink(&format!(".{path}"), &format!("{up}{end}"));
            unharmed(
                &evil().bare().item(link),
                &[
                    "--no-host-files",
                    "--aptopt",
                    "Acquire::Retries \"3\"",
                    "--dpkgopt",
                    "path-exclude=/x",
                ],
            );
        }
    }
}
