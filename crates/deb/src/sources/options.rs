//! Options, which both formats share under two names each.

use std::path::PathBuf;
use std::time::Duration;

use super::{ByHash, Malformed, SignedBy, Source};
use crate::release::{brief, is_no, is_yes};

/// One-line names that are not the deb822 name in small letters.
const SHORT: [(&str, &str); 3] = [
    ("arch", "Architectures"),
    ("lang", "Languages"),
    ("target", "Targets"),
];

/// Options whose values are lists, which the one-line format separates by commas.
const LISTS: [&str; 9] = [
    "Architectures",
    "Architectures-Add",
    "Architectures-Remove",
    "Languages",
    "Targets",
    "Signed-By",
    "Include",
    "Exclude",
    "Components",
];

/// The deb822 name of a one-line option: `arch` is `Architectures`, `by-hash` is `By-Hash`.
pub(super) fn long_name(short: &str) -> String {
    let (plain, suffix) = match (short.strip_suffix('+'), short.strip_suffix('-')) {
        (Some(plain), _) => (plain, "-Add"),
        (_, Some(plain)) => (plain, "-Remove"),
        _ => (short, ""),
    };
    let known = SHORT.iter().find(|(name, _)| name.eq_ignore_ascii_case(plain));
    let name = known.map_or_else(|| capitals(plain), |(_, long)| (*long).to_owned());
    name + suffix
}

/// Whether the value is a list.
pub(super) fn is_list(long: &str) -> bool {
    LISTS.contains(&long) || long.ends_with("-Add") || long.ends_with("-Remove")
}

fn capitals(name: &str) -> String {
    let capital = |part: &str| {
        let mut chars = part.chars();
        chars.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + chars.as_str()
        })
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

/// Sets the option with this deb822 name, in any case of letters. Names that mean nothing here are kept.
pub(super) fn set(source: &mut Source, name: &str, value: &str) -> Result<(), Malformed> {
    let words = || {
        value
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let bool = || yes_or_no(name, value);
    let seconds = || match value.parse() {
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds))),
        Err(_) => Err(format!(
            "`{name}` is `{}`, which is no number of seconds",
            brief(value)
        )),
    };
    match name.to_ascii_lowercase().as_str() {
        "architectures" => source.architectures = words(),
        "architectures-add" => source.architectures_add = words(),
        "architectures-remove" => source.architectures_remove = words(),
        "signed-by" => source.signed_by = signed_by(value)?,
        "trusted" => source.trusted = bool()?,
        "allow-insecure" => source.allow_insecure = bool()?,
        "check-valid-until" => source.check_valid_until = bool()?,
        "valid-until-min" => source.valid_until_min = seconds()?,
        "valid-until-max" => source.valid_until_max = seconds()?,
        "check-date" => source.check_date = bool()?,
        "date-max-future" => source.date_max_future = seconds()?,
        "by-hash" => {
            source.by_hash = match bool() {
                _ if value.eq_ignore_ascii_case("force") => Some(ByHash::Force),
                Ok(Some(true)) => Some(ByHash::Yes),
                Ok(_) => Some(ByHash::No),
                Err(_) => return Err(format!("`{name}` is `{}`, not yes, no or force", brief(value))),
            };
        }
        "include" => source.include = words(),
        "exclude" => source.exclude = words(),
        // In a one-line option these mean nothing; written into a stanza they would.
        "types" | "uris" | "suites" | "components" | "enabled" => {}
        _ => {
            source
                .other
                .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            source.other.push((name.to_owned(), words().join(" ")));
        }
    }
    Ok(())
}

/// `Some` of what apt takes for true or false.
pub(super) fn yes_or_no(name: &str, value: &str) -> Result<Option<bool>, Malformed> {
    match value {
        yes if is_yes(yes) => Ok(Some(true)),
        no if is_no(no) => Ok(Some(false)),
        _ => Err(format!("`{name}` is `{}`, neither yes nor no", brief(value))),
    }
}

fn signed_by(value: &str) -> Result<Option<SignedBy>, Malformed> {
    let mut signed_by = SignedBy::default();
    if value.trim_ascii_start().starts_with("-----BEGIN") {
        // An empty line of the block is written as a dot, and every line has a blank before it.
        let lines = value.trim_ascii().lines().map(|line| match line.trim_ascii() {
            "." => "",
            line => line,
        });
        let block: Vec<&str> = lines.collect();
        if !block.last().is_some_and(|last| last.starts_with("-----END")) {
            return Err("the key block of `Signed-By` has no end".to_owned());
        }
        signed_by.key_block = Some(block.join("\n") + "\n");
        return Ok(Some(signed_by));
    }
    let words = value.split(|c: char| c == ',' || c.is_ascii_whitespace());
    for word in words.filter(|word| !word.is_empty()) {
        let digits = word.strip_suffix('!').unwrap_or(word);
        if word.starts_with('/') {
            signed_by.keyrings.push(PathBuf::from(word));
        } else if matches!(digits.len(), 40 | 64) && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            signed_by.fingerprints.push(word.to_ascii_uppercase());
        } else {
            return Err(format!(
                "`Signed-By` has `{}`, neither an absolute path nor a fingerprint",
                brief(word)
            ));
        }
    }
    Ok(Some(signed_by).filter(|signed_by| *signed_by != SignedBy::default()))
}

/// Whether an address has a form that a repository can be asked at; `Err` says what is wrong.
pub(super) fn check_uri(uri: &str) -> Result<(), Malformed> {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    let proper = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        && uri.len() > scheme.len() + 1;
    if proper && !uri.bytes().any(|b| b.is_ascii_control()) {
        Ok(())
    } else {
        Err(format!("`{}` is not a URI", brief(uri)))
    }
}

/// Whether suite and components go together.
pub(super) fn check_components(suite: &str, components: &[String]) -> Result<(), Malformed> {
    let control = |word: &&str| word.bytes().any(|b| b.is_ascii_control());
    if let Some(word) = components.iter().map(String::as_str).chain([suite]).find(control) {
        return Err(format!("`{}` has a control character", word.escape_debug()));
    }
    match (suite.ends_with('/'), components.is_empty()) {
        (true, false) => Err(format!(
            "the suite `{}` is a path, which has no components",
            brief(suite)
        )),
        (false, true) => Err(format!("the suite `{}` has no components", brief(suite))),
        _ => Ok(()),
    }
}
