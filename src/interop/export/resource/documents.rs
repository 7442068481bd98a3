//! Notes, documents of the law, directives, statements, files, and what has no kind.

use super::super::types::{
    Fhir, all, by, coded, concept, date, instant, one, party, period, reference, string, text_file, token,
    word_or,
};
use super::super::written::Written;
use crate::codec::json::Json;
use crate::record::{
    AdvanceDirective, AttachmentRecord, Coding, Concept, LegalDocument, Narrative, Note, Other, PartialDate,
    Party, Statement, Token,
};

/// What any document has.
#[derive(Default)]
struct Document<'a> {
    status: Option<&'a Token>,
    sort: Option<&'a Concept>,
    /// What it is where nothing codes it.
    otherwise: Option<&'a str>,
    categories: Vec<Concept>,
    date: Option<&'a PartialDate>,
    authors: Vec<&'a Party>,
    authenticator: Option<&'a Party>,
    custodian: Option<&'a Party>,
    title: Option<&'a Token>,
    start: Option<&'a PartialDate>,
    end: Option<&'a PartialDate>,
    encounter: Option<&'a Token>,
    facility: Option<&'a Party>,
    texts: Vec<&'a Narrative>,
    attachments: Vec<Json>,
}

impl Document<'_> {
    fn write(self, written: &Written<'_>) -> Json {
        const STATUS: [&str; 3] = ["current", "superseded", "entered-in-error"];
        const DOC_STATUS: [&str; 4] = ["preliminary", "final", "amended", "entered-in-error"];
        const OVER: [&str; 4] = ["revoked", "vacated", "expired", "cancelled"];
        let said = self.status.map(Token::as_str).unwrap_or_default();
        let status = match OVER.contains(&said) {
            true => Json::string("superseded"),
            false => word_or(self.status, &STATUS, "current"),
        };
        let doc_status = DOC_STATUS.contains(&said).then(|| Json::string(said));
        let texts = self.texts.into_iter().map(text_file);
        let content = |attachment: Json| Fhir::default().with("attachment", attachment).json();
        let mut contents: Vec<Json> = texts.chain(self.attachments).map(content).collect();
        if contents.is_empty() {
            // FHIR demands a content; one that is not there has a title.
            let title = token(self.title).unwrap_or_else(|| Json::string("not in the vault"));
            contents.push(content(Fhir::default().with("title", title).json()));
        }
        let setting = self.facility.and_then(|facility| facility.name.as_ref());
        let context = Fhir::default()
            .list("encounter", reference(self.encounter))
            .with("period", period(self.start, self.end))
            .with(
                "facilityType",
                setting.and_then(|name| Fhir::default().with("text", token(Some(name))).said()),
            )
            .said();
        let words = self.otherwise.map(|text| Fhir::default().with("text", Json::string(text)).json());
        written
            .begin("DocumentReference")
            .with("status", status)
            .with("docStatus", doc_status)
            .with("type", one(self.sort).or(words))
            .list("category", all(&self.categories))
            .with("subject", written.subject())
            .with("date", instant(self.date))
            .list("author", self.authors.into_iter().filter_map(party))
            .with("authenticator", by(self.authenticator))
            .with("custodian", by(self.custodian))
            .with("description", token(self.title))
            .list("content", contents)
            .with("context", context)
            .json()
    }
}

fn files<'a>(
    written: &Written<'_>,
    found: impl IntoIterator<Item = &'a crate::record::Attachment>,
) -> Vec<Json> {
    found.into_iter().filter_map(|attachment| written.file(attachment)).collect()
}

pub(super) fn note(written: &Written<'_>, record: &Note) -> Json {
    let otherwise = match record.form.as_ref().map(Token::as_str) {
        Some("psychotherapy") => Some("Psychotherapy note"),
        Some("discharge-summary") => Some("Discharge summary"),
        Some("progress") => Some("Progress note"),
        _ => Some("Note"),
    };
    let categories = record.categories.iter().chain(&record.conclusions).cloned().collect();
    Document {
        status: record.status.as_ref(),
        sort: record.code.as_ref(),
        otherwise,
        categories,
        date: record.date.as_ref(),
        authors: record.authors.iter().collect(),
        custodian: record.custodian.as_ref(),
        title: record.title.as_ref(),
        start: record.start.as_ref().or(record.date.as_ref()),
        end: record.end.as_ref(),
        encounter: record.encounter.as_ref(),
        facility: record.facility.as_ref(),
        texts: record.text.iter().collect(),
        attachments: files(written, &record.attachments),
        ..Document::default()
    }
    .write(written)
}

pub(super) fn legal_document(written: &Written<'_>, record: &LegalDocument) -> Json {
    Document {
        status: record.status.as_ref(),
        sort: record.code.as_ref(),
        otherwise: Some("Legal document"),
        date: record.issued.as_ref(),
        authors: record.court.iter().chain(&record.parties).collect(),
        authenticator: record.judge.as_ref(),
        title: record.title.as_ref().or(record.docket.as_ref()),
        start: record.effective.as_ref().or(record.issued.as_ref()),
        end: record.expires.as_ref(),
        texts: record.scope.iter().chain(&record.notes).collect(),
        attachments: files(written, &record.attachments),
        ..Document::default()
    }
    .write(written)
}

pub(super) fn advance_directive(written: &Written<'_>, record: &AdvanceDirective) -> Json {
    // LOINC: advance healthcare directives.
    let loinc = ("http://loinc.org", "42348-3");
    let text = |text: &str| Token::new(text).ok();
    let coding = Coding { system: text(loinc.0), code: text(loinc.1), ..Coding::default() };
    let directive = Concept::from_coding(coding);
    Document {
        status: record.status.as_ref(),
        sort: Some(record.code.as_ref().unwrap_or(&directive)),
        date: record.signed.as_ref(),
        authors: record.agents.iter().collect(),
        title: record.title.as_ref(),
        start: record.effective.as_ref().or(record.signed.as_ref()),
        end: record.expires.as_ref(),
        texts: record.text.iter().chain(&record.notes).collect(),
        attachments: files(written, &record.attachments),
        ..Document::default()
    }
    .write(written)
}

pub(super) fn statement(written: &Written<'_>, record: &Statement) -> Json {
    Document {
        sort: record.code.as_ref(),
        otherwise: Some("Statement"),
        date: record.date.as_ref(),
        authors: record.author.iter().collect(),
        custodian: record.recipient.as_ref(),
        title: record.title.as_ref(),
        start: record.date.as_ref(),
        end: record.expires.as_ref(),
        texts: record.text.iter().collect(),
        attachments: files(written, &record.attachments),
        ..Document::default()
    }
    .write(written)
}

pub(super) fn attachment(written: &Written<'_>, record: &AttachmentRecord) -> Json {
    Document {
        sort: record.code.as_ref(),
        otherwise: Some("File"),
        date: record.date.as_ref(),
        authors: record.author.iter().collect(),
        title: record.title.as_ref(),
        start: record.date.as_ref(),
        texts: record.notes.iter().collect(),
        attachments: files(written, &record.content),
        ..Document::default()
    }
    .write(written)
}

/// What has no kind is a `Basic`, unless its original goes out as it is.
pub(super) fn other(written: &Written<'_>, record: &Other) -> Json {
    let called = record.code.as_ref().and_then(concept);
    let title = record.title.as_ref().or(record.resource_type.as_ref());
    let called = called.or_else(|| {
        title.and_then(|title| Some(Fhir::default().with("text", string(title.as_str())?).json()))
    });
    written
        .begin("Basic")
        .with(
            "code",
            called.unwrap_or_else(|| coded("http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "UNK")),
        )
        .with("subject", written.subject())
        .with("created", date(record.start.as_ref()))
        .with("author", by(record.author.as_ref()))
        .json()
}
