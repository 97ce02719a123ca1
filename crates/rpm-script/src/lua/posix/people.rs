//! Users and groups by the root's own two files: there is no name service in a root that is being made.

use std::fs;

/// A line of passwd(5).
pub(super) struct User {
    pub(super) name: Vec<u8>,
    pub(super) passwd: Vec<u8>,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) gecos: Vec<u8>,
    pub(super) dir: Vec<u8>,
    pub(super) shell: Vec<u8>,
}

/// A line of group(5).
pub(super) struct Group {
    pub(super) name: Vec<u8>,
    pub(super) gid: u32,
    pub(super) members: Vec<Vec<u8>>,
}

/// How somebody is asked for.
pub(super) enum Key<'a> {
    Name(&'a [u8]),
    Id(u32),
}

fn matches(key: &Key<'_>, name: &[u8], id: u32) -> bool {
    match *key {
        Key::Name(wanted) => wanted == name,
        Key::Id(wanted) => wanted == id,
    }
}

fn number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn fields(line: &[u8]) -> Vec<Vec<u8>> {
    line.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect()
}

fn user_of(line: &[u8]) -> Option<User> {
    let [name, passwd, uid, gid, gecos, dir, shell] = <[Vec<u8>; 7]>::try_from(fields(line)).ok()?;
    Some(User {
        name,
        passwd,
        uid: number(&uid)?,
        gid: number(&gid)?,
        gecos,
        dir,
        shell,
    })
}

fn group_of(line: &[u8]) -> Option<Group> {
    let [name, _, gid, members] = <[Vec<u8>; 4]>::try_from(fields(line)).ok()?;
    let members = members
        .split(|byte| *byte == b',')
        .filter(|name| !name.is_empty());
    Some(Group {
        name,
        gid: number(&gid)?,
        members: members.map(<[u8]>::to_vec).collect(),
    })
}

pub(super) fn user(key: &Key<'_>) -> Option<User> {
    let text = fs::read("/etc/passwd").ok()?;
    text.split(|byte| *byte == b'\n')
        .filter_map(user_of)
        .find(|user| matches(key, &user.name, user.uid))
}

pub(super) fn group(key: &Key<'_>) -> Option<Group> {
    let text = fs::read("/etc/group").ok()?;
    text.split(|byte| *byte == b'\n')
        .filter_map(group_of)
        .find(|group| matches(key, &group.name, group.gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_none_are_left_out() {
        let user = user_of(b"a:x:1:2:A User:/home/a:/bin/sh").unwrap();
        assert_eq!(
            (user.uid, user.gid, user.shell.as_slice()),
            (1, 2, b"/bin/sh".as_slice())
        );
        for line in [
            "",
            "a:x:1:2:g:/home/a",
            "a:x:-1:2:g:/:/",
            "a:x:1:4294967296:g:/:/",
        ] {
            assert!(user_of(line.as_bytes()).is_none(), "{line}");
        }
        let group = group_of(b"g:x:7:a,b").unwrap();
        assert_eq!(group.members, [b"a".to_vec(), b"b".to_vec()]);
        assert!(group_of(b"g:x:7:").unwrap().members.is_empty());
        assert!(group_of(b"g:x:").is_none());
    }
}
