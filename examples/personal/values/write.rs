//! Values of fields as JSON: nothing is left out.

use serde_json::{Map, Value as Json, json};
use subrosa::record::{
    Address, Attachment, Coding, Component, HumanName, Identifier, Location, Party, Quantity, Scalar,
    Telecom, Value,
};
use subrosa::{Concept, PartialDate, Token};

/// A value as JSON, in a form that `read` takes back.
pub(crate) fn write(value: &Value) -> Json {
    match value {
        Value::Concept(concept) => of_concept(concept),
        Value::Date(date) => json!(date.as_str()),
        Value::Token(text) => json!(text.as_str()),
        Value::Narrative(text) => json!(text.as_str()),
        Value::Quantity(quantity) => of_quantity(quantity),
        Value::Boolean(answer) => json!(answer),
        Value::Party(party) => of_party(party),
        Value::Name(name) => of_name(name),
        Value::Address(address) => of_address(address),
        Value::Telecom(telecom) => of_telecom(telecom),
        Value::Identifier(identifier) => of_identifier(identifier),
        Value::Attachment(attachment) => of_attachment(attachment),
        Value::Component(component) => of_component(component),
        _ => Json::Null,
    }
}

/// An object of what is there.
fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    let is_there = |value: &Json| !value.is_null() && value.as_array().is_none_or(|array| !array.is_empty());
    let members = members.into_iter().filter(|(_, value)| is_there(value));
    Json::Object(members.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

fn text(token: Option<&Token>) -> Json {
    token.map_or(Json::Null, |token| json!(token.as_str()))
}

fn texts(tokens: &[Token]) -> Json {
    tokens.iter().map(|token| json!(token.as_str())).collect()
}

/// A code.
pub(crate) fn of_coding(coding: &Coding) -> Json {
    object([
        ("system", text(coding.system.as_ref())),
        ("version", text(coding.version.as_ref())),
        ("code", text(coding.code.as_ref())),
        ("display", text(coding.display.as_ref())),
    ])
}

fn of_concept(concept: &Concept) -> Json {
    let codings = concept.codings.iter().map(of_coding).collect();
    object([("codings", codings), ("text", text(concept.text.as_ref()))])
}

fn of_quantity(quantity: &Quantity) -> Json {
    object([
        ("value", text(quantity.value.as_ref())),
        ("comparator", text(quantity.comparator.as_ref())),
        ("unit", text(quantity.unit.as_ref())),
        ("system", text(quantity.system.as_ref())),
        ("code", text(quantity.code.as_ref())),
    ])
}

/// A person or an organization.
pub(crate) fn of_party(party: &Party) -> Json {
    object([
        ("name", text(party.name.as_ref())),
        ("role", text(party.role.as_ref())),
        ("reference", text(party.reference.as_ref())),
        ("identifiers", party.identifiers.iter().map(of_identifier).collect()),
        ("contact", party.contact.iter().map(of_telecom).collect()),
    ])
}

fn of_name(name: &HumanName) -> Json {
    object([
        ("purpose", text(name.purpose.as_ref())),
        ("text", text(name.text.as_ref())),
        ("family", text(name.family.as_ref())),
        ("given", texts(&name.given)),
        ("prefix", texts(&name.prefix)),
        ("suffix", texts(&name.suffix)),
    ])
}

fn of_address(address: &Address) -> Json {
    object([
        ("purpose", text(address.purpose.as_ref())),
        ("text", text(address.text.as_ref())),
        ("lines", texts(&address.lines)),
        ("city", text(address.city.as_ref())),
        ("district", text(address.district.as_ref())),
        ("state", text(address.state.as_ref())),
        ("postal_code", text(address.postal_code.as_ref())),
        ("country", text(address.country.as_ref())),
    ])
}

fn of_telecom(telecom: &Telecom) -> Json {
    object([
        ("system", text(telecom.system.as_ref())),
        ("value", text(telecom.value.as_ref())),
        ("purpose", text(telecom.purpose.as_ref())),
    ])
}

fn of_identifier(identifier: &Identifier) -> Json {
    object([
        ("system", text(identifier.system.as_ref())),
        ("value", text(identifier.value.as_ref())),
        ("sort", text(identifier.sort.as_ref())),
    ])
}

fn of_attachment(attachment: &Attachment) -> Json {
    let (content, place) = match &attachment.location {
        Some(Location::Inline(bytes)) => (json!(base64(bytes)), Json::Null),
        Some(Location::InSource(pointer)) => (Json::Null, json!({ "in_original": pointer.as_str() })),
        Some(Location::External(address)) => (Json::Null, json!({ "elsewhere": address.as_str() })),
        Some(Location::Stored(digest)) => (Json::Null, json!({ "stored_blake3": digest.to_string() })),
        _ => (Json::Null, Json::Null),
    };
    object([
        ("content_type", text(attachment.content_type.as_ref())),
        ("title", text(attachment.title.as_ref())),
        ("created", attachment.created.as_ref().map_or(Json::Null, |date| json!(PartialDate::as_str(date)))),
        ("size", attachment.size.map_or(Json::Null, |size| json!(size))),
        ("base64", content),
        ("location", place),
    ])
}

fn of_component(component: &Component) -> Json {
    let answer = match &component.value {
        Some(Scalar::Concept(concept)) => json!({ "concept": of_concept(concept) }),
        Some(Scalar::Quantity(quantity)) => json!({ "quantity": of_quantity(quantity) }),
        Some(Scalar::Date(date)) => json!({ "date": date.as_str() }),
        Some(Scalar::Text(text)) => json!({ "text": text.as_str() }),
        Some(Scalar::Boolean(answer)) => json!({ "boolean": answer }),
        _ => Json::Null,
    };
    object([("code", of_concept(&component.code)), ("value", answer)])
}

/// Bytes in base64 (RFC 4648 section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
