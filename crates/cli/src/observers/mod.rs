//! Four ways to be told of a run: bars on a terminal, plain lines, JSON lines, a trace for Chrome.

mod bars;
mod copying;
mod json;
mod lines;
mod summary;
mod trace;

use std::io::IsTerminal;
use std::sync::Arc;

use bareroot_model::{Event, Observer};

use crate::args::Talk;
use crate::exit::Failure;

/// Every observer that the user asked for.
pub struct Observers {
    all: Vec<Arc<dyn Observer>>,
    trace: Option<(Arc<trace::Trace>, std::path::PathBuf)>,
    json: bool,
}

impl Observers {
    /// The observers for these options. Bars appear only where standard error is a terminal that can draw them.
    pub fn new(talk: &Talk, json_events: bool) -> Self {
        let mut all: Vec<Arc<dyn Observer>> = Vec::new();
        if json_events {
            all.push(Arc::new(json::Json));
        }
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if std::io::stderr().is_terminal() && !dumb && !talk.quiet && !talk.verbose && !talk.json {
            all.push(Arc::new(bars::Bars::new()));
        } else {
            all.push(Arc::new(lines::Lines::new(talk.quiet || talk.json, talk.verbose)));
        }
        let trace = talk
            .trace
            .as_ref()
            .map(|path| (Arc::new(trace::Trace::default()), path.clone()));
        if let Some((trace, _)) = &trace {
            all.push(Arc::clone(trace) as Arc<dyn Observer>);
        }
        Observers {
            all,
            trace,
            json: json_events,
        }
    }

    /// Ends the talk: the trace is written, and in JSON a failure is an event too.
    pub fn end(&self, failure: Option<&Failure>) -> Result<(), Failure> {
        if let (true, Some(failure)) = (self.json, failure) {
            json::print_failure(failure);
        }
        match &self.trace {
            Some((trace, path)) => trace.write(path),
            None => Ok(()),
        }
    }
}

impl Observer for Observers {
    fn on(&self, event: Event) {
        if let Some((last, rest)) = self.all.split_last() {
            for observer in rest {
                observer.on(event.clone());
            }
            last.on(event);
        }
    }
}
