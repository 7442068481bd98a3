//! Which version of FHIR a resource was written in, by elements that only one has.

use crate::codec::json::{Json, Object};
use crate::record::FhirVersion;

use FhirVersion::{Dstu2, R5, Stu3};

/// Resource type (`*` for any), element, version: only that version has it.
const SIGNS: [(&str, &str, FhirVersion); 39] = [
    ("Immunization", "wasNotGiven", Dstu2),
    ("Immunization", "reported", Dstu2),
    ("Immunization", "notGiven", Stu3),
    ("Immunization", "administeredProduct", R5),
    ("AllergyIntolerance", "substance", Dstu2),
    ("AllergyIntolerance", "status", Dstu2),
    ("AllergyIntolerance", "assertedDate", Stu3),
    ("Condition", "dateRecorded", Dstu2),
    ("Condition", "assertedDate", Stu3),
    ("MedicationStatement", "wasNotTaken", Dstu2),
    ("MedicationStatement", "taken", Stu3),
    ("MedicationStatement", "adherence", R5),
    ("MedicationAdministration", "wasNotGiven", Dstu2),
    ("MedicationAdministration", "effectiveTimeDateTime", Dstu2),
    ("MedicationAdministration", "notGiven", Stu3),
    ("MedicationDispense", "notDone", Stu3),
    ("Procedure", "notPerformed", Dstu2),
    ("Procedure", "reasonNotPerformed", Dstu2),
    ("Procedure", "notDone", Stu3),
    ("Procedure", "notDoneReason", Stu3),
    ("Procedure", "occurrenceDateTime", R5),
    ("Procedure", "occurrencePeriod", R5),
    ("Observation", "comments", Dstu2),
    ("Observation", "comment", Stu3),
    ("Observation", "triggeredBy", R5),
    ("Encounter", "actualPeriod", R5),
    ("Encounter", "admission", R5),
    ("Encounter", "plannedStartDate", R5),
    ("FamilyMemberHistory", "notDone", Stu3),
    ("FamilyMemberHistory", "notDoneReason", Stu3),
    ("MedicationRequest", "medication", R5),
    ("MedicationStatement", "medication", R5),
    ("MedicationDispense", "medication", R5),
    ("MedicationAdministration", "medication", R5),
    ("MedicationRequest", "reason", R5),
    ("Procedure", "reason", R5),
    ("Immunization", "reason", R5),
    ("MedicationStatement", "reason", R5),
    ("MedicationDispense", "notPerformedReason", R5),
];

/// Elements that DSTU2 and STU3 have, and no later version.
const EARLY: [(&str, &str); 2] =
    [("MedicationStatement", "reasonNotTaken"), ("Immunization", "vaccinationProtocol")];

/// Resource types that only one version has.
const TYPES: [(&str, FhirVersion); 6] = [
    ("MedicationOrder", Dstu2),
    ("DiagnosticOrder", Dstu2),
    ("DeviceUseRequest", Dstu2),
    ("Conformance", Dstu2),
    ("Sequence", Stu3),
    ("Transport", R5),
];

/// The version, and whether nothing in the resource speaks for another. R4 where nothing
/// speaks at all.
pub(super) fn recognize(object: &Object, resource_type: &str) -> (FhirVersion, bool) {
    if let Some(version) = stated(object) {
        return (version, true);
    }
    let signs = SIGNS.iter().filter(|(of, name, _)| *of == resource_type && object.member(name).is_some());
    let types = TYPES.iter().filter(|(name, _)| *name == resource_type).map(|(_, version)| *version);
    let found: Vec<_> = signs.map(|(_, _, version)| *version).chain(types).collect();
    match found.first() {
        Some(first) => (*first, found.iter().all(|version| version == first)),
        None => match shapes(object, resource_type) {
            Some(version) => (version, true),
            None if is_early(object, resource_type) => (Dstu2, false),
            None => (FhirVersion::R4, true),
        },
    }
}

/// Whether an element is older than R4, and either of two versions may be meant.
fn is_early(object: &Object, resource_type: &str) -> bool {
    EARLY.iter().any(|(of, name)| *of == resource_type && object.member(name).is_some())
}

/// What `fhirVersion` or the profile of the base says.
fn stated(object: &Object) -> Option<FhirVersion> {
    let of_number = |text: &str| {
        [("1.0", Dstu2), ("3.0", Stu3), ("4.0", FhirVersion::R4), ("4.3", FhirVersion::R4B), ("5.0", R5)]
            .into_iter()
            .find(|(number, _)| text.starts_with(number))
            .map(|(_, version)| version)
    };
    let profiles = object.member("meta").and_then(|meta| meta.member("profile")).and_then(Json::as_array);
    let of_base = |profile: &Json| {
        let rest = profile.as_str()?.strip_prefix("http://hl7.org/fhir/")?;
        of_number(rest).or_else(|| {
            rest.split_once('|')
                .filter(|(name, _)| name.starts_with("StructureDefinition/"))
                .and_then(|(_, number)| of_number(number))
        })
    };
    let stated = object.member("fhirVersion").and_then(Json::as_str).and_then(of_number);
    stated.or_else(|| profiles.unwrap_or_default().iter().find_map(of_base))
}

/// Elements whose form changed.
fn shapes(object: &Object, resource_type: &str) -> Option<FhirVersion> {
    let member = |name: &str| object.member(name);
    match resource_type {
        "Encounter" => match member("class")? {
            Json::String(_) => Some(Dstu2),
            Json::Array(_) => Some(R5),
            _ => None,
        },
        "Condition" => matches!(member("clinicalStatus")?, Json::String(_)).then_some(Stu3),
        "AllergyIntolerance" => {
            if matches!(member("clinicalStatus"), Some(Json::String(_))) {
                return Some(Stu3);
            }
            let reactions = member("reaction").and_then(Json::as_array).unwrap_or_default();
            let mut manifestations =
                reactions.iter().filter_map(|item| item.member("manifestation")?.as_array()?.first());
            manifestations
                .any(|item| item.member("concept").is_some() || item.member("reference").is_some())
                .then_some(R5)
        }
        _ => None,
    }
}
