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
    let stored = store.objects(&[object.object])?;
    let stored = stored.first().ok_or(TreeError::Damaged { what: "object" })?;
    if !Digest::of(&[stored]).matches(&object.digest) {
        return Err(TreeError::Damaged { what: "object" });
    }
    let padded = decrypt_once(&object.key, &context.bytes(), stored)?;
    let content = unpad(&padded)?;
    Ok(Zeroizing::new(content.to_vec()))
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
}
