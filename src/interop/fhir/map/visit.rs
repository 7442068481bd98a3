//! Encounter: a hospitalization if its class says so.

use super::super::element::Element;
use crate::classify::codes;
use crate::record::{Concept, Encounter, Hospitalization, Party, Record, Token};

const STATUS: [&str; 12] = [
    "planned",
    "arrived",
    "triaged",
    "in-progress",
    "onleave",
    "finished",
    "cancelled",
    "unknown",
    "on-hold",
    "discharged",
    "completed",
    "discontinued",
];

pub(super) fn encounter(root: &Element<'_>) -> Record {
    let class = root.concept("class");
    if class.as_ref().is_some_and(codes::is_inpatient) {
        hospitalization(root, class)
    } else {
        visit(root, class)
    }
}

fn visit(root: &Element<'_>, class: Option<Concept>) -> Record {
    let (start, end) = period(root);
    Encounter {
        start,
        end,
        types: root.concepts("type"),
        class,
        status: root.status("status", &STATUS),
        reasons: reasons(root),
        facility: root.party("serviceProvider"),
        participants: participants(root),
        locations: locations(root),
        service_type: root.codeable_reference("serviceType"),
        diagnoses: diagnoses(root),
        priority: root.concept("priority"),
        discharge_disposition: stay(root).and_then(|stay| stay.concept("dischargeDisposition")),
        ..Encounter::default()
    }
    .into()
}

/// The legal status stays open: no code of an encounter states it, and words such as
/// "not involuntary" would be taken for their opposite.
fn hospitalization(root: &Element<'_>, class: Option<Concept>) -> Record {
    let (admission, discharge) = period(root);
    let stay = stay(root);
    let of_stay = |name: &str| stay.as_ref().and_then(|stay| stay.concept(name));
    Hospitalization {
        admission,
        discharge,
        facility: root.party("serviceProvider"),
        reasons: reasons(root),
        discharge_disposition: of_stay("dischargeDisposition"),
        status: root.status("status", &STATUS),
        class,
        service_type: root.codeable_reference("serviceType"),
        admit_source: of_stay("admitSource"),
        readmission: of_stay("reAdmission"),
        participants: participants(root),
        locations: locations(root),
        diagnoses: diagnoses(root),
        priority: root.concept("priority"),
        types: root.concepts("type"),
        ..Hospitalization::default()
    }
    .into()
}

fn period(root: &Element<'_>) -> (Option<crate::record::PartialDate>, Option<crate::record::PartialDate>) {
    root.period(if root.has("actualPeriod") { "actualPeriod" } else { "period" })
}

/// What a stay adds. FHIR R5 calls it `admission`.
fn stay<'a>(root: &Element<'a>) -> Option<Element<'a>> {
    root.child(if root.has("admission") { "admission" } else { "hospitalization" })
}

fn reasons(root: &Element<'_>) -> Vec<Concept> {
    let mut reasons = root.reasons();
    // DSTU2 refers to reasons by another name.
    reasons.extend(root.referenced_concepts("indication"));
    let items = root.elements("reason");
    reasons.extend(items.iter().flat_map(|reason| reason.codeable_references("value")));
    reasons
}

fn participants(root: &Element<'_>) -> Vec<Party> {
    let read = |item: &Element<'_>| {
        let party = item.party("individual").or_else(|| item.party("actor"))?;
        let role = item.concepts("type").first().and_then(|role| Token::new(role.title()?).ok());
        Some(Party { role, ..party })
    };
    root.elements("participant").iter().filter_map(read).collect()
}

fn locations(root: &Element<'_>) -> Vec<Party> {
    root.elements("location").iter().filter_map(|item| item.party("location")).collect()
}

fn diagnoses(root: &Element<'_>) -> Vec<Concept> {
    let items = root.elements("diagnosis");
    items.iter().flat_map(|item| item.codeable_references("condition")).collect()
}
