//! Finding the resources in a JSON text: the text itself, or what its wrappers hold.
//!
//! Wrappers are bundles, whose entries may be the resources themselves, FHIR
//! `Parameters`, arrays, single bundle entries, and the `fhirBundle` of a health card's
//! payload, each in each other.

use super::found::{Found, id_of, type_of};
use super::history;
use crate::codec::json::{Json, Object};
use crate::interop::finding::FindingReason;
use crate::interop::options::{ImportError, ImportLimits};

/// Most levels of wrappers in wrappers. Deeper ones are refused.
const DEPTH: usize = 8;

/// What a JSON text holds.
#[derive(Default)]
pub(super) struct Contents {
    /// The resources, in the order of their bytes.
    pub(super) found: Vec<Found>,
    /// What stands in wrappers and is no resource.
    pub(super) beside: Vec<(String, FindingReason)>,
    /// What history bundles delete, and the id of the bundle; see [`history::deleted`].
    pub(super) deleted: Vec<(String, Option<String>)>,
}

/// The resources of a JSON text.
pub(super) fn contents(json: &Json, limits: ImportLimits) -> Result<Contents, ImportError> {
    let mut contents = Contents::default();
    collect(json, &Place::default(), &mut contents)?;
    if contents.found.is_empty() {
        let is_card = json.member("verifiableCredential").is_some();
        return Err(if is_card { ImportError::HealthCard } else { ImportError::NotFhir });
    }
    if contents.found.len() > limits.resources {
        return Err(ImportError::TooManyResources { limit: limits.resources });
    }
    Ok(contents)
}

/// Where in its wrappers a value is.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    depth: usize,
    full_url: Option<&'a str>,
    /// The `response` of the bundle's entry.
    response: Option<&'a Object>,
    bundle_id: Option<&'a str>,
    bundle: Option<usize>,
}

impl<'a> Place<'a> {
    /// One wrapper further in.
    fn within(self, full_url: Option<&'a str>) -> Result<Self, ImportError> {
        if self.depth == DEPTH {
            return Err(ImportError::BundlesTooDeep { limit: DEPTH });
        }
        Ok(Self { depth: self.depth + 1, full_url, response: None, ..self })
    }
}

/// Collects the resources of a value; one that holds none is passed over.
fn collect(json: &Json, place: &Place<'_>, contents: &mut Contents) -> Result<(), ImportError> {
    let object = match json {
        Json::Array(items) => {
            for item in items {
                if !is_resource_or_wrapper(item) {
                    contents.beside.push(("item".to_owned(), FindingReason::NotAResource));
                }
                collect(item, &place.within(None)?, contents)?;
            }
            return Ok(());
        }
        Json::Object(object) => object,
        _ => return Ok(()),
    };
    match type_of(object) {
        Some("Bundle") => bundle(object, place, contents),
        Some("Parameters") => parameters(object, place, contents),
        Some(resource_type) => {
            if resource_type == "OperationOutcome" && tells_of_a_failure(object) {
                contents.beside.push(("OperationOutcome".to_owned(), FindingReason::Refused));
            }
            contents.found.push(describe(object, place));
            Ok(())
        }
        None => match wrapped(object) {
            Some(inner) => {
                if object.member("resource").is_some() {
                    contents.beside.extend(not_read("Bundle.entry", object, &OF_ENTRY));
                }
                collect(inner, &place.within(full_url(object))?, contents)
            }
            None => Ok(()),
        },
    }
}

/// What an object without a type wraps: the resource of a single bundle entry, or the
/// bundle of a health card.
fn wrapped(object: &Object) -> Option<&Json> {
    let card = object.member("vc").and_then(Json::as_object).unwrap_or(object);
    let subject = card.member("credentialSubject").and_then(Json::as_object).unwrap_or(card);
    let inner = subject.member("fhirBundle").or_else(|| object.member("resource"));
    inner.filter(|inner| matches!(inner, Json::Object(_) | Json::Array(_)))
}

fn is_resource_or_wrapper(json: &Json) -> bool {
    match json {
        Json::Array(_) => true,
        Json::Object(object) => type_of(object).is_some() || wrapped(object).is_some(),
        _ => false,
    }
}

fn full_url(object: &Object) -> Option<&str> {
    object.member("fullUrl").and_then(Json::as_str)
}

/// The items of an array; an object stands for an array of one.
fn items<'a>(object: &'a Object, name: &str) -> &'a [Json] {
    match object.member(name) {
        Some(Json::Array(items)) => items,
        Some(one @ Json::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    }
}

fn bundle(object: &Object, place: &Place<'_>, contents: &mut Contents) -> Result<(), ImportError> {
    let own_id = object.member("id").or_else(|| object.member("identifier")?.member("value"));
    let bundle_id = place.bundle_id.or(own_id.and_then(Json::as_str));
    let place = Place { bundle_id, bundle: Some(object.span().start), ..*place };
    let deleted = history::deleted(object).into_iter();
    contents.deleted.extend(deleted.map(|identity| (identity, bundle_id.map(str::to_owned))));
    let before = contents.found.len();
    let entries = items(object, "entry");
    contents.beside.extend(missing(object, entries.len()));
    for entry in entries {
        let response = entry.member("response").and_then(Json::as_object);
        let is_refused = response.is_some_and(is_failure);
        if is_refused {
            contents.beside.push(("Bundle.entry.response".to_owned(), FindingReason::Refused));
        }
        if let Some(object) = entry.as_object().filter(|object| type_of(object).is_none()) {
            contents.beside.extend(not_read("Bundle.entry", object, &OF_ENTRY));
        }
        match of_entry(entry) {
            Some((resource, url)) => {
                member(resource, &Place { response, ..place.within(url)? }, contents)?;
            }
            None if is_refused => {}
            None => contents.beside.push(("Bundle.entry".to_owned(), without_resource(entry))),
        }
    }
    // A bundle without resources is kept as a resource of its own.
    if contents.found.len() == before {
        contents.found.push(describe(object, &place));
    } else {
        contents.beside.extend(not_read("Bundle", object, &OF_BUNDLE));
    }
    Ok(())
}

/// What a bundle says of the rest: that there is another page of it (FHIR R4 section
/// 3.1.1.4), or more matches than it has entries.
fn missing(bundle: &Object, entries: usize) -> Option<(String, FindingReason)> {
    let links = items(bundle, "link").iter();
    let is_next = |link: &Json| link.member("relation").and_then(Json::as_str) == Some("next");
    if links.filter(|link| is_next(link)).count() > 0 {
        return Some(("Bundle.link".to_owned(), FindingReason::MorePages));
    }
    let total = bundle.member("total").and_then(Json::as_number).and_then(|total| total.parse().ok());
    let is_short = total.is_some_and(|total: u64| total > entries as u64);
    is_short.then(|| ("Bundle.total".to_owned(), FindingReason::MorePages))
}

/// What wrappers have around their resources: it says how they were handed out.
const OF_BUNDLE: [&str; 12] = [
    "resourceType",
    "id",
    "meta",
    "identifier",
    "type",
    "timestamp",
    "total",
    "link",
    "entry",
    "language",
    "base",
    "signature",
];
const OF_ENTRY: [&str; 8] =
    ["id", "link", "fullUrl", "resource", "search", "request", "response", "resourceType"];
const OF_PARAMETERS: [&str; 5] = ["resourceType", "id", "meta", "language", "parameter"];
const OF_PARAMETER: [&str; 4] = ["id", "name", "resource", "part"];

/// Longest name of a member in a finding: input chooses it.
const NAME_LIMIT: usize = 64;

/// What a wrapper says that is not read, by its members: nobody is to believe that it is in the
/// vault.
fn not_read<'a>(
    path: &'a str,
    object: &'a Object,
    read: &'a [&str],
) -> impl Iterator<Item = (String, FindingReason)> + 'a {
    let is_said = |value: &Json| match value {
        Json::Null => false,
        Json::Array(items) => !items.is_empty(),
        Json::Object(object) => !object.members().is_empty(),
        _ => true,
    };
    let unread = object.members().iter().filter(move |(name, value)| {
        is_said(value) && !read.contains(&name.strip_prefix('_').unwrap_or(name))
    });
    unread.map(move |(name, _)| {
        let name = if name.len() <= NAME_LIMIT { name.as_str() } else { "…" };
        (format!("{path}.{name}"), FindingReason::NotTaken)
    })
}

/// Whether an `OperationOutcome` has an issue that kept the server from answering whole.
fn tells_of_a_failure(outcome: &Object) -> bool {
    let severity =
        |issue: &Json| matches!(issue.member("severity").and_then(Json::as_str), Some("error" | "fatal"));
    items(outcome, "issue").iter().any(severity)
}

/// Whether the server refused what the entry asked for.
fn is_failure(response: &Object) -> bool {
    let status = response.member("status");
    let status = status.and_then(|status| status.as_str().or(status.as_number())).unwrap_or_default();
    status.trim_start().starts_with(['4', '5'])
}

/// Why an entry without a resource has none: an address, a search or a response needs
/// none; what has nothing at all was lost.
fn without_resource(entry: &Json) -> FindingReason {
    let says = |name: &str| entry.member(name).is_some_and(|value| *value != Json::Null);
    match ["response", "request", "fullUrl", "search", "link"].into_iter().any(says) {
        true => FindingReason::NoResource,
        false => FindingReason::EmptyEntry,
    }
}

/// The resource of a bundle's entry, which some write as the resource itself.
fn of_entry(entry: &Json) -> Option<(&Json, Option<&str>)> {
    let object = entry.as_object()?;
    match object.member("resource") {
        Some(resource @ (Json::Object(_) | Json::Array(_))) => Some((resource, full_url(object))),
        _ => type_of(object).map(|_| (entry, full_url(object))),
    }
}

/// Collects what stands where a resource belongs: an object without a type is kept too.
fn member(json: &Json, place: &Place<'_>, contents: &mut Contents) -> Result<(), ImportError> {
    match json.as_object() {
        Some(object) if !is_resource_or_wrapper(json) => {
            contents.found.push(describe(object, place));
            Ok(())
        }
        _ => collect(json, place, contents),
    }
}

fn parameters(object: &Object, place: &Place<'_>, contents: &mut Contents) -> Result<(), ImportError> {
    let mut beside = Vec::new();
    let mut open = vec![(items(object, "parameter"), place.within(None)?)];
    let mut inner = Contents::default();
    while let Some((level, place)) = open.pop() {
        let Some((parameter, rest)) = level.split_first() else { continue };
        open.push((rest, place));
        let Some(parameter) = parameter.as_object() else { continue };
        if let Some(resource) = parameter.member("resource") {
            member(resource, &place, &mut inner)?;
        }
        let parts = items(parameter, "part");
        if !parts.is_empty() {
            open.push((parts, place.within(None)?));
        }
        beside.extend(not_read("Parameters.parameter", parameter, &OF_PARAMETER));
    }
    // Parameters without resources are kept as a resource of their own.
    if inner.found.is_empty() {
        contents.found.push(describe(object, place));
        return Ok(());
    }
    // Parts may be written before the resource beside them.
    inner.found.sort_by_key(|found| found.span.start);
    contents.found.append(&mut inner.found);
    contents.beside.append(&mut inner.beside);
    contents.deleted.append(&mut inner.deleted);
    beside.extend(not_read("Parameters", object, &OF_PARAMETERS));
    contents.beside.append(&mut beside);
    Ok(())
}

fn describe(object: &Object, place: &Place<'_>) -> Found {
    let said = |name| place.response.and_then(|response| response.member(name)).and_then(Json::as_str);
    Found {
        name: None,
        resource_type: type_of(object).map(str::to_owned),
        id: id_of(object).map(str::to_owned),
        full_url: place.full_url.map(str::to_owned),
        last_modified: said("lastModified").map(str::to_owned),
        etag: said("etag").map(str::to_owned),
        bundle_id: place.bundle_id.map(str::to_owned),
        bundle: place.bundle,
        text: 0,
        span: object.span(),
        bytes: Vec::new(),
    }
}
