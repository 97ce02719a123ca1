//! One event a line on standard output; `docs/events.md` is the schema.

use bareroot_model::{Event, Observer};
use serde_json::json;

use crate::exit::Failure;
use crate::text;

/// Prints every event but the spans, which only the trace wants.
pub struct Json;

impl Observer for Json {
    fn on(&self, event: Event) {
        if matches!(event, Event::Span { .. }) {
            return;
        }
        if let Ok(mut line) = serde_json::to_string(&event) {
            line.push('\n');
            text::to_stdout(&text::visible_json(&line));
        }
    }
}

/// The last line of a run that failed.
pub fn print_failure(failure: &Failure) {
    let line = json!({
        "event": "failed",
        "code": failure.class().exit_code(),
        "message": failure.message(),
    });
    text::to_stdout(&text::visible_json(&format!("{line}\n")));
}
