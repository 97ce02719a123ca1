use std::fs;

use bareroot_testkit::cases;
use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{self, SUITE};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::Mirror;

use crate::{Ground, package};

pub const CASES: &[Case] = cases![
    Nothing: a_lock_is_stable, resolve_goes_by_the_lock, a_lock_of_a_lock, several_architectures;
    Root: the_same_root_as_without, the_same_root_after_the_suite_moved, local_files, another_mirror, no_index_is_read,
        from_apts_sources, from_a_snapshot;
];

/// A package that shares a path with another, is needed by one more, and one of both kinds of library.
fn particular() -> Vec<DebBuilder> {
    vec![
        package("hello", "2:1.0-1")
            .field("Depends", "libhello1 (= 1.0)")
            .conffile("/etc/hello.conf", "greeting = hello\n"),
        package("libhello1", "1.0").field("Multi-Arch", "same"),
        package("goodbye", "1").file("/usr/bin/wave", "goodbye"),
        package("wave", "1")
            .file("/usr/bin/wave", "wave")
            .field("Replaces", "goodbye (<< 2)"),
    ]
}

const INCLUDE: [&str; 2] = ["--include", "hello,goodbye,wave"];

/// The root as it is made without a lock, by the lock's epoch.
fn without_a_lock(ground: &Ground, options: &[&str]) {
    let mut command = ground.command(&["bootstrap", &format!("debian:{SUITE}"), "plain"]);
    command
        .args(ground.sources())
        .args(options)
        .env("SOURCE_DATE_EPOCH", ground.epoch());
    door::run(command).succeeded();
}

fn the_same_root_as_without() {
    let ground = Ground::with(&particular());
    ground.lock(&INCLUDE).succeeded();
    without_a_lock(&ground, &INCLUDE);
    let run = ground.bootstrap("bareroot.lock", "locked", &[]).succeeded();
    assert!(
        run.stderr.contains("bareroot.lock is used: 8 packages, as of "),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    ground.assert_same("plain", "locked");
    let marks = ground.text("locked/var/lib/apt/extended_states");
    assert!(
        marks.contains("Package: libhello1\n") && !marks.contains("Package: hello\n"),
        "{marks}"
    );
    assert_eq!(ground.text("locked/usr/bin/wave"), "wave");
}

fn the_same_root_after_the_suite_moved() {
    let ground = Ground::with(&particular());
    ground.lock(&INCLUDE).succeeded();
    ground.bootstrap("bareroot.lock", "before", &[]).succeeded();
    let mut later = particular();
    later[0] = package("hello", "2:2.0-1").field("Depends", "other");
    later.push(package("other", "1"));
    ground.move_to(&later);
    let run = ground
        .bootstrap("bareroot.lock", "after", &["--no-standins", "--jobs", "1"])
        .succeeded();
    assert!(run.stderr.contains("8 packages"), "{}", run.stderr);
    ground.assert_same("before", "after");
    // The mirror has other packages all the same, and the lock is as fresh as it was: nobody asked for anything else.
    let run = ground.lock(&INCLUDE).succeeded();
    assert!(run.stdout.contains("it is fresh"), "{}", run.stdout);
    // A file that no mirror has is the network's fault, and named.
    ground.door.mirror.remove("pool/main/hello/hello_1.0-1_amd64.deb");
    ground.door.mirror.remove("pool/main/hello/hello_1.0-1_arm64.deb");
    fs::remove_dir_all(ground.path("cache")).unwrap();
    ground.bootstrap("bareroot.lock", "gone", &[]).failed(
        4,
        &["hello_1.0-1", "bareroot.lock has a package", "hint: --mirror"],
    );
    assert!(!ground.path("gone").exists());
}

fn no_index_is_read() {
    let ground = Ground::with(&particular());
    ground.lock(&INCLUDE).succeeded();
    let before = ground.door.mirror.requests().len();
    let mut command = ground.command(&["bootstrap", "bareroot.lock", "root", "--json"]);
    command.env("SOURCE_DATE_EPOCH", "1000");
    let run = door::run(command).succeeded();
    for phase in ["index", "solve"] {
        assert!(
            !run.stdout.contains(&format!("\"phase\":\"{phase}\"")),
            "{phase}: {}",
            run.stdout
        );
    }
    let asked: Vec<String> = ground.door.mirror.requests()[before..]
        .iter()
        .map(|request| request.path.clone())
        .collect();
    assert_eq!(asked.len(), 8, "{asked:?}");
    assert!(asked.iter().all(|path| path.contains("pool/")), "{asked:?}");
    // The environment's own epoch goes before that of the lock.
    let issue = fs::metadata(ground.path("root/etc/hello.conf")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::mtime(&issue), 1000);
}

fn local_files() {
    let ground = Ground::with(&[]);
    ground.door.file("own.deb", package("own", "1").build());
    let options = ["--include", "./own.deb"];
    ground.lock(&options).succeeded();
    without_a_lock(&ground, &options);
    ground.bootstrap("bareroot.lock", "locked", &[]).succeeded();
    ground.assert_same("plain", "locked");
    // The lock goes with its files wherever it is read from.
    let mut command = ground.command(&["bootstrap"]);
    command
        .args([ground.path("bareroot.lock"), ground.path("elsewhere")])
        .current_dir("/");
    door::run(command).succeeded();
    ground.assert_same("plain", "elsewhere");
    ground.door.file("own.deb", package("own", "2").build());
    ground
        .bootstrap("bareroot.lock", "other", &[])
        .failed(5, &["own.deb", "is not the file of bareroot.lock", "expected"]);
    assert!(!ground.path("other").exists());
}

fn another_mirror() {
    let ground = Ground::with(&particular());
    ground.lock(&INCLUDE).succeeded();
    ground.bootstrap("bareroot.lock", "first", &[]).succeeded();
    let other = Mirror::serve(crate::repository(&particular()).files(None)).unwrap();
    let before = ground.door.mirror.requests().len();
    ground
        .bootstrap(
            "bareroot.lock",
            "second",
            &["--mirror", &other.url(), "--no-host-files"],
        )
        .succeeded();
    let mut command = ground.door.command([
        "bootstrap",
        "bareroot.lock",
        "third",
        "--no-cache",
        "--mirror",
        &other.url(),
    ]);
    command.env_remove("XDG_CACHE_HOME");
    door::run(command).succeeded();
    assert_eq!(
        ground.door.mirror.requests().len(),
        before,
        "the other mirror has everything"
    );
    assert_eq!(other.fetches().len(), 8);
    ground.assert_same("first", "third");
    // What the other does not have comes from where the lock says.
    other.remove("pool/main/wave/wave_1_amd64.deb");
    other.remove("pool/main/wave/wave_1_arm64.deb");
    let words = [
        "bootstrap",
        "bareroot.lock",
        "fourth",
        "--no-cache",
        "--mirror",
        &other.url(),
    ];
    door::run(ground.door.command(words)).succeeded();
    assert_eq!(ground.door.mirror.requests().len(), before + 1);
    ground.assert_same("first", "fourth");
}

fn from_apts_sources() {
    let ground = Ground::with(&particular());
    let text = format!(
        "Types: deb\nURIs: {}\nSuites: {SUITE}\nComponents: main\nSigned-By: {}\nLang: none\n",
        ground.door.mirror.url(),
        ground.door.keyring().display()
    );
    ground.write("tiny.sources", &text);
    ground
        .run(&["lock", "--sources", "tiny.sources", "--include", "hello"])
        .succeeded();
    let mut command = ground.command(&[
        "bootstrap",
        "--sources",
        "tiny.sources",
        "--include",
        "hello",
        "plain",
    ]);
    command.env("SOURCE_DATE_EPOCH", ground.epoch());
    door::run(command).succeeded();
    // The lock has what came of the file: that may be gone.
    fs::remove_file(ground.path("tiny.sources")).unwrap();
    ground.bootstrap("bareroot.lock", "locked", &[]).succeeded();
    ground.assert_same("plain", "locked");
}

/// What the mirrors have no more comes from the snapshot service, which here is the mirror in the role of a proxy.
fn from_a_snapshot() {
    let ground = Ground::with(&particular());
    ground.lock(&INCLUDE).succeeded();
    ground.bootstrap("bareroot.lock", "before", &[]).succeeded();
    let arch = bareroot_testkit::base::ARCH;
    let path = format!("pool/main/wave/wave_1_{arch}.deb");
    let kept = crate::repository(&particular()).files(None)[&path].clone();
    ground.door.mirror.remove(&path);
    let past = format!("archive/debian/20260131T000000Z/{path}");
    ground.door.mirror.put(past.clone(), kept);
    fs::remove_dir_all(ground.path("cache")).unwrap();
    let mut command = ground.command(&["bootstrap", "bareroot.lock", "after", "--snapshot", "2026-01-31"]);
    command
        .env("http_proxy", ground.door.mirror.url())
        .env("no_proxy", "127.0.0.1");
    door::run(command).succeeded();
    assert_eq!(ground.door.mirror.count(&past), 1);
    ground.assert_same("before", "after");
}

fn a_lock_is_stable() {
    let ground = Ground::with(&particular());
    let run = ground.lock(&INCLUDE).succeeded();
    assert_eq!(
        run.stdout,
        format!("bareroot.lock: 8 packages for {}\n", bareroot_testkit::base::ARCH)
    );
    let first = ground.text("bareroot.lock");
    let run = ground.lock(&INCLUDE).succeeded();
    assert!(run.stdout.contains("fresh"), "{}", run.stdout);
    ground.lock(&[&INCLUDE[..], &["--upgrade"]].concat()).succeeded();
    assert_eq!(ground.text("bareroot.lock"), first);
    ground
        .lock(&[&INCLUDE[..], &["-o", "other.lock", "--no-cache"]].concat())
        .ended_with(2);
    let mut command = ground.door.command([
        "lock",
        &format!("debian:{SUITE}"),
        "--no-cache",
        "-o",
        "other.lock",
    ]);
    command.args(ground.sources()).args(INCLUDE);
    door::run(command).succeeded();
    assert_eq!(ground.text("other.lock"), first, "with and without a cache");
}

fn resolve_goes_by_the_lock() {
    let ground = Ground::with(&particular());
    ground.lock(&INCLUDE).succeeded();
    let mut command = ground.command(&["resolve", &format!("debian:{SUITE}"), "--json"]);
    command.args(ground.sources()).args(INCLUDE);
    let plain = door::run(command).succeeded();
    ground.move_to(&[package("hello", "9")]);
    let locked = ground.run(&["resolve", "bareroot.lock", "--json"]).succeeded();
    assert_eq!(locked.stdout, plain.stdout);
    let why = ground
        .run(&["resolve", "bareroot.lock", "--why", "libhello1"])
        .succeeded();
    assert!(why.stdout.contains("libhello1 (= 1.0)"), "{}", why.stdout);
}

fn a_lock_of_a_lock() {
    let ground = Ground::with(&particular());
    ground.lock(&INCLUDE).succeeded();
    let first = ground.text("bareroot.lock");
    let mut command = ground.command(&["lock", "bareroot.lock", "--upgrade"]);
    command.args(ground.sources());
    let run = door::run(command).succeeded();
    assert!(run.stdout.contains("nothing moved"), "{}", run.stdout);
    assert_eq!(ground.text("bareroot.lock"), first);
}

fn several_architectures() {
    use bareroot_testkit::base::{self, ARCH};
    use bareroot_testkit::repo::Suite;
    if ARCH != "amd64" {
        return;
    }
    let suite = Suite {
        architectures: vec!["amd64".into(), "i386".into()],
        ..Suite::new(SUITE)
    };
    let here = bareroot_testkit::repo::RepoBuilder::new().suite(suite);
    let there = DebBuilder::new("there", "1", "i386")
        .field("Essential", "yes")
        .field("Priority", "required");
    let repository = base::with_base(here, SUITE).package(SUITE, "main", &there);
    let ground = Ground {
        door: bareroot_testkit::door::Door::new(env!("CARGO_BIN_EXE_bareroot"), &repository),
    };
    let options = ["--variant", "essential", "--arch", "amd64,i386"];
    let run = ground.lock(&options).succeeded();
    assert!(
        run.stdout.contains("3 packages for amd64, 1 packages for i386"),
        "{}",
        run.stdout
    );
    let both = ground.text("bareroot.lock");
    // Without --arch all that it has are meant; with one, the other stays.
    ground.lock(&["--variant", "essential", "--upgrade"]).succeeded();
    ground
        .lock(&["--variant", "essential", "--upgrade", "--arch", "i386"])
        .succeeded();
    assert_eq!(ground.text("bareroot.lock"), both);
    let resolved = ground
        .run(&["resolve", "bareroot.lock", "--arch", "i386"])
        .succeeded();
    assert!(resolved.stdout.starts_with("there "), "{}", resolved.stdout);
}
