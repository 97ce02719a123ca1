//! A hundred damaged caches: none makes a wrong root, and each damage is named.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use bareroot_testkit::cases;
use bareroot_testkit::door::{Door, run};
use bareroot_testkit::harness::Case;

use crate::{copy, door, extract, files, remove, repository, tree, warm};

pub const CASES: &[Case] =
    cases![Root: the_first_quarter, the_second_quarter, the_third_quarter, the_last_quarter];

fn the_first_quarter() {
    corruptions(0..25);
}

fn the_second_quarter() {
    corruptions(25..50);
}

fn the_third_quarter() {
    corruptions(50..75);
}

fn the_last_quarter() {
    corruptions(75..100);
}

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    /// A number below a limit.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from((self.0 >> 33) % limit.max(1) as u64).unwrap()
    }

    fn one_of<'a>(&mut self, all: &'a [PathBuf]) -> &'a Path {
        &all[self.below(all.len())]
    }
}

/// What was done, and the files that are not right any more; a run that looks for one must say so.
struct Damage {
    what: &'static str,
    broken: Vec<PathBuf>,
}

fn damage(cache: &Path, seed: u64) -> Damage {
    let random = &mut Random(seed ^ 0x5eed);
    let all = files(cache);
    let path = random.one_of(&all).to_owned();
    let length = fs::metadata(&path).unwrap().len();
    let at = random.below(usize::try_from(length).unwrap()) as u64;
    let open = || File::options().read(true).write(true).open(&path).unwrap();
    let (what, broken) = match seed % 8 {
        0 | 1 => {
            let file = open();
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 1 << random.below(8)], at).unwrap();
            ("a bit is flipped", vec![path])
        }
        2 => {
            open().set_len(at).unwrap();
            ("it is truncated", vec![path])
        }
        3 => {
            open().write_all_at(b"more", length).unwrap();
            ("it is longer", vec![path])
        }
        4 => {
            let kin: Vec<PathBuf> = (all.iter())
                .filter(|other| **other != path && shelf(other) == shelf(&path))
                .cloned()
                .collect();
            let other = if kin.is_empty() { &all } else { &kin };
            let other = random.one_of(other).to_owned();
            if other == path {
                open().set_len(0).unwrap();
                ("it is empty", vec![path])
            } else {
                let aside = cache.join("aside");
                fs::rename(&path, &aside).unwrap();
                fs::rename(&other, &path).unwrap();
                fs::rename(&aside, &other).unwrap();
                ("two are swapped", vec![path, other])
            }
        }
        5 => {
            let name = path.file_name().unwrap().to_str().unwrap();
            let wrong = path.with_file_name(format!("{}0{}", &name[..63], &name[64..]));
            let wrong = if wrong == path {
                path.with_file_name(format!("{}1{}", &name[..63], &name[64..]))
            } else {
                wrong
            };
            fs::rename(&path, &wrong).unwrap();
            ("its name is another digest", vec![wrong])
        }
        6 => {
            let mut wrong = path.as_os_str().to_owned();
            wrong.push("~");
            let wrong = PathBuf::from(wrong);
            fs::rename(&path, &wrong).unwrap();
            ("its name has more to it", vec![wrong])
        }
        _ => {
            fs::remove_file(&path).unwrap();
            symlink("/dev/zero", &path).unwrap();
            ("it is a link to a device", vec![path])
        }
    };
    Damage { what, broken }
}

/// `archives`, `indexes` and so on.
fn shelf(path: &Path) -> &str {
    path.iter().rev().nth(2).unwrap().to_str().unwrap()
}

fn verify(door: &Door, cache: &Path) -> Command {
    let mut command = door.command(["cache", "verify", "--cache-dir"]);
    command.arg(cache);
    command
}

fn corruptions(seeds: Range<u64>) {
    let door = door(&repository());
    extract(&door, "right", "fresh", &[]).succeeded();
    let right = tree(&door, "right");
    warm(&door, "warm");
    run(verify(&door, &door.path("warm"))).succeeded();
    let cache = door.path("cache");
    let mut named = 0;
    for seed in seeds {
        copy(&door.path("warm"), &cache);
        let looked_for = files(&cache);
        let Damage { what, broken } = damage(&cache, seed);
        let about = format!("seed {seed}: {what}: {broken:?}");

        let found = run(verify(&door, &cache));
        assert_eq!(found.code, Some(5), "{about}\n{}", found.stdout);
        for path in &broken {
            assert!(
                found.stdout.contains(path.to_str().unwrap()),
                "{about}\n{}",
                found.stdout
            );
        }

        let made = extract(&door, "root", "cache", &[]);
        assert_eq!(made.code, Some(0), "{about}\n{}", made.stderr);
        assert!(tree(&door, "root") == right, "{about}: the root is wrong");
        // Release files are fetched again by every run that may, and an index is read when its parsed form is not there.
        // What a wrong name hides is only missing.
        let read = |path: &&PathBuf| {
            matches!(shelf(path), "archives" | "payloads" | "parsed") && looked_for.contains(path)
        };
        for path in broken.iter().filter(read) {
            assert!(
                made.stderr.contains(path.to_str().unwrap()),
                "{about}\n{}",
                made.stderr
            );
            named += 1;
        }

        let mut repair = verify(&door, &cache);
        repair.arg("--repair");
        run(repair).succeeded();
        let left = |path: &&PathBuf| !looked_for.contains(*path) && fs::symlink_metadata(path).is_ok();
        assert_eq!(broken.iter().find(left), None, "{about}");
        remove(&door, "root");
        fs::remove_dir_all(&cache).unwrap();
    }
    run(verify(&door, &door.path("warm"))).succeeded();
    assert!(named > 8, "only {named} were named by a run");
}
