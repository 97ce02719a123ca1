//! From the solver's facts to sentences: chains from a wish to what cannot be had, and the nearest miss.

use std::collections::{HashMap, HashSet, VecDeque};

use bareroot_solve::{self as solve, Fact};

use super::arena::{Pkg, Ver};
use super::error::{Cause, Link, Unsatisfiable};
use super::named::Asked;
use super::relations::{Dep, Kind};
use super::state::States;

/// How many reasons are told at most; more would not be read.
const REASONS: usize = 5;

/// Tells why the wishes cannot be met.
pub(super) fn explain(
    states: &mut States<'_, '_>,
    asked: &Asked,
    conflict: &solve::Unsatisfiable,
) -> Unsatisfiable {
    let paths = Paths::of(states, asked, conflict);
    let mut reasons = Vec::new();
    for fact in &conflict.facts {
        let reason = match fact {
            Fact::Missing { by: Some(by) } => {
                let by = Ver(by.0);
                missing(states, by).map(|(dep, nearest)| {
                    let mut chain = paths.chain(states, by);
                    chain.push(link(states, by, &dep));
                    (chain, Cause::Missing { nearest })
                })
            }
            Fact::Excludes { by: Some(by), other } => excludes(states, &paths, Ver(by.0), Ver(other.0)),
            Fact::Excludes { by: None, other } => {
                let other = Ver(other.0);
                let chain = paths.chain(states, other);
                let package = states.pool.full_name(states.pkg(other));
                Some((chain, Cause::Refused { package }))
            }
            Fact::Same { one, other } => {
                let (one, other) = (Ver(one.0), Ver(other.0));
                let cause = Cause::Conflict {
                    package: show(states, one),
                    kind: Kind::Conflicts.word().to_owned(),
                    relation: String::new(),
                    other: show(states, other),
                    chain: paths.chain(states, other),
                };
                Some((paths.chain(states, one), cause))
            }
            Fact::Missing { by: None } | Fact::Needs { .. } => None,
        };
        if let Some(reason) = reason.filter(|reason| !reasons.contains(reason)) {
            reasons.push(reason);
        }
        if reasons.len() == REASONS {
            break;
        }
    }
    Unsatisfiable { reasons }
}

/// The first relation of a package that no candidate meets, and what comes nearest.
fn missing<'a>(states: &mut States<'_, 'a>, by: Ver) -> Option<(Dep<'a>, String)> {
    let deps = states.pool.deps(by);
    let mut firm = deps.iter().filter(|dep| dep.kind.is_firm());
    let dep = firm.find(|dep| states.options(by, dep).is_empty())?.clone();
    let nearest = nearest(states, &dep);
    Some((dep, nearest))
}

/// What there is of the names that a relation asks for.
fn nearest(states: &mut States<'_, '_>, dep: &Dep<'_>) -> String {
    let title = states.pool.universe().title();
    let mut misses = Vec::new();
    for &atom in dep.atoms.iter() {
        let name = states.pool.target_name(atom);
        if states.pool.is_excluded(name) {
            misses.push(format!("`{name}` is excluded"));
            continue;
        }
        let group = states.pool.group(name);
        let mut versions = Vec::new();
        for pkg in states.pool.groups[group].pkgs.clone() {
            for &ver in &states.pool.pkgs[pkg].versions {
                versions.push(format!(
                    "{} {}",
                    states.pool.full_name(pkg),
                    states.pool.vers[ver].stanza.version()
                ));
            }
        }
        let target = states.pool.atoms[atom].target;
        let providers = states.pool.target_members(target);
        let providers = providers
            .iter()
            .filter(|member| member.provided)
            .map(|member| member.ver);
        let mut provided: Vec<String> = providers
            .collect::<Vec<_>>()
            .into_iter()
            .map(|v| show(states, v))
            .collect();
        provided.dedup();
        provided.truncate(3);
        misses.push(match (versions.is_empty(), provided.is_empty()) {
            (false, _) => format!("{title} has {}", versions.join(", ")),
            (true, false) => format!("{title} has `{name}` only as provided by {}", provided.join(", ")),
            (true, true) => format!("{title} has no `{name}`"),
        });
    }
    misses.dedup();
    misses.join("; ")
}

/// A conflict between two chosen packages, told from the one that states it.
fn excludes(states: &mut States<'_, '_>, paths: &Paths, by: Ver, other: Ver) -> Option<(Vec<Link>, Cause)> {
    let deps = states.pool.deps(by);
    let dep = deps
        .iter()
        .filter(|dep| dep.kind.is_negative())
        .find(|dep| states.options(by, dep).contains(&other))?;
    let cause = Cause::Conflict {
        package: show(states, by),
        kind: match dep.kind {
            Kind::Breaks => "breaks",
            _ => "conflicts with",
        }
        .to_owned(),
        relation: dep.text.to_owned(),
        other: show(states, other),
        chain: paths.chain(states, other),
    };
    Some((paths.chain(states, by), cause))
}

fn show(states: &States<'_, '_>, ver: Ver) -> String {
    format!(
        "{} {}",
        states.pool.full_name(states.pkg(ver)),
        states.pool.vers[ver].stanza.version()
    )
}

fn link(states: &States<'_, '_>, by: Ver, dep: &Dep<'_>) -> Link {
    Link {
        package: Some(show(states, by)),
        kind: dep.kind.word().to_owned(),
        relation: dep.text.to_owned(),
    }
}

/// For each package of the conflict, which other one brings it in.
struct Paths {
    from: HashMap<Ver, Option<Ver>>,
}

impl Paths {
    fn of(states: &mut States<'_, '_>, asked: &Asked, conflict: &solve::Unsatisfiable) -> Self {
        let mut needed: HashMap<Ver, Vec<Ver>> = HashMap::new();
        for fact in &conflict.facts {
            if let Fact::Needs {
                by: Some(by),
                options,
            } = fact
            {
                needed
                    .entry(Ver(by.0))
                    .or_default()
                    .extend(options.iter().map(|option| Ver(option.0)));
            }
        }
        let mut from = HashMap::new();
        let mut queue = VecDeque::new();
        let installed = states
            .installed()
            .into_iter()
            .filter(|&(pkg, _)| states.of(pkg).current.is_some());
        let installed: Vec<Ver> = installed
            .collect::<Vec<(Pkg, Ver)>>()
            .into_iter()
            .map(|(_, ver)| ver)
            .collect();
        for ver in asked.named.iter().map(|named| named.ver).chain(installed) {
            if from.insert(ver, None).is_none() {
                queue.push_back(ver);
            }
        }
        let mut seen: HashSet<Ver> = from.keys().copied().collect();
        while let Some(ver) = queue.pop_front() {
            for &next in needed.get(&ver).into_iter().flatten() {
                if seen.insert(next) {
                    from.insert(next, Some(ver));
                    queue.push_back(next);
                }
            }
        }
        Paths { from }
    }

    /// The links from a wish to a package.
    fn chain(&self, states: &mut States<'_, '_>, to: Ver) -> Vec<Link> {
        let mut steps = vec![to];
        let mut at = to;
        while let Some(Some(by)) = self.from.get(&at) {
            steps.push(*by);
            at = *by;
        }
        steps.reverse();
        let mut chain = Vec::new();
        if let Some(&first) = steps.first() {
            let relation = states.pool.full_name(states.pkg(first));
            chain.push(Link {
                package: None,
                kind: String::new(),
                relation,
            });
        }
        for pair in steps.windows(2) {
            let [by, next] = pair else { continue };
            let deps = states.pool.deps(*by);
            let mut firm = deps.iter().filter(|dep| dep.kind.is_firm());
            let dep = firm.find(|dep| states.options(*by, dep).contains(next)).cloned();
            chain.extend(dep.map(|dep| link(states, *by, &dep)));
        }
        chain
    }
}
