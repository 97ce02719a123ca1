//! Which ids users and groups get (systemd's src/sysusers/sysusers.c): those that they ask for where they are free; else the
//! same for a user and its group where that is free; else the highest that is free.

use super::OwnerOf;
use super::accounts::{Accounts, Names};
use super::line::{Declared, Group, GroupOf, Id, User};

/// The shell of accounts that nobody logs in to.
const NO_LOGIN: &[u8] = b"/usr/sbin/nologin";

pub(super) struct Allotment<'a> {
    accounts: &'a mut Accounts,
    declared: &'a Declared,
    owner: OwnerOf<'a>,
    users: Names,
    groups: Names,
    /// Ranges to take ids from, and the last id that was looked at: users and groups go down together.
    ranges: Vec<(u32, u32)>,
    searched: Option<u32>,
    notes: Vec<String>,
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

impl<'a> Allotment<'a> {
    pub(super) fn new(accounts: &'a mut Accounts, declared: &'a Declared, owner: OwnerOf<'a>) -> Self {
        let ranges = match declared.ranges.is_empty() {
            true => vec![(1, accounts.system_max())],
            false => declared.ranges.clone(),
        };
        Allotment {
            users: accounts.users(),
            groups: accounts.groups(),
            accounts,
            declared,
            owner,
            ranges,
            searched: None,
            notes: Vec::new(),
        }
    }

    pub(super) fn into_notes(self) -> Vec<String> {
        self.notes
    }

    pub(super) fn run(&mut self) {
        let declared = self.declared;
        for group in &declared.groups {
            let wanted = match &group.id {
                Id::Any => None,
                Id::Number(gid) => Some(*gid),
                Id::OwnerOf(path) => (self.owner)(path).map(|(_, gid)| gid),
            };
            self.group(&group.name, wanted, None);
        }
        for user in &declared.users {
            self.user(user);
        }
        for (user, group) in &declared.members {
            if self.groups.id(group).is_some() {
                self.accounts.add_member(group, user);
            }
        }
    }

    /// Whether a group may get an id. It may be the id of a user of the same name, where that counts.
    fn gid_is_free(&self, gid: u32, name: &[u8], with_user: bool) -> bool {
        let of_a_user = self.users.name(gid).filter(|_| with_user);
        self.groups.name(gid).is_none() && of_a_user.is_none_or(|user| user == name)
    }

    fn uid_is_free(&self, uid: u32, name: &[u8], with_group: bool) -> bool {
        let of_a_group = self.groups.name(uid).filter(|_| with_group);
        self.users.name(uid).is_none() && of_a_group.is_none_or(|group| group == name)
    }

    /// The next id below those that were looked at.
    fn next(&mut self) -> Option<u32> {
        let below = match self.searched {
            Some(searched) => searched.checked_sub(1)?,
            None => u32::MAX,
        };
        let highest = |(first, last): &(u32, u32)| (*first <= below).then(|| below.min(*last));
        let next = self.ranges.iter().filter_map(highest).max();
        self.searched = next.or(Some(0));
        next.filter(|id| *id != 0)
    }

    fn search(&mut self, is_free: impl Fn(&Self, u32) -> bool) -> Option<u32> {
        loop {
            let id = self.next()?;
            if is_free(self, id) {
                return Some(id);
            }
        }
    }

    /// Makes sure that there is a group; `like` is the id of the user whose group it is.
    fn group(&mut self, name: &[u8], wanted: Option<u32>, like: Option<u32>) -> Option<u32> {
        if let Some(gid) = self.groups.id(name) {
            return Some(gid);
        }
        let gid = wanted
            .filter(|gid| self.gid_is_free(*gid, name, false))
            .or_else(|| like.filter(|gid| self.gid_is_free(*gid, name, true)))
            .or_else(|| self.search(|this, gid| this.gid_is_free(gid, name, true)));
        let Some(gid) = gid else {
            self.notes
                .push(format!("No free group ID available for {}.", shown(name)));
            return None;
        };
        self.groups.add(name, gid);
        self.accounts.add_group(name, gid);
        Some(gid)
    }

    /// The group of a user, made if need be.
    fn group_of(&mut self, user: &User, wanted: Option<u32>) -> Option<u32> {
        let declared: Option<&Group> = match &user.group {
            Some(GroupOf::Number(gid)) if self.groups.name(*gid).is_some() => return Some(*gid),
            Some(GroupOf::Number(gid)) => {
                let name = shown(&user.name);
                self.notes
                    .push(format!("Failed to create {name}: please create GID {gid}"));
                return None;
            }
            Some(GroupOf::Name(name)) => match self.groups.id(name) {
                Some(gid) => return Some(gid),
                None => {
                    let (user, group) = (shown(&user.name), shown(name));
                    self.notes
                        .push(format!("Failed to look up GID of {group} for {user}"));
                    return None;
                }
            },
            None => self.declared.groups.iter().find(|group| group.name == user.name),
        };
        match declared {
            Some(group) => self.groups.id(&group.name),
            None => self.group(&user.name, None, wanted),
        }
    }

    fn user(&mut self, user: &User) {
        let wanted = match &user.id {
            Id::Any => None,
            Id::Number(uid) => Some(*uid),
            Id::OwnerOf(path) => (self.owner)(path).map(|(uid, _)| uid),
        };
        let Some(gid) = self.group_of(user, wanted) else {
            return;
        };
        if self.users.id(&user.name).is_some() {
            return;
        }
        let name = &user.name;
        // A user whose group was named has an id of its own.
        let with_group = user.group.is_none();
        let free = wanted.filter(|uid| self.uid_is_free(*uid, name, with_group));
        if let (Some(uid), None) = (wanted, free) {
            let name = shown(name);
            self.notes
                .push(format!("Suggested user ID {uid} for {name} already used."));
        }
        let uid = free
            .or_else(|| Some(gid).filter(|uid| self.uid_is_free(*uid, name, true)))
            .or_else(|| self.search(|this, uid| this.uid_is_free(uid, name, true)));
        let Some(uid) = uid else {
            self.notes
                .push(format!("No free user ID available for {}.", shown(name)));
            return;
        };
        self.users.add(name, uid);
        let home = user.home.as_deref().unwrap_or(b"/");
        let shell = match (&user.shell, uid) {
            (Some(shell), _) => shell,
            (None, 0) => b"/bin/sh".as_slice(),
            (None, _) => NO_LOGIN,
        };
        self.accounts.add_user(name, (uid, gid), &user.gecos, home, shell);
    }
}
