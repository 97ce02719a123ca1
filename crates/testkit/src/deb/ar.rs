/// A member of the outer archive of a `.deb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, at most 16 bytes.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What its size field says instead of the truth.
    pub size: Option<String>,
}

impl Member {
    /// An honest member.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Member {
            name: name.into(),
            bytes: bytes.into(),
            size: None,
        }
    }
}

/// An `ar` archive of these members, as dpkg-deb writes it. Names are cut at 16 bytes, sizes at 10.
pub fn ar(members: &[Member]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for member in members {
        let size = member
            .size
            .clone()
            .unwrap_or_else(|| member.bytes.len().to_string());
        let header = format!(
            "{:<16.16}{:<12}{:<6}{:<6}{:<8}{size:<10.10}`\n",
            member.name, 1_577_836_800, 0, 0, 100644
        );
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&member.bytes);
        if !member.bytes.len().is_multiple_of(2) {
            out.push(b'\n');
        }
    }
    out
}
