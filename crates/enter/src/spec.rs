use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::Arc;

use bareroot_ledger::Ledger;

use crate::binfmt::Emulator;

/// What a session is to be: which root, and what stands around it.
#[derive(Debug)]
pub struct Spec<'fd> {
    /// The root directory. Only this descriptor decides what is entered; `O_PATH` is enough.
    pub root: BorrowedFd<'fd>,
    /// The root's path on the host, for messages.
    pub root_path: PathBuf,
    /// The host name that programs see; the host's own without it.
    pub hostname: Option<OsString>,
    /// Whether programs inside the root get success from fsync(2) and its like without anything being synced.
    /// Host programs are never affected.
    pub no_fsync: bool,
    /// Whether programs inside the root see the machine as its 32-bit variant (`uname -m` says `i686` on
    /// x86_64).
    pub personality32: bool,
    /// What is mounted in the root.
    pub mounts: Mounts,
    /// Host files and directories to be seen in the root, mounted in this order after [`mounts`](Self::mounts).
    pub binds: Vec<Bind>,
    /// What the session's own `/dev` holds beside devices; only with [`Mounts::Standard`].
    pub extras: Vec<Extra>,
    /// Files of the root that another file of it covers, after all of the above.
    pub covers: Vec<Cover>,
    /// The root's ledger, where it has one. One that keeps owners ([`Ledger::keeps_owners`]) is asked and told when programs
    /// of the session give files away, make devices, or look at either.
    pub ledger: Option<Arc<Ledger>>,
    /// What runs the root's programs, where this machine does not ([`binfmt::way`](crate::binfmt::way)). It is registered
    /// for this session alone.
    pub emulator: Option<Emulator>,
    /// What programs are kept from.
    pub confinement: Confinement,
    /// Whether programs may write to the root; [`Access::ReadOnly`] needs a [`Confinement`].
    pub root_access: Access,
    /// Which network programs have.
    pub network: Network,
    /// Files of the host that are seen, read-only, at the same path of the root: absolute paths whose directory is there.
    /// What the root has there, also a symbolic link, is covered; where it has nothing, an empty file is made for the
    /// session's time. One that cannot be shown is noted.
    pub host_files: Vec<PathBuf>,
    /// The host's terminal that [`Session::attach`](crate::Session::attach) is to connect to one of the session's own. Its
    /// modes are set back when the session ends, even where this process is killed.
    pub terminal: Option<BorrowedFd<'fd>>,
}

/// What programs are kept from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Confinement {
    /// Nothing, as with chroot(1). Programs can be run on the host's side too ([`Place::Host`](crate::Place::Host)).
    #[default]
    None,
    /// The host's tree is not part of the session (pivot_root(2)): there is no way out of the root by path.
    Tree,
    /// That, and what root's rights could do to the host: programs have no capability that reaches beyond the root (no
    /// mounts, no new devices, no kernel settings, capabilities(7)), devices of the root cannot be opened, and what is the
    /// whole machine's in `/proc` is read-only.
    Rights,
}

/// Which network a session has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// The host's.
    #[default]
    Host,
    /// One of its own with the loopback interface alone.
    Loopback,
}

/// Something in the session's own `/dev`: it is gone with the session, and no part of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// Its path below `/dev`, without a slash before it; directories on the way are made. No `..`.
    pub path: PathBuf,
    /// What is there.
    pub content: Content,
}

/// What an [`Extra`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file of that mode.
    File {
        /// Permission bits.
        mode: u32,
        /// Its bytes; together they should be small: they are memory.
        bytes: Vec<u8>,
    },
    /// A symbolic link with that text.
    Link(PathBuf),
    /// A copy of this very program, from the host's `/proc/self/exe`.
    OwnProgram,
}

/// A file of the root that is seen where another one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The file that is seen: absolute in the root, an [`Extra`] for example.
    pub source: PathBuf,
    /// The file that is covered: absolute in the root. No part of either path may be a symbolic link.
    pub target: PathBuf,
}

/// What a session mounts in its root. Whatever it is, only the session sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mounts {
    /// `/proc`, `/sys` read-only, and a `/dev` of its own with null, zero, full, random, urandom, tty,
    /// console, pts and shm. A mount point that the root lacks is left out, with a note. `/run` and `/tmp`
    /// are the root's own.
    Standard,
    /// [`Standard`](Self::Standard), and an empty `/run` in memory; in a root that is read-only, `/tmp` too. `/dev/console` is
    /// the session's terminal, and the null device where it has none, instead of the host's console.
    Full,
    /// Nothing.
    None,
}

/// A file or directory of the host that is to be seen at a path of the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Absolute path on the host.
    pub source: PathBuf,
    /// Absolute path in the root: it must be there, of the same kind, and no part of it may be a symbolic link.
    pub target: PathBuf,
    /// Whether the root may write through it.
    pub access: Access,
}

/// Whether something may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only read. Of a directory with mounts below it, the uppermost alone is made so by a kernel before Linux 5.12.
    ReadOnly,
    /// Read and written.
    ReadWrite,
}

impl<'fd> Spec<'fd> {
    /// The standard mounts, and nothing else that is special.
    pub fn new(root: BorrowedFd<'fd>, root_path: impl Into<PathBuf>) -> Self {
        Spec {
            root,
            root_path: root_path.into(),
            hostname: None,
            no_fsync: false,
            personality32: false,
            mounts: Mounts::Standard,
            binds: Vec::new(),
            extras: Vec::new(),
            covers: Vec::new(),
            emulator: None,
            ledger: None,
            confinement: Confinement::None,
            root_access: Access::ReadWrite,
            network: Network::Host,
            host_files: Vec::new(),
            terminal: None,
        }
    }
}
