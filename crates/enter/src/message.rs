//! What the three processes say to each other.
//!
//! The caller sends the warden an empty frame with two descriptors for each session: the session's socket and
//! its leash. Over the session's socket go one [`Setup`], answered by one [`Ready`], then any number of
//! [`Order`]s. Each program reports over a pipe of its own, in [`Report`]s, so that nothing has to be told
//! apart.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::binfmt::{Emulator, Rule};
use crate::program::{Code, Identity, Place, Program};
use crate::seccomp::owners::Owners;
use crate::spec::{Access, Bind, Confinement, Content, Cover, Extra, Mounts, Network, Spec};
use crate::wire::{Reader, Writer};
use crate::{Error, ExecFailure};

fn wrong() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a message has an unknown form")
}

/// The kinds of [`Content`], as numbers.
const FILE: u32 = 0;
const LINK: u32 = 1;
const OWN_PROGRAM: u32 = 2;

/// What a session's first process must know; a [`Spec`] without its descriptor, which comes with the frame.
#[derive(Debug, PartialEq)]
pub(crate) struct Setup {
    pub(crate) hostname: Option<OsString>,
    pub(crate) no_fsync: bool,
    pub(crate) personality32: bool,
    pub(crate) mounts: Mounts,
    pub(crate) binds: Vec<Bind>,
    pub(crate) extras: Vec<Extra>,
    pub(crate) covers: Vec<Cover>,
    pub(crate) owners: Owners,
    pub(crate) confinement: Confinement,
    pub(crate) root_access: Access,
    pub(crate) network: Network,
    pub(crate) host_files: Vec<PathBuf>,
    pub(crate) terminal: bool,
    pub(crate) emulator: Option<Rule>,
}

const MOUNTS: [Mounts; 3] = [Mounts::None, Mounts::Standard, Mounts::Full];
const OWNERS: [Owners; 3] = [Owners::Real, Owners::Asked, Owners::Lied];
const CONFINEMENTS: [Confinement; 3] = [Confinement::None, Confinement::Tree, Confinement::Rights];

/// Writes one of a table's values as its place in it.
fn put_one<T: PartialEq>(writer: &mut Writer, table: &[T], value: &T) {
    let at = table.iter().position(|one| one == value);
    writer.number(at.unwrap_or(table.len()) as u32);
}

/// Reads what [`put_one`] wrote.
fn take_one<T: Copy>(reader: &mut Reader<'_>, table: &[T]) -> io::Result<T> {
    table.get(reader.number()? as usize).copied().ok_or_else(wrong)
}

fn put_access(writer: &mut Writer, access: Access) {
    writer.flag(access == Access::ReadWrite);
}

fn take_access(reader: &mut Reader<'_>) -> io::Result<Access> {
    Ok(if reader.flag()? {
        Access::ReadWrite
    } else {
        Access::ReadOnly
    })
}

impl Setup {
    pub(crate) fn of(spec: &Spec<'_>, owners: Owners) -> Self {
        Setup {
            hostname: spec.hostname.clone(),
            no_fsync: spec.no_fsync,
            personality32: spec.personality32,
            mounts: spec.mounts,
            binds: spec.binds.clone(),
            extras: spec.extras.clone(),
            covers: spec.covers.clone(),
            owners,
            emulator: spec.emulator.as_ref().map(Emulator::rule),
            confinement: spec.confinement,
            root_access: spec.root_access,
            network: spec.network,
            host_files: spec.host_files.clone(),
            terminal: spec.terminal.is_some(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.list(self.hostname.as_slice(), |writer, name| writer.text(name));
        writer.flag(self.no_fsync);
        writer.flag(self.personality32);
        put_one(&mut writer, &MOUNTS, &self.mounts);
        writer.list(&self.binds, |writer, bind| {
            writer.text(&bind.source);
            writer.text(&bind.target);
            put_access(writer, bind.access);
        });
        writer.list(&self.extras, |writer, extra| {
            writer.text(&extra.path);
            match &extra.content {
                Content::File { mode, bytes } => {
                    writer.number(FILE);
                    writer.number(*mode);
                    writer.text(OsStr::from_bytes(bytes));
                }
                Content::Link(text) => {
                    writer.number(LINK);
                    writer.text(text);
                }
                Content::OwnProgram => writer.number(OWN_PROGRAM),
            }
        });
        writer.list(&self.covers, |writer, cover| {
            writer.text(&cover.source);
            writer.text(&cover.target);
        });
        put_one(&mut writer, &OWNERS, &self.owners);
        put_one(&mut writer, &CONFINEMENTS, &self.confinement);
        put_access(&mut writer, self.root_access);
        writer.flag(self.network == Network::Loopback);
        writer.list(&self.host_files, |writer, file| writer.text(file));
        writer.flag(self.terminal);
        writer.list(self.emulator.as_slice(), |writer, rule| rule.encode(writer));
        writer.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(bytes);
        let setup = Setup {
            hostname: reader.list(Reader::text)?.pop(),
            no_fsync: reader.flag()?,
            personality32: reader.flag()?,
            mounts: take_one(&mut reader, &MOUNTS)?,
            binds: reader.list(|reader| {
                Ok(Bind {
                    source: reader.path()?,
                    target: reader.path()?,
                    access: take_access(reader)?,
                })
            })?,
            extras: reader.list(|reader| {
                Ok(Extra {
                    path: reader.path()?,
                    content: match reader.number()? {
                        FILE => Content::File {
                            mode: reader.number()?,
                            bytes: reader.text()?.into_vec(),
                        },
                        LINK => Content::Link(reader.path()?),
                        OWN_PROGRAM => Content::OwnProgram,
                        _ => return Err(wrong()),
                    },
                })
            })?,
            covers: reader.list(|reader| {
                Ok(Cover {
                    source: reader.path()?,
                    target: reader.path()?,
                })
            })?,
            owners: take_one(&mut reader, &OWNERS)?,
            confinement: take_one(&mut reader, &CONFINEMENTS)?,
            root_access: take_access(&mut reader)?,
            network: if reader.flag()? {
                Network::Loopback
            } else {
                Network::Host
            },
            host_files: reader.list(Reader::path)?,
            terminal: reader.flag()?,
            emulator: reader.list(Rule::decode)?.pop(),
        };
        reader.end()?;
        Ok(setup)
    }
}

/// Why a session did not come about.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    Namespaces {
        errno: i32,
    },
    MountPoint {
        path: PathBuf,
        want_directory: bool,
        found: Found,
    },
    Emulator {
        doing: String,
        errno: i32,
    },
    Step {
        doing: String,
        errno: i32,
    },
}

/// What stands at a mount point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Symlink,
    Directory,
    Other,
}

impl Failure {
    pub(crate) fn step(doing: impl Into<String>, error: impl Into<io::Error>) -> Self {
        Failure::Step {
            doing: doing.into(),
            errno: error.into().raw_os_error().unwrap_or(0),
        }
    }

    pub(crate) fn emulator(doing: impl Into<String>, error: impl Into<io::Error>) -> Self {
        Failure::Emulator {
            doing: doing.into(),
            errno: error.into().raw_os_error().unwrap_or(0),
        }
    }

    pub(crate) fn into_error(self, root: PathBuf) -> Error {
        match self {
            Failure::Namespaces { errno } => Error::Namespaces {
                root,
                source: io::Error::from_raw_os_error(errno),
            },
            Failure::MountPoint {
                path,
                want_directory,
                found,
            } => Error::MountPoint {
                root,
                path,
                expected: if want_directory { "a directory" } else { "a file" },
                found: match found {
                    Found::Nothing => "missing",
                    Found::Symlink => "a symbolic link",
                    Found::Directory => "a directory",
                    Found::Other => "not a directory",
                },
            },
            Failure::Emulator { doing, errno } => Error::Emulator {
                root,
                doing,
                source: io::Error::from_raw_os_error(errno),
            },
            Failure::Step { doing, errno } => Error::Setup {
                root,
                doing,
                source: io::Error::from_raw_os_error(errno),
            },
        }
    }
}

/// The answer to a [`Setup`]: what was left out, or why there is no session.
#[derive(Debug, PartialEq)]
pub(crate) struct Ready(pub(crate) Result<Prepared, Failure>);

/// A session that is there. Its frame brings the root's descriptor, then that at which calls about owners are asked, where
/// it `listens`, then both ends of the terminal, where there is one.
#[derive(Debug, PartialEq)]
pub(crate) struct Prepared {
    /// What was left out.
    pub(crate) notes: Vec<String>,
    pub(crate) listens: bool,
}

impl Ready {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        match &self.0 {
            Ok(prepared) => {
                writer.number(0);
                writer.list(&prepared.notes, |writer, note| writer.text(note));
                writer.flag(prepared.listens);
            }
            Err(Failure::Namespaces { errno }) => {
                writer.number(1);
                writer.number(*errno as u32);
            }
            Err(Failure::MountPoint {
                path,
                want_directory,
                found,
            }) => {
                writer.number(2);
                writer.text(path);
                writer.flag(*want_directory);
                writer.number(*found as u32);
            }
            Err(Failure::Step { doing, errno }) => {
                writer.number(3);
                writer.text(doing);
                writer.number(*errno as u32);
            }
            Err(Failure::Emulator { doing, errno }) => {
                writer.number(4);
                writer.text(doing);
                writer.number(*errno as u32);
            }
        }
        writer.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(bytes);
        let words = |reader: &mut Reader<'_>| Ok(reader.text()?.to_string_lossy().into_owned());
        let answer = match reader.number()? {
            0 => Ok(Prepared {
                notes: reader.list(words)?,
                listens: reader.flag()?,
            }),
            1 => Err(Failure::Namespaces {
                errno: reader.number()? as i32,
            }),
            2 => Err(Failure::MountPoint {
                path: reader.path()?,
                want_directory: reader.flag()?,
                found: match reader.number()? {
                    0 => Found::Nothing,
                    1 => Found::Symlink,
                    2 => Found::Directory,
                    _ => Found::Other,
                },
            }),
            3 => Err(Failure::Step {
                doing: words(&mut reader)?,
                errno: reader.number()? as i32,
            }),
            4 => Err(Failure::Emulator {
                doing: words(&mut reader)?,
                errno: reader.number()? as i32,
            }),
            _ => return Err(wrong()),
        };
        reader.end()?;
        Ok(Ready(answer))
    }
}

/// What a session is told to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Order {
    /// Start a program; the frame brings the pipe for its reports, then the descriptors of `targets`.
    Start(Start),
    /// Send a signal to a program's process group.
    Kill { id: u32, signal: i32 },
}

/// A [`Program`] without its descriptors.
#[derive(Debug, PartialEq)]
pub(crate) struct Start {
    pub(crate) id: u32,
    pub(crate) code: Code,
    pub(crate) path: PathBuf,
    pub(crate) arg0: Option<OsString>,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) cwd: PathBuf,
    pub(crate) place: Place,
    pub(crate) identity: Identity,
    pub(crate) targets: Vec<RawFd>,
    pub(crate) terminal: bool,
}

/// The bytes of an [`Order::Start`].
pub(crate) fn encode_start(id: u32, program: &Program, targets: &[RawFd]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.number(0);
    writer.number(id);
    writer.flag(program.code == Code::Builtin);
    writer.text(&program.path);
    writer.list(program.arg0.as_slice(), |writer, arg| writer.text(arg));
    writer.list(&program.args, |writer, arg| writer.text(arg));
    writer.list(&program.env, |writer, (name, value)| {
        writer.text(name);
        writer.text(value);
    });
    writer.text(&program.cwd);
    writer.flag(program.place == Place::Root);
    match &program.identity {
        Identity::Same => writer.flag(false),
        Identity::Ids { uid, gid, groups } => {
            writer.flag(true);
            writer.number(*uid);
            writer.number(*gid);
            writer.list(groups, |writer, group| writer.number(*group));
        }
    }
    writer.list(targets, |writer, target| writer.number(*target as u32));
    writer.flag(program.terminal);
    writer.finish()
}

/// The bytes of an [`Order::Kill`].
pub(crate) fn encode_kill(id: u32, signal: i32) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.number(1);
    writer.number(id);
    writer.number(signal as u32);
    writer.finish()
}

impl Order {
    pub(crate) fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(bytes);
        let order = match reader.number()? {
            0 => Order::Start(Start {
                id: reader.number()?,
                code: if reader.flag()? { Code::Builtin } else { Code::File },
                path: reader.path()?,
                arg0: reader.list(Reader::text)?.pop(),
                args: reader.list(Reader::text)?,
                env: reader.list(|reader| Ok((reader.text()?, reader.text()?)))?,
                cwd: reader.path()?,
                place: if reader.flag()? { Place::Root } else { Place::Host },
                identity: if reader.flag()? {
                    Identity::Ids {
                        uid: reader.number()?,
                        gid: reader.number()?,
                        groups: reader.list(Reader::number)?,
                    }
                } else {
                    Identity::Same
                },
                targets: reader.list(|reader| Ok(reader.number()? as RawFd))?,
                terminal: reader.flag()?,
            }),
            1 => Order::Kill {
                id: reader.number()?,
                signal: reader.number()? as i32,
            },
            _ => return Err(wrong()),
        };
        reader.end()?;
        Ok(order)
    }
}

/// One report about a program: fixed in size, so that a pipe passes it whole (pipe(7), PIPE_BUF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// It could not be run. An `Exited` follows.
    Refused { why: ExecFailure, errno: i32 },
    /// It exited with this code.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
}

/// The size of a [`Report`] in bytes.
pub(crate) const REPORT: usize = 8;

const WHYS: [ExecFailure; 10] = [
    ExecFailure::NotFound,
    ExecFailure::NoInterpreter,
    ExecFailure::NotExecutable,
    ExecFailure::Format,
    ExecFailure::Directory,
    ExecFailure::Entry,
    ExecFailure::Panicked,
    ExecFailure::NoExecMount,
    ExecFailure::Identity,
    ExecFailure::Other,
];

impl Report {
    pub(crate) fn encode(self) -> [u8; REPORT] {
        let (kind, why, number) = match self {
            Report::Exited(code) => (0, 0, code),
            Report::Signaled(signal) => (1, 0, signal),
            Report::Refused { why, errno } => (
                2,
                WHYS.iter().position(|one| *one == why).unwrap_or(WHYS.len()) as u8,
                errno,
            ),
        };
        let [a, b, c, d] = number.to_ne_bytes();
        [kind, why, 0, 0, a, b, c, d]
    }

    pub(crate) fn decode(bytes: [u8; REPORT]) -> io::Result<Self> {
        let [kind, why, _, _, a, b, c, d] = bytes;
        let number = i32::from_ne_bytes([a, b, c, d]);
        match kind {
            0 => Ok(Report::Exited(number)),
            1 => Ok(Report::Signaled(number)),
            2 => {
                let why = WHYS.get(usize::from(why)).copied().unwrap_or(ExecFailure::Other);
                Ok(Report::Refused { why, errno: number })
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests;
