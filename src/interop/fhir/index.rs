//! From references to the resources of the input.
//!
//! A relative reference is resolved against the base of the resource that holds it,
//! as FHIR R4 section 2.36.4.1 says, so that two servers' `Patient/1` stay apart. A name
//! without a base is resolved where it was given: in its bundle, else its input. What
//! may be several resources is none.

use std::collections::HashMap;
use std::sync::Arc;

use super::form::Form;
use super::found::{Found, local_reference};
use crate::codec::json::{Json, Object};
use crate::interop::identity::{base_of, is_global, without_version};
use crate::record::{Concept, Party, Token};

/// What other resources want to know of a resource.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) resource_type: Option<String>,
    pub(crate) name: Option<Token>,
    pub(crate) concept: Option<Concept>,
    /// Whether the concept is denied there: ruled out, not done, entered in error.
    pub(crate) is_denied: bool,
    /// What a questionnaire asks.
    pub(crate) form: Option<Arc<Form>>,
    /// Who made what, as a `Provenance` says.
    pub(crate) made: Option<(Party, Vec<String>)>,
}

/// Where local names mean the same resources: a bundle, else an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Scope(pub(crate) usize);

impl Scope {
    /// Where addresses and random UUIDs mean the same resources.
    const EVERYWHERE: Self = Self(usize::MAX);
}

/// Where a reference is read: the address of the resource that holds it, and its scope.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place<'a> {
    pub(crate) address: Option<&'a str>,
    pub(crate) scope: Scope,
}

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The resource at this position.
    One(usize),
    /// One of these, it cannot be told which.
    Few(Vec<usize>),
    /// One of very many.
    Many,
    /// Nothing in the input.
    Nothing,
}

/// Resources that one name may mean.
enum Same {
    One(usize),
    Few(Vec<usize>),
    Many,
}

/// Resources of one name that are told apart.
const MOST_OF_ONE_NAME: usize = 8;

impl Same {
    fn add(&mut self, position: usize) {
        *self = match std::mem::replace(self, Self::Many) {
            Self::One(first) => Self::Few(vec![first, position]),
            Self::Few(mut few) if few.len() < MOST_OF_ONE_NAME => {
                few.push(position);
                Self::Few(few)
            }
            Self::Few(_) | Self::Many => Self::Many,
        };
    }

    fn target(same: Option<&Self>) -> Target {
        match same {
            None => Target::Nothing,
            Some(Self::One(position)) => Target::One(*position),
            Some(Self::Few(few)) => Target::Few(few.clone()),
            Some(Self::Many) => Target::Many,
        }
    }
}

/// A table of names in which several resources may have one.
#[derive(Default)]
struct Names(HashMap<String, Same>);

impl Names {
    fn add(&mut self, name: &str, position: usize) {
        match self.0.get_mut(name) {
            Some(same) => same.add(position),
            None => drop(self.0.insert(name.to_owned(), Same::One(position))),
        }
    }

    fn find(&self, name: &str) -> Target {
        Same::target(self.0.get(name))
    }
}

/// The resources of the input by their addresses.
#[derive(Default)]
pub(crate) struct Index {
    summaries: Vec<Summary>,
    by_url: HashMap<(Scope, String), usize>,
    /// By base and `Type/id`; without a base, within a scope.
    by_name: HashMap<(Option<String>, Scope, String), usize>,
    /// Those without a base, by `Type/id`, in any scope.
    without_base: Names,
    with_base: Names,
    by_id: HashMap<(Scope, String), Same>,
    by_id_anywhere: Names,
    by_identifier: Names,
    /// Questionnaires by their canonical address; `None` for several of one.
    forms: HashMap<String, Option<usize>>,
    /// Who made a resource, where exactly one is said to have.
    authors: HashMap<usize, Option<Party>>,
    /// Bases of which references speak, by `Patient/id`; `None` for several.
    bases: HashMap<String, Option<String>>,
}

impl Index {
    /// Adds the next resource, and returns the first one of the same name, if there is one.
    pub(crate) fn add(&mut self, found: &Found, scope: Scope, summary: Summary) -> Option<usize> {
        let position = self.summaries.len();
        if let Some(url) = summary.form.as_ref().and_then(|form| form.url.clone()) {
            self.forms.entry(url).and_modify(|known| *known = None).or_insert(Some(position));
        }
        self.summaries.push(summary);
        let url = found.full_url.as_ref();
        let of_url = url.and_then(|url| {
            let key = (scope_of(url, scope), url.clone());
            let first = *self.by_url.entry(key).or_insert(position);
            (first != position).then_some(first)
        });
        let of_name = local_reference(found).and_then(|local| {
            let base = url.and_then(|url| base_of(url)).map(str::to_owned);
            if let Some(base) = &base {
                self.note_base(&local, base);
            }
            let within = if base.is_some() { Scope::EVERYWHERE } else { scope };
            let first = *self.by_name.entry((base.clone(), within, local.clone())).or_insert(position);
            if first != position {
                return Some(first);
            }
            if base.is_some() { &mut self.with_base } else { &mut self.without_base }.add(&local, position);
            self.add_id(found.id.as_deref().unwrap_or_default(), scope, position);
            None
        });
        of_url.or(of_name)
    }

    fn add_id(&mut self, id: &str, scope: Scope, position: usize) {
        let id = id.to_ascii_lowercase();
        self.by_id_anywhere.add(&id, position);
        let same = self.by_id.entry((scope, id));
        same.and_modify(|same| same.add(position)).or_insert(Same::One(position));
    }

    /// Adds a business identifier of the resource that was added last, as
    /// `Type?system|value`.
    pub(crate) fn add_identifier(&mut self, identifier: &str) {
        self.by_identifier.add(identifier, self.summaries.len().saturating_sub(1));
    }

    /// The resources with this `Type?system|value`.
    pub(crate) fn identified(&self, identifier: &str) -> Target {
        self.by_identifier.find(identifier)
    }

    /// Notes a reference: which servers have a patient of this id.
    pub(crate) fn note(&mut self, reference: &str) {
        let reference = without_version(reference);
        if let Some(base) = base_of(reference)
            && let Some(local) = reference.get(base.len()..)
            && local.starts_with("Patient/")
        {
            self.note_base(local, base);
        }
    }

    fn note_base(&mut self, local: &str, base: &str) {
        match self.bases.get_mut(local) {
            None => drop(self.bases.insert(local.to_owned(), Some(base.to_owned()))),
            Some(known) if known.as_deref() != Some(base) => *known = None,
            Some(_) => {}
        }
    }

    /// The one base that any reference has for this `Patient/id`.
    pub(crate) fn sole_base(&self, local: &str) -> Option<&str> {
        self.bases.get(local).and_then(Option::as_deref)
    }

    pub(crate) fn summary(&self, position: usize) -> Option<&Summary> {
        self.summaries.get(position)
    }

    /// The questionnaire of a canonical address, or else the one that a reference names.
    pub(crate) fn form(&self, url: &str, place: Place<'_>) -> Option<&Arc<Form>> {
        let position = match self.forms.get(url) {
            Some(known) => (*known)?,
            None => match self.resolve(url, place) {
                Target::One(position) => position,
                _ => return None,
            },
        };
        self.summary(position)?.form.as_ref()
    }

    /// Notes who made what the resource at a position says that somebody made.
    pub(crate) fn note_author(&mut self, position: usize, place: Place<'_>) {
        let Some((author, targets)) = self.summary(position).and_then(|summary| summary.made.clone()) else {
            return;
        };
        let name = author.reference.as_ref().and_then(|who| self.summary_of(who.as_str(), place));
        let name = name.and_then(|summary| summary.name.clone());
        let author = Party { name: author.name.clone().or(name), ..author };
        for target in targets {
            let Target::One(made) = self.resolve(&target, place) else { continue };
            let known = self.authors.entry(made).or_insert_with(|| Some(author.clone()));
            if known.as_ref() != Some(&author) {
                *known = None;
            }
        }
    }

    /// Who made the resource of this name, where it is plain.
    pub(crate) fn author_of(&self, reference: &str, place: Place<'_>) -> Option<Party> {
        match self.resolve(reference, place) {
            Target::One(position) => self.authors.get(&position)?.clone(),
            _ => None,
        }
    }

    /// The type of the resource at this position.
    pub(crate) fn type_at(&self, position: usize) -> Option<&str> {
        self.summary(position).and_then(|summary| summary.resource_type.as_deref())
    }

    /// What the resource that a reference names is called, if it names one.
    pub(crate) fn summary_of(&self, reference: &str, place: Place<'_>) -> Option<&Summary> {
        match self.resolve(reference, place) {
            Target::One(position) => self.summary(position),
            Target::Few(few) => {
                let mut all = few.iter().filter_map(|position| self.summary(*position));
                let first = all.next()?;
                let same = |other: &Summary| {
                    other.name == first.name
                        && other.concept == first.concept
                        && other.is_denied == first.is_denied
                };
                all.all(same).then_some(first)
            }
            Target::Many | Target::Nothing => None,
        }
    }

    /// The resource that `reference` names, as seen from a place.
    pub(crate) fn resolve(&self, reference: &str, place: Place<'_>) -> Target {
        let reference = without_version(reference);
        if reference.contains('#') || reference.is_empty() {
            return Target::Nothing;
        }
        if let Some(&position) = self.by_url.get(&(scope_of(reference, place.scope), reference.to_owned())) {
            return Target::One(position);
        }
        if let Some(id) = reference.strip_prefix("urn:uuid:") {
            return self.with_id(id, place.scope);
        }
        if let Some(identifier) = conditional(reference) {
            return self.by_identifier.find(&identifier);
        }
        match base_of(reference) {
            Some(base) => self.at_address(base, reference.get(base.len()..).unwrap_or_default(), place.scope),
            None => self.relative(reference, place),
        }
    }

    fn named(&self, base: Option<&str>, scope: Scope, local: &str) -> Option<Target> {
        let scope = if base.is_some() { Scope::EVERYWHERE } else { scope };
        self.by_name.get(&(base.map(str::to_owned), scope, local.to_owned())).copied().map(Target::One)
    }

    /// A resource without a base is the one at an address only where no other server is
    /// spoken of.
    fn at_address(&self, base: &str, local: &str, scope: Scope) -> Target {
        if let Some(found) = self.named(Some(base), scope, local) {
            return found;
        }
        if local.starts_with("Patient/") && self.sole_base(local) != Some(base) {
            return Target::Nothing;
        }
        self.named(None, scope, local).unwrap_or_else(|| self.without_base.find(local))
    }

    fn relative(&self, local: &str, place: Place<'_>) -> Target {
        if let Some(base) = place.address.and_then(base_of) {
            return self.at_address(base, local, place.scope);
        }
        if let Some(found) = self.named(None, place.scope, local) {
            return found;
        }
        match self.without_base.find(local) {
            Target::Nothing => self.with_base.find(local),
            found => found,
        }
    }

    /// The resource with this id: in the scope, else anywhere.
    pub(crate) fn with_id(&self, id: &str, scope: Scope) -> Target {
        let id = id.to_ascii_lowercase();
        match Same::target(self.by_id.get(&(scope, id.clone()))) {
            Target::Nothing => self.by_id_anywhere.find(&id),
            found => found,
        }
    }
}

/// Where a `fullUrl` means the same resource: `urn:uuid:patient` only in its bundle.
fn scope_of(url: &str, scope: Scope) -> Scope {
    if is_global(url) { Scope::EVERYWHERE } else { scope }
}

/// `Type?system|value` of a conditional reference (FHIR R4 section 3.1.0.7.2) such as
/// `Patient?identifier=system|value`, with a server in front or not.
pub(crate) fn conditional(reference: &str) -> Option<String> {
    let (path, query) = reference.split_once('?')?;
    let resource_type = path.rsplit('/').next()?;
    let identifier = query.strip_prefix("identifier=").filter(|_| !query.contains('&'))?;
    let identifier = percent_decoded(identifier)?;
    let (system, value) = identifier.split_once('|')?;
    (!system.is_empty() && !value.is_empty()).then(|| format!("{resource_type}?{system}|{value}"))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_owned();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// A relative reference as an address, where the resource that holds it has one.
pub(crate) fn absolute(reference: &str, from: Option<&str>) -> String {
    let reference = without_version(reference);
    let relative = !reference.contains(':');
    let base = from.and_then(base_of).filter(|_| relative).unwrap_or_default();
    format!("{base}{reference}")
}

/// Calls `visit` with every `reference` in a value, and every `url`, which may name a
/// `Binary`.
pub(crate) fn each_reference(json: &Json, visit: &mut impl FnMut(&str)) {
    each_object(json, &mut |object| {
        for name in ["reference", "url"] {
            if let Some(reference) = object.member(name).and_then(Json::as_str) {
                visit(reference);
            }
        }
    });
}

/// Calls `visit` with every object in a value, the value itself included.
pub(crate) fn each_object(json: &Json, visit: &mut impl FnMut(&Object)) {
    // Without recursion: input chooses the depth.
    let mut open = vec![json];
    while let Some(json) = open.pop() {
        match json {
            Json::Array(items) => open.extend(items),
            Json::Object(object) => {
                visit(object);
                open.extend(object.members().iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
}

/// Contained resources that are looked at; real ones have a few.
const MOST_CONTAINED: usize = 256;

/// The resource that a resource contains under this fragment, such as `#med1`.
pub(crate) fn contained<'a>(resource: &'a Object, reference: &str) -> Option<&'a Object> {
    let id = reference.strip_prefix('#')?;
    let items = resource.member("contained")?.as_array()?;
    items
        .iter()
        .take(MOST_CONTAINED)
        .filter_map(Json::as_object)
        .find(|item| item.member("id").and_then(Json::as_str) == Some(id))
}
