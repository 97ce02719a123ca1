//! Packages as a lock has them, and as the chapters have them.

use bareroot_depot::lock::{Checksum, Root};
use bareroot_model::Package;
use bareroot_rpm_repo::repomd::{self, Digests};
use bareroot_trust::Expected;

use crate::error::Error;

/// What a lock keeps of what an archive must be.
///
/// # Errors
/// Never for a package of a solution, which has a digest.
pub fn checksum(expected: &Expected) -> Result<Checksum, Error> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match (expected.sha256(), expected.sha512(), expected.sha1()) {
        (Some(sha256), _, _) => Ok(Checksum::Sha256(sha256)),
        (_, Some(sha512), _) => Ok(Checksum::Sha512(hex(sha512))),
        (_, _, Some(sha1)) => Ok(Checksum::Sha1(hex(sha1))),
        _ => Err(bareroot_trust::Error::NoDigest.into()),
    }
}

/// What an archive must be, by a lock.
///
/// # Errors
/// When the digest is none, which a lock that was read does not have.
pub fn expected(checksum: &Checksum, size: u64) -> Result<Expected, Error> {
    let (kind, digest) = match checksum {
        Checksum::Sha256(digest) => return Ok(Expected::of(size, *digest)),
        Checksum::Sha512(digest) => ("sha512", digest),
        Checksum::Sha1(digest) => ("sha1", digest),
    };
    let expected = repomd::expected(kind, digest, Some(size), Digests::Old);
    expected.ok_or_else(|| bareroot_trust::Error::NoDigest.into())
}

/// The packages of a lock as those of a solution.
pub fn packages(root: &Root) -> impl Iterator<Item = Package> {
    root.packages.iter().map(|package| Package {
        name: package.name.clone(),
        version: package.version.clone(),
        architecture: package.arch.clone(),
        size: package.size,
        sha256: match &package.digest {
            Checksum::Sha256(digest) => Some(*digest),
            _ => None,
        },
        sha512: match &package.digest {
            Checksum::Sha512(digest) => Some(digest.clone()),
            _ => None,
        },
        path: match &package.base {
            Some(base) => format!("{}/{}", base.trim_end_matches('/'), package.path),
            None => package.path.clone(),
        },
        source: package.source.filter(|_| package.base.is_none()),
        reason: package.reason.clone(),
    })
}
