//! When everything is decided: a choice may turn out to have been needless, because another candidate came in anyway.

use super::{Literal, Stuck, Walk};

impl Walk<'_, '_, '_> {
    /// Goes back to the earliest choice that can do with fewer packages, and takes the other way. `None` when there is
    /// no such choice.
    pub(super) fn minimize(&mut self) -> Result<Option<i32>, Stuck> {
        if self.branches.is_empty() {
            return Ok(None);
        }
        self.update_wanted();
        let mut found: Option<(usize, usize)> = None;
        for (number, branch) in self.branches.iter().enumerate().rev() {
            let level = branch.level;
            let untried = || {
                branch
                    .candidates
                    .iter()
                    .enumerate()
                    .filter(|(_, (_, tried))| !tried)
            };
            if let Some((place, _)) = untried().find(|(_, (literal, _))| self.level(*literal) > level) {
                found = Some((number, place));
                continue;
            }
            // A recommended package would have been better than one that nobody recommends.
            let better = untried().find(|(_, (literal, _))| self.is_recommended(*literal));
            let Some((place, _)) = better else { continue };
            let taken = |(literal, tried): &(Literal, bool)| *tried && self.level(*literal) == level + 1;
            let plain = branch
                .candidates
                .iter()
                .filter(|candidate| taken(candidate))
                .any(|(literal, _)| !self.is_recommended(*literal));
            if plain {
                found = Some((number, place));
            }
        }
        match found {
            Some((number, place)) => self.take(number, place).map(Some),
            None => Ok(None),
        }
    }

    /// Takes another candidate of a branch.
    fn take(&mut self, number: usize, place: usize) -> Result<i32, Stuck> {
        self.step()?;
        let Some(branch) = self.branches.get_mut(number) else {
            return Err(Stuck);
        };
        let level = branch.level;
        let Some((literal, tried)) = branch.candidates.get_mut(place) else {
            return Err(Stuck);
        };
        *tried = true;
        let literal = *literal;
        let kept = self.branches.get(..=number).unwrap_or_default().to_vec();
        let first = self
            .queue
            .iter()
            .find(|decision| self.level(decision.literal).abs() > level)
            .copied()
            .ok_or(Stuck)?;
        self.revert(level);
        self.branches = kept;
        self.install(level, literal, first.for_clause, first.weak)
    }
}
