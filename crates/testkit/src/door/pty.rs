use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How wide the terminal of [`in_terminal`] is.
pub const COLUMNS: usize = 200;

/// Runs a command with a terminal of [`COLUMNS`] as its standard output and standard error; gives its exit code and all
/// that it wrote there, escape sequences included.
///
/// # Panics
///
/// When there are no pseudo-terminals, or the command cannot be started.
pub fn in_terminal(mut command: Command) -> (Option<i32>, String) {
    let master =
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
    grantpt(&master).expect("grantpt");
    unlockpt(&master).expect("unlockpt");
    let name = ptsname(&master, Vec::new()).expect("ptsname");
    let size = Winsize {
        ws_row: 40,
        ws_col: COLUMNS as u16,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&master, size).expect("a window size");
    let path = std::ffi::OsStr::from_bytes(name.as_bytes());
    let open = || {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .expect("the terminal's other end")
    };
    let mut child = command
        .stdout(open())
        .stderr(open())
        .spawn()
        .expect("the binary starts");
    // The command keeps copies of the terminal: reading would not end.
    drop(command);
    let mut written = Vec::new();
    // EIO is how Linux says that the other end is closed.
    let _ = File::from(master).read_to_end(&mut written);
    let code = child.wait().expect("the run ends").code();
    (code, String::from_utf8_lossy(&written).into_owned())
}
