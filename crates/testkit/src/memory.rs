//! Little memory: a control group that has no more (cgroups(7)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// A control group with a limit, which goes when this is dropped.
#[derive(Debug)]
pub struct MemoryGroup {
    directory: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    fn limit(self) -> &'static str {
        match self {
            Version::One => "memory.limit_in_bytes",
            Version::Two => "memory.max",
        }
    }

    fn events(self) -> &'static str {
        match self {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        }
    }
}

impl MemoryGroup {
    /// A group below the host's, by this name.
    ///
    /// # Errors
    ///
    /// When this host has no group in which memory is limited, or it cannot be written.
    pub fn make(name: &str, bytes: u64) -> io::Result<Self> {
        let places = [
            ("/sys/fs/cgroup/memory", Version::One),
            ("/sys/fs/cgroup", Version::Two),
            ("/sys/fs/cgroup/unified", Version::Two),
        ];
        let mut why = io::Error::from(io::ErrorKind::NotFound);
        for (place, version) in places {
            let group = MemoryGroup {
                directory: Path::new(place).join(name),
                version,
            };
            let made = fs::create_dir(&group.directory)
                .and_then(|()| fs::write(group.directory.join(version.limit()), bytes.to_string()));
            match made {
                Ok(()) => return Ok(group),
                Err(error) => why = error,
            }
        }
        Err(why)
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many processes were killed for want of memory.
    pub fn killed(&self) -> u64 {
        let events = fs::read_to_string(self.directory.join(self.version.events())).unwrap_or_default();
        let count = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // A process that has ended leaves it a moment later.
        for _ in 0..100 {
            if fs::remove_dir(&self.directory).is_ok() || !self.directory.exists() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}
