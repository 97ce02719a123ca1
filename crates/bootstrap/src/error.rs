//! What can go wrong in a run: the rooms' own errors, and what only the story can see.

use std::path::PathBuf;

use bareroot_model::{Cancelled, Class, Classified, is_exhausted};

/// Why there is no root.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No distribution is called that.
    #[error("no distribution is called `{0}`")]
    Distribution(String),
    /// The distribution has no such release.
    #[error("{distribution} has no release called `{release}`")]
    Release {
        /// The distribution's name.
        distribution: String,
        /// What was asked for.
        release: String,
        /// The releases there are.
        known: String,
    },
    /// The catalogue's distribution has no such release.
    #[error("{distribution} has no release called `{release}`")]
    NoRelease {
        /// The distribution's name.
        distribution: String,
        /// What was asked for.
        release: String,
        /// The releases there are.
        known: String,
    },
    /// The release is not made for that architecture.
    #[error("{release} has nothing for the architecture `{wanted}`")]
    NotForArchitecture {
        /// The distribution and its release.
        release: String,
        /// The architecture of the root.
        wanted: String,
        /// Those that the release is made for.
        known: String,
    },
    /// An option of the other family.
    #[error("{option} is not for {family} roots")]
    NotForFamily {
        /// The option, as it was typed.
        option: String,
        /// The family of the root.
        family: &'static str,
        /// What there is instead, or nothing.
        instead: &'static str,
    },
    /// An option that says how a SPEC is meant, and no SPEC.
    #[error("{option} says nothing without a SPEC")]
    NeedsSpec {
        /// The option.
        option: &'static str,
    },
    /// There is no such architecture.
    #[error("{family} has no architecture called `{wanted}`")]
    Architecture {
        /// What was asked for.
        wanted: String,
        /// Whose names count.
        family: &'static str,
        /// The name that the family has for what the other family calls so, or nothing.
        meant: &'static str,
    },
    /// Neither a SPEC nor sources.
    #[error("nothing says what to make: neither a SPEC nor --sources or --repo")]
    NoSources,
    /// No repository is enabled.
    #[error("the .repo files have no enabled repository")]
    NoRepos,
    /// A repository whose packages and metadata are not to be signed.
    #[error("`{repository}` signs nothing: gpgcheck and repo_gpgcheck are off in {path}", path = path.display())]
    NothingSigned {
        /// The repository.
        repository: String,
        /// The .repo file.
        path: PathBuf,
    },
    /// A repository without any mirror.
    #[error("`{repository}` has no mirrors")]
    NoMirrors {
        /// The repository.
        repository: String,
    },
    /// No mirror has the repomd.xml that the metalink describes.
    #[error("repomd.xml of `{repository}` at {mirror} is none of those that the metalink knows")]
    Metalink {
        /// The repository.
        repository: String,
        /// The first mirror that was asked.
        mirror: String,
    },
    /// A repository that lists no packages.
    #[error("repomd.xml of `{repository}` names no primary metadata")]
    NoPrimary {
        /// The repository.
        repository: String,
    },
    /// A file that is another package than its index says.
    #[error("{path} is {found}; expected {expected}")]
    OtherPackage {
        /// The file.
        path: String,
        /// What the index says.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// A file that the user named and that the root cannot hold.
    #[error("{path} is a package for {found}, and the root is for {root}")]
    OtherArch {
        /// The file.
        path: String,
        /// The package's architecture.
        found: String,
        /// The root's.
        root: String,
    },
    /// Two packages have different files of one path.
    #[error("`{path}` is in {one} and, with other content or mode, in {other}")]
    FileConflict {
        /// The path.
        path: String,
        /// A package that has it.
        one: String,
        /// Another.
        other: String,
    },
    /// SOURCE_DATE_EPOCH is no number.
    #[error("SOURCE_DATE_EPOCH is `{0}`: expected seconds since 1970 as decimal digits")]
    Epoch(String),
    /// A source has no keyring to be verified with.
    #[error("no keyring is known for `{source_name}`")]
    NoKeyring {
        /// The source's first address and suite.
        source_name: String,
    },
    /// A suite lacks what was asked of it.
    #[error("{source_name} has no package index for `{component}` of {architectures}")]
    NoIndex {
        /// Address and suite.
        source_name: String,
        /// The component.
        component: String,
        /// The architectures that were asked for.
        architectures: String,
    },
    /// A lock that was made from something else.
    #[error("{path} was made from something else: {changes}", path = path.display())]
    StaleLock {
        /// The lock.
        path: PathBuf,
        /// What is asked for now, option by option.
        changes: String,
    },
    /// A package of a lock that no mirror has.
    #[error("{lock} has a package that none of its mirrors has", lock = lock.display())]
    LockedGone {
        /// The lock.
        lock: PathBuf,
        /// The package's file, and what the mirrors say.
        source: Box<bareroot_fetch::Error>,
    },
    /// There is no lock.
    #[error("there is no lock `{path}`", path = path.display())]
    NoLock {
        /// Where it should be.
        path: PathBuf,
    },
    /// A lock of another architecture.
    #[error("{path} has nothing for `{wanted}`, it is for {known}", path = path.display())]
    LockedArch {
        /// The lock.
        path: PathBuf,
        /// The architecture of the root.
        wanted: String,
        /// Those that it has.
        known: String,
    },
    /// A file that the user named when a lock was made, and that is another one.
    #[error("{path} is not the file of {lock}: its SHA-256 is {found}; expected {expected}", lock = lock.display())]
    LockedFile {
        /// The file.
        path: String,
        /// The lock.
        lock: PathBuf,
        /// What the lock says.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A value of a recipe that means nothing.
    #[error("{path}: `{key}` is `{value}`: {reason}", path = path.display())]
    RecipeValue {
        /// The recipe.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What there is.
        reason: String,
    },
    /// No moment.
    #[error("`{0}` is no moment: expected 2026-01-31 or 20260131T120000Z")]
    Snapshot(String),
    /// A distribution whose past nobody keeps.
    #[error("no snapshot service is known for {distribution}")]
    NoSnapshots {
        /// Its name.
        distribution: String,
    },
    /// A file that the user named cannot be written.
    #[error("cannot write `{path}`", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that the user named cannot be read.
    #[error("cannot read `{path}`", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A package is in the solution, and what it needs to be configured is not.
    #[error("the packages chosen cannot be configured: there is no `{missing}` among them")]
    NotConfigurable {
        /// The missing package.
        missing: &'static str,
    },
    /// A name asked about is not part of the solution.
    #[error("`{0}` is not part of the solution")]
    NotInSolution(String),
    /// A maintainer script failed.
    #[error("{what} failed with {status}{log}")]
    Script {
        /// The package and script, or the command.
        what: String,
        /// How it ended.
        status: String,
        /// The last lines that it printed, each on a line of its own after a line end, or nothing.
        log: String,
    },
    /// A maintainer script cannot even be started.
    #[error("{what} cannot be run")]
    CannotRun {
        /// The package and script.
        what: String,
        /// Why.
        source: bareroot_enter::Error,
    },
    /// A hook that has to wait for configured packages.
    #[error("--{kind}-hook needs configured packages, which a root made with --foreign has not got yet")]
    HookTooEarly {
        /// Which kind.
        kind: &'static str,
    },
    /// Nothing is left to do in a root.
    #[error("`{root}` has no second stage: there is no {home}/about in it", root = root.display(), home = crate::second_stage::HOME)]
    NoSecondStage {
        /// The root.
        root: PathBuf,
    },
    /// A root's second stage in another mode than its first.
    #[error("`{root}` was made in mode {made}, and this is mode {mode}", root = root.display())]
    OtherMode {
        /// The root.
        root: PathBuf,
        /// The first stage's mode.
        made: &'static str,
        /// This run's.
        mode: &'static str,
    },
    /// A root's second stage is stored in another form.
    #[error("{file} is not as bareroot writes it: `{found}`")]
    SecondStage {
        /// The file in the root.
        file: String,
        /// What it says.
        found: String,
    },
    /// A hook failed.
    #[error("the {kind} hook `{command}` failed with {status}{log}")]
    Hook {
        /// Which kind.
        kind: &'static str,
        /// The command.
        command: String,
        /// How it ended.
        status: String,
        /// The last lines that it printed.
        log: String,
    },
    /// An index still changed after a second try.
    #[error("the mirror changed while it was read, twice: {0}")]
    Moving(Box<Error>),
    /// A mirror gives an older signed index than it gave before.
    #[error("{older}{}", crate::older::why_not(why.as_deref()))]
    OlderIndex {
        /// What it gave, and what it gave before.
        older: crate::older::Older,
        /// Why the newer one cannot be used in its place.
        why: Option<Box<Error>>,
    },
    /// Another run writes the mirror.
    #[error("another run of bareroot writes the mirror `{path}`", path = path.display())]
    MirrorBusy {
        /// The mirror.
        path: PathBuf,
    },
    /// A directory that is no mirror, where one is needed.
    #[error("`{path}` is no mirror that bareroot made", path = path.display())]
    NoMirrorHere {
        /// The directory.
        path: PathBuf,
    },
    /// A mirror's map or record is broken.
    #[error("`{path}` cannot be used: {reason}")]
    MirrorRecord {
        /// The file, or its address.
        path: String,
        /// Why.
        reason: String,
    },
    /// An index names a path that cannot be written below a mirror.
    #[error("`{path}` of {source_name} {reason}")]
    MirrorPath {
        /// The path.
        path: String,
        /// Whose index has it.
        source_name: String,
        /// What is wrong with it, as the end of a sentence.
        reason: &'static str,
    },
    /// Files of a mirror are missing or damaged.
    #[error("{count} files of the mirror `{path}` are missing or damaged: {first}", path = path.display())]
    MirrorBroken {
        /// The mirror.
        path: PathBuf,
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// A partial mirror lacks a suite or a repository.
    #[error("the mirror {mirror} has no {what}")]
    NotInMirror {
        /// The mirror.
        mirror: String,
        /// The suite or repository.
        what: String,
    },
    /// A directory cannot go to standard output.
    #[error("a directory cannot be written to standard output")]
    DirectoryOnStdout,
    /// Neither its name nor a format says what archive a file is to be.
    #[error("nothing says what kind of archive `{0}` is to be")]
    NoArchive(String),
    /// Standard output is a terminal.
    #[error("an archive is not written to a terminal")]
    Terminal,
    /// There is no standard output.
    #[error("standard output cannot be used")]
    Stdout(#[source] std::io::Error),
    /// A thread died.
    #[error("a worker thread ended without a result: {0}")]
    Worker(&'static str),
    /// The run was stopped.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The packages cannot be had together.
    #[error(transparent)]
    Select(#[from] Box<bareroot_deb::select::Error>),
    /// Recipes and locks.
    #[error(transparent)]
    Depot(#[from] bareroot_depot::Error),
    /// Debian's files.
    #[error(transparent)]
    Deb(#[from] bareroot_deb::Error),
    /// An index's compression.
    #[error(transparent)]
    Archive(#[from] bareroot_archive::Error),
    /// A .deb file.
    #[error(transparent)]
    Package(#[from] bareroot_deb::archive::ArchiveError),
    /// A package database.
    #[error(transparent)]
    Record(#[from] bareroot_deb::record::RecordError),
    /// An RPM package.
    #[error(transparent)]
    Rpm(#[from] bareroot_rpm::Error),
    /// An RPM repository.
    #[error(transparent)]
    RpmRepo(#[from] bareroot_rpm_repo::Error),
    /// The packages of RPM repositories cannot be had together.
    #[error(transparent)]
    RpmSelect(#[from] bareroot_rpm_select::Error),
    /// rpm's database.
    #[error(transparent)]
    RpmDb(#[from] bareroot_rpm_db::Error),
    /// A database of rpm's that was named.
    #[error(transparent)]
    Rpmdb(#[from] crate::rpmdb::Error),
    /// Signatures and digests.
    #[error(transparent)]
    Trust(#[from] bareroot_trust::Error),
    /// Transfers.
    #[error(transparent)]
    Fetch(#[from] bareroot_fetch::Error),
    /// The target.
    #[error(transparent)]
    Unpack(#[from] bareroot_unpack::Error),
    /// Clones.
    #[error(transparent)]
    Copy(#[from] bareroot_copy::Error),
    /// Archives of roots.
    #[error(transparent)]
    Export(#[from] bareroot_export::Error),
    /// Programs with what they need.
    #[error(transparent)]
    Carry(#[from] bareroot_carry::Error),
    /// Namespaces and programs.
    #[error(transparent)]
    Enter(#[from] bareroot_enter::Error),
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Error::Read { source, .. } if is_exhausted(source) => Class::Target,
            Error::Distribution(_)
            | Error::Release { .. }
            | Error::NoRelease { .. }
            | Error::NotForArchitecture { .. }
            | Error::NotForFamily { .. }
            | Error::NeedsSpec { .. }
            | Error::Architecture { .. }
            | Error::NoSources
            | Error::Epoch(_)
            | Error::NoKeyring { .. }
            | Error::NoRepos
            | Error::HookTooEarly { .. }
            | Error::OtherMode { .. }
            | Error::OtherArch { .. }
            | Error::Read { .. }
            | Error::RecipeValue { .. }
            | Error::Snapshot(_)
            | Error::NoSnapshots { .. }
            | Error::DirectoryOnStdout
            | Error::NoArchive(_)
            | Error::Terminal
            | Error::NoMirrorHere { .. }
            | Error::NotInSolution(_) => Class::Usage,
            Error::MirrorBusy { .. } => Class::Target,
            Error::MirrorRecord { .. } | Error::MirrorPath { .. } | Error::MirrorBroken { .. } => {
                Class::Trust
            }
            Error::NotInMirror { .. } => Class::Network,
            Error::StaleLock { .. } | Error::NoLock { .. } | Error::LockedArch { .. } => Class::Disagreement,
            Error::LockedFile { .. } => Class::Trust,
            Error::LockedGone { source, .. } => source.class(),
            Error::Write { .. } => Class::Target,
            Error::Depot(error) => error.class(),
            Error::Stdout(_) => Class::Target,
            Error::NotConfigurable { .. } => Class::Unresolved,
            Error::NoIndex { .. } | Error::NoMirrors { .. } => Class::Network,
            Error::NothingSigned { .. }
            | Error::OlderIndex { .. }
            | Error::Metalink { .. }
            | Error::NoPrimary { .. }
            | Error::OtherPackage { .. } => Class::Trust,
            Error::FileConflict { .. } => Class::Unresolved,
            Error::Script { .. } | Error::Hook { .. } | Error::CannotRun { .. } => Class::Script,
            Error::NoSecondStage { .. } | Error::SecondStage { .. } => Class::Target,
            Error::Moving(error) => error.class(),
            Error::Worker(_) => Class::Internal,
            Error::Cancelled(_) => Class::Interrupted,
            Error::Deb(error) => error.class(),
            Error::Archive(error) => error.class(),
            Error::Package(error) => error.class(),
            Error::Record(error) => error.class(),
            Error::Select(error) => error.class(),
            Error::Rpm(error) => error.class(),
            Error::RpmRepo(error) => error.class(),
            Error::RpmSelect(error) => error.class(),
            Error::RpmDb(error) => error.class(),
            Error::Rpmdb(error) => error.class(),
            Error::Trust(error) => error.class(),
            Error::Fetch(error) => error.class(),
            Error::Unpack(error) => error.class(),
            Error::Copy(error) => error.class(),
            Error::Export(error) => error.class(),
            Error::Carry(error) => error.class(),
            Error::Enter(error) => error.class(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Error::Distribution(_) => Some("`bareroot distros` lists those that are known".to_owned()),
            Error::Release { known, .. } => {
                Some(format!("there are {known}; with --mirror any suite can be named"))
            }
            Error::NoRelease { known, .. } | Error::NotForArchitecture { known, .. } => {
                Some(format!("there are {known}"))
            }
            Error::NotForFamily { instead, .. } => {
                Some((*instead).to_owned()).filter(|words| !words.is_empty())
            }
            Error::Architecture { meant, .. } if !meant.is_empty() => {
                Some(format!("its name is `{meant}` there"))
            }
            Error::Architecture { family: "Debian", .. } => {
                Some("the names are dpkg's: amd64, i386, arm64, armhf, riscv64 and others".to_owned())
            }
            Error::Architecture { .. } => {
                Some("the names are rpm's: x86_64, i686, aarch64, ppc64le, s390x and others".to_owned())
            }
            Error::NoSources => Some("for example: bareroot bootstrap debian:trixie ./trixie".to_owned()),
            Error::NoKeyring { .. } => Some("name one with --keyring, or Signed-By in the source".to_owned()),
            Error::NotConfigurable { .. } => Some("--variant extract unpacks without configuring".to_owned()),
            Error::Script { .. } => Some("--verbose shows everything that the scripts print".to_owned()),
            Error::MirrorBroken { .. } => {
                Some("`bareroot mirror DIR` fetches again what is missing or damaged".to_owned())
            }
            Error::NotInMirror { .. } => {
                Some("`bareroot mirror` with the same options adds it; --no-updates does without -updates and -security".to_owned())
            }
            Error::StaleLock { .. } => Some("`bareroot lock` brings it up to date".to_owned()),
            Error::NoLock { .. } => Some("`bareroot lock` writes it".to_owned()),
            Error::LockedGone { .. } => Some(
                "--mirror names another that may have it, and --snapshot DATE a moment at which the archive had it".to_owned(),
            ),
            Error::LockedArch { wanted, .. } => Some(format!("`bareroot lock --arch {wanted}` adds it")),
            Error::LockedFile { .. } => Some("`bareroot lock --upgrade` takes it as it is".to_owned()),
            Error::NoSnapshots { .. } => Some("--mirror takes the address of any archive".to_owned()),
            Error::Depot(error) => error.hint(),
            Error::HookTooEarly { kind: "customize" } => {
                Some("give it to `bareroot bootstrap --second-stage`".to_owned())
            }
            Error::OtherMode { made, .. } => Some(format!("the same user finishes it with --mode {made}")),
            Error::NoSecondStage { .. } => Some(
                "`bareroot bootstrap --foreign` makes roots that have one, and it is done once".to_owned(),
            ),
            Error::Enter(
                error @ (bareroot_enter::Error::NoEmulator { .. } | bareroot_enter::Error::Emulator { .. }),
            ) => {
                let own = error.hint().map(|hint| format!("{hint}; ")).unwrap_or_default();
                Some(format!(
                    "{own}--foreign makes a root that is finished where its programs run"
                ))
            }
            Error::Moving(error) => error.hint(),
            Error::OlderIndex { .. } => Some(
                "the mirror lags behind, or an old state is passed off as its own: try again later, or another \
                 --mirror; --no-check-valid-until takes the older one"
                    .to_owned(),
            ),
            Error::Deb(error) => error.hint(),
            Error::Archive(error) => error.hint(),
            Error::Package(error) => error.hint(),
            Error::Record(error) => error.hint(),
            Error::Select(error) => error.hint(),
            Error::NothingSigned { .. } => Some("--no-gpgcheck takes it all the same".to_owned()),
            Error::Rpm(error) => error.hint(),
            Error::RpmRepo(error) => error.hint(),
            Error::RpmSelect(error) => error.hint(),
            Error::RpmDb(error) => error.hint(),
            Error::Rpmdb(error) => error.hint(),
            Error::Trust(error) => error.hint(),
            Error::Fetch(error) => error.hint(),
            Error::Unpack(error) => error.hint(),
            Error::Copy(error) => error.hint(),
            Error::Export(error) => error.hint(),
            Error::Carry(error) => error.hint(),
            Error::DirectoryOnStdout => Some("--format tar writes an archive".to_owned()),
            Error::NoArchive(_) => {
                Some("let its name end in .tar, .tar.gz, .tar.xz or .tar.zst, or give --format".to_owned())
            }
            Error::Terminal => Some("send it on, with `> FILE` or `| COMMAND`".to_owned()),
            Error::Enter(error) | Error::CannotRun { source: error, .. } => error.hint(),
            _ => None,
        }
    }
}
