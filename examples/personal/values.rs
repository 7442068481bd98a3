//! Values of fields for people; the modules beneath write and read them as JSON.

mod read;
mod write;

use subrosa::Concept;
use subrosa::record::{Address, Attachment, Coding, Component, Identifier, Location, Party, Scalar, Value};

use crate::entries::system_name;

pub(crate) use read::{content_type, explain, read};
pub(crate) use write::{base64, of_coding as write_coding, of_party as write_party, write};

/// A value in words, on one line or, of free text, on several.
pub(crate) fn words(value: &Value) -> String {
    match value {
        Value::Concept(concept) => concept_words(concept),
        Value::Date(date) => date.in_words(),
        Value::Token(text) => text.as_str().to_owned(),
        Value::Narrative(text) => text.as_str().to_owned(),
        Value::Quantity(quantity) => quantity.to_line().unwrap_or_default(),
        Value::Boolean(answer) => yes_or_no(*answer),
        Value::Party(party) => party_words(party),
        Value::Name(name) => name.to_line().unwrap_or_default(),
        Value::Address(address) => address_words(address),
        Value::Telecom(telecom) => {
            telecom.value.as_ref().map(subrosa::Token::as_str).unwrap_or_default().to_owned()
        }
        Value::Identifier(identifier) => identifier_words(identifier),
        Value::Attachment(attachment) => attachment_words(attachment),
        Value::Component(component) => component_words(component),
        _ => "a value that this program does not know".to_owned(),
    }
}

fn concept_words(concept: &Concept) -> String {
    let codes: Vec<String> = concept.codings.iter().filter_map(coding_words).collect();
    let title = concept.title().unwrap_or_default();
    match codes.as_slice() {
        [] => title.to_owned(),
        codes => format!("{title} ({})", codes.join(", ")),
    }
}

fn coding_words(coding: &Coding) -> Option<String> {
    let code = coding.code.as_ref()?.as_str();
    let system = coding.system.as_ref().map(|system| system_name(system.as_str()).unwrap_or(system.as_str()));
    Some(format!("{} {code}", system.unwrap_or("code")))
}

fn party_words(party: &Party) -> String {
    let name = party.name.as_ref().or(party.reference.as_ref()).map(subrosa::Token::as_str);
    match (name, &party.role) {
        (Some(name), Some(role)) => format!("{name} ({})", role.as_str()),
        (name, role) => name.or(role.as_ref().map(subrosa::Token::as_str)).unwrap_or_default().to_owned(),
    }
}

fn address_words(address: &Address) -> String {
    if let Some(text) = &address.text {
        return text.as_str().to_owned();
    }
    let rest = [&address.postal_code, &address.city, &address.district, &address.state, &address.country];
    let parts = address.lines.iter().chain(rest.into_iter().flatten());
    joined(parts.map(subrosa::Token::as_str), ", ")
}

fn identifier_words(identifier: &Identifier) -> String {
    let value = identifier.value.as_ref().map(subrosa::Token::as_str).unwrap_or_default();
    match identifier.sort.as_ref().or(identifier.system.as_ref()) {
        Some(sort) => format!("{value} ({})", sort.as_str()),
        None => value.to_owned(),
    }
}

/// A file: what it is called, and where it is.
pub(crate) fn attachment_words(attachment: &Attachment) -> String {
    let title = attachment.title.as_ref().map_or("a document", |title| title.as_str());
    let form = attachment.content_type.as_ref().map(|form| format!(", {}", form.as_str()));
    let place = match &attachment.location {
        Some(Location::Inline(bytes)) => format!(", {} bytes, in the vault", bytes.len()),
        Some(Location::InSource(_)) => ", in the vault, inside the original".to_owned(),
        Some(Location::Stored(_)) => {
            format!(", {} bytes, in the vault", attachment.size.unwrap_or(0))
        }
        Some(Location::External(_)) => ", not in the vault: its source only says where it is".to_owned(),
        _ => String::new(),
    };
    format!("{title}{}{place}", form.unwrap_or_default())
}

fn component_words(component: &Component) -> String {
    let asked = concept_words(&component.code);
    match &component.value {
        Some(answer) => format!("{asked}: {}", scalar_words(answer)),
        None => asked,
    }
}

fn scalar_words(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Concept(concept) => concept_words(concept),
        Scalar::Quantity(quantity) => quantity.to_line().unwrap_or_default(),
        Scalar::Date(date) => date.in_words(),
        Scalar::Text(text) => text.as_str().to_owned(),
        Scalar::Boolean(answer) => yes_or_no(*answer),
        _ => "a value that this program does not know".to_owned(),
    }
}

fn yes_or_no(answer: bool) -> String {
    if answer { "yes" } else { "no" }.to_owned()
}

fn joined<'a>(parts: impl Iterator<Item = &'a str>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}
