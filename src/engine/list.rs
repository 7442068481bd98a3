//! Listing from the cards in the catalogue, without opening entries; and the
//! revisions of one entry.

use std::fmt;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::core::StateReader;
use super::facts::Action;
use super::story::Telling;
use super::time::from_milliseconds;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::parallel::{Spare, in_order};
use crate::payload::{decode_card, decode_entry, encode_card};
use crate::record::{Card, DateRange, Entry, Fit, Kind, PartialDate, fold};
use crate::tree::{LeafRef, Row, RowClass, RowKey};

/// Leaves that one core reads at a time.
const LEAVES_AT_A_TIME: usize = 8;

/// Which entries to list. An entry must meet every condition that you set.
#[derive(Clone, Default)]
pub struct Filter {
    kinds: Vec<Kind>,
    compartments: Vec<Compartment>,
    dates: Option<DateRange>,
    code: Option<(Option<String>, String)>,
    provider: Option<String>,
    text: Option<String>,
    originals: bool,
    retracted: bool,
    sealed: bool,
}

impl Filter {
    /// Every entry except the retracted ones.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only entries of this kind. Call it again to add another kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Only entries of this compartment. Call it again to add another compartment.
    #[must_use]
    pub fn compartment(mut self, compartment: Compartment) -> Self {
        self.compartments.push(compartment);
        self
    }

    /// Only entries that may overlap this range. An undated entry may.
    #[must_use]
    pub fn dates(mut self, since: Option<PartialDate>, until: Option<PartialDate>) -> Self {
        self.dates = Some(DateRange::new(since, until));
        self
    }

    /// Only entries with a code that starts with this prefix, in this system or in any.
    #[must_use]
    pub fn code(mut self, system: Option<&str>, prefix: &str) -> Self {
        self.code = Some((system.map(str::to_owned), prefix.to_owned()));
        self
    }

    /// Only entries whose provider's name contains this text, whatever its case.
    #[must_use]
    pub fn provider(mut self, text: &str) -> Self {
        self.provider = Some(text.to_owned());
        self
    }

    /// Only entries that contain this text, whatever its case.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// The same, in originals too ([`Entry::text_matches_anywhere`]).
    #[must_use]
    pub fn text_anywhere(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self.originals = true;
        self
    }

    /// Retracted entries too.
    #[must_use]
    pub fn with_retracted(mut self) -> Self {
        self.retracted = true;
        self
    }

    /// What is in the compartment `sealed` too, where its key is held. It is listed for
    /// nobody who does not ask for it.
    #[must_use]
    pub fn with_sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// Whether entries of this compartment are asked for.
    pub(crate) fn includes(&self, compartment: Compartment) -> bool {
        let is_named = self.compartments.is_empty() || self.compartments.contains(&compartment);
        is_named && (self.sealed || compartment != Compartment::Sealed)
    }

    /// What the card says; `None` when the entry has to be opened to tell.
    fn matches_card(&self, card: &Card) -> Option<bool> {
        let open = |undecided: bool| if undecided { None } else { Some(true) };
        // A card that hides an entry is not taken at its word.
        let mut undecided = self.text.is_some() || self.hides(card);
        if !self.is_of_kinds(card.kind) {
            return Some(false);
        }
        let answers = [
            self.dates.as_ref().map(|range| card.may_overlap(range)),
            self.code.as_ref().map(|(system, prefix)| card.matches_code(system.as_deref(), prefix)),
            self.provider.as_ref().map(|text| card.matches_provider(text)),
        ];
        for answer in answers.into_iter().flatten() {
            match answer {
                Some(false) => return Some(false),
                Some(true) => {}
                None => undecided = true,
            }
        }
        open(undecided)
    }

    /// Whether an entry with this card is not asked for because it is retracted.
    fn hides(&self, card: &Card) -> bool {
        card.flags.retracted && !self.retracted
    }

    fn is_of_kinds(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    fn matches_entry(&self, entry: &Entry) -> bool {
        if !self.is_of_kinds(entry.kind()) || (entry.marks.retracted && !self.retracted) {
            return false;
        }
        let matches = |text: &String| match self.originals {
            true => entry.text_matches_anywhere(text),
            false => entry.text_matches(text),
        };
        let text = self.text.as_ref().is_none_or(matches);
        let dates = self
            .dates
            .as_ref()
            .is_none_or(|range| DateRange::fit(entry.dates().as_ref(), range) != Fit::Outside);
        let code = self.code.as_ref().is_none_or(|(system, prefix)| {
            entry.code().is_some_and(|code| code.matches_code(system.as_deref(), prefix))
        });
        let provider = self.provider.as_ref().is_none_or(|text| {
            let name = entry.provider_name().unwrap_or_default();
            fold(&name).contains(&fold(text))
        });
        text && dates && code && provider
    }
}

/// An entry as listed.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Listed {
    /// The entry.
    pub id: EntryId,
    /// Its current revision, counted from 1.
    pub revision: u64,
    /// The compartment that it is in.
    pub compartment: Compartment,
    /// What a list shows of it.
    pub card: Card,
}

impl Listed {
    /// A title for people, with what denies it in front, such as `NOT GIVEN: …`.
    #[must_use]
    pub fn display(&self) -> Option<&str> {
        self.card.display()
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.card.kind
    }

    /// The dates, as [`Entry::dates`] gives them.
    #[must_use]
    pub fn dates(&self) -> &DateRange {
        &self.card.dates
    }
}

/// One revision of an entry.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Revision {
    /// The number, counted from 1.
    pub revision: u64,
    /// The commit that wrote it.
    pub epoch: Epoch,
    /// When.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serial::moment"))]
    pub time: SystemTime,
    /// What was done, if anything tells.
    pub action: Option<Action>,
    /// By whom, if anything tells.
    pub actor: Option<String>,
    /// Why, if that was said.
    pub reason: Option<String>,
}

impl StateReader<'_> {
    /// An entry in one revision, or in the current one, and where it is.
    pub(crate) fn entry_at(&self, id: EntryId, revision: Option<u64>) -> Result<(Compartment, Entry), Error> {
        let (compartment, current) = self.entry_row(id)?;
        let row = match revision {
            Some(revision) if revision != current.revision => {
                let row = self.row(compartment, &RowKey::revision(id, revision))?;
                row.ok_or(Error::NoSuchRevision { id, revision })?
            }
            _ => current,
        };
        Ok((compartment, self.core.open_entry(compartment, &row)?))
    }

    /// Every current entry of the compartments that are open, some at a time.
    pub(crate) fn for_each_batch(
        &self,
        mut visit: impl FnMut(Compartment, Vec<(EntryId, Entry)>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for compartment in self.open_compartments() {
            let trie = self.trie(compartment)?;
            let leaves = trie.leaves().into_iter().collect::<Result<Vec<_>, _>>()?;
            let buffers = Spare::default();
            let read = |leaves: &&[LeafRef]| -> Result<Vec<_>, Error> {
                let mut buffer = buffers.take();
                let rows = trie.leaf_rows(leaves, &mut buffer).into_iter().collect::<Result<Vec<_>, _>>()?;
                let rows: Vec<&Row> =
                    rows.iter().flatten().filter(|row| row.class == RowClass::Entry).collect();
                let (mut entries, mut fault) = (Vec::with_capacity(rows.len()), None);
                self.core.open_rows(compartment, &rows, &mut buffer, |row, content| {
                    match content.and_then(entry_of) {
                        Ok(entry) => entries.push((row.id, entry)),
                        Err(error) => fault = fault.take().or(Some(error)),
                    }
                });
                buffers.give(buffer);
                fault.map_or(Ok(entries), Err)
            };
            let batches: Vec<&[LeafRef]> = leaves.chunks(LEAVES_AT_A_TIME).collect();
            in_order(&batches, read, |entries| visit(compartment, entries))?;
        }
        Ok(())
    }

    pub(crate) fn list_in(
        &self,
        compartment: Compartment,
        filter: &Filter,
        listed: &mut Vec<Listed>,
    ) -> Result<(), Error> {
        let mut undecided = Vec::new();
        let mut fault = None;
        self.trie(compartment)?.scan(&mut |row| {
            if row.class != RowClass::Entry {
                return Ok(());
            }
            match listed_row(compartment, row) {
                Ok(entry) => match filter.matches_card(&entry.card) {
                    Some(true) if entry.card.complete => listed.push(entry),
                    Some(false) => {}
                    _ => undecided.push((entry, row.duplicate())),
                },
                Err(error) => fault = Some(error),
            }
            Ok(())
        })?;
        if let Some(error) = fault {
            return Err(error);
        }
        for (mut listing, row) in undecided {
            let entry = match self.core.open_entry(compartment, &row) {
                // Of what is damaged there is the card alone. What it mentions, nobody can say.
                Err(error) if error.kind() == ErrorKind::Damaged && filter.text.is_none() => {
                    listed.extend((!filter.hides(&listing.card)).then_some(listing));
                    continue;
                }
                entry => entry?,
            };
            if filter.matches_entry(&entry) {
                listing.card = Card::of(&entry);
                listed.push(listing);
            }
        }
        Ok(())
    }

    /// The revisions of an entry, oldest first, and what was done at each.
    pub(crate) fn revisions(&self, id: EntryId) -> Result<Vec<Revision>, Error> {
        let (compartment, current) = self.entry_row(id)?;
        let story = self.story(compartment, id)?;
        let mut rows = Vec::new();
        for revision in 1..current.revision {
            let row = self.row(compartment, &RowKey::revision(id, revision))?;
            rows.push(row.ok_or(Error::Damaged { what: "revision" })?);
        }
        rows.push(current);
        let first = rows.first().map_or(Epoch::new(0), |row| row.epoch);
        let revision = |row: &Row| {
            let link = self.link(row.epoch)?.ok_or(Error::Damaged { what: "history" })?;
            let lines = self.ledger_lines(row.epoch)?;
            let own = || lines.iter().filter(|line| line.compartment == compartment);
            let actions: Vec<Action> = own().map(|line| line.action).collect();
            let Row { revision, epoch, .. } = *row;
            let (action, reason) = Telling { revision, epoch, first, story: &story, actions: &actions }.act();
            // Whoever made a commit did all of it. In `record` stands a role.
            let was_elsewhere = story.moved().is_some_and(|moved| epoch < moved);
            let elsewhere =
                || lines.iter().find(|line| was_elsewhere && line.compartment != Compartment::Record);
            let line = own().next().or_else(elsewhere).filter(|_| action.is_some());
            let actor = line.map(|line| line.actor.clone());
            Ok(Revision { revision, epoch, time: from_milliseconds(link.time), action, actor, reason })
        };
        rows.iter().map(revision).collect()
    }
}

fn entry_of(content: &[u8]) -> Result<Entry, Error> {
    decode_entry(content).map_err(|_| Error::Damaged { what: "entry" })
}

fn listed_row(compartment: Compartment, row: &Row) -> Result<Listed, Error> {
    let card = card_of(row)?;
    Ok(Listed { id: row.id, revision: row.revision, compartment, card })
}

/// The card in the row of a current entry.
pub(crate) fn card_of(row: &Row) -> Result<Card, Error> {
    decode_card(&row.inline).map_err(|_| Error::Damaged { what: "card" })
}

/// The card of an entry, as its row keeps it.
pub(crate) fn inline_card(entry: &Entry) -> Result<Zeroizing<Vec<u8>>, Error> {
    Ok(encode_card(&Card::of(entry))?)
}

crate::secret::redacted_debug!(Filter);

/// Which entry, and nothing of it.
impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, revision, compartment, .. } = self;
        let mut listed = f.debug_struct("Listed");
        listed.field("id", id).field("revision", revision).field("compartment", compartment);
        listed.finish_non_exhaustive()
    }
}

/// Which revision of what commit, and nothing of it.
impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { revision, epoch, .. } = self;
        f.debug_struct("Revision").field("revision", revision).field("epoch", epoch).finish_non_exhaustive()
    }
}
