//! What a carried program does in its root.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::fs::{XattrFlags, getxattr, removexattr, setxattr};

use super::Source;
use super::programs::Program;
use crate::run::{Ran, run};

const CAPABILITY: &str = "security.capability";

/// cap_net_raw, permitted and effective, as capabilities(7) lays out `struct vfs_cap_data` of revision 2.
const NET_RAW: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Debian's package leaves it without one where setcap(8) is not installed.
///
/// # Errors
/// When the file system has no capabilities, or the root no ping.
pub fn give_ping_its_capability(root: &Path) -> Result<()> {
    let ping = root.join("usr/bin/ping");
    setxattr(&ping, CAPABILITY, &NET_RAW, XattrFlags::empty()).with_context(|| ping.display().to_string())
}

/// Whether a file has one.
pub fn has_capability(path: &Path) -> bool {
    getxattr(path, CAPABILITY, &mut [0_u8; 24][..]).is_ok()
}

/// Why the program does not do its job.
pub fn evidence(source: &Source<'_>, program: &Program, root: &Path) -> Vec<String> {
    match inside(source, program, root) {
        Ok(ran) if !(ran.success && ran.stdout.contains(program.expected)) => ran.said(),
        Ok(_) if program.name == "ping" => without_capability(source, program, root),
        Ok(_) => Vec::new(),
        Err(error) => vec![format!("{error:#}")],
    }
}

fn inside(source: &Source<'_>, program: &Program, root: &Path) -> Result<Ran> {
    let job = ["timeout", "60"];
    run(Command::new(job[0])
        .arg(job[1])
        .arg(source.bareroot)
        .arg("enter")
        .arg(root)
        .args(["-u", program.user, "--", "/bin/sh", "-c", program.job]))
}

/// It was the capability by which an ordinary user's ping worked.
fn without_capability(source: &Source<'_>, program: &Program, root: &Path) -> Vec<String> {
    let ping = root.join("usr/bin/ping");
    if let Err(error) = removexattr(&ping, CAPABILITY) {
        return vec![format!("{}: no capability came along: {error}", ping.display())];
    }
    match inside(source, program, root) {
        Ok(ran) if ran.success => vec!["it works without its capability as well".to_owned()],
        Ok(_) => Vec::new(),
        Err(error) => vec![format!("{error:#}")],
    }
}
