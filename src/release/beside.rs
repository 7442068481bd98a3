//! Words that stand beside what leaves and may take it back: "Positive", and in the
//! comment "invalid, repeat".
//!
//! What words say is not read: for results any words that stay in the fields that speak of
//! the result are enough. For other fields, and for other kinds of record, whose status says
//! whether they hold, a few phrases are looked for.

use subrosa_excerpt::claims::Claim;

use super::words::{denies_in_text, denies_in_words, has_published_code, plain, repeats_short_name};
use crate::record::{Concept, Entry, Kind, Record, Scalar, Token, Value};

/// The fields of which words stay that say more than what leaves of them.
#[derive(Default)]
pub(super) struct Held(Vec<&'static str>);

impl Held {
    pub(super) fn words_of(&self, field: &str) -> bool {
        self.0.contains(&field)
    }

    pub(super) fn add(&mut self, field: &'static str) {
        if !self.words_of(field) {
            self.0.push(field);
        }
    }
}

/// A kind of record that states results.
struct Results {
    kind: Kind,
    /// The fields that state them.
    stated: &'static [&'static str],
    /// The fields whose words may take them back.
    beside: &'static [&'static str],
}

const RESULTS: [Results; 5] = [
    Results {
        kind: Kind::Observation,
        stated: &["quantity", "concept", "date", "boolean", "components", "interpretations", "conclusions"],
        beside: &[
            "concept",
            "text",
            "components",
            "interpretations",
            "conclusions",
            "absent_reason",
            "notes",
            "attachments",
        ],
    },
    Results {
        kind: Kind::Assessment,
        stated: &["score", "interpretations", "items"],
        beside: &["score_text", "interpretations", "items", "notes"],
    },
    Results {
        kind: Kind::SubstanceUse,
        stated: &["status", "finding", "amount", "details"],
        beside: &["finding", "frequency", "details", "text", "notes"],
    },
    // What somebody considers likely, or what an insurer was told.
    Results {
        kind: Kind::Other,
        stated: &["diagnoses", "outcome", "predictions"],
        beside: &["diagnoses", "outcome", "notes", "predictions"],
    },
    Results { kind: Kind::Note, stated: &["conclusions"], beside: &["conclusions", "text", "attachments"] },
];

fn results_of(kind: Kind) -> Option<&'static Results> {
    RESULTS.iter().find(|results| results.kind == kind)
}

/// Whether a field of words leaves together with the result that it stands beside, to those
/// who get words at all.
pub(super) fn belongs_to_a_result(kind: Kind, field: &str) -> bool {
    match kind {
        // A report's text is a document of its own.
        Kind::Note => false,
        Kind::Diagnosis => field == "abatement_text",
        _ => results_of(kind).is_some_and(|results| results.beside.contains(&field)),
    }
}

/// Whether words stay that may take back what leaves of the entry.
pub(super) fn may_be_taken_back(entry: &Entry, claims: &[(String, Claim)], held: &Held) -> bool {
    match results_of(entry.kind()) {
        Some(results) => {
            let is_stated = |field: &&str| claims.iter().any(|(_, claim)| claim.discloses_answer_of(field));
            let stays = results.beside.iter().any(|field| held.words_of(field));
            let states = results.stated.iter().any(is_stated);
            // What is of no kind may say something without stating a result.
            stays && states || (states || entry.kind() == Kind::Other) && words_take_back(entry, held)
        }
        None => words_take_back(entry, held),
    }
}

/// Phrases with which words take a record back. Not all that there are.
const TAKING_BACK: [&str; 25] = [
    "in error",
    "by mistake",
    "erroneous",
    "wrong patient",
    "another patient",
    "other patient",
    "different patient",
    "not this patient",
    "invalid",
    "disregard",
    "discard",
    "cancel",
    "false positive",
    "false negative",
    "hemolyzed",
    "haemolysed",
    "contaminated",
    "retracted",
    "mislabel",
    "misdiagnos",
    "mis-diagnos",
    "never started",
    "not given",
    "not administered",
    "not done",
];

/// Phrases that deny something. In a note this is what the record says; in a coded field,
/// such as a reason, it is the field's own answer, whose code then stays by itself.
const DENYING: [&str; 9] = [
    "ruled out",
    "rule out",
    "not confirmed",
    "unconfirmed",
    "does not have",
    "never had",
    "never took",
    "not taken",
    "no longer",
];

/// Whether words of any field that stay hold one of these phrases, however they are broken
/// into lines.
fn words_take_back(entry: &Entry, held: &Held) -> bool {
    let has_one = |words: &str, phrases: &[&str]| phrases.iter().any(|phrase| plain(words).contains(phrase));
    let takes_back = |words: &str| has_one(words, &TAKING_BACK) || has_one(words, &DENYING);
    let in_concept = |concept: &Concept| {
        let displays = concept.codings.iter().filter_map(|coding| coding.display.as_ref());
        displays.chain(concept.text.as_ref()).any(|words| has_one(words.as_str(), &TAKING_BACK))
    };
    let mut fields = entry.record.fields().into_iter().filter(|field| held.words_of(field.name));
    fields.any(|field| match &field.value {
        Value::Narrative(words) => takes_back(words.as_str()),
        Value::Token(words) => takes_back(words.as_str()),
        Value::Concept(concept) => in_concept(concept),
        Value::Component(component) => {
            in_concept(&component.code)
                || match &component.value {
                    Some(Scalar::Text(words)) => takes_back(words.as_str()),
                    Some(Scalar::Concept(concept)) => in_concept(concept),
                    _ => false,
                }
        }
        _ => false,
    })
}

/// Whether an entry would assert something else than it says: its words stay here, and
/// what leaves does not say what it is about, or the words deny it, or only words say that
/// it is over.
pub(super) fn means_less_than_it_says(entry: &Entry, claims: &[(String, Claim)]) -> bool {
    let withheld = |field: &str| !claims.iter().any(|(_, claim)| claim.discloses_words_of(field));
    let fields = entry.record.fields();
    let main = fields.iter().find_map(|field| match &field.value {
        Value::Concept(concept) if Some(concept) == entry.code() => Some((field.name, concept)),
        _ => None,
    });
    let is_nameless = main.is_some_and(|(name, concept)| {
        withheld(name) && (!has_published_code(concept) || denies_in_words(concept))
    });
    let text_denies = main.is_some_and(|(name, concept)| {
        let text = concept.text.as_ref().filter(|_| !repeats_short_name(concept));
        text.is_some_and(denies_in_text) && !claims.iter().any(|(_, claim)| claim.discloses_text_of(name))
    });
    is_nameless || text_denies || ended_in_words(entry, claims)
}

fn ended_in_words(entry: &Entry, claims: &[(String, Claim)]) -> bool {
    let Record::Diagnosis(diagnosis) = &entry.record else { return false };
    let says_so = |status: &Token| ["resolved", "inactive", "remission"].contains(&status.as_str());
    diagnosis.abatement.is_none()
        && diagnosis.abatement_text.is_some()
        && !diagnosis.clinical_status.as_ref().is_some_and(says_so)
        && !claims.iter().any(|(_, claim)| claim.discloses("abatement_text"))
}
