//! Changes in the making: what a closure asks for, as rows and keyed references.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::accounting::{Accounting, PendingAccount};
use super::actor::Actor;
use super::core::{Core, Snapshot, StateReader};
use super::erasure::{Erasure, ErasureReport};
use super::facts::Action;
use super::identity::IdentityKeys;
use super::ledger::Line;
use crate::codec::wire::Content as Encoded;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::random::Randomness;
use crate::error::Error;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::format::place::{Compartment, PLACES};
use crate::id::{EntryId, Epoch};
use crate::keys::Grant;
use crate::payload::content::ContentV1;
use crate::payload::imports::ImportV1;
use crate::payload::story::StoryV1;
use crate::secret::SharedBytes;
use crate::store::StoreWriter;
use crate::tree::{Changes, ObjectWriter, Row, RowClass, RowKey};

/// What a commit gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Committed<T> {
    /// What the closure returned.
    pub value: T,
    /// The commit's number; the previous one if nothing was changed.
    pub epoch: Epoch,
    /// What an expungement, or a move where the entries were, reached and what not.
    pub erasure: Option<ErasureReport>,
    /// Whether more was written to compartments that others may not know of than every
    /// commit sets apart for them: then it shows, to who opens other compartments and looks
    /// at lengths, that something is there, and about how much.
    pub shows_more: bool,
}

/// What a commit has put together so far.
pub(crate) struct Work<'a> {
    pub(crate) writer: &'a mut dyn StoreWriter,
    pub(crate) random: Randomness,
    pub(crate) changes: [Changes; PLACES],
    pub(crate) lines: Vec<(Compartment, Line)>,
    /// What everybody who opens the vault is told of it, if that is said.
    pub(crate) common: Option<Action>,
    /// Stories that this commit changes.
    pub(crate) stories: BTreeMap<(Compartment, EntryId), StoryV1>,
    /// Accounts of releases that this commit changes.
    pub(crate) accounts: BTreeMap<(Compartment, Epoch), PendingAccount>,
    /// What becomes of accounts of which nothing is left, if that was chosen.
    pub(crate) accounting: Option<Accounting>,
    /// What is left of imports of which this commit takes something, or to which it adds.
    pub(crate) imports: BTreeMap<(Compartment, Epoch), Option<ImportV1>>,
    /// Contents that this commit puts, or of which it changes the users.
    pub(crate) contents: BTreeMap<(Compartment, ContentDigest), Content>,
    /// Where this commit moves entries, and what they are called there.
    pub(crate) moved: BTreeMap<EntryId, (Compartment, EntryId)>,
    /// The identity keys by which it named them.
    pub(crate) identity_keys: Option<IdentityKeys>,
    /// Slices that it moves.
    pub(crate) moved_slices: u64,
    /// What is withdrawn from each compartment.
    pub(crate) erase: [Vec<ObjectRef>; PLACES],
    /// Entries that the closure opened.
    pub(crate) opened: RefCell<Vec<EntryId>>,
    pub(crate) erasure: Erasure,
    pub(crate) withdraws: bool,
    /// The compartments whose keys this commit changes.
    pub(crate) renewed: Option<Grant>,
    /// An operation failed half-way: nothing of this work may be committed.
    pub(crate) half_done: bool,
}

impl<'a> Work<'a> {
    pub(crate) fn new(writer: &'a mut dyn StoreWriter) -> Self {
        Self {
            writer,
            random: Randomness::from_system(),
            changes: std::array::from_fn(|_| Changes::new()),
            lines: Vec::new(),
            common: None,
            stories: BTreeMap::new(),
            accounts: BTreeMap::new(),
            accounting: None,
            imports: BTreeMap::new(),
            contents: BTreeMap::new(),
            moved: BTreeMap::new(),
            identity_keys: None,
            moved_slices: 0,
            erase: std::array::from_fn(|_| Vec::new()),
            opened: RefCell::default(),
            erasure: Erasure::default(),
            withdraws: false,
            renewed: None,
            half_done: false,
        }
    }

    /// Work of a commit that withdraws something (rule R3).
    pub(crate) fn withdrawing(writer: &'a mut dyn StoreWriter) -> Self {
        Self { withdraws: true, ..Self::new(writer) }
    }

    pub(crate) fn objects(&mut self) -> ObjectWriter<'_> {
        ObjectWriter { writer: &mut *self.writer, random: &mut self.random }
    }
}

/// A content as a commit changes it.
pub(crate) struct Content {
    pub(crate) head: ContentV1,
    /// The head's object before this commit.
    pub(crate) stored: Option<KeyedRef>,
    pub(crate) changed: bool,
}

/// Changes in the making. Reads see what was changed before.
pub struct Transaction<'a> {
    pub(crate) core: &'a Core,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) actor: &'a Actor,
    pub(crate) time: i64,
    pub(crate) work: Work<'a>,
}

impl Transaction<'_> {
    pub(crate) fn reader(&self) -> StateReader<'_> {
        StateReader { core: self.core, snapshot: self.snapshot }
    }

    pub(crate) fn entry_row(&self, id: EntryId) -> Result<(Compartment, Row), Error> {
        self.reader().find_entry(id, |compartment| self.row(compartment, &RowKey::entry(id)))
    }

    pub(crate) fn row(&self, compartment: Compartment, key: &RowKey) -> Result<Option<Row>, Error> {
        match self.work.changes.get(compartment.index()).and_then(|changes| changes.get(key)) {
            Some(change) => Ok(change.as_ref().map(Row::duplicate)),
            None => self.reader().row(compartment, key),
        }
    }

    /// Whether this commit put or removed the row.
    pub(crate) fn is_changed(&self, compartment: Compartment, key: &RowKey) -> bool {
        self.work.changes.get(compartment.index()).is_some_and(|changes| changes.contains_key(key))
    }

    pub(crate) fn put_row(&mut self, compartment: Compartment, row: Row) -> Result<(), Error> {
        self.change(compartment, row.key, Some(row))
    }

    pub(crate) fn change(
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
    pub(crate) fn remove_row(&mut self, compartment: Compartment, row: &Row) -> Result<(), Error> {
        if let Some(object) = &row.object {
            self.erase(compartment, object);
        }
        let is_content = !matches!(row.class, RowClass::Story | RowClass::Accounting | RowClass::Import);
        let since = &mut self.work.erasure.since;
        if is_content {
            *since = Some(since.map_or(row.epoch, |since| since.min(row.epoch)));
        }
        self.change(compartment, row.key, None)
    }

    /// Erases what this commit puts anew: once its row is gone nobody knows where it
    /// is, and whoever kept its key could read it after an expungement.
    pub(crate) fn supersede(&mut self, compartment: Compartment, object: &KeyedRef) {
        self.work.withdraws = true;
        self.erase(compartment, object);
    }

    pub(crate) fn erase(&mut self, compartment: Compartment, object: &KeyedRef) {
        self.work.erasure.bytes = self.work.erasure.bytes.saturating_add(object.object.length);
        if let Some(erase) = self.work.erase.get_mut(compartment.index()) {
            erase.push(object.object);
        }
    }

    /// Encrypts `content` as the row's object and puts the row.
    pub(crate) fn put_encrypted(
        &mut self,
        compartment: Compartment,
        mut row: Row,
        content: &(impl Encoded + ?Sized),
    ) -> Result<(), Error> {
        self.snapshot.place(compartment)?;
        let context = self.core.row_context(compartment, &row);
        row.object = Some(self.work.objects().encrypt(&context, content)?);
        self.put_row(compartment, row)
    }

    pub(crate) fn put_named(
        &mut self,
        compartment: Compartment,
        name: &str,
        class: RowClass,
        content: &[u8],
    ) -> Result<(), Error> {
        let row = Row::unnamed(RowKey::named(name), class, self.epoch());
        self.put_encrypted(compartment, row, content)
    }

    /// Puts a row in the place of the one that is stored under its key, and erases that.
    pub(crate) fn put_anew(
        &mut self,
        compartment: Compartment,
        row: Row,
        content: &[u8],
    ) -> Result<(), Error> {
        if let Some(before) = self.reader().row(compartment, &row.key)?.and_then(|row| row.object) {
            self.supersede(compartment, &before);
        }
        self.put_encrypted(compartment, row, content)
    }

    /// Removes the row of a key, if it is stored, and erases it.
    pub(crate) fn take_away(&mut self, compartment: Compartment, key: &RowKey) -> Result<(), Error> {
        let Some(row) = self.reader().row(compartment, key)? else { return Ok(()) };
        self.work.withdraws = true;
        self.remove_row(compartment, &row)
    }

    /// Writes a line, once however often an act is done. In `record` it names a role.
    pub(crate) fn log(&mut self, compartment: Compartment, line: Line) {
        let line = if compartment == Compartment::Record { line.by_role(self.actor) } else { line };
        let logged = (compartment, line);
        if !self.work.lines.contains(&logged) {
            self.work.lines.push(logged);
        }
    }

    /// Writes a line for those who see the ways in, where the writer does.
    pub(crate) fn log_in_custody(&mut self, line: Line) -> bool {
        let is_held = self.snapshot.place(Compartment::Custody).is_ok();
        if is_held {
            self.log(Compartment::Custody, line);
        }
        is_held
    }

    /// Says what everybody who opens the vault is told of this commit.
    pub(crate) fn announce(&mut self, action: Action) {
        self.work.common = Some(action);
    }

    /// The number of this commit. A root that has the last number has no successor: then it is
    /// that, and the commit is refused.
    pub(crate) fn epoch(&self) -> Epoch {
        self.snapshot.root.epoch.next().unwrap_or(self.snapshot.root.epoch)
    }

    /// Names an entry of which a commit destroys something.
    pub(crate) fn note_erased(&mut self, id: EntryId) {
        self.work.erasure.entries.push(id);
    }

    pub(crate) fn finish_erasure(&mut self) -> Option<Erasure> {
        (!self.work.erasure.entries.is_empty()).then(|| std::mem::take(&mut self.work.erasure))
    }
}

impl Row {
    /// A row that belongs to no entry.
    pub(crate) fn unnamed(key: RowKey, class: RowClass, epoch: Epoch) -> Self {
        let id = EntryId::from_bytes([0; 16]);
        Self { key, class, id, revision: 0, epoch, object: None, inline: SharedBytes::default() }
    }
}

crate::secret::redacted_debug!(Transaction<'_>);
