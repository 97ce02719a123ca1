//! The filter for a root whose owners are recorded ([`crate::supervise`]): setting a process' own ids succeeds and changes
//! nothing, and what has to do with owners and devices is asked of the supervisor, or, where there is none, succeeds too.

use super::{
    ALLOW, AND, ARCHITECTURE, ARGUMENTS, ASK, Instruction, JUMP, JUMP_IF_EQUAL, LOAD, NUMBER, RETURN, SUCCEED,
};
use crate::supervise::calls::{Call, TABLES, X32, X86_64};

/// Who answers calls about owners and devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owners {
    /// The kernel: they are real.
    Real,
    /// The supervisor.
    Asked,
    /// The filter itself: giving a file away succeeds, and nothing is recorded.
    Lied,
}

/// The filter for a root whose owners are not real; nothing for one whose are.
pub(crate) fn filter(owners: Owners) -> Vec<Instruction> {
    let mut filter = vec![(LOAD, 0, 0, ARCHITECTURE)];
    for table in TABLES {
        let block = block(table.architecture, table.ids, table.calls, owners);
        // Further than a comparison can jump: around the block goes a return of its own.
        filter.push((JUMP_IF_EQUAL, 0, 1, table.architecture));
        filter.push((JUMP, 0, 0, 1));
        filter.push((JUMP, 0, 0, block.len() as u32));
        filter.extend(block);
    }
    filter.push((RETURN, 0, 0, ALLOW));
    filter
}

/// The part for one architecture. Each comparison is followed by what it decides, so that no jump is far.
fn block(architecture: u32, ids: &[u32], calls: &[(u32, Call)], owners: Owners) -> Vec<Instruction> {
    let mut block = vec![(LOAD, 0, 0, NUMBER)];
    if architecture == X86_64 {
        block.push((AND, 0, 0, !X32));
    }
    let asked = match owners {
        Owners::Asked => ASK,
        Owners::Lied => SUCCEED,
        Owners::Real => ALLOW,
    };
    for (number, call) in calls {
        match call {
            // Without a record nothing is to be told but what the kernel tells.
            Call::Stat { .. } if owners == Owners::Lied => {}
            Call::Stat { .. } | Call::Chown { .. } => {
                block.push((JUMP_IF_EQUAL, 0, 1, *number));
                block.push((RETURN, 0, 0, asked));
            }
            Call::Mknod { mode, .. } => {
                let mode = ARGUMENTS + 8 * (*mode as u32) + LOW_HALF;
                block.extend([
                    (JUMP_IF_EQUAL, 0, 6, *number),
                    (LOAD, 0, 0, mode),
                    (AND, 0, 0, 0o170_000),
                    (JUMP_IF_EQUAL, 1, 0, 0o020_000),
                    (JUMP_IF_EQUAL, 0, 1, 0o060_000),
                    (RETURN, 0, 0, asked),
                    (RETURN, 0, 0, ALLOW),
                ]);
            }
        }
    }
    for number in ids {
        block.push((JUMP_IF_EQUAL, 0, 1, *number));
        block.push((RETURN, 0, 0, SUCCEED));
    }
    block.push((RETURN, 0, 0, ALLOW));
    block
}

/// Where the lower half of a 64-bit argument is.
const LOW_HALF: u32 = if cfg!(target_endian = "big") { 4 } else { 0 };

#[cfg(test)]
mod tests {
    use super::super::answer_of;
    use super::*;
    use crate::supervise::calls::{self, AARCH64, I386, RISCV64};

    #[test]
    fn what_is_about_owners_is_asked_and_nothing_else() {
        let filter = super::filter(Owners::Asked);
        assert!(filter.len() < 4096, "{}", filter.len());
        for table in TABLES {
            for number in 0..1000 {
                let expected = match calls::find(table.architecture, number) {
                    Some(Call::Mknod { .. }) => continue,
                    Some(_) => ASK,
                    None if table.ids.contains(&number) => SUCCEED,
                    None => ALLOW,
                };
                let answer = answer_of(&filter, table.architecture, number, [0; 6]);
                assert_eq!(answer, expected, "{:#x} {number}", table.architecture);
            }
        }
        assert_eq!(answer_of(&filter, X86_64, X32 | 92, [0; 6]), ASK);
        assert_eq!(answer_of(&filter, 0, 92, [0; 6]), ALLOW);
    }

    #[test]
    fn only_devices_are_asked_for_when_nodes_are_made() {
        for (owners_are, answered) in [(Owners::Asked, ASK), (Owners::Lied, SUCCEED)] {
            let filter = super::filter(owners_are);
            for (architecture, number, mode_at) in [
                (X86_64, 133, 1),
                (X86_64, 259, 2),
                (I386, 14, 1),
                (AARCH64, 33, 2),
                (RISCV64, 33, 2),
            ] {
                let of = |mode: u64| {
                    let mut args = [0; 6];
                    args[mode_at] = mode;
                    answer_of(&filter, architecture, number, args)
                };
                assert_eq!(of(0o020_666), answered, "{architecture:#x} {number}");
                assert_eq!(of(0o060_660), answered);
                assert_eq!(of(0o010_600), ALLOW);
                assert_eq!(of(0o100_600), ALLOW);
                assert_eq!(of(0o600), ALLOW);
            }
        }
    }

    #[test]
    fn a_lie_is_told_about_giving_away_and_not_about_looking() {
        let filter = super::filter(Owners::Lied);
        assert_eq!(answer_of(&filter, X86_64, 92, [0; 6]), SUCCEED);
        assert_eq!(answer_of(&filter, X86_64, 262, [0; 6]), ALLOW);
        assert_eq!(answer_of(&filter, X86_64, 105, [0; 6]), SUCCEED);
    }
}
