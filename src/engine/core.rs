//! What a handle always has, and one state of the vault as a root names it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::told::Told;
use crate::crypto::boxes::{decrypt_committed, encrypt_committed};
use crate::crypto::digest::Digest;
use crate::crypto::key::RootKey;
use crate::crypto::random::{RandomError, Randomness};
use crate::error::Error;
use crate::format::READER_VERSION;
use crate::format::area::Area;
use crate::format::context::{Context, Purpose, Scope};
use crate::format::header::geometry;
use crate::format::object::KeyedRef;
use crate::format::place::{Compartment, PLACES, Place};
use crate::format::root::{PlaceBox, Root};
use crate::id::EntryId;
use crate::keys::Keyring;
use crate::payload::custody::VaultRecordV1;
use crate::payload::decode_entry;
use crate::record::Entry;
use crate::store::{Heads, Store};
use crate::tree::{Buffer, PageCache, Row, RowClass, RowKey, Trie, open_object, open_run};

pub(crate) const ENTRY_SCHEMA: u16 = 1;
pub(crate) const PLACE_SCHEMA: u16 = 1;
pub(crate) const ROOT_SCHEMA: u16 = 1;

/// What is demanded of the compartments whose keys are held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Each of them opens, down to the root page of its trie.
    Whole,
    /// Nothing: what does not open is what is looked for.
    Parts,
}

/// Store, keys and decrypted pages of an unlocked vault.
pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) scope: Scope,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) cache: PageCache,
    pub(crate) demand: Demand,
    told: Mutex<Told>,
}

/// One state of the vault: a root, its area, and the places that open.
pub(crate) struct Snapshot {
    pub(crate) root: Root,
    pub(crate) root_bytes: Vec<u8>,
    pub(crate) area_bytes: Vec<u8>,
    pub(crate) places: [Option<Place>; PLACES],
    /// What the places need whose rows this reader does not know.
    pub(crate) newer: NewerPlaces,
    /// Whether this handle knows the state to be durable, and what the places that open
    /// want erased to be erased: by its own commit or by settling.
    pub(crate) settled: bool,
}

/// The reader versions that places ask for which are for a newer one.
pub(crate) type NewerPlaces = [Option<u16>; PLACES];

impl Snapshot {
    /// SHA-256 of the stored root; zeros before there is one.
    pub(crate) fn root_digest(&self) -> Digest {
        match self.is_before_creation() {
            true => Digest::from_bytes([0; 32]),
            false => Digest::of(&[&self.root_bytes]),
        }
    }

    /// Whether a file has room for what the places say is live. Nothing is stored
    /// twice, so what they say bounds how much is ever read.
    pub(crate) fn fits(&self) -> bool {
        let live = self.places.iter().flatten().fold(0, |sum: u64, place| sum.saturating_add(place.live));
        live <= self.root.segment.end.saturating_sub(geometry::APPEND)
    }

    /// Whether this is what a first commit starts from.
    pub(crate) fn is_before_creation(&self) -> bool {
        self.root_bytes.is_empty()
    }

    pub(crate) fn place(&self, compartment: Compartment) -> Result<&Place, Error> {
        if let Some(place) = self.places.get(compartment.index()).and_then(Option::as_ref) {
            return Ok(place);
        }
        match self.newer.get(compartment.index()).copied().flatten() {
            Some(needed) => Err(Error::NewerCompartment { compartment, needed, supported: READER_VERSION }),
            None => Err(Error::NeedsCompartment { compartment }),
        }
    }

    /// Whether these copies are as a writer leaves them that is not at work: both areas this
    /// one, whatever its shortcuts, and no other root than this one and the one before it.
    pub(crate) fn rests_in(&self, heads: &Heads) -> bool {
        let are_equal = heads.areas.windows(2).all(|pair| pair.first() == pair.last());
        are_equal
            && heads.areas.iter().all(|area| Area::is_same(area, &self.area_bytes))
            && heads.roots.iter().all(|root| self.is_own_or_previous(root))
    }

    /// Whether a stored root is this one or the one before it.
    pub(crate) fn is_own_or_previous(&self, root: &[u8]) -> bool {
        *root == self.root_bytes || Digest::of(&[root]).matches(&self.root.previous)
    }

    /// Whether this commit withdrew something from a place that opens.
    pub(crate) fn names_withdrawn(&self) -> bool {
        self.places.iter().flatten().any(|place| place.erase.is_some())
    }
}

impl Core {
    pub(crate) fn new(store: Arc<dyn Store>, scope: Scope, keyring: Arc<Keyring>) -> Self {
        let (cache, told) = (PageCache::default(), Mutex::default());
        Self { store, scope, keyring, cache, demand: Demand::Whole, told }
    }

    /// The same keys on another store of the same vault.
    pub(crate) fn on(&self, store: Arc<dyn Store>) -> Self {
        let (scope, keyring) = (self.scope, Arc::clone(&self.keyring));
        Self::new(store, scope, keyring)
    }

    /// The same, demanding this.
    pub(crate) fn demanding(mut self, demand: Demand) -> Self {
        self.demand = demand;
        self
    }

    /// What this handle has read of the ledger.
    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn root_context(&self) -> Context {
        self.scope.context(Purpose::Root).schema(ROOT_SCHEMA)
    }

    pub(crate) fn place_context(&self, compartment: Compartment) -> Context {
        self.scope.context(Purpose::Place).compartment(compartment).schema(PLACE_SCHEMA)
    }

    pub(crate) fn erase_context(&self, compartment: Compartment) -> Context {
        self.scope.context(Purpose::EraseList).compartment(compartment)
    }

    /// Decrypts a stored root; `None` when it does not open under this key.
    pub(crate) fn open_root(&self, key: &RootKey, stored: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        decrypt_committed(key, &self.root_context().bytes(), stored).ok()
    }

    /// Decrypts every place whose key is held; one that does not open is none where
    /// only parts are demanded. What a place for a newer reader needs is given beside.
    pub(crate) fn open_places(&self, root: &Root) -> Result<([Option<Place>; PLACES], NewerPlaces), Error> {
        let (mut places, mut newer) = ([const { None }; PLACES], [None; PLACES]);
        let seats = Compartment::ALL.into_iter().zip(&root.places).zip(places.iter_mut().zip(&mut newer));
        for ((compartment, stored), (place, needed)) in seats {
            let Some(key) = self.keyring.compartment(compartment) else { continue };
            let plain = decrypt_committed(key, &self.place_context(compartment).bytes(), &stored.0).ok();
            let least = plain.as_ref().and_then(|plain| Place::least_reader(plain).ok());
            *needed = least.filter(|least| *least > READER_VERSION);
            if needed.is_some() {
                continue;
            }
            *place = plain.and_then(|plain| Place::decode(&plain).ok());
            *place = place.take().filter(|place| place.epoch.max(place.ledger.epoch) <= root.epoch);
            if place.is_none() && self.demand == Demand::Whole {
                return Err(Error::Damaged { what: "place" });
            }
        }
        Ok((places, newer))
    }

    /// Encrypts a place; `None` when its key is not held.
    pub(crate) fn encrypt_place(
        &self,
        random: &mut Randomness,
        compartment: Compartment,
        place: &Place,
    ) -> Result<Option<PlaceBox>, RandomError> {
        let Some(key) = self.keyring.compartment(compartment) else { return Ok(None) };
        let context = self.place_context(compartment).bytes();
        let stored = encrypt_committed(random, key, &context, &place.encode())?;
        Ok(Some(PlaceBox(stored.try_into().map_err(|_| RandomError)?)))
    }
}

/// A snapshot with the means to read it.
pub(crate) struct StateReader<'a> {
    pub(crate) core: &'a Core,
    pub(crate) snapshot: &'a Snapshot,
}

impl<'a> StateReader<'a> {
    /// The compartments whose entries are listed, released, exported and counted: those
    /// whose key is held, but for what is sealed. Who needs that too asks for it by name.
    pub(crate) fn open_compartments(&self) -> impl Iterator<Item = Compartment> + use<'a> {
        self.open_compartments_and_sealed().filter(|c| *c != Compartment::Sealed)
    }

    /// All compartments that hold entries and whose key is held, sealed ones too: for what
    /// finds an entry by its id, and for what must not pass over any.
    pub(crate) fn open_compartments_and_sealed(&self) -> impl Iterator<Item = Compartment> + use<'a> {
        let core = self.core;
        Compartment::HOLDING_ENTRIES.into_iter().filter(|c| core.keyring.compartment(*c).is_some())
    }

    /// Every compartment whose key is held and whose place opened.
    pub(crate) fn held_compartments(&self) -> impl Iterator<Item = Compartment> + use<'a> {
        let snapshot = self.snapshot;
        Compartment::ALL.into_iter().filter(|c| snapshot.place(*c).is_ok())
    }

    pub(crate) fn trie(&self, compartment: Compartment) -> Result<Trie<'_>, Error> {
        let is_held = self.core.keyring.compartment(compartment).is_some();
        let place = self.snapshot.place(compartment).map_err(|error| match error {
            Error::NeedsCompartment { .. } if is_held => Error::Damaged { what: "place" },
            error => error,
        })?;
        Ok(Trie {
            store: &*self.core.store,
            cache: &self.core.cache,
            scope: self.core.scope,
            compartment,
            root: place.trie.as_ref(),
            rows: place.rows,
            live: place.live,
        })
    }

    pub(crate) fn row(&self, compartment: Compartment, key: &RowKey) -> Result<Option<Row>, Error> {
        Ok(self.trie(compartment)?.row(key)?)
    }

    /// The row of an entry's current revision, and where it is.
    pub(crate) fn entry_row(&self, id: EntryId) -> Result<(Compartment, Row), Error> {
        self.find_entry(id, |compartment| self.row(compartment, &RowKey::entry(id)))
    }

    /// The same, where `read` gives a compartment's row. An entry that is not found may be in
    /// a compartment that this reader is too old for: then that is the answer.
    pub(crate) fn find_entry(
        &self,
        id: EntryId,
        read: impl Fn(Compartment) -> Result<Option<Row>, Error>,
    ) -> Result<(Compartment, Row), Error> {
        let mut not_read = None;
        for compartment in self.open_compartments_and_sealed() {
            match read(compartment) {
                Err(error @ Error::NewerCompartment { .. }) => not_read = Some(error),
                row => {
                    if let Some(row) = row?.filter(|row| row.class == RowClass::Entry) {
                        return Ok((compartment, row));
                    }
                }
            }
        }
        Err(not_read.unwrap_or(Error::NoSuchEntry { id }))
    }

    /// The current revision of an entry, with its row and compartment.
    pub(crate) fn entry(&self, id: EntryId) -> Result<((Compartment, Row), Entry), Error> {
        let (compartment, row) = self.entry_row(id)?;
        let entry = self.core.open_entry(compartment, &row)?;
        Ok(((compartment, row), entry))
    }

    /// The vault's own record.
    pub(crate) fn vault_record(&self) -> Result<VaultRecordV1, Error> {
        let row = self.row(Compartment::Record, &RowKey::named("vault record"))?;
        let row = row.ok_or(Error::Damaged { what: "vault record" })?;
        let content = self.core.open_row(Compartment::Record, &row)?;
        Ok(crate::codec::wire::decode(&content)?)
    }
}

impl Core {
    /// The context of a row's object.
    pub(crate) fn row_context(&self, compartment: Compartment, row: &Row) -> Context {
        let (purpose, object) = match row.class {
            RowClass::Entry | RowClass::Superseded => (Purpose::Entry, *row.id.as_bytes()),
            RowClass::Ledger | RowClass::Link => (Purpose::Ledger, *row.key.as_bytes()),
            RowClass::VaultRecord => (Purpose::VaultRecord, *row.key.as_bytes()),
            RowClass::Directory => (Purpose::Directory, *row.key.as_bytes()),
            RowClass::Document => (Purpose::Document, *row.id.as_bytes()),
            RowClass::Documents => (Purpose::Documents, *row.key.as_bytes()),
            RowClass::Slice => (Purpose::Slice, *row.id.as_bytes()),
            RowClass::Content => (Purpose::Content, *row.key.as_bytes()),
            RowClass::Upload => (Purpose::Upload, *row.key.as_bytes()),
            RowClass::Story => (Purpose::Story, *row.id.as_bytes()),
            RowClass::Accounting => (Purpose::Accounting, *row.key.as_bytes()),
            RowClass::IdentityKey => (Purpose::IdentityKey, *row.key.as_bytes()),
            RowClass::Import => (Purpose::Import, *row.key.as_bytes()),
            RowClass::Tombstone => (Purpose::Tombstone, *row.id.as_bytes()),
        };
        self.scope.context(purpose).compartment(compartment).object(object, row.revision).schema(ENTRY_SCHEMA)
    }

    /// The content of a row's object.
    pub(crate) fn open_row(&self, compartment: Compartment, row: &Row) -> Result<Zeroizing<Vec<u8>>, Error> {
        let object: &KeyedRef = row.object.as_ref().ok_or(Error::Damaged { what: "row" })?;
        Ok(open_object(&*self.store, object, &self.row_context(compartment, row))?)
    }

    /// Opens the objects of these rows and gives each content, or its fault, in their
    /// order; they are asked of the store some at a time.
    pub(crate) fn open_rows(
        &self,
        compartment: Compartment,
        rows: &[&Row],
        buffer: &mut Buffer,
        mut visit: impl FnMut(&Row, Result<&[u8], Error>),
    ) {
        for rows in parts_at_once(rows) {
            let context = |row: &Row| self.row_context(compartment, row);
            let objects = rows.iter().filter_map(|row| Some((row.object.as_ref()?, context(row))));
            let objects: Vec<_> = objects.collect();
            let mut named = rows.iter().filter(|row| row.object.is_some());
            open_run(&*self.store, &objects, buffer, |content| {
                if let Some(row) = named.next() {
                    visit(row, content.map_err(Error::from));
                }
            });
            let empty = rows.iter().filter(|row| row.object.is_none());
            empty.for_each(|row| visit(row, Err(Error::Damaged { what: "row" })));
        }
    }

    /// The entry of a row.
    pub(crate) fn open_entry(&self, compartment: Compartment, row: &Row) -> Result<Entry, Error> {
        let content = self.open_row(compartment, row)?;
        decode_entry(&content).map_err(|_| Error::Damaged { what: "entry" })
    }
}

/// Rows in parts, the objects of each of which are opened at once.
fn parts_at_once<'s, 'r>(rows: &'s [&'r Row]) -> impl Iterator<Item = &'s [&'r Row]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut total: u64 = 0;
        let fits = rest.iter().take_while(|row| {
            total = total.saturating_add(row.stored_bytes());
            total <= Buffer::ROOM
        });
        let (part, later) = rest.split_at_checked(fits.count().max(1))?;
        rest = later;
        Some(part)
    })
}
