//! However a run ends, the host is as it was before.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bareroot_testkit::cases;
use bareroot_testkit::harness::Case;

use crate::place::Place;

pub const CASES: &[Case] = cases![Root: two_hundred_runs_leave_the_host_as_it_was];

/// How many runs end by themselves, and how many by SIGKILL to bareroot.
const RUNS: (u32, u32) = (150, 50);

/// What the host is: its mounts, the names and kinds in /dev, and the processes that have to do with these runs.
fn host() -> (BTreeSet<String>, BTreeSet<String>) {
    // What other tests mount meanwhile lies in their own places.
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mounts = mounts
        .lines()
        .filter(|line| !line.contains("bareroot-"))
        .map(str::to_owned);
    let devices = fs::read_dir("/dev").unwrap().flatten().map(|entry| {
        let kind = entry.file_type().unwrap();
        format!(
            "{} {} {}",
            entry.file_name().display(),
            kind.is_char_device(),
            kind.is_block_device()
        )
    });
    (mounts.collect(), devices.collect())
}

/// A small generator (xorshift), so that a failure can be had again.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn two_hundred_runs_leave_the_host_as_it_was() {
    let place = Place::new();
    // Paths that need a placeholder, so that this is left behind neither.
    let before = (host(), place.listing());
    let begin = Instant::now();
    for number in 0..RUNS.0 {
        let code = i32::try_from(number % 100).unwrap();
        place.probe(&[], &["exit", &code.to_string()]).ended_with(code);
    }
    // Moments from before the session is there until the program runs.
    let whole = begin.elapsed() / RUNS.0 * 2;
    let mut moments = Seeded(0x5eed);
    let mut running = 0;
    for _ in 0..RUNS.1 {
        let mut child = place
            .command(&[], &["/bin/probe", "sleep"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let micros = u64::try_from(whole.as_micros()).unwrap();
        sleep(Duration::from_micros(moments.below(micros.max(1))));
        // The program, and not only bareroot, was there in some of the runs; else this would prove little.
        running += u32::from(has_program(&place));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None);
    }
    place.assert_nothing_left();
    assert!(running > 0, "no run was killed while its program ran");
    assert_eq!((host(), place.listing()), before);
}

fn has_program(place: &Place) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let inode = fs::metadata(place.root().join("bin/probe")).unwrap().ino();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .any(|entry| fs::metadata(entry.path().join("exe")).is_ok_and(|about| about.ino() == inode))
}
