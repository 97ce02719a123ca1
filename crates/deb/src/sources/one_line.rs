use super::{Malformed, Source, options};
use crate::Error;
use crate::release::brief;

/// Reads the one-line format (`.list`).
///
/// # Errors
///
/// [`Error::Sources`] with file and line.
pub fn parse(file: &str, text: &[u8]) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for (number, line) in text.split(|&b| b == b'\n').enumerate() {
        let wrong = |reason| Error::Sources {
            file: file.to_owned(),
            line: number + 1,
            reason,
        };
        let line = std::str::from_utf8(line).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
        let line = without_comment(line).trim_ascii();
        if !line.is_empty() {
            sources.push(entry(line).map_err(wrong)?);
        }
    }
    Ok(sources)
}

/// A `#` starts a comment, but not in brackets: the name of a CD may have one.
fn without_comment(line: &str) -> &str {
    let mut rest = line;
    while let Some(at) = rest.find(['#', '[']) {
        let (before, after) = rest.split_at(at);
        let whole = line.len() - rest.len() + before.len();
        match after.strip_prefix('[').map(|inside| inside.split_once(']')) {
            Some(Some((_, after))) => rest = after,
            Some(None) => rest = after.get(1..).unwrap_or_default(),
            None => return line.get(..whole).unwrap_or(line),
        }
    }
    line
}

fn entry(line: &str) -> Result<Source, Malformed> {
    let mut words = Words(line);
    let mut source = Source::default();
    match words.next_until(Some('['))? {
        Some("deb") => source.binary = true,
        Some("deb-src") => source.source = true,
        other => {
            return Err(format!(
                "`{}` is neither deb nor deb-src",
                brief(other.unwrap_or_default())
            ));
        }
    }
    if let Some(rest) = words.0.trim_ascii_start().strip_prefix('[') {
        let (inside, rest) = rest.split_once(']').ok_or("the options have no `]`")?;
        for option in inside.split_ascii_whitespace() {
            set(&mut source, option)?;
        }
        words.0 = rest;
    }
    let uri = words.next()?.ok_or("it has no URI")?;
    options::check_uri(uri)?;
    source.uris.push(uri.to_owned());
    source.suite = words.next()?.ok_or("it has no suite")?.to_owned();
    while let Some(component) = words.next()? {
        source.components.push(component.to_owned());
    }
    options::check_components(&source.suite, &source.components)?;
    Ok(source)
}

fn set(source: &mut Source, option: &str) -> Result<(), Malformed> {
    let malformed = || format!("the option `{}` is not of the form name=value", brief(option));
    let (name, value) = option.split_once('=').ok_or_else(malformed)?;
    let long = options::long_name(name);
    if name.trim_end_matches(['+', '-']).is_empty() || value.is_empty() {
        return Err(malformed());
    }
    if options::is_list(&long) {
        options::set(source, &long, &value.replace(',', " "))
    } else {
        options::set(source, &long, value)
    }
}

/// The words of a line. A word may be in double quotes, and holds blanks where they are in brackets
/// (`cdrom:[Debian 13]/`).
struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<Option<&'a str>, Malformed> {
        self.next_until(None)
    }

    /// As `next`, where the word ends at `stop` too.
    fn next_until(&mut self, stop: Option<char>) -> Result<Option<&'a str>, Malformed> {
        let rest = self.0.trim_ascii_start();
        if rest.is_empty() {
            return Ok(None);
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let (word, rest) = quoted.split_once('"').ok_or("a quote is not closed")?;
            self.0 = rest;
            return Ok(Some(word));
        }
        let mut bracket = false;
        let end = rest
            .find(|c: char| {
                if Some(c) == stop {
                    return true;
                }
                bracket = (bracket || c == '[') && c != ']';
                c.is_ascii_whitespace() && !bracket
            })
            .unwrap_or(rest.len());
        if bracket {
            return Err("a `[` is not closed".to_owned());
        }
        let (word, rest) = rest.split_at(end);
        self.0 = rest;
        Ok(Some(word))
    }
}
