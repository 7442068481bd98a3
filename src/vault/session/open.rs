//! Opening: from a header to a session.

use std::path::Path;
use std::sync::Arc;

use super::handle::Session;
use super::options::VaultOptions;
use super::state::{Mode, WayIn};
use crate::crypto::random::Randomness;
use crate::engine::core::{Core, Demand, Snapshot, StateReader};
use crate::engine::history::Checkpoint;
use crate::engine::leftover::tidy;
use crate::engine::opening::{Candidate, Recovery, Taken, intact, newest, settle, undisturbed};
use crate::engine::trace;
use crate::error::Error;
use crate::format::context::Scope;
use crate::format::header::Header;
use crate::keys::{Credential, Keyring, Tried, UnlockKeys};
use crate::secret::WipesStack;
use crate::store::{FileStore, Heads, Store, StoreWriter, proven_writer};

/// What a credential opened, and by which way in.
type Opened = (Core, WayIn);

/// A vault whose header was read and nothing else.
pub(crate) struct Locked {
    store: Arc<dyn Store>,
    scope: Scope,
    options: VaultOptions,
    expected: Option<Checkpoint>,
    demand: Demand,
}

impl Locked {
    /// Opens a vault file.
    ///
    /// # Errors
    /// [`Error::Format`] when the file is no vault that this version reads,
    /// [`Error::Store`] when it cannot be read.
    pub(crate) fn open(path: impl AsRef<Path>, options: VaultOptions) -> Result<Self, Error> {
        Self::of(Arc::new(FileStore::open(path.as_ref())?), options)
    }

    /// Opens a vault file whose header is damaged, with that of a copy.
    ///
    /// # Errors
    /// As [`LockedVault::with_header_of`].
    pub(crate) fn with_header_of(path: &Path, copy: &Path, options: VaultOptions) -> Result<Self, Error> {
        if Header::parse(&FileStore::open(path)?.header()?).is_ok() {
            return Self::open(path, options);
        }
        Self::of(Arc::new(FileStore::open_with_header_of(path, copy)?), options)
    }

    /// Opens a vault in any store.
    ///
    /// # Errors
    /// As [`LockedVault::open`].
    pub(crate) fn of(store: Arc<dyn Store>, options: VaultOptions) -> Result<Self, Error> {
        let (header, digest) = Header::parse(&store.header()?)?;
        let scope = Scope { header: digest, vault: header.vault };
        trace::event!("opened", vault = scope.vault);
        Ok(Self { store, scope, options, expected: None, demand: Demand::Whole })
    }

    /// Demands that the vault's history contains this checkpoint.
    #[must_use]
    pub(crate) fn expecting(mut self, checkpoint: Checkpoint) -> Self {
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
    pub(crate) fn unlock(self, credential: &Credential) -> Result<Session, Error> {
        let _wipes = WipesStack;
        let vault = self.scope.vault;
        trace::operation("unlock", vault, || self.unlock_for_writing(credential))
    }

    fn unlock_for_writing(self, credential: &Credential) -> Result<Session, Error> {
        let store = Arc::clone(&self.store);
        let (opened, snapshot, recovery) = match store.as_file() {
            Some(file) => {
                let mut writer = file.lock(self.options.lock_wait)?;
                let (opened, snapshot, recovery) = self.recover(&mut writer, credential)?;
                let tidied = tidy(&opened.0, &snapshot, file, &mut writer)?;
                (opened, snapshot, recovery.and(tidied))
            }
            None => self.recover(&mut *proven_writer(&*store, self.options.lock_wait)?, credential)?,
        };
        Ok(Session::assemble(opened, snapshot, self.options, recovery))
    }

    /// Unlocks for reading only; nothing is written.
    ///
    /// # Errors
    /// As [`LockedVault::unlock`].
    pub(crate) fn unlock_read_only(self, credential: &Credential) -> Result<Session, Error> {
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
    pub(crate) fn unlock_for_diagnosis(mut self, credential: &Credential) -> Result<Session, Error> {
        let _wipes = WipesStack;
        let vault = self.scope.vault;
        self.demand = Demand::Parts;
        let mut vault = trace::operation("unlock", vault, || self.unlock_for_reading(credential))?;
        vault.mode = Mode::Diagnosing;
        Ok(vault)
    }

    fn unlock_for_reading(self, credential: &Credential) -> Result<Session, Error> {
        let (heads, taken) = undisturbed(&*self.store, |heads| self.choose(heads, credential))?;
        let (opened, snapshot) = taken.value;
        self.compare(&opened.0, &snapshot)?;
        let recovery = if snapshot.rests_in(&heads) { Recovery::NotNeeded } else { Recovery::Needed };
        let mut vault = Session::assemble(opened, snapshot, self.options, recovery);
        vault.mode = Mode::Reading;
        Ok(vault)
    }

    /// Steps 1 to 7. Tells what had to be repaired.
    fn recover(
        &self,
        writer: &mut dyn StoreWriter,
        credential: &Credential,
    ) -> Result<(Opened, Snapshot, Recovery), Error> {
        // What a dead process wrote may not be durable yet.
        writer.sync()?;
        let heads = self.store.heads()?;
        let Taken { value: (opened, mut snapshot), dropped } = self.choose(&heads, credential)?;
        // A file that is not the one that the owner expects stays as it is: somebody may
        // still make out what became of it.
        self.compare(&opened.0, &snapshot)?;
        let at_rest = snapshot.rests_in(&heads);
        let lists = settle(&opened.0, &mut snapshot, writer)?;
        Ok((opened, snapshot, Recovery::of(dropped, lists, at_rest)))
    }

    /// Steps 2 to 6: the state, checked down to the tries' roots.
    fn choose(&self, heads: &Heads, credential: &Credential) -> Result<Taken<(Opened, Snapshot)>, Error> {
        let areas = intact(&heads.areas);
        if areas.is_empty() {
            return Err(Error::Damaged { what: "credential areas" });
        }
        let runs = areas.iter().flat_map(|(stored, _)| stored.area.kdf);
        let keys = UnlockKeys::derive(credential, self.scope, runs, &self.options.kdf_limits)?;
        let mut random = Randomness::from_system();
        let (mut ways_in, mut candidates) = (Vec::new(), Vec::new());
        let mut committed = 0;
        for (stored, bytes) in &areas {
            let slot = match keys.open(&mut random, self.scope, &stored.area) {
                Tried::Opened(slot) => slot,
                tried => {
                    committed += usize::from(matches!(tried, Tried::Damaged));
                    continue;
                }
            };
            committed += 1;
            if !stored.verify(&slot.keyring.area_mac_key()) {
                continue;
            }
            let (way_in, keyring) = WayIn::of(*slot);
            let core = self.core(keyring);
            let found = Candidate::naming(&core, heads, (stored, bytes))?;
            candidates.extend(found.into_iter().map(|candidate| (ways_in.len(), candidate)));
            ways_in.push((core, way_in));
        }
        let is_known = |candidate: &Candidate| self.expected.is_some_and(|known| candidate.is_of(&known));
        match newest(&*self.store, heads, candidates, is_known)? {
            Some(taken) => taken.map(|(way_in, candidate)| {
                let opened = ways_in.swap_remove(way_in);
                let snapshot = candidate.check(&opened.0)?;
                Ok((opened, snapshot))
            }),
            // No root belongs to an area that opened: stale access, unless there is no
            // other area that the roots could belong to.
            None if committed == areas.len() => Err(Error::Damaged { what: "roots" }),
            None => Err(Error::WrongCredential),
        }
    }

    fn core(&self, keyring: Keyring) -> Core {
        let (store, scope) = (Arc::clone(&self.store), self.scope);
        Core::new(store, scope, Arc::new(keyring)).demanding(self.demand)
    }

    /// Whether the state's history contains the checkpoint that is demanded, if one is.
    fn compare(&self, core: &Core, snapshot: &Snapshot) -> Result<(), Error> {
        let reader = StateReader { core, snapshot };
        self.expected.map_or(Ok(()), |expected| reader.expect_checkpoint(&expected))
    }
}
