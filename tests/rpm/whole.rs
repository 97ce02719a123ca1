use std::path::Path;

use bareroot_rpm::{Header, Tag, blob};
use bareroot_testkit::cases;
use bareroot_testkit::door::{self, is_there};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::{Item, RpmBuilder, When};
use bareroot_testkit::rpm_base;
use bareroot_testkit::tree::{Tree, TreeOptions, Type, diff};
use rusqlite::{Connection, OpenFlags};

use crate::Ground;

pub const CASES: &[Case] = cases![
    Root: a_root_path_by_path, the_database, files_left_out_are_in_the_database, ghosts_configs_and_links, the_same_bytes_with_any_number_of_threads, a_cache_saves_the_transfers,
        offline_from_the_cache, a_package_by_path_and_by_address, the_release_package_by_address_first, extracted_only, into_an_empty_directory, the_hosts_own_files, events_as_json;
];

/// A package whose files have owners, modes and links that are easily lost, and one that it needs.
fn particular() -> [RpmBuilder; 2] {
    let hello = rpm_base::scripted("hello", "2:1.0~rc1-1")
        .requires("libhello >= 1.0")
        .script(
            When::Pre,
            "/bin/sh",
            "append /etc/passwd hello:x:77:77::/:/sbin/nologin\nappend /etc/group hello:x:77:",
        )
        .item(Item::file("/usr/bin/hello", "hello").mode(0o4755))
        .item(Item::hardlink("/usr/bin/hi", "/usr/bin/hello"))
        .item(
            Item::file("/usr/bin/crontab", "c")
                .mode(0o2755)
                .owner("root", "tty"),
        )
        .item(
            Item::file("/usr/bin/ping", "ping")
                .mode(0o755)
                .caps("cap_net_raw=ep"),
        )
        .item(
            Item::directory("/var/spool/hello")
                .mode(0o1730)
                .owner("hello", "hello"),
        )
        .item(
            Item::file("/var/spool/hello/box", "x")
                .mode(0o4640)
                .owner("hello", "tty"),
        )
        .item(Item::symlink("/etc/alternatives/hello", "/usr/bin/hello"))
        .item(Item::file("/etc/hello.conf", "greeting = hello\n").config_noreplace())
        .item(Item::file("/var/log/hello.log", "").ghost())
        .item(Item::file("/usr/share/doc/hello/README", "read me\n").doc())
        .item(Item::file("/usr/share/locale/de/hello", "hallo\n").lang("de"))
        .item(Item::file("/sbin/helloctl", "through a link").mode(0o755));
    let library = rpm_base::package("libhello", "1.0-2")
        .item(
            Item::file("/usr/lib64/libhello.so.1.0", "library")
                .mode(0o755)
                .color(2),
        )
        .symlink("/usr/lib64/libhello.so.1", "libhello.so.1.0");
    [hello, library]
}

/// `mode uid:gid path -> link`, for every path.
fn listing(root: &Path) -> Vec<String> {
    let tree = Tree::read(root, &TreeOptions::default()).expect("the root can be read");
    let line = |(path, entry): (&std::path::PathBuf, &bareroot_testkit::tree::Entry)| {
        let kind = match entry.kind {
            Type::File => '-',
            Type::Directory => 'd',
            Type::Symlink => 'l',
            Type::Char => 'c',
            _ => '?',
        };
        let mut line = format!(
            "{kind}{:04o} {}:{} /{}",
            entry.mode,
            entry.uid,
            entry.gid,
            path.display()
        );
        if let Some((major, minor)) = entry.device {
            line += &format!(" {major}:{minor}");
        }
        if let Some(link) = &entry.link {
            line += &format!(" -> {}", link.display());
        }
        if let Some(twin) = &entry.hardlink {
            line += &format!(" = /{}", twin.display());
        }
        if entry.xattrs.contains_key(b"security.capability".as_slice()) {
            line += " caps";
        }
        line
    };
    tree.entries.iter().map(line).collect()
}

fn a_root_path_by_path() {
    let ground = Ground::with(&particular());
    let run = ground
        .bootstrap(&["--include", "@core,hello", "--no-host-files"])
        .succeeded();
    let last = run.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("6 packages, "), "{}", run.stderr);
    assert_eq!(run.stdout, "");
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    ground.door.assert_beside_is(&["root"]);
    ground.door.assert_no_mount_and_no_process();
    let expected: Vec<&str> = include_str!("whole.listing").lines().collect();
    let found = listing(&ground.door.target());
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let only = |some: &[&str], others: &[&str]| -> Vec<String> {
        some.iter()
            .filter(|line| !others.contains(line))
            .map(|line| (*line).to_owned())
            .collect()
    };
    assert_eq!(
        (only(&expected, &found), only(&found, &expected)),
        (vec![], vec![]),
        "missing, and not expected"
    );
}

/// The root's rpm database.
fn database(ground: &Ground) -> Connection {
    let path = ground.root("var/lib/rpm/rpmdb.sqlite");
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
}

/// The headers in it, in the order of their numbers.
fn headers(database: &Connection) -> Vec<Header> {
    let mut statement = database
        .prepare("SELECT blob FROM Packages ORDER BY hnum")
        .expect("a table");
    let blobs = statement
        .query_map([], |row| row.get::<_, Vec<u8>>(0))
        .expect("rows");
    blobs
        .map(|blob| blob::parse("a stored header", &blob.expect("a blob")).expect("a header"))
        .collect()
}

/// Which packages an index has for a key.
fn found(database: &Connection, table: &str, key: &str) -> Vec<String> {
    let query = format!("SELECT hnum FROM '{table}' WHERE key = ?1 ORDER BY hnum, idx");
    let mut statement = database.prepare(&query).expect("a table");
    let numbers = statement
        .query_map([key], |row| row.get::<_, u32>(0))
        .expect("rows");
    let all = headers(database);
    numbers
        .map(|number| {
            let number = number.expect("a number") as usize;
            all[number - 1].nevra().name
        })
        .collect()
}

fn the_database() {
    let ground = Ground::with(&particular());
    let mut command = ground.command("bootstrap", &ground.repo(""), &["--include", "@core,hello"]);
    command.env("SOURCE_DATE_EPOCH", "1600000000");
    door::run(command).succeeded();
    let database = database(&ground);
    let all = headers(&database);
    let mut names: Vec<String> = all.iter().map(|header| header.nevra().to_string()).collect();
    // Keys are packages too, named after the key; who vouches for the others is told elsewhere.
    names.retain(|name| !name.starts_with("gpg-pubkey-"));
    let arch = rpm_base::ARCH;
    let place = |name: &str| names.iter().position(|own| own.starts_with(name)).expect(name);
    assert!(place("setup-") < place("filesystem-"), "{names:?}");
    assert!(
        place("filesystem-") < place("sh-") && place("sh-") < place("hello-"),
        "{names:?}"
    );
    assert!(place("libhello-") < place("hello-"), "{names:?}");
    names.sort();
    assert_eq!(
        names,
        [
            format!("filesystem-3.18-1.{arch}"),
            format!("hello-2:1.0~rc1-1.{arch}"),
            format!("libhello-1.0-2.{arch}"),
            "setup-2.15.0-1.noarch".to_owned(),
            format!("sh-5.2-1.{arch}"),
            "tiny-release-9-1.noarch".to_owned(),
        ]
    );
    let mut transactions = Vec::new();
    let packages = all.iter().filter(|header| header.nevra().name != "gpg-pubkey");
    // By SOURCE_DATE_EPOCH rpm makes each package a second younger than the one before it.
    for (header, time) in packages.zip(1_600_000_000u64..) {
        let name = header.nevra().name;
        assert_eq!(header.number(Tag::INSTALLTIME), Some(time), "{name}");
        transactions.push(header.number(Tag::INSTALLTID));
        // What the package's signature header had.
        assert!(
            header.has(Tag::SHA256HEADER) && header.has(Tag::SHA1HEADER) && header.has(Tag::SIGMD5),
            "{name}"
        );
        assert!(header.has(Tag::DSAHEADER), "{name}");
    }
    transactions.dedup();
    assert!(
        matches!(transactions[..], [Some(_)]),
        "one transaction: {transactions:?}"
    );
    assert_eq!(found(&database, "Name", "hello"), ["hello"]);
    assert_eq!(found(&database, "Basenames", "passwd"), ["setup"]);
    assert_eq!(found(&database, "Basenames", "hello.log"), ["hello"]);
    assert_eq!(found(&database, "Providename", "/bin/sh"), ["sh"]);
    assert_eq!(found(&database, "Requirename", "libhello"), ["hello"]);
    assert_eq!(
        found(&database, "Requirename", "rpmlib(FileCaps)"),
        Vec::<String>::new()
    );
    assert_eq!(found(&database, "Dirnames", "/usr/lib64/"), ["libhello"]);
    let check: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(check, "ok");
}

fn files_left_out_are_in_the_database() {
    let ground = Ground::with(&particular());
    ground
        .bootstrap(&["--include", "@core,hello", "--nodocs", "--langs", "fr"])
        .succeeded();
    let all = headers(&database(&ground));
    let hello = all
        .iter()
        .find(|header| header.nevra().name == "hello")
        .expect("hello");
    let files = hello.files();
    // Of the type CHAR, whose elements are numbers.
    let states = hello.numbers(Tag::FILESTATES);
    assert_eq!(states.len(), files.len());
    for (file, state) in files.iter().zip(states) {
        let path = String::from_utf8_lossy(&file.path()).into_owned();
        let left_out = path.starts_with("/usr/share/doc") || path.starts_with("/usr/share/locale");
        assert_eq!(state, u64::from(left_out) * 2, "{path}");
        let ghost = path == "/var/log/hello.log";
        assert_eq!(is_there(&ground.root(&path[1..])), !left_out && !ghost, "{path}");
    }
}

fn ghosts_configs_and_links() {
    let ground = Ground::with(&particular());
    ground.include("hello").succeeded();
    assert!(!is_there(&ground.root("var/log/hello.log")));
    assert_eq!(ground.text("etc/hello.conf"), "greeting = hello\n");
    let options = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    let tree = Tree::read(&ground.door.target(), &options).expect("the root can be read");
    let entry = |path: &str| &tree.entries[Path::new(path)];
    // Two names of one file, and what capabilities(7) says of cap_net_raw=ep.
    assert_eq!(entry("usr/bin/hi").hardlink, entry("usr/bin/hello").hardlink);
    assert!(entry("usr/bin/hi").hardlink.is_some());
    let mut caps = vec![1, 0, 0, 2, 0, 0x20];
    caps.resize(20, 0);
    assert_eq!(
        entry("usr/bin/ping").xattrs[b"security.capability".as_slice()],
        caps
    );
    for path in [
        "usr/bin/hello",
        "usr/bin/ping",
        "var/spool/hello",
        "var/spool/hello/box",
        "etc/alternatives/hello",
        "usr/bin",
    ] {
        assert_eq!(entry(path).mtime, Some((i64::from(Item::MTIME), 0)), "{path}");
    }
}

fn the_same_bytes_with_any_number_of_threads() {
    let many = |number: usize| {
        let rpm = rpm_base::scripted(&format!("many{number}"), "1-1")
            .script(When::Post, "/bin/sh", &format!("append /etc/many {number}"))
            .file("/usr/share/many/shared", "the same")
            .item(
                Item::directory("/usr/share/many")
                    .mode(0o750)
                    .mtime(1_500_000_000 + number as u32),
            );
        (0..20).fold(rpm, |rpm, file| {
            rpm.file(&format!("/usr/share/many/{number}/{file}"), format!("{file}"))
        })
    };
    let packages: Vec<RpmBuilder> = (0..8).map(many).chain(particular()).collect();
    let names: Vec<&str> = packages.iter().map(RpmBuilder::name).collect();
    let include = format!("@core,{}", names.join(","));
    let ground = Ground::with(&packages);
    let made = |name: &str, jobs: &str| {
        let mut command = ground
            .door
            .command(["bootstrap", "--no-cache", "--no-host-files", "--repo"]);
        command
            .arg(ground.repo(""))
            .arg("--keyring")
            .arg(ground.door.keyring())
            .args(["--jobs", jobs, "--include", &include])
            .arg(ground.door.path("out").join(name))
            .env("SOURCE_DATE_EPOCH", "1600000000");
        door::run(command).succeeded();
        let options = TreeOptions {
            mtime: true,
            ..TreeOptions::default()
        };
        Tree::read(&ground.door.path("out").join(name), &options).expect("the root can be read")
    };
    let (one, eight, again) = (made("one", "1"), made("eight", "8"), made("again", "8"));
    for other in [&eight, &again] {
        let differences = diff(&one, other, &|_| false);
        let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(differences, Vec::<String>::new());
    }
    let late = one
        .entries
        .iter()
        .filter(|(_, entry)| entry.mtime.is_some_and(|mtime| mtime > (1_600_000_000, 0)));
    assert_eq!(late.count(), 0);
    assert!(one.entries.contains_key(Path::new("var/lib/rpm/rpmdb.sqlite")));
}

fn a_cache_saves_the_transfers() {
    let ground = Ground::with(&particular());
    let made = |number: usize, expected: usize| {
        let before = ground.door.mirror.requests().len();
        ground.include("hello").succeeded();
        let requests = ground.door.mirror.requests();
        let requests: Vec<&str> = requests
            .iter()
            .skip(before)
            .map(|request| request.path.as_str())
            .collect();
        assert_eq!(requests.len(), expected, "run {number}: {requests:?}");
        let listing = listing(&ground.door.target());
        std::fs::remove_dir_all(ground.door.target()).expect("the root can be removed");
        listing
    };
    // repomd.xml, its signature, primary, groups, six packages; then what may change alone, also when payloads come
    // from the cache.
    let first = made(1, 10);
    assert_eq!(made(2, 2), first);
    assert_eq!(made(3, 2), first);
    assert_eq!(made(4, 2), first);
}

fn offline_from_the_cache() {
    let ground = Ground::with(&particular());
    ground.include("hello").succeeded();
    let first = listing(&ground.door.target());
    std::fs::remove_dir_all(ground.door.target()).expect("the root can be removed");
    let before = ground.door.mirror.requests().len();
    ground
        .bootstrap(&["--include", "@core,hello", "--offline"])
        .succeeded();
    assert_eq!(ground.door.mirror.requests().len(), before);
    assert_eq!(listing(&ground.door.target()), first);
}

fn a_package_by_path_and_by_address() {
    let [hello, library] = particular();
    let ground = Ground::with(&[library]);
    let path = ground.door.file(&hello.file_name(), hello.build());
    ground.door.mirror.put("elsewhere/hello.rpm", hello.build());
    let address = format!("{}/elsewhere/hello.rpm", ground.door.mirror.url());
    for wish in [path.to_string_lossy().as_ref(), &address] {
        let run = ground.include(wish).succeeded();
        assert!(
            run.stderr
                .lines()
                .last()
                .is_some_and(|line| line.starts_with("6 packages, ")),
            "{}",
            run.stderr
        );
        assert_eq!(ground.text("usr/bin/hello"), "hello");
        assert_eq!(found(&database(&ground), "Name", "hello"), ["hello"]);
        std::fs::remove_dir_all(ground.door.target()).expect("the root can be removed");
    }
    ground.include("./missing.rpm").failed(2, &["missing.rpm"]);
    ground
        .include(&format!("{address}.gone.rpm"))
        .failed(4, &["gone.rpm", "does not exist"]);
    let broken = ground.door.file("broken.rpm", "no package");
    ground
        .include(&broken.to_string_lossy())
        .failed(5, &["broken.rpm"]);
    ground.door.assert_nothing_left();
}

/// The way of many articles: the release package by its address, and everything else after it.
fn the_release_package_by_address_first() {
    let ground = Ground::with(&[]);
    let release = rpm_base::release();
    let address = format!("{}/Packages/{}", ground.url(), release.file_name());
    let run = ground.bootstrap(&["--include", &format!("{address},sh,setup")]);
    run.succeeded();
    assert_eq!(
        found(&database(&ground), "Providename", "system-release"),
        ["tiny-release"]
    );
}

fn extracted_only() {
    let ground = Ground::with(&particular());
    ground
        .bootstrap(&[
            "--include",
            "@core,hello",
            "--variant",
            "extract",
            "--no-host-files",
        ])
        .succeeded();
    assert_eq!(ground.text("usr/bin/hello"), "hello");
    assert!(!is_there(&ground.root("var/lib/rpm")));
    assert!(!ground.text("etc/passwd").contains("hello:"), "no scriptlet runs");
    ground.door.assert_no_mount_and_no_process();
}

fn into_an_empty_directory() {
    let ground = Ground::with(&[]);
    std::fs::create_dir(ground.door.target()).expect("a directory");
    ground.bootstrap(&["--include", "@core"]).succeeded();
    ground.door.assert_beside_is(&["root"]);
    ground
        .bootstrap(&["--include", "@core"])
        .failed(6, &["is not empty"]);
    assert!(is_there(&ground.root("usr/bin/sh")), "what was there stays");
}

fn the_hosts_own_files() {
    let ground = Ground::with(&[]);
    ground.bootstrap(&["--include", "@core"]).succeeded();
    let passwd = ground.text("etc/passwd");
    assert!(
        passwd.starts_with("root:x:0:0:") && passwd.lines().count() == 3,
        "{passwd}"
    );
    for name in ["home", "tmp", "xdg"] {
        let entries = std::fs::read_dir(ground.door.path(name)).expect(name).count();
        assert_eq!(entries, 0, "{name}");
    }
}

fn events_as_json() {
    let ground = Ground::with(&particular());
    let run = ground
        .bootstrap(&["--include", "@core,hello", "--json"])
        .succeeded();
    for line in run.stdout.lines() {
        assert!(line.starts_with("{\"") && line.ends_with('}'), "{line}");
    }
    for part in ["\"unpacked\"", "\"hello\"", "\"done\""] {
        assert!(run.stdout.contains(part), "{part} in {}", run.stdout);
    }
}
