//! Which package comes before which (rpm's lib/order.c: addRelation, addSingleRelation).

use std::collections::HashSet;

use bareroot_rpm::rich::{self, Rich};
use bareroot_rpm::{Dependency, DependencyKind, Header, Sense};

use super::OrderChoice;
use super::available::{Available, listed, split};
use super::colors::Colors;

/// The lists of a header that say something of the order, in the order in which rpm reads them.
const KINDS: [DependencyKind; 6] = [
    DependencyKind::Requires,
    DependencyKind::Recommends,
    DependencyKind::Suggests,
    DependencyKind::Supplements,
    DependencyKind::Enhances,
    DependencyKind::Orders,
];

/// What a relation is for that says nothing of the order.
const UNORDERED: Sense = Sense(
    Sense::RPMLIB.0
        | Sense::CONFIG.0
        | Sense::PRETRANS.0
        | Sense::POSTTRANS.0
        | Sense::SCRIPT_VERIFY.0
        | Sense::META.0,
);

/// Scriptlets whose relations count all the same.
const SCRIPTS: Sense =
    Sense(Sense::SCRIPT_PRE.0 | Sense::SCRIPT_POST.0 | Sense::SCRIPT_PREUN.0 | Sense::SCRIPT_POSTUN.0);

/// Relations that an installation must honour: cycles are cut elsewhere.
const INSTALLATION: Sense = Sense(
    Sense::SCRIPT_PRE.0
        | Sense::SCRIPT_POST.0
        | Sense::RPMLIB.0
        | Sense::KEYRING.0
        | Sense::PRETRANS.0
        | Sense::POSTTRANS.0,
);

/// All that a requirement may be for; an old prerequisite has nothing else of it (_ALL_REQUIRES_MASK).
const PURPOSES: Sense = Sense(
    INSTALLATION.0
        | SCRIPTS.0
        | Sense::INTERP.0
        | Sense::SCRIPT_VERIFY.0
        | Sense::FIND_REQUIRES.0
        | Sense::PREREQ.0
        | Sense::META.0
        | Sense::MISSINGOK.0,
);

/// An edge, seen from one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// The other end.
    pub other: usize,
    /// Whether a scriptlet needs it.
    pub hard: bool,
}

/// A package with its edges, in the order in which they were found. An edge may be there twice and counts twice then.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// The ELF classes of its dependencies.
    pub color: u32,
    /// What comes after it.
    pub after: Vec<Edge>,
    /// What comes before it.
    pub before: Vec<Edge>,
}

/// The graph of a transaction.
pub(super) fn graph(headers: &[&Header], choice: &OrderChoice) -> Vec<Node> {
    let colors: Vec<Colors> = headers.iter().map(|header| Colors::of(header)).collect();
    let lists: Vec<Vec<Related<'_>>> = headers
        .iter()
        .zip(&colors)
        .map(|(header, colors)| related(header, colors))
        .collect();
    let wanted: HashSet<&[u8]> = lists
        .iter()
        .flatten()
        .filter_map(|related| split(related.relation.name))
        .map(|(_, name)| name)
        .collect();
    let available = Available::new(headers, &colors, &wanted, choice);
    let mut nodes: Vec<Node> = colors
        .iter()
        .map(|colors| Node {
            color: colors.package,
            ..Node::default()
        })
        .collect();
    for (package, list) in lists.iter().enumerate() {
        for related in list {
            let provider = available.provider(package, &related.relation, related.color);
            if let Some(provider) = provider.filter(|provider| *provider != package) {
                add(&mut nodes, package, provider, related);
            }
        }
    }
    nodes
}

/// A simple relation of a package.
struct Related<'h> {
    relation: Dependency<'h>,
    color: u32,
    hard: bool,
    /// Whether it asks to be after the package, not before it.
    reversed: bool,
}

/// The relations of a header that say something of the order.
fn related<'h>(header: &'h Header, colors: &Colors) -> Vec<Related<'h>> {
    let mut all = Vec::new();
    for kind in KINDS {
        for (place, relation) in listed(header, kind) {
            let sense = relation.sense;
            let is_feature = kind == DependencyKind::Requires && relation.name.starts_with("rpmlib(");
            if is_feature || is_unordered(sense) {
                continue;
            }
            // A weak relation is there for the order and gives way in every cycle. Operands never have MISSINGOK.
            let missing_ok = sense.intersects(Sense::MISSINGOK) && !relation.is_rich();
            let weak = kind != DependencyKind::Requires || missing_ok;
            let legacy = Sense(sense.0 & PURPOSES.0) == Sense::PREREQ;
            let hard = !weak && (sense.intersects(INSTALLATION) || legacy);
            let reversed = matches!(kind, DependencyKind::Supplements | DependencyKind::Enhances);
            let mut push = |relation, color| {
                all.push(Related {
                    relation,
                    color,
                    hard,
                    reversed,
                });
            };
            if !relation.is_rich() {
                let color = match kind {
                    DependencyKind::Requires => Colors::at(&colors.requires, place),
                    _ => 0,
                };
                push(relation, color);
            } else if let Ok(rich) = rich::parse(relation.name) {
                let mut operands = Vec::new();
                ordering(&rich, &mut operands);
                operands.into_iter().for_each(|operand| push(operand, 0));
            }
        }
    }
    all
}

fn is_unordered(sense: Sense) -> bool {
    sense.intersects(UNORDERED) && !sense.intersects(SCRIPTS)
}

/// The operands of a boolean dependency that make edges: both of `and` and `or`, the first of the others.
fn ordering<'h>(rich: &Rich<'h>, operands: &mut Vec<Dependency<'h>>) {
    match rich {
        Rich::Simple(dependency) => operands.push(*dependency),
        Rich::And(all) | Rich::Or(all) => all.iter().for_each(|one| ordering(one, operands)),
        Rich::With(all) => all.iter().take(1).for_each(|one| ordering(one, operands)),
        Rich::If(first, ..) | Rich::Unless(first, ..) | Rich::Without(first, _) => ordering(first, operands),
    }
}

/// Adds an edge between a package and the one that meets its relation. Where the edge that was found last is the same one,
/// it only becomes hard if this one is.
fn add(nodes: &mut [Node], package: usize, provider: usize, related: &Related<'_>) {
    let (first, second) = match related.reversed {
        true => (package, provider),
        false => (provider, package),
    };
    let hard = related.hard;
    let last = |list: &[Edge]| list.last().map(|edge| edge.other);
    let is_known = match related.reversed {
        false => nodes.get(first).and_then(|node| last(&node.after)) == Some(second),
        // For a reversed relation rpm looks at what the package itself comes after.
        true => nodes.get(first).and_then(|node| last(&node.before)) == Some(second),
    };
    if is_known {
        let (before, after) = match related.reversed {
            false => (first, second),
            true => (second, first),
        };
        if let Some(node) = nodes.get_mut(before) {
            harden(&mut node.after, after, hard);
        }
        if let Some(node) = nodes.get_mut(after) {
            harden(&mut node.before, before, hard);
        }
        return;
    }
    if let Some(node) = nodes.get_mut(first) {
        node.after.push(Edge { other: second, hard });
    }
    if let Some(node) = nodes.get_mut(second) {
        node.before.push(Edge { other: first, hard });
    }
}

/// Makes the latest edge to another node a hard one, where it has to be.
fn harden(list: &mut [Edge], other: usize, hard: bool) {
    if let Some(edge) = list.iter_mut().rev().find(|edge| edge.other == other) {
        edge.hard |= hard;
    }
}
