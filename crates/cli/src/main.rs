//! The binary `bareroot`: arguments in, events out, an exit code.

mod args;
mod base;
mod exit;
mod observers;
mod request;
mod signals;
mod text;
mod verbs;

use std::process::ExitCode;

use bareroot_enter::Warden;
use bareroot_enter::mode::{self, Adopted};

use crate::exit::Failure;
use crate::verbs::Door;

fn main() -> ExitCode {
    // Inside a root this very file answers under the names of a few helpers.
    if let Some(code) = bareroot_standin::act() {
        return code;
    }
    signals::settle();
    // Parsing starts no thread: all that follows here forks, or changes the whole process.
    let mut door = match Door::parse() {
        Ok(door) => door,
        Err(code) => return code,
    };
    door.look_ahead();
    if let Err(failure) = door.leave_onlooker() {
        return door.report(&failure);
    }
    // From here on this process is root, its own or of a user namespace.
    let adopted = match door.mode().map(mode::adopt).transpose() {
        Ok(adopted) => adopted.unwrap_or_default(),
        Err(_) if door.does_without() => Adopted::default(),
        Err(error) => return door.report(&Failure::from(error)),
    };
    let warden = door
        .needs_warden()
        .then(|| Warden::start_with(bareroot_bootstrap::BUILTINS));
    match warden.transpose() {
        Ok(warden) => door.run(warden, &adopted),
        Err(error) => door.report(&Failure::from(error)),
    }
}
