/// A file of a package's control archive that dpkg keeps in `info/`: a maintainer script, `conffiles`, `triggers`...
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InfoFile {
    /// Its name: one component, without a dot.
    pub name: String,
    /// Permission bits.
    pub mode: u32,
    /// Content.
    pub bytes: Vec<u8>,
}
