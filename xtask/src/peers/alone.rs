//! The binary alone, with CA certificates and a resolv.conf, in an otherwise empty root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::root;
use crate::machine;
use crate::report::{Report, lines};
use crate::run::{find, must, run as run_program};
use crate::workshop::Workshop;

/// Where systems keep the certificates of authorities; the empty root has the first of them that this machine has.
const AUTHORITIES: &[&str] = &[
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
];

/// Bytes of the file that becomes an ext4 file system.
const IMAGE: u64 = 2 << 30;

/// A place for the target inside the empty root.
#[derive(Clone, Copy, Debug)]
enum Place {
    Directory,
    Tmpfs,
    Ext4,
}

/// The checks.
///
/// # Errors
/// When this machine's apt has no mirror, or a root cannot be removed.
pub fn run(workshop: &Workshop, report: &mut Report) -> Result<()> {
    let mirror = machine::debian_mirror()?;
    for place in [Place::Directory, Place::Tmpfs, Place::Ext4] {
        let what = match place {
            Place::Directory => "the binary alone bootstraps into a directory",
            Place::Tmpfs => "the binary alone bootstraps into a mounted tmpfs",
            Place::Ext4 => "the binary alone bootstraps into a fresh ext4",
        };
        let home = workshop.fresh("alone");
        let mount = match prepare(&home, &workshop.bareroot, place) {
            Ok(mount) => mount,
            Err(error) => {
                report.skip(what, &format!("{error:#}"));
                workshop.remove(&home)?;
                continue;
            }
        };
        let made = bootstrap(&home, &mirror);
        let evidence = made
            .err()
            .map(|error| lines(&format!("{error:#}")))
            .unwrap_or_default();
        report.check(what, &evidence);
        drop(mount);
        workshop.remove(&home)?;
    }
    Ok(())
}

/// A file system that is mounted until this is dropped.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Err(error) = must(Command::new("umount").arg(&self.0)) {
            eprintln!("xtask: {error:#}");
        }
    }
}

/// The root with nothing but what the issue allows; its `target` is the place.
fn prepare(home: &Path, bareroot: &Path, place: Place) -> Result<Option<Mounted>> {
    fs::create_dir_all(home)?;
    fs::copy(bareroot, home.join("bareroot"))?;
    let authorities = AUTHORITIES
        .iter()
        .find(|path| Path::new("/").join(path).is_file());
    for path in authorities.into_iter().chain(&["etc/resolv.conf"]) {
        let from = Path::new("/").join(path);
        let to = home.join(path);
        fs::create_dir_all(to.parent().context("a path without a parent")?)?;
        fs::copy(&from, &to).with_context(|| from.display().to_string())?;
    }
    let target = home.join("target");
    let mut mount = Command::new("mount");
    match place {
        Place::Directory => return Ok(None),
        Place::Tmpfs => mount.args(["-t", "tmpfs", "tmpfs"]),
        Place::Ext4 => {
            let image = home.with_extension("ext4");
            fs::File::create(&image)?.set_len(IMAGE)?;
            must(Command::new("mkfs.ext4").arg("-q").arg("-F").arg(&image))?;
            mount.args(["-o", "loop"]).arg(image)
        }
    };
    fs::create_dir(&target)?;
    must(mount.arg(&target))?;
    Ok(Some(Mounted(target)))
}

fn bootstrap(home: &Path, mirror: &str) -> Result<()> {
    let mut command = Command::new(find("chroot").context("chroot is not installed")?);
    command.arg(home).args([
        "/bareroot",
        "bootstrap",
        "debian:trixie",
        "/target",
        "--mirror",
        mirror,
    ]);
    let ran = run_program(command.env_clear())?;
    if !ran.success {
        bail!("{}\n{}", ran.status, ran.tail());
    }
    let target = home.join("target");
    let packages = root::packages(&target)?;
    ensure!(packages.len() > 50, "only {} packages", packages.len());
    let broken: Vec<&String> = packages
        .iter()
        .filter(|line| !line.ends_with(" install ok installed"))
        .collect();
    ensure!(broken.is_empty(), "not installed: {broken:?}");
    for words in root::DPKG_CHECKS.iter().chain(&[root::APT_CHECK]) {
        let said = root::complaints(&target, words)?;
        ensure!(said.is_empty(), "{}: {said:?}", words.join(" "));
    }
    let mut left: Vec<String> = Vec::new();
    for entry in fs::read_dir(&target)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.contains("bareroot") {
            left.push(name);
        }
    }
    ensure!(left.is_empty(), "left in the target: {left:?}");
    let mounts = crate::workshop::mounts_below(&target)?;
    ensure!(mounts.len() <= 1, "left mounted: {mounts:?}");
    Ok(())
}
