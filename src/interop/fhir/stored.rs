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
pub(super) fn described(patient: &Object) -> Person {
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

/// Whether names count where two resources are held against each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Its own id and what it refers to belong to what a resource says.
    Counts,
    /// An export may draw ids anew: its own id, other resources' addresses and UUIDs
    /// anywhere are left out.
    LeftOut,
}

/// A digest of what a resource says, however its file writes it: members in any order,
/// numbers as written. When and by which version of its server it was handed out, and
/// what was generated from the rest, says nothing. `None` for what is not JSON.
pub(crate) fn content_of(resource: &[u8], naming: Naming) -> Option<Digest> {
    let json = input::parse(resource, ImportLimits::default()).ok()?;
    let object = json.as_object()?;
    let members = object.members().iter().filter_map(|(name, value)| match name.as_str() {
        "id" if naming == Naming::LeftOut => None,
        "text" if is_generated(value) => None,
        "meta" => said_by_meta(value).map(|meta| (name.clone(), said(&meta, naming))),
        _ => Some((name.clone(), said(value, naming))),
    });
    let text = in_order(members.collect()).to_text();
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

fn said(value: &Json, naming: Naming) -> Json {
    let is_address = |name: &str, value: &Json| {
        name == "reference" && value.as_str().is_some_and(|reference| !reference.starts_with('#'))
    };
    match value {
        Json::Object(object) => {
            let members = object.members().iter();
            let members =
                members.filter(|(name, value)| naming == Naming::Counts || !is_address(name, value));
            in_order(members.map(|(name, value)| (name.clone(), said(value, naming))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(|item| said(item, naming)).collect()),
        Json::String(text) if naming == Naming::LeftOut => Json::String(without_uuids(text)),
        other => other.clone(),
    }
}

fn in_order(mut members: Vec<(String, Json)>) -> Json {
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    Json::Object(Object::new(members))
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

    fn same(one: &str, other: &str, naming: Naming) -> bool {
        content_of(one.as_bytes(), naming).unwrap() == content_of(other.as_bytes(), naming).unwrap()
    }

    const FIRST: &str = r##"{"resourceType":"Observation","id":"1f9e2b0c-58a7-4c3e-9a70-2f1f0c9b7a11",
        "meta":{"lastUpdated":"2020-01-02T10:00:00Z","security":[{"code":"R"}]},
        "text":{"status":"generated","div":"<div>5.4</div>"},
        "subject":{"reference":"Patient/1","display":"Ada"},"performer":[{"reference":"#lab"}],
        "identifier":[{"value":"urn:uuid:1f9e2b0c-58a7-4c3e-9a70-2f1f0c9b7a11"}],
        "valueQuantity":{"value":5.40,"unit":"mmol/L"}}"##;

    #[test]
    fn a_resource_that_was_exported_again_says_the_same() {
        let rewritten = FIRST
            .replace('\n', " ")
            .replace("2020-01-02", "2021-05-06")
            .replace(r#""unit":"mmol/L""#, r#""unit" : "mmol\/L""#);
        assert!(same(FIRST, &rewritten, Naming::Counts));
        let renamed = rewritten
            .replace("1f9e2b0c-58a7-4c3e-9a70-2f1f0c9b7a11", "07d6c3a4-6c1c-4f6a-8a9f-54c3f7b0d1e2")
            .replace("Patient/1", "Patient/2");
        assert!(!same(FIRST, &renamed, Naming::Counts));
        assert!(same(FIRST, &renamed, Naming::LeftOut));
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
        ];
        for (from, to) in changes {
            let changed = FIRST.replace(from, to);
            assert!(changed != FIRST, "{from}");
            for naming in [Naming::Counts, Naming::LeftOut] {
                assert!(!same(FIRST, &changed, naming), "{from}");
            }
        }
        assert!(content_of(b"no JSON", Naming::Counts).is_none());
    }
}
