//! Names of kinds, fields and code systems for people.

use subrosa_base::codec::json::{Json, Object};
use subrosa_base::codec::spell::spell;
use subrosa_base::schema::{Kind, PROVENANCE};

/// Longest name of a kind, a field or a member.
pub const MAX_NAME: usize = 64;

/// Whether this may be the name of a kind, a field, or a member of what a field holds.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}

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

/// Code systems by what people call them.
const SYSTEMS: [(&str, &str); 10] = [
    ("http://snomed.info/sct", "SNOMED CT"),
    ("http://loinc.org", "LOINC"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "RxNorm"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "ICD-10-CM"),
    ("http://hl7.org/fhir/sid/icd-10", "ICD-10"),
    ("http://hl7.org/fhir/sid/icd-9-cm", "ICD-9-CM"),
    ("http://hl7.org/fhir/sid/cvx", "CVX"),
    ("http://hl7.org/fhir/sid/ndc", "NDC"),
    ("http://www.ama-assn.org/go/cpt", "CPT"),
    ("http://unitsofmeasure.org", "UCUM"),
];

/// What stands before the names of HL7's own code systems.
const HL7: &str = "http://terminology.hl7.org/CodeSystem/";

/// The name of a code system for people, in one line: a name that it was given here, else
/// as it is written, in quotes where it is no address and could pass for such a name. What
/// cannot be seen is not spelt yet.
pub fn code_system(uri: &str) -> String {
    if let Some((_, name)) = SYSTEMS.iter().find(|(known, _)| *known == uri) {
        return (*name).to_owned();
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match uri.strip_prefix(HL7) {
        Some(name) if !name.is_empty() && name.bytes().all(is_plain) => format!("HL7 {name}"),
        _ if is_address(uri) => uri.to_owned(),
        _ => format!("“{}”", in_one_line(uri)),
    }
}

/// Whether this is a scheme and then what addresses are written with (RFC 3986), without the
/// brackets that stand around codes.
fn is_address(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
    let is_rest = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&*+,;=%".contains(&byte);
    (scheme == "urn" || rest.starts_with("//"))
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_scheme)
        && rest.bytes().all(is_rest)
}

/// Whether words read as if a code of a known system stood behind them.
pub(super) fn seems_coded(words: &str) -> bool {
    let begins = |rest: &str| {
        let rest = rest.trim_start();
        let named = SYSTEMS.iter().map(|(_, name)| *name).chain(["HL7", "“"]);
        named.into_iter().any(|name| rest.starts_with(name)) || rest.starts_with("http")
    };
    words.split(['(', '（']).skip(1).any(begins)
}

/// The words with a space for each line break.
pub(super) fn in_one_line(words: &str) -> String {
    words.replace("\r\n", "\n").replace('\n', " ")
}

/// What an entry is about: what its first telling field says, as it is written.
pub(super) fn title(fields: &Object) -> Option<String> {
    let telling = ["code", "instrument", "types", "reasons", "names", "name", "relationship", "title"];
    telling.into_iter().find_map(|name| words(fields.member(name)?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_stands_for_a_code_system_without_quotes() {
        for uri in ["urn:oid:1.2.3", "https://clinic.example/codes?a=b", "http://hl7.org/fhir/x"] {
            assert_eq!(code_system(uri), uri);
        }
        assert_eq!(code_system("http://terminology.hl7.org/CodeSystem/v3-ActCode"), "HL7 v3-ActCode");
        for words in [
            "LOINC",
            "LOINC 94500-6 official://x",
            "LOINC 94500-6 official:// x",
            "urn: LOINC 1",
            "http://a (LOINC 1)",
            "http://terminology.hl7.org/CodeSystem/x) positive (y",
            "://x",
            "",
        ] {
            assert_eq!(code_system(words), format!("“{words}”"));
        }
        assert_eq!(code_system("a\r\nb\nc"), "“a b c”");
    }

    #[test]
    fn words_that_read_like_a_code_are_told_from_other_words() {
        for words in ["HIV (ICD-10-CM B20)", "x ( SNOMED CT 1)", "(LOINC 1) y", "x (HL7 y z)"] {
            assert!(seems_coded(words), "{words}");
        }
        for words in ["Asthma (disorder)", "LOINC 1", "Glucose [Mass/volume] in Blood", "a (b) c"] {
            assert!(!seems_coded(words), "{words}");
        }
    }

    #[test]
    fn a_name_is_short_and_plain() {
        let longest = "x".repeat(MAX_NAME);
        for name in ["a", "z", "0", "9", "-", "_", "clinical_status", "x-1", &longest] {
            assert!(is_name(name), "{name}");
        }
        let too_long = "x".repeat(MAX_NAME + 1);
        for name in ["", "A", "Code", "a b", "a.b", "é", "a\0", "<b>", &too_long] {
            assert!(!is_name(name), "{name}");
        }
    }
}
