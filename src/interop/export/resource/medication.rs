//! Medications: prescribed, dispensed, given or taken.

use super::super::types::{
    Fhir, actors, all, by, date_time, narrative, needed, notes, one, period, quantity, reference, unknown,
    word_or,
};
use super::super::written::Written;
use crate::codec::json::Json;
use crate::record::{Medication, Token};

pub(super) fn medication(written: &Written<'_>, record: &Medication) -> Json {
    match record.form.as_ref().map(Token::as_str) {
        Some("request") => request(written, record),
        Some("dispense") => dispense(written, record),
        Some("administration") => administration(written, record),
        _ => medication_statement(written, record),
    }
}

/// Doses as FHIR `Dosage`s: the words of each, and beside the first what is said of all.
fn dosages(record: &Medication) -> Vec<Json> {
    let count = record.dosages.len().max(record.doses.len()).max(record.routes.len());
    let count = count.max(usize::from(record.as_needed.is_some()));
    let one_of = |at: usize| {
        let rate = record.doses.get(at).and_then(quantity);
        let rate = rate.map(|dose| Fhir::default().with("doseQuantity", dose).json());
        let as_needed = record.as_needed.filter(|_| at == 0).map(Json::Bool);
        Fhir::default()
            .with("text", narrative(record.dosages.get(at)))
            .with("asNeededBoolean", as_needed)
            .with("route", one(record.routes.get(at)))
            .list("doseAndRate", rate)
            .said()
    };
    (0..count).filter_map(one_of).collect()
}

fn request(written: &Written<'_>, record: &Medication) -> Json {
    const STATUS: [&str; 8] =
        ["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"];
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
    let refills = record.refills.as_ref().filter(|text| text.as_str().parse::<u32>().is_ok());
    let refills = refills.and_then(|text| text.as_str().parse::<u32>().ok());
    let dispense = Fhir::default()
        .with("validityPeriod", period(record.start.as_ref(), record.end.as_ref()))
        .with("numberOfRepeatsAllowed", refills.map(|refills| Json::Number(refills.to_string())))
        .with("quantity", record.quantity.as_ref().and_then(quantity))
        .said();
    written
        .begin("MedicationRequest")
        .with("status", word_or(record.status.as_ref(), &STATUS, "unknown"))
        .with("statusReason", one(record.status_reasons.first()))
        .with("intent", word_or(record.intent.as_ref(), &INTENT, "order"))
        .list("category", all(&record.categories))
        .with("doNotPerform", record.do_not_perform.map(Json::Bool))
        .with("medicationCodeableConcept", needed(record.code.as_ref()))
        .with("subject", written.subject())
        .with("encounter", reference(record.encounter.as_ref()))
        .with("authoredOn", date_time(record.authored.as_ref()))
        .with("requester", by(record.prescriber.as_ref()))
        .with("performer", by(record.performers.first()))
        .list("reasonCode", all(&record.reasons))
        .list("note", notes(&record.notes))
        .list("dosageInstruction", dosages(record))
        .with("dispenseRequest", dispense)
        .json()
}

fn medication_statement(written: &Written<'_>, record: &Medication) -> Json {
    const STATUS: [&str; 8] =
        ["active", "completed", "entered-in-error", "intended", "stopped", "on-hold", "unknown", "not-taken"];
    let status = match record.do_not_perform {
        Some(true) => Json::string("not-taken"),
        _ => word_or(record.status.as_ref(), &STATUS, "unknown"),
    };
    let source = record.prescriber.as_ref().or(record.performers.first());
    written
        .begin("MedicationStatement")
        .with("status", status)
        .list("statusReason", all(&record.status_reasons))
        .with("category", one(record.categories.first()))
        .with("medicationCodeableConcept", needed(record.code.as_ref()))
        .with("subject", written.subject())
        .with("context", reference(record.encounter.as_ref()))
        .with("effectivePeriod", period(record.start.as_ref(), record.end.as_ref()))
        .with("dateAsserted", date_time(record.authored.as_ref()))
        .with("informationSource", by(source))
        .list("reasonCode", all(&record.reasons))
        .list("note", notes(&record.notes))
        .list("dosage", dosages(record))
        .json()
}

fn dispense(written: &Written<'_>, record: &Medication) -> Json {
    const STATUS: [&str; 9] = [
        "preparation",
        "in-progress",
        "cancelled",
        "on-hold",
        "completed",
        "entered-in-error",
        "stopped",
        "declined",
        "unknown",
    ];
    let status = match record.do_not_perform {
        Some(true) => Json::string("declined"),
        _ => word_or(record.status.as_ref(), &STATUS, "unknown"),
    };
    // Mdd-1: what is handed over was prepared before.
    let handed_over = record.end.as_ref().or(record.start.as_ref());
    written
        .begin("MedicationDispense")
        .with("status", status)
        .with("statusReasonCodeableConcept", one(record.status_reasons.first()))
        .with("category", one(record.categories.first()))
        .with("medicationCodeableConcept", needed(record.code.as_ref()))
        .with("subject", written.subject())
        .with("context", reference(record.encounter.as_ref()))
        .list("performer", actors(&record.performers, "function"))
        .with("quantity", record.quantity.as_ref().and_then(quantity))
        .with("whenHandedOver", date_time(handed_over))
        .list("note", notes(&record.notes))
        .list("dosageInstruction", dosages(record))
        .json()
}

fn administration(written: &Written<'_>, record: &Medication) -> Json {
    const STATUS: [&str; 7] =
        ["in-progress", "not-done", "on-hold", "completed", "entered-in-error", "stopped", "unknown"];
    let status = match record.do_not_perform {
        Some(true) => Json::string("not-done"),
        _ => word_or(record.status.as_ref(), &STATUS, "unknown"),
    };
    let resource = written
        .begin("MedicationAdministration")
        .with("status", status)
        .list("statusReason", all(&record.status_reasons))
        .with("category", one(record.categories.first()))
        .with("medicationCodeableConcept", needed(record.code.as_ref()))
        .with("subject", written.subject())
        .with("context", reference(record.encounter.as_ref()));
    let dose = record.doses.first().or(record.quantity.as_ref()).and_then(quantity);
    // Mad-1: a dosage has a dose.
    let dosage = dose.map(|dose| {
        Fhir::default()
            .with("text", narrative(record.dosages.first()))
            .with("route", one(record.routes.first()))
            .with("dose", dose)
            .json()
    });
    let time = match (record.start.as_ref(), record.end.as_ref()) {
        (Some(start), None) => resource.with("effectiveDateTime", date_time(Some(start))),
        (start @ Some(_), end) => resource.with("effectivePeriod", period(start, end)),
        (None, Some(end)) => resource.with("effectivePeriod", period(None, Some(end))),
        (None, None) => resource.with("effectivePeriod", unknown()),
    };
    time.list("performer", actors(&record.performers, "function"))
        .list("reasonCode", all(&record.reasons))
        .list("note", notes(&record.notes))
        .with("dosage", dosage)
        .json()
}
