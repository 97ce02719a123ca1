//! Paths below a mirror, before anything is written there: they come from indexes and from a map.

/// Why a path is none below a mirror, as the end of a sentence; `Ok` for one that may be written.
///
/// It has no `..`, is not absolute, and holds neither control characters nor backslashes, which no repository needs and
/// which can mean something else to a server. Nothing of it begins with `.bareroot`: that is the mirror's own.
pub fn check(path: &str) -> Result<(), &'static str> {
    if path.starts_with('/') {
        return Err("is absolute");
    }
    if path.bytes().any(|byte| byte.is_ascii_control() || byte == b'\\') {
        return Err("has a character that is not allowed in a path");
    }
    for part in path.split('/') {
        match part {
            ".." => return Err("has a `..` that leads out of the mirror"),
            "" | "." => return Err("has an empty part"),
            part if part.starts_with(".bareroot") => return Err("is one of the mirror's own files"),
            _ => {}
        }
    }
    Ok(())
}

/// A path without its `.` and empty parts.
pub fn plain(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

/// A path below a place; `.` is the mirror itself.
pub fn below(place: &str, path: &str) -> String {
    match place {
        "." => path.to_owned(),
        place => format!("{place}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for path in [
            "/etc/passwd",
            "../x",
            "pool/../../x",
            "pool/..",
            "a\nb",
            "a\\b",
            "",
            "a//b",
            "./a",
            "a/",
            ".bareroot-mirror/record.toml",
            "pool/.bareroot-x",
        ] {
            assert!(check(path).is_err(), "{path:?}");
        }
        for path in [
            "pool/main/g/g++_1%3a2~rc.deb",
            "Packages/a/b-1.x86_64.rpm",
            "..a/b..",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn places() {
        assert_eq!(below(".", "dists"), "dists");
        assert_eq!(below("security", "dists"), "security/dists");
        assert_eq!(plain("./a//b/."), "a/b");
    }
}
