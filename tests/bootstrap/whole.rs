use std::fs;
use std::path::Path;

use bareroot_testkit::deb::{DebBuilder, Item};
use bareroot_testkit::door::{is_there, run};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::tree::{Tree, TreeOptions, Type, diff};
use bareroot_testkit::{base, cases};

use crate::{door, installed, repository, text};

pub const CASES: &[Case] = cases![
    Root: a_root_path_by_path, the_database, scripts_run_as_under_dpkg, the_same_bytes_with_any_number_of_threads,
        the_host_gets_in_by_two_files_only, what_scripts_start_ends_with_them, a_cache_saves_the_transfers,
        an_empty_directory_will_do, a_mount_point_is_filled,
];

/// Packages whose files have owners, modes and links that are easily lost.
fn particular() -> [DebBuilder; 2] {
    let hello = base::package("hello", "2:1.0-1")
        .field("Depends", "libhello1 (= 1.0)")
        .item(Item::file("./usr/bin/hello", "hello").mode(0o4755))
        .item(
            Item::file("./usr/bin/crontab", "c")
                .mode(0o2755)
                .owner(0, 999)
                .names("root", "shadow"),
        )
        .item(
            Item::directory("./var/spool/hello/")
                .mode(0o1730)
                .owner(1, 1)
                .names("daemon", "daemon"),
        )
        .hardlink("/usr/bin/hi", "/usr/bin/hello")
        .symlink("/etc/alternatives/hello", "/usr/bin/hello")
        .conffile("/etc/hello.conf", "greeting = hello\n");
    let library = base::package("libhello1", "1.0")
        .field("Multi-Arch", "same")
        .file("/usr/lib/libhello.so.1", "library")
        .info("triggers", "activate-noawait ldconfig\n");
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
        let link = entry
            .link
            .as_ref()
            .map_or(String::new(), |link| format!(" -> {}", link.display()));
        let twin = entry
            .hardlink
            .as_ref()
            .map_or(String::new(), |twin| format!(" = /{}", twin.display()));
        let device = entry
            .device
            .map_or(String::new(), |(major, minor)| format!(" {major}:{minor}"));
        let (mode, uid, gid) = (entry.mode, entry.uid, entry.gid);
        format!(
            "{kind}{mode:04o} {uid}:{gid} /{}{device}{link}{twin}",
            path.display()
        )
    };
    tree.entries.iter().map(line).collect()
}

fn a_root_path_by_path() {
    let door = door(&repository(&particular()));
    let run = door
        .bootstrap(&["--include", "hello", "--no-host-files"])
        .succeeded();
    let last = run.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("6 packages, "), "{}", run.stderr);
    for phase in [
        "plan",
        "index",
        "solve",
        "prepare",
        "fetch",
        "unpack",
        "record",
        "configure",
        "finish",
    ] {
        assert!(last.contains(&format!("{phase} ")), "{phase} in {last}");
    }
    assert_eq!(run.stdout, "");
    assert_eq!(door.beside(), ["root"]);
    door.assert_no_mount_and_no_process();
    let expected = include_str!("whole.listing").replace("amd64", base::ARCH);
    let expected: Vec<&str> = expected
        .lines()
        // The loader's directory is one of the architecture.
        .filter(|line| base::ARCH == "amd64" || !line.contains("/lib64"))
        .collect();
    let found = listing(&door.target());
    let only = |some: &[&str], others: &[&str]| -> Vec<String> {
        some.iter()
            .filter(|line| !others.contains(line))
            .map(|line| (*line).to_owned())
            .collect()
    };
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(
        (only(&expected, &found), only(&found, &expected)),
        (vec![], vec![]),
        "missing, and not expected"
    );
}

fn the_database() {
    let door = door(&repository(&particular()));
    door.bootstrap(&["--include", "hello"]).succeeded();
    let root = door.target();
    assert_eq!(
        installed(&root),
        [
            "apt 3.0.3 installed",
            "base-files 13.8 installed",
            "base-passwd 3.6.7 installed",
            "dpkg 1.22.21 installed",
            "hello 2:1.0-1 installed",
            "libhello1 1.0 installed",
        ]
    );
    let hello = format!(
        "Package: hello\nStatus: install ok installed\nPriority: optional\nMaintainer: Nobody <nobody@example.org>\n\
         Architecture: {}\nVersion: 2:1.0-1\nDepends: libhello1 (= 1.0)\nConffiles:\n \
         /etc/hello.conf 7bdc8d9c4ef2e9d4d68fba28ba3c4a3a\nDescription: a package for tests\n",
        base::ARCH
    );
    let status = text(root.join("var/lib/dpkg/status"));
    let digestless = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split(".conf ").next().unwrap_or_default().to_owned())
            .collect()
    };
    let stanza = status
        .split("\n\n")
        .find(|stanza| stanza.contains("Package: hello\n"))
        .unwrap_or_default();
    assert_eq!(digestless(stanza), digestless(&hello));
    let info = root.join("var/lib/dpkg/info");
    assert_eq!(
        text(info.join("hello.list")),
        "/.\n/etc\n/etc/alternatives\n/etc/hello.conf\n/usr\n/usr/bin\n/var\n/var/spool\n/usr/bin/hello\n\
         /usr/bin/crontab\n/var/spool/hello\n/usr/bin/hi\n/etc/alternatives/hello\n"
            .lines()
            .filter(|line| *line != "/etc/hello.conf")
            .collect::<Vec<_>>()
            .join("\n")
            .replace("/usr/bin/hi\n", "/usr/bin/hi\n/etc/hello.conf\n")
            + "\n"
    );
    assert_eq!(
        text(info.join(format!("libhello1:{}.triggers", base::ARCH))),
        "activate-noawait ldconfig\n"
    );
    assert_eq!(text(info.join("format")), "1\n");
    assert_eq!(
        text(root.join("var/lib/apt/extended_states")),
        format!(
            "Package: libhello1\nArchitecture: {}\nAuto-Installed: 1\n\n",
            base::ARCH
        )
    );
    assert_eq!(
        text(root.join("etc/apt/sources.list.d/0000bareroot.sources")),
        format!(
            "Types: deb\nURIs: {}\nSuites: tiny\nComponents: main\n",
            door.mirror.url()
        )
    );
    assert_eq!(text(root.join("var/lib/dpkg/arch")), format!("{}\n", base::ARCH));
}

fn scripts_run_as_under_dpkg() {
    let commands = |name: &str| {
        script(&format!(
            "env /{name}.env\nargs /{name}.args\nexists /proc/1/status\nexists /dev/null\n\
             # base-files is configured by then, also for a preinst.\nexists /var/log/wtmp"
        ))
    };
    let hello = base::package("hello", "1.0")
        .script("preinst", commands("preinst"))
        .script("postinst", commands("postinst"));
    let door = door(&repository(&[hello]));
    let mut command = door.bootstrap_command(&["--include", "hello"]);
    command
        .env("MINE", "1")
        .env("LD_PRELOAD", "/nowhere.so")
        .env("LC_ALL", "de_DE.UTF-8");
    run(command).succeeded();
    let read = |name: &str| text(door.target().join(name));
    assert_eq!(
        (read("preinst.args"), read("postinst.args")),
        ("install\n".into(), "configure \n".into())
    );
    for name in ["preinst.env", "postinst.env"] {
        let environment = read(name);
        let mut lines: Vec<&str> = environment
            .lines()
            .filter(|line| !line.starts_with("DPKG_"))
            .collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            [
                "DEBCONF_NONINTERACTIVE_SEEN=true",
                "DEBIAN_FRONTEND=noninteractive",
                "HOME=/root",
                "LANG=C.UTF-8",
                "LANGUAGE=C.UTF-8",
                "LC_ALL=C.UTF-8",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ],
            "{name}"
        );
        assert!(
            environment.contains("DPKG_MAINTSCRIPT_PACKAGE=hello\n"),
            "{environment}"
        );
    }
    assert!(read("preinst.env").contains("DPKG_RUNNING_VERSION=1.22.21\n"));
    assert!(!is_there(&door.target().join("var/lib/dpkg/tmp.ci")));
}

fn the_same_bytes_with_any_number_of_threads() {
    let many = |number: usize| {
        let files = (0..20).fold(base::package(&format!("many{number}"), "1"), |deb, file| {
            deb.file(&format!("/usr/share/many/{number}/{file}"), format!("{file}"))
        });
        // Each replaces a file of the one before it.
        let deb = files.file("/usr/share/many/shared", format!("{number}"));
        let before: Vec<String> = (0..number).map(|number| format!("many{number}")).collect();
        if before.is_empty() {
            deb
        } else {
            deb.field("Replaces", &before.join(", "))
        }
    };
    let packages: Vec<DebBuilder> = (0..8).map(many).chain(particular()).collect();
    let names: Vec<&str> = packages.iter().filter_map(|deb| deb.get("Package")).collect();
    let door = door(&repository(&packages));
    let made = |name: &str, jobs: &str| {
        let mut command = door.command(["bootstrap", "debian:tiny"]);
        command.arg(door.path("out").join(name));
        command
            .args([
                "--mirror",
                &door.mirror.url(),
                "--no-cache",
                "--jobs",
                jobs,
                "--keyring",
            ])
            .arg(door.keyring());
        command
            .args(["--include", &names.join(",")])
            .env("SOURCE_DATE_EPOCH", "1600000000");
        run(command).succeeded();
        let options = TreeOptions {
            mtime: true,
            ..TreeOptions::default()
        };
        Tree::read(&door.path("out").join(name), &options).expect("the root can be read")
    };
    let (one, eight, again) = (made("one", "1"), made("eight", "8"), made("again", "8"));
    for other in [&eight, &again] {
        let differences: Vec<String> = diff(&one, other, &|_| false)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(differences, Vec::<String>::new());
    }
    let late = one
        .entries
        .iter()
        .filter(|(_, entry)| entry.mtime.is_some_and(|mtime| mtime > (1_600_000_000, 0)));
    assert_eq!(
        late.map(|(path, _)| path).collect::<Vec<_>>(),
        Vec::<&std::path::PathBuf>::new()
    );
}

fn the_host_gets_in_by_two_files_only() {
    let door = door(&repository(&[]));
    door.bootstrap(&[]).succeeded();
    for (host, name) in [
        ("/etc/resolv.conf", "etc/resolv.conf"),
        ("/etc/hostname", "etc/hostname"),
    ] {
        let copied = fs::read(door.target().join(name)).ok();
        assert_eq!(fs::read(host).ok(), copied, "{name}");
    }
    let passwd = text(door.target().join("etc/passwd"));
    assert!(
        passwd.starts_with("root:*:0:0:") && passwd.lines().count() == 3,
        "{passwd}"
    );
    assert_eq!(
        fs::read_dir(door.path("home")).unwrap().count(),
        0,
        "nothing is written to the home directory"
    );
    assert_eq!(
        fs::read_dir(door.path("tmp")).unwrap().count(),
        0,
        "nothing is left in TMPDIR"
    );
    assert_eq!(
        fs::read_dir(door.path("xdg")).unwrap().count(),
        0,
        "--cache-dir alone is written"
    );
}

fn what_scripts_start_ends_with_them() {
    let hello = base::package("hello", "1.0").script("postinst", script("daemon\necho started"));
    let door = door(&repository(&[hello]));
    door.bootstrap(&["--include", "hello", "--verbose"])
        .succeeded()
        .says(&["started"]);
    door.assert_no_mount_and_no_process();
}

fn a_cache_saves_the_transfers() {
    let door = door(&repository(&[
        base::package("hello", "1").file("/usr/bin/hello", "hello")
    ]));
    let made = |number: usize, expected: usize| {
        let before = door.mirror.fetches().len();
        door.bootstrap(&["--include", "hello"]).succeeded();
        let requests: Vec<String> = door
            .mirror
            .fetches()
            .into_iter()
            .skip(before)
            .map(|request| request.path)
            .collect();
        assert_eq!(requests.len(), expected, "run {number}: {requests:?}");
        let listing = listing(&door.target());
        fs::remove_dir_all(door.target()).expect("the root can be removed");
        listing
    };
    // InRelease, an index, five archives; then what may change alone, also when payloads come from the cache.
    let first = made(1, 7);
    assert_eq!(made(2, 1), first);
    assert_eq!(made(3, 1), first);
    assert_eq!(made(4, 1), first);
}

fn an_empty_directory_will_do() {
    let door = door(&repository(&[]));
    fs::create_dir(door.target()).unwrap();
    door.bootstrap(&[]).succeeded();
    assert_eq!(door.beside(), ["root"]);
    // A relative name, with a slash at the end, below a link.
    std::os::unix::fs::symlink("out", door.path("way")).unwrap();
    let mut command = door.command(["bootstrap", "debian:tiny", "way/other/", "--no-cache", "--mirror"]);
    command
        .arg(door.mirror.url())
        .arg("--keyring")
        .arg(door.keyring());
    run(command).succeeded();
    assert_eq!(door.beside(), ["other", "root"]);
    assert!(is_there(&door.path("out/other/usr/bin/dpkg")));
}

fn a_mount_point_is_filled() {
    let door = door(&repository(&[]));
    let disk = bareroot_testkit::disk::Disk::mount(&door.target(), 64 << 20);
    fs::create_dir(door.target().join("lost+found")).unwrap();
    door.bootstrap(&[]).succeeded();
    let mut names: Vec<String> = fs::read_dir(door.target())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let wanted = [
        "bin",
        "dev",
        "etc",
        "home",
        "lib",
        "lib64",
        "lost+found",
        "proc",
        "root",
        "run",
        "sbin",
        "sys",
        "tmp",
        "usr",
        "var",
    ];
    let wanted: Vec<&str> = wanted
        .into_iter()
        .filter(|name| base::ARCH == "amd64" || *name != "lib64")
        .collect();
    assert_eq!(names, wanted);
    drop(disk);
    door.assert_no_mount_and_no_process();
}
