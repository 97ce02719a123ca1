//! What the tests of repositories and networks have in common: a mirror of anything, the real binary before it, the birds,
//! and the directories around.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bareroot_testkit::deb::DebBuilder;
use bareroot_testkit::door::{self, Door, Run, SUITE, signer};
use bareroot_testkit::mirror::Mirror;
use bareroot_testkit::repo::{RepoBuilder, Suite};
use bareroot_testkit::rpm::RpmBuilder;
use bareroot_testkit::rpm_repo::RpmRepo;
use bareroot_testkit::tree::{Tree, TreeOptions};
use bareroot_testkit::{Compression, Signer as _, base, rpm_base};

use crate::Ground;

/// Files of a mirror by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The signed file of the suite.
pub const IN_RELEASE: &str = "dists/tiny/InRelease";

/// The signed file of the RPM repository, which is at `repo/`.
pub const REPOMD: &str = "repo/repodata/repomd.xml";

/// Where a run may leave something besides the target.
const AROUND: [&str; 3] = ["home", "xdg", "tmp"];

/// A package of that version, whose one file says so.
pub fn hello(version: &str) -> DebBuilder {
    base::package("hello", version).file("/usr/share/hello", version)
}

/// A suite with one form of each index, at one place.
pub fn suite(name: &str) -> Suite {
    Suite {
        compressions: vec![Compression::Gzip],
        listed_only: Vec::new(),
        by_hash: false,
        ..base::suite(name)
    }
}

/// A repository of these packages alone.
pub fn repository(packages: &[DebBuilder]) -> RepoBuilder {
    let add = |repository: RepoBuilder, package| repository.package(SUITE, "main", package);
    packages.iter().fold(RepoBuilder::new().suite(suite(SUITE)), add)
}

/// The files of a signed repository.
pub fn signed(repository: &RepoBuilder) -> Files {
    repository.files(Some(signer()))
}

/// The path of a suite's index.
pub fn packages_of(suite: &str, component: &str, arch: &str) -> String {
    format!("dists/{suite}/{component}/binary-{arch}/Packages.gz")
}

/// The path of a package of `main`.
pub fn deb(name: &str, version: &str) -> String {
    format!("pool/main/{name}/{name}_{version}_{}.deb", base::ARCH)
}

/// Changes the text of Release and signs it again, as whoever has the key can.
pub fn signed_anew(files: &mut Files, change: impl Fn(String) -> String) {
    let text = String::from_utf8(files["dists/tiny/Release"].clone()).expect("a text");
    let text = change(text).into_bytes();
    files.insert(IN_RELEASE.into(), signer().clear_sign(&text));
    files.insert("dists/tiny/Release.gpg".into(), signer().detach_sign(&text));
    files.insert("dists/tiny/Release".into(), text);
}

/// An RPM package of that version.
pub fn rpm(version: &str) -> RpmBuilder {
    rpm_base::package("hello", version).file("/usr/share/hello", version)
}

/// An RPM repository of these packages alone.
pub fn rpms(packages: &[RpmBuilder]) -> RpmRepo {
    packages.iter().fold(RpmRepo::new(), RpmRepo::package)
}

/// The files of a signed RPM repository at `repo/`.
pub fn rpm_files(repository: &RpmRepo) -> Files {
    repository.files("repo/", Some(signer()))
}

/// The real binary before a mirror.
pub struct Site {
    pub ground: Ground,
    around: Vec<Tree>,
}

impl Site {
    /// A mirror of any files.
    pub fn over(files: Files) -> Self {
        let ground = Ground::over(files);
        let around = around(&ground.door);
        Site { ground, around }
    }

    /// A mirror of a signed repository.
    pub fn new(repository: &RepoBuilder) -> Self {
        Self::over(signed(repository))
    }

    /// A mirror of a signed RPM repository.
    pub fn rpm(repository: &RpmRepo) -> Self {
        Self::over(rpm_files(repository))
    }

    pub fn door(&self) -> &Door {
        &self.ground.door
    }

    pub fn mirror(&self) -> &Mirror {
        &self.ground.door.mirror
    }

    pub fn url(&self) -> String {
        self.mirror().url()
    }

    /// Other files in the place of all that the mirror has.
    pub fn publish(&self, before: &Files, files: &Files) {
        for path in before.keys().filter(|path| !files.contains_key(*path)) {
            self.mirror().remove(path);
        }
        for (path, bytes) in files {
            self.mirror().put(path.as_str(), bytes.clone());
        }
    }

    /// Runs a command: the birds live, the directories around are what they were, nothing is left of a run that fails, and
    /// no terminal was driven.
    #[track_caller]
    pub fn run(&self, command: Command) -> Run {
        let run = door::run(command);
        self.ground.assert_unharmed(&run);
        assert!(
            around(self.door()) == self.around,
            "something is left around: {}",
            run.stderr
        );
        assert_plain(&run);
        run
    }

    /// Unpacks `hello` alone.
    #[track_caller]
    pub fn bootstrap(&self, options: &[&str]) -> Run {
        let words = ["--variant", "extract", "--include", "hello", "--no-host-files"];
        self.run(self.door().bootstrap_command(&[&words, options].concat()))
    }

    /// The same is refused.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) -> Run {
        self.bootstrap(&[]).failed(code, words)
    }

    /// Says which packages a root would have.
    #[track_caller]
    pub fn resolve(&self, options: &[&str]) -> Run {
        let words = ["--variant", "extract", "--include", "hello"];
        self.run(self.door().resolve_command(&[&words, options].concat()))
    }

    /// A verb before a repository in a .repo file, whose options stand in `text`.
    pub fn rpm_command(&self, verb: &str, text: &str, options: &[&str]) -> Command {
        let repo = self
            .door()
            .file("tiny.repo", format!("[tiny]\nname=Tiny\n{text}\n"));
        let mut command = self.door().command([verb]);
        command.arg("--repo").arg(repo);
        command.arg("--keyring").arg(self.door().keyring());
        if !options.contains(&"--no-cache") {
            command.arg("--cache-dir").arg(self.door().path("cache"));
        }
        command.args(["--include", "hello", "--variant", "extract"]);
        command.args(options);
        if verb == "bootstrap" {
            command.arg("--no-host-files").arg(self.door().target());
        }
        command
    }

    /// The options of a repository that has to be signed.
    pub fn strict(&self) -> String {
        format!("baseurl={}/repo\ngpgcheck=1\nrepo_gpgcheck=1", self.url())
    }

    /// Unpacks `hello` of the RPM repository alone.
    #[track_caller]
    pub fn rpm_bootstrap(&self, options: &[&str]) -> Run {
        self.run(self.rpm_command("bootstrap", &self.strict(), options))
    }

    /// The same is refused.
    #[track_caller]
    pub fn rpm_refused(&self, code: i32, words: &[&str]) -> Run {
        self.rpm_bootstrap(&[]).failed(code, words)
    }

    /// What the file of `hello` in the root says.
    #[track_caller]
    pub fn said(&self) -> String {
        fs::read_to_string(self.door().target().join("usr/share/hello")).expect("hello is there")
    }

    /// Takes the root away, for another run.
    #[track_caller]
    pub fn clear(&self) {
        fs::remove_dir_all(self.door().target()).expect("the root was made");
    }

    /// Removes shelves of the cache.
    #[track_caller]
    pub fn lose(&self, shelves: &[&str]) {
        for shelf in shelves {
            let path: PathBuf = self.door().path("cache/v1").join(shelf);
            fs::remove_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

fn around(door: &Door) -> Vec<Tree> {
    let read = |name: &&str| Tree::read(&door.path(name), &TreeOptions::default());
    AROUND
        .iter()
        .map(|name| read(name).expect("a directory"))
        .collect()
}

/// Nothing of what was printed drives a terminal, or turns the order of what is read.
#[track_caller]
pub fn assert_plain(run: &Run) {
    for text in [&run.stderr, &run.stdout] {
        let bad = text.chars().find(|character| drives(*character));
        assert_eq!(bad, None, "{text:?}");
    }
}

/// Control characters but for line ends and tabs, and those that change the direction of writing (Unicode's Bidi_Control).
fn drives(character: char) -> bool {
    let order = matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    order || character.is_control() && !matches!(character, '\n' | '\t')
}
