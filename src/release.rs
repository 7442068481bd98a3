//! What may leave: a policy that denies by default, and the redacted view that
//! it makes of entries.

pub(crate) mod claims;
