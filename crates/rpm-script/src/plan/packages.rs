//! Triggers on packages (rpm's lib/psm.c: runTriggers, runImmedTriggers, handleOneTrigger).

use std::collections::{HashMap, HashSet};

use bareroot_rpm::{DependencyKind, Header, Sense, overlap};

use super::{Counts, Installed, Moment, Program, Step, failure, name_of, program};

/// The triggers of all packages, and who waits for whom.
pub(super) struct Triggers<'h> {
    owners: Vec<Owner<'h>>,
    /// The packages that have a trigger on a name, in order.
    waiting: HashMap<&'h str, Vec<usize>>,
    /// The packages of a name, in order.
    named: HashMap<&'h [u8], Vec<usize>>,
}

/// A package with its triggers.
struct Owner<'h> {
    header: &'h Header,
    programs: Vec<Program>,
    /// In the header's order.
    conditions: Vec<Condition<'h>>,
}

struct Condition<'h> {
    name: &'h str,
    sense: Sense,
    evr: &'h str,
    /// Which of the programs it is for.
    program: usize,
}

impl<'h> Triggers<'h> {
    pub(super) fn of(packages: &[Installed<'h>]) -> Self {
        let mut triggers = Triggers {
            owners: Vec::with_capacity(packages.len()),
            waiting: HashMap::new(),
            named: HashMap::new(),
        };
        for (place, package) in packages.iter().enumerate() {
            let owner = Owner::of(package.header);
            for condition in &owner.conditions {
                let waiting = triggers.waiting.entry(condition.name).or_default();
                if waiting.last() != Some(&place) {
                    waiting.push(place);
                }
            }
            triggers
                .named
                .entry(name_of(package.header))
                .or_default()
                .push(place);
            triggers.owners.push(owner);
        }
        triggers
    }

    /// What the package of a place sets off: triggers of packages in the database, then its own. `counts` is of the
    /// database, in which the package itself is after its files have come, not before.
    pub(super) fn set_off(&self, steps: &mut Vec<Step>, place: usize, moment: Sense, counts: &Counts<'_>) {
        let Some(package) = self.owners.get(place) else {
            return;
        };
        let known = match moment {
            Sense::TRIGGERPREIN => place,
            _ => place + 1,
        };
        let in_database = |list: Option<&Vec<usize>>| -> Vec<usize> {
            let list = list.into_iter().flatten().copied();
            list.filter(|other| *other < known).collect()
        };
        let name = package.header.text(bareroot_rpm::Tag::NAME).unwrap_or_default();
        for other in in_database(self.waiting.get(name)) {
            let Some(owner) = self.owners.get(other) else {
                continue;
            };
            if let Some(number) = owner.met_by(package.header, moment) {
                let instances = [counts.of(owner.header), counts.of(package.header)];
                steps.extend(owner.step(other, number, place, moment, instances));
            }
        }
        let mut done = HashSet::new();
        for condition in &package.conditions {
            if done.contains(&condition.program) {
                continue;
            }
            let sources = in_database(self.named.get(condition.name.as_bytes()));
            for source in &sources {
                let source = self.owners.get(*source);
                let number = source.and_then(|source| package.met_by(source.header, moment));
                if let Some(number) = number
                    && done.insert(number)
                {
                    let instances = [counts.of(package.header), sources.len() as u32];
                    steps.extend(package.step(place, number, place, moment, instances));
                }
            }
        }
    }
}

impl<'h> Owner<'h> {
    fn of(header: &'h Header) -> Self {
        let triggers = header.triggers();
        let mut conditions: Vec<(usize, Condition<'h>)> = triggers
            .iter()
            .enumerate()
            .flat_map(|(program, trigger)| trigger.conditions.iter().map(move |one| (program, one)))
            .map(|(program, condition)| {
                let on = condition.on;
                let condition_of = Condition {
                    name: on.name,
                    sense: on.sense,
                    evr: on.evr,
                    program,
                };
                (condition.place, condition_of)
            })
            .collect();
        conditions.sort_by_key(|(place, _)| *place);
        Owner {
            header,
            programs: triggers.iter().map(|trigger| program(&trigger.script)).collect(),
            conditions: conditions.into_iter().map(|(_, condition)| condition).collect(),
        }
    }

    /// The program of the first condition that a package meets. It must have the condition's name itself, and provide it
    /// in a version that fits; however many conditions it meets, one program is run.
    fn met_by(&self, source: &Header, moment: Sense) -> Option<usize> {
        let name = name_of(source);
        self.conditions
            .iter()
            .filter(|condition| condition.sense.intersects(moment) && condition.name.as_bytes() == name)
            .find(|condition| {
                let provides = source.dependencies(DependencyKind::Provides);
                provides.iter().any(|provided| {
                    provided.name == condition.name
                        && overlap(condition.sense, condition.evr, provided.sense, provided.evr)
                })
            })
            .map(|condition| condition.program)
    }

    fn step(
        &self,
        owner: usize,
        number: usize,
        place: usize,
        moment: Sense,
        arguments: [u32; 2],
    ) -> Option<Step> {
        let program = self.programs.get(number)?.clone();
        let (what, moment) = match moment {
            Sense::TRIGGERPREIN => ("%triggerprein", Moment::Before(place)),
            _ => ("%triggerin", Moment::After(place)),
        };
        Some(Step {
            moment,
            package: owner,
            what,
            failure: failure(program.flags),
            program,
            arguments: arguments.to_vec(),
            input: Vec::new(),
        })
    }
}
