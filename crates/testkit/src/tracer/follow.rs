use std::collections::HashMap;
use std::fs;
use std::io;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libc::c_long;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rustix::process::{WaitOptions, WaitStatus, wait};

use super::{Call, Task, Traced};

/// One thread that is traced.
#[derive(Debug, Default)]
struct Tracee {
    /// It has stopped once: the first stop of one that was attached to by a fork of its maker is a SIGSTOP.
    known: bool,
    /// It is, or was forked by, a program that was executed.
    foreign: bool,
    /// What the call that it is in is to come to.
    pending: Option<i32>,
}

struct Follower {
    main: i32,
    task: Task,
    tracees: HashMap<i32, Tracee>,
    executed: bool,
    seen: u64,
    ended: Traced,
    /// The threads that a watchdog ends when it all takes too long.
    alive: Arc<Mutex<Vec<i32>>>,
}

pub(super) fn run(command: &mut Command, task: Task, patience: Duration) -> io::Result<Traced> {
    let child = command.spawn()?;
    let main = child.id() as i32;
    let alive = Arc::new(Mutex::new(vec![main]));
    let (done, waiting) = channel::<()>();
    let watchdog = std::thread::spawn({
        let alive = Arc::clone(&alive);
        move || {
            let late = waiting.recv_timeout(patience) == Err(RecvTimeoutError::Timeout);
            if late {
                for pid in alive
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .iter()
                {
                    kill(*pid);
                }
            }
            late
        }
    });
    let mut follower = Follower {
        main,
        task,
        tracees: HashMap::from([(
            main,
            Tracee {
                known: true,
                ..Tracee::default()
            },
        )]),
        executed: false,
        seen: 0,
        ended: Traced::default(),
        alive,
    };
    let followed = follower.follow();
    drop(done);
    follower.ended.late = watchdog.join().unwrap_or(true);
    followed.map(|()| follower.ended)
}

fn kill(pid: i32) {
    // It may be gone.
    let _ = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
}

/// A tracee can be killed at any time: the request then finds nobody, and its end is told by waitpid(2).
fn unless_gone<T>(result: nix::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Errno::ESRCH) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Follower {
    /// Handles stops until no tracee of this thread is left.
    fn follow(&mut self) -> io::Result<()> {
        // Children of other threads are other tests' own.
        let options = WaitOptions::from_bits_retain((libc::__WALL | libc::__WNOTHREAD) as u32);
        loop {
            match wait(options) {
                Ok(Some((pid, status))) => self.handle(pid.as_raw_nonzero().get(), status)?,
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::CHILD) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn handle(&mut self, pid: i32, status: WaitStatus) -> io::Result<()> {
        let Some(signal) = status.stopping_signal() else {
            self.tracees.remove(&pid);
            self.note_alive();
            if pid == self.main {
                self.ended.code = status.exit_status();
                self.ended.signal = status.terminating_signal();
            }
            return Ok(());
        };
        let event = status.as_raw() >> 16;
        let known = std::mem::replace(&mut self.tracees.entry(pid).or_default().known, true);
        if !known {
            self.note_alive();
        }
        let deliver = match (event, signal) {
            (0, _) if signal == libc::SIGTRAP | 0x80 => {
                self.call(pid)?;
                None
            }
            (0, libc::SIGTRAP) if pid == self.main && !self.executed => {
                self.executed = true;
                let options = Options::PTRACE_O_EXITKILL
                    | Options::PTRACE_O_TRACECLONE
                    | Options::PTRACE_O_TRACEFORK
                    | Options::PTRACE_O_TRACEVFORK
                    | Options::PTRACE_O_TRACEEXEC
                    | Options::PTRACE_O_TRACESYSGOOD;
                unless_gone(ptrace::setoptions(Pid::from_raw(pid), options))?;
                None
            }
            (0, libc::SIGSTOP) if !known => None,
            (0, _) => Signal::try_from(signal).ok(),
            _ => {
                self.event(pid, event)?;
                None
            }
        };
        self.go_on(pid, deliver)
    }

    fn note_alive(&self) {
        let mut alive = self.alive.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *alive = self.tracees.keys().copied().collect();
    }

    fn event(&mut self, pid: i32, event: i32) -> io::Result<()> {
        let tracee = self.tracees.entry(pid).or_default();
        match event {
            libc::PTRACE_EVENT_EXEC => tracee.foreign = true,
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                let foreign = tracee.foreign;
                if let Some(child) = unless_gone(ptrace::getevent(Pid::from_raw(pid)))? {
                    self.tracees.entry(child as i32).or_default().foreign |= foreign;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A stop at the beginning or the end of a system call.
    fn call(&mut self, pid: i32) -> io::Result<()> {
        let tracee = Pid::from_raw(pid);
        let Some(info) = unless_gone(ptrace::syscall_info(tracee))? else {
            return Ok(());
        };
        match info.op {
            libc::PTRACE_SYSCALL_INFO_ENTRY => self.enters(pid),
            libc::PTRACE_SYSCALL_INFO_EXIT => {
                let pending = self.tracees.entry(pid).or_default().pending.take();
                let Some(errno) = pending else { return Ok(()) };
                let Some(mut registers) = unless_gone(ptrace::getregs(tracee))? else {
                    return Ok(());
                };
                registers.rax = i64::from(-errno).cast_unsigned();
                unless_gone(ptrace::setregs(tracee, registers)).map(drop)
            }
            _ => Ok(()),
        }
    }

    fn enters(&mut self, pid: i32) -> io::Result<()> {
        self.ended.all += 1;
        match self.task {
            Task::Kill(nth) if self.ended.all == nth => {
                self.ended.struck = true;
                kill(self.main);
                return Ok(());
            }
            Task::KillCaller(nth) if self.ended.all == nth => {
                self.ended.struck = true;
                kill(pid);
                return Ok(());
            }
            Task::Kill(_) | Task::KillCaller(_) => return Ok(()),
            Task::Count | Task::Fail { .. } => {}
        }
        if self.tracees.entry(pid).or_default().foreign {
            return Ok(());
        }
        let tracee = Pid::from_raw(pid);
        let Some(mut registers) = unless_gone(ptrace::getregs(tracee))? else {
            return Ok(());
        };
        let Some(call) = Call::of(registers.orig_rax as c_long) else {
            return Ok(());
        };
        if call.needs_file() && !is_regular(pid, registers.rdi) {
            return Ok(());
        }
        *self.ended.calls.entry(call).or_default() += 1;
        let Task::Fail {
            call: wanted,
            nth,
            errno,
            on,
        } = self.task
        else {
            return Ok(());
        };
        if call != wanted {
            return Ok(());
        }
        self.seen += 1;
        if self.seen == nth || (on && self.seen > nth) {
            self.ended.struck = true;
            // No call has this number: nothing happens.
            registers.orig_rax = u64::MAX;
            unless_gone(ptrace::setregs(tracee, registers))?;
            self.tracees.entry(pid).or_default().pending = Some(errno);
        }
        Ok(())
    }

    fn go_on(&mut self, pid: i32, deliver: Option<Signal>) -> io::Result<()> {
        let tracee = Pid::from_raw(pid);
        let over = self.ended.struck && !matches!(self.task, Task::Fail { on: true, .. });
        let pending = self
            .tracees
            .get(&pid)
            .is_some_and(|tracee| tracee.pending.is_some());
        // What is traced on is waited for; it only need not stop at each call any more.
        match over && !pending {
            true => unless_gone(ptrace::cont(tracee, deliver)).map(drop),
            false => unless_gone(ptrace::syscall(tracee, deliver)).map(drop),
        }
    }
}

/// Whether a descriptor of a process is a regular file of a disk. The first three are the test's own.
fn is_regular(pid: i32, descriptor: u64) -> bool {
    let link = format!("/proc/{pid}/fd/{descriptor}");
    let named = || fs::read_link(&link).is_ok_and(|to| to.starts_with("/") && !to.starts_with("/proc"));
    descriptor > 2 && named() && fs::metadata(&link).is_ok_and(|found| found.is_file())
}
