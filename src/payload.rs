//! The inner wire structs: what stands inside authenticated boxes.
//!
//! A struct that was released never changes; a newer one replaces it and
//! readers keep upgrading the old.

pub(crate) mod catalogue;
pub(crate) mod custody;
pub(crate) mod history;
