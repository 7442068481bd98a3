//! Writing objects, and copying them as they are stored.

use super::error::TreeError;
use super::run::{Buffer, EncryptedRun, Run, open_run};
use crate::codec::wire::Content;
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::Randomness;
use crate::format::context::Context;
use crate::format::object::KeyedRef;
use crate::parallel::{Spare, in_order};
use crate::store::{Store, StoreWriter};

/// Stored bytes that one core reads at a time, if no single object is larger.
const READ_AT_ONCE: u64 = 256 * 1024;

/// Parts of a run of objects, each of which is read at once: of one object at
/// least, of no more bytes than [`READ_AT_ONCE`] otherwise.
fn read_parts<'s, 'o>(objects: &'s [&'o KeyedRef]) -> Vec<&'s [&'o KeyedRef]> {
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

/// The stored bytes of objects, one behind the other. They may be longer than the room of a
/// buffer where there is one alone, which its store looks at before it has a place.
fn read_whole<'b>(
    store: &dyn Store,
    objects: &[&KeyedRef],
    into: &'b mut Vec<u8>,
) -> Result<&'b [u8], TreeError> {
    let references: Vec<_> = objects.iter().map(|object| object.object).collect();
    if let [_] = objects {
        *into = store.objects(&references)?.pop().ok_or(TreeError::Damaged { what: "object" })?;
        return Ok(into);
    }
    let total = references.iter().try_fold(0u64, |sum, object| sum.checked_add(object.length));
    let total = total.filter(|total| *total <= READ_AT_ONCE).and_then(|total| usize::try_from(total).ok());
    let total = total.ok_or(TreeError::Damaged { what: "object" })?;
    if into.len() < total {
        into.resize(total, 0);
    }
    let room = into.get_mut(..total).unwrap_or_default();
    store.read(&references, room)?;
    Ok(room)
}

/// Each object with its part of what was read.
fn parts_of<'r>(
    objects: &[&'r KeyedRef],
    mut read: &'r [u8],
) -> impl Iterator<Item = (&'r KeyedRef, &'r [u8])> {
    objects.iter().map_while(move |object| {
        let (stored, later) = read.split_at_checked(usize::try_from(object.object.length).ok()?)?;
        read = later;
        Some((*object, stored))
    })
}

/// Reads objects back, some at a time; each must be what its parent names.
pub(crate) fn check_stored(
    store: &dyn Store,
    objects: &[&KeyedRef],
    buffer: &mut Vec<u8>,
) -> Result<(), TreeError> {
    for part in read_parts(objects) {
        let mut whole = parts_of(part, read_whole(store, part, buffer)?);
        if !whole.all(|(object, stored)| ObjectDigest::of(stored).matches(&object.digest)) {
            return Err(TreeError::Damaged { what: "object" });
        }
    }
    Ok(())
}

/// Writes keyed references through a store's writer.
pub(crate) struct ObjectWriter<'a> {
    pub(crate) writer: &'a mut dyn StoreWriter,
    pub(crate) random: &'a mut Randomness,
}

impl ObjectWriter<'_> {
    /// Pads, encrypts under a fresh key and puts an object.
    pub(crate) fn encrypt(
        &mut self,
        context: &Context,
        content: &(impl Content + ?Sized),
    ) -> Result<KeyedRef, TreeError> {
        let mut run = Run::default();
        run.push(context, content)?;
        let run = run.encrypt(self.random)?;
        let (mut objects, _) = self.put_run(run)?;
        objects.pop().ok_or(TreeError::Damaged { what: "reference" })
    }

    /// Puts what was encrypted together, each object where its compartment belongs; gives the
    /// buffer back too.
    pub(crate) fn put_run(&mut self, run: EncryptedRun) -> Result<(Vec<KeyedRef>, Vec<u8>), TreeError> {
        let stored = run.stored();
        let mut references = Vec::with_capacity(stored.len());
        for group in stored.chunk_by(|(one, _), (next, _)| one == next) {
            let Some((tier, _)) = group.first() else { continue };
            let objects: Vec<&[u8]> = group.iter().map(|(_, stored)| *stored).collect();
            references.extend(self.writer.put_in(*tier, &objects)?);
        }
        if references.len() != stored.len() {
            return Err(TreeError::Damaged { what: "reference" });
        }
        Ok(run.put(&references))
    }

    /// Puts objects of another store byte for byte: their keys and contexts stay,
    /// only their references change. They are read on every core, and not checked:
    /// whoever copies them reads them back. `copied` is told the stored length of each.
    pub(crate) fn copy_all(
        &mut self,
        from: &dyn Store,
        objects: &[&KeyedRef],
        copied: &mut dyn FnMut(u64),
    ) -> Result<Vec<KeyedRef>, TreeError> {
        let mut put = Vec::with_capacity(objects.len());
        let buffers = Spare::default();
        let read = |part: &&[&KeyedRef]| {
            let mut buffer: Vec<u8> = buffers.take();
            let length = read_whole(from, part, &mut buffer)?.len();
            Ok::<_, TreeError>((part.len(), length, buffer))
        };
        let mut named = objects;
        in_order(&read_parts(objects), read, |(count, length, buffer)| {
            let (part, later) = named.split_at_checked(count).ok_or(TreeError::Damaged { what: "object" })?;
            named = later;
            let read = buffer.get(..length).unwrap_or_default();
            let stored: Vec<&[u8]> = parts_of(part, read).map(|(_, stored)| stored).collect();
            for (reference, object) in self.writer.put(&stored)?.into_iter().zip(part) {
                put.push(KeyedRef { object: reference, ..object.duplicate() });
                copied(reference.length);
            }
            buffers.give(buffer);
            Ok(())
        })?;
        if put.len() == objects.len() { Ok(put) } else { Err(TreeError::Damaged { what: "reference" }) }
    }
}

impl ObjectWriter<'_> {
    /// Puts the contents of objects of another store, each under a fresh key: nobody who has
    /// both stores can tell by the bytes how much was taken over.
    pub(crate) fn renew_all(
        &mut self,
        from: &dyn Store,
        objects: &[(&KeyedRef, Context)],
        renewed: &mut dyn FnMut(u64),
    ) -> Result<Vec<KeyedRef>, TreeError> {
        let mut put = Vec::with_capacity(objects.len());
        let named: Vec<&KeyedRef> = objects.iter().map(|(object, _)| *object).collect();
        let mut rest = objects;
        let mut parts = Vec::new();
        for part in read_parts(&named) {
            let (first, later) = rest.split_at(part.len().min(rest.len()));
            parts.push(first);
            rest = later;
        }
        let renew = |part: &&[(&KeyedRef, Context)]| -> Result<EncryptedRun, TreeError> {
            let (mut run, mut buffer) = (Run::default(), Buffer::default());
            let mut contexts = part.iter().map(|(_, context)| context);
            let mut fault = None;
            open_run(from, part, &mut buffer, |content| {
                let pushed = contexts.next().ok_or(TreeError::Damaged { what: "object" });
                let pushed = pushed.and_then(|context| run.push(context, content?));
                fault = fault.take().or(pushed.err());
            });
            fault.map_or_else(|| Ok(run.encrypt(&mut Randomness::from_system())?), Err)
        };
        in_order(&parts, renew, |run| {
            let (objects, _) = self.put_run(run)?;
            objects.iter().for_each(|object| renewed(object.object.length));
            put.extend(objects);
            Ok::<_, TreeError>(())
        })?;
        if put.len() == objects.len() { Ok(put) } else { Err(TreeError::Damaged { what: "reference" }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::ContentKey;
    use crate::format::object::ObjectRef;
    use crate::secret::SecretBytes;

    #[test]
    fn as_many_objects_are_read_at_once_as_memory_has_room_for_and_at_least_one() {
        let parts = |lengths: &[u64]| -> Vec<usize> {
            let encrypted = |length: &u64| KeyedRef {
                key: ContentKey::from_secret(&SecretBytes::filled(|_| ())),
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
