//! What every chapter is handed besides its input: whom to tell, when to stop, and the clock.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bareroot_model::{Cancel, Event, Observer, Phase};

/// The surroundings of one run.
#[derive(Clone)]
pub struct Context {
    observer: Arc<dyn Observer>,
    cancel: Cancel,
    started: Instant,
}

impl Context {
    /// A run that begins now.
    pub fn new(observer: Arc<dyn Observer>, cancel: Cancel) -> Self {
        Context {
            observer,
            cancel,
            started: Instant::now(),
        }
    }

    /// The flag that stops the run.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Whom to tell.
    pub fn observer(&self) -> &Arc<dyn Observer> {
        &self.observer
    }

    /// Tells an event.
    pub fn tell(&self, event: Event) {
        self.observer.on(event);
    }

    /// Tells something that the user should know.
    pub fn warn(&self, text: impl Into<String>) {
        self.tell(Event::Warning { text: text.into() });
    }

    /// Tells something that explains a choice.
    pub fn note(&self, text: impl Into<String>) {
        self.tell(Event::Note { text: text.into() });
    }

    /// Wall-clock seconds since the run began.
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Runs a phase between its two events, and as a span of the trace.
    pub fn phase<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        self.tell(Event::PhaseStarted { phase });
        let began = Instant::now();
        let result = work();
        self.span(phase.word(), phase, began);
        self.tell(Event::PhaseFinished {
            phase,
            seconds: began.elapsed().as_secs_f64(),
        });
        result
    }

    /// A span of the trace from `began` to now, on this thread.
    pub fn span(&self, name: impl Into<String>, phase: Phase, began: Instant) {
        self.tell(Event::Span {
            name: name.into(),
            phase,
            thread: thread_number(),
            start: began.duration_since(self.started),
            length: began.elapsed(),
        });
    }
}

/// A small number for this thread: the trace shows a row for each.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    thread_local!(static NUMBER: Cell<usize> = const { Cell::new(0) });
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}
