#![no_main]

#[path = "../../crates/carry/tests/fuzz/mod.rs"]
#[allow(dead_code)]
mod carry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| carry::loader_cache(data));
