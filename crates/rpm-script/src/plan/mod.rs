//! The steps of an installation into an empty root, in rpm's order (rpm-scriptlets(7); rpm 4.18's lib/psm.c,
//! lib/rpmtriggers.c, lib/transaction.c).
//!
//! A transaction runs every %pretrans first. Then, package by package: the %triggerprein of others and its own, %pre, its
//! files, file triggers of high priority, %post, %triggerin of others and its own, file triggers of low priority. At the end
//! every %posttrans, and the transaction's file triggers.

mod files;
mod packages;

use std::collections::HashMap;
use std::sync::Arc;

use bareroot_rpm::{Header, Scriptlet, ScriptletKind, Sense, State};

/// A package of the transaction, in its place.
pub struct Installed<'a> {
    /// Its header.
    pub header: &'a Header,
    /// Its files, in the header's order.
    pub files: &'a [Placed],
}

/// A file of a package, as triggers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its absolute path.
    pub path: Arc<[u8]>,
    /// Its state in the database. That of a file which is owned and not in the payload is [`State::Normal`] too.
    pub state: State,
    /// Whether the package leaves it out: because of its state, or because a package before has made it.
    pub skipped: bool,
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
    /// Paths for the standard input, a line each. A path is there as often as the trigger's prefixes have it.
    pub input: Vec<Arc<[u8]>>,
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
    // A number of instances that counts the package's own before it is in the database.
    let alone = 1;
    for (place, package) in packages.iter().enumerate() {
        let kind = ScriptletKind::Pretrans;
        steps.extend(scriptlet(place, package.header, kind, alone, Moment::BeforeFiles));
    }
    let by_packages = packages::Triggers::of(packages);
    let on_files = files::Triggers::of(packages);
    let mut counts = Counts::default();
    for (place, package) in packages.iter().enumerate() {
        let (before, after) = (Moment::Before(place), Moment::After(place));
        let instances = counts.of(package.header) + 1;
        by_packages.set_off(&mut steps, place, Sense::TRIGGERPREIN, &counts);
        steps.extend(scriptlet(
            place,
            package.header,
            ScriptletKind::Pre,
            instances,
            before,
        ));
        counts.add(package.header);
        on_files.set_off(&mut steps, packages, place, files::Class::High);
        steps.extend(scriptlet(
            place,
            package.header,
            ScriptletKind::Post,
            instances,
            after,
        ));
        by_packages.set_off(&mut steps, place, Sense::TRIGGERIN, &counts);
        on_files.set_off(&mut steps, packages, place, files::Class::Low);
    }
    for (place, package) in packages.iter().enumerate() {
        let (kind, instances) = (ScriptletKind::Posttrans, counts.of(package.header));
        steps.extend(scriptlet(
            place,
            package.header,
            kind,
            instances,
            Moment::AtTheEnd,
        ));
    }
    for place in 0..packages.len() {
        on_files.of_transaction(&mut steps, packages, place);
    }
    Plan { steps }
}

/// How many packages of each name are in the database.
#[derive(Default)]
struct Counts<'h>(HashMap<&'h [u8], u32>);

impl<'h> Counts<'h> {
    fn add(&mut self, header: &'h Header) {
        *self.0.entry(name_of(header)).or_default() += 1;
    }

    fn of(&self, header: &Header) -> u32 {
        self.0.get(name_of(header)).copied().unwrap_or_default()
    }
}

fn name_of(header: &Header) -> &[u8] {
    header.string(bareroot_rpm::Tag::NAME).unwrap_or_default()
}

/// The flag of a scriptlet whose failure counts, whatever its kind (RPMSCRIPT_FLAG_CRITICAL).
const CRITICAL: u32 = 4;

fn program(script: &Scriptlet<'_>) -> Program {
    Program {
        interpreter: script.program.iter().map(|word| word.to_vec()).collect(),
        body: script.body.map(<[u8]>::to_vec),
        flags: script.flags,
    }
}

fn failure(flags: u32) -> Failure {
    match flags & CRITICAL {
        0 => Failure::Warning,
        _ => Failure::Fatal,
    }
}

fn scriptlet(
    place: usize,
    header: &Header,
    kind: ScriptletKind,
    instances: u32,
    moment: Moment,
) -> Option<Step> {
    let script = header.scriptlet(kind)?;
    Some(Step {
        moment,
        package: place,
        what: kind.word(),
        program: program(&script),
        arguments: vec![instances],
        input: Vec::new(),
        failure: match kind {
            ScriptletKind::Pretrans | ScriptletKind::Pre => Failure::Fatal,
            _ => failure(script.flags),
        },
    })
}
