//! What a vault asks of resources that it stored: when their source changed them, and
//! whether two that share a name are two patients'.

use std::collections::BTreeSet;

use super::found::type_of;
use super::identifier::{identifier_key, identifiers};
use super::input;
use super::subject::{Role, elements, values};
use crate::codec::json::{Json, Object};
use crate::interop::options::ImportLimits;
use crate::record::PartialDate;

/// When the server of a resource last changed it, and which version that made.
pub(crate) fn version_of(resource: &[u8]) -> (Option<PartialDate>, Option<String>) {
    let Ok(json) = input::parse(resource, ImportLimits::default()) else { return (None, None) };
    let meta = json.member("meta");
    let text = |name| meta.and_then(|meta| meta.member(name)).and_then(Json::as_str);
    (text("lastUpdated").and_then(|text| text.parse().ok()), text("versionId").map(str::to_owned))
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
