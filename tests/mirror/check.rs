use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use bareroot_testkit::cases;
use bareroot_testkit::door::run;
use bareroot_testkit::harness::Case;

use crate::{Ground, packages, repository, served};

pub const CASES: &[Case] = cases![
    Nothing: every_corruption_is_named;
    Root: no_root_of_the_first_quarter, no_root_of_the_second_quarter, no_root_of_the_third_quarter,
        no_root_of_the_last_quarter;
];

/// Numbers that are the same in each run (xorshift64).
pub struct Seeded(pub u64);

impl Seeded {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Damages a file, by number; the files that are wrong then.
fn damage(dir: &Path, whole: &BTreeMap<String, Vec<u8>>, kind: usize, random: &mut Seeded) -> Vec<String> {
    let names: Vec<&String> = whole
        .keys()
        .filter(|name| *name != "bareroot-mirror.toml")
        .collect();
    let name = names[random.below(names.len())];
    let bytes = &whole[name];
    let path = dir.join(name);
    // Hard links share their content: what is written goes to a file of its own.
    let write = |path: &Path, bytes: &[u8]| {
        fs::remove_file(path).unwrap();
        fs::write(path, bytes).unwrap();
    };
    match kind {
        0 => {
            let mut flipped = bytes.clone();
            let at = random.below(flipped.len());
            flipped[at] ^= 1 << random.below(8);
            write(&path, &flipped);
        }
        1 => write(&path, &bytes[..random.below(bytes.len())]),
        2 => fs::remove_file(&path).unwrap(),
        3 => fs::rename(&path, dir.join(format!("{name}~"))).unwrap(),
        _ => {
            let other = names.iter().find(|other| whole[**other] != *bytes).unwrap();
            write(&path, &whole[*other]);
            write(&dir.join(other), bytes);
            return vec![name.clone(), (*other).clone()];
        }
    }
    vec![name.clone()]
}

fn restore(dir: &Path, whole: &BTreeMap<String, Vec<u8>>) {
    for name in served(dir).keys().filter(|name| !whole.contains_key(*name)) {
        fs::remove_file(dir.join(name)).unwrap();
    }
    for (name, bytes) in whole {
        let path = dir.join(name);
        if fs::read(&path).ok().as_ref() != Some(bytes) {
            let _ = fs::remove_file(&path);
            fs::write(&path, bytes).unwrap();
        }
    }
}

fn every_corruption_is_named() {
    let ground = Ground::new(&repository(&packages("1.0")));
    ground.mirror(&[]).succeeded();
    let whole = served(&ground.dir());
    let mut random = Seeded(0x9e37_79b9_7f4a_7c15);
    for number in 0..100 {
        let wrong = damage(&ground.dir(), &whole, number % 5, &mut random);
        let run = ground.check().ended_with(5);
        for name in &wrong {
            // What is judged by another file is judged only where that one is whole.
            let is_signed = |name: &String| name.contains("/tiny/") && name.contains("Release");
            let is_package = |name: &String| name.starts_with("pool/");
            let judged = match name {
                name if is_signed(name) => true,
                name if is_package(name) => wrong.iter().all(is_package),
                _ => !wrong.iter().any(is_signed),
            };
            assert!(
                !judged || run.stderr.contains(name),
                "{number} {name}: {}",
                run.stderr
            );
        }
        restore(&ground.dir(), &whole);
    }
    ground.check().succeeded();
}

fn no_root_of_the_first_quarter() {
    none_ends_in_a_root(0..25);
}

fn no_root_of_the_second_quarter() {
    none_ends_in_a_root(25..50);
}

fn no_root_of_the_third_quarter() {
    none_ends_in_a_root(50..75);
}

fn no_root_of_the_last_quarter() {
    none_ends_in_a_root(75..100);
}

fn none_ends_in_a_root(numbers: Range<usize>) {
    let ground = Ground::new(&repository(&packages("1.0")));
    ground.mirror(&[]).succeeded();
    let whole = served(&ground.dir());
    let needed: BTreeMap<String, Vec<u8>> = whole
        .iter()
        .filter(|(name, _)| name.starts_with("pool/") || name.ends_with("/InRelease"))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect();
    let mut random = Seeded(7 + numbers.start as u64);
    for number in numbers {
        let wrong = damage(&ground.dir(), &needed, number % 5, &mut random);
        let made = run(ground.alone("bootstrap", &["--mirror", &ground.shown()]));
        // A text around the signed one is no part of it: what is signed is as it was then.
        if !(made.code == Some(0) && wrong.iter().all(|name| name.ends_with("/InRelease"))) {
            assert!(matches!(made.code, Some(4 | 5)), "{number} {wrong:?}: {made:?}");
            // A signed file is named by its archive and suite.
            let named = |name: &String| {
                let signed = name.ends_with("/InRelease") && made.stderr.contains("/mirror tiny");
                signed || made.stderr.contains(name)
            };
            assert!(wrong.iter().any(named), "{number} {wrong:?}: {}", made.stderr);
            ground.door.assert_nothing_left();
        } else {
            fs::remove_dir_all(ground.door.target()).unwrap();
        }
        restore(&ground.dir(), &whole);
    }
}
