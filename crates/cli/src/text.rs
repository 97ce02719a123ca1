//! Writing to the terminal: the only room that does.

use std::io::Write as _;

/// Control characters as `\x1b`, so that a name from a mirror cannot drive the terminal. Line ends and tabs stay.
pub fn visible(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    for character in words.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            c if c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c) =>
            {
                shown.extend(c.escape_default());
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Writes to standard error; whoever closed it does not want to know.
pub fn to_stderr(words: &str) {
    let _ = std::io::stderr().lock().write_all(words.as_bytes());
}

/// Writes to standard output. A closed pipe (`bareroot resolve ... | head`) is no failure of ours.
pub fn to_stdout(words: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(words.as_bytes());
    let _ = out.flush();
}

/// `32.8 MB`, as apt and dpkg count.
pub fn bytes(count: u64) -> String {
    indicatif::DecimalBytes(count).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_cannot_drive_the_terminal() {
        assert_eq!(super::visible("a\x1b[2Jb\rc\n"), "a\\u{1b}[2Jb\\rc\n");
        assert_eq!(super::visible("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(super::visible("Grüße"), "Grüße");
    }
}
