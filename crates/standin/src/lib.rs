//! Stands in for exactly known, slow helper programs of a Debian root while it is configured.
//!
//! Two thirds of the time that a small Debian root needs to be configured is perl starting up: in `deb-systemd-helper`
//! and in debconf's `frontend`. While maintainer scripts run, this room's programs answer in their place. Each is
//! chosen by the SHA-256 of the target's own file ([`known`]), covers only the calls whose outcome on a fresh
//! installation is certain, and executes the real helper for every other call.
//!
//! The programs are bareroot itself under another name: [`act`] looks at `argv[0]`. They live in [`DIR`], on the
//! private /dev of the session, so that nothing of them is ever part of the tree.

mod client;
mod known;
mod maintscript;
mod real;
mod systemd;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

pub use known::{Helper, choose};

/// Where the stand-ins are found inside a session: on its private /dev, which is no part of the tree.
pub const DIR: &str = "/dev/.bareroot";

/// The directory of the stand-ins' names: first in PATH while scripts run.
pub const BIN: &str = "/dev/.bareroot/bin";

/// bareroot's own file inside a session; the names in [`BIN`] lead to it.
pub const PROGRAM: &str = "/dev/.bareroot/standin";

/// Where [`RESIDENT`] is put inside a session.
pub const RESIDENT_PATH: &str = "/dev/.bareroot/resident.pl";

/// The perl program that keeps debconf resident; run it by the target's `/usr/bin/perl` with [`SOCKET`] and
/// [`REAL_FRONTEND`] as arguments.
pub const RESIDENT: &str = include_str!("resident.pl");

/// The socket between [`RESIDENT`] and its clients.
pub const SOCKET: &str = "/dev/.bareroot/debconf.socket";

/// Where the target's own frontend is kept while a stand-in is bound over it.
pub const REAL_FRONTEND: &str = "/dev/.bareroot/real/frontend";

/// The name under which bareroot tells the resident to write debconf's database and end.
pub const SAVE: &str = "/dev/.bareroot/bin/debconf-save";

/// If this process was started under the name of a helper, acts as it and gives its exit status.
///
/// Call it first in `main`. It is `None` for every ordinary start: the names count only where [`DIR`] is there.
pub fn act() -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = arguments.next()?;
    let arguments: Vec<OsString> = arguments.collect();
    let code = match name.as_bytes() {
        b"/usr/share/debconf/frontend" if inside() => client::frontend(&arguments),
        b"/dev/.bareroot/bin/debconf-save" => client::save(),
        b"deb-systemd-helper" | b"/dev/.bareroot/bin/deb-systemd-helper" if inside() => {
            systemd::main(&arguments)
        }
        b"dpkg-maintscript-helper" | b"/dev/.bareroot/bin/dpkg-maintscript-helper" if inside() => {
            maintscript::main(&arguments)
        }
        _ => return None,
    };
    Some(ExitCode::from(code))
}

/// Whether this process's own file can be shown inside a session: where there is no /proc, it cannot.
pub fn has_own_file() -> bool {
    std::fs::metadata("/proc/self/exe").is_ok_and(|metadata| metadata.is_file())
}

/// Whether the stand-ins' directory is there: outside a session nobody starts bareroot under a helper's name, and if
/// somebody does, it is bareroot.
fn inside() -> bool {
    std::path::Path::new(DIR).is_dir()
}
