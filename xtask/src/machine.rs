//! What this machine has, and what it is given for the comparisons.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::run::{find, must};

/// Programs that the comparisons run, and the package of each.
const PEERS: &[(&str, &str)] = &[
    ("debootstrap", "debootstrap"),
    ("mmdebstrap", "mmdebstrap"),
    ("arch-test", "arch-test"),
    ("apt-ftparchive", "apt-utils"),
    ("dpkg-architecture", "dpkg-dev"),
    ("perl", "perl"),
    ("strace", "strace"),
    ("mkfs.ext4", "e2fsprogs"),
    ("mount", "mount"),
];

/// What the bench runs beside them.
const BENCH: &[(&str, &str)] = &[("nginx", "nginx-light"), ("time", "time")];

/// What archives are compared with.
const TAR: &[(&str, &str)] = &[
    ("tar", "tar"),
    ("gzip", "gzip"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
];

/// What the bench of archives runs beside them.
const BENCH_TAR: &[(&str, &str)] = &[("pigz", "pigz"), ("time", "time")];

/// What copies trees, and makes file systems that share blocks.
const CLONE: &[(&str, &str)] = &[
    ("tar", "tar"),
    ("cp", "coreutils"),
    ("rsync", "rsync"),
    ("bsdtar", "libarchive-tools"),
    ("zstd", "zstd"),
    ("time", "time"),
    ("mkfs.xfs", "xfsprogs"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("mount", "mount"),
];

/// What is carried from this system in a quick run.
const CARRY: &[(&str, &str)] = &[
    ("bash", "bash"),
    ("nginx", "nginx-light"),
    ("perl", "perl"),
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("ping", "iputils-ping"),
    ("tar", "tar"),
    ("zstd", "zstd"),
    ("ldd", "libc-bin"),
];

/// What runs programs of another architecture, and becomes another user.
const FOREIGN: &[(&str, &str)] = &[
    ("qemu-aarch64-static", "qemu-user-static"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
];

/// What building an RPM distribution and comparing with dnf needs.
const RPM: &[(&str, &str)] = &[
    ("rpmbuild", "rpm"),
    ("rpmsign", "rpm"),
    ("createrepo_c", "createrepo-c"),
    ("modifyrepo_c", "createrepo-c"),
    ("dnf", "dnf"),
    ("gpg", "gpg"),
    ("gpgconf", "gpgconf"),
    ("gpg-agent", "gpg-agent"),
    ("dpkg-deb", "dpkg"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
    ("nginx", "nginx-light"),
    ("strace", "strace"),
    ("mount", "mount"),
];

/// What enters a root, beside bareroot.
const ENTER: &[(&str, &str)] = &[
    ("chroot", "coreutils"),
    ("unshare", "util-linux"),
    ("bwrap", "bubblewrap"),
    ("systemd-nspawn", "systemd-container"),
];

/// What running as ordinary users needs.
const USERS: &[(&str, &str)] = &[
    ("newuidmap", "uidmap"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
    ("tar", "tar"),
];

/// What building rdebootstrap needs.
const RDEBOOTSTRAP: &[&str] = &[
    "libgpgme-dev",
    "libgpg-error-dev",
    "nettle-dev",
    "clang",
    "libclang-dev",
    "pkg-config",
];

/// Which programs a chore needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The comparisons of roots.
    Peers,
    /// The comparisons of archives.
    Tar,
    /// The bench.
    Bench,
    /// The bench of archives.
    BenchTar,
    /// Copies of trees, compared and measured.
    BenchClone,
    /// Programs to carry.
    Carry,
    /// Programs to carry, and what runs those of another architecture.
    CarryForeign,
    /// The comparison of roots of another architecture.
    Foreign,
    /// The comparison with Ubuntu.
    Ubuntu,
    /// Roots of partial mirrors of both families, and a web server for them.
    Offline,
    /// The RPM distribution, and the comparison with dnf.
    Rpm,
    /// Ordinary users.
    Users,
    /// The bench with ordinary users.
    BenchUsers,
    /// Ordinary users, and the RPM distribution.
    UsersAndRpm,
    /// The bench with dnf.
    BenchRpm,
    /// The bench of entering a root.
    Enter,
    /// Ordinary users, and memory measured.
    Soak,
    /// The RPM distribution, and the comparison with rpm and Berkeley DB.
    Rpmdb,
}

/// Installs what is missing.
///
/// # Errors
/// A reason to skip the chore, in one line: not root, no apt, or a package that cannot be installed.
pub fn prepare(need: Need) -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "roots are made and compared as root"
    );
    let mut programs = PEERS.to_vec();
    let mut packages: Vec<&str> = Vec::new();
    match need {
        Need::Peers => {}
        Need::Tar => programs.extend(TAR),
        Need::BenchTar => programs.extend(TAR.iter().chain(BENCH_TAR)),
        Need::BenchClone => programs = CLONE.to_vec(),
        Need::Carry => programs = CARRY.to_vec(),
        Need::CarryForeign => programs = [CARRY, FOREIGN].concat(),
        Need::Bench => programs.extend(BENCH),
        Need::Offline => programs.extend(BENCH.iter().chain(USERS).chain(RPM)),
        Need::Foreign => programs.extend(FOREIGN),
        Need::Ubuntu => packages.push("ubuntu-keyring"),
        Need::Rpm => programs = RPM.to_vec(),
        Need::Users => programs = USERS.to_vec(),
        Need::Soak => programs = [USERS, &[("time", "time")]].concat(),
        Need::BenchUsers => programs = [USERS, BENCH].concat(),
        Need::UsersAndRpm => programs = [RPM, USERS].concat(),
        Need::Rpmdb => {
            programs = RPM.to_vec();
            programs.push(("db5.3_verify", "db5.3-util"));
        }
        Need::BenchRpm => programs = [RPM, BENCH].concat(),
        Need::Enter => programs = ENTER.to_vec(),
    }
    packages.retain(|package| !installed(package));
    packages.extend(
        programs
            .iter()
            .filter(|(program, _)| find(program).is_none())
            .map(|(_, package)| *package),
    );
    install(&packages)
}

/// Installs what building rdebootstrap needs.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_to_build_rdebootstrap() -> Result<()> {
    let missing: Vec<&str> = RDEBOOTSTRAP
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect();
    install(&missing)
}

/// Installs what building the fuzz targets needs: libFuzzer is C++.
///
/// # Errors
/// As [`prepare`], but no root is needed where there is a C++ compiler.
pub fn prepare_to_fuzz() -> Result<()> {
    match find("c++") {
        Some(_) => Ok(()),
        None => install(&["g++"]),
    }
}

fn installed(package: &str) -> bool {
    let query = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status}", package])
        .output();
    query.is_ok_and(|output| output.stdout == b"installed")
}

fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    ensure!(
        find("apt-get").is_some(),
        "without apt, {} cannot be installed",
        packages.join(", ")
    );
    println!("note installing {}", packages.join(", "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    must(apt().args(["-q", "update"]))?;
    must(
        apt()
            .args(["-q", "install", "-y", "--no-install-recommends"])
            .args(packages),
    )?;
    Ok(())
}

/// The mirror that this machine's apt has for Debian's main archive.
///
/// # Errors
/// When its apt has none.
pub fn debian_mirror() -> Result<String> {
    let listed = must(Command::new("apt-get").args(["indextargets", "--format", "$(LABEL)\t$(SITE)"]))?;
    let site = listed
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("Debian\t"));
    match site {
        Some(site) => Ok(site.trim_end_matches('/').to_owned()),
        None => bail!("this machine's apt has no source of Debian's main archive"),
    }
}

/// This machine's architecture in Debian's words.
///
/// # Errors
/// When dpkg cannot say.
pub fn architecture() -> Result<String> {
    Ok(must(Command::new("dpkg").arg("--print-architecture"))?
        .stdout
        .trim()
        .to_owned())
}

/// bareroot's binary: the one that was named, else built as it ships.
///
/// # Errors
/// When there is none by that name, or it does not build.
pub fn bareroot(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        return fs::canonicalize(named).with_context(|| named.display().to_string());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--package",
            "bareroot-cli",
            "--bin",
            "bareroot",
        ])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo cannot be run")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut binary = None;
    for line in std::io::BufRead::lines(BufReader::new(output)) {
        let message: serde_json::Value = serde_json::from_str(&line?)?;
        if message["reason"] == "compiler-artifact" && message["target"]["name"] == "bareroot" {
            binary = message["executable"].as_str().map(PathBuf::from).or(binary);
        }
    }
    ensure!(child.wait()?.success(), "bareroot does not build");
    binary.context("cargo names no binary `bareroot`")
}

/// The top of the source tree.
pub fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// The directory of build results.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}
