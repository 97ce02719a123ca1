//! Real metadata against dnf: which requirements nothing meets.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use bareroot_archive::{Compression, Limits, decoder};
use bareroot_rpm_repo::{Index, RelationKind};

use crate::{Repository, Universe};

fn fixture(name: &str) -> Vec<u8> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/opensuse-11.0-update");
    std::fs::read(directory.join(name)).expect("a fixture")
}

#[test]
fn the_requirements_that_opensuse_11_0_update_leaves_open_are_those_of_dnf() {
    let packed = fixture("primary.xml.gz");
    let mut plain = Vec::new();
    let mut reader = decoder(Compression::Gzip, &packed[..], Limits::default()).unwrap();
    reader.read_to_end(&mut plain).unwrap();
    let index = Index::read("primary.xml", &plain[..], "x86_64").unwrap();
    let (indexes, repositories) = ([index], [Repository::default()]);
    let universe = Universe::new(&indexes, &repositories, Vec::new(), "x86_64", &[]).with_all_files();
    let mut open = BTreeSet::new();
    let (mut relations, mut packages) = (0, 0);
    for id in universe.all() {
        let package = universe.package(id).unwrap();
        let unmet: BTreeSet<String> = package
            .relations(RelationKind::Requires)
            .filter(|required| universe.providers(required).is_empty())
            .map(|required| required.to_string())
            .collect();
        relations += unmet.len();
        packages += usize::from(!unmet.is_empty());
        open.extend(unmet);
    }
    let recorded = String::from_utf8(fixture("unresolved.txt")).unwrap();
    let recorded: BTreeSet<String> = recorded.lines().map(str::to_owned).collect();
    let more: Vec<_> = open.difference(&recorded).take(5).collect();
    let less: Vec<_> = recorded.difference(&open).take(5).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "not dnf's: {more:?}; not ours: {less:?}"
    );
    assert_eq!((relations, packages), (21_560, 1_311));
}
