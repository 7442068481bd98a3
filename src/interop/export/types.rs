//! Values as FHIR R4 data types, valid ones: what a type does not allow is left out here and
//! stands in the claims beside.

use crate::codec::base64url;
use crate::codec::json::{Json, Object};
use crate::record::{
    Address, Attachment, Coding, Component, Concept, HumanName, Identifier, Location, Narrative, PartialDate,
    Party, Precision, Quantity, Scalar, Source, Telecom, Token,
};

/// A FHIR object being written: members in order, empty ones left out.
#[derive(Default)]
pub(super) struct Fhir(Vec<(String, Json)>);

impl Fhir {
    pub(super) fn of_type(resource_type: &str) -> Self {
        Self::default().with("resourceType", Json::string(resource_type))
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Option<Json>>) -> Self {
        if let Some(value) = value.into().filter(is_said) {
            self.0.push((name.to_owned(), value));
        }
        self
    }

    pub(super) fn list(self, name: &str, values: impl IntoIterator<Item = Json>) -> Self {
        let values: Vec<Json> = values.into_iter().filter(is_said).collect();
        self.with(name, Json::Array(values))
    }

    pub(super) fn json(self) -> Json {
        Json::Object(Object::new(self.0))
    }

    /// The object, if it says anything.
    pub(super) fn said(self) -> Option<Json> {
        (!self.0.is_empty()).then(|| self.json())
    }
}

fn is_said(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::Array(items) => !items.is_empty(),
        Json::Object(object) => !object.members().is_empty(),
        _ => true,
    }
}

/// A FHIR `string`: it says something, and has no control characters and no white space but
/// spaces, line breaks and tabs.
pub(super) fn string(text: &str) -> Option<Json> {
    let is_kept = |c: char| matches!(c, ' ' | '\n' | '\r' | '\t') || !(c.is_control() || c.is_whitespace());
    let text: String = text.chars().map(|c| if is_kept(c) { c } else { ' ' }).collect();
    (!text.trim().is_empty()).then(|| Json::string(text))
}

pub(super) fn token(text: Option<&Token>) -> Option<Json> {
    string(text?.as_str())
}

pub(super) fn narrative(text: Option<&Narrative>) -> Option<Json> {
    string(text?.as_str())
}

/// A FHIR `uri`: no white space.
pub(super) fn uri(text: Option<&Token>) -> Option<Json> {
    let text = text?.as_str();
    (!text.contains(|c: char| c.is_whitespace() || c.is_control())).then(|| Json::string(text))
}

/// A FHIR `code`: words with single spaces between them.
pub(super) fn code(text: Option<&Token>) -> Option<Json> {
    let text = text?.as_str();
    let is_code = !text.contains(char::is_control)
        && text.split(' ').all(|word| !word.is_empty() && !word.contains(char::is_whitespace));
    is_code.then(|| Json::string(text))
}

/// A word of this list.
pub(super) fn word(text: Option<&Token>, known: &[&str]) -> Option<Json> {
    let text = text?.as_str();
    known.contains(&text).then(|| Json::string(text))
}

/// A word of this list, or the other one, which must be there.
pub(super) fn word_or(text: Option<&Token>, known: &[&str], otherwise: &str) -> Json {
    word(text, known).unwrap_or_else(|| Json::string(otherwise))
}

/// A FHIR `date`: no time.
pub(super) fn date(date: Option<&PartialDate>) -> Option<Json> {
    let text = date?.as_str();
    Some(Json::string(text.split('T').next().unwrap_or(text)))
}

/// A FHIR `dateTime`. A time without seconds gets them, as FHIR demands; a time without an
/// offset, which FHIR does not have, is left out.
pub(super) fn date_time(date: Option<&PartialDate>) -> Option<Json> {
    let date = date?;
    let text = moment(date).unwrap_or_else(|| date.as_str().split('T').next().unwrap_or_default().to_owned());
    Some(Json::string(text))
}

/// A FHIR `instant`: a moment to the second.
pub(super) fn instant(date: Option<&PartialDate>) -> Option<Json> {
    moment(date?).map(Json::string)
}

fn moment(date: &PartialDate) -> Option<String> {
    let (day, time) = date.as_str().split_once('T')?;
    if !date.has_offset() {
        return None;
    }
    let at = time.find(['Z', '+', '-'])?;
    let (clock, offset) = time.split_at(at);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let offset = match offset.as_bytes() {
        [b'Z'] => "Z".to_owned(),
        [_, _, _, b':', _, _] => offset.to_owned(),
        [_, rest @ ..] if rest.len() == 4 && digits(offset.get(1..)?) => {
            format!("{}:{}", offset.get(..3)?, offset.get(3..)?)
        }
        [_, rest @ ..] if rest.len() == 2 && digits(offset.get(1..)?) => format!("{offset}:00"),
        _ => return None,
    };
    let clock = match date.precision() {
        Precision::Minute => format!("{clock}:00"),
        _ => clock.to_owned(),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let is_clock = matches!(parts.as_slice(), [hour, minute, second]
        if hour.len() == 2 && minute.len() == 2 && *hour < "24" && second.get(..2).is_some_and(|s| s < "60"));
    is_clock.then(|| format!("{day}T{clock}{offset}"))
}

pub(super) fn period(start: Option<&PartialDate>, end: Option<&PartialDate>) -> Option<Json> {
    Fhir::default().with("start", date_time(start)).with("end", date_time(end)).said()
}

pub(super) fn coding(coding: &Coding) -> Option<Json> {
    Fhir::default()
        .with("system", uri(coding.system.as_ref()))
        .with("version", token(coding.version.as_ref()))
        .with("code", code(coding.code.as_ref()))
        .with("display", token(coding.display.as_ref()))
        .said()
}

pub(super) fn concept(concept: &Concept) -> Option<Json> {
    Fhir::default()
        .list("coding", concept.codings.iter().filter_map(coding))
        .with("text", token(concept.text.as_ref()))
        .said()
}

pub(super) fn one(found: Option<&Concept>) -> Option<Json> {
    found.and_then(concept)
}

pub(super) fn all(found: &[Concept]) -> impl Iterator<Item = Json> {
    found.iter().filter_map(concept)
}

/// A concept that FHIR demands: where there is none, one that says so.
pub(super) fn needed(found: Option<&Concept>) -> Json {
    one(found).unwrap_or_else(|| in_words("not said"))
}

pub(super) fn in_words(text: &str) -> Json {
    Fhir::default().with("text", Json::string(text)).json()
}

/// A concept of one code of a system.
pub(super) fn coded(system: &str, code: &str) -> Json {
    let coding = Fhir::default().with("system", Json::string(system)).with("code", Json::string(code));
    Fhir::default().list("coding", [coding.json()]).json()
}

/// A word as a code of a system, or as words where the system does not have it.
pub(super) fn status(found: Option<&Token>, system: &str, known: &[&str]) -> Option<Json> {
    let text = found?.as_str();
    match known.contains(&text) {
        true => Some(coded(system, text)),
        false => Fhir::default().with("text", string(text)).said(),
    }
}

/// A FHIR `decimal`, or `None` for what is none.
fn decimal(text: &Token) -> Option<Json> {
    let text = text.as_str();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let mut parts = digits.split('.');
    let (whole, fraction, more) = (parts.next()?, parts.next(), parts.next());
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = are_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let is_number =
        is_whole && fraction.is_none_or(are_digits) && more.is_none() && sign.len() + digits.len() <= 18;
    is_number.then(|| Json::Number(text.to_owned()))
}

pub(super) fn quantity(quantity: &Quantity) -> Option<Json> {
    let value = quantity.value.as_ref().and_then(decimal);
    // Qty-3: a code has a system.
    let system = uri(quantity.system.as_ref());
    let code = code(quantity.code.as_ref()).filter(|_| system.is_some());
    Fhir::default()
        .with("value", value)
        .with("comparator", word(quantity.comparator.as_ref(), &["<", "<=", ">=", ">"]))
        .with("unit", token(quantity.unit.as_ref()))
        .with("system", system)
        .with("code", code)
        .said()
}

pub(super) fn identifier(identifier: &Identifier) -> Option<Json> {
    let sort = identifier.sort.as_ref().and_then(|sort| string(sort.as_str()));
    Fhir::default()
        .with("type", sort.map(|sort| Fhir::default().with("text", sort).json()))
        .with("system", uri(identifier.system.as_ref()))
        .with("value", token(identifier.value.as_ref()))
        .said()
}

/// A party as a FHIR `Reference`: to where its source keeps it, and by its name.
pub(super) fn party(party: &Party) -> Option<Json> {
    let reference = party.reference.as_ref().filter(|text| is_reference(text.as_str()));
    Fhir::default()
        .with("reference", uri(reference))
        .with("identifier", party.identifiers.first().and_then(identifier))
        .with("display", token(party.name.as_ref()))
        .said()
}

pub(super) fn by(found: Option<&Party>) -> Option<Json> {
    found.and_then(party)
}

pub(super) fn reference(text: Option<&Token>) -> Option<Json> {
    let text = text.filter(|text| is_reference(text.as_str()));
    Fhir::default().with("reference", uri(text)).said()
}

/// Whether a text refers to something outside of its resource.
fn is_reference(text: &str) -> bool {
    let is_address =
        ["http://", "https://", "urn:uuid:", "urn:oid:"].iter().any(|start| text.starts_with(start));
    let is_local = text.split_once('/').is_some_and(|(name, id)| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    });
    is_address || is_local
}

/// Parties as backbone elements with an actor.
pub(super) fn actors(parties: &[Party], role: &'static str) -> impl Iterator<Item = Json> {
    let of = move |found: &Party| {
        let actor = party(found)?;
        let role_said = found.role.as_ref().and_then(|role| string(role.as_str()));
        let role_said = role_said.map(|text| Fhir::default().with("text", text).json());
        Some(Fhir::default().with(role, role_said).with("actor", actor).json())
    };
    parties.iter().filter_map(of)
}

pub(super) fn parties(found: &[Party]) -> impl Iterator<Item = Json> {
    found.iter().filter_map(party)
}

pub(super) fn telecom(telecom: &Telecom) -> Option<Json> {
    const SYSTEMS: [&str; 7] = ["phone", "fax", "email", "pager", "url", "sms", "other"];
    const USES: [&str; 5] = ["home", "work", "temp", "old", "mobile"];
    let value = token(telecom.value.as_ref());
    // Cpt-2: a value has a system.
    let system = value.as_ref().map(|_| word_or(telecom.system.as_ref(), &SYSTEMS, "other"));
    Fhir::default()
        .with("system", system)
        .with("value", value)
        .with("use", word(telecom.purpose.as_ref(), &USES))
        .said()
}

pub(super) fn telecoms(found: &[Telecom]) -> impl Iterator<Item = Json> {
    found.iter().filter_map(telecom)
}

pub(super) fn name(name: &HumanName) -> Option<Json> {
    const USES: [&str; 7] = ["usual", "official", "temp", "nickname", "anonymous", "old", "maiden"];
    let tokens = |found: &[Token]| found.iter().filter_map(|text| string(text.as_str())).collect::<Vec<_>>();
    Fhir::default()
        .with("use", word(name.purpose.as_ref(), &USES))
        .with("text", token(name.text.as_ref()))
        .with("family", token(name.family.as_ref()))
        .list("given", tokens(&name.given))
        .list("prefix", tokens(&name.prefix))
        .list("suffix", tokens(&name.suffix))
        .said()
}

pub(super) fn address(address: &Address) -> Option<Json> {
    const USES: [&str; 5] = ["home", "work", "temp", "old", "billing"];
    Fhir::default()
        .with("use", word(address.purpose.as_ref(), &USES))
        .with("text", token(address.text.as_ref()))
        .list("line", address.lines.iter().filter_map(|line| string(line.as_str())))
        .with("city", token(address.city.as_ref()))
        .with("district", token(address.district.as_ref()))
        .with("state", token(address.state.as_ref()))
        .with("postalCode", token(address.postal_code.as_ref()))
        .with("country", token(address.country.as_ref()))
        .said()
}

/// Notes as FHIR `Annotation`s.
pub(super) fn notes(notes: &[Narrative]) -> impl Iterator<Item = Json> {
    notes.iter().filter_map(|note| Some(Fhir::default().with("text", string(note.as_str())?).json()))
}

/// An attachment. Bytes that the entry holds stand in it, those that the vault stores are the
/// resource at this address.
pub(super) fn attachment(
    attachment: &Attachment,
    source: Option<&Source>,
    stored: &dyn Fn(&Attachment) -> Option<String>,
) -> Option<Json> {
    let bytes = match &attachment.location {
        Some(Location::Inline(bytes)) => Some(bytes.clone()),
        Some(Location::InSource(place)) => source.and_then(|source| source.file_at(place)),
        _ => None,
    };
    let url = match &attachment.location {
        Some(Location::External(url)) => uri(Some(url)),
        Some(Location::Stored(_)) => stored(attachment).map(Json::string),
        _ => None,
    };
    let size = attachment.size.filter(|size| *size < 1 << 31).map(|size| Json::Number(size.to_string()));
    Fhir::default()
        .with("contentType", code(attachment.content_type.as_ref()))
        .with(
            "data",
            bytes
                .filter(|bytes| !bytes.is_empty())
                .map(|bytes| Json::string(base64url::encode_padded(&bytes))),
        )
        .with("url", url)
        .with("size", size)
        .with("title", token(attachment.title.as_ref()))
        .with("creation", date_time(attachment.created.as_ref()))
        .said()
}

/// A text as an attachment of plain text.
pub(super) fn text_file(text: &Narrative) -> Json {
    let data = base64url::encode_padded(text.as_str().as_bytes());
    Fhir::default()
        .with("contentType", Json::string("text/plain; charset=utf-8"))
        .with("data", Json::string(data))
        .json()
}

/// A component of an observation.
pub(super) fn component(component: &Component) -> Json {
    let fhir = Fhir::default().with("code", needed(Some(&component.code)));
    value(fhir, component.value.as_ref()).json()
}

/// A `value[x]`.
pub(super) fn value(fhir: Fhir, value: Option<&Scalar>) -> Fhir {
    match value {
        None => fhir,
        Some(Scalar::Concept(value)) => fhir.with("valueCodeableConcept", concept(value)),
        Some(Scalar::Quantity(value)) => fhir.with("valueQuantity", quantity(value)),
        Some(Scalar::Date(value)) => fhir.with("valueDateTime", date_time(Some(value))),
        Some(Scalar::Text(value)) => fhir.with("valueString", string(value.as_str())),
        Some(Scalar::Boolean(value)) => fhir.with("valueBoolean", Json::Bool(*value)),
    }
}

/// An element that FHIR demands and nobody said (FHIR `data-absent-reason`).
pub(super) fn unknown() -> Json {
    let reason = Fhir::default()
        .with("url", Json::string("http://hl7.org/fhir/StructureDefinition/data-absent-reason"))
        .with("valueCode", Json::string("unknown"));
    Fhir::default().list("extension", [reason.json()]).json()
}
