//! B-trees of an sqlite file, filled in the order of their keys (sqlite's "Database File Format", sections 1.5 to 1.7). Pages
//! are full when they are written and never touched again, which makes it many times as fast as inserting.

use super::record::push_varint;

/// Bytes of a page.
pub const PAGE: usize = 4096;

/// What stands on the first page before its tree.
const FILE_HEAD: usize = 100;

/// The page that has sqlite's locks, by byte 2^30 of the file, stays unused.
const LOCKS: usize = (1 << 30) / PAGE;

/// The pages of a file in the making.
#[derive(Debug)]
pub struct Pages(Vec<u8>);

impl Pages {
    /// One page, the first, which is written last.
    pub fn create() -> Pages {
        Pages(vec![0; PAGE])
    }

    /// Adds a page and gives its number, which counts from 1.
    fn add(&mut self, page: &[u8]) -> u32 {
        if self.0.len() / PAGE == LOCKS {
            self.0.resize(self.0.len() + PAGE, 0);
        }
        self.0.extend_from_slice(page);
        self.0.resize(self.0.len().next_multiple_of(PAGE), 0);
        self.count()
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len() / PAGE).unwrap_or(u32::MAX)
    }

    /// The whole file, its first page being this one.
    pub fn finish(mut self, first: &[u8; PAGE]) -> Vec<u8> {
        if let Some(place) = self.0.get_mut(..PAGE) {
            place.copy_from_slice(first);
        }
        self.0
    }

    /// Appends to a cell what of a row stays on its page; the rest gets pages of its own.
    fn push_payload(&mut self, cell: &mut Vec<u8>, payload: &[u8], most: usize) {
        // A page less its head must hold four of the rows that are cut.
        const LEAST: usize = (PAGE - 12) * 32 / 255 - 23;
        const ROOM: usize = PAGE - 4;
        if payload.len() <= most {
            cell.extend_from_slice(payload);
            return;
        }
        // The last of the other pages is to be full.
        let here = match LEAST + (payload.len() - LEAST) % ROOM {
            here if here <= most => here,
            _ => LEAST,
        };
        let (here, rest) = payload.split_at(here);
        cell.extend_from_slice(here);
        let first = self.next();
        cell.extend_from_slice(&first.to_be_bytes());
        let parts = rest.len().div_ceil(ROOM);
        for (place, part) in rest.chunks(ROOM).enumerate() {
            let own = self.next();
            let last = place + 1 == parts;
            let after = if last { 0 } else { Pages::after(own) };
            self.add(&[&after.to_be_bytes(), part].concat());
        }
    }

    /// The number that the next page will have.
    fn next(&self) -> u32 {
        Pages::after(self.count())
    }

    fn after(number: u32) -> u32 {
        match number as usize {
            LOCKS => number.saturating_add(2),
            _ => number.saturating_add(1),
        }
    }
}

/// What a tree's keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows under their numbers, all of them on leaves.
    Table,
    /// Rows that are keys themselves, on leaves and above them.
    Index,
}

/// A tree that is being filled.
#[derive(Debug)]
pub struct Tree {
    kind: Kind,
    /// The last page of each level, the leaf first.
    levels: Vec<Node>,
    /// The last row's number.
    last: u64,
    cell: Vec<u8>,
}

impl Tree {
    pub fn create(kind: Kind) -> Tree {
        Tree {
            kind,
            levels: vec![Node::create(0)],
            last: 0,
            cell: Vec::new(),
        }
    }

    /// Adds a row to a table. Its number is above that of the one before it.
    pub fn row(&mut self, pages: &mut Pages, number: u64, payload: &[u8]) {
        let mut cell = std::mem::take(&mut self.cell);
        cell.clear();
        push_varint(&mut cell, payload.len() as u64);
        push_varint(&mut cell, number);
        pages.push_payload(&mut cell, payload, PAGE - 35);
        if !self.levels[0].push(&[&cell]) {
            let full = self.levels[0].write(pages, self.kind, 0);
            let mut key = Vec::with_capacity(9);
            push_varint(&mut key, self.last);
            self.above(pages, 1, full, &key);
            self.levels[0].push(&[&cell]);
        }
        self.last = number;
        self.cell = cell;
    }

    /// Adds a row to an index. It is above the one before it.
    pub fn key(&mut self, pages: &mut Pages, payload: &[u8]) {
        let mut cell = std::mem::take(&mut self.cell);
        cell.clear();
        push_varint(&mut cell, payload.len() as u64);
        pages.push_payload(&mut cell, payload, (PAGE - 12) * 64 / 255 - 23);
        if !self.levels[0].push(&[&cell]) {
            // The last one goes up and parts this page from the next: no page may be without a key.
            let parting = self.levels[0].pop();
            let full = self.levels[0].write(pages, self.kind, 0);
            self.above(pages, 1, full, &parting);
            self.levels[0].push(&[&cell]);
        }
        self.cell = cell;
    }

    /// Says on a level that the keys up to this one are below that page.
    fn above(&mut self, pages: &mut Pages, level: usize, page: u32, key: &[u8]) {
        if level == self.levels.len() {
            self.levels.push(Node::create(level));
        }
        let page = page.to_be_bytes();
        if self.levels[level].push(&[&page, key]) {
            return;
        }
        let parting = self.levels[level].pop();
        let (right, parting) = parting.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        let full = self.levels[level].write(pages, self.kind, u32::from_be_bytes(*right));
        self.above(pages, level + 1, full, parting);
        self.levels[level].push(&[&page, key]);
    }

    /// Writes what is left; gives the page of the root.
    pub fn finish(mut self, pages: &mut Pages) -> u32 {
        let kind = self.kind;
        self.levels
            .iter_mut()
            .fold(0, |below, level| level.write(pages, kind, below))
    }

    /// As [`Tree::finish`], with the root on the file's first page, behind the file's own head. `None` when it does not fit.
    pub fn finish_first(mut self, pages: &mut Pages) -> Option<[u8; PAGE]> {
        let root = self.levels.pop()?;
        let kind = self.kind;
        let below = self
            .levels
            .iter_mut()
            .fold(0, |below, level| level.write(pages, kind, below));
        root.image(FILE_HEAD, kind, below)
    }
}

/// A page of a tree in the making: cells from its end, and where they begin.
#[derive(Debug)]
struct Node {
    level: usize,
    bytes: Vec<u8>,
    starts: Vec<u16>,
}

impl Node {
    fn create(level: usize) -> Node {
        Node {
            level,
            bytes: vec![0; PAGE],
            starts: Vec::new(),
        }
    }

    fn end(&self) -> usize {
        self.starts.last().map_or(PAGE, |start| usize::from(*start))
    }

    fn head(&self) -> usize {
        if self.level == 0 { 8 } else { 12 }
    }

    /// Adds a cell, which is given in parts; `false` when it does not fit.
    fn push(&mut self, parts: &[&[u8]]) -> bool {
        let size: usize = parts.iter().map(|part| part.len()).sum();
        let Some(start) = self.end().checked_sub(size) else {
            return false;
        };
        if start < self.head() + 2 * (self.starts.len() + 1) {
            return false;
        }
        let mut at = start;
        for part in parts {
            self.bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        self.starts.push(start as u16);
        true
    }

    /// Takes the last cell away.
    fn pop(&mut self) -> Vec<u8> {
        let start = self.starts.pop().map_or(PAGE, usize::from);
        let cell = self.bytes[start..self.end()].to_vec();
        self.bytes[start..start + cell.len()].fill(0);
        cell
    }

    /// Writes the page and begins the next; `right` is the page below it with the highest keys.
    fn write(&mut self, pages: &mut Pages, kind: Kind, right: u32) -> u32 {
        let image = self.image(0, kind, right).unwrap_or([0; PAGE]);
        *self = Node::create(self.level);
        pages.add(&image)
    }

    /// The page, whose head is at that place.
    fn image(&self, at: usize, kind: Kind, right: u32) -> Option<[u8; PAGE]> {
        let head = at + self.head();
        if head + 2 * self.starts.len() > self.end() {
            return None;
        }
        let mut image: [u8; PAGE] = self.bytes.as_slice().try_into().ok()?;
        image[at] = match (kind, self.level) {
            (Kind::Table, 0) => 13,
            (Kind::Table, _) => 5,
            (Kind::Index, 0) => 10,
            (Kind::Index, _) => 2,
        };
        image[at + 3..at + 5].copy_from_slice(&(self.starts.len() as u16).to_be_bytes());
        image[at + 5..at + 7].copy_from_slice(&(self.end() as u16).to_be_bytes());
        if self.level > 0 {
            image[at + 8..at + 12].copy_from_slice(&right.to_be_bytes());
        }
        for (place, start) in self.starts.iter().enumerate() {
            image[head + 2 * place..][..2].copy_from_slice(&start.to_be_bytes());
        }
        Some(image)
    }
}
