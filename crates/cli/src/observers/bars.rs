//! Bars on a terminal: what was fetched, unpacked, configured.

use std::sync::Mutex;
use std::time::Duration;

use bareroot_model::{Event, Observer, Phase};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::copying::Copying;
use super::summary::{self, Summary};
use crate::text;

/// Three bars and a line that says the phase; drawn at most twelve times a second, so that events cost nothing.
pub struct Bars {
    all: MultiProgress,
    phase: ProgressBar,
    fetch: ProgressBar,
    unpack: ProgressBar,
    configure: ProgressBar,
    copy: Copying,
    planned: Mutex<(usize, u64)>,
    summary: Summary,
}

impl Bars {
    /// Bars on standard error.
    pub fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(12));
        let phase = all.add(ProgressBar::new_spinner());
        phase.enable_steady_tick(Duration::from_millis(120));
        Bars {
            phase,
            fetch: ProgressBar::hidden(),
            unpack: ProgressBar::hidden(),
            configure: ProgressBar::hidden(),
            copy: Copying::default(),
            planned: Mutex::default(),
            summary: Summary::default(),
            all,
        }
        .with_bars()
    }

    fn with_bars(mut self) -> Self {
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> ")
        };
        let bytes = style("  {prefix:<10} [{bar:32}] {bytes:>10} / {total_bytes}");
        let count = style("  {prefix:<10} [{bar:32}] {pos:>4} / {len} {wide_msg}");
        let add = |word: &'static str, style: ProgressStyle| {
            self.all
                .add(ProgressBar::new(0))
                .with_style(style)
                .with_prefix(word)
        };
        self.fetch = add("fetched", bytes);
        self.unpack = add("unpacked", count.clone());
        self.configure = add("configured", count);
        self
    }

    fn planned(&self, packages: usize, bytes: u64) {
        *self
            .planned
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = (packages, bytes);
        self.fetch.set_length(bytes);
        self.fetch.set_position(0);
        self.unpack.set_length(packages as u64);
        self.configure.set_length(packages as u64);
    }
}

impl Observer for Bars {
    fn on(&self, event: Event) {
        let last = self.summary.note(&event);
        match event {
            Event::PhaseStarted { phase } => self.phase.set_message(phase.word()),
            Event::Planned { packages, bytes } => self.planned(packages, bytes),
            Event::FetchProgress { bytes } => self.fetch.inc(bytes),
            Event::Fetched {
                bytes, cached: true, ..
            } => self.fetch.inc(bytes),
            Event::Unpacked { .. } => self.unpack.inc(1),
            Event::Configuring { package } => self.configure.set_message(text::visible(&package)),
            Event::Configured { .. } => self.configure.inc(1),
            Event::PhaseFinished {
                phase: Phase::Finish, ..
            } => self.configure.set_message(""),
            Event::Warning { text } => {
                let _ = self.all.println(format!("warning: {}", text::message(&text)));
            }
            Event::Note { text } => {
                let _ = self.all.println(text::message(&text));
            }
            Event::Input {
                path,
                problem,
                reason,
            } => {
                let line = summary::input(&path, problem, reason.as_deref());
                let _ = self.all.println(text::message(&line));
            }
            Event::CopyPlanned { entries, bytes } => {
                // There are no packages.
                for bar in [&self.fetch, &self.unpack, &self.configure] {
                    self.all.remove(bar);
                }
                self.copy.planned(&self.all, entries, bytes);
            }
            Event::CopyProgress { entries, bytes } => self.copy.progress(entries, bytes),
            Event::Done { .. } | Event::Copied { .. } => {
                let _ = self.all.clear();
                if let Some(line) = last {
                    text::to_stderr(&format!("{line}\n"));
                }
            }
            _ => {}
        }
    }
}

impl Drop for Bars {
    // A failed run must not leave half a bar above its error.
    fn drop(&mut self) {
        self.phase.finish_and_clear();
        let _ = self.all.clear();
    }
}
