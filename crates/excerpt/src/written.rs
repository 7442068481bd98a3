//! A verified excerpt as serde writes it, for the screen of whoever received it: what the
//! verifier found, and each entry in the words that a page shows. What cannot be seen is spelt.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::key::PublicKey;
use crate::shown::ShownEntry;
use crate::subject::Subject;
use crate::verified::{VerifiedEntry, VerifiedExcerpt};
use subrosa_base::codec::spell::spell;

#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct WrittenExcerpt {
    outcome: &'static str,
    compared: &'static str,
    fingerprint: String,
    id: String,
    issuer: String,
    issuer_role: &'static str,
    recipient: String,
    purpose: String,
    subject: Option<Subject>,
    #[cfg_attr(feature = "serde", serde(serialize_with = "subrosa_base::serial::moment"))]
    issued: SystemTime,
    valid_through: Option<String>,
    notices: Vec<String>,
    entries: Vec<WrittenEntry>,
}

#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct WrittenEntry {
    kind: String,
    shown: ShownEntry,
    negation: Option<String>,
    not_understood: Vec<String>,
    changed: bool,
    words_withheld: bool,
    perhaps_same: Option<usize>,
    withheld_fields: Vec<String>,
}

fn spelt(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| spell(text)).collect()
}

impl WrittenEntry {
    fn of(entry: &VerifiedEntry) -> Self {
        Self {
            kind: spell(entry.kind()),
            shown: entry.shown(),
            negation: entry.negation().map(spell),
            not_understood: spelt(entry.not_understood()),
            changed: entry.is_changed(),
            words_withheld: entry.words_withheld(),
            perhaps_same: entry.perhaps_same(),
            withheld_fields: spelt(entry.withheld_fields()),
        }
    }
}

// A JSON Web Key (RFC 7517).
subrosa_base::written_as!(PublicKey, |key| key.members().into_iter().collect::<BTreeMap<_, _>>());
subrosa_base::written_as!(VerifiedEntry, WrittenEntry::of);
subrosa_base::written_as!(VerifiedExcerpt, |excerpt| WrittenExcerpt {
    outcome: excerpt.outcome().name(),
    compared: excerpt.compared().name(),
    fingerprint: excerpt.fingerprint().to_string(),
    id: excerpt.id().to_string(),
    issuer: spell(excerpt.issuer()),
    issuer_role: excerpt.issuer_role().name(),
    recipient: spell(excerpt.recipient()),
    purpose: spell(excerpt.purpose()),
    subject: excerpt.subject().map(Subject::spelt),
    issued: excerpt.issued(),
    valid_through: excerpt.valid_through(),
    notices: spelt(excerpt.notices()),
    entries: excerpt.entries().iter().map(WrittenEntry::of).collect(),
});
