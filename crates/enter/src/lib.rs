//! Namespaces, mounts, devices, running a program inside the root.
//!
//! A [`Warden`] is forked first thing in `main`. It makes a [`Session`] around a root: private mount, PID,
//! UTS and IPC namespaces, with `/proc`, `/sys` and `/dev` mounted in the root. In it, [`Program`]s run one
//! after the other or side by side. When the session ends, by [`Session::close`], by a drop, or because this
//! process is killed, all its processes die and its mounts are gone.
//!
//! The processes are, by parentage:
//!
//! ```text
//! bareroot          any number of threads
//!   warden          sees to it that sessions end                      (keeper)
//!     init          process 1 of a session, starts and reaps          (init, room, mounts, devices)
//!       program     in the root or on the host's side of the session  (child)
//! ```
//!
//! The root is taken to be hostile as a tree of files: no link in it is followed on the way to a mount point.
//! As a set of programs it is contained as far as [`Confinement`] says; without, what runs in it as root is root, as with
//! chroot(1).
//!
//! ```no_run
//! use std::os::fd::AsFd;
//!
//! use bareroot_enter::{Program, Spec, Warden};
//! use bareroot_model::Cancel;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let warden = Warden::start()?;
//! let root = std::fs::File::open("/srv/trixie")?;
//! let session = warden.enter(&Spec::new(root.as_fd(), "/srv/trixie"))?;
//! let program = Program::in_root("/usr/bin/dpkg").arg("--configure").arg("-a").env("PATH", "/usr/sbin:/usr/bin");
//! let mut log = Vec::new();
//! let status = session.run(&program, &Cancel::default(), &mut |piece| log.extend_from_slice(piece))?;
//! session.close()?;
//! # Ok(())
//! # }
//! ```

mod attach;
pub mod binfmt;
mod caps;
mod child;
pub mod confine;
mod devices;
pub mod elf;
mod error;
mod extras;
mod host_files;
pub mod inherited;
mod init;
pub mod inside;
mod keeper;
mod masks;
mod message;
pub mod mode;
mod mounts;
mod network;
mod onlooker;
mod pivot;
mod program;
mod reading;
mod room;
mod running;
mod seccomp;
mod session;
mod spec;
mod supervise;
mod sys;
mod traces;
mod users;
mod visit;
mod warden;
mod will;
mod wire;

pub use attach::Signals;
pub use error::{Error, ExecFailure};
pub use onlooker::{Onlooker, Owner};
pub use program::{Builtin, Code, Identity, Place, Program, Status};
pub use running::Running;
pub use session::Session;
pub use spec::{Access, Bind, Confinement, Content, Cover, Extra, Mounts, Network, Spec};
pub use users::{Account, Who};
pub use visit::Visit;
pub use warden::Warden;
