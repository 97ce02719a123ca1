//! Chapter three: the packages are chosen.
//!
//! In two stages, as mmdebstrap bootstraps: the essential packages and what they need, then the rest with the first
//! stage installed; so that alternatives fall as they fall there.

mod local;

use bareroot_deb::packages::{Index, Priority};
use bareroot_deb::select::{self, Selection, Settings, Stage, Universe, Want, Wish};
use bareroot_model::Package;
use bareroot_trust::Expected;

use crate::context::Context;
use crate::deb::index::IndexedSource;
use crate::deb::plan::Plan;
use crate::error::Error;
use crate::request::Variant;
pub use local::LocalFiles;

/// A package of the solution.
#[derive(Clone, Debug)]
pub struct Pick {
    /// What it is and where it comes from.
    pub package: Package,
    /// What its archive must be.
    pub expected: Expected,
    /// 0 for the essential stage, 1 for the rest.
    pub stage: usize,
    /// apt's `Auto-Installed`.
    pub automatic: bool,
    /// Its `Replaces`, which decides file conflicts.
    pub replaces: String,
    /// Whether it is `Multi-Arch: same`.
    pub multi_arch_same: bool,
    /// What it wants of others; a lock has none of it.
    pub relations: Fields,
}

/// The texts of fields that say what a package wants of others, and is for them.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// `Pre-Depends` and `Depends`.
    pub needs: [String; 2],
    /// `Breaks` and `Conflicts`.
    pub breaks: [String; 2],
    /// `Provides`.
    pub provides: String,
}

/// The packages in the order of installation: each after what it depends on, where that is possible.
#[derive(Clone, Debug, Default)]
pub struct Solution {
    /// The packages.
    pub picks: Vec<Pick>,
}

impl Solution {
    /// Bytes of all archives.
    pub fn bytes(&self) -> u64 {
        self.picks.iter().map(|pick| pick.package.size).sum()
    }

    /// The version of a package of the native architecture or of all.
    pub fn version_of(&self, name: &str) -> Option<&str> {
        self.picks
            .iter()
            .find(|pick| pick.package.name == name)
            .map(|pick| pick.package.version.as_str())
    }
}

/// Chooses.
///
/// # Errors
/// When a name is unknown, or the wishes cannot be met together: the chain that leads to the clash is in the error.
pub fn solve(
    plan: &Plan,
    sources: Vec<IndexedSource>,
    local: &LocalFiles,
    context: &Context,
) -> Result<Solution, Error> {
    let mut described: Vec<select::Source> = sources.iter().map(describe).collect();
    let local_source = described.len();
    let mut indexes: Vec<Index> = sources.into_iter().flat_map(|source| source.indexes).collect();
    indexes.extend(local.index(u32::try_from(local_source).unwrap_or(u32::MAX))?);
    described.push(select::Source::local());
    let universe = Universe::new(&indexes, &described);
    let settings = Settings {
        native: plan.arch.clone(),
        foreign: plan.foreign.clone(),
        recommends: plan.recommends,
        excluded: plan.exclude.clone(),
    };
    let wants = stages(plan)?;
    let selection = select::select(&universe, &settings, &wants).map_err(Box::new)?;
    for stage in &selection.repaired {
        context.note(format!(
            "the choices that apt would make at first clash (stage {stage}); others were found"
        ));
    }
    picks(&selection, local_source, local)
}

/// The two stages of a plan.
fn stages(plan: &Plan) -> Result<Vec<Stage>, Error> {
    // A flat repository's path is no suite: all that there is makes the base.
    let suites: Vec<String> = Some(&plan.base_suite)
        .filter(|suite| !suite.ends_with('/'))
        .cloned()
        .into_iter()
        .collect();
    let first = match plan.variant {
        Variant::Extract | Variant::Custom => Stage::default(),
        _ => Stage::new([Want::Essential {
            suites: suites.clone(),
        }]),
    };
    let mut rest: Vec<Want> = Vec::new();
    if !plan.local.is_empty() {
        rest.push(Want::Local);
    }
    for wish in &plan.wishes {
        rest.push(Want::Package(wish.parse::<Wish>().map_err(Box::new)?));
    }
    let rule = |name: &str| Want::Rule(Wish::package(name));
    let priorities = |priorities: &[Priority]| Want::Priority {
        priorities: priorities.to_vec(),
        suites: suites.clone(),
    };
    match plan.variant {
        Variant::Extract | Variant::Custom | Variant::Essential => {}
        Variant::Apt => rest.push(rule("apt")),
        Variant::Buildd => rest.extend([rule("apt"), rule("build-essential")]),
        Variant::Minbase => rest.extend([rule("apt"), priorities(&[Priority::Required])]),
        Variant::Important => {
            rest.extend([
                rule("apt"),
                priorities(&[Priority::Required, Priority::Important]),
            ]);
        }
        Variant::Standard => {
            let all = [Priority::Required, Priority::Important, Priority::Standard];
            rest.extend([rule("apt"), priorities(&all)]);
        }
    }
    Ok(vec![first, Stage::new(rest)])
}

fn describe(source: &IndexedSource) -> select::Source {
    let release = source.release.get();
    select::Source {
        suite: release.suite.clone(),
        codename: release.codename.clone(),
        version: release.version.clone(),
        priority: select::Source::default_priority(release.not_automatic, release.but_automatic_upgrades),
        local: false,
    }
}

fn picks(selection: &Selection<'_>, local_source: usize, local: &LocalFiles) -> Result<Solution, Error> {
    let mut picks = Vec::with_capacity(selection.packages.len());
    for chosen in &selection.packages {
        let stanza = &chosen.stanza;
        let source = stanza.index().info().source as usize;
        let expected = stanza.expected()?;
        let filename = stanza.filename()?.into_owned();
        picks.push(Pick {
            package: Package {
                name: stanza.name().to_owned(),
                version: stanza.version().to_owned(),
                architecture: stanza.architecture().to_owned(),
                size: stanza.size()?,
                sha256: expected.sha256(),
                sha512: expected
                    .sha512()
                    .map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect()),
                path: match source == local_source {
                    true => local
                        .path(&filename)
                        .ok_or(Error::Worker("local files"))?
                        .to_owned(),
                    false => filename,
                },
                source: (source != local_source).then_some(source),
                reason: chosen.reason.clone(),
            },
            expected,
            stage: chosen.stage,
            automatic: chosen.automatic,
            replaces: stanza.replaces().to_owned(),
            multi_arch_same: stanza.multi_arch() == bareroot_deb::packages::MultiArch::Same,
            relations: Fields {
                needs: [stanza.pre_depends().to_owned(), stanza.depends().to_owned()],
                breaks: [stanza.breaks().to_owned(), stanza.conflicts().to_owned()],
                provides: stanza.provides().to_owned(),
            },
        });
    }
    Ok(Solution { picks })
}
