//! A store that breaks its word in one way: what the contract must name and
//! what a vault must survive.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{
    Chosen, Creation, Heads, Medium, MemoryStore, ObjectRef, Publication, Repairs, Store, StoreError,
    StoreWriter,
};

/// How a store lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Puts objects and keeps the last of them nowhere.
    LosesPut,
    /// Keeps objects with a bit turned.
    ChangesPut,
    /// Says that the root was replaced and does not replace it.
    LosesRoot,
    /// Replaces the root and keeps the credential area before, whatever it is told.
    LosesArea,
    /// Reads the root before the newest.
    StaleHeads,
    /// Answers with an earlier object's bytes.
    StaleObjects,
    /// Replaces whatever root stands there.
    IgnoresExpected,
    /// Refuses to replace another root than the expected one, and does it when asked again.
    RefusesOnce,
    /// Lets every writer in, one after the other started from the same root.
    SharesWriter,
    /// Lets every writer in, and each of them wins.
    TwoWinners,
    /// Answers Busy at once.
    IgnoresWait,
    /// Keeps what it was told to erase.
    KeepsErased,
    /// Reads the area of one commit with the root of another.
    TearsHeads,
    /// Gives objects in the wrong order.
    Shuffles,
    /// Answers zeros for what it does not have.
    InventsMissing,
    /// Answers whatever length was asked for.
    IgnoresLength,
}

pub(crate) const LIES: [Lie; 16] = [
    Lie::LosesPut,
    Lie::ChangesPut,
    Lie::LosesRoot,
    Lie::LosesArea,
    Lie::StaleHeads,
    Lie::StaleObjects,
    Lie::IgnoresExpected,
    Lie::RefusesOnce,
    Lie::SharesWriter,
    Lie::TwoWinners,
    Lie::IgnoresWait,
    Lie::KeepsErased,
    Lie::TearsHeads,
    Lie::Shuffles,
    Lie::InventsMissing,
    Lie::IgnoresLength,
];

/// A store in memory that lies while it is told to.
pub(crate) struct LyingStore {
    truth: MemoryStore,
    lie: Lie,
    lying: AtomicBool,
    /// What stood there before the last publication.
    before: Mutex<Option<Heads>>,
    first: Mutex<Option<Vec<u8>>>,
    /// The last root that was expected in vain.
    refused: Mutex<Option<Vec<u8>>>,
}

impl LyingStore {
    /// A store without a vault that does not lie yet.
    pub(crate) fn new(lie: Lie) -> Arc<Self> {
        Arc::new(Self {
            truth: MemoryStore::new(),
            lie,
            lying: AtomicBool::new(false),
            before: Mutex::new(None),
            first: Mutex::new(None),
            refused: Mutex::new(None),
        })
    }

    /// Starts or stops lying.
    pub(crate) fn lie(&self, lying: bool) {
        self.lying.store(lying, Ordering::SeqCst);
    }

    fn tells(&self, lie: Lie) -> bool {
        self.lie == lie && self.lying.load(Ordering::SeqCst)
    }

    /// Whether a root is replaced although another was expected.
    fn ignores(&self, expected: &[u8], found: &[u8]) -> bool {
        let again = || {
            let before = self.refused.lock().unwrap().replace(expected.to_vec());
            before.is_some_and(|before| before == expected)
        };
        self.tells(Lie::IgnoresExpected)
            || self.tells(Lie::TwoWinners)
            || (self.tells(Lie::RefusesOnce) && expected != found && again())
    }

    fn shares_writer(&self) -> bool {
        self.tells(Lie::SharesWriter) || self.tells(Lie::TwoWinners)
    }
}

impl Store for LyingStore {
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        self.truth.header()
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        let heads = self.truth.heads()?;
        match &*self.before.lock().unwrap() {
            Some(before) if self.tells(Lie::StaleHeads) => Ok(before.clone()),
            Some(before) if self.tells(Lie::TearsHeads) => {
                Ok(Heads { areas: before.areas.clone(), roots: heads.roots })
            }
            _ => Ok(heads),
        }
    }

    fn objects(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        let find = |object: &ObjectRef| match self.truth.objects(&[*object]) {
            Err(StoreError::Missing) if self.tells(Lie::InventsMissing) => {
                Ok(vec![0; usize::try_from(object.length).unwrap().min(1 << 20)])
            }
            Err(StoreError::Missing) if self.tells(Lie::IgnoresLength) => self.truth.any_length(object),
            found => found.map(|mut found| found.remove(0)),
        };
        let mut found = objects.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        if self.tells(Lie::Shuffles) {
            found.reverse();
        }
        if let Some(bytes) = found.first_mut()
            && self.tells(Lie::StaleObjects)
        {
            let first = self.first.lock().unwrap().get_or_insert_with(|| bytes.clone()).clone();
            *bytes = first;
        }
        Ok(found)
    }

    fn writer(&self, wait: Duration) -> Result<Box<dyn StoreWriter + '_>, StoreError> {
        let wait = if self.tells(Lie::IgnoresWait) { Duration::ZERO } else { wait };
        let writer =
            if self.shares_writer() { self.truth.writer_beside() } else { self.truth.writer(wait)? };
        Ok(Box::new(LyingWriter { store: self, writer, lost: None }))
    }

    fn medium(&self) -> Medium {
        Medium::OperatorDependent
    }
}

struct LyingWriter<'a> {
    store: &'a LyingStore,
    writer: Box<dyn StoreWriter + 'a>,
    lost: Option<ObjectRef>,
}

impl StoreWriter for LyingWriter<'_> {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.writer.sync()
    }

    fn settle(&mut self, chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        let erase = if self.store.tells(Lie::KeepsErased) { &[] } else { chosen.erase };
        let area = self.store.truth.heads()?.areas.remove(0);
        let area = if self.store.tells(Lie::LosesArea) { &area } else { chosen.area };
        self.writer.settle(&Chosen { erase, area, ..*chosen })
    }

    fn start(&mut self, append_end: u64) {
        self.lost = None;
        self.writer.start(append_end);
    }

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        let (kept, lost) = match objects.split_last() {
            Some((last, rest)) if self.store.tells(Lie::LosesPut) => (rest, Some(last)),
            _ => (objects, None),
        };
        let turned: Vec<Vec<u8>> =
            kept.iter().map(|bytes| bytes.iter().map(|byte| byte ^ 1).collect()).collect();
        let turned: Vec<&[u8]> = turned.iter().map(Vec::as_slice).collect();
        let kept = if self.store.tells(Lie::ChangesPut) { &turned } else { kept };
        let mut references = self.writer.put(kept)?;
        references.extend(lost.map(|bytes| ObjectRef { reference: [0xab; 16], length: bytes.len() as u64 }));
        Ok(references)
    }

    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.writer.written(objects)
    }

    fn create(&mut self, creation: &Creation<'_>) -> Result<(), StoreError> {
        let lost = vec![0; creation.area.len()];
        let area = if self.store.tells(Lie::LosesArea) { &lost } else { creation.area };
        self.writer.create(&Creation { area, ..*creation })
    }

    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        if self.store.tells(Lie::LosesRoot) {
            return Ok(());
        }
        let heads = self.store.truth.heads()?;
        let found = heads.roots[0].as_slice();
        let ignores = self.store.ignores(publication.expected, found);
        let expected = if ignores { found } else { publication.expected };
        let erase = if self.store.tells(Lie::KeepsErased) { &[] } else { publication.erase };
        let new_area = publication.new_area.filter(|_| !self.store.tells(Lie::LosesArea));
        self.writer.publish(&Publication { expected, erase, new_area, ..*publication })?;
        *self.store.before.lock().unwrap() = Some(heads);
        Ok(())
    }
}

/// The promise that a lie breaks, as the contract names it.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::{Breach, check_creation, check_store};

    fn judged(lie: Lie) -> Result<(), Breach> {
        let store = LyingStore::new(lie);
        let open = || -> Arc<dyn Store> { Arc::clone(&store) as Arc<dyn Store> };
        check_creation(&open)?;
        store.lie(true);
        check_store(&open)
    }

    #[test]
    fn every_lie_is_named_by_the_contract() {
        for lie in LIES {
            let breach = judged(lie).expect_err("a lie is caught");
            let named = match lie {
                Lie::LosesPut => breach == Breach::LostPut || breach == Breach::NotWritten,
                Lie::ChangesPut => breach == Breach::NotWritten || breach == Breach::LostPut,
                Lie::LosesArea => breach == Breach::StaleRead || breach == Breach::TornHeads,
                Lie::LosesRoot | Lie::StaleHeads => breach == Breach::StaleRead,
                Lie::StaleObjects => breach == Breach::ChangedObject,
                Lie::IgnoresExpected => breach == Breach::ExpectedIgnored,
                Lie::RefusesOnce => matches!(breach, Breach::NotOneWinner { winners: 2.. }),
                Lie::SharesWriter | Lie::TwoWinners => breach == Breach::WriterNotExclusive,
                Lie::IgnoresWait => breach == Breach::WaitNotHonoured,
                Lie::KeepsErased => breach == Breach::EraseLeavesBytes,
                Lie::TearsHeads => breach == Breach::TornHeads,
                Lie::Shuffles => breach == Breach::OutOfOrder,
                Lie::InventsMissing => breach == Breach::MissingNotReported,
                Lie::IgnoresLength => breach == Breach::LengthIgnored,
            };
            assert!(named, "{lie:?}: {breach}");
        }
    }

    #[test]
    fn a_store_that_tells_the_truth_keeps_the_contract() {
        let store = LyingStore::new(Lie::LosesPut);
        let open = || -> Arc<dyn Store> { Arc::clone(&store) as Arc<dyn Store> };
        assert_eq!(check_creation(&open), Ok(()));
        assert_eq!(check_store(&open), Ok(()));
    }
}
