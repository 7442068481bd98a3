//! Taking an import into the vault: what is new is added, what changed gets a
//! new revision, what is the same stays, and what was expunged stays away.
//!
//! Everything is judged before anything is written. Where a person has to decide, the
//! questions come back and nothing is written.

mod answers;
mod decisions;
mod judge;
mod memory;
mod names;
mod person;
mod taking;
mod version;

pub use decisions::{ChangedSource, Expunged, ImportDecisions};

use self::judge::{Judge, Verdict};
use self::memory::Memory;
use self::names::Names;
use self::person::{Before, Patients, Whose};
use self::taking::Taking;
use super::Vault;
use super::core::View;
use super::options::Actor;
use super::release::holder_of;
use super::transaction::Transaction;
use crate::crypto::key::IdentityKey;
use crate::error::Error;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::{Finding, Imported, LeftOut};
use crate::record::Person;
use std::collections::HashSet;

/// What became of an import.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ImportReport {
    /// The import's number, by which it can be undone; `None` where nothing was written.
    pub number: Option<Epoch>,
    /// Whom the input is about, as it says.
    pub person: Option<Person>,
    /// The documents that it consists of, in order: bundles' ids or names of files.
    pub sources: Vec<String>,
    /// Entries that were added with a kind of their own.
    pub added: Vec<EntryId>,
    /// Entries that were added as they came, because nothing maps them.
    pub kept_raw: Vec<EntryId>,
    /// Entries that changed in their source and got a new revision.
    pub amended: Vec<EntryId>,
    /// How many were there already, byte for byte.
    pub unchanged: usize,
    /// Entries of which the input has an older version than the vault: it was not taken.
    pub older: Vec<EntryId>,
    /// Entries of which the input has another version, and nothing says which is the
    /// newer one: the vault's stays. [`ChangedSource::Accept`] takes the input's.
    pub undecided: Vec<EntryId>,
    /// Entries that were added beside one that another source gave the same name: the
    /// earlier one first. Perhaps they are the same.
    pub perhaps_same: Vec<(EntryId, EntryId)>,
    /// How many were expunged from this vault before and were not taken again.
    pub expunged_before: usize,
    /// How many repeat another of the same import byte for byte.
    pub repetitions: usize,
    /// How many are about other patients than the chosen one.
    pub other_patients: usize,
    /// How many resources were left out, by reason.
    pub left_out: LeftOut,
    /// How many questions about this import were decided now.
    pub decided: usize,
    /// What a reader may rely on and no field carries.
    pub findings: Vec<Finding>,
}

/// The counts, without names.
impl std::fmt::Debug for ImportReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut report = f.debug_struct("ImportReport");
        report.field("number", &self.number).field("added", &self.added.len());
        report.field("kept_raw", &self.kept_raw.len()).field("amended", &self.amended.len());
        report.field("unchanged", &self.unchanged).field("left_out", &self.left_out);
        report.field("findings", &self.findings.len()).finish_non_exhaustive()
    }
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
        let committed = self.update(actor, |tx| {
            // Judged on the state that the commit starts from, under the writer's lock.
            let plan = judged(tx, imported, decisions)?;
            let mut taking = Taking::new(&plan, ImportReport::before(imported, &plan));
            for (done, (entry, verdict)) in imported.entries.iter().zip(&plan.verdicts).enumerate() {
                progress(done, imported.entries.len());
                taking.take(tx, entry, *verdict)?;
            }
            progress(imported.entries.len(), imported.entries.len());
            taking.finish(tx)
        })?;
        Ok(committed.value)
    }
}

impl View<'_> {
    /// Whether nothing says that imports are of several people: those that only refer to
    /// their patient were confirmed, or are of one whom no imported record describes.
    pub(super) fn imports_are_of_one(&self, is_described: bool) -> Result<bool, Error> {
        let memory = Memory::of(self)?;
        let unconfirmed: HashSet<&str> =
            memory.unconfirmed().map(|unnamed| unnamed.answer.as_str()).collect();
        Ok(unconfirmed.is_empty() || (!is_described && unconfirmed.len() == 1))
    }
}

/// What an import will do.
struct Plan {
    verdicts: Vec<Verdict>,
    /// Keyed digests of the documents whose names get a scope with this import.
    sources: Vec<String>,
    answers: Vec<String>,
    /// How the input's patient is remembered, where nothing describes them.
    unnamed: Option<String>,
    /// The owner confirmed that another description is of the vault's patient.
    same_person: bool,
    key: IdentityKey,
    /// Keyed digests of contents that stay away.
    away: HashSet<String>,
}

fn judged(tx: &Transaction<'_>, imported: &Imported, decisions: &ImportDecisions) -> Result<Plan, Error> {
    let view = tx.view();
    let key = view.identity_key()?;
    let memory = Memory::of(&view)?;
    let answer = person::answer(&Names(&key), imported);
    let record = view.vault_record()?;
    let before = Before { names: &Names(&key), memory: &memory, holder: holder_of(&record) };
    let whose = Patients::of(&view)?.compare(imported, &before);
    let is_described = imported.person.as_ref().is_some_and(|person| !person.is_nameless());
    let is_unnamed = !is_described && !imported.person_identities.is_empty();
    // Who confirms it unasked is not asked later either.
    let volunteers = is_unnamed && decisions.patient_is_same && !memory.says(&answer);
    let unnamed = match &whose {
        Whose::Theirs { is_shown: false } if is_unnamed && !volunteers && !memory.says(&answer) => {
            Some(person::unnamed(&Names(&key), imported))
        }
        _ => None,
    };
    let asks = matches!(whose, Whose::Asks(_));
    let was_confirmed = asks && memory.says(&answer);
    let is_confirmed = asks && (decisions.patient_is_same || was_confirmed);
    let is_shown = is_confirmed || matches!(whose, Whose::Theirs { is_shown: true });
    let mut judge = Judge::new(tx, Names(&key), &memory, decisions, is_shown)?;
    let verdicts = judge.verdicts(imported)?;
    let sources = judge.new_scopes().into_iter().map(str::to_owned).collect();
    let Judge { mut questions, mut answers, .. } = judge;
    match whose {
        Whose::Asks(question) if !is_confirmed => questions.insert(0, question),
        Whose::Asks(_) if !was_confirmed => {
            answers.push(answer);
            // Whoever says that this is the vault's patient says it of those before.
            answers.extend(memory.unconfirmed().map(|unnamed| unnamed.answer.clone()));
        }
        _ if volunteers => answers.push(answer),
        _ if is_described => answers.extend(person::recognized(&Names(&key), imported, &memory)),
        _ => {}
    }
    if !questions.is_empty() {
        return Err(Error::ImportAsks { questions });
    }
    answers.retain(|answer| !memory.says(answer));
    answers.sort_unstable();
    answers.dedup();
    let away = match decisions.expunged {
        Expunged::StayAway => memory.expunged_contents,
        Expunged::TakeAgain => HashSet::new(),
    };
    Ok(Plan { verdicts, sources, answers, unnamed, same_person: is_confirmed, key, away })
}

impl ImportReport {
    fn before(imported: &Imported, plan: &Plan) -> Self {
        let mut sources: Vec<String> = Vec::new();
        for document in imported.entries.iter().filter_map(|entry| entry.document.as_ref()) {
            if !sources.contains(document) {
                sources.push(document.clone());
            }
        }
        Self {
            person: imported.person.clone(),
            sources,
            repetitions: imported.repetitions,
            other_patients: imported.left_out.other_patients,
            left_out: imported.left_out,
            decided: plan.answers.len(),
            findings: imported.findings.clone(),
            ..Self::default()
        }
    }
}
