use std::path::Path;

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::{Item, RpmBuilder, When};
use bareroot_testkit::rpm_base;
use bareroot_testkit::tree::{Tree, TreeOptions, Type};

use crate::Ground;

pub const CASES: &[Case] = cases![
    Root: a_root_path_by_path;
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
pub fn listing(root: &Path) -> Vec<String> {
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
