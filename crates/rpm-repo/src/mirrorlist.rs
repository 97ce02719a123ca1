//! Plain lists of mirrors: a URL a line.

/// The URLs; empty lines, comments and what is no URL are skipped.
pub fn parse(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text)
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#') && line.contains("://"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn comments_are_skipped() {
        let text = b"# repo = x\n\nhttp://a.example/os/\n  https://b.example/os\nnothing\n";
        assert_eq!(
            super::parse(text),
            ["http://a.example/os/", "https://b.example/os"]
        );
    }
}
