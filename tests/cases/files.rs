//! Files inside records: what the source says of one is held against its bytes.

use serde_json::{Value, json};
use subrosa::interop::{FindingGroup, FindingReason, Imported, ImportedEntry};
use subrosa::record::Card;
use subrosa::release::{Audience, Candidate};
use subrosa::vault::Compartment;
use subrosa::{Entry, EntryId, Import, ImportOptions, Kind, Policy};

fn imported(resource: &Value) -> Imported {
    let mut import = Import::new(ImportOptions::default());
    let patient = json!({"resourceType": "Patient", "id": "p", "name": [{"text": "Ada"}]});
    let bundle = json!({"resourceType": "Bundle", "type": "collection",
        "entry": [{"resource": patient}, {"resource": resource}]});
    import.read(Some("letter.json"), bundle.to_string().as_bytes()).unwrap();
    import.finish().unwrap()
}

fn letter(attachment: &Value) -> Value {
    json!({"resourceType": "DocumentReference", "id": "d", "status": "current", "subject": {"reference": "Patient/p"},
        "description": "A letter", "content": [{"attachment": attachment}]})
}

fn note(imported: &Imported) -> Entry {
    let of_kind = |item: &&ImportedEntry| item.entry.kind() == Kind::Note;
    imported.entries.iter().find(of_kind).unwrap().entry.clone()
}

fn found(imported: &Imported, reason: FindingReason) -> Vec<&str> {
    let findings = imported.findings.iter().filter(|finding| finding.reason == reason);
    findings.map(|finding| finding.path.as_str()).collect()
}

/// What an excerpt with everything says of the file.
fn described(entry: &Entry) -> Value {
    let id = EntryId::from_bytes([1; 16]);
    let policy = Policy::only([id]).for_audience(Audience::Patient).include("attachments").unwrap();
    let view = policy.apply(&[Candidate::new(id, Compartment::General, entry)]);
    let claims: Value = serde_json::from_str(&view.released()[0].disclosed_json()).unwrap();
    claims["fields"]["attachments"][0].clone()
}

const PATH: &str = "DocumentReference.content.attachment";

#[test]
fn a_file_that_cannot_be_decoded_is_reported_and_described_as_none() {
    for data in [json!("%%%"), json!("RGVhciBB\nZGEh!"), json!("QQ"), json!(7), json!(["QQ=="])] {
        let taken =
            imported(&letter(&json!({"title": "Letter", "data": data, "size": 9, "url": "http://x.org/a"})));
        assert_eq!(found(&taken, FindingReason::FileDamaged), [format!("{PATH}.data")], "{data}");
        let entry = note(&taken);
        assert!(!Card::of(&entry).flags.attachment && !Card::of(&entry).flags.elsewhere, "{data}");
        assert_eq!(described(&entry), json!({"title": "Letter"}), "{data}");
    }
    let group = imported(&letter(&json!({"data": "%"}))).findings;
    let grave = group.iter().find(|finding| finding.reason == FindingReason::FileDamaged).unwrap();
    assert_eq!(grave.group(), FindingGroup::ChangesMeaning);
}

#[test]
fn a_length_or_digest_of_another_file_is_reported_and_never_released() {
    // "Dear Ada!", its SHA-1 and that of nothing.
    let (data, sha1, other) =
        ("RGVhciBB\r\nZGEh", "xQ6wNhro5SQ02nNz2L37Aw1xA+M=", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    for (attachment, wrong) in [
        (json!({"data": data, "size": 9}), vec![]),
        (json!({"data": data, "size": "9"}), vec![]),
        (json!({"data": data, "size": 12}), vec!["size"]),
        (json!({"data": data, "size": "nine"}), vec!["size"]),
        (json!({"data": data, "hash": other}), vec!["hash"]),
        (json!({"data": data, "hash": sha1, "size": 8}), vec!["size"]),
    ] {
        let taken = imported(&letter(&attachment));
        let entry = note(&taken);
        let wrong: Vec<String> = wrong.iter().map(|name| format!("{PATH}.{name}")).collect();
        assert_eq!(found(&taken, FindingReason::FileDiffers), wrong, "{attachment}");
        let file = described(&entry);
        assert_eq!((&file["size"], &file["data"]), (&json!(9), &json!("RGVhciBBZGEh")), "{attachment}");
        assert!(Card::of(&entry).flags.attachment);
    }
}

#[test]
fn a_file_that_is_only_referred_to_is_none_of_the_vault() {
    let entry = note(&imported(&letter(&json!({"url": "http://example.org/scan.pdf", "size": 5}))));
    let flags = Card::of(&entry).flags;
    assert!(flags.elsewhere && !flags.attachment);
    assert_eq!(described(&entry), json!({"url": "http://example.org/scan.pdf", "size": 5}));
}

/// The attachments that hold data, with the resources around them.
fn with_data(value: &mut Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| with_data(item, found)),
        Value::Object(members) => {
            let holds = |value: &Value| value["attachment"]["data"].is_string();
            if members.get("content").and_then(Value::as_array).is_some_and(|all| all.iter().any(holds)) {
                found.push(Value::Object(members.clone()));
            }
            members.values_mut().for_each(|member| with_data(member, found));
        }
        _ => {}
    }
}

#[test]
fn real_files_are_described_as_they_are_and_damage_to_any_is_found() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let mut letters = Vec::new();
    for name in ["fhir-bundles", "fhir-ips", "fhir-r4-examples"] {
        let Ok(files) = std::fs::read_dir(folder.join(name)) else {
            eprintln!("SKIPPED: ../shared/data/{name} is absent");
            continue;
        };
        for file in files.map(|file| file.unwrap().path()) {
            let json = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let Some(mut json) = json else { continue };
            with_data(&mut json, &mut letters);
        }
    }
    letters.retain(|letter| letter["resourceType"] == "DocumentReference");
    letters.truncate(60);
    for letter in &mut letters {
        letter["subject"] = json!({"reference": "Patient/p"});
        let whole = imported(letter);
        assert!(found(&whole, FindingReason::FileDamaged).is_empty(), "{}", letter["id"]);
        let data = letter["content"][0]["attachment"]["data"].as_str().unwrap_or_default().to_owned();
        if data.len() < 8 {
            continue;
        }
        letter["content"][0]["attachment"]["data"] = json!(data[..data.len() - 3]);
        assert_eq!(found(&imported(letter), FindingReason::FileDamaged).len(), 1, "{}", letter["id"]);
    }
    if folder.exists() {
        assert!(!letters.is_empty(), "real records hold files");
    }
}
