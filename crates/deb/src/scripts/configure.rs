use super::{Variables, environment};

/// Where dpkg tells its news. It closes the descriptor before it runs a script, so it can be none that scripts need.
pub const STATUS_FD: i32 = 3;

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

/// `dpkg --configure -a`, or, where there are `packages` (`libc6:amd64`, `dpkg`), of those alone.
///
/// dpkg tells on descriptor [`STATUS_FD`] which package it is at (`--status-fd`, dpkg(1)). That descriptor should lead
/// to the same place as its standard output: [`Monitor`](super::Monitor) takes the two apart. `options` are further
/// options of dpkg's.
pub fn configure(epoch: Option<i64>, packages: &[String], options: &[String]) -> Configure {
    let mut arguments = vec![format!("--status-fd={STATUS_FD}")];
    arguments.extend_from_slice(options);
    arguments.push("--configure".to_owned());
    match packages {
        [] => arguments.push("-a".to_owned()),
        _ => arguments.extend_from_slice(packages),
    }
    Configure {
        program: "/usr/bin/dpkg".to_owned(),
        arguments,
        variables: environment(epoch),
    }
}
