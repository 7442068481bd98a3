//! Entries that may be one record: of one kind and code, at one time, from two sources.
//!
//! It is worked out when somebody looks, and kept nowhere: what was expunged leaves no mark
//! on what was like it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::content::stored_contents;
use super::core::StateReader;
use super::list::card_of;
use crate::crypto::digest::Digest;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::Nameless;
use crate::record::{Card, Entry, Kind, PartialDate, Precision};
use crate::tree::{Row, RowClass, RowKey};

/// What entries are about.
type About = (Kind, String);

/// When they begin, as exactly as they say.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Undated,
    /// A year, a month or a day as written.
    Written(String),
    /// Nanoseconds, and whether an offset tells where.
    At(i128, bool),
}

/// One entry, as its card tells.
struct Sighting {
    id: EntryId,
    revision: u64,
    /// The commit that wrote that revision.
    epoch: Epoch,
    compartment: Compartment,
    start: Option<PartialDate>,
}

impl Sighting {
    fn moment(&self) -> Moment {
        match &self.start {
            None => Moment::Undated,
            Some(date) if date.precision() <= Precision::Day => Moment::Written(date.as_str().to_owned()),
            Some(date) => Moment::At(date.first_moment(), date.has_offset()),
        }
    }

    /// The day that a date and time names, as written.
    fn day_of_time(&self) -> Option<Moment> {
        let date = self.start.as_ref().filter(|date| date.precision() > Precision::Day)?;
        date.as_str().split('T').next().map(|day| Moment::Written(day.to_owned()))
    }
}

impl StateReader<'_> {
    /// The current entries that may be one record, in groups of at least two.
    pub(crate) fn perhaps_same(&self) -> Result<Vec<Vec<EntryId>>, Error> {
        let mut by_about: BTreeMap<About, Vec<Sighting>> = BTreeMap::new();
        for compartment in self.open_compartments() {
            self.trie(compartment)?.scan(&mut |row| {
                // A card that cannot be read is told by whoever lists it.
                let card = if row.class == RowClass::Entry { card_of(row).ok() } else { None };
                if let Some((card, about)) = card.and_then(|card| about(&card).map(|about| (card, about))) {
                    let start = card.dates.start().cloned();
                    let Row { id, revision, epoch, .. } = *row;
                    let sighting = Sighting { id, revision, epoch, compartment, start };
                    by_about.entry(about).or_default().push(sighting);
                }
                Ok(())
            })?;
        }
        let mut groups = Vec::new();
        for sightings in by_about.into_values().filter(|sightings| sightings.len() > 1) {
            for group in at_one_time(sightings).into_iter().filter(|group| group.len() > 1) {
                groups.extend(self.of_several_sources(&group)?);
            }
        }
        Ok(groups)
    }

    /// Of entries that are about the same at one time, those that may be one record. What one
    /// source has several times it means several times: these are told apart by what they
    /// say, and only what no other source says too stays together.
    fn of_several_sources(&self, group: &[Sighting]) -> Result<Vec<Vec<EntryId>>, Error> {
        let mut known: Vec<(EntryId, Source, Digest)> = Vec::new();
        for Sighting { id, revision, epoch, compartment, .. } in group {
            let first = match revision {
                1 => None,
                _ => self.row(*compartment, &RowKey::revision(*id, 1))?,
            };
            let (_, entry) = self.entry(*id)?;
            let document = entry.provenance.document.as_ref().map(|document| document.as_str().to_owned());
            known.push((*id, (first.map_or(*epoch, |first| first.epoch), document), said_by(&entry)));
        }
        let sources: HashSet<&Source> = known.iter().map(|(_, source, _)| source).collect();
        if sources.len() < 2 {
            return Ok(Vec::new());
        }
        if sources.len() == known.len() {
            return Ok(vec![known.iter().map(|(id, ..)| *id).collect()]);
        }
        let mut saying: BTreeMap<String, Vec<&(EntryId, Source, Digest)>> = BTreeMap::new();
        for one in &known {
            saying.entry(one.2.to_string()).or_default().push(one);
        }
        let (same, others): (Vec<_>, Vec<_>) = saying.into_values().partition(|group| are_of_several(group));
        let others: Vec<_> = others.into_iter().flatten().collect();
        let others = Some(others).filter(|group| are_of_several(group));
        let ids = |group: Vec<&(EntryId, Source, Digest)>| group.into_iter().map(|(id, ..)| *id).collect();
        Ok(same.into_iter().chain(others).map(ids).collect())
    }
}

/// The commit and the document that brought an entry.
type Source = (Epoch, Option<String>);

fn are_of_several(group: &[&(EntryId, Source, Digest)]) -> bool {
    let sources: HashSet<&Source> = group.iter().map(|(_, source, _)| source).collect();
    sources.len() > 1
}

/// What an entry says, whatever it is called, and which files it has.
fn said_by(entry: &Entry) -> Digest {
    let said = |bytes: &Vec<u8>| Nameless::of(bytes).map(|said| said.content);
    let Some(source) = &entry.source else { return shown_by(entry) };
    let files: Option<Vec<Digest>> = source.files.iter().map(|file| said(&file.bytes)).collect();
    match (said(&source.bytes), files.as_deref()) {
        (Some(said), Some([])) => said,
        (Some(said), Some(files)) => {
            let parts: Vec<&[u8]> = [&said].into_iter().chain(files).map(|it| &it.as_bytes()[..]).collect();
            Digest::of(&parts)
        }
        _ => shown_by(entry),
    }
}

fn shown_by(entry: &Entry) -> Digest {
    let files: Vec<u8> = stored_contents(entry).flat_map(|digest| *digest.as_bytes()).collect();
    Digest::of(&[entry.shown().to_string().as_bytes(), &files])
}

/// What an entry is about, where another one may be about the same: no description of a
/// person, nothing that nobody mapped, nothing that was retracted.
fn about(card: &Card) -> Option<About> {
    let code = card.code_words();
    let is_record = !matches!(card.kind, Kind::Patient | Kind::Other);
    (is_record && !card.flags.retracted && !code.is_empty()).then_some((card.kind, code))
}

/// Those that begin at one time, as exactly as they say. A day alone may be that of the one
/// entry that says a time on it; of several it is not known of which.
fn at_one_time(sightings: Vec<Sighting>) -> Vec<Vec<Sighting>> {
    let mut times_on: BTreeMap<Moment, BTreeSet<Moment>> = BTreeMap::new();
    for sighting in &sightings {
        if let Some(day) = sighting.day_of_time() {
            times_on.entry(day).or_default().insert(sighting.moment());
        }
    }
    let mut at: BTreeMap<Moment, Vec<Sighting>> = BTreeMap::new();
    for sighting in sightings {
        let moment = sighting.moment();
        let times = times_on.get(&moment).filter(|times| times.len() == 1);
        let moment = times.and_then(BTreeSet::first).cloned().unwrap_or(moment);
        at.entry(moment).or_default().push(sighting);
    }
    at.into_values().collect()
}
