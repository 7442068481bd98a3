//! Where the engine and the outside meet: what comes in and what goes out.

pub(crate) mod attach;
pub(crate) mod attachment;
pub(crate) mod clock;
pub(crate) mod document;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod release;
