//! Tombstones: digests by which an entry that was expunged, and is to stay away, is known again.
//!
//! They are written by choice only, and stand in `sealed`: whoever does not open that finds
//! nothing of what was expunged, however well they guess.

use std::collections::{BTreeSet, HashMap};

use super::core::StateReader;
use super::transaction::Transaction;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::interop::fhir::Nameless;
use crate::interop::identity::is_global;
use crate::payload::imports::TombstoneV1;
use crate::record::{Card, Entry};
use crate::tree::{Row, RowClass, RowKey};

/// One digest of a tombstone.
type Mark = [u8; 16];

fn mark(what: &str, said: &[u8]) -> Mark {
    let digest = Digest::of(&[b"subrosa/v1 mark", what.as_bytes(), said]);
    let [mark @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *digest.as_bytes();
    mark
}

/// What a revision is known again by: what its source says, under whatever name it comes and
/// however it is written, and a name that means one thing everywhere. None where nothing was
/// imported.
pub(crate) fn marks_of(entry: &Entry) -> Vec<Mark> {
    let Some(source) = &entry.source else { return Vec::new() };
    let identity = entry.provenance.identity.as_ref().map(|identity| identity.as_str());
    let named = identity.filter(|identity| is_global(identity));
    let named = named.map(|identity| mark("name", identity.as_bytes()));
    named.into_iter().chain([said_by(entry, &source.bytes)]).collect()
}

/// Of what a source says, what it is about and when. Names of others count where nothing else
/// says what it is about, and where they are addresses of files.
fn said_by(entry: &Entry, source: &[u8]) -> Mark {
    let said = Nameless::of(source);
    let content = said.as_ref().map_or_else(|| Digest::of(&[source]), |said| said.content);
    let card = Card::of(entry);
    let code = card.code_words();
    let names = said.map(|said| said.references).unwrap_or_default();
    let is_about = |name: &String| {
        code.is_empty() || card.flags.attachment || card.flags.elsewhere || name.contains("://")
    };
    let names = names.iter().filter(|name| is_about(name)).map(String::as_str);
    let start = card.dates.start().map_or("", |date| date.as_str());
    let content = content.to_string();
    let parts: Vec<String> = [content.as_str(), &code, start]
        .into_iter()
        .chain(names)
        .map(|part| format!("{}:{part}", part.len()))
        .collect();
    mark("content", parts.concat().as_bytes())
}

/// The tombstones of a vault, by what they hold.
#[derive(Default)]
pub(crate) struct Tombstones(HashMap<Mark, Vec<EntryId>>);

impl Tombstones {
    /// Whether an entry was expunged and is to stay away.
    pub(crate) fn hold(&self, entry: &Entry) -> bool {
        !self.0.is_empty() && marks_of(entry).iter().any(|mark| self.0.contains_key(mark))
    }

    /// The tombstones that an entry is known again by, each by the id that was expunged.
    pub(crate) fn of(&self, entry: &Entry) -> BTreeSet<EntryId> {
        if self.0.is_empty() {
            return BTreeSet::new();
        }
        marks_of(entry).iter().filter_map(|mark| self.0.get(mark)).flatten().copied().collect()
    }
}

impl StateReader<'_> {
    /// The tombstones; none where `sealed` is not open.
    pub(crate) fn tombstones(&self) -> Result<Tombstones, Error> {
        let mut tombstones = Tombstones::default();
        if self.core.keyring.compartment(Compartment::Sealed).is_none() {
            return Ok(tombstones);
        }
        let mut rows = Vec::new();
        self.trie(Compartment::Sealed)?.scan(&mut |row| {
            if row.class == RowClass::Tombstone {
                rows.push(row.duplicate());
            }
            Ok(())
        })?;
        for row in rows {
            for mark in self.tombstone_in(&row)?.digests {
                tombstones.0.entry(mark).or_default().push(row.id);
            }
        }
        Ok(tombstones)
    }

    /// The tombstone of a row.
    pub(crate) fn tombstone_in(&self, row: &Row) -> Result<TombstoneV1, Error> {
        Ok(wire::decode(&self.core.open_row(Compartment::Sealed, row)?)?)
    }

    /// The entries that were to stay away and are there again.
    pub(crate) fn returned(&self) -> Result<Vec<EntryId>, Error> {
        self.snapshot.place(Compartment::Sealed)?;
        let tombstones = self.tombstones()?;
        let mut returned = Vec::new();
        if !tombstones.0.is_empty() {
            self.for_each_batch(|_, entries| {
                let is_back = |entry: &&(EntryId, Entry)| tombstones.hold(&entry.1);
                returned.extend(entries.iter().filter(is_back).map(|(id, _)| *id));
                Ok(())
            })?;
        }
        Ok(returned)
    }
}

impl Transaction<'_> {
    /// Keeps an expunged entry away from imports by whoever opens `sealed`; whether there is
    /// anything to know it again by.
    pub(crate) fn put_tombstone(&mut self, id: EntryId, marks: BTreeSet<Mark>) -> Result<bool, Error> {
        if marks.is_empty() {
            return Ok(false);
        }
        let mut row = Row::unnamed(RowKey::tombstone(id), RowClass::Tombstone, self.epoch());
        row.id = id;
        let content = wire::encode(&TombstoneV1 { digests: marks.into_iter().collect() })?;
        self.put_anew(Compartment::Sealed, row, &content)?;
        Ok(true)
    }

    /// Takes tombstones away: what they kept away may come again.
    pub(crate) fn lift_tombstones(&mut self, ids: &BTreeSet<EntryId>) -> Result<(), Error> {
        ids.iter().try_for_each(|id| self.take_away(Compartment::Sealed, &RowKey::tombstone(*id)))
    }
}
