//! Caches that somebody else can write: what is in them, and where they lead.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bareroot_testkit::cases;
use bareroot_testkit::deb::{Compression, DebBuilder};
use bareroot_testkit::door::{Run, is_there};
use bareroot_testkit::harness::Case;

use crate::host::NOBODY;
use crate::{EXTRACT, Ground, evil};

pub const CASES: &[Case] = cases![
    Root: an_archive_that_changes_after_it_was_hashed, a_download_that_changes_after_it_was_hashed, a_shared_archive_that_changes, files_that_lead_elsewhere, parts_that_lead_elsewhere,
        parts_with_a_second_name, shelves_that_lead_elsewhere, a_tag_that_leads_elsewhere, files_that_are_none, archives_of_somebody_else,
        a_cache_of_another_user_is_verified;
];

/// A package whose bytes lie in the archive as they are.
fn plain() -> DebBuilder {
    evil()
        .file(
            "/evil",
            [b"good".as_slice(), &vec![b'.'; 1 << 20], b"good"].concat(),
        )
        .compression(Compression::None)
}

/// Every file of a shelf.
fn shelf(ground: &Ground, name: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for directory in fs::read_dir(ground.door.path("cache/v1").join(name))
        .into_iter()
        .flatten()
        .flatten()
    {
        all.extend(
            fs::read_dir(directory.path())
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path()),
        );
    }
    all.sort();
    all
}

/// The archive of `evil`.
fn archive(ground: &Ground) -> Option<PathBuf> {
    let has =
        |path: &PathBuf| fs::read(path).is_ok_and(|bytes| bytes.windows(5).any(|window| window == b"good."));
    shelf(ground, "archives").into_iter().find(has)
}

fn give_to_nobody(path: &Path) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if fs::symlink_metadata(path).unwrap().is_dir() {
        for entry in fs::read_dir(path).unwrap().flatten() {
            give_to_nobody(&entry.path());
        }
    }
}

fn extract(ground: &Ground, options: &[&str]) -> Run {
    let run = ground.door.bootstrap(&[EXTRACT, options].concat());
    ground.assert_unharmed(&run);
    run
}

/// Whatever the run says, what it made is what was signed.
#[track_caller]
fn assert_signed(ground: &Ground, run: &Run) {
    assert!(matches!(run.code, Some(0 | 4..=6)), "{run:?}");
    if run.code == Some(0) {
        let made = fs::read(ground.door.target().join("evil")).unwrap();
        assert!(
            made.starts_with(b"good.") && made.ends_with(b".good"),
            "what was unpacked is not what was signed"
        );
        fs::remove_dir_all(ground.door.target()).unwrap();
    }
}

/// Writes another content into an open file, and the right one again, as fast as can be.
fn fickle<T>(file: impl Fn() -> Option<File> + Sync, run: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut open = None;
            let mut places: Vec<u64> = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let Some(file) = &open else {
                    open = file();
                    continue;
                };
                if places.is_empty() {
                    let mut bytes = vec![0; 8 << 20];
                    let got = file.read_at(&mut bytes, 0).unwrap_or(0);
                    let found = |(at, window): (usize, &[u8])| (window == b"good").then_some(at as u64);
                    places = bytes[..got].windows(4).enumerate().filter_map(found).collect();
                    if places.len() < 2 {
                        places.clear();
                    }
                }
                for text in [b"evil", b"good"] {
                    for at in &places {
                        let _ = file.write_all_at(text, *at);
                    }
                    std::thread::sleep(std::time::Duration::from_micros(300));
                }
            }
        });
        let result = run();
        stop.store(true, Ordering::Relaxed);
        result
    })
}

fn open_for_writing(path: &Path) -> Option<File> {
    File::options().read(true).write(true).open(path).ok()
}

/// It is hashed, and then it is read again: by then its owner may have written something else.
fn an_archive_that_changes_after_it_was_hashed() {
    let ground = Ground::with(&plain());
    extract(&ground, &["--payload-limit", "0"]).succeeded();
    fs::remove_dir_all(ground.door.target()).unwrap();
    let saved = fs::read(archive(&ground).unwrap()).unwrap();
    let path = archive(&ground).unwrap();
    for _ in 0..8 {
        fs::write(&path, &saved).unwrap();
        give_to_nobody(&ground.door.path("cache"));
        let run = fickle(
            || open_for_writing(&path),
            || extract(&ground, &["--payload-limit", "0"]),
        );
        assert_signed(&ground, &run);
    }
}

/// A part that another user made is another user's still when all of it has come.
fn a_download_that_changes_after_it_was_hashed() {
    let ground = Ground::with(&plain());
    extract(&ground, &["--payload-limit", "0"]).succeeded();
    fs::remove_dir_all(ground.door.target()).unwrap();
    let path = archive(&ground).unwrap();
    let part = path.with_extension("part");
    for _ in 0..8 {
        let _ = fs::remove_file(&path);
        fs::write(&part, "").unwrap();
        fs::set_permissions(&part, fs::Permissions::from_mode(0o666)).unwrap();
        give_to_nobody(&ground.door.path("cache"));
        let theirs = open_for_writing(&part);
        let theirs = std::sync::Mutex::new(theirs);
        let run = fickle(
            || theirs.lock().unwrap().take(),
            || extract(&ground, &["--payload-limit", "0"]),
        );
        assert_signed(&ground, &run);
        let _ = fs::remove_file(&part);
    }
}

fn a_shared_archive_that_changes() {
    let ground = Ground::with(&plain());
    extract(&ground, &["--payload-limit", "0"]).succeeded();
    fs::remove_dir_all(ground.door.target()).unwrap();
    let path = archive(&ground).unwrap();
    give_to_nobody(&ground.door.path("cache"));
    let shared = ground.door.path("cache").display().to_string();
    for number in 0..4 {
        let own = format!("own{number}");
        let run = fickle(
            || open_for_writing(&path),
            || {
                extract(
                    &ground,
                    &[
                        "--payload-limit",
                        "0",
                        "--cache-dir",
                        &own,
                        "--cache-from",
                        &shared,
                    ],
                )
            },
        );
        assert_signed(&ground, &run);
    }
}

/// A cache in which a run has been, and that is another user's.
fn used(deb: &DebBuilder) -> Ground {
    let ground = Ground::with(deb);
    for _ in 0..2 {
        extract(&ground, &[]).succeeded();
        fs::remove_dir_all(ground.door.target()).unwrap();
    }
    give_to_nobody(&ground.door.path("cache"));
    ground
}

/// In place of every file a link to the bird: the links go, the bird stays.
fn files_that_lead_elsewhere() {
    for (to, shelves) in [
        (
            "canary/bird",
            &["archives", "indexes", "releases", "parsed", "payloads"][..],
        ),
        ("canary", &["archives", "indexes"]),
        ("out", &["releases", "parsed", "payloads"]),
    ] {
        let ground = used(&plain());
        for path in shelves.iter().flat_map(|name| shelf(&ground, name)) {
            fs::remove_file(&path).unwrap();
            symlink(ground.door.path(to), &path).unwrap();
        }
        let run = extract(&ground, &[]);
        assert_signed(&ground, &run);
        let mut prune = ground
            .door
            .command(["cache", "prune", "--older-than", "0s", "--cache-dir"]);
        prune.arg(ground.door.path("cache"));
        let run = bareroot_testkit::door::run(prune);
        assert!(matches!(run.code, Some(0 | 5 | 6)), "{run:?}");
        let mut verify = ground
            .door
            .command(["cache", "verify", "--repair", "--cache-dir"]);
        verify.arg(ground.door.path("cache"));
        let run = bareroot_testkit::door::run(verify);
        assert!(matches!(run.code, Some(0 | 5 | 6)), "{run:?}");
        assert_birds_live(&ground);
    }
}

#[track_caller]
fn assert_birds_live(ground: &Ground) {
    assert!(
        crate::listings(&ground.door) == ground.before,
        "the bird is not what it was"
    );
}

/// Where a download is written: nothing of it goes through a link.
fn parts_that_lead_elsewhere() {
    let ground = used(&plain());
    for name in ["archives", "indexes", "releases", "parsed", "payloads"] {
        for path in shelf(&ground, name) {
            fs::remove_file(&path).unwrap();
            for part in [
                path.with_extension("part"),
                PathBuf::from(format!("{}.part", path.display())),
            ] {
                let _ = fs::remove_file(&part);
                symlink(ground.door.path("canary/bird"), &part).unwrap();
            }
        }
    }
    let run = extract(&ground, &[]);
    assert_signed(&ground, &run);
}

/// A second name of a file that is not the cache's (hard links to others' files are possible where
/// fs.protected_hardlinks is off): it is neither cut nor written.
fn parts_with_a_second_name() {
    let ground = used(&plain());
    let precious = ground.door.file("precious", "precious");
    let before = fs::metadata(&precious).unwrap();
    for name in ["archives", "indexes", "releases", "parsed", "payloads"] {
        for path in shelf(&ground, name) {
            fs::remove_file(&path).unwrap();
            for part in [
                path.with_extension("part"),
                PathBuf::from(format!("{}.part", path.display())),
            ] {
                let _ = fs::remove_file(&part);
                fs::hard_link(&precious, &part).unwrap();
            }
        }
    }
    let run = extract(&ground, &[]);
    assert_signed(&ground, &run);
    let after = fs::metadata(&precious).unwrap();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert_eq!(
        (after.mode(), after.uid(), after.mtime()),
        (before.mode(), before.uid(), before.mtime())
    );
}

/// Directories of the cache that are links: nothing is made where they lead, and nothing removed.
fn shelves_that_lead_elsewhere() {
    for name in [
        "v1",
        "v1/archives",
        "v1/indexes",
        "v1/releases",
        "v1/parsed",
        "v1/payloads",
        "v1/runs",
    ] {
        let ground = used(&plain());
        let path = ground.door.path("cache").join(name);
        let _ = fs::remove_dir_all(&path);
        symlink(ground.door.path("canary"), path).unwrap();
        let run = extract(&ground, &[]);
        assert_signed(&ground, &run);
    }
    // The directories of two digits.
    let ground = used(&plain());
    for name in ["archives", "indexes", "releases", "parsed", "payloads"] {
        let directories = fs::read_dir(ground.door.path("cache/v1").join(name));
        for entry in directories.into_iter().flatten().flatten() {
            fs::remove_dir_all(entry.path()).unwrap();
            symlink(ground.door.path("canary"), entry.path()).unwrap();
        }
    }
    let run = extract(&ground, &[]);
    assert_signed(&ground, &run);
}

/// The mark for backup tools is written once: not where somebody else would have it.
fn a_tag_that_leads_elsewhere() {
    for to in ["canary/new", "home/new"] {
        let ground = Ground::with(&plain());
        fs::create_dir_all(ground.door.path("cache")).unwrap();
        symlink(ground.door.path(to), ground.door.path("cache/CACHEDIR.TAG")).unwrap();
        give_to_nobody(&ground.door.path("cache"));
        let run = extract(&ground, &[]);
        assert_signed(&ground, &run);
        assert!(!is_there(&ground.door.path(to)));
    }
}

/// Pipes, sockets, directories and endless files in place of what is kept.
fn files_that_are_none() {
    let make: [&dyn Fn(&Path); 3] = [
        &|path| {
            let mode = rustix::fs::Mode::from_raw_mode(0o666);
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        },
        &|path| fs::create_dir(path).unwrap(),
        &|path| symlink("/dev/zero", path).unwrap(),
    ];
    for make in make {
        let ground = used(&plain());
        for path in ["archives", "indexes", "releases", "parsed", "payloads"]
            .iter()
            .flat_map(|name| shelf(&ground, name))
        {
            fs::remove_file(&path).unwrap();
            make(&path);
            make(&path.with_extension("part"));
        }
        let begin = std::time::Instant::now();
        let run = extract(&ground, &["--timeout", "5"]);
        assert!(begin.elapsed() < crate::SOON, "{run:?}");
        assert_signed(&ground, &run);
    }
}

/// What a part has of another content is found when all of it has come, and fetched anew.
fn archives_of_somebody_else() {
    let ground = used(&plain());
    let path = archive(&ground).unwrap();
    let length = fs::metadata(&path).unwrap().len() as usize;
    for content in [
        vec![b'x'; length],
        vec![b'x'; length / 2],
        vec![b'x'; length * 2],
        Vec::new(),
    ] {
        fs::write(&path, content).unwrap();
        for path in shelf(&ground, "payloads") {
            fs::remove_file(path).unwrap();
        }
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        let run = extract(&ground, &[]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_signed(&ground, &run);
    }
}

/// It is used, what was derived in it is not believed, and the root is the same.
fn a_cache_of_another_user_is_verified() {
    let ground = used(&plain());
    let before = ground.door.mirror.fetches().len();
    let run = extract(&ground, &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_signed(&ground, &run);
    let fetched = &ground.door.mirror.fetches()[before..];
    assert!(
        fetched.iter().all(|request| !request.path.ends_with(".deb")),
        "{fetched:?}"
    );
}
