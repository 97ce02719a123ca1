//! Paths that a repository states, before anybody asks a mirror for them.

use std::borrow::Cow;

/// A path below a repository, without `.` and empty parts.
///
/// `Err` says, as the end of a sentence, why the path is refused: it is empty or absolute, has a `..`, or holds
/// control characters or backslashes, which no repository needs and which can mean something else to a server.
pub(crate) fn relative(path: &str) -> Result<Cow<'_, str>, &'static str> {
    if path.starts_with('/') {
        return Err("is absolute");
    }
    if path.bytes().any(|b| b.is_ascii_control() || b == b'\\') {
        return Err("has a character that is not allowed in a path");
    }
    let mut plain = true;
    for part in path.split('/') {
        match part {
            ".." => return Err("has a `..` that leads out of the repository"),
            "" | "." => plain = false,
            _ => {}
        }
    }
    if plain {
        return Ok(Cow::Borrowed(path));
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.is_empty() {
        Err("is empty")
    } else {
        Ok(Cow::Owned(parts.join("/")))
    }
}
