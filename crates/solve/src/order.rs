use std::collections::HashMap;

/// Puts things into an order in which each comes after what it needs, as far as there are no cycles.
///
/// `needs` gives, for each index, the indexes that it needs; `key` decides wherever needs leave the choice, cycles
/// included: within a cycle the things come in the order of their keys. The result depends on nothing else.
pub fn order<K: Ord>(needs: &[Vec<usize>], key: impl Fn(usize) -> K) -> Vec<usize> {
    let mut starts: Vec<usize> = (0..needs.len()).collect();
    starts.sort_by_key(|&index| key(index));
    let mut search = Search {
        needs,
        rank: vec![0; needs.len()],
        ..Search::default()
    };
    for (rank, &index) in starts.iter().enumerate() {
        if let Some(slot) = search.rank.get_mut(index) {
            *slot = rank;
        }
    }
    for &start in &starts {
        search.visit(start);
    }
    search.done
}

/// Tarjan's search for strongly connected components, without recursion: components come out with what they need
/// before them.
#[derive(Default)]
struct Search<'a> {
    needs: &'a [Vec<usize>],
    rank: Vec<usize>,
    found: HashMap<usize, usize>,
    low: HashMap<usize, usize>,
    open: Vec<usize>,
    finished: std::collections::HashSet<usize>,
    done: Vec<usize>,
}

impl Search<'_> {
    fn ranked(&self, index: usize) -> usize {
        self.rank.get(index).copied().unwrap_or(usize::MAX)
    }

    fn children(&self, index: usize) -> Vec<usize> {
        let mut children: Vec<usize> = self
            .needs
            .get(index)
            .into_iter()
            .flatten()
            .copied()
            .filter(|&c| c < self.needs.len())
            .collect();
        // The stack takes them from the end.
        children.sort_by_key(|&child| std::cmp::Reverse(self.ranked(child)));
        children.dedup();
        children
    }

    fn visit(&mut self, start: usize) {
        if self.found.contains_key(&start) {
            return;
        }
        let mut stack = vec![(start, self.enter(start))];
        while let Some((index, children)) = stack.last_mut() {
            let index = *index;
            match children.pop() {
                Some(child) if !self.found.contains_key(&child) => {
                    let next = self.enter(child);
                    stack.push((child, next));
                }
                Some(child) if !self.finished.contains(&child) => {
                    self.lower(index, self.found.get(&child).copied())
                }
                Some(_) => {}
                None => {
                    stack.pop();
                    let low = self.low.get(&index).copied();
                    if let Some((parent, _)) = stack.last() {
                        self.lower(*parent, low);
                    }
                    if low == self.found.get(&index).copied() {
                        self.close(index);
                    }
                }
            }
        }
    }

    fn enter(&mut self, index: usize) -> Vec<usize> {
        let number = self.found.len();
        self.found.insert(index, number);
        self.low.insert(index, number);
        self.open.push(index);
        self.children(index)
    }

    fn lower(&mut self, index: usize, to: Option<usize>) {
        if let (Some(low), Some(to)) = (self.low.get_mut(&index), to) {
            *low = (*low).min(to);
        }
    }

    fn close(&mut self, root: usize) {
        let at = self.open.iter().rposition(|&index| index == root).unwrap_or(0);
        let mut component = self.open.split_off(at);
        component.sort_by_key(|&index| self.ranked(index));
        self.finished.extend(&component);
        self.done.extend(component);
    }
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn needs_come_first_and_ties_go_by_key() {
        let cases: &[(&[&[usize]], &[usize])] = &[
            (&[&[], &[], &[]], &[0, 1, 2]),
            (&[&[2], &[], &[]], &[2, 0, 1]),
            (&[&[1], &[2], &[]], &[2, 1, 0]),
            // A cycle of 0 and 1 that needs 2.
            (&[&[1], &[0, 2], &[]], &[2, 0, 1]),
            (&[&[0], &[0]], &[0, 1]),
            (&[&[7], &[]], &[0, 1]),
        ];
        for (needs, expected) in cases {
            let needs: Vec<Vec<usize>> = needs.iter().map(|n| n.to_vec()).collect();
            assert_eq!(order(&needs, |index| index), *expected, "{needs:?}");
        }
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let count = 200_000;
        let needs: Vec<Vec<usize>> = (0..count)
            .map(|i| if i + 1 < count { vec![i + 1] } else { vec![] })
            .collect();
        assert_eq!(order(&needs, |index| index).first(), Some(&(count - 1)));
    }
}
