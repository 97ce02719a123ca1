//! Clauses of packages and jobs, in libsolv's order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet, VecDeque};

use bareroot_rpm::rich::{self, Rich};
use bareroot_rpm_repo::{Package, Relation, RelationKind};

use super::blocks::{self, Form};
use super::{Jobs, Literal, Stock};
use crate::universe::Id;

/// A clause: one of its literals holds.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    /// The first literal.
    pub(super) first: Literal,
    /// The others, where there are more than one; a second alone is a watch and nothing else.
    pub(super) rest: Box<[Literal]>,
    /// The watched literals; the second is 0 for a clause of one literal.
    pub(super) watch: [Literal; 2],
    /// The next clauses that watch these literals.
    pub(super) next: [usize; 2],
    /// Whether it counts no more.
    pub(super) off: bool,
}

impl Clause {
    pub(super) fn new(first: Literal, rest: &[Literal]) -> Clause {
        let second = rest.first().copied().unwrap_or_default();
        Clause {
            first,
            rest: match rest.len() {
                0 | 1 => Box::default(),
                _ => rest.into(),
            },
            watch: [first, second],
            next: [0; 2],
            off: false,
        }
    }

    /// Whether it has more than two literals.
    pub(super) fn is_long(&self) -> bool {
        !self.rest.is_empty()
    }

    /// All literals.
    pub(super) fn literals(&self) -> impl Iterator<Item = Literal> + '_ {
        let short = self.second();
        std::iter::once(self.first)
            .chain(self.rest.iter().copied())
            .chain(short)
    }

    /// The second literal of a clause of two.
    pub(super) fn second(&self) -> Option<Literal> {
        let [one, two] = self.watch;
        match self.is_long() || two == 0 {
            true => None,
            false => Some(if one == self.first { two } else { one }),
        }
    }
}

/// What is made.
pub(super) struct Made {
    /// The clauses; the first is none.
    pub(super) clauses: Vec<Clause>,
    /// Where those of jobs are.
    pub(super) jobs: (usize, usize),
}

/// Packages that cannot be chosen because others of their name have a better architecture.
pub(crate) fn inferior(stock: &Stock<'_, '_>, jobs: &Jobs) -> Vec<Id> {
    let alone = |list: &Vec<Literal>| match list[..] {
        [literal] => Some(Id((-literal) as u32 - 1)),
        _ => None,
    };
    let found = maker(stock, jobs).inferior(jobs);
    found.iter().filter_map(alone).collect()
}

/// The clauses of all packages that can matter to the jobs, in the order in which they are found.
fn maker<'m, 'u, 'i>(stock: &'m Stock<'u, 'i>, jobs: &Jobs) -> Maker<'m, 'u, 'i> {
    let mut maker = Maker {
        stock,
        lists: Vec::new(),
        added: vec![false; stock.len() as usize + 1],
        order: Vec::new(),
    };
    for id in jobs.install.iter().flatten() {
        maker.add(id.0 as Literal + 1);
    }
    for literal in jobs.conditional.iter().flat_map(|(name, condition)| {
        let both = [provided(stock, name), provided(stock, condition)];
        both.into_iter().flatten()
    }) {
        maker.add(literal);
    }
    maker.add_attached();
    maker
}

/// All clauses that can matter to the jobs.
pub(super) fn make(stock: &Stock<'_, '_>, jobs: &Jobs) -> Made {
    let mut maker = maker(stock, jobs);
    maker.lists.sort_unstable_by(|one, two| order(one, two));
    maker.lists.dedup();
    let mut clauses = vec![Clause::new(0, &[])];
    if let Some(none) = clauses.first_mut() {
        none.off = true;
    }
    let clause = |list: &[Literal]| list.split_first().map(|(first, rest)| Clause::new(*first, rest));
    clauses.extend(maker.lists.iter().filter_map(|list| clause(list)));
    let start = clauses.len();
    for list in &jobs.install {
        let literals: Vec<Literal> = list.iter().map(|id| id.0 as Literal + 1).collect();
        clauses.extend(clause(&literals));
    }
    for (name, condition) in &jobs.conditional {
        let packages = provided(stock, name);
        for condition in provided(stock, condition).into_iter().rev() {
            if packages.contains(&condition) {
                continue;
            }
            let mut list = vec![-condition];
            list.extend(&packages);
            clauses.extend(clause(&list));
        }
    }
    let end = clauses.len();
    for bad in maker.inferior(jobs) {
        clauses.extend(clause(&bad));
    }
    Made {
        clauses,
        jobs: (start, end),
    }
}

/// The packages that provide a name.
fn provided(stock: &Stock<'_, '_>, name: &str) -> Vec<Literal> {
    let relation = Relation {
        name,
        sense: bareroot_rpm::Sense::ANY,
        evr: bareroot_rpm::Evr::default(),
        pre: false,
    };
    let found = stock.universe.providing(&relation).into_iter();
    found.map(|id| id.0 as Literal + 1).collect()
}

/// libsolv's order of clauses: by the first literal, then by the others, as if each list ended in a 0.
fn order(one: &[Literal], two: &[Literal]) -> Ordering {
    let ended = |list: &[Literal]| -> Vec<Literal> {
        let mut list = list.to_vec();
        list.push(0);
        list
    };
    // Lists that differ in their first literals, by far the most, need no copies.
    match one.first().cmp(&two.first()) {
        Ordering::Equal => ended(one).cmp(&ended(two)),
        other => other,
    }
}

struct Maker<'m, 'u, 'i> {
    stock: &'m Stock<'u, 'i>,
    lists: Vec<Vec<Literal>>,
    added: Vec<bool>,
    /// Packages that have clauses, as they came.
    order: Vec<Literal>,
}

impl<'i> Maker<'_, '_, 'i> {
    fn is_added(&self, literal: Literal) -> bool {
        self.added.get(literal as usize).copied().unwrap_or_default()
    }

    /// Adds a package's clauses, and those of all packages that it may lead to.
    fn add(&mut self, literal: Literal) {
        let mut queue = VecDeque::from([literal]);
        while let Some(literal) = queue.pop_front() {
            let Some(added) = self.added.get_mut(literal as usize).filter(|added| !**added) else {
                continue;
            };
            *added = true;
            self.order.push(literal);
            let Some(package) = self.stock.package(literal) else {
                continue;
            };
            if !self.stock.is_installable(literal) {
                self.lists.push(vec![-literal]);
            }
            for required in package.relations(RelationKind::Requires) {
                self.requires(literal, &required, &mut queue);
            }
            for conflict in package.relations(RelationKind::Conflicts) {
                self.conflicts(literal, &conflict);
            }
            self.replaces(literal, &package);
            queue.extend(self.better(&package));
            for kind in [RelationKind::Recommends, RelationKind::Suggests] {
                for relation in package.relations(kind) {
                    queue.extend(positive(self.stock, &relation));
                }
            }
        }
    }

    fn push(&mut self, mut list: Vec<Literal>) {
        list.sort_unstable();
        list.dedup();
        let contradicts = list.iter().any(|literal| list.binary_search(&-literal).is_ok());
        if !contradicts {
            self.lists.push(list);
        }
    }

    fn requires(&mut self, literal: Literal, required: &Relation<'i>, queue: &mut VecDeque<Literal>) {
        let blocks = match required.name.starts_with('(') {
            true => match blocks::clauses(self.stock, required.name) {
                Form::Never => vec![Vec::new()],
                Form::Always => return,
                Form::Blocks(blocks) => blocks,
            },
            false => {
                let providers = self.stock.providers(required);
                if providers.binary_search(&literal).is_ok() {
                    return;
                }
                queue.extend(providers.iter().copied());
                let mut list = Vec::with_capacity(providers.len() + 1);
                list.push(-literal);
                list.extend(providers.iter().copied());
                self.lists.push(list);
                return;
            }
        };
        for mut block in blocks {
            queue.extend(block.iter().copied().filter(|other| *other > 0));
            block.push(-literal);
            self.push(block);
        }
    }

    fn conflicts(&mut self, literal: Literal, conflict: &Relation<'i>) {
        if !conflict.name.starts_with('(') {
            for other in self
                .stock
                .providers(conflict)
                .iter()
                .filter(|other| **other != literal)
            {
                self.push(vec![-literal, -other]);
            }
            return;
        }
        match blocks::negated(self.stock, conflict.name) {
            Form::Never => self.lists.push(vec![-literal]),
            Form::Always => {}
            Form::Blocks(blocks) => {
                for mut block in blocks {
                    // A package does not conflict with itself.
                    if block == [-literal] {
                        continue;
                    }
                    block.push(-literal);
                    self.push(block);
                }
            }
        }
    }

    /// What a package obsoletes, and other packages of its name.
    fn replaces(&mut self, literal: Literal, package: &Package<'i>) {
        for obsoleted in package.relations(RelationKind::Obsoletes) {
            for id in self.stock.universe.called(&obsoleted) {
                let other = id.0 as Literal + 1;
                if other != literal {
                    self.push(vec![-literal, -other]);
                }
            }
        }
        let others: Vec<Literal> = self
            .stock
            .named(package.name())
            .filter(|other| *other != literal)
            .collect();
        for other in others {
            let same_color = self
                .stock
                .package(other)
                .is_some_and(|other| color(&other) & color(package) != 0);
            if same_color {
                self.push(vec![-literal, -other]);
            }
        }
    }

    /// The same version for a better architecture.
    fn better(&self, package: &Package<'i>) -> Vec<Literal> {
        if package.arch() == "noarch" {
            return Vec::new();
        }
        let own = self.stock.universe.arch_score(package);
        let is_better = |other: &Package<'_>| {
            other.arch() != "noarch"
                && self.stock.universe.arch_score(other) < own
                && other.evr().compare(&package.evr()).is_eq()
        };
        self.stock
            .named(package.name())
            .filter(|other| self.stock.package(*other).is_some_and(|other| is_better(&other)))
            .collect()
    }

    /// Packages that supplement or enhance what has clauses.
    fn add_attached(&mut self) {
        loop {
            let before = self.order.len();
            for place in 0..self.stock.attached.len() {
                let Some(&literal) = self.stock.attached.get(place) else {
                    break;
                };
                if self.is_added(literal) || !self.stock.is_installable(literal) {
                    continue;
                }
                let Some(package) = self.stock.package(literal) else {
                    continue;
                };
                let possible = [RelationKind::Supplements, RelationKind::Enhances]
                    .into_iter()
                    .flat_map(|kind| package.relations(kind))
                    .any(|relation| self.is_possible(&relation));
                if possible {
                    self.add(literal);
                }
            }
            if before == self.order.len() {
                return;
            }
        }
    }

    /// Whether a relation may come to hold: one with a condition always may.
    fn is_possible(&self, relation: &Relation<'i>) -> bool {
        if !relation.name.starts_with('(') {
            let providers = self.stock.providers(relation);
            return providers.iter().any(|other| self.is_added(*other));
        }
        rich::parse(relation.name).is_ok_and(|rich| self.is_rich_possible(&rich))
    }

    fn is_rich_possible(&self, rich: &Rich<'i>) -> bool {
        match rich {
            Rich::If(..) | Rich::Unless(..) => true,
            Rich::And(operands) => operands.iter().all(|operand| self.is_rich_possible(operand)),
            Rich::Or(operands) => operands.iter().any(|operand| self.is_rich_possible(operand)),
            other => {
                let packages = self.stock.packages(other);
                packages.into_iter().any(|other| self.is_added(other))
            }
        }
    }

    /// Packages of a lesser architecture than others of their name have; no job names them.
    fn inferior(&self, jobs: &Jobs) -> Vec<Vec<Literal>> {
        let named: HashSet<Literal> = jobs
            .install
            .iter()
            .flatten()
            .map(|id| id.0 as Literal + 1)
            .collect();
        let mut groups: BTreeMap<&str, Vec<Literal>> = BTreeMap::new();
        for literal in &self.order {
            if let Some(package) = self.stock.package(*literal) {
                groups.entry(package.name()).or_default().push(*literal);
            }
        }
        let score = |literal: &Literal| {
            let package = self.stock.package(*literal)?;
            (package.arch() != "noarch").then(|| self.stock.universe.arch_score(&package))
        };
        let mut all: Vec<Vec<Literal>> = Vec::new();
        for group in groups.into_values() {
            let Some(best) = group.iter().filter_map(score).min() else {
                continue;
            };
            let mut bad = group.clone();
            bad.retain(|literal| score(literal).is_some_and(|own| own != best));
            if bad.iter().any(|literal| named.contains(literal)) {
                continue;
            }
            for literal in &bad {
                let mut list = vec![-literal];
                list.extend(self.in_step(*literal, best));
                all.push(list);
            }
        }
        all.sort_unstable();
        all
    }

    /// Packages of the same version and the best architecture: beside them one of a lesser may be.
    fn in_step(&self, literal: Literal, best: usize) -> Vec<Literal> {
        let Some(own) = self.stock.package(literal) else {
            return Vec::new();
        };
        let fits = |other: &Package<'_>| {
            other.arch() != own.arch()
                && other.evr().compare(&own.evr()).is_eq()
                && (other.arch() == "noarch" || self.stock.universe.arch_score(other) == best)
        };
        self.stock
            .named(own.name())
            .filter(|other| self.stock.package(*other).is_some_and(|other| fits(&other)))
            .collect()
    }
}

/// libsolv's colours: which word sizes a package's architecture has.
fn color(package: &Package<'_>) -> u8 {
    match package.arch() {
        "noarch" => 3,
        arch if arch.contains("64") || arch == "s390x" => 2,
        _ => 1,
    }
}

/// The packages that a relation may bring.
fn positive<'i>(stock: &Stock<'_, 'i>, relation: &Relation<'i>) -> Vec<Literal> {
    if !relation.name.starts_with('(') {
        return stock.providers(relation).to_vec();
    }
    match rich::parse(relation.name) {
        Ok(rich) => {
            let mut all = Vec::new();
            collect(stock, &rich, false, &mut all);
            all
        }
        Err(_) => Vec::new(),
    }
}

/// The packages of a formula that are not negated.
fn collect<'i>(stock: &Stock<'_, 'i>, rich: &Rich<'i>, negated: bool, all: &mut Vec<Literal>) {
    match rich {
        Rich::And(operands) | Rich::Or(operands) => {
            operands
                .iter()
                .for_each(|operand| collect(stock, operand, negated, all));
        }
        Rich::If(then, condition, otherwise) | Rich::Unless(then, condition, otherwise) => {
            collect(stock, then, negated, all);
            collect(stock, condition, !negated, all);
            if let Some(otherwise) = otherwise {
                collect(stock, otherwise, negated, all);
            }
        }
        _ if negated => {}
        other => all.extend(stock.packages(other)),
    }
}
