//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

use bareroot_testkit::mutate;

mod fuzz;

/// Numbers as objects have them.
const TOKENS: &[&[u8]] = &[
    b"\0\0\0\0\0\0\0\0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x01\0",
    b"\0\x10\0\0",
    b"/",
];

#[test]
fn elf() {
    let mut own = std::fs::read("/bin/true").unwrap();
    own.truncate(1 << 16);
    mutate::over("elf", &[&own], TOKENS, 3000, fuzz::elf);
}

#[test]
fn loader_cache() {
    let entries: Vec<_> = (0..20)
        .map(|number| bareroot_carry::cache::Entry {
            name: format!("lib{number}.so.1").into(),
            path: format!("/usr/lib/lib{number}.so.1").into(),
            flags: 0x0303,
        })
        .collect();
    mutate::over(
        "loader_cache",
        &[&bareroot_carry::cache::write(&entries, false)],
        TOKENS,
        5000,
        fuzz::loader_cache,
    );
}
