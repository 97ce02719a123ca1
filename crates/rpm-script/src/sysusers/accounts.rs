//! The four files: passwd(5), group(5), shadow(5) and gshadow(5).

use std::collections::HashMap;

/// The default of login.defs(5) for the last id of system accounts.
const SYS_UID_MAX: u32 = 999;

/// The accounts of a root, as texts that only grow: lines that are there stay as they are, but for new members of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// /etc/passwd.
    pub passwd: Vec<u8>,
    /// /etc/group.
    pub group: Vec<u8>,
    /// /etc/shadow.
    pub shadow: Vec<u8>,
    /// /etc/gshadow.
    pub gshadow: Vec<u8>,
    /// /etc/login.defs, which says up to which id there are system accounts.
    pub login_defs: Vec<u8>,
    /// Days since 1970, for the date of a password's last change.
    pub today: u64,
}

/// Names and ids of one of the files.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: HashMap<Vec<u8>, u32>,
    by_id: HashMap<u32, Vec<u8>>,
}

impl Names {
    fn of(text: &[u8]) -> Names {
        let mut names = Names::default();
        for line in text.split(|byte| *byte == b'\n') {
            let mut fields = line.split(|byte| *byte == b':');
            let (name, id) = (
                fields.next().unwrap_or_default(),
                fields.nth(1).unwrap_or_default(),
            );
            let id = std::str::from_utf8(id).ok().and_then(|id| id.parse().ok());
            if let Some(id) = id.filter(|_| !name.is_empty() && !name.starts_with(b"+")) {
                names.add(name, id);
            }
        }
        names
    }

    pub(super) fn add(&mut self, name: &[u8], id: u32) {
        self.by_name.entry(name.to_vec()).or_insert(id);
        self.by_id.entry(id).or_insert_with(|| name.to_vec());
    }

    pub(super) fn id(&self, name: &[u8]) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    pub(super) fn name(&self, id: u32) -> Option<&[u8]> {
        self.by_id.get(&id).map(Vec::as_slice)
    }
}

/// Adds a line at the end, but before lines that bring accounts from elsewhere.
fn append(text: &mut Vec<u8>, line: &[&[u8]]) {
    let mut line = line.concat();
    line.push(b'\n');
    if !text.is_empty() && text.last() != Some(&b'\n') {
        text.push(b'\n');
    }
    let mut place = text.len();
    let mut begin = 0;
    for old in text.split_inclusive(|byte| *byte == b'\n') {
        if old.starts_with(b"+") {
            place = begin;
            break;
        }
        begin += old.len();
    }
    text.splice(place..place, line);
}

fn has(text: &[u8], name: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n')
        .any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(b":")))
}

/// Adds a member to a group's line, whose last field has them; they are sorted then.
fn join(text: &mut Vec<u8>, group: &[u8], user: &[u8]) {
    let mut begin = 0;
    for line in text.split(|byte| *byte == b'\n') {
        let is_the_one = line
            .strip_prefix(group)
            .is_some_and(|rest| rest.starts_with(b":"));
        if is_the_one {
            let field = line.rsplit(|byte| *byte == b':').next().unwrap_or_default();
            let mut members: Vec<&[u8]> = field
                .split(|byte| *byte == b',')
                .filter(|member| !member.is_empty())
                .collect();
            if members.contains(&user) {
                return;
            }
            members.push(user);
            members.sort_unstable();
            members.dedup();
            let (members, end) = (members.join(&b','), begin + line.len());
            text.splice(end - field.len()..end, members);
            return;
        }
        begin += line.len() + 1;
    }
}

impl Accounts {
    pub(super) fn users(&self) -> Names {
        Names::of(&self.passwd)
    }

    pub(super) fn groups(&self) -> Names {
        Names::of(&self.group)
    }

    /// The last id of system accounts.
    pub(super) fn system_max(&self) -> u32 {
        let text = String::from_utf8_lossy(&self.login_defs);
        let value = text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("SYS_UID_MAX")).then(|| words.next()?.parse().ok())?
        });
        value.unwrap_or(SYS_UID_MAX)
    }

    pub(super) fn add_group(&mut self, name: &[u8], gid: u32) {
        append(&mut self.group, &[name, b":x:", gid.to_string().as_bytes(), b":"]);
        if !has(&self.gshadow, name) {
            append(&mut self.gshadow, &[name, b":!*::"]);
        }
    }

    pub(super) fn add_user(&mut self, name: &[u8], ids: (u32, u32), gecos: &[u8], home: &[u8], shell: &[u8]) {
        let (uid, gid) = (ids.0.to_string(), ids.1.to_string());
        append(
            &mut self.passwd,
            &[
                name,
                b":x:",
                uid.as_bytes(),
                b":",
                gid.as_bytes(),
                b":",
                gecos,
                b":",
                home,
                b":",
                shell,
            ],
        );
        if !has(&self.shadow, name) {
            let today = self.today.to_string();
            append(&mut self.shadow, &[name, b":!*:", today.as_bytes(), b"::::::"]);
        }
    }

    pub(super) fn add_member(&mut self, group: &[u8], user: &[u8]) {
        join(&mut self.group, group, user);
        join(&mut self.gshadow, group, user);
    }
}
