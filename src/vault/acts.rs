//! Acts upon what is in the vault, beyond adding to it.

pub(crate) mod undo;
