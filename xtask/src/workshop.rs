//! Where roots are made: a directory of fresh names, bareroot and mmdebstrap beside each other.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::machine;
use crate::peers::mmdebstrap::Mmdebstrap;
use crate::run::must;

/// SOURCE_DATE_EPOCH of every run that has one: older than the packages, so that clamping shows.
pub const EPOCH: &str = "1700000000";

/// What a root is made of.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// The distribution's id in bareroot's catalogue.
    pub distribution: &'a str,
    /// The suite.
    pub suite: &'a str,
    /// The variant.
    pub variant: &'a str,
    /// The one mirror.
    pub mirror: &'a str,
    /// Whether SOURCE_DATE_EPOCH is set.
    pub epoch: bool,
    /// Whether the index may be past its Valid-Until.
    pub expired: bool,
}

/// The tools and the place.
pub struct Workshop {
    /// bareroot's binary, as it ships.
    pub bareroot: PathBuf,
    /// The peer.
    pub mmdebstrap: Mmdebstrap,
    place: Place,
}

impl Workshop {
    /// Builds bareroot where no binary is named, fetches mmdebstrap, and makes a directory below `work` (below `target` by default).
    ///
    /// # Errors
    /// When one of the three fails.
    pub fn open(work: Option<&Path>, keep: bool, bareroot: Option<&Path>) -> Result<Workshop> {
        let mmdebstrap = Mmdebstrap::get()?;
        println!("note the peer is {}", mmdebstrap.name());
        let place = Place::new(work, keep)?;
        Ok(Workshop {
            bareroot: machine::bareroot(bareroot)?,
            mmdebstrap,
            place,
        })
    }

    /// A path that nothing has had yet.
    pub fn fresh(&self, name: &str) -> PathBuf {
        self.place.fresh(name)
    }

    /// The directory of all roots.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// bareroot's root, made with these options beside the recipe's.
    ///
    /// # Errors
    /// When bareroot fails: with the last lines that it printed.
    pub fn bareroot(&self, recipe: &Recipe<'_>, options: &[&str]) -> Result<PathBuf> {
        let root = self.fresh(&format!("bareroot-{}-{}", recipe.suite, recipe.variant));
        must(self.bareroot_command(recipe, &root).args(options))?;
        Ok(root)
    }

    /// The command that [`Workshop::bareroot`] runs.
    pub fn bareroot_command(&self, recipe: &Recipe<'_>, root: &Path) -> Command {
        let mut command = Command::new(&self.bareroot);
        command
            .args(["bootstrap", &format!("{}:{}", recipe.distribution, recipe.suite)])
            .arg(root);
        command.args([
            "--mirror",
            recipe.mirror,
            "--variant",
            recipe.variant,
            "--cache-dir",
        ]);
        command.arg(self.path().join("cache"));
        if recipe.expired {
            command.arg("--no-check-valid-until");
        }
        set_epoch(&mut command, recipe.epoch);
        command
    }

    /// mmdebstrap's root.
    ///
    /// # Errors
    /// When mmdebstrap fails: with the last lines that it printed.
    pub fn mmdebstrap(&self, recipe: &Recipe<'_>) -> Result<PathBuf> {
        let root = self.fresh(&format!("mmdebstrap-{}-{}", recipe.suite, recipe.variant));
        must(&mut self.mmdebstrap_command(recipe, &root))?;
        Ok(root)
    }

    /// The command that [`Workshop::mmdebstrap`] runs.
    pub fn mmdebstrap_command(&self, recipe: &Recipe<'_>, root: &Path) -> Command {
        let mut command = self.mmdebstrap.command();
        command
            .arg("--mode=root")
            .args(self.mmdebstrap.variant(recipe.variant));
        if recipe.expired {
            command.args(["--aptopt", "Acquire::Check-Valid-Until \"false\""]);
        }
        if recipe.distribution == "ubuntu" {
            command.arg("--keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg");
        }
        command.args([recipe.suite]).arg(root).arg(recipe.mirror);
        set_epoch(&mut command, recipe.epoch);
        command
    }

    /// Removes a root, or leaves it where roots are kept.
    ///
    /// # Errors
    /// When something is mounted below it, or it cannot be removed.
    pub fn remove(&self, root: &Path) -> Result<()> {
        self.place.remove(root)
    }
}

fn set_epoch(command: &mut Command, epoch: bool) {
    match epoch {
        true => command.env("SOURCE_DATE_EPOCH", EPOCH),
        false => command.env_remove("SOURCE_DATE_EPOCH"),
    };
}

/// A directory of its own for one run, removed at its end.
pub struct Place {
    /// The directory.
    pub path: PathBuf,
    keep: bool,
    number: Cell<usize>,
}

impl Place {
    /// A new directory below `parent`, or below `target/peers`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(parent: Option<&Path>, keep: bool) -> Result<Place> {
        let parent = parent.map_or_else(|| machine::target().join("peers"), Path::to_owned);
        let parent = std::path::absolute(&parent)?;
        fs::create_dir_all(&parent).with_context(|| format!("`{}` cannot be made", parent.display()))?;
        let path = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(&parent)?
            .keep();
        // Programs of the roots run as other users, who must be able to walk in.
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Ok(Place {
            path,
            keep,
            number: Cell::new(0),
        })
    }

    /// A path that nothing has had yet: ext4 is slow to reuse what was just removed, and a bench would show it.
    pub fn fresh(&self, name: &str) -> PathBuf {
        self.number.set(self.number.get() + 1);
        self.path.join(format!("{:02}-{name}", self.number.get()))
    }

    /// Removes a root, or leaves it where roots are kept.
    ///
    /// # Errors
    /// When something is mounted below it, or it cannot be removed.
    pub fn remove(&self, root: &Path) -> Result<()> {
        if self.keep { Ok(()) } else { remove(root) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.keep {
            println!("note the roots are kept in {}", self.path.display());
        } else if let Err(error) = remove(&self.path) {
            eprintln!("xtask: {error:#}");
        }
    }
}

/// Removes a tree in which nothing is mounted.
///
/// # Errors
/// When something is, or the tree cannot be removed.
pub fn remove(root: &Path) -> Result<()> {
    let mounted = mounts_below(root)?;
    ensure!(
        mounted.is_empty(),
        "mounted below `{}`: {}",
        root.display(),
        mounted.join(", ")
    );
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            bail!("`{}` cannot be removed: {error}", root.display())
        }
        _ => Ok(()),
    }
}

/// What this process sees mounted at or below a path.
///
/// # Errors
/// When the list of mounts cannot be read.
pub fn mounts_below(root: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string("/proc/self/mountinfo").context("/proc/self/mountinfo")?;
    let points = text.lines().filter_map(|line| line.split(' ').nth(4));
    Ok(points
        .filter(|point| Path::new(point).starts_with(root))
        .map(str::to_owned)
        .collect())
}
