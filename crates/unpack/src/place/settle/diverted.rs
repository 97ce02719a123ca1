//! Files that make room for those of a package that diverts them. dpkg knows of the diversion when it comes to the second of the
//! two, because the preinst of the one that diverts has run by then; here all are placed before any preinst runs.

use super::Replay;
use super::contest::Contest;

impl Replay<'_> {
    /// The name, in the same directory, under which a package's file at a contested path is to be, where one of the others that
    /// have the path diverts it. A diversion into another directory is none that is seen here.
    pub(super) fn elsewhere(&mut self, contest: &Contest, ordinal: u32, path: &[u8]) -> Option<Vec<u8>> {
        let diversion = self.declared.of(path)?;
        let by = diversion.package.as_deref()?;
        let is_by = |ordinal: u32| self.ledger.name(ordinal) == Some(by);
        let is_there = contest
            .leaves
            .iter()
            .any(|leaf| is_by(leaf.ordinal) && contest.spelling(leaf) == path);
        if is_by(ordinal) || !is_there {
            return None;
        }
        let split = |path: &[u8]| -> Option<(Vec<u8>, Vec<u8>)> {
            let at = path.iter().rposition(|byte| *byte == b'/')?;
            Some((path.get(..at)?.to_vec(), path.get(at + 1..)?.to_vec()))
        };
        let ((from, _), (to, name)) = (split(path)?, split(&diversion.to)?);
        let is_name = !name.is_empty() && name != b"." && name != b"..";
        if from != to || !is_name {
            return None;
        }
        if !self.diverted.contains(diversion) {
            self.diverted.push(diversion.clone());
        }
        Some(name)
    }
}
