use std::path::Path;
use std::process::Command;

use super::ground::{Ground, SUITE, URL};
use crate::users::User;

/// What is done again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Job {
    Debian,
    Rpm,
    DebianUnshare,
    RpmUnshare,
    DebianTar,
    RpmTar,
    DebianMirror,
    RpmMirror,
    Clone,
    Export,
    Enter,
}

impl Job {
    pub const ALL: [Job; 11] = [
        Job::Debian,
        Job::Rpm,
        Job::DebianUnshare,
        Job::RpmUnshare,
        Job::DebianTar,
        Job::RpmTar,
        Job::DebianMirror,
        Job::RpmMirror,
        Job::Clone,
        Job::Export,
        Job::Enter,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Job::Debian => "bootstrap, Debian, root",
            Job::Rpm => "bootstrap, RPM, root",
            Job::DebianUnshare => "bootstrap, Debian, unshare",
            Job::RpmUnshare => "bootstrap, RPM, unshare",
            Job::DebianTar => "bootstrap, Debian, tar.gz",
            Job::RpmTar => "bootstrap, RPM, tar",
            Job::DebianMirror => "mirror, Debian",
            Job::RpmMirror => "mirror, RPM",
            Job::Clone => "clone",
            Job::Export => "export",
            Job::Enter => "enter",
        }
    }

    pub fn user(self) -> User {
        match self {
            Job::DebianUnshare | Job::RpmUnshare => User::Subordinate,
            _ => User::Root,
        }
    }

    /// Whether it asks the mirror for anything.
    pub fn fetches(self) -> bool {
        !matches!(self, Job::Clone | Job::Export | Job::Enter)
    }

    /// Whether it makes a directory that `remove` takes away.
    pub fn makes_a_root(self) -> bool {
        matches!(
            self,
            Job::Debian | Job::Rpm | Job::DebianUnshare | Job::RpmUnshare | Job::Clone
        )
    }

    /// Whether a run that fails leaves what it has so far: a mirror is whole at every moment, and goes on where it was.
    pub fn keeps_its_parts(self) -> bool {
        matches!(self, Job::DebianMirror | Job::RpmMirror)
    }

    /// What its result is called.
    pub fn target(self) -> &'static str {
        match self {
            Job::DebianTar => "root.tar.gz",
            Job::RpmTar | Job::Export => "root.tar",
            _ => "root",
        }
    }

    fn is_rpm(self) -> bool {
        matches!(self, Job::Rpm | Job::RpmUnshare | Job::RpmTar | Job::RpmMirror)
    }

    /// The command, for a mirror at the end of a proxy.
    pub fn command(self, ground: &Ground, proxy: &str, target: &Path) -> Command {
        let mut command = ground.bareroot();
        match self {
            Job::Clone => {
                command.arg("clone").arg("--from").arg(&ground.root).arg(target);
            }
            Job::Export => {
                command.arg("export").arg(&ground.root).arg(target);
            }
            Job::Enter => {
                command
                    .args(["enter", "--read-only"])
                    .arg(&ground.entered)
                    .args(["--", "/usr/bin/soak"]);
            }
            job => {
                command.arg(if job.keeps_its_parts() {
                    "mirror"
                } else {
                    "bootstrap"
                });
                match job.is_rpm() {
                    true => {
                        command.arg("--repo").arg(ground.top.join("tiny.repo"));
                        command.args(["--include", "@core,soak,large"]);
                    }
                    false => {
                        command.arg(format!("debian:{SUITE}"));
                        command.args(["--mirror", URL, "--include", "soak,large"]);
                    }
                }
                command
                    .args(["--timeout", "1", "--keyring"])
                    .arg(ground.top.join("keyring.pgp"))
                    .arg("--cache-dir")
                    .arg(ground.cache(job.user()))
                    .arg(target);
            }
        }
        command.env("http_proxy", proxy);
        ground.by(self.user(), command)
    }
}
