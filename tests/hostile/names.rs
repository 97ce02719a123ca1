//! Names at and past what a file system, dpkg's lists and a terminal can take.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bareroot_testkit::cases;
use bareroot_testkit::deb::{DebBuilder, Item};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::Item as RpmItem;

use crate::{Ground, evil, rpms};

pub const CASES: &[Case] = cases![
    Root: components_at_their_limit, paths_at_their_limit, a_path_of_two_thousand_directories, bytes_that_are_no_text, control_characters,
        lines_of_lists, dots_and_slashes, backslashes, names_that_look_alike, names_that_are_ours, rpm_names_at_their_limit,
        rpm_names_of_odd_bytes;
];

fn one(item: Item) -> DebBuilder {
    evil().bare().item(Item::directory("./")).item(item)
}

#[track_caller]
fn refused(item: Item, words: &[&str]) {
    let run = Ground::with(&one(item)).extract();
    run.failed(5, &[&["evil"], words].concat());
}

/// Unpacks `evil`, and gives the root.
#[track_caller]
fn made(deb: &DebBuilder) -> (Ground, PathBuf) {
    let ground = Ground::with(deb);
    ground.extract().succeeded();
    let root = ground.door.target();
    (ground, root)
}

/// A file of that name, which need not be text: at most 100 bytes.
fn named(name: &'static [u8], content: &str) -> Item {
    Item::file("./x", content).tamper(move |header| {
        let field = &mut header.as_gnu_mut().expect("a GNU header").name;
        field.fill(0);
        field[..name.len()].copy_from_slice(name);
    })
}

fn components_at_their_limit() {
    let (_ground, root) = made(&one(Item::file(&format!("./{}", "x".repeat(255)), "long")));
    assert_eq!(fs::read_to_string(root.join("x".repeat(255))).unwrap(), "long");
    for length in [256, 1000, 4000] {
        let long = "x".repeat(length);
        for item in [
            Item::file(&format!("./{long}"), "x"),
            Item::directory(&format!("./{long}/")),
            Item::symlink(&format!("./{long}"), "x"),
            Item::file(&format!("./usr/{long}/x"), "x"),
        ] {
            refused(item, &["a name that is too long"]);
        }
    }
}

fn paths_at_their_limit() {
    for length in [4096, 5000, 1 << 20] {
        let long = format!("./{}", "d/".repeat(length / 2));
        refused(Item::file(&format!("{long}f"), "x"), &["limit of 4095"]);
        refused(Item::directory(&long), &["limit of 4095"]);
    }
}

/// Deeper than descriptors can be open, and longer than a path can be once it has the target before it.
fn a_path_of_two_thousand_directories() {
    let path = format!("./{}file", "d/".repeat(2040));
    let (ground, root) = made(&one(Item::file(&path, "deep")));
    assert!(root.join("d/d/d").is_dir());
    // All of it goes again.
    let mut remove = ground.door.command(["remove"]);
    remove.arg(&root);
    bareroot_testkit::door::run(remove).succeeded();
    ground.door.assert_beside_is(&["canary"]);
}

fn bytes_that_are_no_text() {
    let names: [&'static [u8]; 4] = [
        b"./a\xff\xfeb",
        b"./\xc3",
        b"./\xed\xa0\x80",
        b"./\xf5\x80\x80\x80",
    ];
    let deb = names
        .into_iter()
        .fold(evil().bare().item(Item::directory("./")), |deb, name| {
            deb.item(named(name, "odd"))
        });
    let ground = Ground::with(&deb);
    ground.bootstrap().succeeded();
    let root = ground.door.target();
    let list = fs::read(root.join("var/lib/dpkg/info/evil.list")).unwrap();
    for name in names {
        assert_eq!(
            fs::read(root.join(OsStr::from_bytes(&name[2..]))).unwrap(),
            b"odd"
        );
        let line = [&name[1..], b"\n"].concat();
        assert!(
            list.windows(line.len()).any(|window| window == line),
            "{}",
            list.escape_ascii()
        );
    }
}

/// They are names like others; where one is told of, a terminal sees nothing that it would obey.
fn control_characters() {
    let odd = "\u{1b}[2J\u{7}\r\t\u{9b}1m\u{202e}";
    let (_ground, root) = made(&one(Item::file(&format!("./{odd}"), "odd")));
    assert_eq!(fs::read_to_string(root.join(odd)).unwrap(), "odd");
    for item in [
        Item::character(&format!("./{odd}"), 1, 1),
        Item::hardlink(&format!("./{odd}"), &format!("./no{odd}")),
        Item::file(&format!("./{odd}/.."), "x"),
        Item::file(&format!("./{odd}"), "x").tamper(|header| header.set_size(1 << 40)),
        Item::symlink(&format!("./{odd}"), "x").tamper(|header| header.as_old_mut().linkflag = [b'V']),
    ] {
        let run = Ground::with(&one(item)).extract().failed(5, &["evil"]);
        let seen = ['\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}'];
        assert!(!run.stderr.contains(seen), "{:?}", run.stderr);
    }
}

/// A name with a line end would be two lines of dpkg's list: the second is any path.
fn lines_of_lists() {
    for name in ["./a\n/etc/shadow", "./\n", "./a\n"] {
        refused(Item::file(name, "x"), &["line end"]);
        refused(Item::directory(name), &["line end"]);
    }
    // The text of a link is in no list.
    let (_ground, root) = made(&one(Item::symlink("./link", "a\nb")));
    assert_eq!(fs::read_link(root.join("link")).unwrap(), Path::new("a\nb"));
}

fn dots_and_slashes() {
    for name in ["./..", "..", "./a/..", "./../", "./.././a", "a/../.."] {
        refused(Item::file(name, "dead"), &["a name that climbs with `..`"]);
        refused(Item::directory(name), &["a name that climbs with `..`"]);
    }
    refused(named(b"", "dead"), &["its name is empty"]);
    refused(
        Item::symlink("./", "../canary"),
        &["the root itself as something other"],
    );
    refused(
        Item::symlink(".", "../canary"),
        &["the root itself as something other"],
    );
    refused(Item::hardlink("./", "./"), &["evil"]);
    // A file whose name ends in a slash is a directory, as for dpkg: what is its content would be the next header.
    refused(Item::file("./file/", "dead"), &["its checksum is"]);
    let (_ground, root) = made(&one(Item::file("./a//./b/.//c", "x")));
    assert_eq!(fs::read_to_string(root.join("a/b/c")).unwrap(), "x");
    let (_ground, root) = made(&one(Item::file("./.../..a/b..", "x")));
    assert_eq!(fs::read_to_string(root.join(".../..a/b..")).unwrap(), "x");
}

/// No separator here: part of a name.
fn backslashes() {
    let name = "..\\..\\canary\\bird";
    let (_ground, root) = made(&one(Item::file(&format!("./{name}"), "tame")));
    assert_eq!(fs::read_to_string(root.join(name)).unwrap(), "tame");
}

/// Names that differ by case, by their composition, or by what nobody sees, stay two files.
fn names_that_look_alike() {
    let pairs = [
        ("File", "file"),
        ("stra\u{df}e", "strasse"),
        ("\u{e9}", "e\u{301}"),
        ("\u{130}", "i"),
        ("a", "\u{430}"),
        ("x", "x\u{200b}"),
        ("y", "y "),
        ("\u{212a}", "K"),
    ];
    let items = pairs.iter().flat_map(|(one, other)| [*one, *other]);
    let deb = items.clone().fold(evil(), |deb, name| {
        deb.file(&format!("/alike/{name}"), name)
            .file(&format!("/alike-{name}/in"), name)
    });
    let (_ground, root) = made(&deb);
    for name in items.clone() {
        assert_eq!(
            fs::read_to_string(root.join("alike").join(name)).unwrap(),
            name,
            "{name:?}"
        );
        assert_eq!(
            fs::read_to_string(root.join(format!("alike-{name}/in"))).unwrap(),
            name
        );
    }
    assert_eq!(fs::read_dir(root.join("alike")).unwrap().count(), items.count());
}

/// Names that bareroot itself gives to what it makes for a while.
fn names_that_are_ours() {
    let ours = [
        ".bareroot-abcdefghij",
        ".bareroot-moving",
        ".root.bareroot-abcdefghij",
        "bareroot.lock",
    ];
    for name in ours {
        let deb = evil()
            .file(&format!("/{name}"), "1 canary\0")
            .file(&format!("/{name}.d/x"), "x");
        let run = Ground::with(&deb).extract();
        assert!(matches!(run.code, Some(0 | 5 | 6)), "{name}: {run:?}");
        let run = Ground::with(&evil().symlink(&format!("/{name}"), "../canary")).bootstrap();
        assert!(matches!(run.code, Some(0 | 5 | 6)), "{name}: {run:?}");
    }
}

fn rpm_names_at_their_limit() {
    let run = |path: &str| rpms::alone(&[rpms::evil().item(RpmItem::file(path, "x"))]).rpm(rpms::ALONE);
    run(&format!("/{}", "x".repeat(255))).succeeded();
    for path in [
        format!("/{}", "x".repeat(256)),
        format!("/{}/x", "x".repeat(300)),
        format!("/{}f", "d/".repeat(2047)),
        format!("/{}f", "d/".repeat(2048)),
    ] {
        let run = run(&path);
        assert!(matches!(run.code, Some(0 | 5)), "{} {run:?}", path.len());
        assert!(run.code == Some(5) || path.len() < 4096, "{}", path.len());
    }
}

fn rpm_names_of_odd_bytes() {
    let run = |path: &str| rpms::alone(&[rpms::evil().item(RpmItem::file(path, "x"))]).rpm(rpms::ALONE);
    for path in ["/a\nb", "/etc/..", "/./..//x", "/usr/../../x"] {
        run(path).failed(5, &["evil"]);
    }
    for path in ["/a\\..\\b", "/a b", "/\u{e9}", "/e\u{301}", "/...", "/~"] {
        run(path).succeeded();
    }
    for path in ["/a\u{1b}[2J", "/a\r"] {
        let run = run(path);
        assert!(!run.stderr.contains(['\u{1b}', '\r']), "{:?}", run.stderr);
        assert!(matches!(run.code, Some(0 | 5)), "{run:?}");
    }
}
