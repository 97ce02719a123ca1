//! What a preinst diverts, as far as its text says so in plain words.

use std::str;

/// A file of other packages that is to be elsewhere (dpkg-divert(1)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diverts {
    /// The path that packages ship.
    pub from: String,
    /// Where those of other packages go instead.
    pub to: String,
}

/// The diversions that a package's preinst adds for the package itself. Only calls of dpkg-divert whose words are plain are seen:
/// no variable is known here.
pub fn diversions(preinst: &[u8], package: &str) -> Vec<Diverts> {
    let Ok(text) = str::from_utf8(preinst) else {
        return Vec::new();
    };
    let text = text.replace("\\\n", " ");
    let commands = text.split(['\n', ';', '&', '|', '`', '(', ')']);
    commands.filter_map(|command| added(command, package)).collect()
}

/// What one command adds.
fn added(command: &str, package: &str) -> Option<Diverts> {
    if command.trim_start().starts_with('#') {
        return None;
    }
    let mut words = command
        .split_whitespace()
        .map(unquoted)
        .skip_while(|word| !matches!(word.rsplit('/').next(), Some("dpkg-divert")));
    words.next()?;
    let (mut from, mut to) = (None, None);
    while let Some(word) = words.next() {
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if word.starts_with("--") => (option, Some(unquoted(value))),
            _ => (word, None),
        };
        match option {
            "--package" => {
                let owner = value.or_else(|| words.next())?;
                let is_own =
                    owner == package || owner.trim_matches(['{', '}', '$']) == "DPKG_MAINTSCRIPT_PACKAGE";
                is_own.then_some(())?;
            }
            "--divert" => to = Some(value.or_else(|| words.next())?),
            "--add" | "--rename" | "--no-rename" | "--quiet" => {}
            // Another action, a diversion of the administrator's, another database.
            _ if option.starts_with('-') => return None,
            // What comes after a redirection is no path of the call's.
            _ if option.contains(['<', '>']) => break,
            _ if from.is_none() => from = Some(word),
            _ => return None,
        }
    }
    let from = plain(from?)?;
    let to = match to {
        Some(to) => plain(to)?,
        None => format!("{from}.distrib"),
    };
    Some(Diverts { from, to })
}

/// A word without the quotes around it.
fn unquoted(word: &str) -> &str {
    let inner = |quote| word.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(word)
}

/// An absolute path in which a shell changes nothing.
fn plain(path: &str) -> Option<String> {
    let is_plain = path.starts_with('/') && !path.contains(['$', '*', '?', '[', '"', '\'', '\\', '~']);
    is_plain.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_calls_are_seen() {
        let of = |text: &str| -> Vec<(String, String)> {
            let all = diversions(text.as_bytes(), "own").into_iter();
            all.map(|diverts| (diverts.from, diverts.to)).collect()
        };
        let pair = |from: &str, to: &str| vec![(from.to_owned(), to.to_owned())];
        let both = pair("/usr/bin/tool", "/usr/bin/tool.stub");
        for text in [
            "#!/bin/sh -e\nif [ \"$1\" = install ]\nthen\n    dpkg-divert --add --package own --rename \\\n\t--divert /usr/bin/tool.stub /usr/bin/tool\nfi\n",
            "[ x ] && /usr/sbin/dpkg-divert --quiet --divert=\"/usr/bin/tool.stub\" '/usr/bin/tool' --no-rename",
            "if ! dpkg-divert --package=\"$DPKG_MAINTSCRIPT_PACKAGE\" --divert /usr/bin/tool.stub /usr/bin/tool >/dev/null; then :; fi",
        ] {
            assert_eq!(of(text), both, "{text}");
        }
        assert_eq!(
            of("dpkg-divert --add --rename /bin/x"),
            pair("/bin/x", "/bin/x.distrib")
        );
        for text in [
            "dpkg-divert --remove --package own --rename --divert /usr/bin/tool.stub /usr/bin/tool",
            "dpkg-divert --package other --divert /usr/bin/tool.stub /usr/bin/tool",
            "dpkg-divert --local --divert /usr/bin/tool.stub /usr/bin/tool",
            "dpkg-divert --divert $to /usr/bin/tool",
            "dpkg-divert --divert /usr/bin/tool.stub \"$from\"",
            "dpkg-divert --divert tool.stub tool",
            "dpkg-divert --truename /usr/bin/tool",
            "echo /usr/bin/tool",
            "# dpkg-divert /usr/bin/tool",
            "dpkg-divert",
        ] {
            assert_eq!(of(text), [], "{text}");
        }
    }
}
