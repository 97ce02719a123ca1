use std::fs;
use std::process::Command;

use bareroot_testkit::deb::{Compression, DebBuilder};
use bareroot_testkit::door::{Door, Run, SUITE, run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::keys::Key;
use bareroot_testkit::mirror::{Fault, Mirror};
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::tree::{Tree, TreeOptions, Type};
use bareroot_testkit::{base, cases};

use crate::{door, repository, text};

pub const CASES: &[Case] = cases![
    Nothing: several_components, deb822, one_line_file, one_line_mirrors, key_in_the_source, a_key_for_each_source,
        fingerprints_narrow_a_keyring, flat, flat_at_the_root, release_and_its_signature, every_compression,
        by_hash_that_is_gone, an_index_of_all, a_dead_mirror_first, a_mirror_that_lacks_a_file, from_a_directory,
        a_proxy, a_proxy_that_wants_to_know_who, hosts_without_a_proxy, netrc, credentials_in_the_address,
        the_mirror_moves_once;
    Root: sources_of_the_root, credentials_stay_outside, every_archive_compression,
];

/// The names that a resolve prints.
fn names(run: &Run) -> Vec<String> {
    let mut lines: Vec<&str> = run.stdout.lines().collect();
    lines.pop();
    let mut names: Vec<String> = lines
        .iter()
        .filter_map(|line| line.split(' ').next())
        .map(Into::into)
        .collect();
    names.sort();
    names
}

const BASE: [&str; 4] = ["apt", "base-files", "base-passwd", "dpkg"];

#[track_caller]
fn assert_base_and(run: &Run, more: &[&str]) {
    let mut wanted = [&BASE, more].concat();
    wanted.sort_unstable();
    assert_eq!(names(run), wanted, "{}", run.stderr);
}

fn hello() -> DebBuilder {
    base::package("hello", "1.0").file("/usr/bin/hello", "hello")
}

/// Two components, and a suite with updates.
fn two_by_two() -> RepoBuilder {
    let components = || vec!["main".into(), "extra".into()];
    let suite = Suite {
        components: components(),
        ..base::suite(SUITE)
    };
    let updates = Suite {
        components: components(),
        ..base::suite("tiny-updates")
    };
    base::with_base(RepoBuilder::new().suite(suite).suite(updates), SUITE)
        .package(SUITE, "extra", &hello())
        .package("tiny-updates", "extra", &base::package("hello", "1.1"))
}

/// `resolve` with these words and the mirror's keyring.
fn resolve(door: &Door, words: &[&str]) -> Run {
    run(resolve_command(door, words))
}

fn resolve_command(door: &Door, words: &[&str]) -> Command {
    let mut command = door.command(["resolve"]);
    command.args(words).arg("--no-cache");
    command
}

fn several_components() {
    let door = door(&two_by_two());
    let run = door
        .resolve(&["--components", "main,extra", "--include", "hello"])
        .succeeded();
    assert_base_and(&run, &["hello"]);
    assert!(run.stdout.contains(" 1.0 "), "{}", run.stdout);
    door.resolve(&["--include", "hello"]).failed(3, &["`hello`"]);
    door.resolve(&["--components", "main,contrib"])
        .failed(4, &["`contrib`"]);
}

fn deb822() {
    let door = door(&two_by_two());
    let file = door.file(
        "tiny.sources",
        format!(
            "# A comment\nTypes: deb deb-src\nURIs: {0}\nSuites: tiny tiny-updates\nComponents: main\n extra\n\
             Signed-By: {1}\n\nEnabled: no\nTypes: deb\nURIs: {0}/nowhere\nSuites: none\nComponents: main\n",
            door.mirror.url(),
            door.keyring().display()
        ),
    );
    let run = resolve(
        &door,
        &["--sources", &file.to_string_lossy(), "--include", "hello"],
    )
    .succeeded();
    assert_base_and(&run, &["hello"]);
    assert!(run.stdout.contains(" 1.1 "), "{}", run.stdout);
}

fn one_line_file() {
    let door = door(&two_by_two());
    let file = door.file(
        "tiny.list",
        format!(
            "# deb http://nowhere.invalid/ none main\ndeb [arch={1} signed-by={2}] {0} tiny main extra\n\
             deb-src {0} tiny main\ndeb [signed-by={2}] {0} tiny-updates extra # more\n",
            door.mirror.url(),
            base::ARCH,
            door.keyring().display()
        ),
    );
    let run = resolve(
        &door,
        &["--sources", &file.to_string_lossy(), "--include", "hello"],
    )
    .succeeded();
    assert!(run.stdout.contains(" 1.1 "), "{}", run.stdout);
}

fn one_line_mirrors() {
    let door = door(&two_by_two());
    let entry = |suite: &str| format!("deb {} {suite} main extra", door.mirror.url());
    let keyring = door.keyring();
    let run = resolve(
        &door,
        &[
            "debian:tiny",
            "--mirror",
            &entry("tiny"),
            "--mirror",
            &entry("tiny-updates"),
            "--include",
            "hello",
            "--keyring",
            &keyring.to_string_lossy(),
        ],
    )
    .succeeded();
    assert!(run.stdout.contains(" 1.1 "), "{}", run.stdout);
}

fn key_in_the_source() {
    let door = door(&two_by_two());
    let block: String = signer()
        .armored()
        .lines()
        .map(|line| format!(" {}\n", if line.is_empty() { "." } else { line }))
        .collect();
    let text = format!(
        "Types: deb\nURIs: {}\nSuites: tiny\nComponents: main\nSigned-By:\n{block}",
        door.mirror.url()
    );
    let file = door.file("tiny.sources", text);
    assert_base_and(
        &resolve(&door, &["--sources", &file.to_string_lossy()]).succeeded(),
        &[],
    );
}

fn a_key_for_each_source() {
    let other = Key::new(2);
    let door = door(&repository(&[]));
    let second = Mirror::serve(repository(&[hello()]).files(Some(&other))).unwrap();
    let other_keyring = door.file("other.asc", other.armored());
    let text = |first: &std::path::Path, last: &std::path::Path| {
        format!(
            "deb [signed-by={}] {} tiny main\ndeb [signed-by={}] {} tiny main\n",
            first.display(),
            door.mirror.url(),
            last.display(),
            second.url()
        )
    };
    let file = door.file("right.list", text(&door.keyring(), &other_keyring));
    assert_base_and(
        &resolve(
            &door,
            &["--sources", &file.to_string_lossy(), "--include", "hello"],
        )
        .succeeded(),
        &["hello"],
    );
    let file = door.file("wrong.list", text(&door.keyring(), &door.keyring()));
    resolve(&door, &["--sources", &file.to_string_lossy()])
        .failed(5, &["no key of the keyring", &second.url()]);
}

fn fingerprints_narrow_a_keyring() {
    let other = Key::new(2);
    let door = door(&repository(&[]));
    let both = door.file("both.pgp", [signer().certificate(), other.certificate()].concat());
    for (key, code) in [(signer(), 0), (&other, 5)] {
        let text = format!(
            "deb [signed-by={}] {} tiny main\n",
            key.fingerprint(),
            door.mirror.url()
        );
        let file = door.file("tiny.list", text);
        let keyring = both.to_string_lossy();
        resolve(
            &door,
            &["--sources", &file.to_string_lossy(), "--keyring", &keyring],
        )
        .ended_with(code);
    }
}

fn flat() {
    let repository = repository(&[])
        .suite(Suite::flat("flat/"))
        .package("flat/", "", &hello());
    let door = door(&repository);
    let text = format!("deb {0} tiny main\ndeb {0} flat/\n", door.mirror.url());
    let file = door.file("tiny.list", text);
    let keyring = door.keyring();
    let words = [
        "--sources",
        &file.to_string_lossy(),
        "--keyring",
        &keyring.to_string_lossy(),
        "--include",
        "hello",
        "--json",
    ];
    let run = resolve(&door, &words).succeeded();
    assert!(
        run.stdout.contains(&format!(
            "{}/flat/hello_1.0_{}.deb",
            door.mirror.url(),
            base::ARCH
        )),
        "{}",
        run.stdout
    );
}

fn flat_at_the_root() {
    let mut repository = RepoBuilder::new().suite(Suite::flat("./"));
    for package in base::packages() {
        repository = repository.package("./", "", &package);
    }
    let door = door(&repository);
    let file = door.file(
        "tiny.sources",
        format!("Types: deb\nURIs: {}\nSuites: ./\n", door.mirror.url()),
    );
    let keyring = door.keyring();
    let words = [
        "--sources",
        &file.to_string_lossy(),
        "--keyring",
        &keyring.to_string_lossy(),
    ];
    assert_base_and(&resolve(&door, &words).succeeded(), &[]);
}

fn release_and_its_signature() {
    let suite = Suite {
        in_release: false,
        ..base::suite(SUITE)
    };
    let door = door(&base::with_base(RepoBuilder::new().suite(suite), SUITE));
    assert_base_and(&door.resolve(&[]).succeeded(), &[]);
    assert_eq!(door.mirror.count("dists/tiny/Release.gpg"), 1);
    door.mirror.remove("dists/tiny/Release.gpg");
    door.resolve(&["--no-cache"]).failed(5, &["carries no signature"]);
}

fn every_compression() {
    for compression in Compression::ALL {
        let suite = Suite {
            compressions: vec![compression],
            listed_only: vec![],
            ..base::suite(SUITE)
        };
        let door = door(&base::with_base(RepoBuilder::new().suite(suite), SUITE));
        assert_base_and(&door.resolve(&[]).succeeded(), &[]);
    }
}

fn by_hash_that_is_gone() {
    let door = door(&repository(&[]));
    door.mirror.always("*", Fault::Status(404));
    door.mirror.behave();
    let by_hash: Vec<String> = repository(&[])
        .files(None)
        .into_keys()
        .filter(|path| path.contains("/by-hash/"))
        .collect();
    assert!(!by_hash.is_empty());
    by_hash.iter().for_each(|path| door.mirror.remove(path));
    assert_base_and(&door.resolve(&[]).succeeded(), &[]);
}

fn an_index_of_all() {
    let suite = Suite {
        separate_all: true,
        ..base::suite(SUITE)
    };
    let data = DebBuilder::new("data", "1", "all");
    let door = door(&base::with_base(RepoBuilder::new().suite(suite), SUITE).package(SUITE, "main", &data));
    assert_base_and(&door.resolve(&["--include", "data"]).succeeded(), &["data"]);
}

/// A mirror's address at which nobody listens.
fn dead() -> String {
    Mirror::start().unwrap().url()
}

fn a_dead_mirror_first() {
    let door = door(&repository(&[hello()]));
    let keyring = door.keyring();
    let words = [
        "debian:tiny",
        "--keyring",
        &keyring.to_string_lossy(),
        "--include",
        "hello",
        "--mirror",
        &dead(),
        "--mirror",
        &door.mirror.url(),
    ];
    assert_base_and(&resolve(&door, &words).succeeded(), &["hello"]);
    let words = [
        "debian:tiny",
        "--keyring",
        &keyring.to_string_lossy(),
        "--mirror",
        &dead(),
    ];
    resolve(&door, &words).failed(4, &["cannot connect"]);
}

fn a_mirror_that_lacks_a_file() {
    let door = door(&repository(&[hello()]));
    let second = Mirror::serve(repository(&[hello()]).files(Some(signer()))).unwrap();
    door.mirror.always("dists/tiny/InRelease", Fault::Status(503));
    let run = door
        .resolve(&["--mirror", &second.url(), "--include", "hello"])
        .succeeded();
    assert_base_and(&run, &["hello"]);
}

fn from_a_directory() {
    let door = door(&RepoBuilder::new());
    let directory = door.path("a mirror");
    repository(&[hello()]).write(&directory, Some(signer())).unwrap();
    let keyring = door.keyring();
    for scheme in ["file:", "file://", "copy:"] {
        let address = format!("{scheme}{}", directory.display().to_string().replace(' ', "%20"));
        let words = [
            "debian:tiny",
            "--keyring",
            &keyring.to_string_lossy(),
            "--mirror",
            &address,
            "--include",
            "hello",
        ];
        assert_base_and(&resolve(&door, &words).succeeded(), &["hello"]);
    }
}

/// `resolve` from a host that only a proxy can reach; the mirror is the proxy.
fn through_proxy(door: &Door, proxy: &str, variables: &[(&str, &str)]) -> Run {
    let keyring = door.keyring();
    let words = [
        "debian:tiny",
        "--keyring",
        &keyring.to_string_lossy(),
        "--mirror",
        "http://deb.invalid/",
    ];
    let mut command = resolve_command(door, &words);
    command.env("http_proxy", proxy).envs(variables.iter().copied());
    run(command)
}

fn a_proxy() {
    let door = door(&repository(&[]));
    assert_base_and(&through_proxy(&door, &door.mirror.url(), &[]).succeeded(), &[]);
    let requests = door.mirror.fetches();
    assert!(
        requests
            .iter()
            .all(|request| request.target.starts_with("http://deb.invalid/dists/")),
        "{requests:?}"
    );
}

fn a_proxy_that_wants_to_know_who() {
    let door = door(&repository(&[]));
    door.mirror.require_as_proxy("user", "pass word");
    let known = door.mirror.url().replace("http://", "http://user:pass%20word@");
    assert_base_and(&through_proxy(&door, &known, &[]).succeeded(), &[]);
    let run = through_proxy(&door, &door.mirror.url(), &[])
        .failed(4, &["407", "hint: the proxy wants credentials"]);
    assert!(!run.stderr.contains("pass"), "{}", run.stderr);
}

fn hosts_without_a_proxy() {
    let door = door(&repository(&[]));
    let keyring = door.keyring();
    let words = [
        "debian:tiny",
        "--keyring",
        &keyring.to_string_lossy(),
        "--mirror",
        &door.mirror.url(),
    ];
    let mut command = resolve_command(&door, &words);
    command.env("http_proxy", dead()).env("no_proxy", "127.0.0.1");
    assert_base_and(&run(command).succeeded(), &[]);
}

fn netrc() {
    let door = door(&repository(&[]));
    door.mirror.require("user", "secret");
    door.resolve(&[]).failed(4, &["401", "netrc"]);
    door.file("home/.netrc", "machine 127.0.0.1 login user password secret\n");
    assert_base_and(&door.resolve(&[]).succeeded(), &[]);
    fs::remove_file(door.path("home/.netrc")).unwrap();
    let other = door.file("other-netrc", "machine 127.0.0.1\nlogin user\npassword secret\n");
    let mut command = door.resolve_command(&[]);
    command.env("NETRC", other);
    assert_base_and(&run(command).succeeded(), &[]);
}

fn with_credentials(door: &Door) -> String {
    door.mirror.require("user", "secret");
    door.mirror.url().replace("http://", "http://user:secret@")
}

fn credentials_in_the_address() {
    let door = door(&repository(&[]));
    let address = with_credentials(&door);
    let keyring = door.keyring();
    let words = [
        "debian:tiny",
        "--keyring",
        &keyring.to_string_lossy(),
        "--mirror",
        &address,
        "--json",
        "--verbose",
    ];
    let run = resolve(&door, &words).succeeded();
    assert!(
        !run.stdout.contains("secret") && !run.stderr.contains("secret"),
        "{run:?}"
    );
    door.mirror.always("dists/tiny/InRelease", Fault::Status(403));
    let run = resolve(&door, &words).failed(4, &["403"]);
    assert!(!run.stderr.contains("secret"), "{}", run.stderr);
}

fn the_mirror_moves_once() {
    let before = repository(&[]).files(Some(signer()));
    let after = repository(&[hello()]).files(Some(signer()));
    let old = before["dists/tiny/InRelease"].clone();
    let door = Door::over(env!("CARGO_BIN_EXE_bareroot"), after, signer().certificate());
    // An old InRelease, whose index is gone already; then the new one.
    door.mirror.fault("dists/tiny/InRelease", 1, Fault::Replace(old));
    let run = door.resolve(&["--include", "hello"]).succeeded();
    assert_base_and(&run, &["hello"]);
    assert_eq!(door.mirror.count("dists/tiny/InRelease"), 2);
}

fn sources_of_the_root() {
    let door = door(&two_by_two());
    let keyring = door.keyring();
    let text822 = format!(
        "Types: deb\nURIs: {0}\nSuites: tiny tiny-updates\nComponents: main extra\nSigned-By: {1}\nCheck-Valid-Until: no\n",
        door.mirror.url(),
        keyring.display()
    );
    let file = door.file("tiny.sources", text822);
    let mut command = door.command(["bootstrap", "--no-cache", "--sources"]);
    command.arg(&file).arg(door.target());
    run(command).succeeded();
    let sources = text(door.target().join("etc/apt/sources.list.d/0000bareroot.sources"));
    for suite in ["tiny", "tiny-updates"] {
        let stanza = sources.split("\n\n").find(|stanza| {
            stanza.lines().any(|line| {
                line.strip_prefix("Suites: ")
                    .is_some_and(|suites| suites.split(' ').any(|word| word == suite))
            })
        });
        let stanza = stanza.unwrap_or_else(|| panic!("no {suite} in {sources}"));
        for line in [
            "Types: deb".to_owned(),
            format!("URIs: {}", door.mirror.url()),
            "Components: main extra".to_owned(),
            format!("Signed-By: {}", keyring.display()),
            "Check-Valid-Until: no".to_owned(),
        ] {
            assert!(stanza.lines().any(|have| have == line), "no `{line}` in {stanza}");
        }
    }
}

fn credentials_stay_outside() {
    let door = door(&repository(&[]));
    door.mirror.require("user", "secret");
    door.file("home/.netrc", "machine 127.0.0.1 login user password secret\n");
    door.bootstrap(&["--trace", &door.path("trace").to_string_lossy()])
        .succeeded();
    let tree = Tree::read(
        &door.target(),
        &TreeOptions {
            content: false,
            ..TreeOptions::default()
        },
    )
    .unwrap();
    let files = tree
        .entries
        .iter()
        .filter(|(_, entry)| entry.kind == Type::File && entry.size < 1 << 20);
    for (path, _) in files {
        let content = fs::read(door.target().join(path)).unwrap();
        assert!(
            !String::from_utf8_lossy(&content).contains("secret"),
            "/{}",
            path.display()
        );
    }
    assert!(!text(door.path("trace")).contains("secret"));
}

fn every_archive_compression() {
    let one = |number: usize, compression: Compression| {
        base::package(&format!("p{number}"), "1")
            .compression(compression)
            .control_compression(if compression == Compression::Bzip2 {
                Compression::Xz
            } else {
                compression
            })
            .file(&format!("/p{number}"), "content")
    };
    // bzip2 is none of dpkg-deb's compressions for control.tar.
    let packages: Vec<DebBuilder> = Compression::ALL
        .into_iter()
        .enumerate()
        .map(|(number, compression)| one(number, compression))
        .collect();
    let names: Vec<&str> = packages.iter().filter_map(|deb| deb.get("Package")).collect();
    let door = door(&repository(&packages));
    door.bootstrap(&["--include", &names.join(",")]).succeeded();
    for name in &names {
        assert_eq!(text(door.target().join(name)), "content");
    }
}
