//! Trie pages and their rows.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

use super::arrays::{sixteen, thirty_two};
use super::mirror::BytesV1;
use super::secret::{SecretV1, as_bytes};
use crate::codec::fixed::{LayoutError, Reader};
use crate::codec::wire::{Wire, WireError};
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::secret::SecretBytes;

/// Most rows of a leaf page: one more makes it an inner page.
pub(crate) const LEAF_ROWS: usize = 32;
/// Longest inline part of a row, in bytes.
pub(crate) const INLINE_LIMIT: usize = 300;

/// A page of a trie.
#[derive(Serialize, Deserialize)]
pub(crate) enum PageV1<'a> {
    /// Rows sorted by key, 1 to [`LEAF_ROWS`].
    Leaf(Vec<RowV1<'a>>),
    /// Children sorted by nibble, more than [`LEAF_ROWS`] rows together.
    Inner(Vec<ChildV1<'a>>),
}

/// A row of a leaf.
#[derive(Serialize, Deserialize)]
pub(crate) struct RowV1<'a> {
    #[serde(with = "sixteen")]
    pub(crate) key: [u8; 16],
    pub(crate) class: u8,
    #[serde(with = "sixteen")]
    pub(crate) id: [u8; 16],
    pub(crate) revision: u64,
    pub(crate) epoch: u64,
    pub(crate) object: Option<ObjectV1<'a>>,
    pub(crate) inline: InlineV1<'a>,
}

/// What a row holds itself: lent by one that is encoded, wiped where it was decoded.
#[derive(Serialize, Deserialize)]
pub(crate) struct InlineV1<'a>(BytesV1<'a>);

impl<'a> InlineV1<'a> {
    pub(crate) fn lent(bytes: &'a [u8]) -> Self {
        Self(BytesV1(Cow::Borrowed(bytes)))
    }

    /// The bytes of a decoded one.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0.0).into_owned()
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0.0
    }
}

impl Drop for InlineV1<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(bytes) = &mut self.0.0 {
            bytes.zeroize();
        }
    }
}

/// A child of an inner page.
#[derive(Serialize, Deserialize)]
pub(crate) struct ChildV1<'a> {
    pub(crate) nibble: u8,
    pub(crate) rows: u64,
    pub(crate) object: ObjectV1<'a>,
}

/// A keyed reference: lent by a page that is encoded, owned where it was decoded. A
/// pointer either way, so that one that is absent has no room for what a call left on
/// the stack.
pub(crate) enum ObjectV1<'a> {
    /// Of a page that is encoded.
    Lent(&'a KeyedRef),
    /// Of a page that was decoded.
    Owned(Box<KeyedRef>),
}

/// What is written of it: key, reference, length, digest of the stored bytes.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(serialize_with = "as_bytes")]
    key: &'a SecretBytes,
    #[serde(with = "sixteen")]
    reference: [u8; 16],
    length: u64,
    #[serde(with = "thirty_two")]
    digest: [u8; 32],
}

/// The same as it is read.
#[derive(Deserialize)]
struct Read {
    key: SecretV1,
    #[serde(with = "sixteen")]
    reference: [u8; 16],
    length: u64,
    #[serde(with = "thirty_two")]
    digest: [u8; 32],
}

impl ObjectV1<'_> {
    /// The keyed reference of a page that was decoded.
    pub(crate) fn into_owned(self) -> Box<KeyedRef> {
        match self {
            Self::Lent(object) => Box::new(object.duplicate()),
            Self::Owned(object) => object,
        }
    }
}

impl AsRef<KeyedRef> for ObjectV1<'_> {
    fn as_ref(&self) -> &KeyedRef {
        match self {
            Self::Lent(object) => object,
            Self::Owned(object) => object,
        }
    }
}

impl Serialize for ObjectV1<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let KeyedRef { key, object, digest } = self.as_ref();
        let (reference, length) = (object.reference, object.length);
        Written { key: key.secret(), reference, length, digest: *digest.as_bytes() }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for ObjectV1<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Read { key, reference, length, digest } = Read::deserialize(from)?;
        Ok(Self::Owned(Box::new(KeyedRef {
            key: ContentKey::from_secret(key.into_secret()),
            object: ObjectRef { reference, length },
            digest: ObjectDigest::from_bytes(digest),
        })))
    }
}

impl Wire for PageV1<'_> {
    const NAME: &'static str = "PageV1";
    const LIMIT: usize = 15 * 1024;

    fn is_canonical(&self) -> bool {
        match self {
            Self::Leaf(rows) => {
                !rows.is_empty()
                    && rows.len() <= LEAF_ROWS
                    && rows.is_sorted_by(|a, b| a.key < b.key)
                    && rows.iter().all(|row| row.inline.as_slice().len() <= INLINE_LIMIT)
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

/// Decodes a page from exactly these bytes, as [`wire::decode`] does: every field of it
/// has its width, so that pages, which are read for every entry, are read field by field.
/// What rows hold themselves is lent.
///
/// [`wire::decode`]: crate::codec::wire::decode
pub(crate) fn decode_page(bytes: &[u8]) -> Result<PageV1<'_>, WireError> {
    const TYPE_NAME: &str = PageV1::<'_>::NAME;
    let mut reader = Reader::new(bytes, TYPE_NAME);
    let malformed = |_| WireError::Malformed { type_name: TYPE_NAME };
    if bytes.len() > PageV1::<'_>::LIMIT {
        return Err(WireError::Malformed { type_name: TYPE_NAME });
    }
    let page = PageV1::read(&mut reader).map_err(malformed)?;
    if !reader.is_done() {
        return Err(WireError::TrailingBytes { type_name: TYPE_NAME });
    }
    if page.is_canonical() { Ok(page) } else { Err(WireError::NotCanonical { type_name: TYPE_NAME }) }
}

impl<'a> PageV1<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, LayoutError> {
        let (variant, count) = (reader.u32()?, reader.u64()?);
        match (variant, usize::try_from(count)) {
            (0, Ok(count @ ..=LEAF_ROWS)) => {
                (0..count).map(|_| RowV1::read(reader)).collect::<Result<_, _>>().map(Self::Leaf)
            }
            (1, Ok(count @ ..=16)) => {
                (0..count).map(|_| ChildV1::read(reader)).collect::<Result<_, _>>().map(Self::Inner)
            }
            _ => Err(reader.fault()),
        }
    }
}

impl<'a> RowV1<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, LayoutError> {
        let (key, class, id) = (reader.array()?, reader.u8()?, reader.array()?);
        let (revision, epoch) = (reader.u64()?, reader.u64()?);
        let object = if reader.flag()? { Some(ObjectV1::read(reader)?) } else { None };
        let length = usize::try_from(reader.u64()?).map_err(|_| reader.fault())?;
        Ok(Self { key, class, id, revision, epoch, object, inline: InlineV1::lent(reader.slice(length)?) })
    }
}

impl ChildV1<'_> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self { nibble: reader.u8()?, rows: reader.u64()?, object: ObjectV1::read(reader)? })
    }
}

impl ObjectV1<'_> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        // From the page to its own place at once.
        let secret = reader.slice(32)?;
        let key = SecretBytes::filled(|out| out.copy_from_slice(secret));
        let object = ObjectRef { reference: reader.array()?, length: reader.u64()? };
        let digest = ObjectDigest::from_bytes(reader.array()?);
        Ok(Self::Owned(Box::new(KeyedRef { key: ContentKey::from_secret(key), object, digest })))
    }
}

/// What a commit withdrew from a compartment: its place names the object.
#[derive(Serialize, Deserialize)]
pub(crate) struct EraseListV1 {
    pub(crate) objects: Vec<([u8; 16], u64)>,
}

impl Wire for EraseListV1 {
    const NAME: &'static str = "EraseListV1";
    const LIMIT: usize = 64 << 20;
}
