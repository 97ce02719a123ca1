//! Threads of this process that have less to do with the host than the process has.
//!
//! Whoever reads hostile bytes, decompresses them or places what is in them does so on a thread that gave up what this
//! does not need. It is a second line: such a thread is not meant to run a program, open a connection, or write outside of
//! its directories, and where a mistake makes it try, the kernel says no. Threads share their memory, so it is none
//! against code that took one over.
//!
//! What a thread gives up it cannot have back, and the threads that it starts do not have it either. So a thread that
//! mounts, starts programs or fetches must never call [`Confined::begin`].

mod filter;
mod landlock;

use std::ffi::CStr;
use std::os::fd::BorrowedFd;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_name, set_no_new_privs,
};

use landlock::Rules;

/// What a thread needs that places packages (capabilities(7)): files get their owners, modes and device numbers, in
/// directories that may be another user's already. SETFCAP writes `security.capability`; SYS_RESOURCE is past the limit of
/// a quota, as root is.
const PLACING: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SYS_RESOURCE);

/// What a thread needs that reads files which may be another user's.
const READING: CapabilitySet = CapabilitySet::DAC_OVERRIDE;

/// What a thread keeps.
#[derive(Debug)]
pub struct Confined {
    name: &'static CStr,
    kept: CapabilitySet,
    rules: Option<Rules>,
}

/// What of it the kernel took up. The rest is as if it had not been asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether the thread has no capability but those that it keeps.
    pub capabilities: bool,
    /// Whether files are out of its reach but those that it keeps (landlock(7)).
    pub landlock: bool,
    /// Whether it can start no program and open no connection (seccomp(2)).
    pub seccomp: bool,
}

impl Confined {
    /// A thread that works on what it was handed: bytes and open files. It opens none.
    pub fn parser() -> Confined {
        Confined {
            name: c"parse",
            kept: CapabilitySet::empty(),
            rules: Rules::nothing(),
        }
    }

    /// A thread that opens files, and changes none.
    pub fn reader() -> Confined {
        Confined {
            name: c"read",
            kept: READING,
            rules: Rules::writing(&[], &[]),
        }
    }

    /// A thread that places packages: it writes beneath a root that is being made, and beneath these directories.
    pub fn placer(root: BorrowedFd<'_>, beside: &[&Path]) -> Confined {
        Confined {
            name: c"unpack",
            kept: PLACING,
            rules: Rules::writing(&[root], beside),
        }
    }

    /// Takes everything else from the calling thread, for good. What the kernel does not know, or a container forbids, is
    /// left: nothing depends on it.
    pub fn begin(&self) -> Taken {
        // For whoever looks: ps(1), a debugger.
        let _ = set_name(self.name);
        // Without it neither landlock(7) nor seccomp(2) can be asked for by an ordinary user.
        let _ = set_no_new_privs(true);
        Taken {
            // First, as the filter might forbid what the others ask for.
            landlock: self.rules.as_ref().is_some_and(Rules::restrict),
            capabilities: keep(self.kept),
            seccomp: crate::sys::confine_thread(&filter::filter()).is_ok(),
        }
    }

    /// Does some work on a thread of its own, and waits for it. Where the host has no room for another thread
    /// (pthread_create(3), EAGAIN), the work is done on this one, which keeps what it has.
    ///
    /// # Panics
    /// As the work does.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let mut waiting = Some(work);
        let done = thread::scope(|scope| {
            let waiting = &mut waiting;
            let confined = move || {
                self.begin();
                waiting.take().map(|work| work())
            };
            let thread = thread::Builder::new().spawn_scoped(scope, confined).ok()?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        });
        match (done, waiting) {
            (Some(done), _) => done,
            (None, Some(work)) => work(),
            (None, None) => unreachable!("work that was taken was done, or its panic was passed on"),
        }
    }
}

/// Does some work that needs nothing but what it was handed on a thread of its own ([`Confined::parser`]).
///
/// # Panics
/// As [`Confined::run`].
pub fn parse<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    Confined::parser().run(work)
}

/// Takes every other capability from this thread.
fn keep(kept: CapabilitySet) -> bool {
    let Ok(has) = capabilities(None) else { return false };
    let sets = CapabilitySets {
        effective: has.effective & kept,
        permitted: has.permitted & kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).is_ok()
}

#[cfg(test)]
mod tests;
