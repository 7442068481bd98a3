//! Procedures, encounters, notes, and what is planned or asked for.

use super::clinical::recorded;
use crate::classify::codes;
use crate::codec::xml::El;
use crate::interop::cda::context::Context;
use crate::interop::cda::statement::{
    add_words, comments, concept_or_text, is_negated, reasons, related, status_of, text_of, word,
};
use crate::record::{
    Concept, Encounter, Hospitalization, Note, Other, PartialDate, Party, Record, Token, Treatment,
};

/// A status in FHIR's word; one that is not known stays not understood.
fn status<'t>(context: &Context<'t>, own: El<'t>, known: &[(&str, &str)]) -> Option<Token> {
    let said = status_of(own)?;
    match known.iter().find(|(word, _)| *word == said) {
        Some((_, meant)) => word(meant),
        None => {
            own.child("statusCode").into_iter().for_each(|status| context.not_understood(status));
            None
        }
    }
}

const DONE: [(&str, &str); 7] = [
    ("completed", "completed"),
    ("active", "in-progress"),
    ("aborted", "stopped"),
    ("cancelled", "not-done"),
    ("suspended", "on-hold"),
    ("new", "preparation"),
    ("nullified", "entered-in-error"),
];

pub(super) fn procedure<'t>(context: &Context<'t>, own: El<'t>) -> Record {
    let (start, end) = context.interval(own);
    let status = match is_negated(own) {
        true => {
            own.child("statusCode").into_iter().for_each(El::mark_all_read);
            word("not-done")
        }
        false => status(context, own, &DONE),
    };
    let code = context.concept(own, "code");
    let is_therapy = code.as_ref().is_some_and(|code| codes::is_therapy(&code.codings));
    Treatment {
        form: word(if is_therapy { "therapy-session" } else { "procedure" }),
        code: concept_or_text(context, own, code),
        status,
        start,
        end,
        performers: context.parties(own, "performer"),
        location: locations(context, own).into_iter().next(),
        reasons: reasons(context, own),
        body_sites: context.concepts(own, "targetSiteCode"),
        created: recorded(context, own),
        notes: comments(context, own),
        ..Treatment::default()
    }
    .into()
}

/// Where it took place.
fn locations<'t>(context: &Context<'t>, own: El<'t>) -> Vec<Party> {
    let places =
        own.children("participant").filter(|participant| participant.attribute("typeCode") == Some("LOC"));
    places
        .filter_map(|participant| {
            let role = participant.child("participantRole")?;
            let name = role.at(&["playingEntity", "name"]).map(El::words).filter(|name| !name.is_empty());
            let kind = context.concept(role, "code");
            let name = name.or_else(|| kind.as_ref()?.title().map(str::to_owned))?;
            let kind = kind.and_then(|kind| context.token(role, kind.title()?));
            Some(Party { name: context.token(role, &name), role: kind, ..Party::default() })
        })
        .collect()
}

const VISIT: [(&str, &str); 5] = [
    ("completed", "finished"),
    ("active", "in-progress"),
    ("cancelled", "cancelled"),
    ("aborted", "discontinued"),
    ("nullified", "entered-in-error"),
];

pub(super) fn encounter<'t>(context: &Context<'t>, own: El<'t>) -> Record {
    if is_negated(own) {
        context.not_understood(own);
        return other(context, own, "encounter", word("not-done"));
    }
    let code = context.concept(own, "code");
    let mut notes = comments(context, own);
    let code = concept_or_text(context, own, code);
    let mut diagnoses = Vec::new();
    for (_, act) in related(own).filter(|(_, inner)| inner.is("act")) {
        for observation in related(act).map(|(_, inner)| inner).filter(|inner| inner.is("observation")) {
            match is_negated(observation) {
                true => context.not_understood(observation),
                false => diagnoses.extend(context.concept(observation, "value")),
            }
        }
        if let Some(said) = text_of(context, act) {
            notes.extend(context.words(act, &said));
        }
    }
    let visit = Visit {
        status: status(context, own, &VISIT),
        participants: context.parties(own, "performer"),
        locations: locations(context, own),
        facility: None,
        reasons: reasons(context, own),
        disposition: own.extension("dischargeDispositionCode").and_then(|code| context.as_concept(code)),
        diagnoses,
        times: context.interval(own),
        code,
    };
    let mut record = visit.into_record();
    notes.into_iter().for_each(|words| add_words(&mut record, words));
    record
}

/// What an encounter of either kind has.
struct Visit {
    code: Option<Concept>,
    status: Option<Token>,
    times: (Option<PartialDate>, Option<PartialDate>),
    participants: Vec<Party>,
    locations: Vec<Party>,
    facility: Option<Party>,
    reasons: Vec<Concept>,
    disposition: Option<Concept>,
    diagnoses: Vec<Concept>,
}

impl Visit {
    fn into_record(self) -> Record {
        let (start, end) = self.times;
        if self.code.as_ref().is_some_and(codes::is_inpatient) {
            return Hospitalization {
                admission: start,
                discharge: end,
                facility: self.facility,
                reasons: self.reasons,
                discharge_disposition: self.disposition,
                status: self.status,
                class: self.code,
                participants: self.participants,
                locations: self.locations,
                diagnoses: self.diagnoses,
                ..Hospitalization::default()
            }
            .into();
        }
        Encounter {
            start,
            end,
            types: self.code.into_iter().collect(),
            status: self.status,
            reasons: self.reasons,
            facility: self.facility,
            participants: self.participants,
            locations: self.locations,
            diagnoses: self.diagnoses,
            discharge_disposition: self.disposition,
            ..Encounter::default()
        }
        .into()
    }
}

/// The encounter in which a document was written.
pub(in crate::interop::cda) fn encounter_of<'t>(context: &Context<'t>, own: El<'t>) -> Record {
    let facility = own.at(&["location", "healthCareFacility"]);
    let name = facility.and_then(|facility| {
        let name = facility
            .at(&["location", "name"])
            .or_else(|| facility.at(&["serviceProviderOrganization", "name"]))?;
        context.token(name, &name.words())
    });
    let mut participants = context.parties(own, "responsibleParty");
    participants.extend(context.parties(own, "encounterParticipant"));
    Visit {
        code: context.concept(own, "code"),
        status: None,
        times: context.interval(own),
        participants,
        locations: Vec::new(),
        facility: name.map(|name| Party { name: Some(name), ..Party::default() }),
        reasons: Vec::new(),
        disposition: context.concept(own, "dischargeDispositionCode"),
        diagnoses: Vec::new(),
    }
    .into_record()
}

pub(super) fn note<'t>(context: &Context<'t>, own: El<'t>) -> Record {
    let (start, end) = context.interval(own);
    let negated = is_negated(own);
    if negated {
        context.not_understood(own);
    }
    let status = match status_of(own).as_deref() {
        _ if negated => word("not-done"),
        Some("completed") => word("final"),
        Some("active") => word("preliminary"),
        Some("nullified") => word("entered-in-error"),
        None => None,
        Some(_) => {
            own.child("statusCode").into_iter().for_each(|status| context.not_understood(status));
            None
        }
    };
    let text = text_of(context, own).and_then(|text| context.words(own, &text));
    Note {
        form: word("other"),
        code: context.concept(own, "code"),
        status,
        date: recorded(context, own),
        start,
        end,
        authors: context.parties(own, "author"),
        text: text.into_iter().collect(),
        ..Note::default()
    }
    .into()
}

/// What is planned, asked for or aimed at: no fact yet.
pub(super) fn intended<'t>(context: &Context<'t>, own: El<'t>, mood: &str) -> Record {
    let (name, intent) = match mood {
        "GOL" => ("Goal", "plan"),
        "RQO" => (own.name(), "order"),
        "PRP" => (own.name(), "proposal"),
        "INT" | "APT" | "ARQ" | "PRMS" | "SLOT" => (own.name(), "plan"),
        _ => {
            context.not_understood(own);
            (own.name(), "plan")
        }
    };
    let Record::Other(record) = other(context, own, name, None) else { return Other::default().into() };
    Other { intent: word(intent), ..*record }.into()
}

/// What has no kind of its own.
pub(super) fn other<'t>(context: &Context<'t>, own: El<'t>, name: &str, status: Option<Token>) -> Record {
    let (start, end) = context.interval(own);
    let negated = is_negated(own);
    let said = status_of(own);
    let code = context.concept(own, "code");
    let title = own.child("title").map(El::words);
    let value: Vec<Concept> = own
        .children("value")
        .filter(|value| value.peek("value").is_none())
        .filter_map(|value| context.as_concept(value))
        .collect();
    let words =
        value.iter().filter_map(Concept::title).filter_map(|title| context.words(own, title)).collect();
    Other {
        resource_type: word(name),
        code: concept_or_text(context, own, code),
        status: status.or_else(|| match negated {
            true => word("not-done"),
            false => said.as_deref().and_then(word),
        }),
        do_not_perform: (negated && own.peek("moodCode") != Some("EVN")).then_some(true),
        start,
        end,
        title: title.and_then(|title| context.token(own, &title)),
        author: context.parties(own, "author").into_iter().next(),
        text: words,
        ..Other::default()
    }
    .into()
}
