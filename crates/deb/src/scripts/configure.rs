use super::{Variables, environment};

/// The root's own dpkg, told to configure everything that is unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configure {
    /// dpkg's path in the root.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub variables: Variables,
}

/// `dpkg --configure -a`.
///
/// dpkg tells on its standard output, among what the scripts print there, which package it is at
/// (`--status-fd`, dpkg(1)); [`Monitor`](super::Monitor) takes the two apart. `options` are further options of dpkg's.
pub fn configure(epoch: Option<i64>, options: &[String]) -> Configure {
    let mut arguments = vec!["--status-fd=1".to_owned()];
    arguments.extend_from_slice(options);
    arguments.extend(["--configure".to_owned(), "-a".to_owned()]);
    Configure {
        program: "/usr/bin/dpkg".to_owned(),
        arguments,
        variables: environment(epoch),
    }
}
