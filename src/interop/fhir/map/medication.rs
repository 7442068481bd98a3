//! MedicationRequest, MedicationStatement, MedicationDispense, MedicationAdministration.

use super::super::element::Element;
use super::clinical::{denied, performers, reasons_against, reasons_for_status};
use super::words::word;
use crate::record::{Concept, Medication, Narrative, Party, Record, Token};

const REQUEST: [&str; 8] =
    ["active", "on-hold", "cancelled", "completed", "stopped", "draft", "unknown", "ended"];
const INTENT: [&str; 8] = [
    "proposal",
    "plan",
    "order",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
    "option",
];
const STATEMENT: [&str; 9] =
    ["active", "completed", "intended", "stopped", "on-hold", "unknown", "not-taken", "recorded", "draft"];
const DISPENSE: [&str; 8] =
    ["preparation", "in-progress", "cancelled", "on-hold", "completed", "stopped", "declined", "unknown"];
const ADMINISTRATION: [&str; 6] = ["in-progress", "not-done", "on-hold", "completed", "stopped", "unknown"];

pub(super) fn request(root: &Element<'_>) -> Record {
    let supply = root.child("dispenseRequest");
    let (start, end) = dosing_period(root, "dosageInstruction");
    let (effective_start, effective_end) = root.period("effectiveDosePeriod");
    Medication {
        form: word("request"),
        status: root.status("status", &REQUEST),
        intent: root.status("intent", &INTENT),
        do_not_perform: root.acted_on("doNotPerform"),
        authored: root.date("authoredOn").or_else(|| root.date("dateWritten")),
        start: start.or(effective_start),
        end: end.or(effective_end).or_else(|| root.date("dateEnded")),
        prescriber: prescriber(root),
        performers: root.parties("performer"),
        quantity: supply.as_ref().and_then(|supply| supply.quantity("quantity")),
        refills: supply.as_ref().and_then(|supply| supply.number("numberOfRepeatsAllowed")),
        ..common(root, "dosageInstruction", None)
    }
    .into()
}

/// Who prescribes: DSTU2 has another name, STU3 an agent within.
fn prescriber(root: &Element<'_>) -> Option<Party> {
    let within = || root.child("requester")?.party("agent");
    root.party("requester").or_else(within).or_else(|| root.party("prescriber"))
}

pub(super) fn statement(root: &Element<'_>) -> Record {
    let (start, end) = root.period("effectivePeriod");
    let status = match is_not_taken(root) {
        true => word("not-taken"),
        false => root.status("status", &STATEMENT),
    };
    Medication {
        form: word("statement"),
        status: status.clone(),
        authored: root.date("dateAsserted"),
        start: root.date("effectiveDateTime").or(start),
        end,
        performers: root.party("informationSource").into_iter().collect(),
        ..common(root, "dosage", status.as_ref())
    }
    .into()
}

/// Whether a statement says that the medicine is not taken: by a flag (DSTU2), a word
/// (STU3) or a code (R5). R4 has a status for it.
fn is_not_taken(root: &Element<'_>) -> bool {
    if root.plain("status") == Some("entered-in-error") {
        return false;
    }
    let by_word = root.plain("taken") == Some("n");
    if by_word {
        root.settle("taken");
    }
    denied(root, &["wasNotTaken"]) || by_word || adherence_denies(root)
}

/// A code of FHIR R5 that is a "no". What is no plain "yes" or "no", or says it twice or in
/// words, is not understood.
fn adherence_denies(root: &Element<'_>) -> bool {
    let Some(code) = root.child("adherence").and_then(|item| item.child("code")) else { return false };
    let codings = code.elements("coding");
    let [coding] = codings.as_slice() else { return false };
    let (word, is_alone) = (coding.plain("code"), !code.has("text"));
    let is_known = matches!(word, Some("not-taking" | "taking" | "taking-as-directed"));
    if is_known && is_alone {
        root.settle("adherence");
        coding.settle("code");
    }
    word == Some("not-taking")
}

pub(super) fn dispense(root: &Element<'_>) -> Record {
    let status = match denied(root, &["notDone"]) {
        true => word("declined"),
        false => root.status("status", &DISPENSE),
    };
    let mut common = common(root, "dosageInstruction", status.as_ref());
    let reasons = ["statusReasonCodeableConcept", "statusReason"];
    common.status_reasons.extend(reasons_for_status(root, &reasons, status.as_ref()));
    Medication {
        form: word("dispense"),
        status,
        start: root.date("whenHandedOver").or_else(|| root.date("whenPrepared")),
        performers: performers(root),
        quantity: root.quantity("quantity"),
        ..common
    }
    .into()
}

const PERIODS: [&str; 3] = ["effectivePeriod", "effectiveTimePeriod", "occurencePeriod"];
const DATES: [&str; 3] = ["effectiveDateTime", "effectiveTimeDateTime", "occurenceDateTime"];

pub(super) fn administration(root: &Element<'_>) -> Record {
    // By the names of R4, of DSTU2 and of R5, which spells them so.
    let (start, end) =
        PERIODS.into_iter().find(|name| root.has(name)).map_or((None, None), |name| root.period(name));
    let dosage = root.child("dosage");
    let status = match denied(root, &["wasNotGiven", "notGiven"]) {
        true => word("not-done"),
        false => root.status("status", &ADMINISTRATION),
    };
    let mut common = common(root, "dosage", status.as_ref());
    common.status_reasons.extend(reasons_for_status(root, &["statusReason"], status.as_ref()));
    Medication {
        form: word("administration"),
        status,
        start: DATES.into_iter().find_map(|name| root.date(name)).or(start),
        end,
        performers: performers(root),
        doses: dosage
            .and_then(|dosage| ["dose", "quantity"].into_iter().find_map(|name| dosage.quantity(name)))
            .into_iter()
            .collect(),
        ..common
    }
    .into()
}

/// Reasons against, by the names that FHIR gave them.
const REASONS_AGAINST: [&str; 5] = [
    "reasonNotTaken",
    "reasonNotGiven",
    "notDoneReasonCodeableConcept",
    "notDoneReason",
    "notPerformedReason",
];

/// What the four have in common. The status is that to which reasons against are held.
fn common(root: &Element<'_>, dosage: &str, status: Option<&Token>) -> Medication {
    let dosages = root.elements(dosage);
    let doses = dosages.iter().flat_map(|item| item.elements("doseAndRate"));
    let is_of_done = matches!(root.path(), "MedicationDispense" | "MedicationAdministration");
    let mut status_reasons = if is_of_done { Vec::new() } else { root.concepts("statusReason") };
    status_reasons.extend(reasons_against(root, &REASONS_AGAINST, status));
    Medication {
        code: medicine(root),
        categories: root.concepts("category"),
        dosages: dosages.iter().flat_map(dosage_texts).collect(),
        doses: doses.filter_map(|dose| dose.quantity("doseQuantity")).collect(),
        routes: dosages.iter().filter_map(|item| item.concept("route")).collect(),
        as_needed: dosages.iter().find_map(as_needed),
        reasons: root.reasons().into_iter().chain(root.concepts("reasonGiven")).collect(),
        status_reasons,
        encounter: root.encounter(),
        notes: root.notes(),
        ..Medication::default()
    }
}

/// The medicine: coded here, or by reference to one in the input.
fn medicine(root: &Element<'_>) -> Option<Concept> {
    if let Some(code) = root.concept("medicationCodeableConcept") {
        return Some(code);
    }
    if let Some(reference) = root.child("medicationReference") {
        return reference.as_referenced_concept();
    }
    // FHIR R5: one element that holds either.
    let either = root.child("medication")?;
    let reference = || either.child("reference").and_then(|reference| reference.as_referenced_concept());
    either.concept("concept").or_else(reference)
}

fn dosage_texts(item: &Element<'_>) -> Vec<Narrative> {
    let timing = || {
        item.child("timing").and_then(|timing| timing.child("code")).and_then(|code| code.narrative("text"))
    };
    let text = item.narrative("text").or_else(timing);
    text.into_iter().chain(item.narrative("patientInstruction")).collect()
}

fn as_needed(item: &Element<'_>) -> Option<bool> {
    item.boolean("asNeededBoolean")
        .or_else(|| item.boolean("asNeeded"))
        .or(item.has("asNeededCodeableConcept").then_some(true))
}

/// When the dosing is bounded to a period, that period.
fn dosing_period(
    root: &Element<'_>,
    dosage: &str,
) -> (Option<crate::record::PartialDate>, Option<crate::record::PartialDate>) {
    let dosages = root.elements(dosage);
    let repeats = dosages.iter().filter_map(|item| item.child("timing")?.child("repeat"));
    let bounds = repeats.into_iter().find(|repeat| repeat.has("boundsPeriod"));
    bounds.map_or((None, None), |repeat| repeat.period("boundsPeriod"))
}
