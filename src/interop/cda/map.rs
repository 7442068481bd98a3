//! From a clinical statement to a record.

mod activity;
mod clinical;
mod finding;
mod medication;

pub(super) use activity::encounter_of;

use super::context::Context;
use super::statement::{Unit, has_template, is_negated, statement_in};
use crate::codec::xml::El;
use crate::interop::finding::FindingReason;
use crate::record::Record;

/// Codes of acts that only hold what they are about: concerns, lists of diagnoses or of
/// medicines at discharge or admission.
const HOLDERS: [&str; 8] =
    ["CONC", "48765-2", "11535-2", "46241-6", "10183-2", "42346-7", "29308-4", "11450-4"];
const HOLDING_SECTIONS: [&str; 6] = [
    "problems",
    "pastIllness",
    "allergies",
    "admissionDiagnosis",
    "dischargeDiagnosis",
    "dischargeMedications",
];

/// The statements of a section's entry that become entries.
pub(super) fn units<'t>(statement: El<'t>, place: &str) -> Vec<Unit<'t>> {
    let parts: Vec<(El<'t>, El<'t>)> = match statement.name() {
        "organizer" if place != "familyHistory" => inner_of(statement, "component"),
        "act" if is_holder(statement, place) => {
            let held =
                |(_, own): &(El<'t>, El<'t>)| matches!(own.name(), "observation" | "substanceAdministration");
            let is_about = |(container, _): &(El<'t>, El<'t>)| container.peek("typeCode") != Some("REFR");
            inner_of(statement, "entryRelationship").into_iter().filter(held).filter(is_about).collect()
        }
        _ => Vec::new(),
    };
    // So many in one are none that a person's record has, and each looks at what is around it.
    match parts.is_empty() || parts.len() > MOST_UNITS {
        true => vec![Unit { own: statement, outer: statement, container: None }],
        false => parts
            .into_iter()
            .map(|(container, own)| Unit { own, outer: statement, container: Some(container) })
            .collect(),
    }
}

/// Most statements in one that become entries of their own.
const MOST_UNITS: usize = 1000;

fn is_holder(act: El<'_>, place: &str) -> bool {
    let code = act.child("code").and_then(|code| code.peek("code"));
    code.map_or(HOLDING_SECTIONS.contains(&place), |code| HOLDERS.contains(&code))
}

/// What stands in containers of this name, with the container.
fn inner_of<'t>(statement: El<'t>, name: &'t str) -> Vec<(El<'t>, El<'t>)> {
    let inner = statement.children(name);
    inner.filter_map(|container| Some((container, statement_in(container)?))).collect()
}

/// The record of a statement, and whether nothing maps it.
pub(super) fn record<'t>(context: &Context<'t>, unit: &Unit<'t>) -> (Record, bool) {
    let (own, place) = (unit.own, context.place);
    unit.outer.attribute("classCode");
    own.attribute("classCode");
    if unit.outer != own {
        let is_fact = matches!(unit.outer.attribute("moodCode"), Some("EVN" | "DEF") | None);
        if is_negated(unit.outer) || !is_fact {
            context.not_understood(unit.outer);
        }
        // What holds several says no more than that.
        unit.outer.child("code").into_iter().filter(|_| unit.outer.is("act")).for_each(El::mark_all_read);
    }
    let mood = own.attribute("moodCode").unwrap_or("EVN");
    let is_fact = matches!(mood, "EVN" | "DEF");
    let mapped = match own.name() {
        "substanceAdministration" if place == "immunizations" || has_template(own, IMMUNIZATION) => {
            Some(medication::immunization(context, own, mood))
        }
        "substanceAdministration" => Some(medication::medication(context, own, mood)),
        _ if !is_fact => Some(activity::intended(context, own, mood)),
        "observation" => Some(observation(context, unit)),
        "procedure" => Some(activity::procedure(context, own)),
        "encounter" => Some(activity::encounter(context, own)),
        "organizer" if place == "familyHistory" => Some(clinical::family_organizer(context, own)),
        "act" if place == "payers" => Some(activity::other(context, own, "Coverage", None)),
        "act" if place == "instructions" => Some(activity::other(context, own, "Instruction", None)),
        "act" if has_template(own, NOTE_ACTIVITY) => Some(activity::note(context, own)),
        "act" if place == "procedures" => Some(activity::procedure(context, own)),
        _ => None,
    };
    match mapped {
        Some(record) => (record, false),
        None => {
            context.report(own, FindingReason::KeptRaw);
            (activity::other(context, own, own.name(), None), true)
        }
    }
}

const IMMUNIZATION: &[&str] = &["2.16.840.1.113883.10.20.22.4.52"];
const NOTE_ACTIVITY: &[&str] = &["2.16.840.1.113883.10.20.22.4.202"];
const ALLERGY: &[&str] = &["2.16.840.1.113883.10.20.22.4.7", "2.16.840.1.113883.10.20.1.18"];
const PROBLEM: &[&str] = &["2.16.840.1.113883.10.20.22.4.4", "2.16.840.1.113883.10.20.1.28"];
const DIRECTIVE: &[&str] = &["2.16.840.1.113883.10.20.22.4.48", "2.16.840.1.113883.10.20.1.17"];

fn observation<'t>(context: &Context<'t>, unit: &Unit<'t>) -> Record {
    let own = unit.own;
    match context.place {
        "familyHistory" => clinical::family_observation(context, own),
        "allergies" => clinical::allergy(context, unit),
        _ if has_template(own, ALLERGY) => clinical::allergy(context, unit),
        "problems" | "pastIllness" | "admissionDiagnosis" | "dischargeDiagnosis" => {
            clinical::problem(context, unit)
        }
        _ if has_template(own, PROBLEM) => clinical::problem(context, unit),
        "advanceDirectives" => finding::directive(context, own),
        _ if has_template(own, DIRECTIVE) => finding::directive(context, own),
        _ => finding::finding(context, own),
    }
}
