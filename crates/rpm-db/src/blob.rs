use std::borrow::Cow;

/// The bytes of a header in its stored form, as a file has them: in one piece, or in those of the pages that hold them. They
/// are put together where they are needed, one header at a time, which is most of what reading a large database costs.
#[derive(Clone, Debug)]
pub struct Blob<'a> {
    first: Cow<'a, [u8]>,
    rest: Vec<&'a [u8]>,
}

impl<'a> Blob<'a> {
    /// A blob of pieces.
    pub(crate) fn of(first: &'a [u8], rest: Vec<&'a [u8]>) -> Blob<'a> {
        Blob {
            first: Cow::Borrowed(first),
            rest,
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes, which are copied where they are in several pieces.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self.rest.is_empty() {
            true => Cow::Borrowed(&self.first),
            false => {
                let mut bytes = Vec::with_capacity(self.len());
                self.append_to(&mut bytes);
                Cow::Owned(bytes)
            }
        }
    }

    /// Puts all bytes behind others.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        self.pieces().for_each(|piece| bytes.extend_from_slice(piece));
    }

    /// The same without so many bytes as the first piece says; none where it says nothing, or more than it has.
    pub(crate) fn without_head(self, head: impl FnOnce(&[u8]) -> Option<usize>) -> Option<Blob<'a>> {
        let length = head(&self.first)?;
        let first = match self.first {
            Cow::Borrowed(first) => Cow::Borrowed(first.get(length..)?),
            Cow::Owned(first) => Cow::Owned(first.get(length..)?.to_vec()),
        };
        Some(Blob { first, ..self })
    }

    /// The same, without the file.
    pub(crate) fn into_owned(self) -> Blob<'static> {
        Blob::from(self.bytes().into_owned())
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&*self.first).chain(self.rest.iter().copied())
    }
}

impl From<Vec<u8>> for Blob<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Blob {
            first: Cow::Owned(bytes),
            rest: Vec::new(),
        }
    }
}

impl<'a> From<&'a [u8]> for Blob<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Blob::of(bytes, Vec::new())
    }
}

impl PartialEq for Blob<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Blob<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_same_as_the_whole() {
        let pieces = Blob::of(b"ab", vec![b"", b"cde", b"f"]);
        assert_eq!(pieces, Blob::from(b"abcdef".as_slice()));
        assert_eq!(pieces.clone().into_owned(), Blob::from(b"abcdef".to_vec()));
        assert_ne!(pieces, Blob::of(b"ab", vec![b"cdef", b"g"]));
        assert_eq!(pieces.len(), 6);
        assert!(Blob::of(b"", vec![b""]).is_empty());
    }
}
