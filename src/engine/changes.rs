//! What a closure may ask of a commit: add, amend, retract.

use super::content::stored_contents;
use super::facts::Action;
use super::ledger::Line;
use super::list;
use super::transaction::Transaction;
use crate::classify::compartment_of;
use crate::crypto::random::Randomness;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::parallel::{Spare, in_order_by_weight};
use crate::payload::entry_content;
use crate::record::{Entry, Origin};
use crate::secret::SharedBytes;
use crate::tree::{Row, RowClass, RowKey, Run};

/// Entries that one core encrypts at a time.
const ENTRIES_AT_A_TIME: usize = 128;

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
        self.log(compartment, Line::of(Action::Added, self.actor));
        Ok(id)
    }

    /// Adds many entries, each to the compartment that its kind belongs to, with one
    /// line in the ledger for each compartment. Uses every core. Gives the ids in
    /// the order of the entries.
    ///
    /// # Errors
    /// As [`Transaction::add`].
    pub fn add_all<'e>(&mut self, entries: &'e [Entry]) -> Result<Vec<EntryId>, Error> {
        let mut new = Vec::with_capacity(entries.len());
        for entry in entries {
            let compartment = compartment_of(entry);
            self.snapshot.place(compartment)?;
            new.push((compartment, self.draw_id()?, entry));
        }
        in_order_of_ids(&mut new);
        let ids = new.iter().map(|(_, id, _)| *id).collect();
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        // In the order of the catalogue: what is read together stands together.
        new.sort_by_key(|(compartment, ..)| *compartment);
        let (core, epoch, buffers) = (self.core, self.epoch(), Spare::default());
        let batches: Vec<_> = new.chunks(ENTRIES_AT_A_TIME).collect();
        let encrypt_all = |batch: &&[(Compartment, EntryId, &'e Entry)]| -> Result<_, Error> {
            let mut run = Run::within(buffers.take());
            let mut rows = Vec::with_capacity(batch.len());
            let cards = batch.iter().map(|(_, _, entry)| list::inline_card(entry));
            let cards = SharedBytes::copies_of(&cards.collect::<Result<Vec<_>, _>>()?);
            for ((compartment, id, entry), card) in batch.iter().zip(cards) {
                let row = row_of(*id, 1, epoch, card);
                run.push(&core.row_context(*compartment, &row), &entry_content(entry)?)?;
                let uses_contents = stored_contents(entry).next().is_some();
                rows.push((*compartment, row, uses_contents.then_some(*entry)));
            }
            Ok((rows, run.encrypt(&mut Randomness::from_system())?))
        };
        in_order_by_weight(
            &batches,
            |(_, run)| run.len(),
            encrypt_all,
            |(rows, run)| {
                let (objects, buffer) = self.work.objects().put_run(run)?;
                buffers.give(buffer);
                for ((compartment, mut row, user), object) in rows.into_iter().zip(objects) {
                    if let Some(entry) = user {
                        self.use_contents(compartment, row.id, entry)?;
                    }
                    row.object = Some(object);
                    self.put_row(compartment, row)?;
                }
                Ok(())
            },
        )?;
        for (compartment, ..) in &new {
            self.log(*compartment, Line::of(Action::Added, self.actor));
        }
        self.work.half_done = half_done;
        Ok(ids)
    }

    /// Adds an entry with this id, without a line in the ledger.
    pub(crate) fn add_as(
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

    /// Replaces an entry by a new revision; the old one stays as history. Where it was
    /// imported, and its record changes while its source stays, its origin becomes
    /// [`Origin::ImportedAndChanged`], which excerpts say too.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`] and as [`Transaction::add`].
    pub fn amend(&mut self, id: EntryId, entry: &Entry, reason: &str) -> Result<(), Error> {
        if entry.provenance.origin == Origin::Imported && self.is_own_change(id, entry)? {
            let mut entry = entry.clone();
            entry.provenance.origin = Origin::ImportedAndChanged;
            return self.revise(id, &entry, Action::Amended, reason);
        }
        self.revise(id, entry, Action::Amended, reason)
    }

    /// Whether an amendment changes what an entry says, and not what its source says. Of
    /// one that this very commit amended it is not known: then it is taken for that.
    fn is_own_change(&self, id: EntryId, entry: &Entry) -> Result<bool, Error> {
        let (compartment, _) = self.entry_row(id)?;
        if self.is_put(compartment, id) {
            return Ok(entry.source.is_some());
        }
        let known = self.stored_entry(id)?;
        let is_changed =
            known.record != entry.record || known.provenance.origin == Origin::ImportedAndChanged;
        Ok(known.source.is_some() && known.source == entry.source && is_changed)
    }

    /// Replaces an imported entry by what its source says now.
    pub(crate) fn amend_from_source(&mut self, id: EntryId, entry: &Entry) -> Result<(), Error> {
        self.revise(id, entry, Action::Amended, "")
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
        superseded.inline = SharedBytes::default();
        self.put_row(compartment, superseded)?;
        self.put_entry(compartment, id, revision, entry)?;
        if !reason.is_empty() || action == Action::Retracted {
            self.tell(compartment, id, action, revision, Some(reason))?;
        }
        self.log(compartment, Line::of(action, self.actor));
        self.work.half_done = half_done;
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
    pub(crate) fn stored_entry(&self, id: EntryId) -> Result<Entry, Error> {
        let (compartment, row) = self.entry_row(id)?;
        self.stored_entry_in(compartment, &row)
    }

    /// The entry of a current row.
    pub(super) fn stored_entry_in(&self, compartment: Compartment, row: &Row) -> Result<Entry, Error> {
        if self.is_put(compartment, row.id) {
            return Err(Error::Invalid {
                what: "an entry that a commit puts can be read only after that commit",
            });
        }
        self.core.open_entry(compartment, row)
    }

    /// The current revision of an entry and its compartment, if there is one.
    pub(crate) fn current(&self, id: EntryId) -> Result<Option<(Compartment, Entry)>, Error> {
        match self.entry_row(id) {
            Ok((compartment, row)) => Ok(Some((compartment, self.stored_entry_in(compartment, &row)?))),
            Err(Error::NoSuchEntry { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A fresh id.
    pub(crate) fn draw_id(&mut self) -> Result<EntryId, Error> {
        Ok(EntryId::from_bytes(self.work.random.bytes()?))
    }

    /// Whether this commit puts an entry there.
    pub(crate) fn is_put(&self, compartment: Compartment, id: EntryId) -> bool {
        self.is_changed(compartment, &RowKey::entry(id))
    }

    /// Adds an entry with this id and the revisions before it, the oldest first, without
    /// a line in the ledger.
    pub(crate) fn add_with_history(
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
            row.inline = SharedBytes::default();
            self.use_contents(compartment, id, entry)?;
            self.put_encrypted(compartment, row, &entry_content(entry)?)?;
            revision += 1;
        }
        self.put_entry(compartment, id, revision, entry)?;
        self.work.half_done = half_done;
        Ok(())
    }

    fn put_entry(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        revision: u64,
        entry: &Entry,
    ) -> Result<(), Error> {
        let content = entry_content(entry)?;
        let row = new_row(id, revision, self.epoch(), entry)?;
        self.use_contents(compartment, id, entry)?;
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        self.put_encrypted(compartment, row, &content)?;
        self.work.half_done = half_done;
        Ok(())
    }
}

/// Gives the ids that were drawn for each compartment to its entries in ascending order. So
/// the entries, which may be far more than a processor has near it, are taken as they lie in
/// memory, and put in the order of the catalogue. A compartment's ids tell nothing of
/// another's.
fn in_order_of_ids(new: &mut [(Compartment, EntryId, &Entry)]) {
    for compartment in Compartment::HOLDING_ENTRIES {
        let of_it = |new: &&mut (Compartment, EntryId, &Entry)| new.0 == compartment;
        let mut ids: Vec<EntryId> = new.iter_mut().filter(of_it).map(|(_, id, _)| *id).collect();
        ids.sort_unstable();
        new.iter_mut().filter(of_it).zip(ids).for_each(|((_, given, _), id)| *given = id);
    }
}

/// The row of an entry whose object is not put yet.
fn new_row(id: EntryId, revision: u64, epoch: Epoch, entry: &Entry) -> Result<Row, Error> {
    Ok(row_of(id, revision, epoch, list::inline_card(entry)?.into()))
}

/// The same, with this card.
fn row_of(id: EntryId, revision: u64, epoch: Epoch, inline: SharedBytes) -> Row {
    Row { key: RowKey::entry(id), class: RowClass::Entry, id, revision, epoch, object: None, inline }
}
