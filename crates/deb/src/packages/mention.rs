//! Where a name is first mentioned.
//!
//! apt numbers packages in the order in which its parser meets their names, in whatever field that is, and uses these
//! numbers where nothing else decides between two providers. Numbering all names costs more than it is worth; only
//! names that tie are looked up here, by searching the text.

use memchr::memmem;

use super::record::{FIELDS, Field, RECORD, Record};
use super::{Index, Stanza};

/// The place of a mention: sorts as apt meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    stanza: u32,
    /// The field's place in [`FIELD_ORDER`].
    field: usize,
    /// The byte in the field.
    at: usize,
}

/// The order in which apt's parser takes the fields of a stanza (`debListParser::NewVersion`).
const FIELD_ORDER: [Field; 10] = [
    Field::Name,
    Field::PreDepends,
    Field::Depends,
    Field::Conflicts,
    Field::Breaks,
    Field::Recommends,
    Field::Suggests,
    Field::Replaces,
    Field::Enhances,
    Field::Provides,
];

impl Index {
    /// Where this package name first stands in a stanza of one of these architectures, as its own name or in a
    /// relation without an architecture.
    pub fn first_mention(&self, name: &str, architectures: &[&str]) -> Option<Mention> {
        if name.is_empty() {
            return None;
        }
        let (records, _) = self.tables.as_chunks::<RECORD>();
        let records = records.get(..self.len())?;
        let mut checked = None;
        for hit in memmem::find_iter(self.text.as_bytes(), name) {
            let stanza = records
                .partition_point(|bytes| Record(bytes).start() <= hit)
                .checked_sub(1)?;
            if checked == Some(stanza) || !self.is_name(records.get(stanza)?, hit, name) {
                continue;
            }
            let stanza = u32::try_from(stanza).ok()?;
            let found = self.get(stanza);
            let counts = architectures.contains(&found.architecture());
            if let Some((field, at)) = within(found, name).filter(|_| counts) {
                return Some(Mention { stanza, field, at });
            }
            checked = Some(stanza as usize);
        }
        None
    }

    /// Whether the hit is a whole name in a field of names.
    fn is_name(&self, record: &[u8; RECORD], hit: usize, name: &str) -> bool {
        let mut start = Record(record).start();
        for (number, end) in Record(record).ends().enumerate().take(FIELDS) {
            if hit < end {
                let named = FIELD_ORDER.iter().any(|&field| field as usize == number);
                let field = self.text.get(start..end).unwrap_or_default();
                return named && whole(field, hit - start, name);
            }
            start = end;
        }
        false
    }
}

fn within(stanza: Stanza<'_>, name: &str) -> Option<(usize, usize)> {
    FIELD_ORDER.iter().enumerate().find_map(|(place, &field)| {
        let text = stanza.field(field);
        let at = memmem::find_iter(text.as_bytes(), name).find(|&at| whole(text, at, name))?;
        Some((place, at))
    })
}

/// Whether what stands at `at` is the name of a relation: at its start, and followed by what ends a name. A name with
/// an architecture is another one for apt.
fn whole(field: &str, at: usize, name: &str) -> bool {
    let bytes = field.as_bytes();
    let before = bytes.get(..at).unwrap_or_default();
    let open = match before.trim_ascii_end().last() {
        None | Some(b',' | b'|') => true,
        Some(_) => false,
    };
    let after = bytes.get(at + name.len()).copied();
    open && after.is_none_or(|byte| byte.is_ascii_whitespace() || b",|([<".contains(&byte))
}

#[cfg(test)]
mod tests {
    use crate::packages::{Index, IndexInfo, Limits};

    #[test]
    fn the_first_mention_is_the_earliest_stanza_then_apts_field_order() {
        let text = "Package: zebra\nVersion: 1\nArchitecture: all\nSource: lion\nDepends: sea-lion, cat:any\n\
                    Suggests: ape\nPre-Depends: bee (>= 1) | ant\n\n\
                    Package: lion\nVersion: 1\nArchitecture: all\n\n\
                    Package: ant\nVersion: 1\nArchitecture: all\nReplaces: cat\n";
        let index = Index::read(text.as_bytes(), IndexInfo::new(0, "test"), Limits::default()).unwrap();
        let mut names = ["zebra", "lion", "ant", "sea-lion", "bee", "ape", "cat"];
        names.sort_by_key(|name| index.first_mention(name, &["all"]));
        assert_eq!(names, ["zebra", "bee", "ant", "sea-lion", "ape", "lion", "cat"]);
        assert_eq!(index.first_mention("on", &["all"]), None);
        assert_eq!(index.first_mention("", &["all"]), None);
        assert_eq!(index.first_mention("bee", &["amd64"]), None);
    }
}
