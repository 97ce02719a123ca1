//! What is run for a step: interpreters of the root, and bareroot's own program for Lua and for bodies that are changed.

use std::ffi::OsString;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;

use bareroot_enter::Program;
use bareroot_rpm::{Header, MAGIC, Tag};
use bareroot_rpm_script::{Action, BODY, EXPAND, HEADER, INPUT, PROGRAM, QUERY_FORMAT, Step, Task};

use super::{BODIES, Runner};
use crate::error::Error;

/// Flags of scriptlets whose bodies are changed before they are run.
pub const CHANGED: u32 = EXPAND | QUERY_FORMAT;

/// Whether a step is of rpm's embedded Lua.
pub fn is_lua(step: &Step) -> bool {
    step.program
        .interpreter
        .first()
        .is_some_and(|program| program == b"<lua>")
}

/// What rpm calls a scriptlet: `%prein(name-version-release.arch)`.
pub fn described(step: &Step, header: &Header) -> String {
    let word = match step.what {
        "%pre" => "%prein",
        other => other,
    };
    format!("{word}({})", header.nevra())
}

impl Runner<'_> {
    /// What is run for a step, one after the other: the interpreter, or Lua, as rpm runs it; a body that is changed is
    /// written first.
    pub fn programs(&self, number: usize, step: &Step) -> Result<Vec<Program>, Error> {
        let header = self.headers[step.package];
        let mut programs = Vec::new();
        let path = format!("/dev/{BODIES}/{number}");
        let changed = step.program.flags & CHANGED != 0;
        let task = |action| Task {
            name: described(step, header),
            flags: step.program.flags & CHANGED,
            action,
        };
        let prefixes: Vec<Vec<u8>> = header
            .strings(Tag::PREFIXES)
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect();
        let body = step.program.body.as_deref();
        if is_lua(step) {
            let mut program = own_program(
                &task(Action::Lua {
                    arguments: step.arguments.clone(),
                    input: !step.input.is_empty(),
                    prefixes,
                    built_by: header.text(Tag::RPMVERSION).unwrap_or_default().to_owned(),
                }),
                body.unwrap_or_default(),
                header,
            )?;
            if !step.input.is_empty() {
                program.fds.push((INPUT, in_memory(&lines(&step.input))?));
            }
            programs.push(program);
        } else {
            if let Some(body) = body.filter(|_| changed) {
                let action = Action::Write(path.clone().into_bytes());
                programs.push(own_program(&task(action), body, header)?);
            }
            let mut words = step
                .program
                .interpreter
                .iter()
                .map(|word| OsString::from_vec(word.clone()));
            let mut program = Program::in_root(words.next().unwrap_or_else(|| "/bin/sh".into()));
            program.args = words.collect();
            if body.is_some() {
                program.args.push(path.into());
                let numbers = step.arguments.iter();
                program
                    .args
                    .extend(numbers.map(|argument| argument.to_string().into()));
            }
            for (place, prefix) in prefixes.iter().enumerate() {
                let prefix = OsString::from_vec(prefix.clone());
                if place == 0 {
                    program.env.push(("RPM_INSTALL_PREFIX".into(), prefix.clone()));
                }
                program
                    .env
                    .push((format!("RPM_INSTALL_PREFIX{place}").into(), prefix));
            }
            if !step.input.is_empty() {
                program.fds.push((0, in_memory(&lines(&step.input))?));
            }
            programs.push(program);
        }
        for program in &mut programs {
            self.surround(program);
        }
        Ok(programs)
    }

    /// The environment that every scriptlet has.
    fn surround(&self, program: &mut Program) {
        program.env.push(("PATH".into(), self.path.clone()));
        for (name, value) in [("HOME", "/root"), ("LANG", "C.UTF-8"), ("SYSTEMD_OFFLINE", "1")] {
            program.env.push((name.into(), value.into()));
        }
        if let Some(epoch) = self.epoch {
            program
                .env
                .push(("SOURCE_DATE_EPOCH".into(), epoch.to_string().into()));
        }
    }
}

/// bareroot's own program for scriptlets.
fn own_program(task: &Task, body: &[u8], header: &Header) -> Result<Program, Error> {
    let mut program = Program::builtin(PROGRAM);
    program.args = task.arguments();
    program.fds.push((BODY, in_memory(body)?));
    if task.flags & QUERY_FORMAT != 0 {
        let stored = header.bytes().strip_prefix(&MAGIC).unwrap_or_default();
        program.fds.push((HEADER, in_memory(stored)?));
    }
    Ok(program)
}

fn lines(paths: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut text = Vec::new();
    for path in paths {
        text.extend_from_slice(path.as_ref());
        text.push(b'\n');
    }
    text
}

/// Bytes as a file in memory, which is read from its beginning.
fn in_memory(bytes: &[u8]) -> Result<OwnedFd, Error> {
    let failed = |source: std::io::Error| Error::Read {
        path: "the input of a scriptlet".into(),
        source,
    };
    let fd = rustix::fs::memfd_create("input", rustix::fs::MemfdFlags::CLOEXEC)
        .map_err(|error| failed(error.into()))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .map_err(failed)?;
    Ok(file.into())
}
