//! `dpkg-maintscript-helper`: its conffile commands do nothing while a package is first installed
//! (dpkg-maintscript-helper(1): they act only on an upgrade from a version, which the second script argument names).

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::real;

const REAL: &str = "/usr/bin/dpkg-maintscript-helper";

/// Acts as the helper.
pub fn main(arguments: &[OsString]) -> u8 {
    let words: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
    let environment = |name: &str| std::env::var_os(name).unwrap_or_default();
    let script = environment("DPKG_MAINTSCRIPT_NAME");
    let package = !environment("DPKG_MAINTSCRIPT_PACKAGE").is_empty();
    let elsewhere = !environment("DPKG_ROOT").is_empty() || !environment("DPKG_DEBUG").is_empty();
    if package && !elsewhere && does_nothing(&words, script.as_bytes()) {
        return 0;
    }
    real::become_real(REAL, arguments)
}

/// Whether the real helper would check its arguments, find them right, and do nothing.
fn does_nothing(words: &[&[u8]], script: &[u8]) -> bool {
    let Some(separator) = words.iter().position(|word| *word == b"--") else {
        return false;
    };
    let (command, script_arguments) = (&words[..separator], &words[separator + 1..]);
    let action = match script {
        b"preinst" => b"install".as_slice(),
        b"postinst" => b"configure".as_slice(),
        _ => return false,
    };
    let fresh = match script_arguments {
        [first] => *first == action,
        [first, version, ..] => *first == action && version.is_empty(),
        [] => false,
    };
    let paths_and_version = match command {
        [b"rm_conffile", path, rest @ ..] => path.starts_with(b"/").then_some(rest),
        [b"mv_conffile", old, new, rest @ ..] => {
            (old.starts_with(b"/") && new.starts_with(b"/")).then_some(rest)
        }
        _ => None,
    };
    let plain_version = |version: &[u8]| {
        version.first().is_none_or(u8::is_ascii_digit)
            && version
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b".+~:-".contains(b))
    };
    fresh
        && match paths_and_version {
            Some([]) => true,
            Some([version]) | Some([version, _]) => plain_version(version),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(script: &str, line: &str) -> bool {
        let words: Vec<&[u8]> = line
            .split(' ')
            .map(|word| if word == "''" { b"" } else { word.as_bytes() })
            .collect();
        does_nothing(&words, script.as_bytes())
    }

    #[test]
    fn only_a_first_installation_is_certain() {
        assert!(nothing("preinst", "rm_conffile /etc/a 1.2~ pkg -- install"));
        assert!(nothing("postinst", "rm_conffile /etc/a 1.2~ -- configure ''"));
        assert!(nothing(
            "postinst",
            "mv_conffile /etc/a /etc/b 1.2 -- configure ''"
        ));
        assert!(nothing("postinst", "rm_conffile /etc/a -- configure ''"));
        for (script, line) in [
            ("postinst", "rm_conffile /etc/a 1.2~ -- configure 1.0"),
            ("preinst", "rm_conffile /etc/a 1.2~ -- upgrade 1.0"),
            ("postrm", "rm_conffile /etc/a 1.2~ -- purge"),
            ("preinst", "rm_conffile etc/a 1.2~ -- install"),
            ("preinst", "rm_conffile /etc/a wrong -- install"),
            ("preinst", "rm_conffile /etc/a 1.2~ pkg install"),
            ("preinst", "symlink_to_dir /a /b 1 pkg -- install"),
            ("preinst", "supports rm_conffile"),
            ("preinst", "rm_conffile /etc/a 1 --"),
        ] {
            assert!(!nothing(script, line), "{script}: {line}");
        }
    }
}
