//! Procedure and CarePlan.

use super::super::element::Element;
use super::clinical::{age_or_text, denied, performers, reasons_against};
use super::words::word;
use crate::classify::codes;
use crate::record::{Concept, Narrative, Record, Treatment};

const STATUS: [&str; 11] = [
    "aborted",
    "suspended",
    "preparation",
    "in-progress",
    "not-done",
    "on-hold",
    "stopped",
    "completed",
    "unknown",
    "draft",
    "active",
];
const PLAN_STATUS: [&str; 9] =
    ["draft", "active", "on-hold", "revoked", "completed", "unknown", "proposed", "cancelled", "suspended"];

pub(super) fn procedure(root: &Element<'_>) -> Record {
    let (start, end) = root.period("performedPeriod");
    let (start_r5, end_r5) = root.period("occurrencePeriod");
    let code = root.concept("code");
    let is_therapy = code.as_ref().is_some_and(|code| codes::is_therapy(&code.codings));
    let status = match denied(root, &["notPerformed", "notDone"]) {
        true => word("not-done"),
        false => root.status("status", &STATUS),
    };
    let against = reasons_against(
        root,
        &["notDoneReason", "reasonNotPerformed", "reasonNotPerformedCodeableConcept"],
        status.as_ref(),
    );
    Treatment {
        form: word(if is_therapy { "therapy-session" } else { "procedure" }),
        code,
        status,
        categories: root.concepts("category"),
        start: root
            .date("performedDateTime")
            .or(start)
            .or_else(|| root.date("occurrenceDateTime"))
            .or(start_r5),
        end: end.or(end_r5),
        time_text: age_or_text(root, "performed").or_else(|| age_or_text(root, "occurrence")),
        performers: performers(root),
        location: root.party("location"),
        reasons: root.reasons(),
        body_sites: root.concepts("bodySite"),
        outcome: root.concept("outcome"),
        complications: root.codeable_references("complication"),
        follow_up: root.concepts("followUp"),
        status_reason: root.concept("statusReason").or_else(|| against.into_iter().next()),
        recorder: root.party("recorder"),
        created: root.date("recorded"),
        encounter: root.encounter(),
        notes: root.notes(),
        ..Treatment::default()
    }
    .into()
}

pub(super) fn care_plan(root: &Element<'_>) -> Record {
    let (start, end) = root.period("period");
    let mut performers = root.parties("author");
    performers.extend(root.parties("contributor"));
    performers.extend(root.parties("careTeam"));
    performers.extend(root.parties("custodian"));
    // DSTU2 names those who take part.
    performers.extend(root.participants("participant", &["member"], &["role"]));
    let activities = root.elements("activity");
    let mut notes = root.notes();
    notes.extend(activities.iter().flat_map(|item| item.notes_of("progress")));
    Treatment {
        form: word("care-plan"),
        code: root.concepts("category").into_iter().next(),
        status: root.status("status", &PLAN_STATUS),
        categories: root.concepts("category"),
        start,
        end,
        performers,
        reasons: root.codeable_references("addresses"),
        title: root.token("title"),
        description: root.narrative("description"),
        intent: root.token("intent"),
        goals: goals(root),
        activities: activities.iter().flat_map(activity).collect(),
        created: root.date("created"),
        encounter: root.encounter(),
        notes,
        ..Treatment::default()
    }
    .into()
}

/// Goals by the words of their references, or by what they say themselves. One that was given
/// up is none.
fn goals(root: &Element<'_>) -> Vec<Narrative> {
    let words = |goal: &Element<'_>| {
        let said = || Narrative::new(goal.asserted_concept()?.title()?).ok();
        if goal.is_denied() { None } else { goal.narrative("display").or_else(said) }
    };
    root.elements("goal").iter().filter_map(words).collect()
}

/// Words for what a plan no longer asks for, where its activities have no field of their own.
const GIVEN_UP: [&str; 3] = ["cancelled", "stopped", "entered-in-error"];

fn activity(item: &Element<'_>) -> Vec<Concept> {
    let mut activities = item.concepts("outcomeCodeableConcept");
    if let Some(detail) = item.child("detail") {
        if detail.plain("status").is_some_and(|status| GIVEN_UP.contains(&status)) {
            detail.not_understood("status");
        }
        let code = detail.concept("code");
        activities.extend(code.or_else(|| detail.token("description").map(Concept::from_text)));
    }
    activities.extend(item.child("reference").and_then(|reference| reference.as_referenced_concept()));
    // FHIR R5: what was done, and what is planned.
    activities.extend(item.codeable_references("performedActivity"));
    activities.extend(item.referenced_concepts("plannedActivityReference"));
    activities
}
