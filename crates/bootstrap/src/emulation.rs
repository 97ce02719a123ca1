//! How the programs of a root are run here, which may be of another architecture than this host.

use bareroot_enter::Spec;
use bareroot_enter::binfmt::{self, Arch, Way};

use crate::context::Context;
use crate::error::Error;
use crate::request::Request;

/// How a root's programs are run; not at all, where nothing of it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emulation(Option<Way>);

impl Emulation {
    /// What runs the programs of `arch`. Where none have to be, as `configures` says, that nothing does is no error: hooks
    /// may need none either.
    ///
    /// # Errors
    /// When nothing on this host runs them.
    pub fn find(
        arch: Option<&'static Arch>,
        configures: bool,
        request: &Request,
        context: &Context,
    ) -> Result<Emulation, Error> {
        let Some(arch) = arch else {
            return Ok(Emulation(None));
        };
        let way = match binfmt::way(arch) {
            Ok(way) => Some(way),
            Err(error) if configures && !request.foreign => return Err(error.into()),
            Err(_) => None,
        };
        match &way {
            Some(Way::Emulator(emulator)) => context.note(format!(
                "programs of {} are run by {}",
                arch.name(),
                emulator.path().display()
            )),
            Some(Way::Host) => context.note(format!(
                "programs of {} are run by what this host has registered for them",
                arch.name()
            )),
            Some(Way::Native { .. }) | None => {}
        }
        Ok(Emulation(way))
    }

    /// Has a session run them.
    pub fn arrange(&self, spec: &mut Spec<'_>) {
        match &self.0 {
            Some(Way::Native { personality32 }) => spec.personality32 = *personality32,
            Some(Way::Emulator(emulator)) => spec.emulator = Some(emulator.clone()),
            Some(Way::Host) | None => {}
        }
    }

    /// Whether they are of another machine than bareroot itself.
    pub fn is_foreign(&self) -> bool {
        !matches!(self.0, Some(Way::Native { .. }))
    }
}
