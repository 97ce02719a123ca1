//! `bareroot enter`.

use std::process::ExitCode;

use bareroot_enter::mode::Adopted;
use bareroot_enter::{Network, Visit, Warden};

use crate::args::Enter;
use crate::exit::Failure;
use crate::text;

/// Enters a root; the program's exit code, as chroot(1) has it.
pub fn run(verb: &Enter, adopted: &Adopted, warden: &Warden) -> Result<ExitCode, Failure> {
    let visit = Visit {
        root: verb.root.clone(),
        who: verb.user.clone().unwrap_or_default(),
        workdir: verb.workdir.clone(),
        env: verb.env.clone(),
        binds: verb.binds.clone(),
        read_only: verb.read_only,
        network: match verb.no_network {
            true => Network::Loopback,
            false => Network::Host,
        },
        hostname: verb.hostname.clone(),
        privileged: verb.privileged,
        extras: Vec::new(),
        ledger: None,
        command: verb.command.clone(),
    };
    let mut note = |words: &str| text::to_stderr(&format!("note: {}\n", text::visible(words)));
    adopted.notes.iter().for_each(|words| note(words));
    let status = bareroot_bootstrap::enter(visit, adopted.mode, warden, &mut note)?;
    // 0 to 255, or 128 and a signal of at most 64.
    Ok(ExitCode::from(u8::try_from(status.code()).unwrap_or(u8::MAX)))
}
