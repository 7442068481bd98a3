//! What the address sanitizer keeps back of freed memory counts as memory of the
//! process: up to 256 MiB if nobody says otherwise, which is the limit of a target.

#[unsafe(no_mangle)]
pub extern "C" fn __asan_default_options() -> *const std::ffi::c_char {
    c"quarantine_size_mb=16".as_ptr()
}
