//! FHIR R4 out: what is exported comes in again as it was, and nothing is believed of a file
//! that its importer does not answer for.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

mod claims;
mod every_field;
mod real_files;
mod support;
mod validity;
