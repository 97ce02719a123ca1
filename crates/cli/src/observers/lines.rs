//! Plain lines on standard error, for logs and for terminals that cannot draw.

use bareroot_model::{Event, Observer};

use super::summary::{self, Summary};
use crate::text;

/// Writes what a reader of a log wants to know; with `verbose` every file and every line of output.
pub struct Lines {
    quiet: bool,
    verbose: bool,
    summary: Summary,
}

impl Lines {
    /// Quiet: warnings only.
    pub fn new(quiet: bool, verbose: bool) -> Self {
        Lines {
            quiet,
            verbose,
            summary: Summary::default(),
        }
    }

    fn line(&self, event: &Event) -> Option<String> {
        let last = self.summary.note(event);
        if let Event::Warning { text } = event {
            return Some(format!("warning: {text}"));
        }
        if let Event::Input {
            path,
            problem,
            reason,
        } = event
        {
            return Some(summary::input(path, *problem, reason.as_deref()));
        }
        if self.quiet {
            return None;
        }
        match event {
            Event::Note { text } => Some(text.clone()),
            Event::Planned { packages, bytes } => {
                Some(format!("{packages} packages, {}", text::bytes(*bytes)))
            }
            Event::PhaseStarted { phase } if self.verbose => Some(format!("{}:", phase.word())),
            Event::Hook { kind, command } => Some(format!("{kind} hook: {command}")),
            Event::Fetched { url, bytes, cached } if self.verbose => {
                let whence = if *cached { "cached" } else { "fetched" };
                Some(format!("{whence} {url} ({})", text::bytes(*bytes)))
            }
            Event::Unpacked { package, bytes } if self.verbose => {
                Some(format!("unpacked {package} ({})", text::bytes(*bytes)))
            }
            Event::Configuring { package } if self.verbose => Some(format!("configuring {package}")),
            Event::Output { line } if self.verbose => Some(format!("  {line}")),
            Event::PhaseFinished { phase, seconds } if self.verbose => {
                Some(format!("{} took {seconds:.3} s", phase.word()))
            }
            Event::Passed { path, reason } => Some(summary::passed(path, reason)),
            Event::Done { .. } | Event::Copied { .. } => last,
            _ => None,
        }
    }
}

impl Observer for Lines {
    fn on(&self, event: Event) {
        if let Some(line) = self.line(&event) {
            text::to_stderr(&format!("{}\n", text::message(&line)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_keeps_warnings() {
        let quiet = Lines::new(true, false);
        assert_eq!(quiet.line(&Event::Note { text: "n".into() }), None);
        assert_eq!(
            quiet.line(&Event::Warning { text: "w".into() }).as_deref(),
            Some("warning: w")
        );
    }
}
