//! Files that the command line names, and that do not end: each is refused in little memory, by its name.

use std::os::unix::fs::symlink;
use std::time::Instant;

use bareroot_testkit::cases;
use bareroot_testkit::door::Going;
use bareroot_testkit::harness::Case;

use crate::host::under;
use crate::{Ground, SOON, evil};

pub const CASES: &[Case] = cases![
    Nothing: texts_that_do_not_end;
];

/// Sources, repositories, recipes, locks and keyrings.
fn texts_that_do_not_end() {
    let ground = Ground::with(&evil());
    let elsewhere = tempfile::tempdir().expect("a directory");
    for name in ["r.toml", "r.lock", "k.gpg"] {
        symlink("/dev/zero", elsewhere.path().join(name)).expect("a link");
    }
    let path = |name: &str| elsewhere.path().join(name).to_string_lossy().into_owned();
    let zero = "/dev/zero".to_owned();
    let suite = "debian:trixie".to_owned();
    let words = ["--sources", "--repo", "--keyring"];
    let [sources, repo, keyring] = words.map(str::to_owned);
    for (words, named) in [
        (vec![sources, zero.clone()], "/dev/zero"),
        (vec![repo, zero.clone()], "/dev/zero"),
        (vec![path("r.toml")], "r.toml"),
        (vec![path("r.lock")], "r.lock"),
        (vec![suite, keyring, path("k.gpg")], "k.gpg"),
    ] {
        let begin = Instant::now();
        let mut command = ground.door.command(["bootstrap", "--no-cache", "--offline"]);
        command.args(&words).arg(ground.door.target());
        let run = Going::start(under(&command, "ulimit -v 1000000")).end();
        assert!(begin.elapsed() < SOON, "{words:?}: {run:?}");
        ground.assert_unharmed(&run);
        assert!(matches!(run.code, Some(2 | 4 | 5 | 6)), "{words:?}: {run:?}");
        assert!(run.stderr.contains(named), "{words:?}: {run:?}");
        // By a bound, not by the end of memory.
        assert!(
            run.stderr.contains("MiB") || run.stderr.contains("bytes"),
            "{words:?}: {run:?}"
        );
    }
}
