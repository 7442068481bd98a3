//! A vault in the memory of this process: for tests, and for a vault that is
//! decrypted from elsewhere and never written to a disk.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::{
    Chosen, Creation, Heads, Medium, ObjectRef, Publication, Repairs, Store, StoreError, StoreWriter,
    deadline,
};
use crate::crypto::random::Randomness;

const LOCK_POLL: Duration = Duration::from_millis(1);

/// A store in memory, with one copy of area and root that are swapped at once.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    writing: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Empty before there is a vault.
    header: Vec<u8>,
    area: Vec<u8>,
    root: Vec<u8>,
    objects: HashMap<[u8; 16], Vec<u8>>,
}

impl MemoryStore {
    /// A store without a vault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that holds these bytes as a vault.
    #[cfg(test)]
    pub(crate) fn create(header: Vec<u8>, area: Vec<u8>, root: Vec<u8>) -> Self {
        let state = State { header, area, root, objects: HashMap::new() };
        Self { state: Mutex::new(state), writing: Mutex::new(()) }
    }

    /// A writer beside the one at work, as a store that lies has it.
    #[cfg(test)]
    pub(crate) fn writer_beside(&self) -> Box<dyn StoreWriter + '_> {
        let random = Randomness::from_system();
        Box::new(MemoryWriter { store: self, added: Vec::new(), random, _guard: None })
    }

    /// The object of this reference, however long it is.
    #[cfg(test)]
    pub(crate) fn any_length(&self, object: &ObjectRef) -> Result<Vec<u8>, StoreError> {
        self.state().objects.get(&object.reference).cloned().ok_or(StoreError::Missing)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        let state = self.state();
        if state.header.is_empty() { Err(StoreError::NotFound) } else { Ok(state.header.clone()) }
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
            _guard: Some(guard),
        }))
    }

    fn medium(&self) -> Medium {
        Medium::Memory
    }

    fn needs_proof(&self) -> bool {
        false
    }
}

struct MemoryWriter<'a> {
    store: &'a MemoryStore,
    added: Vec<([u8; 16], Vec<u8>)>,
    random: Randomness,
    _guard: Option<MutexGuard<'a, ()>>,
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
        if state.root == chosen.root && state.area != chosen.area {
            state.area = chosen.area.to_vec();
            return Ok(Repairs { area: true, ..Repairs::default() });
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

    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        let find = |object: &ObjectRef| {
            let added = self.added.iter().find(|(reference, _)| *reference == object.reference);
            added.map(|(_, bytes)| bytes.clone()).ok_or(StoreError::Missing)
        };
        objects.iter().map(find).collect()
    }

    fn create(&mut self, creation: &Creation<'_>) -> Result<(), StoreError> {
        let mut state = self.store.state();
        if !state.header.is_empty() {
            return Err(StoreError::Exists);
        }
        state.objects.extend(self.added.drain(..));
        state.header = creation.header.to_vec();
        state.area = creation.area.to_vec();
        state.root = creation.root.to_vec();
        Ok(())
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

crate::secret::redacted_debug!(MemoryStore);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::contract::{check_creation, check_store};

    #[test]
    fn a_memory_store_keeps_the_contract() {
        let store = Arc::new(MemoryStore::new());
        let open = || -> Arc<dyn Store> { Arc::clone(&store) as Arc<dyn Store> };
        assert_eq!(check_creation(&open), Ok(()));
        assert_eq!(check_store(&open), Ok(()));
    }
}
