//! The fuzz targets' bodies over seeded mutations: no input may panic, hang or produce without bound.

mod fuzz;

use std::io::{Cursor, Write};

use bareroot_testkit::mutate;

/// What numbers, names and their ends are made of.
const BYTES: &[&[u8]] = &[
    b"\0", b"\x80", b"\xff", b"0", b"2", b"7", b"/", b".", b"\n", b"L", b"K",
];

#[test]
fn ar() {
    let mut builder = ar::Builder::new(Vec::new());
    for (name, content) in [
        ("debian-binary", &b"2.0\n"[..]),
        ("_extra", b"odd"),
        ("control.tar.gz", b"c"),
        ("data.tar.xz", b"data"),
    ] {
        let header = ar::Header::new(name.as_bytes().to_vec(), content.len() as u64);
        builder.append(&header, content).unwrap();
    }
    let seed = builder.into_inner().unwrap();
    assert!(bareroot_archive::deb_members(Cursor::new(&seed), seed.len() as u64).is_ok());
    mutate::over("ar", &[&seed], BYTES, 50_000, fuzz::ar);
}

#[test]
fn tar() {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [
        ("./a", &b"hello"[..]),
        (&"d/".repeat(80), b""),
        ("b/c", &[7; 700]),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
    }
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "l", "t/".repeat(70)).unwrap();
    mutate::over("tar", &[&builder.into_inner().unwrap()], BYTES, 20_000, fuzz::tar);
}

#[test]
fn decoder() {
    let text: Vec<u8> = (0..3000u32).flat_map(u32::to_le_bytes).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&text).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(&text).unwrap();
    let xz = xz.finish().unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&text).unwrap();
    let options = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
    let alone = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
    let mut alone = liblzma::write::XzEncoder::new_stream(Vec::new(), alone);
    alone.write_all(&text).unwrap();
    let seeds = [
        gzip.finish().unwrap(),
        xz.clone(),
        zstd::stream::encode_all(&text[..], 3).unwrap(),
        bzip2.finish().unwrap(),
        alone.finish().unwrap(),
        // Two streams with padding, for the threads.
        [&xz[..], &[0; 4], &xz].concat(),
    ];
    let chosen = |(choice, seed): (usize, &Vec<u8>)| [&[choice as u8][..], seed].concat();
    let seeds: Vec<Vec<u8>> = seeds.iter().enumerate().map(chosen).collect();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    mutate::over("decoder", &seeds, BYTES, 1000, fuzz::decoder);
}
