//! A run whose system calls are counted (ptrace(2)): it is killed at one of them, or one of them fails.
//!
//! Everything that the program starts is traced too. Needs x86-64: elsewhere [`AVAILABLE`] is `false`.

mod calls;
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod follow;

use std::collections::BTreeMap;
use std::io;
use std::process::Command;
use std::time::Duration;

pub use calls::Call;

/// Whether there is a tracer for this architecture.
pub const AVAILABLE: bool = cfg!(all(target_arch = "x86_64", target_env = "gnu"));

/// What the tracer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// It counts.
    Count,
    /// SIGKILL to the program, at the n-th system call (from 1) of all that it and its processes make.
    Kill(u64),
    /// SIGKILL to whichever process makes the n-th system call.
    KillCaller(u64),
    /// SIGKILL to the program, when the n-th of these calls has done what it does.
    KillAfter {
        /// Which calls are counted, as for [`Task::Fail`].
        call: Call,
        /// Which of them, from 1.
        nth: u64,
    },
    /// From its n-th reading on, the wall clock (CLOCK_REALTIME) has jumped. Counted are the readings of the program and its
    /// forks, not of what it executes.
    Jump {
        /// Which reading, from 1.
        nth: u64,
        /// How far, in seconds; negative into the past.
        seconds: i64,
    },
    /// The n-th of these calls fails, and the program never sees what it would have done.
    Fail {
        /// Which calls are counted: those of the program and its forks, not of what it executes.
        call: Call,
        /// Which of them, from 1.
        nth: u64,
        /// The error's number.
        errno: i32,
        /// Whether all that follow fail as well.
        on: bool,
    },
}

/// How a traced run ended.
#[derive(Clone, Debug, Default)]
pub struct Traced {
    /// The exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// System calls of all processes.
    pub all: u64,
    /// Calls of the program and its forks, by kind.
    pub calls: BTreeMap<Call, u64>,
    /// Readings of the wall clock, where the task is [`Task::Jump`]: else the program reads it without a call (vdso(7)).
    pub clock: u64,
    /// Whether the task came to something: a run can end before its n-th call.
    pub struck: bool,
    /// Whether it was ended because it took too long.
    pub late: bool,
}

/// Runs a command that [`crate::launch::wrap`] made with `traced`, until all of its processes have ended, or for so long.
///
/// # Errors
///
/// When it cannot be started or traced.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
pub fn trace(command: &mut Command, task: Task, patience: Duration) -> io::Result<Traced> {
    follow::run(command, task, patience)
}

/// As there is no tracer for this architecture, an error.
///
/// # Errors
///
/// Always.
#[cfg(not(all(target_arch = "x86_64", target_env = "gnu")))]
pub fn trace(_: &mut Command, _: Task, _: Duration) -> io::Result<Traced> {
    Err(io::ErrorKind::Unsupported.into())
}
