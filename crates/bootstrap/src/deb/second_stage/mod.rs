//! The second stage: what is left to do in a root that was unpacked and recorded, and in which nothing has run.
//!
//! It is written into the root, as a course that a script follows on a machine that runs the root's programs, and that
//! [`finish`] follows as `configure` does where such programs can be run here.

mod script;
mod stored;

use std::os::fd::AsFd as _;

use bareroot_enter::binfmt::Arch;
use bareroot_enter::{Session, Spec};
use bareroot_model::Phase;
use bareroot_unpack::Root;

use super::configure::{self, Act, RUN, StandIns, Surroundings};
use super::plan::Plan;
use crate::emulation::Emulation;
use crate::error::Error;
use crate::request::HookKind;
use crate::second_stage::{self, About, HOME};
use crate::story::{Ground, Grown};
use crate::tools;

/// Where dpkg keeps scripts.
const INFO: &str = "var/lib/dpkg/info";

/// Writes the second stage into the root.
///
/// # Errors
/// When the root refuses.
pub fn write(root: &Root, plan: &Plan, course: &[Act], packages: usize) -> Result<(), Error> {
    let about = About {
        family: super::FAMILY.to_owned(),
        arch: plan.arch.clone(),
        epoch: plan.epoch,
        packages,
    };
    about.write(root)?;
    stored::write(root, course)?;
    root.write(
        format!("{HOME}/second-stage"),
        0o755,
        script::text(plan.epoch).as_bytes(),
    )?;
    Ok(())
}

/// Follows the second stage of a root, from where an earlier run stopped, and cleans up.
///
/// # Errors
/// When a script fails, nothing runs the root's programs here, or what is stored in the root has another form.
pub fn finish(about: &About, ground: &Ground<'_>) -> Result<Grown, Error> {
    let Ground { root, context, .. } = *ground;
    let emulation = Emulation::find(Arch::of_deb(&about.arch), true, ground.request, context)?;
    let epoch = tools::source_date_epoch()?.or(about.epoch);
    let course = stored::read(root)?;
    let begun = second_stage::begun(root)?;
    let session = |stand_ins: &StandIns| -> Result<Session, Error> {
        context.cancel().check()?;
        let mut spec = Spec::new(root.as_fd(), root.path());
        spec.no_fsync = true;
        spec.ledger = root.ledger().cloned();
        emulation.arrange(&mut spec);
        stand_ins.prepare(root, &mut spec)?;
        let session = ground.warden.enter(&spec)?;
        for note in session.notes() {
            context.note(note.clone());
        }
        Ok(session)
    };
    context.phase(Phase::Configure, || -> Result<(), Error> {
        let scripts = scripts(root)?;
        let stand_ins = match ground.request.no_standins {
            true => StandIns::default(),
            false => StandIns::choose(root, scripts.iter().map(Vec::as_slice), &emulation, context)
                .without_resident(),
        };
        let session = session(&stand_ins)?;
        let around = Surroundings {
            root,
            session: &session,
            epoch,
            stand_ins: &stand_ins,
            marks: Some(HOME),
        };
        configure::configure(&course, begun, &around, context, &|done| {
            second_stage::keep_done(root, done)
        })?;
        Ok(session.close()?)
    })?;
    ground.run_hooks(HookKind::Customize, || session(&StandIns::default()))?;
    context.phase(Phase::Finish, || -> Result<(), Error> {
        root.remove_all(HOME)?;
        super::finish::finish(root, epoch)
    })?;
    Ok(Grown {
        packages: about.packages,
        bytes: 0,
    })
}

/// The scripts that are going to run, or have.
fn scripts(root: &Root) -> Result<Vec<Vec<u8>>, Error> {
    let mut scripts = Vec::new();
    for entry in root.read_dir(INFO)? {
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        let kind = name.rsplit_once('.').map(|(_, kind)| kind);
        if kind.is_some_and(|kind| RUN.contains(&kind)) {
            scripts.push(root.read(format!("{INFO}/{name}"))?);
        }
    }
    Ok(scripts)
}
