//! What a recipient is told of who signed: by `personal verify` and by `verify_excerpt`.

use serde_json::json;

use crate::support::{Person, program};

/// A patient Ada Rose who released the record of this patient as `a.html` and `a.json`,
/// and another signer's key in `other.jwk`.
fn released(patient: &str) -> Person {
    let person = Person::with_vault();
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "p1", "name": [{"text": patient}]}},
        {"resource": {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"},
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "195967001", "display": "Asthma"}]}}},
    ]});
    person.write("records.json", bundle.to_string());
    person.run(&["import", "my.vault", "records.json"]).done();
    for name in ["a.html", "a.json"] {
        let to = ["--to", "Dr. Lee", "--purpose", "second opinion", "--out", name, "--yes"];
        person.run(&[&["release", "my.vault", "--kind", "diagnosis"][..], &to].concat()).done();
    }
    person.run(&["public-key", "my.vault", "--out", "key.jwk"]).done();
    let other = subrosa::excerpt::KeyFile::write(
        &other_key(),
        subrosa::excerpt::IssuerRole::Provider,
        "Riverside Clinic",
    );
    person.write("other.jwk", other);
    person
}

fn other_key() -> subrosa::excerpt::PublicKey {
    let key = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    subrosa::excerpt::PublicKey::from_jwk(key).unwrap()
}

fn without_key_names(person: &Person) -> String {
    let mut key: serde_json::Value = serde_json::from_slice(&person.read("key.jwk")).unwrap();
    key.as_object_mut().unwrap().retain(|name, _| !name.starts_with("subrosa"));
    key.to_string()
}

fn fingerprint(person: &Person) -> String {
    let key = subrosa::excerpt::KeyFile::parse(&person.read("key.jwk")).unwrap();
    key.key().fingerprint().to_string()
}

/// `verify_excerpt` with these arguments: its exit code, output and errors.
pub(crate) fn verify_excerpt(person: &Person, arguments: &[&str]) -> (i32, String, String) {
    let program = program().with_file_name(format!("verify_excerpt{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "run `cargo build --examples` first: only `cargo test` alone builds it");
    let ran = std::process::Command::new(program).args(arguments).current_dir(person.path("")).output();
    let ran = ran.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (ran.status.code().unwrap(), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn a_key_file_says_whose_it_is_to_both_programs() {
    let person = released("Ada Rose");
    for name in ["a.html", "a.json"] {
        let told = person.run_bare(&["verify", name, "--key", "key.jwk"], "").done().out();
        assert!(told.contains("GENUINE"), "{told}");
        assert!(told.contains("Signed by \"Ada Rose\" (patient), with a key that you trust"), "{told}");
        let (exit, told, _) = verify_excerpt(&person, &[name, "key.jwk"]);
        assert!(exit == 0 && told.starts_with("VALID"), "{told}");
        assert!(told.contains("Signed by \"Ada Rose\" (patient), with a key that you trust"), "{told}");
    }
    person.write("bare.jwk", without_key_names(&person));
    let (exit, _, error) = verify_excerpt(&person, &["a.html", "bare.jwk"]);
    assert!(exit == 1 && error.contains("say it behind it, as NAME and ROLE"), "{error}");
    assert_eq!(verify_excerpt(&person, &["a.html", "bare.jwk", "Ada Rose", "patient"]).0, 0);
    person.run_bare(&["verify", "a.html", "--key", "bare.jwk"], "").refused(2, "--name NAME");
}

#[test]
fn which_of_name_and_role_is_another_is_said() {
    let person = released("Ada Rose");
    person.write("bare.jwk", without_key_names(&person));
    for (name, role, words) in [
        ("Ada Rose", "provider", "under the same name, in another ROLE"),
        ("Ada Lee", "patient", "under another NAME, in the same role"),
        ("Ada Lee", "provider", "under another NAME and in another ROLE"),
    ] {
        let (exit, told, _) = verify_excerpt(&person, &["a.html", "bare.jwk", name, role]);
        assert!(exit == 1 && told.contains(words) && told.contains("DO NOT RELY ON IT"), "{told}");
        let arguments = ["verify", "a.html", "--key", "bare.jwk", "--name", name, "--role", role];
        let told = person.run_bare(&arguments, "").refused(1, "another name or role").out();
        assert!(told.contains(words) && told.contains("DO NOT RELY ON IT"), "{told}");
    }
}

#[test]
fn help_and_missing_files_are_answered_in_words() {
    let person = released("Ada Rose");
    let (exit, help, _) = verify_excerpt(&person, &["--help"]);
    assert!(exit == 0 && help.contains("Usage: verify_excerpt [EXCERPT [KEY [NAME [ROLE]]]]"), "{help}");
    let missing = "the excerpt: there is no such file; check the name";
    assert!(verify_excerpt(&person, &["none.html"]).2.contains(missing));
    let missing = "the key file: there is no such file; check the name";
    let (exit, _, error) = verify_excerpt(&person, &["a.html", "none.jwk"]);
    assert!(exit == 1 && error.contains(missing) && !error.contains("Os {"), "{error}");
    let (exit, _, error) = verify_excerpt(&person, &["a.html", "key.jwk", "Ada Rose", "nurse"]);
    assert!(exit == 1 && error.contains("provider or patient"), "{error}");
}

#[test]
fn nothing_states_an_unknown_signer_as_a_fact() {
    let person = released("Omar Abernathy");
    let forged = "None of the keys that you gave signed this file.";
    for keys in [&[][..], &["--key", "other.jwk"]] {
        let ran = person.run_bare(&[&["verify", "a.html"], keys].concat(), "").refused(1, "unknown");
        let (_, other_program, _) =
            verify_excerpt(&person, &[&["a.html"], keys.get(1..).unwrap_or_default()].concat());
        for told in [ran.out(), other_program] {
            assert!(told.contains("CLAIMS to be signed by \"Ada Rose\" (patient)."), "{told}");
            assert!(told.contains("That is not checked: anybody can write any name."), "{told}");
            assert!(!told.contains("Signed by") && !told.contains("Signed as"), "{told}");
            assert_eq!(told.contains(forged), !keys.is_empty(), "{told}");
        }
        assert!(ran.out().contains("Claimed signer  Ada Rose"), "{}", ran.out());
        let json = [&["verify", "a.html", "--json"], keys].concat();
        let json = person.run_bare(&json, "").refused(1, "unknown").json();
        assert_eq!(json["issuer"]["is_checked"], false);
        assert!(json["who_signed"][0].as_str().unwrap().starts_with("CLAIMS"), "{json}");
    }
}

#[test]
fn a_patient_who_signs_the_records_of_somebody_of_another_name_is_remarked_on_everywhere() {
    let words = "the names differ";
    let person = released("Mr. Omar Abernathy");
    let same = released("Ms. Ada ROSE");
    for (person, differ) in [(&person, true), (&same, false)] {
        let page = String::from_utf8(person.read("a.html")).unwrap();
        assert_eq!(page.contains(words), differ);
        for arguments in [&["--key", "key.jwk"][..], &["--accept-unknown-signer"]] {
            let told = person.run_bare(&[&["verify", "a.html"], arguments].concat(), "").done().out();
            assert_eq!(told.contains(words), differ, "{told}");
            let json = [&["verify", "a.html", "--json"], arguments].concat();
            assert_eq!(person.run_bare(&json, "").done().json()["names_differ"], differ);
        }
        assert_eq!(verify_excerpt(person, &["a.json", "key.jwk"]).1.contains(words), differ);
    }
    let told = person.run_bare(&["verify", "a.json", "--key", "key.jwk"], "").done().out();
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "Signed under the name \"Ada Rose\", as the patient; the records are about \"Mr. Omar Abernathy\": \
                    the names differ.";
    assert!(told.contains(sentence), "{told}");
}

#[test]
fn the_owner_sees_before_what_the_recipient_reads() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, differ) in [("Mr. Omar Abernathy", true), ("Ms. Ada ROSE", false)] {
        let person = released(name);
        let selected = ["release", "my.vault", "--kind", "diagnosis", "--since", "1990", "--preview"];
        let preview = person.run(&selected).done().out();
        let shown = words(&preview);
        let json = person.run(&[&selected[..], &["--json"]].concat()).done().json();
        let to =
            ["--to", "Dr. Lee", "--purpose", "opinion", "--out", "since.json", "--include", "notes", "--yes"];
        let kind = ["release", "my.vault", "--kind", "diagnosis"];
        person.run(&[&kind[..], &to].concat()).done();
        let verified = ["verify", "since.json", "--key", "key.jwk", "--json"];
        let verified = person.run_bare(&verified, "").done().json();
        let texts = |list: &serde_json::Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        for sentence in texts(&verified["who_signed"]).iter().skip(1) {
            assert!(shown.contains(sentence), "{sentence}: {preview}");
            assert!(texts(&json["who_signs"]).contains(sentence), "{json}");
        }
        for sentence in texts(&verified["notices_in_the_signers_words"]) {
            assert!(shown.contains(&sentence), "{sentence}: {preview}");
            assert!(texts(&json["notices_to_recipient"]).contains(&sentence), "{json}");
        }
        assert_eq!(preview.contains("the names differ"), differ, "{preview}");
        assert!(shown.contains("Kinds of record: Diagnosis From: 1990"), "{preview}");
        let told =
            words(&person.run(&[&kind[..], &["--to", "A", "--purpose", "b", "--yes"]].concat()).done().out());
        assert_eq!(told.contains("Note: the excerpt says: Signed under the name"), differ, "{told}");
        let again = person.run(&["import", "my.vault", "records.json"]).done().out();
        assert_eq!(
            again.contains("The names differ: this vault is named after \"Ada Rose\""),
            differ,
            "{again}"
        );
    }
}

#[test]
fn what_is_trusted_under_every_name_is_not_said_to_be_trusted_under_this_one() {
    let person = released("Ada Rose");
    let told = person.run_bare(&["verify", "a.json", "--key", "key.jwk", "--any-name"], "").done().out();
    assert!(told.contains("under every name") && !told.contains("under this name"), "{told}");
}

#[test]
fn an_altered_page_is_told_in_whole_sentences() {
    let person = released("Ada Rose");
    let page = String::from_utf8(person.read("a.html")).unwrap();
    person.write("b.html", page.replacen("Asthma", "Anaemia", 1));
    let told =
        person.run_bare(&["verify", "b.html", "--key", "key.jwk"], "").refused(1, "do not read it").out();
    let lines: Vec<&str> = told.lines().take(2).collect();
    assert!(
        lines[0].starts_with("THE PAGE DIFFERS") && lines[0].ends_with("What was signed is below."),
        "{told}"
    );
    assert!(lines[1].starts_with("Signed by \"Ada Rose\" (patient)"), "{told}");
}

#[test]
fn a_fingerprint_is_compared() {
    let person = released("Ada Rose");
    let fingerprint = fingerprint(&person);
    let named = ["--name", "Ada Rose", "--role", "patient"];
    for (option, text) in [("--key", fingerprint.clone()), ("--fingerprint", fingerprint.replace(' ', ""))] {
        let arguments = [&["verify", "a.html", option, &text][..], &named].concat();
        assert!(person.run_bare(&arguments, "").done().out().starts_with("GENUINE"));
        person.run_bare(&["verify", "a.html", option, &text], "").refused(2, "--name NAME");
    }
    let other = other_key().fingerprint().to_string();
    let wrong = person.run_bare(&[&["verify", "a.html", "--key", &other][..], &named].concat(), "");
    assert!(wrong.refused(1, "unknown").out().contains("None of the keys that you gave"));
    let cut = fingerprint.get(..40).unwrap();
    let arguments = [&["verify", "a.html", "--key", cut][..], &named].concat();
    person.run_bare(&arguments, "").refused(2, "copy it whole");
    assert_eq!(verify_excerpt(&person, &["a.html", &fingerprint, "Ada Rose", "patient"]).0, 0);
    assert_eq!(verify_excerpt(&person, &["a.html", &other, "Ada Rose", "patient"]).0, 1);
}
