//! The façade: a locked vault, an unlocked one, and what can be done with it.
//!
//! Reads take a snapshot and never wait; every change is one commit that is
//! durable, with its line in the ledger, before the call returns.

mod attach;
mod attachment;
mod audit;
mod backup;
mod check;
mod commit;
mod compact;
mod content;
mod core;
mod create;
mod custody;
mod erasure;
mod export;
mod history;
mod import;
mod inspect;
mod ledger;
mod links;
mod list;
mod open;
mod options;
mod release;
mod repair;
mod space;
mod time;
mod trace;
mod transaction;
mod undo;
mod watch;

#[cfg(any(test, fuzzing))]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in tests and fuzz targets only")]
#[cfg_attr(not(test), allow(dead_code, reason = "the tests' part of it"))]
pub(crate) mod disk;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::crypto::kdf::KdfParameters;
use crate::error::Error;
use crate::id::{EntryId, Epoch, VaultId};
use crate::keys::Grant;
use crate::record::Entry;
use crate::secret::WipesStack;
use crate::store::{MemoryStore, Store, proven_writer};

pub use attach::{NewAttachment, Upload};
pub use attachment::AttachmentReader;
pub use audit::{AuditEvent, ReadKind};
pub use backup::{Backup, BackupReport};
pub use check::{CheckFinding, CheckReport};
pub use compact::{Closed, CompactReport, Progress};
#[cfg(any(test, fuzzing))]
pub(crate) use create::file_image;
pub use create::{Access, NewVault};
pub use custody::{AccessChange, AccessKind, ListedAccess};
pub use erasure::{Coverage, ErasureReport};
pub use history::{Checkpoint, ParseCheckpointError};
pub use import::{ChangedSource, Expunged, ImportDecisions, ImportReport};
pub use inspect::{Explanation, HeadPart};
pub use ledger::{Action, Detail, LedgerLine, LineState};
pub use list::{Filter, Listed, Revision};
pub use open::{LockedVault, Recovery};
pub use options::{Actor, HolderRole, VaultOptions, WriterVersion};
pub use release::ReleaseRequest;
pub use repair::RepairReport;
pub use space::SpaceReport;
pub use transaction::{Committed, Transaction};
pub use undo::{PastImport, UndoPreview, UndoReport};

use self::core::{Core, Snapshot, View};
use self::watch::{AutoLock, Call};

/// An unlocked vault.
///
/// It can be shared between threads: reads take `&self` and work on a
/// snapshot, changes are made one at a time. Dropping it wipes its keys.
pub struct Vault {
    id: VaultId,
    store: Arc<dyn Store>,
    state: Arc<RwLock<State>>,
    auto_lock: Option<AutoLock>,
    options: VaultOptions,
    recovery: Recovery,
    /// The process that unlocked the vault: a forked child must not write.
    process: u32,
    mode: Mode,
    /// Held while this handle publishes new keys and takes them over.
    renewing: Mutex<()>,
}

/// What a handle may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Writing,
    Reading,
    /// Read what can be read, and put back what is damaged.
    Diagnosing,
}

/// What a handle holds.
enum State {
    Unlocked(Unlocked),
    /// The keys were wiped; what is no secret is still known.
    Locked {
        epoch: Epoch,
        grant: Grant,
    },
}

/// An operation under way.
struct Operation<'a> {
    _wipes: WipesStack,
    _call: Option<Call<'a>>,
}

/// Keys, and the newest state that they opened.
#[derive(Clone)]
struct Unlocked {
    core: Arc<Core>,
    snapshot: Arc<Snapshot>,
    /// What opened the vault; `None` once that was taken away.
    way_in: Option<WayIn>,
}

/// The slot that a handle was opened by.
#[derive(Clone, Copy)]
struct WayIn {
    slot: usize,
    /// The KDF run of its password.
    run: Option<KdfParameters>,
}

impl Unlocked {
    fn view(&self) -> View<'_> {
        View { core: &self.core, snapshot: &self.snapshot }
    }

    /// The same keys with another state.
    fn with(&self, snapshot: Snapshot) -> Self {
        Self { core: Arc::clone(&self.core), snapshot: Arc::new(snapshot), way_in: self.way_in }
    }
}

impl State {
    /// Drops the keys, and with them the decrypted pages; calls under way hold
    /// them until they return.
    fn wipe(state: &RwLock<Self>) {
        let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
        if let Self::Unlocked(unlocked) = &*state {
            let (epoch, grant) = (unlocked.snapshot.root.epoch, unlocked.core.keyring.grant());
            *state = Self::Locked { epoch, grant };
        }
    }
}

impl Vault {
    /// Creates a vault file; never over another file.
    ///
    /// # Errors
    /// [`StoreError::Exists`](crate::StoreError::Exists) when the name is taken,
    /// [`Error::Kdf`], [`Error::Random`], [`Error::Invalid`], [`Error::Store`].
    pub fn create(path: impl AsRef<Path>, new: &NewVault<'_>, options: VaultOptions) -> Result<Self, Error> {
        create::in_file(path.as_ref(), new, options)
    }

    /// Creates a vault in the memory of this process.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn create_in_memory(new: &NewVault<'_>, options: VaultOptions) -> Result<Self, Error> {
        Self::create_in(Arc::new(MemoryStore::new()), new, options)
    }

    /// Creates a vault in a store of the embedder's, which must hold none: the
    /// objects of the first commit, then header, area and root by one
    /// [`StoreWriter::create`](crate::StoreWriter::create). Either all of it is in
    /// the store when this returns, or nothing. [`LockedVault::of`] opens it.
    ///
    /// # Errors
    /// [`StoreError::Exists`](crate::StoreError::Exists) when there is a vault in the
    /// store, and as [`Vault::create`].
    pub fn create_in(
        store: Arc<dyn Store>,
        new: &NewVault<'_>,
        options: VaultOptions,
    ) -> Result<Self, Error> {
        create::in_store(store, new, options)
    }

    /// The vault's identifier.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.id
    }

    /// The compartments that this access opens.
    #[must_use]
    pub fn grant(&self) -> Grant {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Unlocked(unlocked) => unlocked.core.keyring.grant(),
            State::Locked { grant, .. } => *grant,
        }
    }

    /// What the opening found and repaired.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// The number of the last commit that this handle has seen.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Unlocked(unlocked) => unlocked.snapshot.root.epoch,
            State::Locked { epoch, .. } => *epoch,
        }
    }

    /// The current revision of an entry.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::Damaged`], [`Error::Store`].
    pub fn entry(&self, id: EntryId) -> Result<Entry, Error> {
        let entry = self.read(|view| Ok(view.entry(id)?.1))?;
        self.tell(ReadKind::Opened, None, vec![id]);
        Ok(entry)
    }

    /// Moves this handle's snapshot to the newest state, which another handle or
    /// process may have written. Changes do that by themselves; reads stay on
    /// the snapshot until it is refreshed or parts of it were withdrawn.
    ///
    /// # Errors
    /// [`Error::RolledBack`] and [`Error::Forked`] when the file's state does not
    /// follow from the one that this handle knows, [`Error::AccessChanged`],
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn refresh(&self) -> Result<(), Error> {
        let _call = self.begin()?;
        let known = self.unlocked()?;
        let newer = self.newest(&known)?;
        open::expect_successor(&newer.core, &known.snapshot, &newer.snapshot)?;
        if newer.snapshot.root.epoch > known.snapshot.root.epoch {
            known.core.cache.clear();
            self.adopt(newer);
        }
        Ok(())
    }

    /// The newest state, under the known keys or those that this very handle
    /// drew meanwhile.
    fn newest(&self, known: &Unlocked) -> Result<Unlocked, Error> {
        match open::current(&known.core) {
            Err(Error::AccessChanged) => {
                let _renewing = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
                let now = self.unlocked()?;
                if Arc::ptr_eq(&now.core, &known.core) { Err(Error::AccessChanged) } else { Ok(now) }
            }
            newer => Ok(known.with(newer?)),
        }
    }

    /// Makes everything durable and gives the vault back locked, compacted as by
    /// [`Vault::close`].
    ///
    /// # Errors
    /// [`Error::Store`] when the last write cannot be made durable.
    pub fn lock(self) -> Result<LockedVault, Error> {
        self.settle_down(&mut |_| {})?;
        LockedVault::of(Arc::clone(&self.store), self.options)
    }

    /// Wipes the keys of this handle, which other threads may share: every later
    /// call answers [`Error::Locked`]. Calls under way in other threads finish;
    /// the last of them takes the keys with it.
    ///
    /// # Errors
    /// [`Error::Store`] when the second copy of the last write cannot be made
    /// durable; the keys are gone all the same.
    pub fn forget_keys(&self) -> Result<(), Error> {
        State::wipe(&self.state);
        self.flush()
    }

    /// Whether the keys of this handle were wiped, by [`Vault::forget_keys`] or by
    /// themselves.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(*self.state.read().unwrap_or_else(PoisonError::into_inner), State::Locked { .. })
    }

    /// Makes both copies of the root durable.
    fn flush(&self) -> Result<(), Error> {
        if self.mode != Mode::Writing {
            return Ok(());
        }
        self.may_write()?;
        match proven_writer(&*self.store, self.options.lock_wait) {
            Ok(mut writer) => Ok(writer.sync()?),
            Err(crate::store::StoreError::ReadOnly) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// An operation begins: while it is under way the vault does not lock itself,
    /// and when it ends the stack that it used is wiped.
    fn begin(&self) -> Result<Operation<'_>, Error> {
        Ok(Operation { _wipes: WipesStack, _call: self.keep_open()? })
    }

    /// While this is held the vault does not lock itself.
    fn keep_open(&self) -> Result<Option<Call<'_>>, Error> {
        let Some(auto_lock) = &self.auto_lock else { return Ok(None) };
        let call = auto_lock.begin();
        if call.is_none() {
            // Late, and the thread that watches is later still.
            State::wipe(&self.state);
            return Err(Error::Locked);
        }
        Ok(call)
    }

    /// The keys and the newest state that this handle has seen.
    fn unlocked(&self) -> Result<Unlocked, Error> {
        let _call = self.keep_open()?;
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Unlocked(unlocked) => Ok(unlocked.clone()),
            State::Locked { .. } => Err(Error::Locked),
        }
    }

    /// Whether this handle may write at all.
    fn may_write(&self) -> Result<(), Error> {
        if self.mode != Mode::Writing {
            return Err(Error::Invalid { what: "this vault was unlocked for reading only" });
        }
        self.is_own_process()
    }

    /// Whether this handle may put damaged parts back.
    fn may_repair(&self) -> Result<(), Error> {
        if self.mode == Mode::Diagnosing { self.is_own_process() } else { self.may_write() }
    }

    fn is_own_process(&self) -> Result<(), Error> {
        if self.process != std::process::id() {
            return Err(Error::OtherProcess);
        }
        Ok(())
    }

    /// Takes a state that is newer than, or settled where, the known one is not.
    fn adopt(&self, newer: Unlocked) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let State::Unlocked(known) = &mut *state {
            let (epoch, known_epoch) = (newer.snapshot.root.epoch, known.snapshot.root.epoch);
            if epoch > known_epoch || (epoch == known_epoch && newer.snapshot.settled) {
                *known = newer;
            }
        }
    }

    /// Reads on a snapshot. Where a part is missing or damaged, another writer
    /// may have withdrawn it: then the read is made again on the newer root.
    fn read<T>(&self, read: impl Fn(&View<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let _call = self.begin()?;
        trace::operation("read", self.id, || self.read_now(&read))
    }

    fn read_now<T>(&self, read: &impl Fn(&View<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut known = self.unlocked()?;
        loop {
            match read(&known.view()) {
                Err(error) if error.kind() == crate::ErrorKind::Damaged => {
                    known = self.successor(&known, error)?;
                }
                result => return result,
            }
        }
    }

    /// The newer state, of which a writer may have withdrawn what was not found in
    /// the known one; where there is none, the fault.
    fn successor(&self, known: &Unlocked, fault: Error) -> Result<Unlocked, Error> {
        let newer = self.newest(known)?;
        if newer.snapshot.root_bytes == known.snapshot.root_bytes {
            return Err(fault);
        }
        open::expect_successor(&newer.core, &known.snapshot, &newer.snapshot)?;
        self.adopt(newer.clone());
        Ok(newer)
    }
}

crate::secret::redacted_debug!(Vault);
