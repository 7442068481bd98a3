//! Business identifiers, by which others may refer to a resource.

use super::found::type_of;
use super::subject::is_shared;
use crate::codec::json::{Json, Object};

/// Most identifiers of a resource that are looked at.
const MOST: usize = 4096;

/// The business identifiers by which others may refer to a resource, as
/// `Type?system|value`: those of patients, and of what is nobody's.
pub(crate) fn identifiers(object: &Object) -> Vec<String> {
    let Some(resource_type) = type_of(object).filter(|name| *name == "Patient" || is_shared(name)) else {
        return Vec::new();
    };
    let identifiers = object.member("identifier").and_then(Json::as_array).unwrap_or_default();
    identifiers.iter().take(MOST).filter_map(|identifier| identifier_key(resource_type, identifier)).collect()
}

/// An identifier as `Type?system|value`. Without a system it may be anyone's.
pub(crate) fn identifier_key(resource_type: &str, identifier: &Json) -> Option<String> {
    let text = |name| identifier.member(name).and_then(Json::as_str).map(str::trim);
    let (system, value) = (text("system")?, text("value")?);
    (!system.is_empty() && !value.is_empty()).then(|| format!("{resource_type}?{system}|{value}"))
}
