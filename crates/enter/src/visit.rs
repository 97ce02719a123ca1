//! Entering a root as a user: what chroot(1), and the preparations around it, do by hand.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bareroot_ledger::Ledger;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::termios::isatty;

use crate::attach::Signals;
use crate::binfmt::{Arch, Way};
use crate::program::{Identity, Program, Status};
use crate::session::Session;
use crate::spec::{Access, Bind, Confinement, Extra, Mounts, Network, Spec};
use crate::users::{Account, Who};
use crate::{Error, Warden, binfmt, elf, reading};

/// What every user finds programs in. Not the shorter one of a login: `-u www-data -- nginx` means one in /usr/sbin.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Files of this host by which names are resolved.
const NAMES: [&str; 2] = ["/etc/resolv.conf", "/etc/hosts"];

/// Who goes where, to do what.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// The root directory. Links of the host on the way are followed.
    pub root: PathBuf,
    /// Whom to be, in the root's own words.
    pub who: Who,
    /// Where to begin; without it the home directory for a shell, `/` for a command.
    pub workdir: Option<PathBuf>,
    /// Variables beside, or instead of, those of a login.
    pub env: Vec<(OsString, OsString)>,
    /// Files and directories of the host to show. Relative sources are this process'.
    pub binds: Vec<Bind>,
    /// Whether the root can only be read; `/run`, `/tmp` and `/dev` are then in memory.
    pub read_only: bool,
    /// Which network.
    pub network: Network,
    /// The host name.
    pub hostname: Option<OsString>,
    /// Whether root's rights are whole, as with chroot(1): programs can mount, make devices, and reach the host.
    pub privileged: bool,
    /// What the session's `/dev` holds beside devices.
    pub extras: Vec<Extra>,
    /// The root's ledger, where it has one.
    pub ledger: Option<Arc<Ledger>>,
    /// The command and its arguments; without one, the user's shell as a login shell.
    pub command: Vec<OsString>,
}

impl Visit {
    /// Enters, runs the program with this process' standard streams, and leaves nothing behind. `note` is told, before the
    /// program runs, what could not be had.
    ///
    /// # Errors
    /// [`Error::NotARoot`] and [`Error::NoShell`]; [`Error::NoUser`] and its like; [`Error::BindSource`]; and as for
    /// [`Warden::enter`] and [`Session::attach`].
    pub fn run(&self, warden: &Warden, note: &mut dyn FnMut(&str)) -> Result<Status, Error> {
        let root = self.open()?;
        let mut spec = self.spec(root.as_fd())?;
        let input = std::io::stdin();
        if isatty(&input) && isatty(std::io::stdout()) {
            spec.terminal = Some(input.as_fd());
        }
        let mut session = warden.enter(&spec)?;
        session.notes().iter().for_each(|words| note(words));
        let program = self.program(&session)?;
        let signals = Signals::hold()?;
        let status = session.attach(program, &signals);
        // The program's word counts more than that of the end.
        let closed = session.close();
        let status = status?;
        closed.map(|()| status)
    }

    fn open(&self) -> Result<OwnedFd, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(CWD, &self.root, flags, Mode::empty()).map_err(|error| Error::NotARoot {
            path: self.root.clone(),
            source: error.into(),
        })
    }

    fn spec<'fd>(&self, root: BorrowedFd<'fd>) -> Result<Spec<'fd>, Error> {
        if self.command.is_empty() && reading::open(root, Path::new("/bin/sh"), OFlags::PATH).is_err() {
            // Another shell may be the user's; what has neither is no root.
            let account = Account::find(root, &self.root, &self.who)?;
            if reading::open(root, &account.shell, OFlags::PATH).is_err() {
                return Err(Error::NoShell {
                    root: self.root.clone(),
                });
            }
        }
        let mut spec = Spec::new(root, &self.root);
        spec.mounts = Mounts::Full;
        spec.confinement = match self.privileged {
            true => Confinement::Tree,
            false => Confinement::Rights,
        };
        if self.read_only {
            spec.root_access = Access::ReadOnly;
        }
        spec.network = self.network;
        spec.hostname = self.hostname.clone();
        match elf::of_root(root)
            .and_then(Arch::of_elf)
            .map(binfmt::way)
            .transpose()?
        {
            Some(Way::Native { personality32 }) => spec.personality32 = personality32,
            Some(Way::Emulator(emulator)) => spec.emulator = Some(emulator),
            Some(Way::Host) | None => {}
        }
        spec.host_files = NAMES.iter().map(PathBuf::from).collect();
        spec.extras = self.extras.clone();
        spec.ledger = self.ledger.clone();
        spec.binds = self.binds.iter().map(checked).collect::<Result<_, _>>()?;
        Ok(spec)
    }

    /// The program, as what is mounted in the root by now has it.
    fn program(&self, session: &Session) -> Result<Program, Error> {
        let root = session.root().ok_or_else(|| Error::Gone {
            root: self.root.clone(),
        })?;
        let account = Account::find(root, &self.root, &self.who)?;
        let mut program = match self.command.split_first() {
            Some((name, arguments)) => Program {
                args: arguments.to_vec(),
                cwd: self.workdir.clone().unwrap_or_else(|| "/".into()),
                ..Program::in_root(name)
            },
            None => {
                let is_directory = |path: &Path| reading::kind(root, path) == Ok(FileType::Directory);
                // As login(1): "No directory, logging in with HOME=/".
                let home =
                    || Some(account.home.clone()).filter(|home| home.is_absolute() && is_directory(home));
                Program {
                    arg0: Some(login_name(&account.shell)),
                    cwd: self.workdir.clone().or_else(home).unwrap_or_else(|| "/".into()),
                    ..Program::in_root(&account.shell)
                }
            }
        };
        program.env = self.environment(&account);
        program.identity = Identity::Ids {
            uid: account.uid,
            gid: account.gid,
            groups: account.groups,
        };
        Ok(program)
    }

    /// A login's variables (login(1)), and those that were asked for.
    fn environment(&self, account: &Account) -> Vec<(OsString, OsString)> {
        let name = account.login_name();
        let mut env: Vec<(OsString, OsString)> = vec![
            ("HOME".into(), account.home.clone().into()),
            ("USER".into(), name.clone()),
            ("LOGNAME".into(), name),
            ("SHELL".into(), account.shell.clone().into()),
            ("PATH".into(), PATH.into()),
        ];
        env.extend(std::env::var_os("TERM").map(|term| ("TERM".into(), term)));
        for (name, value) in &self.env {
            env.retain(|(had, _)| had != name);
            env.push((name.clone(), value.clone()));
        }
        env
    }
}

/// `-sh`: by the dash a shell knows that it is a login shell.
fn login_name(shell: &Path) -> OsString {
    let name = shell.file_name().unwrap_or(OsStr::new("sh"));
    OsStr::from_bytes(&[b"-", name.as_bytes()].concat()).to_owned()
}

/// A bind whose source is there, by its absolute path.
fn checked(bind: &Bind) -> Result<Bind, Error> {
    let missing = |source| Error::BindSource {
        path: bind.source.clone(),
        source,
    };
    let source = std::path::absolute(&bind.source).map_err(missing)?;
    std::fs::metadata(&source).map_err(missing)?;
    Ok(Bind {
        source,
        ..bind.clone()
    })
}
