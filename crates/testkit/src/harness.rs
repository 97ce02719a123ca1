//! A runner for test binaries that have their own `main`.
//!
//! Some tests must start before there is a second thread, and some binaries are at the same time the program that runs
//! in the root. This runner understands the usual harness's filters, `--exact`, `--list` and `--test-threads`, and
//! prints as it does.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a test harness")]

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// What a case cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing special.
    Nothing,
    /// Root, and a static test binary, which is a program in the root.
    Root,
}

impl Need {
    /// What this run lacks of it.
    fn lack(self) -> Option<&'static str> {
        match self {
            Need::Root if !rustix::process::geteuid().is_root() => Some("needs root"),
            Need::Root if cfg!(not(target_feature = "crt-static")) => {
                Some("needs this binary to be static, to run in an empty root")
            }
            Need::Root | Need::Nothing => None,
        }
    }
}

/// One test. [`cases!`](crate::cases) makes tables of them.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name, as the usual harness has it: module and function, without the crate.
    pub name: &'static str,
    /// What it needs.
    pub need: Need,
    /// The test: it panics to fail.
    pub run: fn(),
}

/// A path without the crate that it begins with.
pub const fn within_crate(path: &str) -> &str {
    let bytes = path.as_bytes();
    let mut at = 0;
    while at + 1 < bytes.len() {
        if bytes[at] == b':' && bytes[at + 1] == b':' {
            return path.split_at(at + 2).1;
        }
        at += 1;
    }
    path
}

/// A table of the functions of a module as [`Case`]s, by what they need:
///
/// ```
/// fn small() {}
/// fn large() {}
/// const CASES: &[bareroot_testkit::harness::Case] = bareroot_testkit::cases![Nothing: small; Root: large];
/// assert!(CASES[1].name.ends_with("large"));
/// ```
#[macro_export]
macro_rules! cases {
    ($($need:ident: $($function:ident),+ $(,)?);+ $(;)?) => {
        &[$($($crate::harness::Case {
            name: $crate::harness::within_crate(concat!(module_path!(), "::", stringify!($function))),
            need: $crate::harness::Need::$need,
            run: $function,
        }),+),+]
    };
}

/// Takes back that signals are ignored, as a shell does to SIGINT of what it starts in the background. The programs under test
/// would ignore them too (execve(2)), and the tests that send them would wait for ever; a signal that is caught here is at its default in there.
fn hear_signals() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok())
        .unwrap_or_default();
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        if ignored & 1 << (signal - 1) != 0 {
            // Where it cannot be caught the tests say what they miss.
            let _ = signal_hook::flag::register(signal, Arc::<AtomicBool>::default());
        }
    }
}

/// Runs the cases that the command line asks for, so many at a time.
///
/// With one thread they run on the thread that called, and no other is started.
pub fn main(tables: &[&[Case]], threads: usize) -> ExitCode {
    hear_signals();
    let arguments = Arguments::parse(std::env::args().skip(1), threads);
    let (mut cases, left_out): (Vec<Case>, Vec<Case>) = tables
        .iter()
        .flat_map(|table| table.iter().copied())
        .partition(|case| arguments.wants(case));
    if arguments.list {
        cases.iter().for_each(|case| println!("{}: test", case.name));
        return ExitCode::SUCCESS;
    }
    let begin = Instant::now();
    println!("\nrunning {} tests", cases.len());
    let before = cases.len();
    cases.retain(|case| match case.need.lack() {
        Some(lack) => {
            eprintln!("skipped: {} {lack}", case.name);
            println!("test {} ... ignored", case.name);
            false
        }
        None => true,
    });
    let failed = run(&cases, arguments.threads);
    if !failed.is_empty() {
        println!("\nfailures:");
        failed.iter().for_each(|name| println!("    {name}"));
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; {} ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failed.is_empty() { "ok" } else { "FAILED" },
        cases.len() - failed.len(),
        failed.len(),
        before - cases.len(),
        left_out.len(),
        begin.elapsed().as_secs_f64()
    );
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(101)
    }
}

fn run(cases: &[Case], threads: usize) -> Vec<&'static str> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let work = |one: &dyn Fn(&Case) -> bool| {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let passed = one(case);
            println!("test {} ... {}", case.name, if passed { "ok" } else { "FAILED" });
            if !passed {
                failed
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .push(case.name);
            }
        }
    };
    match threads {
        0 | 1 => work(&|case| catch_unwind(case.run).is_ok()),
        threads => std::thread::scope(|scope| {
            for _ in 0..threads.min(cases.len()) {
                scope.spawn(|| work(&in_own_thread));
            }
        }),
    }
    failed
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A panic's message has the name of its thread: that is the test's.
fn in_own_thread(case: &Case) -> bool {
    let thread = std::thread::Builder::new().name(case.name.to_owned());
    thread.spawn(case.run).is_ok_and(|thread| thread.join().is_ok())
}

/// The command line of a test binary, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Arguments {
    names: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    ignored: bool,
    list: bool,
    threads: usize,
}

impl Arguments {
    fn parse(words: impl IntoIterator<Item = String>, threads: usize) -> Self {
        let mut arguments = Arguments {
            threads,
            ..Arguments::default()
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (option, value) = match word.split_once('=') {
                Some((option, value)) if word.starts_with("--") => {
                    (option.to_owned(), Some(value.to_owned()))
                }
                _ => (word, None),
            };
            let mut value = || value.clone().or_else(|| words.next()).unwrap_or_default();
            match option.as_str() {
                "--exact" => arguments.exact = true,
                "--ignored" => arguments.ignored = true,
                "--list" => arguments.list = true,
                "--skip" => arguments.skip.push(value()),
                "--test-threads" => {
                    // More threads than the caller allows could break what it relies on.
                    arguments.threads = value()
                        .parse()
                        .map_or(threads, |wanted: usize| wanted.min(threads));
                }
                "--format" | "--color" | "--logfile" | "-Z" => drop(value()),
                option if option.starts_with('-') => {}
                name => arguments.names.push(name.to_owned()),
            }
        }
        arguments
    }

    fn wants(&self, case: &Case) -> bool {
        let matches = |name: &String| {
            if self.exact {
                case.name == *name
            } else {
                case.name.contains(name.as_str())
            }
        };
        !self.ignored
            && (self.names.is_empty() || self.names.iter().any(matches))
            && !self.skip.iter().any(matches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Arguments {
        Arguments::parse(words.iter().map(|word| (*word).to_owned()), 4)
    }

    fn first() {}
    fn second() {}

    #[test]
    fn filters_choose_as_the_usual_harness_does() {
        let cases: &[Case] = crate::cases![Nothing: first; Root: second];
        let chosen = |words: &[&str]| -> Vec<&str> {
            let arguments = parse(words);
            let names = cases
                .iter()
                .filter(|case| arguments.wants(case))
                .map(|case| case.name);
            names
                .map(|name| name.rsplit("::").next().unwrap_or(name))
                .collect()
        };
        assert_eq!(chosen(&[]), ["first", "second"]);
        assert_eq!(chosen(&["fir", "--nocapture"]), ["first"]);
        assert_eq!(chosen(&["--exact", "first"]), Vec::<&str>::new());
        assert_eq!(chosen(&["--exact", "harness::tests::first"]), ["first"]);
        assert_eq!(chosen(&["--skip", "second"]), ["first"]);
        assert_eq!(chosen(&["--ignored"]), Vec::<&str>::new());
    }

    #[test]
    fn values_are_no_names() {
        let arguments = parse(&["--format", "terse", "--list", "--test-threads=2"]);
        assert_eq!(
            arguments,
            Arguments {
                list: true,
                threads: 2,
                ..Arguments::default()
            }
        );
        assert_eq!(parse(&["--test-threads", "99"]).threads, 4);
    }
}
