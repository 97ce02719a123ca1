//! The real binary enters roots that hold one program: this test binary, under the names `probe` and `sh`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the program in the root prints"
)]

mod containment;
mod ending;
mod errors;
mod inside;
mod options;
mod place;
mod probe;
mod signals;
mod terminal;
mod users;

use std::process::ExitCode;

use bareroot_testkit::harness;

/// How many tests run at once.
const THREADS: usize = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let name = words.first().and_then(|name| name.rsplit('/').next());
    match name {
        Some("probe") => probe::main(words.get(1..).unwrap_or_default()),
        Some("sh" | "-sh") => probe::shell(&words),
        _ => harness::main(
            &[
                inside::CASES,
                users::CASES,
                options::CASES,
                signals::CASES,
                terminal::CASES,
                errors::CASES,
                containment::CASES,
                ending::CASES,
            ],
            THREADS,
        ),
    }
}
