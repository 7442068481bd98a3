//! From a FHIR R4 resource to an entry.
//!
//! A resource that nothing maps becomes `other`; its bytes are kept either way.

mod claim;
mod clinical;
mod consent;
mod document;
mod finding;
mod judgement;
mod medication;
mod other;
mod people;
mod plan;
mod provider;
mod questionnaire;
mod trail;
mod treatment;
mod visit;
mod words;

use provider::provider;

use super::conserve;
use super::element::{Context, Element};
use super::found::{global_reference, type_of};
use super::held::Held;
use super::index::{Index, Place};
use super::reads::Reads;
use super::version::recognize;
use crate::codec::fhir_xml::is_xml;
use crate::codec::json::{Json, Object};
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::fitting;
use crate::record::{Entry, Kind, Origin, Person, Provenance, Record, Source, SourceFormat, Token};

/// An entry, and whether it is of no kind of its own.
pub(crate) struct Mapped {
    pub(crate) entry: Entry,
    pub(crate) kept_raw: bool,
}

/// Makes the entry of a resource.
pub(crate) fn entry(
    json: &Json,
    bytes: &[u8],
    held: &Held,
    identity: &str,
    (index, findings): (&Index, &Findings),
) -> Mapped {
    let nothing = Object::default();
    let object = json.as_object().unwrap_or(&nothing);
    let reads = Reads::default();
    let context = Context { resource: object, from: held.place(), index, findings, reads: &reads };
    let resource_type = type_of(object);
    let root = Element::root(&context, resource_type.unwrap_or("Resource"));
    let record = resource_type.and_then(|name| record(name, &root));
    if record.is_none() {
        let reason = if resource_type.is_some() { FindingReason::KeptRaw } else { FindingReason::NoType };
        root.report("", reason);
    }
    let record = fitting::within_limits(
        record.unwrap_or_else(|| other::other(&root)),
        |field| root.report(field, FindingReason::TooLarge),
        |field| root.not_understood(field),
    );
    let kept_raw = record.kind() == Kind::Other;
    let mut entry = Entry::new(record, provenance(&root, held, identity));
    let (version, is_sure) = recognize(object, resource_type.unwrap_or_default());
    if !is_sure {
        root.not_understood("");
    }
    let format = if is_xml(bytes) { SourceFormat::FhirXml(version) } else { SourceFormat::FhirJson(version) };
    entry.source = Some(Source::new(format, bytes.to_vec()));
    conserve::report(json, root.path(), &entry, &reads, findings);
    entry.not_understood = fitting::not_understood(reads.into_not_understood());
    Mapped { entry, kept_raw }
}

/// The record of a resource of a type that has a kind.
fn record(resource_type: &str, root: &Element<'_>) -> Option<Record> {
    Some(match resource_type {
        "Patient" => people::patient(root),
        "Practitioner" => people::practitioner(root),
        "PractitionerRole" => people::practitioner_role(root),
        "Organization" => people::organization(root),
        "Location" => people::location(root),
        "Condition" => clinical::condition(root),
        "AllergyIntolerance" => clinical::allergy(root),
        "Immunization" => clinical::immunization(root),
        "FamilyMemberHistory" => clinical::family_history(root),
        "Procedure" => treatment::procedure(root),
        "CarePlan" => treatment::care_plan(root),
        "MedicationRequest" | "MedicationOrder" => medication::request(root),
        "MedicationStatement" => medication::statement(root),
        "MedicationDispense" => medication::dispense(root),
        "MedicationAdministration" => medication::administration(root),
        "Encounter" => visit::encounter(root),
        "Observation" => finding::observation(root),
        "QuestionnaireResponse" => questionnaire::questionnaire_response(root),
        "DiagnosticReport" => document::diagnostic_report(root),
        "DocumentReference" => document::document_reference(root),
        "Composition" => document::composition(root),
        _ => return other_record(resource_type, root),
    })
}

/// The record of a resource of a type that has no kind, where its elements are known.
fn other_record(resource_type: &str, root: &Element<'_>) -> Option<Record> {
    Some(match resource_type {
        "Claim" | "ClaimResponse" | "ExplanationOfBenefit" => claim::claim(root),
        "Coverage" => claim::coverage(root),
        "Consent" => consent::consent(root),
        "Provenance" => trail::provenance(root),
        "AuditEvent" => trail::audit_event(root),
        "ClinicalImpression" => judgement::impression(root),
        "RiskAssessment" => judgement::risk(root),
        "AdverseEvent" => judgement::adverse_event(root),
        "DetectedIssue" => judgement::issue(root),
        "Flag" => other::other(root),
        "Goal" => plan::goal(root),
        "ServiceRequest" | "ProcedureRequest" | "ReferralRequest" | "DiagnosticOrder" => plan::request(root),
        "CareTeam" => plan::care_team(root),
        "List" => plan::list(root),
        "Communication" => plan::communication(root),
        _ => return None,
    })
}

fn provenance(root: &Element<'_>, held: &Held, identity: &str) -> Provenance {
    let claimed = held.claimed().map(|claimed| &claimed.claims.provenance.address);
    let address = match claimed {
        Some(address) => address.as_ref().map(Token::as_str),
        None => held.found.full_url.as_deref(),
    };
    let document = held.document.as_deref();
    let updated = held.last_updated.as_deref();
    let meta = root.child("meta");
    Provenance {
        provider: provider(root).or_else(|| {
            let name = global_reference(&held.found).or_else(|| address.map(str::to_owned))?;
            root.context.index.author_of(&name, held.place())
        }),
        document: document.and_then(|name| Token::new(name).ok()),
        recorded: meta.as_ref().and_then(|meta| meta.date("lastUpdated")).or_else(|| {
            // Some servers say it beside the resource only.
            updated.and_then(|updated| updated.parse().ok())
        }),
        origin: Origin::Imported,
        identity: Token::new(identity).ok(),
        address: address.filter(|address| *address != identity).and_then(|text| Token::new(text).ok()),
        labels: meta.map(|meta| meta.codings("security")).unwrap_or_default(),
    }
}

/// The person that a FHIR Patient describes.
pub(crate) fn person(object: &Object) -> Person {
    let reads = Reads::default();
    let (index, findings) = (Index::default(), Findings::default());
    let context = Context {
        resource: object,
        from: Place::default(),
        index: &index,
        findings: &findings,
        reads: &reads,
    };
    match people::patient(&Element::root(&context, "")) {
        Record::Patient(patient) => Person::of(&patient),
        _ => Person::default(),
    }
}
