//! Clinical statements: what they say of themselves, and what is related to them.

use super::context::Context;
use crate::codec::xml::El;
use crate::record::{Concept, Narrative, Record, Token};

/// A statement that becomes one entry.
#[derive(Clone, Copy)]
pub(super) struct Unit<'t> {
    /// The statement.
    pub(super) own: El<'t>,
    /// The outermost statement that it is in: a concern, a panel, or it itself.
    pub(super) outer: El<'t>,
    /// What it stands in directly, if that is not an entry of a section.
    pub(super) container: Option<El<'t>>,
}

/// Names of clinical statements.
const STATEMENTS: [&str; 9] = [
    "act",
    "encounter",
    "observation",
    "observationMedia",
    "organizer",
    "procedure",
    "regionOfInterest",
    "substanceAdministration",
    "supply",
];

/// The clinical statement in an entry, a component or a relationship.
pub(super) fn statement_in(container: El<'_>) -> Option<El<'_>> {
    statements_in(container).next()
}

/// All of them: there should be one.
pub(super) fn statements_in(container: El<'_>) -> impl Iterator<Item = El<'_>> {
    container.elements().filter(|inner| STATEMENTS.contains(&inner.name()))
}

pub(super) fn has_template(statement: El<'_>, roots: &[&str]) -> bool {
    let mut templates = statement.children("templateId").filter_map(|template| template.peek("root"));
    templates.any(|root| roots.contains(&root))
}

/// Whether a statement says that it is not so.
pub(super) fn is_negated(statement: El<'_>) -> bool {
    matches!(statement.attribute("negationInd"), Some("true" | "1"))
}

pub(super) fn word(text: &str) -> Option<Token> {
    Token::new(text).ok()
}

/// The word of a statement's status, in lower case.
pub(super) fn status_of(statement: El<'_>) -> Option<String> {
    statement.child("statusCode")?.attribute("code").map(str::to_ascii_lowercase)
}

/// Statements to which this one is related, each with how.
pub(super) fn related<'t>(statement: El<'t>) -> impl Iterator<Item = (&'t str, El<'t>)> {
    let of = |container: El<'t>| {
        let how = container.attribute("typeCode").unwrap_or_default();
        Some((how, statement_in(container)?))
    };
    statement.children("entryRelationship").filter_map(of)
}

pub(super) fn has_code(statement: El<'_>, codes: &[&str]) -> bool {
    statement.child("code").and_then(|code| code.peek("code")).is_some_and(|code| codes.contains(&code))
}

/// The related observations of one of these codes, which count as read but for their values.
pub(super) fn related_observations<'t>(
    statement: El<'t>,
    codes: &'static [&'static str],
) -> impl Iterator<Item = El<'t>> {
    related(statement)
        .map(|(_, inner)| inner)
        .filter(move |inner| inner.is("observation") && has_code(*inner, codes))
        .inspect(|inner| {
            inner.child("code").into_iter().for_each(El::mark_all_read);
            inner.attribute("moodCode");
            inner.attribute("classCode");
        })
}

/// Codes of observations that say how a problem or a medicine stands.
const STATUS: &[&str] = &["33999-4"];

/// What an observation beside it says of the status of a statement. Words that are not known
/// are none, and stay not understood.
pub(super) fn said_status<'t>(context: &Context<'t>, statement: El<'t>) -> Option<Token> {
    let mut found = None;
    for observation in related_observations(statement, STATUS) {
        let Some(value) = observation.child("value") else { continue };
        let said = match value.peek("code") {
            Some("55561003") => "active",
            Some("73425007" | "421139008" | "392521001" | "410513005") => "inactive",
            Some("413322009") => "resolved",
            Some("246455001") => "recurrence",
            Some("263855007") => "relapse",
            Some("277022003") => "remission",
            _ => {
                context.not_understood(value);
                continue;
            }
        };
        if is_negated(observation) {
            context.not_understood(observation);
            continue;
        }
        value.mark_all_read();
        if found.replace(said).is_some_and(|before| before != said) {
            context.not_understood(value);
        }
    }
    found.and_then(word)
}

/// The words of comments on a statement.
pub(super) fn comments<'t>(context: &Context<'t>, statement: El<'t>) -> Vec<Narrative> {
    let is_comment = |inner: &El<'t>| inner.is("act") && has_code(*inner, &["48767-8"]);
    let acts = related(statement).map(|(_, inner)| inner).filter(is_comment);
    acts.filter_map(|act| {
        act.child("code").into_iter().for_each(El::mark_all_read);
        act.attribute("moodCode");
        let text = act.child("text")?;
        context.said(text).and_then(|said| context.words(text, &said))
    })
    .collect()
}

/// Why: the values of observations that are reasons.
pub(super) fn reasons<'t>(context: &Context<'t>, statement: El<'t>) -> Vec<Concept> {
    let mut reasons = Vec::new();
    for (how, inner) in related(statement) {
        if how != "RSON" || !inner.is("observation") {
            continue;
        }
        if is_negated(inner) {
            context.not_understood(inner);
            continue;
        }
        inner.attribute("moodCode");
        let value = context.concepts(inner, "value");
        match value.is_empty() {
            true => reasons.extend(context.concept(inner, "code")),
            false => reasons.extend(value),
        }
    }
    reasons
}

/// The words of a statement's own text, as far as it refers to narrative or holds some.
pub(super) fn text_of<'t>(context: &Context<'t>, statement: El<'t>) -> Option<String> {
    statement.child("text").and_then(|text| context.said(text))
}

/// A concept, else the words of the statement's text.
pub(super) fn concept_or_text<'t>(
    context: &Context<'t>,
    statement: El<'t>,
    concept: Option<Concept>,
) -> Option<Concept> {
    let text = text_of(context, statement);
    concept.or_else(|| {
        let line = text?.split_whitespace().collect::<Vec<_>>().join(" ");
        context.token(statement, &line).map(Concept::from_text)
    })
}

/// Gives a record words that no field of it holds yet.
pub(super) fn add_words(record: &mut Record, words: Narrative) {
    match record {
        Record::Diagnosis(record) => record.notes.push(words),
        Record::Treatment(record) => record.notes.push(words),
        Record::Medication(record) => record.notes.push(words),
        Record::Hospitalization(record) => record.notes.push(words),
        Record::Encounter(record) => record.notes.push(words),
        Record::Note(record) => record.text.push(words),
        Record::SubstanceUse(record) => record.notes.push(words),
        Record::FamilyHistory(record) => record.notes.push(words),
        Record::Assessment(record) => record.notes.push(words),
        Record::Allergy(record) => record.notes.push(words),
        Record::Immunization(record) => record.notes.push(words),
        Record::Observation(record) => record.notes.push(words),
        Record::AdvanceDirective(record) => record.notes.push(words),
        Record::Other(record) => record.text.push(words),
        _ => {}
    }
}
