//! rpmbuild, several at a time.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use super::debs::Repo;
use crate::run::must;

/// SOURCE_DATE_EPOCH of every package.
pub const BUILT: &str = "1704067200";

/// How payloads are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Lzma,
    Zstd,
    None,
}

impl Compression {
    /// One by the package's number in turn; a large package only gets a fast one.
    pub fn of(number: usize, size: u64) -> Compression {
        let large = size > 3 << 20;
        match number % 6 {
            0 => Compression::Gzip,
            1 if !large => Compression::Bzip2,
            2 if !large => Compression::Xz,
            3 if !large => Compression::Lzma,
            4 if !large => Compression::None,
            _ => Compression::Zstd,
        }
    }

    /// rpm's `%_binary_payload`.
    fn flags(self) -> &'static str {
        match self {
            Compression::Gzip => "w3.gzdio",
            Compression::Bzip2 => "w5.bzdio",
            Compression::Xz => "w1.xzdio",
            Compression::Lzma => "w1.lzdio",
            Compression::Zstd => "w3.zstdio",
            Compression::None => "w.ufdio",
        }
    }
}

/// A spec file to be built.
pub struct Job {
    /// The file.
    pub spec: PathBuf,
    /// Where its packages go.
    pub repo: Repo,
    /// How they are packed.
    pub compression: Compression,
}

/// The directories of a build, and the recipe's.
pub struct Builder<'a> {
    /// The recipe's directory.
    pub recipe: &'a Path,
    /// Where trees, spec files and logs are.
    pub home: &'a Path,
    /// The distribution that is being made.
    pub dir: &'a Path,
}

impl Builder<'_> {
    /// Only libraries' sonames are looked for: what Debian says of the rest stands in the spec files.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn prepare(&self) -> Result<()> {
        let attributes = self.home.join("fileattrs");
        fs::create_dir_all(&attributes)?;
        fs::copy(self.recipe.join("elf.attr"), attributes.join("elf.attr"))?;
        Ok(())
    }

    /// Builds the packages of a spec file.
    ///
    /// # Errors
    /// When rpmbuild fails: with what it printed last.
    pub fn build(&self, job: &Job) -> Result<()> {
        let name = job
            .spec
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let top = self.home.join("build").join(&name);
        fs::create_dir_all(&top)?;
        let mut rpmbuild = rpm_command("rpmbuild", self.home);
        rpmbuild.args(["-bb", "--quiet"]);
        rpmbuild.arg("--load").arg(self.recipe.join("macros.distro"));
        for (macro_name, value) in [
            ("_topdir", top.display().to_string()),
            ("_builddir", top.display().to_string()),
            ("_rpmdir", self.dir.join(job.repo.word()).display().to_string()),
            ("_fileattrsdir", self.home.join("fileattrs").display().to_string()),
            ("_binary_payload", job.compression.flags().to_owned()),
            ("distro_data", self.recipe.display().to_string()),
            (
                "distro_key",
                self.dir.join(super::sign::KEY_FILE).display().to_string(),
            ),
        ] {
            rpmbuild.arg("--define").arg(format!("{macro_name} {value}"));
        }
        rpmbuild.arg(&job.spec).env("SOURCE_DATE_EPOCH", BUILT);
        must(&mut rpmbuild).with_context(|| format!("`{name}` cannot be built"))?;
        fs::remove_dir_all(&top)?;
        Ok(())
    }
}

/// One of rpm's programs, which knows nothing of the user's own settings.
pub fn rpm_command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("HOME", home).env("LC_ALL", "C.UTF-8");
    command
}

/// Runs a function on every item, on `jobs` threads; no new item is begun after a failure.
///
/// # Errors
/// The first one.
pub fn each<T: Send>(items: Vec<T>, jobs: usize, work: impl Fn(T) -> Result<()> + Sync) -> Result<()> {
    let queue = Mutex::new(VecDeque::from(items));
    let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1))
            .map(|_| {
                scope.spawn(|| {
                    while let Some(item) = take() {
                        if let Err(error) = work(item) {
                            queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
                            return Err(error);
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")))
            .collect()
    });
    results.into_iter().collect()
}
