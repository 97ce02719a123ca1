//! Which ids a user may map beside the own one: /etc/subuid and /etc/subgid (subuid(5), subgid(5)).
//!
//! The files are read as they are. A name service is never asked: in a static binary it would load code of the host.

use std::fs::File;
use std::io::Read as _;

use crate::Error;

/// The most of a file that is read, in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// How many ids a distribution's root needs: nobody is 65534, and the own id is one of them.
const NEEDED: u64 = 65_534;

/// Consecutive ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u32,
    pub(super) count: u32,
}

/// Whom a user may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) uids: Vec<Range>,
    pub(super) gids: Vec<Range>,
}

/// The ids of the user who runs this process.
///
/// # Errors
/// [`Error::NoSubordinateIds`] where there are none, or too few.
pub(super) fn of_this_user() -> Result<Ids, Error> {
    let uid = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
    let name = name_of(uid, &read("/etc/passwd"));
    let ranges = |file: &'static str| {
        let ranges = of(uid, name.as_deref(), &read(file));
        let count: u64 = ranges.iter().map(|range| u64::from(range.count)).sum();
        match count < NEEDED {
            false => Ok(ranges),
            true => Err(Error::NoSubordinateIds {
                user: name.clone().unwrap_or_else(|| uid.to_string()),
                file,
                found: count,
                expected: NEEDED,
            }),
        }
    };
    Ok(Ids {
        uid,
        gid,
        uids: ranges("/etc/subuid")?,
        gids: ranges("/etc/subgid")?,
    })
}

fn read(file: &str) -> String {
    let mut bytes = Vec::new();
    let file = File::open(file).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    // One that cannot be read grants nothing.
    match file {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}

fn name_of(uid: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

/// The ranges of a user, which a line names by name or by number. What is no line of the format counts for nothing.
fn of(uid: u32, name: Option<&str>, text: &str) -> Vec<Range> {
    let number = uid.to_string();
    let lines = text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (who, first, count) = (fields.next()?, fields.next()?, fields.next()?);
        let ours = Some(who) == name || who == number;
        let (first, count) = (first.trim().parse().ok()?, count.trim().parse().ok()?);
        (ours && count > 0 && u32::checked_add(first, count).is_some()).then_some(Range { first, count })
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_ranges_of_its_name_and_of_its_number() {
        let text = "ann:100000:65536\nbob:165536:65536\n1000:300000:10\n# a comment\nann:x:1\nann:5:0\nann:4294967295:2\n";
        let found = |uid, name| -> Vec<(u32, u32)> {
            let ranges = of(uid, name, text).into_iter();
            ranges.map(|range| (range.first, range.count)).collect()
        };
        assert_eq!(found(1000, Some("ann")), [(100_000, 65_536), (300_000, 10)]);
        assert_eq!(found(1001, Some("bob")), [(165_536, 65_536)]);
        assert_eq!(found(1000, None), [(300_000, 10)]);
        assert_eq!(found(7, Some("eve")), []);
    }

    #[test]
    fn names_come_from_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(1000, passwd).as_deref(), Some("ann"));
        assert_eq!(name_of(1, passwd), None);
    }
}
