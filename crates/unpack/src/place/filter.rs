use super::glob::Glob;

/// One of dpkg's path filters (`--path-exclude`, `--path-include`).
#[derive(Clone, Debug)]
pub struct Filter {
    include: bool,
    glob: Glob,
    prefix: Vec<u8>,
}

impl Filter {
    /// `--path-exclude=glob`: what matches is kept out of the root. The pattern is matched against `/usr/bin/x`, by
    /// fnmatch(3) without flags: `*` matches `/` too.
    pub fn exclude(glob: &str) -> Self {
        Self::new(false, glob)
    }

    /// `--path-include=glob`: what matches is let in again.
    pub fn include(glob: &str) -> Self {
        Self::new(true, glob)
    }

    fn new(include: bool, glob: &str) -> Self {
        // The part before the first wildcard, without slashes at its end: directories that begin with it are kept,
        // because the filter may let in something below them.
        let literal = glob.find(['*', '?', '[', '\\']).unwrap_or(glob.len());
        let prefix = glob.as_bytes().get(..literal).unwrap_or_default();
        let end = prefix.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
        Filter {
            include,
            prefix: prefix.get(..end).unwrap_or_default().to_vec(),
            glob: Glob::new(glob),
        }
    }
}

/// Whether the filters keep `path` (`/usr/bin/x`) out, as dpkg's `filters.c` decides: the last match wins, and a directory
/// or a symbolic link that would be kept out stays when its path begins with the literal part of an include filter.
pub(crate) fn excluded(filters: &[Filter], path: &[u8], directory_or_link: bool) -> bool {
    let Some(last) = filters.iter().rev().find(|filter| filter.glob.matches(path)) else {
        return false;
    };
    let kept = || {
        filters
            .iter()
            .any(|filter| filter.include && path.starts_with(&filter.prefix))
    };
    !(last.include || directory_or_link && kept())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documentation filter of Debian's container images.
    fn docs() -> Vec<Filter> {
        vec![
            Filter::exclude("/usr/share/doc/*"),
            Filter::include("/usr/share/doc/*/copyright"),
            Filter::exclude("/usr/share/man/*"),
        ]
    }

    #[test]
    fn last_match_wins() {
        let filters = docs();
        assert!(excluded(&filters, b"/usr/share/doc/bash/README", false));
        assert!(!excluded(&filters, b"/usr/share/doc/bash/copyright", false));
        assert!(excluded(&filters, b"/usr/share/man/man1/bash.1.gz", false));
        assert!(!excluded(&filters, b"/usr/bin/bash", false));
        assert!(!excluded(&filters, b"/usr/share/doc", true));
    }

    #[test]
    fn directories_that_an_include_may_need_stay() {
        let filters = docs();
        assert!(!excluded(&filters, b"/usr/share/doc/bash", true));
        assert!(!excluded(&filters, b"/usr/share/doc/bash/examples", true));
        assert!(excluded(&filters, b"/usr/share/man/man1", true));
        // dpkg compares the whole literal part: a parent of it is not kept.
        let filters = [Filter::exclude("/a/*"), Filter::include("/a/b/c/d*")];
        assert!(excluded(&filters, b"/a/b", true));
        assert!(!excluded(&filters, b"/a/b/c/d", true));
    }

    #[test]
    fn slashes_before_the_wildcard_do_not_count() {
        let filters = [Filter::exclude("/a*"), Filter::include("/a//*")];
        assert!(!excluded(&filters, b"/a", true));
        assert!(excluded(&filters, b"/a", false));
    }
}
