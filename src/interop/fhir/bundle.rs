//! Finding the resources in an object: the object itself, or a bundle's, at any depth
//! of bundles in bundles.

use std::ops::Range;

use super::import::{ImportError, ImportLimits};
use crate::codec::json::{Json, Object};

/// Most levels of bundles in bundles. Deeper ones are refused.
const DEPTH: usize = 8;

/// A resource that was found, and where.
pub(super) struct Found {
    pub(super) resource_type: Option<String>,
    pub(super) id: Option<String>,
    pub(super) full_url: Option<String>,
    pub(super) span: Range<usize>,
    pub(super) bytes: Vec<u8>,
    /// Entries without a resource that stood before this one.
    pub(super) empty_entries: usize,
}

/// The resources of an object, in the order of their bytes.
pub(super) fn resources(object: &Object, limits: ImportLimits) -> Result<Vec<Found>, ImportError> {
    if type_of(object).is_none() {
        return Err(ImportError::NotFhir);
    }
    let mut found = Vec::new();
    collect(object, None, 0, &mut found)?;
    if found.len() > limits.resources {
        return Err(ImportError::TooManyResources { limit: limits.resources });
    }
    Ok(found)
}

/// The id of a bundle, or the value of its identifier.
pub(super) fn id_of_bundle(object: &Object) -> Option<String> {
    if type_of(object) != Some("Bundle") {
        return None;
    }
    let identifier = object.member("identifier").and_then(|identifier| identifier.member("value"));
    object.member("id").or(identifier).and_then(Json::as_str).map(str::to_owned)
}

pub(super) fn type_of(object: &Object) -> Option<&str> {
    object.member("resourceType").and_then(Json::as_str)
}

fn collect(
    object: &Object,
    full_url: Option<&str>,
    depth: usize,
    found: &mut Vec<Found>,
) -> Result<(), ImportError> {
    let entries = object.member("entry").and_then(Json::as_array);
    // A bundle without entries is kept as a resource of its own.
    let (Some("Bundle"), Some(entries)) = (type_of(object), entries) else {
        found.push(describe(object, full_url));
        return Ok(());
    };
    if depth == DEPTH {
        return Err(ImportError::BundlesTooDeep { limit: DEPTH });
    }
    let before = found.len();
    for entry in entries {
        if let Some(resource) = entry.member("resource").and_then(Json::as_object) {
            collect(resource, entry.member("fullUrl").and_then(Json::as_str), depth + 1, found)?;
        }
    }
    let empty = entries.iter().filter(|entry| entry.member("resource").and_then(Json::as_object).is_none());
    match (found.get_mut(before), empty.count()) {
        (_, 0) => {}
        (Some(first), count) => first.empty_entries += count,
        // Nothing but entries without resource: the bundle itself is what there is.
        (None, count) => found.push(Found { empty_entries: count, ..describe(object, full_url) }),
    }
    Ok(())
}

fn describe(object: &Object, full_url: Option<&str>) -> Found {
    let text = |name| object.member(name).and_then(Json::as_str).map(str::to_owned);
    Found {
        resource_type: text("resourceType"),
        id: text("id"),
        full_url: full_url.map(str::to_owned),
        span: object.span(),
        bytes: Vec::new(),
        empty_entries: 0,
    }
}
