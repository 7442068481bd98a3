//! The patient, and those who provide care.

use super::super::types::{
    Fhir, address, all, by, concept, date, date_time, identifier, name, needed, one, parties, string,
    telecoms, token, word,
};
use super::super::written::Written;
use crate::codec::json::Json;
use crate::record::{Concept, Party, Patient, Provider, Token};

const GENDER: [&str; 4] = ["male", "female", "other", "unknown"];
const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/";

fn extension(url: &str, name: &str, value: Option<Json>) -> Option<Json> {
    Some(Fhir::default().with("url", Json::string(url)).with(name, value?).json())
}

pub(super) fn patient(written: &Written<'_>, record: &Patient) -> Json {
    let birth_sex = word(record.birth_sex.as_ref(), &["M", "F", "UNK", "OTH"]);
    let race = |url: &str, found: &[Concept]| {
        let title = found.first().and_then(Concept::title).and_then(string)?;
        let text = extension("text", "valueString", Some(title));
        let outer = Fhir::default().with("url", Json::string(format!("{US_CORE}{url}")));
        Some(outer.list("extension", text).json())
    };
    let birth_place = record.birth_place.as_ref().and_then(address);
    let identity = record.gender_identity.as_ref().and_then(concept);
    let extensions = [
        race("us-core-race", &record.races),
        race("us-core-ethnicity", &record.ethnicities),
        extension(&format!("{US_CORE}us-core-birthsex"), "valueCode", birth_sex),
        extension(&format!("{US_CORE}us-core-genderIdentity"), "valueCodeableConcept", identity),
        extension("http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "valueAddress", birth_place),
    ];
    let language = |(at, concept): (usize, Json)| {
        let preferred = (at == 0).then_some(Json::Bool(true));
        Fhir::default().with("language", concept).with("preferred", preferred).json()
    };
    let resource = written
        .begin("Patient")
        .list("extension", extensions.into_iter().flatten())
        .list("identifier", record.identifiers.iter().filter_map(identifier))
        .with("active", record.active.map(Json::Bool))
        .list("name", record.names.iter().filter_map(name))
        .list("telecom", telecoms(&record.telecoms))
        .with("gender", word(record.gender.as_ref(), &GENDER))
        .with("birthDate", date(record.birth_date.as_ref()));
    let resource = match (record.deceased_date.as_ref(), record.deceased) {
        (time @ Some(_), _) => resource.with("deceasedDateTime", date_time(time)),
        (None, said) => resource.with("deceasedBoolean", said.map(Json::Bool)),
    };
    resource
        .list("address", record.addresses.iter().filter_map(address))
        .with("maritalStatus", one(record.marital_status.as_ref()))
        .list("photo", record.photos.iter().filter_map(|photo| written.file(photo)))
        .list("contact", record.contacts.iter().filter_map(|who| contact(who, "relationship", true)))
        .list("communication", all(&record.languages).enumerate().map(language))
        .list("generalPractitioner", parties(&record.general_practitioners))
        .with("managingOrganization", by(record.managing_organization.as_ref()))
        .json()
}

/// Whom to call. Pat-1: a contact has a name or a way to reach it.
fn contact(who: &Party, role_is: &str, repeats: bool) -> Option<Json> {
    let named = token(who.name.as_ref()).map(|text| Fhir::default().with("text", text).json());
    let role = who.role.as_ref().and_then(|role| string(role.as_str()));
    let role = role.map(|text| Fhir::default().with("text", text).json());
    let ways: Vec<Json> = telecoms(&who.contact).collect();
    if named.is_none() && ways.is_empty() {
        return None;
    }
    let role = match (role, repeats) {
        (Some(role), true) => Some(Json::Array(vec![role])),
        (role, _) => role,
    };
    Some(Fhir::default().with(role_is, role).with("name", named).list("telecom", ways).json())
}

pub(super) fn provider(written: &Written<'_>, record: &Provider) -> Json {
    match record.form.as_ref().map(Token::as_str) {
        Some("practitioner-role") => practitioner_role(written, record),
        Some("location") => location(written, record),
        Some("practitioner") => practitioner(written, record),
        Some("organization") => organization(written, record),
        _ if !record.names.is_empty() || record.birth_date.is_some() || record.gender.is_some() => {
            practitioner(written, record)
        }
        _ => organization(written, record),
    }
}

fn practitioner(written: &Written<'_>, record: &Provider) -> Json {
    let named = record.name.as_ref().filter(|_| record.names.is_empty());
    let named = named.and_then(|text| Fhir::default().with("text", token(Some(text))).said());
    let qualification = |found: &Concept| Fhir::default().with("code", needed(Some(found))).json();
    written
        .begin("Practitioner")
        .list("identifier", record.identifiers.iter().filter_map(identifier))
        .with("active", record.active.map(Json::Bool))
        .list("name", record.names.iter().filter_map(name).chain(named))
        .list("telecom", telecoms(&record.telecoms))
        .list("address", record.addresses.iter().filter_map(address))
        .with("gender", word(record.gender.as_ref(), &GENDER))
        .with("birthDate", date(record.birth_date.as_ref()))
        .list("qualification", record.specialties.iter().chain(&record.types).map(qualification))
        .list("communication", all(&record.languages))
        .json()
}

fn practitioner_role(written: &Written<'_>, record: &Provider) -> Json {
    let shown = |text: Option<&Token>| Fhir::default().with("display", token(text)).said();
    written
        .begin("PractitionerRole")
        .list("identifier", record.identifiers.iter().filter_map(identifier))
        .with("active", record.active.map(Json::Bool))
        .with("practitioner", shown(record.name.as_ref()))
        .with("organization", by(record.part_of.as_ref()))
        .list("code", all(&record.types))
        .list("specialty", all(&record.specialties))
        .list("telecom", telecoms(&record.telecoms))
        .json()
}

fn organization(written: &Written<'_>, record: &Provider) -> Json {
    let named = token(record.name.as_ref());
    // Org-1: an organization has a name or a number.
    let needs_name = named.is_none() && record.identifiers.iter().filter_map(identifier).next().is_none();
    let named = named.or_else(|| needs_name.then(|| Json::string("not said")));
    // Org-2 and org-3: an address or a number of an organization is never a home.
    let is_home = |json: &Json| json.member("use").and_then(Json::as_str) == Some("home");
    written
        .begin("Organization")
        .list("identifier", record.identifiers.iter().filter_map(identifier))
        .with("active", record.active.map(Json::Bool))
        .list("type", all(&record.types).chain(all(&record.specialties)))
        .with("name", named)
        .list("telecom", telecoms(&record.telecoms).filter(|json| !is_home(json)))
        .list("address", record.addresses.iter().filter_map(address).filter(|json| !is_home(json)))
        .with("partOf", by(record.part_of.as_ref()))
        .list("contact", record.contacts.iter().filter_map(|who| contact(who, "purpose", false)))
        .json()
}

fn location(written: &Written<'_>, record: &Provider) -> Json {
    written
        .begin("Location")
        .list("identifier", record.identifiers.iter().filter_map(identifier))
        .with("name", token(record.name.as_ref()))
        .list("type", all(&record.types).chain(all(&record.specialties)))
        .list("telecom", telecoms(&record.telecoms))
        .with("address", record.addresses.first().and_then(address))
        .with("managingOrganization", by(record.part_of.as_ref()))
        .json()
}
