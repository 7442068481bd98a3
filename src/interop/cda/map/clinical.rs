//! Problems, allergies and what relatives had.

use crate::codec::xml::El;
use crate::interop::cda::context::Context;
use crate::interop::cda::statement::{
    Unit, comments, concept_or_text, is_negated, related, related_observations, said_status, status_of, word,
};
use crate::interop::finding::FindingReason;
use crate::record::{
    Allergy, Component, Concept, Diagnosis, FamilyHistory, Narrative, PartialDate, Record, Scalar, Token,
};

/// What the status of an observation says beside its value: an observation that was made is
/// complete; one that was withdrawn is none.
fn withdrawn<'t>(context: &Context<'t>, own: El<'t>) -> Option<Token> {
    let status = own.child("statusCode")?;
    match status_of(own)?.as_str() {
        "completed" | "active" | "normal" => None,
        "nullified" => {
            context.report(status, FindingReason::EnteredInError);
            word("entered-in-error")
        }
        _ => {
            context.not_understood(status);
            None
        }
    }
}

/// When its author wrote a statement down.
pub(super) fn recorded<'t>(context: &Context<'t>, statement: El<'t>) -> Option<PartialDate> {
    context.date(statement.child("author")?, "time")
}

/// Whether the statement says that it has ended, without a date.
fn has_ended_at_unknown_time(own: El<'_>) -> bool {
    own.at(&["effectiveTime", "high"]).and_then(|high| high.peek("nullFlavor")) == Some("UNK")
}

pub(super) fn problem<'t>(context: &Context<'t>, unit: &Unit<'t>) -> Record {
    let (own, outer) = (unit.own, unit.outer);
    let (onset, abatement) = context.interval(own);
    let withdrawn = withdrawn(context, own);
    let is_unsure = own.child("uncertaintyCode").is_some_and(|code| code.attribute("code") == Some("UN"));
    let verification_status = match () {
        () if withdrawn.is_some() => withdrawn,
        () if is_negated(own) => word("refuted"),
        () if is_unsure => word("unconfirmed"),
        () => None,
    };
    let clinical_status = clinical_status(context, unit, abatement.is_some());
    if clinical_status.is_none() && has_ended_at_unknown_time(own) {
        context.not_understood(own);
    }
    let value = own.child("value");
    let code = value.and_then(|value| context.as_concept(value));
    let categories = context.concept(own, "code").filter(|sort| !is_assertion(sort));
    let section = match context.place {
        "pastIllness" => word("History of past illness"),
        "admissionDiagnosis" => word("Admission diagnosis"),
        "dischargeDiagnosis" => word("Discharge diagnosis"),
        _ => None,
    };
    let severity =
        related_observations(own, &["SEV"]).find_map(|severity| context.concept(severity, "value"));
    let mut notes = comments(context, own);
    if outer != own {
        notes.extend(comments(context, outer));
    }
    Diagnosis {
        code: concept_or_text(context, own, code),
        clinical_status,
        verification_status,
        categories: categories.into_iter().chain(section.map(Concept::from_text)).collect(),
        severity,
        body_sites: context.concepts(own, "targetSiteCode"),
        onset,
        onset_text: age(context, own),
        abatement,
        recorded: recorded(context, own).or_else(|| recorded(context, outer)),
        notes,
        ..Diagnosis::default()
    }
    .into()
}

fn is_assertion(sort: &Concept) -> bool {
    sort.codings.iter().any(|coding| coding.code.as_ref().map(Token::as_str) == Some("ASSERTION"))
}

/// How a problem stands: what an observation says, else that it has an end, else what the
/// concern around it says. A concern that is `completed` is one that nobody follows any more;
/// that the problem is over, it does not say.
fn clinical_status<'t>(context: &Context<'t>, unit: &Unit<'t>, has_ended: bool) -> Option<Token> {
    let of_concern = if unit.outer == unit.own { None } else { status_of(unit.outer) };
    if let Some(said) = said_status(context, unit.own) {
        if has_ended && said.as_str() == "active" {
            context.not_understood(unit.own);
        }
        return Some(said);
    }
    if has_ended {
        return word("resolved");
    }
    match of_concern.as_deref() {
        Some("active") => word("active"),
        Some("suspended") => word("inactive"),
        Some(_) => {
            if let Some(status) = unit.outer.child("statusCode") {
                context.not_understood(status);
            }
            None
        }
        None => None,
    }
}

/// The age at which it began, in words.
fn age<'t>(context: &Context<'t>, own: El<'t>) -> Option<Narrative> {
    let value = related_observations(own, &["445518008", "397659008"]).find_map(|age| age.child("value"))?;
    let quantity = context.as_quantity(value)?;
    let unit = match quantity.unit.as_ref().map(Token::as_str) {
        Some("a") => "years",
        Some("mo") => "months",
        Some(other) => other,
        None => "",
    };
    let number = quantity.value.as_ref().map(Token::as_str).unwrap_or_default();
    context.words(value, format!("age {number} {unit}").trim())
}

pub(super) fn allergy<'t>(context: &Context<'t>, unit: &Unit<'t>) -> Record {
    let own = unit.own;
    let (onset, end) = context.interval(own);
    let withdrawn = withdrawn(context, own);
    let verification_status = withdrawn.or_else(|| if is_negated(own) { word("refuted") } else { None });
    let sort = own.child("value");
    let (kind, category) = match sort.and_then(|sort| sort.peek("code")) {
        Some("416098002") => (word("allergy"), word("medication")),
        Some("414285001") => (word("allergy"), word("food")),
        Some("426232007") => (word("allergy"), word("environment")),
        Some("419199007") => (word("allergy"), None),
        Some("59037007") => (word("intolerance"), word("medication")),
        Some("235719002") => (word("intolerance"), word("food")),
        Some("419511003") => (None, word("medication")),
        Some("418471000") => (None, word("food")),
        _ => (None, None),
    };
    let agents: Vec<Concept> = own
        .children("participant")
        .filter_map(|participant| {
            participant.attribute("typeCode");
            let agent = participant.at(&["participantRole", "playingEntity"])?;
            context.concept(agent, "code").or_else(|| {
                let name = agent.child("name")?;
                context.token(name, &name.words()).map(Concept::from_text)
            })
        })
        .collect();
    let mut agents = agents.into_iter();
    let first = agents.next();
    let sort_as_code = match (&first, &kind, &category) {
        // What it is, where nothing says against what: also "no known allergies".
        (None, _, _) | (_, None, None) => sort.and_then(|sort| context.as_concept(sort)),
        _ => {
            sort.into_iter().for_each(El::mark_all_read);
            None
        }
    };
    let mut notes = comments(context, own);
    let code = match (first, sort_as_code) {
        (Some(first), Some(sort)) => {
            notes.extend(sort.title().and_then(|title| Narrative::new(title).ok()));
            Some(first)
        }
        (first, sort) => first.or(sort),
    };
    let (manifestations, severities) = reactions(context, own);
    own.child("code").into_iter().for_each(El::mark_all_read);
    Allergy {
        code: concept_or_text(context, own, code),
        clinical_status: clinical_status(context, unit, end.is_some()),
        verification_status,
        sort: kind,
        categories: category.into_iter().collect(),
        onset,
        recorded: recorded(context, own).or_else(|| recorded(context, unit.outer)),
        substances: agents.collect(),
        manifestations,
        severities,
        notes,
        ..Allergy::default()
    }
    .into()
}

/// How the patient reacted, and how severely.
fn reactions<'t>(context: &Context<'t>, own: El<'t>) -> (Vec<Concept>, Vec<Token>) {
    let (mut manifestations, mut severities) = (Vec::new(), Vec::new());
    severities.extend(severity(context, own));
    for (how, inner) in related(own) {
        if how != "MFST" || !inner.is("observation") {
            continue;
        }
        inner.attribute("moodCode");
        if is_negated(inner) {
            context.not_understood(inner);
            continue;
        }
        let value = context.concept(inner, "value");
        manifestations.extend(concept_or_text(context, inner, value));
        severities.extend(severity(context, inner));
    }
    (manifestations, severities)
}

fn severity<'t>(context: &Context<'t>, statement: El<'t>) -> Option<Token> {
    let value = related_observations(statement, &["SEV"]).find_map(|severity| severity.child("value"))?;
    let known = match value.peek("code") {
        Some("255604002") => "mild",
        Some("6736007") => "moderate",
        Some("24484000") => "severe",
        _ => return context.as_concept(value)?.title().and_then(|title| context.token(value, title)),
    };
    value.mark_all_read();
    word(known)
}

/// What one relative had.
pub(super) fn family_organizer<'t>(context: &Context<'t>, organizer: El<'t>) -> Record {
    let mut history = FamilyHistory::default();
    read_relative(context, organizer, &mut history);
    if status_of(organizer).is_some_and(|status| status == "completed") {
        history.status = word("completed");
    }
    for component in organizer.children("component") {
        match component.child("observation") {
            Some(observation) => read_condition(context, observation, &mut history),
            None => context.not_understood(component),
        }
    }
    history.into()
}

pub(super) fn family_observation<'t>(context: &Context<'t>, own: El<'t>) -> Record {
    let mut history = FamilyHistory::default();
    read_relative(context, own, &mut history);
    read_condition(context, own, &mut history);
    history.into()
}

fn read_relative<'t>(context: &Context<'t>, statement: El<'t>, history: &mut FamilyHistory) {
    let Some(relative) = statement.at(&["subject", "relatedSubject"]) else { return };
    relative.attribute("classCode");
    history.relationship = context.concept(relative, "code");
    let Some(subject) = relative.child("subject") else { return };
    history.sex = context.concept(subject, "administrativeGenderCode");
    history.born = context.date(subject, "birthTime");
    let name = subject.child("name").and_then(|name| Some((name, context.as_name(name)?.to_line()?)));
    history.name = name.and_then(|(element, line)| context.token(element, &line));
    let deceased = subject.extension("deceasedInd").and_then(|flag| flag.attribute("value"));
    history.deceased = deceased.map(|flag| flag == "true");
    history.deceased_date = subject.extension("deceasedTime").and_then(|time| context.as_date(time));
}

fn read_condition<'t>(context: &Context<'t>, own: El<'t>, history: &mut FamilyHistory) {
    own.attribute("moodCode");
    if let Some(status) = withdrawn(context, own) {
        history.status = Some(status);
    }
    if is_negated(own) {
        context.not_understood(own);
        return;
    }
    let value = context.concept(own, "value");
    let Some(code) = concept_or_text(context, own, value) else { return };
    let (start, _) = context.interval(own);
    let onset = age(context, own).map(Scalar::Text).or(start.map(Scalar::Date));
    history.details.extend(onset.map(|onset| Component { code: code.clone(), value: Some(onset) }));
    history.notes.extend(comments(context, own));
    history.conditions.push(code);
}
