//! What dnf 5 remembers: the files of `/usr/lib/sysimage/libdnf5` (libdnf5's libdnf5/system/state.cpp). Its history
//! beside them may be missing.

use toml::{Table, Value};

use crate::state::{EnabledModule, MemberKind, Reason, Transaction};

/// The directory of the files, without the first slash; it has the mode 0755, the files 0644.
pub const DIRECTORY: &str = "usr/lib/sysimage/libdnf5";

/// The files: name and content.
pub fn files(transaction: &Transaction, modules: &[EnabledModule]) -> Vec<(&'static str, String)> {
    let packages = transaction.packages.iter().filter_map(|package| {
        let reason = match package.reason {
            Reason::User => "User",
            Reason::Dependency => "Dependency",
            Reason::Weak => "Weak Dependency",
            // The group's own entry says it.
            Reason::Group => return None,
        };
        let key = format!("{}.{}", package.name, package.arch);
        Some((key, table([("reason", reason.into())])))
    });
    let nevras = transaction.packages.iter().map(|package| {
        let epoch = match package.epoch {
            0 => String::new(),
            epoch => format!("{epoch}:"),
        };
        let key = format!(
            "{}-{epoch}{}-{}.{}",
            package.name, package.version, package.release, package.arch
        );
        (key, table([("from_repo", package.repository.as_str().into())]))
    });
    let groups = transaction.groups.iter().map(|group| {
        let installed = group.members.iter().filter(|member| member.installed);
        let state = table([
            ("package_types", kinds(&transaction.kinds)),
            ("packages", array(installed.map(|member| member.name.as_str()))),
            ("userinstalled", group.by_user.into()),
        ]);
        (group.id.clone(), state)
    });
    let environments = transaction.environments.iter().map(|environment| {
        let installed = environment.groups.iter().filter(|(_, mandatory)| *mandatory);
        let groups = array(installed.map(|(id, _)| id.as_str()));
        (environment.id.clone(), table([("groups", groups)]))
    });
    let modules = modules.iter().map(|module| {
        let state = table([
            ("enabled_stream", module.stream.as_str().into()),
            (
                "installed_profiles",
                array(module.profiles.iter().map(String::as_str)),
            ),
            ("state", "Enabled".into()),
        ]);
        (module.name.clone(), state)
    });
    let cookie = [("rpmdb_cookie".to_owned(), transaction.end.as_str().into())];
    vec![
        ("packages.toml", file("packages", packages.collect())),
        ("nevras.toml", file("nevras", nevras.collect())),
        ("groups.toml", file("groups", groups.collect())),
        ("environments.toml", file("environments", environments.collect())),
        ("modules.toml", file("modules", modules.collect())),
        ("system.toml", file("system", cookie.into_iter().collect())),
    ]
}

fn kinds(kinds: &[MemberKind]) -> Value {
    let mut kinds = kinds.to_vec();
    kinds.sort_unstable();
    array(kinds.into_iter().map(|kind| match kind {
        MemberKind::Mandatory => "mandatory",
        MemberKind::Default => "default",
        MemberKind::Conditional => "conditional",
        MemberKind::Optional => "optional",
    }))
}

fn array<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value::Array(texts.map(Value::from).collect())
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

fn file(key: &str, content: Table) -> String {
    let mut whole = Table::new();
    whole.insert("version".to_owned(), "1.0".into());
    whole.insert(key.to_owned(), Value::Table(content));
    whole.to_string()
}
