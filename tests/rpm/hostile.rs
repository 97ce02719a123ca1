//! Packages that try to leave the root, or to use up what they are read with. A bird lives beside the target and outside
//! its directory; whatever a package does, the bird is what it was.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bareroot_testkit::door::{Run, is_there};
use bareroot_testkit::harness::Case;
use bareroot_testkit::rpm::{Compression, Item, Record, RpmBuilder, Value};
use bareroot_testkit::rpm_repo::RpmRepo;
use bareroot_testkit::tree::{Tree, TreeOptions};
use bareroot_testkit::{cases, rpm_base};

use crate::Ground;

pub const CASES: &[Case] = cases![
    Root: a_name_that_the_header_has_not, a_file_that_is_missing, a_file_that_is_there_twice, a_size_that_differs, a_size_that_is_not_there,
        names_that_climb, absolute_names, a_link_and_a_path_through_it, a_link_of_another_package, hard_links_outward, devices, counts_that_are_absurd, offsets_that_are_absurd,
        a_region_that_is_none, tags_that_are_missing, numbers_of_directories, truncated_anywhere, no_package_at_all, a_payload_of_gigabytes,
        a_decoder_that_wants_all_memory, an_unknown_compression, an_unknown_feature, database_through_a_link, control_characters_in_names,
        accounts_through_links;
];

/// How long anything may take, by a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(60);

fn evil() -> RpmBuilder {
    rpm_base::package("evil", "1-1")
}

/// A mirror with `evil` in it, and the birds.
struct Cage {
    ground: Ground,
    before: Vec<Tree>,
}

impl Cage {
    fn with(packages: &[RpmBuilder]) -> Self {
        Self::of(Ground::with(packages))
    }

    /// A mirror that has nothing else.
    fn alone(packages: &[RpmBuilder]) -> Self {
        Self::of(Ground::new(
            &packages.iter().fold(RpmRepo::new(), RpmRepo::package),
        ))
    }

    fn of(ground: Ground) -> Self {
        for place in places(&ground) {
            fs::create_dir(&place).expect("a directory for the bird");
            fs::write(place.join("bird"), "alive").expect("a bird");
        }
        let before = listings(&ground);
        Cage { ground, before }
    }

    /// Bootstraps with `evil`; the birds live, and a run that fails leaves nothing.
    #[track_caller]
    fn run(&self, options: &[&str]) -> Run {
        let begin = Instant::now();
        let run = self.ground.bootstrap(options);
        assert!(begin.elapsed() < SOON, "{:?}: {}", begin.elapsed(), run.stderr);
        assert!(
            listings(&self.ground) == self.before,
            "the bird is not what it was: {}",
            run.stderr
        );
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        self.ground.door.assert_no_mount_and_no_process();
        if run.code != Some(0) {
            self.ground.door.assert_beside_is(&["canary"]);
        }
        run
    }
}

fn places(ground: &Ground) -> [PathBuf; 2] {
    [ground.door.path("out/canary"), ground.door.path("canary")]
}

fn listings(ground: &Ground) -> Vec<Tree> {
    let options = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    let read = |place: &PathBuf| Tree::read(place, &options).expect("the bird's home can be read");
    places(ground).iter().map(read).collect()
}

const EXTRACT: &[&str] = &["--include", "evil", "--variant", "extract", "--no-host-files"];

/// `evil` is refused, with these words.
#[track_caller]
fn refused(rpm: &RpmBuilder, words: &[&str]) {
    let run = Cage::alone(std::slice::from_ref(rpm)).run(EXTRACT);
    run.failed(5, &[&["evil"], words].concat());
}

/// Whatever comes of `evil` in a whole bootstrap, the bird lives.
#[track_caller]
fn unharmed(packages: &[RpmBuilder]) -> Run {
    let run = Cage::with(packages).run(&["--include", "@core,evil", "--no-host-files"]);
    assert!(matches!(run.code, Some(0 | 3 | 5 | 6 | 7)), "{run:?}");
    run
}

/// Whatever comes of `evil` alone, with its record in the database, the bird lives.
#[track_caller]
fn recorded(packages: &[RpmBuilder]) {
    let run = Cage::alone(packages).run(&["--include", "evil", "--no-host-files"]);
    assert!(matches!(run.code, Some(0 | 3 | 5 | 6)), "{run:?}");
}

fn record(name: &str, content: &str) -> Record {
    Record {
        name: name.into(),
        mode: 0o100_644,
        links: 1,
        content: content.into(),
        ..Record::default()
    }
}

fn a_name_that_the_header_has_not() {
    for name in [
        "./usr/share/other",
        "../../canary/bird",
        "/etc/passwd",
        ".",
        "./usr/share/evil/",
    ] {
        let rpm = evil()
            .file("/usr/share/evil", "x")
            .on_records(move |records| records.push(record(name, "dead")));
        refused(&rpm, &["is in it and not in the header"]);
    }
}

fn a_file_that_is_missing() {
    let rpm = evil()
        .file("/usr/share/evil", "x")
        .on_records(|records| records.clear());
    refused(&rpm, &["`/usr/share/evil` is in the header and not in it"]);
}

fn a_file_that_is_there_twice() {
    let rpm = evil()
        .file("/usr/share/evil", "x")
        .on_records(|records| records.push(records[0].clone()));
    refused(&rpm, &["`/usr/share/evil` is in it twice"]);
}

fn a_size_that_differs() {
    for content in ["", "longer"] {
        let rpm = evil()
            .file("/usr/share/evil", "x")
            .on_records(move |records| records[0].content = content.into());
        refused(&rpm, &["`/usr/share/evil` has", "bytes; expected 1"]);
    }
}

fn a_size_that_is_not_there() {
    // Header and record agree on what the archive does not have.
    for size in [1u32 << 20, u32::MAX] {
        let rpm = evil()
            .file("/usr/share/evil", "x")
            .on_header(move |entries| drop(entries.insert(1028, size.into())))
            .on_records(move |records| records[0].size = Some(size));
        refused(&rpm, &[]);
    }
    let rpm = evil().file("/usr/share/evil", "x").on_header(|entries| {
        entries.remove(&1028);
        entries.insert(5008, Value::Int64(vec![u64::MAX]));
    });
    refused(&rpm, &[]);
}

/// `evil` with a file whose header says that it is elsewhere.
fn at(path: &str) -> RpmBuilder {
    evil().item(Item::file(path, "dead"))
}

fn names_that_climb() {
    for path in [
        "/../canary/bird",
        "/../../canary/bird",
        "/usr/../../canary/bird",
        "../canary/bird",
        "../../canary/bird",
        "/usr/share/..",
    ] {
        refused(&at(path), &[]);
    }
    refused(&evil().item(Item::directory("/../canary/nest")), &[]);
    refused(&evil().item(Item::symlink("/../canary/bird", "dead")), &[]);
}

fn absolute_names() {
    for path in ["//etc/bareroot-test-evil", "///etc/bareroot-test-evil"] {
        let run = Cage::alone(&[at(path)]).run(EXTRACT);
        assert!(matches!(run.code, Some(0 | 5)), "{run:?}");
    }
    assert!(!std::path::Path::new("/etc/bareroot-test-evil").exists());
}

fn a_link_and_a_path_through_it() {
    for text in [
        "../canary",
        "../../canary",
        "/../canary",
        "/",
        "../../../../../../../../tmp",
    ] {
        let rpm = evil()
            .symlink("/way", text)
            .file("/way/bird", "dead")
            .directory("/way/nest");
        let run = Cage::alone(&[rpm]).run(EXTRACT);
        assert!(matches!(run.code, Some(0 | 3 | 5 | 6)), "{run:?}");
    }
    let rpm = evil()
        .symlink("/a", "b")
        .symlink("/b", "../canary")
        .file("/a/bird", "dead");
    Cage::alone(&[rpm]).run(EXTRACT);
    let around = evil()
        .symlink("/a", "b")
        .symlink("/b", "a")
        .file("/a/bird", "dead");
    let run = Cage::alone(&[around]).run(EXTRACT);
    assert_ne!(run.code, Some(0), "{run:?}");
}

fn a_link_of_another_package() {
    for text in ["../canary", "/../canary", "../../canary"] {
        let way = rpm_base::package("way", "1-1").symlink("/way", text);
        let evil = evil()
            .requires("way")
            .file("/way/bird", "dead")
            .file("/way/nest/egg", "dead");
        unharmed(&[way, evil]);
    }
}

fn hard_links_outward() {
    // Two names of one inode, one of them elsewhere.
    for path in ["/../canary/bird", "/../../canary/bird"] {
        refused(
            &evil().file("/mine", "dead").item(Item::hardlink(path, "/mine")),
            &[],
        );
    }
}

fn devices() {
    refused(
        &evil().item(Item::character("/mem", 1, 1)),
        &["`mem`: a device node"],
    );
    refused(
        &evil().item(Item::block("/disk", 8, 0)),
        &["`disk`: a device node"],
    );
}

/// The place of a tag's entry in a header's bytes.
fn entry(bytes: &[u8], tag: u32) -> usize {
    let count = u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) as usize;
    (0..count)
        .map(|number| 16 + number * 16)
        .find(|at| bytes[*at..at + 4] == tag.to_be_bytes())
        .expect("the tag is there")
}

/// A word of a tag's entry is another one: 1 the type, 2 the offset, 3 the count.
fn lying(tag: u32, word: usize, value: u32) -> RpmBuilder {
    evil().file("/usr/share/evil", "x").on_header_bytes(move |bytes| {
        let at = entry(bytes, tag) + word * 4;
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
    })
}

fn counts_that_are_absurd() {
    for count in [0, 0x7fff_ffff, 0x8000_0000, u32::MAX, 1 << 20] {
        for tag in [1000, 1028, 1117, 5092] {
            refused(&lying(tag, 3, count), &["is malformed"]);
        }
    }
    // The header's own two numbers: entries and bytes of data.
    for (at, value) in [
        (8, 0),
        (8, u32::MAX),
        (8, 1 << 28),
        (12, 0),
        (12, u32::MAX),
        (12, 1 << 29),
    ] {
        let rpm =
            evil().on_header_bytes(move |bytes| bytes[at..at + 4].copy_from_slice(&value.to_be_bytes()));
        refused(&rpm, &[]);
    }
}

fn offsets_that_are_absurd() {
    for offset in [0x7fff_ffff, 0x8000_0000, u32::MAX, 1 << 20] {
        for tag in [1000, 1028, 1117] {
            refused(&lying(tag, 2, offset), &["is malformed"]);
        }
    }
    for kind in [0, 10, u32::MAX] {
        refused(&lying(1000, 1, kind), &["is malformed", "its type is"]);
    }
    // Numbers that do not begin where numbers may.
    refused(
        &evil().file("/usr/share/evil", "x").on_header_bytes(|bytes| {
            let at = entry(bytes, 1028) + 8;
            bytes[at + 3] += 1;
        }),
        &["is malformed"],
    );
}

fn a_region_that_is_none() {
    for (word, value) in [(0, 62), (1, 4), (2, u32::MAX), (2, 0), (3, 15)] {
        refused(&lying(63, word, value), &["is malformed"]);
    }
    let rpm = evil().on_header_bytes(|bytes| {
        // The trailer's count of entries is positive, and then one of too many.
        let at = bytes.len() - 8;
        bytes[at..at + 4].copy_from_slice(&16u32.to_be_bytes());
    });
    refused(&rpm, &["is malformed", "trailer"]);
    let rpm = evil().on_header_bytes(|bytes| {
        let at = bytes.len() - 8;
        bytes[at..at + 4].copy_from_slice(&(16u32 << 20).wrapping_neg().to_be_bytes());
    });
    refused(&rpm, &["is malformed", "trailer"]);
}

fn tags_that_are_missing() {
    for tag in [1000, 1001, 1002, 1022, 1021] {
        refused(
            &evil().on_header(move |entries| drop(entries.remove(&tag))),
            &["it has no"],
        );
    }
    // Of the wrong type.
    let rpm = evil().on_header(|entries| drop(entries.insert(1000, 7.into())));
    refused(&rpm, &["it has no NAME"]);
}

fn numbers_of_directories() {
    // Directories that are not there, lists that are too short: whatever it is, it is soon over and harms nobody.
    for (tag, value) in [
        (1116, Value::Int32(vec![u32::MAX])),
        (1116, Value::Int32(vec![1])),
        (1117, Value::Texts(vec![b"..".to_vec()])),
        (1117, Value::Texts(vec![b"a/../../../canary/bird".to_vec()])),
        (1118, Value::Texts(vec![b"/../canary/".to_vec()])),
        (1030, Value::Int16(vec![0])),
        (1030, Value::Int16(vec![0o160_644])),
        (1096, Value::Int32(vec![])),
        (5011, 99.into()),
    ] {
        let rpm = evil().file("/usr/share/evil", "dead").on_header(move |entries| {
            entries.insert(tag, value.clone());
        });
        let run = Cage::alone(&[rpm]).run(EXTRACT);
        assert!(matches!(run.code, Some(0 | 5)), "{tag}: {run:?}");
    }
}

fn truncated_anywhere() {
    let whole = evil().file("/usr/share/evil", "x".repeat(1000)).build().len();
    // Within the lead, the signatures, the header and the payload.
    for length in [0, 3, 95, 96, 111, 200, 600, whole / 2, whole - 1] {
        let rpm = evil()
            .file("/usr/share/evil", "x".repeat(1000))
            .on_file(move |bytes| bytes.truncate(length));
        refused(&rpm, &[]);
    }
    // Signed as it is, the payload ends too soon.
    for length in [0, 10, 100] {
        let rpm = evil()
            .file("/usr/share/evil", "x".repeat(1000))
            .on_archive(move |bytes| bytes.truncate(length));
        refused(&rpm, &["the payload of"]);
    }
    let rpm = evil()
        .file("/usr/share/evil", "x".repeat(1000))
        .on_payload(|bytes| bytes.truncate(30));
    refused(&rpm, &["payload of"]);
}

fn no_package_at_all() {
    for bytes in ["!<arch>\n", "<html>moved</html>", "\x7fELF"] {
        let rpm = evil().on_file(move |file| *file = bytes.repeat(50).into_bytes());
        refused(&rpm, &["is no RPM package"]);
    }
    let source = evil().on_file(|bytes| bytes[7] = 1);
    refused(&source, &["it is a source package"]);
}

/// A zstd frame (RFC 8878) of some bytes and then so many times 128 KiB of zeros: four bytes for each.
fn zeros(first: &[u8], blocks: usize) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd];
    // No content size, no checksum; a window of 2^20 bytes.
    frame.extend([0x00, 10 << 3]);
    let header = |size: usize, kind: u32, last: bool| {
        let bits = (size as u32) << 3 | kind << 1 | u32::from(last);
        bits.to_le_bytes()
    };
    frame.extend(&header(first.len(), 0, false)[..3]);
    frame.extend(first);
    for block in 0..blocks {
        frame.extend(&header(128 << 10, 1, block + 1 == blocks)[..3]);
        frame.push(0);
    }
    frame
}

fn a_payload_of_gigabytes() {
    // Three GiB of zeros where the next record should be.
    let frame = zeros(b"07070100", 3 << 13);
    let rpm = evil()
        .compression(Compression::Zstd)
        .file("/usr/share/evil", "x")
        .on_payload(move |bytes| *bytes = frame.clone());
    refused(&rpm, &["the payload of"]);
}

/// An xz stream whose dictionary would be 3 GiB (the .xz format, 5.3.1).
fn a_decoder_that_wants_all_memory() {
    let rpm = evil()
        .compression(Compression::Lzma)
        .file("/usr/share/evil", "x")
        // The lzma format's dictionary size is the word after its first byte.
        .on_payload(|bytes| bytes[1..5].copy_from_slice(&0xc000_0000u32.to_le_bytes()));
    refused(&rpm, &["the payload of"]);
}

fn an_unknown_compression() {
    let rpm = evil().on_header(|entries| drop(entries.insert(1125, "brotli".into())));
    refused(&rpm, &["its compression is brotli"]);
    let rpm = evil().on_header(|entries| drop(entries.insert(1124, "drpm".into())));
    refused(&rpm, &["its format is drpm"]);
}

fn an_unknown_feature() {
    let rpm = evil().requires("rpmlib(TimeTravel) <= 9.0-1");
    let run = Cage::alone(&[rpm]).run(EXTRACT);
    run.failed(3, &["rpmlib(TimeTravel)"]);
}

fn database_through_a_link() {
    for path in ["/var/lib/rpm", "/usr/lib/sysimage", "/etc/rpm", "/usr/lib/rpm"] {
        for text in ["../canary", "../../../canary", "/../canary"] {
            recorded(&[evil().symlink(path, text)]);
        }
    }
    recorded(&[evil().symlink("/var/lib/rpm/rpmdb.sqlite", "../../../../canary/bird")]);
    recorded(&[evil().item(Item::fifo("/var/lib/rpm/rpmdb.sqlite"))]);
    recorded(&[evil().file("/usr/lib/rpm/macros", "%_dbpath /../canary\n")]);
}

fn accounts_through_links() {
    // Whose own passwd comes from setup: one of the two is refused, and no bird is asked for an account.
    for path in ["/etc/passwd", "/etc/group", "/etc/machine-id", "/etc/hostname"] {
        let up = "../".repeat(path.matches('/').count());
        let rpm = evil()
            .symlink(path, &format!("{up}canary/bird"))
            .item(Item::file("/usr/share/evil", "x").owner("bird", "bird"));
        Cage::with(&[rpm]).run(&["--include", "filesystem,sh,tiny-release,evil", "--no-host-files"]);
    }
}

/// What a package is called reaches the terminal with nothing in it that a terminal obeys.
fn control_characters_in_names() {
    let rpm = evil()
        .file("/usr/share/evil\x1b[2J", "x")
        .on_records(|records| records.push(record("./\x1b]0;owned\x07", "x")));
    let run = Cage::alone(&[rpm]).run(EXTRACT).ended_with(5);
    assert!(!run.stderr.contains(['\x1b', '\x07']), "{:?}", run.stderr);
    let rpm = evil()
        .file("/usr/share/evil\x1b[2J", "x")
        .on_records(|records| records.clear());
    let run = Cage::alone(&[rpm]).run(EXTRACT).ended_with(5);
    assert!(!run.stderr.contains(['\x1b', '\x07']), "{:?}", run.stderr);
    // A scriptlet's own words are filtered on their way, too.
    let rpm = rpm_base::scripted("evil", "1-1").script(
        bareroot_testkit::rpm::When::Pre,
        "/bin/sh",
        "echo \x1b[2J dear\nexit 1",
    );
    let cage = Cage::with(&[rpm]);
    let run = cage
        .run(&["--include", "@core,evil", "--no-host-files"])
        .ended_with(7);
    assert!(!run.stderr.contains('\x1b'), "{:?}", run.stderr);
    assert!(!is_there(&cage.ground.door.target()));
}
