//! Writing to the terminal: the only room that does.

use std::io::Write as _;

/// Control characters as `\x1b`, so that a name from a mirror cannot drive the terminal. Line ends and tabs stay.
pub fn visible(words: &str) -> String {
    let mut shown = String::with_capacity(words.len());
    for character in words.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            c if drives(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

/// A message of ours, [`visible`], in which every line after the first is indented: names from a mirror may have line ends in
/// them, and what follows must not pass for another message.
pub fn message(words: &str) -> String {
    let shown = visible(words);
    let mut lines = shown.lines();
    let mut indented = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let indent = if line.is_empty() || line.starts_with([' ', '\t']) {
            ""
        } else {
            "  "
        };
        indented.extend(["\n", indent, line]);
    }
    indented
}

/// A JSON text in which no character drives a terminal either: JSON itself leaves DEL, the control characters of Latin 1 and
/// those of direction as they are. They only stand in strings, where an escape means the same.
pub fn visible_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            c if drives(c) && c != '\n' => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Control characters, and those that change the direction of writing (Unicode's Bidi_Control).
fn drives(character: char) -> bool {
    let turns = matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || character.is_control()
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

    #[test]
    fn no_line_passes_for_another_message() {
        assert_eq!(super::message("a"), "a");
        assert_eq!(super::message(""), "");
        assert_eq!(
            super::message("a `b\nwarning: c\n  d\n\n\x1be`"),
            "a `b\n  warning: c\n  d\n\n  \\u{1b}e`"
        );
    }

    #[test]
    fn json_means_the_same_without_them() {
        let text = "a\u{7f}b\u{9b}2J\u{202e}\u{200f}\u{61c}\x1b\n\tGrüße";
        let json = serde_json::to_string(text).unwrap();
        let shown = super::visible_json(&format!("{json}\n"));
        assert_eq!(
            shown,
            "\"a\\u007fb\\u009b2J\\u202e\\u200f\\u061c\\u001b\\n\\tGrüße\"\n"
        );
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
