//! The steps of an installation into an empty root, in rpm's order (rpm-scriptlets(7); rpm's lib/psm.c, lib/rpmtriggers.c,
//! lib/transaction.c).
//!
//! A transaction runs every %pretrans first. Then, package by package: the %triggerprein of others and its own, %pre, its
//! files, file triggers of high priority, %post, %triggerin of others and its own, file triggers of low priority. At the end
//! every %posttrans, and the transaction's file triggers.

use std::cmp::Reverse;

use bareroot_rpm::{Dependency, DependencyKind, Header, Scriptlet, ScriptletKind, Sense, overlap};

/// File triggers of this priority or more run before %post (RPMTRIGGER_DEFAULT_PRIORITY is a million, and 10000 divides).
const HIGH_PRIORITY: u32 = 10_000;

/// A package of the transaction, in its place.
pub struct Installed<'a> {
    /// Its header.
    pub header: &'a Header,
    /// Its paths that are installed, sorted.
    pub paths: &'a [Vec<u8>],
}

/// When a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Before anything is there.
    BeforeFiles,
    /// When the package of that place is being installed, before its files are its own.
    Before(usize),
    /// When the package of that place is installed.
    After(usize),
    /// When all are.
    AtTheEnd,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The package cannot be installed.
    Fatal,
    /// The user should know.
    Warning,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The interpreter and its arguments; `<lua>` is rpm's own.
    pub interpreter: Vec<Vec<u8>>,
    /// The body, which the interpreter gets as a file; `None` runs the interpreter alone.
    pub body: Option<Vec<u8>>,
    /// What is done to the body first: 1 expands macros, 2 fills in the header's tags.
    pub flags: u32,
}

/// One thing to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub moment: Moment,
    /// The place of the package whose scriptlet it is.
    pub package: usize,
    /// What the scriptlet is, as spec files write it.
    pub what: &'static str,
    /// What is run.
    pub program: Program,
    /// The arguments after the body.
    pub arguments: Vec<u32>,
    /// Paths for the standard input, a line each.
    pub input: Vec<Vec<u8>>,
    /// What a failure means.
    pub failure: Failure,
}

/// All steps, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The steps of a moment.
    pub fn at(&self, moment: Moment) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.moment == moment)
    }
}

/// The steps of installing these packages, in this order, into an empty root.
pub fn plan(packages: &[Installed<'_>]) -> Plan {
    let mut steps = Vec::new();
    for (place, package) in packages.iter().enumerate() {
        steps.extend(scriptlet(
            place,
            package.header,
            ScriptletKind::Pretrans,
            Moment::BeforeFiles,
        ));
    }
    let triggers = Triggers::of(packages);
    for (place, package) in packages.iter().enumerate() {
        let (before, after) = (Moment::Before(place), Moment::After(place));
        steps.extend(triggers.by_packages(packages, place, Sense::TRIGGERPREIN, before));
        steps.extend(scriptlet(place, package.header, ScriptletKind::Pre, before));
        steps.extend(triggers.by_files(packages, place, true, after));
        steps.extend(scriptlet(place, package.header, ScriptletKind::Post, after));
        steps.extend(triggers.by_packages(packages, place, Sense::TRIGGERIN, after));
        steps.extend(triggers.by_files(packages, place, false, after));
    }
    for (place, package) in packages.iter().enumerate() {
        steps.extend(scriptlet(
            place,
            package.header,
            ScriptletKind::Posttrans,
            Moment::AtTheEnd,
        ));
    }
    steps.extend(triggers.of_transaction(packages));
    Plan { steps }
}

fn program(script: &Scriptlet<'_>) -> Program {
    Program {
        interpreter: script.program.iter().map(|word| word.to_vec()).collect(),
        body: script.body.map(<[u8]>::to_vec),
        flags: script.flags,
    }
}

fn scriptlet(place: usize, header: &Header, kind: ScriptletKind, moment: Moment) -> Option<Step> {
    let script = header.scriptlet(kind)?;
    // The flag of a scriptlet whose failure counts, whatever its kind.
    let critical = script.flags & 4 != 0;
    Some(Step {
        moment,
        package: place,
        what: kind.word(),
        program: program(&script),
        // On a first installation there is one instance of the package.
        arguments: vec![1],
        input: Vec::new(),
        failure: match kind {
            ScriptletKind::Pretrans | ScriptletKind::Pre => Failure::Fatal,
            _ if critical => Failure::Fatal,
            _ => Failure::Warning,
        },
    })
}

/// A trigger on packages, on its own.
struct PackageTrigger {
    owner: usize,
    program: Program,
    conditions: Vec<(String, Sense, String)>,
}

/// A trigger on files, on its own.
struct OnFiles {
    owner: usize,
    number: usize,
    priority: u32,
    program: Program,
    prefixes: Vec<Vec<u8>>,
}

struct Triggers {
    packages: Vec<PackageTrigger>,
    files: Vec<OnFiles>,
    transaction: Vec<OnFiles>,
}

impl Triggers {
    fn of(packages: &[Installed<'_>]) -> Triggers {
        let mut triggers = Triggers {
            packages: Vec::new(),
            files: Vec::new(),
            transaction: Vec::new(),
        };
        for (owner, package) in packages.iter().enumerate() {
            for trigger in package.header.triggers() {
                triggers.packages.push(PackageTrigger {
                    owner,
                    program: program(&trigger.script),
                    conditions: trigger
                        .conditions
                        .iter()
                        .map(|condition| {
                            let on = condition.on;
                            (on.name.to_owned(), on.sense, on.evr.to_owned())
                        })
                        .collect(),
                });
            }
            let on_files = |list: Vec<bareroot_rpm::FileTrigger<'_>>| -> Vec<OnFiles> {
                list.into_iter()
                    .enumerate()
                    .filter(|(_, trigger)| trigger.sense.contains(Sense::TRIGGERIN))
                    .map(|(number, trigger)| OnFiles {
                        owner,
                        number,
                        priority: trigger.priority,
                        program: program(&trigger.script),
                        prefixes: trigger.prefixes.iter().map(|prefix| prefix.to_vec()).collect(),
                    })
                    .collect()
            };
            triggers.files.extend(on_files(package.header.file_triggers()));
            triggers
                .transaction
                .extend(on_files(package.header.transaction_file_triggers()));
        }
        for list in [&mut triggers.files, &mut triggers.transaction] {
            list.sort_by_key(|trigger| (Reverse(trigger.priority), trigger.owner, trigger.number));
        }
        triggers
    }

    /// Triggers of installed packages that the package of a place sets off, then its own that installed ones set off.
    fn by_packages(
        &self,
        packages: &[Installed<'_>],
        place: usize,
        moment_of: Sense,
        moment: Moment,
    ) -> Vec<Step> {
        let Some(package) = packages.get(place) else {
            return Vec::new();
        };
        let mut steps = Vec::new();
        let what = match moment_of {
            Sense::TRIGGERPREIN => "%triggerprein",
            _ => "%triggerin",
        };
        let step = |trigger: &PackageTrigger| Step {
            moment,
            package: trigger.owner,
            what,
            program: trigger.program.clone(),
            // One instance of the trigger's own package, one of the package that sets it off.
            arguments: vec![1, 1],
            input: Vec::new(),
            failure: Failure::Warning,
        };
        for trigger in self.packages.iter().filter(|trigger| trigger.owner < place) {
            if trigger.is_set_off_by(package.header, moment_of) {
                steps.push(step(trigger));
            }
        }
        for trigger in self.packages.iter().filter(|trigger| trigger.owner == place) {
            // What is there: the packages before, and after %post the package itself.
            let until = match moment_of {
                Sense::TRIGGERPREIN => place,
                _ => place + 1,
            };
            let set_off = packages
                .iter()
                .take(until)
                .any(|other| trigger.is_set_off_by(other.header, moment_of));
            if set_off {
                steps.push(step(trigger));
            }
        }
        steps
    }

    /// File triggers of packages that are there, by the files of the package of a place; its own by everybody's files.
    fn by_files(&self, packages: &[Installed<'_>], place: usize, high: bool, moment: Moment) -> Vec<Step> {
        let mut steps = Vec::new();
        for trigger in &self.files {
            if (trigger.priority >= HIGH_PRIORITY) != high || trigger.owner > place {
                continue;
            }
            let sources = match trigger.owner == place {
                // A package that comes later finds everything that is there already.
                true => 0..=place,
                false => place..=place,
            };
            let input: Vec<Vec<u8>> = packages
                .get(sources)
                .into_iter()
                .flatten()
                .flat_map(|package| trigger.matching(package.paths))
                .collect();
            if !input.is_empty() {
                steps.push(Step {
                    moment,
                    package: trigger.owner,
                    what: "%filetriggerin",
                    program: trigger.program.clone(),
                    arguments: vec![1, 1],
                    input,
                    failure: Failure::Warning,
                });
            }
        }
        steps
    }

    fn of_transaction(&self, packages: &[Installed<'_>]) -> Vec<Step> {
        let mut steps = Vec::new();
        for trigger in &self.transaction {
            let mut input: Vec<Vec<u8>> = packages
                .iter()
                .flat_map(|package| trigger.matching(package.paths))
                .collect();
            input.sort_unstable();
            input.dedup();
            if !input.is_empty() {
                steps.push(Step {
                    moment: Moment::AtTheEnd,
                    package: trigger.owner,
                    what: "%transfiletriggerin",
                    program: trigger.program.clone(),
                    arguments: vec![1],
                    input,
                    failure: Failure::Warning,
                });
            }
        }
        steps
    }
}

impl PackageTrigger {
    /// Whether a package meets one of the conditions: by its name, or by what it provides.
    fn is_set_off_by(&self, header: &Header, moment: Sense) -> bool {
        self.conditions
            .iter()
            .filter(|(_, sense, _)| sense.contains(moment))
            .any(|(name, sense, evr)| {
                header
                    .dependencies(DependencyKind::Provides)
                    .iter()
                    .any(|provided: &Dependency<'_>| {
                        provided.name == name && overlap(*sense, evr, provided.sense, provided.evr)
                    })
            })
    }
}

impl OnFiles {
    /// The paths, of a sorted list, that begin with one of the prefixes.
    fn matching(&self, paths: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        for prefix in &self.prefixes {
            let start = paths.partition_point(|path| path < prefix);
            found.extend(
                paths
                    .iter()
                    .skip(start)
                    .take_while(|path| path.starts_with(prefix))
                    .cloned(),
            );
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
