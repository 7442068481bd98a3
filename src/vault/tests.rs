//! Tests of the vault as its users see it.

mod basics;
mod import;
mod release;
