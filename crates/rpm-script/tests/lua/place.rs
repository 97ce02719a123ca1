//! A root, and scriptlets that are run in it.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use bareroot_enter::{Error, Program, Session, Spec, Status, Warden};
use bareroot_model::Cancel;
use bareroot_rpm_script::{Action, BODY, BUILTINS, INPUT, PROGRAM, Task};
use tempfile::TempDir;

/// A root with mount points alone, and a session in it.
pub struct Place {
    _dir: TempDir,
    pub root: PathBuf,
    session: Session,
    _warden: Warden,
}

/// What came of a scriptlet: its exit status, and what it printed.
pub type Outcome = (i32, String);

fn in_memory(bytes: &[u8]) -> OwnedFd {
    let fd = rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let mut file = File::from(fd);
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.into()
}

impl Place {
    pub fn new() -> Place {
        Place::with(|_| {})
    }

    /// A root that something is done to before it is entered.
    pub fn with(prepare: impl FnOnce(&Path)) -> Place {
        let warden = Warden::start_with(BUILTINS).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        for name in ["proc", "sys", "dev", "tmp"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        prepare(&root);
        let descriptor = File::open(&root).unwrap();
        let session = warden.enter(&Spec::new(descriptor.as_fd(), &root)).unwrap();
        Place {
            _dir: dir,
            root,
            session,
            _warden: warden,
        }
    }

    /// Runs a task on a body.
    pub fn task(&self, task: &Task, body: &str, input: Option<&str>) -> Outcome {
        let mut program = Program::builtin(PROGRAM)
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/root");
        program.args = task.arguments();
        program.fds.push((BODY, in_memory(body.as_bytes())));
        if let Some(input) = input {
            program.fds.push((INPUT, in_memory(input.as_bytes())));
        }
        let mut printed = Vec::new();
        let status: Result<Status, Error> = self.session.run(&program, &Cancel::default(), &mut |piece| {
            printed.extend_from_slice(piece)
        });
        let code = status.unwrap().code();
        (code, String::from_utf8(printed).unwrap())
    }

    /// Runs a scriptlet as the %post of a package of rpm 4.18, with one argument.
    pub fn lua(&self, body: &str) -> Outcome {
        self.task(&lua(0, false), body, None)
    }

    /// The same, which must go well.
    pub fn say(&self, body: &str) -> String {
        let (code, printed) = self.lua(body);
        assert_eq!(code, 0, "{body}: {printed}");
        printed
    }
}

pub fn lua(flags: u32, input: bool) -> Task {
    Task {
        name: "%post(test-1-1.noarch)".to_owned(),
        flags,
        action: Action::Lua {
            arguments: vec![1],
            input,
            prefixes: Vec::new(),
            built_by: "4.18.0".to_owned(),
        },
    }
}
