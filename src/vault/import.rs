//! Taking an import into the vault: what is new is added, what changed gets a
//! new revision, what is the same stays, and what was expunged stays away.
//!
//! Everything is judged before anything is written. Where a person has to decide, the
//! questions come back and nothing is written.

mod decisions;
mod judge;
mod memory;
mod names;
mod person;
mod version;

pub use decisions::{ChangedSource, ImportDecisions};

use self::judge::{Judge, Verdict};
use self::memory::Memory;
use self::names::Names;
use self::person::{Patients, Whose};
use super::Vault;
use super::ledger::{Action, Detail, Line};
use super::options::Actor;
use super::transaction::{Transaction, compartment_of};
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::{Finding, FindingReason, Imported, ImportedEntry, LeftOut};
use crate::record::{Entry, Kind, Person};

/// What became of an import.
#[derive(Debug, Clone, Default)]
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
        let committed = self.update(actor, |tx| {
            // Judged on the state that the commit starts from, under the writer's lock.
            let plan = judged(tx, imported, decisions)?;
            let mut taking =
                Taking { same_person: plan.same_person, report: ImportReport::before(imported, &plan) };
            for (done, (entry, verdict)) in imported.entries.iter().zip(&plan.verdicts).enumerate() {
                progress(done, imported.entries.len());
                taking.take(tx, entry, *verdict)?;
            }
            progress(imported.entries.len(), imported.entries.len());
            taking.finish(tx, &plan)
        })?;
        let mut report = committed.value;
        let is_written =
            !report.added.is_empty() || !report.kept_raw.is_empty() || !report.amended.is_empty();
        report.number = is_written.then_some(committed.epoch);
        Ok(report)
    }

    /// Forgets what was answered to imports: what was confirmed once is asked again.
    /// Gives the number of answers.
    ///
    /// # Errors
    /// As [`Vault::update`].
    pub fn forget_import_answers(&self, actor: &Actor) -> Result<usize, Error> {
        let committed = self.update(actor, |tx| {
            let answers = Memory::of(&tx.view())?.answers();
            if answers > 0 {
                tx.log(Compartment::General, Line::about(Action::AnswersForgotten, actor, None, []));
            }
            Ok(answers)
        })?;
        Ok(committed.value)
    }
}

/// What an import will do.
struct Plan {
    verdicts: Vec<Verdict>,
    /// Keyed digests of the documents whose names get a scope with this import.
    sources: Vec<String>,
    answers: Vec<String>,
    /// The owner confirmed that another description is of the vault's patient.
    same_person: bool,
}

fn judged(tx: &Transaction<'_>, imported: &Imported, decisions: &ImportDecisions) -> Result<Plan, Error> {
    let view = tx.view();
    let key = view.identity_key()?;
    let memory = Memory::of(&view)?;
    let answer = person::answer(&Names(&key), imported);
    let whose = Patients::of(&view)?.compare(imported);
    let asks = matches!(whose, Whose::Asks(_));
    let was_confirmed = asks && memory.says(&answer);
    let is_confirmed = asks && (decisions.patient_is_same || was_confirmed);
    let is_shown = is_confirmed || matches!(whose, Whose::Theirs { is_shown: true });
    let mut judge = Judge::new(tx, Names(&key), &memory, decisions, is_shown);
    let verdicts = judge.verdicts(imported)?;
    let sources = judge.new_scopes().into_iter().map(str::to_owned).collect();
    let Judge { mut questions, mut answers, .. } = judge;
    match whose {
        Whose::Asks(question) if !is_confirmed => questions.insert(0, question),
        Whose::Asks(_) if !was_confirmed => answers.push(answer),
        _ => {}
    }
    if !questions.is_empty() {
        return Err(Error::ImportAsks { questions });
    }
    answers.retain(|answer| !memory.says(answer));
    Ok(Plan { verdicts, sources, answers, same_person: is_confirmed })
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

struct Taking {
    same_person: bool,
    report: ImportReport,
}

impl Taking {
    fn take(
        &mut self,
        tx: &mut Transaction<'_>,
        imported: &ImportedEntry,
        verdict: Verdict,
    ) -> Result<(), Error> {
        match verdict {
            Verdict::Unchanged => self.report.unchanged += 1,
            Verdict::Older(id) => self.report.older.push(id),
            Verdict::Undecided(id) => self.report.undecided.push(id),
            Verdict::Expunged => self.report.expunged_before += 1,
            Verdict::Amend(id) => self.amend(tx, imported, id)?,
            Verdict::Add { id, like } => {
                if let Some(like) = like {
                    self.report.perhaps_same.push((like, id));
                    self.tell_beside(&imported.identity);
                }
                self.add(tx, imported, id)?;
            }
        }
        Ok(())
    }

    fn marked(&self, entry: &Entry) -> Entry {
        let mut entry = entry.clone();
        entry.marks.same_person |= self.same_person && entry.kind() == Kind::Patient;
        entry
    }

    fn amend(
        &mut self,
        tx: &mut Transaction<'_>,
        imported: &ImportedEntry,
        id: EntryId,
    ) -> Result<(), Error> {
        if let Some((_, known)) = tx.current(id)? {
            // What was decided about the entry here stays decided.
            let entry = Entry { marks: known.marks, ..imported.entry.clone() };
            tx.amend(id, &self.marked(&entry), "changed in its source")?;
            self.report.amended.push(id);
        }
        Ok(())
    }

    fn add(&mut self, tx: &mut Transaction<'_>, imported: &ImportedEntry, id: EntryId) -> Result<(), Error> {
        let entry = self.marked(&imported.entry);
        tx.add_with_history(compartment_of(&entry), id, &imported.earlier, &entry)?;
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

    fn finish(self, tx: &mut Transaction<'_>, plan: &Plan) -> Result<ImportReport, Error> {
        let new = [&self.report.added, &self.report.kept_raw].map(|ids| ids.iter().copied());
        let new: Vec<EntryId> = new.into_iter().flatten().collect();
        for compartment in Compartment::HOLDING_ENTRIES {
            let ids: Vec<EntryId> = new.iter().copied().filter(|id| tx.is_put(compartment, *id)).collect();
            if !ids.is_empty() {
                tx.log(compartment, Line::about(Action::Imported, tx.actor, None, ids));
            }
        }
        let sources = if new.is_empty() { &[][..] } else { &plan.sources[..] };
        let is_remembered = !sources.is_empty() || !plan.answers.is_empty();
        if is_remembered || !self.report.amended.is_empty() {
            for (detail, texts) in [(Detail::Source, sources), (Detail::Answer, &plan.answers[..])] {
                for texts in texts.chunks(DIGESTS_IN_A_LINE) {
                    let line = Line::about(Action::Imported, tx.actor, None, []);
                    tx.log(Compartment::General, line.with(detail, &texts.join(" ")));
                }
            }
            if !is_remembered {
                tx.log(Compartment::General, Line::about(Action::Imported, tx.actor, None, []));
            }
        }
        Ok(self.report)
    }
}

/// Digests have 32 digits, and a detail of a line at most 16 KiB.
const DIGESTS_IN_A_LINE: usize = 256;
