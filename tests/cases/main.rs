//! Inputs that once went wrong, each with its right answer, and their kinds as
//! properties over real records. They are read from `../shared/data`; without it the
//! tests say so and prove nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic and print"
)]

mod binaries;
mod excerpts;
mod files;
mod identity;
mod kinds;
mod meaning;
mod shown;
mod support;
mod tables;
mod vaults;
mod wrappers;
mod xml;
