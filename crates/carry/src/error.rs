use std::path::PathBuf;

use bareroot_model::{Cancelled, Class, Classified};

use crate::elf;

/// What can go wrong between a program and its root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such program.
    #[error("there is no program `{program}` in `{}`", source_root.display())]
    NoProgram {
        /// As it was asked for.
        program: String,
        /// Where it was looked for.
        source_root: PathBuf,
        /// The directories of a name; empty for a path.
        searched: Vec<String>,
    },
    /// It is neither an ELF file nor a script.
    #[error("`{}` cannot be run: it is {found}, neither an ELF file nor a script with `#!`", path.display())]
    NotAProgram {
        /// Its path in the source.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// It is a program, but broken.
    #[error("`{}` cannot be read as a program", path.display())]
    Malformed {
        /// Its path in the source.
        path: PathBuf,
        /// What is wrong.
        source: elf::Malformed,
    },
    /// The ELF interpreter, or the one of a script, is not there.
    #[error("`{}` needs the interpreter `{interpreter}`, which is not there", path.display())]
    NoInterpreter {
        /// The program.
        path: PathBuf,
        /// Its interpreter.
        interpreter: String,
    },
    /// A library is not there.
    #[error("`{library}` is not there: `{}` needs it; looked in {}", by.display(), list(looked))]
    NoLibrary {
        /// The library, as DT_NEEDED names it.
        library: String,
        /// Which object names it.
        by: PathBuf,
        /// The directories, in the order of the search, with what was wrong with a file that was there.
        looked: Vec<String>,
    },
    /// A file of `--file` is not there.
    #[error("there is no `{path}` in `{}`", source_root.display())]
    NoFile {
        /// As it was asked for.
        path: String,
        /// Where it was looked for.
        source_root: PathBuf,
    },
    /// Symbolic links go round in circles.
    #[error("`{}` leads in a circle: more than {limit} symbolic links", path.display())]
    Loop {
        /// The path.
        path: PathBuf,
        /// The limit of one look-up.
        limit: usize,
    },
    /// What goes in differs from what is there.
    #[error("`{}` is {there} in `{}`, and {ours} is to be there: nothing was written", path.display(), target.display())]
    Conflict {
        /// The path in the root.
        path: PathBuf,
        /// The root.
        target: PathBuf,
        /// What is there.
        there: &'static str,
        /// What is to be there.
        ours: &'static str,
        /// Whether `--force` would help.
        forcible: bool,
    },
    /// A file of the source is not what it was when it was looked at.
    #[error("`{}` changed while it was carried", path.display())]
    Changed {
        /// Its path in the source.
        path: PathBuf,
    },
    /// Reading the source, or writing the root.
    #[error(transparent)]
    Root(#[from] bareroot_unpack::Error),
    /// The user, or a signal, stopped the run.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn list(looked: &[String]) -> String {
    if looked.is_empty() {
        "no directory".to_owned()
    } else {
        looked.join(", ")
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::NoProgram { .. } | Error::NotAProgram { .. } | Error::NoFile { .. } => Class::Usage,
            Error::NoInterpreter { .. } | Error::NoLibrary { .. } => Class::Unresolved,
            Error::Malformed { .. } => Class::Trust,
            Error::Loop { .. } | Error::Conflict { .. } => Class::Target,
            Error::Changed { .. } => Class::Target,
            Error::Root(error) => error.class(),
            Error::Cancelled(_) => Class::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::NoProgram {
                program, searched, ..
            } => Some(match searched.is_empty() {
                true => {
                    "a path is looked up inside --from, which is this system's own root by default".to_owned()
                }
                false => format!(
                    "`{program}` was looked for in {}; give its path, or install its package there",
                    searched.join(", ")
                ),
            }),
            Error::NotAProgram { path, .. } => Some(format!(
                "data is carried with `--file {}`, beside a program",
                path.display()
            )),
            Error::NoInterpreter { interpreter, .. } => Some(format!(
                "the package that has `{interpreter}` is missing in the source"
            )),
            Error::NoLibrary { library, .. } => Some(format!(
                "install the package that has `{library}` in the source, or run ldconfig there where it is in a directory of ld.so.conf"
            )),
            Error::Conflict { forcible: true, .. } => {
                Some("--force overwrites what differs; an empty ROOT has nothing to differ".to_owned())
            }
            Error::Conflict { .. } => Some("carry into an empty directory".to_owned()),
            Error::Changed { .. } => Some("run it again when the source is at rest".to_owned()),
            Error::Root(error) => error.hint(),
            _ => None,
        }
    }
}
