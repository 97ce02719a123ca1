#![no_main]

#[path = "../../crates/archive/tests/fuzz/mod.rs"]
#[allow(dead_code)]
mod archive;

libfuzzer_sys::fuzz_target!(|data: &[u8]| archive::tar(data));
