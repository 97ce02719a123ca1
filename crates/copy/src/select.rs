//! What of a source goes into its copy, by path.

use std::sync::Arc;

use crate::error::Error;
use crate::fresh::{self, Act, Rule};
use crate::glob::Glob;

/// Globs that leave out and bring back, and the rules of a fresh copy.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
struct Condition {
    glob: Glob,
    role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Exclude,
    Include,
    Fresh(&'static Rule),
}

/// What a directory says to all that is below it.
#[derive(Clone, Debug)]
pub(crate) struct Above {
    state: State,
    /// The conditions that can match something below it.
    alive: Arc<[usize]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Plain,
    /// It was left out, but for what an include brings back.
    LeftOut,
    /// It was brought back, with all below it.
    BroughtBack,
}

/// What is done with a path.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// It is copied.
    Take(Above),
    /// It is copied without its content.
    Empty(&'static Rule),
    /// A directory that is copied if something below it is brought back.
    Maybe(Above),
    /// It is left out, by a rule of a fresh copy or by a glob.
    Leave(Option<&'static Rule>),
}

impl Above {
    /// Whether nothing more can be left out.
    pub(crate) fn is_settled(&self) -> bool {
        self.state == State::BroughtBack || self.state == State::Plain && self.alive.is_empty()
    }
}

impl Selection {
    /// What is left out, what is brought back of that with all that is below it, and whether the copy is to be
    /// [`fresh`](crate::RULES).
    ///
    /// # Errors
    /// [`Error::Glob`].
    pub fn new(excludes: &[Vec<u8>], includes: &[Vec<u8>], fresh: bool) -> Result<Self, Error> {
        let mut conditions = Vec::new();
        for (globs, role) in [(includes, Role::Include), (excludes, Role::Exclude)] {
            for text in globs {
                let glob = Glob::new(text)?;
                conditions.push(Condition { glob, role });
            }
        }
        if fresh {
            for rule in fresh::RULES {
                let glob = Glob::new(rule.glob.as_bytes())?;
                let role = Role::Fresh(rule);
                conditions.push(Condition { glob, role });
            }
        }
        Ok(Selection { conditions })
    }

    /// Where it begins.
    pub(crate) fn top(&self) -> Above {
        Above {
            state: State::Plain,
            alive: (0..self.conditions.len()).collect(),
        }
    }

    /// What is done with a path, relative to the source, in a directory.
    pub(crate) fn judge(&self, above: &Above, path: &[u8], is_directory: bool) -> Verdict {
        if above.is_settled() {
            return Verdict::Take(above.clone());
        }
        let (mut alive, mut may_come_back) = (Vec::new(), false);
        let mut left_out = (above.state == State::LeftOut).then_some(None);
        let mut emptied = None;
        for &at in above.alive.iter() {
            let Some(Condition { glob, role }) = self.conditions.get(at) else {
                continue;
            };
            let matched = glob.matches(path, is_directory);
            if is_directory && matched.below {
                alive.push(at);
                may_come_back |= *role == Role::Include;
            }
            match role {
                _ if !matched.whole => {}
                Role::Include => {
                    return Verdict::Take(Above {
                        state: State::BroughtBack,
                        alive: Arc::default(),
                    });
                }
                Role::Exclude => left_out = left_out.or(Some(None)),
                Role::Fresh(rule) => match rule.act {
                    Act::LeaveFiles if is_directory => {}
                    // The first rule that matches counts.
                    _ if left_out.is_some() || emptied.is_some() => {}
                    Act::Empty if is_directory => {}
                    Act::Empty => emptied = Some(*rule),
                    Act::Leave | Act::LeaveFiles => left_out = Some(Some(*rule)),
                },
            }
        }
        let below = |state| Above {
            state,
            alive: alive.into(),
        };
        match (left_out, emptied) {
            (Some(_), _) if may_come_back => Verdict::Maybe(below(State::LeftOut)),
            (Some(why), _) => Verdict::Leave(why),
            (None, Some(rule)) => Verdict::Empty(rule),
            (None, None) => Verdict::Take(below(State::Plain)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a path of files and directories, the last one a file.
    fn fate(selection: &Selection, path: &str) -> &'static str {
        let mut above = selection.top();
        let parts: Vec<&str> = path.split('/').collect();
        for length in 1..=parts.len() {
            let is_directory = length < parts.len();
            match selection.judge(&above, parts[..length].join("/").as_bytes(), is_directory) {
                Verdict::Take(below) | Verdict::Maybe(below) if is_directory => above = below,
                Verdict::Take(_) => return "taken",
                Verdict::Empty(_) => return "emptied",
                Verdict::Maybe(_) => return "maybe",
                Verdict::Leave(None) => return "left out",
                Verdict::Leave(Some(_)) => return "left out to be fresh",
            }
        }
        "directory"
    }

    fn selection(excludes: &[&str], includes: &[&str], fresh: bool) -> Selection {
        let bytes = |globs: &[&str]| {
            globs
                .iter()
                .map(|glob| glob.as_bytes().to_vec())
                .collect::<Vec<_>>()
        };
        Selection::new(&bytes(excludes), &bytes(includes), fresh).unwrap()
    }

    #[test]
    fn what_is_left_out_and_brought_back() {
        let rows: &[(&[&str], &[&str], &str, &str)] = &[
            (&[], &[], "a/b", "taken"),
            (&["/a"], &[], "a/b", "left out"),
            (&["/a/b"], &[], "a/b", "left out"),
            (&["/a/b"], &[], "a/c", "taken"),
            (&["/home/*"], &["/home/x/.ssh"], "home/x/.ssh/key", "taken"),
            (&["/home/*"], &["/home/x/.ssh"], "home/x/doc", "left out"),
            (&["/home/*"], &["/home/x/.ssh"], "home/y/doc", "left out"),
            (&["/home/**"], &["/home/x"], "home/x/a/b", "taken"),
            (&["**/*.o"], &["/keep"], "keep/a.o", "taken"),
            (&["**/*.o"], &["/keep"], "drop/a.o", "left out"),
            (&["/a"], &["**/*.conf"], "a/b/c.conf", "taken"),
            (&["/a"], &["**/*.conf"], "a/b/c", "left out"),
        ];
        for (excludes, includes, path, expected) in rows {
            let selection = selection(excludes, includes, false);
            assert_eq!(
                fate(&selection, path),
                *expected,
                "{excludes:?} {includes:?} {path}"
            );
        }
    }

    #[test]
    fn a_fresh_copy() {
        let fresh = selection(&[], &[], true);
        for (path, expected) in [
            ("etc/machine-id", "emptied"),
            ("etc/ssh/ssh_host_rsa_key", "left out to be fresh"),
            ("etc/ssh/ssh_host_rsa_key.pub", "left out to be fresh"),
            ("etc/ssh/sshd_config", "taken"),
            ("var/log/wtmp", "emptied"),
            ("var/log/nginx/access.log", "left out to be fresh"),
            ("var/log/journal/0123/system.journal", "left out to be fresh"),
            ("var/lib/dhcp/dhclient.leases", "left out to be fresh"),
            ("var/lib/systemd/random-seed", "left out to be fresh"),
            ("var/cache/apt/archives/x.deb", "left out to be fresh"),
            ("var/cache/man/index.db", "taken"),
            ("usr/share/var/log/x", "taken"),
        ] {
            assert_eq!(fate(&fresh, path), expected, "{path}");
        }
        let kept = selection(&[], &["/etc/ssh/ssh_host_*"], true);
        assert_eq!(fate(&kept, "etc/ssh/ssh_host_rsa_key"), "taken");
    }
}
