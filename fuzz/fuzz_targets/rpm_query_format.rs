#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bareroot_fuzz::bounded(
    data,
    bareroot_fuzz::rpm_script::query_format
));
