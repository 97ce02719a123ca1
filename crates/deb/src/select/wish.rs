//! What the user asks for, in apt's words.

use std::fmt;
use std::str::FromStr;

use super::Error;

/// Which version of a package.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Choice {
    /// The one that the pins prefer.
    #[default]
    Candidate,
    /// `=1.2-3`: exactly this one, or with `*` at the end the highest that starts so.
    Version(String),
    /// `/trixie-backports`: the one of this suite or codename.
    Release(String),
}

/// One wish: `name[:arch][=version | /suite][-]`.
///
/// The same that apt-get(8) takes after `install`, without its regular expressions and patterns, which would be
/// ambiguous here. A name may hold `*`, `?` and `[...]`, and then stands for every package of the index that it
/// matches. A name that is a task (`standard^`) is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wish {
    /// The package's name, or a pattern.
    pub name: String,
    /// Its architecture, where it is not the native one.
    pub architecture: Option<String>,
    /// Which version.
    pub choice: Choice,
    /// Whether it must stay out (`name-`).
    pub refused: bool,
}

impl Wish {
    /// A wish for a package's preferred version.
    pub fn package(name: impl Into<String>) -> Self {
        Wish {
            name: name.into(),
            architecture: None,
            choice: Choice::Candidate,
            refused: false,
        }
    }

    /// Whether the name is a pattern.
    pub fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?', '['])
    }
}

impl FromStr for Wish {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::Wish {
            wish: text.chars().take(200).collect(),
            reason,
        };
        let (rest, refused) = match text.strip_suffix('-') {
            // A package whose name ends so does not exist in Debian's archive; apt looks for one first.
            Some(rest) if !rest.contains('=') => (rest, true),
            _ => (text, false),
        };
        let rest = match rest.strip_suffix('+') {
            // `g++` is a name; `vim+` asks for what it would be anyway.
            Some(shorter) if !refused && !rest.ends_with("++") && !rest.contains('=') => shorter,
            _ => rest,
        };
        let (rest, choice) = match rest.rfind(['=', '/']) {
            None => (rest, Choice::Candidate),
            Some(at) => {
                let (name, tail) = rest.split_at(at);
                let value = tail.get(1..).unwrap_or_default();
                if value.is_empty() {
                    return Err(wrong("nothing follows its `=` or `/`"));
                }
                let choice = match tail.starts_with('=') {
                    true => Choice::Version(value.to_owned()),
                    false => Choice::Release(value.to_owned()),
                };
                (name, choice)
            }
        };
        let (name, architecture) = match rest.rsplit_once(':') {
            Some((name, arch)) => (name, Some(arch.to_owned())),
            None => (rest, None),
        };
        let is_arch =
            |arch: &String| !arch.is_empty() && arch.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if architecture.as_ref().is_some_and(|arch| !is_arch(arch)) {
            return Err(wrong("its architecture is not a name"));
        }
        if name.ends_with('^') {
            return Err(wrong(
                "tasks are not supported; name the task's package, most often `task-NAME`",
            ));
        }
        if name.starts_with(['?', '~']) {
            return Err(wrong("apt's search patterns are not supported"));
        }
        if name.is_empty()
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-._*?[]!".contains(&b))
        {
            return Err(wrong(
                "it has no package name, or one with a character that names do not have",
            ));
        }
        Ok(Wish {
            name: name.to_ascii_lowercase(),
            architecture,
            choice,
            refused,
        })
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(arch) = &self.architecture {
            write!(f, ":{arch}")?;
        }
        match &self.choice {
            Choice::Candidate => {}
            Choice::Version(version) => write!(f, "={version}")?,
            Choice::Release(release) => write!(f, "/{release}")?,
        }
        if self.refused { f.write_str("-") } else { Ok(()) }
    }
}

/// Whether a shell pattern (`*`, `?`, `[a-z]`, `[!a]`) matches a whole text, as fnmatch(3) without flags.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` was, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match (pattern.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            (Some(_), Some(&byte)) => one(pattern.get(p..).unwrap_or_default(), byte),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => {
                p += length;
                t += 1;
            }
            (None, Some((at, taken))) if taken < text.len() => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            _ => return false,
        }
    }
}

/// How much of the pattern matches one byte, if it does.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => {
            let negated = rest.first() == Some(&b'!');
            let inside = rest.get(usize::from(negated)..)?;
            // A `]` that comes first is a member.
            let Some(end) = inside.iter().skip(1).position(|&b| b == b']').map(|at| at + 1) else {
                return (byte == b'[').then_some(1);
            };
            let set = inside.get(..end)?;
            let mut found = false;
            let mut at = 0;
            while let Some(&low) = set.get(at) {
                match (set.get(at + 1), set.get(at + 2)) {
                    (Some(b'-'), Some(&high)) => {
                        found |= (low..=high).contains(&byte);
                        at += 3;
                    }
                    _ => {
                        found |= low == byte;
                        at += 1;
                    }
                }
            }
            (found != negated).then_some(1 + usize::from(negated) + end + 1)
        }
        [first, ..] => (*first == byte).then_some(1),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_read_as_apt_reads_them() {
        let wish = |name: &str, arch: Option<&str>, choice, refused| Wish {
            name: name.into(),
            architecture: arch.map(Into::into),
            choice,
            refused,
        };
        let cases = [
            ("vim", wish("vim", None, Choice::Candidate, false)),
            ("Vim+", wish("vim", None, Choice::Candidate, false)),
            ("g++", wish("g++", None, Choice::Candidate, false)),
            ("vim-", wish("vim", None, Choice::Candidate, true)),
            ("vim:i386-", wish("vim", Some("i386"), Choice::Candidate, true)),
            (
                "vim=2:9.1-3",
                wish("vim", None, Choice::Version("2:9.1-3".into()), false),
            ),
            (
                "vim:i386=1.2",
                wish("vim", Some("i386"), Choice::Version("1.2".into()), false),
            ),
            ("vim/sid", wish("vim", None, Choice::Release("sid".into()), false)),
            (
                "vim:i386/trixie-backports",
                wish(
                    "vim",
                    Some("i386"),
                    Choice::Release("trixie-backports".into()),
                    false,
                ),
            ),
            ("lib*-dev", wish("lib*-dev", None, Choice::Candidate, false)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Wish>().unwrap(), expected, "{text}");
        }
        for text in [
            "",
            "-",
            "vim=",
            "vim/",
            ":i386",
            "vim:",
            "vim:a b",
            "standard^",
            "?essential",
            "~n",
            "a b",
            "a,b",
        ] {
            assert!(text.parse::<Wish>().is_err(), "{text}");
        }
    }

    #[test]
    fn shown_as_written() {
        for text in ["vim", "vim:i386=1.2", "vim/sid", "vim-", "lib*-dev"] {
            assert_eq!(text.parse::<Wish>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("lib*", "libc6", true),
            ("lib*-dev", "libc6-dev", true),
            ("lib*-dev", "libc6-dev-bin", false),
            ("a*b*c", "aXbYbZc", true),
            ("?", "a", true),
            ("?", "ab", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("[]x", "[]x", true),
            ("a", "b", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
