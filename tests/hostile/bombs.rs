use std::time::{Duration, Instant};

use bareroot_testkit::deb::{DebBuilder, Item, Member};
use bareroot_testkit::disk::Disk;
use bareroot_testkit::harness::Case;
use bareroot_testkit::{Compression, cases};

use crate::{Ground, evil};

pub const CASES: &[Case] = cases![
    Root: a_size_that_no_file_has, a_size_that_is_not_there, an_archive_member_that_is_not_there, a_small_file_of_gigabytes, a_file_larger_than_any,
        a_control_file_of_gigabytes, an_info_file_of_gigabytes, many_info_files, info_files_that_are_too_much_together, a_decoder_that_wants_all_memory;
];

/// How long a bomb may take to be found, by a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(60);

fn a_size_that_no_file_has() {
    for size in [1u64 << 40, 1 << 62] {
        let file = Item::file("./large", "x").tamper(move |header| header.set_size(size));
        Ground::with(&evil().item(file)).refused();
    }
}

fn a_size_that_is_not_there() {
    let file = Item::file("./large", "x").tamper(|header| header.set_size(1 << 30));
    Ground::with(&evil().item(file)).refused();
}

fn an_archive_member_that_is_not_there() {
    for size in ["9999999999", "-1", "0x10", ""] {
        let deb = evil().members(move |members| members[2].size = Some(size.into()));
        Ground::with(&deb).refused();
    }
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

/// The tar header of a file of so many bytes.
fn header_of(path: &str, size: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    Item::file(path, "")
        .tamper(move |header| header.set_size(size))
        .write(&mut bytes);
    bytes
}

fn a_small_file_of_gigabytes() {
    // 3 GiB from 100 kB, on a disk that has 32 MiB.
    let ground = Ground::with(&bomb(3));
    std::fs::remove_dir_all(ground.door.path("out/canary")).unwrap();
    let disk = Disk::mount(&ground.door.path("out"), 32 << 20);
    let begin = Instant::now();
    let extract = ["--variant", "extract", "--include", "evil"];
    let run = ground
        .door
        .bootstrap(&extract)
        .failed(6, &["no space left", "bomb"]);
    ground.door.assert_beside_is(&[]);
    assert!(begin.elapsed() < SOON, "{:?}: {}", begin.elapsed(), run.stderr);
    drop(disk);
}

/// A file that is larger than any is refused before it is written.
fn a_file_larger_than_any() {
    let deb = bomb(17);
    let begin = Instant::now();
    let ground = Ground::with(&deb);
    let run = ground
        .door
        .bootstrap(&["--variant", "extract", "--include", "evil", "--no-host-files"]);
    ground.assert_unharmed(&run.failed(5, &["evil"]));
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

/// `evil` with a file of so many GiB, all zeros, in an archive of a thirty-thousandth of that.
fn bomb(gigabytes: usize) -> DebBuilder {
    let blocks = gigabytes << 13;
    let payload = zeros(&header_of("./bomb", (blocks as u64) << 17), blocks);
    assert!(payload.len() < 1 << 20);
    evil().members(move |members| members[2] = Member::new("data.tar.zst", payload.clone()))
}

#[track_caller]
fn control_bomb(name: &str) {
    // 256 MiB.
    let blocks = 1 << 11;
    let mut first = Vec::new();
    Item::directory("./").write(&mut first);
    if name != "./control" {
        Item::file("./control", "Package: evil\nVersion: 1\nArchitecture: all\n").write(&mut first);
    }
    first.extend(header_of(name, (blocks as u64) << 17));
    let control = zeros(&first, blocks);
    let deb = evil().members(move |members| {
        members[1] = Member::new("control.tar.zst", control.clone());
    });
    let begin = Instant::now();
    Ground::with(&deb).refused();
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

fn a_control_file_of_gigabytes() {
    control_bomb("./control");
}

fn an_info_file_of_gigabytes() {
    control_bomb("./md5sums");
}

fn many_info_files() {
    let deb = (0..2000).fold(evil(), |deb, number| deb.info(&format!("file{number}"), "x"));
    Ground::with(&deb).refused();
}

/// None of them is too large, and all together are.
fn info_files_that_are_too_much_together() {
    let deb = (0..3).fold(evil().compression(Compression::Zstd), |deb, number| {
        deb.info(&format!("file{number}"), vec![b'x'; 30 << 20])
    });
    Ground::with(&deb).refused();
}

/// An xz stream whose dictionary would be 3 GiB (the .xz format, 5.3.1).
fn a_decoder_that_wants_all_memory() {
    let deb = evil().file("/file", "x").members(|members| {
        let bytes = &mut members[2].bytes;
        // The block header follows the stream header's 12 bytes: size, flags, filter id, its properties' size, the
        // dictionary's; and after padding its CRC32.
        assert_eq!(&bytes[..6], b"\xfd7zXZ\0");
        let size = (usize::from(bytes[12]) + 1) * 4;
        let place = bytes[12..12 + size]
            .windows(2)
            .position(|pair| pair == [0x21, 0x01])
            .expect("LZMA2")
            + 14;
        bytes[place] = 39;
        let crc = crc32(&bytes[12..12 + size - 4]);
        bytes[12 + size - 4..12 + size].copy_from_slice(&crc.to_le_bytes());
    });
    Ground::with(&deb.compression(Compression::Xz)).refused();
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    })
}
