use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bareroot_testkit::door::signer;
use bareroot_testkit::mirror::Mirror;
use bareroot_testkit::programs::script;
use bareroot_testkit::rpm::Item;
use bareroot_testkit::rpm_repo::RpmRepo;
use bareroot_testkit::seed::Random;
use bareroot_testkit::tree::{Tree, TreeOptions, diff};
use bareroot_testkit::{Compression, base, rpm_base};
use sha2::{Digest, Sha256};

use super::job::Job;
use crate::run::{must, run as run_program};
use crate::users::{User, Users};
use crate::workshop::{self, EPOCH, Place};

pub const SUITE: &str = "tiny";

/// What every root takes for its mirror; each run reaches one of its own as a proxy, so that all roots say the same.
pub const URL: &str = "http://mirror.example";

/// What is there for all runs.
pub struct Ground {
    pub top: PathBuf,
    /// A root that is cloned and exported, and never written.
    pub root: PathBuf,
    /// A root that is entered: /etc gets a place to show the host's files on for as long, and so another time.
    pub entered: PathBuf,
    bareroot: PathBuf,
    users: Users,
    mirror: Mirror,
}

/// What came of a run that nothing disturbed.
pub struct Reference {
    made: Made,
    pub time: Duration,
}

/// A result, as far as two of them are compared.
pub enum Made {
    Tree(Tree),
    File([u8; 32]),
    Words(Vec<u8>),
}

impl Ground {
    /// A mirror of both families, users, and a root.
    ///
    /// # Errors
    /// When there is no room for them, or the root cannot be made.
    pub fn new(place: &Place, bareroot: &Path) -> Result<Ground> {
        let top = place.path.clone();
        let users = Users::new(place)?;
        // Where everybody may run it.
        let copy = top.join("bareroot");
        fs::copy(bareroot, &copy).with_context(|| bareroot.display().to_string())?;
        fs::write(top.join("keyring.pgp"), signer().certificate())?;
        fs::write(
            top.join("tiny.repo"),
            format!("[tiny]\nname=Tiny\nbaseurl={URL}/repo\ngpgcheck=1\nrepo_gpgcheck=1\n"),
        )?;
        for user in [User::Root, User::Subordinate] {
            let id = fs::metadata(users.home(user)).map(|home| std::os::unix::fs::MetadataExt::uid(&home))?;
            for name in ["tmp", "cache", "home"] {
                let directory = users.home(user).join(name);
                fs::create_dir(&directory)?;
                chown(&directory, Some(id), Some(id))?;
            }
        }
        let ground = Ground {
            root: top.join("root"),
            entered: top.join("entered"),
            top,
            bareroot: copy,
            users,
            mirror: Mirror::serve(files())?,
        };
        for root in [&ground.root, &ground.entered] {
            must(&mut Job::Debian.command(&ground, &ground.mirror.url(), root))?;
        }
        Ok(ground)
    }

    /// A mirror of its own for one run, which is well.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn mirror(&self) -> Result<Mirror> {
        Ok(self.mirror.twin()?)
    }

    /// bareroot, in an environment that has nothing of this one's.
    pub fn bareroot(&self) -> Command {
        Command::new(&self.bareroot)
    }

    /// The command as that user runs it.
    pub fn by(&self, user: User, mut command: Command) -> Command {
        let home = self.users.home(user);
        command
            .env("SOURCE_DATE_EPOCH", EPOCH)
            .env("TMPDIR", home.join("tmp"))
            .env("HOME", home.join("home"))
            .env("no_proxy", "");
        match user {
            User::Root => {
                let set: Vec<_> = command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
                    .collect();
                command
                    .env_clear()
                    .envs(set)
                    .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
                command
            }
            User::Subordinate | User::Alone => self.users.command(user, &command),
        }
    }

    pub fn cache(&self, user: User) -> PathBuf {
        self.users.home(user).join("cache")
    }

    /// An empty directory of that user for the results of one job.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn out(&self, job: Job, worker: &str) -> Result<PathBuf> {
        let home = self.users.home(job.user());
        let out = home.join(format!("out-{worker}-{job:?}"));
        if !out.exists() {
            fs::create_dir(&out)?;
            let id = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&home)?);
            chown(&out, Some(id), Some(id))?;
        }
        Ok(out)
    }

    /// A run of each job.
    ///
    /// # Errors
    /// When one fails.
    pub fn references(&self) -> Result<BTreeMap<Job, Reference>> {
        Job::ALL
            .into_iter()
            .map(|job| Ok((job, self.undisturbed(job, "first", None)?)))
            .collect()
    }

    /// A run that nothing disturbs, held against another, and removed.
    ///
    /// # Errors
    /// When it fails, or made something else.
    pub fn undisturbed(&self, job: Job, worker: &str, wanted: Option<&Reference>) -> Result<Reference> {
        let out = self.out(job, worker)?;
        let target = out.join(job.target());
        let mirror = self.mirror()?;
        let said = out.with_extension("said");
        let begin = Instant::now();
        let mut command = job.command(self, &mirror.url(), &target);
        let status = command
            .stdin(Stdio::null())
            .stdout(File::create(&said)?)
            .stderr(File::create(out.with_extension("errors"))?)
            .status()?;
        let time = begin.elapsed();
        ensure!(
            status.success(),
            "{}: {status}: {}",
            job.words(),
            fs::read_to_string(out.with_extension("errors"))?
        );
        let made = Made::read(job, &target, &said)?;
        if let Some(wanted) = wanted {
            let differences = wanted.made.differences(&made);
            ensure!(differences.is_empty(), "{}", differences.join("\n"));
        }
        self.remove(job, &target)?;
        Ok(Reference { made, time })
    }

    /// Takes a result away: a root by `bareroot remove`.
    ///
    /// # Errors
    /// When it cannot be, or is there still.
    pub fn remove(&self, job: Job, target: &Path) -> Result<()> {
        if job.makes_a_root() {
            let mut remove = self.bareroot();
            remove.arg("remove").arg(target);
            let ran = run_program(&mut self.by(job.user(), remove))?;
            ensure!(ran.success, "remove: {}: {}", ran.status, ran.tail());
        } else if target.is_dir() {
            fs::remove_dir_all(target)?;
        } else if target.exists() {
            fs::remove_file(target)?;
        }
        match fs::symlink_metadata(target) {
            Ok(_) => bail!("{} is still there after its removal", target.display()),
            Err(_) => Ok(()),
        }
    }

    /// Takes away whatever a finding has left, so that it is told once.
    pub fn clear(&self, job: Job, worker: &str) {
        if let Ok(out) = self.out(job, worker) {
            // What cannot be removed is another finding, of the next run there.
            let _ = workshop::remove(&out);
        }
    }

    /// What is wrong with the caches: files that are not what they should be, and parts that no run will go on with.
    pub fn caches(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for user in [User::Root, User::Subordinate] {
            let mut verify = self.bareroot();
            verify
                .args(["cache", "verify", "--cache-dir"])
                .arg(self.cache(user));
            match run_program(&mut self.by(user, verify)) {
                Ok(ran) if ran.success => {}
                Ok(ran) => wrong.push(format!("{}: {}", ran.status, ran.tail())),
                Err(error) => wrong.push(format!("{error:#}")),
            }
            let unfinished = |path: &PathBuf| {
                path.extension().is_some_and(|extension| extension == "part")
                    || path.parent().is_some_and(|parent| parent.ends_with("runs"))
            };
            let left = below(&self.cache(user)).into_iter().filter(unfinished);
            wrong.extend(left.map(|path| path.display().to_string()));
        }
        wrong
    }
}

impl Reference {
    /// How a result differs from this one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn differences(&self, job: Job, target: &Path, said: &Path) -> Result<Vec<String>> {
        Ok(self.made.differences(&Made::read(job, target, said)?))
    }
}

impl Made {
    fn read(job: Job, target: &Path, said: &Path) -> Result<Made> {
        match job {
            Job::Enter => Ok(Made::Words(fs::read(said)?)),
            Job::DebianTar | Job::RpmTar | Job::Export => {
                let bytes = fs::read(target).with_context(|| target.display().to_string())?;
                Ok(Made::File(Sha256::digest(bytes).into()))
            }
            job => {
                let options = TreeOptions {
                    // When a mirror's files came is nothing that it promises.
                    mtime: !job.keeps_its_parts(),
                    ..TreeOptions::default()
                };
                let mut tree = Tree::read(target, &options).with_context(|| target.display().to_string())?;
                // bareroot's own record of owners is written last, at the time that it is.
                if let Some(ledger) = tree.entries.get_mut(Path::new(".bareroot-ledger")) {
                    ledger.mtime = None;
                }
                Ok(Made::Tree(tree))
            }
        }
    }

    fn differences(&self, other: &Made) -> Vec<String> {
        match (self, other) {
            (Made::Tree(one), Made::Tree(other)) => diff(one, other, &|_| false)
                .iter()
                .map(ToString::to_string)
                .collect(),
            (Made::File(one), Made::File(other)) if one == other => Vec::new(),
            (Made::Words(one), Made::Words(other)) if one == other => Vec::new(),
            (Made::Words(one), Made::Words(other)) => vec![format!(
                "said `{}` and not `{}`",
                String::from_utf8_lossy(other),
                String::from_utf8_lossy(one)
            )],
            _ => vec!["the file has other bytes".into()],
        }
    }
}

/// The mirror: a suite of Debian packages and a repository of RPM packages, both with a program to run and something large.
fn files() -> BTreeMap<String, Vec<u8>> {
    let (hello, large) = (script("echo hello"), Random::new(1).bytes(1 << 20));
    let debian = [
        base::package("soak", "1").executable("/usr/bin/soak", hello.as_bytes()),
        base::package("large", "1")
            .file("/usr/share/large", large.clone())
            .compression(Compression::Gzip)
            .script("postinst", script("note /var/log/large configured")),
    ];
    let rpm = [
        rpm_base::package("soak", "1-1").item(Item::file("/usr/bin/soak", hello.as_bytes()).mode(0o755)),
        rpm_base::package("large", "1-1")
            .file("/usr/share/large", large)
            .compression(Compression::Gzip),
    ];
    let suite = debian.iter().fold(base::repository(SUITE), |suite, package| {
        suite.package(SUITE, "main", package)
    });
    let repository = rpm.iter().fold(rpm_base::repository(), RpmRepo::package);
    let mut files = suite.files(Some(signer()));
    files.extend(repository.files("repo/", Some(signer())));
    files
}

/// Every file below a directory.
pub fn below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => found.extend(below(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}
