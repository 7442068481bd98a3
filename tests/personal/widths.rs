//! On a narrow terminal lines are broken between words.

use serde_json::json;

use crate::support::Person;

fn records() -> Person {
    let person = Person::with_vault();
    let about = json!({"reference": "Patient/p1"});
    let loinc = |code: &str, name: &str| json!({"coding": [{"system": "http://loinc.org", "code": code, "display": name}]});
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"text": "Adalind Rosenquist of the Seven Hills"}],
            "birthDate": "1980-02-03"}},
        {"resource": {"resourceType": "Condition", "id": "c1", "subject": about,
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "195967001",
                "display": "Asthma that is worse in the attic than it ever was in the kitchen"}]},
            "onsetDateTime": "2019-09-27", "note": [{"text": "A long note. ".repeat(30)}]}},
        {"resource": {"resourceType": "Observation", "id": "o1", "status": "final", "subject": about,
            "code": loinc("14749-6", "Glucose [Moles/volume] in Serum or Plasma"),
            "effectiveDateTime": "2021-05-06T10:00:00Z",
            "valueQuantity": {"value": 6.1, "comparator": "<", "unit": "mmol/L"},
            "interpretation": [{"coding": [{"code": "L", "display": "Low"}]}]}},
    ]});
    person.write("records.json", bundle.to_string());
    person.run(&["import", "my.vault", "records.json"]).done();
    person
}

/// Every line fits, or is one word that does not.
fn assert_fits(said: &str, columns: usize, what: &str) {
    // What is typed is not echoed here, the end of its line neither.
    let ends = ["[y/N] ", "[Y/n] ", "type how many: ", "  > "];
    let said = ends.iter().fold(said.to_owned(), |said, end| said.replace(end, &format!("{end}\n")));
    for line in said.split(['\n', '\r']) {
        let is_one_word = !line.trim().contains(' ');
        assert!(line.chars().count() <= columns || is_one_word, "{what} at {columns} columns: {line:?}");
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_unless_one_word_is() {
    let person = records();
    let listed = person.run(&["list", "my.vault", "--kind", "illness", "--json"]).done().json();
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    let to = ["--to", "Dr. Lee of the Riverside Clinic", "--purpose", "second opinion"];
    let release = ["release", "my.vault", "--kind", "diagnosis", "--kind", "result"];
    person.run(&[&release[..], &to, &["--yes", "--out", "a.html"]].concat()).done();
    for columns in [40, 80] {
        for (what, arguments, typed) in [
            ("help", vec!["--help"], ""),
            ("help", vec!["release", "--help"], ""),
            ("help", vec!["import", "--help"], ""),
            ("usage", vec!["release", "my.vault"], ""),
            ("list", vec!["list", "my.vault"], ""),
            ("search", vec!["search", "my.vault", "glucose"], ""),
            ("no such entry", vec!["search", "my.vault", "vaccination"], ""),
            ("show", vec!["show", "my.vault", &id, "--history"], ""),
            ("preview", [&release[..], &["--preview", "--mask", "Began=year"]].concat(), ""),
            ("release", [&release[..], &to, &["--out", "b.html"]].concat(), "n\n"),
            ("verify", vec!["verify", "a.html", "--accept-unknown-signer"], ""),
            ("verify", vec!["verify", "a.html"], ""),
            ("expunge", vec!["expunge", "my.vault", &id, "--reason", "x"], "n\n"),
            ("undo", vec!["import", "my.vault", "--undo", "last"], "n\n"),
            ("imports", vec!["import", "my.vault", "--list"], ""),
            ("ledger", vec!["ledger", "my.vault"], ""),
            ("fields", vec!["add", "--fields", "diagnosis"], ""),
            ("add", vec!["add", "my.vault", "note"], "Slept badly.\n.\n.\nn\n"),
            ("no vault", vec!["list", "records.json"], ""),
        ] {
            let arguments = [&["--password-file", "password"], &arguments[..]].concat();
            let Some(ran) = person.at_terminal(&arguments, typed, columns) else { return };
            let said = ran.out();
            assert!(said.len() > 40 && !said.contains("panicked"), "{what}: {said}");
            assert_fits(&said, columns, what);
        }
    }
}

#[test]
fn a_list_says_the_result_at_any_width() {
    let person = records();
    for columns in [40, 80, 200] {
        let arguments = ["--password-file", "password", "search", "my.vault", "glucose"];
        let Some(ran) = person.at_terminal(&arguments, "", columns) else { return };
        let words = ran.done().out().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("mmol/L") && words.contains("6.1") && words.contains("(Low)"), "{words}");
    }
    let listed = person.run(&["list", "my.vault"]).done().out();
    assert!(listed.contains("Glucose [Moles/volume] in Serum or Plasma: < 6.1 mmol/L (Low)"), "{listed}");
    assert_eq!(
        person.run(&["search", "my.vault", "glucose", "--json"]).done().json()[0]["result"],
        "< 6.1 mmol/L (Low)"
    );
}

#[test]
fn a_list_breaks_no_word() {
    let person = Person::with_vault();
    let about = json!({"reference": "Patient/p1"});
    let drug = |id: &str, name: &str, by: &str| {
        json!({"resource": {"resourceType": "MedicationRequest", "id": id,
        "status": "active", "intent": "order", "subject": about, "requester": {"display": by},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm",
            "code": "310798", "display": name}]}, "authoredOn": "2022-12-12"}})
    };
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"text": "Ada Rose"}]}},
        drug("m1", "Hydrochlorothiazide 25 MG Oral Tablet", "Massachusetts Otolaryngology"),
        drug("m2", "Acetylsalicylic acid 100 MG Gastroresistant Tablet", "Alexandrina Featherstone"),
    ]});
    person.write("records.json", bundle.to_string());
    person.run(&["import", "my.vault", "records.json"]).done();
    for columns in [60, 70, 80, 100, 140] {
        let arguments = ["--password-file", "password", "list", "my.vault"];
        let Some(ran) = person.at_terminal(&arguments, "", columns) else { return };
        let said = ran.done().out();
        assert_fits(&said, columns, "list");
        for word in [
            "Hydrochlorothiazide",
            "Acetylsalicylic",
            "Gastroresistant",
            "Massachusetts",
            "Otolaryngology",
            "Alexandrina",
            "Featherstone",
            "medication",
            "310798",
        ] {
            assert!(said.contains(word), "{word} at {columns} columns: {said}");
        }
    }
}
