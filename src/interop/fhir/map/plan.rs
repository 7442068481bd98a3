//! Goal, ServiceRequest and its predecessors, CareTeam and List: what is to be done, by whom,
//! and what belongs together.

use super::super::element::Element;
use super::clinical::{denied, period_in_words, range_in_words, reasons_against};
use super::other::{coded, common, of_code, part, parts};
use super::words::word;
use crate::record::{Component, Concept, Narrative, Other, Record, Scalar, Token};

pub(super) fn goal(root: &Element<'_>) -> Record {
    let common = common(root);
    let mut reasons = common.reasons;
    reasons.extend(root.codeable_references("addresses"));
    let mut details: Vec<Component> = root.elements("target").iter().flat_map(target).collect();
    details.extend(root.date("targetDate").map(|date| part("target date", Scalar::Date(date))));
    details.extend(parts(root, "priority", "priority"));
    details.extend(parts(root, "outcomeCode", "outcome"));
    details.extend(parts(root, "outcome", "outcome"));
    details.extend(parts(root, "startCodeableConcept", "start"));
    // DSTU2 says what is to be reached in words.
    let description = root.plain("description").and_then(|_| root.narrative("description"));
    let stated = root.date("statusDate");
    Other {
        author: common.author.or_else(|| root.party("expressedBy")).or_else(|| root.party("source")),
        recorded: stated.or(common.recorded),
        reasons,
        details,
        outcome: root.concept("achievementStatus"),
        status_reasons: status_reasons(root),
        text: description.into_iter().collect(),
        ..common
    }
    .into()
}

/// Reasons of a status: words in some versions, concepts in others.
fn status_reasons(root: &Element<'_>) -> Vec<Concept> {
    match root.plain("statusReason") {
        Some(_) => root.token("statusReason").map(Concept::from_text).into_iter().collect(),
        None => root.concepts("statusReason"),
    }
}

/// What is to be measured, to what it is to come, and until when.
fn target(item: &Element<'_>) -> Vec<Component> {
    let code = item.concept("measure");
    let quantity = item.quantity("detailQuantity").map(Scalar::Quantity);
    let range = item.child("detailRange").and_then(|range| range_in_words(&range)).map(Scalar::Text);
    let concept = item.concept("detailCodeableConcept").map(Scalar::Concept);
    let text = item.narrative("detailString").map(Scalar::Text);
    let due = item.date("dueDate").map(Scalar::Date);
    let values: Vec<Scalar> = [quantity, range, concept, text, due].into_iter().flatten().collect();
    match code {
        None if values.is_empty() => Vec::new(),
        code => of_code(&code.unwrap_or_default(), values.into_iter()),
    }
}

/// A request: what is asked for, of whom, and why.
pub(super) fn request(root: &Element<'_>) -> Record {
    let common = common(root);
    let mut parties = root.parties_as("performer", "performer");
    parties.extend(root.parties_as("recipient", "recipient"));
    let mut details: Vec<Component> = Vec::new();
    let planned = ["occurrenceDateTime", "scheduledDateTime"].into_iter().find_map(|name| root.date(name));
    let is_start = common.start == planned && root.plain("authoredOn").is_none();
    details.extend(planned.filter(|_| !is_start).map(|date| part("planned for", Scalar::Date(date))));
    for name in ["occurrencePeriod", "scheduledPeriod"] {
        let (start, end) = root.period(name);
        let words = period_in_words(start.as_ref(), end.as_ref());
        details.extend(words.map(|words| part("planned for", Scalar::Text(words))));
    }
    details.extend(parts(root, "locationCode", "location"));
    let mut services = root.concepts("serviceRequested");
    if root.path() != "ServiceRequest" || !has_parameters(root) {
        services.extend(root.codeable_references("orderDetail"));
    }
    services.extend(root.elements("item").iter().filter_map(|item| item.concept("code")));
    let said = |name: &&str| root.plain(name).is_some();
    let text: Vec<Narrative> = ["patientInstruction", "description"]
        .iter()
        .filter(|name| said(name))
        .filter_map(|name| root.narrative(name))
        .collect();
    Other { parties, details, services, text, ..common }.into()
}

/// R5 has parameters in the details of an order.
fn has_parameters(root: &Element<'_>) -> bool {
    root.elements("orderDetail").iter().any(|item| item.has("parameter") || item.has("parameterFocus"))
}

pub(super) fn care_team(root: &Element<'_>) -> Record {
    let common = common(root);
    let mut parties = root.participants("participant", &["member"], &["role"]);
    for participant in root.elements("participant") {
        parties.extend(participant.parties_as("onBehalfOf", "on behalf of"));
    }
    parties.extend(root.parties_as("managingOrganization", "managing organization"));
    Other { parties, ..common }.into()
}

/// A list: what is in it, but for what was taken out of it.
pub(super) fn list(root: &Element<'_>) -> Record {
    let common = common(root);
    let entries = root.elements("entry");
    let (mut details, mut targets) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| !entry.is_true("deleted")) {
        let Some(item) = entry.child("item") else { continue };
        match item.as_referenced_concept() {
            Some(code) => {
                let flag = entry.concept("flag").map(Scalar::Concept);
                details
                    .push(Component { code, value: flag.or_else(|| entry.date("date").map(Scalar::Date)) });
            }
            None => targets.extend(item.token("reference")),
        }
    }
    Other { author: common.author.or_else(|| root.party("source")), details, targets, ..common }.into()
}

/// A message, and what was in it.
pub(super) fn communication(root: &Element<'_>) -> Record {
    let not_done = denied(root, &["notDone"]);
    let common = common(root);
    let mut parties = root.parties_as("recipient", "recipient");
    parties.extend(root.parties_as("performer", "performer"));
    let payload = root.elements("payload");
    let contents = payload.iter().flat_map(|item| parts(item, "contentCodeableConcept", "content"));
    let mut details: Vec<Component> = contents.collect();
    details.extend(parts(root, "medium", "medium"));
    let received = root.date("received");
    details.extend(received.map(|date| part("received", Scalar::Date(date))));
    let status: Option<Token> = if not_done { word("not-done") } else { common.status };
    let mut status_reasons = status_reasons(root);
    status_reasons.extend(reasons_against(root, &["notDoneReason"], status.as_ref()));
    Other {
        code: common.code.or_else(|| coded(root, "topic")),
        parties,
        details,
        status,
        status_reasons,
        text: payload.iter().filter_map(|item| item.narrative("contentString")).collect(),
        attachments: payload.iter().flat_map(|item| item.attachments("contentAttachment")).collect(),
        ..common
    }
    .into()
}
