//! The header of a document: whose it is, who wrote and keeps it, and the document itself.

use super::context::Context;
use crate::classify::codes;
use crate::codec::base64url;
use crate::codec::xml::El;
use crate::record::{
    Attachment, Coding, Concept, Location, Note, PartialDate, Party, Patient, Person, Record, Token,
};

fn fixed(text: &str) -> Option<Token> {
    Token::new(text).ok()
}

/// The patient of a `recordTarget`.
pub(super) fn patient<'t>(context: &Context<'t>, target: El<'t>) -> (Patient, Person) {
    let mut record = Patient::default();
    let Some(role) = target.child("patientRole") else { return (record, Person::default()) };
    record.identifiers = context.identifiers(role);
    record.addresses = role.children("addr").filter_map(|address| context.as_address(address)).collect();
    record.telecoms = context.telecoms(role);
    let provider = role.child("providerOrganization");
    record.managing_organization = provider.and_then(|provider| context.as_party(provider, None));
    let mut is_birth_said = false;
    if let Some(patient) = role.child("patient") {
        record.names = patient.children("name").filter_map(|name| context.as_name(name)).collect();
        record.gender = patient.child("administrativeGenderCode").and_then(|code| gender(context, code));
        let birth = patient.child("birthTime");
        is_birth_said = birth.is_some_and(|birth| birth.peek("value").is_some());
        record.birth_date = birth.and_then(|birth| context.as_date(birth));
        record.marital_status = context.concept(patient, "maritalStatusCode");
        record.races = context.concepts(patient, "raceCode");
        record.races.extend(
            patient
                .elements()
                .filter(|more| more.name() == "raceCode" && !more.is("raceCode"))
                .filter_map(|more| context.as_concept(more)),
        );
        record.ethnicities = context.concepts(patient, "ethnicGroupCode");
        record.languages = languages(patient);
        let deceased = patient.extension("deceasedInd").and_then(|flag| flag.attribute("value"));
        record.deceased_date = patient.extension("deceasedTime").and_then(|time| context.as_date(time));
        record.deceased = deceased.map(|flag| flag == "true").or(record.deceased_date.as_ref().map(|_| true));
        record.contacts = patient
            .children("guardian")
            .filter_map(|guardian| context.as_party(guardian, Some("guardian")))
            .collect();
        let birth_place = patient.at(&["birthplace", "place", "addr"]);
        record.birth_place = birth_place.and_then(|address| context.as_address(address));
    }
    let person = Person::of(&record).with_unreadable_birth_date(is_birth_said);
    (record, person)
}

fn gender<'t>(context: &Context<'t>, code: El<'t>) -> Option<Token> {
    match code.attribute("code")? {
        "F" => fixed("female"),
        "M" => fixed("male"),
        "UN" => fixed("other"),
        other => context.token(code, other),
    }
}

/// The preferred language first.
fn languages(patient: El<'_>) -> Vec<Concept> {
    let mut spoken: Vec<El<'_>> = patient.children("languageCommunication").collect();
    let is_preferred =
        |one: &El<'_>| one.child("preferenceInd").and_then(|flag| flag.attribute("value")) == Some("true");
    spoken.sort_by_key(|one| !is_preferred(one));
    spoken
        .into_iter()
        .filter_map(|one| {
            let code = one.child("languageCode")?;
            let language = Token::new(code.attribute("code")?).ok()?;
            Some(Concept::from_coding(Coding {
                system: fixed("urn:ietf:bcp:47"),
                code: Some(language),
                ..Coding::default()
            }))
        })
        .collect()
}

/// The labels of a document, a section or a statement (CDA R2 `confidentialityCode`).
pub(super) fn labels<'t>(context: &Context<'t>, element: El<'t>) -> Vec<Coding> {
    context.concepts(element, "confidentialityCode").into_iter().flat_map(|label| label.codings).collect()
}

/// Who wrote an element, if it says so.
pub(super) fn author<'t>(context: &Context<'t>, element: El<'t>) -> Option<Party> {
    context.parties(element, "author").into_iter().next()
}

/// The document as a note: what it is, by whom, kept by whom; with its text where it has no
/// sections.
pub(super) fn document<'t>(
    context: &Context<'t>,
    root: El<'t>,
    labels: &[Coding],
    date: Option<PartialDate>,
) -> Record {
    let code = context.concept(root, "code");
    let codings = code.as_ref().map(|code| code.codings.as_slice()).unwrap_or_default();
    let form = match () {
        () if codes::is_psychotherapy_note(codings, labels) => "psychotherapy",
        () if codes::is_discharge_summary(codings) => "discharge-summary",
        () if codes::is_progress_note(codings) => "progress",
        () => "other",
    };
    let event = root.at(&["documentationOf", "serviceEvent"]);
    let (start, end) = event.map_or((None, None), |event| context.interval(event));
    let title = root.child("title").map(El::words);
    let mut note = Note {
        form: fixed(form),
        code,
        date,
        start,
        end,
        authors: context.parties(root, "author"),
        custodian: context.parties(root, "custodian").into_iter().next(),
        title: title.and_then(|title| context.token(root, &title)),
        ..Note::default()
    };
    let body = root.children("component").find_map(|component| component.at(&["nonXMLBody", "text"]));
    if let Some(text) = body {
        read_body(context, text, &mut note);
    }
    note.into()
}

/// A document that is a file or plain text.
fn read_body<'t>(context: &Context<'t>, text: El<'t>, note: &mut Note) {
    let sort = text.attribute("mediaType");
    if text.attribute("representation") != Some("B64") {
        let said = context.said(text);
        note.text.extend(said.and_then(|said| context.words(text, &said)));
        return;
    }
    match base64url::decode_foreign(&text.words()) {
        Ok(bytes) => note.attachments.push(Attachment {
            content_type: sort.and_then(|sort| context.token(text, sort)),
            size: u64::try_from(bytes.len()).ok(),
            location: Some(Location::Inline(bytes)),
            ..Attachment::default()
        }),
        Err(_) => context.report(text, crate::interop::finding::FindingReason::FileDamaged),
    }
}
