//! An RPM distribution of a handful of packages that really bootstraps, with the programs of [`crate::programs`].

use std::sync::OnceLock;

use crate::compress::Compression;
use crate::programs::{INTERPRETER, program};
use crate::rpm::{Item, Kind, RpmBuilder, sense};
use crate::rpm_repo::{Listed, RpmRepo, comps, environment, group};

/// This machine's architecture, as rpm calls it.
pub const ARCH: &str = std::env::consts::ARCH;

/// The group of what every root has.
pub const CORE: &str = "@core";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\n\
                      daemon:x:2:2:daemon:/sbin:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nbin:x:1:\ndaemon:x:2:\ntty:x:5:\n";

/// An empty package of this machine's architecture.
pub fn package(name: &str, evr: &str) -> RpmBuilder {
    RpmBuilder::new(name, evr, ARCH)
}

/// A package that needs what its scriptlets run with, and comes after it.
pub fn scripted(name: &str, evr: &str) -> RpmBuilder {
    package(name, evr).dependency(Kind::Requires, "/bin/sh", sense::PRE | sense::POST)
}

/// What every root of the tests has.
pub fn packages() -> [RpmBuilder; 4] {
    [setup(), filesystem(), shell(), release()]
}

/// A repository with the [`packages`] and their group in it.
pub fn repository() -> RpmRepo {
    with_groups(&[])
}

/// The [`repository`] with more groups and environments.
pub fn with_groups(parts: &[String]) -> RpmRepo {
    // The program is megabytes, and its digests take a while in a debug build.
    static BASE: OnceLock<Vec<Listed>> = OnceLock::new();
    let base = BASE.get_or_init(|| packages().iter().map(Listed::of).collect());
    let repository = base.iter().fold(RpmRepo::new(), |repository, package| {
        repository.listed(package.clone())
    });
    let own = [
        group(
            "core",
            "Core",
            &[
                ("setup", "mandatory"),
                ("filesystem", "mandatory"),
                ("tiny-release", "mandatory"),
                ("sh", "default"),
            ],
        ),
        environment("minimal-environment", "Minimal Install", &["core"], &[]),
    ];
    repository.groups(&comps(&[own.as_slice(), parts].concat()))
}

/// Users, groups and configuration.
pub fn setup() -> RpmBuilder {
    RpmBuilder::new("setup", "2.15.0-1", "noarch")
        .item(Item::file("/etc/passwd", PASSWD).config_noreplace())
        .item(Item::file("/etc/group", GROUP).config_noreplace())
        .item(
            Item::file("/etc/shadow", "root:*::0:99999:7:::\n")
                .mode(0)
                .config_noreplace(),
        )
        .item(Item::file("/etc/host.conf", "multi on\n").config_noreplace())
}

/// The directories, with the links of the merged /usr.
pub fn filesystem() -> RpmBuilder {
    let package = RpmBuilder::new("filesystem", "3.18-1", ARCH)
        .dependency(Kind::Requires, "setup", sense::PRE)
        .item(Item::directory("/").mode(0o555))
        .item(Item::directory("/proc").mode(0o555).ghost())
        .item(Item::directory("/sys").mode(0o555).ghost())
        .item(Item::directory("/root").mode(0o550))
        .item(Item::directory("/tmp").mode(0o1777))
        .item(Item::directory("/var/tmp").mode(0o1777))
        .item(Item::directory("/usr/bin").mode(0o555))
        .item(Item::directory("/usr/lib").mode(0o555))
        .item(Item::directory("/usr/lib64").mode(0o555))
        .item(Item::directory("/usr/sbin").mode(0o555));
    let links = ["bin", "lib", "lib64", "sbin"];
    let package = links.iter().fold(package, |package, name| {
        package.symlink(&format!("/{name}"), &format!("usr/{name}"))
    });
    let directories = [
        "/dev",
        "/etc",
        "/home",
        "/run",
        "/usr",
        "/usr/share",
        "/var",
        "/var/cache",
        "/var/lib",
        "/var/log",
    ];
    directories
        .iter()
        .fold(package, |package, path| package.directory(path))
}

/// The programs; three names of one file.
pub fn shell() -> RpmBuilder {
    // Hashing and copying it is all that it costs: it is not compressed.
    package("sh", "5.2-1")
        .dependency(Kind::Requires, "filesystem", sense::PRE)
        .provides("/bin/sh")
        .item(Item::file(INTERPRETER, program()).mode(0o755))
        .item(Item::hardlink("/usr/bin/sh", INTERPRETER))
        .compression(Compression::None)
}

/// What the distribution is.
pub fn release() -> RpmBuilder {
    RpmBuilder::new("tiny-release", "9-1", "noarch")
        .provides("system-release = 9")
        .provides("system-release(releasever) = 9")
        .requires("filesystem")
        .file("/usr/lib/os-release", "ID=tiny\nVERSION_ID=9\n")
        .symlink("/etc/os-release", "../usr/lib/os-release")
        .item(Item::directory("/etc/yum.repos.d"))
}
