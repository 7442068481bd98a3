//! Condition, AllergyIntolerance, Immunization, FamilyMemberHistory.

use super::super::element::Element;
use super::words::word;
use crate::record::{
    Allergy, Component, Concept, Diagnosis, FamilyHistory, Immunization, Narrative, PartialDate, Party,
    Quantity, Record, Scalar, Token,
};

const IMMUNIZATION: [&str; 5] = ["completed", "not-done", "in-progress", "on-hold", "stopped"];

const CLINICAL: [&str; 7] =
    ["active", "recurrence", "relapse", "inactive", "remission", "resolved", "unknown"];
const VERIFICATION: [&str; 6] =
    ["unconfirmed", "provisional", "differential", "confirmed", "refuted", "unknown"];

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
        recorded: recorded(root),
        recorder: root.party("recorder"),
        asserter: root.party("asserter"),
        stages: root.elements("stage").iter().filter_map(|stage| stage.concept("summary")).collect(),
        evidence: root.elements("evidence").iter().flat_map(evidence).collect(),
        encounter: root.encounter(),
        notes: root.notes(),
    }
    .into()
}

fn evidence(item: &Element<'_>) -> Vec<Concept> {
    // FHIR R5: the evidence itself, not its code and what it refers to.
    if item.has("concept") || item.has("reference") {
        return item.meanings();
    }
    let mut found = item.concepts("code");
    found.extend(item.referenced_concepts("detail"));
    found
}

pub(super) fn allergy(root: &Element<'_>) -> Record {
    let reactions = root.elements("reaction");
    let (onset, _) = root.period("onsetPeriod");
    let dstu2_onset = root.plain("onset");
    let (clinical_status, verification_status) = allergy_status(root);
    let mut notes = root.notes();
    for reaction in &reactions {
        notes.extend(reaction.narrative("description"));
        notes.extend(reaction.notes());
    }
    Allergy {
        code: root.concept("code").or_else(|| root.concept("substance")),
        clinical_status,
        verification_status,
        sort: root.word("type"),
        categories: root.tokens("category"),
        criticality: root.token("criticality"),
        onset: root.date("onsetDateTime").or(onset).or_else(|| dstu2_onset.and_then(|_| root.date("onset"))),
        onset_text: age_or_text(root, "onset"),
        recorded: recorded(root),
        last_occurrence: root.date("lastOccurrence").or_else(|| root.date("lastOccurence")),
        substances: reactions.iter().filter_map(|reaction| reaction.concept("substance")).collect(),
        manifestations: reactions
            .iter()
            .flat_map(|reaction| reaction.codeable_references("manifestation"))
            .collect(),
        severities: reactions.iter().filter_map(|reaction| reaction.token("severity")).collect(),
        recorder: root.party("recorder"),
        asserter: root.party("asserter").or_else(|| root.party("reporter")),
        encounter: root.encounter(),
        notes,
    }
    .into()
}

/// When it was recorded, by the names that FHIR gave it.
fn recorded(root: &Element<'_>) -> Option<PartialDate> {
    ["recordedDate", "assertedDate", "dateRecorded"].into_iter().find_map(|name| root.date(name))
}

/// What DSTU2 said in one element, later versions say in two.
fn allergy_status(root: &Element<'_>) -> (Option<Token>, Option<Token>) {
    const CLINICAL: [&str; 3] = ["active", "inactive", "resolved"];
    const VERIFICATION: [&str; 4] = ["unconfirmed", "presumed", "confirmed", "refuted"];
    let clinical = root.status("clinicalStatus", &CLINICAL);
    let verification = root.status("verificationStatus", &VERIFICATION);
    if clinical.is_some() || verification.is_some() || !root.has("status") {
        return (clinical, verification);
    }
    if root.plain("status").is_some_and(|word| CLINICAL.contains(&word)) {
        return (root.token("status"), None);
    }
    (None, root.status("status", &VERIFICATION))
}

pub(super) fn immunization(root: &Element<'_>) -> Record {
    let not_given = denied(root, &["wasNotGiven", "notGiven"]);
    let explanation = root.child("explanation");
    let status = match not_given {
        true => word("not-done"),
        false => root.status("status", &IMMUNIZATION),
    };
    let reasons_against =
        explanation.as_ref().map(|item| reasons_against(item, &["reasonNotGiven"], status.as_ref()));
    let status_reasons = reasons_for_status(root, &["statusReason"], status.as_ref());
    let mut status_reasons = status_reasons.into_iter().chain(reasons_against.into_iter().flatten());
    let mut reasons = root.reasons();
    reasons.extend(explanation.iter().flat_map(|item| item.concepts("reason")));
    let protocols: Vec<_> =
        ["protocolApplied", "vaccinationProtocol"].into_iter().flat_map(|name| root.elements(name)).collect();
    let dose_number = |item: &Element<'_>| {
        ["doseNumberPositiveInt", "doseNumberString", "doseNumber", "doseSequence"]
            .into_iter()
            .find_map(|name| item.number(name))
    };
    Immunization {
        code: root.concept("vaccineCode"),
        status,
        status_reason: status_reasons.next(),
        occurrence: root.date("occurrenceDateTime").or_else(|| root.date("date")),
        occurrence_text: root.narrative("occurrenceString"),
        recorded: root.date("recorded"),
        performers: performers(root),
        location: root.party("location"),
        manufacturer: manufacturer(root),
        lot: root.token("lotNumber"),
        expires: root.date("expirationDate"),
        site: root.concept("site"),
        route: root.concept("route"),
        dose: root.quantity("doseQuantity"),
        reasons,
        primary_source: root.boolean("primarySource"),
        target_diseases: protocols.iter().flat_map(target_diseases).collect(),
        dose_number: protocols.iter().find_map(dose_number),
        encounter: root.encounter(),
        notes: root.notes(),
        subpotent: root.acted_on("isSubpotent"),
    }
    .into()
}

/// Against what a dose is, by the names of R4 and of DSTU2.
fn target_diseases(protocol: &Element<'_>) -> Vec<Concept> {
    ["targetDisease", "doseTarget"].into_iter().flat_map(|name| protocol.concepts(name)).collect()
}

/// Who made a vaccine: a reference, or in R5 one within an element.
fn manufacturer(root: &Element<'_>) -> Option<Party> {
    let item = root.child("manufacturer")?;
    let is_within = item.has("reference") && item.plain("reference").is_none();
    if is_within { item.party("reference") } else { item.as_party() }
}

/// Whether one of these flags denies what the resource is about: DSTU2 and STU3 said so
/// beside the status. An error stays one, whatever the flags say.
pub(super) fn denied(root: &Element<'_>, names: &[&str]) -> bool {
    if root.plain("status") == Some("entered-in-error") {
        return false;
    }
    let set: Vec<_> = names.iter().filter(|name| root.is_true(name)).collect();
    set.iter().for_each(|name| root.settle(name));
    !set.is_empty()
}

/// Words of a status with which it is no surprise that there is a reason against.
const NOT_SO: [&str; 5] = ["not-done", "not-given", "not-taken", "declined", "cancelled"];

fn is_not_so(status: Option<&Token>) -> bool {
    status.is_some_and(|status| NOT_SO.contains(&status.as_str()))
}

/// Reasons why something was not done. Beside a status that does not say so they
/// contradict it, and stay not understood: which of the two is wrong, only a person knows.
pub(super) fn reasons_against(item: &Element<'_>, names: &[&str], status: Option<&Token>) -> Vec<Concept> {
    if is_not_so(status) {
        names.iter().for_each(|name| item.settle(name));
    }
    names.iter().flat_map(|name| item.codeable_references(name)).collect()
}

/// Reasons of a status, where FHIR R4 has them only for what was not done.
pub(super) fn reasons_for_status(root: &Element<'_>, names: &[&str], status: Option<&Token>) -> Vec<Concept> {
    let is_done = status.is_some_and(|status| status.as_str() == "completed");
    names.iter().filter(|name| is_done && root.has(name)).for_each(|name| root.not_understood(name));
    names.iter().flat_map(|name| root.concepts(name)).collect()
}

pub(super) fn family_history(root: &Element<'_>) -> Record {
    let conditions = root.elements("condition");
    let (born, _) = root.period("bornPeriod");
    FamilyHistory {
        relationship: root.concept("relationship"),
        name: root.token("name"),
        sex: root.concept("sex").or_else(|| root.token("gender").map(Concept::from_text)),
        conditions: conditions.iter().filter_map(|item| item.concept("code")).collect(),
        details: conditions.iter().flat_map(family_details).collect(),
        date: root.date("date"),
        status: root.status("status", &["partial", "completed", "health-unknown"]),
        born: root.date("bornDate").or(born),
        deceased: root.boolean("deceasedBoolean").or(root.has("deceasedDate").then_some(true)),
        deceased_date: root.date("deceasedDate"),
        age: age_or_text(root, "age").or_else(|| age_or_text(root, "deceased")),
        reasons: root.reasons(),
        notes: root.notes(),
    }
    .into()
}

/// When it began and what came of it, each told as a part of the condition's code.
fn family_details(item: &Element<'_>) -> Vec<Component> {
    let code = item.concept("code").unwrap_or_default();
    let onset = age_or_text(item, "onset").map(Scalar::Text);
    let outcome = item.concept("outcome").map(Scalar::Concept);
    let notes = item.notes().into_iter().map(Scalar::Text);
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
    let age = [format!("{name}Age"), format!("{name}Quantity")];
    let age = age.iter().find(|name| root.has(name)).and_then(|name| root.quantity(name))?;
    Narrative::new(quantity_in_words(&age)?).ok()
}

/// An amount with all its parts: comparator, number, unit, and the unit's code where it
/// differs. `None` when it has no part.
pub(super) fn quantity_in_words(quantity: &Quantity) -> Option<String> {
    let text = |part: &Option<Token>| part.as_ref().map(|part| part.as_str().to_owned());
    let code = quantity.code.as_ref().filter(|code| Some(*code) != quantity.unit.as_ref());
    let code = match (&quantity.unit, code) {
        (Some(_), Some(code)) => Some(format!("({})", code.as_str())),
        (None, Some(code)) => Some(code.as_str().to_owned()),
        (_, None) => None,
    };
    let parts = [text(&quantity.comparator), text(&quantity.value), text(&quantity.unit), code];
    let words: Vec<String> = parts.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A range as `low – high unit`. Each end keeps its own unit and comparator where they
/// are not the same at both.
pub(super) fn range_in_words(range: &Element<'_>) -> Option<Narrative> {
    let (low, high) = (range.quantity("low"), range.quantity("high"));
    let words = match (&low, &high) {
        (None, None) => return None,
        (Some(low), None) => bound_in_words(low, "≥", "from", &[">", ">="])?,
        (None, Some(high)) => bound_in_words(high, "≤", "up to", &["<", "<="])?,
        (Some(low), Some(high)) => both_in_words(low, high)?,
    };
    Narrative::new(words).ok()
}

fn both_in_words(low: &Quantity, high: &Quantity) -> Option<String> {
    let compares = low.comparator.is_some() || high.comparator.is_some();
    let one_unit = low.unit == high.unit && low.code == high.code;
    match (&low.value, one_unit && !compares) {
        (Some(value), true) => Some(format!("{} – {}", value.as_str(), quantity_in_words(high)?)),
        _ => Some(format!("{} – {}", quantity_in_words(low)?, quantity_in_words(high)?)),
    }
}

/// One end of a range, whose own comparator stays as it is.
fn bound_in_words(end: &Quantity, sign: &str, otherwise: &str, natural: &[&str]) -> Option<String> {
    let words = quantity_in_words(end)?;
    Some(match &end.comparator {
        None => format!("{sign} {words}"),
        Some(comparator) if natural.contains(&comparator.as_str()) => words,
        Some(_) => format!("{otherwise} {words}"),
    })
}

/// A period: `from`, `until`, or both ends.
pub(super) fn period_in_words(start: Option<&PartialDate>, end: Option<&PartialDate>) -> Option<Narrative> {
    let words = match (start, end) {
        (None, None) => return None,
        (Some(start), None) => format!("from {}", start.as_str()),
        (None, Some(end)) => format!("until {}", end.as_str()),
        (Some(start), Some(end)) => format!("{} – {}", start.as_str(), end.as_str()),
    };
    Narrative::new(words).ok()
}

/// Performers as backbone elements with an actor, or as plain references.
pub(super) fn performers(root: &Element<'_>) -> Vec<Party> {
    let read = |item: &Element<'_>| {
        let Some(actor) = item.child("actor") else {
            return item.as_party();
        };
        let function = item.concept("function").or_else(|| item.concept("role"));
        let role = function.and_then(|role| Token::new(role.title()?).ok());
        actor.as_party().map(|party| Party { role, ..party })
    };
    // STU3 calls those who vaccinate practitioners, DSTU2 has other names for who gives medicines.
    let named = ["performer", "practitioner", "dispenser"].into_iter().flat_map(|name| root.elements(name));
    named.collect::<Vec<_>>().iter().filter_map(read).collect()
}
