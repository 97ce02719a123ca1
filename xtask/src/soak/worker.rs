use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bareroot_testkit::mirror::Plan;
use bareroot_testkit::seed::Random;
use rustix::process::{Pid, Signal, kill_process};

use super::ground::{Ground, Reference};
use super::job::Job;
use super::table::Table;
use super::watch::Watch;

/// How long a run may take, whatever the mirror does.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is done to a run.
#[derive(Clone, Copy, Debug)]
struct Disturbance {
    /// Of a thousand requests so many go wrong, as this seed says.
    plan: Option<(u64, u32)>,
    /// A signal, and when.
    kill: Option<(Signal, Duration)>,
}

/// Does one job after the other until the time is over.
pub fn run(
    number: usize,
    seed: u64,
    deadline: Instant,
    ground: &Ground,
    references: &BTreeMap<Job, Reference>,
    watch: &Watch,
    table: &Mutex<Table>,
) {
    let mut random = Random::new(seed ^ (number as u64) << 32);
    while Instant::now() < deadline {
        let job = *random.one_of(&Job::ALL);
        let reference = &references[&job];
        let disturbance = Disturbance {
            plan: (job.fetches() && random.happens(500))
                .then(|| (random.below(u64::MAX), *random.one_of(&[30, 100, 250]))),
            kill: random.happens(300).then(|| {
                let signal = *random.one_of(&[Signal::TERM, Signal::KILL]);
                (signal, reference.time * random.below(1200) as u32 / 1000)
            }),
        };
        let worker = format!("w{number}");
        let outcome = one(&worker, job, &disturbance, ground, reference);
        if outcome.is_err() {
            ground.clear(job, &worker);
        }
        let mut table = table.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match outcome {
            Ok(endings) => endings
                .into_iter()
                .for_each(|(what, ending)| table.note(what, ending)),
            Err(error) => table.find(job, format!("{}, {disturbance:?}: {error:#}", job.words())),
        }
        for line in watch.mounts() {
            table.find(job, format!("after {}: {line}", job.words()));
        }
    }
}

/// How one run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    Done,
    Refused(i32),
    Terminated,
    Killed,
}

type Endings = Vec<(&'static str, Ending)>;

fn one(
    worker: &str,
    job: Job,
    disturbance: &Disturbance,
    ground: &Ground,
    reference: &Reference,
) -> Result<Endings> {
    let out = ground.out(job, worker)?;
    let target = out.join(job.target());
    let mirror = ground.mirror()?;
    if let Some((seed, rate)) = disturbance.plan {
        mirror.plan(Plan::new(seed, rate));
    }
    let (said, errors) = (out.with_extension("said"), out.with_extension("errors"));
    let mut command = job.command(ground, &mirror.url(), &target);
    command
        .stdout(File::create(&said)?)
        .stderr(File::create(&errors)?);
    let status = ended(&mut command, disturbance.kill)?;
    let stderr = String::from_utf8_lossy(&fs::read(&errors)?).into_owned();
    let evidence = || format!("{status}\n{stderr}");
    ensure!(!stderr.contains("panicked at"), "it panicked: {}", evidence());
    let signal = disturbance.kill.map(|(signal, _)| signal);
    let ending = match (status.code(), status.signal()) {
        (Some(0), _) => Ending::Done,
        (Some(code @ 4..=5), _) if disturbance.plan.is_some() => Ending::Refused(code),
        // The program in the root is told, and ends by it.
        (Some(130 | 143), _) if signal == Some(Signal::TERM) => Ending::Terminated,
        (_, Some(number)) if signal.is_some_and(|signal| signal.as_raw() == number) => match signal {
            Some(Signal::KILL) => Ending::Killed,
            _ => Ending::Terminated,
        },
        _ => anyhow::bail!("no ending that is documented: {}", evidence()),
    };
    if job == Job::Enter {
        if ending == Ending::Done {
            right(job, reference, &target, &said)?;
        }
        return Ok(vec![(job.words(), ending)]);
    }
    let mut endings = vec![(job.words(), ending)];
    let left = names(&out)?;
    match ending {
        Ending::Done => right(job, reference, &target, &said)?,
        Ending::Killed => {}
        Ending::Refused(_) | Ending::Terminated => {
            ensure!(
                left.is_empty() || job.keeps_its_parts(),
                "left after its end: {left:?}: {}",
                evidence()
            );
        }
    }
    if ending != Ending::Done {
        if target.exists() && !job.keeps_its_parts() {
            // The signal came after the last step: what is there is whole.
            right(job, reference, &target, &said)?;
            ground.remove(job, &target)?;
        }
        mirror.behave();
        let mut again = job.command(ground, &mirror.url(), &target);
        again.stdout(File::create(&said)?).stderr(File::create(&errors)?);
        let status = ended(&mut again, None)?;
        ensure!(
            status.success(),
            "the next run: {status}: {}\nafter {ending:?}: {stderr}",
            fs::read_to_string(&errors)?
        );
        right(job, reference, &target, &said)?;
        endings.push(("the run after one that failed", Ending::Done));
    }
    let left = names(&out)?;
    ensure!(
        left == [job.target()],
        "beside the target after {ending:?}: {left:?}"
    );
    ground.remove(job, &target)?;
    if job.makes_a_root() {
        endings.push(("remove", Ending::Done));
    }
    Ok(endings)
}

fn right(job: Job, reference: &Reference, target: &Path, said: &Path) -> Result<()> {
    let differences = reference.differences(job, target, said)?;
    ensure!(
        differences.is_empty(),
        "it is not right: {}",
        differences.join("\n")
    );
    Ok(())
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let mut names = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<String>>>()?;
    names.sort();
    Ok(names)
}

/// Runs a command to its end, which a signal may bring about.
fn ended(command: &mut Command, kill: Option<(Signal, Duration)>) -> Result<ExitStatus> {
    let mut child = command.stdin(Stdio::null()).spawn()?;
    let begin = Instant::now();
    let mut kill = kill;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Some((signal, _)) = kill.take_if(|(_, after)| begin.elapsed() >= *after) {
            // It may have ended since.
            let _ = kill_process(Pid::from_child(&child), signal);
        }
        if begin.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("it did not end in {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(2));
    }
}
