use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use bareroot_testkit::door;

/// How long what is about to go may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What this machine had before.
pub struct Watch {
    top: PathBuf,
    mounts: BTreeSet<String>,
    loops: BTreeSet<String>,
    descriptors: BTreeSet<String>,
}

impl Watch {
    pub fn begin(top: &Path) -> Watch {
        Watch {
            top: top.to_owned(),
            mounts: mounts(),
            loops: loops(),
            descriptors: descriptors(),
        }
    }

    /// Mounts at or below the directory of all runs that were not there; others are not theirs. No run makes one in this
    /// namespace, so that this holds at every moment.
    pub fn mounts(&self) -> Vec<String> {
        let top = self.top.display().to_string();
        let new = |line: &String| line.contains(&top) && !self.mounts.contains(line);
        mounts()
            .into_iter()
            .filter(new)
            .map(|line| format!("mount {line}"))
            .collect()
    }

    /// Each kind of thing that can leak, with what did.
    pub fn left(&self) -> Vec<(&'static str, Vec<String>)> {
        let gone = |look: &dyn Fn() -> Vec<String>| {
            let begin = Instant::now();
            loop {
                let left = look();
                if left.is_empty() || begin.elapsed() > PATIENCE {
                    return left;
                }
                thread::sleep(Duration::from_millis(50));
            }
        };
        let new =
            |now: BTreeSet<String>, before: &BTreeSet<String>| now.difference(before).cloned().collect();
        vec![
            ("no mount is left", gone(&|| self.mounts())),
            ("no process is left", gone(&|| door::left_of(&self.top))),
            (
                "no descriptor of this process is left",
                gone(&|| new(descriptors(), &self.descriptors)),
            ),
            ("no loop device is left", gone(&|| new(loops(), &self.loops))),
            ("no temporary file is left", gone(&|| self.temporary())),
        ]
    }

    /// Files where runs keep what is temporary.
    fn temporary(&self) -> Vec<String> {
        let homes = below_named(&self.top, "tmp");
        homes
            .iter()
            .flat_map(|home| fs::read_dir(home).into_iter().flatten().flatten())
            .map(|entry| entry.path().display().to_string())
            .collect()
    }
}

/// The directories of that name, two levels below a path.
fn below_named(top: &Path, name: &str) -> Vec<PathBuf> {
    let homes = fs::read_dir(top).into_iter().flatten().flatten();
    let users = homes.flat_map(|home| fs::read_dir(home.path()).into_iter().flatten().flatten());
    users
        .map(|user| user.path().join(name))
        .filter(|path| path.is_dir())
        .collect()
}

fn mounts() -> BTreeSet<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn loops() -> BTreeSet<String> {
    let devices = fs::read_dir("/sys/block").into_iter().flatten().flatten();
    devices
        .filter(|device| device.file_name().to_string_lossy().starts_with("loop"))
        .map(|device| device.path().join("loop/backing_file"))
        .filter(|path| path.exists())
        .map(|path| path.display().to_string())
        .collect()
}

/// What is open here, but for what reads this list.
fn descriptors() -> BTreeSet<String> {
    let open = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    open.filter_map(|entry| Some((entry.file_name(), fs::read_link(entry.path()).ok()?)))
        .map(|(number, file)| format!("{} {}", number.display(), file.display()))
        .filter(|line| !line.contains("/fd"))
        .collect()
}
