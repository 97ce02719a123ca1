//! The run as Chrome's trace event format (JSON array format, complete events `X`), times in microseconds.

use std::path::Path;
use std::sync::Mutex;

use bareroot_model::{Event, Observer};
use serde_json::{Value, json};

use crate::exit::Failure;

/// Collects spans.
#[derive(Default)]
pub struct Trace(Mutex<Vec<Value>>);

impl Trace {
    /// Writes the file; a run that failed has a trace too.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let events = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let document = json!({ "traceEvents": *events, "displayTimeUnit": "ms" });
        std::fs::write(path, document.to_string()).map_err(|source| Failure::Output {
            path: path.display().to_string(),
            source,
        })
    }
}

impl Observer for Trace {
    fn on(&self, event: Event) {
        if let Event::Span {
            name,
            phase,
            thread,
            start,
            length,
        } = event
        {
            let event = json!({
                "name": name,
                "cat": phase.word(),
                "ph": "X",
                "pid": std::process::id(),
                "tid": thread,
                "ts": start.as_micros() as u64,
                "dur": length.as_micros() as u64,
            });
            self.0
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .push(event);
        }
    }
}
