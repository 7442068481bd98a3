//! What other resources want to know of a resource.

use std::sync::Arc;

use super::denial::is_denied;
use super::element::{Context, Element};
use super::form::Form;
use super::found::type_of;
use super::index::{Index, Place, Summary};
use super::reads::Reads;
use crate::codec::json::Object;
use crate::interop::finding::Findings;
use crate::record::{Concept, Token};

/// What other resources want to know of this one.
pub(crate) fn summarize(object: &Object) -> Summary {
    summarize_within(object, &Reads::default())
}

/// What a resource wants to know of one that it contains.
pub(super) fn summarize_within(object: &Object, reads: &Reads) -> Summary {
    let (index, findings) = (Index::default(), Findings::default());
    let context =
        Context { resource: object, from: Place::default(), index: &index, findings: &findings, reads };
    let root = Element::root(&context, "");
    let concept = match type_of(object) {
        Some(
            "Condition" | "Procedure" | "Medication" | "Substance" | "ServiceRequest" | "AllergyIntolerance"
            | "ProcedureRequest" | "ReferralRequest",
        ) => root.concept("code"),
        Some(
            "MedicationRequest"
            | "MedicationOrder"
            | "MedicationStatement"
            | "MedicationDispense"
            | "MedicationAdministration",
        ) => root.concept("medicationCodeableConcept"),
        Some("Immunization") => root.concept("vaccineCode"),
        Some("Goal") if root.plain("description").is_some() => {
            root.token("description").map(Concept::from_text)
        }
        Some("Goal") => root.concept("description"),
        _ => None,
    };
    let name = match type_of(object) {
        Some("Patient" | "Practitioner" | "RelatedPerson" | "Person") => {
            root.names("name").iter().find_map(|name| name.to_line()).and_then(|line| Token::new(line).ok())
        }
        Some("Organization" | "Location" | "HealthcareService" | "CareTeam") => root.token("name"),
        Some("PractitionerRole") => {
            root.child("practitioner").and_then(|reference| reference.token("display"))
        }
        Some("Device") => root.elements("deviceName").first().and_then(|device| device.token("name")),
        _ => None,
    };
    let is_denied = concept.is_some() && is_denied(object);
    let resource_type = type_of(object).map(str::to_owned);
    let form = (type_of(object) == Some("Questionnaire")).then(|| Arc::new(Form::of(object)));
    let is_made = type_of(object) == Some("Provenance");
    let author = if is_made { root.author_among_agents() } else { None };
    let made = author.map(|author| {
        let targets = root.elements("target");
        (author, targets.iter().filter_map(|target| target.plain("reference")).map(str::to_owned).collect())
    });
    Summary { resource_type, name, concept, is_denied, form, made }
}
