//! What the fuzz targets of this crate do with their input. `mutate.rs` runs the same over seeded mutations, so that they
//! also run where there is no nightly compiler.
//!
//! Each body may refuse its input; it may not panic, what it takes may not be larger than what it was given, and has to
//! survive being written and read again.

use bareroot_rpm_db::dump::{self, Form};
use bareroot_rpm_db::{Backend, Contents, Error, Source, convert, header_list, verify};

/// A database of sqlite's; the input's last third may be its log.
pub fn sqlite(data: &[u8]) {
    let (bytes, log) = data.split_at(data.len() - data.len() / 3);
    for (bytes, log) in [(data, None), (bytes, Some(log))] {
        if Backend::recognise(bytes) == Some(Backend::Sqlite) {
            let name = "fuzz";
            read(&Source { name, bytes, log });
        }
    }
}

/// A database of ndb's, whatever it begins with.
pub fn ndb(data: &[u8]) {
    read(&Source {
        name: "fuzz",
        bytes: &begun(b"RpmP", 0, data),
        log: None,
    });
}

/// A database of Berkeley DB's, whatever its magic number.
pub fn bdb(data: &[u8]) {
    let bytes = match Backend::recognise(data) {
        Some(Backend::Bdb) => data.to_vec(),
        _ => begun(&0x0006_1561u32.to_le_bytes(), 12, data),
    };
    read(&Source {
        name: "fuzz",
        bytes: &bytes,
        log: None,
    });
}

/// The input with these bytes at that place, so that no input is lost to another kind.
fn begun(magic: &[u8; 4], at: usize, data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(magic);
    }
    bytes
}

fn read(source: &Source<'_>) {
    let Ok(contents) = source.read() else {
        return;
    };
    let size: usize = contents.stored.iter().map(|record| record.blob.len()).sum();
    let given = source.bytes.len() + source.log.map_or(0, <[u8]>::len);
    assert!(size <= given, "{size} bytes of headers in {given}");
    let _ = verify::findings(source, &contents);
    written(&contents);
}

/// Whatever has headers that can be recorded is the same after it was written.
fn written(contents: &Contents<'_>) {
    for backend in Backend::ALL {
        let files = match convert(contents, backend, contents.order, Ok::<_, Error>) {
            Ok(files) => files,
            Err(Error::TooLarge { .. }) => continue,
            // Headers that are none, of which no other kind knows more.
            Err(_) => return,
        };
        let again = Source {
            name: "again",
            bytes: &files[0].bytes,
            log: None,
        };
        let again = again.read().unwrap();
        assert_eq!(again.records(), contents.records());
        assert_eq!(again.highest, contents.highest);
    }
}

/// The text of a dump.
pub fn dump(data: &[u8]) {
    let Ok(contents) = dump::parse("fuzz", data) else {
        return;
    };
    for form in [Form::Bytes, Form::Print] {
        let text = dump::text(&contents, form);
        let again = dump::parse("again", text.as_bytes()).unwrap();
        let pairs = |contents: &Contents<'_>| -> Vec<([u8; 4], Vec<u8>)> {
            let records = contents.stored.iter();
            records
                .map(|record| (record.number.to_be_bytes(), record.blob.bytes().into_owned()))
                .collect()
        };
        // The order of the bytes is not in the text; records are as many, with the same data.
        assert_eq!(pairs(&again).len(), pairs(&contents).len());
        assert!(
            again
                .stored
                .iter()
                .zip(&contents.stored)
                .all(|(a, b)| a.blob == b.blob)
        );
    }
}

/// A list of headers.
pub fn list(data: &[u8]) {
    if let Ok(headers) = header_list::parse("fuzz", data) {
        let size: usize = headers.iter().map(|header| header.len() + 8).sum();
        assert_eq!(size, data.len());
    }
}
