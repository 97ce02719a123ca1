use std::fmt::Write;

use super::{ByHash, Source};
use crate::Error;

/// Writes sources in the deb822 format, for a file of the target such as `/etc/apt/sources.list.d/debian.sources`.
///
/// Neighbours that differ only in their suites, or only in their addresses, share a stanza.
///
/// # Errors
///
/// [`Error::Unwritable`] when a value could not be read back as itself: a word with white space in it, or a line
/// break in an option.
pub fn render(sources: &[Source]) -> Result<String, Error> {
    let mut stanzas: Vec<Stanza<'_>> = Vec::new();
    for source in sources {
        match stanzas.last_mut() {
            Some(stanza) if stanza.uris == source.uris && stanza.goes_with(source) => {
                stanza.suites.push(&source.suite);
            }
            _ => stanzas.push(Stanza {
                first: source,
                uris: source.uris.clone(),
                suites: vec![&source.suite],
            }),
        }
    }
    stanzas.dedup_by(|next, kept| {
        let same = kept.suites == next.suites && kept.goes_with(next.first);
        if same {
            kept.uris.append(&mut next.uris);
        }
        same
    });
    let texts: Result<Vec<String>, Error> = stanzas.iter().map(Stanza::text).collect();
    Ok(texts?.join("\n"))
}

struct Stanza<'a> {
    first: &'a Source,
    uris: Vec<String>,
    suites: Vec<&'a str>,
}

impl Stanza<'_> {
    /// Whether another source is the same but for address and suite.
    fn goes_with(&self, other: &Source) -> bool {
        let plain = |source: &Source| Source {
            uris: Vec::new(),
            suite: String::new(),
            ..source.clone()
        };
        plain(self.first) == plain(other)
    }

    fn text(&self) -> Result<String, Error> {
        let source = self.first;
        let mut text = Text(String::new());
        let types = match (source.binary, source.source) {
            (true, false) => "deb",
            (false, true) => "deb-src",
            _ => "deb deb-src",
        };
        text.words("Types", &[types])?;
        text.words("URIs", &self.uris)?;
        text.words("Suites", &self.suites)?;
        text.words("Components", &source.components)?;
        text.words("Architectures", &source.architectures)?;
        text.words("Architectures-Add", &source.architectures_add)?;
        text.words("Architectures-Remove", &source.architectures_remove)?;
        if let Some(signed_by) = &source.signed_by {
            let keyrings: Option<Vec<&str>> = signed_by.keyrings.iter().map(|path| path.to_str()).collect();
            let mut words = keyrings.ok_or(Error::Unwritable {
                field: "Signed-By".to_owned(),
            })?;
            words.extend(signed_by.fingerprints.iter().map(String::as_str));
            match &signed_by.key_block {
                Some(block) if words.is_empty() => text.block("Signed-By", block)?,
                // apt has no way to say both.
                Some(_) => {
                    return Err(Error::Unwritable {
                        field: "Signed-By".to_owned(),
                    });
                }
                None => text.words("Signed-By", &words)?,
            }
        }
        let yes = |value: Option<bool>| value.map(|value| if value { "yes" } else { "no" });
        let seconds = |value: Option<std::time::Duration>| value.map(|value| value.as_secs().to_string());
        text.option("Trusted", yes(source.trusted))?;
        text.option("Allow-Insecure", yes(source.allow_insecure))?;
        text.option("Check-Valid-Until", yes(source.check_valid_until))?;
        text.option("Valid-Until-Min", seconds(source.valid_until_min).as_deref())?;
        text.option("Valid-Until-Max", seconds(source.valid_until_max).as_deref())?;
        text.option("Check-Date", yes(source.check_date))?;
        text.option("Date-Max-Future", seconds(source.date_max_future).as_deref())?;
        let by_hash = source.by_hash.map(|by_hash| match by_hash {
            ByHash::Yes => "yes",
            ByHash::No => "no",
            ByHash::Force => "force",
        });
        text.option("By-Hash", by_hash)?;
        text.words("Include", &source.include)?;
        text.words("Exclude", &source.exclude)?;
        for (name, value) in &source.other {
            let proper = name.starts_with(|c: char| c.is_ascii_alphanumeric());
            if !proper || !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
                return Err(Error::Unwritable { field: name.clone() });
            }
            text.option(
                name,
                Some(&value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")),
            )?;
        }
        Ok(text.0)
    }
}

struct Text(String);

impl Text {
    fn words(&mut self, name: &str, words: &[impl AsRef<str>]) -> Result<(), Error> {
        let whole = |word: &str| !word.is_empty() && !word.bytes().any(|b| b.is_ascii_control());
        // The types are the one text of two words, and a CD's name the one word with blanks, which apt has no
        // way to write in this format.
        let single = |word: &str| name == "Types" || !word.contains(char::is_whitespace);
        if !words
            .iter()
            .all(|word| whole(word.as_ref()) && single(word.as_ref()))
        {
            return Err(Error::Unwritable {
                field: name.to_owned(),
            });
        }
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        if words.is_empty() {
            Ok(())
        } else {
            self.option(name, Some(&words.join(" ")))
        }
    }

    fn option(&mut self, name: &str, value: Option<&str>) -> Result<(), Error> {
        let Some(value) = value else { return Ok(()) };
        if value.bytes().any(|b| b.is_ascii_control()) {
            return Err(Error::Unwritable {
                field: name.to_owned(),
            });
        }
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{name}: {value}");
        Ok(())
    }

    fn block(&mut self, name: &str, block: &str) -> Result<(), Error> {
        if block.bytes().any(|b| b.is_ascii_control() && b != b'\n') {
            return Err(Error::Unwritable {
                field: name.to_owned(),
            });
        }
        let _ = writeln!(self.0, "{name}:");
        for line in block.trim_ascii_end().lines() {
            let _ = writeln!(self.0, " {}", if line.is_empty() { "." } else { line });
        }
        Ok(())
    }
}
