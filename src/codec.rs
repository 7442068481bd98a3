//! Bytes to values and back: the inner wire encoding, the padding, and XML. Other texts are read
//! in `crates/base`.
//!
//! Every reader here takes a slice, meets a named limit before it works, and
//! leaves nothing over.

pub(crate) mod fhir_xml;
pub(crate) mod fixed;
pub(crate) mod padding;
pub(crate) mod wire;
pub(crate) mod xml;

pub(crate) use subrosa_base::codec::{base64url, block, json, spell};
