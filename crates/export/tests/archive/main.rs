//! Archives of small trees, held against GNU tar and read back.
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod back;
mod changes;
mod gnu;
mod tree;

use std::path::Path;
use std::sync::Mutex;

use bareroot_export::{Compression, Error, Settings, Summary, export};
use bareroot_model::{Cancel, Event, Observer};
use bareroot_unpack::Root;

/// Remembers warnings.
#[derive(Debug, Default)]
struct Warnings(Mutex<Vec<String>>);

impl Observer for Warnings {
    fn on(&self, event: Event) {
        if let Event::Warning { text } = event {
            self.0.lock().unwrap().push(text);
        }
    }
}

/// A root as an uncompressed archive, and what was warned of.
fn archive(root: &Path, clamp: Option<i64>) -> Result<(Vec<u8>, Summary, Vec<String>), Error> {
    let (mut bytes, warnings) = (Vec::new(), Warnings::default());
    let settings = Settings {
        compression: Compression::None,
        threads: 2,
        clamp,
        leave_out: &[],
        cancel: &Cancel::default(),
        observer: &warnings,
    };
    let summary = export(&Root::open(root)?, &mut bytes, &settings)?;
    assert_eq!(summary.bytes, bytes.len() as u64);
    Ok((bytes, summary, warnings.0.into_inner().unwrap()))
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
