//! Reading FHIR R4's data types out of JSON.
//!
//! An element that is not what FHIR has there is left out and reported by path; it
//! never fails the import.

use super::denial::words;
use super::index::{Index, Place};
use super::reads::Reads;
use crate::codec::json::{Json, Object};
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::fitting::MOST;
use crate::record::{
    Address, Coding, Concept, HumanName, Identifier, Kind, Narrative, PartialDate, Quantity, Telecom,
    TextError, Token, denies,
};

/// What elements for notes are called: R4 `note`, DSTU2 `notes` and `comments`, STU3 `comment`.
const NOTES: [&str; 4] = ["note", "notes", "comment", "comments"];
/// What reading a resource needs besides its JSON.
pub(super) struct Context<'a> {
    pub(super) resource: &'a Object,
    pub(super) from: Place<'a>,
    pub(super) index: &'a Index,
    pub(super) findings: &'a Findings,
    pub(super) reads: &'a Reads,
}

/// An object inside a resource, and its path.
pub(super) struct Element<'a> {
    object: &'a Object,
    path: String,
    /// JSON Pointer (RFC 6901) within the resource.
    pointer: String,
    pub(super) context: &'a Context<'a>,
}

impl<'a> Element<'a> {
    /// The resource itself.
    pub(super) fn root(context: &'a Context<'a>, resource_type: &str) -> Self {
        let path = if resource_type.len() <= 64 { resource_type } else { "Resource" };
        Self { object: context.resource, path: path.to_owned(), pointer: String::new(), context }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.object.member(name).is_some()
    }

    /// Whether it has this member and no other.
    pub(super) fn is_only(&self, name: &str) -> bool {
        self.object.members().iter().all(|(member, _)| member == name)
    }

    /// How many members have a name that begins so, those of `null` left out.
    pub(super) fn members_that_begin(&self, start: &str) -> usize {
        let members = self.object.members().iter();
        members.filter(|(name, value)| name.starts_with(start) && *value != Json::Null).count()
    }

    pub(super) fn report(&self, name: &str, reason: FindingReason) {
        let path = if name.is_empty() { self.path.clone() } else { format!("{}.{name}", self.path) };
        self.context.findings.add(path, reason);
    }

    fn malformed<T>(&self, name: &str) -> Option<T> {
        self.report(name, FindingReason::Malformed);
        None
    }

    /// What this element says is in the entry in another form.
    pub(super) fn settle(&self, name: &str) {
        if let Some(value) = self.member(name) {
            self.context.reads.settle(value);
        }
    }

    /// This element changes the meaning, and the mapping does not know how.
    pub(super) fn not_understood(&self, name: &str) {
        self.report(name, FindingReason::NotUnderstood);
        let path = if name.is_empty() { self.path.clone() } else { format!("{}.{name}", self.path) };
        self.context.reads.not_understood(path);
    }

    /// Whether a flag is set, without carrying it.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.member(name).and_then(Json::as_bool) == Some(true)
    }

    /// The member, if there is one that is not `null`.
    pub(super) fn member(&self, name: &str) -> Option<&'a Json> {
        self.object.member(name).filter(|value| **value != Json::Null)
    }

    /// The values of an array, or a single value: FHIR changed several elements from
    /// one to many between versions.
    pub(super) fn values(&self, name: &str) -> Vec<(usize, &'a Json)> {
        let Some(value) = self.member(name) else {
            return Vec::new();
        };
        let items = value.as_array().unwrap_or(std::slice::from_ref(value));
        if items.len() > MOST {
            self.report(name, FindingReason::TooLarge);
        }
        items.iter().enumerate().take(MOST).filter(|(_, item)| **item != Json::Null).collect()
    }

    fn one_value(&self, name: &str) -> Option<&'a Json> {
        self.values(name).first().map(|(_, value)| *value)
    }

    /// JSON Pointer (RFC 6901) of a member, within the resource.
    pub(super) fn pointer_to_member(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }

    fn pointer_to(&self, name: &str, position: usize) -> String {
        let is_array = self.member(name).is_some_and(|value| value.as_array().is_some());
        let item = if is_array { format!("/{position}") } else { String::new() };
        format!("{}/{name}{item}", self.pointer)
    }

    pub(super) fn element(&self, name: &str, position: usize, value: &'a Json) -> Option<Element<'a>> {
        let Some(object) = value.as_object() else {
            return self.malformed(name);
        };
        let path = format!("{}.{name}", self.path);
        Some(Element { object, path, pointer: self.pointer_to(name, position), context: self.context })
    }

    /// The objects of this name.
    pub(super) fn elements(&self, name: &str) -> Vec<Element<'a>> {
        let values = self.values(name).into_iter();
        values.filter_map(|(position, value)| self.element(name, position, value)).collect()
    }

    /// The first object of this name.
    pub(super) fn child(&self, name: &str) -> Option<Element<'a>> {
        self.one_value(name).and_then(|value| self.element(name, 0, value))
    }

    fn bounded<T>(&self, name: &str, value: &'a Json, text: Result<T, TextError>) -> Option<T> {
        let reason = match text {
            Ok(text) => {
                self.context.reads.read(value);
                return Some(text);
            }
            Err(TextError::TooLong { .. }) => FindingReason::TooLarge,
            Err(_) => FindingReason::Malformed,
        };
        self.report(name, reason);
        None
    }

    fn text(&self, name: &str, value: &'a Json) -> Option<&'a str> {
        value.as_str().or_else(|| self.malformed(name))
    }

    /// The string, as it is.
    pub(super) fn plain(&self, name: &str) -> Option<&'a str> {
        self.member(name).and_then(Json::as_str)
    }

    pub(super) fn token(&self, name: &str) -> Option<Token> {
        let value = self.one_value(name)?;
        self.bounded(name, value, Token::new(self.text(name, value)?))
    }

    pub(super) fn tokens(&self, name: &str) -> Vec<Token> {
        let read = |value| self.bounded(name, value, Token::new(self.text(name, value)?));
        self.values(name).into_iter().filter_map(|(_, value)| read(value)).collect()
    }

    pub(super) fn narrative(&self, name: &str) -> Option<Narrative> {
        let value = self.one_value(name)?;
        self.bounded(name, value, Narrative::new(self.text(name, value)?))
    }

    /// A number as written, or a string that stands for one.
    pub(super) fn number(&self, name: &str) -> Option<Token> {
        let value = self.member(name)?;
        let Some(text) = value.as_number().or(value.as_str()) else {
            return self.malformed(name);
        };
        self.bounded(name, value, Token::new(text))
    }

    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        let value = self.member(name)?;
        let flag = value.as_bool().or_else(|| self.malformed(name))?;
        self.context.reads.read(value);
        Some(flag)
    }

    /// A flag that changes the meaning, of a field that says so wherever the record is shown.
    pub(super) fn acted_on(&self, name: &str) -> Option<bool> {
        self.boolean(name).inspect(|_| self.settle(name))
    }

    pub(super) fn date(&self, name: &str) -> Option<PartialDate> {
        let value = self.one_value(name)?;
        let date = value.as_str().and_then(|text| text.parse().ok());
        if date.is_none() && limits_a_statement(name) {
            // Without its end, what is over reads as if it were not.
            self.not_understood(name);
        }
        let date = date.or_else(|| self.malformed(name))?;
        self.context.reads.read(value);
        Some(date)
    }

    /// Start and end of a period.
    pub(super) fn period(&self, name: &str) -> (Option<PartialDate>, Option<PartialDate>) {
        self.child(name).map_or((None, None), |period| (period.date("start"), period.date("end")))
    }

    pub(super) fn codings(&self, name: &str) -> Vec<Coding> {
        self.elements(name)
            .iter()
            .map(Element::as_coding)
            .filter(|coding| *coding != Coding::default())
            .collect()
    }

    fn as_coding(&self) -> Coding {
        Coding {
            system: self.token("system"),
            version: self.token("version"),
            code: self.token("code"),
            display: self.token("display"),
        }
    }

    pub(super) fn concepts(&self, name: &str) -> Vec<Concept> {
        self.elements(name).iter().filter_map(Element::as_concept).collect()
    }

    pub(super) fn concept(&self, name: &str) -> Option<Concept> {
        self.child(name).and_then(|element| element.as_concept())
    }

    /// A `CodeableConcept`, or a bare `Coding` where versions of FHIR differ.
    pub(super) fn as_concept(&self) -> Option<Concept> {
        let codings = if self.has("coding") || !self.has("code") {
            self.codings("coding")
        } else {
            vec![self.as_coding()]
        };
        let concept = Concept { codings, text: self.token("text") };
        if concept.text.is_none() && self.member("text").is_some() {
            // Words that are lost may deny the code.
            self.not_understood("text");
        }
        (concept != Concept::default()).then_some(concept)
    }

    /// A word that FHIR has as a code, or older versions as a concept.
    pub(super) fn word(&self, name: &str) -> Option<Token> {
        match self.member(name) {
            Some(Json::Object(_) | Json::Array(_)) => {
                let concept = self.child(name)?;
                let codings = concept.elements("coding");
                codings.iter().find_map(|coding| coding.token("code")).or_else(|| concept.token("text"))
            }
            _ => self.token(name),
        }
    }

    /// A status word, whatever it is; marked where it is said in a way that is not read, or
    /// where people read the opposite of what machines do.
    pub(super) fn said_status(&self, name: &str) -> Option<Token> {
        let Some(status) = self.word(name) else {
            if self.has(name) {
                // Perhaps a denial.
                self.not_understood(name);
            }
            return None;
        };
        let denials = self.member(name).map(words).unwrap_or_default();
        let is_denial = |word: &str| denies(Kind::Other, "status", word);
        let contradicts = |word: &str| is_denial(word) || says_more_than_status(word, status.as_str());
        if !is_denial(status.as_str()) && denials.into_iter().any(contradicts) {
            self.not_understood(name);
        }
        if status.as_str() == "entered-in-error" {
            self.report(name, FindingReason::EnteredInError);
        }
        Some(status)
    }

    /// A status word, reported when it is not one of these or says that it is an error.
    pub(super) fn status(&self, name: &str, known: &[&str]) -> Option<Token> {
        let status = self.said_status(name)?;
        if status.as_str() != "entered-in-error" && !known.contains(&status.as_str()) {
            self.report(name, FindingReason::UnknownStatus);
            self.context.reads.not_understood(format!("{}.{name}", self.path));
        }
        Some(status)
    }

    pub(super) fn quantity(&self, name: &str) -> Option<Quantity> {
        self.child(name).map(|element| element.as_quantity())
    }

    pub(super) fn as_quantity(&self) -> Quantity {
        Quantity {
            value: self.number("value"),
            comparator: self.token("comparator"),
            unit: self.token("unit"),
            system: self.token("system"),
            code: self.token("code"),
        }
    }

    /// Free text that may take back what stands beside it; marked where it cannot be read.
    pub(super) fn said_beside(&self, name: &str) -> Option<Narrative> {
        let said = self.narrative(name);
        if said.is_none() && self.member(name).is_some() {
            self.not_understood(name);
        }
        said
    }

    /// Notes that may take back what they stand beside; marked where one cannot be read.
    pub(super) fn notes_beside(&self) -> Vec<Narrative> {
        let mut all = Vec::new();
        for name in NOTES {
            let notes = self.notes_of(name);
            if notes.len() < self.values(name).len() {
                self.not_understood(name);
            }
            all.extend(notes);
        }
        all
    }

    /// Meanings that may take back what they stand beside; marked where one cannot be read.
    pub(super) fn concepts_beside(&self, name: &str) -> Vec<Concept> {
        let concepts = self.concepts(name);
        if concepts.len() < self.values(name).len() {
            self.not_understood(name);
        }
        concepts
    }

    /// Notes, as every version of FHIR has them.
    pub(super) fn notes(&self) -> Vec<Narrative> {
        NOTES.into_iter().flat_map(|name| self.notes_of(name)).collect()
    }

    /// The texts of annotations, or plain texts.
    pub(super) fn notes_of(&self, name: &str) -> Vec<Narrative> {
        let read = |(position, value): (usize, &'a Json)| match value.as_str() {
            Some(text) => self.bounded(name, value, Narrative::new(text)),
            None => self.element(name, position, value)?.narrative("text"),
        };
        self.values(name).into_iter().filter_map(read).collect()
    }

    pub(super) fn identifiers(&self, name: &str) -> Vec<Identifier> {
        let read = |element: &Element<'_>| Identifier {
            system: element.token("system"),
            value: element.token("value"),
            sort: element.word("type"),
        };
        let elements = self.elements(name);
        // An identifier of old times, or for the time being, is none of today's.
        let is_valid = |element: &&Element<'_>| !matches!(element.plain("use"), Some("old" | "temp"));
        elements.iter().filter(is_valid).map(read).collect()
    }

    pub(super) fn telecoms(&self, name: &str) -> Vec<Telecom> {
        let read = |element: &Element<'_>| Telecom {
            system: element.token("system"),
            value: element.token("value"),
            purpose: element.token("use"),
        };
        self.elements(name).iter().map(read).collect()
    }

    pub(super) fn names(&self, name: &str) -> Vec<HumanName> {
        self.elements(name).iter().map(Element::as_name).collect()
    }

    fn as_name(&self) -> HumanName {
        HumanName {
            purpose: self.token("use"),
            text: self.token("text"),
            family: self.token("family"),
            given: self.tokens("given"),
            prefix: self.tokens("prefix"),
            suffix: self.tokens("suffix"),
        }
    }

    pub(super) fn addresses(&self, name: &str) -> Vec<Address> {
        let read = |element: &Element<'_>| Address {
            purpose: element.token("use"),
            text: element.token("text"),
            lines: element.tokens("line"),
            city: element.token("city"),
            district: element.token("district"),
            state: element.token("state"),
            postal_code: element.token("postalCode"),
            country: element.token("country"),
        };
        self.elements(name).iter().map(read).collect()
    }
}

/// Status words that FHIR has for what is over, or may be.
const OTHER_STATUSES: [&str; 6] =
    ["resolved", "inactive", "remission", "unconfirmed", "provisional", "differential"];

/// Whether words beside a status say something else than its code, or more: several words,
/// of which one is not the code's, or the word of another status. One word alone may be a
/// translation.
fn says_more_than_status(words: &str, status: &str) -> bool {
    let each = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let (words, code) = (each(words), each(status));
    let other = words.iter().filter(|word| !code.contains(word));
    match words.len() {
        0 | 1 => other.into_iter().any(|word| OTHER_STATUSES.contains(&word.as_str())),
        _ => other.count() > 0,
    }
}

/// Whether an element of this name says until when something holds.
fn limits_a_statement(name: &str) -> bool {
    name == "end" || name.starts_with("abatement") || name.starts_with("deceased")
}
