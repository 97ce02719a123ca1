//! The real binary carries programs: from made roots, of which it must not run anything, and from this system.

mod host;
mod libraries;
mod refused;
mod roots;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use bareroot_testkit::harness;

/// How many tests run at once.
const THREADS: usize = 2;

fn main() -> ExitCode {
    harness::main(
        &[libraries::CASES, roots::CASES, refused::CASES, host::CASES],
        THREADS,
    )
}

/// A source that a test makes, and a place for roots.
struct Setting {
    scratch: tempfile::TempDir,
}

impl Setting {
    fn new() -> Self {
        let scratch = tempfile::Builder::new()
            .prefix("bareroot-carry-")
            .tempdir()
            .unwrap();
        fs::create_dir(scratch.path().join("from")).unwrap();
        Setting { scratch }
    }

    fn root(&self) -> PathBuf {
        self.scratch.path().join("root")
    }

    fn from(&self) -> PathBuf {
        self.scratch.path().join("from")
    }

    /// Writes a file of the source.
    fn file(&self, path: &str, mode: u32, content: impl AsRef<[u8]>) {
        let path = self.from().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Makes a link of the source.
    fn link(&self, text: &str, path: &str) {
        let path = self.from().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(text, path).unwrap();
    }

    /// `carry` from the source into the root.
    fn carry(&self, words: &[&str]) -> Ran {
        Ran::of(self.command(words))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bareroot"));
        command
            .arg("carry")
            .arg(self.root())
            .args(words)
            .arg("--from")
            .arg(self.from());
        command
    }
}

/// How a run ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(mut command: Command) -> Ran {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Ran {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// It must have gone well.
    fn ok(self) -> Ran {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// It must have ended with this code, and these words on standard error.
    fn failed(self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in {self:?}");
        }
    }
}

/// Everything below a root, as paths.
fn listing(root: &Path) -> Vec<String> {
    fn walk(top: &Path, directory: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            out.push(path.strip_prefix(top).unwrap().display().to_string());
            if metadata.is_dir() {
                walk(top, &path, out);
            }
        }
    }
    let mut out = Vec::new();
    walk(root, root, &mut out);
    out.sort();
    out
}

/// An ELF file of 64 bits, little end first, as far as a loader reads it: PT_LOAD over all of it, PT_INTERP, PT_DYNAMIC.
struct Elf<'a> {
    machine: u16,
    interpreter: Option<&'a str>,
    needed: &'a [&'a str],
    soname: Option<&'a str>,
    rpath: Option<&'a str>,
    runpath: Option<&'a str>,
}

/// EM_AARCH64: nothing of it could be run by mistake on most machines.
const MACHINE: u16 = 183;

impl Default for Elf<'_> {
    fn default() -> Self {
        Elf {
            machine: MACHINE,
            interpreter: None,
            needed: &[],
            soname: None,
            rpath: None,
            runpath: None,
        }
    }
}

impl Elf<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut strings = vec![0_u8];
        let mut string = |text: &str| {
            let at = strings.len() as u64;
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            at
        };
        let mut dynamic: Vec<(u64, u64)> = self.needed.iter().map(|name| (1, string(name))).collect();
        for (tag, text) in [(14, self.soname), (15, self.rpath), (29, self.runpath)] {
            dynamic.extend(text.map(|text| (tag, string(text))));
        }
        let interpreter = self
            .interpreter
            .map(|path| [path.as_bytes(), b"\0"].concat())
            .unwrap_or_default();
        let first = 64 + 3 * 56;
        let table = first + interpreter.len() as u64;
        let size = strings.len() as u64;
        dynamic.extend([(5, table), (10, size), (0, 0)]);
        let place = (table + size).next_multiple_of(8);
        let end = place + dynamic.len() as u64 * 16;
        let mut out = b"\x7fELF\x02\x01\x01".to_vec();
        out.resize(16, 0);
        out.extend(3_u16.to_le_bytes());
        out.extend(self.machine.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        for number in [0_u64, 64, 0] {
            out.extend(number.to_le_bytes());
        }
        out.extend(0_u32.to_le_bytes());
        for number in [64_u16, 56, 3, 64, 0, 0] {
            out.extend(number.to_le_bytes());
        }
        let kind = if self.interpreter.is_some() { 3 } else { 0 };
        for (kind, offset, length) in [
            (1_u32, 0, end),
            (kind, first, interpreter.len() as u64),
            (2, place, end - place),
        ] {
            out.extend(kind.to_le_bytes());
            out.extend(4_u32.to_le_bytes());
            for number in [offset, offset, offset, length, length, 8] {
                out.extend(number.to_le_bytes());
            }
        }
        out.extend(interpreter);
        out.extend(strings);
        out.resize(usize::try_from(place).unwrap(), 0);
        for (tag, value) in dynamic {
            out.extend(tag.to_le_bytes());
            out.extend(value.to_le_bytes());
        }
        out
    }
}

/// A source with a loader that has its directories in its text, and these libraries in the first of them.
fn with_loader(libraries: &[&str]) -> Setting {
    let setting = Setting::new();
    let loader = Elf {
        soname: Some("ld-linux-aarch64.so.1"),
        ..Elf::default()
    };
    let mut bytes = loader.bytes();
    bytes.extend(b"\0/lib/aarch64-linux-gnu/\0/usr/lib/aarch64-linux-gnu/\0/lib/\0/usr/lib/\0\0");
    setting.file("usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1", 0o755, bytes);
    setting.link(
        "aarch64-linux-gnu/ld-linux-aarch64.so.1",
        "usr/lib/ld-linux-aarch64.so.1",
    );
    setting.link("usr/lib", "lib");
    for library in libraries {
        setting.library(&format!("usr/lib/aarch64-linux-gnu/{library}"), library, &[]);
    }
    setting
}

impl Setting {
    fn library(&self, path: &str, soname: &str, needed: &[&str]) {
        let elf = Elf {
            soname: Some(soname),
            needed,
            ..Elf::default()
        };
        self.file(path, 0o644, elf.bytes());
    }

    /// A program with the usual loader.
    fn program(&self, path: &str, elf: &Elf<'_>) {
        let elf = Elf {
            interpreter: Some("/lib/ld-linux-aarch64.so.1"),
            machine: MACHINE,
            ..*elf
        };
        self.file(path, 0o755, elf.bytes());
    }
}
