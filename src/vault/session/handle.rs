//! A session: the store, the keys while they are there, and the newest state seen.
//!
//! Reads take a snapshot and never wait; what a read does not find because another
//! writer withdrew it is read again on the newer state.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::options::VaultOptions;
use super::state::{Mode, State, Unlocked, WayIn};
use super::watch::{AutoLock, Call};
use crate::engine::core::{Core, Snapshot, StateReader};
use crate::engine::history::Checkpoint;
use crate::engine::opening::{Recovery, current, expect_successor};
use crate::engine::trace;
use crate::error::{Error, ErrorKind};
use crate::id::{Epoch, VaultId};
use crate::keys::Grant;
use crate::secret::WipesStack;
use crate::store::{Store, proven_writer};

/// What an unlocked vault is made of; dropping it wipes its keys.
pub(crate) struct Session {
    pub(crate) id: VaultId,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) state: Arc<RwLock<State>>,
    pub(crate) auto_lock: Option<AutoLock>,
    pub(crate) options: VaultOptions,
    pub(crate) recovery: Recovery,
    /// The process that unlocked the vault: a forked child must not write.
    pub(crate) process: u32,
    pub(crate) mode: Mode,
    /// Held while this handle publishes new keys and takes them over.
    pub(crate) renewing: Mutex<()>,
    /// Whether this handle made a commit of which everybody is told that it renewed.
    pub(crate) has_renewed: AtomicBool,
}

/// An operation under way.
pub(crate) struct Operation<'a> {
    pub(crate) _wipes: WipesStack,
    _call: Option<Call<'a>>,
}

/// Wipes the keys when it goes, also where a clock of the embedder's panics before.
struct Wipes<'a>(&'a RwLock<State>);

impl Drop for Wipes<'_> {
    fn drop(&mut self) {
        State::wipe(self.0);
    }
}

impl Session {
    pub(crate) fn assemble(
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
            has_renewed: AtomicBool::new(false),
        }
    }

    /// Moves this handle's snapshot to the newest state, which another handle or
    /// process may have written. Changes do that by themselves; reads stay on
    /// the snapshot until it is refreshed or parts of it were withdrawn.
    ///
    /// # Errors
    /// [`Error::RolledBack`] and [`Error::Forked`] when the file's state does not
    /// follow from the one that this handle knows, [`Error::AccessChanged`],
    /// [`Error::Damaged`], [`Error::Store`].
    pub(crate) fn refresh(&self) -> Result<(), Error> {
        let _call = self.begin()?;
        let known = self.unlocked()?;
        let newer = self.newest(&known)?;
        expect_successor(&newer.core, &known.snapshot, &newer.snapshot)?;
        if newer.snapshot.root.epoch > known.snapshot.root.epoch {
            known.core.cache.clear();
            self.adopt(newer);
        }
        Ok(())
    }

    /// The newest state, under the known keys or those that this very handle
    /// drew meanwhile.
    pub(crate) fn newest(&self, known: &Unlocked) -> Result<Unlocked, Error> {
        match current(&known.core, Some(&known.snapshot)) {
            Err(Error::AccessChanged) => {
                let _renewing = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
                let now = self.unlocked()?;
                if Arc::ptr_eq(&now.core, &known.core) { Err(Error::AccessChanged) } else { Ok(now) }
            }
            newer => Ok(known.with(newer?)),
        }
    }

    /// Makes the second copy of the newest root durable, if this handle wrote the first.
    pub(crate) fn rest(&self) -> Result<(), Error> {
        if self.mode != Mode::Writing {
            return Ok(());
        }
        self.may_write()?;
        match self.store.as_file() {
            Some(file) if file.may_owe_a_copy() => Ok(file.lock(self.options.lock_wait)?.rest()?),
            Some(_) => Ok(()),
            None => Ok(proven_writer(&*self.store, self.options.lock_wait)?.sync()?),
        }
    }

    /// The checkpoint of the newest state that this handle knows to be durable. One that only
    /// reads knows so much of the newest state if both copies are equal and a barrier of its
    /// own returned, else of the one before it.
    pub(crate) fn durable_checkpoint(&self) -> Result<Checkpoint, Error> {
        let known = self.unlocked()?;
        let snapshot = &*known.snapshot;
        let file = self.store.as_file();
        if snapshot.settled || file.is_none() && self.mode != Mode::Writing {
            return Ok(snapshot.checkpoint());
        }
        if self.mode == Mode::Writing {
            self.may_write()?;
            proven_writer(&*self.store, self.options.lock_wait)?.sync()?;
            return Ok(snapshot.checkpoint());
        }
        let are_equal = self.store.heads()?.roots.iter().all(|root| *root == snapshot.root_bytes);
        match are_equal && file.is_some_and(|file| file.make_durable().is_ok()) {
            true => Ok(snapshot.checkpoint()),
            false => Ok(snapshot.checkpoint_before()),
        }
    }

    /// An operation begins: while it is under way the vault does not lock itself,
    /// and when it ends the stack that it used is wiped.
    pub(crate) fn begin(&self) -> Result<Operation<'_>, Error> {
        Ok(Operation { _wipes: WipesStack, _call: self.keep_open()? })
    }

    /// While this is held the vault does not lock itself.
    pub(crate) fn keep_open(&self) -> Result<Option<Call<'_>>, Error> {
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
    pub(crate) fn unlocked(&self) -> Result<Unlocked, Error> {
        let _call = self.keep_open()?;
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Unlocked(unlocked) => Ok(unlocked.clone()),
            State::Locked { .. } => Err(Error::Locked),
        }
    }

    /// Whether this handle may write at all.
    pub(crate) fn may_write(&self) -> Result<(), Error> {
        if self.mode != Mode::Writing {
            return Err(Error::Invalid { what: "this vault was unlocked for reading only" });
        }
        self.is_own_process()
    }

    /// Whether this handle may put damaged parts back.
    pub(crate) fn may_repair(&self) -> Result<(), Error> {
        if self.mode == Mode::Diagnosing { self.is_own_process() } else { self.may_write() }
    }

    pub(crate) fn is_own_process(&self) -> Result<(), Error> {
        if self.process != std::process::id() {
            return Err(Error::OtherProcess);
        }
        Ok(())
    }

    /// Takes a state that is newer than, or settled where, the known one is not.
    pub(crate) fn adopt(&self, newer: Unlocked) {
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
    pub(crate) fn read<T>(&self, read: impl Fn(&StateReader<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let _call = self.begin()?;
        trace::operation("read", self.id, || self.read_now(&read))
    }

    pub(crate) fn read_now<T>(
        &self,
        read: &impl Fn(&StateReader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut known = self.unlocked()?;
        loop {
            match read(&known.reader()) {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    known = self.successor(&known, error)?;
                }
                result => return result,
            }
        }
    }

    /// The newer state, of which a writer may have withdrawn what was not found in
    /// the known one; where there is none, the fault.
    pub(crate) fn successor(&self, known: &Unlocked, fault: Error) -> Result<Unlocked, Error> {
        let newer = self.newest(known)?;
        if newer.snapshot.root_bytes == known.snapshot.root_bytes {
            return Err(fault);
        }
        expect_successor(&newer.core, &known.snapshot, &newer.snapshot)?;
        self.adopt(newer.clone());
        Ok(newer)
    }

    /// The number of the last commit that this handle has seen.
    #[must_use]
    pub(crate) fn epoch(&self) -> Epoch {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Unlocked(unlocked) => unlocked.snapshot.root.epoch,
            State::Locked { epoch, .. } => *epoch,
        }
    }

    pub(crate) fn grant(&self) -> Grant {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Unlocked(unlocked) => unlocked.core.keyring.grant(),
            State::Locked { grant, .. } => *grant,
        }
    }

    pub(crate) fn forget_keys(&self) -> Result<(), Error> {
        let wipes = Wipes(&self.state);
        // Another writer is not waited for.
        let renewed = self.renew_at_close(Duration::ZERO);
        drop(wipes);
        self.rest().and(renewed)
    }

    pub(crate) fn is_locked(&self) -> bool {
        matches!(*self.state.read().unwrap_or_else(PoisonError::into_inner), State::Locked { .. })
    }
}
