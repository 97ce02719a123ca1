//! The graph's nodes in order (rpm's lib/order.c: detectSCCs, collectTE, collectSCC, addQ).
//!
//! Lists of edges are read from their ends, because rpm puts each new edge before the others.

use super::relations::{Edge, Node};

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    /// In no cycle.
    Alone,
    /// In the cycle of that number.
    Cycle(usize),
    /// It has its place in the order.
    Done,
}

/// Nodes of which each comes after every other.
struct Cycle {
    members: Vec<usize>,
    /// Edges from outside whose other ends have no place yet.
    waiting: usize,
}

/// The order of the nodes.
pub(super) fn sort(nodes: &[Node], preferred: u32) -> Vec<usize> {
    let mut sorter = Sorter::new(nodes, preferred);
    sorter.run();
    sorter.order
}

struct Sorter<'g> {
    nodes: &'g [Node],
    preferred: u32,
    homes: Vec<Home>,
    cycles: Vec<Cycle>,
    /// Edges to each node whose other ends have no place yet.
    waiting: Vec<usize>,
    /// The node after each in its queue.
    next: Vec<Option<usize>>,
    order: Vec<usize>,
}

impl<'g> Sorter<'g> {
    fn new(nodes: &'g [Node], preferred: u32) -> Self {
        let components = components(nodes);
        let mut homes = vec![Home::Alone; nodes.len()];
        let mut cycles = Vec::new();
        for members in components {
            for member in &members {
                homes[*member] = Home::Cycle(cycles.len());
            }
            cycles.push(Cycle { members, waiting: 0 });
        }
        for (number, cycle) in cycles.iter_mut().enumerate() {
            let outside = |edge: &&Edge| homes[edge.other] != Home::Cycle(number);
            let from_outside = |member: &usize| nodes[*member].before.iter().filter(outside).count();
            cycle.waiting = cycle.members.iter().map(from_outside).sum();
        }
        Sorter {
            nodes,
            preferred,
            homes,
            cycles,
            waiting: nodes.iter().map(|node| node.before.len()).collect(),
            next: vec![None; nodes.len()],
            order: Vec::with_capacity(nodes.len()),
        }
    }

    fn run(&mut self) {
        let mut head = None;
        for node in 0..self.nodes.len() {
            if self.waiting[node] == 0 {
                head = self.queued(head, node);
            }
        }
        for number in 0..self.cycles.len() {
            if self.cycles[number].waiting == 0 {
                let member = self.cycles[number].members[0];
                head = self.queued(head, member);
            }
        }
        while let Some(node) = head {
            match self.homes[node] {
                Home::Cycle(number) => self.collect_cycle(node, number),
                _ => self.collect(node, None),
            }
            head = self.next[node];
        }
    }

    /// Puts a node into the queue that begins with `head`, before those that fewer wait for; gives the new first one.
    /// Packages of an ELF class that is not preferred come after all of other classes.
    fn queued(&mut self, head: Option<usize>, node: usize) -> Option<usize> {
        let color = self.nodes[node].color;
        let last = color != 0 && color != self.preferred;
        let wanted = self.nodes[node].after.len();
        let mut before = None;
        let mut at = head;
        while let Some(other) = at {
            let skipped = last && color != self.nodes[other].color;
            if !skipped && self.nodes[other].after.len() <= wanted {
                break;
            }
            before = at;
            at = self.next[other];
        }
        self.next[node] = at;
        match before {
            None => Some(node),
            Some(before) => {
                self.next[before] = Some(node);
                head
            }
        }
    }

    /// Gives a node its place and queues what waited for it alone: behind it, or, from within a cycle what is not in it,
    /// in the queue outside.
    fn collect(&mut self, node: usize, mut outer: Option<&mut Option<usize>>) {
        self.order.push(node);
        let home = self.homes[node];
        for edge in self.nodes[node].after.iter().rev() {
            let other = edge.other;
            let other_home = self.homes[other];
            if other_home == Home::Done {
                continue;
            }
            self.waiting[other] = self.waiting[other].saturating_sub(1);
            if self.waiting[other] == 0 {
                match &mut outer {
                    Some(outer) if home != other_home => **outer = self.queued(**outer, other),
                    _ => self.next[node] = self.queued(self.next[node], other),
                }
            }
            if let Home::Cycle(number) = other_home
                && home != other_home
            {
                let cycle = &mut self.cycles[number];
                cycle.waiting = cycle.waiting.saturating_sub(1);
                if cycle.waiting == 0 {
                    match &mut outer {
                        Some(outer) => **outer = self.queued(**outer, other),
                        None => self.next[node] = self.queued(self.next[node], other),
                    }
                }
            }
        }
        self.homes[node] = Home::Done;
    }

    /// Gives the nodes of a cycle their places, beginning, as often as there are none that may come, with the one that is
    /// farthest from what scriptlets need.
    fn collect_cycle(&mut self, first: usize, number: usize) {
        let mut outer = self.next[first].take();
        let distances = self.distances(number);
        let members = std::mem::take(&mut self.cycles[number].members);
        loop {
            let left = members.iter().zip(&distances);
            let left = left.filter(|(member, _)| self.homes[**member] != Home::Done);
            let Some((best, _)) = left.max_by_key(|(_, distance)| **distance) else {
                break;
            };
            let mut head = Some(*best);
            self.next[*best] = None;
            while let Some(node) = head {
                self.collect(node, Some(&mut outer));
                head = self.next[node];
            }
        }
        self.next[first] = outer;
    }

    /// How far each member of a cycle is from the members that have hard edges within it.
    fn distances(&self, number: usize) -> Vec<u32> {
        let members = &self.cycles[number].members;
        let inside = |edge: &&Edge| self.homes[edge.other] == Home::Cycle(number);
        let mut distance = std::collections::HashMap::new();
        let mut queue: std::collections::VecDeque<usize> = members
            .iter()
            .copied()
            .filter(|member| {
                self.nodes[*member]
                    .before
                    .iter()
                    .filter(inside)
                    .any(|edge| edge.hard)
            })
            .inspect(|member| {
                distance.insert(*member, 0u32);
            })
            .collect();
        while let Some(node) = queue.pop_front() {
            let far = distance.get(&node).copied().unwrap_or_default() + 1;
            for edge in self.nodes[node].before.iter().rev().filter(inside) {
                if distance.get(&edge.other).is_none_or(|known| *known > far) {
                    distance.insert(edge.other, far);
                    queue.push_back(edge.other);
                }
            }
        }
        members
            .iter()
            .map(|member| distance.get(member).copied().unwrap_or(u32::MAX))
            .collect()
    }
}

/// The cycles, by Tarjan's search without recursion, in the order in which the search ends them; the members of each as
/// the search met them.
fn components(nodes: &[Node]) -> Vec<Vec<usize>> {
    struct Visit {
        node: usize,
        /// Edges that are still to be followed.
        left: usize,
    }
    let mut found: Vec<Option<usize>> = vec![None; nodes.len()];
    let mut lowest = vec![0; nodes.len()];
    let mut closed = vec![false; nodes.len()];
    let mut open: Vec<usize> = Vec::new();
    let mut cycles = Vec::new();
    let mut number = 0;
    for start in 0..nodes.len() {
        if found[start].is_some() {
            continue;
        }
        let mut visits: Vec<Visit> = Vec::new();
        let mut enter = Some(start);
        loop {
            if let Some(node) = enter.take() {
                found[node] = Some(number);
                lowest[node] = number;
                number += 1;
                open.push(node);
                visits.push(Visit {
                    node,
                    left: nodes[node].after.len(),
                });
            }
            let Some(visit) = visits.last_mut() else {
                break;
            };
            let node = visit.node;
            if visit.left > 0 {
                visit.left -= 1;
                let other = nodes[node].after[visit.left].other;
                match found[other] {
                    _ if closed[other] => {}
                    Some(other) => lowest[node] = lowest[node].min(other),
                    None => enter = Some(other),
                }
                continue;
            }
            visits.pop();
            if let Some(parent) = visits.last() {
                lowest[parent.node] = lowest[parent.node].min(lowest[node]);
            }
            if found[node] == Some(lowest[node]) {
                let at = open.iter().rposition(|other| *other == node).unwrap_or_default();
                let members = open.split_off(at);
                members.iter().for_each(|member| closed[*member] = true);
                if members.len() > 1 {
                    cycles.push(members);
                }
            }
        }
    }
    cycles
}
