//! FHIR as XML, read as the JSON that says the same (FHIR R4 sections 2.6.1 and 2.6.2).
//!
//! XML does not say which elements repeat, nor which values are numbers. Readers of FHIR take one
//! value for a list of one, and a text for a number, so only what tells versions apart, or what
//! nobody reads so, is made a list here. Nothing of a document is left out.

use std::collections::HashMap;

use super::json::{Json, Object};
use super::xml::{El, Inside, Space, XmlError, parse};

/// How a document of FHIR names itself.
const NAMESPACE: &str = "http://hl7.org/fhir";

/// Elements of data types and resources that repeat in every version of FHIR.
const LISTS: [&str; 16] = [
    "coding",
    "contained",
    "entry",
    "extension",
    "given",
    "identifier",
    "line",
    "manifestation",
    "modifierExtension",
    "participant",
    "prefix",
    "profile",
    "reaction",
    "security",
    "suffix",
    "tag",
];

/// Whether a text is FHIR as XML: whether its root is an element of FHIR.
pub(crate) fn is_fhir_xml(start: &[u8]) -> bool {
    let start = String::from_utf8_lossy(start);
    let mut rest = start.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    loop {
        // What stands before the root: the declaration, comments.
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ => break,
        };
        let Some((_, behind)) = rest.split_once(end) else { return false };
        rest = behind.trim_start();
    }
    let tag = rest.strip_prefix('<').and_then(|rest| rest.split('>').next()).unwrap_or_default();
    [format!("=\"{NAMESPACE}\""), format!("='{NAMESPACE}'")].iter().any(|said| tag.contains(said.as_str()))
}

/// Whether a text is XML at all, rather than JSON.
pub(crate) fn is_xml(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.trim_ascii_start().starts_with(b"<")
}

/// The resource of a document or of a part of one. Objects have the places of their elements.
///
/// # Errors
/// [`XmlError`] for what is not XML, has a document type or exceeds a limit.
pub(crate) fn to_json(text: &str) -> Result<Json, XmlError> {
    let tree = parse(text)?;
    Ok(resource(tree.root()))
}

fn resource(element: El<'_>) -> Json {
    let mut members = vec![("resourceType".to_owned(), Json::string(element.name()))];
    members.extend(members_of(element, element.name()));
    Json::Object(Object::at(members, element.span()))
}

/// What an element holds, each name once. It nests no deeper than the tree, which has a limit.
fn members_of(element: El<'_>, within: &str) -> Vec<(String, Json)> {
    let mut members: Vec<(String, Json)> = Vec::new();
    for (space, name, value) in element.attributes() {
        let is_declared = name == "xmlns" || matches!(space, Space::Xsi | Space::Other);
        if space == Space::None && !is_declared && name != "value" {
            members.push((name.to_owned(), Json::string(value)));
        }
    }
    let mut groups: Vec<(&str, Vec<El<'_>>)> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut words = String::new();
    for inside in element.inside() {
        match inside {
            Inside::Words(said) => words.push_str(said.trim()),
            Inside::Element(child) => {
                let at = *known.entry(child.name()).or_insert(groups.len());
                match groups.get_mut(at) {
                    Some((_, group)) => group.push(child),
                    None => groups.push((child.name(), vec![child])),
                }
            }
        }
    }
    for (name, group) in groups {
        let values: Vec<(Json, Json)> = group.iter().map(|child| value_of(*child, within)).collect();
        let is_list = values.len() > 1 || repeats(name, within, &values);
        let (plain, beside): (Vec<Json>, Vec<Json>) = values.into_iter().unzip();
        members.extend(member(name.to_owned(), plain, is_list));
        members.extend(member(format!("_{name}"), beside, is_list));
    }
    if !words.is_empty() {
        members.push(("words".to_owned(), Json::String(words)));
    }
    members
}

/// A member of these values, if one of them says anything.
fn member(name: String, mut values: Vec<Json>, is_list: bool) -> Option<(String, Json)> {
    if values.iter().all(|value| *value == Json::Null) {
        return None;
    }
    let value = if is_list { Json::Array(values) } else { values.swap_remove(0) };
    Some((name, value))
}

/// Whether an element is a list even where there is one.
fn repeats(name: &str, within: &str, values: &[(Json, Json)]) -> bool {
    let is_object = matches!(values.first(), Some((Json::Object(_), _)));
    match name {
        "category" => within != "Procedure",
        "name" => is_object && matches!(within, "Patient" | "Practitioner" | "RelatedPerson" | "Person"),
        // A list is told by its fields; `Encounter.class` and others differ between versions.
        _ => LISTS.binary_search(&name).is_ok(),
    }
}

/// The value of an element, and what is said of a plain one beside it.
fn value_of(element: El<'_>, within: &str) -> (Json, Json) {
    let name = element.name();
    if name == "div" {
        return (Json::string(element.bytes()), Json::Null);
    }
    let mut inside = element.elements();
    if let (Some(first), None) = (inside.next(), inside.next())
        && first.name().starts_with(|c: char| c.is_ascii_uppercase())
    {
        return (resource(first), Json::Null);
    }
    let value = element.attributes().find(|(space, name, _)| *space == Space::None && *name == "value");
    let members = members_of(element, name);
    let beside = |members: Vec<(String, Json)>| match members.is_empty() {
        true => Json::Null,
        false => Json::Object(Object::at(members, element.span())),
    };
    match value {
        Some((_, _, value)) => (plain(name, value), beside(members)),
        // Without a value it may be a plain one of which only is said why it has none.
        None if is_plain(name, within)
            && members.iter().all(|(name, _)| name == "extension" || name == "id") =>
        {
            (Json::Null, beside(members))
        }
        None => (beside(members), Json::Null),
    }
}

/// A plain value: yes and no where the element is not for texts.
fn plain(name: &str, value: &str) -> Json {
    const TEXTS: [&str; 14] = [
        "code",
        "comment",
        "contentString",
        "description",
        "display",
        "id",
        "name",
        "status",
        "system",
        "text",
        "title",
        "unit",
        "value",
        "version",
    ];
    let is_text = TEXTS.binary_search(&name).is_ok()
        || ["String", "Markdown", "Code", "Uri", "Id"].iter().any(|end| name.ends_with(end));
    match value {
        "true" if !is_text => Json::Bool(true),
        "false" if !is_text => Json::Bool(false),
        // How many matches a bundle has: the one number that is read as no text.
        _ if name == "total" && !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
            Json::Number(value.to_owned())
        }
        _ => Json::string(value),
    }
}

/// Whether an element of this name is a plain value, as far as its name says it.
fn is_plain(name: &str, within: &str) -> bool {
    const ENDS: [&str; 11] = [
        "Date", "DateTime", "String", "Boolean", "Integer", "Decimal", "Uri", "Code", "Instant", "Time",
        "Int",
    ];
    const NAMES: [&str; 18] = [
        "active",
        "authoredOn",
        "birthDate",
        "created",
        "date",
        "end",
        "family",
        "gender",
        "given",
        "intent",
        "issued",
        "line",
        "recorded",
        "start",
        "status",
        "text",
        "title",
        "unit",
    ];
    const PLAIN_WITHIN: [&str; 4] = ["coding", "identifier", "telecom", "valueQuantity"];
    NAMES.binary_search(&name).is_ok()
        || ENDS.iter().any(|end| name.ends_with(end))
        || PLAIN_WITHIN.contains(&within) && name != "type" && name != "period"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        to_json(text).unwrap().to_text()
    }

    #[test]
    fn the_tables_are_in_order() {
        assert!(LISTS.is_sorted());
    }

    #[test]
    fn elements_are_the_json_that_says_the_same() {
        let text = r#"<?xml version="1.0"?><Patient xmlns="http://hl7.org/fhir"><id value="1"/>
            <active value="true"/><name id="n"><given value="A"/><given><extension url="u"/></given>
            <text value="true"/></name><birthDate value="1970-01-01"><extension url="x"><valueInteger value="5"/>
            </extension></birthDate><contained><Basic><id value="b"/></Basic></contained>
            <multipleBirthInteger value="2"/></Patient>"#;
        let expected =
            r#"{"resourceType":"Patient","id":"1","active":true,"name":[{"id":"n","given":["A",null],"#
                .to_owned()
                + r#""_given":[null,{"extension":[{"url":"u"}]}],"text":"true"}],"birthDate":"1970-01-01","#
                + r#""_birthDate":{"extension":[{"url":"x","valueInteger":"5"}]},"#
                + r#""contained":[{"resourceType":"Basic","id":"b"}],"multipleBirthInteger":"2"}"#;
        assert_eq!(json(text), expected);
    }

    #[test]
    fn a_narrative_stays_as_it_is_and_nothing_is_left_out() {
        let text = r#"<Basic xmlns="http://hl7.org/fhir" odd="1"><text><status value="generated"/>
            <div xmlns="http://www.w3.org/1999/xhtml">a <b>c</b></div></text>words<code/></Basic>"#;
        let expected = r#"{"resourceType":"Basic","odd":"1","text":{"status":"generated","#.to_owned()
            + r#""div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a <b>c</b></div>"},"words":"words"}"#;
        assert_eq!(json(text), expected);
    }

    #[test]
    fn fhir_is_known_by_its_root() {
        for text in [
            "<Patient xmlns=\"http://hl7.org/fhir\"/>",
            "\u{feff} <?xml version='1.0'?>\n<!-- <a> --><f:Bundle xmlns:f='http://hl7.org/fhir'>",
        ] {
            assert!(is_fhir_xml(text.as_bytes()), "{text}");
        }
        for text in ["<ClinicalDocument xmlns='urn:hl7-org:v3'>http://hl7.org/fhir", "{}", "<!-- ", "<a"] {
            assert!(!is_fhir_xml(text.as_bytes()), "{text}");
        }
    }
}
