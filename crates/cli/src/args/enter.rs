//! Values of `enter`'s options.

use std::ffi::OsString;
use std::path::PathBuf;

use bareroot_enter::{Access, Bind};

/// `NAME=VALUE`, or a `NAME` whose value is this process'.
pub fn variable(words: &str) -> Result<(OsString, OsString), String> {
    let (name, value) = match words.split_once('=') {
        Some((name, value)) => (name, value.into()),
        None => {
            let value = std::env::var_os(words);
            (words, value.ok_or_else(|| format!("`{words}` is not set here"))?)
        }
    };
    match name.is_empty() {
        true => Err("a variable needs a name".into()),
        false => Ok((name.into(), value)),
    }
}

/// `SRC[:DST[:ro]]`; DST is SRC's absolute path where it is left out or empty.
pub fn bind(words: &str) -> Result<Bind, String> {
    let parts = split(words);
    let (source, target, access) = match parts.as_slice() {
        [source] => (source, "", "rw"),
        [source, target] => (source, target.as_str(), "rw"),
        [source, target, access] => (source, target.as_str(), access.as_str()),
        _ => return Err("expected SRC, SRC:DST or SRC:DST:ro".into()),
    };
    if source.is_empty() {
        return Err("a source is missing before `:`".into());
    }
    let source = std::path::absolute(source).map_err(|error| error.to_string())?;
    let target = match target {
        "" => source.clone(),
        target if target.starts_with('/') => PathBuf::from(target),
        target => {
            return Err(format!(
                "the place in the root must begin with `/`, found `{target}`"
            ));
        }
    };
    let access = match access {
        "ro" => Access::ReadOnly,
        "rw" => Access::ReadWrite,
        other => {
            return Err(format!(
                "expected `ro` or `rw` after the second `:`, found `{other}`"
            ));
        }
    };
    Ok(Bind {
        source,
        target,
        access,
    })
}

/// The parts between colons; `\:` is a colon and `\\` a backslash.
fn split(words: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = words.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = characters.next_if(|next| character == '\\' && matches!(next, ':' | '\\'));
        match (character, escaped, parts.last_mut()) {
            (':', None, _) => parts.push(String::new()),
            (_, escaped, Some(part)) => part.push(escaped.unwrap_or(character)),
            (_, _, None) => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_in_words() {
        for (words, source, target, access) in [
            ("/a", "/a", "/a", Access::ReadWrite),
            ("/a:/b", "/a", "/b", Access::ReadWrite),
            ("/a:/b:ro", "/a", "/b", Access::ReadOnly),
            ("/a::ro", "/a", "/a", Access::ReadOnly),
            ("/a:/b:rw", "/a", "/b", Access::ReadWrite),
            (r"/a\:b:/c\\d", "/a:b", r"/c\d", Access::ReadWrite),
        ] {
            let expected = Bind {
                source: source.into(),
                target: target.into(),
                access,
            };
            assert_eq!(bind(words), Ok(expected), "{words}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(bind("x:/y").unwrap().source, here.join("x"));
        for wrong in ["", ":/b", "/a:b", "/a:/b:no", "/a:/b:ro:x"] {
            assert!(bind(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn variables_in_words() {
        assert_eq!(variable("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(variable("A="), Ok(("A".into(), "".into())));
        assert_eq!(variable("PATH").unwrap().1, std::env::var_os("PATH").unwrap());
        for wrong in ["", "=x", "BAREROOT_NO_SUCH_VARIABLE"] {
            assert!(variable(wrong).is_err(), "{wrong}");
        }
    }
}
