//! Texts to values and back: JSON, base64, and how texts of others are shown.
//!
//! Every reader here takes a slice, meets a named limit before it works, and
//! leaves nothing over.

pub mod base64url;
pub mod block;
pub mod json;
pub mod spell;
