use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::ground::{Ground, Reference};
use super::job::Job;
use crate::report::Report;

/// As many bootstraps at once, from one mirror: with one cache, which is empty at first, and each with a cache of its own.
///
/// # Errors
/// When what is right cannot be found out, or a run not be started.
pub fn run(ground: &Ground, count: usize, report: &mut Report) -> Result<()> {
    let reference = ground.undisturbed(Job::Debian, "first", None)?;
    for (words, own) in [("one cache", false), ("a cache of its own for each", true)] {
        let finding = together(ground, &reference, count, words, own)?;
        report.check(
            &format!("{count} bootstraps at once, {words}: all are right"),
            &finding,
        );
    }
    Ok(())
}

fn together(
    ground: &Ground,
    reference: &Reference,
    count: usize,
    words: &str,
    own: bool,
) -> Result<Vec<String>> {
    let mirror = ground.mirror()?;
    let cache = |number: usize| {
        let name = if own {
            format!("cache-{number}")
        } else {
            "cache-of-all".into()
        };
        ground.top.join(name)
    };
    let begin = Instant::now();
    let mut going = Vec::new();
    for number in 0..count {
        let out = ground.out(Job::Debian, &format!("at-once-{number}"))?;
        let target = out.join(Job::Debian.target());
        let usage = out.with_extension("usage");
        let inner = Job::Debian.command(ground, &mirror.url(), &target);
        let mut timed = Command::new("time");
        timed
            .args(["-f", "%M", "-o"])
            .arg(&usage)
            .arg(inner.get_program())
            .args(words_with(&inner, &cache(number)))
            .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(out.with_extension("errors"))?);
        let child = timed.spawn().context("time cannot be run")?;
        going.push((child, out, target, usage));
    }
    let mut wrong = Vec::new();
    let mut memory = Vec::new();
    let mut ended = Vec::new();
    for (mut child, out, target, usage) in going {
        ended.push((child.wait()?, out, target, usage));
    }
    let seconds = begin.elapsed().as_secs_f64();
    for (status, out, target, usage) in ended {
        if !status.success() {
            let said = fs::read_to_string(out.with_extension("errors"))?;
            wrong.push(format!("{}: {status}: {said}", target.display()));
            continue;
        }
        let kib = fs::read_to_string(&usage)?.trim().parse::<u64>();
        memory.push(kib.context("time's own words")?);
        let differences = reference.differences(Job::Debian, &target, &usage)?;
        wrong.extend(
            differences
                .into_iter()
                .map(|line| format!("{}: {line}", target.display())),
        );
        ground.remove(Job::Debian, &target)?;
        let left = fs::read_dir(&out)?.count();
        if left != 0 {
            wrong.push(format!("{left} entries left in {}", out.display()));
        }
    }
    memory.sort_unstable();
    let requests = mirror.requests().len();
    ensure!(!memory.is_empty() || !wrong.is_empty(), "nothing was run");
    let mib = |place: usize| memory.get(place).map_or(0.0, |kib| *kib as f64 / 1024.0);
    println!(
        "{words}: {count} roots in {seconds:.1} s, {requests} requests; peak memory of a run in MiB: least {:.1}, median {:.1}, most {:.1}",
        mib(0),
        mib(memory.len() / 2),
        mib(memory.len().saturating_sub(1))
    );
    println!(
        "    of each: {}",
        memory
            .iter()
            .map(|kib| kib.div_ceil(1024).to_string())
            .collect::<Vec<_>>()
            .join(" ")
    );
    Ok(wrong)
}

/// A command's words with another cache, and with the patience that bareroot has by default: this mirror is well, and only
/// has much to do.
fn words_with(command: &Command, cache: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = command.get_args().map(Into::into).collect();
    for (option, value) in [("--cache-dir", cache.as_os_str()), ("--timeout", "30".as_ref())] {
        if let Some(at) = words.iter().position(|word| word == option)
            && let Some(word) = words.get_mut(at + 1)
        {
            *word = value.to_owned();
        }
    }
    words
}
