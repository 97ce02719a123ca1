//! Plain lists of mirrors: a URL a line.

/// The URLs, http and https alone: a server must not have files of this host read. Empty lines, comments and what is no such
/// URL are skipped.
pub fn parse(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text)
        .lines()
        .map(str::trim)
        .filter(|line| crate::is_remote(line))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn comments_are_skipped() {
        let text = b"# repo = x\n\nhttp://a.example/os/\n  https://b.example/os\nnothing\nfile:///etc\ncopy:///etc\nhttpfile://x\n";
        assert_eq!(
            super::parse(text),
            ["http://a.example/os/", "https://b.example/os"]
        );
    }
}
