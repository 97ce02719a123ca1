#![no_main]

#[path = "../../crates/rpm/tests/fuzz/mod.rs"]
#[allow(dead_code)]
mod rpm;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpm::package(data));
