//! What has no kind of its own: what can be said of any resource, and whether it happened.

use super::super::element::Element;
use super::provider::provider;
use super::words::word;
use crate::record::{Coding, Component, Concept, Other, Record, Scalar, Token};

/// How far a request goes (FHIR's request intent), and what a claim is for, in any version.
const INTENT: [&str; 16] = [
    "proposal",
    "plan",
    "directive",
    "order",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
    "option",
    "unknown",
    "claim",
    "complete",
    "preauthorization",
    "predetermination",
    "proposed",
    "exploratory",
];

/// When it was so, where it says so by a period.
const PERIODS: [&str; 5] =
    ["period", "billablePeriod", "effectivePeriod", "occurredPeriod", "performedPeriod"];

/// When it was written down or was so, the plainest first.
const DATES: [&str; 14] = [
    "date",
    "authoredOn",
    "created",
    "recorded",
    "issued",
    "dateTime",
    "occurrenceDateTime",
    "startDate",
    "orderedOn",
    "started",
    "sent",
    "identifiedDateTime",
    "effectiveDateTime",
    "recordedDate",
];

/// A resource of a type that nothing maps.
pub(super) fn other(root: &Element<'_>) -> Record {
    common(root).into()
}

/// What can be said of any resource.
pub(super) fn common(root: &Element<'_>) -> Other {
    let period = PERIODS.into_iter().find(|name| root.has(name)).unwrap_or("period");
    let (start, end) = root.period(period);
    let date = DATES.into_iter().find(|name| root.plain(name).is_some()).and_then(|name| root.date(name));
    Other {
        resource_type: root.token("resourceType"),
        code: ["code", "type", "description", "event"].into_iter().find_map(|name| coded(root, name)),
        status: status(root),
        recorded: date.clone().filter(|_| start.is_some()),
        start: start.or(date),
        end,
        title: ["title", "name"]
            .into_iter()
            .find(|name| root.plain(name).is_some())
            .and_then(|name| root.token(name)),
        categories: if coded(root, "category").is_some() { root.concepts("category") } else { Vec::new() },
        author: provider(root),
        intent: intent(root),
        do_not_perform: root.acted_on("doNotPerform"),
        reasons: root.reasons(),
        body_sites: root.concepts("bodySite"),
        encounter: root.encounter(),
        notes: root.notes_beside(),
        ..Other::default()
    }
}

/// A concept, where the type of the element is not known: not reported when it is none.
pub(super) fn coded(root: &Element<'_>, name: &str) -> Option<Concept> {
    if root.plain(name).is_some() { None } else { root.codeable_reference(name) }
}

/// A part that this program names.
pub(super) fn part(name: &'static str, value: Scalar) -> Component {
    Component { code: word(name).map(Concept::from_text).unwrap_or_default(), value: Some(value) }
}

/// Parts that this program names, of the concepts of an element.
pub(super) fn parts(root: &Element<'_>, element: &str, name: &'static str) -> Vec<Component> {
    let concepts = if root.plain(element).is_some() { Vec::new() } else { root.codeable_references(element) };
    concepts.into_iter().map(|concept| part(name, Scalar::Concept(concept))).collect()
}

/// The values that are said of one code; the code alone, if there is none.
pub(super) fn of_code(code: &Concept, values: impl Iterator<Item = Scalar>) -> Vec<Component> {
    let of = |value: Option<Scalar>| Component { code: code.clone(), value };
    let all: Vec<Component> = values.map(Some).map(of).collect();
    if all.is_empty() { vec![of(None)] } else { all }
}

/// A concept, or a code of this system in its place.
pub(super) fn concept_or_code(root: &Element<'_>, name: &str, system: &'static str) -> Option<Concept> {
    if root.plain(name).is_none() {
        return root.concept(name);
    }
    let code = root.token(name)?;
    Some(Concept::from_coding(Coding { system: word(system), code: Some(code), ..Coding::default() }))
}

/// The status word, or that the record is not in use where that is said by a flag.
fn status(root: &Element<'_>) -> Option<Token> {
    let name = if root.has("status") { "status" } else { "lifecycleStatus" };
    root.said_status(name).or_else(|| match root.boolean("active") {
        Some(false) => {
            root.settle("active");
            word("inactive")
        }
        _ => None,
    })
}

fn intent(root: &Element<'_>) -> Option<Token> {
    let is_claim = matches!(root.path(), "Claim" | "ClaimResponse" | "ExplanationOfBenefit");
    let name = if is_claim { "use" } else { "intent" };
    let intent = root.said_status(name)?;
    if !INTENT.contains(&intent.as_str()) {
        root.not_understood(name);
    }
    Some(intent)
}
