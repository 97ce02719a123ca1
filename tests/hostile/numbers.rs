//! Numbers of tar headers at and past what they mean.

use std::fs;
use std::os::unix::fs::MetadataExt;

use bareroot_testkit::cases;
use bareroot_testkit::deb::{DebBuilder, Item, Member};
use bareroot_testkit::harness::Case;

use crate::{Ground, evil};

pub const CASES: &[Case] = cases![
    Root: sizes_of_base_256, sizes_that_are_no_numbers, sizes_of_what_has_none, times_before_and_after_all, owners_that_mean_nobody, modes_of_odd_bits,
        devices_of_impossible_numbers, checksums_that_are_wrong, sizes_of_members, versions_of_the_format, numbers_in_the_control_archive;
];

/// A number in GNU's base 256 (tar(5)), which is as long as its field.
fn wide(field: &mut [u8], number: i128) {
    let bytes = number.to_be_bytes();
    let length = field.len();
    for (place, byte) in field.iter_mut().enumerate() {
        let back = length - place;
        *byte = if back > 16 { bytes[0] } else { bytes[16 - back] };
    }
    field[0] = if number < 0 { 0xff } else { 0x80 | field[0] & 0x7f };
}

fn file() -> Item {
    Item::file("./file", "dead")
}

fn one(item: Item) -> DebBuilder {
    evil().bare().item(Item::directory("./")).item(item)
}

#[track_caller]
fn refused(item: Item, words: &[&str]) {
    let run = Ground::with(&one(item)).extract();
    run.failed(5, &[&["evil"], words].concat());
}

#[track_caller]
fn made(item: Item) -> fs::Metadata {
    let ground = Ground::with(&one(item));
    ground.extract().succeeded();
    fs::symlink_metadata(ground.door.target().join("file")).unwrap()
}

fn sizes_of_base_256() {
    for size in [-1, i128::from(i64::MIN), 1 << 63, 1 << 64, (1 << 88) - 1] {
        refused(
            file().tamper(move |header| wide(&mut header.as_old_mut().size, size)),
            &["its size is"],
        );
    }
    for size in [i128::from(i64::MAX), 1 << 62, (16 << 30) + 1] {
        refused(
            file().tamper(move |header| wide(&mut header.as_old_mut().size, size)),
            &["a file over the limit of 17179869184"],
        );
    }
    let four = file().tamper(|header| wide(&mut header.as_old_mut().size, 4));
    assert_eq!(made(four).size(), 4);
}

fn sizes_that_are_no_numbers() {
    for text in [
        &b"0x00000004\0\0"[..],
        b"-0000000004\0",
        b"00000000008\0",
        b"4\x004\x004\x004\x004\x004\x00",
        b"            ",
        b"four\0\0\0\0\0\0\0\0",
        b"\xc0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        refused(
            file().tamper(move |header| header.as_old_mut().size.copy_from_slice(text)),
            &["its size is no number"],
        );
    }
}

/// A size on what has no content is an older writer's habit: nothing is skipped for it.
fn sizes_of_what_has_none() {
    for item in [
        Item::directory("./d/"),
        Item::symlink("./d", "x"),
        Item::fifo("./d"),
    ] {
        let deb = one(item.tamper(|header| header.set_size(1 << 33))).item(file());
        let ground = Ground::with(&deb);
        ground.extract().succeeded();
        assert_eq!(fs::read(ground.door.target().join("file")).unwrap(), b"dead");
    }
}

fn times_before_and_after_all() {
    for time in [
        -1,
        -(1 << 40),
        i128::from(i64::MIN),
        1 << 32,
        1 << 40,
        1 << 62,
        i128::from(i64::MAX),
    ] {
        let deb = one(file().tamper(move |header| wide(&mut header.as_old_mut().mtime, time)))
            .item(Item::directory("./d/").tamper(move |header| wide(&mut header.as_old_mut().mtime, time)))
            .item(Item::symlink("./l", "x").tamper(move |header| wide(&mut header.as_old_mut().mtime, time)));
        let ground = Ground::with(&deb);
        let run = ground.bootstrap();
        assert_eq!(run.code, Some(0), "{time}: {run:?}");
        // As near as the file system comes to it.
        for name in ["file", "d", "l"] {
            let made = fs::symlink_metadata(ground.door.target().join(name)).unwrap();
            assert_eq!(made.mtime() < 0, time < 0, "{name} {time}: {made:?}");
        }
    }
    for time in [1 << 63, -(1 << 64)] {
        refused(
            file().tamper(move |header| wide(&mut header.as_old_mut().mtime, time)),
            &["its time is no number"],
        );
    }
}

/// The last number tells chown(2) to leave the owner alone.
fn owners_that_mean_nobody() {
    for id in [i128::from(u32::MAX), -1, -2, 1 << 32, 1 << 40] {
        refused(
            file()
                .names("", "")
                .tamper(move |header| wide(&mut header.as_old_mut().uid, id)),
            &["its owner is"],
        );
        refused(
            file()
                .names("", "")
                .tamper(move |header| wide(&mut header.as_old_mut().gid, id)),
            &["its group is"],
        );
    }
    let last = u64::from(u32::MAX) - 1;
    let owner = made(file().names("", "").owner(last, last));
    assert_eq!((u64::from(owner.uid()), u64::from(owner.gid())), (last, last));
}

fn modes_of_odd_bits() {
    let mode = |text: &'static [u8; 8]| {
        made(file().tamper(move |header| header.as_old_mut().mode.copy_from_slice(text))).mode()
    };
    assert_eq!(mode(b"7777777\0"), 0o107_777);
    assert_eq!(mode(b"0120644\0"), 0o100_644);
    assert_eq!(mode(b"\0\0\0\0\0\0\0\0"), 0o100_000);
    assert_eq!(mode(b"\x80\xff\xff\xff\xff\xff\xff\xff"), 0o107_777);
    for text in [b"rw-r--r-", b"0000888\0", b"        "] {
        refused(
            file().tamper(move |header| header.as_old_mut().mode.copy_from_slice(text)),
            &["its mode is no number"],
        );
    }
}

fn devices_of_impossible_numbers() {
    let node = |major: i128| {
        Item::block("./node", 8, 0)
            .tamper(move |header| wide(&mut header.as_gnu_mut().expect("a GNU header").dev_major, major))
    };
    for major in [1 << 31, i128::from(u32::MAX)] {
        refused(node(major), &["a device node"]);
    }
    for major in [-1, 1 << 32, 1 << 50] {
        refused(node(major), &["its major device number is none"]);
    }
    refused(
        Item::character("./node", 1, 1).tamper(|header| {
            header.as_gnu_mut().expect("a GNU header").magic = *b"nomagi";
        }),
        &["its device numbers are missing"],
    );
    // What hangs on a device has none to hang on.
    let deb = one(Item::character("./node", 1, 1)).item(Item::hardlink("./other", "./node"));
    Ground::with(&deb).refused();
}

fn checksums_that_are_wrong() {
    for sum in [
        &b"000000\0 "[..],
        b"777777\0 ",
        b"\0\0\0\0\0\0\0\0",
        b"9999999\0",
        b"-000001\0",
    ] {
        refused(
            file()
                .tamper(move |header| header.as_old_mut().cksum.copy_from_slice(sum))
                .keep_checksum(),
            &["its checksum is"],
        );
    }
    // One bit of the name, after the sum was made.
    refused(
        file()
            .tamper(|header| {
                header.set_cksum();
                header.as_old_mut().name[3] ^= 1;
            })
            .keep_checksum(),
        &["its checksum is"],
    );
}

/// Of the outer archive.
fn sizes_of_members() {
    for place in [0, 1] {
        for size in ["9999999999", "-1", "0x10", "", "1e3", " 4", "4 4"] {
            let deb = evil().members(move |members| members[place].size = Some(size.into()));
            Ground::with(&deb).refused();
        }
    }
    // An odd one, whose padding is not there: what follows begins a byte too late.
    let deb = evil().members(|members| {
        members[0].bytes = b"2.0\n\n".to_vec();
        members[0].size = Some("4".into());
    });
    Ground::with(&deb).refused();
}

fn versions_of_the_format() {
    for text in ["3.0\n", "2\n", "2.0", "", "2.x\n", "02.0\n", "\n2.0\n"] {
        let deb = evil().members(move |members| members[0] = Member::new("debian-binary", text));
        let run = Ground::with(&deb).extract();
        run.failed(5, &["evil"]);
    }
}

fn numbers_in_the_control_archive() {
    for change in [
        |size: &mut [u8]| wide(size, 1 << 63),
        |size: &mut [u8]| wide(size, -1),
        |size: &mut [u8]| wide(size, 1 << 40),
    ] {
        let item = Item::file("./md5sums", "x").tamper(move |header| change(&mut header.as_old_mut().size));
        Ground::with(&evil().info_item(item)).refused();
    }
    for item in [
        Item::character("./prerm", 1, 1),
        Item::fifo("./prerm"),
        Item::symlink("./prerm", "control"),
        Item::hardlink("./prerm", "./nothing"),
    ] {
        Ground::with(&evil().info_item(item)).refused();
    }
    // A file of two names is written twice; no directory is.
    let link = evil().info_item(Item::hardlink("./prerm", "./control"));
    Ground::with(&link).extract().succeeded();
    Ground::with(&evil().info_item(Item::directory("./prerm/"))).refused();
}
