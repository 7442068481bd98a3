#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| subrosa::fuzzing::cda(bytes));
