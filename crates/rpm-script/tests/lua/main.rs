//! Scriptlets in Lua, in a root that has no program at all: what they print, how they end and what they leave.
//!
//! What is expected is what `rpm --root` of rpm 4.18 does with a package of the same scriptlet, but for what newer versions
//! have changed; there the function says so.

mod place;
mod scripts;

use std::process::ExitCode;

use bareroot_testkit::harness;

fn main() -> ExitCode {
    harness::main(&[scripts::CASES], 1)
}
