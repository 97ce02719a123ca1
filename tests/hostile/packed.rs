//! Archives that unpack to more than anybody has, in every compression, and headers that announce it.

use std::fs;
use std::time::Instant;

use bareroot_testkit::deb::{DebBuilder, Item, Member, tar};
use bareroot_testkit::disk::Disk;
use bareroot_testkit::harness::Case;
use bareroot_testkit::{Compression, cases};

use crate::{EXTRACT, Ground, SOON, evil};

pub const CASES: &[Case] = cases![
    Root: data_in_every_compression, control_in_every_compression, windows_and_dictionaries_of_gigabytes, streams_one_after_the_other,
        garbage_behind_the_end, compressions_that_lie, members_without_number, entries_without_number, sparse_files, extended_attributes,
        extended_headers_of_gigabytes, long_names_of_gigabytes, long_names_of_long_names, kinds_that_packages_have_not;
];

/// Every compression of `data.tar`, with its member's name.
const DATA: [(Compression, &str); 5] = [
    (Compression::Gzip, "data.tar.gz"),
    (Compression::Xz, "data.tar.xz"),
    (Compression::Zstd, "data.tar.zst"),
    (Compression::Bzip2, "data.tar.bz2"),
    (Compression::Lzma, "data.tar.lzma"),
];

/// Every compression of `control.tar`.
const CONTROL: [(Compression, &str); 3] = [
    (Compression::Gzip, "control.tar.gz"),
    (Compression::Xz, "control.tar.xz"),
    (Compression::Zstd, "control.tar.zst"),
];

/// `evil` with that member in place of its control (1) or its data (2).
fn member(place: usize, name: &str, bytes: Vec<u8>) -> DebBuilder {
    let member = Member::new(name, bytes);
    evil().members(move |members| members[place] = member.clone())
}

fn soon<T>(what: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = what();
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    result
}

/// 48 MiB of zeros, on a disk that has 24: each stops where the disk is full, and nothing is left.
fn data_in_every_compression() {
    let plain = tar(&[Item::directory("./"), Item::file("./bomb", vec![0; 48 << 20])]);
    for (compression, name) in DATA {
        let packed = compression.compress(&plain);
        assert!(packed.len() < 1 << 20);
        let ground = Ground::with(&member(2, name, packed));
        fs::remove_dir_all(ground.door.path("out/canary")).unwrap();
        let disk = Disk::mount(&ground.door.path("out"), 24 << 20);
        let run = soon(|| ground.door.bootstrap(EXTRACT));
        run.failed(6, &["no space left"]);
        ground.door.assert_beside_is(&[]);
        drop(disk);
        ground.door.assert_no_mount_and_no_process();
    }
}

fn control_in_every_compression() {
    for file in ["./control", "./md5sums", "./postinst"] {
        // But for its size it is a control archive like any other.
        let text = "Package: evil\nVersion: 1\nArchitecture: all\nDescription: ";
        let large = match file {
            "./control" => [text.as_bytes(), &vec![b'x'; 48 << 20], b"\n"].concat(),
            _ => vec![b'x'; 48 << 20],
        };
        let mut items = vec![Item::directory("./"), Item::file(file, large)];
        if file != "./control" {
            items.push(Item::file("./control", format!("{text}y\n")));
        }
        let plain = tar(&items);
        for (compression, name) in CONTROL {
            let ground = Ground::with(&member(1, name, compression.compress(&plain)));
            let run = soon(|| ground.extract());
            run.failed(5, &["evil", "a file over the limit of 33554432"]);
        }
    }
}

/// What decoders are told to have ready: it is refused before it is allocated.
fn windows_and_dictionaries_of_gigabytes() {
    let mut all: Vec<(usize, &str, Vec<u8>)> = Vec::new();
    for (place, name) in [(1, "control.tar.zst"), (2, "data.tar.zst")] {
        // Windows of 256 MiB, 2 GiB and 2 TiB (RFC 8878, 3.1.1.1.2), each with an empty last block.
        for exponent in [28u8, 31, 41] {
            all.push((
                place,
                name,
                vec![0x28, 0xb5, 0x2f, 0xfd, 0, (exponent - 10) << 3, 0x01, 0, 0],
            ));
        }
        // One segment of 2^40 bytes.
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
        frame.extend((1u64 << 40).to_le_bytes());
        frame.extend([0x01, 0, 0]);
        all.push((place, name, frame));
    }
    let plain = tar(&[Item::directory("./")]);
    let mut lzma = Compression::Lzma.compress(&plain);
    lzma[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    all.push((2, "data.tar.lzma", lzma));
    for (place, name, bytes) in all {
        let run = Ground::with(&member(place, name, bytes)).extract();
        run.failed(5, &["evil", "more memory than the limit"]);
    }
}

fn streams_one_after_the_other() {
    let plain = tar(&[Item::directory("./"), Item::file("./file", "whole")]);
    for (compression, name) in DATA {
        let empty = compression.compress(b"");
        let mut packed = Vec::new();
        let (first, second) = plain.split_at(512);
        let rounds = 20_000;
        for number in 0..rounds {
            match number {
                10_000 => packed.extend(compression.compress(first)),
                10_001 => packed.extend(compression.compress(second)),
                _ => packed.extend(&empty),
            }
        }
        let ground = Ground::with(&member(2, name, packed));
        let run = soon(|| ground.extract());
        if compression == Compression::Lzma {
            // Which has one stream only.
            run.failed(5, &["evil"]);
        } else {
            run.succeeded();
            let made = ground.door.target().join("file");
            assert_eq!(fs::read_to_string(made).unwrap(), "whole");
        }
    }
}

fn garbage_behind_the_end() {
    let plain = tar(&[Item::directory("./"), Item::file("./file", "whole")]);
    for (compression, name) in DATA {
        for garbage in [
            &b"and so on, and so on"[..],
            b"\x1f\x8b\x08\x1f",
            b"\xfd7zXZ\0\0\0\0\0\0\0",
        ] {
            let packed = [compression.compress(&plain), garbage.to_vec()].concat();
            Ground::with(&member(2, name, packed)).refused();
        }
        let mut cut = compression.compress(&plain);
        cut.truncate(cut.len() - 3);
        Ground::with(&member(2, name, cut)).refused();
    }
    for (compression, name) in CONTROL {
        let control = evil().control_tar();
        let packed = [compression.compress(&control), b"and so on, and so on".to_vec()].concat();
        Ground::with(&member(1, name, packed)).refused();
    }
}

fn compressions_that_lie() {
    let plain = tar(&[Item::directory("./")]);
    for (compression, _) in DATA {
        for (other, name) in DATA {
            if other != compression {
                Ground::with(&member(2, name, compression.compress(&plain))).refused();
            }
        }
        Ground::with(&member(2, "data.tar", compression.compress(&plain))).refused();
    }
    for name in [
        "data.tar.rar",
        "data.tar.gz.gz",
        "data.zip",
        "DATA.TAR.GZ",
        "data.tar.\u{1b}[2J",
    ] {
        let run = Ground::with(&member(2, name, Compression::Gzip.compress(&plain))).extract();
        assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
        run.failed(5, &["evil"]);
    }
}

/// A hundred thousand members that deb(5) says to pass over, and the archives behind them.
fn members_without_number() {
    let deb = evil().members(|members| {
        let data = members.pop();
        members.extend((0..100_000).map(|number| Member::new(&format!("_{number}"), "")));
        members.extend(data);
    });
    let run = soon(|| Ground::with(&deb).extract());
    run.failed(5, &["evil", "more than 16 members stand before its archives"]);
}

/// Forty thousand entries in a few bytes, all of one directory: they take time, and neither memory nor room.
fn entries_without_number() {
    let mut header = Vec::new();
    Item::directory("./d/").write(&mut header);
    let part = Compression::Zstd.compress(&header.repeat(10_000));
    let packed = part.repeat(4);
    assert!(packed.len() < 1 << 14);
    let ground = Ground::with(&member(2, "data.tar.zst", packed));
    soon(|| ground.extract()).succeeded();
    assert!(ground.door.target().join("d").is_dir());
}

/// An entry of that type, with content.
fn typed(letter: u8, content: impl Into<Vec<u8>>) -> Item {
    Item::file("./odd", content).tamper(move |header| header.as_old_mut().linkflag = [letter])
}

#[track_caller]
fn refused(item: Item, words: &[&str]) {
    let deb = evil().bare().item(Item::directory("./")).item(item);
    let deb = deb.item(Item::file("./file", "dead"));
    let run = soon(|| Ground::with(&deb).extract());
    run.failed(5, &[&["evil"], words].concat());
}

/// A record of a pax header (pax(1)): its length, which counts itself, the keyword and the value.
fn pax(keyword: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = keyword.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} ").into_bytes();
    for part in [keyword, b"=", value, b"\n"] {
        record.extend(part);
    }
    record
}

fn sparse_files() {
    // GNU's own form: a file of 2^62 bytes of which nothing is there.
    let old = typed(b'S', "").tamper(|header| {
        header.as_old_mut().linkflag = *b"S";
        let gnu = header.as_gnu_mut().expect("a GNU header");
        gnu.realsize
            .copy_from_slice(&[0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]);
    });
    refused(old, &["GNU sparse file"]);
    for (keyword, value) in [
        (&b"GNU.sparse.size"[..], &b"4611686018427387904"[..]),
        (b"GNU.sparse.realsize", b"4611686018427387904"),
        (b"GNU.sparse.map", b"0,0,4611686018427387903,1"),
        (b"GNU.sparse.major", b"1"),
        (b"size", b"9223372036854775808"),
        (b"size", b"-1"),
    ] {
        refused(typed(b'x', pax(keyword, value)), &["pax extended header"]);
    }
}

/// dpkg knows no extended headers, and so no package has them: no attribute of a package is ever set.
fn extended_attributes() {
    let long = vec![b'x'; 70_000];
    for (name, value) in [
        (
            &b"SCHILY.xattr.security.capability"[..],
            &b"\x01\0\0\x02\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0"[..],
        ),
        (b"SCHILY.xattr.security.selinux", b"system_u:object_r:shadow_t:s0"),
        (b"SCHILY.xattr.trusted.overlay.opaque", b"y"),
        (b"SCHILY.xattr.system.posix_acl_access", b"\x02\0\0\0"),
        (b"LIBARCHIVE.xattr.user.long", &long),
        (b"SCHILY.xattr.user.nul\0name", b"x"),
        (b"SCHILY.xattr.nonamespace", b"x"),
        (b"SCHILY.acl.access", b"user::rwx"),
        (b"RHT.security.selinux", b"x"),
        (b"path", b"../../canary/bird"),
        (b"linkpath", b"../canary"),
        (b"uid", b"4294967295"),
    ] {
        for letter in [b'x', b'g'] {
            refused(
                typed(letter, pax(name, value)),
                &["header), which packages do not have"],
            );
        }
    }
}

fn extended_headers_of_gigabytes() {
    for letter in *b"xgX" {
        let item = Item::file("./odd", "").tamper(move |header| {
            header.as_old_mut().linkflag = [letter];
            header.set_size(8 << 30);
        });
        refused(item, &["header), which packages do not have"]);
    }
}

fn long_names_of_gigabytes() {
    for (letter, what) in [(b'L', "a name"), (b'K', "a link")] {
        for size in [4097u64, 8 << 30, 1 << 62] {
            let item = Item::file("././@LongLink", "").tamper(move |header| {
                header.as_old_mut().linkflag = [letter];
                header.set_size(size);
            });
            refused(item, &[what, "over the limit of 4095"]);
        }
    }
}

fn long_names_of_long_names() {
    let name =
        |text: &str| Item::file("././@LongLink", text).tamper(|header| header.as_old_mut().linkflag = *b"L");
    // The last one counts.
    let deb = (0..10_000).fold(evil().bare().item(Item::directory("./")), |deb, number| {
        deb.item(name(&format!("./name{number}\0")))
    });
    let ground = Ground::with(&deb.item(Item::file("./file", "x")));
    soon(|| ground.extract()).succeeded();
    assert!(ground.door.target().join("name9999").is_file());
    // One that belongs to nothing.
    let deb = evil().bare().item(Item::directory("./")).item(name("./name\0"));
    Ground::with(&deb).refused();
    // One that climbs, one that is empty, one with a NUL in the middle.
    for text in ["../../canary/bird\0", "\0", "", "./a\0b\0", "/etc/shadow\0"] {
        let deb = evil().bare().item(Item::directory("./")).item(name(text));
        Ground::with(&deb.item(Item::file("./file", "dead"))).refused();
    }
}

fn kinds_that_packages_have_not() {
    for letter in *b"7MVDNAXSZ8\xff" {
        refused(typed(letter, "x"), &["which packages do not have"]);
    }
}
