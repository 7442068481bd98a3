//! From a policy and entries to the view: selection, then redaction.
//!
//! Only selected entries are redacted, and only redacted ones are in the view.

use super::candidate::Candidate;
use super::policy::Policy;
use super::view::View;
use super::{redact, select, subject};

impl Policy {
    /// The redacted view of these entries.
    ///
    /// Pass every entry that the vault may show, so that the patient is found and
    /// filters that cannot apply are noticed. Retracted entries never leave.
    #[must_use]
    pub fn apply(&self, candidates: &[Candidate<'_>]) -> View {
        self.apply_for(None, candidates)
    }

    /// The same, of a vault that is named after this individual.
    pub(crate) fn apply_for(&self, holder: Option<&str>, candidates: &[Candidate<'_>]) -> View {
        let mut view = View::new(subject::subject(self, candidates, holder));
        for Candidate { id, entry, .. } in select::select(self, candidates, &mut view) {
            redact::release(self, id, entry, &mut view);
        }
        view.summary = self.summary(|field| view.shows(field));
        view
    }
}
