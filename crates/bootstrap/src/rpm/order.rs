//! The order of installation: each package after what it requires, and in a cycle after what its scriptlets require.

use std::collections::HashMap;

use bareroot_rpm::{Dependency, DependencyKind, Sense};

use super::unpack::Arrived;

/// Qualifiers of requirements that say nothing of the order (rpm's lib/order.c).
const MEANINGLESS: Sense = Sense(
    Sense::RPMLIB.0
        | Sense::CONFIG.0
        | Sense::PRETRANS.0
        | Sense::POSTTRANS.0
        | Sense::PREUNTRANS.0
        | Sense::POSTUNTRANS.0
        | Sense::SCRIPT_VERIFY.0
        | Sense::META.0,
);

/// Qualifiers that an installation must honour.
const HARD: Sense = Sense(Sense::SCRIPT_PRE.0 | Sense::SCRIPT_POST.0 | Sense::PREREQ.0);

/// Qualifiers that matter on removal alone.
const ERASE: Sense = Sense(Sense::SCRIPT_PREUN.0 | Sense::SCRIPT_POSTUN.0);

/// The packages in the order in which they are installed.
pub fn ordered(arrived: Vec<Arrived>) -> Vec<Arrived> {
    let order = {
        let finder = Finder::new(&arrived);
        let edges = |wanted: fn(Sense) -> bool| -> Vec<Vec<usize>> {
            arrived
                .iter()
                .enumerate()
                .map(|(place, package)| finder.requirements(place, package, wanted))
                .collect()
        };
        let hard = edges(|sense| sense.intersects(HARD));
        let all = edges(counts);
        // By name where nothing else decides; then, within cycles, as the scriptlets want it.
        let first = bareroot_solve::order(&hard, |place| place);
        let mut rank = vec![0; arrived.len()];
        for (number, place) in first.into_iter().enumerate() {
            rank[place] = number;
        }
        bareroot_solve::order(&all, |place| rank[place])
    };
    let mut slots: Vec<Option<Arrived>> = arrived.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|place| slots.get_mut(place).and_then(Option::take))
        .collect()
}

/// Whether a requirement says something of the order.
fn counts(sense: Sense) -> bool {
    if sense.intersects(HARD) {
        return true;
    }
    !sense.intersects(MEANINGLESS) && !sense.intersects(ERASE)
}

/// Who of the transaction provides what.
struct Finder<'a> {
    provides: HashMap<&'a str, Vec<(usize, Dependency<'a>)>>,
    files: HashMap<Vec<u8>, usize>,
}

impl<'a> Finder<'a> {
    fn new(arrived: &'a [Arrived]) -> Self {
        let mut finder = Finder {
            provides: HashMap::new(),
            files: HashMap::new(),
        };
        for (place, package) in arrived.iter().enumerate() {
            let header = package.file.header();
            for provided in header.dependencies(DependencyKind::Provides) {
                finder
                    .provides
                    .entry(provided.name)
                    .or_default()
                    .push((place, provided));
            }
            for file in header.files().iter() {
                finder.files.entry(file.path()).or_insert(place);
            }
        }
        finder
    }

    fn requirements(&self, place: usize, package: &Arrived, wanted: fn(Sense) -> bool) -> Vec<usize> {
        let header = package.file.header();
        let mut found = Vec::new();
        for kind in [DependencyKind::Requires, DependencyKind::Orders] {
            for required in header.dependencies(kind) {
                if !wanted(required.sense) {
                    continue;
                }
                let simple = match required.is_rich() {
                    true => bareroot_rpm::rich::parse(required.name)
                        .map(|rich| rich.simple())
                        .unwrap_or_default(),
                    false => vec![required],
                };
                for required in simple {
                    let providers = self.provides.get(required.name).into_iter().flatten();
                    found.extend(
                        providers
                            .filter(|(_, provided)| provided.overlaps(&required))
                            .map(|(provider, _)| *provider)
                            .filter(|provider| *provider != place),
                    );
                    if required.name.starts_with('/') {
                        found.extend(
                            self.files
                                .get(required.name.as_bytes())
                                .copied()
                                .filter(|provider| *provider != place),
                        );
                    }
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
