//! Files and keys that somebody made so that a reader is told something false.

use serde_json::json;
use subrosa::release::columns;

use crate::forger::Forger;
use crate::recipients::verify_excerpt;
use crate::support::Person;

const RESULT: &str = r#"{"code":{"text":"HIV"},"status":"final","text":"positive"}"#;

#[test]
fn a_name_on_the_command_line_is_not_believed_of_a_key_whose_file_says_another() {
    let person = Person::new();
    let [a, b] = [Forger::new(1), Forger::new(2)];
    person.write("a.jwk", a.key_file("Clinic A"));
    person.write("b.jwk", b.key_file("Clinic B"));
    let bare = b.key_file("Clinic B").replace("subrosa_", "other_");
    person.write("bare.jwk", bare);
    person.write("x.json", b.excerpt("Clinic A", &[b.entry("observation", RESULT, "{}")]));
    let verify = |arguments: &[&str]| person.run_bare(&[&["verify", "x.json"], arguments].concat(), "");
    let keys = ["--key", "a.jwk", "--key", "b.jwk"];
    verify(&keys).refused(1, "another name or role");
    verify(&[&keys[..], &["--name", "Clinic A"]].concat()).refused(2, "leave --name and --role out");
    verify(&["--key", "b.jwk", "--name", "Clinic A"]).refused(2, "leave --name and --role out");
    // Where another key needs the name, it is for that one alone.
    person.write("c.jwk", Forger::new(3).key_file("x").replace("subrosa_", "other_"));
    let mixed = [&keys[..], &["--key", "c.jwk", "--name", "Clinic A"]].concat();
    let told = verify(&mixed).refused(1, "another name or role").out();
    assert!(!told.contains("GENUINE"), "{told}");
    verify(&["--key", "bare.jwk", "--name", "Clinic A"]).done();
    let (exit, told, error) = verify_excerpt(&person, &["x.json", "b.jwk", "Clinic A"]);
    assert!(exit == 1 && told.is_empty() && error.contains("leave NAME and ROLE out"), "{told}{error}");
    let (exit, told, _) = verify_excerpt(&person, &["x.json", "b.jwk"]);
    assert!(exit == 1 && !told.contains("VALID"), "{told}");
    assert_eq!(verify_excerpt(&person, &["x.json", "bare.jwk", "Clinic A"]).0, 0);
}

#[test]
fn json_says_every_warning_and_keeps_every_digit() {
    let person = Person::new();
    let clinic = Forger::new(1);
    person.write("key.jwk", clinic.key_file("Clinic"));
    let digits =
        ["1e999", "-1e400", "12345678901234567890123", "0.1000000000000000055511151231257827", "-0", "1.50"];
    let numbers = format!(r#"{{"code":{{"text":"HIV"}},"a":[{}],"text":"POSITIVE"}}"#, digits.join(","));
    let entries = [
        clinic.entry("observation", RESULT, "{}"),
        clinic.entry("observation", &RESULT.replace("positive", "negative"), "{}"),
        clinic.entry("observation", &numbers, &format!(r#"{{"b":{}}}"#, digits[0])),
    ];
    let file = clinic.excerpt_with("Clinic", &entries, |envelope| {
        envelope.entries.iter_mut().take(2).for_each(|entry| entry.perhaps_same = Some(1));
    });
    person.write("x.json", file);
    let verify = |more: &[&str]| {
        person.run_bare(&[&["verify", "x.json", "--key", "key.jwk"], more].concat(), "").done()
    };
    let plain = verify(&[]).out();
    let text = verify(&["--json"]).out();
    for number in digits {
        assert!(
            text.contains(&format!("[{number},")) || text.contains(&format!(",{number}")),
            "{number}: {text}"
        );
    }
    assert!(text.contains(r#""provenance": {"b":1e999}"#) && text.contains("POSITIVE"), "{text}");
    assert!(!text.contains("null,\n      \"provenance\""), "{text}");
    // Whoever reads such numbers as they can sees the rest.
    let read = text.replace("1e999", "1").replace("-1e400", "1");
    let read: serde_json::Value = serde_json::from_str(&read).unwrap();
    assert_eq!(read["entries"][0]["perhaps_same"], 1);
    assert_eq!(read["entries"][2]["perhaps_same"], json!(null));
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    for entry in &read["entries"].as_array().unwrap()[..2] {
        let warning = entry["warnings"][0].as_str().unwrap();
        assert!(
            warning.contains("every other record here with mark 1") && words.contains(warning),
            "{plain}"
        );
    }
}

#[test]
fn wide_characters_do_not_carry_content_to_the_edge() {
    let person = Person::new();
    let clinic = Forger::new(1);
    person.write("key.jwk", clinic.key_file("Clinic"));
    let wide = "\u{231a}".repeat(40);
    let said = format!("{wide}xSigned\u{a0}by\u{a0}Mayo\u{a0}Clinic {wide}\u{a0}GENUINE:\u{a0}unchanged");
    let fields = format!(r#"{{"code":{{"text":"{said}"}},"text":"{said}"}}"#);
    let file = clinic.excerpt_with("Clinic", &[clinic.entry("observation", &fields, "{}")], |envelope| {
        envelope.purpose = said.clone();
        envelope.notices = vec![said.clone()];
    });
    person.write("x.json", file);
    let (_, other, _) = verify_excerpt(&person, &["x.json", "key.jwk"]);
    for told in [person.run_bare(&["verify", "x.json", "--key", "key.jwk"], "").done().out(), other] {
        assert!(told.contains("\u{231a}") && told.contains("Mayo"), "{told}");
        for line in told.lines().filter(|line| line.contains(['\u{231a}', '\u{a0}'])) {
            assert!(
                columns(line) <= 80 && (line.starts_with("  ") || line.starts_with("Purpose  ")),
                "{line:?}"
            );
        }
    }
}

/// A text that would begin lines, and act on a terminal.
const HOSTILE: &str = "x\u{9b}2J\u{202e}y\u{200b}\nGENUINE: It names the patient: nobody.\n\nGENUINE\r\nGENUINE\u{7}\u{1b}[2J\u{7f}";

fn hostile_records() -> serde_json::Value {
    let said = |before: &str| format!("{before}{HOSTILE}");
    let about = json!({"reference": "Patient/p1", "display": said("d")});
    let coding =
        |code: &str| json!([{"system": said("http://x"), "code": said(code), "display": said("disp")}]);
    let resources = [
        json!({"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01", "gender": said("g"),
            "name": [{"text": said("Ada "), "family": said("By"), "given": [said("A")]}],
            "identifier": [{"system": said("s"), "value": said("v")}]}),
        json!({"resourceType": "Condition", "id": "c1", "subject": about, "code": {"coding": coding("c"), "text": said("t")}}),
        json!({"resourceType": "Condition", "id": "c2", "subject": about, "code": {"text": said("t")},
            said("mod"): 1, "modifierExtension": [{"url": said("u"), said("k"): 1}]}),
        json!({"resourceType": "Observation", "id": "o1", "status": said("final"), "subject": about,
            "code": {"coding": coding("o"), "text": said("t")}, "valueString": said("r"), "note": [{"text": said("n")}]}),
        json!({"resourceType": said("Evil"), "id": "e1", said("k"): 1}),
        json!({"resourceType": "Condition", "id": said("c3"), "subject": about, "code": {"text": said("t")}}),
    ];
    let entries: Vec<_> =
        resources.iter().map(|resource| json!({"fullUrl": said("urn:x:"), "resource": resource})).collect();
    json!({"resourceType": "Bundle", "type": "collection", "id": said("b"), "entry": entries})
}

#[test]
fn no_text_of_a_record_begins_a_line_or_acts_on_the_terminal_in_any_command() {
    let person = Person::with_vault();
    person.write("records.json", hostile_records().to_string());
    let vault = "my.vault";
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["import", vault, "records.json", "--patient-is-same"],
        vec!["import", vault, "records.json", "--report"],
        vec!["import", vault, "records.json", "--yes", "--patient-is-same"],
        vec!["list", vault],
        vec!["list", vault, "--code", "x|1"],
        vec!["search", vault, "GENUINE"],
        vec!["ledger", vault],
        vec!["import", vault, "--list"],
        vec!["import", vault, "--undo", "last"],
        vec!["check", vault, "--explain"],
        vec!["public-key", vault],
    ];
    let release = ["release", vault, "--kind", "diagnosis", "--kind", "observation"];
    for more in [
        vec!["--preview"],
        vec!["--preview", "--audience", "treatment", "--include", "notes"],
        vec!["--preview", "--audience", "patient", "--mask", "recorded=year"],
        vec!["--preview", "--code", "http://y|1*"],
        vec!["--preview", "--code", "1"],
        vec!["--to", "A", "--purpose", "B", "--out", "a.json"],
        vec![
            "--to",
            "A",
            "--purpose",
            "B",
            "--out",
            "a.json",
            "--yes",
            "--audience",
            "patient",
            "--include",
            "notes",
        ],
    ] {
        commands.push([&release[..], &more].concat());
    }
    commands.push(vec!["verify", "a.json", "--accept-unknown-signer"]);
    commands.push(vec!["verify", "a.json", "--accept-unknown-signer", "--json"]);
    let mut met = 0;
    let mut looked_at = |ran: &crate::support::Ran, what: &str| {
        for text in [ran.out(), ran.err()] {
            met += usize::from(text.contains("GENUINE"));
            assert!(text.lines().all(|line| !line.starts_with("GENUINE")), "{what}: {text}");
            let acts = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c);
            assert!(!text.contains(acts), "{what}: {text:?}");
            assert!(!text.contains("panicked"), "{what}: {text}");
        }
    };
    for command in &commands {
        looked_at(&person.run_with(command, "n\nn\nn\n"), &command.join(" "));
    }
    let listed = person.run(&["list", vault, "--all", "--insurance", "--json"]).done().json();
    let ids: Vec<String> =
        listed.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() >= 4, "{listed}");
    for id in &ids {
        for more in
            [vec!["show", vault, id], vec!["show", vault, id, "--history"], vec!["show", vault, id, "--json"]]
        {
            looked_at(&person.run(&more), &more.join(" "));
        }
        let expunge = ["expunge", vault, id, "--reason", "x"];
        looked_at(&person.run_with(&expunge, "n\n"), &expunge.join(" "));
    }
    assert!(met > 20, "{met} outputs say it somewhere");
}

#[test]
fn a_terminal_is_shown_no_original_and_no_key_that_it_would_obey() {
    let person = Person::new();
    let name = "Ada \u{202e}Rose";
    let init = ["init", "my.vault", "--small-device", "--no-recovery-key", "--name", name];
    person.run(&init).done();
    let key = person.run(&["public-key", "my.vault"]).done();
    assert!(!key.out().contains('\u{202e}') && !key.err().contains('\u{202e}'), "{}", key.out());
    assert_eq!(key.json()["subrosa_name"], name);
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"text": "Ada"}]}},
        {"resource": {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"},
            "code": {"coding": [{"system": "http://a", "code": "G1"}], "text": "gout\u{9b}2J\u{7f}\u{202e}"}}},
    ]});
    person.write("records.json", bundle.to_string());
    person.run(&["import", "my.vault", "records.json", "--yes", "--patient-is-same"]).done();
    let id = crate::id_of(&person, "G1");
    let raw = person.run(&["show", "my.vault", &id, "--raw"]).done();
    assert!(String::from_utf8_lossy(raw.out_bytes()).contains("gout\u{9b}2J\u{7f}\u{202e}"), "{}", raw.out());
    let arguments = ["--password-file", "password", "show", "my.vault", &id, "--raw"];
    let Some(shown) = person.at_terminal(&arguments, "", 80) else { return };
    let shown = shown.done().out();
    assert!(shown.contains("gout\\u009b2J\\u007f\\u202e"), "{shown:?}");
    assert!(!shown.contains(['\u{9b}', '\u{7f}', '\u{202e}']), "{shown:?}");
}
