//! A preview as serde writes it, for the owner's screen: the words in which a recipient
//! will read each entry, and what stays.

use subrosa_excerpt::{ShownEntry, Subject};

use super::digest::ViewDigest;
use super::view::{FilterNotice, RedactedEntry, SubjectFault, View, Withheld};
use crate::codec::spell::spell;
use crate::id::EntryId;
use crate::record::Kind;

#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct WrittenView {
    subject: Option<Subject>,
    subject_fault: Option<SubjectFault>,
    who_signs: Vec<String>,
    selection: Vec<(&'static str, String)>,
    notices_to_recipient: Vec<&'static str>,
    released: Vec<WrittenEntry>,
    withheld: Vec<Withheld>,
    notices: Vec<FilterNotice>,
    digest: ViewDigest,
}

#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct WrittenEntry {
    id: EntryId,
    kind: Kind,
    shown: ShownEntry,
    withheld_fields: Vec<&'static str>,
}

impl WrittenEntry {
    fn of(entry: &RedactedEntry) -> Self {
        let withheld_fields = entry.withheld_fields().to_vec();
        Self { id: entry.id(), kind: entry.kind(), shown: entry.shown(), withheld_fields }
    }
}

crate::serial::written_as!(RedactedEntry, WrittenEntry::of);
crate::serial::written_as!(View, |view| WrittenView {
    subject: view.subject().map(Subject::spelt),
    subject_fault: view.subject_fault(),
    who_signs: view.who_signs(),
    selection: view.selection().into_iter().map(|(heading, words)| (heading, spell(&words))).collect(),
    notices_to_recipient: view.notices_to_recipient(),
    released: view.released().iter().map(WrittenEntry::of).collect(),
    withheld: view.withheld().to_vec(),
    notices: view.notices().to_vec(),
    digest: view.digest(),
});
