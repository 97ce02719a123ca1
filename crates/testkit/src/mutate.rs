//! The bodies of fuzz targets over mutations, without a fuzzer: no input may panic, or break what a body promises.
//!
//! The same inputs in every run: seeds cut short, so many mutations of each, and what fuzzing has kept of the target in
//! `fixtures/fuzz`. With `BAREROOT_FUZZ_SECONDS` mutations of all of them go on until so many seconds have passed; with
//! `BAREROOT_SEEDS` the seeds are written below that directory, for a fuzzer.

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::seed::Random;

/// Beginnings of a seed that are tried, about.
const CUTS: usize = 1000;

/// Runs the body of a target over `seeds`, and over `count` mutations of each, with `tokens` put in at random places.
///
/// # Panics
/// When the body does; its input is in a file then, and standard error says in which.
#[allow(clippy::print_stderr)]
pub fn over(target: &str, seeds: &[&[u8]], tokens: &[impl AsRef<[u8]>], count: usize, body: impl Fn(&[u8])) {
    let began = Instant::now();
    let run = |input: &[u8]| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(input))) {
            let path = env::temp_dir().join(format!("bareroot-input-{target}"));
            match fs::write(&path, input) {
                Ok(()) => eprintln!("{target} fails on the bytes of {}", path.display()),
                Err(error) => eprintln!("{}: {error}", path.display()),
            }
            resume_unwind(panic);
        }
    };
    if let Some(directory) = env::var_os("BAREROOT_SEEDS") {
        write(&Path::new(&directory).join(target), seeds);
    }
    let mut random = Random::new(0x5eed);
    for seed in seeds {
        run(seed);
        for length in (0..seed.len()).step_by(1 + seed.len() / CUTS) {
            run(&seed[..length]);
        }
        for _ in 0..count {
            run(&mutation(seed, tokens, &mut random));
        }
    }
    let mut all: Vec<Vec<u8>> = kept(target);
    all.iter().for_each(|input| run(input));
    all.extend(seeds.iter().map(|seed| seed.to_vec()));
    let more = env::var("BAREROOT_FUZZ_SECONDS").ok().map(|seconds| {
        let seconds = seconds.parse().expect("BAREROOT_FUZZ_SECONDS is a number");
        Duration::from_secs(seconds)
    });
    while more.is_some_and(|more| began.elapsed() < more) {
        for _ in 0..100 {
            let input = random.one_of(&all).clone();
            run(&mutation(&input, tokens, &mut random));
        }
    }
}

/// A few changes.
fn mutation(seed: &[u8], tokens: &[impl AsRef<[u8]>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.index(6) {
        // Most of what decides is near the beginning.
        let near = if random.happens(300) { 256 } else { usize::MAX };
        let at = random.index(bytes.len().saturating_add(1).min(near));
        let token = match tokens.len() {
            0 => &[][..],
            _ => random.one_of(tokens).as_ref(),
        };
        match random.index(9) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << random.index(8),
            2 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.index(5)],
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..(at + random.index(40)).min(bytes.len()))),
            5 => {
                let from = random.index(bytes.len());
                let length = [1, 16, 80, 512, 1024][random.index(5)];
                let piece: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
                drop(bytes.splice(at..at, piece));
            }
            // In place, so that what comes after stays where it is.
            6 => {
                for (slot, byte) in bytes.iter_mut().skip(at).zip(token) {
                    *slot = *byte;
                }
            }
            _ => drop(bytes.splice(at..at, token.iter().copied())),
        }
    }
    bytes
}

/// What fuzzing has kept of a target.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../fixtures/fuzz/{target}.tar.zst"));
    let packed = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let bytes = zstd::decode_all(packed.as_slice()).expect("an archive by zstd");
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().expect("an archive by tar");
    entries
        .map(|entry| {
            let mut content = Vec::new();
            let mut entry = entry.expect("an entry");
            entry.read_to_end(&mut content).expect("its content");
            content
        })
        .collect()
}

fn write(directory: &Path, seeds: &[&[u8]]) {
    fs::create_dir_all(directory).expect("a directory for seeds");
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(directory.join(format!("seed-{number}")), seed).expect("a file for a seed");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn seeds_cuts_mutations_and_what_was_kept_are_tried() {
        let tried = RefCell::new(HashSet::new());
        over("versions", &[b"one:two"], &["token"], 1000, |input| {
            tried.borrow_mut().insert(input.to_vec());
        });
        let tried = tried.into_inner();
        for input in [b"".as_slice(), b"one", b"one:two"] {
            assert!(tried.contains(input), "{input:?}");
        }
        let tokens = tried
            .iter()
            .filter(|input| input.windows(5).any(|piece| piece == b"token"));
        assert!(tokens.count() > 100);
        assert!(kept("versions").iter().all(|input| tried.contains(input)));
    }

    #[test]
    #[should_panic(expected = "as it must")]
    fn a_body_that_panics_is_heard() {
        over("versions", &[b"1"], &["2"], 1, |_| panic!("as it must"));
    }
}
