//! Knowing an export again whose entries have other names: what it repeats is not added.

use std::collections::BTreeMap;

use super::alike::{Is, Pair};
use super::decisions::ChangedSource;
use super::judge::{Judge, Verdict};
use super::known::Known;
use super::memory::ScopeId;
use super::remembered::kept;
use super::tally::{How, Tally};
use crate::engine::imports::document_of;
use crate::error::Error;
use crate::id::Epoch;
use crate::interop::identity::base_of;
use crate::interop::imported::{Imported, ImportedEntry};
use crate::record::{Entry, Kind};

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

impl Judge<'_, '_> {
    /// What the vault has under other names is not added again where the document is another
    /// export of the same records. What only may be the same is kept beside.
    pub(super) fn recognize(&mut self, imported: &Imported, verdicts: &mut [Verdict]) -> Result<(), Error> {
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
        let found = kept(document);
        let known: Vec<Vec<ScopeId>> = sources.keys().map(|document| self.scope_ids(*document)).collect();
        let says = |word: &str, known: &Vec<ScopeId>| self.memory.says_of(word, known, found.as_deref());
        if tally.is_harmless() {
            let is_beside = known.iter().any(|known| says("beside", known));
            return Ok(!is_beside && self.decisions.changed_source != Some(ChangedSource::KeepBeside));
        }
        // What an accepted export amended counts as brought by that.
        let accepted = known.iter().find(|known| says("accept", known)).cloned();
        let known = accepted.unwrap_or_else(|| self.scope_ids(most));
        let time = self.tx.reader().link(since)?.map_or(0, |link| link.time);
        let question = tally.question(document.map(str::to_owned), (since, time));
        Ok(self.decide(known, found, question) == ChangedSource::Accept)
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
}
