//! The order of candidates that provide the same things in different versions.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bareroot_rpm::{Evr, Sense};
use bareroot_rpm_repo::RelationKind;

use super::{Literal, Walk};

/// A provision that candidates may have in common: whose it is, its version, and whether it is less than that.
type Provision<'i> = (usize, Evr<'i>, bool);

impl Walk<'_, '_, '_> {
    /// Candidates go behind those that provide the same in a newer version, one place for each such provision.
    pub(super) fn sort_by_common(&self, list: &mut Vec<Literal>) {
        let mut by_name: BTreeMap<&str, Vec<Provision<'_>>> = BTreeMap::new();
        for (place, literal) in list.iter().enumerate() {
            let Some(package) = self.stock.package(*literal) else {
                continue;
            };
            for provided in package.relations(RelationKind::Provides) {
                let sense = provided.sense;
                let less = sense == Sense::LESS;
                let exact = sense == Sense::EQUAL;
                if !(exact || less || sense == Sense(Sense::LESS.0 | Sense::EQUAL.0))
                    || (exact && is_hash(&provided.evr))
                {
                    continue;
                }
                by_name
                    .entry(provided.name)
                    .or_default()
                    .push((place, provided.evr, less));
            }
        }
        let mut badness = vec![0usize; list.len()];
        for mut provisions in by_name.into_values() {
            provisions.sort_by(newer_first);
            let mut bad = 0;
            for pair in provisions.windows(2) {
                let [before, this] = pair else { continue };
                if before.0 != this.0 && is_older(before, this) {
                    bad += 1;
                }
                if let Some(badness) = badness.get_mut(this.0) {
                    *badness += bad;
                }
            }
        }
        if badness.iter().all(|bad| *bad == 0) {
            return;
        }
        let mut sorted: Vec<(usize, Literal)> = badness.into_iter().zip(list.iter().copied()).collect();
        sorted.sort_by_key(|(bad, _)| *bad);
        *list = sorted.into_iter().map(|(_, literal)| literal).collect();
    }
}

fn newer_first(one: &Provision<'_>, two: &Provision<'_>) -> Ordering {
    match_order(&two.1, &one.1).then_with(|| match (one.2, two.2) {
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => Ordering::Equal,
    })
}

/// Whether of two provisions in order the second is really older: a release that only one of them has does not count.
fn is_older(before: &Provision<'_>, this: &Provision<'_>) -> bool {
    let missing = |evr: &Evr<'_>| evr.release.is_none_or(str::is_empty);
    let one_lacks_release = missing(&before.1) != missing(&this.1);
    match newer_first(before, this) {
        Ordering::Less if one_lacks_release => !same_version(&before.1, &this.1),
        other => other == Ordering::Less,
    }
}

fn same_version(one: &Evr<'_>, two: &Evr<'_>) -> bool {
    let bare = |evr: &Evr<'_>| -> (u32, String) { (evr.epoch.unwrap_or_default(), evr.version.to_owned()) };
    let ((a, one), (b, two)) = (bare(one), bare(two));
    a == b && bareroot_rpm::rpmvercmp(&one, &two).is_eq()
}

/// Versions in order; a release that is missing comes before all others.
fn match_order(one: &Evr<'_>, two: &Evr<'_>) -> Ordering {
    let epoch = |evr: &Evr<'_>| evr.epoch.unwrap_or_default();
    let release = |evr: &Evr<'_>| {
        evr.release
            .filter(|release| !release.is_empty())
            .map(str::to_owned)
    };
    epoch(one)
        .cmp(&epoch(two))
        .then_with(|| bareroot_rpm::rpmvercmp(one.version, two.version))
        .then_with(|| match (release(one), release(two)) {
            (Some(one), Some(two)) => bareroot_rpm::rpmvercmp(&one, &two),
            (one, two) => one.is_some().cmp(&two.is_some()),
        })
}

/// Whether a version looks like a digest, which says nothing of age.
fn is_hash(evr: &Evr<'_>) -> bool {
    let hexadecimal = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let epoch = evr.epoch.unwrap_or_default();
    epoch == 0 && evr.release.is_none() && evr.version.len() >= 4 && hexadecimal(evr.version)
}
