//! What package managers remember, held against what they write themselves.

use bareroot_rpm_db::state::{
    EnabledModule, GroupMember, InstalledEnvironment, InstalledGroup, InstalledPackage, MemberKind, Reason,
    Transaction,
};
use bareroot_rpm_db::{dnf4, dnf5, yum, zypp};
use rusqlite::Connection;
use rusqlite::types::Value;

fn package(name: &str, epoch: u32, repository: &str, reason: Reason) -> InstalledPackage {
    InstalledPackage {
        name: name.to_owned(),
        epoch,
        version: "1".to_owned(),
        release: "1".to_owned(),
        arch: "noarch".to_owned(),
        repository: repository.to_owned(),
        reason,
        header_id: format!("id-of-{name}"),
        sha256: "5ca1e".to_owned(),
    }
}

fn group(id: &str, name: &str, members: &[(&str, bool, MemberKind)]) -> InstalledGroup {
    InstalledGroup {
        id: id.to_owned(),
        name: name.to_owned(),
        by_user: id == "core",
        members: members
            .iter()
            .map(|(name, installed, kind)| GroupMember {
                name: (*name).to_owned(),
                kind: *kind,
                installed: *installed,
            })
            .collect(),
    }
}

/// `dnf install '@Minimal Install' app` of a small repository, with one file named and one package of another
/// repository.
fn transaction() -> Transaction {
    use MemberKind::{Conditional, Default, Mandatory, Optional};
    Transaction {
        time: 1_700_000_000,
        begin: "ed68".to_owned(),
        end: "ab21".to_owned(),
        releasever: "9".to_owned(),
        command_line: "install @Minimal Install app".to_owned(),
        packages: vec![
            package("app", 0, "base", Reason::User),
            package("env1", 0, "base", Reason::Group),
            package("extra", 0, "base", Reason::Weak),
            package("gdep", 0, "base", Reason::Dependency),
            package("lib", 2, "aaa", Reason::Dependency),
            package("sug", 0, "@commandline", Reason::User),
        ],
        kinds: vec![Mandatory, Default, Conditional],
        environments: vec![InstalledEnvironment {
            id: "minimal".to_owned(),
            name: "Minimal Install".to_owned(),
            groups: vec![
                ("core".to_owned(), true),
                ("eg".to_owned(), true),
                ("optg".to_owned(), false),
            ],
        }],
        groups: vec![
            group(
                "core",
                "Core",
                &[
                    ("gman", true, Mandatory),
                    ("gdef", true, Default),
                    ("gopt", false, Optional),
                    ("gcond", true, Conditional),
                    ("missing", false, Mandatory),
                ],
            ),
            group("eg", "EnvGroup", &[("env1", true, Mandatory)]),
        ],
    }
}

/// The rows of a table, their columns separated by `|`.
fn rows(connection: &Connection, table: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("SELECT * FROM {table} ORDER BY 1"))
        .unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cell = |column| match row.get_unwrap::<_, Value>(column) {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => panic!("{other:?}"),
        };
        Ok((0..columns).map(cell).collect::<Vec<_>>().join("|"))
    };
    statement
        .query_map([], row)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// The rows that dnf 4.14 with libdnf 0.69 has of such installations.
#[test]
fn dnf_4_has_these_rows_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(dnf4::FILE);
    std::fs::write(&path, dnf4::history(&transaction()).unwrap()).unwrap();
    let connection = Connection::open(path).unwrap();
    let expected: &[(&str, &[&str])] = &[
        ("config", &["version|1.2"]),
        (
            "trans",
            &["1|1700000000|1700000000|ed68|ab21|9|-1|install @Minimal Install app|1|"],
        ),
        ("repo", &["1|", "2|base", "3|aaa", "4|@commandline"]),
        (
            "item",
            &["1|0", "2|0", "3|0", "4|0", "5|0", "6|0", "7|0", "8|0", "9|0"],
        ),
        (
            "trans_item",
            &[
                "1|1|1|1|1|2|1",
                "2|1|2|1|1|2|1",
                "3|1|3|1|1|2|1",
                "4|1|4|2|1|2|1",
                "5|1|5|2|1|5|1",
                "6|1|6|2|1|4|1",
                "7|1|7|2|1|1|1",
                "8|1|8|3|1|1|1",
                "9|1|9|4|1|2|1",
            ],
        ),
        (
            "rpm",
            &[
                "4|app|0|1|1|noarch",
                "5|env1|0|1|1|noarch",
                "6|extra|0|1|1|noarch",
                "7|gdep|0|1|1|noarch",
                "8|lib|2|1|1|noarch",
                "9|sug|0|1|1|noarch",
            ],
        ),
        ("comps_group", &["2|core|Core|Core|7", "3|eg|EnvGroup|EnvGroup|7"]),
        (
            "comps_group_package",
            &[
                "1|2|gman|1|4",
                "2|2|gdef|1|2",
                "3|2|gopt|0|8",
                "4|2|gcond|1|1",
                "5|2|missing|0|4",
                "6|3|env1|1|4",
            ],
        ),
        (
            "comps_environment",
            &["1|minimal|Minimal Install|Minimal Install|7"],
        ),
        (
            "comps_environment_group",
            &["1|1|core|1|4", "2|1|eg|1|4", "3|1|optg|0|8"],
        ),
        ("console_output", &[]),
        ("item_replaced_by", &[]),
        ("trans_with", &[]),
    ];
    for (table, wanted) in expected {
        assert_eq!(rows(&connection, table), *wanted, "{table}");
    }
    let tables: u32 = connection
        .query_row(
            "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(tables as usize, expected.len());
    let mut wrong = connection.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(wrong.query([]).unwrap().next().unwrap().is_none());
}

#[test]
fn two_histories_are_the_same_bytes() {
    assert!(dnf4::history(&transaction()).unwrap() == dnf4::history(&transaction()).unwrap());
    assert!(dnf4::history(&Transaction::default()).is_ok());
}

/// What `dnf module install m1:s1/common m1:s1/other` of dnf 4.14 leaves.
#[test]
fn dnf_4_has_this_module_itself() {
    let module = |name: &str, stream: &str, profiles: &[&str]| {
        dnf4::module(&EnabledModule {
            name: name.to_owned(),
            stream: stream.to_owned(),
            profiles: profiles.iter().map(|profile| (*profile).to_owned()).collect(),
        })
    };
    assert_eq!(
        module("m1", "s1", &["common", "other"]),
        Some((
            "m1.module".to_owned(),
            "[m1]\nname=m1\nstream=s1\nprofiles=common, other\nstate=enabled\n".to_owned()
        ))
    );
    assert_eq!(
        module("m1", "s1", &[]).unwrap().1,
        "[m1]\nname=m1\nstream=s1\nprofiles=\nstate=enabled\n"
    );
    for name in ["", "../x", "a\nb", "a]"] {
        assert_eq!(module(name, "s1", &[]), None, "{name}");
    }
    assert_eq!(module("m1", "s1\nstate=disabled", &[]), None);
    assert_eq!(module("m1", "s1", &["a\nb"]), None);
}

/// By the keys and types that libdnf5 reads (its libdnf5/system/state.cpp).
#[test]
fn dnf_5_reads_these_files() {
    let mut modules = vec![EnabledModule {
        name: "m\"1".to_owned(),
        stream: "1.0".to_owned(),
        profiles: vec!["common".to_owned()],
    }];
    let files = dnf5::files(&transaction(), &modules);
    let expected = [
        (
            "packages.toml",
            "[packages.\"app.noarch\"]\nreason = \"User\"\n[packages.\"extra.noarch\"]\nreason = \"Weak Dependency\"\n\
             [packages.\"gdep.noarch\"]\nreason = \"Dependency\"\n[packages.\"lib.noarch\"]\nreason = \"Dependency\"\n\
             [packages.\"sug.noarch\"]\nreason = \"User\"\n",
        ),
        (
            "nevras.toml",
            "[nevras]\n\"app-1-1.noarch\" = {from_repo = \"base\"}\n\"env1-1-1.noarch\" = {from_repo = \"base\"}\n\
             \"extra-1-1.noarch\" = {from_repo = \"base\"}\n\"gdep-1-1.noarch\" = {from_repo = \"base\"}\n\
             \"lib-2:1-1.noarch\" = {from_repo = \"aaa\"}\n\"sug-1-1.noarch\" = {from_repo = \"@commandline\"}\n",
        ),
        (
            "groups.toml",
            "[groups.core]\npackage_types = [\"mandatory\", \"default\", \"conditional\"]\n\
             packages = [\"gman\", \"gdef\", \"gcond\"]\nuserinstalled = true\n[groups.eg]\n\
             package_types = [\"mandatory\", \"default\", \"conditional\"]\npackages = [\"env1\"]\nuserinstalled = false\n",
        ),
        (
            "environments.toml",
            "[environments.minimal]\ngroups = [\"core\", \"eg\"]\n",
        ),
        (
            "modules.toml",
            "[modules.\"m\\\"1\"]\nenabled_stream = \"1.0\"\ninstalled_profiles = [\"common\"]\nstate = \"Enabled\"\n",
        ),
        ("system.toml", "[system]\nrpmdb_cookie = \"ab21\"\n"),
    ];
    let parsed = |text: &str| text.parse::<toml::Table>().unwrap();
    assert_eq!(files.len(), expected.len());
    for ((name, text), (wanted_name, wanted)) in files.iter().zip(expected) {
        assert_eq!(*name, wanted_name);
        assert_eq!(
            parsed(text),
            parsed(&format!("version = \"1.0\"\n{wanted}")),
            "{name}"
        );
    }
    // Files without entries have their table all the same: libdnf5 asks for it.
    modules.clear();
    for (name, text) in dnf5::files(&Transaction::default(), &modules) {
        let key = name.strip_suffix(".toml").unwrap();
        assert!(
            parsed(&text).get(key).is_some_and(toml::Value::is_table),
            "{name}"
        );
    }
}

#[test]
fn zypper_knows_what_nobody_asked_for() {
    assert_eq!(
        zypp::auto_installed(&transaction()),
        "# AutoInstalled generated by an installation\n#\nenv1\nextra\ngdep\nlib\n#\n"
    );
}

#[test]
fn yum_knows_why_each_package_is_there() {
    let files = yum::files(&transaction());
    let of = |directory: &str| -> Vec<(String, String)> {
        let own = files.iter().filter_map(|(path, text)| {
            let key = path.strip_prefix(directory)?.strip_prefix('/')?;
            Some((key.to_owned(), text.clone()))
        });
        own.collect()
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into()));
        owned.collect()
    };
    let common = [
        ("checksum_data", "5ca1e"),
        ("checksum_type", "sha256"),
        ("command_line", "install @Minimal Install app"),
    ];
    let with = |rest: &[(&str, &str)]| pairs(&[common.as_slice(), rest].concat());
    assert_eq!(
        of("l/id-of-lib-lib-1-1-noarch"),
        with(&[("reason", "dep"), ("releasever", "9"), ("from_repo", "aaa")])
    );
    // A file that was named is of no repository; what a group has is the user's wish, for yum.
    assert_eq!(
        of("s/id-of-sug-sug-1-1-noarch"),
        with(&[("reason", "user"), ("releasever", "9")])
    );
    assert!(of("e/id-of-env1-env1-1-1-noarch").contains(&("reason".into(), "user".into())));
    assert_eq!(files.len(), 6 * 6 - 1);
}

#[test]
fn what_a_package_says_of_itself_stays_in_its_directory() {
    let mut hostile = package("../../etc", 0, "base", Reason::User);
    hostile.header_id = "../../x".to_owned();
    hostile.version = "/1".to_owned();
    let transaction = Transaction {
        packages: vec![hostile],
        ..Transaction::default()
    };
    for (path, _) in yum::files(&transaction) {
        assert!(path.starts_with("./....x-....etc-1-1-noarch/"), "{path}");
    }
}
