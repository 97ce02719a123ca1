//! Files with several names: the first that is met is copied, the others are linked to it.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::{Arc, Mutex, PoisonError};

use crate::directory::Directory;
use crate::look::{Id, Meta};

/// What is known of each such file.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<HashMap<Id, State>>);

#[derive(Debug)]
enum State {
    /// A thread copies it; these names wait for that.
    Copying(Vec<Waiting>),
    /// It is there.
    Done(Made),
}

/// A name that waits. Its directory is kept open.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub directory: Arc<Directory>,
    pub name: CString,
}

/// A file of the copy, and what it was in the source.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// Relative to the copy's top.
    pub path: Arc<[u8]>,
    pub meta: Meta,
}

/// Whose turn it is.
#[derive(Debug)]
pub(crate) enum Turn {
    /// The caller's: it must say [`Links::done`] or [`Links::failed`].
    First,
    /// Another thread's, which will link this name.
    Deferred,
    /// The file is there.
    Link(Made),
}

impl Links {
    /// A name of a file is met.
    pub(crate) fn meet(&self, id: Id, waiting: impl FnOnce() -> Waiting) -> Turn {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(&id) {
            None => {
                known.insert(id, State::Copying(Vec::new()));
                Turn::First
            }
            Some(State::Copying(names)) => {
                names.push(waiting());
                Turn::Deferred
            }
            Some(State::Done(made)) => Turn::Link(made.clone()),
        }
    }

    /// The file is there; gives the names that waited.
    pub(crate) fn done(&self, id: Id, made: Made) -> Vec<Waiting> {
        self.replace(id, Some(State::Done(made)))
    }

    /// The file cannot be had, or can have no more names; gives the names that waited.
    pub(crate) fn failed(&self, id: Id) -> Vec<Waiting> {
        self.replace(id, None)
    }

    fn replace(&self, id: Id, state: Option<State>) -> Vec<Waiting> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match state {
            Some(state) => known.insert(id, state),
            None => known.remove(&id),
        };
        match before {
            Some(State::Copying(names)) => names,
            _ => Vec::new(),
        }
    }
}
