use bareroot_model::Entry;

use super::names::NameTable;
use super::settings::Override;

/// Who an entry belongs to: by number now, by name once the root's users are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The names that may mean other numbers in the root; `None` for nearly every entry.
    names: Option<Box<Names>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Names {
    user: Option<Vec<u8>>,
    group: Option<Vec<u8>>,
}

impl Owner {
    /// The archive's numbers; root is 0 whatever they say, other names wait.
    pub(super) fn of(entry: &Entry) -> Self {
        let (uid, user) = one(entry.uid, entry.user.as_deref());
        let (gid, group) = one(entry.gid, entry.group.as_deref());
        let names = (user.is_some() || group.is_some()).then(|| Box::new(Names { user, group }));
        Owner { uid, gid, names }
    }

    /// What the administrator set is by number.
    pub(super) fn overridden(by: &Override) -> Self {
        Owner {
            uid: by.uid,
            gid: by.gid,
            names: None,
        }
    }

    pub(super) const ROOT: Owner = Owner {
        uid: 0,
        gid: 0,
        names: None,
    };

    /// User and group as the root's own tables have them; numbers where it has no such name.
    pub(super) fn resolve(&self, table: &NameTable) -> (u32, u32) {
        let Some(names) = &self.names else {
            return (self.uid, self.gid);
        };
        let user = names.user.as_deref().and_then(|name| table.user(name));
        let group = names.group.as_deref().and_then(|name| table.group(name));
        (user.unwrap_or(self.uid), group.unwrap_or(self.gid))
    }

    /// Whether the tables of the root may change it.
    pub(super) fn is_named(&self) -> bool {
        self.names.is_some()
    }
}

/// A number and, where it is not root's, the name that may overrule it. `u32::MAX` would tell chown(2) to leave the owner,
/// so it is nobody's.
fn one(id: u32, name: Option<&[u8]>) -> (u32, Option<Vec<u8>>) {
    let id = if id == u32::MAX { 0 } else { id };
    match name {
        None | Some(b"") => (id, None),
        Some(b"root") => (0, None),
        Some(name) => (id, Some(name.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use bareroot_model::Kind;

    use super::*;

    fn owner(uid: u32, gid: u32, user: Option<&str>, group: Option<&str>) -> Owner {
        Owner::of(&Entry {
            path: b"x".to_vec(),
            kind: Kind::File,
            mode: 0,
            uid,
            gid,
            user: user.map(|n| n.as_bytes().to_vec()),
            group: group.map(|n| n.as_bytes().to_vec()),
            mtime: 0,
            size: 0,
            xattrs: Vec::new(),
        })
    }

    #[test]
    fn names_overrule_numbers_where_they_are_known() {
        let table = NameTable::from_files(b"man:x:6:12::/:\n", b"shadow:x:42:\n");
        assert_eq!(
            owner(1000, 1000, Some("root"), Some("root")).resolve(&table),
            (0, 0)
        );
        assert_eq!(
            owner(0, 99, Some("root"), Some("shadow")).resolve(&table),
            (0, 42)
        );
        assert_eq!(owner(99, 0, Some("man"), None).resolve(&table), (6, 0));
        assert_eq!(
            owner(77, 78, Some("nobody-knows"), Some("")).resolve(&table),
            (77, 78)
        );
        assert_eq!(owner(u32::MAX, u32::MAX, None, None).resolve(&table), (0, 0));
        assert!(!owner(0, 0, Some("root"), Some("root")).is_named());
        assert!(owner(0, 42, Some("root"), Some("shadow")).is_named());
    }
}
