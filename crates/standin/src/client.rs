//! debconf's `frontend`, as a client of the resident one.
//!
//! The script runs as a child of the client, so its environment, descriptors and parent are what they would be; only
//! the protocol lines (debconf-devel(7)) travel to the resident perl and back. Frames on the socket: the client opens
//! with `<length>\n` and that many bytes, NUL-separated: the number of arguments, the arguments, the environment. The
//! resident then says `RUN <length>\n<argv, NUL-separated>`, `R<reply>` or `DONE <status>`; the client says `L<line>`,
//! `E<status>` when the script has ended.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::{REAL_FRONTEND, SOCKET, real};

/// How long the resident may take to load; it takes a twentieth of a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often it is looked for.
const STEP: Duration = Duration::from_millis(2);

/// Says that the resident did not come.
const GIVEN_UP: &str = "/dev/.bareroot/no-resident";

/// No frame of the resident is longer: a command line cannot be.
const LONGEST: usize = 4 << 20;

/// Runs a script under the resident debconf; where that is not possible from the start, under the real one.
pub fn frontend(arguments: &[OsString]) -> u8 {
    let Ok((mut reader, mut writer)) = connect() else {
        return real::become_real(REAL_FRONTEND, arguments);
    };
    if hello(&mut writer, arguments).is_err() {
        return real::become_real(REAL_FRONTEND, arguments);
    }
    let mut child = None;
    match converse(&mut reader, &mut writer, &mut child) {
        Ok(status) => status,
        // Nothing has run yet: the real frontend can take over. It runs without the stand-in's environment.
        Err(_) if child.is_none() => real::become_real(REAL_FRONTEND, arguments),
        Err(error) => {
            let words = format!("bareroot: the resident debconf ended in the middle of a script: {error}\n");
            let _ = io::stderr().write_all(words.as_bytes());
            if let Some(mut child) = child {
                let _ = child.kill();
                let _ = child.wait();
            }
            100
        }
    }
}

/// Tells the resident to write its database and end.
pub fn save() -> u8 {
    let asked = connect().and_then(|(mut reader, mut writer)| {
        writer.write_all(b"0\n")?;
        done(&line(&mut reader)?).ok_or_else(malformed)
    });
    asked.unwrap_or(1)
}

/// The resident may still be loading its modules when the first script calls. One that does not come is given up once,
/// for all scripts.
fn connect() -> io::Result<(BufReader<UnixStream>, UnixStream)> {
    let end = Instant::now() + PATIENCE;
    let stream = loop {
        match UnixStream::connect(SOCKET) {
            Err(_) if Instant::now() < end && !Path::new(GIVEN_UP).exists() => thread::sleep(STEP),
            Err(error) => {
                let _ = fs::write(GIVEN_UP, "");
                return Err(error);
            }
            Ok(stream) => break stream,
        }
    };
    Ok((BufReader::new(stream.try_clone()?), stream))
}

fn hello(writer: &mut UnixStream, arguments: &[OsString]) -> io::Result<()> {
    let mut frame = arguments.len().to_string().into_bytes();
    for argument in arguments {
        frame.push(0);
        frame.extend_from_slice(argument.as_bytes());
    }
    for (name, value) in std::env::vars_os() {
        frame.push(0);
        frame.extend_from_slice(name.as_bytes());
        frame.push(b'=');
        frame.extend_from_slice(value.as_bytes());
    }
    writer.write_all(format!("{}\n", frame.len()).as_bytes())?;
    writer.write_all(&frame)
}

/// Follows the resident until it is done with the script (and with its config script, which comes first).
fn converse(
    reader: &mut BufReader<UnixStream>,
    writer: &mut UnixStream,
    running: &mut Option<Child>,
) -> io::Result<u8> {
    loop {
        let order = line(reader)?;
        if let Some(status) = done(&order) {
            return Ok(status);
        }
        let length = order
            .strip_prefix(b"RUN ")
            .and_then(number)
            .ok_or_else(malformed)?;
        let mut frame = vec![0; length];
        reader.read_exact(&mut frame)?;
        let mut words = frame.split(|byte| *byte == 0).map(OsStr::from_bytes);
        let program = words.next().ok_or_else(malformed)?;
        let child = running.insert(
            Command::new(program)
                .args(words)
                .env("DEBIAN_HAS_FRONTEND", "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?,
        );
        let status = relay(child, reader, writer)?;
        writer.write_all(format!("E{status}\n").as_bytes())?;
    }
}

/// Carries the script's lines to the resident and its replies back, until the script ends.
fn relay(child: &mut Child, reader: &mut BufReader<UnixStream>, writer: &mut UnixStream) -> io::Result<u8> {
    let (Some(mut replies), Some(commands)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(malformed());
    };
    let mut commands = BufReader::new(commands);
    let mut broken = false;
    loop {
        let mut command = Vec::new();
        commands
            .by_ref()
            .take(LONGEST as u64)
            .read_until(b'\n', &mut command)?;
        if command.is_empty() {
            break;
        }
        if command.last() == Some(&b'\n') {
            command.pop();
        }
        command.insert(0, b'L');
        command.push(b'\n');
        writer.write_all(&command)?;
        let reply = line(reader)?;
        // After STOP the resident waits for the end and answers with an empty line that the script does not read.
        let words = reply.strip_prefix(b"R").ok_or_else(malformed)?;
        broken |= replies.write_all(&[words, b"\n"].concat()).is_err() && !words.is_empty();
    }
    drop(replies);
    let status = child.wait()?;
    // The real frontend answers 128 where a script closed its end, and takes a death by signal for success.
    Ok(if broken {
        128
    } else {
        status.code().unwrap_or(0) as u8
    })
}

fn line(reader: &mut BufReader<UnixStream>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader
        .by_ref()
        .take(LONGEST as u64)
        .read_until(b'\n', &mut line)?;
    if line.pop() == Some(b'\n') {
        Ok(line)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn done(order: &[u8]) -> Option<u8> {
    order
        .strip_prefix(b"DONE ")
        .and_then(number)
        .and_then(|status| u8::try_from(status & 255).ok())
}

fn number(digits: &[u8]) -> Option<usize> {
    let text = OsString::from_vec(digits.to_vec()).into_string().ok()?;
    text.parse().ok().filter(|number| *number <= LONGEST)
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the resident said something unexpected",
    )
}
