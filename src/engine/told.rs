//! What a handle remembers of the ledger.

use std::collections::BTreeSet;

use crate::format::place::Compartment;
use crate::id::Epoch;

/// What a handle has read of the ledger, so that it reads no line twice: a line
/// never changes, but to be destroyed.
#[derive(Default)]
pub(crate) struct Told {
    /// The last commit of those that were all read.
    pub(crate) upto: u64,
    /// Those among them that tell of copies, or cannot be read.
    pub(crate) telling: Vec<Epoch>,
    /// Rows without any line that tells of one entry alone.
    shared: BTreeSet<(Compartment, Epoch)>,
}

impl Told {
    /// Whether no line of the row tells of one entry alone.
    pub(crate) fn is_shared(&self, compartment: Compartment, epoch: Epoch) -> bool {
        self.shared.contains(&(compartment, epoch))
    }

    /// Remembers that.
    pub(crate) fn set_shared(&mut self, compartment: Compartment, epoch: Epoch) {
        self.shared.insert((compartment, epoch));
    }
}
