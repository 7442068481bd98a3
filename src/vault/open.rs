//! Opening: which area and root belong together, and what an opening repairs
//! (rule R4 of `docs/format.md`).

use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use super::compact;
use super::core::{Core, Demand, Snapshot, View};
use super::history::Checkpoint;
use super::options::VaultOptions;
use super::watch::AutoLock;
use super::{Mode, State, Unlocked, Vault, WayIn, trace};
use crate::crypto::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::format::READER_VERSION;
use crate::format::area::Area;
use crate::format::context::{Purpose, Scope};
use crate::format::header::Header;
use crate::format::object::ObjectRef;
use crate::format::root::{Root, RootHeading};
use crate::keys::{Credential, Keyring, UnlockKeys, commits_area, open_area};
use crate::payload::catalogue::EraseListV1;
use crate::secret::WipesStack;
use crate::store::{Chosen, FileStore, Heads, Repairs, Store, StoreError, StoreWriter, proven_writer};
use crate::tree::{Trie, open_object};

/// What opening a vault found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Everything was as a vault at rest is.
    NotNeeded,
    /// A writer had been interrupted; its unfinished commit was rolled back, or
    /// its finished one completed. Nothing acknowledged was lost.
    Recovered,
    /// A writer was interrupted, and this opening may not write: what is read
    /// is the newest whole state.
    Needed,
    /// The list of what the last commit withdrew is damaged. The commit that wrote it
    /// erased all of that, unless it was interrupted: then some may still be in the
    /// file, where only somebody who kept its keys can read it, until a compaction.
    ListDamaged,
}

impl Recovery {
    /// This, where something else was repaired too.
    fn and(self, repaired: bool) -> Self {
        if repaired && self == Self::NotNeeded { Self::Recovered } else { self }
    }
}

/// A vault whose header was read and nothing else.
pub struct LockedVault {
    store: Arc<dyn Store>,
    scope: Scope,
    options: VaultOptions,
    expected: Option<Checkpoint>,
    demand: Demand,
}

impl LockedVault {
    /// Opens a vault file.
    ///
    /// # Errors
    /// [`Error::Format`] when the file is no vault that this version reads,
    /// [`Error::Store`] when it cannot be read.
    pub fn open(path: impl AsRef<Path>, options: VaultOptions) -> Result<Self, Error> {
        Self::of(Arc::new(FileStore::open(path.as_ref())?), options)
    }

    /// Opens a vault in any store.
    ///
    /// # Errors
    /// As [`LockedVault::open`].
    pub fn of(store: Arc<dyn Store>, options: VaultOptions) -> Result<Self, Error> {
        let (header, digest) = Header::parse(&store.header()?)?;
        let scope = Scope { header: digest, vault: header.vault };
        trace::event!("opened", vault = scope.vault);
        Ok(Self { store, scope, options, expected: None, demand: Demand::Whole })
    }

    /// Demands that the vault's history contains this checkpoint.
    #[must_use]
    pub fn expecting(mut self, checkpoint: Checkpoint) -> Self {
        self.expected = Some(checkpoint);
        self
    }

    /// Unlocks for reading and writing. An interrupted writer's traces are
    /// repaired first, and [`Vault::recovery`] says so.
    ///
    /// # Errors
    /// [`Error::WrongCredential`], [`Error::Kdf`], [`Error::Damaged`] (nothing
    /// was written then), [`Error::NewerReader`], [`Error::RolledBack`],
    /// [`Error::Forked`], [`Error::Store`].
    pub fn unlock(self, credential: &Credential) -> Result<Vault, Error> {
        let _wipes = WipesStack;
        let vault = self.scope.vault;
        trace::operation("unlock", vault, || self.unlock_for_writing(credential))
    }

    fn unlock_for_writing(self, credential: &Credential) -> Result<Vault, Error> {
        let store = Arc::clone(&self.store);
        let (opened, snapshot, recovery) = match store.as_file() {
            Some(file) => {
                let mut writer = file.lock(self.options.lock_wait)?;
                let (opened, snapshot, recovery) = self.recover(&mut writer, credential)?;
                let tidied = compact::tidy(&opened.0, &snapshot, file, &mut writer)?;
                (opened, snapshot, recovery.and(tidied))
            }
            None => self.recover(&mut *proven_writer(&*store, self.options.lock_wait)?, credential)?,
        };
        self.finish(opened, snapshot, recovery)
    }

    /// Unlocks for reading only; nothing is written.
    ///
    /// # Errors
    /// As [`LockedVault::unlock`].
    pub fn unlock_read_only(self, credential: &Credential) -> Result<Vault, Error> {
        let _wipes = WipesStack;
        let vault = self.scope.vault;
        trace::operation("unlock", vault, || self.unlock_for_reading(credential))
    }

    /// Unlocks a damaged vault, to find out what is left of it: for
    /// [`Vault::check_deep`], which says what is damaged, and
    /// [`Vault::repair_from`], the only call that writes. What can be read can be
    /// read; lists and searches may be incomplete where they do not fail.
    ///
    /// It opens a vault to which [`LockedVault::unlock`] answers
    /// [`Error::Damaged`] because a compartment's place or the first page of its
    /// catalogue is damaged. The credential areas, the roots and the end of the
    /// file must be whole as for any opening.
    ///
    /// # Errors
    /// As [`LockedVault::unlock`].
    pub fn unlock_for_diagnosis(mut self, credential: &Credential) -> Result<Vault, Error> {
        let _wipes = WipesStack;
        let vault = self.scope.vault;
        self.demand = Demand::Parts;
        let mut vault = trace::operation("unlock", vault, || self.unlock_for_reading(credential))?;
        vault.mode = Mode::Diagnosing;
        Ok(vault)
    }

    fn unlock_for_reading(self, credential: &Credential) -> Result<Vault, Error> {
        let (heads, (opened, snapshot)) = undisturbed(&*self.store, |heads| self.choose(heads, credential))?;
        let at_rest = heads.roots.iter().all(|root| *root == snapshot.root_bytes)
            && heads.areas.iter().all(|area| *area == snapshot.area_bytes);
        let recovery = if at_rest { Recovery::NotNeeded } else { Recovery::Needed };
        let mut vault = self.finish(opened, snapshot, recovery)?;
        vault.mode = Mode::Reading;
        Ok(vault)
    }

    /// Steps 1 to 6. Tells what had to be repaired.
    fn recover(
        &self,
        writer: &mut dyn StoreWriter,
        credential: &Credential,
    ) -> Result<((Core, WayIn), Snapshot, Recovery), Error> {
        // What a dead process wrote may not be durable yet.
        writer.sync()?;
        let heads = self.store.heads()?;
        let (opened, mut snapshot) = self.choose(&heads, credential)?;
        let recovery = settle(&opened.0, &mut snapshot, writer)?;
        Ok((opened, snapshot, recovery))
    }

    /// Steps 2 and 3: the pair of the highest epoch, checked down to the tries'
    /// roots.
    fn choose(&self, heads: &Heads, credential: &Credential) -> Result<((Core, WayIn), Snapshot), Error> {
        let parsed: Vec<(Area, &Vec<u8>)> = distinct(&heads.areas)
            .into_iter()
            .filter_map(|bytes| Some((Area::parse(bytes).ok()?, bytes)))
            .collect();
        if parsed.is_empty() {
            return Err(Error::Damaged { what: "credential areas" });
        }
        let areas: Vec<Area> = parsed.iter().map(|(area, _)| area.clone()).collect();
        let keys = UnlockKeys::derive(credential, self.scope, &areas, &self.options.kdf_limits)?;
        let mut best: Option<((Core, WayIn), Candidate)> = None;
        let mut opened_one = false;
        for (area, bytes) in &parsed {
            let Some(slot) = open_area(self.scope, area, &keys) else {
                opened_one |= commits_area(self.scope, area, &keys);
                continue;
            };
            opened_one = true;
            if !Area::verify(bytes, &slot.keyring.area_mac_key()) {
                continue;
            }
            let way_in = WayIn { slot: slot.index, run: slot.run };
            let core = self.core(slot.keyring);
            if let Some(candidate) = Candidate::newest(&core, heads, bytes)?
                && best.as_ref().is_none_or(|(_, other)| candidate.root.epoch > other.root.epoch)
            {
                best = Some(((core, way_in), candidate));
            }
        }
        match best {
            Some((opened, candidate)) => candidate.check(&opened.0).map(|snapshot| (opened, snapshot)),
            // One area opened, yet no root belongs to it: stale access, unless
            // there is no other area that the roots could belong to.
            None if opened_one && parsed.len() == 1 => Err(Error::Damaged { what: "roots" }),
            None => Err(Error::WrongCredential),
        }
    }

    fn core(&self, keyring: Keyring) -> Core {
        let (store, scope) = (Arc::clone(&self.store), self.scope);
        Core::new(store, scope, Arc::new(keyring)).demanding(self.demand)
    }

    fn finish(self, opened: (Core, WayIn), snapshot: Snapshot, recovery: Recovery) -> Result<Vault, Error> {
        if let Some(expected) = self.expected {
            let view = View { core: &opened.0, snapshot: &snapshot };
            view.expect_checkpoint(&expected)?;
        }
        Ok(Vault::assemble(opened, snapshot, self.options, recovery))
    }
}

impl Vault {
    pub(super) fn assemble(
        (core, way_in): (Core, WayIn),
        snapshot: Snapshot,
        options: VaultOptions,
        recovery: Recovery,
    ) -> Self {
        let (id, store) = (core.scope.vault, Arc::clone(&core.store));
        let (core, snapshot) = (Arc::new(core), Arc::new(snapshot));
        let unlocked = Unlocked { core, snapshot, way_in: Some(way_in) };
        let state = Arc::new(RwLock::new(State::Unlocked(unlocked)));
        let auto_lock =
            options.auto_lock.map(|after| AutoLock::start(after, Arc::clone(&options.clock), &state));
        Self {
            id,
            store,
            state,
            auto_lock,
            options,
            recovery,
            process: std::process::id(),
            mode: Mode::Writing,
            renewing: Mutex::new(()),
        }
    }
}

/// The copies that differ: at rest all are equal, and what holds of one holds of all.
fn distinct(copies: &[Vec<u8>]) -> Vec<&Vec<u8>> {
    let mut distinct: Vec<&Vec<u8>> = Vec::with_capacity(copies.len());
    for copy in copies {
        if !distinct.contains(&copy) {
            distinct.push(copy);
        }
    }
    distinct
}

/// A root that opens under an area's key and names that area.
pub(super) struct Candidate {
    pub(super) root: Root,
    pub(super) root_bytes: Vec<u8>,
    area_bytes: Vec<u8>,
}

impl Candidate {
    /// The newest root that names this area.
    ///
    /// A root for a newer reader ends the opening: taken for a damaged one, it
    /// would be overwritten with the other copy.
    fn newest(core: &Core, heads: &Heads, area: &[u8]) -> Result<Option<Self>, Error> {
        let key = core.keyring.root_key();
        let digest = Area::digest(area);
        let mut newest: Option<Self> = None;
        for stored in distinct(&heads.roots) {
            let Some(plain) = core.open_root(&key, stored) else { continue };
            let Some(root) = root_naming(&digest, &plain)? else { continue };
            if newest.as_ref().is_none_or(|other| root.epoch >= other.root.epoch) {
                newest = Some(Self { root, root_bytes: stored.clone(), area_bytes: area.to_vec() });
            }
        }
        Ok(newest)
    }

    /// The newest root that opens, whatever area it names.
    pub(super) fn newest_of_any(core: &Core, roots: &[Vec<u8>]) -> Option<Self> {
        let key = core.keyring.root_key();
        let opened = roots.iter().filter_map(|stored| {
            let root = Root::decode(&core.open_root(&key, stored)?).ok()?;
            Some(Self { root, root_bytes: stored.clone(), area_bytes: Vec::new() })
        });
        opened.max_by_key(|candidate| candidate.root.epoch)
    }

    /// The state of this root, of which nothing was read yet.
    pub(super) fn unchecked(self, core: &Core) -> Result<Snapshot, Error> {
        let places = core.open_places(&self.root)?;
        let Self { root, root_bytes, area_bytes } = self;
        Ok(Snapshot { root, root_bytes, area_bytes, places, settled: false })
    }

    /// Reads every trie root whose place opens, where all of them are demanded.
    pub(super) fn check(self, core: &Core) -> Result<Snapshot, Error> {
        if !core.store.admits(self.root.append_end, &self.root.erase)? {
            return Err(Error::Damaged { what: "root" });
        }
        let snapshot = self.unchecked(core)?;
        if core.store.as_file().is_some() && !snapshot.fits() {
            return Err(Error::Damaged { what: "root" });
        }
        if core.demand == Demand::Whole {
            let view = View { core, snapshot: &snapshot };
            let tries = view.held_compartments().map(|compartment| view.trie(compartment));
            Trie::check_roots(&tries.collect::<Result<Vec<_>, _>>()?)?;
        }
        Ok(snapshot)
    }
}

/// The root of a plaintext, if it names the area of this digest and keeps the rules.
fn root_naming(area: &Digest, plain: &[u8]) -> Result<Option<Root>, Error> {
    let Some(heading) = RootHeading::decode(plain).ok().filter(|heading| heading.area_digest == *area) else {
        return Ok(None);
    };
    if heading.least_reader > READER_VERSION {
        return Err(Error::NewerReader { needed: heading.least_reader, supported: READER_VERSION });
    }
    Ok(Root::decode(plain).ok())
}

/// Steps 4 to 6. Tells what had to be repaired. A damaged erase list keeps nobody
/// from writing: the next commit's root drops it.
fn settle(core: &Core, snapshot: &mut Snapshot, writer: &mut dyn StoreWriter) -> Result<Recovery, Error> {
    let (erase, recovery) = match (View { core, snapshot }).to_erase() {
        Err(error) if error.kind() == ErrorKind::Damaged => {
            (snapshot.root.erase.clone(), Recovery::ListDamaged)
        }
        erase => (erase?, Recovery::NotNeeded),
    };
    let chosen = Chosen { area: &snapshot.area_bytes, root: &snapshot.root_bytes, erase: &erase };
    let repairs = writer.settle(&chosen)?;
    snapshot.settled = true;
    if repairs != Repairs::default() || !erase.is_empty() {
        let (root, area) = (repairs.root, repairs.area);
        trace::event!(
            "recovered",
            epoch = snapshot.root.epoch,
            root = root,
            area = area,
            erased = erase.len()
        );
    }
    Ok(recovery.and(repairs.root || repairs.area))
}

impl View<'_> {
    /// The objects to erase, those for which the root has no room included.
    pub(super) fn to_erase(&self) -> Result<Vec<ObjectRef>, Error> {
        let root = &self.snapshot.root;
        let mut objects = root.erase.clone();
        let Some(list) = &root.erase_list else { return Ok(objects) };
        let context = self.core.scope.context(Purpose::EraseList);
        let content = open_object(&*self.core.store, list, &context)?;
        let list: EraseListV1 = crate::codec::wire::decode(&content)?;
        let object = |(reference, length)| ObjectRef { reference, length };
        objects.extend(list.objects.into_iter().map(object));
        let is_sound = self.core.store.admits(root.append_end, &objects)?;
        if is_sound { Ok(objects) } else { Err(Error::Damaged { what: "erase list" }) }
    }
}

/// The newest state that the keys of an unlocked vault open, for a reader.
pub(super) fn current(core: &Core) -> Result<Snapshot, Error> {
    Ok(undisturbed(&*core.store, |heads| current_of(core, heads))?.1)
}

/// Reads what a writer may be changing: a fault counts only if root and area
/// were still the same after it.
fn undisturbed<T>(store: &dyn Store, read: impl Fn(&Heads) -> Result<T, Error>) -> Result<(Heads, T), Error> {
    const ATTEMPTS: usize = 16;
    let mut heads = store.heads()?;
    for _ in 0..ATTEMPTS {
        match read(&heads) {
            Ok(value) => return Ok((heads, value)),
            Err(error) => {
                let now = store.heads()?;
                if now == heads {
                    return Err(error);
                }
                heads = now;
            }
        }
    }
    Err(StoreError::Busy.into())
}

/// Refuses a state that does not follow from the one this handle knows.
pub(super) fn expect_successor(core: &Core, known: &Snapshot, newer: &Snapshot) -> Result<(), Error> {
    View { core, snapshot: newer }.expect_checkpoint(&known.checkpoint())
}

fn current_of(core: &Core, heads: &Heads) -> Result<Snapshot, Error> {
    let key = core.keyring.area_mac_key();
    let intact = distinct(&heads.areas).into_iter().filter(|bytes| Area::parse(bytes).is_ok());
    let (own, others): (Vec<_>, Vec<_>) = intact.partition(|bytes| Area::verify(bytes, &key));
    let candidates = own.into_iter().filter_map(|bytes| Candidate::newest(core, heads, bytes).transpose());
    let candidates = candidates.collect::<Result<Vec<_>, _>>()?;
    match candidates.into_iter().max_by_key(|candidate| candidate.root.epoch) {
        Some(best) => best.check(core),
        // Without an area of other keys nobody changed them.
        None if others.is_empty() => Err(Error::Damaged { what: "roots or credential areas" }),
        None => Err(Error::AccessChanged),
    }
}

/// A writer, and the state that it starts from. What the handle knows is asked for
/// under the lock: another thread may change the keys while this one waits for it.
///
/// What a compaction of another handle left when it was interrupted goes first:
/// what this writer withdraws could be read there for ever.
pub(super) fn start_writing<'s>(
    store: &'s dyn Store,
    known: impl FnOnce() -> Result<Unlocked, Error>,
    wait: Duration,
) -> Result<(Box<dyn StoreWriter + 's>, Unlocked), Error> {
    let Some(file) = store.as_file() else {
        let mut writer = proven_writer(store, wait)?;
        let current = current_for_writing(&known()?, &mut *writer)?;
        return Ok((writer, current));
    };
    let mut writer = file.lock(wait)?;
    let current = current_for_writing(&known()?, &mut writer)?;
    compact::tidy(&current.core, &current.snapshot, file, &mut writer)?;
    Ok((Box::new(writer), current))
}

/// The state that a writer starts from: the one it knows, or what another
/// writer left, repaired if that one was interrupted.
pub(super) fn current_for_writing(known: &Unlocked, writer: &mut dyn StoreWriter) -> Result<Unlocked, Error> {
    let (core, snapshot) = (&*known.core, &*known.snapshot);
    let heads = core.store.heads()?;
    let at_rest = snapshot.settled
        && heads.roots.iter().all(|root| *root == snapshot.root_bytes)
        && heads.areas.iter().all(|area| *area == snapshot.area_bytes);
    if at_rest {
        return Ok(known.clone());
    }
    let mut newer = successor_of(known, writer)?;
    settle(core, &mut newer, writer)?;
    Ok(known.with(newer))
}

/// The state that a repair of a vault under diagnosis starts from. Nothing is
/// settled: that is for an opening that finds the vault whole.
pub(super) fn current_for_repair(known: &Unlocked, writer: &mut dyn StoreWriter) -> Result<Unlocked, Error> {
    Ok(known.with(successor_of(known, writer)?))
}

/// The newest state, once what a dead process wrote is durable.
fn successor_of(known: &Unlocked, writer: &mut dyn StoreWriter) -> Result<Snapshot, Error> {
    let (core, snapshot) = (&*known.core, &*known.snapshot);
    writer.sync()?;
    let newer = current_of(core, &core.store.heads()?)?;
    expect_successor(core, snapshot, &newer)?;
    Ok(newer)
}

crate::secret::redacted_debug!(LockedVault);
