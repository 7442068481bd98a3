//! Taking an import into the vault: what is new is added, what changed gets a
//! new revision, what is the same stays, and what was expunged stays away.
//!
//! Everything is judged before anything is written. Where a person has to decide, the
//! questions come back and nothing is written.

mod alike;
pub(crate) mod answers;
mod decisions;
mod deleted;
mod documents;
mod judge;
mod known;
mod memory;
mod names;
mod person;
mod plan;
mod recognize;
mod remembered;
mod report;
mod taking;
mod tally;
mod version;

pub use decisions::{ChangedSource, Expunged, ImportDecisions};
pub use report::ImportReport;

use self::judge::{Decided, Judge};
use self::memory::{Memory, Statement};
use self::names::Names;
use self::person::{Before, OtherNames, Patients, Whose};
use self::plan::Plan;
use self::remembered::Remembered;
use self::taking::Taking;
use crate::engine::actor::Actor;
use crate::engine::core::StateReader;
use crate::engine::identity::IdentityKeys;
use crate::engine::transaction::Transaction;
use crate::engine::vault_record::holder_of;
use crate::error::Error;
use crate::interop::finding::{Finding, FindingReason};
use crate::interop::imported::Imported;
use crate::payload::imports::AnswerV1;
use crate::vault::session::handle::Session;
use std::collections::BTreeSet;

pub(crate) fn import(session: &Session, actor: &Actor, imported: &Imported) -> Result<ImportReport, Error> {
    import_with(session, actor, imported, &ImportDecisions::default(), |_, _| {})
}

pub(crate) fn import_with(
    session: &Session,
    actor: &Actor,
    imported: &Imported,
    decisions: &ImportDecisions,
    mut progress: impl FnMut(usize, usize),
) -> Result<ImportReport, Error> {
    let committed = session.update(actor, |tx| {
        // Judged on the state that the commit starts from, under the writer's lock.
        let keys = tx.identity_keys()?;
        let before = Remembered::of(tx, imported)?;
        let plan = judged(tx, keys, before, imported, decisions)?;
        let mut taking =
            Taking::new(&plan, imported, decisions.expunged, ImportReport::before(imported, &plan));
        for (done, (entry, verdict)) in imported.entries.iter().zip(&plan.verdicts).enumerate() {
            progress(done, imported.entries.len());
            taking.take(tx, entry, *verdict)?;
        }
        progress(imported.entries.len(), imported.entries.len());
        taking.finish(tx, imported)
    })?;
    Ok(committed.value)
}

impl StateReader<'_> {
    /// Whether everybody to whom imports only refer was confirmed to be the vault's patient.
    pub(crate) fn imports_are_confirmed(&self) -> Result<bool, Error> {
        Ok(Memory::of(self)?.unconfirmed().next().is_none())
    }
}

fn judged(
    tx: &Transaction<'_>,
    keys: IdentityKeys,
    before: Remembered,
    imported: &Imported,
    decisions: &ImportDecisions,
) -> Result<Plan, Error> {
    let reader = tx.reader();
    let memory = &before.memory;
    let answer = person::answer(imported);
    let record = reader.vault_record()?;
    let holder = holder_of(&record);
    let known = Before { memory, holder };
    let other_holder = holder.filter(|holder| person::is_called_otherwise(imported, holder));
    let other_holder = other_holder.map(str::to_owned);
    let patients = Patients::of(&reader)?;
    let whose = patients.compare(imported, &known);
    let other_names = OtherNames::of(imported, &patients, memory);
    let is_described = imported.person.as_ref().is_some_and(|person| !person.is_nameless());
    let is_unnamed = !is_described && !imported.person_identities.is_empty();
    // Who confirms it unasked is not asked later either.
    let volunteers = is_unnamed && decisions.patient_is_same && !memory.says(&answer);
    let unnamed = match &whose {
        Whose::Theirs { is_shown: false } if is_unnamed && !volunteers && !memory.says(&answer) => {
            Some(person::unnamed(imported))
        }
        _ => None,
    };
    let asks = matches!(whose, Whose::Asks(_));
    let was_confirmed = asks && memory.says(&answer);
    let is_confirmed = asks && (decisions.patient_is_same || was_confirmed);
    let is_shown = is_confirmed || matches!(whose, Whose::Theirs { is_shown: true });
    let mut judge = Judge::new(tx, Names(&keys), &before, decisions, is_shown)?;
    let verdicts = judge.verdicts(imported)?;
    let deleted = judge.deleted(imported)?;
    let scopes = judge.scopes_of(imported);
    let Judge { mut questions, decided, under_other_names, .. } = judge;
    let mut people: Vec<Statement> = Vec::new();
    match other_names {
        Some(others) if decisions.patient_is_same => people.extend(others.answers),
        Some(others) => questions.insert(0, others.question),
        None => {}
    }
    match whose {
        Whose::Asks(question) if !is_confirmed => questions.insert(0, question),
        Whose::Asks(_) if !was_confirmed => {
            people.push(answer);
            // Whoever says that this is the vault's patient says it of those before.
            people.extend(memory.unconfirmed().map(|unnamed| unnamed.answer));
        }
        _ if volunteers => people.push(answer),
        _ if is_described => people.extend(person::recognized(imported, memory)),
        _ => {}
    }
    if !questions.is_empty() {
        return Err(Error::ImportAsks { questions });
    }
    let scope_of = |decided: &Decided| scopes.get(decided.found()).copied().unwrap_or_default();
    let about = decided.iter().flat_map(|decided| decided.statements(&scope_of(decided)).collect::<Vec<_>>());
    let about = about.map(|statement| (false, statement));
    let answers: BTreeSet<(bool, Statement)> = about
        .chain(people.into_iter().map(|statement| (true, statement)))
        .filter(|(_, statement)| !memory.says(statement))
        .collect();
    let epoch = tx.epoch().number();
    let answers = answers.into_iter().map(|(is_of_person, digest)| AnswerV1 { epoch, is_of_person, digest });
    let answers = answers.collect();
    let Remembered { memory, tombstones, .. } = before;
    Ok(Plan {
        verdicts,
        under_other_names,
        deleted,
        scopes,
        memory,
        answers,
        unnamed,
        other_holder,
        same_person: is_confirmed,
        keys,
        tombstones,
    })
}

impl ImportReport {
    fn before(imported: &Imported, plan: &Plan) -> Self {
        let mut sources: Vec<String> = Vec::new();
        for document in imported.entries.iter().filter_map(|entry| entry.document.as_ref()) {
            if !sources.contains(document) {
                sources.push(document.clone());
            }
        }
        let mut findings = imported.findings.clone();
        if plan.deleted.beyond > 0 {
            let (path, reason) = ("Bundle.entry".to_owned(), FindingReason::DeletionNotLookedUp);
            findings.push(Finding { path, reason, count: plan.deleted.beyond });
        }
        Self {
            person: imported.person.clone(),
            other_holder: plan.other_holder.clone(),
            sources,
            repetitions: imported.repetitions,
            other_patients: imported.left_out.other_patients,
            left_out: imported.left_out,
            decided: plan.answers.len(),
            deleted_at_source: plan.deleted.entries.clone(),
            under_other_names: plan.under_other_names,
            findings,
            ..Self::default()
        }
    }
}
