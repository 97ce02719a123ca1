use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use bareroot_testkit::disk::Disk;
use bareroot_testkit::door::{self, Door, Going, Signal};
use bareroot_testkit::launch::{self, Limits};
use bareroot_testkit::memory::MemoryGroup;
use bareroot_testkit::mirror::Moment;
use bareroot_testkit::tracer::{self, Task};

use crate::choice::{Below, Choice, Trouble};
use crate::family::{Family, Reference};
use crate::verdict::{self, Ending};

/// How long a run may take, with all that goes wrong at the mirror.
const PATIENCE: Duration = Duration::from_secs(120);

/// Room enough for everything.
const ROOMY: u64 = 1 << 30;

/// Where a seed's runs work.
pub struct Ground {
    pub door: Door,
    pub target: PathBuf,
    pub cache: PathBuf,
    /// A small disk, beside the scratch directory: a mount in there would look like one that a run has left.
    pub disk: Option<(Disk, tempfile::TempDir)>,
}

impl Ground {
    fn new(family: Family, trouble: &Trouble) -> Self {
        let door = family.door();
        let (mut target, mut cache) = (door.target(), door.path("cache"));
        let disk = match trouble {
            Trouble::Disk(below, _) => {
                let place = tempfile::Builder::new().prefix("bareroot-disk-").tempdir();
                let place = place.expect("a temporary directory");
                let disk = Disk::mount(place.path(), ROOMY);
                if *below != Below::Cache {
                    fs::create_dir(place.path().join("out")).expect("a directory on the small disk");
                    target = place.path().join("out/root");
                }
                if *below != Below::Target {
                    cache = place.path().join("cache");
                }
                Some((disk, place))
            }
            _ => None,
        };
        Ground {
            door,
            target,
            cache,
            disk,
        }
    }

    fn command(&self, family: Family) -> Command {
        family.command(&self.door, &self.target, &self.cache)
    }
}

/// One run under what was chosen, looked at, and the next run.
pub fn run(family: Family, quiet: &Reference, seed: u64, choice: &Choice) -> Ending {
    let ground = Ground::new(family, &choice.trouble);
    if choice.warm {
        door::run(ground.command(family)).succeeded();
        verdict::clear(&ground);
    }
    if let (Some((disk, _)), Trouble::Disk(_, bytes)) = (&ground.disk, &choice.trouble) {
        let used =
            verdict::bytes_below(&ground.cache) * u64::from(ground.cache.starts_with(verdict::disk(&ground)));
        disk.resize(used + bytes);
    }
    if let Some((plan, _)) = choice.plan {
        ground.door.mirror.plan(plan);
    }
    let ending = disturbed(family, quiet, seed, choice, &ground);
    verdict::judge(quiet, choice, &ground, &ending);
    // Whatever was wrong is over.
    ground.door.mirror.behave();
    ground.door.mirror.at(Moment::Request(u64::MAX), || ());
    if let Some((disk, _)) = &ground.disk {
        disk.resize(ROOMY);
    }
    verdict::clear(&ground);
    let next = door::run(ground.command(family));
    assert_eq!(
        next.code,
        Some(0),
        "the next run: {}\nafter {ending:?}",
        next.stderr
    );
    verdict::whole(quiet, &ground);
    ending
}

fn disturbed(family: Family, quiet: &Reference, seed: u64, choice: &Choice, ground: &Ground) -> Ending {
    let command = ground.command(family);
    let limited = |limits: Limits| Going::start(launch::wrap(&command, &limits));
    let after = |per_mille: u32, signal| {
        let going = Going::start(ground.command(family));
        thread::sleep(quiet.time * per_mille / 1000);
        going.signal(signal);
        Ending::of(going.end_within(PATIENCE))
    };
    match &choice.trouble {
        Trouble::Nothing | Trouble::Disk(..) => Ending::of(Going::start(command).end_within(PATIENCE)),
        Trouble::KillAt(moment) => {
            let mirror = &ground.door.mirror;
            let moment = match moment {
                Moment::Request(nth) => Moment::Request(mirror.requests().len() as u64 + nth),
                Moment::Byte(nth) => Moment::Byte(mirror.sent() + nth),
            };
            let going = Going::start(command);
            let pid = going.pid();
            mirror.at(moment, move || {
                // It can have ended for another reason.
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            });
            Ending::of(going.end_within(PATIENCE))
        }
        Trouble::KillAfter(per_mille) => after(*per_mille, Signal::KILL),
        Trouble::TermAfter(per_mille) => after(*per_mille, Signal::TERM),
        Trouble::Traced(task) => traced(ground, &command, *task),
        Trouble::AddressSpace(bytes) => Ending::of(
            limited(Limits {
                address_space: Some(*bytes),
                ..Limits::default()
            })
            .end_within(PATIENCE),
        ),
        Trouble::Descriptors(count) => Ending::of(
            limited(Limits {
                descriptors: Some(*count),
                ..Limits::default()
            })
            .end_within(PATIENCE),
        ),
        Trouble::Memory(bytes) => {
            let name = format!("bareroot-test-{}-{family}-{seed}", std::process::id());
            match MemoryGroup::make(&name, *bytes) {
                Ok(group) => {
                    let limits = Limits {
                        group: Some(group.directory().to_owned()),
                        ..Limits::default()
                    };
                    // Its own pages come and go where there is room for a few alone.
                    let mut ending = Ending::of(limited(limits).end_within(PATIENCE * 3));
                    ending.killed_for_memory = group.killed();
                    ending
                }
                Err(error) => {
                    crate::skipped(&format!(
                        "seed {seed}: no control group that limits memory: {error}"
                    ));
                    Ending::of(Going::start(command).end_within(PATIENCE))
                }
            }
        }
    }
}

fn traced(ground: &Ground, command: &Command, task: Task) -> Ending {
    let limits = Limits {
        traced: true,
        ..Limits::default()
    };
    let said = [ground.door.path("stdout"), ground.door.path("stderr")];
    let mut command = launch::wrap(command, &limits);
    command
        .stdout(File::create(&said[0]).expect("a file in the temporary directory"))
        .stderr(File::create(&said[1]).expect("a file in the temporary directory"));
    let traced = tracer::trace(&mut command, task, PATIENCE).expect("a traced run");
    let [_, stderr] = said.map(|path| {
        let text = fs::read(&path).unwrap_or_default();
        fs::remove_file(&path).expect("the file is there");
        String::from_utf8_lossy(&text).into_owned()
    });
    assert!(!traced.late, "the traced run does not end: {stderr}");
    Ending {
        code: traced.code,
        signal: traced.signal,
        stderr,
        struck: traced.struck,
        killed_for_memory: 0,
    }
}
