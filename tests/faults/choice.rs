use std::fmt;

use bareroot_testkit::mirror::{Moment, Plan};
use bareroot_testkit::seed::Random;
use bareroot_testkit::tracer::{self, Call, Task};
use rustix::io::Errno;

use crate::family::Reference;

/// What a seed chooses.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What goes wrong at the mirror, and in how many of a thousand requests.
    pub plan: Option<(Plan, u32)>,
    /// What else.
    pub trouble: Trouble,
    /// Whether an earlier run has filled the cache.
    pub warm: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// Nothing but the mirror's.
    Nothing,
    /// SIGKILL when the mirror has come so far.
    KillAt(Moment),
    /// SIGKILL after so many thousandths of an undisturbed run's time.
    KillAfter(u32),
    /// SIGTERM then.
    TermAfter(u32),
    /// A kill at a system call, or a call that fails.
    Traced(Task),
    /// A disk of so many bytes below something.
    Disk(Below, u64),
    /// So many bytes of address space.
    AddressSpace(u64),
    /// A control group with so many bytes of memory.
    Memory(u64),
    /// So many descriptors.
    Descriptors(u64),
}

/// What the small disk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    Target,
    Cache,
    Both,
}

impl Choice {
    pub fn of(seed: u64, quiet: &Reference) -> Self {
        let mut random = Random::new(seed);
        let trouble = trouble(&mut random, quiet);
        let rate = *random.one_of(&[20, 60, 120, 200, 350]);
        // Half of the other troubles meet a mirror that is well.
        let ill = trouble == Trouble::Nothing || random.happens(500);
        Choice {
            plan: ill.then(|| (Plan::new(seed, rate), rate)),
            trouble,
            warm: random.happens(250),
        }
    }
}

/// How far a clock jumps, in seconds: an hour, a day, a month, ten years.
const JUMPS: [i64; 8] = [
    -3600,
    3600,
    -86_400,
    86_400,
    -2_600_000,
    2_600_000,
    -315_000_000,
    315_000_000,
];

fn trouble(random: &mut Random, quiet: &Reference) -> Trouble {
    let traced = quiet.all > 0 && tracer::AVAILABLE;
    match random.below(17) {
        0..3 => Trouble::Nothing,
        3 => Trouble::KillAt(Moment::Request(1 + random.below(quiet.requests))),
        4 => Trouble::KillAt(Moment::Byte(1 + random.below(quiet.bytes))),
        5 => Trouble::KillAfter(random.below(1100) as u32),
        6 => Trouble::TermAfter(random.below(1100) as u32),
        7 | 8 if traced => Trouble::Traced(Task::Kill(1 + random.below(quiet.all))),
        9 if traced => Trouble::Traced(Task::KillCaller(1 + random.below(quiet.all))),
        10..13 if traced => {
            let call = *random.one_of(&Call::ALL);
            let errno = *random.one_of(call.errors());
            Trouble::Traced(Task::Fail {
                call,
                nth: 1 + random.below(quiet.calls.get(&call).copied().unwrap_or(1)),
                errno,
                // A call that is interrupted is made again, and no signal comes for ever.
                on: random.happens(200) && errno != Errno::INTR.raw_os_error(),
            })
        }
        7..13 => Trouble::KillAfter(random.below(1000) as u32),
        13 => {
            let below = *random.one_of(&[Below::Target, Below::Cache, Below::Both]);
            Trouble::Disk(below, (64 << 10) + random.below(quiet.room * 3 / 4))
        }
        16 if traced => Trouble::Traced(Task::Jump {
            nth: 1 + random.below(quiet.clock),
            seconds: *random.one_of(&JUMPS),
        }),
        14 => Trouble::AddressSpace((96 << 20) + random.below(160 << 20)),
        _ if random.happens(500) => Trouble::Memory((2 << 20) + random.below(28 << 20)),
        _ => Trouble::Descriptors(5 + random.below(60)),
    }
}

impl Trouble {
    /// In a few words, the same for all of a kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Trouble::Nothing => "the mirror alone",
            Trouble::KillAt(_) => "SIGKILL by request or byte",
            Trouble::KillAfter(_) => "SIGKILL by time",
            Trouble::TermAfter(_) => "SIGTERM by time",
            Trouble::Traced(Task::KillCaller(_)) => "SIGKILL to one of its processes",
            Trouble::Traced(Task::Jump { .. }) => "a jump of the clock",
            Trouble::Traced(Task::Kill(_) | Task::KillAfter { .. } | Task::Count) => "SIGKILL by system call",
            Trouble::Traced(Task::Fail { .. }) => "a failing call",
            Trouble::Disk(..) => "a small disk",
            Trouble::AddressSpace(_) => "little address space",
            Trouble::Memory(_) => "little memory",
            Trouble::Descriptors(_) => "few descriptors",
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.plan {
            Some((_, rate)) => write!(f, "{rate} of 1000 requests go wrong")?,
            None => write!(f, "the mirror is well")?,
        }
        if self.warm {
            write!(f, ", the cache is full")?;
        }
        match &self.trouble {
            Trouble::Nothing => Ok(()),
            Trouble::Traced(Task::Fail { call, nth, errno, on }) => {
                let error = std::io::Error::from_raw_os_error(*errno);
                let from = if *on { " and all after it" } else { "" };
                write!(f, ", call {nth} of kind {call:?}{from} fails: {error}")
            }
            trouble => write!(f, ", {trouble:?}"),
        }
    }
}
