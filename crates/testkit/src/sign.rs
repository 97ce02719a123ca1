/// Signs the text of a `Release` file.
pub trait Signer {
    /// The text in a clear-signed message (`InRelease`).
    fn clear_sign(&self, text: &[u8]) -> Vec<u8>;

    /// A detached signature of the text, armored (`Release.gpg`).
    fn detach_sign(&self, text: &[u8]) -> Vec<u8>;
}
