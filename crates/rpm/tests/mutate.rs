//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

use bareroot_testkit::mutate;

mod fuzz;

/// Numbers as headers have them, and what stands in them.
const TOKENS: &[&[u8]] = &[
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\x01",
    b"\0\x10\0\0",
    b"\0\0\0\x3f",
    b"\0\0\x03\xe8",
    b"\0\0\0\x08",
    b"\0",
    b"/",
    b"..",
    b"070701",
    b"07070X",
    b"TRAILER!!!\0",
    b"ffffffff",
    b"00000000",
];

/// A header that has something of everything.
fn made() -> bareroot_testkit::headers::Builder {
    let mut header = bareroot_testkit::headers::Builder::new("made");
    for (tag, text) in [
        (1021, "linux"),
        (1022, "noarch"),
        (1023, "exit 0"),
        (1085, "/bin/sh"),
        (1044, "x.src.rpm"),
    ] {
        header.text(tag, text);
    }
    header.dependency([1047, 1112, 1113], 8, "1-1", "made");
    header.dependency(
        [1049, 1048, 1050],
        0x0100_000a,
        "3.0.4-1",
        "rpmlib(CompressedFileNames)",
    );
    header.dependency([1049, 1048, 1050], 0, "", "(a or b)");
    for name in ["a", "b", "c"] {
        header.file(0o100_644, 2, "/usr/lib/", name, &[0x5000_0000, 0x5200_0001]);
        for (tag, value) in [(1028, 3), (1034, 7), (1037, 2), (1095, 1), (1096, 5), (1033, 0)] {
            header.word(tag, value);
        }
        for (tag, value) in [
            (1035, ""),
            (1039, "root"),
            (1040, "root"),
            (1097, "de|fr"),
            (5010, "cap_net_raw=ep"),
        ] {
            header.string(tag, value);
        }
    }
    for (body, program, name, version, flags, index) in [
        (1065, 1092, 1066, 1067, 1068, 1069),
        (5066, 5067, 5069, 5071, 5072, 5070),
        (5076, 5077, 5079, 5081, 5082, 5080),
    ] {
        header.string(body, "exit 0");
        header.string(program, "/bin/sh");
        header.string(name, "/usr/lib");
        header.string(version, "");
        header.word(flags, 1 << 16);
        header.word(index, 0);
    }
    header.word(5084, 100);
    header.word(5085, 100);
    header
}

/// A package with that header, none of whose files is compressed.
fn package_of(payload: &[u8]) -> Vec<u8> {
    let mut signature = vec![0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0];
    let mut data = Vec::new();
    for word in [1u32, 16, 62, 7, 0, 16] {
        signature.extend(word.to_be_bytes());
    }
    for word in [62u32, 7, 0u32.wrapping_sub(16), 16] {
        data.extend(word.to_be_bytes());
    }
    let mut header = made();
    header.text(1124, "cpio");
    header.text(1125, "none");
    let mut package = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0];
    package.resize(96, 0);
    package.extend(signature);
    package.extend(data);
    package.extend(header.bytes());
    package.extend(payload);
    package
}

/// An archive of these names and contents.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files.iter().copied().chain([("TRAILER!!!", b"".as_slice())]) {
        let mut head = String::from("070701");
        for field in [
            1,
            0o100_644,
            0,
            0,
            1,
            0,
            content.len(),
            0,
            0,
            0,
            0,
            name.len() + 1,
            0,
        ] {
            head.push_str(&format!("{field:08x}"));
        }
        bytes.extend(head.into_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

#[test]
fn header() {
    mutate::over("rpm_header", &[&made().bytes()], TOKENS, 40_000, fuzz::header);
}

#[test]
fn package() {
    let linked = archive(&[
        ("./usr/lib/a", b""),
        ("./usr/lib/b", b""),
        ("./usr/lib/c", b"abc"),
    ]);
    let mut stripped = Vec::new();
    for place in 0..3 {
        stripped.extend(format!("07070X{place:08x}\0\0").bytes());
        if place == 2 {
            stripped.extend(b"abc\0");
        }
    }
    stripped.extend(archive(&[]));
    let packages = [package_of(&linked), package_of(&stripped)];
    let seeds: Vec<&[u8]> = packages.iter().map(Vec::as_slice).collect();
    mutate::over("rpm_package", &seeds, TOKENS, 2_000, fuzz::package);
}

#[test]
fn cpio() {
    let release = b"CentOS Linux release 7.2.1511 (Core) \n";
    let seeds = [
        archive(&[("./etc/centos-release", release), ("./etc/os-release", b"")]),
        [b"07070X00000001\0\0".as_slice(), release, b"\0\0", &archive(&[])].concat(),
    ];
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    mutate::over("rpm_cpio", &seeds, TOKENS, 10_000, fuzz::cpio);
}

#[test]
fn evr() {
    let seeds: [&[u8]; 2] = [
        b"1:2.3-4\n2.3~rc1-0\n2.3^git1\n00002.03-\n",
        b"0\n~\n^\n~~a\n1.0+\n:\n-\na:b-c:d",
    ];
    let tokens: [&[u8]; 11] = [
        b"\n",
        b":",
        b"-",
        b"~",
        b"^",
        b"0",
        b"9",
        b"a",
        b"Z",
        b".",
        b"\xc3\xa9",
    ];
    mutate::over("rpm_evr", &seeds, &tokens, 20_000, fuzz::evr);
}

#[test]
fn rich() {
    let seeds: [&[u8]; 3] = [
        b"((a >= 1:2-3 or b) and (c if (d unless e else f) else g))",
        b"(libc.so.6()(64bit) with (x without y))",
        b"((((((((a))))))))",
    ];
    let tokens: [&[u8]; 14] = [
        b"(",
        b")",
        b" ",
        b",",
        b" and ",
        b" or ",
        b" if ",
        b" unless ",
        b" else ",
        b" with ",
        b" without ",
        b" >= ",
        b"=",
        b"\xc3\xa9",
    ];
    mutate::over("rpm_rich", &seeds, &tokens, 30_000, fuzz::rich);
}
