use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// How wide the terminal of [`in_terminal`] is.
pub const COLUMNS: usize = 200;

/// Runs a command with a terminal of [`COLUMNS`] as its standard output and standard error; gives its exit code and all
/// that it wrote there, escape sequences included.
///
/// # Panics
///
/// When there are no pseudo-terminals, or the command cannot be started.
pub fn in_terminal(mut command: Command) -> (Option<i32>, String) {
    let (master, side) = pair(40, COLUMNS as u16);
    let open = || side.try_clone().expect("the terminal's other end");
    let mut child = command
        .stdout(open())
        .stderr(open())
        .spawn()
        .expect("the binary starts");
    // The command keeps copies of the terminal, and so do we: reading would not end.
    drop((command, side));
    let mut written = Vec::new();
    // EIO is how Linux says that the other end is closed.
    let mut master = master;
    let _ = master.read_to_end(&mut written);
    let code = child.wait().expect("the run ends").code();
    (code, String::from_utf8_lossy(&written).into_owned())
}

/// A new terminal of that size: its two ends.
fn pair(rows: u16, columns: u16) -> (File, File) {
    let master =
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
    grantpt(&master).expect("grantpt");
    unlockpt(&master).expect("unlockpt");
    let name = ptsname(&master, Vec::new()).expect("ptsname");
    tcsetwinsize(&master, size(rows, columns)).expect("a window size");
    let path = std::ffi::OsStr::from_bytes(name.as_bytes());
    let side = OpenOptions::new().read(true).write(true).open(path);
    (master.into(), side.expect("the terminal's other end"))
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// A command whose three standard streams are a terminal, and somebody who types.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keys: File,
    side: File,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts a command on a terminal of 24 rows and 80 columns.
    ///
    /// # Panics
    ///
    /// When there are no pseudo-terminals, or the command cannot be started.
    pub fn start(mut command: Command) -> Self {
        let (master, side) = pair(24, 80);
        let open = || side.try_clone().expect("the terminal's other end");
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn();
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut reader, shown) = (master.try_clone().expect("a descriptor"), Arc::clone(&screen));
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(got @ 1..) = reader.read(&mut piece) {
                let words = String::from_utf8_lossy(&piece[..got]);
                shown.lock().expect("a reader panicked").push_str(&words);
            }
        });
        Terminal {
            child: child.expect("the binary starts"),
            keys: master,
            side,
            screen,
        }
    }

    /// Types keys, control characters too.
    ///
    /// # Panics
    ///
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
    }

    /// Changes the size, and tells the command of it as a terminal's foreground process is told.
    ///
    /// # Panics
    ///
    /// When the terminal is gone.
    pub fn resize(&self, rows: u16, columns: u16) {
        tcsetwinsize(&self.keys, size(rows, columns)).expect("a window size");
        self.signal(Signal::WINCH);
    }

    /// Sends the command a signal.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// The command's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The terminal's modes.
    ///
    /// # Panics
    ///
    /// When the terminal is gone.
    pub fn modes(&self) -> Termios {
        tcgetattr(&self.side).expect("the terminal's modes")
    }

    /// All that was written to the terminal.
    ///
    /// # Panics
    ///
    /// When its reader has panicked.
    pub fn screen(&self) -> String {
        self.screen.lock().expect("a reader panicked").clone()
    }

    /// Waits until something is so.
    ///
    /// # Panics
    ///
    /// When it takes too long.
    #[track_caller]
    pub fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !so(self) {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "waiting for `{what}`: {}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until these words are on the screen.
    ///
    /// # Panics
    ///
    /// When it takes too long.
    #[track_caller]
    pub fn until_shown(&mut self, words: &str) {
        self.until(words, |terminal| terminal.screen().contains(words));
    }

    /// Waits for the command's end; its exit code, `None` after a signal.
    ///
    /// # Panics
    ///
    /// When it takes too long.
    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the run's state") {
                return status.code();
            }
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "no end: {}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    // A test that failed leaves no run behind.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
