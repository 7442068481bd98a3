//! What becomes of each entry of an import, judged before anything is written.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::decisions::{ChangedSource, Expunged, ImportDecisions};
use super::memory::{Memory, Scope};
use super::names::{Away, Names, Width, source_of};
use super::version::{Order, Version};
use crate::classify::compartment_of;
use crate::engine::time::from_milliseconds;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::are_of_two;
use crate::interop::identity::is_global;
use crate::interop::imported::{Imported, ImportedEntry};
use crate::record::{Entry, ImportQuestion};
use crate::tree::RowClass;

/// What becomes of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Unchanged(EntryId),
    /// The vault has a newer version.
    Older(EntryId),
    /// It changed, and nothing says which version is the newer one.
    Undecided(EntryId),
    Amend(EntryId),
    Add {
        id: EntryId,
        /// Another source's entry of the same name.
        like: Option<EntryId>,
    },
    Expunged,
}

pub(super) struct Judge<'t, 'a> {
    pub(super) tx: &'t Transaction<'a>,
    pub(super) names: Names<'t>,
    pub(super) memory: &'t Memory,
    pub(super) decisions: &'t ImportDecisions,
    pub(super) person_is_shown: bool,
    pub(super) questions: Vec<ImportQuestion>,
    /// What was answered, to be remembered.
    pub(super) answers: Vec<String>,
    /// The scope of each document's names; `None` for one that is new.
    scopes: HashMap<String, Option<Scope>>,
    /// The entries of the vault: most names that are tried are none of theirs.
    present: HashSet<EntryId>,
    /// Pairs of sources, the known one first, that are kept apart.
    apart: HashSet<(String, String)>,
}

/// The entry that has a name already.
struct Known {
    id: EntryId,
    entry: Entry,
    how: How,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Same,
    Older,
    Newer,
    Unstated,
    Undecided,
}

/// Whether what would amend an entry is about another thing: no code and no words in
/// common. A correction keeps one of them.
fn is_about_another(known: &Known, found: &ImportedEntry) -> bool {
    if matches!(known.how, How::Same | How::Older) {
        return false;
    }
    match (known.entry.code(), found.entry.code()) {
        (Some(known), Some(found)) => !known.may_mean(found),
        _ => false,
    }
}

/// How a document stands to an earlier one.
#[derive(Default, Clone)]
struct Tally {
    known: usize,
    same: usize,
    older: usize,
    newer: usize,
    gone: usize,
    about_others: usize,
    is_strangers: bool,
}

impl<'t, 'a> Judge<'t, 'a> {
    pub(super) fn new(
        tx: &'t Transaction<'a>,
        names: Names<'t>,
        memory: &'t Memory,
        decisions: &'t ImportDecisions,
        person_is_shown: bool,
    ) -> Result<Self, Error> {
        let mut present = HashSet::new();
        let reader = tx.reader();
        for compartment in reader.open_compartments() {
            reader.trie(compartment)?.scan(&mut |row| {
                if row.class == RowClass::Entry {
                    present.insert(row.id);
                }
                Ok(())
            })?;
        }
        Ok(Self {
            tx,
            names,
            memory,
            decisions,
            person_is_shown,
            questions: Vec::new(),
            answers: Vec::new(),
            scopes: HashMap::new(),
            present,
            apart: HashSet::new(),
        })
    }

    /// The verdict on each entry, in their order. Where a question is open they mean
    /// nothing.
    pub(super) fn verdicts(&mut self, imported: &Imported) -> Result<Vec<Verdict>, Error> {
        self.compare_sources(imported)?;
        let mut documents: BTreeMap<Option<&str>, Vec<&ImportedEntry>> = BTreeMap::new();
        for entry in &imported.entries {
            if self.is_within_document(entry)? {
                documents.entry(entry.document.as_deref()).or_default().push(entry);
            }
        }
        for (document, entries) in documents {
            let scope = self.scope_of(document, &entries)?;
            self.scopes.insert(self.names.source(document), scope);
        }
        let mut taken = HashSet::new();
        imported.entries.iter().map(|entry| self.verdict(entry, &mut taken)).collect()
    }

    /// The entries of the vault that the input says were deleted, but for those that are
    /// retracted already.
    pub(super) fn deleted(&self, imported: &Imported) -> Result<Vec<EntryId>, Error> {
        let mut deleted = Vec::new();
        for resource in &imported.deleted {
            let source = self.names.source(resource.document.as_deref());
            let scopes = self.memory.scopes.iter().filter(|scope| scope.source == source);
            let within = scopes.map(|scope| self.names.of_any_kind(Some(scope), &resource.identity));
            let everywhere = is_global(&resource.identity);
            let everywhere = everywhere.then(|| self.names.of_any_kind(None, &resource.identity));
            for id in within.chain(everywhere).flatten().filter(|id| self.present.contains(id)) {
                let is_there = self.tx.current(id)?.is_some_and(|(_, entry)| !entry.marks.retracted);
                if is_there && !deleted.contains(&id) {
                    deleted.push(id);
                }
            }
        }
        Ok(deleted)
    }

    /// The documents that get a scope of their own.
    pub(super) fn new_scopes(&self) -> Vec<&str> {
        let new = self.scopes.iter().filter(|(_, scope)| scope.is_none());
        new.map(|(source, _)| source.as_str()).collect()
    }

    fn known(&self, ids: [EntryId; 2], found: &ImportedEntry) -> Result<Option<Known>, Error> {
        for id in ids.into_iter().filter(|id| self.present.contains(id)) {
            let Some((compartment, entry)) = self.tx.current(id)? else { continue };
            if entry.kind() != found.entry.kind() || compartment != compartment_of(&found.entry) {
                continue;
            }
            let how = self.how(id, &entry, found)?;
            return Ok(Some(Known { id, entry, how }));
        }
        Ok(None)
    }

    fn how(&self, id: EntryId, known: &Entry, found: &ImportedEntry) -> Result<How, Error> {
        if source_of(known) == source_of(&found.entry) {
            return Ok(How::Same);
        }
        let version =
            Version { last_updated: found.last_updated.clone(), version_id: found.version_id.clone() };
        let order = version.against(&Version::of(known), self.tx.time);
        match order {
            Order::Newer => return Ok(How::Newer),
            Order::Older => return Ok(How::Older),
            Order::Unstated | Order::Undecided => {}
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
            if source_of(&entry) == source_of(found) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks once for each pair of sources of which one would change what the other
    /// brought under a name that reaches everywhere.
    fn compare_sources(&mut self, imported: &Imported) -> Result<(), Error> {
        type Pair = (String, String);
        let mut pairs: BTreeMap<Pair, (Option<String>, Epoch, Tally)> = BTreeMap::new();
        for found in imported.entries.iter().filter(|found| Width::of(found) == Width::Everywhere) {
            let ids = self.names.everywhere(&found.identity, found.entry.kind());
            let Some(known) = self.known(ids, found)? else { continue };
            let Some(pair) = self.foreign_pair(&known, found) else { continue };
            let since = self.tx.entry_row(known.id)?.1.epoch;
            let (_, first, tally) =
                pairs.entry(pair).or_insert((found.document.clone(), since, Tally::default()));
            *first = since.min(*first);
            tally.count(known.how);
            tally.about_others += usize::from(is_about_another(&known, found));
        }
        for ((known, found), (document, since, tally)) in pairs {
            if tally.known == tally.same + tally.older {
                continue;
            }
            let time = self.tx.reader().link(since)?.map_or(0, |link| link.time);
            let scope = Scope { number: since, time, source: known.clone() };
            let question = tally.question(document, &scope);
            if self.decide(&[&known, &found], question) == ChangedSource::KeepBeside {
                self.apart.insert((known, found));
            }
        }
        Ok(())
    }

    /// The pair of sources, if another one brought what is known. An address belongs to
    /// one server, whatever the file is called; but what is about another thing now is
    /// asked about wherever it comes from.
    fn foreign_pair(&self, known: &Known, found: &ImportedEntry) -> Option<(String, String)> {
        let document = known.entry.provenance.document.as_ref().map(|document| document.as_str());
        let is_own = found.identity.contains("://") || document == found.document.as_deref();
        (!is_own || is_about_another(known, found))
            .then(|| (self.names.source(document), self.names.source(found.document.as_deref())))
    }

    /// The decision about a pair of sources: one that was given, or remembered; else it
    /// is asked for.
    fn decide(&mut self, pair: &[&str], question: ImportQuestion) -> ChangedSource {
        let [accept, beside] = ["accept", "beside"].map(|word| self.names.digest(word, pair));
        let decision = match self.decisions.changed_source {
            Some(decision) => decision,
            None if self.memory.says(&accept) => return ChangedSource::Accept,
            None if self.memory.says(&beside) => return ChangedSource::KeepBeside,
            None => {
                self.questions.push(question);
                return ChangedSource::KeepBeside;
            }
        };
        self.answers.push(if decision == ChangedSource::Accept { accept } else { beside });
        decision
    }

    /// Whether the name of an entry is one within its document.
    fn is_within_document(&self, found: &ImportedEntry) -> Result<bool, Error> {
        Ok(match Width::of(found) {
            Width::Document => true,
            Width::Nowhere => false,
            Width::Everywhere => {
                let ids = self.names.everywhere(&found.identity, found.entry.kind());
                let known = self.known(ids, found)?;
                let pair = known.as_ref().and_then(|known| self.foreign_pair(known, found));
                pair.is_some_and(|pair| self.apart.contains(&pair))
            }
        })
    }

    /// The earlier scope that a document continues, if it does.
    fn scope_of(&mut self, document: Option<&str>, found: &[&ImportedEntry]) -> Result<Option<Scope>, Error> {
        let source = self.names.source(document);
        let mut best: Option<(Tally, Scope)> = None;
        for scope in self.memory.scopes.iter().filter(|scope| scope.source == source) {
            let tally = self.tally(scope, found)?;
            let is_better = |best: &Tally| (tally.same, tally.known) > (best.same, best.known);
            if !tally.is_strangers && best.as_ref().is_none_or(|(best, _)| is_better(best)) {
                best = Some((tally, scope.clone()));
            }
        }
        let Some((tally, scope)) = best else { return Ok(None) };
        if tally.known == 0 {
            return Ok((tally.gone > 0 && tally.gone == found.len()).then_some(scope));
        }
        let harmless = if self.person_is_shown { tally.same + tally.older } else { tally.same };
        if tally.known == harmless {
            return Ok(Some(scope));
        }
        let is_ordered = tally.known == tally.same + tally.older + tally.newer;
        let is_alike = tally.known * 2 > found.len() && tally.same * 2 >= tally.known;
        if !self.person_is_shown || !(is_ordered || is_alike) {
            return Ok(None);
        }
        let question = tally.question(document.map(str::to_owned), &scope);
        let pair = [scope.number.to_string(), source];
        let decision = self.decide(&pair.each_ref().map(String::as_str), question);
        Ok((decision == ChangedSource::Accept).then_some(scope))
    }

    fn tally(&self, scope: &Scope, found: &[&ImportedEntry]) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        for found in found {
            let ids = self.names.within(scope, &found.identity, found.entry.kind());
            match self.known(ids, found)? {
                Some(known) => {
                    tally.count(known.how);
                    tally.about_others += usize::from(is_about_another(&known, found));
                    tally.is_strangers |= known.how != How::Same
                        && are_of_two(source_of(&known.entry), source_of(&found.entry))
                        && !self.decisions.patient_is_same;
                }
                None => tally.gone += usize::from(self.is_away(ids)),
            }
        }
        Ok(tally)
    }

    fn takes_again(&self) -> bool {
        self.decisions.expunged == Expunged::TakeAgain
    }

    /// Whether an entry of this content was expunged, under whatever name.
    fn is_expunged(&self, entry: &Entry) -> bool {
        let away = Away { key: self.names.0, contents: &self.memory.expunged_contents };
        !self.takes_again() && away.holds(entry)
    }

    fn is_away(&self, ids: [EntryId; 2]) -> bool {
        !self.takes_again() && ids.iter().any(|id| self.memory.expunged.contains(id))
    }

    fn verdict(&self, found: &ImportedEntry, taken: &mut HashSet<EntryId>) -> Result<Verdict, Error> {
        let kind = found.entry.kind();
        let ids = match Width::of(found) {
            Width::Nowhere => self.names.content(&found.entry),
            Width::Everywhere if !self.is_within_document(found)? => {
                self.names.everywhere(&found.identity, kind)
            }
            _ => {
                let source = self.names.source(found.document.as_deref());
                let scope = self.scopes.get(&source).cloned().flatten();
                let is_new = scope.is_none();
                let here = Scope { number: self.tx.epoch(), time: self.tx.time, source };
                let ids = self.names.within(&scope.unwrap_or(here), &found.identity, kind);
                if is_new || self.known(ids, found)?.is_none() {
                    return self.beside(found, ids, taken);
                }
                ids
            }
        };
        match self.known(ids, found)? {
            None => self.add(found, ids, None, taken),
            Some(Known { how: How::Same, id, .. }) => Ok(Verdict::Unchanged(id)),
            Some(Known { how: How::Older, id, .. }) => Ok(Verdict::Older(id)),
            Some(Known { how: How::Undecided, id, .. })
                if self.decisions.changed_source != Some(ChangedSource::Accept) =>
            {
                Ok(Verdict::Undecided(id))
            }
            Some(_) if self.is_expunged(&found.entry) => Ok(Verdict::Expunged),
            Some(Known { id, .. }) => Ok(Verdict::Amend(id)),
        }
    }

    /// An entry that has no known name: the same content under its name in any document
    /// is the same entry, anything else is kept beside.
    fn beside(
        &self,
        found: &ImportedEntry,
        ids: [EntryId; 2],
        taken: &mut HashSet<EntryId>,
    ) -> Result<Verdict, Error> {
        let kind = found.entry.kind();
        let mut like = None;
        let identities = self.names.spellings(found);
        let within = |scope| identities.iter().map(move |name| self.names.within(scope, name, kind));
        let others = self.memory.scopes.iter().flat_map(within);
        for other in others.chain([self.names.everywhere(&found.identity, kind)]) {
            let Some(known) = self.known(other, found)? else { continue };
            if known.how == How::Same {
                return Ok(Verdict::Unchanged(known.id));
            }
            like = Some(known.id);
        }
        self.add(found, ids, like, taken)
    }

    fn add(
        &self,
        found: &ImportedEntry,
        ids: [EntryId; 2],
        like: Option<EntryId>,
        taken: &mut HashSet<EntryId>,
    ) -> Result<Verdict, Error> {
        if self.is_away(ids) || self.is_expunged(&found.entry) {
            return Ok(Verdict::Expunged);
        }
        for id in ids {
            if !taken.contains(&id) && self.tx.current(id)?.is_none() {
                taken.insert(id);
                return Ok(Verdict::Add { id, like });
            }
        }
        // Things of other kinds have both names, or this import has the same content twice.
        let id = self.names.beside(ids, found);
        let is_new = self.tx.current(id)?.is_none() && taken.insert(id);
        Ok(if is_new && Width::of(found) != Width::Nowhere {
            Verdict::Add { id, like }
        } else {
            Verdict::Unchanged(id)
        })
    }
}

impl Tally {
    fn count(&mut self, how: How) {
        self.known += 1;
        match how {
            How::Same => self.same += 1,
            How::Older => self.older += 1,
            How::Newer => self.newer += 1,
            How::Unstated | How::Undecided => {}
        }
    }

    fn question(&self, document: Option<String>, scope: &Scope) -> ImportQuestion {
        let (since, time) = (scope.number, from_milliseconds(scope.time));
        let Self { known, same, about_others, .. } = *self;
        ImportQuestion::ChangedSource { document, since, time, known, same, about_others }
    }
}
