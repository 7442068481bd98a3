//! Changes: a closure's work as one commit, made again when another writer was faster.

use super::audit::ReadKind;
use super::handle::Session;
use super::state::Mode;
use super::writing::start_writing;
use crate::engine::actor::Actor;
use crate::engine::core::StateReader;
use crate::engine::destruction::Expungement;
use crate::engine::erasure::ErasureReport;
use crate::engine::facts::Action;
use crate::engine::moving::MoveReport;
use crate::engine::trace;
use crate::engine::transaction::{Committed, Transaction, Work};
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::format::segment::Tier;
use crate::id::EntryId;
use crate::keys::Grant;
use crate::store::StoreError;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The error of a closure, kept while the vault ends what it was doing.
pub(super) struct OwnError<E>(Option<E>);

impl<E> Default for OwnError<E> {
    fn default() -> Self {
        Self(None)
    }
}

impl<E: From<Error>> OwnError<E> {
    /// Keeps the closure's error and lets the vault end with one that is not tried again.
    pub(super) fn keep<T>(&mut self, result: Result<T, E>) -> Result<T, Error> {
        result.map_err(|error| {
            self.0 = Some(error);
            Error::Invalid { what: "the closure refused" }
        })
    }

    /// The closure's error if it ended with one, else what the vault says.
    pub(super) fn give<T>(self, result: Result<T, Error>) -> Result<T, E> {
        result.map_err(|error| self.0.unwrap_or_else(|| error.into()))
    }
}

/// How often a change is made anew when another writer was faster.
const CONFLICT_RETRIES: usize = 8;

impl Session {
    /// Makes changes as one commit: all of them or none, durable when this returns.
    ///
    /// The closure may run again when another writer was faster. Whatever it
    /// returns as an error, nothing is written then; nor is anything when it
    /// passes over an operation that failed half-way.
    ///
    /// # Errors
    /// The closure's error; [`Error::Store`] when the store is busy, full or
    /// fails; [`Error::OtherProcess`] after a fork.
    pub(crate) fn update<T>(
        &self,
        actor: &Actor,
        mut change: impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<Committed<T>, Error> {
        self.may_write()?;
        let _call = self.begin()?;
        let mut opened = Vec::new();
        let result = trace::operation("commit", self.id, || {
            self.update_until_settled(self.options.lock_wait, actor, &mut change, &mut opened)
        });
        if !opened.is_empty() {
            self.tell(ReadKind::Opened, Some(actor), opened);
        }
        result
    }

    /// The same, for a closure with an error of its own.
    pub(crate) fn try_update<T, E: From<Error>>(
        &self,
        actor: &Actor,
        mut change: impl FnMut(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<Committed<T>, E> {
        let mut own = OwnError::default();
        let result = self.update(actor, |tx| own.keep(change(tx)));
        own.give(result)
    }

    fn update_until_settled<T>(
        &self,
        wait: Duration,
        actor: &Actor,
        change: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
        opened: &mut Vec<EntryId>,
    ) -> Result<Committed<T>, Error> {
        let mut attempts = 0;
        loop {
            match self.update_within(wait, actor, change, opened) {
                Err(Error::Store(StoreError::Conflict)) if attempts < CONFLICT_RETRIES => attempts += 1,
                Err(error @ Error::Store(StoreError::NotErased)) => {
                    // The change is made: nothing withdrawn is to be read from memory.
                    self.refresh()?;
                    return Err(error);
                }
                result => return result,
            }
        }
    }

    pub(crate) fn update_once<T>(
        &self,
        actor: &Actor,
        change: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
        opened: &mut Vec<EntryId>,
    ) -> Result<Committed<T>, Error> {
        self.update_within(self.options.lock_wait, actor, change, opened)
    }

    /// The same, waiting so long for the writer's lock.
    fn update_within<T>(
        &self,
        wait: Duration,
        actor: &Actor,
        change: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
        opened: &mut Vec<EntryId>,
    ) -> Result<Committed<T>, Error> {
        let (mut writer, current) = start_writing(&*self.store, || self.unlocked(), wait)?;
        self.adopt(current.clone());
        current.snapshot.start_segment(&mut *writer, false);
        let mut transaction = Transaction {
            core: &current.core,
            snapshot: &current.snapshot,
            actor,
            time: self.options.now(),
            work: Work::new(&mut *writer),
        };
        let value = change(&mut transaction);
        opened.append(&mut transaction.work.opened.borrow_mut());
        let value = value?;
        if !transaction.work.half_done {
            transaction.settle_accounts()?;
            transaction.drop_documents()?;
        }
        // Before the commit: what is done must not be reported as failed.
        let erasure =
            transaction.finish_erasure().map(|erasure| transaction.reader().erasure_report(erasure));
        let Some((published, told)) = transaction.commit_and_tell(None)? else {
            let epoch = current.snapshot.root.epoch;
            return Ok(Committed { value, epoch, erasure: None, shows_more: false });
        };
        let shows_more = writer.is_beyond_parts();
        drop(writer);
        if published.names_withdrawn() {
            // Pages in memory still hold what was withdrawn.
            current.core.cache.clear();
        }
        let epoch = published.root.epoch;
        trace::event!("committed", epoch = epoch);
        if told == Action::Renewed {
            self.has_renewed.store(true, Ordering::Relaxed);
        }
        self.adopt(current.with(published));
        Ok(Committed { value, epoch, erasure, shows_more })
    }

    /// Makes a commit that renews everything and changes nothing, if this handle can write hidden
    /// compartments, made no commit of which everybody is told just that, and there is somebody
    /// who does not open these. Otherwise a handle that wrote there and one that did not would
    /// be told apart, whatever else they did. It waits so long for the writer's lock.
    ///
    /// # Errors
    /// As [`Vault::update`].
    pub(crate) fn renew_at_close(&self, wait: Duration) -> Result<(), Error> {
        let may_renew = self.options.renew_at_close && self.mode == Mode::Writing && !self.is_locked();
        if may_renew && !self.has_renewed.load(Ordering::Relaxed) && self.hides_something()? {
            self.may_write()?;
            let _call = self.begin()?;
            let mut renew = |tx: &mut Transaction<'_>| {
                tx.announce(Action::Renewed);
                Ok(())
            };
            trace::operation("commit", self.id, || {
                self.update_until_settled(wait, &Actor::software(), &mut renew, &mut Vec::new())
            })?;
        }
        Ok(())
    }

    /// Whether this handle opens a hidden compartment that some way in does not open. One that
    /// does not see the ways in is not the only one.
    fn hides_something(&self) -> Result<bool, Error> {
        let hidden = || Compartment::ALL.into_iter().filter(|place| place.tier() == Tier::Hidden);
        let held = self.grant();
        if !hidden().any(|place| held.includes(place)) {
            return Ok(false);
        }
        if !held.includes(Compartment::Custody) {
            return Ok(true);
        }
        let directory = match self.read_now(&|reader: &StateReader<'_>| reader.directory()) {
            // It may list somebody to hide from.
            Err(error) if error.kind() == ErrorKind::Damaged => return Ok(true),
            directory => directory?,
        };
        let grants = directory.slots.iter().filter(|slot| slot.kind != 0);
        let grants: Vec<Grant> = grants.filter_map(|slot| Grant::from_mask(slot.grant)).collect();
        Ok(grants.iter().any(|grant| hidden().any(|place| held.includes(place) && !grant.includes(place))))
    }

    /// Expunges entries, all revisions and all that tells of them, and says what that reached.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::LegalHold`], and as [`Vault::update`].
    pub(crate) fn expunge(
        &self,
        actor: &Actor,
        ids: &[EntryId],
        how: &Expungement,
    ) -> Result<ErasureReport, Error> {
        trace::operation("expunge", self.id, || {
            let committed = self.update(actor, |tx| ids.iter().try_for_each(|id| tx.expunge(*id, how)))?;
            let nothing = Error::Invalid { what: "name at least one entry to expunge" };
            let report = committed.erasure.ok_or(nothing)?;
            trace::event!("expunged", entries = report.entries.len(), bytes = report.bytes);
            Ok(report)
        })
    }

    /// Moves entries to another compartment, as one commit.
    ///
    /// # Errors
    /// As [`Transaction::move_to`] and [`Session::update`].
    pub(crate) fn move_entries(
        &self,
        actor: &Actor,
        ids: &[EntryId],
        to: Compartment,
        reason: Option<&str>,
    ) -> Result<MoveReport, Error> {
        trace::operation("move", self.id, || {
            let committed = self.update(actor, |tx| tx.move_all(ids, to, reason))?;
            let Committed { value: moved, epoch, erasure, shows_more } = committed;
            let erasure = erasure.ok_or(Error::Invalid { what: "name at least one entry to move" })?;
            trace::event!("moved", entries = moved.len(), bytes = erasure.bytes);
            Ok(MoveReport { moved, epoch, erasure, shows_more })
        })
    }
}
