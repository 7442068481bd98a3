//! Results, assessments, use of substances, family histories.

use super::super::types::{
    Fhir, all, coded, component, concept, date, date_time, instant, narrative, needed, notes, one, parties,
    period, reference, string, token, value, word_or,
};
use super::super::written::Written;
use crate::codec::json::Json;
use crate::record::{
    Assessment, Component, Concept, FamilyHistory, Narrative, Observation, PartialDate, Scalar, SubstanceUse,
    Token,
};

const STATUS: [&str; 8] = [
    "registered",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "cancelled",
    "entered-in-error",
    "unknown",
];
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// `effective[x]`.
fn effective(resource: Fhir, start: Option<&PartialDate>, end: Option<&PartialDate>) -> Fhir {
    match end {
        Some(_) => resource.with("effectivePeriod", period(start, end)),
        None => resource.with("effectiveDateTime", date_time(start)),
    }
}

/// A component whose code is in words of this project's table.
fn named(name: &str, value: Scalar) -> Option<Component> {
    Some(Component { code: Concept::from_text(Token::new(name).ok()?), value: Some(value) })
}

/// Words as the text of a component: FHIR's `string` has 1 MiB.
fn in_words(text: &Token) -> Option<Scalar> {
    Narrative::new(text.as_str()).ok().map(Scalar::Text)
}

pub(super) fn observation(written: &Written<'_>, record: &Observation) -> Json {
    let mut answers: Vec<Scalar> = Vec::new();
    answers.extend(record.quantity.clone().map(Scalar::Quantity));
    answers.extend(record.concept.clone().map(Scalar::Concept));
    answers.extend(record.text.clone().map(Scalar::Text));
    answers.extend(record.date.clone().map(Scalar::Date));
    answers.extend(record.boolean.map(Scalar::Boolean));
    let mut answers = answers.into_iter();
    let first = answers.next();
    // More values than one are parts of the same question.
    let more =
        answers.map(|value| Component { code: record.code.clone().unwrap_or_default(), value: Some(value) });
    let conclusions = record.conclusions.iter().cloned().map(Scalar::Concept);
    let conclusions = conclusions.filter_map(|found| named("conclusion", found));
    let components: Vec<Component> =
        record.components.iter().cloned().chain(more).chain(conclusions).collect();
    let range = |text: &Narrative| Some(Fhir::default().with("text", string(text.as_str())?).json());
    // Obs-6: there is a value, or why there is none.
    let absent = record.absent_reason.as_ref().filter(|_| first.is_none());
    let resource = written
        .begin("Observation")
        .with("status", word_or(record.status.as_ref(), &STATUS, "unknown"))
        .list("category", all(&record.categories))
        .with("code", needed(record.code.as_ref()))
        .with("subject", written.subject())
        .with("encounter", reference(record.encounter.as_ref()));
    let resource = effective(resource, record.start.as_ref(), record.end.as_ref())
        .with("issued", instant(record.issued.as_ref()))
        .list("performer", parties(&record.performers));
    value(resource, first.as_ref())
        .with("dataAbsentReason", one(absent))
        .list("interpretation", all(&record.interpretations))
        .list("note", notes(&record.notes))
        .with("bodySite", one(record.body_site.as_ref()))
        .with("method", one(record.method.as_ref()))
        .list("referenceRange", record.reference_ranges.iter().filter_map(range))
        .list("component", components.iter().map(component))
        .json()
}

pub(super) fn substance_use(written: &Written<'_>, record: &SubstanceUse) -> Json {
    let status = record.status.as_ref();
    let is_of_fhir = status.is_some_and(|status| STATUS.contains(&status.as_str()));
    let mut parts: Vec<Component> = record.details.clone();
    // `never`, `former`, `current`: what was found, not how far the finding is.
    parts.extend(
        status.filter(|_| !is_of_fhir).and_then(in_words).and_then(|words| named("status of use", words)),
    );
    let frequency = record.frequency.clone().map(Scalar::Text);
    parts.extend(frequency.and_then(|frequency| named("frequency", frequency)));
    let finding = record.finding.clone().map(Scalar::Concept);
    let amount = record.amount.clone().map(Scalar::Quantity);
    let text = record.text.clone().map(Scalar::Text);
    let mut answers = [finding, amount, text].into_iter().flatten();
    let first = answers.next();
    parts.extend(
        answers.map(|value| Component { code: record.code.clone().unwrap_or_default(), value: Some(value) }),
    );
    let categories: Vec<Json> = all(&record.categories).collect();
    let social = categories.is_empty().then(|| coded(CATEGORY, "social-history"));
    let resource = written
        .begin("Observation")
        .with("status", word_or(status, &STATUS, if is_of_fhir { "unknown" } else { "final" }))
        .list("category", categories.into_iter().chain(social))
        .with("code", needed(record.code.as_ref()))
        .with("subject", written.subject())
        .with("encounter", reference(record.encounter.as_ref()));
    let resource = effective(resource, record.start.as_ref(), record.end.as_ref())
        .with("issued", instant(record.recorded.as_ref()))
        .list("performer", parties(&record.performers));
    value(resource, first.as_ref())
        .list("note", notes(&record.notes))
        .list("component", parts.iter().map(component))
        .json()
}

pub(super) fn assessment(written: &Written<'_>, record: &Assessment) -> Json {
    let score = record.score.clone().map(Scalar::Quantity);
    let in_text = record.score_text.clone().map(Scalar::Text);
    let mut answers = [score, in_text].into_iter().flatten();
    let first = answers.next();
    let mut items = record.items.clone();
    items.extend(answers.filter_map(|value| named("score, in words", value)));
    let title = record.title.as_ref().and_then(in_words);
    items.extend(title.and_then(|title| named("title", title)));
    let categories: Vec<Json> = all(&record.categories).collect();
    let survey = categories.is_empty().then(|| coded(CATEGORY, "survey"));
    // A response that is completed is a finding that is final.
    let status = match record.status.as_ref().map(Token::as_str) {
        Some("completed") => Json::string("final"),
        Some("in-progress") => Json::string("preliminary"),
        _ => word_or(record.status.as_ref(), &STATUS, "unknown"),
    };
    let resource = written
        .begin("Observation")
        .with("status", status)
        .list("category", categories.into_iter().chain(survey))
        .with("code", needed(record.instrument.as_ref()))
        .with("subject", written.subject())
        .with("encounter", reference(record.encounter.as_ref()));
    let resource = effective(resource, record.date.as_ref(), record.end.as_ref())
        .with("issued", instant(record.recorded.as_ref()))
        .list("performer", parties(&record.performers));
    value(resource, first.as_ref())
        .list("interpretation", all(&record.interpretations))
        .list("note", notes(&record.notes))
        .list("component", items.iter().map(component))
        .json()
}

pub(super) fn family_history(written: &Written<'_>, record: &FamilyHistory) -> Json {
    const STATUS: [&str; 4] = ["partial", "completed", "entered-in-error", "health-unknown"];
    let mut conditions = Vec::new();
    let mut told = vec![false; record.details.len()];
    for condition in &record.conditions {
        let mut of_it: Vec<&Component> = Vec::new();
        for (detail, told) in record.details.iter().zip(&mut told) {
            if !*told && detail.code == *condition {
                *told = true;
                of_it.push(detail);
            }
        }
        conditions.push(family_condition(condition, &of_it));
    }
    // What no condition has the code of is one of its own.
    let others = record.details.iter().zip(&told).filter(|(_, told)| !**told);
    conditions.extend(others.map(|(detail, _)| family_condition(&detail.code, &[detail])));
    let resource = written
        .begin("FamilyMemberHistory")
        .with("status", word_or(record.status.as_ref(), &STATUS, "partial"))
        .with("patient", written.subject())
        .with("date", date_time(record.date.as_ref()))
        .with("name", token(record.name.as_ref()))
        .with("relationship", needed(record.relationship.as_ref()))
        .with("sex", one(record.sex.as_ref()))
        .with("bornDate", date(record.born.as_ref()));
    let has_died = record.deceased_date.is_some();
    // Fhs-1 and the choice of one form: an age beside a birth date or a death is in words only.
    let resource = match (record.deceased_date.as_ref(), record.deceased) {
        (time @ Some(_), _) => resource.with("deceasedDate", date(time)),
        (None, said) => resource.with("deceasedBoolean", said.map(Json::Bool)),
    };
    let age = record.age.as_ref().filter(|_| record.born.is_none() && !has_died);
    resource
        .with("ageString", narrative(age))
        .list("reasonCode", all(&record.reasons))
        .list("note", notes(&record.notes))
        .list("condition", conditions)
        .json()
}

fn family_condition(condition: &Concept, details: &[&Component]) -> Json {
    let outcome = details.iter().find_map(|detail| match &detail.value {
        Some(Scalar::Concept(outcome)) => Some(outcome),
        _ => None,
    });
    let mut texts = details.iter().filter_map(|detail| match &detail.value {
        Some(Scalar::Text(text)) => Some(text.clone()),
        _ => None,
    });
    let onset = texts.next();
    let rest: Vec<Narrative> = texts.collect();
    Fhir::default()
        .with("code", needed(Some(condition)))
        .with("outcome", outcome.and_then(concept))
        .with("onsetString", narrative(onset.as_ref()))
        .list("note", notes(&rest))
        .json()
}
