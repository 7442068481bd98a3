//! Claim, ClaimResponse, ExplanationOfBenefit and Coverage: what an insurer was told, and
//! what it answered.
//!
//! The same fact stands in a Condition and on a line of a claim, so every diagnosis, procedure
//! and service is a field. Amounts stay in the original.

use super::super::element::Element;
use super::finding::Answer;
use super::other::{common, concept_or_code, of_code, part, parts};
use crate::record::{Component, Concept, Other, Party, Record, Scalar};

pub(super) fn claim(root: &Element<'_>) -> Record {
    let common = common(root);
    let (items, added) = (root.elements("item"), root.elements("addItem"));
    let encounter = items.iter().find_map(|item| item.reference("encounter"));
    let mut details: Vec<Component> = items.iter().chain(&added).flat_map(line).collect();
    details.extend(["supportingInfo", "information"].into_iter().flat_map(|name| facts(root, name)));
    let (diagnoses, groups) = diagnoses(root);
    let mut categories = common.categories;
    categories.extend(root.concepts("subType"));
    let mut notes = common.notes;
    notes.extend(root.said_beside("disposition"));
    notes.extend(root.elements("processNote").iter().filter_map(|note| note.narrative("text")));
    Other {
        categories,
        diagnoses,
        services: procedures(root).into_iter().chain(groups).chain(prescriptions(root)).collect(),
        details,
        parties: parties(root),
        outcome: concept_or_code(root, "outcome", "http://hl7.org/fhir/remittance-outcome"),
        encounter: common.encounter.or(encounter),
        notes,
        ..common
    }
    .into()
}

/// The diagnoses, and the groups by which they are paid.
fn diagnoses(root: &Element<'_>) -> (Vec<Concept>, Vec<Concept>) {
    // DSTU2 has the conditions that were presented apart.
    let mut found = root.concepts("condition");
    let mut groups = root.concepts("diagnosisRelatedGroup");
    for item in root.elements("diagnosis") {
        for name in ["diagnosisCodeableConcept", "diagnosisReference", "diagnosis"] {
            found.extend(item.codeable_references(name));
        }
        groups.extend(item.concepts("packageCode"));
    }
    (found, groups)
}

fn procedures(root: &Element<'_>) -> Vec<Concept> {
    let items = root.elements("procedure");
    let of_item = |item: &Element<'_>| {
        let mut found = item.concepts("procedureCodeableConcept");
        found.extend(item.referenced_concepts("procedureReference"));
        found
    };
    items.iter().flat_map(of_item).collect()
}

/// The medicines that are paid for, where the prescription says which.
fn prescriptions(root: &Element<'_>) -> Vec<Concept> {
    let names = ["prescription", "prescriptionReference", "originalPrescription"];
    names.into_iter().flat_map(|name| root.referenced_concepts(name)).collect()
}

/// A line with the lines within it.
fn line(item: &Element<'_>) -> Vec<Component> {
    let mut found = one_line(item);
    for detail in item.elements("detail") {
        found.extend(one_line(&detail));
        found.extend(detail.elements("subDetail").iter().flat_map(one_line));
    }
    found
}

/// What is charged and when, and every code by which it is told closer.
fn one_line(item: &Element<'_>) -> Vec<Component> {
    const CLOSER: [&str; 8] = [
        "productOrServiceEnd",
        "modifier",
        "programCode",
        "locationCodeableConcept",
        "revenue",
        "category",
        "subSite",
        "type",
    ];
    let code = ["productOrService", "service"].into_iter().find_map(|name| item.concept(name));
    let mut closer: Vec<Concept> = CLOSER.into_iter().flat_map(|name| item.concepts(name)).collect();
    closer.extend(body_sites(item));
    let dates = dates_of(item, &["servicedDate", "serviceDate"], "servicedPeriod");
    if code.is_none() && closer.is_empty() && dates.is_empty() {
        return Vec::new();
    }
    let code = code.unwrap_or_default();
    let values = dates.into_iter().chain(closer.into_iter().map(Scalar::Concept));
    of_code(&code, values)
}

/// Where in the body: a concept, or in R5 an element that holds several.
fn body_sites(item: &Element<'_>) -> Vec<Concept> {
    let sites = item.elements("bodySite");
    let of_site = |site: &Element<'_>| match site.has("site") {
        true => site.codeable_references("site"),
        false => site.as_concept().into_iter().collect(),
    };
    sites.iter().flat_map(of_site).collect()
}

/// When it was, or when it began and when it ended.
fn dates_of(item: &Element<'_>, date: &[&str], period: &str) -> Vec<Scalar> {
    let date = date.iter().find_map(|name| item.date(name));
    let (start, end) = item.period(period);
    let end = end.filter(|end| Some(end) != start.as_ref());
    date.into_iter().chain(start).chain(end).map(Scalar::Date).collect()
}

/// What else is told: its code or else its sort, and what it says.
fn facts(root: &Element<'_>, name: &str) -> Vec<Component> {
    let read = |item: &Element<'_>| {
        let Some(code) = item.concept("code").or_else(|| item.concept("category")) else { return Vec::new() };
        let answer = Answer::read(item).into_scalar();
        of_code(&code, answer.into_iter().chain(dates_of(item, &["timingDate"], "timingPeriod")))
    };
    root.elements(name).iter().flat_map(read).collect()
}

fn parties(root: &Element<'_>) -> Vec<Party> {
    let roles = [
        ("insurer", "insurer"),
        ("facility", "facility"),
        ("enterer", "enterer"),
        ("requestor", "requestor"),
        ("organization", "organization"),
    ];
    let mut all: Vec<Party> =
        roles.into_iter().flat_map(|(name, role)| root.parties_as(name, role)).collect();
    all.extend(root.participants("careTeam", &["provider", "providerReference"], &["role"]));
    all.extend(root.elements("payee").iter().flat_map(|payee| payee.parties_as("party", "payee")));
    all
}

/// Whom an insurance covers, and who pays. Numbers of the insured person stay in the original.
pub(super) fn coverage(root: &Element<'_>) -> Record {
    let common = common(root);
    let payers = ["payor", "insurer", "issuer"].into_iter().flat_map(|name| root.parties_as(name, "payer"));
    let mut parties: Vec<Party> = payers.collect();
    parties.extend(root.parties_as("policyHolder", "policy holder"));
    parties.extend(root.parties_as("subscriber", "subscriber"));
    let mut details = parts(root, "relationship", "relationship");
    let classes = root.elements("class");
    let plans = classes.iter().filter_map(|class| class.narrative("name")).map(Scalar::Text);
    details.extend(plans.map(|plan| part("plan", plan)));
    let author =
        common.author.or_else(|| parties.first().cloned().map(|party| Party { role: None, ..party }));
    Other { parties, details, author, ..common }.into()
}
