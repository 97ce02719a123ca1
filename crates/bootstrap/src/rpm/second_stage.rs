//! The second stage: scriptlets and triggers of a root that was unpacked and recorded, and in which nothing but %pretrans
//! has run.
//!
//! What it needs is stored in the root as it was known when that was unpacked: the headers, in the order of installation,
//! and which files are there. Users, owners, Lua and triggers are bareroot's own work, so it takes bareroot to finish it.

use std::os::fd::AsFd as _;

use bareroot_enter::binfmt::Arch;
use bareroot_enter::{Session, Spec};
use bareroot_model::Phase;
use bareroot_rpm::{Header, Limits, MAGIC, State};
use bareroot_unpack::Root;

use super::configure::{self, Progress, Surroundings};
use super::plan::Plan;
use super::unpack::Unpacked;
use crate::emulation::Emulation;
use crate::error::Error;
use crate::request::HookKind;
use crate::second_stage::{self, About, HOME};
use crate::story::{Ground, Grown};
use crate::tools;

/// The headers, as rpm's database stores them, by their places.
const HEADERS: &str = "headers";

/// Of each package's files, two letters each: the state's digit, and whether the package leaves it out.
const FILES: &str = "files";

/// Every state, by its number.
const STATES: [State; 5] = [
    State::Normal,
    State::Replaced,
    State::NotInstalled,
    State::NetShared,
    State::WrongColor,
];

/// Writes the second stage into the root.
///
/// # Errors
/// When the root refuses.
pub fn write(root: &Root, plan: &Plan, headers: &[&Header], unpacked: &Unpacked) -> Result<(), Error> {
    let about = About {
        family: super::FAMILY.to_owned(),
        arch: plan.arch.clone(),
        epoch: plan.epoch,
        packages: headers.len(),
    };
    about.write(root)?;
    root.create_dir_all(format!("{HOME}/{HEADERS}"), 0o755)?;
    root.create_dir_all(format!("{HOME}/{FILES}"), 0o755)?;
    for (place, header) in headers.iter().enumerate() {
        let blob = header.bytes().strip_prefix(&MAGIC).unwrap_or_default();
        root.write(format!("{HOME}/{HEADERS}/{place}"), 0o644, blob)?;
        let states = unpacked.states.get(place).map(Vec::as_slice).unwrap_or_default();
        let skipped = unpacked.skipped.get(place).map(Vec::as_slice).unwrap_or_default();
        let letters: String = states
            .iter()
            .zip(skipped)
            .map(|(state, skipped)| format!("{}{}", *state as u8, if *skipped { '-' } else { '+' }))
            .collect();
        root.write(format!("{HOME}/{FILES}/{place}"), 0o644, letters.as_bytes())?;
    }
    Ok(())
}

/// Runs the second stage of a root, from where an earlier run stopped, and cleans up.
///
/// # Errors
/// When a scriptlet fails, nothing runs the root's programs here, or what is stored in the root has another form.
pub fn finish(about: &About, ground: &Ground<'_>) -> Result<Grown, Error> {
    let Ground { root, context, .. } = *ground;
    let emulation = Emulation::find(Arch::of_rpm(&about.arch), true, ground.request, context)?;
    let epoch = tools::source_date_epoch()?.or(about.epoch);
    let (headers, unpacked) = read(root, about.packages)?;
    let headers: Vec<&Header> = headers.iter().collect();
    let session = |prepare: &dyn Fn(&mut Spec<'_>)| -> Result<Session, Error> {
        context.cancel().check()?;
        let mut spec = Spec::new(root.as_fd(), root.path());
        spec.no_fsync = true;
        spec.ledger = root.ledger().cloned();
        emulation.arrange(&mut spec);
        prepare(&mut spec);
        let session = ground.warden.enter(&spec)?;
        for note in session.notes() {
            context.note(note.clone());
        }
        Ok(session)
    };
    context.phase(Phase::Configure, || -> Result<(), Error> {
        let steps = configure::steps(&headers, &unpacked);
        let session = session(&|spec| configure::lay_out(&steps, spec))?;
        let keep = |done| second_stage::keep_done(root, done);
        let around = Surroundings {
            root,
            session: &session,
            arch: &about.arch,
            epoch,
            progress: &Progress::resumed(second_stage::begun(root)?, &keep),
        };
        configure::run(&steps, &headers, &unpacked, &around, context)?;
        Ok(session.close()?)
    })?;
    ground.run_hooks(HookKind::Customize, || session(&|_| {}))?;
    context.phase(Phase::Finish, || -> Result<(), Error> {
        root.remove_all(HOME)?;
        super::finish::finish(root, epoch)
    })?;
    Ok(Grown {
        packages: about.packages,
        bytes: 0,
    })
}

/// The headers, and which files are there.
fn read(root: &Root, packages: usize) -> Result<(Vec<Header>, Unpacked), Error> {
    let (mut headers, mut unpacked) = (
        Vec::new(),
        Unpacked {
            states: Vec::new(),
            skipped: Vec::new(),
        },
    );
    for place in 0..packages {
        let name = format!("{HOME}/{HEADERS}/{place}");
        let header = Header::from_blob(&format!("/{name}"), &root.read(&name)?, &Limits::default())?;
        let name = format!("{HOME}/{FILES}/{place}");
        let letters = root.read(&name)?;
        let fates = letters.chunks(2).map(fate).collect::<Option<Vec<_>>>();
        let (states, skipped): (Vec<_>, Vec<_>) = fates
            .filter(|fates| fates.len() == header.files().len())
            .ok_or_else(|| Error::SecondStage {
                file: format!("/{name}"),
                found: String::from_utf8_lossy(letters.get(..40).unwrap_or(&letters)).into_owned(),
            })?
            .into_iter()
            .unzip();
        unpacked.states.push(states);
        unpacked.skipped.push(skipped);
        headers.push(header);
    }
    Ok((headers, unpacked))
}

/// The state of a file, and whether it is left out.
fn fate(letters: &[u8]) -> Option<(State, bool)> {
    let [digit, sign] = letters else { return None };
    let state = STATES.get(usize::from(digit.checked_sub(b'0')?))?;
    match sign {
        b'+' => Some((*state, false)),
        b'-' => Some((*state, true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fates_are_two_letters() {
        for (number, state) in STATES.into_iter().enumerate() {
            assert_eq!(state as usize, number);
            assert_eq!(fate(format!("{number}+").as_bytes()), Some((state, false)));
            assert_eq!(fate(format!("{number}-").as_bytes()), Some((state, true)));
        }
        for wrong in ["", "0", "5+", "/+", "0x", "0+0"] {
            assert_eq!(fate(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
