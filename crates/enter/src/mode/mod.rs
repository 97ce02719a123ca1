//! Without root's rights: a user namespace for this process, in which it is root.
//!
//! [`adopt`] comes first in `main`, before the [`Warden`](crate::Warden) and any thread. From then on this process and all
//! that it starts are root of a namespace of their own, and no other code has to know how: files of the invoking user are
//! root's there, and the other way round (user_namespaces(7)).

mod knobs;
mod map;
mod subordinate;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sched::CloneFlags;
use rustix::thread::CapabilitySet;

use crate::Error;
pub(crate) use knobs::advice;

/// How root's rights are come by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// This process has them.
    #[default]
    Root,
    /// A user namespace with this user as root and subordinate ids (subuid(5)) as all others: owners are real.
    Unshare,
    /// A user namespace with this user's id alone: owners and devices are recorded.
    Single,
}

impl Mode {
    /// The word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Root => "root",
            Mode::Unshare => "unshare",
            Mode::Single => "single",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which mode is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The best that works: root, else unshare, else single.
    #[default]
    Auto,
    /// This one or none.
    Only(Mode),
}

impl Choice {
    /// The words of the command line.
    pub const NAMES: &'static [(&'static str, Choice)] = &[
        ("auto", Choice::Auto),
        ("root", Choice::Only(Mode::Root)),
        ("unshare", Choice::Only(Mode::Unshare)),
        ("single", Choice::Only(Mode::Single)),
    ];
}

/// What [`adopt`] came to; by default, that there is nothing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// The mode that this process is in.
    pub mode: Mode,
    /// Why not a better one, one sentence without a period each.
    pub notes: Vec<String>,
}

/// Brings this process into a mode. It must have one thread.
///
/// # Errors
/// [`Error::NotRoot`] for [`Mode::Root`] without its rights; [`Error::NoSubordinateIds`] and [`Error::IdMap`] for
/// [`Mode::Unshare`]; [`Error::UserNamespace`] where the kernel refuses one; [`Error::Threads`].
pub fn adopt(choice: Choice) -> Result<Adopted, Error> {
    if !crate::sys::alone() {
        return Err(Error::Threads);
    }
    let plain = |mode| Adopted {
        mode,
        notes: Vec::new(),
    };
    match choice {
        Choice::Only(Mode::Root) if may_administer() => Ok(plain(Mode::Root)),
        Choice::Only(Mode::Root) => Err(Error::NotRoot),
        Choice::Auto if may_administer() && maps_everyone() => Ok(plain(Mode::Root)),
        Choice::Auto => {
            let me = Me::now();
            match unshare() {
                Ok(()) => Ok(plain(Mode::Unshare)),
                Err(Unshared { made, error }) if error.is_about_ids() => {
                    single(me, made)?;
                    Ok(Adopted {
                        mode: Mode::Single,
                        notes: vec![error.to_string()],
                    })
                }
                Err(Unshared { error, .. }) => Err(error),
            }
        }
        Choice::Only(Mode::Unshare) => match unshare() {
            Ok(()) => Ok(plain(Mode::Unshare)),
            Err(Unshared { error, .. }) => Err(error),
        },
        Choice::Only(Mode::Single) => single(Me::now(), false).map(|()| plain(Mode::Single)),
    }
}

/// Whether this process may mount, which is what distinguishes root from uid 0 in a container.
fn may_administer() -> bool {
    let wanted = CapabilitySet::SYS_ADMIN | CapabilitySet::CHOWN | CapabilitySet::SYS_CHROOT;
    rustix::process::geteuid().is_root()
        && rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(wanted))
}

/// Whether files can be given to every id that distributions use: in a namespace with few ids they cannot. Where there is
/// no /proc to tell, there is no such namespace either.
fn maps_everyone() -> bool {
    std::fs::read_to_string("/proc/self/uid_map").map_or(true, |map| map::covers(&map, 65_534))
}

/// Who runs this process. In a namespace without maps nobody is anybody.
#[derive(Clone, Copy)]
struct Me {
    user: u32,
    group: u32,
}

impl Me {
    fn now() -> Me {
        Me {
            user: rustix::process::geteuid().as_raw(),
            group: rustix::process::getegid().as_raw(),
        }
    }
}

/// Why there are no subordinate ids.
struct Unshared {
    /// Whether this process is in a new namespace by now, one without maps.
    made: bool,
    error: Error,
}

/// [`Mode::Unshare`].
fn unshare() -> Result<(), Unshared> {
    let before = |error| Unshared { made: false, error };
    let after = |error| Unshared { made: true, error };
    let ids = subordinate::of_this_user().map_err(before)?;
    let helper = map::Helper::start(&ids).map_err(before)?;
    new_namespace().map_err(before)?;
    helper.map().map_err(after)?;
    map::become_root(true).map_err(after)
}

/// [`Mode::Single`]; in the namespace that there is by now, where one was `made`.
fn single(me: Me, made: bool) -> Result<(), Error> {
    if !made {
        new_namespace()?;
    }
    map::map_alone(me.user, me.group)?;
    map::become_root(false)
}

fn new_namespace() -> Result<(), Error> {
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER).map_err(|error| Error::UserNamespace {
        doing: "make a user namespace",
        source: error.into(),
    })?;
    OWN.store(true, Ordering::Relaxed);
    Ok(())
}

/// Whether this process, or the one that it was forked from, has made the user namespace that it is in.
static OWN: AtomicBool = AtomicBool::new(false);

/// Whether the user namespace is bareroot's own: what belongs to it is nobody else's.
pub(crate) fn is_in_own_namespace() -> bool {
    OWN.load(Ordering::Relaxed)
}
