//! Paths that a program has in itself: what it reads without being told.

use std::path::{Component, Path, PathBuf};

use crate::collect::{Collector, Pending, Why};
use crate::error::Error;
use crate::path;
use crate::rule::Rule;

/// Tops under which a program's paths are looked at.
const TOPS: [&[u8]; 9] = [
    b"/etc/", b"/usr/", b"/lib/", b"/lib64/", b"/var/", b"/opt/", b"/run/", b"/sbin/", b"/bin/",
];

/// Directories that many share, each below one of [`HOMES`]: what they hold is a matter of other rules, or of nobody.
const SHARED: [&str; 62] = [
    "alternatives",
    "apt",
    "applications",
    "apps",
    "bash-completion",
    "bug",
    "ca-certificates",
    "cmake",
    "common-licenses",
    "cron.d",
    "cron.daily",
    "crypto-policies",
    "dbus-1",
    "debug",
    "default",
    "dict",
    "doc",
    "dpkg",
    "environment.d",
    "firmware",
    "fontconfig",
    "fonts",
    "gcc-data",
    "gconv",
    "gdb",
    "girepository-1.0",
    "i18n",
    "icons",
    "info",
    "init.d",
    "ld.so.conf.d",
    "locale",
    "lintian",
    "man",
    "metainfo",
    "mime",
    "misc",
    "modprobe.d",
    "modules",
    "pam-configs",
    "pam.d",
    "perl",
    "perl5",
    "pixmaps",
    "pkgconfig",
    "pki",
    "polkit-1",
    "profile.d",
    "security",
    "skel",
    "ssl",
    "systemd",
    "sysusers.d",
    "terminfo",
    "tmpfiles.d",
    "udev",
    "zoneinfo",
    "X11",
    "zsh",
    "python3",
    "rc.d",
    "pam",
];

/// Files of /etc that other rules bring, in their own form.
const ELSEWHERE: [&str; 14] = [
    "passwd",
    "group",
    "shadow",
    "gshadow",
    "nsswitch.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.preload",
    "hosts",
    "resolv.conf",
    "host.conf",
    "localtime",
    "mtab",
    "machine-id",
];

/// Directories with a directory for each program.
const HOMES: [&str; 9] = [
    "/etc",
    "/usr/share",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local/share",
    "/usr/local/lib",
    "/usr/local/etc",
    "/opt",
];

/// Such directories whose content is made as programs run.
const STATE: [&str; 6] = [
    "/var/lib",
    "/var/log",
    "/var/cache",
    "/var/spool",
    "/run",
    "/var/run",
];

impl Collector<'_> {
    /// What a program or script names, and is there: data go in, of /var and /run the directories alone.
    pub(super) fn named(&mut self, program: &Path) -> Result<(), Error> {
        let why = Why::new(Rule::Named, program);
        let text = match self.source.root.read(program) {
            Err(error) if crate::source::is_denied(&error) => return Ok(()),
            // A program larger than that has no paths that it could not do without.
            Err(bareroot_unpack::Error::TooLarge { .. }) => return Ok(()),
            result => result?,
        };
        if memchr::memmem::find(&text, b"\0/bin/sh\0").is_some() {
            self.shell(&Why::new(Rule::Shell, program))?;
        }
        self.named_in(&text, &why)
    }

    /// The same of a text.
    pub(super) fn named_in(&mut self, text: &[u8], why: &Why) -> Result<(), Error> {
        for bytes in paths(text) {
            let wanted = path::path(&bytes);
            if STATE.iter().any(|top| wanted.starts_with(top)) {
                self.state(&wanted, why)?;
            } else if is_own(&wanted) {
                let Some(found) = self.source.find(&wanted)? else {
                    continue;
                };
                // What a link leads to may be everybody's.
                if !is_own(&found.path) && !found.path.starts_with("/etc/alternatives") {
                    continue;
                }
                if found.is_file() && found.stat.mode & 0o111 != 0 && !is_library(&wanted) {
                    self.pending
                        .push_back(Pending::Optional(wanted.display().to_string(), why.clone()));
                } else {
                    self.tree(&wanted, why)?;
                }
            }
        }
        Ok(())
    }

    /// A directory for what a program writes: itself, or the one that a file is in, without content.
    fn state(&mut self, wanted: &Path, why: &Why) -> Result<(), Error> {
        let Some(place) = STATE.iter().map(Path::new).find(|top| wanted.starts_with(top)) else {
            return Ok(());
        };
        let directory = match self.source.find(wanted)? {
            Some(found) if found.is_dir() => wanted.to_path_buf(),
            _ => path::parent(wanted).to_path_buf(),
        };
        if directory != place && self.source.find_dir(&directory)?.is_some() {
            self.add(&directory, why)?;
        }
        Ok(())
    }
}

fn is_library(path: &Path) -> bool {
    let name = path::name(path);
    name.ends_with(".so") || name.contains(".so.")
}

/// Whether a path is one program's own.
pub(super) fn is_own(wanted: &Path) -> bool {
    let Some((home, own)) = home(wanted) else {
        return false;
    };
    let name = own
        .components()
        .next()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    if home == Path::new("/etc") && ELSEWHERE.iter().any(|file| name.trim_end_matches('-') == *file) {
        return false;
    }
    // A file in a shared directory may be one program's.
    let is_shared = SHARED.contains(&name.as_str()) || name.starts_with("python3.") || name.starts_with("rc");
    !is_shared || (own.components().count() > 1 && name == "misc")
}

/// A program's home, and the path in it.
fn home(wanted: &Path) -> Option<(PathBuf, PathBuf)> {
    let parts: Vec<Component<'_>> = wanted.components().collect();
    if parts.contains(&Component::ParentDir) {
        return None;
    }
    let top = HOMES
        .iter()
        .filter(|home| wanted.starts_with(home))
        .max_by_key(|home| home.len())?;
    let mut home = PathBuf::from(top);
    let mut own = wanted.strip_prefix(top).ok()?.to_path_buf();
    // Libraries of a machine have a directory with its name, which has one for each program again.
    let first = own
        .components()
        .next()?
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    if first.contains("-linux-") {
        own = own.strip_prefix(&first).ok()?.to_path_buf();
        home.push(&first);
    }
    (own.components().count() > 0).then_some((home, own))
}

/// The absolute paths in a text, each once, in their order.
pub(super) fn paths(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| memchr::memchr(b'/', rest)) {
        let start = at + next;
        at = start + 1;
        let rest = text.get(start..).unwrap_or_default();
        if !TOPS.iter().any(|top| rest.starts_with(top)) {
            continue;
        }
        // In the middle of a longer path it is no absolute one.
        if start > 0 && text.get(start - 1).is_some_and(|byte| is_part(*byte)) {
            continue;
        }
        let end = rest
            .iter()
            .position(|byte| !is_part(*byte) && *byte != b'/')
            .unwrap_or(rest.len());
        at = start + end.max(1);
        let mut path = rest.get(..end.min(4096)).unwrap_or_default();
        while let Some(shorter) = path.strip_suffix(b"/").or_else(|| path.strip_suffix(b".")) {
            path = shorter;
        }
        if path.len() > 5 && seen.insert(path.to_vec()) {
            found.push(path.to_vec());
        }
    }
    found
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-' | b'@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_a_text() {
        let text = b"x\0/etc/ssh/sshd_config\0%s/usr/no\0:/usr/lib/git-core/:/usr/share/vim.\0a/etc/no\0/etc/ssh/sshd_config\0/tmp/x";
        let found: Vec<String> = paths(text)
            .iter()
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        assert_eq!(
            found,
            ["/etc/ssh/sshd_config", "/usr/lib/git-core", "/usr/share/vim"]
        );
    }

    #[test]
    fn what_is_a_programs_own() {
        for (path, own) in [
            ("/etc/nginx/nginx.conf", true),
            ("/etc/sudo.conf", true),
            ("/etc/passwd", false),
            ("/etc", false),
            ("/usr/share", false),
            ("/usr/share/vim", true),
            ("/usr/share/locale", false),
            ("/usr/share/doc/x", false),
            ("/usr/lib/x86_64-linux-gnu", false),
            ("/usr/lib/x86_64-linux-gnu/sudo", true),
            ("/usr/lib/x86_64-linux-gnu/gconv", false),
            ("/usr/share/misc/magic.mgc", true),
            ("/usr/share/misc", false),
            ("/usr/lib/../x", false),
            ("/usr/bin/less", false),
            ("/usr/local/lib/x", true),
        ] {
            assert_eq!(is_own(Path::new(path)), own, "{path}");
        }
    }
}
