//! The same ground for RPM packages, and what only their payloads can say.

use std::path::PathBuf;
use std::time::Instant;

use bareroot_testkit::cases;
use bareroot_testkit::door::{self, Run, signer};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::{Compression, Form, Item, RpmBuilder, Value};
use bareroot_testkit::rpm_base;
use bareroot_testkit::rpm_repo::RpmRepo;

use crate::{Ground, SOON};

pub const CASES: &[Case] = cases![
    Root: names_of_no_length_and_of_gigabytes, contents_beyond_the_header, digits_that_are_none, records_of_no_kind, records_beyond_the_header,
        inodes_that_are_shared_by_strangers, two_billion_links, texts_without_an_end, sockets_and_kinds_that_are_none, devices_by_other_ways,
        capabilities_that_are_none, capabilities_of_megabytes, decoders_that_want_all_memory, a_compression_that_lies, streams_that_go_on,
        ghosts_and_configuration_through_links, links_where_mounts_are, links_where_records_are, a_database_that_a_package_brings,
        packages_that_fight, times_that_are_absurd, owners_that_are_absurd;
];

/// How `evil` is unpacked, alone.
pub const ALONE: &[&str] = &["--include", "evil", "--variant", "extract", "--no-host-files"];

pub fn evil() -> RpmBuilder {
    rpm_base::package("evil", "1-1")
}

/// A repository of these packages, before which the birds live.
pub fn ground(repository: &RpmRepo) -> Ground {
    Ground::over(repository.files("repo/", Some(signer())))
}

/// A repository that has nothing else.
pub fn alone(packages: &[RpmBuilder]) -> Ground {
    ground(&packages.iter().fold(RpmRepo::new(), RpmRepo::package))
}

/// The base's repository with these.
pub fn with(packages: &[RpmBuilder]) -> Ground {
    ground(&packages.iter().fold(rpm_base::repository(), RpmRepo::package))
}

impl Ground {
    /// The .repo file of the mirror.
    fn repo(&self) -> PathBuf {
        let url = self.door.mirror.url();
        let text = format!("[tiny]\nname=Tiny\nbaseurl={url}/repo\ngpgcheck=1\nrepo_gpgcheck=1\n");
        self.door.file("tiny.repo", text)
    }

    pub fn rpm_command(&self, options: &[&str]) -> std::process::Command {
        let mut command = self.door.command(["bootstrap", "--repo"]);
        command.arg(self.repo()).arg("--keyring").arg(self.door.keyring());
        command.arg("--cache-dir").arg(self.door.path("cache"));
        command.args(options).arg(self.door.target());
        command
    }

    /// Bootstraps from the .repo file; the bird lives, and a run that fails leaves nothing.
    #[track_caller]
    pub fn rpm(&self, options: &[&str]) -> Run {
        let begin = Instant::now();
        let run = door::run(self.rpm_command(options));
        assert!(begin.elapsed() < SOON, "{:?}: {}", begin.elapsed(), run.stderr);
        self.assert_unharmed(&run);
        run
    }
}

/// `evil` alone is refused, with these words.
#[track_caller]
fn refused(rpm: &RpmBuilder, words: &[&str]) {
    let run = alone(std::slice::from_ref(rpm)).rpm(ALONE);
    run.failed(5, &[&["evil"], words].concat());
}

/// A whole bootstrap of the base and these.
#[track_caller]
fn whole(packages: &[RpmBuilder]) -> Run {
    with(packages).rpm(&["--include", "@core,evil", "--no-host-files"])
}

fn one_file() -> RpmBuilder {
    evil().file("/usr/share/evil", "dead")
}

/// Writes another field of the first record: number 0 to 12 after the magic (cpio(5), "New ASCII Format").
fn field(number: usize, text: &str) -> RpmBuilder {
    let text = text.to_owned();
    one_file().on_archive(move |bytes| {
        let at = 6 + number * 8;
        bytes[at..at + 8].copy_from_slice(text.as_bytes());
    })
}

fn names_of_no_length_and_of_gigabytes() {
    for length in ["00000000", "ffffffff", "7fffffff", "00001001"] {
        refused(&field(11, length), &["a name has", "bytes; expected 1 to 4096"]);
    }
    // One byte less than it has: it does not end with its NUL.
    refused(&field(11, "00000010"), &["payload"]);
}

fn contents_beyond_the_header() {
    for size in ["00000005", "00000003", "7fffffff", "ffffffff"] {
        refused(&field(6, size), &["`/usr/share/evil` has", "bytes; expected 4"]);
    }
    // The header's own sizes: more than there is, and more than there can be.
    for size in [5u32, 1 << 31, u32::MAX] {
        let rpm = one_file()
            .form(Form::Stripped)
            .on_header(move |entries| drop(entries.insert(1028, size.into())));
        refused(&rpm, &[]);
    }
}

fn digits_that_are_none() {
    for (number, text) in [
        (6, "0000000g"),
        (11, "-0000001"),
        (6, "+0000004"),
        (11, "0x000011"),
    ] {
        refused(
            &field(number, text),
            &["a record's number is not of eight hexadecimal digits"],
        );
    }
}

fn records_of_no_kind() {
    for magic in ["070707", "07070x", "\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}", "!<arch"] {
        let rpm = one_file().on_archive(move |bytes| bytes[..6].copy_from_slice(magic.as_bytes()));
        refused(&rpm, &["a record begins with"]);
    }
}

fn records_beyond_the_header() {
    for number in [1u32, 0x7fff_ffff, u32::MAX - 1] {
        let rpm = one_file()
            .form(Form::Stripped)
            .on_records(move |records| records[0].number = number);
        refused(&rpm, &["and the header fewer"]);
    }
    // Which is how a stripped archive ends.
    let rpm = one_file()
        .form(Form::Stripped)
        .on_records(|records| records[0].number = u32::MAX);
    refused(&rpm, &["is in the header and not in it"]);
}

/// The header says of two files that they are one: the first is what the last one is.
fn inodes_that_are_shared_by_strangers() {
    let rpm = evil()
        .file("/usr/share/a", "aa")
        .file("/usr/share/b", "bbbb")
        .on_header(|entries| drop(entries.insert(1096, vec![7, 7].into())));
    let ground = alone(&[rpm]);
    ground.rpm(ALONE).succeeded();
    for name in ["a", "b"] {
        let made = ground.door.target().join("usr/share").join(name);
        assert_eq!(std::fs::read(made).unwrap(), b"bbbb");
    }
    let rpm = evil()
        .directory("/usr/share/a")
        .file("/usr/share/b", "bbbb")
        .on_header(|entries| drop(entries.insert(1096, vec![7, 7].into())));
    let ground = alone(&[rpm]);
    ground.rpm(ALONE).succeeded();
    assert!(ground.door.target().join("usr/share/a").is_dir());
}

fn two_billion_links() {
    for links in [0, 1 << 31, u32::MAX] {
        let ground = alone(&[one_file().on_records(move |records| records[0].links = links)]);
        ground.rpm(ALONE).succeeded();
        let made = ground.door.target().join("usr/share/evil");
        assert_eq!(std::fs::read(made).unwrap(), b"dead");
    }
}

/// The last text of a header has no NUL.
fn texts_without_an_end() {
    for tag in [1117u32, 1118, 1035, 5092] {
        let rpm = one_file().on_header_bytes(move |bytes| {
            let count = u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) as usize;
            let index = |number: usize| 16 + number * 16;
            let at = (0..count)
                .map(index)
                .find(|at| bytes[*at..at + 4] == tag.to_be_bytes())
                .expect("the tag is there");
            let offset = u32::from_be_bytes([bytes[at + 8], bytes[at + 9], bytes[at + 10], bytes[at + 11]]);
            // Everything from its begin to the end of the data, but for the trailer.
            let (begin, end) = (index(count) + offset as usize, bytes.len() - 16);
            bytes[begin..end].fill(b'x');
        });
        refused(&rpm, &["is malformed"]);
    }
}

fn kind(mode: u16) -> RpmBuilder {
    one_file().on_header(move |entries| drop(entries.insert(1030, Value::Int16(vec![mode]))))
}

fn sockets_and_kinds_that_are_none() {
    for mode in [0o140_644, 0o000_644, 0o110_644, 0o170_644, 0o030_644, 0o050_644] {
        refused(&kind(mode), &["is of the unknown kind"]);
    }
    let ground = alone(&[evil().item(Item::fifo("/usr/share/evil"))]);
    ground.rpm(ALONE).succeeded();
    use std::os::unix::fs::FileTypeExt;
    let made = std::fs::symlink_metadata(ground.door.target().join("usr/share/evil")).unwrap();
    assert!(made.file_type().is_fifo());
}

/// A device node that the header has under two names, one that the record calls a file, and one of impossible numbers.
fn devices_by_other_ways() {
    let twice = evil()
        .item(Item::character("/dev/a", 1, 1))
        .item(Item::character("/dev/b", 1, 1))
        .on_header(|entries| drop(entries.insert(1096, vec![7, 7].into())));
    refused(&twice, &["a device node"]);
    for mode in [0o020_600, 0o060_600] {
        refused(&kind(mode), &["a device node"]);
    }
    let rpm = evil()
        .item(Item::block("/dev/a", 8, 0))
        .on_header(|entries| drop(entries.insert(1033, Value::Int16(vec![u16::MAX]))));
    refused(&rpm, &["a device node"]);
    let config = evil().item(Item::character("/dev/a", 1, 1).config());
    refused(&config, &["a device node"]);
    // What is owned and not in the payload is not made.
    let ground = alone(&[evil().item(Item::character("/dev/a", 1, 1).ghost())]);
    ground.rpm(ALONE).succeeded();
    assert!(!door::is_there(&ground.door.target().join("dev/a")));
}

fn capabilities_that_are_none() {
    for text in [
        "cap_everything=ep",
        "=",
        "cap_chown",
        "cap_chown=ep;id",
        "cap_chown=xyz",
        "\u{1b}[2J",
        "cap_chown=ep cap_chown",
    ] {
        let rpm = evil().item(Item::file("/usr/bin/evil", "dead").caps(text));
        let run = alone(&[rpm]).rpm(ALONE);
        assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
        run.failed(5, &["the capabilities of `/usr/bin/evil` are"]);
    }
}

fn capabilities_of_megabytes() {
    // More than an extended attribute may have (xattr(7): 64 KiB), did anybody write it as it is.
    let text = "cap_chown=ep ".repeat(100_000);
    let rpm = evil().item(Item::file("/usr/bin/evil", "dead").caps(text.trim_end()));
    let run = alone(&[rpm]).rpm(ALONE);
    assert!(matches!(run.code, Some(0 | 5)), "{run:?}");
}

fn decoders_that_want_all_memory() {
    // A zstd frame of one segment whose window is its content size, 2 GiB (RFC 8878, 3.1.1.1).
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x80, 0x01, 0, 0];
    let rpm = one_file()
        .compression(Compression::Zstd)
        .on_payload(move |bytes| *bytes = frame.to_vec());
    refused(&rpm, &["the payload of", "more memory than the limit"]);
    // A window of 2^31 bytes by its descriptor.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (31 - 10) << 3, 0x01, 0, 0];
    let rpm = one_file()
        .compression(Compression::Zstd)
        .on_payload(move |bytes| *bytes = frame.to_vec());
    refused(&rpm, &["the payload of", "more memory than the limit"]);
    let rpm = one_file()
        .compression(Compression::Lzma)
        .on_payload(|bytes| bytes[1..5].copy_from_slice(&u32::MAX.to_le_bytes()));
    refused(&rpm, &["the payload of"]);
}

fn a_compression_that_lies() {
    for (is, says) in [
        (Compression::Gzip, "xz"),
        (Compression::Xz, "zstd"),
        (Compression::Zstd, "gzip"),
        (Compression::Bzip2, "lzma"),
        (Compression::None, "bzip2"),
    ] {
        let rpm = one_file()
            .compression(is)
            .on_header(move |entries| drop(entries.insert(1125, says.into())));
        refused(&rpm, &["payload"]);
    }
}

/// What comes behind the last record, or behind the stream: whatever it is, it is over soon.
fn streams_that_go_on() {
    for compression in [
        Compression::Gzip,
        Compression::Xz,
        Compression::Zstd,
        Compression::Bzip2,
        Compression::Lzma,
    ] {
        let more = one_file().compression(compression).on_payload(move |bytes| {
            let empty = compression.compress(b"");
            (0..1000).for_each(|_| bytes.extend(&empty));
        });
        let garbage = one_file()
            .compression(compression)
            .on_payload(|bytes| bytes.extend(b"and so on".repeat(1000)));
        for rpm in [more, garbage] {
            let run = alone(&[rpm]).rpm(ALONE);
            assert!(matches!(run.code, Some(0 | 5)), "{compression:?}: {run:?}");
        }
    }
}

fn ghosts_and_configuration_through_links() {
    for (item, is_made) in [
        (Item::file("/way/bird", "dead").config(), true),
        (Item::file("/way/bird", "dead").config_noreplace(), true),
        (Item::file("/way/bird", "").ghost(), false),
        (Item::file("/way/bird", "dead").doc(), true),
    ] {
        let own = evil().symlink("/way", "../canary").item(item.clone());
        let run = alone(&[own]).rpm(ALONE);
        match is_made {
            true => run.failed(5, &["evil", "goes through a symbolic link of the same package"]),
            false => run.succeeded(),
        };
        let way = rpm_base::package("way", "1-1").symlink("/way", "/../canary");
        let run = whole(&[way, evil().requires("way").item(item)]);
        assert!(matches!(run.code, Some(0 | 3)), "{run:?}");
    }
}

/// Links, with which a package takes the place of what a session mounts on.
fn links_where_mounts_are() {
    for path in ["/proc", "/sys", "/dev"] {
        let rpm = rpm_base::package("evil", "1-1").symlink(path, "../canary");
        let run = whole(&[rpm]);
        assert!(matches!(run.code, Some(0 | 3 | 5 | 6)), "{path}: {run:?}");
    }
    for path in ["/dev/pts", "/dev/shm", "/dev/null", "/run/lock"] {
        let rpm = evil().symlink(path, "../../canary/bird");
        let run = whole(&[rpm]);
        assert!(matches!(run.code, Some(0 | 3 | 5 | 6)), "{path}: {run:?}");
    }
}

/// Where bareroot itself writes at the end.
fn links_where_records_are() {
    for path in [
        "/etc/yum.repos.d",
        "/etc/machine-id",
        "/etc/resolv.conf",
        "/var/lib/dnf",
        "/usr/lib/sysimage/libdnf5",
        "/var/lib/rpm-state",
        "/var/cache",
        "/var/log",
        "/tmp",
        "/run",
    ] {
        let up = "../".repeat(path.matches('/').count());
        for end in ["canary", "canary/bird"] {
            let rpm = evil().symlink(path, &format!("{up}{end}"));
            // With the host's files, too.
            let run = alone(&[rpm]).rpm(&["--include", "evil"]);
            assert!(matches!(run.code, Some(0 | 3 | 5 | 6)), "{path}: {run:?}");
        }
    }
}

/// A package's own rpmdb.sqlite: the one that there is in the end is of what was installed.
fn a_database_that_a_package_brings() {
    for path in ["/var/lib/rpm", "/usr/lib/sysimage/rpm"] {
        let rpm = [
            "rpmdb.sqlite",
            "rpmdb.sqlite-wal",
            "rpmdb.sqlite-journal",
            ".rpm.lock",
        ]
        .iter()
        .fold(evil(), |rpm, name| {
            rpm.file(&format!("{path}/{name}"), "SQLite format 3\0dead")
        });
        let ground = alone(&[rpm]);
        let run = ground.rpm(&["--include", "evil", "--no-host-files"]);
        if run.code == Some(0) {
            let mut list = ground.door.command(["rpmdb", "list"]);
            list.arg(ground.door.target());
            let list = door::run(list).succeeded();
            assert!(list.stdout.contains("evil"), "{list:?}");
        } else {
            assert!(matches!(run.code, Some(3 | 5 | 6)), "{run:?}");
        }
    }
}

/// The error names both packages and the path.
fn packages_that_fight() {
    let one = rpm_base::package("one", "1-1");
    let both = |mine: Item, theirs: Item| {
        let repository = [one.clone().item(mine), evil().requires("one").item(theirs)];
        let run = alone(&repository).rpm(ALONE);
        run.failed(3, &["/usr/share/both", "one", "evil"]);
    };
    let path = "/usr/share/both";
    both(Item::file(path, "a"), Item::file(path, "b"));
    both(Item::directory(path), Item::file(path, "b"));
    both(Item::directory(path), Item::symlink(path, "../../canary"));
    both(Item::symlink(path, "../../canary"), Item::directory(path));
    both(Item::file(path, "a"), Item::symlink(path, "../../../canary/bird"));
}

fn times_that_are_absurd() {
    for time in [0, 1 << 31, u32::MAX] {
        let ground = alone(&[evil().item(Item::file("/usr/share/evil", "dead").mtime(time))]);
        ground.rpm(ALONE).succeeded();
    }
}

/// Names of owners that no passwd can have.
fn owners_that_are_absurd() {
    for name in [
        "../../../canary/bird",
        "",
        "root:x:0:0::/:/bin/sh",
        "a\nb:x:0:0",
        "4294967295",
        "-1",
    ] {
        let item = Item::file("/usr/share/evil", "dead").owner(name, name);
        let ground = alone(&[evil().item(item)]);
        let run = ground.rpm(&["--include", "evil", "--no-host-files"]);
        assert!(matches!(run.code, Some(0 | 5)), "{name}: {run:?}");
        if run.code == Some(0) {
            use std::os::unix::fs::MetadataExt;
            let made = std::fs::metadata(ground.door.target().join("usr/share/evil")).unwrap();
            assert_eq!((made.uid(), made.gid()), (0, 0), "{name}");
        }
    }
}
