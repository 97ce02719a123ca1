//! Packages that try to leave the root, or to use up what they are read with; repositories and servers that lie. A bird lives beside the target and outside
//! its directory; whatever a package does, the bird is what it was.

mod bombs;
mod caches;
mod clearsign;
mod credentials;
mod database;
mod endless;
mod escapes;
mod filenames;
mod host;
mod http;
mod indexes;
mod links;
mod mixed;
mod named;
mod names;
mod numbers;
mod overlaps;
mod packed;
mod places;
mod races;
mod rollback;
mod rpm_indexes;
mod rpm_lists;
mod rpm_packages;
mod rpm_rollback;
mod rpms;
mod secure;
mod site;
mod terminal;
mod tuf;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{Door, Run, SUITE, signer};
use bareroot_testkit::repo::RepoBuilder;
use bareroot_testkit::tree::{Tree, TreeOptions};
use bareroot_testkit::{base, harness, programs};

/// How many tests run at once.
const THREADS: usize = 4;

fn main() -> ExitCode {
    let tables = [
        escapes::CASES,
        bombs::CASES,
        database::CASES,
        indexes::CASES,
        links::CASES,
        named::CASES,
        names::CASES,
        numbers::CASES,
        overlaps::CASES,
        packed::CASES,
        races::CASES,
        rpms::CASES,
        host::CASES,
        places::CASES,
        caches::CASES,
        tuf::CASES,
        endless::CASES,
        mixed::CASES,
        rollback::CASES,
        clearsign::CASES,
        http::CASES,
        secure::CASES,
        filenames::CASES,
        credentials::CASES,
        terminal::CASES,
        rpm_packages::CASES,
        rpm_indexes::CASES,
        rpm_lists::CASES,
        rpm_rollback::CASES,
    ];
    programs::main().unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// How long a run may take, by a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// The real binary before a mirror, and a bird at `../canary` and at `../../canary` from the root.
struct Ground {
    door: Door,
    before: Vec<Tree>,
}

impl Ground {
    fn new(repository: &RepoBuilder) -> Self {
        Self::over(repository.files(Some(signer())))
    }

    /// A mirror of any files, that [`signer`] signs.
    fn over(files: BTreeMap<String, Vec<u8>>) -> Self {
        let door = Door::over(env!("CARGO_BIN_EXE_bareroot"), files, signer().certificate());
        for place in canaries(&door) {
            fs::create_dir(&place).expect("a directory for the bird");
            fs::write(place.join("bird"), "alive").expect("a bird");
        }
        let before = listings(&door);
        Ground { door, before }
    }

    /// A mirror with one more package, `evil`.
    fn with(deb: &DebBuilder) -> Self {
        Self::new(&base::repository(SUITE).package(SUITE, "main", deb))
    }

    /// Bootstraps with `evil`; the bird lives, and a run that fails leaves nothing.
    #[track_caller]
    fn bootstrap(&self) -> Run {
        let run = self.door.bootstrap(&["--include", "evil", "--no-host-files"]);
        self.assert_unharmed(&run);
        run
    }

    #[track_caller]
    fn assert_unharmed(&self, run: &Run) {
        assert!(
            listings(&self.door) == self.before,
            "the bird is not what it was: {}",
            run.stderr
        );
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        self.door.assert_no_mount_and_no_process();
        if run.code != Some(0) {
            self.door.assert_beside_is(&["canary"]);
        }
    }

    /// Unpacks `evil` and what comes by itself; the bird lives, and a run that fails leaves nothing.
    #[track_caller]
    fn extract(&self) -> Run {
        let run = self.door.bootstrap(EXTRACT);
        self.assert_unharmed(&run);
        run
    }

    /// Unpacks `evil` alone and is refused.
    #[track_caller]
    fn refused(&self) {
        self.extract().failed(5, &["evil"]);
    }
}

const EXTRACT: &[&str] = &["--variant", "extract", "--include", "evil", "--no-host-files"];

fn canaries(door: &Door) -> [PathBuf; 2] {
    [door.path("out/canary"), door.path("canary")]
}

/// The birds' homes with their times, and what is in the directories around; of the temporary one only what stays in it.
fn listings(door: &Door) -> Vec<Tree> {
    let read = |place: PathBuf, mtime: bool| {
        let options = TreeOptions {
            mtime,
            ..TreeOptions::default()
        };
        Tree::read(&place, &options).expect("a directory around the target can be read")
    };
    let around = ["home", "xdg", "tmp"].map(|name| read(door.path(name), name != "tmp"));
    let birds = canaries(door).map(|place| read(place, true));
    birds.into_iter().chain(around).collect()
}

/// An empty package called `evil`.
fn evil() -> DebBuilder {
    base::package("evil", "1")
}
