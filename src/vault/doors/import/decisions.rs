//! What may be decided about an import beforehand.

/// Decisions about an import. Each one answers an [`ImportQuestion`](crate::interop::ImportQuestion).
/// Without the answer, the question comes back and nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImportDecisions {
    /// What to do with entries that were expunged before.
    pub expunged: Expunged,
    /// The input is about the vault's patient, although it says another name, birth date
    /// or sex, shows another name beside a reference, or says nothing that shows it.
    pub patient_is_same: bool,
    /// What to do if another source, or another version of the file, would change entries.
    pub changed_source: Option<ChangedSource>,
}

impl ImportDecisions {
    /// The same, and entries that were expunged before are treated so.
    #[must_use]
    pub fn with_expunged(mut self, expunged: Expunged) -> Self {
        self.expunged = expunged;
        self
    }

    /// The same, and the input is about the vault's patient.
    #[must_use]
    pub fn with_same_patient(mut self) -> Self {
        self.patient_is_same = true;
        self
    }

    /// The same, and an input of another source or version is treated so.
    #[must_use]
    pub fn with_changed_source(mut self, changed: ChangedSource) -> Self {
        self.changed_source = Some(changed);
        self
    }
}

/// What to do with entries that were expunged from the vault to stay away
/// ([`Expungement::staying_away`](crate::vault::Expungement::staying_away)). Only who opens
/// `sealed` knows of them: all others take them as new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Expunged {
    /// They stay away.
    #[default]
    StayAway,
    /// They are taken again, and need not stay away any more.
    TakeAgain,
}

/// Whether an input continues an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangedSource {
    /// It does: its entries amend the earlier ones.
    Accept,
    /// It does not: its entries are kept beside them.
    KeepBeside,
}
