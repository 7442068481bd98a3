//! From a policy and entries to the view: selection, then redaction.
//!
//! Only selected entries are redacted, and only redacted ones are in the view.

use std::collections::{BTreeMap, HashSet};

use super::attachment::{Files, NoFiles};
use super::candidate::Candidate;
use super::policy::Policy;
use super::view::{RedactedEntry, View};
use super::{redact, select, subject};
use crate::codec::json::Json;
use crate::format::place::Compartment;
use crate::id::EntryId;

impl Policy {
    /// The redacted view of these entries.
    ///
    /// Pass every entry that the vault may show, so that the patient is found and
    /// filters that cannot apply are noticed. Retracted entries never leave. Files that are
    /// stored beside an entry are only in its vault: [`Vault::preview`](crate::Vault::preview)
    /// names them by their SHA-256, this does not.
    #[must_use]
    pub fn apply(&self, candidates: &[Candidate<'_>]) -> View {
        self.apply_for(None, candidates, &NoFiles)
    }

    /// The same, of a vault that is named after this individual.
    pub(crate) fn apply_for(
        &self,
        holder: Option<&str>,
        candidates: &[Candidate<'_>],
        files: &dyn Files,
    ) -> View {
        let mut view = View::new(subject::subject(self, candidates, holder));
        for Candidate { id, entry, .. } in select::select(self, candidates, &mut view) {
            redact::release(self, (id, entry), files, &mut view);
        }
        view.summary = self.summary(|field| view.shows(field));
        view
    }

    /// What was asked for of each compartment that the view shows entries of. The text depends
    /// on these entries alone, so that it tells who opens one compartment nothing of others.
    pub(crate) fn summaries(
        &self,
        view: &View,
        candidates: &[Candidate<'_>],
    ) -> BTreeMap<Compartment, String> {
        let mut here: BTreeMap<Compartment, Vec<&Candidate<'_>>> = BTreeMap::new();
        let released: HashSet<EntryId> = view.released().iter().map(RedactedEntry::id).collect();
        for candidate in candidates.iter().filter(|candidate| released.contains(&candidate.id)) {
            here.entry(candidate.compartment).or_default().push(candidate);
        }
        let summary = |here: &[&Candidate<'_>]| {
            let ids: HashSet<EntryId> = here.iter().map(|candidate| candidate.id).collect();
            self.narrowed_to(here).summary(|field| view.shows_in(&ids, field))
        };
        here.into_iter().map(|(place, here)| (place, Json::Object(summary(&here)).to_text())).collect()
    }
}
