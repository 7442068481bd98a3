//! Real files of the shared data: all of them come in, and nothing of them can be
//! read in the vault file, in temporary files or in what goes to standard error.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use super::support::{Person, Ran, data};

/// Shortest text that is looked for: random bytes do not hold eight given ones.
const NEEDLE: usize = 8;

fn import(person: &Person, files: &[&Path]) -> Ran {
    let names: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let ran = person.run(&[&["import", "my.vault", "--json"], &names[..]].concat());
    assert!(!ran.err().contains("panicked"), "{}", ran.err());
    ran
}

/// Names, displays, codes and texts of a file, long enough to look for.
fn texts(value: &Value, found: &mut HashSet<String>) {
    const TELLING: [&str; 9] =
        ["family", "given", "text", "display", "code", "div", "line", "value", "description"];
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => {
            for (name, value) in members {
                let strings = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                let telling = strings.iter().filter_map(Value::as_str).filter(|text| text.len() >= NEEDLE);
                found.extend(telling.filter(|_| TELLING.contains(&name.as_str())).map(str::to_owned));
                texts(value, found);
            }
        }
        _ => {}
    }
}

fn assert_nothing_of(texts: &HashSet<String>, bytes: &[u8], place: &str) {
    let starts: HashSet<&[u8]> = texts.iter().map(|text| &text.as_bytes()[..NEEDLE]).collect();
    assert!(!bytes.windows(NEEDLE).any(|window| starts.contains(window)), "readable in {place}");
}

#[test]
fn every_bundle_comes_in_whole_and_is_readable_nowhere() {
    for folder in ["fhir-bundles", "fhir-ips"] {
        for file in data(folder) {
            let person = Person::with_vault();
            let ran = import(&person, &[&file]);
            if ran.exit() == 1 {
                // Several people: each is a choice that works.
                let patients = ran.json()["patients"].as_array().unwrap().clone();
                let file = file.to_str().unwrap();
                person.run(&["import", "my.vault", file, "--patient", patients[0].as_str().unwrap()]).done();
                continue;
            }
            let report = ran.done();
            let content: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            let resources = content["entry"].as_array().map_or(1, Vec::len);
            let json = report.json();
            let count = |name: &str| usize::try_from(json[name].as_u64().unwrap()).unwrap();
            let taken = count("entries") + count("kept_raw") + count("repetitions");
            assert_eq!(taken, resources, "{}", file.display());

            let mut found = HashSet::new();
            texts(&content, &mut found);
            assert!(!found.is_empty());
            assert_nothing_of(&found, &person.read("my.vault"), "the vault");
            let err = report.err();
            for text in &found {
                assert!(!err.contains(text.as_str()), "{}: readable on standard error", file.display());
            }
            let name = file.file_stem().unwrap().to_str().unwrap();
            assert!(!err.contains(name), "a file's name can be a patient's");
            assert_eq!(
                std::fs::read_dir(person.path("temporary")).unwrap().count(),
                0,
                "temporary files are left"
            );
        }
    }
}

#[test]
fn the_originals_of_a_bundle_come_out_as_they_went_in() {
    let Some(file) = data("fhir-bundles").into_iter().next() else { return };
    let person = Person::with_vault();
    import(&person, &[&file]).done();
    person.run(&["export", "my.vault", "all.json", "--yes"]).done();
    let sent: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let back: Value = serde_json::from_slice(&person.read("all.json")).unwrap();
    let resources = |bundle: &Value| -> HashSet<String> {
        bundle["entry"].as_array().unwrap().iter().map(|entry| entry["resource"].to_string()).collect()
    };
    assert!(resources(&sent) == resources(&back));
    let again = import(&person, &[&person.path("all.json")]).done().json();
    assert_eq!(
        (&again["entries"], &again["kept_raw"]),
        (&Value::from(0), &Value::from(0)),
        "{}",
        file.display()
    );
}

#[test]
fn bulk_files_are_one_set_per_patient_and_a_log_is_refused() {
    let files = data("fhir-bulk");
    let (logs, records): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| file.file_name().is_some_and(|name| name == "log.ndjson"));
    if records.is_empty() {
        return;
    }
    let person = Person::with_vault();
    let before = person.read("my.vault");
    for log in logs {
        import(&person, &[log]).refused(1, "not FHIR");
    }
    let all: Vec<&Path> = records.iter().map(|file| file.as_path()).collect();
    let several = import(&person, &all).refused(1, "--patient");
    assert!(person.read("my.vault") == before);
    let patients = several.json()["patients"].as_array().unwrap().clone();
    let chosen = patients[0].as_str().unwrap();
    let names: Vec<&str> = all.iter().map(|file| file.to_str().unwrap()).collect();
    let arguments = [&["import", "my.vault", "--json", "--patient", chosen], &names[..]].concat();
    let report = person.run(&arguments).done().json();
    assert!(report["entries"].as_u64().unwrap() > 0 && report["other_patients"].as_u64().unwrap() > 0);
}

#[test]
fn what_does_not_say_whose_it_is_comes_in_only_if_that_is_said() {
    let person = Person::with_vault();
    let lines = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Example"}],"birthDate":"1970-02-03"}
{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"display":"Someone"}}"#;
    let file = person.path("all.ndjson");
    std::fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    let taken = |more: &[&str]| {
        let report = person.run(&[&["import", "my.vault", "--json", file], more].concat()).done().json();
        report["entries"].as_u64().unwrap()
    };
    assert_eq!(taken(&[]), 1);
    assert_eq!(taken(&["--unknown-are-same"]), 1, "the observation comes beside the patient");
}

#[test]
fn an_export_comes_in_again_whole() {
    for file in data("fhir-bundles").into_iter().chain(data("fhir-ips")) {
        let person = Person::with_vault();
        let Ok(first) = serde_json::from_slice::<Value>(import(&person, &[&file]).out_bytes()) else {
            continue;
        };
        if first["error"] == "several-patients" {
            continue;
        }
        person.run(&["export", "my.vault", "all.json", "--yes"]).done();
        let other = Person::with_vault();
        std::fs::copy(person.path("all.json"), other.path("all.json")).unwrap();
        let again = other.run(&["import", "my.vault", "all.json", "--json"]).done().json();
        let file = file.display();
        assert_eq!(
            (&again["entries"], &again["kept_raw"]),
            (&first["entries"], &first["kept_raw"]),
            "{file}"
        );
        assert_eq!(again["left_out"], 0, "{file}");
    }
}
