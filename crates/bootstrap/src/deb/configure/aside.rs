//! Daemons must not start in a root that is being made: invoke-rc.d asks policy-rc.d (which answers 101, "forbidden by
//! policy"), and start-stop-daemon is put aside, as mmdebstrap does.

use bareroot_unpack::Root;

use crate::error::Error;

const POLICY: &str = "usr/sbin/policy-rc.d";
const STARTER: &str = "usr/sbin/start-stop-daemon";
const STARTER_IN_SBIN: &str = "sbin/start-stop-daemon";

/// What was put aside.
#[must_use]
pub struct Aside {
    policy: bool,
    starter: Option<&'static str>,
}

/// Puts the two aside.
pub fn put(root: &Root) -> Result<Aside, Error> {
    let policy = !root.exists(POLICY)?;
    if policy {
        root.create_dir_all("usr/sbin", 0o755)?;
        root.write(POLICY, 0o755, b"#!/bin/sh\nexit 101\n")?;
    }
    // An unmerged root has it in /sbin.
    let mut starter = None;
    for path in [STARTER, STARTER_IN_SBIN] {
        if root.exists(path)? {
            starter = Some(path);
            break;
        }
    }
    if let Some(path) = starter {
        root.rename(path, format!("{path}.REAL"))?;
        let stub = b"#!/bin/sh\necho 'Warning: Fake start-stop-daemon called, doing nothing' >&2\n";
        root.write(path, 0o755, stub)?;
    }
    Ok(Aside { policy, starter })
}

impl Aside {
    /// Puts them back.
    pub fn put_back(self, root: &Root) -> Result<(), Error> {
        if let Some(path) = self.starter {
            root.rename(format!("{path}.REAL"), path)?;
        }
        if self.policy {
            root.remove(POLICY)?;
        }
        Ok(())
    }
}
