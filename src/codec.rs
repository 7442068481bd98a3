//! Bytes to values and back: the JSON reader and the inner wire encoding.
//!
//! Every reader here takes a slice, meets a named limit before it works, and
//! leaves nothing over.

pub(crate) mod base64url;
pub(crate) mod fixed;
pub(crate) mod json;
pub(crate) mod padding;
pub(crate) mod spell;
pub(crate) mod wire;
