//! Chapter four: the target gets what must be there before the first payload: the usr-merge links, the directories and
//! configuration that apt and dpkg expect, devices, and what the root takes from this host.

use std::io::ErrorKind;
use std::path::Path;

use bareroot_deb::{record, sources};
use bareroot_unpack::{Node, Root};
use rustix::io::Errno;

use crate::bounded;
use crate::context::Context;
use crate::deb::plan::{MergedUsr, Plan};
use crate::deb::solve::Solution;
use crate::error::Error;
use crate::request::Request;

/// Where the suites stand in the root, in deb822 format (sources.list(5)).
pub const SOURCES: &str = "etc/apt/sources.list.d/0000bareroot.sources";

/// apt's and dpkg's directories, as mmdebstrap makes them.
const DIRECTORIES: &[&str] = &[
    "etc/apt/apt.conf.d",
    "etc/apt/sources.list.d",
    "etc/apt/preferences.d",
    "etc/dpkg/dpkg.cfg.d",
    "var/cache/apt",
    "var/lib/apt/lists/partial",
    "var/log/apt",
    "var/lib/dpkg/triggers",
    "var/lib/dpkg/info",
    "var/lib/dpkg/alternatives",
    "var/lib/dpkg/updates",
];

/// A device of /dev: name, major and minor number, for mknod(2).
const DEVICES: &[(&str, u32, u32)] = &[
    ("console", 5, 1),
    ("full", 1, 7),
    ("null", 1, 3),
    ("ptmx", 5, 2),
    ("random", 1, 8),
    ("tty", 5, 0),
    ("urandom", 1, 9),
    ("zero", 1, 5),
];

/// Links of /dev.
const LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// Prepares the root.
///
/// # Errors
/// When the root refuses, or a file that an option names cannot be read.
pub fn prepare(
    root: &Root,
    request: &Request,
    plan: &Plan,
    solution: &Solution,
    context: &Context,
) -> Result<(), Error> {
    root.chmod("/", 0o755)?;
    if merged(plan, solution) {
        merge_usr(root, &plan.arch)?;
    }
    for directory in DIRECTORIES {
        root.create_dir_all(directory, 0o755)?;
    }
    root.create_dir_all("tmp", 0o1777)?;
    root.chmod("tmp", 0o1777)?;
    let architectures = record::architectures(&plan.arch, plan.foreign.iter().map(String::as_str));
    root.write(&architectures.path, architectures.mode, &architectures.bytes)?;
    root.write("etc/fstab", 0o644, b"# UNCONFIGURED FSTAB FOR BASE SYSTEM\n")?;
    root.write(
        "etc/apt/apt.conf.d/00bareroot",
        0o644,
        b"Apt::Install-Recommends false;\nAcquire::Languages \"none\";\n",
    )?;
    options(root, "etc/apt/apt.conf.d/99bareroot", &request.apt_options, ";")?;
    options(root, "etc/dpkg/dpkg.cfg.d/99bareroot", &request.dpkg_options, "")?;
    write_sources(root, plan)?;
    host_files(root, request, context)?;
    devices(root, context)
}

/// Whether the root's top level is links.
fn merged(plan: &Plan, solution: &Solution) -> bool {
    match plan.merged_usr {
        MergedUsr::Yes => true,
        MergedUsr::No => false,
        // Either package is there just because the suite is merged; from version 13 on base-files ships the links.
        MergedUsr::ByPackages => {
            let has = |name: &str| solution.version_of(name).is_some();
            let ships = solution
                .version_of("base-files")
                .is_some_and(|version| bareroot_deb::version::compare(version, "13~").is_ge());
            has("usrmerge") || has("usr-is-merged") || ships
        }
    }
}

/// The links, with the texts that base-files gives them, and the directories that they lead to.
fn merge_usr(root: &Root, arch: &str) -> Result<(), Error> {
    // The directories beside /lib are those in which the architecture's ABI has its dynamic loader, with the ones that
    // older releases had for multilib.
    let libraries: &[&str] = match arch {
        "amd64" => &["lib", "lib64"],
        "loong64" | "ppc64" | "ppc64el" | "s390x" => &["lib", "lib64"],
        _ => &["lib"],
    };
    for name in ["bin", "sbin"].iter().chain(libraries) {
        root.create_dir_all(format!("usr/{name}"), 0o755)?;
        root.symlink(format!("usr/{name}"), name)?;
    }
    Ok(())
}

/// Options in a file of their own; each is a line, or a file of lines.
fn options(root: &Root, path: &str, options: &[String], end: &str) -> Result<(), Error> {
    if options.is_empty() {
        return Ok(());
    }
    let mut text = Vec::new();
    for option in options {
        let file = Path::new(option);
        if file.is_file() {
            text.extend(bounded::read(file).map_err(|source| Error::Read {
                path: file.to_owned(),
                source,
            })?);
        } else {
            text.extend_from_slice(option.as_bytes());
            if !end.is_empty() && !option.trim_end().ends_with(end) {
                text.extend_from_slice(end.as_bytes());
            }
        }
        if text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
    }
    Ok(root.write(path, 0o644, &text)?)
}

fn write_sources(root: &Root, plan: &Plan) -> Result<(), Error> {
    let sources: Vec<_> = plan.sources.iter().map(|planned| planned.for_target()).collect();
    Ok(root.write(SOURCES, 0o644, sources::render(&sources)?.as_bytes())?)
}

/// resolv.conf and hostname, with the mode that they have here, as mmdebstrap copies them.
fn host_files(root: &Root, request: &Request, context: &Context) -> Result<(), Error> {
    if let Some(name) = &request.hostname {
        root.write("etc/hostname", 0o644, format!("{name}\n").as_bytes())?;
    }
    if request.no_host_files {
        return Ok(());
    }
    for (host, name) in [
        ("/etc/resolv.conf", "etc/resolv.conf"),
        ("/etc/hostname", "etc/hostname"),
    ] {
        if root.exists(name)? {
            continue;
        }
        match bounded::read(Path::new(host)) {
            Ok(bytes) => {
                use std::os::unix::fs::PermissionsExt as _;
                let kept = std::fs::symlink_metadata(host)
                    .ok()
                    .filter(|metadata| metadata.is_file());
                let mode = kept.map_or(0o644, |metadata| metadata.permissions().mode() & 0o7777);
                root.write(name, mode, &bytes)?;
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                context.note(format!("this host has no {host} to copy"));
            }
            Err(error) => return Err(bareroot_unpack::Error::io("read", host, error).into()),
        }
    }
    Ok(())
}

/// Whether a host does not let us make nodes: as in a user namespace, or by a security module or a seccomp filter. A disk
/// that is full is another matter.
fn may_not(error: &bareroot_unpack::Error) -> bool {
    [Errno::PERM, Errno::ACCESS, Errno::NOSYS, Errno::OPNOTSUPP]
        .iter()
        .any(|refusal| error.raw_os_error() == Some(refusal.raw_os_error()))
}

/// /dev, where this host lets us make nodes; where it does not, the session has its own all the same.
fn devices(root: &Root, context: &Context) -> Result<(), Error> {
    root.create_dir_all("dev", 0o755)?;
    for (name, major, minor) in DEVICES {
        match root.mknod(format!("dev/{name}"), Node::Char(*major, *minor), 0o666) {
            Err(error) if may_not(&error) => {
                context.warn(format!("/dev of the root stays empty: {error}"));
                return Ok(());
            }
            made => made?,
        }
    }
    for (name, text) in LINKS {
        root.symlink(text, format!("dev/{name}"))?;
    }
    root.create_dir_all("dev/pts", 0o755)?;
    Ok(root.create_dir_all("dev/shm", 0o755)?)
}
