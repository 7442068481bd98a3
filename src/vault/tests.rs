//! Tests of the vault as its users see it.

mod basics;
mod export;
mod import;
mod release;
