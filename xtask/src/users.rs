//! Ordinary users, who are nowhere but in the mount namespace of the program that runs as one of them: nothing of this
//! machine's /etc is changed.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workshop::Place;

/// Who runs bareroot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// root.
    Root,
    /// A user with subordinate ids, and newuidmap(1) on PATH.
    Subordinate,
    /// A user with neither.
    Alone,
}

impl User {
    /// All of them.
    pub const ALL: [User; 3] = [User::Root, User::Subordinate, User::Alone];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            User::Root => "root",
            User::Subordinate => "a user with subordinate ids",
            User::Alone => "a user with one id",
        }
    }

    /// The mode that `--mode auto` comes to.
    pub fn mode(self) -> &'static str {
        match self {
            User::Root => "root",
            User::Subordinate => "unshare",
            User::Alone => "single",
        }
    }

    fn id(self) -> u32 {
        match self {
            User::Root => 0,
            User::Subordinate => 54_321,
            User::Alone => 54_322,
        }
    }
}

/// The directory that the users share, with the files that make them.
pub struct Users {
    home: PathBuf,
}

/// Where the subordinate ids begin, and how many there are.
const SUBORDINATE: (u32, u32) = (2_000_000, 65_536);

impl Users {
    /// Writes the files, with this machine's own lines.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn new(place: &Place) -> Result<Users> {
        let home = place.fresh("users");
        fs::create_dir(&home)?;
        let (first, count) = SUBORDINATE;
        let both = format!(
            "peer-subordinate:x:{0}:{0}::/:/bin/sh\npeer-alone:x:{1}:{1}::/:/bin/sh\n",
            User::Subordinate.id(),
            User::Alone.id()
        );
        let range = format!("peer-subordinate:{first}:{count}\n");
        for (file, lines) in [("passwd", both.as_str()), ("subuid", &range), ("subgid", &range)] {
            let path = Path::new("/etc").join(file);
            let mut text = fs::read(&path).unwrap_or_default();
            if !path.exists() {
                // A bind mount needs something to cover.
                fs::write(&path, "").with_context(|| path.display().to_string())?;
            }
            text.extend_from_slice(lines.as_bytes());
            fs::write(home.join(file), text)?;
        }
        for user in User::ALL {
            let own = home.join(user.mode());
            fs::create_dir(&own)?;
            chown(&own, Some(user.id()), Some(user.id()))?;
        }
        Ok(Users { home })
    }

    /// A directory that belongs to the user.
    pub fn home(&self, user: User) -> PathBuf {
        self.home.join(user.mode())
    }

    /// The command, as that user runs it.
    pub fn command(&self, user: User, command: &Command) -> Command {
        let mut wrapped = Command::new("unshare");
        let script = "for file in passwd subuid subgid; do mount --bind \"$1/$file\" /etc/$file || exit 125; done\n\
                      id=$2 path=$3; shift 3\n\
                      exec setpriv --reuid=$id --regid=$id --clear-groups env PATH=\"$path\" \"$@\"";
        let path = match user {
            User::Alone => "/nowhere",
            User::Root | User::Subordinate => "/usr/sbin:/usr/bin:/sbin:/bin",
        };
        wrapped
            .args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"])
            .arg(&self.home)
            .args([&user.id().to_string(), path])
            .arg(command.get_program())
            .args(command.get_args())
            .env("HOME", self.home(user))
            .env_remove("XDG_CACHE_HOME");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(name, value),
                None => wrapped.env_remove(name),
            };
        }
        wrapped
    }
}
