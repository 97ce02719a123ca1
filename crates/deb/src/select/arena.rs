//! Numbers for what a selection deals with, and the tables that they index.

use std::ops::{Index, IndexMut};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) struct $name(pub(super) u32);
        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                $name(index as u32)
            }
        }
        impl From<$name> for usize {
            fn from(id: $name) -> usize {
                id.0 as usize
            }
        }
    )*};
}

ids! {
    /// All packages of one name.
    Group
    /// A name for one architecture.
    Pkg
    /// A version of a [`Pkg`].
    Ver
    /// A name as a relation asks for it, without the version.
    Target
    /// A [`Target`] with a version.
    Atom
    /// An architecture: 0 is the native one.
    Arch
}

/// A vector with its own kind of index. The ids come from [`Arena::push`] only, so indexing does not fail.
#[derive(Debug)]
pub(super) struct Arena<I, T>(Vec<T>, std::marker::PhantomData<I>);

impl<I, T> Default for Arena<I, T> {
    fn default() -> Self {
        Arena(Vec::new(), std::marker::PhantomData)
    }
}

impl<I: From<usize> + Into<usize>, T> Arena<I, T> {
    pub(super) fn push(&mut self, value: T) -> I {
        self.0.push(value);
        I::from(self.0.len() - 1)
    }

    pub(super) fn resize_with(&mut self, count: usize, value: impl FnMut() -> T) {
        self.0.resize_with(count, value);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<I: Into<usize>, T> Index<I> for Arena<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.0[id.into()]
    }
}

impl<I: Into<usize>, T> IndexMut<I> for Arena<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.0[id.into()]
    }
}
