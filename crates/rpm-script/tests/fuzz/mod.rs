//! What the fuzz targets of this crate do with their input. `mutate.rs` runs the same over seeded mutations, so that
//! they also run where there is no nightly compiler.
//!
//! Each body may refuse its input; it may not panic, nor take long.

use bareroot_rpm::{Header, blob};
use bareroot_rpm_script::format;
use bareroot_rpm_script::macros::{Macros, Nowhere};
use bareroot_rpm_script::sysusers::{self, Accounts};

/// A file of macros, and a text that uses them: the last line.
pub fn macros(data: &[u8]) {
    let macros = Macros::new();
    macros.set(b"_prefix", b"/usr");
    let _ = macros.load_text(data, &Nowhere);
    let last = data.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    for text in [last, data] {
        if let Ok(once) = macros.expand(text, &Nowhere) {
            // What has no percent sign is its own expansion.
            if !once.contains(&b'%') {
                assert_eq!(macros.expand(&once, &Nowhere).as_deref(), Ok(once.as_slice()));
            }
        }
    }
}

/// A query format.
pub fn query_format(data: &[u8]) {
    let header = header();
    if let Ok(text) = format::format(&header, data) {
        assert!(text.len() <= (16 << 20) + (1 << 20), "{}", text.len());
    }
}

/// Lines of sysusers.d.
pub fn sysusers(data: &[u8]) {
    let lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let accounts = Accounts {
        passwd: b"root:x:0:0:root:/root:/bin/sh\n".to_vec(),
        group: b"root:x:0:\nbin:x:1:\n".to_vec(),
        today: 1,
        ..Accounts::default()
    };
    let mut made = accounts.clone();
    match sysusers::apply(&lines, &mut made, &|_| Some((3, 4))) {
        Err(_) => assert_eq!(made, accounts),
        Ok(notes) => {
            let text = String::from_utf8_lossy(&made.passwd).into_owned();
            let mut ids = std::collections::HashSet::new();
            for line in text.lines() {
                let fields: Vec<&str> = line.split(':').collect();
                assert_eq!(fields.len(), 7, "{line:?}");
                assert!(ids.insert(fields[2].to_owned()), "{line:?}");
                assert!(
                    fields[5].starts_with('/') && fields[6].starts_with('/'),
                    "{line:?}"
                );
            }
            let before = made.clone();
            sysusers::apply(&lines, &mut made, &|_| Some((3, 4))).unwrap();
            // What could not be made may be made once later lines have made what it needs.
            if notes.is_empty() {
                assert_eq!(made, before, "a second time changes something");
            }
        }
    }
}

/// A header with a text, an array of texts and one of numbers.
fn header() -> Header {
    let entries: [(u32, u32, u32, &[u8]); 4] = [
        (1000, 6, 1, b"name\0"),
        (1006, 4, 1, &[0x6b, 7, 0x62, 0x7b]),
        (1047, 8, 2, b"one\0two\0"),
        (1112, 4, 2, &[0, 0, 0, 8, 0, 0, 0, 12]),
    ];
    let (mut index, mut store) = (Vec::new(), Vec::new());
    for (tag, kind, count, data) in entries {
        store.resize(store.len().next_multiple_of(4), 0);
        for word in [tag, kind, store.len() as u32, count] {
            index.extend(word.to_be_bytes());
        }
        store.extend_from_slice(data);
    }
    let count = entries.len() as u32 + 1;
    let region = |offset: u32| [63, 7, offset, 16].map(u32::to_be_bytes).concat();
    let first = region(store.len() as u32);
    store.extend(region((count * 16).wrapping_neg()));
    let lengths = [count, store.len() as u32].map(u32::to_be_bytes).concat();
    blob::parse("fuzz", &[lengths, first, index, store].concat()).unwrap()
}
