//! Variables of .repo files: `$releasever`, `${var:-default}` and their kin (dnf.conf(5), "Variables").

use std::collections::BTreeMap;

use crate::arch;
use crate::error::Error;

/// Names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// What dnf itself knows for a root of an architecture and, where it is known, a release.
    pub fn new(arch: &str, releasever: Option<&str>) -> Variables {
        let mut variables = Variables::default();
        variables.set("arch", arch);
        variables.set("basearch", arch::base(arch));
        if let Some(version) = releasever {
            variables.set("releasever", version);
            let (major, minor) = version.split_once('.').unwrap_or((version, ""));
            variables.set("releasever_major", major);
            variables.set("releasever_minor", minor);
        }
        variables
    }

    /// The variables of `vars` directories, `/etc/dnf/vars` and its like, and of the environment: `DNF0` to `DNF9` and
    /// `DNF_VAR_NAME`. What is known already, as the release by an option, stays.
    pub fn add(&mut self, found: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in found {
            self.0.entry(name.to_ascii_lowercase()).or_insert(value);
        }
    }

    /// The variable that a name of the environment means, for [`Variables::add`].
    pub fn of_environment(name: &str) -> Option<&str> {
        let short = name
            .strip_prefix("DNF")
            .filter(|digit| digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit()));
        short.map(|_| name).or_else(|| {
            let name = name.strip_prefix("DNF_VAR_")?;
            let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            (!name.is_empty() && name.bytes().all(valid)).then_some(name)
        })
    }

    /// Sets one.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A text with its variables replaced.
    ///
    /// dnf leaves unknown variables as they are, and the URL then leads nowhere; here they are an error.
    ///
    /// # Errors
    /// [`Error::Variable`] for one that is not known.
    pub fn expand(&self, text: &str) -> Result<String, Error> {
        self.expand_within(text, 0)
    }

    fn expand_within(&self, text: &str, depth: usize) -> Result<String, Error> {
        let unknown = |variable: &str| Error::Variable {
            text: text.to_owned(),
            variable: variable.to_owned(),
        };
        let mut expanded = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, after) = rest.split_at(at);
            expanded.push_str(before);
            let after = after.get(1..).unwrap_or_default();
            let word = |text: &str| {
                text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(text.len())
            };
            if let Some(inside) = after.strip_prefix('{') {
                let Some(end) = closing(inside).filter(|_| depth < 16) else {
                    expanded.push('$');
                    rest = after;
                    continue;
                };
                let (inside, rest_after) = inside.split_at(end);
                rest = rest_after.get(1..).unwrap_or_default();
                let (name, modifier) = inside.split_at(word(inside));
                let value = self
                    .get(&name.to_ascii_lowercase())
                    .filter(|value| !value.is_empty());
                match (value, modifier.get(..2), modifier.get(2..)) {
                    (Some(value), None | Some(":-"), _) => expanded.push_str(value),
                    (None, Some(":-"), Some(default)) => {
                        expanded.push_str(&self.expand_within(default, depth + 1)?);
                    }
                    (Some(_), Some(":+"), Some(alternate)) => {
                        expanded.push_str(&self.expand_within(alternate, depth + 1)?);
                    }
                    (None, Some(":+"), _) => {}
                    _ => return Err(unknown(name)),
                }
            } else {
                let (name, rest_after) = after.split_at(word(after));
                rest = rest_after;
                match self.get(&name.to_ascii_lowercase()) {
                    Some(value) => expanded.push_str(value),
                    None if name.is_empty() => expanded.push('$'),
                    None => return Err(unknown(name)),
                }
            }
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

/// Where the brace is closed that was opened before a text.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_environment_and_of_files() {
        assert_eq!(Variables::of_environment("DNF0"), Some("DNF0"));
        assert_eq!(Variables::of_environment("DNF_VAR_stream"), Some("stream"));
        for name in ["DNF", "DNF10", "DNFX", "DNF_VAR_", "DNF_VAR_a-b", "PATH"] {
            assert_eq!(Variables::of_environment(name), None, "{name}");
        }
        let mut variables = Variables::new("x86_64", Some("9"));
        variables.add([
            ("stream".to_owned(), "9-stream".to_owned()),
            ("releasever".to_owned(), "8".to_owned()),
        ]);
        assert_eq!(variables.expand("$stream/$releasever").unwrap(), "9-stream/9");
    }

    #[test]
    fn every_form() {
        let mut variables = Variables::new("x86_64", Some("9.4"));
        variables.set("stream", "9-stream");
        for (text, wanted) in [
            ("fedora-$releasever", "fedora-9.4"),
            ("$releasever_major/$releasever_minor", "9/4"),
            ("${releasever}x", "9.4x"),
            ("os/$basearch/$arch", "os/x86_64/x86_64"),
            ("${contentdir:-pub}", "pub"),
            ("${stream:-x}", "9-stream"),
            ("${stream:+with}", "with"),
            ("${nothing:+with}", ""),
            ("${nothing:-a${stream}b}", "a9-streamb"),
            ("costs 5$", "costs 5$"),
            ("$RELEASEVER", "9.4"),
            ("${open", "${open"),
        ] {
            assert_eq!(variables.expand(text).unwrap(), wanted, "{text}");
        }
        for text in ["$contentdir", "${contentdir}", "x${a?b}"] {
            assert!(variables.expand(text).is_err(), "{text}");
        }
        let error = Variables::new("i686", None)
            .expand("$releasever/$basearch")
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`$releasever/$basearch` needs `$releasever`, which is not known"
        );
    }
}
