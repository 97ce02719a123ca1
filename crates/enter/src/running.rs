use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use bareroot_model::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::message::{self, REPORT, Report};
use crate::program::Status;
use crate::session::Link;
use crate::{Error, ExecFailure};

/// How often a waiting thread looks whether it was cancelled: 100 ms.
const GLANCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// A program that was started by [`Session::spawn`](crate::Session::spawn).
///
/// Dropping it closes the pipes and leaves the program alone; it lives until it ends by itself or with its
/// session.
#[derive(Debug)]
pub struct Running {
    /// Where the program's standard input comes from. Taking and dropping it is the end of that input.
    pub stdin: Option<File>,
    /// Where the program's standard output goes.
    pub stdout: Option<File>,
    id: u32,
    link: Arc<Link>,
    program: PathBuf,
    report: OwnedFd,
    refused: Option<(ExecFailure, i32)>,
}

impl Running {
    pub(crate) fn new(id: u32, link: Arc<Link>, program: PathBuf, report: OwnedFd) -> Self {
        Running {
            stdin: None,
            stdout: None,
            id,
            link,
            program,
            report,
            refused: None,
        }
    }

    /// Sends a signal to the program and all in its process group. It is no error if it has ended.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] and [`Error::Talk`] when the session has broken down.
    pub fn kill(&self, signal: i32) -> Result<(), Error> {
        let root = || self.link.root().to_owned();
        self.link
            .send(&message::encode_kill(self.id, signal), &[])
            .map_err(|source| match source.kind() {
                io::ErrorKind::BrokenPipe => Error::Gone { root: root() },
                _ => Error::Talk { root: root(), source },
            })
    }

    /// Waits for the program's end. Its pipes are closed first.
    ///
    /// # Errors
    ///
    /// As for [`Session::run`](crate::Session::run).
    pub fn wait(mut self, cancel: &Cancel) -> Result<Status, Error> {
        self.stdin = None;
        self.stdout = None;
        follow(&mut self, None, cancel, &mut |_| {})
    }

    /// Takes the next report; `None` before the last one.
    pub(crate) fn take_report(&mut self) -> Result<Option<Status>, Error> {
        let mut bytes = [0; REPORT];
        let report = match read(&self.report, &mut bytes) {
            Ok(REPORT) => Report::decode(bytes),
            Ok(0) => {
                return Err(Error::Gone {
                    root: self.link.root().to_owned(),
                });
            }
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => Err(error),
        };
        match report.map_err(|source| Error::Follow {
            program: self.program.clone(),
            source,
        })? {
            Report::Refused { why, errno } => {
                self.refused = Some((why, errno));
                Ok(None)
            }
            Report::Exited(code) => self.status(Status::Exited(code)).map(Some),
            Report::Signaled(signal) => self.status(Status::Signaled(signal)).map(Some),
        }
    }

    pub(crate) fn program(&self) -> &std::path::Path {
        &self.program
    }

    /// Where reports come from.
    pub(crate) fn report(&self) -> &OwnedFd {
        &self.report
    }

    fn status(&mut self, status: Status) -> Result<Status, Error> {
        match self.refused.take() {
            None => Ok(status),
            Some((why, errno)) => Err(Error::Exec {
                program: self.program.clone(),
                why,
                source: io::Error::from_raw_os_error(errno),
            }),
        }
    }
}

fn read(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| rustix::io::read(&fd, &mut *buffer))?)
}

/// Passes on what the program prints until it has ended, and then what it left in the pipe.
pub(crate) fn follow(
    running: &mut Running,
    mut output: Option<&OwnedFd>,
    cancel: &Cancel,
    on_output: &mut dyn FnMut(&[u8]),
) -> Result<Status, Error> {
    let program = running.program.clone();
    let follow_error = |source: io::Error| Error::Follow {
        program: program.clone(),
        source,
    };
    let mut buffer = vec![0; 64 << 10];
    loop {
        if cancel.is_set() {
            running.link.end()?;
            return Err(Error::Cancelled);
        }
        let (printed, reported) = {
            let mut polled = vec![PollFd::new(&running.report, PollFlags::IN)];
            polled.extend(output.iter().map(|output| PollFd::new(*output, PollFlags::IN)));
            match poll(&mut polled, Some(&GLANCE)) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(follow_error(error.into())),
            }
            let ready = |at: usize| polled.get(at).is_some_and(|one| !one.revents().is_empty());
            (ready(1), ready(0))
        };
        // The report first: something that the program left running might print for ever.
        if reported {
            match running.take_report() {
                Ok(None) => {}
                Ok(Some(status)) => {
                    if let Some(pipe) = output {
                        drain(pipe, &mut buffer, on_output).map_err(follow_error)?;
                    }
                    return Ok(status);
                }
                // Another thread's cancelled run has ended the session.
                Err(Error::Gone { .. }) if cancel.is_set() => return Err(Error::Cancelled),
                Err(error) => return Err(error),
            }
        } else if let (true, Some(pipe)) = (printed, output) {
            let got = read(pipe, &mut buffer).map_err(follow_error)?;
            match buffer.get(..got) {
                Some([]) | None => output = None,
                Some(piece) => on_output(piece),
            }
        }
    }
}

/// Reads what is in the pipe now. Not to its end: what the program left running may hold it open, and go on
/// writing.
fn drain(pipe: &OwnedFd, buffer: &mut [u8], on_output: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut left = rustix::io::ioctl_fionread(pipe)?;
    let mut pipe = File::from(pipe.try_clone()?).take(left);
    while left > 0 {
        let got = pipe.read(buffer)?;
        match buffer.get(..got) {
            Some([]) | None => break,
            Some(piece) => on_output(piece),
        }
        left = left.saturating_sub(got as u64);
    }
    Ok(())
}
