//! References to stored objects, and the keys that open them.

use crate::codec::fixed::{LayoutError, Reader, Writer};
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::secret::SharedBytes;

/// Where a stored object is: 16 opaque bytes that only its store understands,
/// and its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Opaque to everybody but the store. A vault file puts the offset there.
    pub reference: [u8; 16],
    /// Length in bytes.
    pub length: u64,
}

/// Bytes of an encoded [`ObjectRef`].
pub(crate) const OBJECT_REF_LEN: usize = 24;
/// Bytes of an encoded [`KeyedRef`].
pub(crate) const KEYED_REF_LEN: usize = 32 + OBJECT_REF_LEN + 32;

impl ObjectRef {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.slice(&self.reference).u64(self.length);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self { reference: reader.array()?, length: reader.u64()? })
    }
}

/// What a parent holds of its child: the key, the reference and the digest of
/// the stored bytes.
pub(crate) struct KeyedRef {
    pub(crate) key: ContentKey,
    pub(crate) object: ObjectRef,
    pub(crate) digest: ObjectDigest,
}

impl KeyedRef {
    /// A copy, key included, for a parent that is written anew.
    pub(crate) fn duplicate(&self) -> Self {
        Self { key: self.key.share(), object: self.object, digest: self.digest }
    }

    /// A present flag and the fields, zeros where there is none.
    pub(crate) fn write_option(value: Option<&Self>, writer: &mut Writer) {
        let Some(value) = value else {
            writer.slice(&[0; 1 + KEYED_REF_LEN]);
            return;
        };
        value.write(writer.u8(1));
    }

    /// The fields, zeros where there is none.
    pub(crate) fn write_or_zeros(value: Option<&Self>, writer: &mut Writer) {
        match value {
            Some(value) => value.write(writer),
            None => drop(writer.slice(&[0; KEYED_REF_LEN])),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.slice(self.key.expose_secret());
        self.object.write(writer);
        writer.slice(self.digest.as_bytes());
    }

    /// What [`KeyedRef::write_or_zeros`] wrote.
    pub(crate) fn read_or_zeros(reader: &mut Reader<'_>) -> Result<Option<Self>, LayoutError> {
        let fields = reader.slice(KEYED_REF_LEN)?;
        if fields.iter().all(|byte| *byte == 0) { Ok(None) } else { Self::read(fields).map(Some) }
    }

    pub(crate) fn read_option(reader: &mut Reader<'_>) -> Result<Option<Self>, LayoutError> {
        let present = reader.flag()?;
        let fields = reader.slice(KEYED_REF_LEN)?;
        if !present {
            let absent = fields.iter().all(|byte| *byte == 0);
            return if absent { Ok(None) } else { Err(reader.fault()) };
        }
        Self::read(fields).map(Some)
    }

    fn read(fields: &[u8]) -> Result<Self, LayoutError> {
        let mut fields = Reader::new(fields, "object");
        let key = SharedBytes::copy_of(fields.slice(ContentKey::LEN)?);
        let key = ContentKey::shared(key).ok_or(fields.fault())?;
        let object = ObjectRef::read(&mut fields)?;
        let digest = ObjectDigest::from_bytes(fields.array()?);
        Ok(Self { key, object, digest })
    }
}
