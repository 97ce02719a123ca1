//! `bareroot rpmdb` by the real binary: what it says of a database of each kind, what it makes of one, what it says of damage, and
//! what is left when it is killed.

mod damage;
mod killed;
mod locked;
mod verbs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use bareroot_testkit::door::{Run, run};
use bareroot_testkit::harness;
use bareroot_testkit::headers::Builder;

/// How many tests run at once.
const THREADS: usize = 2;

/// rpm's words for the kinds, the file that has the headers, and how many files there are.
const KINDS: [(&str, &str, usize); 3] = [
    ("sqlite", "rpmdb.sqlite", 1),
    ("ndb", "Packages.db", 2),
    ("bdb", "Packages", 19),
];

fn main() -> ExitCode {
    let tables = [verbs::CASES, damage::CASES, locked::CASES, killed::CASES];
    harness::main(&tables, THREADS)
}

/// A place for databases, which vanishes.
struct Place {
    scratch: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let scratch = tempfile::Builder::new().prefix("bareroot-test-").tempdir();
        Place {
            scratch: scratch.expect("a temporary directory"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// `rpmdb` with words that name files in this place.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
        command
            .arg("rpmdb")
            .args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir(self.scratch.path())
            .stdin(Stdio::null());
        command
    }

    fn rpmdb(&self, words: &[&str]) -> Run {
        run(self.command(words))
    }

    /// What it writes on standard output, to the byte.
    fn bytes(&self, words: &[&str]) -> Vec<u8> {
        let output = self.command(words).output().expect("the binary starts");
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// A list of that many headers, as `rpmdb --exportdb` writes it, in the file `list`; its bytes.
    fn list(&self, count: usize) -> Vec<u8> {
        let bytes: Vec<u8> = (1..=count).flat_map(header).collect();
        fs::write(self.path("list"), &bytes).expect("a file in the temporary directory");
        bytes
    }

    /// A database of a kind, in a directory of that name, of the list of so many headers.
    fn database(&self, name: &str, kind: &str, count: usize) -> Vec<u8> {
        let list = self.list(count);
        self.rpmdb(&["import", "list", name, "--to", kind]).succeeded();
        list
    }
}

/// The header of the package with that number, whose size is its own.
fn header(number: usize) -> Vec<u8> {
    let mut builder = Builder::new(&format!("p{number}"));
    builder.text(1022, "noarch");
    builder.text(1005, &"words ".repeat(number * 97 % 1500));
    builder.string(1047, &format!("cap({number})"));
    builder.word(1112, 8);
    builder.string(1113, "1-1");
    builder.bytes()
}

/// The names in a directory, but for rpm's lock.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != ".rpm.lock")
        .collect();
    names.sort();
    names
}
