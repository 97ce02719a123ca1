#![no_main]

#[path = "../../crates/trust/tests/fuzz/mod.rs"]
#[allow(dead_code)]
mod trust;

libfuzzer_sys::fuzz_target!(|data: &[u8]| trust::keyring(data));
