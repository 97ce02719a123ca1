//! The real binary makes archives: of roots that it makes, and of roots that are there.

mod exported;
mod formats;
mod removed;
mod stopped;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitCode};

use bareroot_testkit::deb::{DebBuilder, Item};
use bareroot_testkit::door::{Door, SUITE};
use bareroot_testkit::repo::RepoBuilder;
use bareroot_testkit::{base, harness, programs};

/// How many tests run at once: most of the time they wait.
const THREADS: usize = 4;

/// `SOURCE_DATE_EPOCH` where a test has one.
const EPOCH: &str = "1600000000";

fn main() -> ExitCode {
    let tables = [formats::CASES, exported::CASES, removed::CASES, stopped::CASES];
    programs::main().unwrap_or_else(|| harness::main(&tables, THREADS))
}

/// The real binary before a mirror of a few packages, one of them with what is easily lost on the way into an archive.
fn door() -> Door {
    let particular = base::package("particular", "1.0")
        .item(Item::file("./usr/bin/particular", "p").mode(0o4755))
        .item(
            Item::file("./usr/bin/crontab", "c")
                .mode(0o2755)
                .owner(0, 999)
                .names("root", "shadow"),
        )
        .item(
            Item::directory("./var/spool/particular/")
                .mode(0o1730)
                .owner(1, 1)
                .names("daemon", "daemon"),
        )
        .hardlink("/usr/bin/twin", "/usr/bin/particular")
        .symlink("/etc/alternatives/particular", "/usr/bin/particular")
        .file(
            &format!("/usr/share/{}/{}", "d".repeat(90), "f".repeat(120)),
            "long",
        )
        .file("/usr/share/Grüße", "utf-8")
        .file("/usr/share/large", "a line of a large file\n".repeat(200_000));
    Door::new(env!("CARGO_BIN_EXE_bareroot"), &repository(particular))
}

fn repository(package: DebBuilder) -> RepoBuilder {
    base::repository(SUITE).package(SUITE, "main", &package)
}

/// `bootstrap` of everything into `target`, with [`EPOCH`].
fn bootstrap(door: &Door, target: impl AsRef<OsStr>, options: &[&str]) -> Command {
    let mut command = door.command(["bootstrap", &format!("debian:{SUITE}")]);
    command
        .arg(target)
        .args([
            "--mirror",
            &door.mirror.url(),
            "--include",
            "particular",
            "--no-host-files",
        ])
        .arg("--keyring")
        .arg(door.keyring())
        .arg("--cache-dir")
        .arg(door.path("cache"))
        .args(options)
        .env("SOURCE_DATE_EPOCH", EPOCH);
    command
}

/// An archive's bytes, decompressed by its name.
fn unpacked(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut read = |reader: &mut dyn Read| reader.read_to_end(&mut bytes).map(drop);
    let result = match path.extension().and_then(OsStr::to_str) {
        Some("gz" | "tgz") => read(&mut flate2::read::GzDecoder::new(file)),
        Some("xz" | "txz") => read(&mut liblzma::read::XzDecoder::new(file)),
        Some("zst") => zstd::Decoder::new(file).and_then(|mut decoder| read(&mut decoder)),
        _ => read(&mut file),
    };
    result.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes
}
