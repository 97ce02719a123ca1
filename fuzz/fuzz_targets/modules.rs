#![no_main]

#[path = "../../crates/rpm-repo/tests/fuzz/mod.rs"]
#[allow(dead_code)]
mod rpm_repo;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpm_repo::modules(data));
