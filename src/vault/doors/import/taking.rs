//! Writing what an import brings, as it was judged.

use super::judge::Verdict;
use super::names::Away;
use super::plan::Plan;
use super::report::ImportReport;
use super::version::{Order, Version};
use crate::classify::compartment_of;
use crate::engine::facts::{Action, Detail};
use crate::engine::ledger::{DIGESTS_IN_A_LINE, Line};
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::interop::finding::{Finding, FindingReason};
use crate::interop::imported::ImportedEntry;
use crate::record::{Entry, Kind};

pub(super) struct Taking<'p> {
    plan: &'p Plan,
    report: ImportReport,
    /// Patient entries that were there and are confirmed now.
    confirmed: usize,
}

impl<'p> Taking<'p> {
    pub(super) fn new(plan: &'p Plan, report: ImportReport) -> Self {
        Self { plan, report, confirmed: 0 }
    }

    pub(super) fn take(
        &mut self,
        tx: &mut Transaction<'_>,
        imported: &ImportedEntry,
        verdict: Verdict,
    ) -> Result<(), Error> {
        match verdict {
            Verdict::Unchanged(id) => {
                self.report.unchanged += 1;
                self.confirm(tx, imported, id)?;
            }
            Verdict::Older(id) => {
                self.report.older.push(id);
                self.confirm(tx, imported, id)?;
            }
            Verdict::Undecided(id) => {
                self.report.undecided.push(id);
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
        if !self.plan.same_person || !is_patient || tx.is_put(compartment_of(&imported.entry), id) {
            return Ok(());
        }
        match tx.current(id)? {
            Some((_, known)) if !known.marks.same_person => {
                tx.amend(id, &self.marked(&known), "confirmed to be of the same person")?;
                self.confirmed += 1;
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
            // What was decided about the entry here stays decided.
            let marked = |entry: &Entry| Entry { marks: known.marks.clone(), ..entry.clone() };
            let version = Version::of(&known);
            for earlier in self.taken(&imported.earlier) {
                let is_between = Version::of(earlier).against(&version, tx.time) == Order::Newer;
                if is_between && compartment_of(earlier) == compartment {
                    tx.amend_from_source(id, &marked(earlier))?;
                }
            }
            tx.amend_from_source(id, &self.marked(&marked(&imported.entry)))?;
            tx.log(compartment, Line::of(Action::Imported, tx.actor));
            self.report.amended.push(id);
        }
        Ok(())
    }

    /// The versions that were not expunged.
    fn taken<'e>(&self, versions: &'e [Entry]) -> Vec<&'e Entry> {
        let away = Away { key: &self.plan.key, contents: &self.plan.away };
        versions.iter().filter(|version| !away.holds(version)).collect()
    }

    fn add(&mut self, tx: &mut Transaction<'_>, imported: &ImportedEntry, id: EntryId) -> Result<(), Error> {
        let entry = self.marked(&imported.entry);
        tx.add_with_history(compartment_of(&entry), id, &self.taken(&imported.earlier), &entry)?;
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

    pub(super) fn finish(mut self, tx: &mut Transaction<'_>) -> Result<ImportReport, Error> {
        let plan = self.plan;
        let new = [&self.report.added, &self.report.kept_raw].map(|ids| ids.iter().copied());
        let new: Vec<EntryId> = new.into_iter().flatten().collect();
        for compartment in Compartment::HOLDING_ENTRIES {
            if new.iter().any(|id| tx.is_put(compartment, *id)) {
                tx.log(compartment, Line::of(Action::Imported, tx.actor));
            }
        }
        let sources = if new.is_empty() { &[][..] } else { &plan.sources[..] };
        let unnamed = plan.unnamed.as_ref().filter(|_| !new.is_empty());
        let is_remembered = !sources.is_empty() || !plan.answers.is_empty() || unnamed.is_some();
        let is_written = is_remembered || self.confirmed > 0 || !self.report.amended.is_empty();
        self.report.number = (is_written || !new.is_empty()).then(|| tx.epoch());
        if is_written {
            for (detail, texts) in [(Detail::Source, sources), (Detail::Answer, &plan.answers[..])] {
                for texts in texts.chunks(DIGESTS_IN_A_LINE) {
                    let line = Line::of(Action::Imported, tx.actor);
                    tx.log(Compartment::General, line.with(detail, &texts.join(" ")));
                }
            }
            if let Some(unnamed) = unnamed {
                let line = Line::of(Action::Imported, tx.actor);
                tx.log(Compartment::General, line.with(Detail::Unnamed, unnamed));
            }
            if !is_remembered {
                tx.log(Compartment::General, Line::of(Action::Imported, tx.actor));
            }
        }
        if self.report.number.is_some() {
            tx.announce(Action::Imported);
        }
        Ok(self.report)
    }
}
