//! Taking an import into the vault: what is new is added, what changed gets a
//! new revision, what is the same stays, and what was expunged stays away.

use std::collections::HashSet;

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
use crate::interop::fhir::{Finding, Imported, ImportedEntry};
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
    /// Takes an import into the vault, as one commit.
    ///
    /// `progress` is called with the number of entries done and of all.
    ///
    /// # Errors
    /// As [`Vault::update`].
    pub fn import(
        &self,
        actor: &Actor,
        imported: &Imported,
        expunged: Expunged,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<ImportReport, Error> {
        let committed = self.update(actor, |tx| {
            // Judged on the state that the commit starts from, under the writer's lock.
            let key = tx.view().identity_key()?;
            let away = match expunged {
                Expunged::StayAway => tx.view().expunged_ids()?,
                Expunged::TakeAgain => HashSet::new(),
            };
            let mut taking = Taking { key: &key, away: &away, report: ImportReport::default() };
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
    report: ImportReport,
}

/// What became of one entry under one id.
enum Place {
    Taken,
    /// Another source uses the same identity for something else.
    Occupied,
}

impl Taking<'_> {
    fn take(&mut self, tx: &mut Transaction<'_>, imported: &ImportedEntry) -> Result<(), Error> {
        let entry = &imported.entry;
        let digest = entry.source.as_ref().map(|source| Digest::of(&[&source.bytes]).to_string());
        let of_kind = format!("{} {}", entry.kind().name(), imported.identity);
        let of_content = format!("{of_kind} {}", digest.unwrap_or_default());
        for identity in [&imported.identity, &of_kind, &of_content] {
            let id = EntryId::from_bytes(self.key.derive_id(identity.as_bytes()));
            if let Place::Taken = self.take_as(tx, id, entry)? {
                return Ok(());
            }
        }
        let id = tx.draw_id()?;
        self.add(tx, id, entry)
    }

    fn take_as(&mut self, tx: &mut Transaction<'_>, id: EntryId, entry: &Entry) -> Result<Place, Error> {
        if self.away.contains(&id) {
            self.report.expunged_before += 1;
            return Ok(Place::Taken);
        }
        let Some((compartment, known)) = tx.current(id)? else {
            return self.add(tx, id, entry).map(|()| Place::Taken);
        };
        if known.source == entry.source {
            self.report.unchanged += 1;
        } else if known.kind() == entry.kind() && compartment == compartment_of(entry) {
            // What was decided about the entry here stays decided.
            let entry = Entry { marks: known.marks, ..entry.clone() };
            tx.amend(id, &entry, "changed in its source")?;
            self.report.amended.push(id);
        } else {
            return Ok(Place::Occupied);
        }
        Ok(Place::Taken)
    }

    fn add(&mut self, tx: &mut Transaction<'_>, id: EntryId, entry: &Entry) -> Result<(), Error> {
        tx.add_as(compartment_of(entry), id, entry)?;
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
        self.report.other_patients = imported.other_patients;
        self.report.findings = imported.findings.clone();
        self.report
    }
}
