use crate::Digest;

/// A package of the solution: what a lock file, `resolve` and the fetcher need to know of it, whatever its family.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Package {
    /// Name, without architecture.
    pub name: String,
    /// Version in the family's own spelling.
    pub version: String,
    /// Architecture in the family's own spelling (`amd64`, `all`).
    pub architecture: String,
    /// Size of the archive in bytes.
    pub size: u64,
    /// SHA-256 of the archive; `None` where its index has only a SHA-512.
    pub sha256: Option<Digest>,
    /// SHA-512 of the archive in hexadecimal, where its index has no SHA-256 (Ubuntu from 26.10 on).
    pub sha512: Option<String>,
    /// The archive's path below its source's mirror, or an absolute path for a local file.
    pub path: String,
    /// Which source it comes from: an index into the plan's sources; `None` for a local file.
    pub source: Option<usize>,
    /// Why it is in.
    pub reason: Reason,
}

/// Why a package is part of a solution.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Reason {
    /// The variant asks for it (`essential`, `priority required`, `apt`).
    Variant {
        /// Which rule.
        rule: String,
    },
    /// The user named it.
    Wished,
    /// Another package needs it.
    Dependency {
        /// The package that needs it.
        of: String,
        /// The relation field (`Depends`, `Pre-Depends`, `Recommends`).
        kind: String,
        /// The relation's text (`libc6 (>= 2.38)`).
        relation: String,
    },
}
