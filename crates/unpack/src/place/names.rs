use std::collections::HashMap;

/// The longest passwd or group file that is looked at; the rest of a longer one is ignored.
const MOST_BYTES: usize = 4 << 20;

/// The users and groups of a root: name to number, as its own `/etc/passwd` and `/etc/group` (or base-passwd's masters)
/// have them. Formats: passwd(5), group(5).
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    users: HashMap<Vec<u8>, u32>,
    groups: HashMap<Vec<u8>, u32>,
}

impl NameTable {
    /// The names in the text of a passwd and of a group file. Lines that cannot be read are skipped, as libc does; of two
    /// lines with one name the first counts.
    pub fn from_files(passwd: &[u8], group: &[u8]) -> Self {
        NameTable {
            users: ids(passwd),
            groups: ids(group),
        }
    }

    /// The number of a user.
    pub fn user(&self, name: &[u8]) -> Option<u32> {
        self.users.get(name).copied()
    }

    /// The number of a group.
    pub fn group(&self, name: &[u8]) -> Option<u32> {
        self.groups.get(name).copied()
    }
}

/// Both files have the name in the first field and the number in the third.
fn ids(text: &[u8]) -> HashMap<Vec<u8>, u32> {
    let mut ids = HashMap::new();
    for line in text.get(..MOST_BYTES).unwrap_or(text).split(|&b| b == b'\n') {
        let mut fields = line.split(|&b| b == b':');
        let (Some(name), Some(_), Some(number)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        if name.is_empty() || matches!(name.first(), Some(b'#' | b'+' | b'-')) || name.len() > 256 {
            continue;
        }
        if let Some(id) = number_of(number) {
            ids.entry(name.to_vec()).or_insert(id);
        }
    }
    ids
}

/// A decimal id; `u32::MAX` means "leave it" to chown(2) and is nobody's.
fn number_of(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits)
        .ok()?
        .parse()
        .ok()
        .filter(|&id| id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_numbers() {
        let table = NameTable::from_files(
            b"root:x:0:0:root:/root:/bin/sh\nman:*:6:12:man:/var/cache/man:/usr/sbin/nologin\nman:x:7:7::/:\n",
            b"root:*:0:\nshadow:*:42:\nstaff:x:50:a,b",
        );
        assert_eq!(table.user(b"root"), Some(0));
        assert_eq!(table.user(b"man"), Some(6));
        assert_eq!(table.group(b"shadow"), Some(42));
        assert_eq!(table.group(b"staff"), Some(50));
        assert_eq!(table.group(b"man"), None);
    }

    #[test]
    fn broken_lines_are_skipped() {
        let text =
            b"\n:\nx\nx:y\n:x:1:\n#c:x:1:\n+nis:x:2:\nbig:x:4294967295:\nhuge:x:99999999999:\nneg:x:-1:\n\
                     e:x::\n\xff\xfe:x:5:\nok:x:3:\n";
        let table = NameTable::from_files(text, b"");
        assert_eq!(table.users.len(), 2);
        assert_eq!(table.user(b"ok"), Some(3));
        assert_eq!(table.user(b"\xff\xfe"), Some(5));
    }
}
