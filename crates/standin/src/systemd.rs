//! `deb-systemd-helper` on a system without systemctl: the calls that maintainer scripts make while a package is first
//! installed (`unmask`, `was-enabled`, `debian-installed`, `enable`, `update-state`).
//!
//! The state that it keeps is described in deb-systemd-helper(1p): a state file per unit lists the links that enabling
//! it would make, and an empty file per link says that it was made once. Whatever this module is not sure of, it leaves
//! to the real helper before it has changed anything.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::real;

const REAL: &str = "/usr/bin/deb-systemd-helper";

/// Acts as the helper.
pub fn main(arguments: &[OsString]) -> u8 {
    let root = Path::new("/");
    match Call::parse(arguments)
        .filter(|_| ordinary())
        .and_then(|call| call.plan(root).map(|plan| (call, plan)))
    {
        Some((call, plan)) => call.carry_out(root, &plan).unwrap_or_else(|error| {
            let _ = writeln!(io::stderr(), "deb-systemd-helper: error: {error}");
            1
        }),
        None => real::become_real(REAL, arguments),
    }
}

/// Whether the surroundings are those of a first installation in a plain root.
fn ordinary() -> bool {
    let empty = |name: &str| std::env::var_os(name).is_none_or(|value| value.is_empty());
    !empty("DPKG_MAINTSCRIPT_PACKAGE")
        && empty("DPKG_ROOT")
        && empty("_DEB_SYSTEMD_HELPER_DEBUG")
        && empty("_DEB_SYSTEMD_HELPER_PURGE")
        && !Path::new("/run/systemd/system").exists()
}

#[derive(Clone, Copy, PartialEq)]
enum Action {
    Unmask,
    WasEnabled,
    DebianInstalled,
    Enable,
    UpdateState,
}

struct Call {
    action: Action,
    instance: &'static str,
    quiet: bool,
    units: Vec<String>,
}

/// A unit, where it was found, and the links that enabling it makes.
struct Unit {
    name: String,
    /// The path as a link text shows it.
    path: String,
    links: Vec<String>,
}

impl Call {
    fn parse(arguments: &[OsString]) -> Option<Call> {
        let mut call = Call {
            action: Action::Unmask,
            instance: "system",
            quiet: false,
            units: Vec::new(),
        };
        let mut words = Vec::new();
        for argument in arguments {
            match argument.to_str()? {
                "--quiet" => call.quiet = true,
                "--user" => call.instance = "user",
                "--system" => call.instance = "system",
                option if option.starts_with('-') => return None,
                word => words.push(word.to_owned()),
            }
        }
        let mut words = words.into_iter();
        call.action = match words.next()?.as_str() {
            "unmask" => Action::Unmask,
            "was-enabled" => Action::WasEnabled,
            "debian-installed" => Action::DebianInstalled,
            "enable" => Action::Enable,
            "update-state" => Action::UpdateState,
            _ => return None,
        };
        call.units = words.collect();
        let plain = |unit: &String| !unit.is_empty() && !unit.contains('/') && unit != "." && unit != "..";
        (!call.units.is_empty() && call.units.iter().all(plain)).then_some(call)
    }

    /// What there is to do, read without changing anything; `None` where the real helper must decide.
    fn plan(&self, root: &Path) -> Option<Vec<Unit>> {
        let at = |path: &str| root.join(path.trim_start_matches('/'));
        if self.action == Action::Enable
            && (at("/usr/bin/systemctl").exists() || at("/bin/systemctl").exists())
        {
            return None;
        }
        if self.action == Action::Unmask {
            let untouched = |unit: &String| {
                let link = at(&format!("/etc/systemd/{}/{unit}", self.instance));
                fs::symlink_metadata(link).is_err()
            };
            let kept = ["helper", "user-helper"]
                .iter()
                .any(|kind| at(&format!("/var/lib/systemd/deb-systemd-{kind}-masked")).exists());
            if kept || !self.units.iter().all(untouched) {
                return None;
            }
        }
        self.units.iter().map(|unit| self.unit(root, unit)).collect()
    }

    fn unit(&self, root: &Path, name: &str) -> Option<Unit> {
        let mut unit = Unit {
            name: name.to_owned(),
            path: name.to_owned(),
            links: Vec::new(),
        };
        if matches!(self.action, Action::Enable | Action::UpdateState) {
            unit.path = self.find(root, name)?;
            unit.links = self.links(root, name, &unit.path)?;
        }
        Some(unit)
    }

    /// The first of the three places that has the unit.
    fn find(&self, root: &Path, name: &str) -> Option<String> {
        ["/etc/systemd", "/lib/systemd", "/usr/lib/systemd"]
            .iter()
            .map(|base| format!("{base}/{}/{name}", self.instance))
            .find(|path| root.join(path.trim_start_matches('/')).is_file())
    }

    /// The links that enabling a unit makes: aliases first, then those of the targets that want or require it. `None`
    /// for whatever is not plain: quotes, several aliases in a line, other units (`Also=`), a default instance.
    fn links(&self, root: &Path, name: &str, path: &str) -> Option<Vec<String>> {
        let text = fs::read(root.join(path.trim_start_matches('/'))).ok()?;
        let text = String::from_utf8(text).ok()?;
        let (mut aliases, mut wanted) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let key = key.trim_start();
            let known = ["WantedBy", "RequiredBy", "Alias", "Also", "DefaultInstance"];
            if !known.iter().any(|known| known.eq_ignore_ascii_case(key)) || value.is_empty() {
                continue;
            }
            if value.contains(['"', '\'', '\r', '\\']) || value.starts_with(char::is_whitespace) {
                return None;
            }
            let values = value.split_ascii_whitespace();
            let link = |below: String| format!("/etc/systemd/{}/{below}", self.instance);
            match key {
                "WantedBy" => wanted.extend(values.map(|target| link(format!("{target}.wants/{name}")))),
                "RequiredBy" => wanted.extend(values.map(|target| link(format!("{target}.requires/{name}")))),
                "Alias" if values.clone().count() == 1 && !value.ends_with(char::is_whitespace) => {
                    aliases.extend((value != name).then(|| link(value.to_owned())));
                }
                _ => return None,
            }
        }
        aliases.append(&mut wanted);
        Some(aliases)
    }

    fn carry_out(&self, root: &Path, plan: &[Unit]) -> io::Result<u8> {
        let mut status = u8::from(matches!(
            self.action,
            Action::WasEnabled | Action::DebianInstalled
        ));
        for unit in plan {
            match self.action {
                Action::Unmask => {}
                Action::Enable => self.enable(root, unit)?,
                Action::UpdateState => {
                    let lines: String = unit.links.iter().map(|link| format!("{link}\n")).collect();
                    write_state(&self.state_file(root, &unit.name), &lines)?;
                }
                Action::DebianInstalled => {
                    if self.state_file(root, &unit.name).is_file() {
                        status = 0;
                    }
                }
                Action::WasEnabled => {
                    let entries = fs::read_to_string(self.state_file(root, &unit.name)).unwrap_or_default();
                    let enabled = entries
                        .lines()
                        .all(|link| is_link(&root.join(link.trim_start_matches('/'))));
                    if !self.quiet {
                        let word = if enabled { "enabled" } else { "disabled" };
                        let _ = writeln!(io::stderr(), "{word}");
                    }
                    if enabled {
                        status = 0;
                    }
                }
            }
        }
        Ok(status)
    }

    fn enable(&self, root: &Path, unit: &Unit) -> io::Result<()> {
        let state = self.state_file(root, &unit.name);
        for link in &unit.links {
            let mut lines = fs::read_to_string(&state).unwrap_or_default();
            if !lines.lines().any(|line| line == link) {
                lines.push_str(link);
                lines.push('\n');
            }
            write_state(&state, &lines)?;
            let below = link
                .strip_prefix(&format!("/etc/systemd/{}/", self.instance))
                .unwrap_or(link);
            let made = self.state_dir(root).join(below);
            if made.exists() {
                continue;
            }
            let place = root.join(link.trim_start_matches('/'));
            if !is_link(&place) {
                make_parent(&place)?;
                symlink(&unit.path, &place)?;
            }
            make_parent(&made)?;
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .mode(0o666)
                .open(made)?;
        }
        Ok(())
    }

    fn state_dir(&self, root: &Path) -> PathBuf {
        let kind = if self.instance == "user" {
            "user-helper"
        } else {
            "helper"
        };
        root.join(format!("var/lib/systemd/deb-systemd-{kind}-enabled"))
    }

    fn state_file(&self, root: &Path, unit: &str) -> PathBuf {
        self.state_dir(root).join(format!("{unit}.dsh-also"))
    }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_symlink())
}

fn make_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => fs::DirBuilder::new().recursive(true).mode(0o777).create(parent),
        None => Ok(()),
    }
}

/// Replaces a state file as a whole, readable by everybody.
fn write_state(path: &Path, lines: &str) -> io::Result<()> {
    make_parent(path)?;
    let mut temporary = path.as_os_str().as_bytes().to_vec();
    temporary.extend_from_slice(format!(".{}.tmp", std::process::id()).as_bytes());
    let temporary = PathBuf::from(std::ffi::OsStr::from_bytes(&temporary));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(&temporary)?;
    file.write_all(lines.as_bytes())?;
    fs::rename(temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(units: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("usr/lib/systemd/system")).unwrap();
        for (name, text) in units {
            fs::write(root.path().join("usr/lib/systemd/system").join(name), text).unwrap();
        }
        root
    }

    fn call(root: &Path, line: &str) -> Option<u8> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let call = Call::parse(&words)?;
        let plan = call.plan(root)?;
        Some(call.carry_out(root, &plan).unwrap())
    }

    #[test]
    fn a_timer_is_enabled_once() {
        let root = root(&[(
            "a.timer",
            "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
        )]);
        let at = |path: &str| root.path().join(path);
        assert_eq!(call(root.path(), "debian-installed a.timer"), Some(1));
        assert_eq!(call(root.path(), "unmask a.timer"), Some(0));
        assert_eq!(call(root.path(), "--quiet was-enabled a.timer"), Some(0));
        assert_eq!(call(root.path(), "enable a.timer"), Some(0));
        let link = at("etc/systemd/system/timers.target.wants/a.timer");
        assert_eq!(
            fs::read_link(&link).unwrap(),
            Path::new("/usr/lib/systemd/system/a.timer")
        );
        let state = at("var/lib/systemd/deb-systemd-helper-enabled");
        let lines = "/etc/systemd/system/timers.target.wants/a.timer\n";
        assert_eq!(fs::read_to_string(state.join("a.timer.dsh-also")).unwrap(), lines);
        assert_eq!(fs::read(state.join("timers.target.wants/a.timer")).unwrap(), b"");
        assert_eq!(call(root.path(), "debian-installed a.timer"), Some(0));

        fs::remove_file(&link).unwrap();
        assert_eq!(call(root.path(), "enable a.timer"), Some(0));
        assert!(!is_link(&link), "what the administrator removed stays away");
        assert_eq!(call(root.path(), "--quiet was-enabled a.timer"), Some(1));
    }

    #[test]
    fn aliases_come_first() {
        let root = root(&[(
            "a.service",
            "[Install]\nWantedBy=x.target y.target\nAlias=b.service\nRequiredBy=z.target\n",
        )]);
        assert_eq!(call(root.path(), "update-state a.service"), Some(0));
        let state = root
            .path()
            .join("var/lib/systemd/deb-systemd-helper-enabled/a.service.dsh-also");
        let lines: Vec<String> = fs::read_to_string(state)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        assert_eq!(
            lines,
            [
                "/etc/systemd/system/b.service",
                "/etc/systemd/system/x.target.wants/a.service",
                "/etc/systemd/system/y.target.wants/a.service",
                "/etc/systemd/system/z.target.requires/a.service"
            ]
        );
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_real_helper() {
        for install in [
            "Also=b.service",
            "Alias=b c",
            "WantedBy=\"x\"",
            "DefaultInstance=tty1",
            "wantedby=x.target",
        ] {
            let root = root(&[
                ("a.service", &format!("[Install]\n{install}\n")),
                ("b.service", ""),
            ]);
            assert_eq!(call(root.path(), "enable a.service"), None, "{install}");
            assert!(!root.path().join("etc").exists());
        }
        let root = root(&[("a.service", "")]);
        for line in [
            "mask a.service",
            "enable --now a.service",
            "enable",
            "enable missing.service",
            "enable ../a",
        ] {
            assert_eq!(call(root.path(), line), None, "{line}");
        }
        fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        fs::write(root.path().join("usr/bin/systemctl"), "").unwrap();
        assert_eq!(call(root.path(), "enable a.service"), None);
    }

    #[test]
    fn a_masked_unit_is_left_to_the_real_helper() {
        let root = root(&[("a.service", "")]);
        fs::create_dir_all(root.path().join("etc/systemd/system")).unwrap();
        symlink("/dev/null", root.path().join("etc/systemd/system/a.service")).unwrap();
        assert_eq!(call(root.path(), "unmask a.service"), None);
    }
}
