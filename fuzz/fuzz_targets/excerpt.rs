#![no_main]

#[path = "../sanitizer.rs"]
mod sanitizer;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| subrosa::fuzzing::excerpt(bytes));
