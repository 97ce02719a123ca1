//! Sessions in a user namespace with one id: what programs in the root are told of owners and devices.
//!
//! This process moves into such a namespace before it does anything else, and so needs no rights, but a kernel that allows
//! user namespaces. The programs are functions of this binary: nothing is executed.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the programs in the root print"
)]

mod programs;

use std::fs;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use bareroot_enter::mode::{self, Choice, Mode};
use bareroot_enter::{Builtin, Identity, Program, Spec, Warden};
use bareroot_ledger::{Device, FileId, Ledger, Owned, Scope};
use bareroot_model::Cancel;
use bareroot_testkit::{cases, harness};

fn main() -> ExitCode {
    if let Err(error) = mode::adopt(Choice::Only(Mode::Single)) {
        eprintln!("skipped: all of `single`, which needs user namespaces: {error}");
        return ExitCode::SUCCESS;
    }
    const CASES: &[harness::Case] =
        cases![Nothing: giving_away, by_every_way, errors, devices, ids, somebody, in_time, a_host_program];
    harness::main(&[CASES], 1)
}

static BUILTINS: &[Builtin] = &[("do", programs::main)];

/// A root, and the ledger that goes with it.
struct Ground {
    warden: Warden,
    dir: tempfile::TempDir,
    ledger: Arc<Ledger>,
}

impl Ground {
    fn new() -> Ground {
        let warden = Warden::start_with(BUILTINS).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for name in ["proc", "sys", "dev", "tmp", "etc"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(dir.path().join("etc/file"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/file", dir.path().join("etc/link")).unwrap();
        Ground {
            warden,
            dir,
            ledger: Arc::new(Ledger::new(Scope::All)),
        }
    }

    /// Runs the steps in one program, and returns what it printed.
    #[track_caller]
    fn steps(&self, steps: &[&str]) -> String {
        self.steps_as(Identity::Same, steps)
    }

    #[track_caller]
    fn steps_as(&self, identity: Identity, steps: &[&str]) -> String {
        let root = fs::File::open(self.dir.path()).unwrap();
        let mut spec = Spec::new(root.as_fd(), self.dir.path());
        spec.ledger = Some(Arc::clone(&self.ledger));
        let session = self.warden.enter(&spec).unwrap();
        let mut program = steps
            .iter()
            .fold(Program::builtin("do"), |program, step| program.arg(*step));
        program.identity = identity;
        let mut printed = Vec::new();
        let status = session
            .run(&program, &Cancel::default(), &mut |piece| {
                printed.extend_from_slice(piece)
            })
            .unwrap();
        session.close().unwrap();
        let printed = String::from_utf8(printed).unwrap();
        assert!(status.success(), "{status}: {printed}");
        printed
    }

    fn recorded(&self, path: &str) -> Option<Owned> {
        let dir = fs::File::open(self.dir.path()).unwrap();
        self.ledger.get(FileId::at(&dir, path.as_bytes()).unwrap())
    }
}

fn owned(uid: u32, gid: u32) -> Option<Owned> {
    Some(Owned {
        uid,
        gid,
        device: None,
    })
}

fn giving_away() {
    let ground = Ground::new();
    let told = ground.steps(&[
        "stat /etc/file",
        "chown /etc/file 5 6",
        "stat /etc/file",
        "stat /etc/link",
        "chown /etc/link - 7",
        "stat /etc/file",
        "lchown /etc/link 8 9",
        "lstat /etc/link",
        "stat /etc/file",
        "rename /etc/file /etc/other",
        "stat /etc/other",
        "remove /etc/other",
        "create /etc/other",
        "stat /etc/other",
    ]);
    let expected = "0:0 file\n5:6 file\n5:6 file\n5:7 file\n8:9 link\n5:7 file\n5:7 file\n0:0 file\n";
    assert_eq!(told, expected);
    assert_eq!(ground.recorded("etc/link"), owned(8, 9));
    assert_eq!(ground.recorded("etc/other"), None);
}

fn by_every_way() {
    let ground = Ground::new();
    let told = ground.steps(&[
        "fchown /etc/file 1 2",
        "fstat /etc/file",
        "statx /etc/file",
        "fchownat /etc file 3 4",
        "fstatat /etc file",
        "cd /etc",
        "chown file 5 6",
        "stat file",
        "fchownat-empty /etc/file 7 8",
        "statx-empty /etc/file",
        "chown ../etc/../etc/file 9 10",
        "stat /proc/self/cwd/file",
    ]);
    assert_eq!(
        told,
        "1:2 file\n1:2 file\n3:4 file\n5:6 file\n7:8 file\n9:10 file\n"
    );
}

fn errors() {
    let ground = Ground::new();
    let told = ground.steps(&[
        "chown /etc/none 1 2",
        "chown /etc/file/below 1 2",
        "chown  1 2",
        "stat /etc/none",
        "mknod /etc/file c 1 3",
        "mknod /none/null c 1 3",
        "setuid-bits /etc/file",
    ]);
    // ENOENT, ENOTDIR, ENOENT, ENOENT, EEXIST, ENOENT; and chown(2) takes the bits away.
    assert_eq!(
        told,
        "error 2\nerror 20\nerror 2\nerror 2\nerror 17\nerror 2\n4755 755\n"
    );
}

fn devices() {
    let ground = Ground::new();
    let told = ground.steps(&[
        "mknod /etc/null c 1 3",
        "mknodat /etc disk b 8 17",
        "mknod /etc/pipe p 0 0",
        "stat /etc/null",
        "statx /etc/disk",
        "stat /etc/pipe",
        "chown /etc/disk 0 6",
        "lstat /etc/disk",
    ]);
    assert_eq!(told, "0:0 char 1:3\n0:0 block 8:17\n0:0 pipe\n0:6 block 8:17\n");
    let disk = Owned {
        uid: 0,
        gid: 6,
        device: Some(Device::Block(8, 17)),
    };
    assert_eq!(ground.recorded("etc/disk"), Some(disk));
    assert_eq!(ground.recorded("etc/pipe"), None);
    let file = fs::metadata(ground.dir.path().join("etc/null")).unwrap();
    assert!(file.is_file() && file.len() == 0);
}

fn ids() {
    let ground = Ground::new();
    let told = ground.steps(&["become 5 6", "ids", "chown /etc/file 5 6", "stat /etc/file"]);
    // Done, it is told, and root it stays, so that what follows works.
    assert_eq!(told, "0:0\n5:6 file\n");
}

fn somebody() {
    let ground = Ground::new();
    let www = Identity::Ids {
        uid: 33,
        gid: 34,
        groups: vec![35],
    };
    ground.steps(&["chown /tmp 1 2"]);
    let told = ground.steps_as(www, &["ids", "stat /etc/file", "stat /tmp"]);
    assert_eq!(told, "33:34\n33:34 file\n1:2 directory\n");
}

/// Programs that are killed while they ask leave nothing that waits.
fn in_time() {
    let ground = Ground::new();
    for _ in 0..20 {
        let root = fs::File::open(ground.dir.path()).unwrap();
        let mut spec = Spec::new(root.as_fd(), ground.dir.path());
        spec.ledger = Some(Arc::clone(&ground.ledger));
        let session = ground.warden.enter(&spec).unwrap();
        let running = session
            .spawn(&Program::builtin("do").arg("chown-for-ever /etc/file"))
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(3));
        running.kill(9).unwrap();
        running.wait(&Cancel::default()).unwrap();
        session.close().unwrap();
    }
}

/// A hook runs with the host's root, and is answered as well.
fn a_host_program() {
    let ground = Ground::new();
    let file: PathBuf = ground.dir.path().join("etc/file");
    let (root, mut spec);
    root = fs::File::open(ground.dir.path()).unwrap();
    spec = Spec::new(root.as_fd(), ground.dir.path());
    spec.ledger = Some(Arc::clone(&ground.ledger));
    let session = ground.warden.enter(&spec).unwrap();
    let mut program = Program::builtin("do").arg(format!("chown {} 1 2", file.display()));
    program.place = bareroot_enter::Place::Host;
    let status = session.run(&program, &Cancel::default(), &mut |_| {}).unwrap();
    assert!(status.success());
    session.close().unwrap();
    assert_eq!(ground.recorded("etc/file"), owned(1, 2));
}
