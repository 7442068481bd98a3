//! Observations: results, vital signs, histories of substance use, assessments, directives.

use super::activity::other;
use crate::classify::codes;
use crate::codec::xml::El;
use crate::interop::cda::context::Context;
use crate::interop::cda::statement::{
    comments, concept_or_text, has_template, is_negated, related, status_of, text_of, word,
};
use crate::record::{
    AdvanceDirective, Assessment, Coding, Component, Concept, Narrative, Observation, PartialDate, Quantity,
    Record, Scalar, SubstanceUse, Token,
};

const SUBSTANCE_USE: &[&str] =
    &["2.16.840.1.113883.10.20.22.4.78", "2.16.840.1.113883.10.20.22.4.85", "2.16.840.1.113883.10.22.4.78"];

/// What an observation found.
#[derive(Default)]
struct Answer {
    quantity: Option<Quantity>,
    concept: Option<Concept>,
    text: Option<Narrative>,
    date: Option<PartialDate>,
    boolean: Option<bool>,
    absent: Option<Concept>,
}

impl Answer {
    fn read<'t>(context: &Context<'t>, own: El<'t>) -> Self {
        let mut answer = Self::default();
        let mut values = own.children("value");
        let Some(value) = values.next() else { return answer };
        for further in values {
            context.not_understood(further);
        }
        match value.xsi("type").unwrap_or_default() {
            "PQ" | "INT" | "REAL" | "MO" => answer.quantity = context.as_quantity(value),
            "IVL_PQ" | "IVL_INT" | "IVL_REAL" => {
                answer.text = range(context, value).and_then(|range| context.words(value, &range));
            }
            "BL" => answer.boolean = value.attribute("value").and_then(|flag| flag.parse().ok()),
            "TS" => answer.date = context.as_date(value),
            "ST" | "ED" => answer.text = context.said(value).and_then(|said| context.words(value, &said)),
            "CD" | "CE" | "CV" | "CO" | "CS" => answer.concept = context.as_concept(value),
            "" if value.peek("unit").is_some() => answer.quantity = context.as_quantity(value),
            "" => answer.concept = context.as_concept(value),
            _ => context.not_understood(value),
        }
        if answer.is_empty() {
            let flavor = value.attribute("nullFlavor");
            answer.absent = flavor.map(absent);
            if flavor.is_none() && value.unread().next().is_some() {
                context.not_understood(value);
            }
        }
        answer
    }

    fn is_empty(&self) -> bool {
        self.quantity.is_none()
            && self.concept.is_none()
            && self.text.is_none()
            && self.date.is_none()
            && self.boolean.is_none()
    }

    fn into_scalar(self) -> Option<Scalar> {
        let concept = self.concept.map(Scalar::Concept);
        let quantity = || self.quantity.map(Scalar::Quantity);
        let text = || self.text.map(Scalar::Text);
        let date = || self.date.map(Scalar::Date);
        let boolean = || self.boolean.map(Scalar::Boolean);
        concept
            .or_else(quantity)
            .or_else(text)
            .or_else(date)
            .or_else(boolean)
            .or(self.absent.map(Scalar::Concept))
    }
}

/// Why there is no value, as FHIR's code for it.
fn absent(flavor: &str) -> Concept {
    let code = match flavor {
        "ASKU" => "asked-unknown",
        "NAV" => "temp-unknown",
        "NASK" => "not-asked",
        "MSK" => "masked",
        "NA" => "not-applicable",
        "OTH" => "unsupported",
        _ => "unknown",
    };
    Concept::from_coding(Coding {
        system: word("http://terminology.hl7.org/CodeSystem/data-absent-reason"),
        code: word(code),
        ..Coding::default()
    })
}

/// A range in words: `3.5 – 5 mmol/L`.
fn range<'t>(context: &Context<'t>, value: El<'t>) -> Option<String> {
    let end = |name: &'t str| {
        let quantity = context.as_quantity(value.child(name)?)?;
        let parts = [&quantity.value, &quantity.unit].into_iter().flatten();
        Some(parts.map(Token::as_str).collect::<Vec<_>>().join(" "))
    };
    let is_open =
        |name: &'t str| value.child(name).and_then(|end| end.attribute("inclusive")) == Some("false");
    match (end("low"), end("high")) {
        (Some(low), Some(high)) => Some(format!("{low} – {high}")),
        (Some(low), None) => Some(format!("{} {low}", if is_open("low") { ">" } else { "≥" })),
        (None, Some(high)) => Some(format!("{} {high}", if is_open("high") { "<" } else { "≤" })),
        (None, None) => None,
    }
}

/// How a result stands. `completed` is final; a result that is not complete says so.
fn status<'t>(context: &Context<'t>, own: El<'t>) -> Option<Token> {
    match status_of(own)?.as_str() {
        "completed" | "normal" => word("final"),
        "active" => word("preliminary"),
        "aborted" | "cancelled" => word("cancelled"),
        "held" | "suspended" | "new" => word("registered"),
        "nullified" => word("entered-in-error"),
        _ => {
            own.child("statusCode").into_iter().for_each(|status| context.not_understood(status));
            None
        }
    }
}

pub(super) fn finding<'t>(context: &Context<'t>, own: El<'t>) -> Record {
    let code = context.concept(own, "code");
    let codings = code.as_ref().map(|code| code.codings.clone()).unwrap_or_default();
    let is_use = codes::is_substance_use(&codings)
        || has_template(own, SUBSTANCE_USE)
        || names_substance(context, own);
    let code = match code {
        // The template says what is asserted.
        Some(code) if is_assertion(&code) => asserted(own).and_then(word).map(Concept::from_text),
        code => code,
    };
    if is_negated(own) {
        // A finding that is denied is none: only its original says what it denies.
        context.not_understood(own);
        return match is_use {
            true => SubstanceUse { code, status: word("not-done"), ..SubstanceUse::default() }.into(),
            false => other(context, own, "observation", word("not-done")),
        };
    }
    let status = status(context, own);
    let (start, end) = context.interval(own);
    let answer = Answer::read(context, own);
    let components = components(context, own);
    let notes = comments(context, own);
    let performers = context.parties(own, "performer");
    let code = concept_or_text(context, own, code);
    if is_use {
        let known =
            answer.concept.as_ref().and_then(|found| codes::status_of_use(&found.codings)).and_then(word);
        let withdrawn = status.filter(|status| status.as_str() != "final");
        return SubstanceUse {
            code,
            status: withdrawn.or(known),
            finding: answer.concept.or(answer.absent),
            amount: answer.quantity,
            start: start.or(answer.date),
            end,
            performers,
            details: components,
            text: answer.text,
            notes,
            ..SubstanceUse::default()
        }
        .into();
    }
    if codes::is_instrument(&codings) {
        return Assessment {
            instrument: code,
            status,
            date: start.or(answer.date),
            end,
            score: answer.quantity,
            score_text: answer.text,
            interpretations: context
                .concepts(own, "interpretationCode")
                .into_iter()
                .chain(answer.concept)
                .collect(),
            items: components,
            performers,
            notes,
            ..Assessment::default()
        }
        .into();
    }
    Observation {
        code,
        status,
        categories: category(context.place).into_iter().collect(),
        start,
        end,
        quantity: answer.quantity,
        concept: answer.concept,
        text: answer.text,
        date: answer.date,
        boolean: answer.boolean,
        components,
        interpretations: context.concepts(own, "interpretationCode"),
        reference_ranges: reference_ranges(context, own),
        performers,
        method: context.concept(own, "methodCode"),
        body_site: context.concept(own, "targetSiteCode"),
        absent_reason: answer.absent,
        notes,
        ..Observation::default()
    }
    .into()
}

fn is_assertion(code: &Concept) -> bool {
    code.codings.iter().any(|coding| coding.code.as_ref().map(Token::as_str) == Some("ASSERTION"))
}

/// What an assertion of this template is about.
fn asserted(own: El<'_>) -> Option<&'static str> {
    if has_template(own, &["2.16.840.1.113883.10.20.22.4.85"]) {
        return Some("Tobacco use");
    }
    has_template(own, SUBSTANCE_USE).then_some("Tobacco smoking status")
}

/// Words by which a social history names substances. A word too many keeps an entry more apart
/// than it need be, and no more.
const SUBSTANCES: [&str; 14] = [
    "tobacco",
    "smok",
    "cigar",
    "nicotine",
    "alcohol",
    "drink",
    "drug",
    "opioid",
    "cannabis",
    "marijuana",
    "cocaine",
    "heroin",
    "substance",
    "amphetamine",
];

/// Whether an observation of a social history names a substance.
fn names_substance(context: &Context<'_>, own: El<'_>) -> bool {
    let named = [own.child("code"), own.child("value")].into_iter().flatten();
    let displays = named.filter_map(|found| found.peek("displayName")).map(str::to_lowercase);
    let mut displays = displays.filter(|display| SUBSTANCES.iter().any(|word| display.contains(word)));
    context.place == "socialHistory" && displays.next().is_some()
}

fn category(place: &str) -> Option<Concept> {
    let code = match place {
        "vitalSigns" => "vital-signs",
        "socialHistory" => "social-history",
        _ => return None,
    };
    Some(Concept::from_coding(Coding {
        system: word("http://terminology.hl7.org/CodeSystem/observation-category"),
        code: word(code),
        ..Coding::default()
    }))
}

/// Observations within this one: questions and answers.
fn components<'t>(context: &Context<'t>, own: El<'t>) -> Vec<Component> {
    let mut components = Vec::new();
    for (_, inner) in related(own).filter(|(_, inner)| inner.is("observation")) {
        inner.attribute("moodCode");
        if is_negated(inner) || status(context, inner).is_some_and(|status| status.as_str() != "final") {
            context.not_understood(inner);
            continue;
        }
        let code = context.concept(inner, "code").unwrap_or_default();
        components.push(Component { code, value: Answer::read(context, inner).into_scalar() });
    }
    components
}

fn reference_ranges<'t>(context: &Context<'t>, own: El<'t>) -> Vec<Narrative> {
    let ranges = own.children("referenceRange").filter_map(|range| range.child("observationRange"));
    ranges
        .filter_map(|usual| {
            let text = text_of(context, usual);
            let value = usual.child("value").and_then(|value| range(context, value));
            let whose = context.concept(usual, "interpretationCode");
            let words: Vec<String> = [text, value].into_iter().flatten().collect();
            let words = words.join("; ");
            let whose = whose.and_then(|whose| whose.title().map(str::to_owned));
            let words = match whose {
                Some(whose) if !words.is_empty() && whose != "N" && whose != "Normal" => {
                    format!("{whose}: {words}")
                }
                _ => words,
            };
            context.words(usual, &words)
        })
        .collect()
}

pub(super) fn directive<'t>(context: &Context<'t>, own: El<'t>) -> Record {
    if is_negated(own) {
        context.not_understood(own);
        return other(context, own, "observation", word("not-done"));
    }
    let (effective, expires) = context.interval(own);
    let answer = Answer::read(context, own).into_scalar();
    let wish = match &answer {
        Some(Scalar::Concept(concept)) => concept.title().map(str::to_owned),
        Some(Scalar::Text(text)) => Some(text.as_str().to_owned()),
        Some(Scalar::Boolean(flag)) => Some(if *flag { "yes" } else { "no" }.to_owned()),
        _ => None,
    };
    let status = match status_of(own).as_deref() {
        Some("completed" | "active") | None => None,
        Some("nullified") => word("entered-in-error"),
        Some(_) => {
            own.child("statusCode").into_iter().for_each(|status| context.not_understood(status));
            None
        }
    };
    let code = context.concept(own, "code");
    AdvanceDirective {
        form: word("advance-directive"),
        code: concept_or_text(context, own, code),
        status,
        effective,
        expires,
        agents: agents(context, own),
        text: wish.and_then(|wish| context.words(own, &wish)).into_iter().collect(),
        notes: comments(context, own),
        ..AdvanceDirective::default()
    }
    .into()
}

fn agents<'t>(context: &Context<'t>, own: El<'t>) -> Vec<crate::record::Party> {
    let is_agent = |participant: &El<'t>| participant.attribute("typeCode") == Some("CST");
    own.children("participant")
        .filter(is_agent)
        .filter_map(|participant| context.as_party(participant.child("participantRole")?, Some("agent")))
        .collect()
}
