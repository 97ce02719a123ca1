use super::{Malformed, Source, options};
use crate::Error;
use crate::deb822::{Paragraph, paragraphs_with_comments};
use crate::release::{brief, is_no};

/// Reads the deb822 format (`.sources`). Stanzas with `Enabled: no` are left out.
///
/// # Errors
///
/// [`Error::Sources`] with file and line.
pub fn parse(file: &str, text: &[u8]) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for paragraph in paragraphs_with_comments(file, text) {
        let paragraph = paragraph.map_err(|error| match error {
            Error::Syntax { file, line, reason } => Error::Sources { file, line, reason },
            other => other,
        })?;
        stanza(file, &paragraph, &mut sources)?;
    }
    Ok(sources)
}

fn stanza(file: &str, paragraph: &Paragraph<'_>, sources: &mut Vec<Source>) -> Result<(), Error> {
    let wrong = |line, reason: Malformed| Error::Sources {
        file: file.to_owned(),
        line,
        reason,
    };
    let mut base = Source::default();
    let (mut enabled, mut uris, mut suites) = (true, Vec::new(), Vec::new());
    for field in paragraph.fields() {
        let value = std::str::from_utf8(field.value)
            .map_err(|_| wrong(field.line, format!("the field `{}` is not UTF-8", field.name)))?;
        // Comment lines may stand between the lines of a value.
        let lines = value.lines().enumerate();
        let lines: Vec<&str> = lines
            .filter(|(i, line)| *i == 0 || !line.starts_with('#'))
            .map(|(_, line)| line)
            .collect();
        let value = lines.join("\n");
        let value = value.trim_ascii();
        let words = || {
            value
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        match field.name.to_ascii_lowercase().as_str() {
            "enabled" => enabled = !is_no(value),
            "types" => {
                (base.binary, base.source) = (false, false);
                for word in words() {
                    match word.as_str() {
                        "deb" => base.binary = true,
                        "deb-src" => base.source = true,
                        _ => {
                            let reason = format!("the type `{}` is neither deb nor deb-src", brief(&word));
                            return Err(wrong(field.line, reason));
                        }
                    }
                }
            }
            "uris" => uris = words(),
            "suites" => suites = words(),
            "components" => base.components = words(),
            _ => options::set(&mut base, field.name, value).map_err(|reason| wrong(field.line, reason))?,
        }
    }
    if !enabled {
        return Ok(());
    }
    let line = paragraph.line();
    for (field, absent) in [
        ("Types", !base.binary && !base.source),
        ("URIs", uris.is_empty()),
        ("Suites", suites.is_empty()),
    ] {
        if absent {
            return Err(wrong(line, format!("the stanza has no `{field}`")));
        }
    }
    for uri in &uris {
        options::check_uri(uri).map_err(|reason| wrong(line, reason))?;
        for suite in &suites {
            options::check_components(suite, &base.components).map_err(|reason| wrong(line, reason))?;
            sources.push(Source {
                uris: vec![uri.clone()],
                suite: suite.clone(),
                ..base.clone()
            });
        }
    }
    Ok(())
}
