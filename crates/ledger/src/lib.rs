//! Who owns what in a root, where the file system cannot say it.
//!
//! Without root's rights a user cannot give files to others, or make devices. What a root's files should be is kept in a
//! [`Ledger`] then: in memory by inode while the root grows or is worked in, and as a text by path ([`text`]) between
//! runs, in the root itself under [`FILE`], so that it goes where the root goes. A tar made of the root is as if root
//! had made it.
//!
//! What the ledger says is never used for access: the kernel goes by the real owners.

mod id;
pub mod text;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

pub use id::FileId;

/// The name of the ledger's text, at the top of the root. It is no part of the root: whatever copies one leaves it out.
pub const FILE: &str = ".bareroot-ledger";

/// A device node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// A character device: major and minor number.
    Char(u32, u32),
    /// A block device: major and minor number.
    Block(u32, u32),
}

/// What a file should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owned {
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// What an empty file stands for.
    pub device: Option<Device>,
}

/// What the file system cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Devices: owners are real, by subordinate ids.
    Devices,
    /// Devices, and every owner: there is one id only.
    All,
}

/// What files should be, by inode. One that is not in it is root's (0:0), or of its directory's group where that has the
/// set-group-id bit.
#[derive(Debug)]
pub struct Ledger {
    scope: Scope,
    files: Mutex<HashMap<FileId, Owned>>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(scope: Scope) -> Self {
        Ledger {
            scope,
            files: Mutex::new(HashMap::new()),
        }
    }

    /// What it is kept for.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether owners are recorded in it, not set on the files.
    pub fn keeps_owners(&self) -> bool {
        self.scope == Scope::All
    }

    fn files(&self) -> MutexGuard<'_, HashMap<FileId, Owned>> {
        self.files.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// What a file should be, where that was recorded.
    pub fn get(&self, file: FileId) -> Option<Owned> {
        self.files().get(&file).copied()
    }

    /// Records what a file is.
    pub fn set(&self, file: FileId, owned: Owned) {
        self.files().insert(file, owned);
    }

    /// Records what a file is, unless that is known already.
    pub fn set_if_unknown(&self, file: FileId, owned: Owned) {
        self.files().entry(file).or_insert(owned);
    }

    /// Records owner and group, each where it is given, as chown(2) takes them; what else is known stays.
    pub fn chown(&self, file: FileId, uid: Option<u32>, gid: Option<u32>) {
        let mut files = self.files();
        let owned = files.entry(file).or_default();
        owned.uid = uid.unwrap_or(owned.uid);
        owned.gid = gid.unwrap_or(owned.gid);
    }

    /// How many files are recorded, those that are gone by now included.
    pub fn len(&self) -> usize {
        self.files().len()
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_owner_leaves_what_it_does_not_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(dir.path().join("a")).unwrap();
        let id = FileId::of(&file).unwrap();
        let ledger = Ledger::new(Scope::All);
        assert_eq!(ledger.get(id), None);
        ledger.set(
            id,
            Owned {
                uid: 1,
                gid: 2,
                device: Some(Device::Char(1, 3)),
            },
        );
        ledger.chown(id, None, Some(5));
        ledger.chown(id, Some(4), None);
        let expected = Owned {
            uid: 4,
            gid: 5,
            device: Some(Device::Char(1, 3)),
        };
        assert_eq!(ledger.get(id), Some(expected));
        assert_eq!(ledger.len(), 1);
    }
}
