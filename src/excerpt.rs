//! Signed, redacted excerpts that a third party verifies without the vault.

pub(crate) mod jws;
pub(crate) mod key;
pub(crate) mod sd_jwt;
pub(crate) mod time;
