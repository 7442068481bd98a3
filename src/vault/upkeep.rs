//! Looking after the vault's file: check, inspect, repair, compact, back up.

pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod compact;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod repair;
pub(crate) mod space;
