//! Whom a resource is about.
//!
//! A resource that names a patient is about that patient only: it is never taken into
//! another's records. What names nobody is about whom its references are about.

use std::collections::BTreeSet;

use super::bundle::{Found, type_of};
use super::import::ImportLimits;
use super::index::{Index, absolute, contained, each_reference, local_reference};
use super::input;
use crate::codec::json::{Json, Object};

/// A patient in the input: a resource there, or what a reference says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PatientKey {
    Resource(usize),
    Reference(String),
}

/// Elements that say whom a resource is about, and whether only a patient can stand there.
const ELEMENTS: [(&str, bool); 6] = [
    ("patient", true),
    ("beneficiary", true),
    ("subject", false),
    ("for", false),
    ("individual", false),
    ("subjectReference", false),
];

/// What a resource says of whom it is about.
#[derive(Default)]
pub(super) struct About {
    /// Named as subject, patient or beneficiary.
    pub(super) named: BTreeSet<PatientKey>,
    /// References elsewhere.
    pub(super) mentioned: BTreeSet<PatientKey>,
    /// Other resources that it refers to.
    pub(super) linked: BTreeSet<usize>,
}

impl About {
    /// Reads whom a resource is about.
    pub(super) fn read(object: &Object, position: usize, found: &Found, index: &Index) -> Self {
        let mut about = Self::default();
        if type_of(object) == Some("Patient") {
            let own = found.full_url.clone().or_else(|| local_reference(found));
            let first = own.and_then(|own| index.resolve(&own, None)).unwrap_or(position);
            about.named.insert(PatientKey::Resource(first));
            return about;
        }
        let seen = View { object, found, index };
        for (name, only_patients) in ELEMENTS {
            let found = items(object, name).iter().filter_map(|item| seen.key(item, only_patients));
            about.named.extend(found);
        }
        for (_, value) in object.members().iter().filter(|(name, _)| name != "contained") {
            each_reference(value, &mut |reference| seen.mention(reference, &mut about));
        }
        about
    }
}

/// A resource and what it can see.
struct View<'a> {
    object: &'a Object,
    found: &'a Found,
    index: &'a Index,
}

impl View<'_> {
    /// The patient that a reference names.
    fn key(&self, reference: &Json, only_patients: bool) -> Option<PatientKey> {
        if let Some(text) = reference.member("reference").and_then(Json::as_str) {
            let declared = reference.member("type").and_then(Json::as_str) == Some("Patient");
            return self.key_of_text(text, only_patients || declared);
        }
        let is_patient =
            only_patients || reference.member("type").is_none_or(|t| t.as_str() == Some("Patient"));
        let key = identifier_key(reference.member("identifier")?).filter(|_| is_patient)?;
        Some(self.index.patient_with(&key).map_or(PatientKey::Reference(key), PatientKey::Resource))
    }

    fn key_of_text(&self, text: &str, surely_patient: bool) -> Option<PatientKey> {
        if text.starts_with('#') {
            let is_patient = contained(self.object, text).and_then(type_of) == Some("Patient");
            let holder = local_reference(self.found).unwrap_or_default();
            return is_patient.then(|| PatientKey::Reference(format!("{holder}{text}")));
        }
        if let Some(position) = self.index.resolve(text, self.found.full_url.as_deref()) {
            let is_patient = self.type_at(position) == Some("Patient");
            return is_patient.then_some(PatientKey::Resource(position));
        }
        let says_patient =
            text.starts_with("Patient/") || text.starts_with("Patient?") || text.contains("/Patient/");
        let says_nothing = text.starts_with("urn:");
        (says_patient || (surely_patient && says_nothing))
            .then(|| PatientKey::Reference(absolute(text, self.found.full_url.as_deref())))
    }

    fn mention(&self, reference: &str, about: &mut About) {
        if let Some(key) = self.key_of_text(reference, false) {
            about.mentioned.insert(key);
        } else if let Some(position) = self.index.resolve(reference, self.found.full_url.as_deref()) {
            about.linked.insert(position);
        }
    }

    fn type_at(&self, position: usize) -> Option<&str> {
        self.index.summary(position).and_then(|summary| summary.resource_type.as_deref())
    }
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
    if type_of(object) == Some("Patient") {
        return items(object, "identifier").iter().filter_map(identifier_key).collect();
    }
    let references = ELEMENTS.iter().flat_map(|(name, _)| items(object, name));
    let name = |reference: &Json| {
        let text = reference.member("reference").and_then(Json::as_str).map(str::to_owned);
        text.or_else(|| identifier_key(reference.member("identifier")?))
    };
    references.filter_map(name).collect()
}

/// The values of an element, which may be one value or a list.
fn items<'a>(object: &'a Object, name: &str) -> &'a [Json] {
    let value = object.member(name);
    value.and_then(Json::as_array).unwrap_or(value.map(std::slice::from_ref).unwrap_or_default())
}

/// An identifier as `system|value`.
fn identifier_key(identifier: &Json) -> Option<String> {
    let text = |name| identifier.member(name).and_then(Json::as_str).unwrap_or_default();
    Some(format!("{}|{}", text("system"), text("value"))).filter(|key| key.len() > 1)
}

/// Types that serve many patients and are about none.
const SHARED: [&str; 12] = [
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "OrganizationAffiliation",
    "Location",
    "HealthcareService",
    "Endpoint",
    "Medication",
    "Substance",
    "Questionnaire",
    "ValueSet",
    "CodeSystem",
];

/// Patients that are followed from one resource to another; more are a list of people,
/// which is nobody's record.
const MOST_FOLLOWED: usize = 64;

/// Whom each resource is about. One that names nobody is about the patients that it
/// mentions, else those of the resources that it refers to, else, unless it is of a
/// type that serves many, those of the resources that refer to it.
pub(super) fn settle(all: &[&About], index: &Index) -> Vec<BTreeSet<PatientKey>> {
    let of_themselves: Vec<_> = all.iter().map(|about| of_itself(about, all)).collect();
    let mut settled = of_themselves.clone();
    for about in all {
        let owners = if about.named.is_empty() { &about.mentioned } else { &about.named };
        for &position in &about.linked {
            let anonymous = of_themselves.get(position).is_some_and(BTreeSet::is_empty);
            if let (true, Some(target)) =
                (anonymous && !is_shared(position, index), settled.get_mut(position))
            {
                target.extend(owners.iter().take(MOST_FOLLOWED).cloned());
            }
        }
    }
    settled
}

fn is_shared(position: usize, index: &Index) -> bool {
    let resource_type = index.summary(position).and_then(|summary| summary.resource_type.as_deref());
    resource_type.is_some_and(|name| SHARED.contains(&name))
}

fn of_itself(about: &About, all: &[&About]) -> BTreeSet<PatientKey> {
    if !about.named.is_empty() {
        return about.named.clone();
    }
    if !about.mentioned.is_empty() {
        return about.mentioned.clone();
    }
    let linked = about.linked.iter().filter_map(|&position| all.get(position));
    linked.flat_map(|other| other.named.iter().take(MOST_FOLLOWED).cloned()).collect()
}
