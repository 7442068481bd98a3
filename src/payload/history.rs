//! Links of the history and the ledger rows that they commit to.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::codec::wire::Wire;

/// Levels between the leaves of a commit and their root: a leaf for each of 8 places.
pub(crate) const HEIGHT: usize = 3;

/// One link per commit, inline in a row of the `record` compartment.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
pub(crate) struct LinkV1 {
    pub(crate) epoch: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) time: i64,
    /// What every credential reads of the commit.
    pub(crate) action: u16,
    /// The role of whoever acted.
    pub(crate) role: u16,
    /// Digest of the previous link; zeros in the first.
    pub(crate) previous_link: [u8; 32],
    /// SHA-256 of the previous root's stored block; zeros in the first.
    pub(crate) previous_root: [u8; 32],
    /// Merkle root over the commit's leaves, one for each place.
    pub(crate) leaves: [u8; 32],
    /// What the commit before appended.
    pub(crate) segment: SegmentSpanV1,
}

/// Where the bytes of a commit are in the file, and their digest. Zeros where there are none:
/// before the first commit, before a compaction, and in a store without a file.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SegmentSpanV1 {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Bytes of the parts at its beginning.
    pub(crate) parts: u64,
    pub(crate) digest: [u8; 32],
}

impl Wire for LinkV1 {
    const NAME: &'static str = "LinkV1";
    const LIMIT: usize = 172;
}

/// What one commit did in one compartment: a leaf with its path to the Merkle root.
#[derive(Serialize, Deserialize)]
pub(crate) struct LedgerV1 {
    pub(crate) epoch: u64,
    pub(crate) leaf: LeafV1,
    /// Sibling digests from the leaf to the root.
    pub(crate) path: [[u8; 32]; HEIGHT],
}

/// The lines of one compartment, under a salt.
#[derive(Serialize, Deserialize)]
pub(crate) struct LeafV1 {
    pub(crate) salt: [u8; 16],
    /// At least one, no two the same.
    pub(crate) lines: Vec<LineV1>,
}

/// One line of the ledger. It names no entry.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LineV1 {
    pub(crate) action: u16,
    pub(crate) actor: String,
    pub(crate) reason: Option<String>,
    /// Further facts by number, sorted.
    pub(crate) details: Vec<(u16, String)>,
}

impl Wire for LedgerV1 {
    const NAME: &'static str = "LedgerV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        self.leaf.is_canonical()
    }
}

impl Wire for LeafV1 {
    const NAME: &'static str = "LeafV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        let lines = &self.lines;
        let mut before = HashSet::new();
        !lines.is_empty()
            && lines.len() <= LINES_LIMIT
            && lines.iter().all(LineV1::is_canonical)
            && lines.iter().all(|line| before.insert(line))
    }
}

impl LineV1 {
    fn is_canonical(&self) -> bool {
        let details = self.details.iter().map(|(_, text)| text);
        let mut texts = std::iter::once(&self.actor).chain(&self.reason).chain(details);
        texts.all(|text| text.len() <= TEXT_LIMIT)
            && self.details.is_sorted_by(|a, b| a.0 < b.0)
            && self.details.iter().all(|(number, _)| !OF_ACCOUNTS.contains(number))
    }
}

/// Numbers of details that accounts have and no line has: what a release was for goes with its
/// entries.
const OF_ACCOUNTS: std::ops::RangeInclusive<u16> = 1..=4;

/// Longest text of a line in bytes.
pub(crate) const TEXT_LIMIT: usize = 16 * 1024;

/// Most lines of one compartment and commit.
pub(crate) const LINES_LIMIT: usize = 4096;
