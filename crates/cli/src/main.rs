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
    // The warden forks: it must be there before the first thread.
    let warden = bareroot_enter::Warden::start();
    verbs::run(warden)
}
