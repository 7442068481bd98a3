//! What becomes of each entry of an import, judged before anything is written.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::alike::{Is, Pair, document_of};
use super::decisions::{ChangedSource, Expunged, ImportDecisions};
use super::known::{Known, Vaulted, is_about_another};
use super::memory::{Memory, Scope};
use super::names::{Away, Names, Width, source_of};
use super::tally::{How, Tally};
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::are_of_two;
use crate::interop::identity::base_of;
use crate::interop::imported::{Imported, ImportedEntry};
use crate::record::{Entry, ImportQuestion, Kind};

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
        /// Another source's entry of the same name, or one that says the same.
        like: Option<EntryId>,
        has_its_name: bool,
    },
    Expunged,
}

impl Verdict {
    /// The entry of the vault that stands for it.
    fn known(&self) -> Option<EntryId> {
        match *self {
            Self::Unchanged(id) | Self::Older(id) | Self::Undecided(id) | Self::Amend(id) => Some(id),
            Self::Add { .. } | Self::Expunged => None,
        }
    }
}

/// By fewer records no export that grew is known again.
const FEWEST: usize = 3;

/// Whether an entry is a record of its own, by which exports are told: not the patient's
/// description, and nobody who had to do with them.
fn is_record(entry: &Entry) -> bool {
    !matches!(entry.kind(), Kind::Patient | Kind::Provider | Kind::Other)
}

/// Whether this server may have brought what is known.
fn may_be_of(server: Option<&str>, known: &Entry) -> bool {
    let known = known.provenance.identity.as_ref().and_then(|identity| base_of(identity.as_str()));
    server.zip(known).is_none_or(|(server, known)| server == known)
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
    pub(super) vaulted: Vaulted<'t, 'a>,
    /// How many entries the vault has under other names.
    pub(super) under_other_names: usize,
    /// Pairs of sources, the known one first, that are kept apart.
    apart: HashSet<(String, String)>,
}

impl<'t, 'a> Judge<'t, 'a> {
    pub(super) fn new(
        tx: &'t Transaction<'a>,
        names: Names<'t>,
        memory: &'t Memory,
        decisions: &'t ImportDecisions,
        person_is_shown: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            tx,
            names,
            memory,
            decisions,
            person_is_shown,
            questions: Vec::new(),
            answers: Vec::new(),
            scopes: HashMap::new(),
            vaulted: Vaulted::of(tx)?,
            under_other_names: 0,
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
        let verdicts: Result<Vec<_>, Error> =
            imported.entries.iter().map(|entry| self.verdict(entry, &mut taken)).collect();
        let mut verdicts = verdicts?;
        self.recognize(imported, &mut verdicts)?;
        Ok(verdicts)
    }

    /// What the vault has under other names is not added again where the document is another
    /// export of the same records. What only may be the same is kept beside.
    fn recognize(&mut self, imported: &Imported, verdicts: &mut [Verdict]) -> Result<(), Error> {
        let new = |(position, verdict)| matches!(verdict, &Verdict::Add { .. }).then_some(position);
        let unknown: Vec<usize> = verdicts.iter().enumerate().filter_map(new).collect();
        let claimed = verdicts.iter().filter_map(Verdict::known).collect();
        let mut by_document: BTreeMap<Option<&str>, Vec<Pair>> = BTreeMap::new();
        for pair in self.vaulted.alikes.pairs(self.tx, imported, &unknown, claimed)? {
            let Some(found) = imported.entries.get(pair.position) else { continue };
            by_document.entry(found.document.as_deref()).or_default().push(pair);
        }
        for (document, pairs) in by_document {
            let is_export = self.is_export(imported, document, &pairs)?;
            for pair in pairs {
                let found = imported.entries.get(pair.position);
                let Some((verdict, found)) = verdicts.get_mut(pair.position).zip(found) else { continue };
                let is_withdrawn = pair.entry.marks.retracted;
                *verdict = match (pair.is, *verdict) {
                    (Is::TheSame, _) if is_export || is_withdrawn => {
                        self.under_other_names += 1;
                        Verdict::Unchanged(pair.known)
                    }
                    (Is::AnotherVersion, _) if is_export => {
                        let how = self.vaulted.how(pair.known, &pair.entry, found)?;
                        self.continuing(&Known { id: pair.known, entry: pair.entry, how }, found)
                    }
                    (_, Verdict::Add { id, has_its_name, .. }) => {
                        Verdict::Add { id, like: Some(pair.known), has_its_name }
                    }
                    (_, other) => other,
                };
            }
        }
        Ok(())
    }

    /// Whether a document is another export of records that the vault has: half of its
    /// records, or of those that the same document brought before, say the same, and no
    /// other server brought them. It is asked about where it would change something.
    fn is_export(
        &mut self,
        imported: &Imported,
        document: Option<&str>,
        pairs: &[Pair],
    ) -> Result<bool, Error> {
        let (mut tally, mut since) = (Tally::default(), None);
        let mut sources: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for pair in pairs.iter().filter(|pair| pair.is != Is::Alike && is_record(&pair.entry)) {
            let Some(found) = imported.entries.get(pair.position) else { continue };
            if !may_be_of(found.server.as_deref(), &pair.entry) {
                continue;
            }
            tally.count(match pair.is {
                Is::TheSame => How::Same,
                _ => self.vaulted.how(pair.known, &pair.entry, found)?,
            });
            *sources.entry(document_of(&pair.entry)).or_default() += 1;
            since = Some(since.map_or(pair.since, |since: Epoch| since.min(pair.since)));
        }
        let most = sources.iter().max_by_key(|(_, count)| **count).map(|(document, _)| *document);
        let (Some(since), Some(most), true) = (since, most, self.person_is_shown) else { return Ok(false) };
        let is_in = |found: &&ImportedEntry| found.document.as_deref() == document && is_record(&found.entry);
        let size = imported.entries.iter().filter(is_in).count();
        let is_grown = || Ok::<_, Error>(tally.same >= FEWEST && tally.is_export_of(self.size_of(most)?));
        if !tally.is_export_of(size) && !is_grown()? {
            return Ok(false);
        }
        let found = self.names.source(document);
        let known: Vec<String> = sources.keys().map(|document| self.names.source(*document)).collect();
        let says = |word: &str, known: &String| self.memory.says(&self.names.digest(word, &[known, &found]));
        if tally.is_harmless() {
            let is_beside = known.iter().any(|known| says("beside", known));
            return Ok(!is_beside && self.decisions.changed_source != Some(ChangedSource::KeepBeside));
        }
        // What an accepted export amended counts as brought by that.
        let accepted = known.iter().find(|known| says("accept", known)).cloned();
        let known = accepted.unwrap_or_else(|| self.names.source(most));
        let time = self.tx.reader().link(since)?.map_or(0, |link| link.time);
        let scope = Scope { number: since, time, source: known.clone() };
        let question = tally.question(document.map(str::to_owned), &scope);
        Ok(self.decide(&[&known, &found], question) == ChangedSource::Accept)
    }

    /// How many records of a document the vault has.
    fn size_of(&self, document: Option<&str>) -> Result<usize, Error> {
        let mut size = 0;
        self.tx.reader().for_each_batch(|_, entries| {
            let is_of = |entry: &Entry| document_of(entry) == document && is_record(entry);
            size += entries.iter().filter(|(_, entry)| is_of(entry)).count();
            Ok(())
        })?;
        Ok(size)
    }

    /// The documents that get a scope of their own.
    pub(super) fn new_scopes(&self) -> Vec<&str> {
        let new = self.scopes.iter().filter(|(_, scope)| scope.is_none());
        new.map(|(source, _)| source.as_str()).collect()
    }

    /// Asks once for each pair of sources of which one would change what the other
    /// brought under a name that reaches everywhere.
    fn compare_sources(&mut self, imported: &Imported) -> Result<(), Error> {
        type Pair = (String, String);
        let mut pairs: BTreeMap<Pair, (Option<String>, Epoch, Tally)> = BTreeMap::new();
        for found in imported.entries.iter().filter(|found| Width::of(found) == Width::Everywhere) {
            let ids = self.names.everywhere(&found.identity, found.entry.kind());
            let Some(known) = self.vaulted.known(ids, found)? else { continue };
            let Some(pair) = self.foreign_pair(&known, found) else { continue };
            let since = self.tx.entry_row(known.id)?.1.epoch;
            let (_, first, tally) =
                pairs.entry(pair).or_insert((found.document.clone(), since, Tally::default()));
            *first = since.min(*first);
            tally.count(known.how);
            tally.about_others += usize::from(is_about_another(&known, found));
        }
        for ((known, found), (document, since, tally)) in pairs {
            if tally.is_harmless() {
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
                let known = self.vaulted.known(ids, found)?;
                let pair = known.as_ref().and_then(|known| self.foreign_pair(known, found));
                pair.is_some_and(|pair| self.apart.contains(&pair))
            }
        })
    }

    /// The earlier scope that a document continues, if it does.
    fn scope_of(&mut self, document: Option<&str>, found: &[&ImportedEntry]) -> Result<Option<Scope>, Error> {
        let source = self.names.source(document);
        let best = match self.best_scope(found, |scope| scope.source == source)? {
            // The file was renamed: it is told by what is in it.
            None => self
                .best_scope(found, |scope| scope.source != source)?
                .filter(|(tally, _)| tally.is_export_of(found.len()) && !tally.is_harmless()),
            best => best,
        };
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

    fn best_scope(
        &self,
        found: &[&ImportedEntry],
        is_candidate: impl Fn(&Scope) -> bool,
    ) -> Result<Option<(Tally, Scope)>, Error> {
        let mut best: Option<(Tally, Scope)> = None;
        for scope in self.memory.scopes.iter().filter(|scope| is_candidate(scope)) {
            let tally = self.tally(scope, found)?;
            let is_better = |best: &Tally| (tally.same, tally.known) > (best.same, best.known);
            if !tally.is_strangers && best.as_ref().is_none_or(|(best, _)| is_better(best)) {
                best = Some((tally, scope.clone()));
            }
        }
        Ok(best)
    }

    fn tally(&self, scope: &Scope, found: &[&ImportedEntry]) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        for found in found {
            let ids = self.names.within(scope, &found.identity, found.entry.kind());
            match self.vaulted.known(ids, found)? {
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
                if is_new || self.vaulted.known(ids, found)?.is_none() {
                    return self.beside(found, ids, taken);
                }
                ids
            }
        };
        match self.vaulted.known(ids, found)? {
            None => self.add(found, ids, None, taken),
            Some(known) => Ok(self.continuing(&known, found)),
        }
    }

    /// What becomes of an entry that is another version of a known one.
    fn continuing(&self, known: &Known, found: &ImportedEntry) -> Verdict {
        let id = known.id;
        match known.how {
            How::Same => Verdict::Unchanged(id),
            How::Older => Verdict::Older(id),
            How::Undecided if self.decisions.changed_source != Some(ChangedSource::Accept) => {
                Verdict::Undecided(id)
            }
            _ if self.is_expunged(&found.entry) => Verdict::Expunged,
            _ => Verdict::Amend(id),
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
            let Some(known) = self.vaulted.known(other, found)? else { continue };
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
                return Ok(Verdict::Add { id, like, has_its_name: like.is_some() });
            }
        }
        // Things of other kinds have both names, or this import has the same content twice.
        let id = self.names.beside(ids, found);
        let is_new = self.tx.current(id)?.is_none() && taken.insert(id);
        Ok(if is_new && Width::of(found) != Width::Nowhere {
            Verdict::Add { id, like, has_its_name: like.is_some() }
        } else {
            Verdict::Unchanged(id)
        })
    }
}
