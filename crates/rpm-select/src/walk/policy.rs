//! Which of several candidates is the best: libsolv's policy.

use std::cmp::Ordering;

use bareroot_rpm_repo::{Package, RelationKind};

use super::{Literal, Walk};

/// What is to be done with candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// One of them is to be taken: the best comes first.
    Choose,
    /// Only those that cannot be the best go.
    Prune,
    /// They are recommended: only the best versions stay.
    Recommend,
    /// They supplement what is there: all stay, in another order.
    Supplement,
}

/// A longer list of packages that obsolete each other no honest repository has.
const MOST_OBSOLETES: usize = 1_000;

impl Walk<'_, '_, '_> {
    pub(super) fn filter(&mut self, list: &mut Vec<Literal>, mode: Mode) {
        if mode == Mode::Supplement {
            self.dislike_old(list);
            self.sort_by_common(list);
            self.prefer_suggested(list);
            return;
        }
        self.highest_priority(list);
        self.best_arch(list);
        self.best_versions(list);
        if list.len() > 1 && mode != Mode::Recommend {
            self.prefer_recommended(list);
            if list.len() > 1 && mode == Mode::Choose {
                self.dislike_old(list);
                self.sort_by_common(list);
                self.prefer_suggested(list);
            }
        }
    }

    fn priority(&self, literal: Literal) -> i32 {
        self.stock
            .id(literal)
            .map_or(99, |id| self.stock.universe.priority(id))
    }

    fn highest_priority(&self, list: &mut Vec<Literal>) {
        if let Some(best) = list.iter().map(|literal| self.priority(*literal)).min() {
            list.retain(|literal| self.priority(*literal) == best);
        }
    }

    /// libsolv's score of an architecture; `None` for noarch.
    fn score(&self, literal: Literal) -> Option<usize> {
        let package = self.stock.package(literal)?;
        (package.arch() != "noarch").then(|| self.stock.universe.arch_score(&package))
    }

    fn best_arch(&self, list: &mut Vec<Literal>) {
        if list.len() < 2 {
            return;
        }
        if let Some(best) = list.iter().filter_map(|literal| self.score(*literal)).min() {
            list.retain(|literal| self.score(*literal).is_none_or(|own| own == best));
        }
    }

    /// The newest of each name; then without those that others of the list obsolete.
    fn best_versions(&self, list: &mut Vec<Literal>) {
        if list.len() < 2 {
            return;
        }
        let mut all: Vec<(Literal, Package<'_>)> = list
            .iter()
            .filter_map(|literal| Some((*literal, self.stock.package(*literal)?)))
            .collect();
        let cost = |literal: Literal| {
            self.stock
                .id(literal)
                .map_or(1000, |id| self.stock.universe.cost(id))
        };
        all.sort_by(|(a, one), (b, two)| {
            // The list has one architecture beside noarch by now.
            one.name()
                .cmp(two.name())
                .then_with(|| cost(*a).cmp(&cost(*b)))
                .then_with(|| a.cmp(b))
        });
        let mut best: Vec<(Literal, Package<'_>)> = Vec::new();
        for (literal, package) in all {
            match best.last_mut() {
                Some((kept, known)) if known.name() == package.name() => {
                    if known.evr().compare(&package.evr()).is_lt() {
                        (*kept, *known) = (literal, package);
                    }
                }
                _ => best.push((literal, package)),
            }
        }
        *list = best.iter().map(|(literal, _)| *literal).collect();
        match list[..] {
            [] | [_] => {}
            [one, two] => match (self.obsoletes(one, two), self.obsoletes(two, one)) {
                (true, false) => list.truncate(1),
                (false, true) => *list = vec![two],
                _ => {}
            },
            _ if list.len() <= MOST_OBSOLETES => self.without_obsoleted(list),
            _ => {}
        }
    }

    /// Whether a package obsoletes one of another name.
    fn obsoletes(&self, one: Literal, two: Literal) -> bool {
        let (Some(by), Some(other)) = (self.stock.package(one), self.stock.package(two)) else {
            return false;
        };
        by.name() != other.name()
            && by
                .relations(RelationKind::Obsoletes)
                .any(|relation| crate::universe::is_called(&relation, &other))
    }

    /// Those of a list that nothing else of it obsoletes, but for packages that obsolete each other in a circle.
    fn without_obsoleted(&self, list: &mut Vec<Literal>) {
        let obsoleting: Vec<Vec<usize>> = list
            .iter()
            .map(|one| {
                let mut targets = Vec::new();
                for (place, two) in list.iter().enumerate() {
                    if self.obsoletes(*one, *two) {
                        targets.push(place);
                    }
                }
                targets
            })
            .collect();
        let reaches = |from: usize| {
            let mut seen = vec![false; list.len()];
            let mut queue = vec![from];
            while let Some(place) = queue.pop() {
                for target in obsoleting.get(place).into_iter().flatten() {
                    if let Some(seen) = seen.get_mut(*target).filter(|seen| !**seen) {
                        *seen = true;
                        queue.push(*target);
                    }
                }
            }
            seen
        };
        let reached: Vec<Vec<bool>> = (0..list.len()).map(reaches).collect();
        let has = |from: usize, to: usize| reached.get(from).and_then(|seen| seen.get(to)) == Some(&true);
        let gone: Vec<bool> = (0..list.len())
            .map(|place| (0..list.len()).any(|other| has(other, place) && !has(place, other)))
            .collect();
        let mut gone = gone.into_iter();
        list.retain(|_| gone.next() != Some(true));
    }

    /// Recommended packages and those that supplement what is there, if there are any.
    fn prefer_recommended(&mut self, list: &mut Vec<Literal>) {
        self.update_wanted();
        if list.iter().any(|literal| self.is_recommended(*literal)) {
            list.retain(|literal| self.is_recommended(*literal));
        }
    }

    /// Packages of which there is a newer version, or one of a better repository, go to the back.
    fn dislike_old(&self, list: &mut Vec<Literal>) {
        let is_old = |literal: &Literal| {
            let Some(package) = self.stock.package(*literal) else {
                return false;
            };
            let own = self.priority(*literal);
            self.stock.named(package.name()).any(|other| {
                let Some(candidate) = self.stock.package(other).filter(|_| other != *literal) else {
                    return false;
                };
                candidate.arch() == package.arch()
                    && match self.priority(other).cmp(&own) {
                        Ordering::Less => true,
                        Ordering::Greater => false,
                        Ordering::Equal => candidate.evr().compare(&package.evr()).is_gt(),
                    }
            })
        };
        let (old, new): (Vec<Literal>, Vec<Literal>) = list.iter().partition(|literal| is_old(literal));
        *list = new;
        list.extend(old);
    }

    /// Suggested packages, and those that enhance what is there, come first.
    fn prefer_suggested(&mut self, list: &mut Vec<Literal>) {
        self.update_wanted();
        let (suggested, others): (Vec<Literal>, Vec<Literal>) =
            list.iter().partition(|literal| self.is_suggested(**literal));
        *list = suggested;
        list.extend(others);
    }
}
