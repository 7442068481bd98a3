//! A vault in the memory of this process: for tests, and for a vault that is
//! decrypted from elsewhere and never written to a disk.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::{
    Chosen, Heads, Medium, ObjectRef, Publication, Repairs, Store, StoreError, StoreWriter, deadline,
};
use crate::crypto::random::Randomness;

const LOCK_POLL: Duration = Duration::from_millis(1);

/// A store in memory, with one copy of area and root that are swapped at once.
pub struct MemoryStore {
    state: Mutex<State>,
    writing: Mutex<()>,
}

struct State {
    header: Vec<u8>,
    area: Vec<u8>,
    root: Vec<u8>,
    objects: HashMap<[u8; 16], Vec<u8>>,
}

impl MemoryStore {
    /// A store that holds a new vault.
    pub(crate) fn create(header: Vec<u8>, area: Vec<u8>, root: Vec<u8>) -> Self {
        let state = State { header, area, root, objects: HashMap::new() };
        Self { state: Mutex::new(state), writing: Mutex::new(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        Ok(self.state().header.clone())
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        let state = self.state();
        Ok(Heads { areas: vec![state.area.clone()], roots: vec![state.root.clone()] })
    }

    fn objects(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        let state = self.state();
        let find = |object: &ObjectRef| {
            let bytes = state.objects.get(&object.reference).ok_or(StoreError::Missing)?;
            if bytes.len() as u64 == object.length { Ok(bytes.clone()) } else { Err(StoreError::Missing) }
        };
        objects.iter().map(find).collect()
    }

    fn writer(&self, wait: Duration) -> Result<Box<dyn StoreWriter + '_>, StoreError> {
        let deadline = deadline(wait);
        let guard = loop {
            match self.writing.try_lock() {
                Ok(guard) => break guard,
                Err(TryLockError::Poisoned(guard)) => break guard.into_inner(),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy),
            }
        };
        Ok(Box::new(MemoryWriter {
            store: self,
            added: Vec::new(),
            random: Randomness::from_system(),
            _guard: guard,
        }))
    }

    fn medium(&self) -> Medium {
        Medium::Memory
    }
}

struct MemoryWriter<'a> {
    store: &'a MemoryStore,
    added: Vec<([u8; 16], Vec<u8>)>,
    random: Randomness,
    _guard: MutexGuard<'a, ()>,
}

impl StoreWriter for MemoryWriter<'_> {
    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn settle(&mut self, chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        let mut state = self.store.state();
        for object in chosen.erase {
            state.objects.remove(&object.reference);
        }
        Ok(Repairs::default())
    }

    fn start(&mut self, _append_end: u64) {
        self.added.clear();
    }

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        let mut references = Vec::with_capacity(objects.len());
        for bytes in objects {
            let reference =
                self.random.bytes().map_err(|error| StoreError::from(std::io::Error::other(error)))?;
            self.added.push((reference, bytes.to_vec()));
            references.push(ObjectRef { reference, length: bytes.len() as u64 });
        }
        Ok(references)
    }

    fn append_end(&self) -> u64 {
        0
    }

    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        let mut state = self.store.state();
        if state.root != publication.expected {
            return Err(StoreError::Conflict);
        }
        state.objects.extend(self.added.drain(..));
        state.root = publication.root.to_vec();
        if let Some(area) = publication.new_area {
            state.area = area.to_vec();
        }
        if publication.withdraws || publication.new_area.is_some() {
            for object in publication.erase {
                state.objects.remove(&object.reference);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_store_keeps_the_contract() {
        let store = MemoryStore::create(vec![1; 64], vec![2; 64], (0..64).collect());
        crate::store::contract::check_store(&store);
    }
}
