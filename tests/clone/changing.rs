//! A source that others write to.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bareroot_testkit::cases;
use bareroot_testkit::door::run;
use bareroot_testkit::harness::Case;

use crate::{clone, door};

pub const CASES: &[Case] =
    cases![Nothing: written_renamed_and_removed, an_archive_meanwhile, swapped_for_a_link];

/// How many files are written to.
const FILES: usize = 200;
/// A file's content is this many times one letter: what has two is of no moment.
const SIZE: usize = 300_000;

fn fill(path: &Path, round: usize) {
    let letter = b'a' + u8::try_from(round % 26).unwrap();
    let mut file = File::create(path).unwrap();
    for _ in 0..SIZE / 1000 {
        file.write_all(&[letter; 1000]).unwrap();
    }
}

/// Writes, renames, removes and makes in a directory until told to stop.
fn disturb(directory: &Path, stop: &AtomicBool) {
    let at = |number: usize| directory.join(format!("{}/file-{number}", number % 10));
    for round in 1.. {
        for number in 0..FILES {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            match (number + round) % 5 {
                0 => fill(&at(number), round),
                1 => {
                    let _ = fs::rename(at(number), at((number + 7) % FILES));
                }
                2 => {
                    let _ = fs::remove_file(at(number));
                }
                3 => fs::write(at(number), vec![b'z'; number]).unwrap(),
                _ => {}
            }
        }
    }
}

fn prepare(directory: &Path) {
    for number in 0..10 {
        fs::create_dir(directory.join(number.to_string())).unwrap();
    }
    for number in 0..FILES {
        fill(&directory.join(format!("{}/file-{number}", number % 10)), number);
    }
}

/// Whether a content is that of one moment.
fn is_whole(content: &[u8]) -> bool {
    match content.first() {
        None => true,
        Some(b'z') => content.iter().all(|byte| *byte == b'z'),
        Some(letter) => content.len() == SIZE && content.iter().all(|byte| byte == letter),
    }
}

fn meanwhile(source: &Path, work: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| disturb(source, &stop));
        work();
        stop.store(true, Ordering::Relaxed);
    });
}

fn written_renamed_and_removed() {
    let door = door();
    prepare(&door.path("source"));
    meanwhile(&door.path("source"), || {
        let mut named = 0;
        for round in 0..6 {
            let target = format!("out/{round}");
            let run = run(clone(&door, &target, &[]));
            assert!(matches!(run.code, Some(0 | 9)), "{:?}\n{}", run.code, run.stderr);
            named += usize::from(run.code == Some(9));
            for directory in fs::read_dir(door.path(&target)).unwrap() {
                for file in directory.unwrap().path().read_dir().into_iter().flatten() {
                    let path = file.unwrap().path();
                    let content = fs::read(&path).unwrap();
                    let inside = path
                        .strip_prefix(door.path(&target))
                        .unwrap()
                        .display()
                        .to_string();
                    let is_named = run.stderr.contains(&format!("`/{inside}` "));
                    assert!(
                        is_named || is_whole(&content) || content.is_empty(),
                        "{inside}: neither whole nor named"
                    );
                }
            }
            assert_eq!(
                run.code == Some(9),
                run.stderr.contains("error: the clone is made, but ")
            );
        }
        assert!(named > 0, "nothing changed in time");
    });
}

fn an_archive_meanwhile() {
    let door = door();
    prepare(&door.path("source"));
    meanwhile(&door.path("source"), || {
        for _ in 0..3 {
            let run = run(clone(&door, "out/a.tar", &[]));
            assert!(matches!(run.code, Some(0 | 9)), "{:?}\n{}", run.code, run.stderr);
            let bytes = fs::read(door.path("out/a.tar")).unwrap();
            for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
                let mut entry = entry.unwrap();
                let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                let is_named = run
                    .stderr
                    .contains(&format!("`{}` ", name.strip_prefix('.').unwrap()));
                assert!(is_named || is_whole(&content), "{name}: neither whole nor named");
            }
        }
    });
}

/// Directories that become links outward and back again: nothing of outside is read, and nothing outside is written.
fn swapped_for_a_link() {
    let door = door();
    let source = door.path("source");
    fs::create_dir(door.path("outside")).unwrap();
    fs::write(door.path("outside/secret"), "secret").unwrap();
    for name in ["a", "b"] {
        fs::create_dir(source.join(name)).unwrap();
        for number in 0..50 {
            fs::write(source.join(name).join(format!("file-{number}")), "mine").unwrap();
        }
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                fs::rename(source.join("a"), source.join("a-aside")).unwrap();
                std::os::unix::fs::symlink(door.path("outside"), source.join("a")).unwrap();
                fs::remove_file(source.join("a")).unwrap();
                fs::rename(source.join("a-aside"), source.join("a")).unwrap();
            }
        });
        for round in 0..20 {
            let target = format!("out/{round}");
            let run = run(clone(&door, &target, &[]));
            assert!(matches!(run.code, Some(0 | 9)), "{:?}\n{}", run.code, run.stderr);
            let inside = crate::paths(&door.path(&target));
            assert!(!inside.iter().any(|path| path.ends_with("secret")), "{inside:?}");
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(crate::paths(&door.path("outside")), ["secret"]);
}
