//! Daemons must not start in a root that is being made: invoke-rc.d asks policy-rc.d (which answers 101, "forbidden by
//! policy"), and start-stop-daemon is put aside, as mmdebstrap does.

use bareroot_unpack::Root;

use crate::error::Error;

/// What invoke-rc.d asks.
pub const POLICY: &str = "usr/sbin/policy-rc.d";

/// Where start-stop-daemon is: an unmerged root has it in /sbin.
pub const STARTERS: [&str; 2] = ["usr/sbin/start-stop-daemon", "sbin/start-stop-daemon"];

/// What is added to a name that is put aside.
pub const REAL: &str = ".REAL";

/// What stands in its place says this.
pub const WARNING: &str = "Warning: Fake start-stop-daemon called, doing nothing";

/// The mark by which one knows that policy-rc.d is ours.
const MARK: &str = "policy";

/// What was put aside.
#[must_use]
pub struct Aside {
    policy: bool,
    mark: Option<String>,
    starter: Option<&'static str>,
}

/// Puts the two aside; what a run before has put aside already stays so, as the `marks` of that run tell.
pub fn put(root: &Root, marks: Option<&str>) -> Result<Aside, Error> {
    let mark = marks.map(|marks| format!("{marks}/{MARK}"));
    let policy = !root.exists(POLICY)?
        || mark
            .as_ref()
            .is_some_and(|mark| root.exists(mark).unwrap_or(false));
    if policy {
        if let Some(mark) = &mark {
            root.write(mark, 0o644, b"")?;
        }
        root.create_dir_all("usr/sbin", 0o755)?;
        root.write(POLICY, 0o755, b"#!/bin/sh\nexit 101\n")?;
    }
    let mut starter = None;
    for path in STARTERS {
        let real = format!("{path}{REAL}");
        if marks.is_none() || !root.exists(&real)? {
            if !root.exists(path)? {
                continue;
            }
            root.rename(path, &real)?;
        }
        starter = Some(path);
        root.write(
            path,
            0o755,
            format!("#!/bin/sh\necho '{WARNING}' >&2\n").as_bytes(),
        )?;
        break;
    }
    Ok(Aside {
        policy,
        mark,
        starter,
    })
}

impl Aside {
    /// Puts them back.
    pub fn put_back(self, root: &Root) -> Result<(), Error> {
        if let Some(path) = self.starter {
            root.rename(format!("{path}{REAL}"), path)?;
        }
        if self.policy {
            root.remove(POLICY)?;
        }
        match self.mark.filter(|_| self.policy) {
            Some(mark) => Ok(root.remove(mark)?),
            None => Ok(()),
        }
    }
}
