//! Sessions around a minimal root, with this binary as the only program in it.
//!
//! The usual harness starts threads, and a warden must be forked before there are any: so the cases run in turn, on the
//! thread that this begins with. Where its own name is `probe`, it is the program in the root.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the program in the root prints"
)]

mod builtins;
mod emulated;
mod ending;
mod place;
mod probe;
mod programs;
mod room;

use std::process::ExitCode;

use bareroot_testkit::harness::{self, Case, Need};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments
        .first()
        .is_some_and(|name| name.rsplit('/').next() == Some("probe"))
    {
        return probe::main(arguments.get(1..).unwrap_or_default());
    }
    if arguments
        .first()
        .is_some_and(|name| name.starts_with(emulated::NAME))
    {
        return emulated::main(arguments.get(1..).unwrap_or_default());
    }
    harness::main(
        &[
            programs::CASES,
            builtins::CASES,
            room::CASES,
            ending::CASES,
            emulated::CASES,
        ],
        1,
    )
}

/// A case; all of them need root, and this binary to be static.
const fn case(name: &'static str, run: fn()) -> Case {
    Case {
        name,
        need: Need::Root,
        run,
    }
}
