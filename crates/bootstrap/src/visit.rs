//! Entering a root that is there, with the ledger that goes with it.

use std::path::Path;
use std::sync::Arc;

use bareroot_enter::mode::{Choice, Mode};
use bareroot_enter::{Content, Extra, Status, Visit, Warden};
use bareroot_ledger::{Ledger, Scope};
use bareroot_unpack::Root;

use crate::error::Error;

/// apt's own switch to another user cannot come about where there is one id: it looks at its ids afterwards.
const APT: &str = "APT::Sandbox::User \"root\";\n";

/// Where the session has that, below /dev.
const APT_FILE: &str = ".bareroot/apt.conf";

/// The mode for a root that is there: one whose owners are recorded is worked on with one id, by whomever has no other
/// rights. Everything else is as asked for.
pub fn mode_for(root: &Path, choice: Choice) -> Choice {
    let scope = || Root::open(root).ok()?.ledger_scope().ok()?;
    match choice {
        Choice::Auto if !rustix::process::geteuid().is_root() && scope() == Some(Scope::All) => {
            Choice::Only(Mode::Single)
        }
        other => other,
    }
}

/// Enters a root; what programs give to others in it is recorded, where owners are.
///
/// # Errors
/// As for [`Visit::run`], and when the ledger cannot be read or written.
pub fn enter(
    mut visit: Visit,
    mode: Mode,
    warden: &Warden,
    note: &mut dyn FnMut(&str),
) -> Result<Status, Error> {
    let Some(root) = recorded(&visit.root, mode)? else {
        return Ok(visit.run(warden, note)?);
    };
    visit.ledger = root.ledger().cloned();
    visit.extras.push(Extra {
        path: APT_FILE.into(),
        content: Content::File {
            mode: 0o644,
            bytes: APT.into(),
        },
    });
    visit
        .env
        .insert(0, ("APT_CONFIG".into(), format!("/dev/{APT_FILE}").into()));
    let status = visit.run(warden, note);
    // Also where it did not end well: what was recorded by then is so.
    let is_new = root.ledger_scope()?.is_none();
    let has_anything = root.ledger().is_some_and(|ledger| !ledger.is_empty());
    if has_anything || !is_new {
        root.save_ledger()?;
    }
    Ok(status?)
}

/// The root with its ledger, where owners are recorded; `None` where they are real.
fn recorded(path: &Path, mode: Mode) -> Result<Option<Root>, Error> {
    // What is no directory is told by the visit, in its own words.
    let Ok(root) = Root::open(path) else {
        return Ok(None);
    };
    if mode != Mode::Single && root.ledger_scope()? != Some(Scope::All) {
        return Ok(None);
    }
    let root = root.with_ledger(Arc::new(Ledger::new(Scope::All)));
    root.load_ledger()?;
    Ok(Some(root))
}
