//! An entry being written, and what every resource of one has.

use super::types::{Fhir, attachment, coding};
use crate::codec::json::Json;
use crate::record::{Attachment, Entry};

/// An entry being written.
pub(super) struct Written<'a> {
    pub(super) entry: &'a Entry,
    /// The id of the resource.
    pub(super) id: &'a str,
    /// A reference to the patient.
    pub(super) subject: &'a Json,
    /// The entry in words, a line each.
    pub(super) words: &'a [String],
    /// The address of the resource that holds a stored attachment.
    pub(super) stored: &'a dyn Fn(&Attachment) -> Option<String>,
}

impl Written<'_> {
    /// The beginning of a resource: its id, the labels of the entry, and all of it in words.
    pub(super) fn begin(&self, resource_type: &str) -> Fhir {
        let labels = self.entry.provenance.labels.iter().filter_map(coding);
        let meta = Fhir::default().list("security", labels).said();
        Fhir::of_type(resource_type)
            .with("id", Json::string(self.id))
            .with("meta", meta)
            .with("text", self.text())
    }

    /// The entry in words as FHIR narrative.
    fn text(&self) -> Option<Json> {
        if self.words.is_empty() {
            return None;
        }
        let mut div = "<div xmlns=\"http://www.w3.org/1999/xhtml\">".to_owned();
        for line in self.words {
            div.push_str("<p>");
            escape(line, &mut div);
            div.push_str("</p>");
        }
        div.push_str("</div>");
        let text = Fhir::default().with("status", Json::string("generated"));
        Some(text.with("div", Json::string(div)).json())
    }

    pub(super) fn subject(&self) -> Option<Json> {
        Some(self.subject.clone())
    }

    pub(super) fn file(&self, file: &Attachment) -> Option<Json> {
        attachment(file, self.entry.source.as_ref(), self.stored)
    }
}

/// Text as XHTML has it.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push(' '),
            c => out.push(c),
        }
    }
}
