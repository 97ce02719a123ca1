use std::collections::BTreeSet;

use super::{Record, RecordError};
use crate::archive::stanza;

/// The size of apt's hash table of packages, unless `APT::Cache-HashTableSize` says otherwise (apt 1.9.11 and later).
const BUCKETS: u32 = 196_613;

/// `/var/lib/apt/extended_states`: which packages were installed automatically.
///
/// A root into which apt installed nothing has no such file; one whose packages were all asked for has an empty one.
///
/// `existing` is the file that the root has, or empty; its marks stay where they are. `automatic` are names and
/// architectures to be marked; `all` stands for `native` there, as in apt. New marks follow in the order in which apt
/// walks over its cache: by the hash of the name, in a bucket by length and bytes, then the native architecture first.
///
/// # Errors
///
/// [`RecordError::Database`] when the existing file cannot be read.
pub fn extended_states<'a>(
    existing: &[u8],
    automatic: impl IntoIterator<Item = (&'a str, &'a str)>,
    native: &str,
) -> Result<Record, RecordError> {
    let wrong = |reason| RecordError::database("../apt/extended_states", reason);
    let mut text = Vec::new();
    let mut seen = BTreeSet::new();
    let mut rest = existing;
    while let Some(stanza) = stanza::next(&mut rest).map_err(wrong)? {
        let value = |name| {
            stanza
                .get(name)
                .map(String::from_utf8_lossy)
                .unwrap_or_default()
                .into_owned()
        };
        seen.insert((value("Package"), value("Architecture")));
        text.extend_from_slice(stanza.text);
        text.push(b'\n');
    }
    let mut marks: Vec<(u32, usize, &str, bool, &str)> = automatic
        .into_iter()
        .map(|(name, arch)| (name, if arch == "all" { native } else { arch }))
        .filter(|(name, arch)| !seen.contains(&(name.to_string(), arch.to_string())))
        .map(|(name, arch)| (bucket(name), name.len(), name, arch != native, arch))
        .collect();
    marks.sort_unstable();
    marks.dedup();
    for (_, _, name, _, arch) in marks {
        text.extend_from_slice(
            format!("Package: {name}\nArchitecture: {arch}\nAuto-Installed: 1\n\n").as_bytes(),
        );
    }
    Ok(Record::new("var/lib/apt/extended_states", text))
}

/// apt's hash of a package name (`pkgCache::sHash`): Bernstein's, over lower case.
pub(crate) fn bucket(name: &str) -> u32 {
    let hash = |hash: u32, byte: u8| {
        hash.wrapping_mul(33)
            .wrapping_add(byte.to_ascii_lowercase().into())
    };
    name.bytes().fold(5381, hash) % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order in which apt 2.6 left the marks of a trixie minbase made by mmdebstrap.
    const MINBASE: [&str; 13] = [
        "libhogweed6t64",
        "sqv",
        "libapt-pkg7.0",
        "libsepol2",
        "libbsd0",
        "libnettle8t64",
        "debian-archive-keyring",
        "libsemanage2",
        "libxxhash0",
        "libsemanage-common",
        "libseccomp2",
        "liblz4-1",
        "libstdc++6",
    ];

    fn names(text: &[u8]) -> Vec<String> {
        let text = String::from_utf8(text.to_vec()).unwrap();
        text.lines()
            .filter_map(|line| line.strip_prefix("Package: ").map(str::to_owned))
            .collect()
    }

    #[test]
    fn marks_are_in_apts_order() {
        let mut sorted = MINBASE;
        sorted.sort();
        let record = extended_states(b"", sorted.map(|name| (name, "all")), "amd64").unwrap();
        assert_eq!(names(&record.bytes), MINBASE);
        assert!(record.bytes.starts_with(
            b"Package: libhogweed6t64\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: sqv\n"
        ));
        assert!(record.bytes.ends_with(b"Auto-Installed: 1\n\n"));
    }

    #[test]
    fn existing_marks_stay_first() {
        let old = b"Package: sqv\nArchitecture: amd64\nAuto-Installed: 1\n\n";
        let new = [
            ("libbsd0", "amd64"),
            ("sqv", "all"),
            ("sqv", "i386"),
            ("libbsd0", "amd64"),
        ];
        let record = extended_states(old, new, "amd64").unwrap();
        assert_eq!(names(&record.bytes), ["sqv", "sqv", "libbsd0"]);
        assert!(extended_states(b"Package", [], "amd64").is_err());
        assert_eq!(extended_states(b"", [], "amd64").unwrap().bytes, b"");
    }
}
