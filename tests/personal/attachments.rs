//! Files into the vault and out of it again.

use serde_json::json;

#[cfg(unix)]
use super::support::PASSWORD;
use super::support::Person;

fn scan() -> Vec<u8> {
    (0..3_000_000u32).map(|n| (n % 249).to_le_bytes()[0]).collect()
}

#[test]
fn a_file_comes_out_of_the_vault_as_it_went_in_and_never_over_another() {
    let person = Person::with_vault();
    person.write("scan.pdf", scan());
    let attached = person.run(&["attach", "my.vault", "scan.pdf", "--title", "Discharge letter", "--json"]);
    let attached = attached.done().json();
    assert_eq!(attached["bytes"], json!(3_000_000));
    let id = attached["id"].as_str().unwrap();
    let listed = person.run(&["list", "my.vault"]).done().out();
    assert!(listed.contains("Discharge letter") && listed.contains("attachment"), "{listed}");
    let shown = person.run(&["show", "my.vault", id]).done().out();
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("3000000 bytes, in the vault"), "{shown}");
    let out = person.run(&["extract", "my.vault", id, "back.pdf"]).done();
    assert!(out.out().contains("not encrypted"), "{}", out.out());
    assert!(person.read("back.pdf") == scan());
    #[cfg(unix)]
    assert_eq!(super::mode(&person, "back.pdf"), 0o600);
    person.write("mine", "mine");
    person.run(&["extract", "my.vault", id, "mine"]).refused(1, "another name");
    person.run(&["extract", "my.vault", id, "--number", "2"]).refused(1, "no such attachment");
    assert_eq!(person.read("mine"), b"mine");
    person.run(&["extract", "my.vault", id]).done();
    assert!(person.read(&format!("attachment-{}.pdf", &id[..10])) == scan());
    let left = std::fs::read_dir(person.path(".")).unwrap();
    let left =
        left.filter(|file| file.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".subrosa"));
    assert_eq!(left.count(), 0, "no temporary file is left");
}

#[test]
fn a_file_joins_an_entry_and_an_export_loses_none() {
    let person = Person::with_vault();
    person.write("scan.pdf", scan());
    person.write("empty.txt", "");
    let note = person.run_with(&["add", "my.vault", "note", "--json"], r#"{"title": "See the scan"}"#);
    let note = note.done().json()["id"].as_str().unwrap().to_owned();
    person.run(&["attach", "my.vault", "scan.pdf", "--to", &note]).done();
    person.run(&["attach", "my.vault", "empty.txt", "--to", &note]).done();
    person.run(&["extract", "my.vault", &note, "two", "--number", "2"]).done();
    assert_eq!(person.read("two"), b"");
    person.run(&["attach", "my.vault", "scan.pdf", "--kind", "diagnosis"]).refused(1, "holds no attachments");
    person.run(&["attach", "my.vault", "missing.pdf"]).refused(5, "no such file");
    let exported = person.run(&["export", "my.vault", "all.json", "--yes", "--json"]).done().json();
    assert_eq!(exported["attachments"], json!(2));
    let text = String::from_utf8(person.read("all.json")).unwrap();
    let folder = std::fs::read_dir(person.path("all.json.attachments")).unwrap();
    let mut found: Vec<Vec<u8>> = Vec::new();
    for file in folder {
        let file = file.unwrap();
        assert!(text.contains(file.file_name().to_str().unwrap()), "the export names the file");
        found.push(std::fs::read(file.path()).unwrap());
    }
    found.sort();
    assert!(found == [Vec::new(), scan()]);
    person.run(&["check", "my.vault"]).done();
}

/// The program opens the file first and then waits for the password: time to change the file.
#[cfg(unix)]
#[test]
fn a_file_that_changes_while_it_is_read_is_not_attached() {
    let person = Person::with_vault();
    let made = std::process::Command::new("mkfifo").arg(person.path("pipe")).status().unwrap();
    assert!(made.success());
    let shorter = scan()[..1_000_000].to_vec();
    let changed = [vec![1], scan()[1..].to_vec()].concat();
    for now in [shorter, changed] {
        person.write("scan.pdf", scan());
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
        let file = std::fs::File::options().write(true).open(person.path("scan.pdf")).unwrap();
        file.set_modified(old).unwrap();
        let ran = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut pipe = std::fs::File::options().write(true).open(person.path("pipe")).unwrap();
                person.write("scan.pdf", &now);
                std::io::Write::write_all(&mut pipe, PASSWORD.as_bytes()).unwrap();
            });
            person.run_bare(
                &["--password-file", "pipe", "attach", "my.vault", "scan.pdf", "--title", "scan"],
                "",
            )
        });
        ran.refused(5, "changed while it was read");
        assert_eq!(person.run(&["list", "my.vault", "--json"]).done().json(), json!([]));
    }
    person.run(&["check", "my.vault"]).done();
}

#[test]
fn the_text_of_a_note_in_a_resource_of_its_own_is_seen_taken_out_exported_and_destroyed_with_it() {
    let label = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}]}"#;
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[
        {{"resource":{{"resourceType":"Patient","id":"p","name":[{{"text":"Ada Rose"}}],"birthDate":"1980-01-02"}}}},
        {{"resource":{{"resourceType":"DocumentReference","id":"2","status":"current",{label},"description":"A session",
          "subject":{{"reference":"Patient/p"}},"content":[{{"attachment":{{"url":"Binary/b2"}}}}]}}}},
        {{"resource":{{"resourceType":"Binary","id":"b2","contentType":"text/plain",
          "securityContext":{{"reference":"DocumentReference/2"}},"data":"SSBkcmVhbWVkIG9mIG15IGZhdGhlcg=="}}}}]}}"#
    );
    let person = Person::with_vault();
    person.write("notes.json", &bundle);
    person.run(&["import", "my.vault", "notes.json"]).done();
    let listed = person.run(&["list", "my.vault", "--json"]).done().json();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    let note = person.run(&["list", "my.vault", "--kind", "note", "--json"]).done().json()[0]["id"].clone();
    let note = note.as_str().unwrap();
    let shown = person.run(&["show", "my.vault", note]).done().out();
    assert!(shown.contains("in the vault, inside the"), "{shown}");
    person.run(&["extract", "my.vault", note, "words.txt"]).done();
    assert_eq!(person.read("words.txt"), b"I dreamed of my father");
    assert!(person.run(&["search", "my.vault", "my father"]).done().out().contains("A session"));
    person.run(&["export", "my.vault", "all.json", "--yes"]).done();
    let exported = String::from_utf8(person.read("all.json")).unwrap();
    assert_eq!(exported.matches(r#""resourceType":"Binary""#).count(), 1, "as it came, once");
    let again = person.run(&["import", "my.vault", "all.json", "--json"]).done().json();
    assert_eq!((&again["unchanged"], &again["entries"]), (&json!(2), &json!(0)), "{again}");
    person.run(&["expunge", "my.vault", note, "--yes"]).done();
    assert!(!person.run(&["search", "my.vault", "my father"]).done().out().contains("A session"));
    let left = person.run(&["list", "my.vault", "--json"]).done().json();
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
}
