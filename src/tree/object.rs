//! Objects: padded, encrypted under a key drawn for them, checked by
//! digest before they are decrypted.

use zeroize::Zeroizing;

use super::error::TreeError;
use crate::codec::padding::{pad, unpad_in_place};
use crate::crypto::boxes::{decrypt_once, encrypt_once};
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::{RandomError, Randomness};
use crate::format::context::Context;
use crate::format::object::KeyedRef;
use crate::parallel::in_order;
use crate::store::{Store, StoreWriter};

/// Stored bytes that one core reads at a time, if no single object is larger.
const READ_AT_ONCE: u64 = 256 * 1024;

/// Reads, checks, decrypts and unpads an object.
pub(crate) fn open_object(
    store: &dyn Store,
    object: &KeyedRef,
    context: &Context,
) -> Result<Zeroizing<Vec<u8>>, TreeError> {
    let stored = store.objects(&[object.object])?.pop().ok_or(TreeError::Damaged { what: "object" })?;
    open_stored(object, context, stored)
}

/// Checks, decrypts and unpads the bytes that a store has of an object.
pub(crate) fn open_stored(
    object: &KeyedRef,
    context: &Context,
    stored: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, TreeError> {
    let stored = checked(object, stored)?;
    let mut content = decrypt_once(&object.key, &context.bytes(), stored)?;
    unpad_in_place(&mut content)?;
    Ok(content)
}

/// Content that was encrypted and is not stored yet.
pub(crate) struct Encrypted {
    key: ContentKey,
    stored: Vec<u8>,
    digest: ObjectDigest,
}

impl Encrypted {
    /// Pads and encrypts under a fresh key.
    pub(crate) fn encrypt(
        random: &mut Randomness,
        context: &Context,
        content: &[u8],
    ) -> Result<Self, RandomError> {
        let (key, stored) = encrypt_once(random, &context.bytes(), pad(content))?;
        let digest = ObjectDigest::of(&stored);
        Ok(Self { key, stored, digest })
    }

    /// Key, stored bytes and their digest.
    #[cfg(feature = "testing")]
    pub(crate) fn into_parts(self) -> (ContentKey, Vec<u8>, ObjectDigest) {
        (self.key, self.stored, self.digest)
    }
}

/// The stored bytes of an object, if they are those that its parent names.
pub(crate) fn read_checked(store: &dyn Store, object: &KeyedRef) -> Result<Vec<u8>, TreeError> {
    let stored = store.objects(&[object.object])?.pop().ok_or(TreeError::Damaged { what: "object" })?;
    checked(object, stored)
}

/// Parts of a run of objects, each of which is read at once: of one object at
/// least, of no more bytes than [`READ_AT_ONCE`] otherwise.
fn read_parts<'o>(objects: &'o [&'o KeyedRef]) -> Vec<&'o [&'o KeyedRef]> {
    let mut parts = Vec::new();
    let mut rest = objects;
    while !rest.is_empty() {
        let mut total: u64 = 0;
        let fits = rest.iter().take_while(|object| {
            total = total.saturating_add(object.object.length);
            total <= READ_AT_ONCE
        });
        let (part, later) = rest.split_at(fits.count().max(1).min(rest.len()));
        parts.push(part);
        rest = later;
    }
    parts
}

/// The stored bytes of objects, each if it is what its parent names.
fn read_all_checked(store: &dyn Store, objects: &[&KeyedRef]) -> Result<Vec<Vec<u8>>, TreeError> {
    let references: Vec<_> = objects.iter().map(|object| object.object).collect();
    let stored = store.objects(&references)?;
    if stored.len() != objects.len() {
        return Err(TreeError::Damaged { what: "object" });
    }
    objects.iter().zip(stored).map(|(object, stored)| checked(object, stored)).collect()
}

/// Reads objects back, some at a time; each must be what its parent names.
pub(crate) fn check_stored(store: &dyn Store, objects: &[&KeyedRef]) -> Result<(), TreeError> {
    read_parts(objects).into_iter().try_for_each(|part| read_all_checked(store, part).map(|_| ()))
}

fn checked(object: &KeyedRef, stored: Vec<u8>) -> Result<Vec<u8>, TreeError> {
    match ObjectDigest::of(&stored).matches(&object.digest) {
        true => Ok(stored),
        false => Err(TreeError::Damaged { what: "object" }),
    }
}

/// Writes keyed references through a store's writer.
pub(crate) struct ObjectWriter<'a> {
    pub(crate) writer: &'a mut dyn StoreWriter,
    pub(crate) random: &'a mut Randomness,
}

impl ObjectWriter<'_> {
    /// Pads, encrypts under a fresh key and puts an object.
    pub(crate) fn encrypt(&mut self, context: &Context, content: &[u8]) -> Result<KeyedRef, TreeError> {
        let encrypted = Encrypted::encrypt(self.random, context, content)?;
        self.put(context, encrypted)
    }

    /// Puts what was encrypted with this context.
    pub(crate) fn put(&mut self, context: &Context, encrypted: Encrypted) -> Result<KeyedRef, TreeError> {
        let Encrypted { key, stored, digest } = encrypted;
        let references = self.writer.put(&[&stored])?;
        let object = references.first().copied().ok_or(TreeError::Damaged { what: "reference" })?;
        #[cfg(test)]
        {
            let stored = crate::testing::Stored { reference: object.reference, length: object.length };
            crate::testing::record_encrypted(&context.bytes(), key.secret().expose_secret(), stored);
        }
        #[cfg(not(test))]
        let _ = context;
        Ok(KeyedRef { key, object, digest })
    }

    /// Puts objects of another store byte for byte: their keys and contexts stay,
    /// only their references change. They are read and checked on every core;
    /// `copied` is told the stored length of each.
    pub(crate) fn copy_all(
        &mut self,
        from: &dyn Store,
        objects: &[&KeyedRef],
        copied: &mut dyn FnMut(u64),
    ) -> Result<Vec<KeyedRef>, TreeError> {
        let mut put = Vec::with_capacity(objects.len());
        let mut named = objects.iter();
        in_order(
            &read_parts(objects),
            |part| read_all_checked(from, part),
            |stored| {
                let stored: Vec<&[u8]> = stored.iter().map(Vec::as_slice).collect();
                for (reference, object) in self.writer.put(&stored)?.into_iter().zip(&mut named) {
                    put.push(KeyedRef { object: reference, ..object.duplicate() });
                    copied(reference.length);
                }
                Ok(())
            },
        )?;
        if put.len() == objects.len() { Ok(put) } else { Err(TreeError::Damaged { what: "reference" }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::object::ObjectRef;
    use crate::secret::SecretBytes;

    #[test]
    fn as_many_objects_are_read_at_once_as_memory_has_room_for_and_at_least_one() {
        let parts = |lengths: &[u64]| -> Vec<usize> {
            let encrypted = |length: &u64| KeyedRef {
                key: ContentKey::from_secret(SecretBytes::filled(|_| ())),
                object: ObjectRef { reference: [0; 16], length: *length },
                digest: ObjectDigest::from_bytes([0; 32]),
            };
            let objects: Vec<KeyedRef> = lengths.iter().map(encrypted).collect();
            read_parts(&objects.iter().collect::<Vec<_>>()).into_iter().map(<[_]>::len).collect()
        };
        let half = READ_AT_ONCE / 2;
        assert!(parts(&[]).is_empty());
        assert_eq!(parts(&[1]), [1]);
        assert_eq!(parts(&[half, half, 1]), [2, 1]);
        assert_eq!(parts(&[half, half + 1, 1]), [1, 2]);
        assert_eq!(parts(&[1 << 30, 1]), [1, 1], "larger than the room");
        assert_eq!(parts(&[1, u64::MAX, u64::MAX]), [1, 1, 1]);
        assert_eq!(parts(&[0; 7]), [7]);
    }
}
