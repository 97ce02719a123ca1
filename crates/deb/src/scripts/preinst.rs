use std::collections::HashMap;

use super::Variables;

/// A package as far as its preinst is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Its name.
    pub package: &'a str,
    /// Its architecture (`all` for what runs everywhere).
    pub architecture: &'a str,
    /// What its files in `info/` are named by ([`Control::record_name`](crate::archive::Control::record_name)).
    pub record_name: &'a str,
    /// Whether it has a preinst.
    pub has_preinst: bool,
}

/// A preinst to be run in the root, from `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preinst {
    /// The package, for messages.
    pub package: String,
    /// The script's path in the root, which is its own zeroth argument too.
    pub program: String,
    /// The arguments after that: on a first installation just `install`.
    pub arguments: Vec<String>,
    /// What dpkg sets for a script; to be added to [`environment`](super::environment).
    pub variables: Variables,
}

/// The package that makes `/etc/passwd` and `/etc/group`, without which no other script can name a user.
const FIRST: &str = "base-passwd";

/// What dpkg forces when it is told nothing (its `forceinfos`).
const FORCE: &str = "security-mac,downgrade";

/// The preinsts of packages in the order in which they have to run: base-passwd's, then in the given order, which is
/// the solution's (dependencies first).
///
/// `running_version` is [`running_version`] of the root's dpkg.
pub fn preinsts<'a>(packages: impl IntoIterator<Item = Subject<'a>>, running_version: &str) -> Vec<Preinst> {
    let mut instances: HashMap<&str, u32> = HashMap::new();
    let mut scripts = Vec::new();
    for subject in packages {
        let count = instances.entry(subject.package).or_default();
        *count += 1;
        if subject.has_preinst {
            scripts.push(preinst(&subject, *count, running_version));
        }
    }
    scripts.sort_by_key(|script| script.package != FIRST);
    scripts
}

fn preinst(subject: &Subject<'_>, instances: u32, running_version: &str) -> Preinst {
    let variables = [
        ("DPKG_ROOT", ""),
        ("DPKG_ADMINDIR", "/var/lib/dpkg"),
        ("DPKG_FORCE", FORCE),
        ("DPKG_MAINTSCRIPT_PACKAGE", subject.package),
        ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", &instances.to_string()),
        ("DPKG_MAINTSCRIPT_ARCH", subject.architecture),
        ("DPKG_MAINTSCRIPT_NAME", "preinst"),
        ("DPKG_MAINTSCRIPT_DEBUG", "0"),
        ("DPKG_RUNNING_VERSION", running_version),
    ];
    Preinst {
        package: subject.package.to_owned(),
        program: format!("/var/lib/dpkg/info/{}.preinst", subject.record_name),
        arguments: vec!["install".to_owned()],
        variables: variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
    }
}

/// The version that dpkg itself would report, from the version of its package: `1.22.6` for `1.22.6ubuntu6.1`.
pub fn running_version(package_version: &str) -> &str {
    let upstream = package_version
        .split_once(':')
        .map_or(package_version, |(_, rest)| rest);
    let end = upstream
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(upstream.len());
    upstream.get(..end).unwrap_or_default().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_passwd_is_first_and_the_rest_in_order() {
        let subject = |package, record_name, has_preinst| Subject {
            package,
            architecture: "amd64",
            record_name,
            has_preinst,
        };
        let all = [
            subject("libc6", "libc6:amd64", true),
            subject("bash", "bash", false),
            subject("base-files", "base-files", true),
            subject("base-passwd", "base-passwd", true),
            Subject {
                architecture: "i386",
                ..subject("libc6", "libc6:i386", true)
            },
        ];
        let scripts = preinsts(all, "1.22.6");
        let programs: Vec<&str> = scripts.iter().map(|script| script.program.as_str()).collect();
        let want = ["base-passwd", "libc6:amd64", "base-files", "libc6:i386"];
        assert_eq!(
            programs,
            want.map(|name| format!("/var/lib/dpkg/info/{name}.preinst"))
        );
        let value = |script: &Preinst, name: &str| {
            script
                .variables
                .iter()
                .find(|(have, _)| have == name)
                .map(|(_, value)| value.clone())
                .unwrap()
        };
        let last = scripts.last().unwrap();
        assert_eq!(last.arguments, ["install"]);
        for (name, want) in [
            ("DPKG_MAINTSCRIPT_PACKAGE", "libc6"),
            ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", "2"),
            ("DPKG_MAINTSCRIPT_ARCH", "i386"),
            ("DPKG_MAINTSCRIPT_NAME", "preinst"),
            ("DPKG_RUNNING_VERSION", "1.22.6"),
            ("DPKG_ROOT", ""),
        ] {
            assert_eq!(value(last, name), want, "{name}");
        }
    }

    #[test]
    fn dpkgs_own_version() {
        for (package, want) in [
            ("1.22.22", "1.22.22"),
            ("1.22.6ubuntu6.1", "1.22.6"),
            ("1:1.21.22+b1", "1.21.22"),
            ("", ""),
        ] {
            assert_eq!(running_version(package), want);
        }
    }
}
