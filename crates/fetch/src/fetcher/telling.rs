use bareroot_model::{Event, Observer};

/// Progress is told in steps of at least this many bytes.
const STEP: u64 = 64 << 10;

/// Tells how far one file is, each byte once, however often it has to be fetched again.
pub(super) struct Telling<'o> {
    observer: &'o dyn Observer,
    told: u64,
}

impl<'o> Telling<'o> {
    pub(super) fn started(observer: &'o dyn Observer, url: String, bytes: Option<u64>) -> Self {
        observer.on(Event::FetchStarted { url, bytes });
        Telling { observer, told: 0 }
    }

    /// So many bytes of it are here.
    pub(super) fn at(&mut self, position: u64) {
        if position >= self.told.saturating_add(STEP) {
            self.advance(position);
        }
    }

    fn advance(&mut self, position: u64) {
        if let Some(bytes) = position.checked_sub(self.told).filter(|&bytes| bytes > 0) {
            self.told = position;
            self.observer.on(Event::FetchProgress { bytes });
        }
    }

    pub(super) fn done(&mut self, url: String, bytes: u64) {
        self.advance(bytes);
        self.observer.on(Event::Fetched {
            url,
            bytes,
            cached: false,
        });
    }
}
