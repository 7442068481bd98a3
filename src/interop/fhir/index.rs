//! From references to the resources of the input.
//!
//! A relative reference is resolved against the base of the resource that holds it,
//! as FHIR R4 section 2.36.4.1 says, so that two servers' `Patient/1` stay apart.

use std::collections::HashMap;

use super::bundle::Found;
use crate::codec::json::{Json, Object};
use crate::record::{Concept, Token};

/// What other resources want to know of a resource.
#[derive(Default)]
pub(super) struct Summary {
    pub(super) resource_type: Option<String>,
    pub(super) name: Option<Token>,
    pub(super) concept: Option<Concept>,
    /// A patient's identifiers as `system|value`.
    pub(super) identifiers: Vec<String>,
}

/// The resources of the input by their addresses.
#[derive(Default)]
pub(super) struct Index {
    summaries: Vec<Summary>,
    by_url: HashMap<String, usize>,
    by_type_and_id: HashMap<String, SameName>,
    by_identifier: HashMap<String, usize>,
}

/// Resources with the same `Type/id`, on one or more servers. The first of each counts.
#[derive(Default)]
struct SameName {
    first: usize,
    without_base: Option<usize>,
    by_base: HashMap<String, usize>,
}

impl SameName {
    fn add(&mut self, base: Option<&str>, position: usize) {
        match base {
            Some(base) => {
                self.by_base.entry(base.to_owned()).or_insert(position);
            }
            None => {
                self.without_base.get_or_insert(position);
            }
        }
    }

    fn find(&self, base: Option<&str>) -> Option<usize> {
        match base {
            Some(base) => self.by_base.get(base).copied().or(self.without_base),
            None => self.without_base.or(Some(self.first)),
        }
    }
}

impl Index {
    /// Adds the next resource.
    pub(super) fn add(&mut self, found: &Found, summary: Summary) {
        let position = self.summaries.len();
        for identifier in &summary.identifiers {
            self.by_identifier.entry(identifier.clone()).or_insert(position);
        }
        self.summaries.push(summary);
        if let Some(url) = &found.full_url {
            self.by_url.entry(url.clone()).or_insert(position);
        }
        if let Some(local) = local_reference(found) {
            let base = found.full_url.as_deref().and_then(base_of);
            let same = self.by_type_and_id.entry(local);
            same.or_insert_with(|| SameName { first: position, ..SameName::default() }).add(base, position);
        }
    }

    pub(super) fn summary(&self, position: usize) -> Option<&Summary> {
        self.summaries.get(position)
    }

    /// The patient with this `system|value`.
    pub(super) fn patient_with(&self, identifier: &str) -> Option<usize> {
        self.by_identifier.get(identifier).copied()
    }

    /// The position of the resource that `reference` names, as seen from a resource
    /// with this address.
    pub(super) fn resolve(&self, reference: &str, from: Option<&str>) -> Option<usize> {
        let reference = without_version(reference);
        if let Some(&position) = self.by_url.get(reference) {
            return Some(position);
        }
        let (base, local) = match base_of(reference) {
            Some(base) => (Some(base), reference.get(base.len()..).unwrap_or_default()),
            None => (from.and_then(base_of), reference),
        };
        self.by_type_and_id.get(local).and_then(|same| same.find(base))
    }
}

/// `Type/id` of a resource that has both.
pub(super) fn local_reference(found: &Found) -> Option<String> {
    Some(format!("{}/{}", found.resource_type.as_ref()?, found.id.as_ref()?))
}

/// `Type/id` of a resource that has both, with the base of its address in front where
/// it has one: two servers' `Condition/1` are two.
pub(super) fn global_reference(found: &Found) -> Option<String> {
    let local = local_reference(found)?;
    let base = found.full_url.as_deref().and_then(base_of).unwrap_or_default();
    Some(format!("{base}{local}"))
}

/// The part of a RESTful address before `Type/id`.
pub(super) fn base_of(url: &str) -> Option<&str> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return None;
    }
    let url = without_version(url);
    let id = url.rfind('/')?;
    let before = url.get(..id)?;
    let start = before.rfind('/')? + 1;
    url.get(..start)
}

fn without_version(reference: &str) -> &str {
    reference.split_once("/_history/").map_or(reference, |(plain, _)| plain)
}

/// A relative reference as an address, where the resource that holds it has one.
pub(super) fn absolute(reference: &str, from: Option<&str>) -> String {
    let reference = without_version(reference);
    let relative = !reference.contains(':');
    let base = from.and_then(base_of).filter(|_| relative).unwrap_or_default();
    format!("{base}{reference}")
}

/// Calls `visit` with every `reference` in a value.
pub(super) fn each_reference(json: &Json, visit: &mut impl FnMut(&str)) {
    // Without recursion: input chooses the depth.
    let mut open = vec![json];
    while let Some(json) = open.pop() {
        match json {
            Json::Array(items) => open.extend(items),
            Json::Object(object) => {
                if let Some(reference) = object.member("reference").and_then(Json::as_str) {
                    visit(reference);
                }
                open.extend(object.members().iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
}

/// Contained resources that are looked at; real ones have a few.
const MOST_CONTAINED: usize = 256;

/// The resource that a resource contains under this fragment, such as `#med1`.
pub(super) fn contained<'a>(resource: &'a Object, reference: &str) -> Option<&'a Object> {
    let id = reference.strip_prefix('#')?;
    let items = resource.member("contained")?.as_array()?;
    items
        .iter()
        .take(MOST_CONTAINED)
        .filter_map(Json::as_object)
        .find(|item| item.member("id").and_then(Json::as_str) == Some(id))
}
