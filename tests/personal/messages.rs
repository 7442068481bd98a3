//! What is said where a name is wrong, missing, misplaced or nearly right.

use subrosa::vault::{AccessChange, Compartment};
use subrosa::{Access, Actor, Credential, Grant, Import, ImportOptions, LockedVault, RawKey, VaultOptions};

use crate::support::{BUNDLE, PASSWORD, Person};

fn with_records() -> Person {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.run(&["import", "my.vault", "records.json"]).done();
    person
}

#[test]
fn what_is_missing_is_asked_for_by_its_name() {
    let person = Person::with_vault();
    for (command, words) in [
        (&["backup", "my.vault"][..], "Where should the backup go? Type: `personal backup my.vault NEWFILE`"),
        (&["add", "my.vault"], "What kind of entry?"),
        (&["show", "my.vault"], "Which entry?"),
        (&["attach", "my.vault"], "Which file?"),
        (&["import", "my.vault"], "personal import my.vault FILE"),
        (&["expunge", "my.vault"], "personal expunge my.vault ID"),
        (&["search", "my.vault"], "personal search my.vault WORD"),
        (&["export", "my.vault"], "personal export my.vault FILE"),
        (&["access", "revoke", "my.vault"], "personal access revoke my.vault NAME"),
        (&["access", "add", "my.vault"], "`personal access add my.vault NAME`"),
        (&["show", "abcd"], "name the vault first"),
    ] {
        person.run(command).refused(2, words);
    }
}

#[test]
fn a_file_is_named_where_it_is_wrong() {
    let person = with_records();
    person.run(&["import", "my.vault", "lettres.json"]).refused(5, "lettres.json: there is no such file");
    person.run(&["attach", "my.vault", "scan.pdf"]).refused(5, "scan.pdf: there is no such file");
    person.run(&["list", "your.vault"]).refused(5, "your.vault: there is no vault");
    person.run(&["import", "records.json", "my.vault"]).refused(2, "name my.vault before records.json");
    person.run(&["attach", "records.json", "my.vault"]).refused(2, "name my.vault before records.json");
}

#[test]
fn a_name_with_a_space_is_explained_and_hints_quote_it() {
    let person = with_records();
    std::fs::copy(person.path("my.vault"), person.path("my client.vault")).unwrap();
    let advice = "is put in quotation marks: 'my client.vault'";
    for command in [&["list", "my", "client.vault"][..], &["import", "my", "client.vault", "records.json"]] {
        let ran = person.run(command);
        assert!(ran.exit() != 0 && ran.err().contains(advice), "{}", ran.err());
    }
    let other = BUNDLE.replace("Asthma of the kitchen", "Hay fever").replace("c2", "c3");
    person.write("other.json", other);
    let said = person.run(&["import", "my client.vault", "other.json", "--keep-beside"]).done().out();
    assert!(said.contains("`personal import 'my client.vault' --undo "), "{said}");
}

#[test]
fn kinds_are_taken_in_everyday_words_and_near_misses_are_named() {
    let person = with_records();
    let count = |kind: &str| {
        let listed = person.run(&["list", "my.vault", "--json", "--kind", kind]).done().json();
        listed.as_array().unwrap().len()
    };
    assert_eq!(["illness", "diagnoses", "Disease"].map(count), [2, 2, 2]);
    assert_eq!(["medicine", "vaccination", "visit", "results", "hospital stay"].map(count), [0; 5]);
    person.run(&["list", "my.vault", "--kind", "diagnosys"]).refused(2, "did you mean diagnosis?");
    let preview =
        person.run(&["release", "my.vault", "--preview", "--json", "--kind", "illness"]).done().json();
    assert!(preview.to_string().contains("melancholia"), "{preview}");
}

#[test]
fn an_empty_list_says_why_it_is_empty() {
    let empty = Person::with_vault();
    assert!(
        empty
            .run(&["list", "my.vault"])
            .done()
            .err()
            .contains("The vault is empty. `personal import my.vault FILE`")
    );
    let person = with_records();
    let said = person.run(&["search", "my.vault", "vaccine"]).done().err();
    assert!(said.contains("None of the 4 entries") && said.contains("--kind immunization"), "{said}");
}

#[test]
fn what_was_undone_is_not_undone_again() {
    let person = with_records();
    let number =
        person.run(&["import", "my.vault", "--list", "--json"]).done().json()["imports"][0]["number"]
            .to_string();
    person.run(&["import", "my.vault", "--undo", &number, "--yes"]).done();
    person.run(&["import", "my.vault", "--undo", &number, "--yes"]).refused(1, "was undone already");
}

#[test]
fn an_import_says_what_came_in_by_kind_and_repeats_no_findings() {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    let said = person.run(&["import", "my.vault", "records.json"]).done().out();
    let counts = "Imported 4 records: 2 diagnoses, 1 patient, 1 insurance record (kept whole, listed with --insurance).";
    assert!(said.find(counts).unwrap() < said.find("What to know: nothing is lost").unwrap(), "{said}");
    let again = person.run(&["import", "my.vault", "records.json"]).done().out();
    assert!(again.contains("Nothing new") && !again.contains("What to know"), "{again}");
    let Some(listed) = person.at_keyboard(&["list", "my.vault"], "") else { return };
    assert!(listed.done().out().contains("3 entries: 2 diagnoses, 1 patient."));
}

#[test]
fn a_file_of_which_something_was_left_out_is_not_to_be_deleted() {
    let person = Person::with_vault();
    let unclear =
        r#"{"resource": {"resourceType": "Condition", "id": "u1", "code": {"text": "Whose is this"}}},"#;
    let records = BUNDLE.replacen("\"entry\": [", &format!("\"entry\": [{unclear}"), 1);
    person.write("records.json", &records);
    let said = person.run(&["import", "my.vault", "records.json"]).done().out();
    assert!(
        said.contains("LEFT OUT: 1 of 5 records are NOT in the vault. Do not delete the file."),
        "{said}"
    );
    assert!(said.contains("1 not clearly about this person; --unknown-are-same"), "{said}");
    assert!(!said.contains("nothing is lost") && !said.contains("empty the trash"), "{said}");
    let again = person.run(&["import", "my.vault", "records.json", "--json"]).done();
    assert_eq!(again.json()["left_out_because"]["unclear_whose"], 1);
    assert!(again.err().contains("Keep it for now"), "{}", again.err());
    let whole = person.run(&["import", "my.vault", "records.json", "--unknown-are-same"]).done().out();
    assert!(!whole.contains("LEFT OUT") && whole.contains("empty the trash"), "{whole}");
}

#[test]
fn the_ledger_says_who_holds_an_entry_until_it_is_expunged() {
    let person = with_records();
    let listed = person.run(&["list", "my.vault", "--kind", "illness", "--json"]).done().json();
    let ids: Vec<String> =
        listed.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect();
    for (id, to) in ids.iter().zip(["Dr. Lee", "Dr. Moon"]) {
        let release = ["release", "my.vault", "--yes", "--to", to, "--purpose", "advice", "--out"];
        person.run(&[&release[..], &[&format!("{}.json", &id[..4]), "--entry", id]].concat()).done();
    }
    let ledger = |arguments: &[&str]| person.run(&[&["ledger", "my.vault"], arguments].concat()).done();
    let released = ledger(&["--released"]).out();
    assert!(released.contains("Dr. Lee") && released.contains("Dr. Moon") && !released.contains("imported"));
    let programs = ledger(&["--released", "--json"]).json();
    for line in programs.as_array().unwrap() {
        let copy = line["details"]["excerpt"].as_str().unwrap();
        assert!(released.contains(&format!("copy: {copy}")), "{released}");
    }
    let holders = |id: &str| ledger(&["--released", "--entry", &id[..8]]).out();
    assert!(holders(&ids[0]).contains("Dr. Lee") && !holders(&ids[0]).contains("Dr. Moon"));
    assert_eq!(ledger(&[]).out().matches("imported").count(), 1, "one import is one line");

    person.run(&["expunge", "my.vault", &ids[0], "--yes"]).done();
    // Who guesses the id does not learn that it ever was: no line names it.
    let gone = "no entry's id begins with";
    person.run(&["show", "my.vault", &ids[0][..8]]).refused(1, gone);
    person.run(&["show", "my.vault", "00000000"]).refused(1, gone);
    assert!(!ledger(&["--entry", &ids[0][..8]]).out().contains(&ids[0]));
    let told = ledger(&[]).out();
    assert!(told.contains("expunged") && !told.contains("changed"), "one act is one line: {told}");
    assert!(
        told.contains("no longer kept") && told.contains("Dr. Moon") && !told.contains("Dr. Lee"),
        "{told}"
    );
    assert!(holders(&ids[1]).contains("Dr. Moon"));
    person.run(&["ledger", "my.vault", "--entry", "x"]).refused(2, "--entry takes");
}

#[test]
fn a_file_inside_an_original_is_taken_out() {
    let person = Person::with_vault();
    let letter = r#"{"resourceType": "Bundle", "type": "collection", "entry": [
      {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"family": "Rosenquist"}], "birthDate": "1980-02-03"}},
      {"resource": {"resourceType": "DocumentReference", "id": "d1", "status": "current", "subject": {"reference": "Patient/p1"},
        "content": [{"attachment": {"contentType": "text/plain", "title": "A letter", "data": "RGVhciBB\nZGEh"}},
                    {"attachment": {"contentType": "text/plain", "title": "Broken", "data": "%%%"}}]}}]}"#;
    person.write("letter.json", letter);
    person.run(&["import", "my.vault", "letter.json"]).done();
    let listed = person.run(&["list", "my.vault", "--kind", "note", "--json"]).done().json();
    let id = listed[0]["id"].as_str().unwrap();
    let shown = person.run(&["show", "my.vault", id]).done().out();
    assert!(shown.contains(&format!("`personal extract my.vault {} FILE --number 1`", &id[..10])), "{shown}");
    person.run(&["extract", "my.vault", id, "letter.txt"]).done();
    assert_eq!(person.read("letter.txt"), b"Dear Ada!");
    person.run(&["extract", "my.vault", id, "letter.txt"]).refused(1, "another name");
    person.run(&["extract", "my.vault", id, "b.txt", "--number", "2"]).refused(1, "or holds it damaged");
    assert!(!person.path("b.txt").exists());
}

#[test]
fn a_command_that_there_is_not_leads_to_the_one_that_is_meant() {
    let person = Person::new();
    for (command, words) in [
        (&["delete", "my.vault", "abcd"][..], "expunge VAULT ID"),
        (&["undo", "my.vault"], "`personal import VAULT --undo`"),
        (&["accounting", "my.vault"], "--released"),
        (&["access", "my.vault"], "`personal access list VAULT`"),
    ] {
        let ran = person.run(command).refused(2, words);
        assert!(!ran.err().contains("release'"), "{}", ran.err());
    }
    person.run(&["nonsense"]).ended(2);
}

#[test]
fn what_came_back_is_said_and_how_to_destroy_it_again() {
    let person = with_records();
    let illnesses = || person.run(&["list", "my.vault", "--kind", "illness", "--json"]).done().json();
    let before = illnesses();
    let id = before[0]["id"].as_str().unwrap();
    person.run(&["expunge", "my.vault", id, "--yes", "--stay-away"]).done();
    let notice = "again that you expunged to stay away";
    assert!(!person.run(&["list", "my.vault"]).done().err().contains(notice));
    // A clinic that does not open the sealed records takes it as new: nothing tells it otherwise.
    let path = person.path("my.vault");
    let open = |credential: &Credential| {
        LockedVault::open(&path, VaultOptions::default()).unwrap().unlock(credential).unwrap()
    };
    let clinic: Credential = RawKey::generate().unwrap().into();
    let grant = [Compartment::General, Compartment::PsychotherapyNotes, Compartment::SubstanceUse];
    let vault = open(&Credential::password(PASSWORD).unwrap());
    let change = AccessChange::default().adding(Access::new(&clinic, "clinic", Grant::of(&grant)));
    vault.change_access(&Actor::owner(), &change).unwrap();
    vault.close().unwrap();
    let vault = open(&clinic);
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("records.json"), BUNDLE.as_bytes()).unwrap();
    assert_eq!(vault.import(&Actor::owner(), &import.finish().unwrap()).unwrap().added.len(), 1);
    vault.close().unwrap();
    let told = person.run(&["list", "my.vault"]).done().err();
    assert!(told.contains(notice) && told.contains("--stay-away"), "{told}");
    let after = illnesses();
    let back = after.as_array().unwrap().iter().filter_map(|entry| entry["id"].as_str());
    let back = back.filter(|id| told.contains(&id[..10])).collect::<Vec<_>>();
    assert_eq!(back.len(), 1);
    person.run(&["expunge", "my.vault", back[0], "--yes", "--stay-away"]).done();
    assert!(!person.run(&["list", "my.vault"]).done().err().contains(notice));
}

#[test]
fn what_tells_of_the_same_is_listed_before_something_goes_and_goes_too_if_that_is_said() {
    let person = with_records();
    let claim = r#"{"resourceType":"Claim","id":"c","status":"active","patient":{"reference":"Patient/p"},"diagnosis":[{"sequence":1,"diagnosisCodeableConcept":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"Q87.40"}]}}]}"#;
    let illness = r#"{"resourceType":"Condition","id":"d","subject":{"reference":"Patient/p"},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"Q87.40","display":"Marfan syndrome"}]}}"#;
    person.write("more.ndjson", format!("{illness}\n{claim}\n"));
    person.run(&["import", "my.vault", "more.ndjson", "--patient-is-same"]).done();
    let listed = person.run(&["search", "my.vault", "Marfan", "--json"]).done().json();
    let id = listed[0]["id"].as_str().unwrap();
    let refused = person.run_with(&["expunge", "my.vault", id], "3\n").refused(1, "nothing was destroyed");
    assert!(refused.out().contains("have the same code, words or drug"), "{}", refused.out());
    let told = person.run_with(&["expunge", "my.vault", id], "2\n").done().out();
    assert!(told.contains("Destroyed 2 entries"), "{told}");
    assert_eq!(person.run(&["search", "my.vault", "Q87.40", "--json"]).done().json(), serde_json::json!([]));
}

#[test]
fn what_will_be_destroyed_stands_above_the_question_however_much_tells_of_the_same() {
    let person = with_records();
    let pulse = |n: usize| {
        let day = 1 + n % 28;
        format!(
            r#"{{"resourceType":"Observation","id":"h{n}","status":"final","subject":{{"reference":"Patient/p"}},"code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}}]}},"effectiveDateTime":"2021-05-{day:02}","valueQuantity":{{"value":{},"unit":"/min"}}}}"#,
            60 + n
        )
    };
    person.write("pulse.ndjson", (0..30).map(pulse).collect::<Vec<_>>().join("\n"));
    person.run(&["import", "my.vault", "pulse.ndjson", "--patient-is-same"]).done();
    let listed = person.run(&["search", "my.vault", "8867-4", "--json"]).done().json();
    let id = listed[0]["id"].as_str().unwrap();
    let expunge = ["expunge", "my.vault", id];
    let refused = person.run_with(&expunge, "30\n").refused(1, "nothing was destroyed");
    let (said, goes) = refused
        .out()
        .split_once("This will be destroyed")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert!(said.matches("Heart rate").count() == 20 && said.contains("… and 9 more (--all"), "{said}");
    assert!(goes.matches("Heart rate").count() == 1 && goes.contains(&id[..10]), "{goes}");
    assert!(!refused.err().contains("to destroy the"), "{}", refused.err());
    let all = [&expunge[..], &["--all"]].concat();
    let refused = person.run_with(&all, "2\n").refused(1, "nothing was destroyed");
    assert!(refused.out().matches("Heart rate").count() == 30 && !refused.out().contains("more ("));
    assert!(person.run_with(&all, "30\n").done().out().contains("Destroyed 30 entries"));
}
