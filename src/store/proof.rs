//! A writer that takes no store's word for it: what was put is read back before
//! a root names it, and what was erased must not come back after.

use std::time::Duration;

use super::{Chosen, Creation, ObjectRef, Publication, Repairs, Store, StoreError, StoreWriter};
use crate::crypto::digest::Digest;

/// Bytes that are read back at a time.
const BATCH: u64 = 8 << 20;
/// Erased objects that are asked for again, of one commit.
const ASKED_AGAIN: usize = 64;

/// The writer of a store, proven where the store needs it.
pub(crate) fn writer(store: &dyn Store, wait: Duration) -> Result<Box<dyn StoreWriter + '_>, StoreError> {
    let writer = store.writer(wait)?;
    if !store.needs_proof() {
        return Ok(writer);
    }
    Ok(Box::new(ProvenWriter { store, writer, put: Vec::new() }))
}

struct ProvenWriter<'a> {
    store: &'a dyn Store,
    writer: Box<dyn StoreWriter + 'a>,
    put: Vec<(ObjectRef, Digest)>,
}

impl ProvenWriter<'_> {
    /// Reads everything back that was put.
    fn prove_objects(&self) -> Result<(), StoreError> {
        const LOST: StoreError = StoreError::Unreliable { what: "an object that was put is not there" };
        let mut rest = self.put.as_slice();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at_checked(batch_len(rest)).ok_or(LOST)?;
            let objects: Vec<ObjectRef> = batch.iter().map(|(object, _)| *object).collect();
            let found = match self.writer.written(&objects) {
                Err(StoreError::Missing) => return Err(LOST),
                found => found?,
            };
            let same =
                |(bytes, (_, digest)): (&Vec<u8>, &(ObjectRef, Digest))| Digest::of(&[bytes]).matches(digest);
            if found.len() != batch.len() || !found.iter().zip(batch).all(same) {
                return Err(LOST);
            }
            rest = later;
        }
        Ok(())
    }

    /// The bytes that are to be erased, as far as they are asked for again.
    fn digests(&self, erase: &[ObjectRef]) -> Vec<(ObjectRef, Digest)> {
        let digest = |object: &ObjectRef| {
            let bytes = self.store.objects(&[*object]).ok()?;
            Some((*object, Digest::of(&[bytes.first()?])))
        };
        erase.iter().take(ASKED_AGAIN).filter_map(digest).collect()
    }
}

/// How many of these objects are read back together: at least one.
fn batch_len(objects: &[(ObjectRef, Digest)]) -> usize {
    let mut total: u64 = 0;
    let fits = objects.iter().take_while(|(object, _)| {
        total = total.saturating_add(object.length);
        total <= BATCH
    });
    fits.count().max(1)
}

impl StoreWriter for ProvenWriter<'_> {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.writer.sync()
    }

    fn settle(&mut self, chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        self.writer.settle(chosen)
    }

    fn start(&mut self, append_end: u64) {
        self.put.clear();
        self.writer.start(append_end);
    }

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        let references = self.writer.put(objects)?;
        let fits = |(object, bytes): (&ObjectRef, &&[u8])| object.length == bytes.len() as u64;
        if references.len() != objects.len() || !references.iter().zip(objects).all(fits) {
            return Err(StoreError::Unreliable { what: "the references are not those of what was put" });
        }
        let put = references.iter().zip(objects).map(|(object, bytes)| (*object, Digest::of(&[bytes])));
        self.put.extend(put);
        Ok(references)
    }

    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.writer.written(objects)
    }

    fn append_end(&self) -> u64 {
        self.writer.append_end()
    }

    fn create(&mut self, creation: &Creation<'_>) -> Result<(), StoreError> {
        self.prove_objects()?;
        self.writer.create(creation)?;
        let kept = self.store.header()? == creation.header;
        if kept { Ok(()) } else { Err(StoreError::Unreliable { what: "the vault is not there" }) }
    }

    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        self.prove_objects()?;
        // The swap must tell too; this tells a store where it does not.
        if self.store.heads()?.roots.iter().any(|root| root != publication.expected) {
            return Err(StoreError::Conflict);
        }
        let erased = self.digests(publication.erase);
        self.writer.publish(publication)?;
        // Another root than the new one may be a later writer's, the old one not.
        if self.store.heads()?.roots.iter().any(|root| root == publication.expected) {
            return Err(StoreError::Unreliable { what: "the root was not replaced" });
        }
        let objects: Vec<ObjectRef> = erased.iter().map(|(object, _)| *object).collect();
        if self.digests(&objects).iter().any(|found| erased.contains(found)) {
            return Err(StoreError::NotErased);
        }
        Ok(())
    }
}
