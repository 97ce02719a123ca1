//! Debian version numbers: `[epoch:]upstream[-revision]` (Debian Policy 5.6.12, deb-version(7)).

use std::cmp::Ordering;

use crate::Error;

/// Orders two versions as `dpkg --compare-versions` does.
///
/// The order is total over all texts: what is no version has a place too, so that a hostile index cannot upset a
/// sort. Whether a text is a version at all is [`validate`]'s question.
pub fn compare(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let (a, b) = (Parts::of(a), Parts::of(b));
    number(a.epoch, b.epoch)
        .then_with(|| part(a.upstream, b.upstream))
        .then_with(|| part(a.revision, b.revision))
}

/// Whether a text is a version as deb-version(7) defines it and dpkg accepts it.
///
/// # Errors
///
/// [`Error::Version`] with what is wrong.
pub fn validate(version: &str) -> Result<(), Error> {
    let wrong = |reason| {
        Err(Error::Version {
            version: version.chars().take(200).collect(),
            reason,
        })
    };
    let (upstream, revision) = match version.split_once(':') {
        None => split_revision(version),
        Some(("", _)) => return wrong("its epoch is empty"),
        Some((epoch, rest)) => {
            // dpkg keeps an epoch in an int.
            if !epoch.bytes().all(|b| b.is_ascii_digit()) || epoch.parse::<i32>().is_err() {
                return wrong("its epoch is not a number");
            }
            split_revision(rest)
        }
    };
    if upstream.is_empty() {
        return wrong("it has no upstream part");
    }
    if revision.is_some_and(str::is_empty) {
        return wrong("its revision is empty");
    }
    if !upstream.starts_with(|c: char| c.is_ascii_digit()) {
        return wrong("it does not start with a digit");
    }
    if !upstream
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-+._~:".contains(&b))
    {
        return wrong("its upstream part has a character that is not allowed there");
    }
    if !revision
        .unwrap_or_default()
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"+._~".contains(&b))
    {
        return wrong("its revision has a character that is not allowed there");
    }
    Ok(())
}

/// The version without its epoch, as it stands in archive file names.
pub fn without_epoch(version: &str) -> &str {
    match version.split_once(':') {
        Some((epoch, rest)) if is_number(epoch) => rest,
        _ => version,
    }
}

struct Parts<'a> {
    epoch: &'a [u8],
    upstream: &'a [u8],
    revision: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(version: &'a str) -> Self {
        let (epoch, rest) = match version.split_once(':') {
            Some((epoch, rest)) if is_number(epoch) => (epoch, rest),
            _ => ("", version),
        };
        let (upstream, revision) = split_revision(rest);
        Parts {
            epoch: epoch.as_bytes(),
            upstream: upstream.as_bytes(),
            revision: revision.unwrap_or_default().as_bytes(),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn split_revision(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('-') {
        Some((upstream, revision)) => (upstream, Some(revision)),
        None => (text, None),
    }
}

/// Compares by turns a run of other characters and a number, as Policy describes it.
fn part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (a_text, a_rest) = a.split_at(run(a, |c| !c.is_ascii_digit()));
        let (b_text, b_rest) = b.split_at(run(b, |c| !c.is_ascii_digit()));
        let (a_digits, a_next) = a_rest.split_at(run(a_rest, |c| c.is_ascii_digit()));
        let (b_digits, b_next) = b_rest.split_at(run(b_rest, |c| c.is_ascii_digit()));
        match text(a_text, b_text).then_with(|| number(a_digits, b_digits)) {
            Ordering::Equal => (a, b) = (a_next, b_next),
            unequal => return unequal,
        }
    }
    Ordering::Equal
}

fn run(bytes: &[u8], test: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&c| !test(c)).unwrap_or(bytes.len())
}

/// Compares digits of any length as numbers; no digits are 0.
fn number(a: &[u8], b: &[u8]) -> Ordering {
    let strip = |digits: &'_ [u8]| run(digits, |c| c == b'0');
    let (a, b) = (a.split_at(strip(a)).1, b.split_at(strip(b)).1);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Compares what is not a number: `~` before the end, the end before letters, letters before the rest.
fn text(a: &[u8], b: &[u8]) -> Ordering {
    let weight = |c: Option<&u8>| match c {
        Some(b'~') => -1,
        None => 0,
        Some(&c) if c.is_ascii_alphabetic() => i32::from(c),
        Some(&c) => i32::from(c) + 256,
    };
    (0..a.len().max(b.len()))
        .map(|i| weight(a.get(i)).cmp(&weight(b.get(i))))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests;
