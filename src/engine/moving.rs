//! Moving entries to another compartment: there they are put anew, under fresh keys and another
//! id; from where they were they are withdrawn as by an expungement.
//!
//! Nothing is lost on the way: what cannot be read is not moved. Who reads the compartment that
//! an entry left, and not the one that it went to, cannot tell that from an expungement.

use std::collections::{BTreeMap, BTreeSet};

use super::accounting::Leaving;
use super::content::{damaged_attachment, step, stored_contents};
use super::departing::{Departing, Lines};
use super::erasure::{ErasedSource, ErasureReport};
use super::facts::Action;
use super::identity::IdentityKeys;
use super::imports::Written;
use super::ledger::Line;
use super::transaction::Transaction;
use crate::crypto::content_digest::{ContentDigest, RunningContentDigest};
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId, Epoch};
use crate::payload::entry_content;
use crate::record::Entry;
use crate::tree::{Row, RowClass, RowKey};

/// An entry that was moved to another compartment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MovedEntry {
    /// What it was called: nothing has this id any more.
    pub from: EntryId,
    /// What it is called where it is.
    pub to: EntryId,
}

/// What a move did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MoveReport {
    /// The entries, in the order in which they were named.
    pub moved: Vec<MovedEntry>,
    /// The commit's number.
    pub epoch: Epoch,
    /// What of them was erased where they were, and what that does not reach: copies, backups,
    /// excerpts and exports hold them still, and their sources bring them back for whoever does
    /// not open the compartment that they are in now. The entries, and what tells of them, are
    /// in the vault.
    pub erasure: ErasureReport,
    /// Whether more was written than a commit sets apart for compartments that others may not
    /// know of, as [`Committed::shows_more`](crate::vault::Committed::shows_more) says.
    pub shows_more: bool,
}

impl Transaction<'_> {
    /// Moves an entry to another compartment, with its earlier revisions, its attachments and all
    /// that is told of it, and gives its id there. Where it was, nothing of it is left when the
    /// commit returns, as after [`Transaction::expunge`].
    ///
    /// The id is another one. What was imported gets the one that an import finds it by, if its
    /// importer opens the compartment; whoever does not takes it as new. A reason is kept where
    /// the entry goes. A legal hold does not hinder a move.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`]; [`Error::NeedsCompartment`]; [`Error::Invalid`] when the entry is
    /// in that compartment or was put by this commit, when the compartment holds no entries, and
    /// when something that belongs to a compartment of its own would come to `general`;
    /// [`Error::SameRecord`] when the compartment holds the same record already;
    /// [`Error::DisputedElsewhere`] when an entry that disputes it would stay behind;
    /// [`Error::TooLarge`] when its attachments have more than 64 MiB together, which is more
    /// than one commit stores; [`Error::Damaged`] when a part of it cannot be read: then nothing
    /// is moved; [`Error::Store`], [`Error::Random`].
    pub fn move_to(&mut self, id: EntryId, to: Compartment, reason: Option<&str>) -> Result<EntryId, Error> {
        let moved = self.move_all(&[id], to, reason)?;
        moved.first().map(|moved| moved.to).ok_or(Error::NoSuchEntry { id })
    }

    /// Moves several entries to one compartment. Those of them that dispute each other still do.
    ///
    /// # Errors
    /// As [`Transaction::move_to`], about all of them together; [`Error::Invalid`] when one is
    /// named twice.
    pub fn move_all(
        &mut self,
        ids: &[EntryId],
        to: Compartment,
        reason: Option<&str>,
    ) -> Result<Vec<MovedEntry>, Error> {
        self.may_store(to)?;
        let keys = match self.work.identity_keys.take() {
            Some(keys) => keys,
            None => self.identity_keys()?,
        };
        let planned = self.name_moved(&keys, ids, to);
        let moved = planned.and_then(|are_named| {
            let named_under = are_named.then_some(&keys);
            self.move_named(named_under, ids, to, reason)
        });
        self.work.identity_keys = Some(keys);
        moved
    }

    /// Finds a new id for each of these, and whether all may go. Gives whether one of them has
    /// the id of a name.
    fn name_moved(&mut self, keys: &IdentityKeys, ids: &[EntryId], to: Compartment) -> Result<bool, Error> {
        let before = self.work.moved.clone();
        let mut disputed = Vec::new();
        let (mut kinds, mut are_named) = (BTreeMap::new(), false);
        let named = ids.iter().try_for_each(|id| {
            if self.work.moved.contains_key(id) && !before.contains_key(id) {
                return Err(Error::Invalid { what: "an entry is to be moved twice: name it once" });
            }
            let departing = self.departing(*id, to)?;
            let named = self.named_id(keys, &departing, to, &kinds)?;
            are_named |= named.is_some();
            let new = named.map_or_else(|| self.draw_id(), Ok)?;
            kinds.insert(new, departing.kind());
            let current = departing.revisions.last();
            disputed.extend(current.map(|(_, entry)| (*id, entry.marks.disputes.clone())));
            self.work.moved.insert(*id, (to, new));
            Ok(())
        });
        let named = named.and_then(|()| {
            disputed.iter().try_for_each(|(id, by)| by.iter().try_for_each(|by| self.may_part(*id, *by, to)))
        });
        if named.is_err() {
            self.work.moved = before;
        }
        named.map(|()| are_named)
    }

    /// Whether an entry may go to a compartment as far as one that disputes it is concerned:
    /// ids of other compartments' entries do not go there.
    fn may_part(&self, id: EntryId, by: EntryId, to: Compartment) -> Result<(), Error> {
        if self.dispute_there(by, to)?.is_some() {
            return Ok(());
        }
        match self.entry_row(by) {
            Ok((compartment, _)) => Err(Error::DisputedElsewhere { id, by, compartment }),
            Err(Error::NoSuchEntry { .. } | Error::NewerCompartment { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What an entry that disputes another one is called in a compartment, if it is there.
    fn dispute_there(&self, by: EntryId, to: Compartment) -> Result<Option<EntryId>, Error> {
        match self.work.moved.get(&by) {
            Some((compartment, new)) if *compartment == to => Ok(Some(*new)),
            _ => Ok(self.row(to, &RowKey::entry(by))?.map(|_| by)),
        }
    }

    /// Moves entries that have their new ids; the keys are kept under which one of these is.
    fn move_named(
        &mut self,
        named_under: Option<&IdentityKeys>,
        ids: &[EntryId],
        to: Compartment,
        reason: Option<&str>,
    ) -> Result<Vec<MovedEntry>, Error> {
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        let (mut lines, mut moved) = (Lines::default(), Vec::with_capacity(ids.len()));
        named_under.map_or(Ok(()), |keys| self.keep_identity_key(keys, to))?;
        for id in ids {
            let departing = self.departing(*id, to)?;
            let (_, new) = self.work.moved.get(id).copied().ok_or(Error::NoSuchEntry { id: *id })?;
            self.move_one(departing, new, to, &mut lines)?;
            moved.push(MovedEntry { from: *id, to: new });
        }
        if !moved.is_empty() {
            self.log(to, Line::of(Action::Moved, self.actor).because(reason));
        }
        self.work.half_done = half_done;
        Ok(moved)
    }

    fn move_one(
        &mut self,
        departing: Departing,
        new: EntryId,
        to: Compartment,
        lines: &mut Lines,
    ) -> Result<(), Error> {
        let story = self.story_there(&departing, lines)?;
        let Departing { from, id, revisions, story: told } = departing;
        let first = revisions.first().map_or(self.epoch(), |(row, _)| row.epoch);
        let contents: BTreeSet<ContentDigest> =
            revisions.iter().flat_map(|(_, entry)| stored_contents(entry)).collect();
        let (mut written, mut epochs, mut sources) = (Written::default(), BTreeSet::new(), BTreeSet::new());
        for (row, entry) in &revisions {
            written.add(row.epoch, Some(entry));
            epochs.insert(row.epoch);
            sources.extend(ErasedSource::of(entry));
        }
        contents.iter().try_for_each(|digest| self.carry_content(from, to, *digest))?;
        self.carry_brought(from, to, &written)?;
        told.releases().try_for_each(|epoch| self.carry_account(from, to, epoch))?;
        self.work.withdraws = true;
        // The current one first, as an expungement does: the erase list has this order.
        let (earlier, current) = revisions.split_at(revisions.len().saturating_sub(1));
        for (row, _) in current.iter().chain(earlier) {
            self.remove_row(from, row)?;
        }
        for (row, entry) in revisions {
            self.put_revision(to, new, row, entry)?;
        }
        self.work.stories.insert((to, new), story);
        self.give_up_contents(from, id, contents)?;
        self.forget_brought(from, id, written)?;
        self.remove_story(from, id)??;
        self.end_told(from, &told, first, Leaving::Moved)?;
        self.work.erasure.note(id, epochs, sources, false);
        if self.snapshot.place(Compartment::Custody).is_err() {
            // What an expungement leaves there by who does not see the ways in.
            self.log(from, Line::of(Action::Changed, self.actor));
        }
        Ok(())
    }

    /// Puts a revision of an entry that comes from another compartment.
    fn put_revision(
        &mut self,
        to: Compartment,
        new: EntryId,
        mut row: Row,
        mut entry: Entry,
    ) -> Result<(), Error> {
        for by in &mut entry.marks.disputes {
            // That the entry is disputed stays true. An id that names nothing here tells nothing.
            *by = match self.dispute_there(*by, to)? {
                Some(there) => there,
                None => self.draw_id()?,
            };
        }
        self.use_contents(to, new, &entry)?;
        row.id = new;
        row.key = match row.class {
            RowClass::Entry => RowKey::entry(new),
            _ => RowKey::revision(new, row.revision),
        };
        self.put_encrypted(to, row, &entry_content(&entry)?)
    }

    /// Stores a content in another compartment too, unless that has it.
    fn carry_content(
        &mut self,
        from: Compartment,
        to: Compartment,
        digest: ContentDigest,
    ) -> Result<(), Error> {
        if self.content(to, digest)?.is_some() {
            return Ok(());
        }
        let (_, head) = self.reader().content(from, &digest)?.ok_or_else(damaged_attachment)?;
        self.work.moved_slices = self.work.moved_slices.saturating_add(head.slices);
        if self.work.moved_slices > step() {
            return Err(Error::TooLarge);
        }
        let (stored, new) = (ContentId::from_bytes(head.content), self.draw_content_id()?);
        let mut whole = RunningContentDigest::default();
        for index in 0..head.slices {
            let bytes = self.reader().slice(from, stored, index)?.ok_or_else(damaged_attachment)?;
            whole.update(&bytes);
            let mut row = Row::unnamed(RowKey::slice(new, index), RowClass::Slice, self.epoch());
            row.id = EntryId::from_bytes(*new.as_bytes());
            row.revision = index;
            self.put_encrypted(to, row, &bytes[..])?;
        }
        if whole.finish() != digest {
            return Err(damaged_attachment());
        }
        self.complete_content(to, new, head.size, digest)
    }
}
