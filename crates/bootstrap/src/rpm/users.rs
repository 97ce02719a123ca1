//! Users and groups that packages declare, made before their %pre as rpm does it since 4.19.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bareroot_rpm::{Evr, Header};
use bareroot_rpm_script::sysusers::{self, Accounts};
use bareroot_unpack::Root;

use super::unpack::inside;
use crate::context::Context;
use crate::error::Error;

/// The first rpm that makes users itself.
const SINCE: &str = "4.19";

/// Whether packages' users are made in a root of these packages: its own rpm decides, by its version. A root without rpm is
/// made by one that is as new as can be.
pub fn are_made(headers: &[&Header]) -> bool {
    let mut rpms = headers
        .iter()
        .map(|header| header.nevra())
        .filter(|nevra| nevra.name == "rpm");
    rpms.all(|nevra| Evr::parse(&nevra.version).compare(&Evr::parse(SINCE)).is_ge())
}

/// Makes the users and groups that a package declares; those that are there stay as they are. The day is that of `epoch`,
/// where there is one.
///
/// # Errors
/// [`Error::Script`] for a declaration that is none; when the root refuses.
pub fn make(root: &Root, header: &Header, epoch: Option<i64>, context: &Context) -> Result<(), Error> {
    let lines = sysusers::lines_of(header);
    if lines.is_empty() {
        return Ok(());
    }
    let read = |path: &str| -> Result<Vec<u8>, Error> { Ok(root.read_if_exists(path)?.unwrap_or_default()) };
    let before = Accounts {
        passwd: read("etc/passwd")?,
        group: read("etc/group")?,
        shadow: read("etc/shadow")?,
        gshadow: read("etc/gshadow")?,
        login_defs: read("etc/login.defs")?,
        today: today(epoch),
    };
    let owner = |path: &[u8]| {
        let stat = root.stat(inside(path)).ok().flatten()?;
        Some((stat.uid, stat.gid))
    };
    let mut after = before.clone();
    let notes = sysusers::apply(&lines, &mut after, &owner).map_err(|error| Error::Script {
        what: format!("%sysusers({}) scriptlet", header.nevra()),
        status: "exit code 1".to_owned(),
        log: format!("\n  {error}"),
    })?;
    for note in notes {
        context.warn(format!("{}: {note}", header.nevra()));
    }
    root.create_dir_all("etc", 0o755)?;
    for (path, mode, before, after) in [
        ("etc/passwd", 0o644, &before.passwd, &after.passwd),
        ("etc/group", 0o644, &before.group, &after.group),
        ("etc/shadow", 0, &before.shadow, &after.shadow),
        ("etc/gshadow", 0, &before.gshadow, &after.gshadow),
    ] {
        if before != after {
            write(root, Path::new(path), mode, after)?;
        }
    }
    Ok(())
}

/// Writes a file with the mode, owner and group that it has, or else a mode of its own.
fn write(root: &Root, path: &Path, mode: u32, text: &[u8]) -> Result<(), Error> {
    let there = root.stat(path)?;
    root.write(path, there.as_ref().map_or(mode, |stat| stat.mode & 0o7777), text)?;
    if let Some(stat) = there.filter(|stat| (stat.uid, stat.gid) != (0, 0)) {
        root.chown(path, stat.uid, stat.gid)?;
        root.chmod(path, stat.mode & 0o7777)?;
    }
    Ok(())
}

/// Days since 1970, by SOURCE_DATE_EPOCH where it is set.
fn today(epoch: Option<i64>) -> u64 {
    const DAY: u64 = 86_400;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH);
    match epoch {
        Some(epoch) => u64::try_from(epoch).unwrap_or_default() / DAY,
        None => now().map_or(0, |since| since.as_secs() / DAY),
    }
}
