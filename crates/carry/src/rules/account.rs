//! Users and groups: those that what goes in belongs to, and those that it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::collect::Collector;
use crate::error::Error;
use crate::item::{Item, Made, What};
use crate::path;
use crate::rule::Rule;

/// Users that are always there.
const USERS: [&str; 2] = ["root", "nobody"];
/// Groups that are.
const GROUPS: [&str; 6] = ["root", "nogroup", "nobody", "tty", "shadow", "utmp"];
/// The largest text of /etc that is read for users.
const LARGEST: u64 = 256 << 10;

impl Collector<'_> {
    /// The files of accounts, cut down.
    pub(crate) fn accounts(&mut self) -> Result<(), Error> {
        let Some(passwd) = self.source.text(Path::new("/etc/passwd"))? else {
            return Ok(());
        };
        let passwd = String::from_utf8_lossy(&passwd).into_owned();
        let mentioned = self.mentioned(&passwd)?;
        let owners: BTreeSet<u32> = self.items.values().map(|item| item.uid).collect();
        let mut groups: BTreeSet<u32> = self.items.values().map(|item| item.gid).collect();
        let mut users = BTreeSet::new();
        let mut lines = String::new();
        for line in passwd.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, rest @ ..] = fields.as_slice() else {
                continue;
            };
            let (Ok(uid), Ok(gid)) = (uid.parse::<u32>(), gid.parse::<u32>()) else {
                continue;
            };
            if USERS.contains(name) || owners.contains(&uid) || mentioned.contains(*name) {
                lines.push_str(&format!("{name}:x:{uid}:{gid}:{}\n", rest.join(":")));
                users.insert((*name).to_owned());
                groups.insert(gid);
            }
        }
        self.lines("/etc/passwd", lines, 0o644)?;
        self.groups(&users, &groups)?;
        self.shadow(&users)
    }

    fn groups(&mut self, users: &BTreeSet<String>, needed: &BTreeSet<u32>) -> Result<(), Error> {
        let text = self.source.text(Path::new("/etc/group"))?.unwrap_or_default();
        let mut lines = String::new();
        for line in String::from_utf8_lossy(&text).lines() {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, gid, members] = fields.as_slice() else {
                continue;
            };
            let members: Vec<&str> = members
                .split(',')
                .filter(|member| users.contains(*member))
                .collect();
            let is_needed = gid.parse().is_ok_and(|gid: u32| needed.contains(&gid));
            if is_needed || GROUPS.contains(name) || !members.is_empty() {
                lines.push_str(&format!("{name}:x:{gid}:{}\n", members.join(",")));
            }
        }
        self.lines("/etc/group", lines, 0o644)
    }

    /// Nobody has a password there: the source's are no business of a copy.
    fn shadow(&mut self, users: &BTreeSet<String>) -> Result<(), Error> {
        if self.source.find_file(Path::new("/etc/shadow"))?.is_none() {
            return Ok(());
        }
        let lines: String = users
            .iter()
            .map(|name| format!("{name}:*:19000:0:99999:7:::\n"))
            .collect();
        self.lines("/etc/shadow", lines, 0o640)
    }

    fn lines(&mut self, file: &str, text: String, mode: u32) -> Result<(), Error> {
        let stat = self.source.find_file(Path::new(file))?.map(|found| found.stat);
        let (uid, gid, mode) = stat.map_or((0, 0, mode), |stat| (stat.uid, stat.gid, stat.mode));
        self.make(Item {
            path: PathBuf::from(file),
            what: What::Made(Made::Lines(text.into_bytes())),
            mode,
            uid,
            gid,
            mtime: None,
            rule: Rule::Users,
            by: "what goes in".into(),
        })
    }

    /// Users that programs and their configuration name: as a whole string in a program, and as `user NAME`, `User=NAME`,
    /// `group NAME` in a text below /etc.
    fn mentioned(&self, passwd: &str) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        let names: Vec<&str> = passwd.lines().filter_map(|line| line.split(':').next()).collect();
        let names: Vec<&str> = names.into_iter().filter(|name| name.len() > 2).collect();
        let programs = self
            .items
            .values()
            .filter(|item| item.mode & 0o111 != 0 || item.rule == Rule::Program);
        for item in programs {
            if !matches!(item.rule, Rule::Program | Rule::Links) || !matches!(item.what, What::File(_)) {
                continue;
            }
            if let Ok(text) = self.source.root.read(&item.path) {
                // Most services run as a user of their own name.
                let own = names.iter().find(|name| **name == path::name(&item.path));
                found.extend(own.map(|name| (*name).to_owned()));
                // Shorter names are others' options and commands.
                let long = names.iter().filter(|name| name.contains(['-', '_']));
                found.extend(
                    long.filter(|name| is_word_of(&text, name))
                        .map(|name| (*name).to_owned()),
                );
            }
        }
        for item in self
            .items
            .values()
            .filter(|item| item.path.starts_with("/etc") && item.size() < LARGEST)
        {
            let is_text = matches!(item.what, What::File(_))
                && matches!(item.rule, Rule::Named | Rule::Package | Rule::File);
            if is_text && let Some(text) = self.source.text(&item.path)? {
                for line in String::from_utf8_lossy(&text).lines() {
                    found.extend(
                        user_of(line)
                            .filter(|name| names.contains(name))
                            .map(str::to_owned),
                    );
                }
            }
        }
        Ok(found)
    }
}

/// Whether a string of a program ends in a name, and nothing that would make it a longer one is in front.
fn is_word_of(text: &[u8], name: &str) -> bool {
    let word = [name.as_bytes(), b"\0"].concat();
    memchr::memmem::find_iter(text, &word).any(|at| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_' | b'.'))
    })
}

/// The user that a line of a configuration names.
fn user_of(line: &str) -> Option<&str> {
    let line = line.trim();
    let (key, rest) = line.split_once(|c: char| c.is_whitespace() || c == '=' || c == ':')?;
    if !["user", "username", "runas", "group", "run_as_user"].contains(&key.to_ascii_lowercase().as_str()) {
        return None;
    }
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
    let name = rest
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::user_of;

    #[test]
    fn users_of_a_configuration() {
        for (line, user) in [
            ("user www-data;", Some("www-data")),
            ("  User = postgres", Some("postgres")),
            ("user=redis", Some("redis")),
            ("username nobody", Some("nobody")),
            ("# user www-data;", None),
            ("users a", None),
            ("user", None),
        ] {
            assert_eq!(user_of(line), user, "{line}");
        }
    }
}
