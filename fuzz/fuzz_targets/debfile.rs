#![no_main]

#[path = "../../crates/deb/tests/fuzz/mod.rs"]
#[allow(dead_code)]
mod deb;

libfuzzer_sys::fuzz_target!(|data: &[u8]| deb::debfile(data));
