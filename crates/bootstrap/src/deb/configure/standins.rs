//! Which helpers of the target something stands in for, and how that gets into the session.

use std::path::Path;

use bareroot_enter::binfmt;
use bareroot_enter::{Content, Cover, Extra, Running, Spec};
use bareroot_standin::{self as standin, Helper};
use bareroot_unpack::Root;

use super::Surroundings;
use crate::context::Context;
use crate::emulation::Emulation;
use crate::error::Error;

/// The stand-ins of a run; none, where the target's helpers are unknown or the user wants none.
#[derive(Debug, Default)]
pub struct StandIns {
    helpers: Vec<Helper>,
}

impl StandIns {
    /// Chooses by the digests of the target's helpers and the texts of the scripts that are going to run.
    pub fn choose<'s>(
        root: &Root,
        scripts: impl IntoIterator<Item = &'s [u8]>,
        emulation: &Emulation,
        context: &Context,
    ) -> StandIns {
        if !standin::has_own_file() {
            context.note("no helper is stood in for: bareroot cannot find its own file");
            return StandIns::default();
        }
        // The root has libraries for another machine.
        if emulation.is_foreign() && !binfmt::is_static(Path::new("/proc/self/exe")) {
            context.note(
                "no helper is stood in for: bareroot is not static, and the root is of another architecture",
            );
            return StandIns::default();
        }
        let read = |path: &str| root.read(path.trim_start_matches('/')).ok();
        StandIns {
            helpers: standin::choose(read, scripts),
        }
    }

    /// Without the one that keeps what scripts tell it in memory until the end: where an interrupted run is gone on with, it
    /// would be lost.
    #[must_use]
    pub fn without_resident(mut self) -> StandIns {
        self.helpers.retain(|helper| *helper != Helper::DebconfFrontend);
        self
    }

    /// The directory that comes first in PATH.
    pub fn directory(&self) -> Option<&'static str> {
        (!self.helpers.is_empty()).then_some(standin::BIN)
    }

    /// Adds to the session what the stand-ins need: bareroot's own file under the helpers' names on the private /dev,
    /// and over debconf's frontend.
    pub fn prepare(&self, root: &Root, spec: &mut Spec<'_>) -> Result<(), Error> {
        if self.helpers.is_empty() {
            return Ok(());
        }
        let mut extra = |path: &str, content: Content| {
            let path = path.strip_prefix("/dev/").unwrap_or(path).into();
            spec.extras.push(Extra { path, content });
        };
        extra(standin::PROGRAM, Content::OwnProgram);
        for stand_in in self.helpers.iter().filter_map(|helper| helper.stand_in()) {
            extra(stand_in, Content::Link(standin::PROGRAM.into()));
        }
        if self.helpers.contains(&Helper::DebconfFrontend) {
            let frontend = Helper::DebconfFrontend.path();
            let real = root.read(frontend.trim_start_matches('/'))?;
            extra(
                standin::REAL_FRONTEND,
                Content::File {
                    mode: 0o755,
                    bytes: real,
                },
            );
            let resident = standin::RESIDENT.as_bytes().to_vec();
            extra(
                standin::RESIDENT_PATH,
                Content::File {
                    mode: 0o644,
                    bytes: resident,
                },
            );
            extra(standin::SAVE, Content::Link(standin::PROGRAM.into()));
            spec.covers.push(Cover {
                source: standin::PROGRAM.into(),
                target: frontend.into(),
            });
        }
        Ok(())
    }

    /// Starts the resident debconf, where it is wanted. It loads its modules while the first scripts run.
    pub fn start(&self, around: &Surroundings<'_>) -> Result<Resident, Error> {
        if !self.helpers.contains(&Helper::DebconfFrontend) {
            return Ok(Resident(None));
        }
        let arguments = [standin::RESIDENT_PATH, standin::SOCKET, standin::REAL_FRONTEND].map(str::to_owned);
        let program = around.program("/usr/bin/perl", &arguments);
        Ok(Resident(Some(around.session.spawn(&program)?)))
    }
}

/// The resident debconf.
#[must_use]
pub struct Resident(Option<Running>);

impl Resident {
    /// Has it write its database, and waits for its end.
    pub fn save(self, around: &Surroundings<'_>, context: &Context) -> Result<(), Error> {
        let Some(running) = self.0 else { return Ok(()) };
        let status =
            around
                .session
                .run(&around.program(standin::SAVE, &[]), context.cancel(), &mut |_| {})?;
        drop(running);
        if status.success() {
            return Ok(());
        }
        Err(Error::Script {
            what: "saving debconf's database".to_owned(),
            status: status.to_string(),
            log: String::new(),
        })
    }
}

/// The scripts of a package that run when it is configured for the first time.
pub const RUN: [&str; 3] = ["preinst", "postinst", "config"];
