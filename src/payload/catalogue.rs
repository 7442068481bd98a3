//! Trie pages and their rows.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::arrays::{sixteen, thirty_two};
use super::mirror::BytesV1;
use super::secret::{SecretV1, as_bytes};
use crate::codec::fixed::{LayoutError, Reader};
use crate::codec::wire::{Wire, WireError};
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::secret::SharedBytes;

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

/// What a row holds itself: lent by one that is encoded, a part of its page where it was
/// decoded.
pub(crate) enum InlineV1<'a> {
    /// Of a row that is encoded.
    Lent(&'a [u8]),
    /// Of a row that was decoded.
    Shared(SharedBytes),
}

impl InlineV1<'_> {
    /// The bytes of a decoded one.
    pub(crate) fn into_shared(self) -> SharedBytes {
        match self {
            Self::Lent(bytes) => SharedBytes::copy_of(bytes),
            Self::Shared(bytes) => bytes,
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Serialize for InlineV1<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        BytesV1(Cow::Borrowed(self.as_slice())).serialize(to)
    }
}

impl<'de> Deserialize<'de> for InlineV1<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        BytesV1::deserialize(from).map(|bytes| Self::Shared(bytes.0.into_owned().into()))
    }
}

/// A child of an inner page.
#[derive(Serialize, Deserialize)]
pub(crate) struct ChildV1<'a> {
    pub(crate) nibble: u8,
    pub(crate) rows: u64,
    pub(crate) object: ObjectV1<'a>,
}

/// A keyed reference: lent by a page that is encoded, owned where it was decoded.
pub(crate) enum ObjectV1<'a> {
    /// Of a page that is encoded.
    Lent(&'a KeyedRef),
    /// Of a page that was decoded.
    Owned(KeyedRef),
}

/// What is written of it: key, reference, length, digest of the stored bytes.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(serialize_with = "as_bytes")]
    key: &'a [u8; 32],
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
    pub(crate) fn into_owned(self) -> KeyedRef {
        match self {
            Self::Lent(object) => object.duplicate(),
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
        Written { key: key.expose_secret(), reference, length, digest: *digest.as_bytes() }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for ObjectV1<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Read { key, reference, length, digest } = Read::deserialize(from)?;
        Ok(Self::Owned(KeyedRef {
            key: ContentKey::from_secret(&key.into_secret()),
            object: ObjectRef { reference, length },
            digest: ObjectDigest::from_bytes(digest),
        }))
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
/// Keys, and what rows hold themselves, are parts of the page.
///
/// [`wire::decode`]: crate::codec::wire::decode
pub(crate) fn decode_page(bytes: &SharedBytes) -> Result<PageV1<'static>, WireError> {
    const TYPE_NAME: &str = PageV1::<'_>::NAME;
    let mut reader = PageReader { page: bytes, fields: Reader::new(bytes, TYPE_NAME) };
    let malformed = |_| WireError::Malformed { type_name: TYPE_NAME };
    if bytes.len() > PageV1::<'_>::LIMIT {
        return Err(WireError::Malformed { type_name: TYPE_NAME });
    }
    let page = PageV1::read(&mut reader).map_err(malformed)?;
    if !reader.fields.is_done() {
        return Err(WireError::TrailingBytes { type_name: TYPE_NAME });
    }
    if page.is_canonical() { Ok(page) } else { Err(WireError::NotCanonical { type_name: TYPE_NAME }) }
}

/// Reads the fields of a page, and shares parts of it.
struct PageReader<'p> {
    page: &'p SharedBytes,
    fields: Reader<'p>,
}

impl PageReader<'_> {
    /// The next `length` bytes, as a part of the page.
    fn shared(&mut self, length: usize) -> Result<SharedBytes, LayoutError> {
        let start = self.page.len() - self.fields.left();
        self.fields.slice(length)?;
        self.page.part(start..start + length).ok_or(self.fields.fault())
    }
}

impl PageV1<'static> {
    fn read(from: &mut PageReader<'_>) -> Result<Self, LayoutError> {
        let (variant, count) = (from.fields.u32()?, from.fields.u64()?);
        match (variant, usize::try_from(count)) {
            (0, Ok(count @ ..=LEAF_ROWS)) => {
                (0..count).map(|_| RowV1::read(from)).collect::<Result<_, _>>().map(Self::Leaf)
            }
            (1, Ok(count @ ..=16)) => {
                (0..count).map(|_| ChildV1::read(from)).collect::<Result<_, _>>().map(Self::Inner)
            }
            _ => Err(from.fields.fault()),
        }
    }
}

impl RowV1<'static> {
    fn read(from: &mut PageReader<'_>) -> Result<Self, LayoutError> {
        let fields = &mut from.fields;
        let (key, class, id) = (fields.array()?, fields.u8()?, fields.array()?);
        let (revision, epoch) = (fields.u64()?, fields.u64()?);
        let object = if fields.flag()? { Some(ObjectV1::read(from)?) } else { None };
        let length = usize::try_from(from.fields.u64()?).map_err(|_| from.fields.fault())?;
        let inline = InlineV1::Shared(from.shared(length)?);
        Ok(Self { key, class, id, revision, epoch, object, inline })
    }
}

impl ChildV1<'static> {
    fn read(from: &mut PageReader<'_>) -> Result<Self, LayoutError> {
        let (nibble, rows) = (from.fields.u8()?, from.fields.u64()?);
        Ok(Self { nibble, rows, object: ObjectV1::read(from)? })
    }
}

impl ObjectV1<'static> {
    fn read(from: &mut PageReader<'_>) -> Result<Self, LayoutError> {
        let key = from.shared(ContentKey::LEN)?;
        let fields = &mut from.fields;
        let key = ContentKey::shared(key).ok_or(fields.fault())?;
        let object = ObjectRef { reference: fields.array()?, length: fields.u64()? };
        Ok(Self::Owned(KeyedRef { key, object, digest: ObjectDigest::from_bytes(fields.array()?) }))
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
