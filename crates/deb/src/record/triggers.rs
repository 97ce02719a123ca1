//! `/var/lib/dpkg/triggers`: who is interested in what (deb-triggers(5), dpkg's doc/spec/triggers.txt).

use std::collections::{BTreeMap, BTreeSet};

use super::{Record, RecordError};

/// A line of a package's `triggers` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive<'a> {
    /// Whether the package is interested; otherwise it activates.
    pub interest: bool,
    /// The trigger: a name, or an absolute path for a file trigger.
    pub trigger: &'a str,
    /// Whether who activates waits until the trigger is processed (the default).
    pub awaits: bool,
}

/// dpkg's line buffer for directives.
const LONGEST_LINE: usize = 255;

/// Reads a package's `triggers` by dpkg's rules.
///
/// # Errors
///
/// What is wrong, as the end of a sentence about the file.
pub fn directives(text: &[u8]) -> Result<Vec<Directive<'_>>, String> {
    let mut all = Vec::new();
    let text = match text.strip_suffix(b"\n") {
        Some(text) => text,
        None if text.is_empty() => return Ok(all),
        None => return Err("its last newline is missing".into()),
    };
    for line in text.split(|&b| b == b'\n') {
        let words = std::str::from_utf8(line).map_err(|_| "it is not text")?;
        let words = words.trim_matches([' ', '\t']);
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        if line.len() >= LONGEST_LINE {
            return Err("it has a line that is too long".into());
        }
        let (word, trigger) = words
            .split_once([' ', '\t'])
            .ok_or_else(|| format!("it has the line `{words}`"))?;
        let trigger = trigger.trim_start_matches([' ', '\t']);
        let (interest, awaits) = match word {
            "interest" | "interest-await" => (true, true),
            "interest-noawait" => (true, false),
            "activate" | "activate-await" => (false, true),
            "activate-noawait" => (false, false),
            _ => return Err(format!("it has the unknown directive `{word}`")),
        };
        // What dpkg ignores in an activation is fatal in an interest; a name becomes the name of a file.
        if interest && !is_trigger(trigger) || !trigger.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!("`{trigger}` is not a trigger"));
        }
        all.push(Directive {
            interest,
            trigger,
            awaits,
        });
    }
    Ok(all)
}

/// Whether dpkg takes it for a path (each part at least a character) or for a name (as a package's, without `_`).
fn is_trigger(trigger: &str) -> bool {
    match trigger.strip_prefix('/') {
        Some(path) => {
            trigger.bytes().all(|b| b.is_ascii_graphic()) && path.split('/').all(|part| !part.is_empty())
        }
        None => {
            trigger.starts_with(|c: char| c.is_ascii_alphanumeric())
                && trigger
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b))
        }
    }
}

/// A package that is interested in a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Interest {
    /// The package as these files name it (`libc6:amd64`).
    package: String,
    awaits: bool,
}

impl Interest {
    fn parse(text: &str) -> Interest {
        match text.split_once('/') {
            Some((package, option)) => Interest {
                package: package.into(),
                awaits: option != "noawait",
            },
            None => Interest {
                package: text.into(),
                awaits: true,
            },
        }
    }

    fn text(&self) -> String {
        format!("{}{}\n", self.package, if self.awaits { "" } else { "/noawait" })
    }
}

/// The interests of a root, and what has been activated and waits for dpkg to take it up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Triggers {
    /// `File`: file triggers in the order in which packages came with them.
    files: Vec<(String, Interest)>,
    /// One file for each explicit trigger.
    named: BTreeMap<String, Vec<Interest>>,
    /// `Unincorp` as it was.
    pending: Vec<u8>,
    /// To be added to `Unincorp`: who activates which path.
    activated: BTreeMap<String, BTreeSet<String>>,
}

/// How long dpkg lets a line of `Unincorp` become (`_POSIX2_LINE_MAX`), less some slack.
const UNINCORP_LINE: usize = 1900;

impl Triggers {
    /// Reads the files that are in `triggers/`, by their names; the lock is ignored.
    pub(crate) fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Triggers, RecordError> {
        let mut triggers = Triggers::default();
        for (name, bytes) in files {
            let wrong = |reason: &str| RecordError::database(&format!("triggers/{name}"), reason);
            let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not text"))?;
            match name.as_str() {
                "Lock" => {}
                "Unincorp" => triggers.pending = bytes.clone(),
                "File" => {
                    for line in text.lines() {
                        let (path, rest) = line
                            .split_once(' ')
                            .ok_or_else(|| wrong("a line has no package"))?;
                        triggers.files.push((path.into(), Interest::parse(rest)));
                    }
                }
                _ => drop(
                    triggers
                        .named
                        .insert(name.clone(), text.lines().map(Interest::parse).collect()),
                ),
            }
        }
        Ok(triggers)
    }

    /// Notes what a package is interested in, as dpkg does when it has unpacked it.
    pub(crate) fn add(&mut self, package: &str, directives: &[Directive<'_>]) {
        for directive in directives.iter().filter(|directive| directive.interest) {
            let interest = Interest {
                package: package.into(),
                awaits: directive.awaits,
            };
            if directive.trigger.starts_with('/') {
                let same = |(path, have): &&mut (String, Interest)| {
                    path == directive.trigger && have.package == package
                };
                match self.files.iter_mut().find(same) {
                    Some((_, have)) => *have = interest,
                    None => self.files.push((directive.trigger.into(), interest)),
                }
            } else {
                let interests = self.named.entry(directive.trigger.into()).or_default();
                interests.retain(|have| have.package != package);
                interests.push(interest);
            }
        }
    }

    /// Notes that a package has brought paths, for the file triggers of packages that `is_configured` knows.
    ///
    /// dpkg drops activations of packages that were never configured, so only a second stage has any.
    pub(crate) fn activate<'p>(
        &mut self,
        package: &str,
        paths: impl Iterator<Item = &'p [u8]>,
        is_configured: &dyn Fn(&str) -> bool,
    ) {
        let mut wanted: BTreeMap<&[u8], bool> = BTreeMap::new();
        for (path, interest) in self
            .files
            .iter()
            .filter(|(_, interest)| is_configured(&interest.package))
        {
            *wanted.entry(path.as_bytes()).or_default() |= interest.awaits;
        }
        if wanted.is_empty() {
            return;
        }
        for path in paths {
            if let Some((path, awaits)) = wanted.get_key_value(path) {
                let path = String::from_utf8_lossy(path).into_owned();
                let awaiter = if *awaits { package } else { "-" };
                self.activated.entry(path).or_default().insert(awaiter.into());
            }
        }
    }

    /// The files for `triggers/`.
    pub(crate) fn records(&self) -> Vec<Record> {
        let record = |name: &str, bytes: Vec<u8>| Record::new(format!("var/lib/dpkg/triggers/{name}"), bytes);
        let mut records = Vec::new();
        if !self.files.is_empty() {
            let lines = self
                .files
                .iter()
                .map(|(path, interest)| format!("{path} {}", interest.text()));
            records.push(record("File", lines.collect::<String>().into_bytes()));
        }
        for (name, interests) in &self.named {
            records.push(record(
                name,
                interests
                    .iter()
                    .map(Interest::text)
                    .collect::<String>()
                    .into_bytes(),
            ));
        }
        if !self.activated.is_empty() {
            records.push(record("Unincorp", self.unincorp()));
        }
        records
    }

    fn unincorp(&self) -> Vec<u8> {
        let mut text = String::new();
        for (path, awaiters) in &self.activated {
            let mut line = path.clone();
            for awaiter in awaiters {
                if line.len() + awaiter.len() > UNINCORP_LINE && line.len() > path.len() {
                    text.extend([&line, "\n"]);
                    line.clone_from(path);
                }
                line.extend([" ", awaiter]);
            }
            text.extend([&line, "\n"]);
        }
        [self.pending.as_slice(), text.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_as_dpkg_reads_them() {
        let text = b"# what\n\n interest /usr/share/x \ninterest-noawait\tldconfig\nactivate-await a_b\nactivate c\n";
        let read = directives(text).unwrap();
        let want = [
            (true, "/usr/share/x", true),
            (true, "ldconfig", false),
            (false, "a_b", true),
            (false, "c", true),
        ];
        assert_eq!(
            read.iter()
                .map(|d| (d.interest, d.trigger, d.awaits))
                .collect::<Vec<_>>(),
            want
        );
        assert_eq!(directives(b"").unwrap(), []);
    }

    #[test]
    fn bad_directives_are_refused() {
        for text in [
            "interest x",
            "interest\n",
            "want x\n",
            "interest a/b\n",
            "interest ../../etc/x\n",
            "interest /\n",
            "interest /a//b\n",
            "interest a b\n",
            "interest a\u{e9}\n",
            "interest .x\n",
        ] {
            assert!(directives(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(directives(format!("interest {}\n", "a".repeat(300)).as_bytes()).is_err());
    }

    fn texts(triggers: &Triggers) -> Vec<(String, String)> {
        let text = |record: Record| {
            let name = record
                .path
                .strip_prefix("var/lib/dpkg/triggers/")
                .unwrap()
                .to_string();
            (name, String::from_utf8(record.bytes).unwrap())
        };
        triggers.records().into_iter().map(text).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .collect()
    }

    #[test]
    fn interests_are_kept_in_order() {
        let mut triggers = Triggers::default();
        triggers.add(
            "b",
            &directives(b"interest-noawait /usr/share/b\ninterest zz\ninterest /a\n").unwrap(),
        );
        triggers.add(
            "a:amd64",
            &directives(b"interest /a\ninterest-noawait zz\nactivate yy\n").unwrap(),
        );
        triggers.add(
            "b",
            &directives(b"interest /usr/share/b\ninterest-noawait zz\n").unwrap(),
        );
        let want = [
            ("File", "/usr/share/b b\n/a b\n/a a:amd64\n"),
            ("zz", "a:amd64/noawait\nb/noawait\n"),
        ];
        assert_eq!(texts(&triggers), pairs(&want));
        let files = texts(&triggers)
            .into_iter()
            .map(|(name, text)| (name, text.into_bytes()))
            .collect();
        assert_eq!(texts(&Triggers::read(&files).unwrap()), pairs(&want));
    }

    #[test]
    fn only_configured_packages_are_activated() {
        let mut triggers = Triggers::default();
        triggers.add(
            "man",
            &directives(b"interest-noawait /usr/share/man\ninterest /usr/lib\n").unwrap(),
        );
        triggers.add("other", &directives(b"interest /usr/share/man\n").unwrap());
        let paths: [&[u8]; 3] = [b"/usr", b"/usr/share/man", b"/usr/lib"];
        triggers.activate("x", paths.into_iter(), &|package| package == "man");
        triggers.activate("a", paths.into_iter(), &|package| package == "man");
        let unincorp = texts(&triggers).pop().unwrap();
        assert_eq!(
            unincorp,
            (
                "Unincorp".to_string(),
                "/usr/lib a x\n/usr/share/man -\n".to_string()
            )
        );
        let mut none = Triggers::default();
        none.activate("x", paths.into_iter(), &|_| true);
        assert_eq!(texts(&none), []);
    }

    #[test]
    fn lines_stay_short_enough_for_dpkg() {
        let mut triggers = Triggers::default();
        triggers.add("man", &directives(b"interest /usr\n").unwrap());
        for number in 0..500 {
            triggers.activate(
                &format!("package{number}"),
                [b"/usr".as_slice()].into_iter(),
                &|_| true,
            );
        }
        let (_, text) = texts(&triggers).pop().unwrap();
        assert!(
            text.lines().count() > 1
                && text
                    .lines()
                    .all(|line| line.len() < 2048 && line.starts_with("/usr "))
        );
        assert_eq!(
            text.split_whitespace()
                .filter(|word| word.starts_with("package"))
                .count(),
            500
        );
    }
}
