//! The files that macros come from, in the order in which rpm reads them (`rpm --showrc`: "Macro path").

use super::define::{Body, is_blank, is_end, shown};
use super::expand::Expansion;
use super::{Host, Level, MacroError, Macros};

/// Files of a root, read by whoever can.
pub trait Files {
    /// A file's bytes; `None` where there is none. The path is absolute in the root.
    fn read(&self, path: &str) -> Option<Vec<u8>>;

    /// The names in a directory, in any order.
    fn list(&self, directory: &str) -> Vec<String>;
}

/// rpm's directory.
const DIRECTORY: &str = "/usr/lib/rpm";

/// Directories of vendors below it; which one counts is compiled into each rpm, and no root has two.
const VENDORS: &[&str] = &[
    "redhat",
    "suse",
    "mageia",
    "openmandriva",
    "alt",
    "azl",
    "amazon",
    "debian",
];

/// What is there in every root, also before it has any of the files.
const ALWAYS: &[(&str, &str)] = &[
    ("_usr", "/usr"),
    ("_var", "/var"),
    ("_prefix", "/usr"),
    ("_exec_prefix", "%{_prefix}"),
    ("_bindir", "%{_exec_prefix}/bin"),
    ("_datadir", "%{_prefix}/share"),
    ("_sysconfdir", "/etc"),
    ("_localstatedir", "/var"),
    ("_rpmconfigdir", DIRECTORY),
];

impl Macros {
    /// The macros of a root whose machine is called that (`x86_64`). A file that cannot be understood is left out from there
    /// on, as rpm does.
    pub fn load(files: &dyn Files, machine: &str, host: &dyn Host) -> Macros {
        let macros = Macros::new();
        for (name, body) in ALWAYS {
            macros.set(name.as_bytes(), body.as_bytes());
        }
        let target = format!("{machine}-linux");
        macros.set_target(machine, &target);
        let read = |path: &str| {
            if let Some(text) = files.read(path)
                && let Err(error) = macros.load_text(&text, host)
            {
                host.message(Level::Error, format!("{path}: {error}").as_bytes());
            }
        };
        let listed = |directory: &str, wanted: &dyn Fn(&str) -> bool| {
            let mut names: Vec<String> = files.list(directory);
            names.retain(|name| {
                let left_over = [".rpmnew", ".rpmsave", ".rpmorig"];
                wanted(name) && !left_over.iter().any(|end| name.ends_with(end))
            });
            names.sort_unstable();
            names
                .into_iter()
                .map(|name| format!("{directory}/{name}"))
                .collect::<Vec<_>>()
        };
        let is_macros = |name: &str| name.starts_with("macros.");
        read(&format!("{DIRECTORY}/macros"));
        for path in listed(&format!("{DIRECTORY}/macros.d"), &is_macros) {
            read(&path);
        }
        read(&format!("{DIRECTORY}/platform/{target}/macros"));
        for path in listed(&format!("{DIRECTORY}/fileattrs"), &|name| name.ends_with(".attr")) {
            read(&path);
        }
        for vendor in VENDORS {
            read(&format!("{DIRECTORY}/{vendor}/macros"));
        }
        for path in listed("/etc/rpm", &is_macros) {
            read(&path);
        }
        read("/etc/rpm/macros");
        read(&format!("/etc/rpm/{target}/macros"));
        // rpm derives them anew from its rpmrc once all files are read.
        macros.set_target(machine, &target);
        macros
    }

    fn set_target(&self, machine: &str, target: &str) {
        for (name, body) in [
            ("_arch", machine),
            ("_target_cpu", machine),
            ("_host_cpu", machine),
            ("_os", "linux"),
            ("_target_os", "linux"),
            ("_host_os", "linux"),
            ("_target", target),
        ] {
            self.set(name.as_bytes(), body.as_bytes());
        }
    }

    /// Takes in the definitions of a file: lines that begin with `%`, each with the lines that it goes on in.
    ///
    /// # Errors
    /// The first definition that is not written as it should be; the others are taken in all the same.
    pub fn load_text(&self, text: &[u8], host: &dyn Host) -> Result<(), MacroError> {
        let mut first = Ok(());
        let mut rest = text;
        while !rest.is_empty() {
            let length = logical_line(rest);
            let (line, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = after;
            let line = line.trim_ascii_start();
            let Some(definition) = line.strip_prefix(b"%") else {
                continue;
            };
            let defined = Expansion::new(self, host).define(definition, 0, Body::AsIs);
            if let Err(error) = defined {
                first = first.and(Err(error));
            }
        }
        first.map_err(|error| match error {
            MacroError::Syntax(words) => MacroError::Syntax(shown(words.as_bytes())),
            other => other,
        })
    }
}

/// The bytes of the first line and of those that it goes on in: after a backslash, and while something in it is open.
fn logical_line(text: &[u8]) -> usize {
    let (mut braces, mut parentheses) = (0_usize, 0_usize);
    let is_definition = text.trim_ascii_start().first() == Some(&b'%')
        && text.iter().find(|byte| !is_blank(**byte)) == Some(&b'%');
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied();
        match (byte, next) {
            (b'\\', Some(escaped)) => {
                at += 1;
                // Where lines end in two bytes.
                if escaped == b'\r' && text.get(at + 1) == Some(&b'\n') {
                    at += 1;
                }
            }
            (b'%', Some(open @ (b'{' | b'(' | b'%'))) if is_definition => {
                at += 1;
                match open {
                    b'{' => braces += 1,
                    b'(' => parentheses += 1,
                    _ => {}
                }
            }
            (b'{', _) if braces > 0 => braces += 1,
            (b'}', _) => braces = braces.saturating_sub(1),
            (b'(', _) if parentheses > 0 => parentheses += 1,
            (b')', _) => parentheses = parentheses.saturating_sub(1),
            _ if is_end(byte) && braces == 0 && parentheses == 0 => return at + 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
}
