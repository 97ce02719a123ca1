//! What the fuzz targets share: their bodies, which stand in the crates that they belong to, and a bound on memory.
//!
//! A body that wants more memory than its input can justify ends in `memory allocation failed`, which libFuzzer takes for a
//! crash. What C code allocates (liblzma, zstd, SQLite) is not seen here: libFuzzer's `-rss_limit_mb` bounds that.

use std::alloc::System;
use std::panic;
use std::sync::Once;

use cap::Cap;

#[path = "../../crates/archive/tests/fuzz/mod.rs"]
pub mod archive;
#[path = "../../crates/carry/tests/fuzz/mod.rs"]
pub mod carry;
#[path = "../../crates/deb/tests/fuzz/mod.rs"]
pub mod deb;
#[path = "../../crates/rpm/tests/fuzz/mod.rs"]
pub mod rpm;
#[path = "../../crates/rpm-db/tests/fuzz/mod.rs"]
pub mod rpm_db;
#[path = "../../crates/rpm-repo/tests/fuzz/mod.rs"]
pub mod rpm_repo;
#[path = "../../crates/rpm-script/tests/fuzz/mod.rs"]
pub mod rpm_script;
#[path = "../../crates/trust/tests/fuzz/mod.rs"]
pub mod trust;

/// What a body may allocate whatever its input is: decoders' windows and tables.
const BASE: usize = 64 << 20;

/// What it may allocate beside, for each byte of input.
const PER_BYTE: usize = 256;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Runs a body with a bound on what it has allocated at any moment.
pub fn bounded(data: &[u8], body: fn(&[u8])) {
    static HOOK: Once = Once::new();
    // A failed assertion is told with a backtrace, which takes more than any body may.
    HOOK.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            ALLOCATOR.set_limit(usize::MAX).expect("no bound is too low");
            tell(what);
        }));
    });
    let bound = ALLOCATOR.allocated() + BASE + PER_BYTE * data.len();
    ALLOCATOR
        .set_limit(bound)
        .expect("less than the bound is allocated");
    body(data);
    ALLOCATOR.set_limit(usize::MAX).expect("no bound is too low");
}
