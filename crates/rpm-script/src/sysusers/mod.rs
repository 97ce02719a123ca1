//! Users and groups that packages declare in their Provides (rpm's manual, "Users and Groups"): lines of sysusers.d(5), applied
//! to the four files of accounts as systemd-sysusers(8) applies them.

mod accounts;
mod allot;
mod line;

use bareroot_rpm::{DependencyKind, Header, Sense};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use accounts::Accounts;
use allot::Allotment;

/// Why the declarations cannot be applied. Nothing has been changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SysusersError(String);

impl std::fmt::Display for SysusersError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SysusersError {}

fn fail<T>(text: impl Into<String>) -> Result<T, SysusersError> {
    Err(SysusersError(text.into()))
}

/// Tells user and group of a path of the root, where there is something.
pub type OwnerOf<'a> = &'a dyn Fn(&[u8]) -> Option<(u32, u32)>;

/// The lines that a package declares: of each `user(NAME) = BASE64`, `group(NAME) = BASE64` and `groupmember(U/G) = BASE64`
/// what the base64 holds.
pub fn lines_of(header: &Header) -> Vec<Vec<u8>> {
    header
        .dependencies(DependencyKind::Provides)
        .iter()
        .filter(|provided| provided.sense.contains(Sense::EQUAL))
        .filter(|provided| {
            let kinds = ["user(", "group(", "groupmember("];
            kinds.iter().any(|kind| provided.name.starts_with(kind))
        })
        .filter_map(|provided| STANDARD.decode(provided.evr).ok())
        .map(|line| {
            // Padded with zero bytes, so that the base64 ends without `=`, which is no part of a version.
            let end = line.iter().position(|byte| *byte == 0).unwrap_or(line.len());
            line.get(..end).unwrap_or_default().to_vec()
        })
        .collect()
}

/// Applies lines to accounts; what is there already stays. Gives what the
/// user should know.
///
/// # Errors
/// [`SysusersError`] for a line that is none, as systemd-sysusers refuses it.
pub fn apply(
    lines: &[Vec<u8>],
    accounts: &mut Accounts,
    owner: OwnerOf<'_>,
) -> Result<Vec<String>, SysusersError> {
    let declared = line::parse(lines)?;
    let mut allotment = Allotment::new(accounts, &declared, owner);
    allotment.run();
    Ok(allotment.into_notes())
}

#[cfg(test)]
mod tests;
