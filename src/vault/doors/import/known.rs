//! What the vault has already, and how what comes stands to it.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::alike::Alikes;
use super::names::source_of;
use super::tally::How;
use super::version::{Order, Version};
use crate::crypto::digest::Digest;
use crate::engine::list::card_of;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::interop::export::key_of;
use crate::interop::fhir::content_of;
use crate::interop::imported::ImportedEntry;
use crate::record::{Card, Entry, Origin, SourceFile};
use crate::tree::RowClass;

/// The entry that has a name already.
pub(super) struct Known {
    pub(super) id: EntryId,
    pub(super) entry: Entry,
    pub(super) how: How,
}

/// Whether the source of an entry was only written anew: other white space, another order,
/// another day on which its server handed it out.
fn says_the_same(known: &Entry, found: &Entry) -> bool {
    let said = |entry: &Entry| content_of(source_of(entry));
    said(known).is_some_and(|known| said(found) == Some(known))
}

/// How the files of a source that says the same stand to those that are known.
#[derive(PartialEq, Eq)]
enum Files {
    /// All are known. One that came without its files takes none away.
    Same,
    /// There are more.
    More,
    /// Some are others.
    Others,
}

impl Files {
    fn between(known: &Entry, found: &Entry) -> Self {
        let contents = |entry: &Entry| -> HashSet<Digest> {
            let files = entry.source.iter().flat_map(|source| &source.files);
            let said = |file: &SourceFile| content_of(&file.bytes);
            files.map(|file| said(file).unwrap_or_else(|| Digest::of(&[&file.bytes]))).collect()
        };
        let (known, found) = (contents(known), contents(found));
        match () {
            () if found.is_subset(&known) => Self::Same,
            () if known.is_subset(&found) => Self::More,
            () => Self::Others,
        }
    }
}

/// Whether what would amend an entry is about another thing: no code and no words in
/// common. A correction keeps one of them.
pub(super) fn is_about_another(known: &Known, found: &ImportedEntry) -> bool {
    if matches!(known.how, How::Same | How::Fuller | How::Older) {
        return false;
    }
    match (known.entry.code(), found.entry.code()) {
        (Some(known), Some(found)) => !known.may_mean(found),
        _ => false,
    }
}

/// The entries of the vault.
pub(super) struct Vaulted<'t, 'a> {
    tx: &'t Transaction<'a>,
    /// Most names that are tried are none of theirs.
    present: HashSet<EntryId>,
    /// What an export of this vault calls each of them, once somebody asks.
    keys: OnceCell<HashMap<String, EntryId>>,
    pub(super) alikes: Alikes,
}

impl<'t, 'a> Vaulted<'t, 'a> {
    pub(super) fn of(tx: &'t Transaction<'a>) -> Result<Self, Error> {
        let (mut present, mut alikes, mut changed) = (HashSet::new(), Alikes::default(), Vec::new());
        let reader = tx.reader();
        for compartment in reader.open_compartments_and_sealed() {
            reader.trie(compartment)?.scan(&mut |row| {
                if row.class == RowClass::Entry {
                    present.insert(row.id);
                    // A card that cannot be read is found by whoever opens its entry.
                    if let Ok(card) = card_of(row) {
                        alikes.add(row.id, &card);
                        changed.extend(card.flags.changed.then_some((row.id, row.revision)));
                    }
                }
                Ok(())
            })?;
        }
        // What the holder changed is found by what its source said, too.
        for (id, revision) in changed {
            for earlier in (1..revision).rev() {
                let (_, entry) = reader.entry_at(id, Some(earlier))?;
                if entry.provenance.origin == Origin::Imported {
                    alikes.add(id, &Card::of(&entry));
                    break;
                }
            }
        }
        Ok(Self { tx, present, keys: OnceCell::new(), alikes })
    }

    pub(super) fn has(&self, id: EntryId) -> bool {
        self.present.contains(&id)
    }

    /// The entry of one of these ids in a compartment, of the kind of the other.
    pub(super) fn known(
        &self,
        compartment: Compartment,
        ids: [EntryId; 2],
        found: &ImportedEntry,
    ) -> Result<Option<Known>, Error> {
        for id in ids.into_iter().filter(|id| self.present.contains(id)) {
            let Some((at, entry)) = self.tx.current(id)? else { continue };
            if entry.kind() != found.entry.kind() || at != compartment {
                continue;
            }
            let how = self.how(id, &entry, found)?;
            return Ok(Some(Known { id, entry, how }));
        }
        Ok(None)
    }

    /// The entry of this very vault that an export of it calls so.
    pub(super) fn exported(&self, key: &str) -> Option<EntryId> {
        let keys = self.keys.get_or_init(|| self.present.iter().map(|id| (key_of(*id), *id)).collect());
        keys.get(key).copied()
    }

    /// How an entry of an export stands to a known one, where one of them has no original: both
    /// say the same if their records do. What differs amends nothing: nobody's source says it.
    fn how_by_record(&self, id: EntryId, known: &Entry, found: &Entry) -> Result<How, Error> {
        let is_same = |entry: &Entry| entry.record == found.record;
        if is_same(known) {
            return Ok(How::Same);
        }
        let (_, current) = self.tx.entry_row(id)?;
        for revision in 1..current.revision {
            if is_same(&self.tx.reader().entry_at(id, Some(revision))?.1) {
                return Ok(How::Older);
            }
        }
        Ok(How::Undecided)
    }

    pub(super) fn how(&self, id: EntryId, known: &Entry, found: &ImportedEntry) -> Result<How, Error> {
        if found.key.is_some() && (known.source.is_none() || found.entry.source.is_none()) {
            return self.how_by_record(id, known, &found.entry);
        }
        if source_of(known) == source_of(&found.entry) {
            match Files::between(known, &found.entry) {
                Files::Same => return Ok(How::Same),
                Files::More => return Ok(How::Fuller),
                Files::Others => {}
            }
        }
        let version =
            Version { last_updated: found.last_updated.clone(), version_id: found.version_id.clone() };
        let order = version.against(&Version::of(known), self.tx.time);
        match order {
            Order::Newer => return Ok(How::Newer),
            Order::Older => return Ok(How::Older),
            Order::Unstated | Order::Undecided => {}
        }
        if says_the_same(known, &found.entry) {
            match Files::between(known, &found.entry) {
                Files::Same => return Ok(How::Same),
                Files::More => return Ok(How::Fuller),
                Files::Others => {}
            }
        }
        if self.was_before(id, &found.entry)? {
            return Ok(How::Older);
        }
        Ok(if order == Order::Unstated { How::Unstated } else { How::Undecided })
    }

    /// Whether an entry had this content in an earlier revision.
    fn was_before(&self, id: EntryId, found: &Entry) -> Result<bool, Error> {
        let (_, current) = self.tx.entry_row(id)?;
        for revision in 1..current.revision {
            let (_, entry) = self.tx.reader().entry_at(id, Some(revision))?;
            if source_of(&entry) == source_of(found) && Files::between(&entry, found) == Files::Same {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
