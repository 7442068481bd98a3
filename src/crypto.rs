//! The only module that names cryptography crates: one primitive per function,
//! each after its specification.

pub(crate) mod boxes;
pub(crate) mod content_digest;
mod gcm;
pub(crate) mod kdf;
pub(crate) mod kem;
pub(crate) mod key;
pub(crate) mod object_digest;
pub(crate) mod random;
pub(crate) mod segment_digest;
pub(crate) mod sha1;
pub(crate) mod signature;

pub(crate) use boxes::committed_len;
pub(crate) use gcm::BoxError;
pub(crate) use subrosa_base::digest;
