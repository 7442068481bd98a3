//! Links of the history and the ledger rows that they commit to.

use serde::{Deserialize, Serialize};

use super::arrays::sixteens;
use crate::codec::wire::Wire;

/// One link per commit, inline in a row of the `record` compartment.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
pub(crate) struct LinkV1 {
    pub(crate) epoch: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) time: i64,
    /// Digest of the previous link; zeros in the first.
    pub(crate) previous_link: [u8; 32],
    /// SHA-256 of the previous root's stored block; zeros in the first.
    pub(crate) previous_root: [u8; 32],
    /// Merkle root over the commit's leaves.
    pub(crate) leaves: [u8; 32],
}

impl Wire for LinkV1 {
    const NAME: &'static str = "LinkV1";
    const LIMIT: usize = 112;
}

/// What one commit did in one compartment.
#[derive(Serialize, Deserialize)]
pub(crate) struct LedgerV1 {
    pub(crate) epoch: u64,
    pub(crate) leaves: Vec<LeafV1>,
}

/// A leaf with its path to the Merkle root.
#[derive(Serialize, Deserialize)]
pub(crate) struct LeafV1 {
    /// Position among the commit's leaves, decoys included.
    pub(crate) index: u32,
    /// Sibling digests from the leaf to the root.
    pub(crate) path: Vec<[u8; 32]>,
    pub(crate) body: LeafBodyV1,
}

/// A line, or the digest that is left of it.
#[derive(Serialize, Deserialize)]
pub(crate) enum LeafBodyV1 {
    /// The salt and the line.
    Line([u8; 16], LineV1),
    /// The leaf's digest: the line was destroyed with its entry.
    Destroyed([u8; 32]),
}

/// One line of the ledger.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
pub(crate) struct LineV1 {
    pub(crate) action: u16,
    pub(crate) actor: String,
    pub(crate) reason: Option<String>,
    /// Entries concerned, sorted.
    #[serde(with = "sixteens")]
    pub(crate) subjects: Vec<[u8; 16]>,
    /// Further facts by number, sorted: who received, for what, under which basis.
    pub(crate) details: Vec<(u16, String)>,
}

impl Wire for LedgerV1 {
    const NAME: &'static str = "LedgerV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        self.leaves.is_sorted_by(|a, b| a.index < b.index)
            && self.leaves.iter().all(|leaf| {
                leaf.path.len() <= 32
                    && match &leaf.body {
                        LeafBodyV1::Line(_, line) => line.is_canonical(),
                        LeafBodyV1::Destroyed(_) => true,
                    }
            })
    }
}

impl Wire for LineV1 {
    const NAME: &'static str = "LineV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        self.subjects.is_sorted_by(|a, b| a < b) && self.details.is_sorted_by(|a, b| a.0 < b.0)
    }
}
