//! Sessions around a minimal root, with this binary as the only program in it.
//!
//! The usual harness starts threads, and a warden must be forked before there are any: so this has its own
//! `main`, which runs the cases in turn, understands the usual harness's filters and `--list`, and prints as
//! it does. Where its own name is `probe`, it is the program in the root.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a test harness")]

mod ending;
mod place;
mod probe;
mod programs;
mod room;

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

type Case = (&'static str, fn());

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments
        .first()
        .is_some_and(|name| name.rsplit('/').next() == Some("probe"))
    {
        return probe::main(arguments.get(1..).unwrap_or_default());
    }
    let asked = |option: &str| arguments.iter().any(|argument| argument == option);
    let names: Vec<&String> = arguments
        .iter()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let wanted = |case: &Case| {
        let matches = |name: &&String| {
            if asked("--exact") {
                case.0 == *name
            } else {
                case.0.contains(name.as_str())
            }
        };
        !asked("--ignored") && (names.is_empty() || names.iter().any(matches))
    };
    let all: Vec<Case> = [programs::CASES, room::CASES, ending::CASES].concat();
    let (cases, left_out): (Vec<Case>, Vec<Case>) = all.into_iter().partition(wanted);
    if asked("--list") {
        cases.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    run(&cases, left_out.len())
}

fn run(cases: &[Case], left_out: usize) -> ExitCode {
    let begin = Instant::now();
    println!("\nrunning {} tests", cases.len());
    let (mut passed, mut failed, mut ignored) = (0, Vec::new(), 0);
    for (name, case) in cases {
        if let Some(lack) = lack() {
            eprintln!("skipped: {name} {lack}");
            println!("test {name} ... ignored");
            ignored += 1;
        } else if catch_unwind(case).is_ok() {
            println!("test {name} ... ok");
            passed += 1;
        } else {
            println!("test {name} ... FAILED");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        println!("\nfailures:");
        failed.iter().for_each(|name| println!("    {name}"));
    }
    println!(
        "\ntest result: {}. {passed} passed; {} failed; {ignored} ignored; 0 measured; {left_out} filtered out; \
         finished in {:.2}s\n",
        if failed.is_empty() { "ok" } else { "FAILED" },
        failed.len(),
        begin.elapsed().as_secs_f64()
    );
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(101)
    }
}

/// What this run lacks for any of the cases.
fn lack() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        Some("needs root")
    } else if cfg!(not(target_feature = "crt-static")) {
        Some("needs this binary to be static, to run in an empty root")
    } else {
        None
    }
}
