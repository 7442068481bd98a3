//! What a vault asks of resources that it stored: when their source changed them, whether
//! two that share a name are two patients', and whether two say the same.

use std::collections::BTreeSet;

use super::found::type_of;
use super::identifier::{identifier_key, identifiers};
use super::subject::{Role, elements, values};
use super::{input, map};
use crate::codec::json::{Json, Object};
use crate::crypto::digest::Digest;
use crate::interop::options::ImportLimits;
use crate::record::{PartialDate, Person};

/// When the server of a resource last changed it, and which version that made.
pub(crate) fn version_of(resource: &[u8]) -> (Option<PartialDate>, Option<String>) {
    let Ok(json) = input::parse(resource, ImportLimits::default()) else { return (None, None) };
    let meta = json.member("meta");
    let text = |name| meta.and_then(|meta| meta.member(name)).and_then(Json::as_str);
    (text("lastUpdated").and_then(|text| text.parse().ok()), text("versionId").map(str::to_owned))
}

/// The person whom a patient resource describes.
pub(crate) fn described(patient: &Object) -> Person {
    let person = map::person(patient);
    let is_said = patient.member("birthDate").is_some_and(|date| *date != Json::Null);
    person.with_unreadable_birth_date(is_said)
}

/// The person whom the bytes of a patient resource describe.
pub(crate) fn person_of(resource: &[u8]) -> Option<Person> {
    let json = input::parse(resource, ImportLimits::default()).ok()?;
    json.as_object().filter(|object| type_of(object) == Some("Patient")).map(described)
}

/// Whether the bytes of two resources of one identity are about two patients.
///
/// They are if they name nobody in common, and for two patients if they have no
/// identifier in common or, without any, were born on different days.
pub(crate) fn are_of_two(one: &[u8], other: &[u8]) -> bool {
    let parse = |bytes: &[u8]| input::parse(bytes, ImportLimits::default()).ok();
    let (Some(one), Some(other)) = (parse(one), parse(other)) else { return false };
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return false };
    let differ = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        !one.is_empty() && !other.is_empty() && one.is_disjoint(other)
    };
    let (names, other_names) = (names_in(one), names_in(other));
    let born = |object: &Object| {
        let date = object.member("birthDate").and_then(Json::as_str);
        date.map(str::to_owned).into_iter().collect::<BTreeSet<_>>()
    };
    let named = !names.is_empty() && !other_names.is_empty();
    differ(&names, &other_names) || (!named && differ(&born(one), &born(other)))
}

/// What a resource calls its patient; a patient, itself.
fn names_in(object: &Object) -> BTreeSet<String> {
    let resource_type = type_of(object).unwrap_or_default();
    if resource_type == "Patient" {
        return identifiers(object).into_iter().collect();
    }
    let subjects = elements(resource_type).iter().filter(|(_, role)| *role == Role::Subject);
    let references = subjects.flat_map(|(path, _)| values(object, path));
    let name = |reference: &Json| {
        let text = reference.member("reference").and_then(Json::as_str).map(str::to_owned);
        text.or_else(|| identifier_key("Patient", reference.member("identifier")?))
    };
    references.filter_map(name).collect()
}

/// A digest of what a resource says, however its file writes it: members in any order,
/// numbers as written. When and by which version of its server it was handed out, and
/// what was generated from the rest, says nothing. `None` for what is not JSON.
pub(crate) fn content_of(resource: &[u8]) -> Option<Digest> {
    digest_of(resource, &mut None)
}

/// What a resource says where its names do not count: an export may draw them anew.
pub(crate) struct Nameless {
    /// Of all but its own id, UUIDs anywhere, and the names of others.
    pub(crate) content: Digest,
    /// The names of others that say what it is about, in their order: a medication, a
    /// specimen, the address of a file. Who it is about and who made it is not among them.
    pub(crate) references: Vec<String>,
}

impl Nameless {
    /// `None` for what is not JSON.
    pub(crate) fn of(resource: &[u8]) -> Option<Self> {
        let mut references = Some(Vec::new());
        let content = digest_of(resource, &mut references)?;
        Some(Self { content, references: references.unwrap_or_default() })
    }
}

/// Whether two resources have a business identifier in common, other than a UUID, which
/// an export may draw anew.
pub(crate) fn share_identifier(one: &[u8], other: &[u8]) -> bool {
    let keys = |bytes: &[u8]| {
        let json = input::parse(bytes, ImportLimits::default()).ok();
        let identifiers = json.as_ref().and_then(|json| json.member("identifier"));
        let identifiers = identifiers.and_then(Json::as_array).unwrap_or_default().iter().take(MOST);
        let keys = identifiers.filter_map(|identifier| identifier_key("", identifier));
        keys.filter(|key| without_uuids(key) == *key).collect::<BTreeSet<_>>()
    };
    !keys(one).is_disjoint(&keys(other))
}

/// Most identifiers of a resource that are held against others.
const MOST: usize = 64;

/// The names of others, where they do not count.
type Names = Option<Vec<String>>;

fn digest_of(resource: &[u8], names: &mut Names) -> Option<Digest> {
    let json = input::parse(resource, ImportLimits::default()).ok()?;
    let mut members: Vec<&(String, Json)> = json.as_object()?.members().iter().collect();
    members.sort_by_key(|(name, _)| name.as_str());
    let mut said_members = Vec::new();
    for (name, value) in members {
        let value = match name.as_str() {
            "id" if names.is_some() => continue,
            "text" if is_generated(value) => continue,
            "meta" => match said_by_meta(value) {
                Some(meta) => said(&meta, name, names),
                None => continue,
            },
            _ => said(value, name, names),
        };
        said_members.push((name.clone(), value));
    }
    let text = Json::Object(Object::new(said_members)).to_text();
    Some(Digest::of(&[text.as_bytes()]))
}

/// FHIR R4 narrative: `generated` and `extensions` say nothing that the resource does not.
fn is_generated(text: &Json) -> bool {
    matches!(text.member("status").and_then(Json::as_str), Some("generated" | "extensions"))
}

/// Security labels, tags and extensions, without how the server handed it out.
fn said_by_meta(meta: &Json) -> Option<Json> {
    const HANDED_OUT: [&str; 4] = ["lastUpdated", "versionId", "source", "profile"];
    let Some(object) = meta.as_object() else { return Some(meta.clone()) };
    let said = object.members().iter().filter(|(name, _)| !HANDED_OUT.contains(&name.as_str()));
    let said: Vec<_> = said.cloned().collect();
    (!said.is_empty()).then(|| Json::Object(Object::new(said)))
}

/// Elements that say whose a record is, who had to do with it and where.
const WHO_AND_WHERE: [&str; 40] = [
    "subject",
    "patient",
    "beneficiary",
    "subscriber",
    "encounter",
    "context",
    "performer",
    "actor",
    "individual",
    "participant",
    "recorder",
    "asserter",
    "author",
    "party",
    "informationSource",
    "requester",
    "recipient",
    "provider",
    "insurer",
    "facility",
    "location",
    "serviceProvider",
    "managingOrganization",
    "organization",
    "custodian",
    "enterer",
    "practitioner",
    "generalPractitioner",
    "careTeam",
    "who",
    "agent",
    "onBehalfOf",
    "payor",
    "member",
    "authenticator",
    "resultsInterpreter",
    "reported",
    "receiver",
    "sender",
    "owner",
];

fn said(value: &Json, within: &str, names: &mut Names) -> Json {
    match value {
        Json::Object(object) => {
            let mut members: Vec<&(String, Json)> = object.members().iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            let mut said_members = Vec::new();
            for (name, value) in members {
                match (names.as_mut(), value.as_str()) {
                    (Some(names), Some(text)) if is_name(within, name, text) => {
                        if !WHO_AND_WHERE.contains(&within) {
                            names.push(text.to_owned());
                        }
                    }
                    _ => said_members.push((name.clone(), said(value, name, names))),
                }
            }
            Json::Object(Object::new(said_members))
        }
        Json::Array(items) => Json::Array(items.iter().map(|item| said(item, within, names)).collect()),
        Json::String(text) if names.is_some() => Json::String(without_uuids(text)),
        other => other.clone(),
    }
}

/// Whether a member names something else: another resource, or where a file is. The URL
/// of an extension says what it is.
fn is_name(within: &str, member: &str, text: &str) -> bool {
    match member {
        "reference" => !text.starts_with('#'),
        "url" => !matches!(within, "extension" | "modifierExtension"),
        _ => false,
    }
}

/// The text with each UUID (RFC 9562 section 4) left out.
fn without_uuids(text: &str) -> String {
    const LENGTH: usize = 36;
    let is_uuid = |bytes: &[u8]| {
        bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match rest.get(..LENGTH).filter(|start| is_uuid(start.as_bytes())) {
            Some(_) => rest = rest.get(LENGTH..).unwrap_or_default(),
            None => {
                kept.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        content_of(one.as_bytes()).unwrap() == content_of(other.as_bytes()).unwrap()
    }

    fn nameless(text: &str) -> (Digest, Vec<String>) {
        let said = Nameless::of(text.as_bytes()).unwrap();
        (said.content, said.references)
    }

    const FIRST: &str = r##"{"resourceType":"Observation","id":"1f9e2b0c-58a7-4c3e-9a70-2f1f0c9b7a11",
        "meta":{"lastUpdated":"2020-01-02T10:00:00Z","security":[{"code":"R"}]},
        "text":{"status":"generated","div":"<div>5.4</div>"},
        "subject":{"reference":"Patient/1","display":"Ada"},"performer":[{"reference":"#lab"}],
        "specimen":{"reference":"Specimen/7"},"extension":[{"url":"http://x/1f9e2b0c","valueBoolean":true}],
        "identifier":[{"value":"urn:uuid:1f9e2b0c-58a7-4c3e-9a70-2f1f0c9b7a11"}],
        "valueQuantity":{"value":5.40,"unit":"mmol/L"}}"##;

    #[test]
    fn a_resource_that_was_exported_again_says_the_same() {
        let rewritten = FIRST
            .replace('\n', " ")
            .replace("2020-01-02", "2021-05-06")
            .replace(r#""unit":"mmol/L""#, r#""unit" : "mmol\/L""#);
        assert!(same(FIRST, &rewritten));
        let renamed = rewritten
            .replace("1f9e2b0c-58a7-4c3e-9a70-2f1f0c9b7a11", "07d6c3a4-6c1c-4f6a-8a9f-54c3f7b0d1e2")
            .replace("Patient/1", "Patient/2");
        assert!(!same(FIRST, &renamed));
        assert!(nameless(FIRST) == nameless(&renamed) && nameless(FIRST).1 == ["Specimen/7"]);
    }

    #[test]
    fn what_a_resource_says_counts() {
        let changes = [
            ("5.40", "5.4"),
            ("mmol/L", "mg/dL"),
            (r#""code":"R""#, r#""code":"V""#),
            ("#lab", "#other"),
            ("\"Ada\"", "\"Bob\""),
            ("generated", "additional"),
            ("Specimen/7", "Specimen/8"),
            ("http://x/", "http://y/"),
        ];
        for (from, to) in changes {
            let changed = FIRST.replace(from, to);
            assert!(changed != FIRST, "{from}");
            assert!(!same(FIRST, &changed) && nameless(FIRST) != nameless(&changed), "{from}");
        }
        assert!(content_of(b"no JSON").is_none());
    }
}
