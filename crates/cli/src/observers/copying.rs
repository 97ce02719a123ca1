//! The bar of a copy: bytes and entries.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// One bar, which is there when something is copied.
#[derive(Default)]
pub struct Copying {
    bar: OnceLock<ProgressBar>,
    entries: AtomicU64,
    /// 0 where it is not known.
    of: AtomicU64,
}

impl Copying {
    /// A copy begins, of at most so much; where that is not known, the bar only counts.
    pub fn planned(&self, all: &MultiProgress, entries: Option<u64>, bytes: Option<u64>) {
        let template = match bytes {
            Some(_) => "  copied     [{bar:32}] {bytes:>10} / {total_bytes} {wide_msg}",
            None => "  copied     {bytes:>10} {wide_msg}",
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        self.of.store(entries.unwrap_or(0), Ordering::Relaxed);
        let bar = all.add(ProgressBar::new(bytes.unwrap_or(0))).with_style(style);
        // A second copy of one run goes on in the bar of the first.
        let _ = self.bar.set(bar);
    }

    /// So much more is copied.
    pub fn progress(&self, entries: u64, bytes: u64) {
        let Some(bar) = self.bar.get() else {
            return;
        };
        let now = self.entries.fetch_add(entries, Ordering::Relaxed) + entries;
        bar.inc(bytes);
        bar.set_message(match self.of.load(Ordering::Relaxed) {
            0 => format!("{now} entries"),
            of => format!("{now} / {of} entries"),
        });
    }
}
