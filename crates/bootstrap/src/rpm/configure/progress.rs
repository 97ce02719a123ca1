//! How far a run is, for one that may be stopped and gone on with.

use std::cell::Cell;

use crate::error::Error;

/// Where it is kept how many acts are done.
type Keep<'a> = &'a dyn Fn(usize) -> Result<(), Error>;

/// Counts acts. Those that an earlier run has done are not done again.
#[derive(Default)]
pub struct Progress<'a> {
    begun: usize,
    number: Cell<usize>,
    keep: Option<Keep<'a>>,
}

impl<'a> Progress<'a> {
    /// `begun` acts are done already; `keep` is told the number after each of the others.
    pub fn resumed(begun: usize, keep: Keep<'a>) -> Self {
        Progress {
            begun,
            number: Cell::new(0),
            keep: Some(keep),
        }
    }

    /// Does the next act, if it is not done.
    ///
    /// # Errors
    /// Those of the act, and of keeping that it is done.
    pub fn act(&self, act: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let number = self.number.get() + 1;
        self.number.set(number);
        if number <= self.begun {
            return Ok(());
        }
        act()?;
        self.keep.map_or(Ok(()), |keep| keep(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_not_done_again() {
        let (done, kept) = (Cell::new(0), Cell::new(0));
        let keep = |number| {
            kept.set(number);
            Ok(())
        };
        let progress = Progress::resumed(2, &keep);
        for number in 1..=4 {
            let act = || {
                done.set(done.get() * 10 + number);
                Ok(())
            };
            progress.act(act).unwrap();
        }
        assert_eq!((done.get(), kept.get()), (34, 4));
        let failed = progress.act(|| Err(Error::NoSources));
        assert!(failed.is_err());
        assert_eq!(kept.get(), 4);
    }
}
