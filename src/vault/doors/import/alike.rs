//! Finding again what the vault has under other names: exports that draw their ids anew,
//! and files that were renamed.
//!
//! Two entries say the same if all that their sources say is the same, and what they refer
//! to says the same. What is left is paired where the vault and the input have one entry
//! each of a kind, code and date: a correction, or another one of that day.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::names::source_of;
use crate::crypto::digest::Digest;
use crate::engine::imports::document_of;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::{Nameless, share_identifier};
use crate::interop::imported::Imported;
use crate::record::{Card, Entry, Kind, Origin};

/// What entries have in common that may be the same: kind, code and first date.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    pub(super) entry: Entry,
    /// The commit that brought it, or changed it last.
    pub(super) since: Epoch,
    pub(super) is: Is,
}

/// What an entry is to another one of its kind, code and date.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    /// Both say the same.
    TheSame,
    /// Another version: they share a business identifier, and nobody changed the known one.
    AnotherVersion,
    /// Perhaps another version, perhaps another one of that day.
    Alike,
}

/// An entry of the vault that may be one of the input's.
struct Candidate {
    id: EntryId,
    entry: Entry,
    since: Epoch,
    said: Nameless,
}

/// What entries of a document say, by the names that others of it may use.
#[derive(Default)]
struct Contents(HashMap<(Option<String>, String), Digest>);

impl Contents {
    fn add(&mut self, document: Option<&str>, identity: Option<&str>, entry: &Entry, content: Digest) {
        let tail = identity.map(|identity| {
            let from = identity.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
            identity.get(from..).unwrap_or_default()
        });
        let address = entry.provenance.address.as_ref().map(|address| address.as_str());
        for name in [identity, tail, address].into_iter().flatten() {
            self.0.insert((document.map(str::to_owned), name.to_owned()), content);
        }
        for file in entry.source.iter().flat_map(|source| &source.files) {
            let content = said_by_bytes(&file.bytes).content;
            self.0.insert((document.map(str::to_owned), file.address.as_str().to_owned()), content);
        }
    }

    /// A key that two entries share if they say the same, what they refer to included.
    fn key(&self, document: Option<&str>, likeness: &Likeness, said: &Nameless) -> Digest {
        let mut parts = vec![said.content.to_string(), likeness.code.clone(), likeness.start.clone()];
        for reference in &said.references {
            let found = self.0.get(&(document.map(str::to_owned), reference.clone()));
            parts
                .push(found.map_or_else(|| format!("name {reference}"), |content| format!("says {content}")));
        }
        let parts: Vec<String> = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        Digest::of(&[parts.concat().as_bytes()])
    }
}

impl Alikes {
    pub(super) fn add(&mut self, id: EntryId, card: &Card) {
        self.0.entry(Likeness::of(card)).or_default().push(id);
    }

    /// Pairs each of these with at most one entry of the vault, and none twice.
    pub(super) fn pairs(
        &self,
        tx: &Transaction<'_>,
        imported: &Imported,
        unknown: &[usize],
        mut claimed: HashSet<EntryId>,
    ) -> Result<Vec<Pair>, Error> {
        let mut groups: BTreeMap<Likeness, Vec<usize>> = BTreeMap::new();
        for position in unknown {
            let Some(found) = imported.entries.get(*position) else { continue };
            let likeness = Likeness::of(&Card::of(&found.entry));
            if self.0.contains_key(&likeness) {
                groups.entry(likeness).or_default().push(*position);
            }
        }
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let mut candidates = BTreeMap::new();
        for likeness in groups.keys() {
            candidates.insert(likeness, self.candidates(tx, likeness, &claimed)?);
        }
        let known_contents = contents_of_vault(tx, candidates.values().flatten())?;
        let found_contents = contents_of_input(imported);
        let mut pairs = Vec::new();
        for (likeness, positions) in &groups {
            let mut known = candidates.remove(likeness).unwrap_or_default();
            known.retain(|candidate| !claimed.contains(&candidate.id));
            let mut saying = Saying::of(known, likeness, &known_contents);
            let (mut left, paired) = (Vec::new(), pairs.len());
            for position in positions {
                let Some(found) = imported.entries.get(*position) else { continue };
                let said = said_by(&found.entry);
                let key = found_contents.key(found.document.as_deref(), likeness, &said);
                match saying.take(&key) {
                    Some(known) => pairs.push(known.paired(*position, Is::TheSame)),
                    None => left.push((*position, &found.entry)),
                }
            }
            let mut known = saying.left();
            known.retain(|candidate| !candidate.entry.marks.retracted);
            if let ([(position, found)], [_], true) = (&left[..], &known[..], likeness.is_telling()) {
                pairs.extend(known.into_iter().map(|candidate| {
                    let is = candidate.is_to(found);
                    candidate.paired(*position, is)
                }));
            }
            claimed.extend(pairs.iter().skip(paired).map(|pair| pair.known));
        }
        pairs.sort_by_key(|pair| pair.position);
        Ok(pairs)
    }

    fn candidates(
        &self,
        tx: &Transaction<'_>,
        likeness: &Likeness,
        claimed: &HashSet<EntryId>,
    ) -> Result<Vec<Candidate>, Error> {
        let (mut candidates, mut seen) = (Vec::new(), HashSet::new());
        for id in self.0.get(likeness).into_iter().flatten().filter(|id| !claimed.contains(id)) {
            if !seen.insert(*id) {
                continue;
            }
            let Some((_, entry)) = tx.current(*id)? else { continue };
            if entry.provenance.origin.is_imported() {
                let since = tx.entry_row(*id)?.1.epoch;
                let said = said_by(&entry);
                candidates.push(Candidate { id: *id, entry, since, said });
            }
        }
        Ok(candidates)
    }
}

/// Candidates by what they say. Nothing bounds how many entries have one kind, code and date,
/// so none is compared with all others.
struct Saying {
    candidates: Vec<Option<Candidate>>,
    /// Where those are that say the same, the first one last.
    by_key: HashMap<Digest, Vec<usize>>,
}

impl Saying {
    fn of(candidates: Vec<Candidate>, likeness: &Likeness, contents: &Contents) -> Self {
        let mut by_key: HashMap<Digest, Vec<usize>> = HashMap::new();
        for (at, known) in candidates.iter().enumerate().rev() {
            let key = contents.key(document_of(&known.entry), likeness, &known.said);
            by_key.entry(key).or_default().push(at);
        }
        Self { candidates: candidates.into_iter().map(Some).collect(), by_key }
    }

    /// Takes out the first candidate that says this.
    fn take(&mut self, key: &Digest) -> Option<Candidate> {
        let at = self.by_key.get_mut(key)?.pop()?;
        self.candidates.get_mut(at)?.take()
    }

    /// Those that nothing took out.
    fn left(self) -> Vec<Candidate> {
        self.candidates.into_iter().flatten().collect()
    }
}

impl Candidate {
    fn is_to(&self, found: &Entry) -> Is {
        let is_untouched = self.entry.provenance.origin == Origin::Imported;
        match is_untouched && share_identifier(source_of(&self.entry), source_of(found)) {
            true => Is::AnotherVersion,
            false => Is::Alike,
        }
    }

    fn paired(self, position: usize, is: Is) -> Pair {
        Pair { position, known: self.id, entry: self.entry, since: self.since, is }
    }
}

fn said_by(entry: &Entry) -> Nameless {
    said_by_bytes(source_of(entry))
}

fn said_by_bytes(source: &[u8]) -> Nameless {
    Nameless::of(source)
        .unwrap_or_else(|| Nameless { content: Digest::of(&[source]), references: Vec::new() })
}

fn contents_of_input(imported: &Imported) -> Contents {
    let mut contents = Contents::default();
    for found in &imported.entries {
        let content = said_by(&found.entry).content;
        contents.add(found.document.as_deref(), Some(&found.identity), &found.entry, content);
    }
    contents
}

/// What the documents of these candidates say, if any of them refers to something.
fn contents_of_vault<'c>(
    tx: &Transaction<'_>,
    candidates: impl Iterator<Item = &'c Candidate>,
) -> Result<Contents, Error> {
    let referring = candidates.filter(|candidate| !candidate.said.references.is_empty());
    let documents: HashSet<Option<&str>> = referring.map(|candidate| document_of(&candidate.entry)).collect();
    let mut contents = Contents::default();
    if documents.is_empty() {
        return Ok(contents);
    }
    tx.reader().for_each_batch(|_, entries| {
        for (_, entry) in entries.iter().filter(|(_, entry)| documents.contains(&document_of(entry))) {
            let identity = entry.provenance.identity.as_ref().map(|identity| identity.as_str());
            contents.add(document_of(entry), identity, entry, said_by(entry).content);
        }
        Ok(())
    })?;
    Ok(contents)
}
