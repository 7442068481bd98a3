//! DocumentReference, DiagnosticReport, Composition.

use super::super::element::Element;
use super::finding::{effective, refuse_unread_words};
use super::words::{is_titled, word};
use crate::classify::codes;
use crate::record::{
    AdvanceDirective, Attachment, Concept, Narrative, Note, Observation, Party, Record, Token,
};

const DOCUMENT_STATUS: [&str; 2] = ["current", "superseded"];
const REPORT_STATUS: [&str; 9] = [
    "registered",
    "partial",
    "preliminary",
    "final",
    "amended",
    "corrected",
    "appended",
    "cancelled",
    "unknown",
];
const COMPOSITION_STATUS: [&str; 3] = ["preliminary", "final", "amended"];

pub(super) fn document_reference(root: &Element<'_>) -> Record {
    let code = root.concept("type");
    let attachments: Vec<Attachment> =
        root.elements("content").iter().flat_map(|content| content.attachments("attachment")).collect();
    if code.as_ref().is_some_and(|code| codes::is_advance_directive(&code.codings)) {
        return directive(root, code, attachments);
    }
    // FHIR R5 has of the context its references, and the rest beside it.
    let context = root.child("context");
    let within = context.as_ref().filter(|context| context.has("period")).unwrap_or(root);
    let (start, end) = within.period("period");
    let encounter = context
        .as_ref()
        .and_then(|context| context.reference("encounter").or_else(|| context.token("reference")));
    let mut categories = root.concepts("category");
    categories.extend(root.concepts("class"));
    Note {
        form: note_form(root, code.as_ref()),
        status: root.status("status", &DOCUMENT_STATUS),
        date: ["date", "created", "indexed"].into_iter().find_map(|name| root.date(name)),
        start,
        end,
        authors: root.parties("author"),
        custodian: root.party("custodian"),
        title: root.token("description").or_else(|| attachments.iter().find_map(|item| item.title.clone())),
        attachments,
        categories,
        encounter,
        code,
        ..Note::default()
    }
    .into()
}

fn directive(root: &Element<'_>, code: Option<Concept>, attachments: Vec<Attachment>) -> Record {
    AdvanceDirective {
        form: word("advance-directive"),
        code,
        status: root.status("status", &DOCUMENT_STATUS),
        title: root.token("description"),
        signed: root.date("date"),
        agents: root.parties("authenticator"),
        attachments,
        ..AdvanceDirective::default()
    }
    .into()
}

/// A report of the laboratory is an observation; one that is a document is a note.
pub(super) fn diagnostic_report(root: &Element<'_>) -> Record {
    refuse_unread_words(root);
    let is_document = root.has("presentedForm") && !root.has("result");
    if is_document || !is_laboratory(root) && !root.has("result") { report_note(root) } else { report(root) }
}

fn report(root: &Element<'_>) -> Record {
    let (start, end) = effective(root);
    Observation {
        code: root.concept("code"),
        status: root.status("status", &REPORT_STATUS),
        categories: root.concepts("category"),
        start,
        end,
        issued: root.date("issued"),
        text: root.said_beside("conclusion"),
        performers: performers(root),
        encounter: root.encounter(),
        attachments: root.attachments("presentedForm"),
        conclusions: conclusions(root),
        notes: root.notes_beside(),
        ..Observation::default()
    }
    .into()
}

fn report_note(root: &Element<'_>) -> Record {
    let (start, end) = effective(root);
    let code = root.concept("code");
    Note {
        form: note_form(root, code.as_ref()),
        code,
        status: root.status("status", &REPORT_STATUS),
        date: root.date("issued"),
        start,
        end,
        authors: performers(root),
        text: root
            .said_beside("conclusion")
            .into_iter()
            .chain(root.notes_beside())
            .collect::<Vec<Narrative>>(),
        attachments: root.attachments("presentedForm"),
        categories: root.concepts("category"),
        conclusions: conclusions(root),
        encounter: root.encounter(),
        ..Note::default()
    }
    .into()
}

/// Coded conclusions, by the names of R4 and of DSTU2 and STU3.
fn conclusions(root: &Element<'_>) -> Vec<Concept> {
    let mut found = root.concepts("conclusionCode");
    found.extend(root.concepts("codedDiagnosis"));
    found
}

fn performers(root: &Element<'_>) -> Vec<Party> {
    let mut performers = root.parties("resultsInterpreter");
    for performer in root.elements("performer") {
        // STU3 has an actor within.
        performers.extend(performer.party("actor").or_else(|| performer.as_party()));
    }
    performers
}

fn is_laboratory(root: &Element<'_>) -> bool {
    root.concepts("category").iter().any(|category| {
        category.codings.iter().any(|coding| coding.code.as_ref().map(Token::as_str) == Some("LAB"))
    })
}

/// The sections stay in the original; their texts are markup.
pub(super) fn composition(root: &Element<'_>) -> Record {
    let code = root.concept("type");
    Note {
        form: note_form(root, code.as_ref()),
        code,
        status: root.status("status", &COMPOSITION_STATUS),
        date: root.date("date"),
        authors: root.parties("author"),
        custodian: root.party("custodian"),
        title: root.token("title"),
        categories: root.concepts("category").into_iter().chain(root.concepts("class")).collect(),
        encounter: root.encounter(),
        ..Note::default()
    }
    .into()
}

/// The form of a note by its code. Labels are looked at too: whoever labels a note as
/// psychotherapy notes means that it is kept apart.
fn note_form(root: &Element<'_>, code: Option<&Concept>) -> Option<Token> {
    let codings = code.map(|code| code.codings.as_slice()).unwrap_or_default();
    let mut labels = root.child("meta").map(|meta| meta.codings("security")).unwrap_or_default();
    labels.extend(root.concepts("securityLabel").into_iter().flat_map(|label| label.codings));
    let displays = codings.iter().filter_map(|coding| coding.display.as_ref());
    let texts: Vec<&Token> = displays.chain(code.and_then(|code| code.text.as_ref())).collect();
    let is = |title: &[&str]| texts.iter().any(|text| is_titled(text, title));
    // Anywhere in the words: these notes are kept apart rather once too often.
    let is_psychotherapy =
        texts.iter().any(|text| text.as_str().to_lowercase().contains("psychotherapy note"));
    match () {
        () if codes::is_psychotherapy_note(codings, &labels) || is_psychotherapy => word("psychotherapy"),
        () if codes::is_discharge_summary(codings) || is(&["discharge", "summary"]) => {
            word("discharge-summary")
        }
        () if codes::is_progress_note(codings) || is(&["progress", "note"]) || is(&["progress", "notes"]) => {
            word("progress")
        }
        () => word("other"),
    }
}
