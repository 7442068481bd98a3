//! The program `personal`, from creation to leaving, as its user sees it.

// The lint configuration exempts test functions only; what they call is test code too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr, reason = "test code")]

mod attachments;
mod backup;
mod bad_input;
mod damage;
mod exports;
mod first_hour;
#[path = "../forging/forger.rs"]
mod forger;
mod hostile;
mod imports;
mod keyboard;
mod messages;
mod names;
mod notices;
mod other_user;
mod real_files;
mod recipients;
mod support;
mod texts;
mod ways_in;
mod widths;

use serde_json::{Value, json};
use support::{BUNDLE, Person};

/// A person whose vault holds [`BUNDLE`].
fn with_records() -> Person {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.run(&["import", "my.vault", "records.json"]).done();
    person
}

fn id_of(person: &Person, code: &str) -> String {
    let listed = person.run(&["list", "my.vault", "--code", code, "--json"]).done().json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{code}");
    listed[0]["id"].as_str().unwrap().to_owned()
}

fn ids(listed: &Value) -> usize {
    listed.as_array().unwrap().len()
}

#[cfg(unix)]
fn mode(person: &Person, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(person.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_vault_is_private_and_opens_with_password_or_recovery_key() {
    let person = Person::with_vault();
    #[cfg(unix)]
    assert_eq!((mode(&person, "my.vault"), mode(&person, "key")), (0o600, 0o600));
    assert_eq!(String::from_utf8(person.read("key")).unwrap().split_whitespace().count(), 24);
    person.run_bare(&["--recovery-key-file", "key", "list", "my.vault"], "").done();
    person.run(&["init", "my.vault"]).refused(1, "another name");
    person.run(&["init", "b.vault", "--recovery-key-out", "key"]).refused(1, "another name");
    assert!(!person.path("b.vault").exists());
}

#[test]
fn a_weak_password_is_advised_against() {
    let person = Person::new();
    person.write("weak", "password1");
    let ran = person.run_bare(&["init", "my.vault", "--small-device", "--password-file", "weak"], "").done();
    assert!(ran.err().contains("easy to guess") && ran.err().contains("no recovery key"), "{}", ran.err());
}

#[test]
fn an_import_counts_everything_and_a_second_one_adds_nothing() {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    let report = person.run(&["import", "my.vault", "records.json", "--json"]).done();
    assert!(report.err().contains("still readable on this disk"));
    let report = report.json();
    assert_eq!(
        (&report["entries"], &report["kept_raw"], &report["unchanged"]),
        (&json!(3), &json!(1), &json!(0))
    );
    let mut findings = report["findings"].as_array().unwrap().iter();
    assert!(findings.all(|finding| finding["path"] != "Coverage"), "a type that is mapped is no finding");
    let again = person.run_with(&["import", "my.vault", "-"], BUNDLE).done();
    assert!(
        again.out().contains("Nothing new") && again.out().contains("4 already there"),
        "{}",
        again.out()
    );

    let changed = BUNDLE.replace("Asthma of the kitchen", "Asthma of the attic");
    // Nothing in it says which of the two is the newer one.
    let accepted = ["import", "my.vault", "-", "--json", "--accept-changed-source"];
    let report = person.run_with(&accepted, &changed).done().json();
    assert_eq!((&report["amended"], &report["unchanged"]), (&json!(1), &json!(3)));
    let last = person.run(&["import", "my.vault", "records.json"]).done().out();
    assert!(last.trim_end().ends_with("delete it and empty the trash."), "{last}");
}

#[test]
fn several_patients_need_a_choice_and_nothing_is_written_without() {
    let person = Person::with_vault();
    person.write("a.json", r#"{"resourceType":"Patient","id":"a","name":[{"family":"Onelastname"}]}"#);
    person.write("b.json", r#"{"resourceType":"Patient","id":"b","name":[{"family":"Twolastname"}]}"#);
    let before = person.read("my.vault");
    let refused = person.run(&["import", "my.vault", "a.json", "b.json"]).refused(1, "--patient");
    assert!(
        refused.out().contains("Patient/a  Onelastname") && refused.out().contains("Patient/b  Twolastname")
    );
    assert!(!refused.err().contains("lastname"));
    assert!(person.read("my.vault") == before);
    let report = person.run(&["import", "my.vault", "a.json", "b.json", "--patient", "Patient/a", "--json"]);
    let report = report.done().json();
    assert_eq!((&report["entries"], &report["other_patients"]), (&json!(1), &json!(1)));
}

#[test]
fn listing_filters_and_its_json_has_the_promised_members() {
    let person = with_records();
    let all = person.run(&["list", "my.vault", "--json"]).done().json();
    for entry in all.as_array().unwrap() {
        for member in ["id", "kind", "date", "code", "display", "source"] {
            assert!(entry.get(member).is_some(), "{member}");
        }
    }
    let melancholia = all.as_array().unwrap().iter().find(|entry| entry["code"] == "F33.1").unwrap();
    assert_eq!(melancholia["date"], "2019-04-27");
    assert_eq!(melancholia["source"], "portal-download");
    let count = |arguments: &[&str]| {
        ids(&person.run(&[&["list", "my.vault", "--json"], arguments].concat()).done().json())
    };
    assert_eq!(count(&["--kind", "diagnosis"]), 2);
    assert_eq!(count(&["--kind", "diagnosis", "--kind", "patient"]), 3);
    assert_eq!(count(&["--kind", "diagnosis", "--since", "2020"]), 2);
    assert_eq!(count(&["--kind", "diagnosis", "--until", "2020"]), 1);
    let said = person.run(&["list", "my.vault", "--kind", "diagnosis", "--since", "2020"]).done().err();
    assert!(said.contains("perhaps outside these dates"), "{said}");
    assert_eq!(count(&["--code", "F33"]), 1);
    assert_eq!(count(&["--code", "http://snomed.info/sct|1959"]), 1);
    assert_eq!(count(&["--code", "http://loinc.org|F33"]), 0);
    assert_eq!(count(&["--text", "PIANO"]), 1);
    let asked = person.run_with(&["list", "my.vault", "--json", "--text", "-"], "piano\n").done();
    assert_eq!((ids(&asked.json()), asked.err()), (1, String::new()));
    person.run(&["list", "my.vault", "--kind", "nonsense"]).refused(2, "diagnosis");
    person.run(&["list", "my.vault", "--since", "last May"]).refused(2, "2019-04");
}

#[test]
fn what_was_not_understood_is_named_first_and_released_one_by_one() {
    let person = Person::with_vault();
    let condition = |id: &str, name: &str| {
        serde_json::json!({"resource": {"resourceType": "Condition", "id": id, "subject": {"reference": "Patient/p"},
            "modifierExtension": [{"url": "http://example.org/never-seen", "valueBoolean": true}],
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": id, "display": name}]}}})
    };
    let patient = serde_json::json!({"resource": {"resourceType": "Patient", "id": "p",
        "name": [{"family": "Byron", "given": ["Ada"]}]}});
    let bundle = serde_json::json!({"resourceType": "Bundle", "type": "collection",
        "entry": [patient, condition("1", "Asthma"), condition("2", "Gout")]});
    person.write("unclear.json", bundle.to_string());
    person.run(&["import", "my.vault", "unclear.json", "--yes"]).done();
    let asthma = id_of(&person, "1");
    let preview = ["release", "my.vault", "--preview", "--kind", "diagnosis"];
    let said = person.run(&preview).done().out();
    assert!(said.starts_with("MEANING NOT UNDERSTOOD"), "{said}");
    assert!(said.contains("Asthma") && said.contains("Gout") && said.contains("show 0 entries"), "{said}");
    let said = person.run(&[&preview[..], &["--not-understood-of", &asthma]].concat()).done().out();
    let stays = said.split("It names the patient").next().unwrap();
    assert!(stays.contains("Gout") && !stays.contains("Asthma"), "{said}");
    assert!(said.contains("show 1 entry"), "{said}");
}

#[test]
fn the_vault_is_named_by_the_environment_or_first() {
    let person = with_records();
    let id = id_of(&person, "F33");
    let with_default = |arguments: &[&str]| person.run(&[&["--vault", "my.vault"], arguments].concat());
    with_default(&["list"]).done();
    with_default(&["show", &id[..6]]).done();
    with_default(&["show", "my.vault", &id]).done();
    with_default(&["import", "records.json"]).done();
    with_default(&["import", "my.vault", "records.json", "records.json"]).done();
    with_default(&["list", "records.json"]).refused(1, "not a Subrosa vault");
    person.run(&["show", &id]).refused(2, "name the vault");
    person.run(&["show"]).ended(2);
}

#[test]
fn an_entry_shows_its_fields_and_its_exact_original() {
    let person = with_records();
    let id = id_of(&person, "F33");
    let shown = person.run(&["show", "my.vault", &id[..8]]).done().out();
    assert!(shown.contains("Recurrent melancholia") && shown.contains("ICD-10-CM F33.1"), "{shown}");
    let raw = person.run(&["show", "my.vault", &id, "--raw"]).done();
    let start = BUNDLE.find(r#"{"resourceType": "Condition", "id": "c1""#).unwrap();
    assert!(BUNDLE.as_bytes()[start..].starts_with(raw.out_bytes()) && raw.out_bytes().ends_with(b"}]}"));
    let shown = person.run(&["show", "my.vault", &id, "--json"]).done().json();
    assert_eq!(shown["fields"]["onset"], "2019-04-27");
    assert_eq!(shown["provenance"]["identity"], "Condition/c1");
    person.run(&["show", "my.vault", "abc"]).refused(1, "at least the first 4");
    person.run(&["show", "my.vault", &"0".repeat(32)]).refused(1, "there is no entry");
}

#[test]
fn what_is_added_can_be_amended_retracted_and_read_back() {
    let person = with_records();
    let entry = r#"{"code": "ICD-10-CM|F41.1|Anxiety of a test", "onset": "2019", "notes": ["one", "two"]}"#;
    let added = person.run_with(&["add", "my.vault", "diagnosis", "--json"], entry).done().json();
    let id = added["id"].as_str().unwrap();
    let amendment = r#"{"onset": "2018-05", "notes": null, "_reason": "found the letter"}"#;
    person.run_with(&["amend", "my.vault", id], amendment).done();
    person.run(&["show", "my.vault", id, "--revision", "9"]).refused(1, "`personal show my.vault --history`");
    let shown = person.run(&["show", "my.vault", id, "--history", "--json"]).done().json();
    assert_eq!(shown["fields"]["onset"], "2018-05");
    assert_eq!(shown["fields"].get("notes"), None);
    assert_eq!(shown["fields"]["code"]["codings"][0]["system"], "http://hl7.org/fhir/sid/icd-10-cm");
    assert_eq!(shown["history"][0]["fields"]["notes"], json!(["one", "two"]));
    assert_eq!(shown["history"][1]["reason"], "found the letter");
    // What show prints is what amend takes.
    person.run_with(&["amend", "my.vault", id], &shown["fields"].to_string()).done();
    let again = person.run(&["show", "my.vault", id, "--json"]).done().json();
    assert_eq!(again["fields"], shown["fields"]);

    person.run(&["retract", "my.vault", id, "--reason", "not mine"]).done();
    let listed = |all: &[&str]| {
        ids(&person.run(&[&["list", "my.vault", "--code", "F41", "--json"], all].concat()).done().json())
    };
    assert_eq!((listed(&[]), listed(&["--all"])), (0, 1));
}

#[test]
fn fields_that_are_not_understood_are_refused_without_repeating_them() {
    let person = Person::with_vault();
    for (entry, words) in [
        (r#"{"onset": "CANARY"}"#, "onset: this is not a date"),
        (r#"{"code": {"codngs": "CANARY"}}"#, "code: this is not"),
        (r#"{"onsett": "CANARY"}"#, "no field onsett"),
        (r#"{"code": ["CANARY"]}"#, "code: this is not"),
        (r#"["CANARY"]"#, "a JSON object"),
        ("{}", "nothing was added"),
        ("CANARY", "a JSON object"),
    ] {
        let refused = person.run_with(&["add", "my.vault", "diagnosis"], entry).refused(1, words);
        assert!(!refused.err().contains("CANARY"), "{}", refused.err());
    }
    person.run_with(&["add", "my.vault", "nonsense"], "{}").refused(2, "diagnosis");
}

#[test]
fn a_release_shows_only_what_was_chosen_and_verifies_without_the_vault() {
    let person = with_records();
    let preview =
        ["release", "my.vault", "--preview", "--json", "--kind", "diagnosis", "--code", "ICD-10-CM|F33*"];
    let preview = person.run(&preview).done().json();
    assert_eq!(preview["released"].as_array().unwrap().len(), 1);
    let mut notices = preview["notices"].as_array().unwrap().iter();
    assert!(notices.any(|notice| notice.as_str().unwrap().contains("snomed")), "{}", preview["notices"]);
    let to = ["release", "my.vault", "--yes", "--to", "Dr. Lee", "--purpose", "second opinion"];
    let what = ["--code", "ICD-10-CM|F33*", "--mask", "onset=year"];
    person.run(&[&to[..], &what, &["--out", "a.html"]].concat()).done();
    person.run(&[&to[..], &what, &["--out", "a.json"]].concat()).done();
    person.run(&[&to[..], &what, &["--out", "a.json"]].concat()).refused(1, "another name");
    #[cfg(unix)]
    assert_eq!((mode(&person, "a.html"), mode(&person, "a.json")), (0o600, 0o600));
    person.run(&["public-key", "my.vault", "--out", "key.jwk"]).done();
    let file = String::from_utf8(person.read("a.html")).unwrap();
    assert!(file.contains("Recurrent melancholia") && !file.contains("piano") && !file.contains("2019-04"));

    for name in ["a.html", "a.json"] {
        let trusted = person.run_bare(&["verify", name, "--key", "key.jwk", "--json"], "").done().json();
        assert_eq!(trusted["outcome"], "trusted");
        assert_eq!(trusted["entries"].as_array().unwrap().len(), 1);
        let words = trusted["notices_in_the_signers_words"].as_array().unwrap();
        assert!(words.len() > 1 && words.iter().all(Value::is_string), "{trusted}");
        assert_eq!(
            (&trusted["issuer"]["name"], &trusted["issuer"]["role"]),
            (&json!("Ada Rose"), &json!("patient"))
        );
        assert_eq!(trusted["entries"].as_array().unwrap().len(), 1);
        let unknown = person.run_bare(&["verify", name, "--json"], "").refused(1, "signer is unknown");
        assert_eq!(unknown.json()["outcome"], "unknown-signer");
        person.run_bare(&["verify", name, "--accept-unknown-signer"], "").done();
    }
    let told = person.run_bare(&["verify", "a.html", "--key", "key.jwk"], "").done().out();
    assert!(
        told.contains("The signer adds, in their own words, which were not checked:\n    > \""),
        "{told}"
    );
    assert!(told.contains("Signed as the patient, not as a clinic"), "{told}");

    let mut changed = person.read("a.json");
    let envelope = changed.windows(11).position(|window| window == b"\"envelope\":").unwrap();
    changed[envelope + 200] ^= 1;
    person.write("b.json", &changed);
    let invalid = person.run_bare(&["verify", "b.json", "--accept-unknown-signer", "--json"], "");
    let invalid = invalid.refused(1, "INVALID");
    assert_eq!(invalid.json()["outcome"], "invalid");
    person.run_bare(&["verify", "records.json"], "").refused(1, "INVALID");

    let ledger = person.run(&["ledger", "my.vault", "--json"]).done().json();
    let released: Vec<&Value> =
        ledger.as_array().unwrap().iter().filter(|l| l["action"] == "released").collect();
    assert_eq!(released.len(), 2);
    assert_eq!(released[0]["details"]["recipient"], "Dr. Lee");
}

#[test]
fn a_refused_release_leaves_no_file_and_no_ledger_line() {
    let person = with_records();
    let before = person.read("my.vault");
    let to = ["release", "my.vault", "--yes", "--to", "x", "--purpose", "y", "--out", "a.html"];
    person.run(&to).refused(1, "nothing would be released");
    person.run(&[&to[..], &["--kind", "diagnosis", "--mask", "onsett=year"]].concat()).refused(2, "onsett");
    person
        .run(&[&to[..], &["--kind", "diagnosis", "--mask", "onset=gone"]].concat())
        .refused(2, "FIELD=year");
    person.run(&["release", "my.vault", "--kind", "diagnosis"]).ended(2);
    person.run(&["release", "my.vault", "--to", "x", "--purpose", "y", "--out", "a.pdf"]).refused(2, ".html");
    assert!(!person.path("a.html").exists() && person.read("my.vault") == before);
}

#[test]
fn an_expungement_shows_what_goes_asks_for_the_count_and_reports_honestly() {
    let person = with_records();
    let id = id_of(&person, "F33");
    person
        .run(&[
            "release",
            "my.vault",
            "--yes",
            "--to",
            "Dr. Lee",
            "--purpose",
            "x",
            "--entry",
            &id,
            "--out",
            "a.json",
        ])
        .done();
    let refused = person.run_with(&["expunge", "my.vault", &id], "2\n").refused(1, "nothing was destroyed");
    assert!(refused.out().contains("Recurrent melancholia") && refused.out().contains("27 April 2019"));
    assert!(!refused.err().contains("melancholia"));
    person.run(&["expunge", "my.vault", &id]).refused(1, "nothing was destroyed");
    let told = person.run_with(&["expunge", "my.vault", &id, "--stay-away"], "1\n").done().out();
    assert!(told.contains("Dr. Lee") && told.contains("NOT reached"), "{told}");
    assert!(told.contains("portal-download") && told.contains("is left out if you import"), "{told}");
    assert!(told.contains("known again by") && told.contains("not what of"), "{told}");
    // Nothing tells that it ever was.
    person.run(&["show", "my.vault", &id[..8]]).refused(1, "no entry's id begins with");
    person.run(&["expunge", "my.vault", &id, "--yes"]).refused(1, "no entry");
    let report = person.run(&["import", "my.vault", "records.json", "--json"]).done().json();
    assert_eq!((&report["entries"], &report["expunged_before"]), (&json!(0), &json!(1)));
    let other = id_of(&person, "195967001");
    let report = person.run(&["expunge", "my.vault", &other, "--yes", "--json"]).done().json();
    assert_eq!((&report["vault"]["covered"], &report["copies"]["covered"]), (&json!("proven"), &json!("no")));
    assert_eq!((&report["handed_out"], &report["stays_away"]), (&json!([]), &json!(false)));
    assert_eq!(report["sources"][0]["document"], "portal-download");
    // Nothing keeps it away, as nobody asked for that.
    let report = person.run(&["import", "my.vault", "records.json", "--json"]).done().json();
    assert_eq!((&report["entries"], &report["expunged_before"]), (&json!(1), &json!(1)));
}

#[test]
fn a_checkpoint_tells_a_rolled_back_and_a_forked_vault() {
    let person = with_records();
    let older = person.read("my.vault");
    let add = |code: &str| {
        let entry = json!({ "code": code }).to_string();
        person.run_with(&["add", "my.vault", "diagnosis"], &entry).done();
    };
    add("one");
    let report = person.run(&["check", "my.vault", "--json"]).done().json();
    assert_eq!((&report["clean"], &report["entries"]), (&json!(true), &json!(5)));
    let checkpoint = report["checkpoint"].as_str().unwrap();
    add("two");
    person.run(&["check", "my.vault", "--expect", checkpoint]).done();
    person.write("my.vault", &older);
    person.run(&["check", "my.vault", "--expect", checkpoint]).refused(4, "rolled back");
    add("three");
    person.run(&["check", "my.vault", "--expect", checkpoint]).refused(4, "forked");
    person.run(&["check", "my.vault", "--expect", "1:x"]).refused(2, "checkpoint");
}

#[test]
fn a_changed_password_opens_and_the_old_one_does_not() {
    let person = with_records();
    person.write("new", "another long sentence about tulips\r\n");
    person.run(&["password", "my.vault", "--small-device", "--new-password-file", "new"]).done();
    person.run(&["list", "my.vault"]).refused(3, "wrong password");
    let listed = person.run_bare(&["list", "my.vault", "--json", "--password-file", "new"], "").done();
    assert_eq!(ids(&listed.json()), 4);
    person.run_bare(&["--recovery-key-file", "key", "list", "my.vault"], "").done();
}

#[test]
fn an_export_is_complete_and_another_vault_takes_it() {
    let person = with_records();
    person.run_with(&["add", "my.vault", "note"], r#"{"title": "Mine", "text": ["a line"]}"#).done();
    person.run(&["export", "my.vault", "all.json"]).refused(1, "not confirmed");
    assert!(!person.path("all.json").exists());
    let done = person.run_with(&["export", "my.vault", "all.json"], "y\n").done();
    assert!(done.err().contains("readable by whoever gets it"));
    #[cfg(unix)]
    assert_eq!(mode(&person, "all.json"), 0o600);
    person.run(&["export", "my.vault", "all.json", "--yes"]).refused(1, "another name");

    let text = String::from_utf8(person.read("all.json")).unwrap();
    let exported: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(exported["entry"].as_array().unwrap().len(), 4);
    let id = id_of(&person, "F33");
    assert!(text.contains(&person.run(&["show", "my.vault", &id, "--raw"]).done().out()));
    let own = exported["subrosa"]["entries"].as_array().unwrap().iter().find(|e| e["has_original"] == false);
    assert_eq!(own.unwrap()["fields"]["title"], "Mine");
    let report = person.run(&["import", "my.vault", "all.json", "--json"]).done().json();
    assert_eq!((&report["unchanged"], &report["entries"]), (&json!(4), &json!(0)));
    assert!(person.run(&["ledger", "my.vault"]).done().out().contains("exported"));
}

#[test]
fn nobody_reading_the_output_is_no_failure() {
    let person = with_records();
    let mut child = std::process::Command::new("sh")
        .args(["-c", "\"$0\" --password-file password list my.vault --json | head -c 1"])
        .arg(support::program())
        .current_dir(person.path("."))
        .env_remove("SUBROSA_VAULT")
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success());
    let mut err = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut err).unwrap();
    assert_eq!(err, "");
}

#[test]
fn control_characters_of_a_record_do_not_reach_the_terminal() {
    let person = Person::with_vault();
    let hostile = BUNDLE.replace("Recurrent melancholia", "Red\\u001b[31m\\u202eherring");
    person.run_with(&["import", "my.vault", "-"], &hostile).done();
    for command in [&["list", "my.vault"][..], &["show", "my.vault", &id_of(&person, "F33")]] {
        let shown = person.run(command).done().out();
        assert!(
            shown.contains("herring") && !shown.contains('\u{1b}') && !shown.contains('\u{202e}'),
            "{shown}"
        );
    }
}

#[test]
fn content_cannot_imitate_what_the_program_says() {
    let person = Person::with_vault();
    let long = "x".repeat(200);
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"text": "Adalind \u{9b}2J\u{202e}Rosenquist"}]}},
        {"resource": {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"},
            "code": {"text": format!("Asthma {long} GENUINE: unchanged")},
            "note": [{"text": "fine\nGENUINE: unchanged since it was signed\nFingerprint  0000"}]}},
    ]});
    person.write("records.json", bundle.to_string());
    person.run(&["import", "my.vault", "records.json"]).done();
    let chosen = [
        "release",
        "my.vault",
        "--yes",
        "--kind",
        "diagnosis",
        "--audience",
        "treatment",
        "--include",
        "notes",
    ];
    let preview = person.run(&[&chosen[..], &["--preview"]].concat()).done().out();
    let closed = person.run(&["release", "my.vault", "--kind", "diagnosis", "--preview"]).done().out();
    let words = closed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!closed.contains("Asthma") && words.contains("include the field code"), "{closed}");
    let to = ["--to", "Dr. Lee", "--purpose", "second opinion", "--out", "a.json"];
    person.run(&[&chosen[..], &to].concat()).done();
    let verified = person.run_bare(&["verify", "a.json", "--accept-unknown-signer"], "").done().out();
    for told in [&preview, &verified] {
        assert!(told.contains("GENUINE: unchanged since it was signed"), "the note itself is shown");
        assert!(told.lines().all(|line| !line.starts_with("GENUINE") && line.chars().count() < 100));
        assert!(told.contains("[U+009B]2J[U+202E]") && !told.contains(['\u{9b}', '\u{202e}']));
    }
    assert_eq!(verified.lines().filter(|line| line.starts_with("Fingerprint")).count(), 1);
    let listed = person.run(&["list", "my.vault", "--json"]).done().out();
    let verified =
        person.run_bare(&["verify", "a.json", "--accept-unknown-signer", "--json"], "").done().out();
    assert!(listed.contains("\\u009b2J\\u202eRosenquist"), "{listed}");
    assert!(verified.contains("[U+009B]2J[U+202E]Rosenquist"), "{verified}");
    assert!(![listed, verified].iter().any(|json| json.contains(['\u{9b}', '\u{202e}'])));
}
