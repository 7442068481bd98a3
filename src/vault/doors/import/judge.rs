//! What becomes of each entry of an import, judged before anything is written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::decisions::{ChangedSource, Expunged, ImportDecisions};
use super::known::{Known, Vaulted, is_about_another};
use super::memory::{Memory, Scope, ScopeId, Statement, statement_on_pair};
use super::names::{Names, Width, name_of, name_of_content, source_of, spellings};
use super::remembered::{Remembered, kept};
use super::tally::{How, Tally};
use crate::engine::imports::document_of;
use crate::engine::tombstone::Tombstones;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::are_of_two;
use crate::interop::imported::{Imported, ImportedEntry};
use crate::record::{Entry, ImportQuestion};

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
    /// The entry of the vault that it is or becomes.
    pub(super) fn id(&self) -> Option<EntryId> {
        match *self {
            Self::Add { id, .. } => Some(id),
            _ => self.known(),
        }
    }

    /// The entry of the vault that stands for it.
    pub(super) fn known(&self) -> Option<EntryId> {
        match *self {
            Self::Unchanged(id) | Self::Older(id) | Self::Undecided(id) | Self::Amend(id) => Some(id),
            Self::Add { .. } | Self::Expunged => None,
        }
    }
}

pub(super) struct Judge<'t, 'a> {
    pub(super) tx: &'t Transaction<'a>,
    pub(super) names: Names<'t>,
    pub(super) memory: &'t Memory,
    pub(super) decisions: &'t ImportDecisions,
    pub(super) person_is_shown: bool,
    pub(super) questions: Vec<ImportQuestion>,
    /// What was answered about documents, to be remembered.
    pub(super) decided: Vec<Decided>,
    /// The scope of each document's names; `None` for one that is new.
    scopes: HashMap<Option<String>, Option<Scope>>,
    /// A scope for each document that needs a new one.
    fresh: &'t HashMap<Option<String>, ScopeId>,
    tombstones: &'t Tombstones,
    pub(super) vaulted: Vaulted<'t, 'a>,
    /// How many entries the vault has under other names.
    pub(super) under_other_names: usize,
    /// Pairs of documents, the known one first, that are kept apart.
    apart: HashSet<DocumentPair>,
}

/// Names of two documents, the known one first.
type DocumentPair = (Option<String>, Option<String>);

/// What was answered about two documents.
pub(super) struct Decided {
    word: &'static str,
    /// The scopes of the known one.
    known: Vec<ScopeId>,
    found: Option<String>,
}

impl Decided {
    /// What it is remembered by, where the found document has this scope.
    pub(super) fn statements(&self, found: &ScopeId) -> impl Iterator<Item = Statement> {
        self.known.iter().map(move |known| statement_on_pair(self.word, known, found))
    }

    /// The document that came.
    pub(super) fn found(&self) -> &Option<String> {
        &self.found
    }
}

impl<'t, 'a> Judge<'t, 'a> {
    pub(super) fn new(
        tx: &'t Transaction<'a>,
        names: Names<'t>,
        before: &'t Remembered,
        decisions: &'t ImportDecisions,
        person_is_shown: bool,
    ) -> Result<Self, Error> {
        let Remembered { memory, fresh, tombstones } = before;
        Ok(Self {
            tx,
            names,
            memory,
            decisions,
            person_is_shown,
            questions: Vec::new(),
            decided: Vec::new(),
            scopes: HashMap::new(),
            fresh,
            tombstones,
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
            self.scopes.insert(kept(document), scope);
        }
        let mut taken = HashSet::new();
        let verdicts: Result<Vec<_>, Error> =
            imported.entries.iter().map(|entry| self.verdict(entry, &mut taken)).collect();
        let mut verdicts = verdicts?;
        self.recognize(imported, &mut verdicts)?;
        Ok(verdicts)
    }

    /// The scopes of a document that is known. What no import brought has none, and all of it
    /// the same one.
    pub(super) fn scope_ids(&self, document: Option<&str>) -> Vec<ScopeId> {
        let known: Vec<ScopeId> = self.memory.scopes_of(document).map(|scope| scope.id).collect();
        if known.is_empty() { vec![[0; 16]] } else { known }
    }

    /// The scope that each document of this import has with it.
    pub(super) fn scopes_of(&self, imported: &Imported) -> HashMap<Option<String>, ScopeId> {
        let mut scopes = HashMap::new();
        for found in &imported.entries {
            let document = kept(found.document.as_deref());
            let continued = self.scopes.get(&document).cloned();
            // What has no names within it keeps the scope that it has.
            let latest = || self.memory.scopes_of(document.as_deref()).last().cloned();
            let known = continued.unwrap_or_else(latest).map(|scope| scope.id);
            let fresh = self.fresh.get(&document).copied();
            scopes.extend(known.or(fresh).map(|id| (document, id)));
        }
        scopes
    }

    /// Asks once for each pair of sources of which one would change what the other
    /// brought under a name that reaches everywhere.
    fn compare_sources(&mut self, imported: &Imported) -> Result<(), Error> {
        let mut pairs: BTreeMap<DocumentPair, (Option<String>, Epoch, Tally)> = BTreeMap::new();
        for found in imported.entries.iter().filter(|found| Width::of(found) == Width::Everywhere) {
            let Some(known) = self.known(&found.identity, found)? else { continue };
            let Some(pair) = Self::foreign_pair(&known, found) else { continue };
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
            let question = tally.question(document, (since, time));
            let ids = self.scope_ids(known.as_deref());
            if self.decide(ids, found.clone(), question) == ChangedSource::KeepBeside {
                self.apart.insert((known, found));
            }
        }
        Ok(())
    }

    /// The pair of sources, if another one brought what is known. An address belongs to
    /// one server, whatever the file is called; but what is about another thing now is
    /// asked about wherever it comes from.
    fn foreign_pair(known: &Known, found: &ImportedEntry) -> Option<DocumentPair> {
        let document = document_of(&known.entry);
        let is_own = found.identity.contains("://") || document == found.document.as_deref();
        (!is_own || is_about_another(known, found))
            .then(|| (document.map(str::to_owned), kept(found.document.as_deref())))
    }

    /// The decision about a document and a known one, by the scopes of that: one that was
    /// given, or remembered; else it is asked for.
    pub(super) fn decide(
        &mut self,
        known: Vec<ScopeId>,
        found: Option<String>,
        question: ImportQuestion,
    ) -> ChangedSource {
        let says = |word| self.memory.says_of(word, &known, found.as_deref());
        let decision = match self.decisions.changed_source {
            Some(decision) => decision,
            None if says("accept") => return ChangedSource::Accept,
            None if says("beside") => return ChangedSource::KeepBeside,
            None => {
                self.questions.push(question);
                return ChangedSource::KeepBeside;
            }
        };
        let word = if decision == ChangedSource::Accept { "accept" } else { "beside" };
        self.decided.push(Decided { word, known, found });
        decision
    }

    /// Whether the name of an entry is one within its document.
    fn is_within_document(&self, found: &ImportedEntry) -> Result<bool, Error> {
        Ok(match Width::of(found) {
            Width::Document => true,
            Width::Nowhere => false,
            Width::Everywhere => {
                let known = self.known(&found.identity, found)?;
                let pair = known.as_ref().and_then(|known| Self::foreign_pair(known, found));
                pair.is_some_and(|pair| self.apart.contains(&pair))
            }
        })
    }

    /// The earlier scope that a document continues, if it does.
    fn scope_of(&mut self, document: Option<&str>, found: &[&ImportedEntry]) -> Result<Option<Scope>, Error> {
        let name = kept(document);
        let best = match self.best_scope(found, |scope| scope.document == name)? {
            // The file was renamed: it is told by what is in it.
            None => self
                .best_scope(found, |scope| scope.document != name)?
                .filter(|(tally, _)| tally.is_export_of(found.len()) && !tally.is_harmless()),
            best => best,
        };
        let Some((tally, scope)) = best else { return Ok(None) };
        if tally.known == 0 {
            return Ok(None);
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
        let question = tally.question(document.map(str::to_owned), (scope.number, scope.time));
        let decision = self.decide(vec![scope.id], name, question);
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
            let name = name_of(Some(scope.id), &found.identity);
            if let Some(known) = self.known(&name, found)? {
                tally.count(known.how);
                tally.about_others += usize::from(is_about_another(&known, found));
                tally.is_strangers |= !matches!(known.how, How::Same | How::Fuller)
                    && are_of_two(source_of(&known.entry), source_of(&found.entry))
                    && !self.decisions.patient_is_same;
            }
        }
        Ok(tally)
    }

    /// Whether an entry was expunged, and is to stay away under whatever name.
    fn is_expunged(&self, entry: &Entry) -> bool {
        self.decisions.expunged == Expunged::StayAway && self.tombstones.hold(entry)
    }

    /// The entry of a name, of the kind of the other, in whichever compartment it is.
    fn known(&self, name: &str, found: &ImportedEntry) -> Result<Option<Known>, Error> {
        let mut elsewhere = None;
        for (compartment, ids) in self.names.anywhere(name, found.entry.kind()) {
            let is_own = compartment == found.compartment;
            // What belongs elsewhere is no version of what is in `general`. What is elsewhere
            // stays there.
            if compartment == Compartment::General && !is_own {
                continue;
            }
            let known = self.vaulted.known(compartment, ids, found)?;
            if is_own && known.is_some() {
                return Ok(known);
            }
            elsewhere = elsewhere.or(known);
        }
        Ok(elsewhere)
    }

    /// The entry of this very vault of which an export of it holds what it says or said.
    fn exported(&self, found: &ImportedEntry) -> Result<Option<Verdict>, Error> {
        let Some(id) = found.key.as_deref().and_then(|key| self.vaulted.exported(key)) else {
            return Ok(None);
        };
        let Some((_, entry)) = self.tx.current(id)? else { return Ok(None) };
        if entry.kind() != found.entry.kind() {
            return Ok(None);
        }
        let how = self.vaulted.how(id, &entry, found)?;
        let known = Known { id, entry, how };
        // Whatever a file calls its entry, that changes none.
        let is_harmless = matches!(known.how, How::Same | How::Older | How::Undecided);
        Ok(is_harmless.then(|| match known.how {
            How::Undecided => Verdict::Undecided(id),
            _ => self.continuing(&known, found),
        }))
    }

    fn verdict(&self, found: &ImportedEntry, taken: &mut HashSet<EntryId>) -> Result<Verdict, Error> {
        if let Some(verdict) = self.exported(found)? {
            return Ok(verdict);
        }
        let name = match Width::of(found) {
            Width::Nowhere => name_of_content(&found.entry),
            Width::Everywhere if !self.is_within_document(found)? => found.identity.clone(),
            _ => {
                let document = kept(found.document.as_deref());
                let scope = self.scopes.get(&document).cloned().flatten().map(|scope| scope.id);
                let is_new = scope.is_none();
                let here = self.fresh.get(&document).copied();
                let name = name_of(scope.or(here), &found.identity);
                if is_new || self.known(&name, found)?.is_none() {
                    return self.beside(found, &name, taken);
                }
                name
            }
        };
        match self.known(&name, found)? {
            None => self.add(found, &name, None, taken),
            Some(known) => Ok(self.continuing(&known, found)),
        }
    }

    /// What becomes of an entry that is another version of a known one.
    pub(super) fn continuing(&self, known: &Known, found: &ImportedEntry) -> Verdict {
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
        name: &str,
        taken: &mut HashSet<EntryId>,
    ) -> Result<Verdict, Error> {
        let mut like = None;
        let identities = spellings(found);
        let within = |scope| identities.iter().map(move |identity| name_of(Some(scope), identity));
        let scopes: BTreeSet<ScopeId> = self.memory.scopes.iter().map(|scope| scope.id).collect();
        let others = scopes.into_iter().flat_map(within);
        for other in others.chain([found.identity.clone()]) {
            let Some(known) = self.known(&other, found)? else { continue };
            if matches!(known.how, How::Same | How::Fuller) {
                return Ok(self.continuing(&known, found));
            }
            like = Some(known.id);
        }
        self.add(found, name, like, taken)
    }

    fn add(
        &self,
        found: &ImportedEntry,
        name: &str,
        like: Option<EntryId>,
        taken: &mut HashSet<EntryId>,
    ) -> Result<Verdict, Error> {
        if self.is_expunged(&found.entry) {
            return Ok(Verdict::Expunged);
        }
        let compartment = found.compartment;
        self.tx.snapshot.place(compartment)?;
        let ids = self.names.ids(compartment, name, found.entry.kind())?;
        for id in ids {
            if !taken.contains(&id) && self.tx.current(id)?.is_none() {
                taken.insert(id);
                return Ok(Verdict::Add { id, like, has_its_name: like.is_some() });
            }
        }
        // Things of other kinds have both names, or this import has the same content twice.
        let id = self.names.beside(compartment, ids, found)?;
        let is_new = self.tx.current(id)?.is_none() && taken.insert(id);
        Ok(if is_new && Width::of(found) != Width::Nowhere {
            Verdict::Add { id, like, has_its_name: like.is_some() }
        } else {
            Verdict::Unchanged(id)
        })
    }
}
