//! Whose an import is, what it continues, and taking it back: exit codes and words.

use serde_json::{Value, json};

use crate::support::{BUNDLE, Person};

/// Another person's record.
const OTHER: &str = r#"{
  "resourceType": "Bundle", "type": "collection", "id": "other-portal",
  "entry": [
    {"resource": {"resourceType": "Patient", "id": "p9", "name": [{"family": "Otherperson", "given": ["Olga"]}], "birthDate": "1944-05-06"}},
    {"resource": {"resourceType": "Condition", "id": "c9", "subject": {"reference": "Patient/p9"},
      "code": {"text": "Gout of the stranger"}}}
  ]
}"#;

/// A newer export of [`BUNDLE`].
fn newer() -> String {
    BUNDLE.replace("Asthma of the kitchen", "Asthma of the attic")
}

fn with_records() -> Person {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.write("newer.json", newer());
    person.write("other.json", OTHER);
    let report = person.run(&["import", "my.vault", "records.json", "--json"]).done().json();
    let groups = ["changes-meaning", "content-not-shown", "technical"];
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    assert!(findings.iter().all(|finding| groups.contains(&finding["group"].as_str().unwrap())), "{report}");
    person
}

fn listing(person: &Person) -> Value {
    person.run(&["list", "my.vault", "--insurance", "--json"]).done().json()
}

fn imports(person: &Person) -> Vec<Value> {
    let list = person.run(&["import", "my.vault", "--list", "--json"]).done().json();
    list["imports"].as_array().unwrap().clone()
}

fn last_number(person: &Person) -> String {
    imports(person).last().unwrap()["number"].to_string()
}

#[test]
fn another_persons_file_is_refused_until_it_is_confirmed() {
    let person = with_records();
    let before = (person.read("my.vault"), listing(&person));
    let refused = person.run(&["import", "my.vault", "other.json"]).refused(1, "--patient-is-same");
    for words in ["Olga Otherperson, born 6 May 1944", "Adalind Rosenquist, born 3 February 1980"] {
        assert!(refused.err().contains(words), "{}", refused.err());
    }
    let asked = person.run(&["import", "my.vault", "other.json", "--json"]).ended(1).json();
    assert_eq!(
        (&asked["error"], &asked["questions"][0]["question"]),
        (&json!("import-asks"), &json!("patient-is-same"))
    );
    assert_eq!(asked["questions"][0]["found"]["birth_date"], "1944-05-06");
    assert!(before == (person.read("my.vault"), listing(&person)), "nothing was written");

    let taken = person.run(&["import", "my.vault", "other.json", "--patient-is-same"]).done().out();
    assert!(
        taken.starts_with("This is about Olga Otherperson, born 6 May 1944, from other-portal."),
        "{taken}"
    );
    // The answer is remembered.
    let again = person.run(&["import", "my.vault", "other.json", "--json"]).done().json();
    assert_eq!((&again["unchanged"], &again["number"]), (&json!(2), &Value::Null));
}

#[test]
fn an_input_that_names_nobody_says_so() {
    let person = with_records();
    let nobody = r#"{"resourceType": "Condition", "id": "x", "subject": {"reference": "Patient/elsewhere"}, "code": {"text": "Hiccups"}}"#;
    let refused = person.run_with(&["import", "my.vault", "-"], nobody).refused(1, "--patient-is-same");
    assert!(refused.err().contains("does not say whom it is about"), "{}", refused.err());
    let asked = person.run_with(&["import", "my.vault", "-", "--json"], nobody).ended(1).json();
    assert_eq!(asked["questions"][0]["found"], Value::Null);
    let taken = person.run_with(&["import", "my.vault", "-", "--patient-is-same"], nobody).done().out();
    let first = taken.lines().next().unwrap();
    assert!(
        first.contains("does not say whom it is about") && first.contains("Patient/elsewhere"),
        "{taken}"
    );
}

#[test]
fn answers_are_taken_back_one_by_one_or_all() {
    let person = with_records();
    person.run(&["import", "my.vault", "other.json", "--patient-is-same"]).done();
    let number = last_number(&person);
    person.run(&["import", "my.vault", "newer.json", "--accept-changed-source"]).done();
    let answers =
        |person: &Person| imports(person).iter().map(|import| import["answers"].clone()).collect::<Vec<_>>();
    assert_eq!(answers(&person), [0, 1, 1]);
    let one = person.run(&["import", "my.vault", "--forget-answers", &number]).done().out();
    assert_eq!(one, "Took back 1 answer: imports ask again.\n");
    assert_eq!(answers(&person), [0, 0, 1]);
    person.run(&["import", "my.vault", "other.json"]).refused(1, "--patient-is-same");
    // The records are about two people again, as far as anybody knows.
    let release = [
        "release",
        "my.vault",
        "--yes",
        "--to",
        "x",
        "--purpose",
        "y",
        "--out",
        "a.html",
        "--kind",
        "diagnosis",
    ];
    let refused = person.run(&release).ended(1);
    assert!(refused.err().contains("two") || refused.err().contains("several"), "{}", refused.err());
    let all = person.run(&["import", "my.vault", "--forget-answers", "--json"]).done().json();
    assert_eq!(all, json!({ "forgotten": 1 }));
    let none = person.run(&["import", "my.vault", "--forget-answers", &number]).done().out();
    assert!(none.starts_with("Nothing is remembered"), "{none}");
}

#[test]
fn a_newer_export_is_asked_about_and_amends_or_is_kept_beside() {
    let person = with_records();
    let before = person.read("my.vault");
    let refused = person.run(&["import", "my.vault", "newer.json"]).refused(1, "--accept-changed-source");
    assert!(
        refused.err().contains("--keep-beside") && refused.err().contains("of 4 records"),
        "{}",
        refused.err()
    );
    let asked = person.run(&["import", "my.vault", "newer.json", "--json"]).ended(1).json();
    let question = &asked["questions"][0];
    assert_eq!(
        (&question["question"], &question["known"], &question["same"]),
        (&json!("changed-source"), &json!(4), &json!(3))
    );
    assert!(before == person.read("my.vault"), "nothing was written");

    let taken = person.run(&["import", "my.vault", "newer.json", "--accept-changed-source"]).done().out();
    assert!(
        taken.contains("1 changed since the last import") && taken.contains("3 already there"),
        "{taken}"
    );
    person.run(&["import", "my.vault", "--undo", "--yes"]).done();
    let beside = ["import", "my.vault", "newer.json", "--keep-beside"];
    let kept = person.run(&beside).done().out();
    assert!(kept.contains("1 perhaps the same as an entry from another file"), "{kept}");
    let pair = kept.lines().find(|line| line.contains("and already there")).unwrap();
    let titles = ["Asthma of the attic", "Asthma of the kitchen"].map(|title| pair.find(title).unwrap());
    assert!(titles[0] < titles[1], "the new one first: {pair}");
    assert_eq!(listing(&person).as_array().unwrap().len(), 5);
    person.run(&[&beside[..], &["--accept-changed-source"]].concat()).ended(2);
}

#[test]
fn an_import_is_listed_and_undone_by_its_number() {
    let person = with_records();
    let before = listing(&person);
    let first = last_number(&person);
    person.run(&["import", "my.vault", "other.json", "--patient-is-same"]).done();
    let number = last_number(&person);
    let listed = person.run(&["import", "my.vault", "--list"]).done().out();
    assert!(listed.lines().any(|line| line.trim_start().starts_with(&number)), "{listed}");
    assert_eq!(imports(&person).len(), 2);

    let bytes = person.read("my.vault");
    let undo = ["import", "my.vault", "--undo", &number];
    let asked = person.run_with(&undo, "n\n").refused(1, "not confirmed");
    assert!(asked.err().contains("destroys 2 entries for good"), "{}", asked.err());
    assert!(bytes == person.read("my.vault"), "nothing was undone");
    let undone = person.run_with(&undo, "y\n").done().out();
    assert!(
        undone.contains(&format!("Undid import {number}: destroyed 2 entries, put back 0 entries")),
        "{undone}"
    );
    assert_eq!(listing(&person), before);
    assert_eq!(imports(&person)[1]["undone"], true);
    person.run(&["check", "my.vault"]).done();
    person.run(&undo).ended(1);
    // What was undone is asked about as it was before.
    person.run(&["import", "my.vault", "other.json"]).refused(1, "--patient-is-same");

    let done = person.run(&["import", "my.vault", "--undo", &first, "--yes", "--json"]).done().json();
    assert_eq!((done["destroyed"].as_array().unwrap().len(), &done["restored"]), (4, &json!([])));
    assert_eq!(listing(&person), json!([]));
    person.run(&["import", "my.vault", "--undo", "--yes"]).refused(1, "there is no import to undo");
}

#[test]
fn an_import_of_which_an_entry_was_changed_since_is_not_undone() {
    let person = with_records();
    let id = listing(&person)[0]["id"].as_str().unwrap().to_owned();
    person.run(&["retract", "my.vault", &id, "--reason", "doubted"]).done();
    let before = person.read("my.vault");
    let refused = person.run(&["import", "my.vault", "--undo", "--yes"]).refused(1, "changed since");
    assert!(refused.err().contains(&id), "{}", refused.err());
    assert!(before == person.read("my.vault"), "nothing was undone");
}

#[test]
fn what_was_undone_names_the_backups_that_hold_it() {
    let person = with_records();
    person.run(&["backup", "my.vault", "copy.vault"]).done();
    let undone = person.run(&["import", "my.vault", "--undo", "--yes", "--json"]).done().json();
    assert_eq!(undone["backups"].as_array().unwrap().len(), 1, "{undone}");
}

#[test]
fn records_under_another_name_and_an_unreadable_birth_date_are_said_before_anything_is_written() {
    let person = with_records();
    let strange = r#"{"resourceType": "Bundle", "type": "collection", "id": "strange", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"text": "Adalind Rosenquist"}], "birthDate": "03.02.1980"}},
        {"resource": {"resourceType": "Condition", "id": "c7", "code": {"text": "Gout"},
            "subject": {"reference": "Patient/p1", "display": "Olga Otherperson"}}}]}"#;
    person.write("strange.json", strange);
    let before = person.read("my.vault");
    let refused = person.run(&["import", "my.vault", "strange.json"]).refused(1, "--patient-is-same");
    for words in [
        "show another name: Olga Otherperson",
        "This file is about Adalind Rosenquist, with a birth date that could not be read",
    ] {
        assert!(refused.err().contains(words), "{}", refused.err());
    }
    let asked = person.run(&["import", "my.vault", "strange.json", "--json"]).ended(1).json();
    let kinds: Vec<&Value> =
        asked["questions"].as_array().unwrap().iter().map(|one| &one["question"]).collect();
    assert!(kinds.contains(&&json!("other-names")), "{asked}");
    assert!(person.read("my.vault") == before);
    person.run(&["import", "my.vault", "strange.json", "--patient-is-same"]).done();
}

/// Results without a date, all of one code, of values from `first` on.
fn undated(name: &str, first: usize, results: usize) -> String {
    let result = |value: usize| {
        json!({"resource": {
            "resourceType": "Observation", "id": format!("o{value}"), "status": "final",
            "subject": {"reference": "Patient/p1"}, "code": {"text": "Heart rate"},
            "valueQuantity": {"value": value, "unit": "/min"},
        }})
    };
    let patient = json!({"resource": {
        "resourceType": "Patient", "id": "p1", "birthDate": "1980-02-03",
        "name": [{"family": "Rosenquist", "given": ["Adalind"]}],
    }});
    let entries: Vec<Value> = std::iter::once(patient).chain((first..first + results).map(result)).collect();
    json!({"resourceType": "Bundle", "type": "collection", "id": name, "entry": entries}).to_string()
}

#[test]
fn many_entries_that_may_be_one_record_cost_no_square_of_their_number() {
    const RESULTS: usize = 2000;
    let person = Person::with_vault();
    person.write("a.json", undated("a", 0, RESULTS));
    person.write("b.json", undated("b", 100_000, RESULTS));
    let start = std::time::Instant::now();
    person.run(&["import", "my.vault", "a.json"]).done();
    let first = start.elapsed();
    let start = std::time::Instant::now();
    person.run(&["import", "my.vault", "b.json"]).done();
    let second = start.elapsed();
    assert!(second < first * 10 + std::time::Duration::from_secs(5), "{first:?}, then {second:?}");

    let table = person.run(&["list", "my.vault"]).done().out();
    assert_eq!(table.matches("(perhaps the same as another)").count(), 2 * RESULTS);
    let listed = person.run(&["list", "my.vault", "--kind", "observation", "--json"]).done().json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2 * RESULTS);
    for entry in listed {
        let named = entry["perhaps_same"].as_array().unwrap();
        assert_eq!(named.len(), 16);
        assert!(!named.contains(&entry["id"]));
        assert_eq!(entry["perhaps_same_more"], 2 * RESULTS - 17);
    }
    let id = listed[0]["id"].as_str().unwrap();
    let shown = person.run(&["show", "my.vault", id]).done().out();
    assert_eq!(shown.matches("Perhaps the same as").count(), 17, "{shown}");
    assert!(shown.contains(&format!("{} more", 2 * RESULTS - 17)), "{shown}");
}

#[test]
fn an_export_that_is_imported_is_never_said_to_be_all_of_it() {
    let person = with_records();
    person.run_with(&["add", "my.vault", "note"], r#"{"title": "My own note"}"#).done();
    person.run(&["export", "my.vault", "all.json", "--yes"]).done();
    person.run(&["init", "other.vault", "--small-device", "--no-recovery-key", "--name", "Ada Rose"]).done();
    let said = person.run(&["import", "other.vault", "all.json"]).done().out();
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("This is an export of a vault") && words.contains("entries that its owner made"),
        "{said}"
    );
    assert!(words.contains("Keep it for now"), "{said}");
    for word in ["nothing is lost", "delete it", "trash"] {
        assert!(!words.contains(word), "{word}: {said}");
    }
}

#[test]
fn what_a_bundle_says_beside_its_records_is_named_and_the_file_is_kept() {
    let person = Person::with_vault();
    let odd = BUNDLE.replacen(r#""type""#, r#""extra": {"secret": "a note that stays nowhere"}, "type""#, 1);
    person.write("odd.json", odd);
    let said = person.run(&["import", "my.vault", "odd.json"]).done().out();
    assert!(said.contains("Bundle.extra") && said.contains("Keep it for now"), "{said}");
    assert!(!said.contains("trash"), "{said}");
}

#[test]
fn what_its_source_deleted_is_said_whole_for_any_server() {
    for server in ["https://portal.clinic.org/fhir/", "https://x.example/"] {
        let history = |events: &[String]| {
            format!(r#"{{"resourceType": "Bundle", "type": "history", "entry": [{}]}}"#, events.join(","))
        };
        let patient = format!(
            r#"{{"fullUrl": "{server}Patient/p", "resource": {{"resourceType": "Patient", "id": "p",
            "name": [{{"family": "Rose", "given": ["Ada"]}}]}}, "request": {{"method": "PUT", "url": "Patient/p"}}}}"#
        );
        let condition = format!(
            r#"{{"fullUrl": "{server}Condition/c", "resource": {{"resourceType": "Condition", "id": "c",
            "code": {{"text": "Gout of the cellar"}}, "subject": {{"reference": "Patient/p"}}}},
            "request": {{"method": "PUT", "url": "Condition/c"}}}}"#
        );
        let deletion = format!(
            r#"{{"fullUrl": "{server}Condition/c", "request": {{"method": "DELETE", "url": "Condition/c"}},
            "response": {{"status": "204", "lastModified": "2021-01-01T00:00:00Z"}}}}"#
        );
        let person = Person::with_vault();
        person.write("one.json", history(&[patient.clone(), condition]));
        person.write("two.json", history(&[patient, deletion]));
        person.run(&["import", "my.vault", "one.json"]).done();
        let said = person.run(&["import", "my.vault", "two.json"]).done().out();
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("The source has deleted 1 record that is still in the vault"),
            "{server}: {said}"
        );
        assert!(words.contains("Gout of the cellar Keep it, or take it out of use"), "{server}: {said}");
    }
}
