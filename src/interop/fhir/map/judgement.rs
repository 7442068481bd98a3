//! ClinicalImpression, RiskAssessment, AdverseEvent and DetectedIssue: what somebody thinks of
//! the patient's state.

use super::super::element::Element;
use super::clinical::{period_in_words, range_in_words};
use super::other::{common, of_code, part, parts};
use crate::record::{Component, Concept, Narrative, Other, Quantity, Record, Scalar};

pub(super) fn impression(root: &Element<'_>) -> Record {
    let common = common(root);
    let (start, end) = root.period("effectivePeriod");
    let start = root.date("effectiveDateTime").or(start);
    let mut reasons = common.reasons;
    reasons.extend(root.codeable_references("problem"));
    reasons.extend(root.concepts("triggerCodeableConcept"));
    reasons.extend(root.referenced_concepts("triggerReference"));
    let findings = root.elements("finding");
    let mut details: Vec<Component> = root.elements("investigation").iter().flat_map(investigated).collect();
    details.extend(root.concepts("prognosisCodeableConcept").into_iter().map(prognosis));
    Other {
        recorded: root.date("date").filter(|_| start.is_some()),
        start: start.or(common.start),
        end: end.or(common.end),
        reasons,
        diagnoses: findings.iter().flat_map(found).collect(),
        details,
        notes: texts(root, &["description", "summary"]).into_iter().chain(common.notes).collect(),
        ..common
    }
    .into()
}

fn prognosis(concept: Concept) -> Component {
    part("prognosis", Scalar::Concept(concept))
}

fn texts(root: &Element<'_>, names: &[&str]) -> Vec<Narrative> {
    let said = names.iter().filter(|name| root.plain(name).is_some());
    said.filter_map(|name| root.said_beside(name)).collect()
}

fn found(item: &Element<'_>) -> Vec<Concept> {
    let names = ["itemCodeableConcept", "itemReference", "item"];
    names.into_iter().flat_map(|name| item.codeable_references(name)).collect()
}

fn investigated(item: &Element<'_>) -> Vec<Component> {
    let results: Vec<Scalar> = item.referenced_concepts("item").into_iter().map(Scalar::Concept).collect();
    match item.concept("code") {
        None if results.is_empty() => Vec::new(),
        code => of_code(&code.unwrap_or_default(), results.into_iter()),
    }
}

pub(super) fn risk(root: &Element<'_>) -> Record {
    let common = common(root);
    let (start, end) = root.period("occurrencePeriod");
    let predictions = root.elements("prediction");
    Other {
        start: common.start.or(start),
        end: common.end.or(end),
        diagnoses: root.referenced_concepts("condition"),
        predictions: predictions.iter().flat_map(predicted).collect(),
        details: parts(root, "method", "method"),
        notes: texts(root, &["mitigation"]).into_iter().chain(common.notes).collect(),
        ..common
    }
    .into()
}

/// What may come, and how likely it is. Without a likelihood it would read as come.
fn predicted(item: &Element<'_>) -> Vec<Component> {
    let decimal = item.number("probabilityDecimal");
    let decimal =
        decimal.map(|value| Scalar::Quantity(Quantity { value: Some(value), ..Quantity::default() }));
    let range = item.child("probabilityRange").and_then(|range| range_in_words(&range)).map(Scalar::Text);
    let qualitative = item.concept("qualitativeRisk").map(Scalar::Concept);
    let rationale = item.narrative("rationale").map(Scalar::Text);
    let (start, end) = item.period("whenPeriod");
    let when = period_in_words(start.as_ref(), end.as_ref());
    let when = when.or_else(|| item.child("whenRange").and_then(|range| range_in_words(&range)));
    let likely: Vec<Scalar> =
        [decimal, range, qualitative, rationale, when.map(Scalar::Text)].into_iter().flatten().collect();
    let Some(code) = item.concept("outcome").filter(|_| !likely.is_empty()) else { return Vec::new() };
    likely.into_iter().map(|value| Component { code: code.clone(), value: Some(value) }).collect()
}

pub(super) fn adverse_event(root: &Element<'_>) -> Record {
    let common = common(root);
    let mut details = parts(root, "seriousness", "seriousness");
    details.extend(parts(root, "severity", "severity"));
    details.extend(parts(root, "resultingCondition", "resulting condition"));
    details.extend(parts(root, "resultingEffect", "resulting effect"));
    let suspects = root.elements("suspectEntity");
    details.extend(suspects.iter().flat_map(|item| parts(item, "instance", "suspected")));
    details.extend(suspects.iter().flat_map(|item| parts(item, "instanceCodeableConcept", "suspected")));
    details.extend(suspects.iter().flat_map(|item| parts(item, "instanceReference", "suspected")));
    let mut parties = root.parties_as("contributor", "contributor");
    parties.extend(root.parties_as("location", "location"));
    parties.extend(root.participants("participant", &["actor"], &["function"]));
    let outcomes = root.concepts("outcome");
    details.extend(outcomes.iter().skip(1).cloned().map(|outcome| part("outcome", Scalar::Concept(outcome))));
    Other { details, parties, outcome: outcomes.into_iter().next(), ..common }.into()
}

pub(super) fn issue(root: &Element<'_>) -> Record {
    let mut details: Vec<Component> = Vec::new();
    if let Some(severity) = root.narrative("severity") {
        details.push(part("severity", Scalar::Text(severity)));
    }
    let implicated = root.referenced_concepts("implicated");
    details.extend(implicated.into_iter().map(|concept| part("implicated", Scalar::Concept(concept))));
    let mitigations = root.elements("mitigation");
    let actions = mitigations.iter().filter_map(|item| item.concept("action"));
    details.extend(actions.map(|action| part("mitigation", Scalar::Concept(action))));
    let common = common(root);
    let notes = texts(root, &["detail"]).into_iter().chain(common.notes).collect();
    Other { details, notes, ..common }.into()
}
