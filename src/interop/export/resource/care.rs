//! Conditions, treatments, stays and visits, allergies, immunizations.

use super::super::types::{
    Fhir, actors, all, by, coded, coding, date, date_time, in_words, narrative, needed, notes, one, parties,
    party, period, quantity, reference, status, string, token, unknown, word, word_or,
};
use super::super::written::Written;
use crate::codec::json::Json;
use crate::record::{
    Allergy, Concept, Diagnosis, Encounter, Hospitalization, Immunization, Narrative, PartialDate, Party,
    Token, Treatment,
};

const TERMS: &str = "http://terminology.hl7.org/CodeSystem/";

fn system(name: &str) -> String {
    format!("{TERMS}{name}")
}

pub(super) fn diagnosis(written: &Written<'_>, record: &Diagnosis) -> Json {
    const CLINICAL: [&str; 6] = ["active", "recurrence", "relapse", "inactive", "remission", "resolved"];
    const VERIFICATION: [&str; 6] =
        ["unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"];
    let is_error =
        record.verification_status.as_ref().is_some_and(|word| word.as_str() == "entered-in-error");
    // Con-5: what was entered in error has no clinical status.
    let clinical = record.clinical_status.as_ref().filter(|_| !is_error);
    let is_over = |word: &Token| ["inactive", "remission", "resolved"].contains(&word.as_str());
    let ends = record.abatement.is_some() || record.abatement_text.is_some();
    let clinical_status = match clinical {
        // Con-4: what has ended has a status that says so.
        None if ends && !is_error => Some(coded(&system("condition-clinical"), "inactive")),
        clinical => status(clinical, &system("condition-clinical"), &CLINICAL),
    };
    let resource = written
        .begin("Condition")
        .with("clinicalStatus", clinical_status)
        .with(
            "verificationStatus",
            status(record.verification_status.as_ref(), &system("condition-ver-status"), &VERIFICATION),
        )
        .list("category", all(&record.categories))
        .with("severity", one(record.severity.as_ref()))
        .with("code", one(record.code.as_ref()))
        .list("bodySite", all(&record.body_sites))
        .with("subject", written.subject())
        .with("encounter", reference(record.encounter.as_ref()));
    let resource = when(
        resource,
        "onset",
        record.onset.as_ref(),
        record.onset_latest.as_ref(),
        record.onset_text.as_ref(),
    );
    let has_ended = !is_error && clinical.is_none_or(is_over);
    let (abatement, in_text) = match has_ended {
        true => (record.abatement.as_ref(), record.abatement_text.as_ref()),
        false => (None, None),
    };
    when(resource, "abatement", abatement, None, in_text)
        .with("recordedDate", date_time(record.recorded.as_ref()))
        .with("recorder", by(record.recorder.as_ref()))
        .with("asserter", by(record.asserter.as_ref()))
        .list("stage", all(&record.stages).map(|stage| Fhir::default().with("summary", stage).json()))
        .list("evidence", all(&record.evidence).map(|found| Fhir::default().list("code", [found]).json()))
        .list("note", notes(&record.notes))
        .json()
}

/// An element that is a date, a period or a text: the one that says most.
fn when(
    resource: Fhir,
    name: &str,
    start: Option<&PartialDate>,
    end: Option<&PartialDate>,
    text: Option<&Narrative>,
) -> Fhir {
    match (start, end, text) {
        (_, Some(_), _) => resource.with(&format!("{name}Period"), period(start, end)),
        (Some(_), None, _) => resource.with(&format!("{name}DateTime"), date_time(start)),
        (None, None, text) => resource.with(&format!("{name}String"), narrative(text)),
    }
}

pub(super) fn treatment(written: &Written<'_>, record: &Treatment) -> Json {
    match record.form.as_ref().map(Token::as_str) {
        Some("care-plan") => care_plan(written, record),
        _ => procedure(written, record),
    }
}

fn procedure(written: &Written<'_>, record: &Treatment) -> Json {
    const STATUS: [&str; 8] = [
        "preparation",
        "in-progress",
        "not-done",
        "on-hold",
        "stopped",
        "completed",
        "entered-in-error",
        "unknown",
    ];
    let is_forbidden = record.do_not_perform == Some(true);
    let status = if is_forbidden {
        Json::string("not-done")
    } else {
        word_or(record.status.as_ref(), &STATUS, "unknown")
    };
    let resource = written
        .begin("Procedure")
        .with("status", status)
        .with("statusReason", one(record.status_reason.as_ref()))
        .with("category", one(record.categories.first()))
        .with("code", one(record.code.as_ref()).or_else(|| titled(record)))
        .with("subject", written.subject())
        .with("encounter", reference(record.encounter.as_ref()));
    when(resource, "performed", record.start.as_ref(), record.end.as_ref(), record.time_text.as_ref())
        .with("recorder", by(record.recorder.as_ref()))
        .list("performer", actors(&record.performers, "function"))
        .with("location", by(record.location.as_ref()))
        .list("reasonCode", all(&record.reasons))
        .list("bodySite", all(&record.body_sites))
        .with("outcome", one(record.outcome.as_ref()))
        .list("complication", all(&record.complications))
        .list("followUp", all(&record.follow_up))
        .list("note", notes(&record.notes))
        .json()
}

fn titled(record: &Treatment) -> Option<Json> {
    Fhir::default().with("text", token(record.title.as_ref())).said()
}

fn care_plan(written: &Written<'_>, record: &Treatment) -> Json {
    const STATUS: [&str; 7] =
        ["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"];
    const INTENT: [&str; 4] = ["proposal", "plan", "order", "option"];
    let status = match record.do_not_perform {
        Some(true) => Json::string("revoked"),
        _ => word_or(record.status.as_ref(), &STATUS, "unknown"),
    };
    let shown = |text: &Narrative| Some(Fhir::default().with("display", string(text.as_str())?).json());
    let activity = |concept: Json| {
        let detail = Fhir::default().with("code", concept).with("status", Json::string("unknown"));
        Fhir::default().with("detail", detail.json()).json()
    };
    let reason = |concept: &Concept| Some(Fhir::default().with("display", string(concept.title()?)).json());
    let categories = record.code.iter().filter(|code| record.categories.first() != Some(code));
    let categories: Vec<Concept> = categories.chain(&record.categories).cloned().collect();
    written
        .begin("CarePlan")
        .with("status", status)
        .with("intent", word_or(record.intent.as_ref(), &INTENT, "plan"))
        .list("category", all(&categories))
        .with("title", token(record.title.as_ref()))
        .with("description", narrative(record.description.as_ref()))
        .with("subject", written.subject())
        .with("encounter", reference(record.encounter.as_ref()))
        .with("period", period(record.start.as_ref(), record.end.as_ref()))
        .with("created", date_time(record.created.as_ref()))
        .with("author", by(record.performers.first()))
        .list("contributor", parties(record.performers.get(1..).unwrap_or_default()))
        .list("addresses", record.reasons.iter().filter_map(reason))
        .list("goal", record.goals.iter().filter_map(shown))
        .list("activity", all(&record.activities).map(activity))
        .list("note", notes(&record.notes))
        .json()
}

const ENCOUNTER: [&str; 9] = [
    "planned",
    "arrived",
    "triaged",
    "in-progress",
    "onleave",
    "finished",
    "cancelled",
    "entered-in-error",
    "unknown",
];

/// The class of an encounter is one coding, which FHIR demands.
fn class(found: Option<&Concept>, otherwise: (&str, &str)) -> Json {
    let found = found.and_then(|concept| {
        concept
            .codings
            .first()
            .and_then(coding)
            .or_else(|| Fhir::default().with("display", token(concept.text.as_ref())).said())
    });
    found.unwrap_or_else(|| {
        Fhir::default()
            .with("system", Json::string(system(otherwise.0)))
            .with("code", Json::string(otherwise.1))
            .json()
    })
}

/// Diagnoses of a contact by their words: references to conditions that are shown.
fn diagnoses(found: &[Concept]) -> impl Iterator<Item = Json> {
    found.iter().filter_map(|concept| {
        let condition = Fhir::default().with("display", string(concept.title()?)).said()?;
        Some(Fhir::default().with("condition", condition).json())
    })
}

fn participants(found: &[Party]) -> impl Iterator<Item = Json> {
    found.iter().filter_map(|who| {
        let role = who.role.as_ref().and_then(|role| string(role.as_str()));
        let role = role.map(|role| Fhir::default().with("text", role).json());
        Some(Fhir::default().list("type", role).with("individual", party(who)?).json())
    })
}

fn locations(found: &[Party]) -> impl Iterator<Item = Json> {
    parties(found).map(|location| Fhir::default().with("location", location).json())
}

pub(super) fn hospitalization(written: &Written<'_>, record: &Hospitalization) -> Json {
    let stay = Fhir::default()
        .with("admitSource", one(record.admit_source.as_ref()))
        .with("reAdmission", one(record.readmission.as_ref()))
        .with("dischargeDisposition", one(record.discharge_disposition.as_ref()))
        .said();
    written
        .begin("Encounter")
        .with("status", word_or(record.status.as_ref(), &ENCOUNTER, "unknown"))
        .with("class", class(record.class.as_ref(), ("v3-ActCode", "IMP")))
        .list("type", all(&record.types))
        .with("serviceType", one(record.service_type.as_ref()))
        .with("priority", one(record.priority.as_ref()))
        .with("subject", written.subject())
        .list("participant", participants(&record.participants))
        .with("period", period(record.admission.as_ref(), record.discharge.as_ref()))
        .list("reasonCode", all(&record.reasons))
        .list("diagnosis", diagnoses(&record.diagnoses))
        .with("hospitalization", stay)
        .list("location", locations(&record.locations))
        .with("serviceProvider", by(record.facility.as_ref()))
        .json()
}

pub(super) fn encounter(written: &Written<'_>, record: &Encounter) -> Json {
    let left =
        Fhir::default().with("dischargeDisposition", one(record.discharge_disposition.as_ref())).said();
    written
        .begin("Encounter")
        .with("status", word_or(record.status.as_ref(), &ENCOUNTER, "unknown"))
        .with("class", class(record.class.as_ref(), ("v3-NullFlavor", "UNK")))
        .list("type", all(&record.types))
        .with("serviceType", one(record.service_type.as_ref()))
        .with("priority", one(record.priority.as_ref()))
        .with("subject", written.subject())
        .list("participant", participants(&record.participants))
        .with("period", period(record.start.as_ref(), record.end.as_ref()))
        .list("reasonCode", all(&record.reasons))
        .list("diagnosis", diagnoses(&record.diagnoses))
        .with("hospitalization", left)
        .list("location", locations(&record.locations))
        .with("serviceProvider", by(record.facility.as_ref()))
        .json()
}

pub(super) fn allergy(written: &Written<'_>, record: &Allergy) -> Json {
    const CLINICAL: [&str; 3] = ["active", "inactive", "resolved"];
    const VERIFICATION: [&str; 4] = ["unconfirmed", "confirmed", "refuted", "entered-in-error"];
    const CATEGORY: [&str; 4] = ["food", "medication", "environment", "biologic"];
    let is_error =
        record.verification_status.as_ref().is_some_and(|word| word.as_str() == "entered-in-error");
    let clinical = record.clinical_status.as_ref().filter(|_| !is_error);
    let reaction = |substance: Option<&Concept>, manifested: &[Concept], severity: Option<&Token>| {
        let manifestations: Vec<Json> = all(manifested).collect();
        let substance = one(substance);
        let severity = word(severity, &["mild", "moderate", "severe"]);
        if manifestations.is_empty() && substance.is_none() && severity.is_none() {
            return None;
        }
        let needed = if manifestations.is_empty() { vec![in_words("not said")] } else { manifestations };
        let reaction = Fhir::default().with("substance", substance).list("manifestation", needed);
        Some(reaction.with("severity", severity).json())
    };
    let first = reaction(record.substances.first(), &record.manifestations, record.severities.first());
    let most = record.substances.len().max(record.severities.len());
    let others =
        (1..most).filter_map(|at| reaction(record.substances.get(at), &[], record.severities.get(at)));
    // Ait-1: there is a clinical status, said or not, unless it was entered in error.
    let clinical_status = status(clinical, &system("allergyintolerance-clinical"), &CLINICAL);
    let resource = written
        .begin("AllergyIntolerance")
        .with("clinicalStatus", clinical_status.or_else(|| (!is_error).then(unknown)))
        .with(
            "verificationStatus",
            status(
                record.verification_status.as_ref(),
                &system("allergyintolerance-verification"),
                &VERIFICATION,
            ),
        )
        .with("type", word(record.sort.as_ref(), &["allergy", "intolerance"]))
        .list("category", record.categories.iter().filter_map(|found| word(Some(found), &CATEGORY)))
        .with("criticality", word(record.criticality.as_ref(), &["low", "high", "unable-to-assess"]))
        .with("code", one(record.code.as_ref()))
        .with("patient", written.subject())
        .with("encounter", reference(record.encounter.as_ref()));
    when(resource, "onset", record.onset.as_ref(), None, record.onset_text.as_ref())
        .with("recordedDate", date_time(record.recorded.as_ref()))
        .with("recorder", by(record.recorder.as_ref()))
        .with("asserter", by(record.asserter.as_ref()))
        .with("lastOccurrence", date_time(record.last_occurrence.as_ref()))
        .list("note", notes(&record.notes))
        .list("reaction", first.into_iter().chain(others))
        .json()
}

pub(super) fn immunization(written: &Written<'_>, record: &Immunization) -> Json {
    const STATUS: [&str; 3] = ["completed", "entered-in-error", "not-done"];
    let resource = written
        .begin("Immunization")
        .with("status", word(record.status.as_ref(), &STATUS))
        // FHIR has no word for a status that is not known, and none may say that it was given.
        .with("_status", word(record.status.as_ref(), &STATUS).is_none().then(unknown))
        .with("statusReason", one(record.status_reason.as_ref()))
        .with("vaccineCode", needed(record.code.as_ref()))
        .with("patient", written.subject())
        .with("encounter", reference(record.encounter.as_ref()));
    let resource = match (record.occurrence.as_ref(), record.occurrence_text.as_ref()) {
        (time @ Some(_), _) => resource.with("occurrenceDateTime", date_time(time)),
        (None, text) => {
            resource.with("occurrenceString", narrative(text).unwrap_or_else(|| Json::string("not said")))
        }
    };
    let number = record.dose_number.as_ref();
    let has_protocol = !record.target_diseases.is_empty() || number.is_some();
    let protocol = has_protocol.then(|| {
        let number = number.and_then(|number| string(number.as_str()));
        Fhir::default()
            .list("targetDisease", all(&record.target_diseases))
            .with("doseNumberString", number.unwrap_or_else(|| Json::string("not said")))
            .json()
    });
    resource
        .with("recorded", date_time(record.recorded.as_ref()))
        .with("primarySource", record.primary_source.map(Json::Bool))
        .with("location", by(record.location.as_ref()))
        .with("manufacturer", by(record.manufacturer.as_ref()))
        .with("lotNumber", token(record.lot.as_ref()))
        .with("expirationDate", date(record.expires.as_ref()))
        .with("site", one(record.site.as_ref()))
        .with("route", one(record.route.as_ref()))
        .with("doseQuantity", record.dose.as_ref().and_then(quantity))
        .list("performer", actors(&record.performers, "function"))
        .list("note", notes(&record.notes))
        .list("reasonCode", all(&record.reasons))
        .with("isSubpotent", record.subpotent.map(Json::Bool))
        .list("protocolApplied", protocol)
        .json()
}
