//! Pluggable authentication: pam.conf(5), pam.d(5).

use std::path::{Path, PathBuf};

use crate::collect::{Collector, Pending, Why};
use crate::error::Error;
use crate::path;
use crate::rule::Rule;

/// Where services are described; the first wins.
const SERVICES: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// What modules read.
const OF_MODULES: [&str; 4] = [
    "/etc/security",
    "/etc/environment",
    "/etc/login.defs",
    "/etc/default/locale",
];
/// How deep includes go.
const DEEPEST: usize = 16;

impl Collector<'_> {
    /// The services of a program, and the modules that they name.
    pub(super) fn pam(&mut self, library: &Path, program: &Path, why: &Why) -> Result<(), Error> {
        let program = path::name(program).to_owned();
        self.add("/etc/pam.conf", why)?;
        let mut services = vec![program.clone(), "other".to_owned()];
        // `sudo` has `sudo-i`, `su` has `su-l`.
        for directory in SERVICES {
            let prefix = format!("{program}-");
            let names = self.source.names(Path::new(directory))?;
            services.extend(names.iter().filter_map(|name| {
                std::str::from_utf8(name)
                    .ok()
                    .filter(|name| name.starts_with(&prefix))
                    .map(str::to_owned)
            }));
        }
        for service in services {
            self.service(&service, library, why, 0)?;
        }
        for place in OF_MODULES {
            self.tree(place, why)?;
        }
        self.login_shell(&Why {
            rule: Rule::LoginShell,
            by: why.by.clone(),
        })
    }

    fn service(&mut self, name: &str, library: &Path, why: &Why, depth: usize) -> Result<(), Error> {
        if name.contains('/') || depth > DEEPEST || !self.first(Rule::Pam, Path::new("service").join(name)) {
            return Ok(());
        }
        for directory in SERVICES {
            let file = Path::new(directory).join(name);
            let Some(text) = self.source.text(&file)? else {
                continue;
            };
            self.add(&file, why)?;
            for line in String::from_utf8_lossy(&text).replace("\\\n", " ").lines() {
                match directive(line) {
                    Some(Directive::Include(name)) => self.service(&name, library, why, depth + 1)?,
                    Some(Directive::Module { name, optional }) => {
                        self.module(&name, optional, library, &file, why)?
                    }
                    None => {}
                }
            }
            return Ok(());
        }
        Ok(())
    }

    fn module(
        &mut self,
        name: &str,
        optional: bool,
        library: &Path,
        file: &Path,
        why: &Why,
    ) -> Result<(), Error> {
        if !self.first(
            Rule::Pam,
            Path::new("module").join(crate::source::relative(Path::new(name))),
        ) {
            return Ok(());
        }
        let places: Vec<PathBuf> = if name.starts_with('/') {
            vec![PathBuf::from(name)]
        } else {
            let beside = path::parent(library);
            [
                beside,
                &Path::new("/usr").join(crate::source::relative(beside)),
                Path::new("/lib/security"),
            ]
            .map(|directory| match directory.ends_with("security") {
                true => directory.join(name),
                false => directory.join("security").join(name),
            })
            .to_vec()
        };
        for place in places {
            let Some(found) = self.source.find_file(&place)? else {
                continue;
            };
            self.add_file(&place, why)?;
            // pam_unix asks a program of its own where it may not read /etc/shadow itself.
            for helper in super::named::paths(&self.source.root.read(&found.path)?) {
                let helper = path::path(&helper);
                if ["/sbin", "/usr/sbin", "/usr/libexec", "/usr/lib"]
                    .iter()
                    .any(|top| helper.starts_with(top))
                    && self
                        .source
                        .find_file(&helper)?
                        .is_some_and(|found| found.stat.mode & 0o111 != 0)
                {
                    let word = helper.display().to_string();
                    self.pending.push_back(Pending::Optional(word, why.clone()));
                }
            }
            return Ok(());
        }
        if !optional {
            self.warn(format!(
                "`{}` names the PAM module `{name}`, which is not there",
                file.display()
            ));
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Directive {
    Include(String),
    Module { name: String, optional: bool },
}

/// What a line of a service asks for.
fn directive(line: &str) -> Option<Directive> {
    let line = line.split('#').next().unwrap_or_default().trim();
    if let Some(name) = line.strip_prefix("@include") {
        return Some(Directive::Include(name.trim().to_owned()));
    }
    let (kind, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    // A control is a word, or a list in brackets.
    let (control, rest) = match rest.strip_prefix('[') {
        Some(list) => list.split_once(']')?,
        None => rest.split_once(char::is_whitespace)?,
    };
    let name = rest.split_whitespace().next()?.to_owned();
    Some(match control {
        "include" | "substack" => Directive::Include(name),
        _ => Directive::Module {
            name,
            optional: kind.starts_with('-'),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_service() {
        let module = |name: &str, optional| {
            Some(Directive::Module {
                name: name.to_owned(),
                optional,
            })
        };
        for (line, expected) in [
            (
                "@include common-auth",
                Some(Directive::Include("common-auth".to_owned())),
            ),
            (
                "auth  required   pam_unix.so nullok",
                module("pam_unix.so", false),
            ),
            (
                "auth [success=1 default=ignore]\tpam_unix.so nullok",
                module("pam_unix.so", false),
            ),
            ("-session optional pam_systemd.so", module("pam_systemd.so", true)),
            (
                "account include system-auth",
                Some(Directive::Include("system-auth".to_owned())),
            ),
            ("# auth required pam_x.so", None),
            ("auth required", None),
            ("", None),
        ] {
            assert_eq!(directive(line), expected, "{line}");
        }
    }
}
