#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| subrosa::fuzzing::root_and_place(bytes));
