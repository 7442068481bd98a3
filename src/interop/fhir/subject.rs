//! Where each type of resource says whom it is about.
//!
//! The elements are those of R4, and those of DSTU2, STU3 and R5 that mean the same. A
//! type that is not in the table may use any name that FHIR has for a subject.

use crate::codec::json::{Json, Object};

/// What an element says of whom a resource is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Whom the resource is about.
    Subject,
    /// Who takes part: patients among them are whom it is about.
    Participant,
    /// What it is really about, where that is not the subject (`Procedure.focus`, `Communication.about`).
    Focus,
}

/// Elements of a type that say whom it is about.
pub(crate) fn elements(resource_type: &str) -> &'static [(&'static str, Role)] {
    use Role::{Focus, Participant, Subject};
    match resource_type {
        "Observation" => &[("subject", Subject), ("patient", Subject), ("focus", Focus)],
        "Appointment" => &[("subject", Subject), ("participant.actor", Participant)],
        "AppointmentResponse" | "Schedule" => &[("actor", Participant)],
        "AuditEvent" => &[
            ("patient", Subject),
            ("entity.what", Participant),
            ("entity.reference", Participant),
            ("object.reference", Participant),
            ("agent.who", Participant),
            ("agent.reference", Participant),
        ],
        "BiologicallyDerivedProduct" => &[("collection.source", Participant)],
        "Claim" | "ClaimResponse" | "ExplanationOfBenefit" => &[("patient", Subject)],
        "Contract" => &[("subject", Participant), ("subjectPatient", Subject)],
        "Coverage" => &[("beneficiary", Subject), ("beneficiaryReference", Subject)],
        "EnrollmentRequest" => &[("candidate", Subject), ("subject", Subject)],
        "Group" => &[("member.entity", Participant)],
        "Person" => &[("link.target", Participant)],
        "Provenance" => &[("patient", Subject)],
        "RelatedPerson" => &[("patient", Subject)],
        "SupplyRequest" => &[("deliverFor", Subject), ("patient", Subject), ("deliverTo", Participant)],
        "Task" | "Transport" => &[("for", Subject)],
        other if is_shared(other) => &[("patient", Subject)],
        _ => &[
            ("patient", Subject),
            ("subject", Subject),
            ("beneficiary", Subject),
            ("for", Subject),
            ("individual", Subject),
            ("subjectReference", Subject),
            ("patientReference", Subject),
            ("focus", Focus),
            ("about", Focus),
            ("sourcePatientInfo", Focus),
            ("context.sourcePatientInfo", Focus),
        ],
    }
}

/// Elements of a type that refer to what has the same subject.
pub(crate) fn followed(resource_type: &str) -> &'static [&'static str] {
    match resource_type {
        "Provenance" => &["target"],
        "Binary" => &["securityContext"],
        "AppointmentResponse" => &["appointment"],
        "DeviceMetric" => &["source"],
        "ClaimResponse" | "EligibilityResponse" | "EnrollmentResponse" | "PaymentNotice" => &["request"],
        other if is_shared(other) => &[],
        _ => &["encounter", "context"],
    }
}

/// Types that serve many patients and are about none, or about the exchange itself.
const SHARED: [&str; 70] = [
    "ActivityDefinition",
    "ActorDefinition",
    "Bundle",
    "CapabilityStatement",
    "CatalogEntry",
    "ChargeItemDefinition",
    "Citation",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "ConditionDefinition",
    "Conformance",
    "DataElement",
    "Device",
    "DeviceComponent",
    "DeviceDefinition",
    "EffectEvidenceSynthesis",
    "Endpoint",
    "EventDefinition",
    "Evidence",
    "EvidenceReport",
    "EvidenceVariable",
    "ExampleScenario",
    "FormularyItem",
    "GraphDefinition",
    "HealthcareService",
    "ImplementationGuide",
    "InsurancePlan",
    "InventoryItem",
    "Library",
    "Location",
    "Measure",
    "Medication",
    "MedicationKnowledge",
    "MedicinalProduct",
    "MedicinalProductDefinition",
    "MessageDefinition",
    "MessageHeader",
    "NamingSystem",
    "NutritionProduct",
    "ObservationDefinition",
    "OperationDefinition",
    "OperationOutcome",
    "Organization",
    "OrganizationAffiliation",
    "PackagedProductDefinition",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "Requirements",
    "ResearchDefinition",
    "ResearchElementDefinition",
    "ResearchStudy",
    "RiskEvidenceSynthesis",
    "SearchParameter",
    "ServiceDefinition",
    "Slot",
    "SpecimenDefinition",
    "StructureDefinition",
    "StructureMap",
    "Subscription",
    "SubscriptionTopic",
    "Substance",
    "SubstanceDefinition",
    "SubstanceSpecification",
    "TerminologyCapabilities",
    "TestScript",
    "ValueSet",
    "VerificationResult",
];

/// Whether a resource of this type that names nobody is nobody's by its nature.
pub(crate) fn is_shared(resource_type: &str) -> bool {
    SHARED.binary_search(&resource_type).is_ok()
}

/// Types that FHIR lets be about no patient, though they are not shared by their nature.
const MAY_NAME_NOBODY: [&str; 10] = [
    "AuditEvent",
    "Basic",
    "Binary",
    "Group",
    "Invoice",
    "Parameters",
    "Person",
    "Provenance",
    "Schedule",
    "Subscription",
];

/// Whether a resource of this type is about somebody, whether it says so or not.
pub(crate) fn requires_subject(resource_type: &str) -> bool {
    !is_shared(resource_type) && !MAY_NAME_NOBODY.contains(&resource_type)
}

/// The values at a path of names; lists on the way are opened.
pub(crate) fn values<'a>(object: &'a Object, path: &str) -> Vec<&'a Json> {
    let mut names = path.split('.');
    let mut found: Vec<&Json> = names.next().map(|name| items(object, name)).unwrap_or_default();
    for name in names {
        let inner = found.into_iter().filter_map(Json::as_object);
        found = inner.flat_map(|object| items(object, name)).collect();
    }
    found
}

/// The values of an element, which may be one value or a list; `null` is none.
fn items<'a>(object: &'a Object, name: &str) -> Vec<&'a Json> {
    let value = object.member(name);
    let list = value.and_then(Json::as_array).unwrap_or(value.map(std::slice::from_ref).unwrap_or_default());
    let is_said = |value: &&Json| match value {
        Json::Null => false,
        Json::Object(object) => !object.members().is_empty(),
        _ => true,
    };
    list.iter().filter(is_said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order() {
        assert!(SHARED.is_sorted() && MAY_NAME_NOBODY.is_sorted());
    }
}
