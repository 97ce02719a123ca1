//! The last line of a run: packages, bytes, seconds per phase.

use std::fmt::Write as _;
use std::sync::Mutex;

use bareroot_model::{Event, InputProblem, Phase};

use crate::text;

/// Remembers how long each phase took.
#[derive(Debug, Default)]
pub struct Summary(Mutex<Vec<(Phase, f64)>>);

impl Summary {
    /// Takes note of an event; for the last one, gives the line.
    pub fn note(&self, event: &Event) -> Option<String> {
        let mut phases = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match event {
            Event::PhaseFinished { phase, seconds } => {
                match phases.iter_mut().find(|(known, _)| known == phase) {
                    Some((_, sum)) => *sum += seconds,
                    None => phases.push((*phase, *seconds)),
                }
                None
            }
            Event::Done {
                packages,
                bytes,
                seconds,
            } => {
                let mut line = format!("{packages} packages, {}, {seconds:.2} s", text::bytes(*bytes));
                let mut before = " (";
                for (phase, seconds) in phases.iter() {
                    let _ = write!(line, "{before}{} {seconds:.2}", phase.word());
                    before = ", ";
                }
                if before == ", " {
                    line.push(')');
                }
                Some(line)
            }
            Event::Copied { .. } => copied(event),
            _ => None,
        }
    }
}

/// What was copied, shared and passed over; nothing is said of what there was none of.
fn copied(event: &Event) -> Option<String> {
    let Event::Copied {
        entries,
        bytes,
        shared,
        hard_links,
        sockets,
        left_out,
        fresh,
        mounts,
        changed,
        unreadable,
        seconds,
    } = event
    else {
        return None;
    };
    let mut line = format!("{entries} entries, {} copied", text::bytes(*bytes));
    if *shared > 0 {
        let _ = write!(line, ", {} shared", text::bytes(*shared));
    }
    for (count, words) in [
        (hard_links, "hard links"),
        (sockets, "sockets passed over"),
        (left_out, "left out"),
        (fresh, "left out or emptied to be fresh"),
        (mounts, "mount points left empty"),
        (changed, "changed meanwhile"),
        (unreadable, "unreadable"),
    ] {
        if *count > 0 {
            let _ = write!(line, ", {count} {words}");
        }
    }
    let _ = write!(line, ", {seconds:.2} s");
    Some(line)
}

/// A path that is not in a copy as it was.
pub fn input(path: &str, problem: InputProblem, reason: Option<&str>) -> String {
    let what = match problem {
        InputProblem::Changed => "changed while it was read",
        InputProblem::Vanished => "was removed or replaced before it was read",
        _ => "cannot be read",
    };
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("warning: `{path}` {what}{reason}")
}

/// A path that is not copied, or without something.
pub fn passed(path: &str, reason: &str) -> String {
    format!("passed over `{path}`: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_of_two_passes_are_added() {
        let summary = Summary::default();
        for seconds in [0.5, 0.25] {
            let event = Event::PhaseFinished {
                phase: Phase::Unpack,
                seconds,
            };
            assert_eq!(summary.note(&event), None);
        }
        let line = summary.note(&Event::Done {
            packages: 78,
            bytes: 32_800_000,
            seconds: 1.5,
        });
        assert_eq!(
            line.as_deref(),
            Some("78 packages, 32.80 MB, 1.50 s (unpack 0.75)")
        );
    }
}
