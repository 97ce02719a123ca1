//! The kinds of database that rpm has had.

/// Which of rpm's databases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// `rpmdb.sqlite`: Fedora from 33 on, CentOS Stream, Amazon Linux 2023, Mageia, Azure Linux.
    #[default]
    Sqlite,
    /// `Packages.db` and `Index.db`: SUSE's.
    Ndb,
    /// `Packages`, Berkeley DB's hash: up to EL8 and Fedora 32.
    Bdb,
}

impl Backend {
    /// All of them.
    pub const ALL: [Backend; 3] = [Backend::Sqlite, Backend::Ndb, Backend::Bdb];

    /// rpm's word (`%_db_backend`).
    pub fn word(self) -> &'static str {
        match self {
            Backend::Sqlite => "sqlite",
            Backend::Ndb => "ndb",
            Backend::Bdb => "bdb",
        }
    }

    /// The backend of that word; `bdb_ro`, by which rpm since 4.16 reads Berkeley DB, is `bdb`.
    pub fn of_word(word: &str) -> Option<Backend> {
        match word {
            "sqlite" => Some(Backend::Sqlite),
            "ndb" => Some(Backend::Ndb),
            "bdb" | "bdb_ro" => Some(Backend::Bdb),
            _ => None,
        }
    }

    /// The file that holds the headers.
    pub fn file(self) -> &'static str {
        match self {
            Backend::Sqlite => "rpmdb.sqlite",
            Backend::Ndb => "Packages.db",
            Backend::Bdb => "Packages",
        }
    }

    /// Which backend's file these bytes begin; `None` for what is no such file.
    pub fn recognise(bytes: &[u8]) -> Option<Backend> {
        let bdb = || bytes.get(12..16).and_then(|word| word.first_chunk::<4>());
        if bytes.starts_with(b"SQLite format 3\0") {
            Some(Backend::Sqlite)
        } else if bytes.starts_with(b"RpmP") {
            Some(Backend::Ndb)
        } else if bdb().is_some_and(|word| crate::bdb::ByteOrder::of_magic(*word).is_some()) {
            Some(Backend::Bdb)
        } else {
            None
        }
    }

    /// Whether a file of that name belongs to a database of this kind: the headers, indexes, journals and locks.
    pub fn owns(self, name: &str) -> bool {
        match self {
            Backend::Sqlite => [
                "rpmdb.sqlite",
                "rpmdb.sqlite-wal",
                "rpmdb.sqlite-shm",
                "rpmdb.sqlite-journal",
            ]
            .contains(&name),
            Backend::Ndb => ["Packages.db", "Index.db"].contains(&name),
            Backend::Bdb => {
                let index = |table: &crate::Table| table.name == name;
                // Older releases had these indexes too.
                let gone = [
                    "Packages",
                    "Filedigests",
                    "Filemd5s",
                    "Provideversion",
                    "Requireversion",
                    "Pubkeys",
                ];
                name.starts_with("__db.")
                    || name == ".dbenv.lock"
                    || gone.contains(&name)
                    || crate::TABLES.iter().any(index)
            }
        }
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_files_are_rpms() {
        for backend in Backend::ALL {
            assert_eq!(Backend::of_word(backend.word()), Some(backend));
            let owners = Backend::ALL.iter().filter(|other| other.owns(backend.file()));
            assert_eq!(owners.collect::<Vec<_>>(), [&backend]);
        }
        assert_eq!(Backend::of_word("bdb_ro"), Some(Backend::Bdb));
        assert_eq!(Backend::of_word("dummy"), None);
        assert!(Backend::Bdb.owns("Basenames") && Backend::Bdb.owns("__db.001"));
        assert!(!Backend::Bdb.owns(".rpm.lock") && !Backend::Ndb.owns("Packages"));
        assert_eq!(Backend::recognise(b""), None);
        assert_eq!(Backend::recognise(&[0; 64]), None);
    }
}
