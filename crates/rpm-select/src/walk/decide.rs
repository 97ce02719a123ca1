//! Decisions: assertions, unit propagation, and libsolv's passes over the clauses that are not yet satisfied.

use super::policy::Mode;
use super::{Branch, Decision, Literal, Stuck, Walk};

impl Walk<'_, '_, '_> {
    pub(super) fn watch_all(&mut self) {
        for number in (1..self.clauses.len()).rev() {
            self.watch(number);
        }
        self.assertions = (1..self.clauses.len())
            .filter(|number| {
                let clause = self.clauses.get(*number);
                clause.is_some_and(|clause| clause.watch.get(1) == Some(&0))
            })
            .collect();
    }

    /// Puts a clause at the front of its watched literals' lists.
    pub(super) fn watch(&mut self, number: usize) {
        let half = self.half;
        let Some(clause) = self.clauses.get_mut(number) else {
            return;
        };
        let [one, two] = clause.watch;
        if two == 0 {
            return;
        }
        for (literal, next) in [one, two].into_iter().zip(&mut clause.next) {
            if let Some(head) = self.watches.get_mut((literal + half) as usize) {
                *next = std::mem::replace(head, number);
            }
        }
    }

    pub(super) fn decide(&mut self, literal: Literal, level: i32, because: usize) {
        self.record(
            level,
            Decision {
                literal,
                because,
                for_clause: 0,
                weak: false,
            },
        );
    }

    pub(super) fn record(&mut self, level: i32, decision: Decision) {
        let place = decision.literal.unsigned_abs() as usize;
        if let Some(slot) = self.levels.get_mut(place) {
            *slot = if decision.literal > 0 { level } else { -level };
        }
        self.queue.push(decision);
    }

    /// Decides what clauses of one literal say.
    pub(super) fn assert_all(&mut self) -> Result<i32, Stuck> {
        for place in 0..self.assertions.len() {
            let Some(&number) = self.assertions.get(place) else {
                break;
            };
            let Some(clause) = self.clauses.get(number).filter(|clause| !clause.off) else {
                continue;
            };
            let literal = clause.first;
            if self.is_open(literal) {
                self.decide(literal, 1, number);
            } else if self.is_false(literal) {
                if number < self.learnt {
                    return Err(Stuck);
                }
                if let Some(clause) = self.clauses.get_mut(number) {
                    clause.off = true;
                }
            }
        }
        Ok(1)
    }

    /// Propagates what was decided; a clause that cannot hold any more is the answer.
    pub(super) fn propagate(&mut self, level: i32) -> Option<usize> {
        while let Some(decision) = self.queue.get(self.propagated) {
            // Watches are met when their literal becomes false.
            let false_one = -decision.literal;
            self.propagated += 1;
            let head = (false_one + self.half) as usize;
            // The clause before this one in the list of watches; 0 is the list's head.
            let mut before: usize = 0;
            let mut number = self.watches.get(head).copied().unwrap_or_default();
            while number != 0 {
                let Some(clause) = self.clauses.get(number) else {
                    break;
                };
                let side = usize::from(clause.watch.first() != Some(&false_one));
                let other = clause.watch.get(1 - side).copied().unwrap_or_default();
                let next = clause.next.get(side).copied().unwrap_or_default();
                if clause.off || self.is_true(other) {
                    before = number;
                    number = next;
                    continue;
                }
                if let Some(literal) = self.other_watch(number, other) {
                    self.unlink(head, before, false_one, next);
                    self.relink(number, side, literal);
                    number = next;
                    continue;
                }
                if self.is_false(other) {
                    return Some(number);
                }
                self.decide(other, level, number);
                before = number;
                number = next;
            }
        }
        None
    }

    /// Another literal of a long clause that may still hold.
    fn other_watch(&self, number: usize, other: Literal) -> Option<Literal> {
        let clause = self.clauses.get(number).filter(|clause| clause.is_long())?;
        std::iter::once(clause.first)
            .chain(clause.rest.iter().copied())
            .find(|literal| *literal != other && !self.is_false(*literal))
    }

    fn unlink(&mut self, head: usize, before: usize, literal: Literal, next: usize) {
        match self.clauses.get_mut(before).filter(|_| before != 0) {
            Some(clause) => {
                let side = usize::from(clause.watch.first() != Some(&literal));
                if let Some(slot) = clause.next.get_mut(side) {
                    *slot = next;
                }
            }
            None => {
                if let Some(slot) = self.watches.get_mut(head) {
                    *slot = next;
                }
            }
        }
    }

    fn relink(&mut self, number: usize, side: usize, literal: Literal) {
        let half = self.half;
        if let (Some(clause), Some(head)) = (
            self.clauses.get_mut(number),
            self.watches.get_mut((literal + half) as usize),
        ) && let (Some(watch), Some(next)) = (clause.watch.get_mut(side), clause.next.get_mut(side))
        {
            *watch = literal;
            *next = std::mem::replace(head, number);
        }
    }

    /// Of a clause that does not hold yet: the packages that are still open. `None` for one that holds.
    fn open(&self, number: usize) -> Option<Vec<Literal>> {
        let clause = self.clauses.get(number).filter(|clause| !clause.off)?;
        let mut open = Vec::new();
        for literal in clause.literals() {
            if literal < 0 {
                if self.level(literal) <= 0 {
                    return None;
                }
            } else if self.level(literal) > 0 {
                return None;
            } else if self.is_open(literal) {
                open.push(literal);
            }
        }
        Some(open)
    }

    /// Satisfies the jobs, one after the other.
    pub(super) fn resolve_jobs(&mut self, mut level: i32) -> Result<i32, Stuck> {
        let (start, end) = self.jobs;
        let first_level = level;
        let mut number = start;
        while number < end {
            self.step()?;
            let Some(open) = self.open(number).filter(|open| !open.is_empty()) else {
                number += 1;
                continue;
            };
            let before = level;
            level = self.choose(level, open, number)?;
            if level > before {
                number += 1;
            } else if level < before {
                if level < first_level {
                    return Ok(level);
                }
                number = start;
            }
        }
        Ok(level)
    }

    /// Satisfies all clauses. Those with a choice come after all that have none.
    pub(super) fn resolve_dependencies(&mut self, mut level: i32) -> Result<i32, Stuck> {
        let first_level = level;
        let mut postponed: Option<usize> = None;
        let mut choosing = false;
        let (mut number, mut seen) = (1, 1);
        loop {
            if seen >= self.clauses.len() {
                match postponed.take() {
                    Some(first) if !choosing => {
                        number = first;
                        choosing = true;
                        seen = 1;
                    }
                    _ => return Ok(level),
                }
            }
            if number >= self.clauses.len() {
                number = 1;
            }
            let this = number;
            number += 1;
            seen += 1;
            if self.holds_at_once(this) {
                continue;
            }
            let Some(mut open) = self.open(this) else { continue };
            if open.len() < 2 {
                continue;
            }
            self.step()?;
            if !choosing {
                self.filter(&mut open, Mode::Prune);
                if open.len() > 1 {
                    postponed.get_or_insert(this);
                    continue;
                }
            }
            level = self.choose(level, open, this)?;
            if level < first_level {
                return Ok(level);
            }
            seen = 1;
        }
    }

    /// The commonest clauses need no second look.
    fn holds_at_once(&self, number: usize) -> bool {
        self.clauses.get(number).is_none_or(|clause| {
            clause.off || (clause.first < 0 && (!clause.is_long() || self.level(clause.first) <= 0))
        })
    }

    /// Installs the best of some candidates.
    fn choose(&mut self, level: i32, mut open: Vec<Literal>, number: usize) -> Result<i32, Stuck> {
        if open.len() > 1 {
            self.filter(&mut open, Mode::Choose);
        }
        self.branch(level, &open);
        let Some(&best) = open.first() else {
            return Err(Stuck);
        };
        self.install(level, best, number, false)
    }

    /// Notes that there were several candidates.
    pub(super) fn branch(&mut self, level: i32, candidates: &[Literal]) {
        if candidates.len() > 1 {
            self.branches.push(Branch {
                candidates: candidates
                    .iter()
                    .enumerate()
                    .map(|(place, literal)| (*literal, place == 0))
                    .collect(),
                level,
            });
        }
    }

    /// A free decision, and all that follows; what turns out to be wrong is learnt. The new level.
    pub(super) fn install(
        &mut self,
        level: i32,
        literal: Literal,
        for_clause: usize,
        weak: bool,
    ) -> Result<i32, Stuck> {
        let mut level = level + 1;
        self.record(
            level,
            Decision {
                literal,
                because: 0,
                for_clause,
                weak,
            },
        );
        while let Some(broken) = self.propagate(level) {
            self.step()?;
            if level == 1 {
                return Err(Stuck);
            }
            let (now, learnt) = self.learn(level, broken);
            level = now;
            let literal = self.clauses.get(learnt).map(|clause| clause.first);
            self.decide(literal.ok_or(Stuck)?, level, learnt);
        }
        Ok(level)
    }
}
