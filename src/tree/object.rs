//! Sealed objects: padded, encrypted under a key drawn for them, checked by
//! digest before they are decrypted.

use zeroize::Zeroizing;

use super::TreeError;
use crate::codec::padding::{pad, unpad};
use crate::crypto::boxes::{decrypt_once, encrypt_once};
use crate::crypto::digest::Digest;
use crate::crypto::random::Randomness;
use crate::format::context::Context;
use crate::format::object::SealedObject;
use crate::store::{Store, StoreWriter};

/// Reads, checks, decrypts and unpads an object.
pub(crate) fn open_object(
    store: &dyn Store,
    object: &SealedObject,
    context: &Context,
) -> Result<Zeroizing<Vec<u8>>, TreeError> {
    let stored = read_checked(store, object)?;
    let padded = decrypt_once(&object.key, &context.bytes(), &stored)?;
    let content = unpad(&padded)?;
    Ok(Zeroizing::new(content.to_vec()))
}

/// The stored bytes of an object, if they are those that its parent names.
pub(crate) fn read_checked(store: &dyn Store, object: &SealedObject) -> Result<Vec<u8>, TreeError> {
    let stored = store.objects(&[object.object])?.pop().ok_or(TreeError::Damaged { what: "object" })?;
    match Digest::of(&[&stored]).matches(&object.digest) {
        true => Ok(stored),
        false => Err(TreeError::Damaged { what: "object" }),
    }
}

/// Writes sealed objects through a store's writer.
pub(crate) struct ObjectWriter<'a> {
    pub(crate) writer: &'a mut dyn StoreWriter,
    pub(crate) random: &'a mut Randomness,
}

impl ObjectWriter<'_> {
    /// Pads, encrypts under a fresh key and puts an object.
    pub(crate) fn seal(&mut self, context: &Context, content: &[u8]) -> Result<SealedObject, TreeError> {
        let (key, stored) = encrypt_once(self.random, &context.bytes(), &pad(content))?;
        let digest = Digest::of(&[&stored]);
        let references = self.writer.put(&[&stored])?;
        let object = references.first().copied().ok_or(TreeError::Damaged { what: "reference" })?;
        #[cfg(test)]
        crate::testing::record_sealed(&context.bytes(), &key, &object);
        Ok(SealedObject { key, object, digest })
    }

    /// Puts an object of another store byte for byte: its key and its context
    /// stay, only its reference changes.
    pub(crate) fn copy(
        &mut self,
        from: &dyn Store,
        object: &SealedObject,
    ) -> Result<SealedObject, TreeError> {
        let stored = read_checked(from, object)?;
        let references = self.writer.put(&[&stored])?;
        let reference = references.first().copied().ok_or(TreeError::Damaged { what: "reference" })?;
        Ok(SealedObject { object: reference, ..object.duplicate() })
    }
}
