//! Which files a thread may reach (landlock(7)). Modes, owners and attributes are none of Landlock's business.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus,
};

/// The youngest version whose rights are asked for; an older kernel takes those that it knows.
const VERSION: ABI = ABI::V5;

/// Rules that any number of threads take upon themselves.
#[derive(Debug)]
pub(super) struct Rules(RulesetCreated);

impl Rules {
    /// No file can be opened, made, renamed or removed. What is open stays so.
    pub(super) fn nothing() -> Option<Rules> {
        Some(Rules(handle(AccessFs::from_all(VERSION))?))
    }

    /// Everything can be read; what is changed is beneath these directories, and nothing is executed. Directories that are
    /// not there can have nothing beneath them.
    pub(super) fn writing(open: &[BorrowedFd<'_>], named: &[&Path]) -> Option<Rules> {
        let changes = AccessFs::from_write(VERSION);
        // Linux before 5.19 lets nothing that is restricted rename or link between directories, which placing needs.
        let asked = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        asked.handle_access(AccessFs::Refer).ok()?;
        let mut rules = handle(changes | AccessFs::Execute)?;
        for directory in open {
            rules = beneath(rules, directory, changes)?;
        }
        for name in named {
            if let Ok(directory) = PathFd::new(name) {
                rules = beneath(rules, directory, changes)?;
            }
        }
        Some(Rules(rules))
    }

    /// Restricts the calling thread; whether the kernel did.
    pub(super) fn restrict(&self) -> bool {
        let Ok(rules) = self.0.try_clone() else {
            return false;
        };
        // As many rules as may be are upon this thread already, or a container forbids the call.
        rules
            .restrict_self()
            .is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
    }
}

/// Rules that forbid this much; nothing where the kernel knows none.
fn handle(access: BitFlags<AccessFs>) -> Option<RulesetCreated> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(access)
        .ok()?;
    rules.create().ok()
}

fn beneath(
    rules: RulesetCreated,
    directory: impl AsFd,
    access: BitFlags<AccessFs>,
) -> Option<RulesetCreated> {
    rules.add_rule(PathBeneath::new(directory, access)).ok()
}
