//! Taking an import into the vault: what is new is added, what changed gets a
//! new revision, what is the same stays, and what was expunged stays away.

use std::collections::HashSet;

mod decisions;

pub use decisions::{ChangedSource, ImportDecisions};

use super::Vault;
use super::core::View;
use super::ledger::{Action, Line, LineState};
use super::options::Actor;
use super::transaction::{Transaction, compartment_of};
use crate::crypto::digest::Digest;
use crate::crypto::key::IdentityKey;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::interop::fhir::{Finding, FindingReason, Imported, ImportedEntry, are_of_two, beside, is_global};
use crate::record::{Entry, Kind};

/// What became of an import.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ImportReport {
    /// Entries that were added with a kind of their own.
    pub added: Vec<EntryId>,
    /// Entries that were added as they came, because nothing maps them.
    pub kept_raw: Vec<EntryId>,
    /// Entries that changed in their source and got a new revision.
    pub amended: Vec<EntryId>,
    /// How many were there already, byte for byte.
    pub unchanged: usize,
    /// How many were expunged from this vault before and were not taken again.
    pub expunged_before: usize,
    /// How many repeat another of the same import byte for byte.
    pub repetitions: usize,
    /// How many are about other patients than the chosen one.
    pub other_patients: usize,
    /// What a reader may rely on and no field carries.
    pub findings: Vec<Finding>,
}

/// What to do with entries that were expunged from the vault before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expunged {
    /// They stay away.
    #[default]
    StayAway,
    /// They are taken again.
    TakeAgain,
}

impl Vault {
    /// Takes an import into the vault, as one commit, where nothing about it is in doubt.
    ///
    /// # Errors
    /// [`Error::ImportAsks`] and as [`Vault::update`].
    pub fn import(&self, actor: &Actor, imported: &Imported) -> Result<ImportReport, Error> {
        self.import_with(actor, imported, &ImportDecisions::default(), |_, _| {})
    }

    /// Takes an import into the vault, as one commit, by these decisions.
    ///
    /// `progress` is called with the number of entries done and of all.
    ///
    /// # Errors
    /// [`Error::ImportAsks`] where a decision is missing, and as [`Vault::update`]:
    /// nothing is written then.
    pub fn import_with(
        &self,
        actor: &Actor,
        imported: &Imported,
        decisions: &ImportDecisions,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<ImportReport, Error> {
        let expunged = decisions.expunged;
        let committed = self.update(actor, |tx| {
            // Judged on the state that the commit starts from, under the writer's lock.
            let key = tx.view().identity_key()?;
            let away = match expunged {
                Expunged::StayAway => tx.view().expunged_ids()?,
                Expunged::TakeAgain => HashSet::new(),
            };
            let report = ImportReport { findings: imported.findings.clone(), ..ImportReport::default() };
            let mut taking = Taking {
                key: &key,
                away: &away,
                takes_again: expunged == Expunged::TakeAgain,
                strangers: Default::default(),
                put: HashSet::new(),
                report,
            };
            taking.meet(tx, imported)?;
            for (done, entry) in imported.entries.iter().enumerate() {
                progress(done, imported.entries.len());
                taking.take(tx, entry)?;
            }
            progress(imported.entries.len(), imported.entries.len());
            Ok(taking.finish(tx, imported))
        })?;
        Ok(committed.value)
    }
}

impl View<'_> {
    fn expunged_ids(&self) -> Result<HashSet<EntryId>, Error> {
        let mut ids = HashSet::new();
        for line in self.all_ledger_lines()? {
            if let LineState::Whole { action: Action::Expunged, subjects, .. } = line.state {
                ids.extend(subjects);
            }
        }
        Ok(ids)
    }
}

struct Taking<'a> {
    key: &'a IdentityKey,
    away: &'a HashSet<EntryId>,
    /// Whether an entry that was expunged may come in again.
    takes_again: bool,
    /// The documents whose patient is not the one known under the same identity, by
    /// the name that the known one has: of several sources, each stays with its own.
    strangers: [HashSet<Option<String>>; 2],
    /// What this import puts, which can be read only after its commit.
    put: HashSet<EntryId>,
    report: ImportReport,
}

/// What stands under a name.
enum Known {
    Nothing,
    Stored(Compartment, Box<Entry>),
    /// Another resource of this import.
    Put,
}

/// The names of an entry, each of which makes an id: the identity; that of its kind,
/// where something else has the first; that of its content, where another source has both.
struct Names {
    ids: [EntryId; 3],
    /// Another resource of this import has the first.
    is_beside: bool,
}

impl Names {
    fn of(key: &IdentityKey, imported: &ImportedEntry) -> Self {
        let digest = Digest::of(&[source_of(&imported.entry)]);
        let named = &imported.identity;
        let identity = named.strip_suffix(&beside("", &digest)).unwrap_or(named);
        let of_kind = format!("{} {identity}", imported.entry.kind().name());
        let ids = [identity, &of_kind, &beside(identity, &digest)];
        Self {
            ids: ids.map(|name| EntryId::from_bytes(key.derive_id(name.as_bytes()))),
            is_beside: identity != named,
        }
    }
}

fn source_of(entry: &Entry) -> &[u8] {
    entry.source.as_ref().map_or(&[], |source| &source.bytes)
}

fn document_of(entry: &Entry) -> Option<String> {
    entry.provenance.document.as_ref().map(|document| document.as_str().to_owned())
}

/// Whether an entry that is known may be an older version of one that has no more than
/// `Type/id` in common with it: from a document of one name, about one patient.
fn may_be_older(known: &Entry, entry: &Entry, strangers: &HashSet<Option<String>>) -> bool {
    known.provenance.document == entry.provenance.document
        && !strangers.contains(&document_of(entry))
        && !are_of_two(source_of(known), source_of(entry))
}

impl Taking<'_> {
    /// Finds the documents of strangers.
    fn meet(&mut self, tx: &Transaction<'_>, imported: &Imported) -> Result<(), Error> {
        for patient in imported.entries.iter().filter(|entry| entry.entry.kind() == Kind::Patient) {
            let ids = Names::of(self.key, patient).ids;
            for (id, strangers) in ids.iter().zip(&mut self.strangers) {
                if let Some((_, known)) = tx.current(*id)?
                    && are_of_two(source_of(&known), source_of(&patient.entry))
                {
                    strangers.insert(document_of(&patient.entry));
                }
            }
        }
        Ok(())
    }

    fn known(&self, tx: &Transaction<'_>, id: EntryId) -> Result<Known, Error> {
        if self.put.contains(&id) {
            return Ok(Known::Put);
        }
        let stored = |(compartment, entry)| Known::Stored(compartment, Box::new(entry));
        Ok(tx.current(id)?.map_or(Known::Nothing, stored))
    }

    fn take(&mut self, tx: &mut Transaction<'_>, imported: &ImportedEntry) -> Result<(), Error> {
        let entry = &imported.entry;
        let names = Names::of(self.key, imported);
        let [first, ..] = names.ids;
        let mut known = [Known::Nothing, Known::Nothing, Known::Nothing];
        for (id, known) in names.ids.iter().zip(&mut known) {
            *known = self.known(tx, *id)?;
            match known {
                Known::Stored(_, known) if known.source == entry.source => {
                    self.report.unchanged += 1;
                    return Ok(());
                }
                // Where nothing ever had the first name, nothing has the others.
                Known::Nothing if *id == first && !self.takes_again && !self.away.contains(id) => break,
                _ => {}
            }
        }
        if !names.is_beside && self.revise(tx, imported, &names, &known)? {
            return Ok(());
        }
        self.settle(tx, entry, &names, &known)
    }

    /// Amends the entry that this is a newer version of, if there is one.
    fn revise(
        &mut self,
        tx: &mut Transaction<'_>,
        imported: &ImportedEntry,
        names: &Names,
        known: &[Known; 3],
    ) -> Result<bool, Error> {
        let entry = &imported.entry;
        let mut is_beside = false;
        for ((id, known), strangers) in names.ids.iter().zip(known).zip(&self.strangers) {
            let Known::Stored(compartment, known) = known else { continue };
            if known.kind() != entry.kind() || *compartment != compartment_of(entry) {
                continue;
            }
            if is_global(&imported.identity) || may_be_older(known, entry, strangers) {
                // What was decided about the entry here stays decided.
                let entry = Entry { marks: known.marks.clone(), ..entry.clone() };
                tx.amend(*id, &entry, "changed in its source")?;
                self.put.insert(*id);
                self.report.amended.push(*id);
                return Ok(true);
            }
            is_beside = true;
        }
        if is_beside {
            self.tell_beside(&imported.identity);
        }
        Ok(false)
    }

    /// Adds the entry under the first name that is free, unless what had that name
    /// was expunged.
    fn settle(
        &mut self,
        tx: &mut Transaction<'_>,
        entry: &Entry,
        names: &Names,
        known: &[Known; 3],
    ) -> Result<(), Error> {
        let skipped = if names.is_beside { names.ids.len() - 1 } else { 0 };
        let free =
            names.ids.iter().zip(known).skip(skipped).find(|(_, known)| matches!(known, Known::Nothing));
        match free {
            Some((id, _)) if self.away.contains(id) => {
                self.report.expunged_before += 1;
                Ok(())
            }
            Some((id, _)) => self.add(tx, *id, entry),
            None => {
                let id = tx.draw_id()?;
                self.add(tx, id, entry)
            }
        }
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

    fn add(&mut self, tx: &mut Transaction<'_>, id: EntryId, entry: &Entry) -> Result<(), Error> {
        tx.add_as(compartment_of(entry), id, entry)?;
        self.put.insert(id);
        match entry.kind() {
            Kind::Other => self.report.kept_raw.push(id),
            _ => self.report.added.push(id),
        }
        Ok(())
    }

    fn finish(mut self, tx: &mut Transaction<'_>, imported: &Imported) -> ImportReport {
        for compartment in Compartment::HOLDING_ENTRIES {
            let ids: Vec<EntryId> = tx.added_in(compartment);
            if !ids.is_empty() {
                tx.log(compartment, Line::about(Action::Imported, tx.actor, None, ids));
            }
        }
        self.report.repetitions = imported.repetitions;
        self.report.other_patients = imported.left_out.other_patients;
        self.report
    }
}
