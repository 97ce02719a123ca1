//! Triggers on files (rpm's lib/rpmtriggers.c: runFileTriggers, runImmedFileTriggers, matchFilesNext).

use std::cmp::Reverse;
use std::sync::Arc;

use bareroot_rpm::{FileTrigger, Sense, State, Tag};

use super::{Installed, Moment, Placed, Program, Step, failure, program};

/// File triggers of this priority or more run before %post (TRIGGER_PRIORITY_BOUND).
const BOUND: u32 = 10_000;

/// Which file triggers run at a moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Before %post.
    High,
    /// After it.
    Low,
}

/// The triggers of all packages that run on installation.
pub(super) struct Triggers {
    /// By priority, package and number.
    of_packages: Vec<OnFiles>,
    /// By package, priority and number.
    of_transaction: Vec<OnFiles>,
}

struct OnFiles {
    owner: usize,
    number: usize,
    priority: u32,
    program: Program,
    prefixes: Vec<Vec<u8>>,
}

impl Triggers {
    pub(super) fn of(packages: &[Installed<'_>]) -> Self {
        let mut triggers = Triggers {
            of_packages: Vec::new(),
            of_transaction: Vec::new(),
        };
        for (owner, package) in packages.iter().enumerate() {
            let of_packages = package.header.file_triggers();
            triggers.of_packages.extend(on_files(owner, &of_packages));
            let of_transaction = package.header.transaction_file_triggers();
            triggers.of_transaction.extend(on_files(owner, &of_transaction));
        }
        triggers
            .of_packages
            .sort_by_key(|trigger| (Reverse(trigger.priority), trigger.owner, trigger.number));
        triggers
            .of_transaction
            .sort_by_key(|trigger| (trigger.owner, Reverse(trigger.priority), trigger.number));
        triggers
    }

    /// What the package of a place sets off. It is in the database already, so its own triggers see its own files first;
    /// then they see those of the packages before.
    pub(super) fn set_off(
        &self,
        steps: &mut Vec<Step>,
        packages: &[Installed<'_>],
        place: usize,
        class: Class,
    ) {
        let (what, moment) = ("%filetriggerin", Moment::After(place));
        let wanted = |trigger: &&OnFiles| (trigger.priority >= BOUND) == (class == Class::High);
        let files = packages
            .get(place)
            .map_or(&[] as &[Placed], |package| package.files);
        let known = self.of_packages.iter().filter(wanted);
        for trigger in known.filter(|trigger| trigger.owner <= place) {
            let input = trigger.matching(files, |file| !file.skipped);
            steps.extend(trigger.step(what, moment, input));
        }
        let own = self.of_packages.iter().filter(wanted);
        for trigger in own.filter(|trigger| trigger.owner == place) {
            let before = packages.get(..place).unwrap_or_default();
            steps.extend(trigger.step(what, moment, trigger.in_database(before)));
        }
    }

    /// The transaction's file triggers of a package.
    pub(super) fn of_transaction(&self, steps: &mut Vec<Step>, packages: &[Installed<'_>], place: usize) {
        let own = self
            .of_transaction
            .iter()
            .filter(|trigger| trigger.owner == place);
        for trigger in own {
            let input = trigger.in_database(packages);
            steps.extend(trigger.step("%transfiletriggerin", Moment::AtTheEnd, input));
        }
    }
}

fn on_files(owner: usize, list: &[FileTrigger<'_>]) -> Vec<OnFiles> {
    list.iter()
        .enumerate()
        .filter(|(_, trigger)| trigger.sense.intersects(Sense::TRIGGERIN))
        .map(|(number, trigger)| OnFiles {
            owner,
            number,
            priority: trigger.priority,
            program: program(&trigger.script),
            prefixes: trigger.prefixes.iter().map(|prefix| prefix.to_vec()).collect(),
        })
        .collect()
}

impl OnFiles {
    /// The paths that begin with one of the prefixes, prefix by prefix.
    fn matching(&self, files: &[Placed], wanted: fn(&Placed) -> bool) -> Vec<Arc<[u8]>> {
        self.prefixes
            .iter()
            .flat_map(|prefix| beginning(files, prefix, wanted))
            .collect()
    }

    /// The paths of installed packages, prefix by prefix. rpm finds the packages by their directories: one whose
    /// directories do not begin with the prefix is not looked at, even if a file of it does.
    fn in_database(&self, packages: &[Installed<'_>]) -> Vec<Arc<[u8]>> {
        let is_installed = |file: &Placed| matches!(file.state, State::Normal | State::NetShared);
        let mut found = Vec::new();
        for prefix in &self.prefixes {
            for package in packages {
                let directories = package.header.strings(Tag::DIRNAMES);
                if directories.iter().any(|directory| directory.starts_with(prefix)) {
                    found.extend(beginning(package.files, prefix, is_installed));
                }
            }
        }
        found
    }

    /// What is run where something matches. File triggers get no number of instances, but a 0 in its place.
    fn step(&self, what: &'static str, moment: Moment, input: Vec<Arc<[u8]>>) -> Option<Step> {
        (!input.is_empty()).then(|| Step {
            moment,
            package: self.owner,
            what,
            program: self.program.clone(),
            arguments: vec![0],
            input,
            failure: failure(self.program.flags),
        })
    }
}

fn beginning(files: &[Placed], prefix: &[u8], wanted: fn(&Placed) -> bool) -> Vec<Arc<[u8]>> {
    let begin = files.iter().filter(|file| file.path.starts_with(prefix));
    let wanted = begin.filter(|file| wanted(file));
    wanted.map(|file| Arc::clone(&file.path)).collect()
}
