//! Expunging: an entry with its revisions, its story and what accounts for its releases.

use std::collections::BTreeSet;

use super::accounting::{Accounting, HandedOut, Leaving};
use super::content::stored_contents;
use super::erasure::ErasedSource;
use super::facts::Action;
use super::imports::Written;
use super::ledger::Line;
use super::list;
use super::tombstone::marks_of;
use super::transaction::Transaction;
use crate::crypto::content_digest::ContentDigest;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::payload::story::StoryV1;
use crate::record::Entry;
use crate::tree::{Row, RowClass, RowKey};

/// How entries are expunged.
///
/// ```
/// use subrosa::vault::{Accounting, Expungement};
///
/// let how = Expungement::new().because("patient's request").with_accounting(Accounting::Destroy);
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Expungement {
    reason: Option<String>,
    accounting: Option<Accounting>,
    stays_away: bool,
}

impl Expungement {
    /// Without a reason; the accounting of releases as the holder's role has it: a covered
    /// entity and a Part 2 program keep it, everybody else destroys it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, for this reason. It is kept where only those read it who see the ways in: it
    /// should not name what goes.
    #[must_use]
    pub fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.to_owned());
        self
    }

    /// The same, and what goes is to stay away: `sealed` keeps digests by which it is known
    /// again. Imports by whoever opens `sealed` leave it out; others cannot know of it and take
    /// it as new, and [`Vault::returned`](crate::Vault::returned) lists it then. Without this,
    /// nothing is kept, and any import of its source brings it back.
    #[must_use]
    pub fn staying_away(mut self) -> Self {
        self.stays_away = true;
        self
    }

    /// The same, with this accounting of releases of which nothing is left.
    #[must_use]
    pub fn with_accounting(mut self, accounting: Accounting) -> Self {
        self.accounting = Some(accounting);
        self
    }
}

/// A reason alone.
impl From<&str> for Expungement {
    fn from(reason: &str) -> Self {
        Self::new().because(reason)
    }
}

impl From<&Self> for Expungement {
    fn from(how: &Self) -> Self {
        how.clone()
    }
}

crate::secret::redacted_debug!(Expungement);

impl Transaction<'_> {
    /// Destroys an entry with all its revisions and all that tells of it. When the commit
    /// returns, the vault file no longer yields any of it under any credential. A part of it
    /// that is damaged goes too. An id names one entry; if somebody who has the keys wrote a
    /// second one in another compartment, all go that are in compartments which are open.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], [`Error::LegalHold`], [`Error::Store`];
    /// [`Error::NeedsCompartment`] when the accounting of a release is to be kept in `custody`,
    /// or what goes is to stay away and `sealed` is not open;
    /// [`Error::Damaged`] when so much is that nobody can tell which attachments
    /// are the entry's alone.
    pub fn expunge(&mut self, id: EntryId, how: impl Into<Expungement>) -> Result<(), Error> {
        let how = how.into();
        let mut going = Vec::new();
        for (compartment, row) in self.entry_rows(id)? {
            let entry = match self.stored_entry_in(compartment, &row) {
                Err(error) if error.kind() == ErrorKind::Damaged => None,
                entry => Some(entry?),
            };
            if is_held(&row, entry.as_ref())? {
                return Err(Error::LegalHold { id });
            }
            let contents: BTreeSet<ContentDigest> = match &entry {
                Some(entry) => stored_contents(entry).collect(),
                None => self.contents_of_unreadable(compartment, &row)?,
            };
            going.push(Going { compartment, row, entry, contents });
        }
        if how.stays_away {
            self.snapshot.place(Compartment::Sealed)?;
        }
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        self.work.withdraws = true;
        self.work.accounting = self.work.accounting.or(how.accounting);
        let mut brought = Brought::default();
        for going in going {
            self.expunge_in(id, going, &mut brought)?;
        }
        let stays_away = how.stays_away && self.put_tombstone(id, brought.marks)?;
        self.work.erasure.note(id, brought.epochs, brought.sources, stays_away);
        for compartment in brought.compartments {
            self.log_expunged(compartment, how.reason.as_deref());
        }
        self.work.half_done = half_done;
        Ok(())
    }

    /// Destroys what has an id in a compartment.
    fn expunge_in(&mut self, id: EntryId, going: Going, brought: &mut Brought) -> Result<(), Error> {
        let Going { compartment, row: current, entry, mut contents } = going;
        brought.compartments.push(compartment);
        brought.add(current.epoch, entry.as_ref());
        let mut first = current.epoch;
        self.remove_row(compartment, &current)?;
        for revision in 1..current.revision {
            let row = self.row(compartment, &RowKey::revision(id, revision))?;
            let row = row.ok_or(Error::Damaged { what: "revision" })?;
            first = first.min(row.epoch);
            let entry = self.core.open_entry(compartment, &row).ok();
            brought.add(row.epoch, entry.as_ref());
            contents.extend(self.contents_of(compartment, &row)?);
            self.remove_row(compartment, &row)?;
        }
        self.give_up_contents(compartment, id, contents)?;
        self.forget_brought(compartment, id, std::mem::take(&mut brought.written))?;
        self.end_story(compartment, id, first)
    }

    /// The current rows of an id: one, unless somebody wrote a second one in another compartment.
    fn entry_rows(&self, id: EntryId) -> Result<Vec<(Compartment, Row)>, Error> {
        let (first, row) = self.entry_row(id)?;
        let mut rows = vec![(first, row)];
        for compartment in self.reader().open_compartments_and_sealed().filter(|other| *other != first) {
            match self.row(compartment, &RowKey::entry(id)) {
                // Nothing in it can be read, and what is elsewhere is to go all the same.
                Err(Error::NewerCompartment { .. }) => {}
                Err(error) if error.kind() == ErrorKind::Damaged => {}
                row => {
                    rows.extend(row?.filter(|row| row.class == RowClass::Entry).map(|row| (compartment, row)))
                }
            }
        }
        Ok(rows)
    }

    /// An entry is gone: so is its story, and its part in the accounts of releases.
    pub(crate) fn end_story(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        first: Epoch,
    ) -> Result<(), Error> {
        match self.remove_story(compartment, id)? {
            Ok(story) => self.end_told(compartment, &story, first, Leaving::Destroyed),
            Err(error) if error.kind() == ErrorKind::Damaged => {
                self.work.erasure.spans.push((compartment, first));
                self.work.erasure.untold.push((compartment, first));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// An entry with this story leaves its compartment: its part in the accounts of releases
    /// goes, and what was handed out is reported.
    pub(super) fn end_told(
        &mut self,
        compartment: Compartment,
        story: &StoryV1,
        first: Epoch,
        why: Leaving,
    ) -> Result<(), Error> {
        self.work.erasure.spans.push((compartment, story.since(first)));
        self.work.erasure.epochs.extend(story.moves());
        for epoch in story.exports() {
            self.note_export(epoch)?;
        }
        for epoch in story.releases() {
            let handed_out = self.withdraw_from_account(compartment, epoch, why)?;
            self.work.erasure.handed_out.insert(epoch, handed_out);
        }
        Ok(())
    }

    /// Notes that an export holds what a commit withdraws.
    pub(crate) fn note_export(&mut self, epoch: Epoch) -> Result<(), Error> {
        let time = self.reader().link(epoch)?.map_or(0, |link| link.time);
        self.work.erasure.handed_out.insert(epoch, HandedOut::new(epoch, time, Action::Exported));
        Ok(())
    }

    /// The lines of an expungement: those who see the ways in read what was done, all others
    /// that something was changed.
    fn log_expunged(&mut self, compartment: Compartment, reason: Option<&str>) {
        let line = Line::of(Action::Expunged, self.actor).because(reason);
        if !self.log_in_custody(line) {
            self.log(compartment, Line::of(Action::Changed, self.actor));
        }
        self.work.erasure.has_reason |= reason.is_some_and(|reason| !reason.is_empty());
    }
}

/// What has an id in a compartment and is to go.
struct Going {
    compartment: Compartment,
    row: Row,
    /// `None` where it is damaged.
    entry: Option<Entry>,
    contents: BTreeSet<ContentDigest>,
}

/// What the revisions of an entry tell of where it came from.
#[derive(Default)]
struct Brought {
    compartments: Vec<Compartment>,
    written: Written,
    epochs: BTreeSet<Epoch>,
    sources: BTreeSet<ErasedSource>,
    marks: BTreeSet<[u8; 16]>,
}

impl Brought {
    fn add(&mut self, epoch: Epoch, entry: Option<&Entry>) {
        self.written.add(epoch, entry);
        self.epochs.insert(epoch);
        if let Some(entry) = entry {
            self.sources.extend(ErasedSource::of(entry));
            self.marks.extend(marks_of(entry));
        }
    }
}

/// Whether an entry is under a legal hold. Of one that cannot be read the card
/// says so, which stands in the catalogue and never leaves that out.
pub(crate) fn is_held(row: &Row, entry: Option<&Entry>) -> Result<bool, Error> {
    match entry {
        Some(entry) => Ok(!entry.marks.legal_holds.is_empty()),
        None => Ok(list::card_of(row)?.flags.legal_hold),
    }
}
