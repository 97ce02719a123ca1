use std::ops::Deref;

use crate::{Proof, Trusted, Waiver};

/// Something whose bytes matched a trusted digest, or that the user handed over in person. Only this may be unpacked.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    waiver: Option<Waiver>,
}

impl<T> Verified<T> {
    /// `value` is what the bytes behind `proof` are kept in. Whoever calls this vouches that nobody else can have
    /// changed them since they were hashed.
    pub fn new(value: T, proof: Proof) -> Verified<T> {
        Verified {
            value,
            waiver: proof.into_waiver(),
        }
    }

    /// A file that the user named on the command line: the user is the authority.
    pub fn local(value: T) -> Verified<T> {
        Verified { value, waiver: None }
    }

    /// The value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The value by itself, no longer known to be verified.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Another view of the same bytes (a decoder over a blob, an entry of an archive).
    pub fn map<U>(self, view: impl FnOnce(T) -> U) -> Verified<U> {
        Verified {
            value: view(self.value),
            waiver: self.waiver,
        }
    }

    /// Like [`map`](Verified::map), for a view that can fail.
    pub fn try_map<U, E>(self, view: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        Ok(Verified {
            value: view(self.value)?,
            waiver: self.waiver,
        })
    }

    /// The same, borrowed.
    pub fn as_ref(&self) -> Verified<&T> {
        Verified {
            value: &self.value,
            waiver: self.waiver.clone(),
        }
    }

    /// The same, borrowed for writing (to read on from a stream).
    pub fn as_mut(&mut self) -> Verified<&mut T> {
        Verified {
            value: &mut self.value,
            waiver: self.waiver.clone(),
        }
    }

    /// What the verified bytes state is as trusted as the digest that they matched: an index names further digests.
    pub fn trusted<U>(&self, derive: impl FnOnce(&T) -> U) -> Trusted<U> {
        Trusted::with_waiver(derive(&self.value), self.waiver.clone())
    }

    /// Like [`trusted`](Verified::trusted), using the value up.
    pub fn into_trusted(self) -> Trusted<T> {
        Trusted::with_waiver(self.value, self.waiver)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_keep_the_value_and_lead_to_trust() {
        let mut verified = Verified::local(vec![1u8, 2, 3]);
        assert_eq!(verified.as_ref().map(|v| v.len()).into_inner(), 3);
        verified.as_mut().into_inner().push(4);
        assert_eq!(verified.len(), 4);
        assert_eq!(*verified.trusted(|v| v[0]), 1);
        assert!(verified.clone().try_map(|_| Err::<(), _>("no")).is_err());
        assert_eq!(verified.into_trusted().into_inner(), [1, 2, 3, 4]);
    }
}
