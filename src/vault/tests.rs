//! Tests of the vault as its users see it.

mod basics;
mod golden;
mod import;
mod release;
