//! What the indexes of the database say of a header (rpm's lib/rpmdb.c and lib/backend/dbi.c: rpmdbIndexes, updateIndexes).

use std::borrow::Cow;
use std::collections::BTreeSet;

use bareroot_rpm::{Header, Sense, Tag, rich};

use crate::ByteOrder;

/// An index: a table of keys, each with the header's number and a place in the header's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// Its name in the database.
    pub name: &'static str,
    /// The tag whose elements are its keys.
    pub tag: Tag,
    /// Whether its keys are bytes and not text.
    pub binary: bool,
    /// Whether the tag is a list: such tables have an index of their headers' numbers as well.
    pub list: bool,
}

const fn table(name: &'static str, tag: Tag, binary: bool, list: bool) -> Table {
    Table {
        name,
        tag,
        binary,
        list,
    }
}

/// All of them, in the order in which rpm makes them.
pub const TABLES: [Table; 18] = [
    table("Name", Tag::NAME, false, false),
    table("Basenames", Tag::BASENAMES, false, true),
    table("Group", Tag::GROUP, false, false),
    table("Requirename", Tag::REQUIRENAME, false, true),
    table("Providename", Tag::PROVIDENAME, false, true),
    table("Conflictname", Tag::CONFLICTNAME, false, true),
    table("Obsoletename", Tag::OBSOLETENAME, false, true),
    table("Triggername", Tag::TRIGGERNAME, false, true),
    table("Dirnames", Tag::DIRNAMES, false, true),
    table("Installtid", Tag::INSTALLTID, true, false),
    table("Sigmd5", Tag::SIGMD5, true, false),
    table("Sha1header", Tag::SHA1HEADER, false, false),
    table("Filetriggername", Tag::FILETRIGGERNAME, false, true),
    table("Transfiletriggername", Tag::TRANSFILETRIGGERNAME, false, true),
    table("Recommendname", Tag::RECOMMENDNAME, false, true),
    table("Suggestname", Tag::SUGGESTNAME, false, true),
    table("Supplementname", Tag::SUPPLEMENTNAME, false, true),
    table("Enhancename", Tag::ENHANCENAME, false, true),
];

/// One row: the key and the place.
pub type Row<'h> = (Cow<'h, [u8]>, u32);

/// All rows of a header, of each table of [`TABLES`] in its place.
pub(crate) fn of_all(header: &Header, order: ByteOrder) -> [Vec<Row<'_>>; TABLES.len()] {
    TABLES.map(|table| rows(header, &table, order))
}

/// The rows that a header has in a table, for machines of that byte order.
pub fn rows<'h>(header: &'h Header, table: &Table, order: ByteOrder) -> Vec<Row<'h>> {
    match table.tag {
        Tag::INSTALLTID => header
            .number(table.tag)
            // As it is in the machine's memory, from where rpm takes it.
            .map(|number| (order.bytes(number as u32).to_vec().into(), 0))
            .into_iter()
            .collect(),
        Tag::SIGMD5 => header
            .binary(table.tag)
            .map(|digest| (digest.into(), 0))
            .into_iter()
            .collect(),
        Tag::GROUP => vec![(header.string(table.tag).unwrap_or(b"Unknown").into(), 0)],
        Tag::REQUIRENAME => requires(header),
        Tag::TRIGGERNAME => {
            let mut seen = BTreeSet::new();
            places(header, table.tag)
                .filter(|(name, _)| seen.insert(name.clone()))
                .collect()
        }
        Tag::FILETRIGGERNAME => by_index(header, table.tag, Tag::FILETRIGGERINDEX),
        Tag::TRANSFILETRIGGERNAME => by_index(header, table.tag, Tag::TRANSFILETRIGGERINDEX),
        Tag::CONFLICTNAME
        | Tag::RECOMMENDNAME
        | Tag::SUGGESTNAME
        | Tag::SUPPLEMENTNAME
        | Tag::ENHANCENAME => places(header, table.tag).flat_map(with_rich).collect(),
        tag => places(header, tag).collect(),
    }
}

fn places(header: &Header, tag: Tag) -> impl Iterator<Item = Row<'_>> {
    header.strings(tag).into_iter().map(Cow::Borrowed).zip(0..)
}

/// The place of a file trigger is that of its script.
fn by_index(header: &Header, names: Tag, index: Tag) -> Vec<Row<'_>> {
    let index = header.u32s(index);
    places(header, names)
        .map(|(name, place)| {
            let script = index.get(place as usize).copied().unwrap_or(place);
            (name, script)
        })
        .collect()
}

/// Requirements that only matter while packages are installed are not indexed.
fn requires(header: &Header) -> Vec<Row<'_>> {
    let flags = header.u32s(Tag::REQUIREFLAGS);
    places(header, Tag::REQUIRENAME)
        .filter(|(_, place)| !is_transient(Sense(flags.get(*place as usize).copied().unwrap_or_default())))
        .flat_map(with_rich)
        .collect()
}

fn is_transient(sense: Sense) -> bool {
    let install = Sense::SCRIPT_PRE
        | Sense::SCRIPT_POST
        | Sense::RPMLIB
        | Sense::KEYRING
        | Sense::PRETRANS
        | Sense::POSTTRANS;
    let erase = Sense::SCRIPT_PREUN | Sense::SCRIPT_POSTUN | Sense::PREUNTRANS | Sense::POSTUNTRANS;
    sense.intersects(install) && !sense.intersects(erase) && !sense.intersects(Sense::META)
}

/// A boolean dependency is indexed as a whole and by each name in it; names whose presence makes a difference to the
/// contrary have a `!` before them.
fn with_rich((name, place): Row<'_>) -> Vec<Row<'_>> {
    let parsed = std::str::from_utf8(&name)
        .ok()
        .filter(|text| text.starts_with('('))
        .and_then(|text| rich::parse(text).ok());
    let mut names = BTreeSet::new();
    if let Some(parsed) = parsed {
        collect(&parsed, false, &mut names);
    }
    let mut rows = vec![(name, place)];
    rows.extend(
        names
            .into_iter()
            .map(|(negated, name)| match negated {
                true => [b"!", name.as_slice()].concat(),
                false => name,
            })
            .map(|name| (name.into(), place)),
    );
    rows
}

/// The names, each with whether it counts to the contrary: such ones come last, as in rpm.
fn collect(rich: &rich::Rich<'_>, negated: bool, names: &mut BTreeSet<(bool, Vec<u8>)>) {
    use rich::Rich;
    match rich {
        Rich::Simple(dependency) => {
            if !dependency.name.starts_with("rpmlib(") {
                names.insert((negated, dependency.name.as_bytes().to_vec()));
            }
        }
        Rich::And(all) | Rich::Or(all) | Rich::With(all) => {
            all.iter().for_each(|operand| collect(operand, negated, names));
        }
        Rich::Without(first, second) => {
            collect(first, negated, names);
            collect(second, negated, names);
        }
        Rich::If(first, condition, otherwise) | Rich::Unless(first, condition, otherwise) => {
            collect(first, negated, names);
            collect(condition, !negated, names);
            if let Some(otherwise) = otherwise {
                // With `else` the condition counts both ways.
                collect(condition, negated, names);
                collect(otherwise, negated, names);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As rpm 4.18 writes them for packages that require, or conflict with, these.
    #[test]
    fn boolean_dependencies_are_indexed_by_their_names() {
        let cases = [
            ("plain", ""),
            ("((g1 if h1) and i1)", "g1 i1 !h1"),
            ("((gg and hh) or (ii and (jj or kk)))", "gg hh ii jj kk"),
            ("(aa with bb)", "aa bb"),
            ("(bash or (zsh and dash))", "bash dash zsh"),
            ("(ee without ff)", "ee ff"),
            ("(foo if bar else (baz and foo))", "bar baz foo !bar"),
            ("(g2 if (h2 or h3))", "g2 !h2 !h3"),
            ("(g3 unless (h4 and h5))", "g3 !h4 !h5"),
            ("(x1 unless y1 else z1)", "x1 y1 z1 !y1"),
            ("(e1 and e2 and e1)", "e1 e2"),
        ];
        for (text, names) in cases {
            let rows = with_rich((text.as_bytes().into(), 7));
            let wanted: Vec<Row<'_>> = std::iter::once(text)
                .chain(names.split_whitespace())
                .map(|name| (name.as_bytes().into(), 7))
                .collect();
            assert_eq!(rows, wanted, "{text}");
        }
    }
}
