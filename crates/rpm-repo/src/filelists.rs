//! filelists.xml: every path of every package. It is long: only the paths that are asked for are kept.

use std::collections::HashSet;
use std::io::BufRead;

use crate::error::Error;
use crate::xml::{Item, Xml};

/// Which packages have any of some paths: the package's digest, and the path. `name` is for messages.
///
/// # Errors
/// [`Error::Malformed`], and what `input` says.
pub fn find(
    name: &str,
    input: impl BufRead,
    paths: &HashSet<String>,
) -> Result<Vec<(String, String)>, Error> {
    let mut xml = Xml::new(name, input);
    let mut found = Vec::new();
    let mut package = String::new();
    let mut root = false;
    loop {
        match xml.next()? {
            Item::Start(element) => {
                root |= element.name() == "filelists";
                if !root {
                    let reason = format!("its first element is `{}`; expected `filelists`", element.name());
                    return Err(xml.bad(reason));
                }
                if element.name() == "package" {
                    package = element
                        .attribute("pkgid")
                        .map_err(|reason| xml.bad(reason))?
                        .unwrap_or_default();
                }
            }
            Item::End => {
                if xml.name() == "file" && paths.contains(xml.text().trim()) {
                    found.push((package.clone(), xml.text().trim().to_owned()));
                }
            }
            Item::Eof if root => return Ok(found),
            Item::Eof => return Err(xml.bad("it has no element `filelists`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_asked_for() {
        let text = "<filelists packages=\"2\"><package pkgid=\"aa\" name=\"a\"><version ver=\"1\"/>\
                    <file>/usr/share/a</file><file type=\"dir\">/usr/share</file></package>\
                    <package pkgid=\"bb\" name=\"b\"><file>/usr/share/b&amp;c</file></package></filelists>";
        let paths = ["/usr/share/b&c", "/usr/share"].map(str::to_owned).into();
        let found = find("f", text.as_bytes(), &paths).unwrap();
        assert_eq!(
            found,
            [("aa", "/usr/share"), ("bb", "/usr/share/b&c")].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
        assert!(find("f", &b"<x/>"[..], &paths).is_err());
        assert!(find("f", &b"<filelists><package pkgid=\"a\">"[..], &paths).is_err());
    }
}
