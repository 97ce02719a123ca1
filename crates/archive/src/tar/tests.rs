use proptest::prelude::*;

use super::*;

/// A header block as a hostile or old writer would make it.
fn header(name: &[u8], kind: u8, size: &[u8], change: impl FnOnce(&mut [u8; 512])) -> Vec<u8> {
    let mut block = [0u8; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000755");
    block[108..115].copy_from_slice(b"0000000");
    block[116..123].copy_from_slice(b"0000052");
    block[124..124 + size.len()].copy_from_slice(size);
    block[136..147].copy_from_slice(b"14000000000");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar  \0");
    change(&mut block);
    let sum: u32 = block[..148]
        .iter()
        .chain(&[b' '; 8])
        .chain(&block[156..])
        .map(|b| u32::from(*b))
        .sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.to_vec()
}

fn plain(name: &[u8], kind: u8) -> Vec<u8> {
    header(name, kind, b"00000000000", |_| {})
}

fn all(archive: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, Error> {
    let limits = TarLimits {
        name: 300,
        entries: 50,
        size: 10_000,
    };
    let mut reader = TarReader::new(archive, limits);
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).map_err(Error::from_io)?;
        entries.push((entry, content));
    }
    Ok(entries)
}

fn refused(archive: Vec<u8>, words: &str) {
    let error = all(&archive).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn the_dialects_that_dpkg_reads() {
    let mut archive = plain(b"./usr/", 0);
    archive.extend(header(b"./usr/a", b'0', b"00000000003", |block| {
        block[136..148].copy_from_slice(&[0xff; 12]);
        block[297..301].copy_from_slice(b"adm\0");
    }));
    archive.extend([b'x'; 3].iter().chain(&[0; 509]));
    archive.extend(header(b"dev/null", b'3', b"00000000000", |block| {
        block[329..336].copy_from_slice(b"0000001");
        block[337..344].copy_from_slice(b"0000003");
    }));
    archive.extend(header(b"././@LongLink", b'K', b"00000000310", |_| {}));
    archive.extend([b'k'; 199].iter().chain(&[0; 313]));
    archive.extend(header(b"link", b'2', b"00000000007", |_| {}));
    archive.extend([0; 1024]);
    archive.extend(b"what follows the end is not looked at");
    let entries = all(&archive).unwrap();
    let kinds: Vec<&Kind> = entries.iter().map(|(entry, _)| &entry.kind).collect();
    assert_eq!(
        kinds,
        [
            &Kind::Directory,
            &Kind::File,
            &Kind::Char(1, 3),
            &Kind::Symlink(vec![b'k'; 199])
        ]
    );
    let (file, content) = &entries[1];
    assert_eq!((content.as_slice(), file.mtime, file.gid), (&b"xxx"[..], -1, 42));
    assert_eq!(file.group.as_deref(), Some(&b"adm"[..]));
    assert_eq!((file.mode, file.user.clone()), (0o755, None));
}

#[test]
fn types_that_packages_do_not_have() {
    for kind in [
        b'7', b'x', b'g', b'S', b'M', b'D', b'N', b'V', b'X', b'A', b'8', 0xff,
    ] {
        refused(plain(b"a", kind), "which packages do not have");
    }
}

#[test]
fn headers_that_lie() {
    refused(plain(b"", b'0'), "name is empty");
    refused(plain(b"a\nb", b'0'), "line end");
    refused(plain(b"a", b'1'), "leads nowhere");
    refused(plain(b"a", b'2'), "leads nowhere");
    refused(header(b"a", b'0', b"99999999999", |_| {}), "size is no number");
    refused(header(b"a", b'0', &[0xff; 12], |_| {}), "size is -1");
    refused(
        header(b"a", b'0', b"77777777777", |_| {}),
        "a file over the limit of 10000 (`a`)",
    );
    refused(
        header(
            b"a",
            b'0',
            &[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            |_| {},
        ),
        "over the limit",
    );
    refused(
        header(b"a", b'0', b"0", |block| {
            block[108..115].copy_from_slice(b"hello!!")
        }),
        "owner is no number",
    );
    refused(
        header(b"a", b'0', b"0", |block| {
            block[108..116].copy_from_slice(&[0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])
        }),
        "owner is",
    );
    refused(
        header(b"x", b'L', b"77777777777", |_| {}),
        "a name over the limit of 300",
    );
    refused(
        header(b"a", b'3', b"0", |block| {
            block[329..337].copy_from_slice(&[0x80, 0, 0, 1, 0, 0, 0, 0])
        }),
        "its major device number",
    );
    refused(
        header(b"a", b'4', b"0", |block| block[257..265].fill(0)),
        "device numbers are missing",
    );
    let mut broken = plain(b"a", b'0');
    broken[0] = b'b';
    refused(broken, "checksum");
}

/// A long name or link, `size` bytes of `content`.
fn long(kind: u8, content: &[u8]) -> Vec<u8> {
    let size = format!("{:011o}", content.len());
    let mut archive = header(b"././@LongLink", kind, size.as_bytes(), |_| {});
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
    archive
}

#[test]
fn long_names_with_and_without_their_nul() {
    for end in [&b""[..], b"\0", b"\0\0"] {
        let name = [&[b'n'; 250][..], end].concat();
        let archive = [long(b'L', &name), plain(b"nnnn", b'0')].concat();
        assert_eq!(all(&archive).unwrap()[0].0.path, [b'n'; 250]);
    }
    // The last of several counts, and a link's text means nothing for a file.
    let archive = [
        long(b'L', b"one"),
        long(b'K', b"two"),
        long(b'L', b"three"),
        plain(b"x", b'0'),
    ]
    .concat();
    let (entry, _) = &all(&archive).unwrap()[0];
    assert_eq!((entry.path.as_slice(), &entry.kind), (&b"three"[..], &Kind::File));
    // The slash that makes a directory may be in the long name.
    let archive = [
        long(b'L', &[&[b'd'; 200][..], b"/\0"].concat()),
        plain(b"ddd", b'0'),
    ]
    .concat();
    assert_eq!(all(&archive).unwrap()[0].0.kind, Kind::Directory);

    refused([long(b'L', b"a\0b"), plain(b"x", b'0')].concat(), "has a NUL");
    refused([long(b'K', b"a\0b\0"), plain(b"x", b'2')].concat(), "has a NUL");
    refused([long(b'L', b"\0"), plain(b"x", b'0')].concat(), "name is empty");
    refused(
        [long(b'L', &[b'n'; 301]), plain(b"x", b'0')].concat(),
        "a name over the limit of 300",
    );
    refused(
        [long(b'K', &[b'n'; 302]), plain(b"x", b'2')].concat(),
        "a link over the limit of 300",
    );
    refused(long(b'L', b"a"), "a long name without its entry");
    refused(
        [long(b'L', b"a"), vec![0; 1024]].concat(),
        "a long name without its entry",
    );
}

#[test]
fn magics_and_prefixes() {
    let with = |magic: &[u8], name: &[u8]| {
        let archive = header(name, b'0', b"0", |block| {
            block[257..257 + magic.len()].copy_from_slice(magic);
            block[345..351].copy_from_slice(b"prefix");
            block[265..269].copy_from_slice(b"root");
        });
        let (entry, _) = all(&archive).unwrap().remove(0);
        (entry.path, entry.user)
    };
    let root = || Some(b"root".to_vec());
    assert_eq!(with(b"ustar\x0000", b"name"), (b"prefix/name".to_vec(), root()));
    assert_eq!(with(b"ustar\0 \0", b"name"), (b"prefix/name".to_vec(), root()));
    assert_eq!(with(b"ustar  \0", b"name"), (b"name".to_vec(), root()));
    assert_eq!(with(b"ustar \0\0", b"name"), (b"name".to_vec(), root()));
    assert_eq!(with(&[0; 8], b"name"), (b"name".to_vec(), None));
    // A name that fills its field has no NUL.
    assert_eq!(with(&[0; 8], &[b'f'; 100]).0, [b'f'; 100]);
}

#[test]
fn a_size_means_content_for_files_only() {
    for kind in [b'1', b'2', b'5', b'6'] {
        let archive = [
            header(b"a", kind, b"00000001000", |block| block[157] = b't'),
            plain(b"next", b'0'),
        ]
        .concat();
        let entries = all(&archive).unwrap();
        assert_eq!(
            (entries[0].0.size, entries[1].0.path.as_slice()),
            (0, &b"next"[..])
        );
    }
}

/// A reader that gives one byte at a time, and is interrupted before each.
struct Dribble<'a>(&'a [u8], bool);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

fn two_files() -> Vec<u8> {
    let mut archive = header(b"a", b'0', b"00000001750", |_| {});
    archive.extend([b'x'; 1000].iter().chain(&[0; 24]));
    archive.extend(header(b"b", b'0', b"00000001000", |_| {}));
    archive.extend([b'y'; 512]);
    archive
}

#[test]
fn content_can_be_read_borrowed_or_skipped() {
    let archive = [two_files(), vec![0; 1024]].concat();
    let mut reader = TarReader::new(Dribble(&archive, false), TarLimits::default());
    assert_eq!(reader.next_entry().unwrap().unwrap().path, b"a");
    assert_eq!(reader.position(), 512);
    assert_eq!(reader.next_entry().unwrap().unwrap().path, b"b");
    assert_eq!(reader.position(), 2048);
    let mut content = Vec::new();
    reader.read_to_end(&mut content).unwrap();
    assert_eq!(content, [b'y'; 512]);
    assert_eq!(reader.next_entry().unwrap(), None);
    assert_eq!(reader.next_entry().unwrap(), None);
    assert_eq!(reader.position(), archive.len() as u64);

    let mut reader = TarReader::new(archive.as_slice(), TarLimits::default());
    reader.next_entry().unwrap();
    assert_eq!(reader.fill_buf().unwrap(), [b'x'; 1000]);
    reader.consume(400);
    assert_eq!(reader.fill_buf().unwrap().len(), 600);
    assert_eq!(reader.next_entry().unwrap().unwrap().path, b"b");
    reader.consume(9999);
    assert_eq!(reader.fill_buf().unwrap(), b"");
    assert_eq!(reader.next_entry().unwrap(), None);
}

#[test]
fn nothing_is_read_on_after_an_error() {
    let archive = [two_files(), plain(b"p", b'x'), plain(b"c", b'0')].concat();
    let mut reader = TarReader::new(archive.as_slice(), TarLimits::default());
    assert!(reader.next_entry().is_ok() && reader.next_entry().is_ok());
    assert!(matches!(reader.next_entry(), Err(Error::EntryType { .. })));
    let error = reader.next_entry().unwrap_err().to_string();
    assert!(error.contains("went on after an error"), "{error}");
}

#[test]
fn damage_behind_the_end_shows() {
    struct Breaks;
    impl Read for Breaks {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(Error::Decode {
                format: "xz",
                reason: "rotten".to_owned(),
            }
            .into())
        }
    }
    let archive = [two_files(), vec![0; 1024]].concat();
    let mut reader = TarReader::new(archive.as_slice().chain(Breaks), TarLimits::default());
    assert!(reader.next_entry().is_ok() && reader.next_entry().is_ok());
    assert!(matches!(reader.next_entry(), Err(Error::Decode { .. })));
}

#[test]
fn content_that_ends_early_is_an_error_however_it_is_read() {
    let archive = two_files();
    let mut reader = TarReader::new(&archive[..1000], TarLimits::default());
    reader.next_entry().unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the archive is truncated: it ends in the content of `a`"
    );
    assert!(matches!(reader.next_entry(), Err(Error::Truncated { .. })));
    let mut reader = TarReader::new(&archive[..1000], TarLimits::default());
    reader.next_entry().unwrap();
    reader.consume(488);
    assert!(reader.fill_buf().is_err());
}

#[test]
fn endless_archives_are_cut() {
    let archive: Vec<u8> = (0..51).flat_map(|_| plain(b"a", b'0')).collect();
    refused(archive, "a number of entries over the limit of 50");
}

#[test]
fn truncation_is_seen_everywhere() {
    let mut archive = header(b"a", b'0', b"00000000003", |_| {});
    archive.extend([b'x'; 3].iter().chain(&[0; 509]));
    archive.extend(header(b"l", b'L', b"00000000003", |_| {}));
    archive.extend(b"ab\0".iter().chain(&[0; 509]));
    archive.extend(plain(b"c", b'0'));
    assert_eq!(all(&archive).unwrap().len(), 2);
    for length in 1..archive.len() {
        let whole = length == 1024;
        assert_eq!(all(&archive[..length]).is_ok(), whole, "at {length}");
    }
}

proptest! {
    #[test]
    fn what_tar_writes_comes_back(
        files in proptest::collection::vec(("[a-zA-Z0-9_.+~-]{1,40}(/[a-zé ]{1,60}){0,3}", proptest::collection::vec(any::<u8>(), 0..1500), 0u32..0o7777, 0u64..4_000_000_000), 0..6)
    ) {
        let mut builder = ::tar::Builder::new(Vec::new());
        let mut wanted = Vec::new();
        for (name, content, mode, mtime) in &files {
            prop_assume!(!name.split('/').any(|part| part.is_empty() || part == "." || part == ".."));
            let mut header = ::tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(*mode);
            header.set_mtime(*mtime);
            header.set_uid(7);
            header.set_gid(u64::from(u32::MAX - 1));
            builder.append_data(&mut header, name, content.as_slice()).unwrap();
            wanted.push((name.clone().into_bytes(), content.clone(), *mode, *mtime as i64));
        }
        let archive = builder.into_inner().unwrap();
        let found: Vec<_> = all(&archive).unwrap().into_iter().map(|(e, c)| (e.path, c, e.mode, e.mtime)).collect();
        prop_assert_eq!(found, wanted);
    }
}
