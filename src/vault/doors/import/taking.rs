//! Writing what an import brings, as it was judged.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::decisions::Expunged;
use super::documents;
use super::judge::Verdict;
use super::memory::ScopeId;
use super::plan::Plan;
use super::report::ImportReport;
use super::version::{Order, Version};
use crate::classify::compartment_of;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::engine::facts::Action;
use crate::engine::imports::document_of;
use crate::engine::ledger::Line;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{DocumentId, EntryId, Epoch};
use crate::interop::finding::{Finding, FindingReason};
use crate::interop::imported::{Imported, ImportedEntry};
use crate::payload::imports::{DocumentV1, ImportV1};
use crate::record::{Entry, Kind};
use crate::tree::RowKey;

pub(super) struct Taking<'p> {
    plan: &'p Plan,
    expunged: Expunged,
    report: ImportReport,
    /// The entries that get a revision, by compartment and document.
    brought: BTreeMap<(Compartment, Option<String>), BTreeSet<EntryId>>,
    /// The entries that are there and stay as they are.
    known: BTreeSet<EntryId>,
    /// What exports call entries, and which those are here.
    exported: HashMap<&'p str, EntryId>,
    /// Contents that this import stored.
    stored: BTreeSet<(Compartment, ContentDigest)>,
}

/// An id that no entry has, for one that an export names and does not hold: that there is a
/// dispute stays so.
fn nobody(key: &str) -> EntryId {
    let digest = Digest::of(&[b"subrosa import\0nobody\0", key.as_bytes()]);
    let mut id = [0; 16];
    id.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
    EntryId::from_bytes(id)
}

impl<'p> Taking<'p> {
    pub(super) fn new(
        plan: &'p Plan,
        imported: &'p Imported,
        expunged: Expunged,
        report: ImportReport,
    ) -> Self {
        let pairs = imported.entries.iter().zip(&plan.verdicts);
        let exported = pairs.filter_map(|(entry, verdict)| Some((entry.key.as_deref()?, verdict.id()?)));
        Self {
            plan,
            expunged,
            report,
            brought: BTreeMap::new(),
            known: BTreeSet::new(),
            exported: exported.collect(),
            stored: BTreeSet::new(),
        }
    }

    /// The entry as it is put: with the marks that come with it.
    fn with_disputes(&self, imported: &ImportedEntry, mut entry: Entry) -> Entry {
        entry.marks.disputes = imported
            .disputes
            .iter()
            .map(|key| self.exported.get(key.as_str()).copied().unwrap_or_else(|| nobody(key)))
            .collect();
        entry
    }

    /// Stores the contents that come with an entry, each once.
    fn store(
        &mut self,
        tx: &mut Transaction<'_>,
        compartment: Compartment,
        imported: &ImportedEntry,
    ) -> Result<(), Error> {
        for (digest, bytes) in &imported.contents {
            if self.stored.insert((compartment, *digest)) {
                tx.store(compartment, &mut bytes.as_slice())?;
            }
        }
        Ok(())
    }

    /// Notes that a revision of this document is written.
    fn note(&mut self, compartment: Compartment, id: EntryId, entry: &Entry) {
        let document = document_of(entry).map(str::to_owned);
        self.brought.entry((compartment, document)).or_default().insert(id);
    }

    pub(super) fn take(
        &mut self,
        tx: &mut Transaction<'_>,
        imported: &ImportedEntry,
        verdict: Verdict,
    ) -> Result<(), Error> {
        if self.expunged == Expunged::TakeAgain {
            for version in imported.earlier.iter().chain([&imported.entry]) {
                tx.lift_tombstones(&self.plan.tombstones.of(version))?;
            }
        }
        match verdict {
            Verdict::Unchanged(id) => {
                self.report.unchanged += 1;
                self.known.insert(id);
                self.confirm(tx, imported, id)?;
            }
            Verdict::Older(id) => {
                self.report.older.push(id);
                self.known.insert(id);
                self.confirm(tx, imported, id)?;
            }
            Verdict::Undecided(id) => {
                self.report.undecided.push(id);
                self.known.insert(id);
                self.confirm(tx, imported, id)?;
            }
            Verdict::Expunged => self.report.expunged_before += 1,
            Verdict::Amend(id) => self.amend(tx, imported, id)?,
            Verdict::Add { id, like, has_its_name } => {
                self.report.perhaps_same.extend(like.map(|like| (like, id)));
                if has_its_name {
                    self.tell_beside(&imported.identity);
                }
                self.add(tx, imported, id)?;
            }
        }
        Ok(())
    }

    fn marked(&self, entry: &Entry) -> Entry {
        let mut entry = entry.clone();
        entry.marks.same_person |= self.plan.same_person && entry.kind() == Kind::Patient;
        entry
    }

    /// Marks a patient entry that is there, and stays as it is, as of the same person.
    fn confirm(
        &mut self,
        tx: &mut Transaction<'_>,
        imported: &ImportedEntry,
        id: EntryId,
    ) -> Result<(), Error> {
        let is_patient = imported.entry.kind() == Kind::Patient;
        if !self.plan.same_person || !is_patient || tx.is_put(imported.compartment, id) {
            return Ok(());
        }
        match tx.current(id)? {
            Some((compartment, known)) if !known.marks.same_person => {
                tx.amend(id, &self.marked(&known), "confirmed to be of the same person")?;
                self.note(compartment, id, &known);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn amend(
        &mut self,
        tx: &mut Transaction<'_>,
        imported: &ImportedEntry,
        id: EntryId,
    ) -> Result<(), Error> {
        if let Some((compartment, known)) = tx.current(id)? {
            self.store(tx, compartment, imported)?;
            // What was decided about the entry here stays decided.
            let marked = |entry: &Entry| Entry { marks: known.marks.clone(), ..entry.clone() };
            let version = Version::of(&known);
            for earlier in self.taken(&imported.earlier) {
                let is_between = Version::of(earlier).against(&version, tx.time) == Order::Newer;
                if is_between && compartment_of(earlier) == compartment {
                    tx.amend_from_source(id, &marked(earlier))?;
                    self.note(compartment, id, earlier);
                }
            }
            tx.amend_from_source(id, &self.marked(&marked(&imported.entry)))?;
            self.note(compartment, id, &imported.entry);
            self.report.amended.push(id);
        }
        Ok(())
    }

    /// The versions that need not stay away.
    fn taken<'e>(&self, versions: &'e [Entry]) -> Vec<&'e Entry> {
        let stays_away =
            |version: &Entry| self.expunged == Expunged::StayAway && self.plan.tombstones.hold(version);
        versions.iter().filter(|version| !stays_away(version)).collect()
    }

    fn add(&mut self, tx: &mut Transaction<'_>, imported: &ImportedEntry, id: EntryId) -> Result<(), Error> {
        let entry = self.with_disputes(imported, self.marked(&imported.entry));
        let compartment = imported.compartment;
        self.store(tx, compartment, imported)?;
        let earlier = self.taken(&imported.earlier);
        tx.keep_identity_key(&self.plan.keys, compartment)?;
        tx.add_with_history(compartment, id, &earlier, &entry)?;
        earlier.into_iter().chain([&entry]).for_each(|version| self.note(compartment, id, version));
        match entry.kind() {
            Kind::Other => self.report.kept_raw.push(id),
            _ => self.report.added.push(id),
        }
        Ok(())
    }

    /// An entry is kept beside another source's of the same identity.
    fn tell_beside(&mut self, identity: &str) {
        let path = identity.rsplit('/').nth(1).unwrap_or("Resource").to_owned();
        let reason = FindingReason::SameIdentity;
        let findings = &mut self.report.findings;
        match findings.iter_mut().find(|found| found.path == path && found.reason == reason) {
            Some(found) => found.count += 1,
            None => findings.push(Finding { path, reason, count: 1 }),
        }
    }

    pub(super) fn finish(
        mut self,
        tx: &mut Transaction<'_>,
        imported: &Imported,
    ) -> Result<ImportReport, Error> {
        let is_new = !self.report.added.is_empty() || !self.report.kept_raw.is_empty();
        let mut imports: BTreeMap<Compartment, ImportV1> = BTreeMap::new();
        for ((compartment, name), entries) in std::mem::take(&mut self.brought) {
            let scope = self.scope_of(tx, &name)?;
            let document = DocumentV1 { name, scope, entries: entries.len() as u64 };
            let import = imports.entry(compartment).or_insert_with(|| ImportV1 {
                documents: Vec::new(),
                answers: self.plan.answers.clone(),
                unnamed: self.plan.unnamed.clone().filter(|_| is_new),
            });
            import.documents.push(document);
        }
        let epoch = tx.epoch();
        for (compartment, import) in &imports {
            tx.put_import(*compartment, epoch, import)?;
        }
        let id_of = |compartment: Compartment, name: &Option<String>| {
            imports.get(&compartment)?.scope_of(name).map(DocumentId::from_bytes)
        };
        let taken: Vec<_> = self.plan.verdicts.iter().map(Verdict::id).collect();
        for (compartment, documents) in documents::kept(tx, imported, &taken, id_of)? {
            tx.put_documents(compartment, &documents)?;
        }
        let mut concerned: BTreeSet<Compartment> = imports.into_keys().collect();
        if concerned.is_empty() && !self.plan.answers.is_empty() {
            concerned = self.remember_beside_known(tx)?;
        }
        for compartment in &concerned {
            tx.log(*compartment, Line::of(Action::Imported, tx.actor));
        }
        if !concerned.is_empty() {
            self.report.number = Some(epoch);
            tx.announce(Action::Imported);
        }
        Ok(self.report)
    }

    /// The scope of a document; of one of which a known entry is, that which it has.
    fn scope_of(&self, tx: &mut Transaction<'_>, document: &Option<String>) -> Result<ScopeId, Error> {
        let known = || self.plan.memory.scopes_of(document.as_deref()).last().map(|scope| scope.id);
        match self.plan.scopes.get(document).copied().or_else(known) {
            Some(scope) => Ok(scope),
            None => Ok(tx.work.random.bytes()?),
        }
    }

    /// Keeps the answers to an import that wrote nothing with what brought the entries that it
    /// found. Gives the compartments.
    fn remember_beside_known(&self, tx: &mut Transaction<'_>) -> Result<BTreeSet<Compartment>, Error> {
        let mut brought_by: BTreeSet<(Compartment, Epoch)> = BTreeSet::new();
        for id in &self.known {
            let (compartment, current) = tx.entry_row(*id)?;
            brought_by.insert((compartment, current.epoch));
            for revision in 1..current.revision {
                let row = tx.row(compartment, &RowKey::revision(*id, revision))?;
                brought_by.extend(row.map(|row| (compartment, row.epoch)));
            }
        }
        let mut concerned = BTreeSet::new();
        for (compartment, epoch, mut import) in tx.reader().import_rows()? {
            if brought_by.contains(&(compartment, epoch)) {
                import.answers.extend(self.plan.answers.iter().cloned());
                tx.put_import(compartment, epoch, &import)?;
                concerned.insert(compartment);
            }
        }
        Ok(concerned)
    }
}
