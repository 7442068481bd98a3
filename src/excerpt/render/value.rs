//! Disclosed values in words.
//!
//! Known shapes read as people write them; any other shape is shown member by
//! member, so that nothing disclosed is ever left out of the page.

use super::escape::escape;
use crate::codec::json::{Json, Object};

/// Longest base64 text of an attachment that is shown rather than described.
const SHOWN_DATA: usize = 256;

/// The name of a kind or field for people.
pub(super) fn label(name: &str) -> String {
    let known = match name {
        "code" => "Coded as",
        "onset" => "Began",
        "onset_latest" => "Began at the latest",
        "onset_text" => "Began, in words",
        "abatement" => "Ended",
        "abatement_text" => "Ended, in words",
        "names" => "Name",
        "birth_date" => "Date of birth",
        "telecoms" => "Telephone, e-mail",
        "born" => "Born",
        "data" => "Content",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let words = name.replace(['_', '-'], " ");
    let mut characters = words.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

/// The name of a code system for people.
pub(super) fn code_system(uri: &str) -> &str {
    match uri {
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
        other => other.strip_prefix("http://terminology.hl7.org/CodeSystem/").unwrap_or(other),
    }
}

/// A heading for an entry: what its first telling field says.
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

/// Writes a value as HTML.
pub(super) fn write_value(out: &mut String, value: &Json) {
    match value {
        Json::Null => out.push_str("none"),
        Json::Bool(true) => out.push_str("yes"),
        Json::Bool(false) => out.push_str("no"),
        Json::Number(number) => out.push_str(&escape(number)),
        Json::String(text) => out.push_str(&escape(text)),
        Json::Array(items) => write_array(out, items),
        Json::Object(object) => write_object(out, object),
    }
}

fn write_array(out: &mut String, items: &[Json]) {
    if let [only] = items {
        return write_value(out, only);
    }
    out.push_str("<ul>");
    for item in items {
        out.push_str("<li>");
        write_value(out, item);
        out.push_str("</li>");
    }
    out.push_str("</ul>");
}

fn write_object(out: &mut String, object: &Object) {
    let known = [date, concept, coding, quantity, component, name, party];
    match known.into_iter().find_map(|known| known(object)) {
        Some(html) => out.push_str(&html),
        None => write_members(out, object),
    }
}

/// Any object: its members by name.
fn write_members(out: &mut String, object: &Object) {
    let mut members: Vec<_> = object.members().iter().collect();
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    out.push_str("<dl>");
    for (name, value) in members {
        out.push_str(&format!("<dt>{}</dt><dd>", escape(&label(name))));
        match value {
            Json::String(data) if name == "data" && data.len() > SHOWN_DATA => {
                out.push_str(&format!("{} characters of base64, in this file", data.len()));
            }
            value => write_value(out, value),
        }
        out.push_str("</dd>");
    }
    out.push_str("</dl>");
}

/// Whether the object is not empty and has no member beside these.
fn has_only(object: &Object, names: &[&str]) -> bool {
    let members = object.members();
    !members.is_empty() && members.iter().all(|(name, _)| names.contains(&name.as_str()))
}

/// The member, if it is a text; an object with another sort of member is not the
/// known shape.
fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.member(name).and_then(Json::as_str)
}

fn all_texts(object: &Object) -> bool {
    object.members().iter().all(|(_, value)| value.as_str().is_some())
}

fn date(object: &Object) -> Option<String> {
    if !has_only(object, &["date", "year"]) || !all_texts(object) {
        return None;
    }
    Some(match (text(object, "date"), text(object, "year")) {
        (Some(date), None) => escape(&date.replacen('T', " ", 1)),
        (None, Some(year)) => format!("{} <small>(year only)</small>", escape(year)),
        _ => return None,
    })
}

fn concept(object: &Object) -> Option<String> {
    if !has_only(object, &["codings", "text"]) {
        return None;
    }
    let codings = object.member("codings").map_or(Some([].as_slice()), Json::as_array)?;
    if object.member("text").is_some_and(|text| text.as_str().is_none()) {
        return None;
    }
    let spoken = text(object, "text");
    let mut html = spoken.map_or(String::new(), escape);
    for item in codings {
        let coding = coding_html(item.as_object()?, spoken)?;
        if !html.is_empty() {
            html.push_str("<br>");
        }
        html.push_str(&coding);
    }
    Some(html)
}

fn coding(object: &Object) -> Option<String> {
    coding_html(object, None)
}

/// A coding; its display is not repeated when it was just said.
fn coding_html(object: &Object, spoken: Option<&str>) -> Option<String> {
    if !has_only(object, &["system", "version", "code", "display"]) || !all_texts(object) {
        return None;
    }
    let display = text(object, "display").filter(|display| Some(*display) != spoken);
    let system = text(object, "system").map(code_system);
    let version = text(object, "version").map(|version| format!("version {version}"));
    let code = [system, version.as_deref(), text(object, "code")];
    let code = code.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let code = format!("<small>{}</small>", escape(&code));
    Some(display.map_or(String::new(), |display| format!("{} ", escape(display))) + &code)
}

fn quantity(object: &Object) -> Option<String> {
    let parts = ["comparator", "value", "unit", "system", "code"];
    if !has_only(object, &parts) || !all_texts(object) || text(object, "value").is_none() {
        return None;
    }
    let unit = text(object, "unit").or_else(|| text(object, "code"));
    let amount = [text(object, "comparator"), text(object, "value"), unit];
    let amount = amount.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let code = [text(object, "system").map(code_system), text(object, "code")];
    let code = code.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let code = if code.is_empty() { code } else { format!(" <small>{}</small>", escape(&code)) };
    Some(escape(&amount) + &code)
}

fn component(object: &Object) -> Option<String> {
    if !has_only(object, &["code", "value"]) {
        return None;
    }
    let asked = object.member("code")?.as_object()?;
    let mut html = concept(asked)?;
    if let Some(value) = object.member("value") {
        html.push_str(": <strong>");
        write_value(&mut html, value);
        html.push_str("</strong>");
    }
    Some(html)
}

fn name(object: &Object) -> Option<String> {
    let parts = ["purpose", "text", "family", "given", "prefix", "suffix"];
    let named = object.member("family").is_some() || object.member("given").is_some();
    if !has_only(object, &parts) || !named {
        return None;
    }
    let purpose = text(object, "purpose").map(|purpose| format!(" <small>({})</small>", escape(purpose)));
    let line = name_line(object)?;
    let spelt = text(object, "text").filter(|spelt| *spelt != line);
    let spelt = spelt.map_or(String::new(), |spelt| format!("{}, in parts: ", escape(spelt)));
    Some(spelt + &escape(&line) + &purpose.unwrap_or_default())
}

fn name_line(object: &Object) -> Option<String> {
    let mut words = Vec::new();
    for part in ["prefix", "given", "family", "suffix"] {
        match object.member(part) {
            None => {}
            Some(Json::String(text)) => words.push(text.as_str()),
            Some(Json::Array(items)) => {
                for item in items {
                    words.push(item.as_str()?);
                }
            }
            Some(_) => return None,
        }
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn name_words(object: &Object) -> Option<String> {
    text(object, "text").map(str::to_owned).or_else(|| name_line(object))
}

fn concept_words(object: &Object) -> Option<String> {
    let codings = object.member("codings").and_then(Json::as_array).unwrap_or_default();
    let display = codings.iter().find_map(|coding| coding.member("display")?.as_str());
    display.or_else(|| text(object, "text")).map(str::to_owned)
}

fn party(object: &Object) -> Option<String> {
    if !has_only(object, &["name", "role"]) || !all_texts(object) {
        return None;
    }
    let name = text(object, "name")?;
    let role =
        text(object, "role").map_or(String::new(), |role| format!(" <small>({})</small>", escape(role)));
    Some(escape(name) + &role)
}
