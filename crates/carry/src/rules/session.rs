//! Character sets, locales, terminals, time zones, shells.

use std::path::{Path, PathBuf};

use crate::collect::{Collector, Why};
use crate::error::Error;
use crate::path;
use crate::rule::Rule;

/// Terminals whose descriptions go in: those that people sit before.
const TERMINALS: [&str; 24] = [
    "ansi",
    "dumb",
    "linux",
    "vt100",
    "vt102",
    "vt220",
    "xterm",
    "xterm-color",
    "xterm-16color",
    "xterm-256color",
    "xterm-direct",
    "screen",
    "screen-256color",
    "screen.xterm-256color",
    "tmux",
    "tmux-256color",
    "rxvt",
    "rxvt-unicode",
    "rxvt-unicode-256color",
    "alacritty",
    "xterm-kitty",
    "foot",
    "xterm-ghostty",
    "konsole",
];

/// Where curses looks (terminfo(5), "Fetching Compiled Descriptions").
const TERMINFO: [&str; 4] = [
    "/etc/terminfo",
    "/lib/terminfo",
    "/usr/lib/terminfo",
    "/usr/share/terminfo",
];

impl Collector<'_> {
    pub(super) fn gconv(&mut self, why: &Why) -> Result<(), Error> {
        // The C library has the directory beside itself.
        for directory in self.directory_of("libc.so.6") {
            for place in [
                directory.clone(),
                Path::new("/usr").join(crate::source::relative(&directory)),
            ] {
                self.tree(place.join("gconv"), why)?;
            }
        }
        Ok(())
    }

    pub(super) fn locale(&mut self, why: &Why) -> Result<(), Error> {
        if !self.first(Rule::Locale, "/") {
            return Ok(());
        }
        for name in self.source.names(Path::new("/usr/lib/locale"))? {
            // Others are chosen by the environment, which nothing here knows; the archive has what was generated.
            if name.to_ascii_lowercase().starts_with(b"c.utf") || name == b"locale-archive" {
                self.tree(Path::new("/usr/lib/locale").join(path::path(&name)), why)?;
            }
        }
        for file in [
            "/etc/locale.conf",
            "/etc/default/locale",
            "/usr/share/locale/locale.alias",
        ] {
            self.add(file, why)?;
        }
        Ok(())
    }

    pub(super) fn terminfo(&mut self, why: &Why) -> Result<(), Error> {
        if !self.first(Rule::Terminfo, "/") {
            return Ok(());
        }
        let own = std::mem::take(&mut self.terminals);
        let names = TERMINALS.iter().copied().chain(own.iter().map(String::as_str));
        for name in names.filter(|name| !name.is_empty() && !name.contains('/') && !name.starts_with('.')) {
            let first = name.bytes().next().unwrap_or_default();
            for directory in TERMINFO {
                // By the first letter, or by its number where the file system cannot tell letters' cases apart.
                for letter in [char::from(first).to_string(), format!("{first:02x}")] {
                    self.add(Path::new(directory).join(letter).join(name), why)?;
                }
            }
        }
        self.terminals = own;
        Ok(())
    }

    pub(super) fn time_zone(&mut self, why: &Why) -> Result<(), Error> {
        for file in ["/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo/UTC"] {
            self.add(file, why)?;
        }
        Ok(())
    }

    pub(super) fn shell(&mut self, why: &Why) -> Result<(), Error> {
        if self.first(Rule::Shell, "/") {
            self.want_program("/bin/sh", why)?;
        }
        Ok(())
    }

    /// The shell that root logs in to.
    pub(super) fn login_shell(&mut self, why: &Why) -> Result<(), Error> {
        if !self.first(Rule::LoginShell, "/") {
            return Ok(());
        }
        let passwd = self.source.text(Path::new("/etc/passwd"))?.unwrap_or_default();
        let shell = passwd.split(|byte| *byte == b'\n').find_map(|line| {
            let line = line.strip_prefix(b"root:")?;
            line.rsplit(|byte| *byte == b':').next().map(path::path)
        });
        let shell = shell.unwrap_or_else(|| PathBuf::from("/bin/sh"));
        self.want_program(&shell.display().to_string(), why)?;
        self.add("/etc/shells", why)?;
        Ok(())
    }
}
