//! What a handle remembers of the ledger.

use crate::id::Epoch;

/// What a handle has read of the links, so that it reads none twice: a link never changes.
#[derive(Default)]
pub(crate) struct Told {
    /// The last commit of those that were all read.
    pub(crate) upto: u64,
    /// Those among them that tell of copies, or cannot be read.
    pub(crate) telling: Vec<Epoch>,
}
