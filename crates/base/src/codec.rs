//! Texts to values and back: JSON, base64, and the spelling of what cannot be seen.
//!
//! Every reader here takes a slice, meets a named limit before it works, and
//! leaves nothing over.

pub mod base64url;
pub mod json;
pub mod spell;
