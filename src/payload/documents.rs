//! Documents of which entries were made, as they came: what the entries do not hold of them.

use serde::{Deserialize, Serialize};

use super::mirror::BytesV1;
use crate::codec::wire::Wire;

/// A document as a list of ranges: those of which entries were made are where the entries
/// are, the others here.
#[derive(Serialize, Deserialize)]
pub(crate) struct SourceDocumentV1<'a> {
    /// The name of the input, if it had one.
    pub(crate) name: Option<String>,
    /// Bytes of all ranges together.
    pub(crate) size: u64,
    /// The entries that were made of it, ascending, at least one: with the first of them that
    /// goes, the document goes.
    pub(crate) entries: Vec<[u8; 16]>,
    pub(crate) ranges: Vec<RangeV1<'a>>,
}

/// A range of bytes.
#[derive(Serialize, Deserialize)]
pub(crate) enum RangeV1<'a> {
    /// These bytes.
    Here(BytesV1<'a>),
    /// Bytes of the original of a revision.
    Original(OriginalV1),
}

/// Bytes of the original that a revision of an entry has.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OriginalV1 {
    pub(crate) entry: [u8; 16],
    pub(crate) revision: u64,
    /// The first byte.
    pub(crate) start: u64,
    pub(crate) length: u64,
}

impl Wire for SourceDocumentV1<'_> {
    const NAME: &'static str = "SourceDocumentV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        let is_sound = |range: &RangeV1<'_>| match range {
            RangeV1::Here(bytes) => !bytes.0.is_empty(),
            RangeV1::Original(original) => {
                original.revision > 0
                    && original.length > 0
                    && self.entries.binary_search(&original.entry).is_ok()
            }
        };
        let is_here = |range: &RangeV1<'_>| matches!(range, RangeV1::Here(_));
        !self.entries.is_empty()
            && self.entries.is_sorted_by(|a, b| a < b)
            && self.ranges.iter().all(is_sound)
            && self.ranges.windows(2).all(|pair| !pair.iter().all(is_here))
    }
}

/// Which documents a compartment holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct DocumentListV1 {
    /// Their scopes, ascending, at least one.
    pub(crate) scopes: Vec<[u8; 16]>,
}

impl Wire for DocumentListV1 {
    const NAME: &'static str = "DocumentListV1";
    const LIMIT: usize = 16 << 20;

    fn is_canonical(&self) -> bool {
        !self.scopes.is_empty() && self.scopes.is_sorted_by(|a, b| a < b)
    }
}
