//! What a resource says of whom it is about.
//!
//! What cannot be resolved is not nobody: it is somebody unknown.

use super::identifier::identifier_key;
use super::index::{Index, Place, Target, absolute, contained, each_object, each_reference};
use super::map;
use super::subject::{Role, elements, followed, values};
use crate::codec::json::{Json, Object};
use crate::crypto::digest::Digest;
use crate::interop::people::{Mention, People};

/// What a resource says of whom it is about.
#[derive(Default)]
pub(crate) struct About {
    /// Patients that it is about.
    pub(crate) named: Vec<Mention>,
    /// The element that names somebody who cannot be told.
    pub(crate) unknown: Option<&'static str>,
    /// The element that names somebody or something else than a patient.
    pub(crate) other: Option<&'static str>,
    /// Patients to whom it refers elsewhere.
    pub(crate) mentioned: Vec<Mention>,
    /// Resources that have the same subject.
    pub(crate) followed: Vec<usize>,
    /// Other resources that it refers to.
    pub(crate) linked: Vec<usize>,
    /// How references to its subject read.
    pub(crate) shown: Vec<Shown>,
}

/// How a reference to a subject reads (FHIR `Reference.display`).
pub(crate) struct Shown {
    /// To whom it refers; `None` where that cannot be told.
    pub(crate) mention: Option<Mention>,
    /// The element.
    pub(crate) path: &'static str,
    pub(crate) text: String,
}

/// A resource and what it can see.
pub(crate) struct AboutReader<'a> {
    pub(crate) object: &'a Object,
    pub(crate) resource_type: &'a str,
    pub(crate) position: usize,
    /// What the resource is called, to name those that it contains.
    pub(crate) name: &'a str,
    pub(crate) place: Place<'a>,
    pub(crate) index: &'a Index,
    pub(crate) people: &'a mut People,
}

/// What a reference to a subject names.
enum Named {
    Patient(Mention),
    /// A resource of the input that is no patient.
    Thing(usize),
    /// Something else than a patient, outside of the input.
    Other,
    Unknown,
}

impl AboutReader<'_> {
    /// Reads whom the resource is about.
    pub(crate) fn read(mut self) -> About {
        let mut about = About::default();
        if self.resource_type == "Patient" {
            about.named.extend(self.people.itself_at(self.position));
            self.read_elsewhere(&mut about);
            about.mentioned.clear();
            return about;
        }
        for (path, role) in elements(self.resource_type) {
            for value in values(self.object, path) {
                self.read_one(value, path, *role, &mut about);
            }
        }
        if about.named.is_empty() {
            for path in followed(self.resource_type) {
                for value in values(self.object, path) {
                    about.followed.extend(self.position_of(value));
                }
            }
        }
        self.read_elsewhere(&mut about);
        for list in [&mut about.named, &mut about.mentioned] {
            list.sort_unstable();
            list.dedup();
        }
        for list in [&mut about.followed, &mut about.linked] {
            list.sort_unstable();
            list.dedup();
        }
        about
    }

    fn read_one(&mut self, value: &Json, path: &'static str, role: Role, about: &mut About) {
        let named = self.named(value);
        let mention = match named {
            Named::Patient(mention) => Some(Some(mention)),
            Named::Unknown => Some(None),
            Named::Thing(_) | Named::Other => None,
        };
        let text = value.member("display").and_then(Json::as_str).filter(|text| !text.trim().is_empty());
        if let (Some(mention), Role::Subject, Some(text)) = (mention, role, text) {
            about.shown.push(Shown { mention, path, text: text.to_owned() });
        }
        match (named, role) {
            (Named::Patient(mention), _) => about.named.push(mention),
            (Named::Unknown, Role::Subject | Role::Focus) => about.unknown = Some(path),
            (Named::Thing(position), _) if self.is_somebody(position) => {
                if role != Role::Participant {
                    about.other = Some(path);
                }
            }
            (Named::Thing(position), Role::Subject) => about.followed.push(position),
            (Named::Other, Role::Subject) => about.other = Some(path),
            (Named::Other | Named::Thing(_), Role::Focus) | (_, Role::Participant) => {}
        }
    }

    /// Whether a resource is, or stands for, people other than a patient.
    fn is_somebody(&self, position: usize) -> bool {
        matches!(
            self.index.type_at(position),
            Some("RelatedPerson" | "Group" | "Person" | "Practitioner" | "PractitionerRole")
        )
    }

    fn read_elsewhere(&mut self, about: &mut About) {
        let mut references = Vec::new();
        for (_, value) in self.object.members().iter().filter(|(name, _)| name != "contained") {
            each_reference(value, &mut |reference| references.push(reference.to_owned()));
        }
        references.sort_unstable();
        references.dedup();
        let is_address = |text: &&String| !text.starts_with('#') && text.contains(['/', ':']);
        for reference in references.iter().filter(is_address) {
            match self.named_by(reference) {
                Named::Patient(mention) => about.mentioned.push(mention),
                Named::Thing(position) => about.linked.push(position),
                Named::Other | Named::Unknown => {}
            }
        }
        for (_, value) in self.object.members().iter().filter(|(name, _)| name != "contained") {
            each_object(value, &mut |object| about.linked.extend(self.identified_by(object)));
        }
    }

    /// What is nobody's by its nature and a reference names by an identifier only.
    fn identified_by(&self, reference: &Object) -> Option<usize> {
        const TYPES: [&str; 5] = ["Organization", "Practitioner", "Location", "Device", "Medication"];
        if reference.member("reference").is_some() {
            return None;
        }
        let identifier =
            reference.member("identifier").filter(|identifier| identifier.as_object().is_some())?;
        let declared = reference.member("type").and_then(Json::as_str);
        let types = TYPES.into_iter().filter(|name| declared.is_none_or(|declared| declared == *name));
        let mut found = types
            .filter_map(|name| identifier_key(name, identifier))
            .map(|key| self.index.identified(&key))
            .filter(|target| *target != Target::Nothing);
        match (found.next(), found.next()) {
            (Some(Target::One(position)), None) => Some(position),
            _ => None,
        }
    }

    fn position_of(&self, reference: &Json) -> Option<usize> {
        match self.index.resolve(reference.member("reference")?.as_str()?, self.place) {
            Target::One(position) => Some(position),
            _ => None,
        }
    }

    /// What a FHIR `Reference` names: by its text, else by its identifier. A text to show
    /// (`display`) names nobody for sure.
    fn named(&mut self, reference: &Json) -> Named {
        let Some(object) = reference.as_object() else { return Named::Unknown };
        let by_text = match object.member("reference") {
            None | Some(Json::Null) => Named::Unknown,
            Some(text) => text.as_str().map_or(Named::Unknown, |text| self.named_by(text)),
        };
        if !matches!(by_text, Named::Unknown) {
            return by_text;
        }
        let declared = object.member("type").and_then(Json::as_str);
        let resource_type = declared.and_then(|name| name.rsplit('/').next()).unwrap_or("Patient");
        let identifier = object.member("identifier");
        let key = identifier.and_then(|identifier| identifier_key(resource_type, identifier));
        match key.map(|key| self.index.identified(&key)) {
            None | Some(Target::Nothing) if resource_type != "Patient" => Named::Other,
            None => Named::Unknown,
            Some(target) => self.of_target(target),
        }
    }

    fn of_target(&self, target: Target) -> Named {
        match target {
            Target::One(position) if self.index.type_at(position) == Some("Patient") => {
                self.people.at(position).map_or(Named::Unknown, Named::Patient)
            }
            Target::One(position) => Named::Thing(position),
            Target::Few(few) => self.people.one_of(&few).map_or(Named::Unknown, Named::Patient),
            Target::Many | Target::Nothing => Named::Unknown,
        }
    }

    fn named_by(&mut self, text: &str) -> Named {
        if text.starts_with('#') {
            return self.contained(text);
        }
        let tidy = tidy(text);
        let target = self.index.resolve(&tidy, self.place);
        if target != Target::Nothing {
            return self.of_target(target);
        }
        if !tidy.contains(['/', ':', '?', '#']) {
            return self.of_target(self.index.with_id(&tidy, self.place.scope));
        }
        // As it is written, without a guess.
        match type_named(text) {
            Some("Patient") => Named::Patient(self.people.referred_to(absolute(text, self.place.address))),
            Some(_) => Named::Other,
            None => Named::Unknown,
        }
    }

    fn contained(&mut self, fragment: &str) -> Named {
        let Some(found) = contained(self.object, fragment) else { return Named::Unknown };
        let text = |name| found.member(name).and_then(Json::as_str);
        if text("resourceType") != Some("Patient") {
            return Named::Other;
        }
        let name = format!("{}{fragment}", self.name);
        let mention = self.people.contained(&name, content_of(found), map::person(found));
        mention.map_or(Named::Unknown, Named::Patient)
    }
}

/// What a contained resource says, whatever its id there and the order of its members.
fn content_of(object: &Object) -> Digest {
    let ignored = ["id", "meta", "text"];
    let mut members: Vec<_> = object
        .members()
        .iter()
        .filter(|(name, _)| !ignored.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}:{}", value.to_text()))
        .collect();
    members.sort_unstable();
    Digest::of(&[members.join("\n").as_bytes()])
}

/// A reference without white space around it, a slash in front, or `Patient` in other
/// letters: it is resolved in the input so, but never means anybody outside of it.
fn tidy(text: &str) -> String {
    let text = text.trim();
    let text = text.strip_prefix("./").or(text.strip_prefix('/')).unwrap_or(text);
    match text.split_once('/') {
        Some((name, id)) if name.eq_ignore_ascii_case("Patient") => format!("Patient/{id}"),
        _ => text.to_owned(),
    }
}

/// The type that a well-formed `Type/id` or `http…/Type/id` names.
fn type_named(reference: &str) -> Option<&str> {
    let plain = reference.split_once("/_history/").map_or(reference, |(plain, _)| plain);
    let is_address = plain.starts_with("http://") || plain.starts_with("https://");
    let (before, id) = plain.rsplit_once('/')?;
    let name = match is_address {
        true => before.rsplit('/').next()?,
        false => before,
    };
    let is_id = !id.is_empty()
        && id.len() <= 64
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
    let is_type = name.len() <= 64
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_id && is_type).then_some(name)
}
