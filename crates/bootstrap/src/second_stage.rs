//! Roots in two stages: `--foreign` unpacks and records, the second stage runs what has to be run.

use bareroot_enter::Warden;
use bareroot_enter::mode::Mode;
use bareroot_ledger::Scope;
use bareroot_model::{Event, Phase};
use bareroot_unpack::Root;

use crate::context::Context;
use crate::error::Error;
use crate::request::{HookKind, Request};
use crate::story::{Ground, Report};
use crate::target::{Destination, Target};
use crate::{deb, mode, rpm, tools};

/// Where a root keeps what its second stage needs; it is gone after that.
pub const HOME: &str = "bareroot";

/// Says what is left to do.
const ABOUT: &str = "about";

/// Says how many acts are done.
const DONE: &str = "done";

/// Which second stage is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The root's family.
    pub family: String,
    /// The root's architecture, by its family's name.
    pub arch: String,
    /// `SOURCE_DATE_EPOCH` of the first stage.
    pub epoch: Option<i64>,
    /// How many packages there are.
    pub packages: usize,
}

impl About {
    /// Writes it into a root.
    ///
    /// # Errors
    /// When the root refuses.
    pub fn write(&self, root: &Root) -> Result<(), Error> {
        root.create_dir_all(HOME, 0o755)?;
        let mut text = format!(
            "family {}\narch {}\npackages {}\n",
            self.family, self.arch, self.packages
        );
        if let Some(epoch) = self.epoch {
            text += &format!("epoch {epoch}\n");
        }
        Ok(root.write(format!("{HOME}/{ABOUT}"), 0o644, text.as_bytes())?)
    }

    /// Reads it; `None` where no second stage is due.
    ///
    /// # Errors
    /// When it has another form.
    pub fn read(root: &Root) -> Result<Option<About>, Error> {
        let Some(bytes) = root.read_if_exists(format!("{HOME}/{ABOUT}"))? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        let malformed = |line: &str| Error::SecondStage {
            file: format!("/{HOME}/{ABOUT}"),
            found: line.to_owned(),
        };
        let mut about = About {
            family: String::new(),
            arch: String::new(),
            epoch: None,
            packages: 0,
        };
        for line in text.lines() {
            let (key, value) = line.split_once(' ').ok_or_else(|| malformed(line))?;
            match key {
                "family" => about.family = value.to_owned(),
                "arch" => about.arch = value.to_owned(),
                "packages" => about.packages = value.parse().map_err(|_| malformed(line))?,
                "epoch" => about.epoch = Some(value.parse().map_err(|_| malformed(line))?),
                _ => return Err(malformed(line)),
            }
        }
        Ok(Some(about))
    }
}

/// How many acts of the second stage are done.
///
/// # Errors
/// When it is kept in another form.
pub fn begun(root: &Root) -> Result<usize, Error> {
    let Some(bytes) = root.read_if_exists(format!("{HOME}/{DONE}"))? else {
        return Ok(0);
    };
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    text.parse().map_err(|_| Error::SecondStage {
        file: format!("/{HOME}/{DONE}"),
        found: text,
    })
}

/// Keeps how many acts are done; whole, or not at all.
///
/// # Errors
/// When the root refuses.
pub fn keep_done(root: &Root, acts: usize) -> Result<(), Error> {
    let new = format!("{HOME}/{DONE}.new");
    root.write(&new, 0o644, format!("{acts}\n").as_bytes())?;
    Ok(root.rename(&new, format!("{HOME}/{DONE}"))?)
}

/// Finishes the root at `target`, which `--foreign` made. It is changed where it is: an error leaves it unfinished, to be
/// tried again.
///
/// # Errors
/// See [`Error`]; its class is the exit code.
pub fn second_stage(
    request: &Request,
    target: &Target,
    warden: &Warden,
    context: &Context,
) -> Result<Report, Error> {
    tools::raise_file_limit();
    let path = match target {
        Target::Directory(path) => path.clone(),
        Target::Archive(Destination::File(path), _) => path.clone(),
        Target::Archive(Destination::Stdout, _) => "-".into(),
    };
    let root = Root::open(&path)?;
    let root = match mode::ledger(request.mode) {
        Some(ledger) => root.with_ledger(ledger),
        None => root,
    };
    let about = About::read(&root)?.ok_or_else(|| Error::NoSecondStage { root: path.clone() })?;
    let made = root.ledger_scope()?.map(|scope| match scope {
        Scope::Devices => Mode::Unshare,
        Scope::All => Mode::Single,
    });
    if let Some(made) = made.filter(|made| *made != request.mode) {
        return Err(Error::OtherMode {
            root: path,
            made: made.word(),
            mode: request.mode.word(),
        });
    }
    root.load_ledger()?;
    let ground = Ground {
        request,
        root: &root,
        warden,
        context,
    };
    let result = match about.family.as_str() {
        deb::FAMILY => deb::second_stage::finish(&about, &ground),
        rpm::FAMILY => rpm::second_stage::finish(&about, &ground),
        family => Err(Error::SecondStage {
            file: format!("/{HOME}/{ABOUT}"),
            found: format!("family {family}"),
        }),
    };
    // Also of what was done before a failure.
    let saved = root.save_ledger();
    let grown = result?;
    saved?;
    context.phase(Phase::Finish, || root.sync())?;
    let report = Report {
        target: Target::Directory(path),
        packages: grown.packages,
        bytes: grown.bytes,
    };
    context.tell(Event::Done {
        packages: report.packages,
        bytes: report.bytes,
        seconds: context.seconds(),
    });
    Ok(report)
}

/// Hooks that run when packages are configured have to wait for that.
///
/// # Errors
/// [`Error::HookTooEarly`] for the first of them.
pub fn refuse_late_hooks(request: &Request) -> Result<(), Error> {
    let late = |kind| matches!(kind, HookKind::Essential | HookKind::Customize);
    match request
        .hooks
        .iter()
        .find(|hook| request.foreign && late(hook.kind))
    {
        Some(hook) => Err(Error::HookTooEarly {
            kind: hook.kind.word(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_and_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert_eq!(About::read(&root).unwrap(), None);
        for epoch in [None, Some(-1), Some(1_700_000_000)] {
            let about = About {
                family: "deb".into(),
                arch: "arm64".into(),
                epoch,
                packages: 78,
            };
            about.write(&root).unwrap();
            assert_eq!(About::read(&root).unwrap(), Some(about));
        }
        for text in ["family", "packages many", "epoch x", "size 7"] {
            root.write("bareroot/about", 0o644, text.as_bytes()).unwrap();
            assert!(About::read(&root).is_err(), "{text}");
        }
    }

    #[test]
    fn how_far_it_is_and_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        root.create_dir(HOME, 0o755).unwrap();
        assert_eq!(begun(&root).unwrap(), 0);
        keep_done(&root, 12).unwrap();
        assert_eq!(begun(&root).unwrap(), 12);
        root.write("bareroot/done", 0o644, b"some\n").unwrap();
        let error = begun(&root).unwrap_err().to_string();
        assert_eq!(error, "/bareroot/done is not as bareroot writes it: `some`");
    }
}
