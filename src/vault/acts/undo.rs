//! Undoing an import as one act: what it added is destroyed, what it amended is again
//! what it was.
//!
//! What a later import brought again came only once and was not written again: it goes
//! too, and comes back when that file is imported once more.
//!
//! Nothing that was decided since is lost: an import of which one entry was changed
//! afterwards, or is under a legal hold, is not undone at all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::crypto::content_digest::ContentDigest;
use crate::engine::actor::Actor;
use crate::engine::core::StateReader;
use crate::engine::destruction::is_held;
use crate::engine::erasure::{ErasedSource, ErasureReport};
use crate::engine::facts::{Action, Detail};
use crate::engine::ledger::{Line, named_import};
use crate::engine::list::inline_card;
use crate::engine::time::from_milliseconds;
use crate::engine::trace;
use crate::engine::transaction::Transaction;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::tree::{Row, RowClass, RowKey};
use crate::vault::session::handle::Session;

/// An import that the vault remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PastImport {
    /// Its number: that of its commit.
    pub number: Epoch,
    /// When.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serial::moment"))]
    pub time: SystemTime,
    /// Who took it in; empty where that went with what it added.
    pub actor: String,
    /// Entries that it added and that are in the vault still.
    pub added: Vec<EntryId>,
    /// Entries of which it wrote a revision that is in the vault still.
    pub amended: Vec<EntryId>,
    /// How many answers that were given to it are remembered.
    pub answers: usize,
    /// Whether it was undone.
    pub undone: bool,
}

impl PastImport {
    fn new(number: Epoch, time: SystemTime, actor: String) -> Self {
        Self { number, time, actor, added: vec![], amended: vec![], answers: 0, undone: false }
    }
}

/// What undoing an import would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct UndoPreview {
    /// Entries that it added: they are destroyed.
    pub destroys: Vec<EntryId>,
    /// Entries that it amended: they are again what they were before.
    pub restores: Vec<EntryId>,
    /// Entries that were changed since: while there are any, nothing is undone.
    pub changed_since: Vec<EntryId>,
    /// Entries that are under a legal hold: while there are any, nothing is undone.
    pub held: Vec<EntryId>,
}

/// What undoing an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct UndoReport {
    /// Entries that were destroyed.
    pub destroyed: Vec<EntryId>,
    /// Entries that are again what they were.
    pub restored: Vec<EntryId>,
    /// What the erasure reached, which excerpts hold what was undone and which backups.
    pub erasure: ErasureReport,
}

pub(crate) fn imports(session: &Session) -> Result<Vec<PastImport>, Error> {
    session.read(|reader| reader.imports())
}

pub(crate) fn preview_undo(session: &Session, number: Epoch) -> Result<UndoPreview, Error> {
    session.read(|reader| Ok(reader.written_by(number)?.preview))
}

pub(crate) fn undo_import(session: &Session, actor: &Actor, number: Epoch) -> Result<UndoReport, Error> {
    trace::operation("undo", session.id, || {
        let committed = session.update(actor, |tx| tx.undo_import(number))?;
        let mut erasure = committed.erasure.ok_or(Error::NoSuchImport { number })?;
        // An excerpt that left before the import holds nothing of it.
        erasure.released_in.retain(|epoch| *epoch > number);
        let UndoPreview { destroys: destroyed, restores: restored, .. } = committed.value;
        trace::event!("undone", entries = destroyed.len() + restored.len(), bytes = erasure.bytes);
        Ok(UndoReport { destroyed, restored, erasure })
    })
}

/// What a commit wrote and what of it is in the vault still.
#[derive(Default)]
struct Written {
    preview: UndoPreview,
    /// The current rows.
    current: Vec<(Compartment, Row)>,
}

impl StateReader<'_> {
    fn imports(&self) -> Result<Vec<PastImport>, Error> {
        let mut imports: BTreeMap<Epoch, PastImport> = BTreeMap::new();
        let (mut undone, mut forgotten) = (BTreeSet::new(), Vec::new());
        for line in self.all_ledger_lines()? {
            let (details, actor) = (line.details, line.actor);
            match line.action {
                Action::Imported => {
                    let new = PastImport::new(line.epoch, line.time, actor);
                    imports.entry(line.epoch).or_insert(new);
                }
                Action::ImportUndone => {
                    let Some(number) = named_import(&details) else { continue };
                    undone.insert(number);
                    // The line of an import goes with the only entry that it names.
                    let time = from_milliseconds(self.link(number)?.map_or(0, |link| link.time));
                    imports.entry(number).or_insert(PastImport::new(number, time, String::new()));
                }
                Action::AnswersForgotten => forgotten.push((named_import(&details), line.epoch)),
                _ => {}
            }
        }
        let mut answers = BTreeSet::new();
        for (_, _, import) in self.import_rows()? {
            answers.extend(import.answers.iter().map(|answer| (Epoch::new(answer.epoch), answer.digest)));
        }
        let is_forgotten = |number: Epoch| {
            let is_of = |(which, at): &(Option<Epoch>, Epoch)| which.map_or(number < *at, |it| it == number);
            undone.contains(&number) || forgotten.iter().any(is_of)
        };
        for (number, _) in answers.iter().filter(|(number, _)| !is_forgotten(*number)) {
            if let Some(import) = imports.get_mut(number) {
                import.answers += 1;
            }
        }
        for compartment in self.open_compartments_and_sealed() {
            self.trie(compartment)?.scan(&mut |row| {
                if matches!(row.class, RowClass::Entry | RowClass::Superseded)
                    && let Some(import) = imports.get_mut(&row.epoch)
                {
                    let ids = if row.revision == 1 { &mut import.added } else { &mut import.amended };
                    ids.push(row.id);
                }
                Ok(())
            })?;
        }
        for import in imports.values_mut() {
            import.undone = undone.contains(&import.number);
            let added: BTreeSet<EntryId> = import.added.iter().copied().collect();
            import.amended.sort_unstable();
            import.amended.dedup();
            import.amended.retain(|id| !added.contains(id));
        }
        Ok(imports.into_values().collect())
    }

    /// What an import wrote.
    fn written_by(&self, number: Epoch) -> Result<Written, Error> {
        let nothing = || Error::NoSuchImport { number };
        if number.number() == 0 || number > self.snapshot.root.epoch {
            return Err(nothing());
        }
        if !self.ledger_lines(number)?.iter().any(|line| line.action == Action::Imported) {
            return Err(nothing());
        }
        for compartment in Compartment::HOLDING_ENTRIES {
            // Half of it would stay where this credential does not reach.
            self.snapshot.place(compartment)?;
        }
        let mut written = Written::default();
        for compartment in self.open_compartments_and_sealed() {
            let mut ids = BTreeSet::new();
            self.trie(compartment)?.scan(&mut |row| {
                if matches!(row.class, RowClass::Entry | RowClass::Superseded) && row.epoch == number {
                    ids.insert(row.id);
                }
                Ok(())
            })?;
            for id in ids {
                self.judge(&mut written, compartment, id, number)?;
            }
        }
        Ok(written)
    }

    fn judge(
        &self,
        written: &mut Written,
        compartment: Compartment,
        id: EntryId,
        number: Epoch,
    ) -> Result<(), Error> {
        let row = self.row(compartment, &RowKey::entry(id))?;
        let current = row.ok_or(Error::Damaged { what: "revision" })?;
        let preview = &mut written.preview;
        let is_held = match self.core.open_entry(compartment, &current) {
            Err(error) if error.kind() == ErrorKind::Damaged => is_held(&current, None)?,
            entry => is_held(&current, Some(&entry?))?,
        };
        if is_held {
            preview.held.push(id);
        }
        let before = self.revision_before(compartment, &current, number)?;
        if current.epoch != number && !self.is_taken_back(compartment, &current, before.as_ref(), number)? {
            preview.changed_since.push(id);
        }
        match before {
            Some(_) => preview.restores.push(id),
            None => preview.destroys.push(id),
        }
        written.current.push((compartment, current));
        Ok(())
    }

    /// Whether nothing changed since a commit except that an answer was taken back, and
    /// what was before does not rest on one.
    fn is_taken_back(
        &self,
        compartment: Compartment,
        current: &Row,
        before: Option<&Row>,
        number: Epoch,
    ) -> Result<bool, Error> {
        let mut epochs = vec![current.epoch];
        for revision in (1..current.revision).rev() {
            let row = self.row(compartment, &RowKey::revision(current.id, revision))?;
            let row = row.ok_or(Error::Damaged { what: "revision" })?;
            if row.epoch <= number {
                break;
            }
            epochs.push(row.epoch);
        }
        for epoch in epochs {
            if !self.ledger_lines(epoch)?.iter().any(|line| line.action == Action::AnswersForgotten) {
                return Ok(false);
            }
        }
        Ok(match before {
            Some(before) => !self.core.open_entry(compartment, before)?.marks.same_person,
            None => true,
        })
    }

    /// The last revision that is older than a commit.
    fn revision_before(
        &self,
        compartment: Compartment,
        current: &Row,
        number: Epoch,
    ) -> Result<Option<Row>, Error> {
        for revision in (1..current.revision).rev() {
            let row = self.row(compartment, &RowKey::revision(current.id, revision))?;
            let row = row.ok_or(Error::Damaged { what: "revision" })?;
            if row.epoch < number {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

impl Transaction<'_> {
    fn undo_import(&mut self, number: Epoch) -> Result<UndoPreview, Error> {
        let Written { preview, current } = self.reader().written_by(number)?;
        if let Some(id) = preview.held.first() {
            return Err(Error::LegalHold { id: *id });
        }
        if !preview.changed_since.is_empty() {
            return Err(Error::ChangedSinceImport { ids: preview.changed_since });
        }
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        for (compartment, row) in &current {
            self.undo_entry(*compartment, row, number)?;
            let line = Line::of(Action::ImportUndone, self.actor);
            self.log(*compartment, line.with(Detail::Import, &number.to_string()));
        }
        for (compartment, epoch, import) in self.reader().import_rows()? {
            if epoch == number {
                let documents = import.documents.into_iter();
                let sources = documents.map(|document| ErasedSource::document(document.name));
                self.work.erasure.sources.extend(sources);
                self.forget_import(compartment, number);
            }
        }
        self.work.erasure.epochs.insert(number);
        self.drop_answers(|given| given == number)?;
        self.work.half_done = half_done;
        Ok(preview)
    }

    /// Destroys the revisions of an entry that this commit wrote, and makes the one
    /// before the current one again.
    fn undo_entry(&mut self, compartment: Compartment, current: &Row, number: Epoch) -> Result<(), Error> {
        let before = self.reader().revision_before(compartment, current, number)?;
        let kept = before.as_ref().map_or(0, |row| row.revision);
        self.work.withdraws = true;
        let mut contents = self.contents_of(compartment, current)?;
        let mut first = current.epoch;
        self.remove_row(compartment, current)?;
        for revision in kept + 1..current.revision {
            let row = self.row(compartment, &RowKey::revision(current.id, revision))?;
            let row = row.ok_or(Error::Damaged { what: "revision" })?;
            first = first.min(row.epoch);
            contents.extend(self.contents_of(compartment, &row)?);
            self.remove_row(compartment, &row)?;
        }
        self.keep_contents(compartment, current.id, kept, &mut contents)?;
        self.give_up_contents(compartment, current.id, contents)?;
        self.note_erased(current.id);
        match before {
            Some(before) => {
                self.shorten_story(compartment, current.id, kept, number)?;
                self.make_current(compartment, before)
            }
            None => self.end_story(compartment, current.id, first),
        }
    }

    /// What was told of the revisions that go is told no more, and releases that may hold them
    /// are named.
    fn shorten_story(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        kept: u64,
        number: Epoch,
    ) -> Result<(), Error> {
        let story = self.reader().story(compartment, id)?;
        self.work.erasure.spans.push((compartment, story.since(number).max(number)));
        for epoch in story.exports().filter(|epoch| *epoch > number) {
            self.note_export(epoch)?;
        }
        for epoch in story.releases().filter(|epoch| *epoch > number) {
            let handed_out = self.recipient_of(compartment, epoch)?;
            self.work.erasure.handed_out.insert(epoch, handed_out);
        }
        match story.acts.iter().any(|act| act.revision > kept) {
            true => self.change_story(compartment, id, |story| story.acts.retain(|act| act.revision <= kept)),
            false => Ok(()),
        }
    }

    /// What the revisions that stay use is not given up.
    fn keep_contents(
        &self,
        compartment: Compartment,
        id: EntryId,
        kept: u64,
        contents: &mut BTreeSet<ContentDigest>,
    ) -> Result<(), Error> {
        if contents.is_empty() {
            return Ok(());
        }
        for revision in 1..=kept {
            let row = self.row(compartment, &RowKey::revision(id, revision))?;
            let row = row.ok_or(Error::Damaged { what: "revision" })?;
            for used in self.contents_of(compartment, &row)? {
                contents.remove(&used);
            }
        }
        Ok(())
    }

    /// Makes a superseded revision the current one again; its object stays as it is.
    fn make_current(&mut self, compartment: Compartment, before: Row) -> Result<(), Error> {
        let entry = self.core.open_entry(compartment, &before)?;
        self.change(compartment, before.key, None)?;
        let mut row = before;
        row.key = RowKey::entry(row.id);
        row.class = RowClass::Entry;
        row.inline = inline_card(&entry)?.into();
        self.put_row(compartment, row)
    }
}
