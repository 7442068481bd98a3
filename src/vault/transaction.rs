//! Changes in the making: what a closure asks for, as rows and sealed objects.

use super::audit::ReadKind;
use super::content::{Content, stored_contents};
use super::core::{Core, Snapshot, View};
use super::erasure::{Erasure, ErasureReport, expunged_content};
use super::ledger::{Action, DIGESTS_IN_A_LINE, Detail, Line};
use super::list;
use super::options::{Actor, WriterVersion};
use super::{Vault, open, trace};
use crate::crypto::digest::Digest;
use crate::crypto::random::Randomness;
use crate::error::{Error, ErrorKind};
use crate::format::object::{ObjectRef, SealedObject};
use crate::format::place::{Compartment, PLACES};
use crate::id::{EntryId, Epoch};
use crate::keys::Grant;
use crate::parallel::in_order;
use crate::payload::encode_entry;
use crate::payload::history::LedgerV1;
use crate::record::{Entry, Record};
use crate::store::{StoreError, StoreWriter};
use crate::tree::{Changes, ObjectWriter, Row, RowClass, RowKey, Sealed};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// Entries that one core seals at a time.
const ENTRIES_AT_A_TIME: usize = 256;

/// How often a change is made anew when another writer was faster.
const CONFLICT_RETRIES: usize = 8;

/// What a commit gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Committed<T> {
    /// What the closure returned.
    pub value: T,
    /// The commit's number; the previous one if nothing was changed.
    pub epoch: Epoch,
    /// What an expungement reached and what not.
    pub erasure: Option<ErasureReport>,
}

impl Vault {
    /// Makes changes as one commit: all of them or none, durable when this returns.
    ///
    /// The closure may run again when another writer was faster. Whatever it
    /// returns as an error, nothing is written then; nor is anything when it
    /// passes over an operation that failed half-way.
    ///
    /// # Errors
    /// The closure's error; [`Error::Store`] when the store is busy, full or
    /// fails; [`Error::OtherProcess`] after a fork.
    pub fn update<T>(
        &self,
        actor: &Actor,
        mut change: impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<Committed<T>, Error> {
        self.may_write()?;
        let _call = self.begin()?;
        let mut opened = Vec::new();
        let result = trace::operation("commit", self.id, || {
            self.update_until_settled(actor, &mut change, &mut opened)
        });
        if !opened.is_empty() {
            self.tell(ReadKind::Opened, Some(actor), opened);
        }
        result
    }

    fn update_until_settled<T>(
        &self,
        actor: &Actor,
        change: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
        opened: &mut Vec<EntryId>,
    ) -> Result<Committed<T>, Error> {
        let mut attempts = 0;
        loop {
            match self.update_once(actor, change, opened) {
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

    pub(super) fn update_once<T>(
        &self,
        actor: &Actor,
        change: &mut impl FnMut(&mut Transaction<'_>) -> Result<T, Error>,
        opened: &mut Vec<EntryId>,
    ) -> Result<Committed<T>, Error> {
        let (mut writer, current) =
            open::start_writing(&*self.store, || self.unlocked(), self.options.lock_wait)?;
        self.adopt(current.clone());
        writer.start(current.snapshot.root.append_end);
        let mut transaction = Transaction {
            core: &current.core,
            snapshot: &current.snapshot,
            actor,
            time: self.options.now(),
            work: Work { pinned: self.options.writer, ..Work::new(&mut *writer) },
        };
        let value = change(&mut transaction);
        opened.append(&mut transaction.work.opened.borrow_mut());
        let value = value?;
        // Before the commit: what is done must not be reported as failed.
        let erasure = transaction.finish_erasure().map(|erasure| transaction.view().erasure_report(erasure));
        let Some(published) = transaction.commit(None)? else {
            return Ok(Committed { value, epoch: current.snapshot.root.epoch, erasure: None });
        };
        drop(writer);
        if !published.root.erase.is_empty() {
            // Pages in memory still hold what was withdrawn.
            current.core.cache.clear();
        }
        let epoch = published.root.epoch;
        trace::event!("committed", epoch = epoch);
        self.adopt(current.with(published));
        Ok(Committed { value, epoch, erasure })
    }

    /// Expunges entries, all revisions and the ledger lines that tell of them
    /// alone, and says what that reached.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::LegalHold`], and as [`Vault::update`].
    pub fn expunge(&self, actor: &Actor, ids: &[EntryId], reason: &str) -> Result<ErasureReport, Error> {
        trace::operation("expunge", self.id, || {
            let committed = self.update(actor, |tx| ids.iter().try_for_each(|id| tx.expunge(*id, reason)))?;
            let nothing = Error::Invalid { what: "name at least one entry to expunge" };
            let report = committed.erasure.ok_or(nothing)?;
            trace::event!("expunged", entries = report.entries.len(), bytes = report.bytes);
            Ok(report)
        })
    }
}

/// What a commit has put together so far.
pub(super) struct Work<'a> {
    pub(super) writer: &'a mut dyn StoreWriter,
    pub(super) random: Randomness,
    pub(super) changes: [Changes; PLACES],
    pub(super) lines: Vec<(Compartment, Line)>,
    /// Ledger rows of earlier commits of which this one destroys lines.
    pub(super) redacted: BTreeMap<(Compartment, Epoch), LedgerV1>,
    /// Contents that this commit puts, or of which it changes the users.
    pub(super) contents: BTreeMap<(Compartment, Digest), Content>,
    pub(super) erase: Vec<ObjectRef>,
    /// Entries that the closure opened.
    opened: RefCell<Vec<EntryId>>,
    erasure: Erasure,
    pub(super) withdraws: bool,
    /// The compartments whose keys this commit changes.
    pub(super) renewed: Option<Grant>,
    /// An operation failed half-way: nothing of this work may be committed.
    pub(super) half_done: bool,
    /// What the new root may ask of readers at most.
    pub(super) pinned: WriterVersion,
}

impl<'a> Work<'a> {
    pub(super) fn new(writer: &'a mut dyn StoreWriter) -> Self {
        Self {
            writer,
            random: Randomness::from_system(),
            changes: std::array::from_fn(|_| Changes::new()),
            lines: Vec::new(),
            redacted: BTreeMap::new(),
            contents: BTreeMap::new(),
            erase: Vec::new(),
            opened: RefCell::default(),
            erasure: Erasure::default(),
            withdraws: false,
            renewed: None,
            half_done: false,
            pinned: WriterVersion::LATEST,
        }
    }

    /// Work of a commit that withdraws something (rule R3).
    pub(super) fn withdrawing(writer: &'a mut dyn StoreWriter) -> Self {
        Self { withdraws: true, ..Self::new(writer) }
    }

    pub(super) fn objects(&mut self) -> ObjectWriter<'_> {
        ObjectWriter { writer: &mut *self.writer, random: &mut self.random }
    }
}

/// Changes in the making. Reads see what was changed before.
pub struct Transaction<'a> {
    pub(super) core: &'a Core,
    pub(super) snapshot: &'a Snapshot,
    pub(super) actor: &'a Actor,
    pub(super) time: i64,
    pub(super) work: Work<'a>,
}

impl Transaction<'_> {
    /// Adds an entry, to the compartment that its kind belongs to.
    ///
    /// # Errors
    /// [`Error::NeedsCompartment`], [`Error::TooLarge`], [`Error::NoSuchContent`] when
    /// it names an attachment that is not stored in that compartment,
    /// [`Error::Store`], [`Error::Random`].
    pub fn add(&mut self, entry: &Entry) -> Result<EntryId, Error> {
        self.add_in(compartment_of(entry), entry)
    }

    /// Adds an entry to this compartment.
    ///
    /// # Errors
    /// As [`Transaction::add`]; [`Error::Invalid`] for a compartment that does
    /// not hold entries.
    pub fn add_in(&mut self, compartment: Compartment, entry: &Entry) -> Result<EntryId, Error> {
        let id = self.draw_id()?;
        self.add_as(compartment, id, entry)?;
        self.log(compartment, Line::about(Action::Added, self.actor, None, [id]));
        Ok(id)
    }

    /// Adds many entries, each to the compartment that its kind belongs to, with one
    /// line in the ledger for each compartment. Uses every core. Gives the ids in
    /// the order of the entries.
    ///
    /// # Errors
    /// As [`Transaction::add`].
    pub fn add_all(&mut self, entries: &[Entry]) -> Result<Vec<EntryId>, Error> {
        let mut ids = Vec::with_capacity(entries.len());
        let mut new = Vec::with_capacity(entries.len());
        for entry in entries {
            let (compartment, id) = (compartment_of(entry), self.draw_id()?);
            self.snapshot.place(compartment)?;
            ids.push(id);
            new.push((compartment, id, entry));
        }
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        for (compartment, id, entry) in &new {
            self.use_contents(*compartment, *id, entry)?;
        }
        // In the order of the catalogue: what is read together stands together.
        new.sort_unstable_by_key(|(compartment, id, _)| (*compartment, *id));
        let (core, epoch) = (self.core, self.epoch());
        let batches: Vec<_> = new.chunks(ENTRIES_AT_A_TIME).collect();
        let seal_all = |batch: &&[(Compartment, EntryId, &Entry)]| -> Result<Vec<_>, Error> {
            let mut random = Randomness::from_system();
            let seal = |(compartment, id, entry): &(Compartment, EntryId, &Entry)| {
                let row = new_row(*id, 1, epoch, entry)?;
                let context = core.row_context(*compartment, &row);
                let sealed = Sealed::seal(&mut random, &context, &encode_entry(entry)?)?;
                Ok((*compartment, row, context, sealed))
            };
            batch.iter().map(seal).collect()
        };
        in_order(&batches, seal_all, |batch| {
            for (compartment, mut row, context, sealed) in batch {
                row.object = Some(Box::new(self.work.objects().put(&context, sealed)?));
                self.put_row(compartment, row)?;
            }
            Ok(())
        })?;
        for added in new.chunk_by(|one, next| one.0 == next.0) {
            if let Some((compartment, ..)) = added.first() {
                let ids = added.iter().map(|(_, id, _)| *id);
                self.log(*compartment, Line::about(Action::Added, self.actor, None, ids));
            }
        }
        self.work.half_done = half_done;
        Ok(ids)
    }

    /// Adds an entry with this id, without a line in the ledger.
    pub(super) fn add_as(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        entry: &Entry,
    ) -> Result<(), Error> {
        self.may_add(compartment, id)?;
        self.put_entry(compartment, id, 1, entry)
    }

    fn may_add(&self, compartment: Compartment, id: EntryId) -> Result<(), Error> {
        if !Compartment::HOLDING_ENTRIES.contains(&compartment) {
            return Err(Error::Invalid { what: "this compartment does not hold entries" });
        }
        match self.row(compartment, &RowKey::entry(id))? {
            Some(_) => Err(Error::Invalid { what: "there is an entry with this id already" }),
            None => Ok(()),
        }
    }

    /// Replaces an entry by a new revision; the old one stays as history.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`] and as [`Transaction::add`].
    pub fn amend(&mut self, id: EntryId, entry: &Entry, reason: &str) -> Result<(), Error> {
        self.revise(id, entry, Action::Amended, reason)
    }

    /// Withdraws an entry: it is no longer listed or released, and stays as history.
    ///
    /// # Errors
    /// As [`Transaction::amend`].
    pub fn retract(&mut self, id: EntryId, reason: &str) -> Result<(), Error> {
        let mut entry = self.stored_entry(id)?;
        entry.marks.retracted = true;
        self.revise(id, &entry, Action::Retracted, reason)
    }

    fn revise(&mut self, id: EntryId, entry: &Entry, action: Action, reason: &str) -> Result<(), Error> {
        let (compartment, current) = self.entry_row(id)?;
        if compartment == Compartment::General && compartment_of(entry) != compartment {
            // The old revisions would stay where every credential for `general` reads them.
            return Err(Error::Invalid {
                what: "this entry would belong to another compartment: add it anew and expunge the old one",
            });
        }
        let revision = current.revision.checked_add(1).ok_or(Error::Damaged { what: "revision" })?;
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        let mut superseded = current.duplicate();
        superseded.key = RowKey::revision(id, current.revision);
        superseded.class = RowClass::Superseded;
        superseded.inline = Zeroizing::default();
        self.put_row(compartment, superseded)?;
        self.put_entry(compartment, id, revision, entry)?;
        self.log(compartment, Line::about(action, self.actor, Some(reason), [id]));
        self.work.half_done = half_done;
        Ok(())
    }

    /// Destroys an entry with all its revisions. When the commit returns, the
    /// vault file no longer yields any of it under any credential. A part of it
    /// that is damaged goes too.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::LegalHold`], [`Error::Store`];
    /// [`Error::Damaged`] when so much is that nobody can tell which attachments
    /// are the entry's alone.
    pub fn expunge(&mut self, id: EntryId, reason: &str) -> Result<(), Error> {
        let (compartment, current) = self.entry_row(id)?;
        let entry = match self.stored_entry(id) {
            Err(error) if error.kind() == ErrorKind::Damaged => None,
            entry => Some(entry?),
        };
        if is_held(&current, entry.as_ref())? {
            return Err(Error::LegalHold { id });
        }
        let mut contents: BTreeSet<Digest> = match &entry {
            Some(entry) => stored_contents(entry).collect(),
            None => self.contents_of_unreadable(compartment, &current)?,
        };
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        self.work.withdraws = true;
        let mut epochs = vec![current.epoch];
        let mut sources = BTreeSet::new();
        sources.extend(entry.and_then(|entry| entry.source).map(|source| source.bytes));
        self.remove_row(compartment, &current)?;
        for revision in 1..current.revision {
            let row = self.row(compartment, &RowKey::revision(id, revision))?;
            let row = row.ok_or(Error::Damaged { what: "revision" })?;
            epochs.push(row.epoch);
            if let Ok(entry) = self.core.open_entry(compartment, &row) {
                sources.extend(entry.source.map(|source| source.bytes));
            }
            contents.extend(self.contents_of(compartment, &row)?);
            self.remove_row(compartment, &row)?;
        }
        self.give_up_contents(compartment, id, contents)?;
        for epoch in epochs {
            self.destroy_lines(compartment, epoch, id)?;
        }
        self.work.erasure.entries.push(id);
        self.log_expunged(compartment, id, reason, &sources)?;
        self.work.half_done = half_done;
        Ok(())
    }

    /// The lines of an expungement, by which an import knows again what was expunged.
    fn log_expunged(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        reason: &str,
        sources: &BTreeSet<Vec<u8>>,
    ) -> Result<(), Error> {
        if sources.is_empty() {
            self.log(compartment, Line::about(Action::Expunged, self.actor, Some(reason), [id]));
            return Ok(());
        }
        let key = self.view().identity_key()?;
        let digests: Vec<String> = sources.iter().map(|source| expunged_content(&key, source)).collect();
        for digests in digests.chunks(DIGESTS_IN_A_LINE) {
            let line = Line::about(Action::Expunged, self.actor, Some(reason), [id]);
            self.log(compartment, line.with(Detail::Content, &digests.join(" ")));
        }
        Ok(())
    }

    /// The current revision of an entry, changes of this commit included.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::Damaged`], [`Error::Store`];
    /// [`Error::Invalid`] for an entry that this commit itself put.
    pub fn entry(&self, id: EntryId) -> Result<Entry, Error> {
        let entry = self.stored_entry(id)?;
        self.work.opened.borrow_mut().push(id);
        Ok(entry)
    }

    /// The same, for the vault's own use.
    fn stored_entry(&self, id: EntryId) -> Result<Entry, Error> {
        let (compartment, row) = self.entry_row(id)?;
        if row.epoch == self.epoch() {
            return Err(Error::Invalid {
                what: "an entry that a commit puts can be read only after that commit",
            });
        }
        self.core.open_entry(compartment, &row)
    }

    /// The current revision of an entry and its compartment, if there is one.
    pub(super) fn current(&self, id: EntryId) -> Result<Option<(Compartment, Entry)>, Error> {
        match self.entry_row(id) {
            Ok((compartment, _)) => Ok(Some((compartment, self.stored_entry(id)?))),
            Err(Error::NoSuchEntry { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A fresh id.
    pub(super) fn draw_id(&mut self) -> Result<EntryId, Error> {
        Ok(EntryId::from_bytes(self.work.random.bytes()?))
    }

    /// Whether this commit puts an entry there.
    pub(super) fn is_put(&self, compartment: Compartment, id: EntryId) -> bool {
        self.is_changed(compartment, &RowKey::entry(id))
    }

    /// Adds an entry with this id and the revisions before it, the oldest first, without
    /// a line in the ledger.
    pub(super) fn add_with_history(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        earlier: &[&Entry],
        entry: &Entry,
    ) -> Result<(), Error> {
        self.may_add(compartment, id)?;
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        let mut revision = 1;
        for entry in earlier {
            let mut row = new_row(id, revision, self.epoch(), entry)?;
            row.key = RowKey::revision(id, revision);
            row.class = RowClass::Superseded;
            row.inline = Zeroizing::default();
            self.use_contents(compartment, id, entry)?;
            self.put_sealed(compartment, row, &encode_entry(entry)?)?;
            revision += 1;
        }
        self.put_entry(compartment, id, revision, entry)?;
        self.work.half_done = half_done;
        Ok(())
    }

    pub(super) fn view(&self) -> View<'_> {
        View { core: self.core, snapshot: self.snapshot }
    }

    pub(super) fn entry_row(&self, id: EntryId) -> Result<(Compartment, Row), Error> {
        for compartment in self.view().open_compartments() {
            if let Some(row) = self.row(compartment, &RowKey::entry(id))?
                && row.class == RowClass::Entry
            {
                return Ok((compartment, row));
            }
        }
        Err(Error::NoSuchEntry { id })
    }

    pub(super) fn row(&self, compartment: Compartment, key: &RowKey) -> Result<Option<Row>, Error> {
        match self.work.changes.get(compartment.index()).and_then(|changes| changes.get(key)) {
            Some(change) => Ok(change.as_ref().map(Row::duplicate)),
            None => self.view().row(compartment, key),
        }
    }

    /// Whether this commit put or removed the row.
    pub(super) fn is_changed(&self, compartment: Compartment, key: &RowKey) -> bool {
        self.work.changes.get(compartment.index()).is_some_and(|changes| changes.contains_key(key))
    }

    pub(super) fn put_row(&mut self, compartment: Compartment, row: Row) -> Result<(), Error> {
        self.change(compartment, row.key, Some(row))
    }

    pub(super) fn change(
        &mut self,
        compartment: Compartment,
        key: RowKey,
        row: Option<Row>,
    ) -> Result<(), Error> {
        self.snapshot.place(compartment)?;
        if let Some(changes) = self.work.changes.get_mut(compartment.index()) {
            changes.insert(key, row);
        }
        Ok(())
    }

    /// Removes a row and erases its object with this commit.
    pub(super) fn remove_row(&mut self, compartment: Compartment, row: &Row) -> Result<(), Error> {
        if let Some(object) = &row.object {
            self.erase(object);
        }
        self.work.erasure.since = Some(self.work.erasure.since.map_or(row.epoch, |e| e.min(row.epoch)));
        self.change(compartment, row.key, None)
    }

    /// Erases what this commit puts anew: once its row is gone nobody knows where it
    /// is, and whoever kept its key could read it after an expungement.
    pub(super) fn supersede(&mut self, object: &SealedObject) {
        self.work.withdraws = true;
        self.erase(object);
    }

    pub(super) fn erase(&mut self, object: &SealedObject) {
        self.work.erasure.bytes = self.work.erasure.bytes.saturating_add(object.object.length);
        self.work.erase.push(object.object);
    }

    fn put_entry(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        revision: u64,
        entry: &Entry,
    ) -> Result<(), Error> {
        let content = encode_entry(entry)?;
        let row = new_row(id, revision, self.epoch(), entry)?;
        self.use_contents(compartment, id, entry)?;
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        self.put_sealed(compartment, row, &content)?;
        self.work.half_done = half_done;
        Ok(())
    }

    /// Seals `content` as the row's object and puts the row.
    pub(super) fn put_sealed(
        &mut self,
        compartment: Compartment,
        mut row: Row,
        content: &[u8],
    ) -> Result<(), Error> {
        self.snapshot.place(compartment)?;
        let context = self.core.row_context(compartment, &row);
        row.object = Some(Box::new(self.work.objects().seal(&context, content)?));
        self.put_row(compartment, row)
    }

    pub(super) fn log(&mut self, compartment: Compartment, line: Line) {
        self.work.lines.push((compartment, line));
    }

    /// The number of this commit.
    pub(super) fn epoch(&self) -> Epoch {
        self.snapshot.root.epoch.next()
    }

    /// Names an entry of which a commit destroys something.
    pub(super) fn note_erased(&mut self, id: EntryId) {
        self.work.erasure.entries.push(id);
    }

    fn finish_erasure(&mut self) -> Option<Erasure> {
        (!self.work.erasure.entries.is_empty()).then(|| std::mem::take(&mut self.work.erasure))
    }
}

/// The row of an entry whose object is not put yet.
fn new_row(id: EntryId, revision: u64, epoch: Epoch, entry: &Entry) -> Result<Row, Error> {
    let inline = list::inline_card(entry)?;
    Ok(Row { key: RowKey::entry(id), class: RowClass::Entry, id, revision, epoch, object: None, inline })
}

/// Whether an entry is under a legal hold. Of one that cannot be read the card
/// says so, which stands in the catalogue and never leaves that out.
fn is_held(row: &Row, entry: Option<&Entry>) -> Result<bool, Error> {
    match entry {
        Some(entry) => Ok(!entry.marks.legal_holds.is_empty()),
        None => Ok(list::card_of(row)?.flags.legal_hold),
    }
}

impl Row {
    /// A row that belongs to no entry.
    pub(super) fn unnamed(key: RowKey, class: RowClass, epoch: Epoch) -> Self {
        let id = EntryId::from_bytes([0; 16]);
        Self { key, class, id, revision: 0, epoch, object: None, inline: Zeroizing::default() }
    }
}

/// The compartment that an entry's kind belongs to.
pub(super) fn compartment_of(entry: &Entry) -> Compartment {
    match &entry.record {
        Record::Note(note) if note.form.as_ref().is_some_and(|form| form.as_str() == "psychotherapy") => {
            Compartment::PsychotherapyNotes
        }
        Record::SubstanceUse(_) => Compartment::SubstanceUse,
        _ => Compartment::General,
    }
}

crate::secret::redacted_debug!(Transaction<'_>);
