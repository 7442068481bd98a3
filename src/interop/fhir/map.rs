//! From a FHIR R4 resource to an entry.
//!
//! A resource that nothing maps becomes `other`; its bytes are kept either way.

mod clinical;
mod document;
mod finding;
mod medication;
mod other;
mod people;
mod provider;
mod treatment;
mod visit;
mod words;

use std::collections::BTreeMap;

use provider::provider;

use super::conserve;
use super::element::{Context, Element, MOST};
use super::held::Held;
use super::index::{Index, Place};
use super::reads::Reads;
use super::version::recognize;
use crate::codec::json::{Json, Object};
use crate::interop::finding::{FindingReason, Findings};
use crate::record::{
    Entry, Field, MOST_ITEMS, Origin, Person, Provenance, Record, Source, SourceFormat, Token, shorten,
};

/// An entry, and whether nothing maps its type.
pub(super) struct Mapped {
    pub(super) entry: Entry,
    pub(super) kept_raw: bool,
}

/// Makes the entry of a resource.
pub(super) fn entry(json: &Json, held: &Held, identity: &str, index: &Index, findings: &Findings) -> Mapped {
    let nothing = Object::default();
    let object = json.as_object().unwrap_or(&nothing);
    let found = &held.found;
    let reads = Reads::default();
    let context = Context { resource: object, from: held.place(), index, findings, reads: &reads };
    let resource_type = found.resource_type.as_deref();
    let root = Element::root(&context, resource_type.unwrap_or("Resource"));
    let record = resource_type.and_then(|name| record(name, &root));
    let kept_raw = record.is_none();
    if kept_raw {
        let reason = if resource_type.is_some() { FindingReason::KeptRaw } else { FindingReason::NoType };
        root.report("", reason);
    }
    let record = within_limits(record.unwrap_or_else(|| other::other(&root)), &root);
    let mut entry = Entry::new(record, provenance(&root, held, identity));
    let (version, is_sure) = recognize(object, resource_type.unwrap_or_default());
    if !is_sure {
        root.not_understood("");
    }
    entry.source = Some(Source::new(SourceFormat::FhirJson(version), found.bytes.clone()));
    conserve::report(json, root.path(), &entry, &reads, findings);
    entry.not_understood = not_understood(reads);
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
        "MedicationRequest" => medication::request(root),
        "MedicationStatement" => medication::statement(root),
        "MedicationDispense" => medication::dispense(root),
        "MedicationAdministration" => medication::administration(root),
        "Encounter" => visit::encounter(root),
        "Observation" => finding::observation(root),
        "QuestionnaireResponse" => finding::questionnaire_response(root),
        "DiagnosticReport" => document::diagnostic_report(root),
        "DocumentReference" => document::document_reference(root),
        "Composition" => document::composition(root),
        _ => return None,
    })
}

/// Leaves out values beyond the most that a field carries: lists within lists may
/// have gathered more.
fn within_limits(record: Record, root: &Element<'_>) -> Record {
    let kind = record.kind();
    let (kept, beyond): (Vec<_>, Vec<_>) =
        record.into_fields().into_iter().partition(|field| usize::from(field.index) < MOST);
    for field in &beyond {
        root.report(field.name, FindingReason::TooLarge);
    }
    let kept = few_enough(kept, root).into_iter().map(|field| (field.tag, field.index, field.value));
    Record::from_fields(kind, kept).expect("fields of a record, cut at their ends, are fields of a record")
}

/// Leaves out what would make more of an entry than it may have in all. Nobody's record comes
/// near that; of one that does, each field keeps its first values, and its meaning is not
/// understood.
fn few_enough(fields: Vec<Field>, root: &Element<'_>) -> Vec<Field> {
    let items = |field: &Field| 1 + field.value.lent().items();
    if fields.iter().map(items).sum::<usize>() <= MOST_ITEMS / 2 {
        return fields;
    }
    let mut of_field: BTreeMap<u16, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for field in fields {
        let sum = of_field.entry(field.tag).or_default();
        let was_kept = *sum <= MOST_ITEMS_OF_FIELD;
        *sum += items(&field);
        if *sum <= MOST_ITEMS_OF_FIELD {
            kept.push(field);
        } else if was_kept {
            root.not_understood(field.name);
        }
    }
    kept
}

/// Most values of a field, and items in them, where all are too many.
const MOST_ITEMS_OF_FIELD: usize = 1024;

/// Most paths that an entry names; the rest of them is one path more.
const MOST_NOT_UNDERSTOOD: usize = 64;

fn not_understood(reads: Reads) -> Vec<Token> {
    let mut paths: Vec<String> = reads.into_not_understood().into_iter().collect();
    if paths.len() > MOST_NOT_UNDERSTOOD {
        paths.truncate(MOST_NOT_UNDERSTOOD);
        paths.push("…".to_owned());
    }
    paths.iter().filter_map(|path| Token::new(shorten(path, Token::LIMIT)).ok()).collect()
}

fn provenance(root: &Element<'_>, held: &Held, identity: &str) -> Provenance {
    let (document, address) = (held.document.as_deref(), held.found.full_url.as_deref());
    let updated = held.last_updated.as_deref();
    let meta = root.child("meta");
    Provenance {
        provider: provider(root),
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
pub(super) fn person(object: &Object) -> Person {
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
