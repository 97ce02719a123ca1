use std::fmt;

use bareroot_model::{Class, Classified};

/// Why a selection fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A wish is not in apt's syntax, or asks for something that this program does not do.
    #[error("the wish `{wish}` cannot be read: {reason}")]
    Wish {
        /// The wish, cut at 200 characters.
        wish: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A wish names an architecture that the root does not have.
    #[error("the wish `{wish}` asks for the architecture `{name}`, which the root does not have")]
    NoSuchArchitecture {
        /// The wish.
        wish: String,
        /// The architecture.
        name: String,
    },
    /// No index has or provides such a package.
    #[error("there is no package `{wish}` in {title}")]
    NoSuchPackage {
        /// The wish.
        wish: String,
        /// Names that differ little.
        near: Vec<String>,
        /// Where it was sought.
        title: String,
    },
    /// Several packages provide a name that is no package itself.
    #[error("`{wish}` is a virtual package; these provide it: {}", .providers.join(", "))]
    Virtual {
        /// The wish.
        wish: String,
        /// The providers' names.
        providers: Vec<String>,
    },
    /// The package is there, the wished version is not.
    #[error("there is no such version as `{wish}`: {}", have(.title, .versions))]
    NoSuchVersion {
        /// The wish.
        wish: String,
        /// The versions that there are, the highest first.
        versions: Vec<String>,
        /// Where it was sought.
        title: String,
    },
    /// A package is asked for and excluded.
    #[error("the wish `{wish}` is excluded")]
    Excluded {
        /// The wish.
        wish: String,
    },
    /// The wishes cannot be met together.
    #[error("{0}")]
    Unsatisfiable(#[from] Unsatisfiable),
    /// An index has something that cannot be read where it is needed.
    #[error(transparent)]
    Index(#[from] crate::Error),
    /// The thread that selects could not be started.
    #[error("no thread for choosing packages could be started: {0}")]
    Thread(#[source] std::io::Error),
}

fn have(title: &str, versions: &[String]) -> String {
    match versions {
        [] => format!("{title} has none that the pins allow"),
        _ => format!("{title} has {}", versions.join(", ")),
    }
}

/// What leads to a need that cannot be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The package with its version; `None` for the wish itself.
    pub package: Option<String>,
    /// The field (`Depends`).
    pub kind: String,
    /// The relation as written.
    pub relation: String,
}

/// What is wrong at the end of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing meets the last relation; the text names the nearest miss.
    Missing {
        /// What there is instead (`trixie has libfoo 1.9`).
        nearest: String,
    },
    /// Two packages exclude each other.
    Conflict {
        /// The package that says so, with its version.
        package: String,
        /// `Conflicts` or `Breaks`.
        kind: String,
        /// The relation as written; empty where multiarch says so.
        relation: String,
        /// The other package, with its version.
        other: String,
        /// What leads to the other package.
        chain: Vec<Link>,
    },
    /// The package must not be installed.
    Refused {
        /// The package.
        package: String,
    },
}

/// The wishes cannot be met together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unsatisfiable {
    /// Each reason, with the chain from a wish that leads to it.
    pub reasons: Vec<(Vec<Link>, Cause)>,
}

impl fmt::Display for Unsatisfiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the packages cannot be installed together")?;
        for (chain, cause) in &self.reasons {
            write!(f, "\n  {}", Chain(chain))?;
            match cause {
                Cause::Missing { nearest } => write!(f, ", but {nearest}")?,
                Cause::Refused { package } => write!(f, ", but `{package}` must not be installed")?,
                Cause::Conflict {
                    package,
                    kind,
                    relation,
                    other,
                    chain,
                } => {
                    match relation.as_str() {
                        "" => write!(f, ", and `{package}` cannot be installed beside `{other}`")?,
                        _ => write!(
                            f,
                            ", and `{package}` {} `{relation}`, which `{other}` is",
                            kind.to_lowercase()
                        )?,
                    }
                    if !chain.is_empty() {
                        write!(f, "; {}", Chain(chain))?;
                    }
                }
            }
        }
        Ok(())
    }
}

struct Chain<'a>(&'a [Link]);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, link) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str(", ")?;
            }
            match &link.package {
                None => write!(f, "`{}` is wished", link.relation)?,
                Some(package) => {
                    let verb = match link.kind.as_str() {
                        "Pre-Depends" => "pre-depends on",
                        _ => "depends on",
                    };
                    write!(f, "`{package}` {verb} `{}`", link.relation)?;
                }
            }
        }
        Ok(())
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Wish { .. } | Error::NoSuchArchitecture { .. } => Class::Usage,
            Error::NoSuchPackage { .. }
            | Error::Virtual { .. }
            | Error::NoSuchVersion { .. }
            | Error::Excluded { .. }
            | Error::Unsatisfiable(_) => Class::Unresolved,
            Error::Index(error) => error.class(),
            Error::Thread(_) => Class::Target,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::NoSuchPackage { near, .. } if !near.is_empty() => {
                Some(format!("did you mean {}?", near.join(", ")))
            }
            Error::Virtual { .. } => Some("name one of them".to_owned()),
            Error::Index(error) => error.hint(),
            _ => None,
        }
    }
}
