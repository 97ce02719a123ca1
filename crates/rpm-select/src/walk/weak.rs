//! Weak dependencies: what decided packages would like beside them.

use std::collections::HashSet;

use bareroot_rpm::Sense;
use bareroot_rpm::rich::{self, Rich};
use bareroot_rpm_repo::{Package, Relation, RelationKind};

use super::blocks::{self, Form};
use super::policy::Mode;
use super::{Decision, Literal, Stock, Stuck, Walk};

/// What decided packages recommend and suggest.
#[derive(Default)]
pub(super) struct Wanted {
    /// Decisions that were looked at.
    seen: usize,
    recommended: HashSet<Literal>,
    suggested: HashSet<Literal>,
    /// Clauses with conditions that do not hold yet, and whether they are suggestions.
    waiting: Vec<(Vec<Literal>, bool)>,
}

impl Wanted {
    /// Decisions were taken back: there are only so many now.
    pub(super) fn revert(&mut self, decisions: usize) {
        if self.seen > decisions {
            *self = Wanted::default();
        }
    }
}

/// How a relation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// It does not.
    Not,
    /// By what is absent alone.
    Absent,
    /// By something that is there.
    Present,
}

/// A relation as a list of packages or, where it has conditions, as clauses.
enum Wish<'s> {
    Packages(std::borrow::Cow<'s, [Literal]>),
    Clauses(Vec<Vec<Literal>>),
}

fn wish<'i>(stock: &Stock<'_, 'i>, relation: &Relation<'i>) -> Wish<'static> {
    if !relation.name.starts_with('(') {
        return Wish::Packages(stock.providers(relation).to_vec().into());
    }
    match rich::parse(relation.name) {
        Ok(rich) if !blocks::is_complex(&rich) => Wish::Packages(stock.packages(&rich).into()),
        Ok(rich) => match blocks::form(stock, &rich, blocks::Shape::Clauses) {
            Form::Blocks(blocks) => Wish::Clauses(blocks),
            Form::Never | Form::Always => Wish::Clauses(Vec::new()),
        },
        Err(_) => Wish::Clauses(Vec::new()),
    }
}

/// What a package recommends, in the order of libsolv's own form of the metadata: plain names come first.
fn recommendations<'i>(package: &Package<'i>) -> Vec<Relation<'i>> {
    let mut all: Vec<Relation<'i>> = package.relations(RelationKind::Recommends).collect();
    all.sort_by_key(|relation| relation.sense != Sense::ANY || relation.name.starts_with('('));
    all
}

impl<'i> Walk<'_, '_, 'i> {
    /// Brings what is recommended and suggested up to date.
    pub(super) fn update_wanted(&mut self) {
        while let Some(decision) = self.queue.get(self.wanted.seen) {
            self.wanted.seen += 1;
            let Some(package) = self.stock.package(decision.literal) else {
                continue;
            };
            for (kind, suggestion) in [(RelationKind::Recommends, false), (RelationKind::Suggests, true)] {
                for relation in package.relations(kind) {
                    match wish(self.stock, &relation) {
                        Wish::Packages(packages) if suggestion => {
                            self.wanted.suggested.extend(packages.iter());
                        }
                        Wish::Packages(packages) => self.wanted.recommended.extend(packages.iter()),
                        Wish::Clauses(clauses) => {
                            let clauses = clauses.into_iter().map(|clause| (clause, suggestion));
                            self.wanted.waiting.extend(clauses);
                        }
                    }
                }
            }
        }
        let waiting = std::mem::take(&mut self.wanted.waiting);
        for (clause, suggestion) in waiting {
            let holds = |literal: &&Literal| self.level(**literal) > 0;
            if !clause
                .iter()
                .filter(|literal| **literal < 0)
                .all(|literal| holds(&literal))
            {
                self.wanted.waiting.push((clause, suggestion));
                continue;
            }
            let packages = clause.into_iter().filter(|literal| *literal > 0);
            match suggestion {
                true => self.wanted.suggested.extend(packages),
                false => self.wanted.recommended.extend(packages),
            }
        }
    }

    /// Whether a package is recommended by what is decided, or supplements it.
    pub(super) fn is_recommended(&self, literal: Literal) -> bool {
        self.wanted.recommended.contains(&literal) || self.attaches(literal, RelationKind::Supplements)
    }

    /// Whether a package is suggested by what is decided, or enhances it.
    pub(super) fn is_suggested(&self, literal: Literal) -> bool {
        self.wanted.suggested.contains(&literal) || self.attaches(literal, RelationKind::Enhances)
    }

    fn attaches(&self, literal: Literal, kind: RelationKind) -> bool {
        self.attachment(literal, kind) != Hold::Not
    }

    /// How the best of a package's relations of a kind holds.
    fn attachment(&self, literal: Literal, kind: RelationKind) -> Hold {
        let Some(package) = self.stock.package(literal) else {
            return Hold::Not;
        };
        let holds = package.relations(kind).map(|relation| self.hold(&relation));
        holds.max().unwrap_or(Hold::Not)
    }

    /// How a relation holds for what is decided.
    fn hold(&self, relation: &Relation<'i>) -> Hold {
        if !relation.name.starts_with('(') {
            return self.any_of(&self.stock.providers(relation));
        }
        rich::parse(relation.name).map_or(Hold::Not, |rich| self.rich_hold(&rich))
    }

    fn any_of(&self, packages: &[Literal]) -> Hold {
        match packages.iter().any(|other| self.level(*other) > 0) {
            true => Hold::Present,
            false => Hold::Not,
        }
    }

    fn rich_hold(&self, rich: &Rich<'i>) -> Hold {
        let of = |rich: &Rich<'i>| self.rich_hold(rich);
        match rich {
            Rich::And(operands) => {
                let all: Vec<Hold> = operands.iter().map(of).collect();
                match all.contains(&Hold::Not) {
                    true => Hold::Not,
                    false => all.into_iter().max().unwrap_or(Hold::Absent),
                }
            }
            Rich::Or(operands) => operands.iter().map(of).max().unwrap_or(Hold::Not),
            Rich::If(then, condition, None) => match (of(then), of(condition)) {
                (Hold::Not, Hold::Not) => Hold::Absent,
                (then, _) => then,
            },
            Rich::Unless(then, condition, None) => match of(condition) {
                Hold::Not => of(then),
                _ => Hold::Not,
            },
            Rich::If(then, condition, Some(otherwise)) => self.either(condition, then, otherwise),
            Rich::Unless(then, condition, Some(otherwise)) => self.either(condition, otherwise, then),
            other => self.any_of(&self.stock.packages(other)),
        }
    }

    /// One formula where a condition holds, another where it does not.
    fn either(&self, condition: &Rich<'i>, then: &Rich<'i>, otherwise: &Rich<'i>) -> Hold {
        match (self.rich_hold(condition), self.rich_hold(then)) {
            (Hold::Not, _) => self.rich_hold(otherwise),
            (Hold::Present, Hold::Absent | Hold::Present) => Hold::Present,
            (_, then) => then,
        }
    }

    /// Whether a package of the same name and another architecture is decided: none supplements beside it.
    fn has_other_arch(&self, literal: Literal) -> bool {
        self.stock.package(literal).is_some_and(|package| {
            self.stock.named(package.name()).any(|other| {
                let differs = |other: Package<'_>| other.arch() != package.arch();
                self.level(other) > 0 && self.stock.package(other).is_some_and(differs)
            })
        })
    }

    /// The open packages of a recommendation that nothing meets yet, of those that `fits` accepts.
    fn unmet(&self, relation: &Relation<'i>, fits: impl Fn(Literal) -> bool) -> Vec<Literal> {
        let mut found: Vec<Literal> = Vec::new();
        let mut add = |clause: &[Literal]| {
            let conditions = clause.iter().filter(|literal| **literal < 0);
            let met = clause
                .iter()
                .any(|literal| *literal > 0 && self.level(*literal) > 0);
            if met || !conditions.into_iter().all(|literal| self.level(*literal) > 0) {
                return;
            }
            for literal in clause.iter().filter(|literal| **literal > 0) {
                if self.is_open(*literal) && fits(*literal) && !found.contains(literal) {
                    found.push(*literal);
                }
            }
        };
        match wish(self.stock, relation) {
            Wish::Packages(packages) => add(&packages),
            Wish::Clauses(clauses) => clauses.iter().for_each(|clause| add(clause)),
        }
        found
    }

    /// Installs what is recommended and what supplements, as far as it fits. The new level, and whether anything was
    /// tried.
    pub(super) fn resolve_weak(&mut self, level: i32) -> Result<(i32, bool), Stuck> {
        let mut recommended: Vec<Literal> = Vec::new();
        let mut known: HashSet<Literal> = HashSet::new();
        let mut decided: Vec<Literal> = self.queue.iter().map(|decision| decision.literal).collect();
        decided.retain(|literal| *literal > 0);
        decided.sort_unstable();
        for literal in &decided {
            let Some(package) = self.stock.package(*literal) else {
                continue;
            };
            for relation in recommendations(&package) {
                let unmet = self.unmet(&relation, |_| true);
                recommended.extend(unmet.into_iter().filter(|other| known.insert(*other)));
            }
        }
        let supplements: Vec<Literal> = (self.stock.attached.iter().copied())
            .filter(|literal| {
                self.is_open(*literal)
                    && self.stock.is_installable(*literal)
                    && self.attachment(*literal, RelationKind::Supplements) == Hold::Present
                    && !self.has_other_arch(*literal)
            })
            .collect();
        let mut all = recommended;
        all.extend(supplements.iter().copied().filter(|other| known.insert(*other)));
        let level = match all[..] {
            [] => return Ok((level, false)),
            [only] => self.install_weak(level, only)?,
            _ => self.install_all(level, all, supplements)?,
        };
        Ok((level, true))
    }

    fn install_weak(&mut self, level: i32, literal: Literal) -> Result<i32, Stuck> {
        self.install(level, literal, 0, true)
    }

    fn install_all(
        &mut self,
        mut level: i32,
        mut all: Vec<Literal>,
        mut supplements: Vec<Literal>,
    ) -> Result<i32, Stuck> {
        self.filter(&mut all, Mode::Recommend);
        let best: HashSet<Literal> = all.into_iter().collect();
        supplements.retain(|literal| best.contains(literal));
        if supplements.len() > 1 {
            self.filter(&mut supplements, Mode::Supplement);
        }
        let decisions = self.queue.len();
        for literal in supplements {
            if !self.is_open(literal) {
                continue;
            }
            let before = level;
            level = self.install_weak(level, literal)?;
            if level <= before {
                return Ok(level);
            }
        }
        if self.queue.len() < decisions {
            return Ok(level);
        }
        for place in 0..decisions {
            let literal = self
                .queue
                .get(place)
                .map_or(0, |decision: &Decision| decision.literal);
            let Some(package) = self.stock.package(literal) else {
                continue;
            };
            for relation in recommendations(&package) {
                let mut unmet = self.unmet(&relation, |literal| best.contains(&literal));
                if unmet.len() > 1 {
                    self.filter(&mut unmet, Mode::Choose);
                }
                self.branch(level, &unmet);
                let Some(&first) = unmet.first() else { continue };
                let before = level;
                level = self.install_weak(level, first)?;
                if level <= before || self.queue.len() < decisions {
                    return Ok(level);
                }
            }
        }
        Ok(level)
    }
}
