//! Small disks.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

/// How long a disk may stay busy.
const PATIENCE: Duration = Duration::from_secs(2);

/// A tmpfs that is unmounted when this is dropped.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts so many bytes at a path, whose last directory is made when it is missing. Needs root.
    ///
    /// # Panics
    ///
    /// When it cannot be mounted.
    pub fn mount(path: &Path, bytes: u64) -> Self {
        // It may be there.
        let _ = fs::create_dir(path);
        let options = std::ffi::CString::new(format!("size={bytes}")).expect("digits");
        mount("tmpfs", path, "tmpfs", MountFlags::empty(), options.as_c_str())
            .expect("a tmpfs can be mounted");
        Disk(path.to_owned())
    }

    /// Gives it another size; what is on it stays.
    ///
    /// # Panics
    ///
    /// When it cannot be remounted.
    pub fn resize(&self, bytes: u64) {
        let options = std::ffi::CString::new(format!("size={bytes}")).expect("digits");
        rustix::mount::mount_remount(&self.0, MountFlags::empty(), options.as_c_str())
            .expect("a tmpfs can be remounted");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let begin = Instant::now();
        // A process that another test is about to start has our open files until it runs its program. What keeps the disk busy
        // for longer shows up as a mount that is left.
        while unmount(&self.0, UnmountFlags::empty()) == Err(Errno::BUSY) && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
