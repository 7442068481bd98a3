//! Medicines and immunizations.

use super::clinical::recorded;
use crate::codec::xml::El;
use crate::interop::cda::context::Context;
use crate::interop::cda::statement::{
    comments, concept_or_text, has_code, is_negated, reasons, related, said_status, status_of, text_of, word,
};
use crate::interop::finding::FindingReason;
use crate::record::{Concept, Immunization, Medication, Narrative, PartialDate, Party, Record, Token};

/// What was given or is to be, by code, name or words.
fn product<'t>(context: &Context<'t>, own: El<'t>) -> Option<Concept> {
    let material = own.at(&["consumable", "manufacturedProduct", "manufacturedMaterial"])?;
    let name = material.child("name").map(El::words).filter(|name| !name.is_empty());
    let name = name.and_then(|name| context.token(material, &name));
    match context.concept(material, "code") {
        Some(code) if code.text.is_none() => Some(Concept { text: name, ..code }),
        Some(code) => Some(code),
        None => name.map(Concept::from_text),
    }
}

/// Beginning and end of what is taken, and how often.
fn times<'t>(
    context: &Context<'t>,
    own: El<'t>,
) -> (Option<PartialDate>, Option<PartialDate>, Vec<Narrative>) {
    let (mut start, mut end, mut often) = (None, None, Vec::new());
    for time in own.children("effectiveTime") {
        match time.xsi("type") {
            Some("PIVL_TS") => {
                let Some(period) = time.child("period") else { continue };
                let value = period.attribute("value").unwrap_or_default();
                let unit = period.attribute("unit").unwrap_or_default();
                if !value.is_empty() {
                    often.extend(context.words(period, format!("every {value} {unit}").trim()));
                }
            }
            Some("IVL_TS" | "TS") | None => {
                let (low, high) = context.as_interval(time);
                if start.is_some() && low.is_some() || end.is_some() && high.is_some() {
                    context.not_understood(time);
                }
                (start, end) = (start.or(low), end.or(high));
            }
            Some(_) => {}
        }
    }
    (start, end, often)
}

pub(super) fn medication<'t>(context: &Context<'t>, own: El<'t>, mood: &str) -> Record {
    let (start, end, often) = times(context, own);
    let has_ended = match (&end, &context.made) {
        // One that lies ahead is when it is to end.
        (Some(end), Some(made)) => !made.ends_before(end),
        (end, _) => end.is_some(),
    };
    let is_taken = mood == "EVN";
    let negated = is_negated(own);
    let status = match negated && is_taken {
        true => word("not-taken"),
        false => status(context, own, has_ended),
    };
    if negated {
        // One word of two: which one is meant, a status beside it may say otherwise.
        own.child("statusCode").into_iter().for_each(El::mark_all_read);
    }
    let intent = match mood {
        "EVN" => None,
        "RQO" => word("order"),
        "INT" if context.place != "plan" => word("order"),
        "INT" | "ARQ" | "APT" => word("plan"),
        "PRP" => word("proposal"),
        _ => {
            context.not_understood(own);
            word("plan")
        }
    };
    let form = match (is_taken, context.place) {
        (true, "medicationsAdministered") => "administration",
        (true, _) => "statement",
        (false, _) => "request",
    };
    let code = product(context, own);
    let mut dosages: Vec<Narrative> =
        text_of(context, own).and_then(|text| context.words(own, &text)).into_iter().collect();
    dosages.extend(often);
    let supply = related(own).map(|(_, inner)| inner).find(|inner| inner.is("supply"));
    supply.into_iter().for_each(|supply| {
        supply.attribute("moodCode");
    });
    let quantity = supply.and_then(|supply| context.as_quantity(supply.child("quantity")?));
    let refills = supply.and_then(|supply| supply.child("repeatNumber")?.attribute("value"));
    Medication {
        code: concept_or_text(context, own, code),
        form: word(form),
        status,
        intent,
        do_not_perform: (negated && !is_taken).then_some(true),
        authored: recorded(context, own),
        start,
        end,
        dosages,
        doses: own.child("doseQuantity").and_then(|dose| context.as_quantity(dose)).into_iter().collect(),
        routes: context.concepts(own, "routeCode"),
        as_needed: own.child("precondition").map(|condition| {
            condition.attribute("typeCode");
            true
        }),
        prescriber: context.parties(own, "author").into_iter().next(),
        performers: context.parties(own, "performer"),
        reasons: reasons(context, own),
        quantity,
        refills: refills.and_then(word),
        notes: notes(context, own),
        ..Medication::default()
    }
    .into()
}

/// Comments and instructions.
fn notes<'t>(context: &Context<'t>, own: El<'t>) -> Vec<Narrative> {
    let mut notes = comments(context, own);
    for (_, inner) in related(own).filter(|(_, inner)| inner.is("act") && !has_code(*inner, &["48767-8"])) {
        inner.attribute("moodCode");
        if is_negated(inner) {
            context.not_understood(inner);
        } else if let Some(said) = text_of(context, inner) {
            notes.extend(context.words(inner, &said));
        }
    }
    notes
}

/// How a medicine stands. Documents of the first version say `completed` of what was written
/// down, whether it is still taken or not; so it counts only beside an end.
fn status<'t>(context: &Context<'t>, own: El<'t>, has_ended: bool) -> Option<Token> {
    let beside = said_status(context, own);
    let status = own.child("statusCode");
    let said = status_of(own);
    let known = match said.as_deref() {
        Some("active") => word("active"),
        Some("completed") if has_ended => word("completed"),
        Some("completed") if context.place == "medicationsAdministered" => word("completed"),
        Some("completed") => {
            if let (Some(status), None) = (status, &beside) {
                context.report(status, FindingReason::UnknownStatus);
            }
            None
        }
        Some("aborted") => word("stopped"),
        Some("suspended" | "held") => word("on-hold"),
        Some("cancelled") => word("cancelled"),
        Some("new") => word("draft"),
        Some("nullified") => word("entered-in-error"),
        Some(_) => {
            status.into_iter().for_each(|status| context.not_understood(status));
            None
        }
        None => None,
    };
    match (known, beside) {
        (Some(known), Some(beside)) if known != beside && known.as_str() == "active" => {
            own.child("statusCode").into_iter().for_each(|status| context.not_understood(status));
            Some(beside)
        }
        (known, beside) => known.or(beside),
    }
}

pub(super) fn immunization<'t>(context: &Context<'t>, own: El<'t>, mood: &str) -> Record {
    let (start, end, _) = times(context, own);
    let negated = is_negated(own);
    let status = match status_of(own).as_deref() {
        Some("nullified") => word("entered-in-error"),
        _ if negated || mood != "EVN" => word("not-done"),
        Some("completed") => word("completed"),
        None => None,
        Some(_) => {
            own.child("statusCode").into_iter().for_each(|status| context.not_understood(status));
            None
        }
    };
    if mood != "EVN" || end.is_some() {
        context.not_understood(own);
    }
    let code = product(context, own);
    let made = own.at(&["consumable", "manufacturedProduct"]);
    let material = made.and_then(|made| made.child("manufacturedMaterial"));
    let lot = material.and_then(|material| material.child("lotNumberText"));
    let maker = made.and_then(|made| made.at(&["manufacturerOrganization", "name"]));
    let maker = maker.and_then(|name| context.token(name, &name.words()));
    let mut reasons = reasons(context, own);
    let status_reason = if negated && !reasons.is_empty() { Some(reasons.remove(0)) } else { None };
    Immunization {
        code: concept_or_text(context, own, code),
        status,
        status_reason,
        occurrence: start,
        recorded: recorded(context, own),
        performers: context.parties(own, "performer"),
        manufacturer: maker.map(|name| Party { name: Some(name), ..Party::default() }),
        lot: lot.and_then(|lot| context.token(lot, &lot.words())),
        site: context.concept(own, "approachSiteCode"),
        route: context.concept(own, "routeCode"),
        dose: own.child("doseQuantity").and_then(|dose| context.as_quantity(dose)),
        reasons,
        notes: notes(context, own),
        ..Immunization::default()
    }
    .into()
}
