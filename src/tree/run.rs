//! Runs of objects: encrypted one behind the other in one buffer, and decrypted where
//! they stand in what was read at once.
//!
//! A buffer that holds plaintext is wiped when it is dropped, and never grows while it
//! does: growing would leave a copy behind.

use super::error::TreeError;
use super::stored::open_object;
use crate::codec::padding::{pad_into, padded_len, unpad};
use crate::codec::wire::Content;
use crate::crypto::BoxError;
use crate::crypto::boxes::{chunked_len, decrypt_run, encrypt_run};
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::{RandomError, Randomness};
use crate::format::context::{CONTEXT_LEN, Context};
use crate::format::object::{KeyedRef, ObjectRef};
use crate::secret::WipedBytes;
use crate::store::{Store, Tier};

/// Contents that are to be encrypted together.
#[derive(Default)]
pub(crate) struct Run {
    bytes: WipedBytes,
    parts: Vec<Part>,
}

/// A padded content at the start of the room that its box takes.
struct Part {
    tier: Tier,
    context: [u8; CONTEXT_LEN],
    plaintext: usize,
}

impl Run {
    /// A run that is put together in this buffer.
    pub(crate) fn within(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self { bytes: WipedBytes::new(buffer), parts: Vec::new() }
    }

    /// Writes a content, padded, behind those before it.
    pub(crate) fn push(
        &mut self,
        context: &Context,
        content: &(impl Content + ?Sized),
    ) -> Result<(), TreeError> {
        let plaintext = padded_len(content.len());
        let start = self.bytes.len();
        self.grow(start + chunked_len(plaintext));
        let room = self.bytes.get_mut(start..start + plaintext).ok_or(TreeError::Damaged { what: "run" })?;
        pad_into(room, content.len(), |room| content.write(room))?;
        self.parts.push(Part { tier: context.tier(), context: context.bytes(), plaintext });
        Ok(())
    }

    /// Makes the buffer so long; into a larger one the bytes move without leaving a copy.
    fn grow(&mut self, length: usize) {
        if self.bytes.capacity() < length {
            let room = Vec::with_capacity(length.max(self.bytes.capacity() * 2));
            let mut larger = WipedBytes::new(room);
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.resize(length, 0);
    }

    /// Encrypts each under a fresh key, where it stands.
    pub(crate) fn encrypt(mut self, random: &mut Randomness) -> Result<EncryptedRun, RandomError> {
        let mut rest = self.bytes.as_mut_slice();
        let rooms = self.parts.iter().map_while(|part| {
            let (room, later) =
                std::mem::take(&mut rest).split_at_mut_checked(chunked_len(part.plaintext))?;
            rest = later;
            Some((&part.context, room, part.plaintext))
        });
        let keys = encrypt_run(random, rooms)?;
        let bytes = std::mem::take(&mut *self.bytes);
        let mut rest = bytes.as_slice();
        let objects = self.parts.iter().zip(keys).map_while(|(part, key)| {
            let (stored, later) = rest.split_at_checked(chunked_len(part.plaintext))?;
            rest = later;
            Some(Encrypted {
                tier: part.tier,
                key,
                length: stored.len(),
                digest: ObjectDigest::of(stored),
                #[cfg(test)]
                context: part.context,
            })
        });
        let objects = objects.collect();
        Ok(EncryptedRun { bytes, objects })
    }
}

/// Objects that were encrypted and are not stored yet, one behind the other.
pub(crate) struct EncryptedRun {
    bytes: Vec<u8>,
    objects: Vec<Encrypted>,
}

struct Encrypted {
    tier: Tier,
    key: ContentKey,
    length: usize,
    digest: ObjectDigest,
    #[cfg(test)]
    context: [u8; CONTEXT_LEN],
}

impl EncryptedRun {
    /// Bytes that it takes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The stored bytes of each object, and whose compartments it belongs to.
    pub(super) fn stored(&self) -> Vec<(Tier, &[u8])> {
        let mut rest = self.bytes.as_slice();
        let cut = |object: &Encrypted| {
            let (stored, later) = rest.split_at_checked(object.length)?;
            rest = later;
            Some((object.tier, stored))
        };
        self.objects.iter().map_while(cut).collect()
    }

    /// The objects by where the store put them, and the buffer, for the next run.
    pub(super) fn put(self, references: &[ObjectRef]) -> (Vec<KeyedRef>, Vec<u8>) {
        let put = self.objects.into_iter().zip(references).map(|(encrypted, object)| {
            #[cfg(test)]
            {
                let stored = crate::testing::Stored { reference: object.reference, length: object.length };
                let key = encrypted.key.expose_secret();
                crate::testing::record_encrypted(&encrypted.context, key, stored);
            }
            KeyedRef { key: encrypted.key, object: *object, digest: encrypted.digest }
        });
        (put.collect(), self.bytes)
    }

    /// Key, stored bytes and digest of the only object.
    #[cfg(feature = "testing")]
    pub(crate) fn into_parts(mut self) -> Option<(ContentKey, Vec<u8>, ObjectDigest)> {
        let object = self.objects.pop()?;
        Some((object.key, self.bytes, object.digest))
    }
}

/// What objects are read into and decrypted in. Wiped when it is dropped, and never grown:
/// a larger one takes its place.
#[derive(Default)]
pub(crate) struct Buffer(WipedBytes);

impl Buffer {
    /// Stored bytes that are read at once.
    pub(crate) const ROOM: u64 = 128 * 1024;

    /// Room for so many bytes, whatever they are now.
    pub(super) fn room(&mut self, length: usize) -> &mut [u8] {
        if self.0.len() < length {
            self.0 = WipedBytes::new(vec![0; length.next_power_of_two()]);
        }
        self.0.get_mut(..length).unwrap_or_default()
    }
}

/// Reads objects at once, and gives each content, or its fault, in their order. All are
/// checked and decrypted before the first is given. Objects for which a buffer has no room,
/// and those that cannot be read together, are opened one by one: one that is missing keeps
/// no other from being read.
pub(crate) fn open_run(
    store: &dyn Store,
    objects: &[(&KeyedRef, Context)],
    buffer: &mut Buffer,
    mut visit: impl FnMut(Result<&[u8], TreeError>),
) {
    let references: Vec<ObjectRef> = objects.iter().map(|(object, _)| object.object).collect();
    let total = references.iter().try_fold(0u64, |sum, object| sum.checked_add(object.length));
    let total = total.filter(|total| *total <= Buffer::ROOM).and_then(|total| usize::try_from(total).ok());
    let Some(room) = total.map(|total| buffer.room(total)) else {
        return open_alone(store, objects, visit);
    };
    if store.read(&references, room).is_err() {
        return open_alone(store, objects, visit);
    }
    let mut opened = decrypt_found(objects, room).into_iter();
    let mut rest = &*room;
    for reference in &references {
        let length = usize::try_from(reference.length).unwrap_or(usize::MAX);
        let (stored, later) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = later;
        let damaged = TreeError::Damaged { what: "object" };
        visit(opened.next().unwrap_or(Err(damaged)).and_then(|plaintext| {
            Ok(unpad(stored.get(..plaintext).ok_or(TreeError::Damaged { what: "object" })?)?)
        }));
    }
}

fn open_alone(
    store: &dyn Store,
    objects: &[(&KeyedRef, Context)],
    mut visit: impl FnMut(Result<&[u8], TreeError>),
) {
    for (object, context) in objects {
        match open_object(store, object, context) {
            Ok(content) => visit(Ok(&content)),
            Err(error) => visit(Err(error)),
        }
    }
}

/// Checks and decrypts objects that stand one behind the other; gives the lengths of their
/// plaintexts, or why there is none: one is not what its parent names, or does not open.
fn decrypt_found(objects: &[(&KeyedRef, Context)], read: &mut [u8]) -> Vec<Result<usize, TreeError>> {
    let mut rest = read;
    let mut is_whole = Vec::with_capacity(objects.len());
    let whole = objects.iter().filter_map(|(object, context)| {
        let length = usize::try_from(object.object.length).ok()?;
        let (stored, later) = std::mem::take(&mut rest).split_at_mut_checked(length)?;
        rest = later;
        let matches = ObjectDigest::of(stored).matches(&object.digest);
        is_whole.push(matches);
        matches.then(|| (&object.key, context.bytes(), stored))
    });
    let mut opened = decrypt_run(whole).into_iter();
    let result = |whole| match whole {
        true => opened.next().unwrap_or(Err(BoxError)).map_err(TreeError::from),
        false => Err(TreeError::Damaged { what: "object" }),
    };
    is_whole.into_iter().map(result).collect()
}
