//! The name service switch: nsswitch.conf(5) and the modules that it names.

use std::path::{Path, PathBuf};

use crate::collect::{Collector, Pending, Why};
use crate::error::Error;
use crate::rule::Rule;

/// What glibc uses of a database that nsswitch.conf lacks.
const DEFAULT: &str = "files";

impl Collector<'_> {
    /// Users and groups.
    pub(super) fn nss_users(&mut self, why: &Why) -> Result<(), Error> {
        if self.first(Rule::Nss, "/users") {
            self.add("/etc/nsswitch.conf", why)?;
            for database in ["passwd", "group", "shadow", "initgroups"] {
                self.modules_later(database, why);
            }
        }
        Ok(())
    }

    /// Hosts, and what a resolver reads.
    pub(super) fn nss_hosts(&mut self, why: &Why, network: &Why) -> Result<(), Error> {
        if self.first(Rule::Nss, "/hosts") {
            self.add("/etc/nsswitch.conf", why)?;
            self.modules_later("hosts", why);
            for file in [
                "/etc/hosts",
                "/etc/host.conf",
                "/etc/gai.conf",
                "/etc/resolv.conf",
            ] {
                self.add(file, network)?;
            }
            self.services(network)?;
        }
        Ok(())
    }

    /// Services and protocols by name.
    pub(super) fn services(&mut self, why: &Why) -> Result<(), Error> {
        for file in ["/etc/services", "/etc/protocols"] {
            self.add(file, why)?;
        }
        Ok(())
    }

    fn modules_later(&mut self, database: &str, why: &Why) {
        let by = PathBuf::from(&*why.by);
        self.pending
            .push_back(Pending::Rule(Rule::Nss, by, PathBuf::from(database)));
    }

    /// The modules of a database. One that is not there is passed over, as the C library does.
    pub(super) fn nss_modules(&mut self, database: &str, why: &Why) -> Result<(), Error> {
        let text = self
            .source
            .text(Path::new("/etc/nsswitch.conf"))?
            .unwrap_or_default();
        for service in services(&String::from_utf8_lossy(&text), database) {
            self.load_by_name(&format!("libnss_{service}.so.2"), why)?;
        }
        Ok(())
    }
}

/// The services of a database; what stands in brackets are conditions.
fn services(text: &str, database: &str) -> Vec<String> {
    let line = text.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let (name, rest) = line.split_once(':')?;
        (name.trim() == database).then_some(rest)
    });
    let mut services = Vec::new();
    let mut in_condition = false;
    for word in line.unwrap_or(DEFAULT).split_whitespace() {
        in_condition |= word.starts_with('[');
        let is_name = word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !in_condition && is_name {
            services.push(word.to_owned());
        }
        in_condition &= !word.ends_with(']');
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_a_database() {
        let text = "# c\npasswd:   files systemd\nhosts: files [NOTFOUND=return UNAVAIL = continue] dns # x\nbad: ../evil a\n";
        assert_eq!(services(text, "passwd"), ["files", "systemd"]);
        assert_eq!(services(text, "hosts"), ["files", "dns"]);
        assert_eq!(services(text, "bad"), ["a"]);
        assert_eq!(services(text, "group"), ["files"]);
    }
}
