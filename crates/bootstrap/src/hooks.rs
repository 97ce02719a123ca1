//! The user's hooks: on the host, with the root's path as `$1`, where they see what is mounted in the root.

use bareroot_enter::{Program, Session};
use bareroot_model::Event;

use crate::context::Context;
use crate::error::Error;
use crate::log::Log;
use crate::request::{Hook, HookKind};

/// Runs the hooks of one kind, in the order given.
///
/// # Errors
/// When one fails: the ones after it do not run.
pub fn run(
    kind: HookKind,
    hooks: &[Hook],
    session: &Session,
    root: &std::path::Path,
    context: &Context,
) -> Result<(), Error> {
    for hook in hooks.iter().filter(|hook| hook.kind == kind) {
        context.tell(Event::Hook {
            kind: kind.word().to_owned(),
            command: hook.command.clone(),
        });
        let mut program = command(&hook.command).arg(root);
        // A hook is the user's own program: it gets the user's environment, and is told how it is called.
        program.env = std::env::vars_os().collect();
        program.env.push(("BAREROOT_HOOK".into(), kind.word().into()));
        program.cwd = std::env::current_dir().unwrap_or_else(|_| "/".into());
        let mut log = Log::default();
        let status = session.run(&program, context.cancel(), &mut |piece| {
            log.feed(piece, &mut |line| context.tell(Event::Output { line }));
        })?;
        if !status.success() {
            return Err(Error::Hook {
                kind: kind.word(),
                command: hook.command.clone(),
                status: status.to_string(),
                log: log.tail(),
            });
        }
    }
    Ok(())
}

/// Whether there are hooks of a kind.
pub fn any(kind: HookKind, hooks: &[Hook]) -> bool {
    hooks.iter().any(|hook| hook.kind == kind)
}

/// An executable file is run as it is; everything else is a line for `sh -c`, in which `$1` is the root.
fn command(hook: &str) -> Program {
    use std::os::unix::fs::PermissionsExt as _;
    let executable = std::fs::metadata(hook)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
    match executable && hook.contains('/') {
        true => Program::on_host(std::path::absolute(hook).unwrap_or_else(|_| hook.into())),
        false => Program::on_host("/bin/sh").arg("-c").arg(hook).arg("sh"),
    }
}
