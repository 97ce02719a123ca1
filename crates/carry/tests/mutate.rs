//! The bodies of the fuzz targets over seeded mutations: no input may panic or break what the bodies promise.

mod fuzz;

/// xorshift64*: the same mutations in every run.
fn over_mutations(seed: &[u8], count: usize, body: impl Fn(&[u8])) {
    let mut state = 0x5eed_u64;
    let mut next = |below: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    };
    for length in 0..seed.len().min(1000) {
        body(&seed[..length]);
    }
    for _ in 0..count {
        let mut bytes = seed.to_vec();
        for _ in 0..=next(6) {
            // Most of what decides is in the first bytes.
            let at = if next(2) == 0 {
                next(256)
            } else {
                next(bytes.len())
            };
            let at = at.min(bytes.len() - 1);
            bytes[at] = [0, 1, 0x7f, 0x80, 0xff, bytes[at] ^ (1 << next(8))][next(6)];
        }
        body(&bytes);
    }
}

#[test]
fn elf() {
    let mut own = std::fs::read("/bin/true").unwrap();
    own.truncate(1 << 16);
    over_mutations(&own, 3000, fuzz::elf);
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
    over_mutations(
        &bareroot_carry::cache::write(&entries, false),
        5000,
        fuzz::loader_cache,
    );
}
