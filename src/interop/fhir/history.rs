//! What a history bundle says was deleted (FHIR R4 section 3.1.0.8), or a transaction
//! deletes.

use std::collections::HashMap;

use jiff::Timestamp;

use super::found::{id_of, type_of};
use crate::codec::json::{Json, Object};
use crate::interop::identity::base_of;

/// What happened to a resource last, as far as it has been read.
struct Last {
    is_deletion: bool,
    when: Option<Timestamp>,
}

/// The resources that a history bundle deletes at last, as [`super::found::identity_of`]
/// calls them. A deletion that is followed by a new version deletes nothing.
pub(super) fn deleted(bundle: &Object) -> Vec<String> {
    if type_of(bundle) != Some("Bundle") {
        return Vec::new();
    }
    let entries = bundle.member("entry").and_then(Json::as_array).unwrap_or_default();
    let servers = servers(entries);
    let mut last: HashMap<String, Last> = HashMap::new();
    for entry in entries.iter().filter_map(Json::as_object) {
        let Some(name) = name_of(entry) else { continue };
        // A deletion may give no address, where its versions do.
        let name = servers.get(&name).cloned().flatten().unwrap_or(name);
        let event = Last { is_deletion: is_deletion(entry), when: when(entry) };
        match last.get_mut(&name) {
            // The newest event comes first, unless dates say otherwise.
            Some(known) => {
                if is_after(&event, known) {
                    *known = event;
                }
            }
            None => drop(last.insert(name, event)),
        }
    }
    let mut deleted: Vec<_> =
        last.into_iter().filter(|(_, last)| last.is_deletion).map(|(name, _)| name).collect();
    deleted.sort_unstable();
    deleted
}

/// The address of each `Type/id` that has one; `None` where it has two.
fn servers(entries: &[Json]) -> HashMap<String, Option<String>> {
    let mut servers: HashMap<String, Option<String>> = HashMap::new();
    for name in entries.iter().filter_map(Json::as_object).filter_map(name_of) {
        let Some(local) = base_of(&name).and_then(|base| name.get(base.len()..)) else { continue };
        let server = servers.entry(local.to_owned()).or_insert_with(|| Some(name.clone()));
        if server.as_ref() != Some(&name) {
            *server = None;
        }
    }
    servers
}

fn is_after(event: &Last, known: &Last) -> bool {
    match (&event.when, &known.when) {
        (Some(event), Some(known)) => event > known,
        _ => false,
    }
}

fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.member(name).and_then(Json::as_str)
}

fn is_deletion(entry: &Object) -> bool {
    let request = entry.member("request").and_then(Json::as_object);
    request.and_then(|request| text(request, "method")).is_some_and(|m| m.eq_ignore_ascii_case("DELETE"))
}

fn when(entry: &Object) -> Option<Timestamp> {
    let of = |holder: &str, name: &str| entry.member(holder)?.member(name)?.as_str()?.parse().ok();
    let updated = entry.member("resource").and_then(|resource| resource.member("meta"));
    let updated = updated.and_then(|meta| meta.member("lastUpdated")).and_then(Json::as_str);
    updated.and_then(|text| text.parse().ok()).or_else(|| of("response", "lastModified"))
}

/// `Type/id` with the server in front where the entry names one.
fn name_of(entry: &Object) -> Option<String> {
    let url = text(entry, "fullUrl").filter(|url| base_of(url).is_some());
    let base = url.and_then(base_of).unwrap_or_default();
    if let Some(resource) = entry.member("resource").and_then(Json::as_object) {
        return Some(format!("{base}{}/{}", type_of(resource)?, id_of(resource)?));
    }
    if let Some(url) = url {
        return Some(url.split("/_history/").next().unwrap_or(url).to_owned());
    }
    let request = entry.member("request")?.member("url")?.as_str()?;
    Some(request.split("/_history/").next()?.trim_start_matches('/').to_owned())
}
