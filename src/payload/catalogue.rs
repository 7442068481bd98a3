//! Trie pages and their rows.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::arrays::{run, sixteen, thirty_two};
use super::secret::SecretV1;
use crate::codec::wire::Wire;
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::format::object::{KeyedRef, ObjectRef};

/// Most rows of a leaf page: one more makes it an inner page.
pub(crate) const LEAF_ROWS: usize = 32;
/// Longest inline part of a row, in bytes.
pub(crate) const INLINE_LIMIT: usize = 300;

/// A page of a trie.
#[derive(Serialize, Deserialize)]
pub(crate) enum PageV1 {
    /// Rows sorted by key, 1 to [`LEAF_ROWS`].
    Leaf(Vec<RowV1>),
    /// Children sorted by nibble, more than [`LEAF_ROWS`] rows together.
    Inner(Vec<ChildV1>),
}

/// A row of a leaf.
#[derive(Serialize, Deserialize)]
pub(crate) struct RowV1 {
    #[serde(with = "sixteen")]
    pub(crate) key: [u8; 16],
    pub(crate) class: u8,
    #[serde(with = "sixteen")]
    pub(crate) id: [u8; 16],
    pub(crate) revision: u64,
    pub(crate) epoch: u64,
    /// A pointer, so that one that is absent has no room for what a call left on the stack.
    pub(crate) object: Option<Box<ObjectV1>>,
    #[serde(with = "run")]
    pub(crate) inline: Vec<u8>,
}

impl Drop for RowV1 {
    fn drop(&mut self) {
        // The object wipes itself.
        self.inline.zeroize();
    }
}

/// A child of an inner page.
#[derive(Serialize, Deserialize)]
pub(crate) struct ChildV1 {
    pub(crate) nibble: u8,
    pub(crate) rows: u64,
    pub(crate) object: ObjectV1,
}

/// A keyed reference: key, reference, length, digest of the stored bytes.
#[derive(Serialize, Deserialize)]
pub(crate) struct ObjectV1 {
    key: SecretV1,
    #[serde(with = "sixteen")]
    reference: [u8; 16],
    length: u64,
    #[serde(with = "thirty_two")]
    digest: [u8; 32],
}

impl Wire for PageV1 {
    const NAME: &'static str = "PageV1";
    const LIMIT: usize = 15 * 1024;

    fn is_canonical(&self) -> bool {
        match self {
            Self::Leaf(rows) => {
                !rows.is_empty()
                    && rows.len() <= LEAF_ROWS
                    && rows.is_sorted_by(|a, b| a.key < b.key)
                    && rows.iter().all(|row| row.inline.len() <= INLINE_LIMIT)
            }
            Self::Inner(children) => {
                let rows = children.iter().fold(0u64, |sum, child| sum.saturating_add(child.rows));
                rows > LEAF_ROWS as u64
                    && children.is_sorted_by(|a, b| a.nibble < b.nibble)
                    && children.iter().all(|child| child.nibble < 16 && child.rows > 0)
            }
        }
    }
}

/// A list of objects to erase for which the root has no room.
#[derive(Serialize, Deserialize)]
pub(crate) struct EraseListV1 {
    pub(crate) objects: Vec<([u8; 16], u64)>,
}

impl Wire for EraseListV1 {
    const NAME: &'static str = "EraseListV1";
    const LIMIT: usize = 64 << 20;
}

impl From<&KeyedRef> for ObjectV1 {
    fn from(encrypted: &KeyedRef) -> Self {
        Self {
            key: SecretV1::of(encrypted.key.secret()),
            reference: encrypted.object.reference,
            length: encrypted.object.length,
            digest: *encrypted.digest.as_bytes(),
        }
    }
}

impl From<ObjectV1> for KeyedRef {
    fn from(wire: ObjectV1) -> Self {
        Self {
            key: ContentKey::from_secret(wire.key.into_secret()),
            object: ObjectRef { reference: wire.reference, length: wire.length },
            digest: ObjectDigest::from_bytes(wire.digest),
        }
    }
}
