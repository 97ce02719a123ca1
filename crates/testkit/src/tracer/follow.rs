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
    /// What is to be done when the call that it is in has ended.
    pending: Option<Pending>,
}

#[derive(Clone, Copy, Debug)]
enum Pending {
    /// It has failed with this error.
    Fail(i32),
    /// The program is killed.
    Kill,
    /// The seconds at this address are shifted.
    Shift(u64),
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
                if matches!(self.task, Task::Jump { .. }) {
                    hide_vdso(Pid::from_raw(pid))?;
                }
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
            libc::PTRACE_SYSCALL_INFO_EXIT => self.leaves(pid),
            _ => Ok(()),
        }
    }

    fn leaves(&mut self, pid: i32) -> io::Result<()> {
        let pending = self.tracees.entry(pid).or_default().pending.take();
        let tracee = Pid::from_raw(pid);
        match (pending, self.task) {
            (Some(Pending::Fail(errno)), _) => {
                let Some(mut registers) = unless_gone(ptrace::getregs(tracee))? else {
                    return Ok(());
                };
                registers.rax = i64::from(-errno).cast_unsigned();
                unless_gone(ptrace::setregs(tracee, registers)).map(drop)
            }
            (Some(Pending::Kill), _) => {
                kill(self.main);
                Ok(())
            }
            (Some(Pending::Shift(at)), Task::Jump { seconds, .. }) => {
                let at = at as ptrace::AddressType;
                match unless_gone(ptrace::read(tracee, at))? {
                    Some(now) => unless_gone(ptrace::write(tracee, at, now + seconds)).map(drop),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// A call that may read the wall clock: the seconds are the first word of what it writes.
    fn reads_clock(&mut self, pid: i32, nth: u64) -> io::Result<()> {
        let Some(registers) = unless_gone(ptrace::getregs(Pid::from_raw(pid)))? else {
            return Ok(());
        };
        let wall = [libc::CLOCK_REALTIME, libc::CLOCK_REALTIME_COARSE].map(|clock| clock as u64);
        let at = match registers.orig_rax as c_long {
            libc::SYS_clock_gettime if wall.contains(&registers.rdi) => registers.rsi,
            libc::SYS_gettimeofday => registers.rdi,
            _ => return Ok(()),
        };
        self.ended.clock += 1;
        if self.ended.clock >= nth && at != 0 {
            self.ended.struck = true;
            self.tracees.entry(pid).or_default().pending = Some(Pending::Shift(at));
        }
        Ok(())
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
            Task::Count | Task::Fail { .. } | Task::KillAfter { .. } | Task::Jump { .. } => {}
        }
        if self.tracees.entry(pid).or_default().foreign {
            return Ok(());
        }
        if let Task::Jump { nth, .. } = self.task {
            return self.reads_clock(pid, nth);
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
        let (wanted, nth, on, pending) = match self.task {
            Task::Fail { call, nth, errno, on } => (call, nth, on, Pending::Fail(errno)),
            Task::KillAfter { call, nth } => (call, nth, false, Pending::Kill),
            _ => return Ok(()),
        };
        if call != wanted {
            return Ok(());
        }
        self.seen += 1;
        if self.seen == nth || (on && self.seen > nth) {
            self.ended.struck = true;
            if let Pending::Fail(_) = pending {
                // No call has this number: nothing happens.
                registers.orig_rax = u64::MAX;
                unless_gone(ptrace::setregs(tracee, registers))?;
            }
            self.tracees.entry(pid).or_default().pending = Some(pending);
        }
        Ok(())
    }

    fn go_on(&mut self, pid: i32, deliver: Option<Signal>) -> io::Result<()> {
        let tracee = Pid::from_raw(pid);
        let over = self.ended.struck && !matches!(self.task, Task::Fail { on: true, .. } | Task::Jump { .. });
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

/// Takes the vDSO out of what the kernel tells a program that has just been executed (getauxval(3)), so that it reads clocks by
/// system calls.
fn hide_vdso(tracee: Pid) -> io::Result<()> {
    /// Its entry is passed over.
    const AT_IGNORE: i64 = 1;
    const AT_SYSINFO_EHDR: i64 = 33;
    const WORD: u64 = 8;
    let Some(registers) = unless_gone(ptrace::getregs(tracee))? else {
        return Ok(());
    };
    let read = |at: u64| {
        Ok::<_, io::Error>(unless_gone(ptrace::read(tracee, at as ptrace::AddressType))?.unwrap_or(0))
    };
    // On the stack: how many arguments, the arguments, 0, the environment, 0, pairs of numbers up to one that begins with 0.
    let mut at = registers.rsp + WORD * (read(registers.rsp)?.cast_unsigned() + 2);
    while read(at)? != 0 {
        at += WORD;
    }
    at += WORD;
    loop {
        match read(at)? {
            0 => return Ok(()),
            AT_SYSINFO_EHDR => {
                return unless_gone(ptrace::write(tracee, at as ptrace::AddressType, AT_IGNORE)).map(drop);
            }
            _ => at += 2 * WORD,
        }
    }
}

/// Whether a descriptor of a process is a regular file of a disk. The first three are the test's own.
fn is_regular(pid: i32, descriptor: u64) -> bool {
    let link = format!("/proc/{pid}/fd/{descriptor}");
    let named = || fs::read_link(&link).is_ok_and(|to| to.starts_with("/") && !to.starts_with("/proc"));
    descriptor > 2 && named() && fs::metadata(&link).is_ok_and(|found| found.is_file())
}
