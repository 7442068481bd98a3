//! What an export holds of a vault that is damaged, or that somebody forged who has its keys.

use serde_json::{Value, json};
use subrosa::record::{FhirVersion, Other, Provenance, Source, SourceFile, SourceFormat};
use subrosa::{Actor, Credential, Entry, LockedVault, Token, VaultOptions};

use crate::support::{BUNDLE, PASSWORD, Person};

fn exported(person: &Person, name: &str) -> Value {
    serde_json::from_slice(&person.read(name)).unwrap()
}

#[test]
fn an_original_that_is_no_json_object_neither_breaks_the_export_nor_adds_to_it() {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.run(&["import", "my.vault", "records.json"]).done();
    let forged: [&[u8]; 5] = [
        br#"{"resourceType":"Basic"}},{"resource":{"resourceType":"Condition","id":"forged"}"#,
        br#"{"resourceType":"Basic"}]}"#,
        b"\"a text\"",
        b"no JSON",
        b"{\"resourceType\":\"\xff\"}",
    ];
    // What is JSON stays byte for byte, however a reader of numbers likes it.
    let odd = br#" {"resourceType":"Basic","id":"odd","extension":[{"valueDecimal":1e999}]}"#;
    let password = Credential::password(PASSWORD).unwrap();
    let locked = LockedVault::open(person.path("my.vault"), VaultOptions::default()).unwrap();
    let vault = locked.unlock(&password).unwrap();
    for bytes in forged.into_iter().chain([&odd[..]]) {
        let mut entry = Entry::new(Other::default(), Provenance::default());
        let mut source = Source::new(SourceFormat::FhirJson(FhirVersion::R4), bytes.to_vec());
        source.files = vec![SourceFile::new(Token::new("Binary/1").unwrap(), b"}},{".to_vec())];
        entry.source = Some(source);
        vault.update(&Actor::owner(), |tx| tx.add(&entry)).unwrap();
    }
    vault.close().unwrap();
    person.run(&["export", "my.vault", "all.json", "--yes"]).done();
    let text = String::from_utf8(person.read("all.json")).unwrap();
    assert!(text.contains(std::str::from_utf8(odd).unwrap()));
    // A number beyond 64 bits is JSON that this reader does not take.
    let all: Value = serde_json::from_str(&text.replace("1e999", "1")).unwrap();
    let resources = all["entry"].as_array().unwrap();
    assert_eq!(resources.len(), 5);
    assert!(resources.iter().all(|entry| entry["resource"]["id"] != "forged"));
    let own = all["subrosa"]["entries"].as_array().unwrap();
    let kept: Vec<&str> = own.iter().filter_map(|entry| entry["original_base64"].as_str()).collect();
    assert_eq!(kept.len(), forged.len());
    assert!(kept.contains(&"bm8gSlNPTg=="));
    let files = own.iter().filter(|entry| entry["files"][0]["original_base64"] == "fX0sew==");
    assert_eq!(files.count(), forged.len() + 1);
}

#[test]
fn what_is_damaged_is_named_and_all_else_is_exported() {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.write("scan.pdf", vec![7; 300_000]);
    person.write("other.pdf", vec![9; 300]);
    person.run(&["import", "my.vault", "records.json"]).done();
    let before = person.read("my.vault").len();
    person.run(&["attach", "my.vault", "scan.pdf", "--title", "Scan"]).done();
    let mut file = person.read("my.vault");
    file[before + 150_000] ^= 1;
    person.write("my.vault", &file);
    person.run(&["attach", "my.vault", "other.pdf", "--title", "Other"]).done();
    let checked = person.run(&["check", "my.vault"]);
    assert!(checked.out().contains("An attachment in general is not whole"), "{}", checked.out());

    let ran = person.run(&["export", "my.vault", "all.json", "--yes"]).ended(4);
    assert!(ran.err().contains("NOT in the export, because it is damaged: 1 attachment"), "{}", ran.err());
    let all = exported(&person, "all.json");
    assert_eq!(all["entry"].as_array().unwrap().len(), 4);
    assert_eq!(all["subrosa"]["attachments"].as_array().unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(person.path("all.json.attachments")).unwrap().count(), 1);
    let told = person.run(&["export", "my.vault", "again.json", "--yes", "--json"]).ended(4).json();
    assert_eq!(told["damaged"]["attachments"].as_array().unwrap().len(), 1);
    assert_eq!((&told["in_ledger"], &told["attachments"]), (&json!(true), &json!(1)));
}

#[test]
fn an_export_that_fails_after_it_was_recorded_says_so() {
    let person = Person::with_vault();
    person.write("scan.pdf", "a scan");
    person.run(&["attach", "my.vault", "scan.pdf", "--title", "Scan"]).done();
    std::fs::create_dir(person.path("all.json.attachments")).unwrap();
    let ran = person.run(&["export", "my.vault", "all.json", "--yes"]);
    ran.refused(5, "the ledger notes the export already");
    assert!(!person.path("all.json").exists());
}

#[test]
fn the_ledger_counts_what_an_export_held_and_finds_an_entry_in_it() {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.run(&["import", "my.vault", "records.json"]).done();
    for name in ["one.json", "two.json", "three.json"] {
        person.run(&["export", "my.vault", name, "--yes"]).done();
    }
    let lines = person.run(&["ledger", "my.vault", "--json"]).done().json();
    let exports = || lines.as_array().unwrap().iter().filter(|line| line["action"] == "exported");
    let of_general = || exports().filter(|line| line["compartment"] == "general");
    assert_eq!(of_general().count(), 3);
    assert!(exports().all(|line| line["entries"].is_null()));
    assert!(of_general().all(|line| line["count"] == 4));
    let imported = lines.as_array().unwrap().iter().find(|line| line["action"] == "imported").unwrap();
    assert_eq!((imported["entries"].as_array().unwrap().len(), &imported["count"]), (4, &json!(4)));
    let id = imported["entries"][0].as_str().unwrap();
    let of_entry = person.run(&["ledger", "my.vault", "--entry", &id[..8]]).done().out();
    assert_eq!(of_entry.matches("exported").count(), 3, "{of_entry}");
    assert_eq!(of_entry.matches("4 entries").count(), 3, "{of_entry}");
    person.run(&["ledger", "my.vault", "--entry", "0123456789abcdef"]).done();
}

#[test]
fn an_export_in_fhir_comes_back_into_an_empty_vault_and_is_asked_about_first() {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.run(&["import", "my.vault", "records.json"]).done();
    person.run_with(&["add", "my.vault", "note", "--json"], r#"{"text":["slept badly"]}"#).done();
    let before = person.run(&["list", "my.vault", "--json", "--all"]).done().json();
    for format in ["bundle", "ndjson"] {
        let file = format!("all.{format}");
        let ran = person.run(&["export", "my.vault", &file, "--format", format, "--yes"]).done();
        assert!(ran.out().contains("Exported 5 entries, 4 with the original"), "{}", ran.out());
        assert!(
            ran.out().contains("Not in the file: earlier versions") && ran.out().contains("not encrypted")
        );
        person
            .run(&["export", "my.vault", &file, "--format", format, "--yes"])
            .refused(1, "there is a file of the output's name already");
        let other = format!("{format}.vault");
        person
            .run(&["init", &other, "--small-device", "--recovery-key-out", &format!("{format}.key")])
            .done();
        person.run(&["import", &other, &file]).refused(1, "--own-export");
        assert_eq!(person.run(&["list", &other, "--json"]).done().json(), json!([]));
        person.run(&["import", &other, &file, "--own-export"]).done();
        let after = person.run(&["list", &other, "--json", "--all"]).done().json();
        let titles = |list: &Value| {
            let titles =
                list.as_array().unwrap().iter().map(|entry| (entry["kind"].clone(), entry["title"].clone()));
            let mut titles: Vec<String> = titles.map(|title| format!("{title:?}")).collect();
            titles.sort();
            titles
        };
        assert_eq!(titles(&after), titles(&before));
        for vault in [&other, "my.vault"] {
            let again = person.run(&["import", vault, &file, "--own-export", "--json"]).done().json();
            assert_eq!((&again["entries"], &again["unchanged"]), (&json!(0), &json!(5)));
        }
    }
    person.run(&["export", "my.vault", "some.json", "--kind", "note", "--yes"]).ended(2);
    let some = person.run(&[
        "export",
        "my.vault",
        "some.json",
        "--format",
        "bundle",
        "--kind",
        "note",
        "--yes",
        "--json",
    ]);
    let some = some.done().json();
    assert_eq!((&some["entries"], &some["in_ledger"]), (&json!(1), &json!(true)));
    person.run(&["init", "any.vault", "--small-device", "--recovery-key-out", "any.key"]).done();
    person.run(&["import", "any.vault", "some.json", "--as-any-file"]).done();
    let taken = person.run(&["list", "any.vault", "--json"]).done().json();
    assert_eq!(taken.as_array().unwrap().len(), 1);
}
