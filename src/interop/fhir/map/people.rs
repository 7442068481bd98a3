//! Patient, Practitioner, PractitionerRole, Organization, Location.

use super::super::element::Element;
use super::words::word;
use crate::record::{Concept, Party, Patient, Provider, Record, Token};

const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/";

pub(super) fn patient(root: &Element<'_>) -> Record {
    for link in root.elements("link") {
        if !matches!(link.plain("type"), Some("seealso" | "replaces")) {
            link.not_understood("type");
        }
    }
    let birth_sex = us_core(root, "us-core-birthsex").and_then(|extension| extension.token("valueCode"));
    let gender_identity = us_core(root, "us-core-genderIdentity");
    Patient {
        names: root.names("name"),
        identifiers: root.identifiers("identifier"),
        birth_date: root.date("birthDate"),
        gender: root.token("gender"),
        birth_sex,
        addresses: root.addresses("address"),
        telecoms: root.telecoms("telecom"),
        marital_status: root.concept("maritalStatus"),
        languages: languages(root),
        deceased: root.boolean("deceasedBoolean").or(root.has("deceasedDateTime").then_some(true)),
        deceased_date: root.date("deceasedDateTime"),
        races: us_core_concepts(root, "us-core-race"),
        ethnicities: us_core_concepts(root, "us-core-ethnicity"),
        contacts: contacts(root),
        general_practitioners: root.parties("generalPractitioner"),
        managing_organization: root.party("managingOrganization"),
        active: root.boolean("active"),
        photos: root.attachments("photo"),
        gender_identity: gender_identity.and_then(|extension| extension.concept("valueCodeableConcept")),
        birth_place: birth_place(root),
    }
    .into()
}

pub(super) fn practitioner(root: &Element<'_>) -> Record {
    Provider {
        form: word("practitioner"),
        names: root.names("name"),
        identifiers: root.identifiers("identifier"),
        telecoms: root.telecoms("telecom"),
        addresses: root.addresses("address"),
        specialties: root.elements("qualification").iter().filter_map(|item| item.concept("code")).collect(),
        active: root.boolean("active"),
        gender: root.token("gender"),
        birth_date: root.date("birthDate"),
        languages: root.concepts("communication"),
        ..Provider::default()
    }
    .into()
}

pub(super) fn practitioner_role(root: &Element<'_>) -> Record {
    Provider {
        form: word("practitioner-role"),
        name: root.party("practitioner").and_then(|party| party.name),
        identifiers: root.identifiers("identifier"),
        telecoms: root.telecoms("telecom"),
        types: root.concepts("code"),
        specialties: root.concepts("specialty"),
        active: root.boolean("active"),
        part_of: root.party("organization"),
        ..Provider::default()
    }
    .into()
}

pub(super) fn organization(root: &Element<'_>) -> Record {
    Provider {
        form: word("organization"),
        name: root.token("name"),
        identifiers: root.identifiers("identifier"),
        telecoms: root.telecoms("telecom"),
        addresses: root.addresses("address"),
        types: root.concepts("type"),
        active: root.boolean("active"),
        part_of: root.party("partOf"),
        contacts: contacts(root),
        ..Provider::default()
    }
    .into()
}

pub(super) fn location(root: &Element<'_>) -> Record {
    Provider {
        form: word("location"),
        name: root.token("name"),
        identifiers: root.identifiers("identifier"),
        telecoms: root.telecoms("telecom"),
        addresses: root.addresses("address"),
        types: root.concepts("type"),
        part_of: root.party("managingOrganization"),
        ..Provider::default()
    }
    .into()
}

/// The preferred language first.
fn languages(root: &Element<'_>) -> Vec<Concept> {
    let mut spoken = root.elements("communication");
    spoken.sort_by_key(|item| !item.is_true("preferred"));
    spoken.iter().filter_map(|item| item.concept("language")).collect()
}

fn contacts(root: &Element<'_>) -> Vec<Party> {
    let read = |contact: &Element<'_>| Party {
        name: contact.names("name").iter().find_map(|name| Token::new(name.to_line()?).ok()),
        role: role(contact),
        contact: contact.telecoms("telecom"),
        ..Party::default()
    };
    root.elements("contact").iter().map(read).filter(|party| *party != Party::default()).collect()
}

fn role(contact: &Element<'_>) -> Option<Token> {
    let relation = contact.concepts("relationship").into_iter().chain(contact.concept("purpose")).next()?;
    relation.title().and_then(|title| Token::new(title).ok())
}

fn extension<'a>(root: &Element<'a>, url: &str) -> Option<Element<'a>> {
    root.elements("extension").into_iter().find(|extension| extension.plain("url") == Some(url))
}

fn us_core<'a>(root: &Element<'a>, name: &str) -> Option<Element<'a>> {
    extension(root, &format!("{US_CORE}{name}"))
}

/// Race and ethnicity: categories, details and a text, each an extension of its own.
fn us_core_concepts(root: &Element<'_>, name: &str) -> Vec<Concept> {
    let Some(outer) = us_core(root, name) else {
        return Vec::new();
    };
    let parts = outer.elements("extension");
    let mut concepts: Vec<_> =
        parts.iter().flat_map(|part| part.codings("valueCoding")).map(Concept::from_coding).collect();
    let text = parts.iter().find(|part| part.plain("url") == Some("text"));
    if let (true, Some(text)) = (concepts.is_empty(), text) {
        concepts.extend(text.token("valueString").map(Concept::from_text));
    }
    concepts
}

fn birth_place(root: &Element<'_>) -> Option<crate::record::Address> {
    let place = extension(root, "http://hl7.org/fhir/StructureDefinition/patient-birthPlace")?;
    place.addresses("valueAddress").into_iter().next()
}
