//! The tables of `docs/import-fhir.md` are what the import does.

use serde_json::{Value, json};
use subrosa::{Entry, Import, ImportOptions};

/// A row: a section, an element, what it holds, and the kind and field that it becomes.
struct Row {
    section: String,
    element: String,
    holds: String,
    kind: String,
    field: String,
}

fn between(text: &str) -> String {
    text.trim().trim_matches('`').to_owned()
}

fn rows() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/import-fhir.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = Vec::new();
    for section in text.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap();
        let kind = section.split("Kind `").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
        for line in section.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split('|').collect();
            for element in cells[1].split(',') {
                rows.push(Row {
                    section: heading.to_owned(),
                    element: between(element),
                    holds: cells[2].trim().to_owned(),
                    kind: kind.to_owned(),
                    field: between(cells[3]),
                });
            }
        }
    }
    rows
}

/// The resource of a section, without what its rows say.
fn base(section: &str) -> Value {
    let name = section.split([' ', ',']).next().unwrap();
    let mut resource = json!({"resourceType": name, "id": "x"});
    let (member, value) = match section {
        "Encounter of an inpatient class" => ("class", json!({"code": "IMP"})),
        "Observation of an instrument" => {
            ("code", json!({"coding": [{"system": "http://loinc.org", "code": "44249-1"}]}))
        }
        "Observation of the use of a substance" => {
            ("code", json!({"coding": [{"system": "http://loinc.org", "code": "74013-4"}]}))
        }
        "DiagnosticReport of a laboratory" => ("result", json!([{"reference": "Observation/1"}])),
        "DocumentReference of a directive" => {
            ("type", json!({"coding": [{"system": "http://loinc.org", "code": "42348-3"}]}))
        }
        _ => return resource,
    };
    resource[member] = value;
    resource
}

fn sample(holds: &str) -> Value {
    let (sort, word) = match holds.split_once(' ') {
        Some((sort, word)) => (sort, Some(word.trim_matches('`'))),
        None => (holds, None),
    };
    match (sort, word) {
        ("concept", Some(word)) => json!({"coding": [{"code": word}]}),
        ("concept", None) => json!({"text": "sample"}),
        ("coding", _) => json!({"code": "sample", "display": "sample"}),
        ("code", word) => json!(word.unwrap_or("sample")),
        ("text", _) => json!("sample"),
        ("date", _) => json!("2020-01-02"),
        ("boolean", _) => json!(true),
        ("number", _) => json!(7),
        ("quantity", _) => json!({"value": 7, "unit": "a"}),
        ("reference", _) => json!({"reference": "Encounter/1", "display": "sample"}),
        ("annotation" | "name", _) => json!({"text": "sample"}),
        ("identifier", _) => json!({"system": "urn:x", "value": "sample"}),
        ("address", _) => json!({"city": "sample"}),
        ("telecom", _) => json!({"system": "phone", "value": "sample"}),
        ("attachment", _) => json!({"contentType": "text/plain", "data": "SGk="}),
        other => panic!("{other:?} is no sort of value"),
    }
}

/// The resource with a value at a path of names.
fn with(mut resource: Value, path: &str, value: Value) -> Value {
    let mut at = &mut resource;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            at[name] = value;
            break;
        }
        if !at[name].is_object() {
            at[name] = json!({});
        }
        at = &mut at[name];
    }
    resource
}

fn entry(resource: &Value) -> Entry {
    let mut import = Import::new(ImportOptions::default());
    import.read(None, resource.to_string().as_bytes()).unwrap();
    import.finish().unwrap().entries.remove(0).entry
}

#[test]
fn every_row_of_the_fhir_tables_is_what_an_import_does() {
    let rows = rows();
    assert!(rows.len() > 500, "{} rows", rows.len());
    let mut wrong = Vec::new();
    // What holds in brackets needs more than one element.
    for row in rows.iter().filter(|row| !row.holds.starts_with('(')) {
        let without = base(&row.section);
        let resource = with(without.clone(), &row.element, sample(&row.holds));
        let (without, with) = (entry(&without), entry(&resource));
        let has = with.record.fields().iter().any(|field| field.name == row.field);
        let is_new = with.record != without.record && has;
        if with.kind().name() != row.kind || !is_new {
            wrong.push(format!("{}: {} is not {}.{}", row.section, row.element, row.kind, row.field));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What no row says because every entry of a kind has it, or because this program chooses it.
const UNSAID: [&str; 3] = ["resource_type", "form", "recorded"];

#[test]
fn every_field_of_a_real_record_is_in_a_row_of_its_type() {
    let rows = rows();
    let mut missing = std::collections::BTreeSet::new();
    for resource in crate::meaning::resources() {
        let name = resource["resourceType"].as_str().unwrap_or_default().to_owned();
        let is_of = |row: &&Row| row.section.split([' ', ',']).any(|word| word == name);
        if !rows.iter().any(|row| is_of(&row)) {
            continue;
        }
        let mut import = Import::new(ImportOptions::default());
        if import.read(None, resource.to_string().as_bytes()).is_err() {
            continue;
        }
        let Some(entry) = import.finish().unwrap().entries.pop() else { continue };
        let kind = entry.entry.kind().name();
        for field in entry.entry.record.fields().iter().filter(|field| !UNSAID.contains(&field.name)) {
            let is_said = rows.iter().filter(is_of).any(|row| row.kind == kind && row.field == field.name);
            if !is_said {
                missing.insert(format!("{name}: {kind}.{}", field.name));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
