use crate::error::Escape;

/// NAME_MAX of every Linux file system that matters.
pub(crate) const NAME_MAX: usize = 255;
/// PATH_MAX without its final NUL.
pub(crate) const PATH_MAX: usize = 4095;

/// A path of an archive that has been judged: `/usr/bin/x`, no `.` or `..`, no doubled or final slash. The root is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CleanPath(Vec<u8>);

impl CleanPath {
    /// Judges an archive's spelling (`./usr/bin/x`, `usr/bin/x/`).
    pub(crate) fn parse(name: &[u8]) -> Result<Self, Escape> {
        if name.is_empty() {
            return Err(Escape::Empty);
        }
        if name.starts_with(b"/") {
            return Err(Escape::Absolute);
        }
        Self::components(name)
    }

    /// The same for a path that a trusted file of ours gives as `/usr/bin/x` (diversions).
    pub(crate) fn parse_rooted(name: &[u8]) -> Result<Self, Escape> {
        if name.is_empty() {
            return Err(Escape::Empty);
        }
        Self::components(name)
    }

    fn components(name: &[u8]) -> Result<Self, Escape> {
        if name.contains(&0) {
            return Err(Escape::Nul);
        }
        if name.contains(&b'\n') {
            return Err(Escape::Newline);
        }
        let mut clean = Vec::with_capacity(name.len().min(PATH_MAX) + 1);
        for component in name.split(|&b| b == b'/') {
            match component {
                b"" | b"." => continue,
                b".." => return Err(Escape::Parent),
                _ if component.len() > NAME_MAX => return Err(Escape::TooLong),
                _ => {}
            }
            if clean.len() + 1 + component.len() > PATH_MAX {
                return Err(Escape::TooLong);
            }
            clean.push(b'/');
            clean.extend_from_slice(component);
        }
        Ok(CleanPath(clean))
    }

    /// `/usr/bin/x`; empty for the root.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As dpkg's lists have it: the root is `/.`.
    pub(crate) fn listed(&self) -> Vec<u8> {
        if self.0.is_empty() {
            b"/.".to_vec()
        } else {
            self.0.clone()
        }
    }

    /// The parent directory's path and the last component; `None` for the root.
    pub(crate) fn split(&self) -> Option<(&[u8], &[u8])> {
        let slash = self.0.iter().rposition(|&b| b == b'/')?;
        Some((self.0.get(..slash)?, self.0.get(slash + 1..)?))
    }
}

/// The components of a clean path.
pub(crate) fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&b| b == b'/').filter(|c| !c.is_empty())
}

/// Whether a symbolic link can have this text.
pub(crate) fn judge_link_text(text: &[u8]) -> Result<(), Escape> {
    if text.is_empty() || text.contains(&0) || text.len() > PATH_MAX {
        Err(Escape::LinkText)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(name: &[u8]) -> Result<Vec<u8>, Escape> {
        CleanPath::parse(name).map(|p| p.listed())
    }

    #[test]
    fn spellings_of_one_path() {
        for name in ["./usr/bin/x", "usr/bin/x", "usr//bin/./x/", "././usr/bin/x"] {
            assert_eq!(clean(name.as_bytes()).unwrap(), b"/usr/bin/x", "{name}");
        }
        for name in [".", "./", "./."] {
            assert_eq!(clean(name.as_bytes()).unwrap(), b"/.", "{name}");
        }
        assert_eq!(clean(b"./a\xff/\xfe").unwrap(), b"/a\xff/\xfe");
        assert_eq!(clean(b"...").unwrap(), b"/...");
        assert_eq!(clean(b"./..a/b..").unwrap(), b"/..a/b..");
    }

    #[test]
    fn what_is_refused() {
        for (name, why) in [
            (&b""[..], Escape::Empty),
            (b"/", Escape::Absolute),
            (b"/etc/passwd", Escape::Absolute),
            (b"..", Escape::Parent),
            (b"./../x", Escape::Parent),
            (b"a/../b", Escape::Parent),
            (b"a/..", Escape::Parent),
            (b"a\0b", Escape::Nul),
            (b"a\nb", Escape::Newline),
        ] {
            assert_eq!(clean(name), Err(why), "{:?}", String::from_utf8_lossy(name));
        }
        assert_eq!(clean(&[b'x'; 256]), Err(Escape::TooLong));
        assert!(clean(&[b'x'; 255]).is_ok());
        assert_eq!(clean("a/".repeat(2048).as_bytes()), Err(Escape::TooLong));
        assert!(clean("a/".repeat(2047).as_bytes()).is_ok());
    }

    #[test]
    fn splitting() {
        let path = CleanPath::parse(b"usr/bin/x").unwrap();
        assert_eq!(path.split(), Some((&b"/usr/bin"[..], &b"x"[..])));
        let path = CleanPath::parse(b"x").unwrap();
        assert_eq!(path.split(), Some((&b""[..], &b"x"[..])));
        assert_eq!(CleanPath::parse(b"./").unwrap().split(), None);
    }

    proptest::proptest! {
        #[test]
        fn what_passes_stays_inside(name in "[a./]{0,12}") {
            if let Ok(path) = CleanPath::parse(name.as_bytes()) {
                proptest::prop_assert!(path.as_bytes().is_empty() || path.as_bytes().starts_with(b"/"));
                proptest::prop_assert!(components(path.as_bytes()).all(|c| c != b"." && c != b".."));
                let again = CleanPath::parse_rooted(&path.listed());
                proptest::prop_assert_eq!(again, Ok(path));
            }
        }
    }
}
