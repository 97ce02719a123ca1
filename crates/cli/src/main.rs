//! The binary `bareroot`: arguments in, events out, an exit code.

mod args;
mod exit;
mod observers;
mod request;
mod signals;
mod text;
mod verbs;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Inside a root this very file answers under the names of a few helpers.
    if let Some(code) = bareroot_standin::act() {
        return code;
    }
    verbs::run()
}
