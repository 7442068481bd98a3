//! A resource that was found in an input, and what it is called there.

use std::ops::Range;

use crate::codec::json::{Json, Object};
use crate::crypto::digest::Digest;
use crate::interop::identity::base_of;

/// A resource that was found, and where.
pub(crate) struct Found {
    pub(crate) resource_type: Option<String>,
    pub(crate) id: Option<String>,
    /// What it is called, where its format is not FHIR.
    pub(crate) name: Option<String>,
    pub(crate) full_url: Option<String>,
    /// When its server last changed it, as the bundle's entry says (`response.lastModified`).
    pub(crate) last_modified: Option<String>,
    /// Which version it is, as the bundle's entry says (`response.etag`).
    pub(crate) etag: Option<String>,
    /// The id of the outermost bundle that it was in and that has one.
    pub(crate) bundle_id: Option<String>,
    /// Where the innermost bundle that holds it begins: local names are of that bundle.
    pub(crate) bundle: Option<usize>,
    /// Which text of the input it stands in, such as a line of several.
    pub(crate) text: usize,
    pub(crate) span: Range<usize>,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn type_of(object: &Object) -> Option<&str> {
    object.member("resourceType").and_then(Json::as_str)
}

/// The id of a resource, which some write as a number.
pub(crate) fn id_of(object: &Object) -> Option<&str> {
    object.member("id").and_then(|id| id.as_str().or(id.as_number()))
}

/// `Type/id` of a resource that has both.
pub(crate) fn local_reference(found: &Found) -> Option<String> {
    Some(format!("{}/{}", found.resource_type.as_ref()?, found.id.as_ref()?))
}

/// `Type/id` of a resource that has both, with the base of its address in front where
/// it has one: two servers' `Condition/1` are two.
pub(crate) fn global_reference(found: &Found) -> Option<String> {
    let local = local_reference(found)?;
    let base = found.full_url.as_deref().and_then(base_of).unwrap_or_default();
    Some(format!("{base}{local}"))
}

/// The name of a resource in its source, as [`crate::interop::ImportedEntry::identity`] says.
pub(crate) fn identity_of(found: &Found) -> String {
    if let Some(name) = &found.name {
        return name.clone();
    }
    let digest = || format!("sha256:{}", Digest::of(&[&found.bytes]));
    let short = |name: &String| name.len() <= 1000;
    global_reference(found)
        .filter(short)
        .or_else(|| found.full_url.clone().filter(short))
        .unwrap_or_else(digest)
}

/// The base of the server that a resource comes from.
pub(crate) fn server_of(found: &Found) -> Option<String> {
    found.full_url.as_deref().and_then(base_of).map(str::to_owned)
}
