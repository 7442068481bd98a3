//! Contents of attachments: what is known of one that is stored in slices.

use serde::{Deserialize, Serialize};

use crate::codec::wire::Wire;

/// Bytes of every slice but the last: with the length before it, a plaintext
/// of exactly 1 MiB, so that nothing is padded.
pub(crate) const SLICE_LEN: usize = (1 << 20) - 8;

/// [`SLICE_LEN`], or what this thread's test makes of it.
pub(crate) fn slice_len() -> usize {
    #[cfg(any(test, fuzzing))]
    if let Some((slice, _)) = crate::seams::slices() {
        return slice;
    }
    SLICE_LEN
}

/// How many slices a content of this size has.
pub(crate) fn slice_count(size: u64) -> u64 {
    size.div_ceil(slice_len() as u64)
}

/// The head of a content.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct ContentV1 {
    pub(crate) content: [u8; 16],
    pub(crate) size: u64,
    /// BLAKE3 of all bytes.
    pub(crate) digest: [u8; 32],
    pub(crate) slices: u64,
    /// The entries that use it, in any revision, sorted; at least one.
    pub(crate) users: Vec<[u8; 16]>,
}

impl Wire for ContentV1 {
    const NAME: &'static str = "ContentV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        self.slices == slice_count(self.size)
            && !self.users.is_empty()
            && self.users.is_sorted_by(|a, b| a < b)
    }
}

/// A content of which some slices are stored and the rest is still to come.
#[derive(Serialize, Deserialize)]
pub(crate) struct UploadV1 {
    pub(crate) content: [u8; 16],
    pub(crate) slices: u64,
    /// What the attachment is to be called; may be empty.
    pub(crate) title: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) started: i64,
}

impl Wire for UploadV1 {
    const NAME: &'static str = "UploadV1";
    const LIMIT: usize = 2048;

    fn is_canonical(&self) -> bool {
        self.slices > 0 && self.title.len() <= 1024
    }
}
