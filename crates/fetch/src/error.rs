use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bareroot_model::{Cancelled, Class, Classified, is_exhausted};

/// Why something could not be fetched. No URL in it carries credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A mirror's address cannot be used.
    #[error("`{mirror}` is not a mirror that can be used: {reason}")]
    Mirror {
        /// As given, without credentials.
        mirror: String,
        /// Why.
        reason: String,
    },
    /// There is no mirror to ask.
    #[error("there is no mirror for `{path}`")]
    NoMirror {
        /// The path that was wanted.
        path: String,
    },
    /// An index names a path that leads out of its mirror, or that is no path.
    #[error("`{path}` is not a path below a mirror")]
    Path {
        /// The path.
        path: String,
    },
    /// A proxy's address cannot be used.
    #[error("`{proxy}` is not a proxy that can be used: {reason}")]
    Proxy {
        /// As given, without credentials.
        proxy: String,
        /// Why.
        reason: String,
    },
    /// A file with credentials is broken.
    #[error("`{path}` is not a valid netrc file: {reason}", path = path.display())]
    Netrc {
        /// The file.
        path: PathBuf,
        /// Why, without any secret.
        reason: String,
    },
    /// The mirror does not have the file.
    #[error("`{url}` does not exist")]
    NotFound {
        /// The file.
        url: String,
    },
    /// The mirror, or a proxy before it, answered with a status that gives no file.
    #[error("`{url}` cannot be had: the server says {status}")]
    Status {
        /// The file.
        url: String,
        /// The status, as in `503 Service Unavailable`.
        status: String,
        /// Its number.
        code: u16,
    },
    /// No connection was made: a name that does not resolve, a refused connection, a certificate that is not trusted.
    #[error("cannot connect for `{url}`: {reason}")]
    Connect {
        /// The file.
        url: String,
        /// Why.
        reason: String,
    },
    /// The connection broke, or what came over it was no HTTP.
    #[error("the transfer of `{url}` broke off: {reason}")]
    Transfer {
        /// The file.
        url: String,
        /// Why.
        reason: String,
    },
    /// Nothing, or next to nothing, came for too long.
    #[error("the transfer of `{url}` stalled for {} s", seconds.as_secs_f64())]
    Stalled {
        /// The file.
        url: String,
        /// How long.
        seconds: Duration,
    },
    /// The body ended early.
    #[error("`{url}` was cut off: expected {expected} bytes, found {found}")]
    Truncated {
        /// The file.
        url: String,
        /// Bytes.
        expected: u64,
        /// Bytes.
        found: u64,
    },
    /// A file of unknown size is larger than any such file may be.
    #[error("`{url}` is too large: more than {limit} bytes")]
    TooLarge {
        /// The file.
        url: String,
        /// Bytes.
        limit: u64,
    },
    /// A redirection that is not followed.
    #[error("`{url}` redirects to `{to}`: {reason}")]
    Redirect {
        /// The URL that redirects.
        url: String,
        /// Where to.
        to: String,
        /// Why it is not followed.
        reason: &'static str,
    },
    /// The bytes are not the ones that the signed index promises.
    #[error("`{url}` is not what its index promises: {source}")]
    Mismatch {
        /// The file.
        url: String,
        /// What differs.
        source: bareroot_trust::Error,
    },
    /// No certificate authority is known, and a URL is https.
    #[error("`{url}` cannot be verified: no certificate authorities were found ({searched})")]
    NoRoots {
        /// The file.
        url: String,
        /// Where they were looked for.
        searched: String,
    },
    /// The network is not to be used.
    #[error("{} is not in the cache, and the network is not to be used{}", missing(label, url), elsewhere(label, url, *others))]
    Offline {
        /// What was wanted: a package, or an index of a source.
        label: String,
        /// The file, at the first mirror that has it.
        url: String,
        /// How many more addresses it has.
        others: usize,
    },
    /// A directory that should be a cache is none.
    #[error("`{path}` is no cache of bareroot: {reason}", path = path.display())]
    NoCache {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The cache cannot be looked through.
    #[error("cannot read `{path}` of the cache: {source}", path = path.display())]
    ReadCache {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Files of the cache are not what they should be.
    #[error("the cache `{path}` has {files} broken {}", if *files == 1 { "file" } else { "files" }, path = path.display())]
    BrokenCache {
        /// The cache's directory.
        path: PathBuf,
        /// How many.
        files: usize,
    },
    /// Several mirrors, and none of them had it.
    #[error("no mirror has `{label}`: {}", list(failures))]
    Mirrors {
        /// What was wanted.
        label: String,
        /// Why not, for each address that was tried.
        failures: Vec<Error>,
    },
    /// A local file of a `file:` or `copy:` mirror cannot be read.
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The cache, or the place for temporary files, cannot be used.
    #[error("cannot write `{path}`: {source}", path = path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Threads, a reactor or TLS could not be set up.
    #[error("cannot set up the network: {reason}")]
    SetUp {
        /// Why.
        reason: String,
    },
    /// The run was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Error {
    /// Whether no mirror that could be asked has the file, or the cache does not where only that may be asked.
    pub fn is_not_found(&self) -> bool {
        match self {
            Error::NotFound { .. } | Error::Offline { .. } => true,
            Error::Mirrors { failures, .. } => {
                failures.iter().any(Error::is_not_found)
                    && failures
                        .iter()
                        .all(|failure| failure.is_not_found() || failure.is_unreachable())
            }
            _ => false,
        }
    }

    /// Whether it was not asked for because the network is not to be used.
    pub fn is_offline(&self) -> bool {
        match self {
            Error::Offline { .. } => true,
            Error::Mirrors { failures, .. } => failures.iter().any(Error::is_offline),
            _ => false,
        }
    }

    /// Whether there was no room left on a file system.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Error::Write { source, .. } => {
                matches!(
                    source.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                )
            }
            _ => false,
        }
    }

    /// Whether the mirror could not be asked at all.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Error::Connect { .. } | Error::NoRoots { .. })
    }

    /// Whether a file came that is not the one which its index promises: a mirror in the middle of an update, or worse.
    pub fn is_mismatch(&self) -> bool {
        match self {
            Error::Mismatch { .. } => true,
            Error::Mirrors { failures, .. } => failures.iter().any(Error::is_mismatch),
            _ => false,
        }
    }

    /// One error of several for the same file. The order is that of the tries.
    pub(crate) fn of(label: &str, mut failures: Vec<Error>) -> Error {
        match (failures.len(), failures.pop()) {
            (_, None) => Error::NoMirror {
                path: label.to_owned(),
            },
            (1, Some(only)) => only,
            (_, Some(last)) => {
                failures.push(last);
                Error::Mirrors {
                    label: label.to_owned(),
                    failures,
                }
            }
        }
    }
}

fn missing(label: &str, url: &str) -> String {
    match url.ends_with(label) {
        true => format!("`{url}`"),
        false => label.to_owned(),
    }
}

fn elsewhere(label: &str, url: &str, others: usize) -> String {
    let more = match others {
        0 => String::new(),
        1 => "one more address".to_owned(),
        _ => format!("{others} more addresses"),
    };
    match (url.ends_with(label), more.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!(" (it has {more})"),
        (false, true) => format!(": it is at `{url}`"),
        (false, false) => format!(": it is at `{url}` and has {more}"),
    }
}

fn list(failures: &[Error]) -> String {
    failures
        .iter()
        .map(Error::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Mirror { .. }
            | Error::NoMirror { .. }
            | Error::Proxy { .. }
            | Error::Netrc { .. }
            | Error::NoCache { .. } => Class::Usage,
            Error::Path { .. }
            | Error::Mismatch { .. }
            | Error::TooLarge { .. }
            | Error::BrokenCache { .. } => Class::Trust,
            Error::Mirrors { failures, .. } => {
                let lies = failures.iter().any(|failure| failure.class() == Class::Trust);
                if lies { Class::Trust } else { Class::Network }
            }
            // Threads, descriptors and memory are this host's.
            Error::Write { .. } | Error::ReadCache { .. } | Error::SetUp { .. } => Class::Target,
            Error::Read { source, .. } if is_exhausted(source) => Class::Target,
            Error::Cancelled(_) => Class::Interrupted,
            _ => Class::Network,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Error::NoRoots { .. } => {
                "name a file of them with SSL_CERT_FILE, or use an http mirror: what it sends is verified by signature and digest"
                    .to_owned()
            }
            Error::Status { code: 407, .. } => "the proxy wants credentials: http_proxy=http://USER:PASSWORD@HOST".to_owned(),
            Error::Status { code: 401, .. } => "the mirror wants credentials: put them into ~/.netrc".to_owned(),
            _ if self.is_offline() => {
                "run it once without `--offline`, or name a mirror with file:, or a cache with `--cache-from`".to_owned()
            }
            Error::NotFound { .. } | Error::Status { .. } | Error::Connect { .. } | Error::Stalled { .. } => {
                "another mirror can be named with `--mirror URL`, several times for fallbacks".to_owned()
            }
            Error::Mismatch { .. } => {
                "the mirror may be in the middle of an update: try again later, or another `--mirror`".to_owned()
            }
            Error::Mirrors { failures, .. } => return failures.iter().rev().find_map(Classified::hint),
            Error::BrokenCache { .. } => "`bareroot cache verify --repair` removes them: they are fetched again when they are needed".to_owned(),
            Error::Write { .. } if self.is_full() => {
                "make room (`bareroot cache prune` does, in the cache), name another directory with `--cache-dir`, or go without with `--no-cache`".to_owned()
            }
            Error::Write { .. } => "name another directory with `--cache-dir`, or go without with `--no-cache`".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(url: &str) -> Error {
        Error::NotFound { url: url.to_owned() }
    }

    #[test]
    fn what_is_missing_offline_is_named_with_its_place() {
        let offline = |label: &str, others| {
            let (label, url) = (label.to_owned(), "http://a/dists/s/InRelease".to_owned());
            Error::Offline { label, url, others }.to_string()
        };
        let common = "is not in the cache, and the network is not to be used";
        assert_eq!(
            offline("dists/s/InRelease", 0),
            format!("`http://a/dists/s/InRelease` {common}")
        );
        assert_eq!(
            offline("hello 1.0", 0),
            format!("hello 1.0 {common}: it is at `http://a/dists/s/InRelease`")
        );
        assert_eq!(
            offline("hello 1.0", 2),
            format!("hello 1.0 {common}: it is at `http://a/dists/s/InRelease` and has 2 more addresses")
        );
    }

    #[test]
    fn several_failures_make_one_error_of_the_gravest_class() {
        assert!(matches!(Error::of("l", vec![]), Error::NoMirror { .. }));
        assert!(matches!(
            Error::of("l", vec![missing("u")]),
            Error::NotFound { .. }
        ));
        let both = Error::of("hello", vec![missing("http://a/x"), missing("http://b/x")]);
        assert_eq!(
            both.to_string(),
            "no mirror has `hello`: `http://a/x` does not exist; `http://b/x` does not exist"
        );
        assert!(both.is_not_found() && !both.is_mismatch());
        assert_eq!(both.class(), Class::Network);
        let source = bareroot_trust::Error::TooLong { expected: 3 };
        let mixed = Error::of(
            "hello",
            vec![
                Error::Mismatch {
                    url: "http://a/x".into(),
                    source,
                },
                missing("http://b/x"),
            ],
        );
        assert!(!mixed.is_not_found() && mixed.is_mismatch());
        assert_eq!(mixed.class(), Class::Trust);
    }
}
