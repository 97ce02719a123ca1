use std::fs;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::{Going, SUITE, run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::mirror::{Fault, Mirror};
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::{base, cases};
use rustix::mount::{MountFlags, mount_remount};

use crate::{Ground, files, packages, repository, served};

pub const CASES: &[Case] = cases![
    Nothing: the_closure_and_the_signed_files_as_they_are, nothing_new_moves_nothing, one_package_newer,
        what_is_damaged_is_fetched_again, other_closures_are_kept_up_to_date, the_security_archive_is_beside,
        a_second_distribution_has_a_place_of_its_own, an_update_that_fails_changes_nothing, only_one_writes, served_over_http,
        a_path_that_leads_out_is_refused, links_in_it_lead_nowhere, a_suite_that_is_not_there, words_that_make_no_sense,
        a_flat_repository, a_release_of_another_moment_is_left_out, a_signature_that_is_none_is_left_out_until_it_is_one,
        events_as_json, a_map_that_is_broken, a_map_that_cannot_be_asked_for, of_a_lock,
        several_architectures;
    Root: a_root_of_it_without_a_network, a_package_of_it_is_missing, a_full_disk;
];

fn ground() -> Ground {
    Ground::new(&repository(&packages("1.0")))
}

fn a_signature_that_is_none_is_left_out_until_it_is_one() {
    let ground = ground();
    let gpg = "dists/tiny/Release.gpg";
    ground
        .door
        .mirror
        .always(gpg, Fault::Replace(b"no signature".to_vec()));
    ground.mirror(&[]).succeeded().says(&["Release.gpg", "left out"]);
    let there = served(&ground.dir());
    assert!(there.contains_key("dists/tiny/InRelease") && !there.contains_key(gpg));
    assert!(!there.contains_key("dists/tiny/Release"));
    ground.check().succeeded();
    ground.door.mirror.behave();
    ground.mirror(&[]).succeeded();
    let there = served(&ground.dir());
    assert!(there.contains_key("dists/tiny/Release") && there.contains_key(gpg));
}

fn the_closure_and_the_signed_files_as_they_are() {
    let origin = repository(&packages("1.0")).files(Some(signer()));
    let ground = Ground::over(origin.clone());
    ground.mirror(&[]).succeeded();
    let there = served(&ground.dir());
    for (path, bytes) in &there {
        if path != "bareroot-mirror.toml" {
            assert_eq!(Some(bytes), origin.get(path), "{path} is the origin's own");
        }
    }
    let names: Vec<&str> = there.keys().map(String::as_str).collect();
    let has = |part: &str| names.iter().any(|name| name.contains(part));
    for part in [
        "dists/tiny/InRelease",
        "dists/tiny/Release",
        "dists/tiny/Release.gpg",
        "binary-amd64/Packages.xz",
        "binary-amd64/Packages.gz",
        "binary-amd64/by-hash/SHA256/",
        "/hello_1.0",
        "/libhello1_1.0",
        "/dpkg_",
    ] {
        let part = part.replace("amd64", base::ARCH);
        assert!(has(&part), "{part} of {names:?}");
    }
    assert!(!has("unneeded"), "{names:?}");
    let map = String::from_utf8(there["bareroot-mirror.toml"].clone()).unwrap();
    assert!(map.contains(&ground.door.mirror.url()), "{map}");
    assert!(map.contains("ftp.debian.org/debian"), "{map}");
    ground.check().succeeded();
}

fn nothing_new_moves_nothing() {
    let ground = ground();
    ground.mirror(&["--quiet"]).succeeded();
    let (before, there) = (ground.requests(), files(&ground.dir()));
    let run = ground.mirror(&[]).succeeded();
    assert_eq!(
        ground.asked(before),
        ["bareroot-mirror.toml", "dists/tiny/InRelease"],
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("0 of 6 packages were fetched, 0 bytes"),
        "{}",
        run.stderr
    );
    assert_eq!(files(&ground.dir()), there);
}

fn one_package_newer() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    fs::write(ground.dir().join("pool/mine"), "a stranger's").unwrap();
    fs::write(ground.dir().join("dists/tiny/mine"), "a stranger's").unwrap();
    let before = ground.requests();
    ground.publish(&repository(&packages("2.0")));
    ground.mirror(&["--prune"]).succeeded();
    let asked = ground.asked(before);
    let packages: Vec<&String> = asked.iter().filter(|path| path.starts_with("pool/")).collect();
    assert_eq!(packages.len(), 1, "{asked:?}");
    assert!(packages[0].contains("hello_2.0"), "{asked:?}");
    let names = served(&ground.dir());
    assert!(!names.keys().any(|name| name.contains("hello_1.0_")), "pruned");
    for mine in ["pool/mine", "dists/tiny/mine"] {
        assert_eq!(names[mine], b"a stranger's", "{mine}");
    }
    ground.check().succeeded();
}

fn what_is_damaged_is_fetched_again() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    let whole = files(&ground.dir());
    for (path, bytes) in &whole {
        if path.starts_with("pool/") && path.contains("hello") || path.contains("Packages") {
            fs::write(ground.dir().join(path), &bytes[..bytes.len() / 2]).unwrap();
        }
    }
    ground.check().ended_with(5);
    ground.mirror(&[]).succeeded();
    assert_eq!(files(&ground.dir()), whole);
    ground.check().succeeded();
}

fn other_closures_are_kept_up_to_date() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    ground.publish(&repository(&packages("2.0")));
    // Another closure of the same suite: what was there before must fit the suite's new index too.
    let mut command = ground.door.command(["mirror", &format!("debian:{SUITE}")]);
    command
        .arg(ground.dir())
        .args([
            "--include",
            "unneeded",
            "--mirror",
            &ground.door.mirror.url(),
            "--keyring",
        ])
        .arg(ground.door.keyring());
    run(command).succeeded();
    let names = served(&ground.dir());
    for part in ["/hello_2.0", "/unneeded_1.0"] {
        assert!(names.keys().any(|name| name.contains(part)), "{part}");
    }
    ground.check().succeeded();
    run(ground.alone("resolve", &["--mirror", &ground.shown()])).succeeded();
    // The directory alone brings up to date what it has.
    ground.publish(&repository(&packages("3.0")));
    let mut command = ground.door.command(["mirror", "--prune"]);
    command.arg(ground.dir());
    run(command).succeeded();
    let names = served(&ground.dir());
    assert!(names.keys().any(|name| name.contains("/hello_3.0")));
    assert!(!names.keys().any(|name| name.contains("/hello_2.0")));
}

/// A sources file of the suite and of another one at another address of the same server.
fn with_security(ground: &Ground) -> String {
    let security = RepoBuilder::new().suite(base::suite("tiny-security")).package(
        "tiny-security",
        "main",
        &base::package("libhello1", "1.1").file("/usr/lib/libhello.so.1", "fixed"),
    );
    for (path, bytes) in security.files(Some(signer())) {
        ground.door.mirror.put(format!("sec/{path}"), bytes);
    }
    let url = ground.door.mirror.url();
    let text = format!("deb {url} tiny main\ndeb {url}/sec tiny-security main\n");
    ground.door.file("sources.list", text).display().to_string()
}

fn the_security_archive_is_beside() {
    let ground = ground();
    let sources = with_security(&ground);
    let command = |verb: &str, options: &[&str]| {
        let mut command =
            ground
                .door
                .command([verb, "--sources", &sources, "--include", "hello", "--keyring"]);
        command.arg(ground.door.keyring()).args(options);
        command
    };
    run(command("mirror", &[&ground.shown()])).succeeded();
    let names = served(&ground.dir());
    for wanted in ["security/dists/tiny-security/InRelease", "dists/tiny/InRelease"] {
        assert!(names.contains_key(wanted), "{wanted} of {:?}", names.keys());
    }
    assert!(
        names
            .keys()
            .any(|name| name.starts_with("security/pool/") && name.contains("libhello1_1.1"))
    );
    assert!(!names.keys().any(|name| name.contains("libhello1_1.0")));
    ground.check().succeeded();
    let run = run(command(
        "resolve",
        &["--mirror", &ground.shown(), "--offline", "--no-cache", "--json"],
    ))
    .succeeded();
    let from = format!("file:{}/security/pool/", ground.shown());
    assert!(run.stdout.contains(&from), "{}", run.stdout);
}

fn a_second_distribution_has_a_place_of_its_own() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    let other = base::repository("small");
    for (path, bytes) in other.files(Some(signer())) {
        ground.door.mirror.put(format!("other/{path}"), bytes);
    }
    let mut command = ground.door.command(["mirror", "ubuntu:small"]);
    command
        .arg(ground.dir())
        .args([
            "--mirror",
            &format!("{}/other", ground.door.mirror.url()),
            "--keyring",
        ])
        .arg(ground.door.keyring())
        .args(["--components", "main"]);
    run(command).succeeded();
    assert!(ground.dir().join("ubuntu/dists/small/InRelease").exists());
    assert!(ground.dir().join("dists/tiny/InRelease").exists());
    ground.check().succeeded();
    let mut command = ground
        .door
        .command(["resolve", "ubuntu:small", "--offline", "--no-cache"]);
    command
        .args(["--mirror", &ground.shown(), "--components", "main", "--keyring"])
        .arg(ground.door.keyring());
    run(command).succeeded();
}

fn an_update_that_fails_changes_nothing() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    let before = served(&ground.dir());
    let newer = repository(&packages("2.0"));
    ground.publish(&newer);
    let lost = newer
        .packages()
        .iter()
        .find(|package| package.path.contains("/hello_2.0"))
        .unwrap();
    ground.door.mirror.remove(&lost.path);
    ground
        .mirror(&["--prune"])
        .failed(4, &["hello_2.0", "does not exist"]);
    let after = served(&ground.dir());
    for (path, bytes) in &before {
        assert_eq!(after.get(path), Some(bytes), "{path}");
    }
    ground.check().succeeded();
    run(ground.alone("resolve", &["--mirror", &ground.shown()])).succeeded();
}

fn only_one_writes() {
    let ground = ground();
    ground.door.mirror.always("dists/tiny/InRelease", Fault::Silence);
    let mut going = Going::start(ground.command(&[]));
    going.until_so("the first run asks", || {
        ground.door.mirror.count("dists/tiny/InRelease") > 0
    });
    ground.mirror(&[]).failed(6, &["another run", &ground.shown()]);
    drop(going);
    ground.door.mirror.behave();
    ground.mirror(&[]).succeeded();
}

fn served_over_http() {
    let ground = ground();
    let sources = with_security(&ground);
    let mut command =
        ground
            .door
            .command(["mirror", "--sources", &sources, "--include", "hello", "--keyring"]);
    command.arg(ground.door.keyring()).arg(ground.dir());
    run(command).succeeded();
    let server = Mirror::serve_directory(ground.dir()).unwrap();
    let mut command = ground
        .door
        .command(["resolve", "--sources", &sources, "--include", "hello", "--json"]);
    command
        .args(["--mirror", &server.url(), "--no-cache", "--keyring"])
        .arg(ground.door.keyring());
    let run = run(command).succeeded();
    let from = format!("{}/security/pool/", server.url());
    assert!(run.stdout.contains(&from), "{}", run.stdout);
}

fn a_path_that_leads_out_is_refused() {
    for path in [
        "../../outside.deb",
        "pool/../../outside.deb",
        ".bareroot-mirror/record.toml",
    ] {
        let hello = base::package("hello", "1.0");
        let repository = base::repository(SUITE).package_with(SUITE, "main", &hello, &[("Filename", path)]);
        let ground = Ground::new(&repository);
        ground.mirror(&[]).ended_with(5);
        assert!(!ground.door.path("outside.deb").exists());
        assert!(!ground.dir().join("dists").exists());
    }
}

fn links_in_it_lead_nowhere() {
    let ground = ground();
    let outside = ground.door.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(ground.dir()).unwrap();
    std::os::unix::fs::symlink(&outside, ground.dir().join("pool")).unwrap();
    std::os::unix::fs::symlink("../outside", ground.dir().join("dists")).unwrap();
    ground.mirror(&[]);
    assert_eq!(files(&outside).len(), 0);
}

fn a_suite_that_is_not_there() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    let mut command = ground
        .door
        .command(["resolve", "debian:sid", "--offline", "--no-cache"]);
    command.args(["--mirror", &ground.shown()]);
    run(command).failed(4, &["suite sid", &ground.shown(), "hint:"]);
}

fn words_that_make_no_sense() {
    let ground = ground();
    let run_words = |words: &[&str]| run(ground.door.command(words));
    run_words(&["mirror", "debian:trixie"]).failed(2, &["no target directory"]);
    run_words(&["mirror", "mirror"]).failed(2, &["mirror", "is no mirror"]);
    fs::create_dir_all(ground.dir()).unwrap();
    ground.check().failed(2, &["is no mirror"]);
    run_words(&["mirror", "--check", "--prune", "mirror"]).ended_with(2);
}

fn a_flat_repository() {
    let add = |repository: RepoBuilder, package: &DebBuilder| repository.package("./", "", package);
    let flat = bareroot_testkit::repo::Suite::flat("./");
    let repository = packages("1.0").iter().fold(RepoBuilder::new().suite(flat), add);
    let ground = Ground::new(&repository);
    let text = format!("deb {} ./\n", ground.door.mirror.url());
    let sources = ground.door.file("flat.list", text).display().to_string();
    let command = |verb: &str| {
        let mut command = ground.door.command([
            verb,
            "--sources",
            &sources,
            "--variant",
            "custom",
            "--include",
            "hello",
        ]);
        command.arg("--keyring").arg(ground.door.keyring());
        command
    };
    let mut mirror = command("mirror");
    mirror.arg(ground.dir());
    run(mirror).succeeded();
    let names = served(&ground.dir());
    assert!(
        names.contains_key("InRelease") && names.contains_key("Packages.gz"),
        "{:?}",
        names.keys()
    );
    ground.check().succeeded();
    let mut resolve = command("resolve");
    resolve.args(["--mirror", &ground.shown(), "--offline", "--no-cache"]);
    run(resolve).succeeded();
}

fn a_release_of_another_moment_is_left_out() {
    let ground = ground();
    let newer = repository(&packages("2.0")).files(Some(signer()));
    for file in ["dists/tiny/Release", "dists/tiny/Release.gpg"] {
        ground.door.mirror.put(file, newer[file].clone());
    }
    let run = ground.mirror(&[]).succeeded();
    assert!(run.stderr.contains("not of the same moment"), "{}", run.stderr);
    assert!(!ground.dir().join("dists/tiny/Release").exists());
    ground.check().succeeded();
}

fn events_as_json() {
    let ground = ground();
    let run = ground.mirror(&["--json"]).succeeded();
    assert!(
        run.stdout.lines().all(|line| line.starts_with("{\"event\":\"")),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("\"event\":\"done\",\"packages\":6"),
        "{}",
        run.stdout
    );
}

fn a_map_that_is_broken() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    let map = ground.dir().join("bareroot-mirror.toml");
    let text = fs::read_to_string(&map).unwrap();
    fs::write(&map, text.replace("place = \".\"", "place = \"../..\"")).unwrap();
    run(ground.alone("resolve", &["--mirror", &ground.shown()]))
        .failed(5, &["bareroot-mirror.toml", "leads out of the mirror"]);
    ground.check().failed(5, &["bareroot-mirror.toml"]);
}

fn a_map_that_cannot_be_asked_for() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    let server = Mirror::serve_directory(ground.dir()).unwrap();
    let resolve = |mirrors: &[&str]| {
        let mut command = ground.door.command([
            "resolve",
            &format!("debian:{SUITE}"),
            "--include",
            "hello",
            "--no-cache",
        ]);
        command
            .args(["--timeout", "1", "--keyring"])
            .arg(ground.door.keyring());
        mirrors.iter().for_each(|mirror| {
            command.args(["--mirror", mirror]);
        });
        run(command)
    };
    // The server is there and has no answer: nobody knows whether its files lie where a whole mirror has them.
    server.always("bareroot-mirror.toml", Fault::Status(500));
    let failed = resolve(&[&server.url()]).failed(4, &["bareroot-mirror.toml", "500"]);
    assert!(!failed.stderr.contains("InRelease"), "{}", failed.stderr);
    // Another one is there: this one is left out, with a word.
    let run = resolve(&[&server.url(), &ground.shown()]).succeeded();
    for word in ["is left out", &server.url(), "bareroot-mirror.toml"] {
        assert!(run.stderr.contains(word), "{word}: {}", run.stderr);
    }
    // A server that forbids what it does not have, and one that answers everything with a page.
    for fault in [
        Fault::Status(403),
        Fault::Status(404),
        Fault::Replace(b"<html>welcome</html>".to_vec()),
    ] {
        server.behave();
        server.always("bareroot-mirror.toml", fault);
        resolve(&[&server.url()]).succeeded();
    }
}

fn a_root_of_it_without_a_network() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    for mirror in [
        ground.shown(),
        format!("file:{}", ground.shown()),
        "file:./mirror".to_owned(),
    ] {
        let mut command = std::process::Command::new("unshare");
        let inner = ground.alone("bootstrap", &["--mirror", &mirror]);
        command
            .arg("-n")
            .arg(inner.get_program())
            .args(inner.get_args())
            .env_clear();
        for (name, value) in inner.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.current_dir(inner.get_current_dir().unwrap());
        run(command).succeeded();
        assert!(ground.door.target().join("usr/bin/hello").exists());
        fs::remove_dir_all(ground.door.target()).unwrap();
    }
}

fn a_package_of_it_is_missing() {
    let ground = ground();
    ground.mirror(&[]).succeeded();
    let names = served(&ground.dir());
    let lost = names.keys().find(|name| name.contains("/libhello1_")).unwrap();
    fs::remove_file(ground.dir().join(lost)).unwrap();
    run(ground.alone("bootstrap", &["--mirror", &ground.shown()])).failed(4, &[lost, "does not exist"]);
    ground.door.assert_nothing_left();
    ground.check().failed(5, &[lost, "is missing"]);
}

fn of_a_lock() {
    let ground = ground();
    let lock = ground.door.path("bareroot.lock").display().to_string();
    let mut command = ground
        .door
        .command(["lock", &format!("debian:{SUITE}"), "--include", "hello"]);
    command
        .args(["--mirror", &ground.door.mirror.url(), "--keyring"])
        .arg(ground.door.keyring());
    run(command).succeeded();
    // The suite moves on, and its server keeps the old file.
    ground.publish(&repository(&packages("2.0")));
    let mut command = ground.door.command(["mirror", &lock]);
    command
        .arg(ground.dir())
        .args(["--mirror", &ground.door.mirror.url(), "--keyring"])
        .arg(ground.door.keyring());
    run(command).succeeded();
    let names = served(&ground.dir());
    assert!(
        names.keys().any(|name| name.contains("/hello_1.0")),
        "{:?}",
        names.keys()
    );
    assert!(!names.keys().any(|name| name.contains("/hello_2.0")));
    ground.check().succeeded();
    let mut command = ground.door.command(["resolve", &lock, "--offline", "--no-cache"]);
    command.args(["--mirror", &ground.shown()]);
    run(command).succeeded();
}

/// A disk that fills up while packages come leaves no half of a mirror; with room, the next run goes on.
fn a_full_disk() {
    let ground = ground();
    let disk = Disk::mount(&ground.dir(), 1 << 20);
    ground.mirror(&[]).failed(
        6,
        &[
            "no space left to write",
            "/mirror/pool/main/",
            "hint: free some space",
        ],
    );
    assert!(!ground.dir().join("dists").exists());
    mount_remount(ground.dir(), MountFlags::empty(), c"size=64m").unwrap();
    ground.mirror(&[]).succeeded();
    ground.check().succeeded();
    drop(disk);
}

fn several_architectures() {
    let own = base::ARCH;
    let other = if own == "i386" { "amd64" } else { "i386" };
    let suite = Suite {
        architectures: vec![own.into(), other.into()],
        ..Suite::new(SUITE)
    };
    let there = |name| DebBuilder::new(name, "1", other);
    let of_both = base::with_base(RepoBuilder::new().suite(suite), SUITE)
        .package(SUITE, "main", &base::package("hello", "1.0"))
        .package(SUITE, "main", &there("required").field("Essential", "yes"))
        .package(SUITE, "main", &there("hello"))
        .package(SUITE, "main", &there("unneeded"));
    let ground = Ground::new(&of_both);
    let both = format!("{own},{other}");
    let options = ["--variant", "essential", "--arch", &both];
    ground.mirror(&options).succeeded();
    let has = |part: &str| served(&ground.dir()).keys().any(|name| name.contains(part));
    for part in [
        format!("hello_1.0_{own}.deb"),
        format!("hello_1_{other}.deb"),
        format!("required_1_{other}.deb"),
        format!("/binary-{own}/Packages"),
        format!("/binary-{other}/Packages"),
    ] {
        assert!(has(&part), "{part}");
    }
    assert!(!has("unneeded"));
    ground.check().succeeded();
    for arch in [own, other] {
        let options = [
            "--variant",
            "essential",
            "--arch",
            arch,
            "--mirror",
            &ground.shown(),
        ];
        let listed = run(ground.alone("resolve", &options)).succeeded();
        assert!(listed.stdout.contains("hello "), "{}", listed.stdout);
    }
}
