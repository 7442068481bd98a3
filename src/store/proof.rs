//! A writer that takes no store's word for it: what was put is read back before
//! a root names it, and what was erased must not come back after.
//!
//! A new credential area can be stored only together with the root that names it.
//! So such a publication erases nothing until both were read back: what the root
//! before names is still there if the swap has to be undone.

use std::time::Duration;

use super::{
    Chosen, Creation, Heads, ObjectRef, Publication, Repairs, Segment, Store, StoreError, StoreWriter,
};
use crate::crypto::object_digest::ObjectDigest;

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
    Ok(Box::new(ProvenWriter { store, wait, writer: Some(writer), put: Vec::new() }))
}

struct ProvenWriter<'a> {
    store: &'a dyn Store,
    wait: Duration,
    /// `None` where another writer came between the steps of a publication.
    writer: Option<Box<dyn StoreWriter + 'a>>,
    put: Vec<(ObjectRef, ObjectDigest)>,
}

impl<'a> ProvenWriter<'a> {
    fn writer(&mut self) -> Result<&mut (dyn StoreWriter + 'a), StoreError> {
        self.writer.as_deref_mut().ok_or(StoreError::Busy)
    }

    /// A writer that starts anew: the one before ended with its publication.
    fn start_anew(&mut self) -> Result<&mut (dyn StoreWriter + 'a), StoreError> {
        self.writer = None;
        Ok(&mut **self.writer.insert(self.store.writer(self.wait)?))
    }

    /// Publishes a new area and its root, reads both back, and only then erases.
    fn publish_area(&mut self, publication: &Publication<'_>, area: &[u8]) -> Result<(), StoreError> {
        self.writer()?.publish(&Publication { erase: &[], ..*publication })?;
        let heads = self.store.heads()?;
        self.prove_swap(&heads, publication)?;
        if !heads.roots.iter().any(|root| root == publication.root) {
            return Ok(());
        }
        if !heads.areas.iter().any(|found| found == area) {
            return self.mend_or_undo(publication, area);
        }
        self.erase(publication, area)
    }

    /// What the root names was not kept: the store is asked for it once more, else
    /// the root before takes its place again.
    fn mend_or_undo(&mut self, publication: &Publication<'_>, area: &[u8]) -> Result<(), StoreError> {
        let chosen = Chosen { area, root: publication.root, erase: &[] };
        // Whether it helped is what is read afterwards.
        drop(self.start_anew().and_then(|writer| writer.settle(&chosen)));
        let holds = |heads: &Heads, area: &[u8], root: &[u8]| {
            heads.areas.iter().any(|found| found == area) && heads.roots.iter().all(|found| found == root)
        };
        if holds(&self.store.heads()?, area, publication.root) {
            return self.erase(publication, area);
        }
        let back = Publication {
            expected: publication.root,
            area,
            root: publication.expected,
            new_area: Some(publication.area),
            withdraws: true,
            erase: &[],
        };
        drop(self.start_anew().and_then(|writer| writer.publish(&back)));
        match holds(&self.store.heads()?, publication.area, publication.expected) {
            true => Err(StoreError::Unreliable { what: "the credential area was not replaced" }),
            false => Err(StoreError::AreaLost),
        }
    }

    fn erase(&mut self, publication: &Publication<'_>, area: &[u8]) -> Result<(), StoreError> {
        let Publication { root, erase, .. } = *publication;
        let store = self.store;
        let Ok(writer) = self.start_anew() else { return Err(StoreError::NotErased) };
        // A later root is of a writer that erased this, or was told to.
        if store.heads()?.roots.iter().all(|found| found == root) {
            writer.settle(&Chosen { area, root, erase })?;
        }
        Ok(())
    }

    /// Another root than the new one may be a later writer's, the old one not.
    fn prove_swap(&self, heads: &Heads, publication: &Publication<'_>) -> Result<(), StoreError> {
        match heads.roots.iter().any(|root| root == publication.expected) {
            true => Err(StoreError::Unreliable { what: "the root was not replaced" }),
            false => Ok(()),
        }
    }

    /// Reads everything back that was put.
    fn prove_objects(&self) -> Result<(), StoreError> {
        const LOST: StoreError = StoreError::Unreliable { what: "an object that was put is not there" };
        let mut rest = self.put.as_slice();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at_checked(batch_len(rest)).ok_or(LOST)?;
            let objects: Vec<ObjectRef> = batch.iter().map(|(object, _)| *object).collect();
            let found = match self.written(&objects) {
                Err(StoreError::Missing) => return Err(LOST),
                found => found?,
            };
            let same = |(bytes, (_, digest)): (&Vec<u8>, &(ObjectRef, ObjectDigest))| {
                ObjectDigest::of(bytes).matches(digest)
            };
            if found.len() != batch.len() || !found.iter().zip(batch).all(same) {
                return Err(LOST);
            }
            rest = later;
        }
        Ok(())
    }

    /// The bytes that are to be erased, as far as they are asked for again.
    fn digests(&self, erase: &[ObjectRef]) -> Vec<(ObjectRef, ObjectDigest)> {
        let digest = |object: &ObjectRef| {
            let bytes = self.store.objects(&[*object]).ok()?;
            Some((*object, ObjectDigest::of(bytes.first()?)))
        };
        erase.iter().take(ASKED_AGAIN).filter_map(digest).collect()
    }
}

/// How many of these objects are read back together: at least one.
fn batch_len(objects: &[(ObjectRef, ObjectDigest)]) -> usize {
    let mut total: u64 = 0;
    let fits = objects.iter().take_while(|(object, _)| {
        total = total.saturating_add(object.length);
        total <= BATCH
    });
    fits.count().max(1)
}

impl StoreWriter for ProvenWriter<'_> {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.writer()?.sync()
    }

    fn settle(&mut self, chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        self.writer()?.settle(chosen)
    }

    fn start(&mut self, append_end: u64) {
        self.put.clear();
        if let Some(writer) = &mut self.writer {
            writer.start(append_end);
        }
    }

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        let references = self.writer()?.put(objects)?;
        let fits = |(object, bytes): (&ObjectRef, &&[u8])| object.length == bytes.len() as u64;
        if references.len() != objects.len() || !references.iter().zip(objects).all(fits) {
            return Err(StoreError::Unreliable { what: "the references are not those of what was put" });
        }
        let put = references.iter().zip(objects).map(|(object, bytes)| (*object, ObjectDigest::of(bytes)));
        self.put.extend(put);
        Ok(references)
    }

    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.writer.as_ref().ok_or(StoreError::Busy)?.written(objects)
    }

    fn end_segment(&mut self) -> Result<Segment, StoreError> {
        self.writer()?.end_segment()
    }

    fn create(&mut self, creation: &Creation<'_>) -> Result<(), StoreError> {
        self.prove_objects()?;
        self.writer()?.create(creation)?;
        let Heads { areas, roots } = self.store.heads()?;
        let all = |copies: &[Vec<u8>], bytes: &[u8]| !copies.is_empty() && copies.iter().all(|c| c == bytes);
        let kept = self.store.header()? == creation.header
            && all(&areas, creation.area)
            && all(&roots, creation.root);
        if kept { Ok(()) } else { Err(StoreError::Unreliable { what: "the vault is not there whole" }) }
    }

    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        self.prove_objects()?;
        // The swap must tell too; this tells a store where it does not.
        if self.store.heads()?.roots.iter().any(|root| root != publication.expected) {
            return Err(StoreError::Conflict);
        }
        let erased = self.digests(publication.erase);
        match publication.new_area {
            Some(area) => self.publish_area(publication, area)?,
            None => {
                self.writer()?.publish(publication)?;
                self.prove_swap(&self.store.heads()?, publication)?;
            }
        }
        let objects: Vec<ObjectRef> = erased.iter().map(|(object, _)| *object).collect();
        if self.digests(&objects).iter().any(|found| erased.contains(found)) {
            return Err(StoreError::NotErased);
        }
        Ok(())
    }
}
