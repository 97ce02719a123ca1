//! Users and groups as a root's own /etc/passwd and /etc/group have them (passwd(5), group(5)).
//!
//! Never getpwnam(3): it asks what the host is set up to ask, and its plugins come from the wrong C library.

use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{Error, reading};

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// Whom to be: `USER`, `USER:GROUP` or `:GROUP`, each by name or number (chroot(1), `--userspec`). A name is looked up
/// before it is taken for a number; `+` before a number rules the name out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    user: Option<String>,
    group: Option<String>,
}

/// Words that name nobody.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected USER, USER:GROUP or :GROUP")]
pub struct NotWho;

impl FromStr for Who {
    type Err = NotWho;

    fn from_str(words: &str) -> Result<Self, NotWho> {
        let (user, group) = words.split_once(':').unwrap_or((words, ""));
        let some = |word: &str| (!word.is_empty()).then(|| word.to_owned());
        match (some(user), some(group)) {
            (None, None) => Err(NotWho),
            (_, Some(group)) if group.contains(':') => Err(NotWho),
            (user, group) => Ok(Who { user, group }),
        }
    }
}

/// A user of a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The login name; `None` of a user that has only a number.
    pub name: Option<OsString>,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups' ids, [`gid`](Self::gid) among them (initgroups(3)).
    pub groups: Vec<u32>,
    /// The home directory, as the root names it.
    pub home: PathBuf,
    /// The login shell.
    pub shell: PathBuf,
}

/// A number as it may be written for an id; the highest one means "none" to the kernel (chown(2)).
fn id(word: &[u8]) -> Option<u32> {
    let digits = word.strip_prefix(b"+").unwrap_or(word);
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?;
    number.filter(|number| *number != u32::MAX)
}

fn fields(line: &[u8]) -> Vec<&[u8]> {
    line.split(|byte| *byte == b':').collect()
}

/// A line of passwd; `None` for one that is none.
fn account(line: &[u8]) -> Option<Account> {
    let [name, _, uid, gid, _, home, shell] = fields(line)[..] else {
        return None;
    };
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    // Lines of `+` and `-` stand for a name service (nsswitch.conf(5), compat).
    if name.is_empty() || name.starts_with(b"+") || name.starts_with(b"-") {
        return None;
    }
    let or = |bytes: &[u8], otherwise: &str| match bytes.is_empty() {
        true => PathBuf::from(otherwise),
        false => PathBuf::from(text(bytes)),
    };
    Some(Account {
        name: Some(text(name)),
        uid: id(uid)?,
        gid: id(gid)?,
        groups: Vec::new(),
        home: or(home, "/"),
        shell: or(shell, "/bin/sh"),
    })
}

/// A line of group.
struct Group<'a> {
    name: &'a [u8],
    gid: u32,
    members: Vec<&'a [u8]>,
}

fn group(line: &[u8]) -> Option<Group<'_>> {
    let [name, _, gid, members] = fields(line)[..] else {
        return None;
    };
    let members = members
        .split(|byte| *byte == b',')
        .filter(|member| !member.is_empty());
    Some(Group {
        name,
        gid: id(gid)?,
        members: members.collect(),
    })
}

impl Account {
    /// Finds a user, root without one, in a root.
    ///
    /// # Errors
    /// [`Error::NoUser`] and [`Error::NoGroup`] for names that the root does not have, [`Error::GroupNeeded`] for a number
    /// that it has no user of, [`Error::Read`] when its files cannot be read.
    pub fn find(root: BorrowedFd<'_>, root_path: &Path, who: &Who) -> Result<Account, Error> {
        let read = |path: &'static str| {
            reading::lines(root, path).map_err(|error| Error::Read {
                root: root_path.to_owned(),
                path: path.into(),
                source: error.into(),
            })
        };
        let (passwd, group_lines) = (read(PASSWD)?, read(GROUP)?);
        let groups: Vec<_> = group_lines.iter().filter_map(|line| group(line)).collect();
        let gid = match &who.group {
            None => None,
            Some(wanted) => {
                let named = groups.iter().find(|group| group.name == wanted.as_bytes());
                let gid = named.map(|group| group.gid).or_else(|| id(wanted.as_bytes()));
                Some(gid.ok_or_else(|| Error::NoGroup {
                    root: root_path.to_owned(),
                    group: wanted.clone(),
                })?)
            }
        };
        let mut account = user(&passwd, who, gid, root_path)?;
        account.gid = gid.unwrap_or(account.gid);
        account.groups = vec![account.gid];
        if let Some(name) = &account.name {
            for group in &groups {
                if group.members.contains(&name.as_bytes()) && !account.groups.contains(&group.gid) {
                    account.groups.push(group.gid);
                }
            }
        }
        Ok(account)
    }

    /// What `USER` and `LOGNAME` are.
    pub fn login_name(&self) -> OsString {
        self.name.clone().unwrap_or_else(|| self.uid.to_string().into())
    }
}

fn user(passwd: &[Vec<u8>], who: &Who, gid: Option<u32>, root_path: &Path) -> Result<Account, Error> {
    let accounts = || passwd.iter().filter_map(|line| account(line));
    let of_id = |uid: u32| accounts().find(|account| account.uid == uid);
    let nameless = |uid: u32, gid: u32, home: &str| Account {
        name: None,
        uid,
        gid,
        groups: Vec::new(),
        home: home.into(),
        shell: "/bin/sh".into(),
    };
    let Some(wanted) = &who.user else {
        // A root without a list of users has at least this one.
        return Ok(of_id(0).unwrap_or_else(|| Account {
            name: Some("root".into()),
            ..nameless(0, 0, "/root")
        }));
    };
    let named = |account: &Account| account.name.as_deref() == Some(OsStr::new(wanted));
    if let Some(account) = accounts().find(named) {
        return Ok(account);
    }
    let Some(uid) = id(wanted.as_bytes()) else {
        return Err(Error::NoUser {
            root: root_path.to_owned(),
            user: wanted.clone(),
        });
    };
    match (of_id(uid), gid) {
        (Some(account), _) => Ok(account),
        (None, Some(gid)) => Ok(nameless(uid, gid, "/")),
        (None, None) if uid == 0 => Ok(nameless(0, 0, "/root")),
        (None, None) => Err(Error::GroupNeeded {
            root: root_path.to_owned(),
            uid,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsFd;

    use super::*;

    fn who(words: &str) -> Who {
        words.parse().unwrap()
    }

    #[test]
    fn words_for_users() {
        let of = |user: Option<&str>, group: Option<&str>| Who {
            user: user.map(str::to_owned),
            group: group.map(str::to_owned),
        };
        assert_eq!(who("www-data"), of(Some("www-data"), None));
        assert_eq!(who("1000:users"), of(Some("1000"), Some("users")));
        assert_eq!(who(":7"), of(None, Some("7")));
        assert_eq!(who("a:"), of(Some("a"), None));
        for wrong in ["", ":", "a:b:c"] {
            assert_eq!(wrong.parse::<Who>(), Err(NotWho), "{wrong}");
        }
    }

    #[test]
    fn users_are_the_root_s() {
        let dir = tempfile::tempdir().unwrap();
        let root = fs::File::open(dir.path()).unwrap();
        let find = |words: &str| Account::find(root.as_fd(), Path::new("/r"), &who(words));
        let plain = Account::find(root.as_fd(), Path::new("/r"), &Who::default()).unwrap();
        assert_eq!(
            (plain.uid, plain.gid, plain.shell.to_str()),
            (0, 0, Some("/bin/sh"))
        );

        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::write(
            dir.path().join("etc/passwd"),
            "root:x:0:0:root:/root:/bin/bash\nbroken\n+nis:::::/:\nwww:x:33:33:www:/var/www:/usr/sbin/nologin\n\
             bare:x:7:8:::\n42:x:1042:1042::/home/42:/bin/sh\nhigh:x:4294967295:0::/:\n",
        )
        .unwrap();
        fs::write(
            dir.path().join("etc/group"),
            "root:x:0:\nwww:x:33:\nadm:x:4:root,www\nssl:x:104:www\nagain:x:104:www\nshort:x:1\nusers:x:100:\n",
        )
        .unwrap();
        for (words, uid, gid, groups, home, shell) in [
            ("root", 0, 0, &[0, 4][..], "/root", "/bin/bash"),
            ("www", 33, 33, &[33, 4, 104], "/var/www", "/usr/sbin/nologin"),
            ("33", 33, 33, &[33, 4, 104], "/var/www", "/usr/sbin/nologin"),
            (
                "www:users",
                33,
                100,
                &[100, 4, 104],
                "/var/www",
                "/usr/sbin/nologin",
            ),
            ("www:12", 33, 12, &[12, 4, 104], "/var/www", "/usr/sbin/nologin"),
            ("bare", 7, 8, &[8], "/", "/bin/sh"),
            ("42", 1042, 1042, &[1042], "/home/42", "/bin/sh"),
            ("+42:1", 42, 1, &[1], "/", "/bin/sh"),
            ("500:500", 500, 500, &[500], "/", "/bin/sh"),
            (":100", 0, 100, &[100, 4], "/root", "/bin/bash"),
        ] {
            let found = find(words).unwrap();
            assert_eq!(
                (found.uid, found.gid, &found.groups[..]),
                (uid, gid, groups),
                "{words}"
            );
            assert_eq!(
                (found.home.to_str(), found.shell.to_str()),
                (Some(home), Some(shell)),
                "{words}"
            );
        }
        assert!(matches!(find("nobody"), Err(Error::NoUser { .. })));
        assert!(matches!(find("high"), Err(Error::NoUser { .. })));
        assert!(matches!(find("4294967295"), Err(Error::NoUser { .. })));
        assert!(matches!(find("www:nobody"), Err(Error::NoGroup { .. })));
        assert!(matches!(find("500"), Err(Error::GroupNeeded { uid: 500, .. })));
        assert_eq!(find("500:1").unwrap().login_name(), "500");
    }
}
