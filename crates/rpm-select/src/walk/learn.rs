//! Learning from a clause that broke: the first decision of its level that explains it all is turned round.

use std::collections::HashSet;

use super::clauses::Clause;
use super::{Literal, Walk};

impl Walk<'_, '_, '_> {
    /// Takes decisions back, down to a level.
    pub(super) fn revert(&mut self, level: i32) {
        while let Some(last) = self.queue.last() {
            let place = last.literal.unsigned_abs() as usize;
            let Some(slot) = self.levels.get_mut(place).filter(|slot| slot.abs() > level) else {
                break;
            };
            *slot = 0;
            self.queue.pop();
            self.propagated = self.queue.len();
        }
        while self.branches.last().is_some_and(|branch| branch.level >= level) {
            self.branches.pop();
        }
        self.wanted.revert(self.queue.len());
    }

    /// Learns a clause from a broken one: the level to go back to, and the clause's number. It has one literal left then.
    pub(super) fn learn(&mut self, level: i32, broken: usize) -> (i32, usize) {
        let mut seen: HashSet<u32> = HashSet::new();
        let mut rest: Vec<Literal> = Vec::new();
        let mut back = 1;
        let (mut open, mut at_first) = (0u32, 0u32);
        let mut first: Literal = 0;
        let mut place = self.queue.len();
        let mut clause = Some(broken);
        'clauses: loop {
            let broken = clause.take().and_then(|number| self.clauses.get(number));
            for literal in broken.iter().flat_map(|clause| clause.literals()) {
                if self.is_true(literal) || !seen.insert(literal.unsigned_abs()) {
                    continue;
                }
                match self.level(literal).abs() {
                    1 => at_first += 1,
                    own if own == level => open += 1,
                    own => {
                        rest.push(literal);
                        back = back.max(own);
                    }
                }
            }
            loop {
                if open == 0 {
                    at_first = at_first.saturating_sub(1);
                    if at_first == 0 {
                        break 'clauses;
                    }
                }
                let literal = loop {
                    let Some(before) = place.checked_sub(1) else {
                        break 'clauses;
                    };
                    place = before;
                    let literal = self.queue.get(place).map_or(0, |decision| decision.literal);
                    if seen.remove(&literal.unsigned_abs()) {
                        break literal;
                    }
                };
                if open > 0 {
                    open -= 1;
                    if open == 0 {
                        first = -literal;
                        if at_first == 0 {
                            break 'clauses;
                        }
                        // Only decisions of the first level are of interest from here on.
                        for other in &rest {
                            seen.remove(&other.unsigned_abs());
                        }
                        at_first += 1;
                        continue;
                    }
                }
                match self.queue.get(place).map(|decision| decision.because) {
                    Some(because) if because != 0 => {
                        clause = Some(because);
                        continue 'clauses;
                    }
                    _ => {}
                }
            }
        }
        self.revert(back);
        let number = self.clauses.len();
        let mut clause = Clause::new(first, &rest);
        if clause.is_long() {
            // The second watch goes to the literal that was decided last.
            let mut highest = 0;
            for literal in &rest {
                let own = self.level(*literal).abs();
                if own > highest {
                    highest = own;
                    if let Some(watch) = clause.watch.get_mut(1) {
                        *watch = *literal;
                    }
                }
            }
        }
        let alone = clause.watch.get(1) == Some(&0);
        self.clauses.push(clause);
        match alone {
            true => self.assertions.push(number),
            false => self.watch(number),
        }
        (back, number)
    }
}
