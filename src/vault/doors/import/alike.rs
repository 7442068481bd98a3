//! Finding again what the vault has under other names: exports that draw their ids anew,
//! and files that were renamed.
//!
//! Entries that say the same are paired first. What is left is paired where the vault and
//! the input have one entry each of a kind, code and date: a correction, as it may be.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::names::source_of;
use crate::crypto::digest::Digest;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::{Naming, content_of};
use crate::interop::imported::ImportedEntry;
use crate::record::{Card, Entry, Kind};

/// What entries have in common that may be the same: kind, code and first date.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Likeness {
    kind: Kind,
    code: String,
    start: String,
}

impl Likeness {
    fn of(card: &Card) -> Self {
        let start = card.dates.start().map(|date| date.as_str().to_owned());
        Self { kind: card.kind, code: card.code_words(), start: start.unwrap_or_default() }
    }

    /// Whether it is enough to hold one entry for another version of a second one.
    fn is_telling(&self) -> bool {
        !self.code.is_empty() && !self.start.is_empty()
    }
}

/// The entries of the vault by what they have in common.
#[derive(Default)]
pub(super) struct Alikes(HashMap<Likeness, Vec<EntryId>>);

/// An entry of the input, and the one in the vault that it may be.
pub(super) struct Pair {
    /// The position of the entry in the input.
    pub(super) position: usize,
    pub(super) known: EntryId,
    /// The commit that brought it, or changed it last.
    pub(super) since: Epoch,
    /// Both say the same.
    pub(super) is_same: bool,
}

/// An entry of the vault that may be one of the input's.
struct Candidate {
    content: Digest,
    since: Epoch,
}

impl Alikes {
    pub(super) fn add(&mut self, id: EntryId, card: &Card) {
        self.0.entry(Likeness::of(card)).or_default().push(id);
    }

    /// Pairs each of these with at most one entry of the vault, and none twice.
    pub(super) fn pairs(
        &self,
        tx: &Transaction<'_>,
        unknown: &[(usize, &ImportedEntry)],
        mut claimed: HashSet<EntryId>,
    ) -> Result<Vec<Pair>, Error> {
        let mut groups: BTreeMap<usize, (Likeness, Vec<(usize, Digest)>)> = BTreeMap::new();
        let mut first_of: HashMap<Likeness, usize> = HashMap::new();
        for (position, found) in unknown {
            let likeness = Likeness::of(&Card::of(&found.entry));
            if self.0.contains_key(&likeness) {
                let first = *first_of.entry(likeness.clone()).or_insert(*position);
                let (_, group) = groups.entry(first).or_insert_with(|| (likeness, Vec::new()));
                group.push((*position, content(&found.entry)));
            }
        }
        let mut pairs = Vec::new();
        for (likeness, mut found) in groups.into_values() {
            let mut known = self.candidates(tx, &likeness, &claimed)?;
            found.retain(|(position, content)| {
                let Some(at) = known.iter().position(|(_, known)| known.content == *content) else {
                    return true;
                };
                let (id, candidate) = known.remove(at);
                claimed.insert(id);
                pairs.push(Pair { position: *position, known: id, since: candidate.since, is_same: true });
                false
            });
            if let ([(position, _)], [(id, candidate)], true) =
                (&found[..], &known[..], likeness.is_telling())
            {
                claimed.insert(*id);
                pairs.push(Pair { position: *position, known: *id, since: candidate.since, is_same: false });
            }
        }
        Ok(pairs)
    }

    fn candidates(
        &self,
        tx: &Transaction<'_>,
        likeness: &Likeness,
        claimed: &HashSet<EntryId>,
    ) -> Result<Vec<(EntryId, Candidate)>, Error> {
        let mut candidates = Vec::new();
        for id in self.0.get(likeness).into_iter().flatten().filter(|id| !claimed.contains(id)) {
            let Some((_, entry)) = tx.current(*id)? else { continue };
            if !entry.marks.retracted && entry.provenance.origin.is_imported() {
                let since = tx.entry_row(*id)?.1.epoch;
                candidates.push((*id, Candidate { content: content(&entry), since }));
            }
        }
        Ok(candidates)
    }
}

fn content(entry: &Entry) -> Digest {
    let source = source_of(entry);
    content_of(source, Naming::LeftOut).unwrap_or_else(|| Digest::of(&[source]))
}
