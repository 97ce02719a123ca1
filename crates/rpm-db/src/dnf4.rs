//! What dnf 4 remembers: `/var/lib/dnf/history.sqlite` (libdnf's transaction database, version 1.2) and
//! `/etc/dnf/modules.d`.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::error::Error;
use crate::memory;
use crate::state::{EnabledModule, InstalledEnvironment, InstalledGroup, MemberKind, Reason, Transaction};

/// The directory of the database, without the first slash; it has the mode 0755, the file 0644.
pub const DIRECTORY: &str = "var/lib/dnf";

/// The database's name in its directory.
pub const FILE: &str = "history.sqlite";

/// The directory of the modules' files, without the first slash; it has the mode 0755, the files 0644.
pub const MODULES: &str = "etc/dnf/modules.d";

/// The tables, in the order in which libdnf makes them.
const SCHEMA: &str = "
CREATE TABLE trans (
    id INTEGER PRIMARY KEY AUTOINCREMENT, dt_begin INTEGER NOT NULL, dt_end INTEGER, rpmdb_version_begin TEXT,
    rpmdb_version_end TEXT, releasever TEXT NOT NULL, user_id INTEGER NOT NULL, cmdline TEXT,
    state INTEGER NOT NULL, comment TEXT DEFAULT ''
);
CREATE TABLE repo (id INTEGER PRIMARY KEY, repoid TEXT NOT NULL);
CREATE TABLE console_output (
    id INTEGER PRIMARY KEY, trans_id INTEGER REFERENCES trans(id), file_descriptor INTEGER NOT NULL,
    line TEXT NOT NULL
);
CREATE TABLE item (id INTEGER PRIMARY KEY, item_type INTEGER NOT NULL);
CREATE TABLE trans_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT, trans_id INTEGER REFERENCES trans(id),
    item_id INTEGER REFERENCES item(id), repo_id INTEGER REFERENCES repo(id), action INTEGER NOT NULL,
    reason INTEGER NOT NULL, state INTEGER NOT NULL
);
CREATE TABLE item_replaced_by (
    trans_item_id INTEGER REFERENCES trans_item(id), by_trans_item_id INTEGER REFERENCES trans_item(id),
    PRIMARY KEY (trans_item_id, by_trans_item_id)
);
CREATE TABLE trans_with (
    id INTEGER PRIMARY KEY AUTOINCREMENT, trans_id INTEGER REFERENCES trans(id),
    item_id INTEGER REFERENCES item(id), CONSTRAINT trans_with_unique_trans_item UNIQUE (trans_id, item_id)
);
CREATE TABLE rpm (
    item_id INTEGER UNIQUE NOT NULL, name TEXT NOT NULL, epoch INTEGER NOT NULL, version TEXT NOT NULL,
    release TEXT NOT NULL, arch TEXT NOT NULL, FOREIGN KEY(item_id) REFERENCES item(id),
    CONSTRAINT rpm_unique_nevra UNIQUE (name, epoch, version, release, arch)
);
CREATE TABLE comps_group (
    item_id INTEGER UNIQUE NOT NULL, groupid TEXT NOT NULL, name TEXT NOT NULL, translated_name TEXT NOT NULL,
    pkg_types INTEGER NOT NULL, FOREIGN KEY(item_id) REFERENCES item(id)
);
CREATE TABLE comps_group_package (
    id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, name TEXT NOT NULL,
    installed INTEGER NOT NULL, pkg_type INTEGER NOT NULL,
    FOREIGN KEY(group_id) REFERENCES comps_group(item_id),
    CONSTRAINT comps_group_package_unique_name UNIQUE (group_id, name)
);
CREATE TABLE comps_environment (
    item_id INTEGER UNIQUE NOT NULL, environmentid TEXT NOT NULL, name TEXT NOT NULL,
    translated_name TEXT NOT NULL, pkg_types INTEGER NOT NULL, FOREIGN KEY(item_id) REFERENCES item(id)
);
CREATE TABLE comps_environment_group (
    id INTEGER PRIMARY KEY AUTOINCREMENT, environment_id INTEGER NOT NULL, groupid TEXT NOT NULL,
    installed INTEGER NOT NULL, group_type INTEGER NOT NULL,
    FOREIGN KEY(environment_id) REFERENCES comps_environment(item_id),
    CONSTRAINT comps_environment_group_unique_groupid UNIQUE (environment_id, groupid)
);
CREATE INDEX rpm_name ON rpm(name);
CREATE INDEX trans_item_trans_id ON trans_item(trans_id);
CREATE INDEX trans_item_item_id ON trans_item(item_id);
CREATE TABLE config (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO config VALUES ('version', '1.2');
";

/// libdnf's number for a transaction, or a part of one, that is done.
const DONE: u32 = 1;

/// libdnf's number for an installation.
const INSTALL: u32 = 1;

/// libdnf's number for a transaction that no user who had logged in began.
const NO_USER: i64 = -1;

/// The history with one transaction.
///
/// # Errors
/// When the database engine refuses.
pub fn history(transaction: &Transaction) -> Result<Vec<u8>, Error> {
    let writer = Writer {
        connection: memory::create(FILE)?,
        transaction,
        items: 0,
        repositories: HashMap::new(),
    };
    let connection = writer
        .write()
        .map_err(|source| Error::sqlite(FILE, "written", source))?;
    memory::finish(connection, FILE)
}

struct Writer<'t> {
    connection: Connection,
    transaction: &'t Transaction,
    items: u32,
    repositories: HashMap<&'t str, u32>,
}

impl<'t> Writer<'t> {
    fn write(mut self) -> Result<Connection, rusqlite::Error> {
        let transaction = self.transaction;
        self.connection.execute_batch(SCHEMA)?;
        self.connection.execute(
            "INSERT INTO trans VALUES (1, ?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, '')",
            params![
                transaction.time,
                transaction.begin,
                transaction.end,
                transaction.releasever,
                NO_USER,
                transaction.command_line,
                DONE,
            ],
        )?;
        for environment in &transaction.environments {
            self.environment(environment)?;
        }
        for group in &transaction.groups {
            self.group(group)?;
        }
        for package in &transaction.packages {
            let item = self.item(&package.repository, package.reason)?;
            self.connection
                .prepare_cached("INSERT INTO rpm VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    item,
                    package.name,
                    package.epoch,
                    package.version,
                    package.release,
                    package.arch,
                ])?;
        }
        Ok(self.connection)
    }

    fn environment(&mut self, environment: &InstalledEnvironment) -> Result<(), rusqlite::Error> {
        let item = self.item("", Reason::User)?;
        self.connection.execute(
            "INSERT INTO comps_environment VALUES (?1, ?2, ?3, ?3, ?4)",
            params![item, environment.id, environment.name, self.kinds()],
        )?;
        for (id, mandatory) in &environment.groups {
            let kind = match mandatory {
                true => MemberKind::Mandatory,
                false => MemberKind::Optional,
            };
            self.connection.execute(
                "INSERT OR IGNORE INTO comps_environment_group (environment_id, groupid, installed, group_type) \
                 VALUES (?1, ?2, ?3, ?4)",
                params![item, id, mandatory, bit(kind)],
            )?;
        }
        Ok(())
    }

    fn group(&mut self, group: &InstalledGroup) -> Result<(), rusqlite::Error> {
        // dnf says so of an environment's groups too.
        let item = self.item("", Reason::User)?;
        self.connection.execute(
            "INSERT INTO comps_group VALUES (?1, ?2, ?3, ?3, ?4)",
            params![item, group.id, group.name, self.kinds()],
        )?;
        for member in &group.members {
            self.connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO comps_group_package (group_id, name, installed, pkg_type) \
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![item, member.name, member.installed, bit(member.kind)])?;
        }
        Ok(())
    }

    /// The next item; gives its number.
    fn item(&mut self, repository: &'t str, reason: Reason) -> Result<u32, rusqlite::Error> {
        let next = u32::try_from(self.repositories.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let repository = match self.repositories.get(repository) {
            Some(known) => *known,
            None => {
                self.connection
                    .execute("INSERT INTO repo VALUES (?1, ?2)", params![next, repository])?;
                self.repositories.insert(repository, next);
                next
            }
        };
        self.items = self.items.saturating_add(1);
        // libdnf writes 0, "unknown", for the type of all items.
        self.connection
            .prepare_cached("INSERT INTO item VALUES (?1, 0)")?
            .execute([self.items])?;
        let reason = match reason {
            Reason::Dependency => 1,
            Reason::User => 2,
            Reason::Weak => 4,
            Reason::Group => 5,
        };
        self.connection
            .prepare_cached("INSERT INTO trans_item VALUES (?1, 1, ?1, ?2, ?3, ?4, ?5)")?
            .execute(params![self.items, repository, INSTALL, reason, DONE])?;
        Ok(self.items)
    }

    fn kinds(&self) -> u32 {
        self.transaction
            .kinds
            .iter()
            .fold(0, |bits, kind| bits | bit(*kind))
    }
}

fn bit(kind: MemberKind) -> u32 {
    match kind {
        MemberKind::Conditional => 1,
        MemberKind::Default => 2,
        MemberKind::Mandatory => 4,
        MemberKind::Optional => 8,
    }
}

/// A module's file: its name in [`MODULES`], and its content. `None` for a name that is no file's.
pub fn module(module: &EnabledModule) -> Option<(String, String)> {
    let plain = |text: &str| !text.is_empty() && !text.contains(['/', '\0', '\n', '\r', '[', ']']);
    let lines = [&module.stream].into_iter().chain(&module.profiles);
    if !plain(&module.name) || lines.clone().any(|text| text.contains(['\n', '\r'])) {
        return None;
    }
    let EnabledModule {
        name,
        stream,
        profiles,
    } = module;
    Some((
        format!("{name}.module"),
        format!(
            "[{name}]\nname={name}\nstream={stream}\nprofiles={}\nstate=enabled\n",
            profiles.join(", ")
        ),
    ))
}
