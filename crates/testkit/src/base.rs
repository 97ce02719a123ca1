//! A distribution of a handful of packages that really bootstraps, with the programs of [`crate::programs`].

use std::sync::OnceLock;

use crate::deb::{Compression, DebBuilder, Item};
use crate::programs::{DPKG, INTERPRETER, program, script};
use crate::repo::{Published, RepoBuilder, Suite};

/// This machine's architecture, as Debian calls it.
pub const ARCH: &str = match std::env::consts::ARCH.as_bytes() {
    b"aarch64" => "arm64",
    _ => "amd64",
};

const PASSWD: &str = "root:*:0:0:root:/root:/bin/bash\ndaemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
                      _apt:*:42:65534::/nonexistent:/usr/sbin/nologin\n";
const GROUP: &str = "root:*:0:\ndaemon:*:1:\ntty:*:5:\nshadow:*:42:\n";

/// An empty package of this machine's architecture.
pub fn package(name: &str, version: &str) -> DebBuilder {
    DebBuilder::new(name, version, ARCH)
        .field("Priority", "optional")
        .compression(Compression::Gzip)
}

/// A package that comes by itself.
fn essential(name: &str, version: &str) -> DebBuilder {
    package(name, version)
        .field("Priority", "required")
        .field("Essential", "yes")
}

/// A suite for this machine's architecture.
pub fn suite(name: &str) -> Suite {
    Suite {
        architectures: vec![ARCH.into()],
        ..Suite::new(name)
    }
}

/// A repository of one suite with one component `main`, with the [`packages`] in it.
pub fn repository(name: &str) -> RepoBuilder {
    with_base(RepoBuilder::new().suite(suite(name)), name)
}

/// Adds the [`packages`] to a suite's component `main`.
pub fn with_base(repository: RepoBuilder, suite: &str) -> RepoBuilder {
    // The program is megabytes, and its digests take a while in a debug build.
    static BASE: OnceLock<RepoBuilder> = OnceLock::new();
    let base = BASE.get_or_init(|| {
        let add = |base: RepoBuilder, package| base.package("", "main", package);
        packages().iter().fold(RepoBuilder::new(), add)
    });
    base.packages().iter().fold(repository, |repository, package| {
        repository.published(Published {
            suite: suite.into(),
            ..package.clone()
        })
    })
}

/// What every root of the tests has: three essential packages, and apt.
pub fn packages() -> [DebBuilder; 4] {
    [base_files(), base_passwd(), dpkg(), apt()]
}

/// The directories; as in trixie with the links of the merged /usr, whose text is that of Debian's.
pub fn base_files() -> DebBuilder {
    ["bin", "lib", "sbin"]
        .iter()
        .fold(directories("13.8"), |deb, name| {
            deb.symlink(&format!("/{name}"), &format!("usr/{name}"))
        })
}

/// The directories as before the merged /usr.
pub fn base_files_unmerged() -> DebBuilder {
    directories("12.4")
        .directory("/bin")
        .directory("/lib")
        .directory("/sbin")
}

fn directories(version: &str) -> DebBuilder {
    let deb = essential("base-files", version)
        .item(Item::directory("./root/").mode(0o700))
        .item(Item::directory("./tmp/").mode(0o1777))
        .conffile("/etc/issue", "a root of tests\n")
        .symlink("/etc/os-release", "../usr/lib/os-release")
        .file("/usr/lib/os-release", "ID=test\n")
        .md5sums()
        .script(
            "postinst",
            script("touch /var/log/wtmp\nchmod /var/log/wtmp 664\nchown /var/log/wtmp 0 5"),
        );
    [
        "/home",
        "/proc",
        "/run",
        "/sys",
        "/usr/bin",
        "/usr/sbin",
        "/var/log",
        "/var/cache",
        "/var/lib",
    ]
    .iter()
    .fold(deb, |deb, path| deb.directory(path))
}

/// Users and groups, made by its preinst as Debian's does it.
pub fn base_passwd() -> DebBuilder {
    let masters = "/usr/share/base-passwd";
    essential("base-passwd", "3.6.7")
        .file(&format!("{masters}/passwd.master"), PASSWD)
        .file(&format!("{masters}/group.master"), GROUP)
        .md5sums()
        .script(
            "preinst",
            script(&format!(
                "copy {masters}/passwd.master /etc/passwd\ncopy {masters}/group.master /etc/group"
            )),
        )
}

/// The programs; two names of one file.
pub fn dpkg() -> DebBuilder {
    // Hashing and copying it is all that it costs: it is not compressed.
    essential("dpkg", "1.22.21")
        .executable(DPKG, program())
        .hardlink(INTERPRETER, DPKG)
        .directory("/var/lib/dpkg/info")
        .md5sums()
        .compression(Compression::None)
}

/// A package called apt, with nothing of apt's but its directories.
pub fn apt() -> DebBuilder {
    package("apt", "3.0.3")
        .field("Priority", "important")
        .directory("/var/lib/apt/lists/partial")
        .md5sums()
}
