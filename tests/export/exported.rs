//! `export`: an archive of a root that is there.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use bareroot_testkit::cases;
use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::{Door, in_terminal, run};
use bareroot_testkit::harness::Case;
use rustix::fs::{Mode, OFlags};

use crate::formats::{assert_equal, directory, listing};
use crate::{EPOCH, bootstrap, door, unpacked};

pub const CASES: &[Case] = cases![
    Nothing: what_is_no_root, what_kind_of_archive;
    Root: a_root_in_every_format, a_ledger_says_who_owns_what, standard_output, an_archive_in_its_own_root,
        paths_past_four_kibibytes, no_space;
];

fn export(door: &Door, out: &str, options: &[&str]) -> std::process::Command {
    let mut command = door.command(["export", "out/root", out]);
    command.args(options);
    command
}

fn a_root_in_every_format() {
    let door = door();
    run(bootstrap(&door, door.target(), &[])).succeeded();
    let made = door.path("out/made.tar");
    run(bootstrap(&door, &made, &[])).succeeded();
    let expected = directory(&door.target());
    for (name, options) in [
        ("a.tar", &[][..]),
        ("a.tar.gz", &["--jobs", "3"]),
        ("a.txz", &[]),
        ("a.tar.zst", &["--quiet"]),
        ("plain", &["--format", "tar"]),
    ] {
        let mut command = export(&door, &format!("out/{name}"), options);
        command.env("SOURCE_DATE_EPOCH", EPOCH);
        let run = run(command).succeeded();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        let bytes = unpacked(&door.path("out").join(name));
        assert_equal(&listing(&bytes), &expected, name);
        // The archive of a root is the one that bootstrap makes.
        assert!(bytes == fs::read(&made).unwrap(), "{name}");
    }
    let mut early = export(&door, "out/early.tar", &[]);
    early.env("SOURCE_DATE_EPOCH", "1000");
    run(early).succeeded();
    let latest = tar::Archive::new(unpacked(&door.path("out/early.tar")).as_slice())
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().header().mtime().unwrap())
        .max();
    assert_eq!(latest, Some(1000));
    let mut wrong = export(&door, "out/early.tar", &[]);
    wrong.env("SOURCE_DATE_EPOCH", "today");
    run(wrong).failed(2, &["SOURCE_DATE_EPOCH", "today"]);
}

fn a_ledger_says_who_owns_what() {
    let door = door();
    let root = door.target();
    for name in ["etc", "dev", "var/mail", "var/plain"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for name in [
        "etc/shadow",
        "etc/passwd",
        "dev/null",
        "dev/sda",
        "var/mail/box",
        ".bareroot-ledger",
    ] {
        fs::write(root.join(name), "").unwrap();
    }
    fs::set_permissions(root.join("var/mail"), PermissionsExt::from_mode(0o2775)).unwrap();
    symlink("shadow", root.join("etc/link")).unwrap();
    let ledger = "# bareroot ledger 1\n# owners\n0 42 - etc/shadow\n7 8 - etc/link\n0 0 c:1:3 dev/null\n0 6 b:8:0 dev/sda\n\
                  0 8 - var/mail\n1 1 - var/plain\n5 5 - gone\n";
    fs::write(root.join(".bareroot-ledger"), ledger).unwrap();
    run(export(&door, "out/a.tar", &[])).succeeded();
    let bytes = unpacked(&door.path("out/a.tar"));
    let mut found = Vec::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let device =
            match header.entry_type().is_character_special() || header.entry_type().is_block_special() {
                true => format!(
                    " {:?} {}:{}",
                    header.entry_type(),
                    header.device_major().unwrap().unwrap(),
                    header.device_minor().unwrap().unwrap()
                ),
                false => String::new(),
            };
        let (uid, gid) = (header.uid().unwrap(), header.gid().unwrap());
        found.push(format!("{} {uid}:{gid}{device}", entry.path().unwrap().display()));
    }
    assert_eq!(
        found,
        [
            "./ 0:0",
            "./dev/ 0:0",
            "./dev/null 0:0 Char 1:3",
            "./dev/sda 0:6 Block 8:0",
            "./etc/ 0:0",
            "./etc/link 7:8",
            "./etc/passwd 0:0",
            "./etc/shadow 0:42",
            "./var/ 0:0",
            "./var/mail/ 0:8",
            "./var/mail/box 0:8",
            "./var/plain/ 1:1",
        ]
    );
    fs::write(
        root.join(".bareroot-ledger"),
        "# bareroot ledger 1\n# owners\nnonsense\n",
    )
    .unwrap();
    run(export(&door, "out/b.tar", &[]))
        .ended_with(5)
        .says(&["out/root/.bareroot-ledger", "line 3"]);
    door.assert_beside_is(&["a.tar", "root"]);
}

fn standard_output() {
    let door = door();
    fs::create_dir(door.target()).unwrap();
    fs::write(door.target().join("f"), "content").unwrap();
    run(export(&door, "out/a.tar", &[])).succeeded();
    let output = export(&door, "-", &[]).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
    assert!(output.stdout == fs::read(door.path("out/a.tar")).unwrap());
    let (code, text) = in_terminal(export(&door, "-", &[]));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("terminal"), "{text}");
}

fn an_archive_in_its_own_root() {
    let door = door();
    fs::create_dir(door.target()).unwrap();
    fs::write(door.target().join("f"), "content").unwrap();
    for _ in 0..2 {
        run(export(&door, "out/root/a.tar", &[])).succeeded().says(&[
            "`/.a.tar.bareroot-",
            "is left out of the archive: it is the archive itself",
        ]);
        let tree = listing(&unpacked(&door.target().join("a.tar")));
        let paths: Vec<_> = tree.entries.keys().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(paths, ["", "f"]);
    }
}

/// Longer than what a system call takes.
fn paths_past_four_kibibytes() {
    let door = door();
    let name = "d".repeat(200);
    let mut path = std::path::PathBuf::new();
    fs::create_dir(door.target()).unwrap();
    let mut above: std::os::fd::OwnedFd = fs::File::open(door.target()).unwrap().into();
    for _ in 0..30 {
        rustix::fs::mkdirat(&above, &name, Mode::RWXU).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        above = rustix::fs::openat(&above, &name, flags, Mode::empty()).unwrap();
        path.push(&name);
    }
    let create = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&above, "f", create, Mode::from_raw_mode(0o640)).unwrap();
    fs::File::from(file).write_all(b"deep").unwrap();
    rustix::fs::symlinkat("f", &above, "link").unwrap();
    run(export(&door, "out/deep.tar", &[])).succeeded();
    let tree = listing(&unpacked(&door.path("out/deep.tar")));
    assert_eq!(tree.entries.len(), 33);
    let of = |name: &str| &tree.entries[&path.join(name)];
    assert_eq!((of("f").mode, of("f").size), (0o640, 4));
    assert_eq!(of("link").link.as_deref(), Some(std::path::Path::new("f")));
}

fn no_space() {
    let door = door();
    fs::create_dir(door.target()).unwrap();
    // xorshift64: nothing that a compressor finds anything in.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let noise: Vec<u8> = (0..400_000).flat_map(|_| next()).collect();
    fs::write(door.target().join("noise"), noise).unwrap();
    let disk = Disk::mount(&door.path("small"), 1 << 20);
    for name in ["a.tar", "a.tar.gz", "a.tar.xz", "a.tar.zst"] {
        run(export(&door, &format!("small/{name}"), &[]))
            .failed(6, &["No space left", "hint: free some space"]);
        assert_eq!(fs::read_dir(door.path("small")).unwrap().count(), 0, "{name}");
    }
    drop(disk);
}

fn what_is_no_root() {
    let door = door();
    run(export(&door, "out/a.tar", &[])).failed(6, &["out/root"]);
    fs::write(door.target(), "").unwrap();
    run(export(&door, "out/a.tar", &[])).failed(6, &["out/root"]);
    door.assert_beside_is(&["root"]);
}

fn what_kind_of_archive() {
    let door = door();
    fs::create_dir(door.target()).unwrap();
    run(export(&door, "out/a", &[])).failed(2, &["what kind of archive `out/a`", "hint: let its name end"]);
    run(export(&door, "out/a.tar", &["--format", "directory"])).failed(2, &["what kind of archive"]);
    door.assert_beside_is(&["root"]);
}
