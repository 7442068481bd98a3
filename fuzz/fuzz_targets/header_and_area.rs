#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| subrosa::fuzzing::header_and_area(bytes));
