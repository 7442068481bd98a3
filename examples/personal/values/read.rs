//! Values of fields out of what was typed, or out of JSON.
//!
//! What is not understood is refused whole: a misspelt member never gets lost.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Map, Value as Json};
use subrosa::record::{
    Address, Attachment, Coding, Component, FieldSchema, FieldType, HumanName, Identifier, Location,
    Narrative, Party, Quantity, Scalar, Telecom, Value,
};
use subrosa::{Concept, PartialDate, Token};

use crate::entries::system_uri;
use crate::failure::Failure;
use crate::words;

/// Longest document that is attached from a file, in bytes.
const FILE_LIMIT: u64 = 32 << 20;

/// How values of a type are written.
pub(crate) fn explain(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Concept => "plain words, or SYSTEM|CODE|DISPLAY",
        FieldType::Date => "a date like 2019, 2019-04, 2019-04-27 or 27 April 2019",
        FieldType::Quantity => "a number and its unit, like 5 mg",
        FieldType::Boolean => "yes or no",
        FieldType::Attachment => "the name of a file, which is copied into the vault",
        FieldType::Component => "what was asked = the answer",
        FieldType::Identifier => "a number, or WHO GIVES IT|NUMBER",
        FieldType::Narrative => "free text",
        FieldType::Party | FieldType::Name => "a name",
        _ => "a short text",
    }
}

/// The value of a field.
pub(crate) fn read(field: &FieldSchema, json: &Json) -> Result<Value, Failure> {
    if field.field_type == FieldType::Attachment {
        return attachment(field, json).map(Value::Attachment);
    }
    value(field.field_type, json).ok_or_else(|| {
        Failure::refused(format!(
            "{}: this is not {}; nothing was changed",
            field.name,
            explain(field.field_type)
        ))
    })
}

fn value(field_type: FieldType, json: &Json) -> Option<Value> {
    Some(match field_type {
        FieldType::Concept => Value::Concept(concept(json)?),
        FieldType::Date => Value::Date(date(json)?),
        FieldType::Token => Value::Token(token(json)?),
        FieldType::Narrative => Value::Narrative(Narrative::new(scalar_text(json)?).ok()?),
        FieldType::Quantity => Value::Quantity(quantity(json)?),
        FieldType::Boolean => Value::Boolean(boolean(json)?),
        FieldType::Party => Value::Party(party(json)?),
        FieldType::Name => Value::Name(name(json)?),
        FieldType::Address => Value::Address(address(json)?),
        FieldType::Telecom => Value::Telecom(telecom(json)?),
        FieldType::Identifier => Value::Identifier(identifier(json)?),
        FieldType::Component => Value::Component(component(json)?),
        _ => return None,
    })
}

/// A text, or a number as it was written.
fn scalar_text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.trim().to_owned()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn token(json: &Json) -> Option<Token> {
    Token::new(scalar_text(json)?).ok()
}

fn date(json: &Json) -> Option<PartialDate> {
    let text = scalar_text(json)?;
    words::iso(&text).unwrap_or(text).parse().ok()
}

fn boolean(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(answer) => Some(*answer),
        Json::String(text) => match text.trim().to_lowercase().as_str() {
            "yes" | "y" | "true" => Some(true),
            "no" | "n" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// An object whose members are all known.
struct Members<'a>(&'a Map<String, Json>);

impl<'a> Members<'a> {
    fn of(json: &'a Json, known: &[&str]) -> Option<Self> {
        let members = json.as_object()?;
        members.keys().all(|name| known.contains(&name.as_str())).then_some(Self(members))
    }

    /// A member that may be missing and must not be wrong.
    fn maybe<T>(&self, name: &str, read: impl Fn(&Json) -> Option<T>) -> Option<Option<T>> {
        match self.0.get(name) {
            None | Some(Json::Null) => Some(None),
            Some(json) => read(json).map(Some),
        }
    }

    fn token(&self, name: &str) -> Option<Option<Token>> {
        self.maybe(name, token)
    }

    fn list<T>(&self, name: &str, read: impl Fn(&Json) -> Option<T>) -> Option<Vec<T>> {
        match self.0.get(name) {
            None | Some(Json::Null) => Some(Vec::new()),
            Some(Json::Array(items)) => items.iter().map(read).collect(),
            Some(_) => None,
        }
    }
}

fn coding(json: &Json) -> Option<Coding> {
    let members = Members::of(json, &["system", "version", "code", "display"])?;
    let mut coding = Coding::default();
    coding.system = members.token("system")?;
    coding.version = members.token("version")?;
    coding.code = members.token("code")?;
    coding.display = members.token("display")?;
    Some(coding)
}

fn concept(json: &Json) -> Option<Concept> {
    let Json::Object(_) = json else { return concept_of_words(&scalar_text(json)?) };
    let members = Members::of(json, &["codings", "text"])?;
    let mut concept = Concept::default();
    concept.codings = members.list("codings", coding)?;
    concept.text = members.token("text")?;
    (!concept.codings.is_empty() || concept.text.is_some()).then_some(concept)
}

/// SYSTEM|CODE|DISPLAY, SYSTEM|CODE, or words.
fn concept_of_words(text: &str) -> Option<Concept> {
    let Some((system, rest)) = text.split_once('|') else {
        return Some(Concept::from_text(Token::new(text).ok()?));
    };
    let (code, display) = match rest.split_once('|') {
        Some((code, display)) => (code, Some(display.trim())),
        None => (rest, None),
    };
    let system = system.trim();
    let mut coding = Coding::default();
    if !system.is_empty() {
        coding.system = Some(Token::new(system_uri(system).unwrap_or(system)).ok()?);
    }
    coding.code = Some(Token::new(code.trim()).ok()?);
    coding.display = display.filter(|display| !display.is_empty()).map(Token::new).transpose().ok()?;
    Some(Concept::from_coding(coding))
}

fn quantity(json: &Json) -> Option<Quantity> {
    let Json::Object(_) = json else { return quantity_of_words(&scalar_text(json)?) };
    let members = Members::of(json, &["value", "comparator", "unit", "system", "code"])?;
    let mut quantity = Quantity::default();
    quantity.value = members.token("value")?;
    quantity.comparator = members.token("comparator")?;
    quantity.unit = members.token("unit")?;
    quantity.system = members.token("system")?;
    quantity.code = members.token("code")?;
    quantity.value.is_some().then_some(quantity)
}

/// A number, before it perhaps a comparator, behind it perhaps a unit.
fn quantity_of_words(text: &str) -> Option<Quantity> {
    let comparator = ["<=", ">=", "<", ">"].into_iter().find(|comparator| text.starts_with(comparator));
    let rest = text.strip_prefix(comparator.unwrap_or_default())?.trim_start();
    let is_part = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    let (number, unit) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
    let is_number = number.parse::<f64>().is_ok_and(f64::is_finite);
    let mut quantity = Quantity::default();
    quantity.value = Some(Token::new(number).ok().filter(|_| is_number)?);
    quantity.comparator = comparator.map(Token::new).transpose().ok()?;
    quantity.unit = Some(unit.trim()).filter(|unit| !unit.is_empty()).map(Token::new).transpose().ok()?;
    Some(quantity)
}

fn party(json: &Json) -> Option<Party> {
    let mut party = Party::default();
    if !json.is_object() {
        party.name = Some(token(json)?);
        return Some(party);
    }
    let members = Members::of(json, &["name", "role", "reference", "identifiers", "contact"])?;
    party.name = members.token("name")?;
    party.role = members.token("role")?;
    party.reference = members.token("reference")?;
    party.identifiers = members.list("identifiers", identifier)?;
    party.contact = members.list("contact", telecom)?;
    Some(party)
}

fn name(json: &Json) -> Option<HumanName> {
    let mut name = HumanName::default();
    if !json.is_object() {
        name.text = Some(token(json)?);
        return Some(name);
    }
    let members = Members::of(json, &["purpose", "text", "family", "given", "prefix", "suffix"])?;
    name.purpose = members.token("purpose")?;
    name.text = members.token("text")?;
    name.family = members.token("family")?;
    name.given = members.list("given", token)?;
    name.prefix = members.list("prefix", token)?;
    name.suffix = members.list("suffix", token)?;
    Some(name)
}

fn address(json: &Json) -> Option<Address> {
    const KNOWN: [&str; 8] =
        ["purpose", "text", "lines", "city", "district", "state", "postal_code", "country"];
    let mut address = Address::default();
    if !json.is_object() {
        address.text = Some(token(json)?);
        return Some(address);
    }
    let members = Members::of(json, &KNOWN)?;
    address.purpose = members.token("purpose")?;
    address.text = members.token("text")?;
    address.lines = members.list("lines", token)?;
    address.city = members.token("city")?;
    address.district = members.token("district")?;
    address.state = members.token("state")?;
    address.postal_code = members.token("postal_code")?;
    address.country = members.token("country")?;
    Some(address)
}

fn telecom(json: &Json) -> Option<Telecom> {
    let mut telecom = Telecom::default();
    if !json.is_object() {
        telecom.value = Some(token(json)?);
        return Some(telecom);
    }
    let members = Members::of(json, &["system", "value", "purpose"])?;
    telecom.system = members.token("system")?;
    telecom.value = members.token("value")?;
    telecom.purpose = members.token("purpose")?;
    Some(telecom)
}

fn identifier(json: &Json) -> Option<Identifier> {
    let mut identifier = Identifier::default();
    if !json.is_object() {
        let text = scalar_text(json)?;
        let (system, value) = text.rsplit_once('|').map_or((None, text.as_str()), |(s, v)| (Some(s), v));
        identifier.system = system.map(Token::new).transpose().ok()?;
        identifier.value = Some(Token::new(value).ok()?);
        return Some(identifier);
    }
    let members = Members::of(json, &["system", "value", "sort"])?;
    identifier.system = members.token("system")?;
    identifier.value = members.token("value")?;
    identifier.sort = members.token("sort")?;
    Some(identifier)
}

fn component(json: &Json) -> Option<Component> {
    let mut component = Component::default();
    if !json.is_object() {
        let text = scalar_text(json)?;
        let (asked, answer) =
            text.split_once('=').map_or((text.as_str(), None), |(q, a)| (q, Some(a.trim())));
        component.code = concept_of_words(asked.trim())?;
        component.value = answer.and_then(scalar_of_words);
        return Some(component);
    }
    let members = Members::of(json, &["code", "value"])?;
    component.code = members.maybe("code", concept)??;
    component.value = members.maybe("value", scalar)?;
    Some(component)
}

/// An answer as it was typed: a quantity if it begins with a number, else text.
fn scalar_of_words(text: &str) -> Option<Scalar> {
    match quantity_of_words(text) {
        Some(quantity) => Some(Scalar::Quantity(quantity)),
        None => Narrative::new(text).ok().map(Scalar::Text),
    }
}

fn scalar(json: &Json) -> Option<Scalar> {
    let members = Members::of(json, &["concept", "quantity", "date", "text", "boolean"])?;
    let (name, value) = members.0.iter().next().filter(|_| members.0.len() == 1)?;
    match name.as_str() {
        "concept" => concept(value).map(Scalar::Concept),
        "quantity" => quantity(value).map(Scalar::Quantity),
        "date" => date(value).map(Scalar::Date),
        "boolean" => boolean(value).map(Scalar::Boolean),
        _ => Narrative::new(scalar_text(value)?).ok().map(Scalar::Text),
    }
}

/// A document from a file on this disk.
fn attachment(field: &FieldSchema, json: &Json) -> Result<Attachment, Failure> {
    let path = json.as_str().map(Path::new).ok_or_else(|| {
        Failure::refused(format!("{}: write {}", field.name, explain(FieldType::Attachment)))
    })?;
    let unreadable = |error: std::io::Error| Failure::file(&format!("{}: the file", field.name), &error);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(Failure::refused(format!(
            "{}: a document has at most {} MiB",
            field.name,
            FILE_LIMIT >> 20
        )));
    }
    let mut attachment = Attachment::default();
    attachment.content_type = content_type(path).and_then(|name| Token::new(name).ok());
    attachment.title = path.file_name().and_then(|name| name.to_str()).and_then(|name| Token::new(name).ok());
    attachment.size = Some(bytes.len() as u64);
    attachment.location = Some(Location::Inline(bytes));
    Ok(attachment)
}

pub(crate) fn content_type(path: &Path) -> Option<&'static str> {
    Some(match path.extension()?.to_str()?.to_lowercase().as_str() {
        "pdf" => "application/pdf",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "txt" => "text/plain",
        "html" | "htm" => "text/html",
        "xml" => "application/xml",
        "json" => "application/json",
        _ => return None,
    })
}
