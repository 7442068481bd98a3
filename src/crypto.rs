//! The only module that names cryptography crates: one primitive per function,
//! each after its specification.

pub(crate) mod digest;
pub(crate) mod random;
pub(crate) mod signature;
