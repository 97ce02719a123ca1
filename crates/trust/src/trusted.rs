use std::ops::Deref;

use crate::Expected;

/// A value that a valid signature stands for, or that was derived from such a value.
///
/// It is made by [`verify_cleartext`](crate::verify_cleartext) and [`verify_detached`](crate::verify_detached), by
/// deriving from another one, and by [`Trusted::waived`] and [`Trusted::locked`], so that every place which goes without
/// a signature can be found by these names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted<T> {
    value: T,
    waiver: Option<Waiver>,
}

/// Why a check was given up, in words for the user. Only the user can give one up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// What the user said (`--allow-unauthenticated`, `[trusted=yes]`).
    pub reason: String,
}

impl Waiver {
    /// A waiver for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Waiver {
            reason: reason.into(),
        }
    }
}

impl<T> Trusted<T> {
    pub(crate) fn mint(value: T) -> Self {
        Trusted { value, waiver: None }
    }

    /// Takes `value` as trusted although nothing was checked, because the user said so.
    pub fn waived(value: T, waiver: Waiver) -> Self {
        Trusted {
            value,
            waiver: Some(waiver),
        }
    }

    /// The waiver under which this value, or what it was derived from, came to be trusted; `None` when a signature
    /// stands for it.
    pub fn waiver(&self) -> Option<&Waiver> {
        self.waiver.as_ref()
    }

    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The value by itself, no longer known to be trusted.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// What follows from the value. The function must use nothing but the value (and what the user said).
    pub fn map<U>(&self, derive: impl FnOnce(&T) -> U) -> Trusted<U> {
        Trusted {
            value: derive(&self.value),
            waiver: self.waiver.clone(),
        }
    }

    /// Like [`map`](Trusted::map), for a derivation that can fail.
    pub fn try_map<U, E>(&self, derive: impl FnOnce(&T) -> Result<U, E>) -> Result<Trusted<U>, E> {
        Ok(Trusted {
            value: derive(&self.value)?,
            waiver: self.waiver.clone(),
        })
    }

    /// Like [`map`](Trusted::map), using the value up.
    pub fn into_map<U>(self, derive: impl FnOnce(T) -> U) -> Trusted<U> {
        Trusted {
            value: derive(self.value),
            waiver: self.waiver,
        }
    }

    /// Like [`try_map`](Trusted::try_map), using the value up.
    pub fn try_into_map<U, E>(self, derive: impl FnOnce(T) -> Result<U, E>) -> Result<Trusted<U>, E> {
        Ok(Trusted {
            value: derive(self.value)?,
            waiver: self.waiver,
        })
    }

    pub(crate) fn with_waiver(value: T, waiver: Option<Waiver>) -> Self {
        Trusted { value, waiver }
    }
}

impl Trusted<Expected> {
    /// What a package must be, by the lock that the user named: its digest came from an index that was verified when the
    /// lock was made, and the lock is the file of whoever keeps it, so that a signature stands at the chain's beginning.
    /// `waiver` is the one under which the lock was made, where that index was not signed. It is for digests of packages
    /// alone: no index, key or script can be had this way.
    pub fn locked(expected: Expected, waiver: Option<Waiver>) -> Self {
        Trusted {
            value: expected,
            waiver,
        }
    }
}

impl<T> Deref for Trusted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_says_what_was_not_signed() {
        let expected = Expected::of(5, bareroot_model::Digest::new([1; 32]));
        assert_eq!(Trusted::locked(expected.clone(), None).waiver(), None);
        let unsigned = Trusted::locked(expected, Some(Waiver::new("[trusted=yes]")));
        assert!(unsigned.map(|expected| expected.size()).waiver().is_some());
    }

    #[test]
    fn a_waiver_stays_with_what_is_derived() {
        let signed = Trusted::mint(3);
        assert_eq!(signed.map(|n| n + 1).waiver(), None);
        let waived = Trusted::waived(3, Waiver::new("--allow-unauthenticated"));
        let derived = waived.map(|n| n + 1).into_map(|n| n * 2);
        assert_eq!(*derived, 8);
        assert_eq!(
            derived.waiver().map(|w| w.reason.as_str()),
            Some("--allow-unauthenticated")
        );
        let failed: Result<Trusted<i32>, &str> = waived.try_map(|_| Err("no"));
        assert_eq!(failed, Err("no"));
        assert!(waived.try_into_map(Ok::<_, ()>).unwrap().waiver().is_some());
    }
}
