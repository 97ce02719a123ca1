//! The same path more than once: in one package, in two, and where records are.

use std::fs;
use std::path::{Path, PathBuf};

use bareroot_testkit::deb::{Compression, DebBuilder, Item, Member};
use bareroot_testkit::door::{SUITE, is_there};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::{base, cases};

use crate::{Ground, evil};

pub const CASES: &[Case] = cases![
    Root: the_same_file_twice, a_file_and_a_directory, a_file_and_a_link, many_times_the_same, two_packages_of_one_path,
        three_packages_of_one_path, a_status_of_ones_own, scripts_of_others, a_package_twice_in_the_archive;
];

fn bare(items: Vec<Item>) -> DebBuilder {
    let deb = evil().bare().item(Item::directory("./"));
    items.into_iter().fold(deb, DebBuilder::item)
}

#[track_caller]
fn made(items: Vec<Item>) -> (Ground, PathBuf) {
    let ground = Ground::with(&bare(items));
    ground.extract().succeeded();
    let root = ground.door.target();
    (ground, root)
}

/// Of several entries the last one counts, as for dpkg; nothing of the others is left.
fn the_same_file_twice() {
    let (_ground, root) = made(vec![
        Item::file("./file", "first and longer").mode(0o4755),
        Item::file("./file", "last"),
        Item::file("./././file", "very last").mode(0o600),
    ]);
    use std::os::unix::fs::PermissionsExt;
    let file = root.join("file");
    assert_eq!(fs::read_to_string(&file).unwrap(), "very last");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode(), 0o100_600);
    // A second name of the first one keeps what that was.
    let (_ground, root) = made(vec![
        Item::file("./file", "first"),
        Item::hardlink("./other", "./file"),
        Item::file("./file", "last"),
    ]);
    assert_eq!(fs::read_to_string(root.join("other")).unwrap(), "first");
    assert_eq!(fs::read_to_string(root.join("file")).unwrap(), "last");
}

fn a_file_and_a_directory() {
    for items in [
        vec![Item::file("./both", "x"), Item::directory("./both/")],
        vec![Item::directory("./both/"), Item::file("./both", "x")],
        vec![Item::file("./both", "x"), Item::file("./both/in", "y")],
        vec![Item::file("./both/in", "y"), Item::file("./both", "x")],
        vec![Item::fifo("./both"), Item::file("./both/in", "y")],
    ] {
        let run = Ground::with(&bare(items)).extract();
        assert!(matches!(run.code, Some(3 | 5)), "{run:?}");
        assert!(
            run.stderr.contains("both") && run.stderr.contains("evil"),
            "{}",
            run.stderr
        );
    }
}

fn a_file_and_a_link() {
    // dpkg makes links last, so that the link is what is left; nothing was written through it on the way.
    let link = || Item::symlink("./both", "../canary/bird");
    let file = || Item::file("./both", "dead");
    for items in [
        vec![link(), file()],
        vec![file(), link()],
        vec![
            Item::symlink("./both", "../canary"),
            Item::fifo("./both"),
            link(),
            file(),
        ],
    ] {
        let (_ground, root) = made(items);
        let text = fs::read_link(root.join("both")).unwrap();
        assert_eq!(text, Path::new("../canary/bird"));
    }
}

fn many_times_the_same() {
    let items = (0..5000)
        .map(|number| match number % 3 {
            0 => Item::file("./same", format!("{number}")),
            1 => Item::symlink("./same", "../canary/bird"),
            _ => Item::fifo("./same"),
        })
        .chain([Item::file("./same", "last")]);
    let (_ground, root) = made(items.collect());
    assert!(fs::read_link(root.join("same")).is_ok());
    // Nothing of the others is left anywhere.
    let left = |entry: fs::DirEntry| entry.file_name().to_string_lossy().contains("bareroot");
    assert!(!fs::read_dir(&root).unwrap().flatten().any(left));
}

fn two_packages_of_one_path() {
    let both = |mine: Item, theirs: Item| {
        let one = base::package("one", "1").item(mine);
        let repository = base::repository(SUITE).package(SUITE, "main", &one).package(
            SUITE,
            "main",
            &evil().field("Depends", "one").item(theirs),
        );
        let run = Ground::new(&repository).extract();
        run.failed(3, &["/usr/both", "one 1", "evil"]);
    };
    let path = "./usr/both";
    both(Item::file(path, "a"), Item::file(path, "b"));
    both(Item::file(path, "same"), Item::file(path, "same"));
    both(Item::file(path, "a"), Item::directory("./usr/both/"));
    both(Item::directory("./usr/both/"), Item::file(path, "b"));
    both(Item::file(path, "a"), Item::symlink(path, "../../canary/bird"));
    both(
        Item::symlink(path, "../../canary"),
        Item::file("./usr/both/bird", "b"),
    );
    both(Item::fifo(path), Item::file(path, "b"));
}

/// Whoever comes first, it is the solution's order that says who fights with whom.
fn three_packages_of_one_path() {
    let one = base::package("one", "1").file("/usr/both", "a");
    let two = base::package("two", "1")
        .field("Replaces", "one")
        .file("/usr/both", "b");
    let repository = base::repository(SUITE)
        .package(SUITE, "main", &one)
        .package(SUITE, "main", &two)
        .package(
            SUITE,
            "main",
            &evil().field("Depends", "one, two").file("/usr/both", "c"),
        );
    let words: Vec<String> = (0..3)
        .map(|_| {
            let run = Ground::new(&repository)
                .extract()
                .failed(3, &["/usr/both", "evil"]);
            run.stderr
                .lines()
                .filter(|line| line.starts_with("error: "))
                .collect()
        })
        .collect();
    assert!(words.iter().all(|said| *said == words[0]), "{words:?}");
}

/// What a package ships where dpkg's database is does not become the database.
fn a_status_of_ones_own() {
    let lie = "Package: trojan\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: y\n\n";
    let deb = [
        "/var/lib/dpkg/status",
        "/var/lib/dpkg/status-old",
        "/var/lib/dpkg/available",
        "/var/lib/dpkg/updates/0000",
        "/var/lib/dpkg/diversions",
        "/var/lib/dpkg/statoverride",
    ]
    .iter()
    .fold(evil(), |deb, path| deb.file(path, lie));
    let ground = Ground::with(&deb);
    let run = ground.bootstrap();
    assert!(matches!(run.code, Some(0 | 3 | 5 | 6 | 7)), "{run:?}");
    if run.code == Some(0) {
        let status = fs::read_to_string(ground.door.target().join("var/lib/dpkg/status")).unwrap();
        assert!(!status.contains("trojan"), "{status}");
        assert!(
            status.contains("Package: evil\nStatus: install ok installed"),
            "{status}"
        );
    }
}

/// A maintainer script of another package, shipped as a file where dpkg would look for it: the other's own runs.
fn scripts_of_others() {
    let theirs = base::package("victim", "1").script("postinst", script("touch /ran-own"));
    let trap = Item::file("./var/lib/dpkg/info/victim.postinst", script("touch /ran-evil")).mode(0o755);
    for evil in [
        evil().field("Depends", "victim").item(trap),
        evil()
            .field("Depends", "victim")
            .symlink("/var/lib/dpkg/info/victim.postinst", "../../../../../canary/bird"),
    ] {
        let repository = base::repository(SUITE)
            .package(SUITE, "main", &theirs)
            .package(SUITE, "main", &evil);
        let ground = Ground::new(&repository);
        let run = ground.bootstrap();
        assert!(matches!(run.code, Some(0 | 3 | 5 | 6)), "{run:?}");
        assert!(!is_there(&ground.door.target().join("ran-evil")), "{run:?}");
        if run.code == Some(0) {
            assert!(is_there(&ground.door.target().join("ran-own")), "{run:?}");
        }
    }
}

/// Members of the same name: the first two archives are the package, and nothing else is looked at.
fn a_package_twice_in_the_archive() {
    let deb = evil().file("/first", "x").members(|members| {
        let more = evil().file("/second", "x");
        let data = Member::new("data.tar.gz", Compression::Gzip.compress(&more.data_tar()));
        members.push(data);
    });
    let ground = Ground::with(&deb);
    ground.extract().succeeded();
    assert!(is_there(&ground.door.target().join("first")));
    assert!(!is_there(&ground.door.target().join("second")));
    for order in [[1, 2, 0], [0, 2, 1], [2, 0, 1]] {
        let deb = evil().members(move |members| {
            let old = members.clone();
            *members = order.map(|place| old[place].clone()).to_vec();
        });
        Ground::with(&deb).refused();
    }
    let doubled = evil().members(|members| {
        let control = members[1].clone();
        members.insert(2, control);
    });
    Ground::with(&doubled).refused();
}
