//! Which version of FHIR a resource was written in, by what not every version has.
//!
//! Each sign leaves the versions that have it, and a version is named for sure only where
//! all signs together leave it. R4 and what may be R4 is R4: that is what is mapped.

mod signs;

use crate::codec::json::{Json, Object};
use crate::record::FhirVersion;
use signs::{ANY, DSTU2, R4, R5, STU3};

/// The version, and whether the signs leave it: R4 where they leave more than one and R4 is
/// among them, else the oldest of them, not for sure.
pub(super) fn recognize(object: &Object, resource_type: &str) -> (FhirVersion, bool) {
    let stated = stated(object);
    let elements =
        object.members().iter().filter(|(_, value)| *value != Json::Null).map(|(name, value)| {
            signs::of_element(resource_type, name) & of_shape(resource_type, name, value)
        });
    let mut left = signs::of_type(resource_type);
    let mut agree = true;
    for versions in stated.map(bit).into_iter().chain(elements) {
        agree &= left & versions != 0;
        left = if left & versions == 0 { left } else { left & versions };
    }
    let found = match left {
        DSTU2 => FhirVersion::Dstu2,
        STU3 => FhirVersion::Stu3,
        R5 => FhirVersion::R5,
        left if left & R4 != 0 => FhirVersion::R4,
        left if left & DSTU2 != 0 => return (stated.unwrap_or(FhirVersion::Dstu2), false),
        _ => return (stated.unwrap_or(FhirVersion::Stu3), false),
    };
    (stated.unwrap_or(found), agree)
}

fn bit(version: FhirVersion) -> u8 {
    match version {
        FhirVersion::Dstu2 => DSTU2,
        FhirVersion::Stu3 => STU3,
        FhirVersion::R4 | FhirVersion::R4B => R4,
        FhirVersion::R5 => R5,
    }
}

/// What `fhirVersion` or the profile of the base says.
fn stated(object: &Object) -> Option<FhirVersion> {
    let numbers = [
        ("1.0", FhirVersion::Dstu2),
        ("3.0", FhirVersion::Stu3),
        ("4.0", FhirVersion::R4),
        ("4.3", FhirVersion::R4B),
        ("5.0", FhirVersion::R5),
    ];
    let of_number = |text: &str| {
        numbers.into_iter().find(|(number, _)| text.starts_with(number)).map(|(_, version)| version)
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

/// The versions in which an element has this form, of those whose form changed.
fn of_shape(resource_type: &str, name: &str, value: &Json) -> u8 {
    let (is_word, is_array) = (value.as_str().is_some(), value.as_array().is_some());
    let any_has =
        |name: &str| value.as_array().unwrap_or_default().iter().any(|item| item.member(name).is_some());
    match (resource_type, name) {
        ("Encounter", "class") if is_word => DSTU2,
        ("Encounter", "class") if is_array => R5,
        ("Encounter", "class") => STU3 | R4,
        ("Encounter", "participant") if any_has("actor") => R5,
        ("Encounter", "participant") if any_has("individual") => DSTU2 | STU3 | R4,
        ("Condition", "clinicalStatus" | "verificationStatus") if is_word => DSTU2 | STU3,
        ("Condition", "clinicalStatus" | "verificationStatus") => R4 | R5,
        ("AllergyIntolerance", "clinicalStatus" | "verificationStatus") if is_word => STU3,
        ("AllergyIntolerance", "clinicalStatus" | "verificationStatus") => R4 | R5,
        ("AllergyIntolerance", "category") if is_word => DSTU2,
        ("AllergyIntolerance", "reaction") => of_reactions(value),
        ("MedicationRequest", "category") if !is_array => STU3,
        ("MedicationRequest", "category") => R4 | R5,
        ("MedicationRequest", "requester") if value.member("agent").is_some() => STU3,
        ("Procedure", "category") if is_array => R5,
        ("DocumentReference", "context") if is_array => R5,
        ("QuestionnaireResponse", "questionnaire") if is_word => R4 | R5,
        ("QuestionnaireResponse", "questionnaire") => DSTU2 | STU3,
        ("Patient", "name") if any_has_families(value) => DSTU2,
        _ => ANY,
    }
}

fn of_reactions(reactions: &Json) -> u8 {
    let reactions = reactions.as_array().unwrap_or_default();
    let mut manifestations =
        reactions.iter().filter_map(|item| item.member("manifestation")?.as_array()?.first());
    let is_reference = |item: &Json| item.member("concept").is_some() || item.member("reference").is_some();
    if manifestations.any(is_reference) { R5 } else { ANY }
}

/// Whether family names are lists, as they were in DSTU2 only.
fn any_has_families(names: &Json) -> bool {
    let is_list = |name: &Json| name.member("family").is_some_and(|family| family.as_array().is_some());
    names.as_array().unwrap_or_default().iter().any(is_list)
}
