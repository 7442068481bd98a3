//! The one public error: what went wrong, as a kind to act on and a stable code.
//!
//! No message holds a secret or a health value.

mod conversions;
mod kind;
mod variants;

pub use kind::ErrorKind;
pub use variants::Error;
