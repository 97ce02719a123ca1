//! Packages that try to leave the root, or to use up what they are read with; repositories and servers that lie. A bird lives beside the target and outside
//! its directory; whatever a package does, the bird is what it was.

mod bombs;
mod clearsign;
mod credentials;
mod database;
mod endless;
mod escapes;
mod filenames;
mod http;
mod indexes;
mod mixed;
mod rollback;
mod rpm_indexes;
mod rpm_lists;
mod rpm_packages;
mod rpm_rollback;
mod secure;
mod site;
mod terminal;
mod tuf;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

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

    /// Unpacks `evil` alone and is refused.
    #[track_caller]
    fn refused(&self) {
        let run = self
            .door
            .bootstrap(&["--variant", "extract", "--include", "evil", "--no-host-files"]);
        self.assert_unharmed(&run.failed(5, &["evil"]));
    }
}

fn canaries(door: &Door) -> [PathBuf; 2] {
    [door.path("out/canary"), door.path("canary")]
}

fn listings(door: &Door) -> Vec<Tree> {
    let options = TreeOptions {
        mtime: true,
        ..TreeOptions::default()
    };
    canaries(door)
        .iter()
        .map(|place| Tree::read(place, &options).expect("the bird's home can be read"))
        .collect()
}

/// An empty package called `evil`.
fn evil() -> DebBuilder {
    base::package("evil", "1")
}
