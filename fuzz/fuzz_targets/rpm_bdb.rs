#![no_main]

#[path = "../../crates/rpm-db/tests/fuzz/mod.rs"]
#[allow(dead_code)]
mod rpm_db;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpm_db::bdb(data));
