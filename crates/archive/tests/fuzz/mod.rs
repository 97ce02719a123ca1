//! The bodies of this crate's fuzz targets. `fuzz/` runs them over what libFuzzer makes up, `mutate.rs` over seeded
//! mutations, so that they also run where there is no nightly compiler.

use std::io::{BufRead, Cursor, Read};

use bareroot_archive::{Compression, Limits, TarLimits, TarReader, deb_members};

/// The container of a .deb.
pub fn ar(data: &[u8]) {
    let Ok(layout) = deb_members(Cursor::new(data), data.len() as u64) else {
        return;
    };
    assert!(layout.control.offset + layout.control.size <= layout.data.offset);
    assert!(layout.data.offset + layout.data.size <= data.len() as u64);
}

const TAR: TarLimits = TarLimits {
    name: 1000,
    entries: 100,
    size: 1 << 20,
};

/// A tar archive, as it is and with every checksum put right: few mutations would get past it otherwise.
pub fn tar(data: &[u8]) {
    let mut summed = data.to_vec();
    for block in summed
        .chunks_exact_mut(512)
        .filter(|block| block.iter().any(|byte| *byte != 0))
    {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    // Both ways to the content, and none, must see the same entries.
    let read = entries(data, |reader| drop(reader.read_to_end(&mut Vec::new())));
    assert_eq!(read, entries(data, |_| {}));
    let read = entries(&summed, |reader| drop(reader.read_to_end(&mut Vec::new())));
    assert_eq!(read, entries(&summed, |_| {}));
    assert_eq!(read, entries(&summed, borrow));
}

fn borrow(reader: &mut TarReader<&[u8]>) {
    while let Ok(count @ 1..) = reader.fill_buf().map(<[u8]>::len) {
        reader.consume(count);
    }
}

fn entries(data: &[u8], mut content: impl FnMut(&mut TarReader<&[u8]>)) -> Vec<(Vec<u8>, u64)> {
    let mut reader = TarReader::new(data, TAR);
    let mut found = Vec::new();
    while let Ok(Some(entry)) = reader.next_entry() {
        assert!(!entry.path.is_empty() && entry.path.len() <= TAR.name && entry.size <= TAR.size);
        assert!(!entry.path.iter().any(|byte| matches!(byte, 0 | b'\n')));
        let start = reader.position();
        content(&mut reader);
        assert!(reader.position() - start <= entry.size && reader.position() <= data.len() as u64);
        found.push((entry.path, entry.size));
    }
    assert!(found.len() as u64 <= TAR.entries);
    found
}

/// Compressed data: the first byte says the format.
pub fn decoder(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    const FORMATS: [Compression; 5] = [
        Compression::Gzip,
        Compression::Xz,
        Compression::Zstd,
        Compression::Bzip2,
        Compression::Lzma,
    ];
    let limits = Limits {
        output: 1 << 20,
        memory: 16 << 20,
    };
    let reader = match FORMATS.get(usize::from(*choice) % 6) {
        Some(format) => bareroot_archive::decoder(*format, data, limits),
        None => bareroot_archive::parallel_xz(data, 2, limits),
    };
    let mut out = Vec::new();
    if let Ok(mut reader) = reader {
        let result = reader.read_to_end(&mut out);
        assert!(out.len() as u64 <= limits.output);
        assert_eq!(reader.read(&mut [0]).is_err(), result.is_err());
    }
}
