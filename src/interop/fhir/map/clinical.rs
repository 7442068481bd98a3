//! Condition, AllergyIntolerance, Immunization, FamilyMemberHistory.

use super::super::element::Element;
use crate::record::{
    Allergy, Component, Concept, Diagnosis, FamilyHistory, Immunization, Narrative, Party, Record, Scalar,
    Token,
};

const CLINICAL: [&str; 7] =
    ["active", "recurrence", "relapse", "inactive", "remission", "resolved", "unknown"];
const VERIFICATION: [&str; 6] =
    ["unconfirmed", "provisional", "differential", "confirmed", "refuted", "presumed"];

pub(super) fn condition(root: &Element<'_>) -> Record {
    let (onset_start, onset_end) = root.period("onsetPeriod");
    let (abatement_start, abatement_end) = root.period("abatementPeriod");
    Diagnosis {
        code: root.concept("code"),
        clinical_status: root.status("clinicalStatus", &CLINICAL),
        verification_status: root.status("verificationStatus", &VERIFICATION),
        categories: root.concepts("category"),
        severity: root.concept("severity"),
        body_sites: root.concepts("bodySite"),
        onset: root.date("onsetDateTime").or(onset_start),
        onset_latest: onset_end,
        onset_text: age_or_text(root, "onset"),
        abatement: root.date("abatementDateTime").or(abatement_end).or(abatement_start),
        abatement_text: age_or_text(root, "abatement"),
        recorded: root.date("recordedDate"),
        recorder: root.party("recorder"),
        asserter: root.party("asserter"),
        stages: root.elements("stage").iter().filter_map(|stage| stage.concept("summary")).collect(),
        evidence: root.elements("evidence").iter().flat_map(evidence).collect(),
        encounter: root.reference("encounter"),
        notes: root.notes("note"),
    }
    .into()
}

fn evidence(item: &Element<'_>) -> Vec<Concept> {
    let mut found = item.concepts("code");
    found.extend(item.referenced_concepts("detail"));
    found
}

pub(super) fn allergy(root: &Element<'_>) -> Record {
    let reactions = root.elements("reaction");
    let (onset, _) = root.period("onsetPeriod");
    Allergy {
        code: root.concept("code"),
        clinical_status: root.status("clinicalStatus", &["active", "inactive", "resolved"]),
        verification_status: root
            .status("verificationStatus", &["unconfirmed", "presumed", "confirmed", "refuted"]),
        sort: root.word("type"),
        categories: root.tokens("category"),
        criticality: root.token("criticality"),
        onset: root.date("onsetDateTime").or(onset),
        onset_text: age_or_text(root, "onset"),
        recorded: root.date("recordedDate"),
        last_occurrence: root.date("lastOccurrence"),
        substances: reactions.iter().filter_map(|reaction| reaction.concept("substance")).collect(),
        manifestations: reactions.iter().flat_map(|reaction| reaction.concepts("manifestation")).collect(),
        severities: reactions.iter().filter_map(|reaction| reaction.token("severity")).collect(),
        recorder: root.party("recorder"),
        asserter: root.party("asserter"),
        encounter: root.reference("encounter"),
        notes: root.notes("note"),
    }
    .into()
}

pub(super) fn immunization(root: &Element<'_>) -> Record {
    let protocols = root.elements("protocolApplied");
    let dose_number =
        |item: &Element<'_>| item.number("doseNumberPositiveInt").or(item.token("doseNumberString"));
    root.report_not_carried(&["reaction"]);
    Immunization {
        code: root.concept("vaccineCode"),
        status: root.status("status", &["completed", "not-done"]),
        status_reason: root.concept("statusReason"),
        occurrence: root.date("occurrenceDateTime"),
        occurrence_text: root.narrative("occurrenceString"),
        recorded: root.date("recorded"),
        performers: performers(root),
        location: root.party("location"),
        manufacturer: root.party("manufacturer"),
        lot: root.token("lotNumber"),
        expires: root.date("expirationDate"),
        site: root.concept("site"),
        route: root.concept("route"),
        dose: root.quantity("doseQuantity"),
        reasons: root.reasons(),
        primary_source: root.boolean("primarySource"),
        target_diseases: protocols.iter().flat_map(|item| item.concepts("targetDisease")).collect(),
        dose_number: protocols.iter().find_map(dose_number),
        encounter: root.reference("encounter"),
        notes: root.notes("note"),
        subpotent: root.boolean("isSubpotent"),
    }
    .into()
}

pub(super) fn family_history(root: &Element<'_>) -> Record {
    let conditions = root.elements("condition");
    let (born, _) = root.period("bornPeriod");
    FamilyHistory {
        relationship: root.concept("relationship"),
        name: root.token("name"),
        sex: root.concept("sex"),
        conditions: conditions.iter().filter_map(|item| item.concept("code")).collect(),
        details: conditions.iter().flat_map(family_details).collect(),
        date: root.date("date"),
        status: root.status("status", &["partial", "completed", "health-unknown"]),
        born: root.date("bornDate").or(born),
        deceased: root.boolean("deceasedBoolean").or(root.has("deceasedDate").then_some(true)),
        deceased_date: root.date("deceasedDate"),
        age: age_or_text(root, "age").or_else(|| age_or_text(root, "deceased")),
        reasons: root.reasons(),
        notes: root.notes("note"),
    }
    .into()
}

/// When it began and what came of it, each told as a part of the condition's code.
fn family_details(item: &Element<'_>) -> Vec<Component> {
    let code = item.concept("code").unwrap_or_default();
    let onset = age_or_text(item, "onset").map(Scalar::Text);
    let outcome = item.concept("outcome").map(Scalar::Concept);
    let notes = item.notes("note").into_iter().map(Scalar::Text);
    let values = onset.into_iter().chain(outcome).chain(notes);
    values.map(|value| Component { code: code.clone(), value: Some(value) }).collect()
}

/// `[x]` as words, an age or a range of ages.
pub(super) fn age_or_text(root: &Element<'_>, name: &str) -> Option<Narrative> {
    if let Some(text) = root.narrative(&format!("{name}String")) {
        return Some(text);
    }
    if let Some(range) = root.child(&format!("{name}Range")) {
        return range_in_words(&range);
    }
    let age = root.quantity(&format!("{name}Age"))?;
    in_words([age.comparator, age.value, age.unit.or(age.code)])
}

/// A range as `low – high`.
pub(super) fn range_in_words(range: &Element<'_>) -> Option<Narrative> {
    let (low, high) = (range.quantity("low"), range.quantity("high"));
    let unit = high.as_ref().or(low.as_ref()).and_then(|end| end.unit.clone().or(end.code.clone()));
    let (low, high) = (low.and_then(|end| end.value), high.and_then(|end| end.value));
    match (&low, &high) {
        (None, None) => None,
        (Some(_), None) => in_words([Token::new("≥").ok(), low, unit]),
        (None, Some(_)) => in_words([Token::new("≤").ok(), high, unit]),
        (Some(low), Some(high)) => {
            in_words([Token::new(format!("{} – {}", low.as_str(), high.as_str())).ok(), unit, None])
        }
    }
}

fn in_words(parts: [Option<Token>; 3]) -> Option<Narrative> {
    let parts: Vec<_> = parts.iter().flatten().map(Token::as_str).collect();
    Narrative::new(parts.join(" ")).ok()
}

/// Performers as backbone elements with an actor, or as plain references.
pub(super) fn performers(root: &Element<'_>) -> Vec<Party> {
    let read = |item: &Element<'_>| {
        let Some(actor) = item.child("actor") else {
            return item.as_party();
        };
        let role = item.concept("function").and_then(|role| Token::new(role.title()?).ok());
        actor.as_party().map(|party| Party { role, ..party })
    };
    root.elements("performer").iter().filter_map(read).collect()
}
