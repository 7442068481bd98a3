//! Names of kinds, fields and code systems for people.

use subrosa_base::codec::json::{Json, Object};
use subrosa_base::codec::spell::spell;
use subrosa_base::schema::{Kind, PROVENANCE};

/// The name of a kind for people; one that is not known, as it reads.
pub fn kind_label(name: &str) -> String {
    Kind::from_name(name).map_or_else(|| worded(name), |kind| kind.label().to_owned())
}

/// The name for people of a field of whatever kind, or of the provenance.
pub fn label(name: &str) -> String {
    let known = Kind::all().iter().find_map(|kind| kind.field(name)).map(|field| field.label);
    known.map_or_else(|| provenance_label(name), str::to_owned)
}

fn worded(name: &str) -> String {
    let words = spell(name).replace(['_', '-'], " ");
    let mut characters = words.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

/// The name of a field: one that the kind does not have is shown as it is written, so
/// that it cannot pass for another.
pub(super) fn field_label(kind: Option<Kind>, name: &str) -> String {
    match kind.and_then(|kind| kind.field(name)) {
        Some(field) => field.label.to_owned(),
        None => quoted(name),
    }
}

/// A name as it is written.
pub(super) fn quoted(name: &str) -> String {
    format!("“{}”", spell(name))
}

pub(super) fn provenance_label(name: &str) -> String {
    let known = PROVENANCE.iter().find(|field| field.name == name);
    known.map_or_else(|| format!("Provenance {}", quoted(name)), |field| field.label.to_owned())
}

/// The name of a code system for people: a name that it was given here, else as it is
/// written, in quotes where it is no address and could pass for such a name.
pub fn code_system(uri: &str) -> String {
    let known = match uri {
        "http://snomed.info/sct" => "SNOMED CT",
        "http://loinc.org" => "LOINC",
        "http://www.nlm.nih.gov/research/umls/rxnorm" => "RxNorm",
        "http://hl7.org/fhir/sid/icd-10-cm" => "ICD-10-CM",
        "http://hl7.org/fhir/sid/icd-10" => "ICD-10",
        "http://hl7.org/fhir/sid/icd-9-cm" => "ICD-9-CM",
        "http://hl7.org/fhir/sid/cvx" => "CVX",
        "http://hl7.org/fhir/sid/ndc" => "NDC",
        "http://www.ama-assn.org/go/cpt" => "CPT",
        "http://unitsofmeasure.org" => "UCUM",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    if let Some(name) = uri.strip_prefix("http://terminology.hl7.org/CodeSystem/") {
        return format!("HL7 {}", spell(name));
    }
    match uri.contains("://") || uri.starts_with("urn:") {
        true => spell(uri),
        false => quoted(uri),
    }
}

/// What an entry is about: what its first telling field says.
pub(super) fn title(fields: &Object) -> Option<String> {
    let telling = ["code", "instrument", "types", "reasons", "names", "name", "relationship", "title"];
    let words = telling.into_iter().find_map(|name| words(fields.member(name)?))?;
    Some(spell(&words))
}

fn words(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Array(items) => items.first().and_then(words),
        Json::Object(object) => concept_words(object).or_else(|| name_words(object)),
        _ => None,
    }
}

fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.member(name).and_then(Json::as_str)
}

fn concept_words(object: &Object) -> Option<String> {
    let codings = object.member("codings").and_then(Json::as_array).unwrap_or_default();
    let display = codings.iter().find_map(|coding| coding.member("display")?.as_str());
    display.or_else(|| text(object, "text")).map(str::to_owned)
}

fn name_words(object: &Object) -> Option<String> {
    let given = object.member("given").and_then(Json::as_array).unwrap_or_default();
    let words: Vec<&str> = given.iter().filter_map(Json::as_str).chain(text(object, "family")).collect();
    text(object, "text").map(str::to_owned).or_else(|| (!words.is_empty()).then(|| words.join(" ")))
}
