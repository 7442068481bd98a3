//! Files that their source keeps in resources of their own (FHIR `Binary`): they are kept,
//! found, handed out and destroyed with what refers to them.

use std::io::Read as _;

use serde_json::{Value, json};
use subrosa::interop::{FindingReason, Imported, Piece};
use subrosa::record::Location;
use subrosa::release::Candidate;
use subrosa::vault::{Compartment, Expungement};
use subrosa::{
    Actor, Credential, Entry, Filter, Import, ImportOptions, Kind, NewVault, Policy, RawKey, Vault,
    VaultOptions,
};

const WORDS: &str = "I dreamed of my father";
const BASE64: &str = "SSBkcmVhbWVkIG9m\r\nIG15IGZhdGhlcg==";

fn vault() -> Vault {
    let key = Credential::from(RawKey::from_bytes(&[1; 32]));
    Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default()).unwrap()
}

fn patient() -> Value {
    json!({"resourceType": "Patient", "id": "p", "name": [{"text": "Ada Rose"}]})
}

fn letter(id: &str, attachment: &Value) -> Value {
    json!({"resourceType": "DocumentReference", "id": id, "status": "current", "description": format!("Letter {id}"),
        "subject": {"reference": "Patient/p"}, "content": [{"attachment": attachment}]})
}

fn psychotherapy(id: &str, attachment: &Value) -> Value {
    let mut letter = letter(id, attachment);
    letter["meta"] = label();
    letter
}

fn label() -> Value {
    json!({"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSYTHPN"}]})
}

fn binary(id: &str) -> Value {
    json!({"resourceType": "Binary", "id": id, "contentType": "text/plain", "data": BASE64})
}

fn at(base: &str, resource: &Value) -> Value {
    let name = |member: &str| resource[member].as_str().unwrap().to_owned();
    json!({"fullUrl": format!("{base}{}/{}", name("resourceType"), name("id")), "resource": resource})
}

fn read(resources: &[Value]) -> Imported {
    let resources: Vec<Value> = resources
        .iter()
        .map(|resource| match resource.get("fullUrl") {
            Some(_) => resource.clone(),
            None => json!({"resource": resource}),
        })
        .collect();
    let bundle = json!({"resourceType": "Bundle", "id": "b", "type": "collection", "entry": resources});
    let mut options = ImportOptions::default();
    // What has a name that another one has is referred to by nothing.
    options.unknown_subjects_are_the_patients = true;
    let mut import = Import::new(options);
    import.read(Some("letters.json"), bundle.to_string().as_bytes()).unwrap();
    let imported = import.finish().unwrap();
    let made = imported.entries.len() + imported.earlier + imported.files + imported.repetitions;
    assert_eq!(made + imported.left_out.total(), imported.resources);
    assert_eq!(written(&imported), [bundle.to_string()], "the input comes back byte for byte");
    imported
}

/// The inputs, out of what was made of them.
fn written(imported: &Imported) -> Vec<String> {
    let source = |entry: &Entry| entry.source.clone().unwrap();
    let bytes = |piece: &Piece| match piece {
        Piece::Gap(bytes) => bytes.clone(),
        Piece::Resource(at) => source(&imported.entries[*at].entry).bytes,
        Piece::Earlier { entry, version } => source(&imported.entries[*entry].earlier[*version]).bytes,
        Piece::File { entry, version, file } => {
            let entry = &imported.entries[*entry];
            let holder = version.map_or(&entry.entry, |version| &entry.earlier[version]);
            source(holder).files[*file].bytes.clone()
        }
        _ => panic!("another piece"),
    };
    let text = |pieces: &[Piece]| String::from_utf8(pieces.iter().flat_map(bytes).collect()).unwrap();
    imported.documents.iter().map(|document| text(&document.pieces)).collect()
}

fn import(vault: &Vault, resources: &[Value]) -> subrosa::vault::ImportReport {
    vault.import(&Actor::owner(), &read(resources)).unwrap()
}

fn kept_in(vault: &Vault, title: &str) -> Vec<Compartment> {
    let listed = vault.list(&Filter::all()).unwrap();
    let titled =
        listed.iter().filter(|entry| vault.entry(entry.id).unwrap().display().as_deref() == Some(title));
    titled.map(|entry| entry.compartment).collect()
}

fn the_note(vault: &Vault) -> subrosa::EntryId {
    let notes = vault.list(&Filter::all().kind(Kind::Note)).unwrap();
    assert_eq!(notes.len(), 1);
    notes[0].id
}

fn file_of(vault: &Vault, id: subrosa::EntryId) -> String {
    let mut text = String::new();
    vault.attachment(id, 0).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn words_anywhere(vault: &Vault) -> usize {
    let listed = vault.list(&Filter::all().with_retracted()).unwrap();
    listed.iter().filter(|entry| vault.entry(entry.id).unwrap().text_matches_anywhere(WORDS)).count()
}

#[test]
fn a_file_in_a_resource_of_its_own_is_kept_found_handed_out_and_destroyed_with_its_note() {
    let clinic = "https://portal.clinic.org/fhir/r4/";
    let mut file = binary("b2");
    file["securityContext"] = json!({"reference": "DocumentReference/2"});
    let bundle = |urls: [&str; 2]| {
        let note = psychotherapy("2", &json!({"contentType": "text/plain", "url": urls[0]}));
        [at(urls[1], &patient()), at(urls[1], &note), at(urls[1], &file)]
    };
    let absolute = format!("{clinic}Binary/b2");
    for urls in [["Binary/b2", clinic], [absolute.as_str(), clinic], ["Binary/b2/_history/1", clinic]] {
        let vault = vault();
        let resources = bundle(urls);
        let report = import(&vault, &resources);
        assert_eq!((report.added.len(), report.kept_raw.len()), (2, 0), "the file is no entry of its own");
        let note = the_note(&vault);
        assert_eq!(kept_in(&vault, "Letter 2"), [Compartment::PsychotherapyNotes]);
        assert_eq!(file_of(&vault, note), WORDS);
        let entry = vault.entry(note).unwrap();
        assert_eq!(entry.attachments()[0].size, Some(WORDS.len() as u64));
        assert!(entry.text_matches_anywhere("of my father"));
        assert_eq!(entry.source.as_ref().unwrap().files[0].bytes, file.to_string().into_bytes());
        let again = import(&vault, &resources);
        assert_eq!((again.unchanged, again.number), (2, None));
        let report = vault.expunge(&Actor::owner(), &[note], Expungement::new()).unwrap();
        assert_eq!(report.entries, [note]);
        assert_eq!(words_anywhere(&vault), 0, "nothing in the vault has the words");
        assert_eq!(vault.list(&Filter::all()).unwrap().len(), 1);
    }
}

#[test]
fn an_excerpt_has_the_file() {
    let imported = read(&[patient(), letter("1", &json!({"url": "Binary/b"})), binary("b")]);
    let note = imported.entries.iter().find(|found| found.entry.kind() == Kind::Note).unwrap();
    let id = subrosa::EntryId::from_bytes([1; 16]);
    let policy = Policy::only([id]).include("attachments").unwrap();
    let view = policy.apply(&[Candidate::new(id, Compartment::General, &note.entry)]);
    let claims: Value = serde_json::from_str(&view.released()[0].disclosed_json()).unwrap();
    let expected =
        json!([{"content_type": "text/plain", "size": 22, "data": "SSBkcmVhbWVkIG9mIG15IGZhdGhlcg=="}]);
    assert_eq!(claims["fields"]["attachments"], expected);
}

#[test]
fn a_file_goes_with_the_most_protected_of_those_that_refer_to_it() {
    let url = json!({"url": "Binary/b"});
    let referring = [psychotherapy("1", &url), letter("2", &url)];
    let vault = vault();
    import(&vault, &[&[patient()], &referring[..], &[binary("b")]].concat());
    assert_eq!(words_anywhere(&vault), 1);
    for entry in vault.list(&Filter::all()).unwrap() {
        let has_words = vault.entry(entry.id).unwrap().text_matches_anywhere(WORDS);
        assert!(!has_words || entry.compartment == Compartment::PsychotherapyNotes);
    }
}

#[test]
fn two_letters_with_one_file_have_it_both() {
    let url = json!({"url": "Binary/b"});
    let imported = read(&[patient(), letter("1", &url), letter("2", &url), binary("b"), binary("b")]);
    assert_eq!((imported.entries.len(), imported.files, imported.repetitions), (3, 1, 1));
    let holding =
        imported.entries.iter().filter(|found| !found.entry.source.as_ref().unwrap().files.is_empty());
    assert_eq!(holding.count(), 2);
}

#[test]
fn what_no_note_can_take_in_is_kept_where_what_refers_to_it_is() {
    let mut damaged = binary("b");
    damaged["data"] = json!("%%%");
    let mut context = binary("c");
    context["securityContext"] = json!({"reference": "DocumentReference/1"});
    let mut labelled = binary("d");
    labelled["meta"] = label();
    let mut versions = [binary("e"), binary("e")];
    versions[0]["meta"] = json!({"versionId": "1"});
    versions[1]["meta"] = json!({"versionId": "2"});
    for files in [vec![damaged], vec![context], vec![labelled], versions.to_vec()] {
        let id = files[0]["id"].as_str().unwrap();
        let url = if id == "c" { "Binary/elsewhere".to_owned() } else { format!("Binary/{id}") };
        // The label of a file alone says what it is; nothing that is no note can be marked so.
        let note = match id {
            "d" => {
                json!({"resourceType": "DiagnosticReport", "id": "1", "status": "final", "code": {"text": "Report"},
                "subject": {"reference": "Patient/p"}, "result": [{"reference": "Observation/1"}],
                "presentedForm": [{"url": url}]})
            }
            _ => psychotherapy("1", &json!({ "url": url })),
        };
        let vault = vault();
        import(&vault, &[&[patient(), note], &files[..]].concat());
        let others = vault.list(&Filter::all().kind(Kind::Other)).unwrap();
        let kept: Vec<Compartment> = others.iter().map(|entry| entry.compartment).collect();
        assert_eq!(kept, [Compartment::PsychotherapyNotes], "{id}");
    }
}

#[test]
fn a_note_is_kept_apart_if_the_label_of_its_file_says_so() {
    let mut file = binary("b");
    file["meta"] = label();
    let vault = vault();
    import(&vault, &[patient(), letter("1", &json!({"url": "Binary/b"})), file]);
    assert_eq!(kept_in(&vault, "Letter 1"), [Compartment::PsychotherapyNotes]);
    assert_eq!(file_of(&vault, the_note(&vault)), WORDS);
}

#[test]
fn a_file_that_comes_later_is_added_and_one_that_is_left_out_stays() {
    let vault = vault();
    let note = letter("1", &json!({"url": "Binary/b"}));
    import(&vault, &[patient(), note.clone()]);
    assert!(matches!(
        vault.entry(the_note(&vault)).unwrap().attachments()[0].location,
        Some(Location::External(_))
    ));
    let later = import(&vault, &[patient(), note.clone(), binary("b")]);
    assert_eq!((later.amended.len(), later.unchanged), (1, 1));
    assert_eq!(file_of(&vault, the_note(&vault)), WORDS);
    let without = import(&vault, &[patient(), note]);
    assert_eq!((without.amended.len(), without.unchanged), (0, 2));
    assert_eq!(file_of(&vault, the_note(&vault)), WORDS);
}

#[test]
fn a_file_that_is_not_what_the_note_says_of_it_is_reported() {
    let other = "2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    for (attachment, differs) in [
        (json!({"url": "Binary/b"}), false),
        (json!({"url": "Binary/b", "size": 22}), false),
        (json!({"url": "Binary/b", "size": 21}), true),
        (json!({"url": "Binary/b", "hash": other}), true),
    ] {
        let imported = read(&[patient(), letter("1", &attachment), binary("b")]);
        let found = imported.findings.iter().any(|finding| finding.reason == FindingReason::FileDiffers);
        assert_eq!(found, differs, "{attachment}");
    }
}
