//! Several passwords, and the way back in when one is forgotten.

use serde_json::{Value, json};

use super::support::{PASSWORD, Person};
use super::{ids, with_records};

fn names(person: &Person, password: &str) -> Vec<String> {
    let listed = person.run_bare(&["access", "list", "my.vault", "--json", "--password-file", password], "");
    let listed = listed.done().json();
    listed.as_array().unwrap().iter().map(|access| access["name"].as_str().unwrap().to_owned()).collect()
}

fn opens(person: &Person, option: &str, file: &str) -> bool {
    let ran = person.run_bare(&[option, file, "list", "my.vault"], "");
    assert!([0, 3].contains(&ran.exit()), "{}", ran.err());
    ran.exit() == 0
}

#[test]
fn a_forgotten_password_is_replaced_with_the_recovery_key() {
    let person = with_records();
    person.write("new", "another long sentence about tulips\n");
    let recover = ["recover", "my.vault", "--recovery-key-file", "key", "--small-device"];
    let more = ["--new-password-file", "new", "--new-recovery-key-out", "new-key"];
    let before = person.read("my.vault");
    person.run_bare(&[&recover[..], &more].concat(), "n\n").refused(1, "not confirmed");
    assert!(person.read("my.vault") == before && !person.path("new-key").exists());
    let done = person.run_bare(&[&recover[..], &more].concat(), "y\n").done();
    assert!(done.err().contains("nothing in it is lost"), "{}", done.err());
    assert!(done.out().contains("backup") && done.out().contains("destroy the old paper"), "{}", done.out());

    assert!(!opens(&person, "--password-file", "password") && opens(&person, "--password-file", "new"));
    assert!(
        !opens(&person, "--recovery-key-file", "key") && opens(&person, "--recovery-key-file", "new-key")
    );
    assert_eq!(names(&person, "new"), ["password", "recovery key"]);
    let listed = person.run_bare(&["list", "my.vault", "--json", "--password-file", "new"], "").done();
    assert_eq!(ids(&listed.json()), 4);
    let check = person.run_bare(&["check", "my.vault", "--json", "--password-file", "new"], "").done().json();
    assert_eq!(check["clean"], json!(true));
    let ledger = person.run_bare(&["ledger", "my.vault", "--password-file", "new"], "").done().out();
    assert!(ledger.contains("access revoked") && ledger.contains("name: recovery key"), "{ledger}");
}

#[test]
fn one_password_for_several_forgotten_ones_opens_what_any_of_them_did() {
    let person = with_records();
    person.write("clinic", "a sentence that only the clinic says");
    person.write("spouse", "seven staplers under one umbrella");
    person.write("new", "another long sentence about tulips");
    let add = |name: &str, more: &[&str]| {
        let file =
            ["access", "add", "my.vault", name, "--small-device", "--yes", "--new-password-file", name];
        person.run(&[&file[..], more].concat()).done();
    };
    add("clinic", &["--only", "general"]);
    add("spouse", &[]);
    let recover = ["recover", "my.vault", "--recovery-key-file", "key", "--small-device", "--yes"];
    let more = ["--replace", "clinic", "--replace", "spouse", "--new-password-file", "new"];
    person.run_bare(&[&recover[..], &more].concat(), "").done();
    assert_eq!(names(&person, "new"), ["password", "recovery key", "spouse"]);
    assert!(!opens(&person, "--password-file", "clinic") && !opens(&person, "--password-file", "spouse"));
}

#[test]
fn a_recovery_without_a_terminal_keeps_the_recovery_key_and_says_so() {
    let person = Person::with_vault();
    person.write("weak", "password1");
    let recover = ["recover", "my.vault", "--recovery-key-file", "key", "--small-device", "--yes", "--json"];
    let done = person.run_bare(&[&recover[..], &["--new-password-file", "weak"]].concat(), "").done();
    assert!(done.err().contains("stays the same") && done.err().contains("easy to guess"), "{}", done.err());
    assert_eq!(done.json(), json!({ "recovered": ["password"], "new_recovery_key": false }));
    assert!(opens(&person, "--recovery-key-file", "key") && opens(&person, "--password-file", "weak"));
}

#[test]
fn a_recovery_that_cannot_be_is_refused_and_says_what_to_do() {
    let person = Person::with_vault();
    person.write("new", "another long sentence about tulips");
    let before = person.read("my.vault");
    person.run(&["recover", "my.vault"]).refused(1, "`personal password` changes");
    person.write("bad", "abandon abandon");
    let with = |key: &str, more: &[&str]| {
        let all = [&["recover", "my.vault", "--recovery-key-file", key, "--new-password-file", "new"], more];
        person.run_bare(&all.concat(), "")
    };
    with("bad", &[]).refused(1, "24 words");
    person.write("other", "zoo ".repeat(23) + "vote");
    with("other", &[]).refused(3, "wrong password or key");
    with("key", &["--replace", "nobody"]).refused(1, "personal access list");
    assert!(person.read("my.vault") == before);
    person
        .run_bare(&["password", "my.vault", "--recovery-key-file", "key"], "")
        .refused(1, "personal recover");
    person.run_bare(&["--password-file", "new", "list", "my.vault"], "").refused(3, "personal recover");
}

#[test]
fn several_people_have_their_own_ways_in_and_one_is_taken_away() {
    let person = with_records();
    person.write("spouse", "seven staplers under one umbrella");
    person.write("clinic", "a sentence that only the clinic says");
    let add = |name: &str, more: &[&str]| {
        person.run(&[&["access", "add", "my.vault", name, "--small-device", "--yes"], more].concat())
    };
    add("spouse", &["--new-password-file", "spouse"]).done();
    add("clinic", &["--new-password-file", "clinic", "--only", "general"]).done();
    add("clinic", &["--new-password-file", "clinic"]).refused(1, "choose another name");
    add("twin", &["--new-password-file", "spouse"]).refused(1, "the same password or key");
    add("x", &["--new-password-file", "clinic", "--only", "attic"]).refused(2, "psychotherapy-notes");
    add("x", &["--new-password-file", "clinic", "--only", "custody"]).refused(1, "leave custody out");
    assert_eq!(names(&person, "spouse"), ["password", "recovery key", "spouse", "clinic"]);
    person
        .run_bare(&["access", "list", "my.vault", "--password-file", "clinic"], "")
        .refused(1, "custody: unlock with one that does, such as the owner's password");

    let told =
        person.run_with(&["access", "revoke", "my.vault", "clinic"], "no\n").refused(1, "not confirmed");
    assert!(told.out().contains("clinic") && !told.out().contains("spouse"), "{}", told.out());
    assert!(opens(&person, "--password-file", "clinic"));
    let done = person.run_with(&["access", "revoke", "my.vault", "clinic"], "y\n").done();
    assert!(done.out().contains("older copies"), "{}", done.out());
    assert!(!opens(&person, "--password-file", "clinic") && opens(&person, "--password-file", "spouse"));
    person.run(&["access", "revoke", "my.vault", "clinic", "--yes"]).refused(1, "no such way in");
    let all = ["access", "revoke", "my.vault", "password", "spouse", "recovery key", "--yes"];
    person.run(&all).refused(1, "must open everything");

    let listed = person.run(&["access", "list", "my.vault"]).done();
    assert!(listed.out().contains("64 MiB") && listed.err().contains("--upgrade"), "{}", listed.err());
    assert!(listed.out().contains("password (you, now)"), "{}", listed.out());
}

#[test]
fn a_password_is_upgraded_and_stays_the_same() {
    let person = Person::with_vault();
    let memory = || -> Value {
        person.run(&["access", "list", "my.vault", "--json"]).done().json()[0]["memory_kib"].clone()
    };
    assert_eq!(memory(), json!(64 * 1024));
    let upgrade = ["password", "my.vault", "--upgrade", "--json"];
    assert_eq!(person.run(&upgrade).done().json(), json!({ "upgraded": true }));
    assert_eq!(memory(), json!(256 * 1024));
    assert_eq!(person.run(&upgrade).done().json(), json!({ "upgraded": false }));
    let file = person.read("my.vault");
    assert!(!file.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
}

#[test]
fn each_way_in_has_a_public_key_of_its_own_that_a_changed_password_keeps() {
    let person = Person::with_vault();
    person.write("new", "another long sentence about tulips\n");
    let key = |option: &str, file: &str| {
        let told = person.run_bare(&[option, file, "public-key", "my.vault"], "").done();
        assert!(told.err().contains("signs with a key of its own"), "{}", told.err());
        told.out().to_owned()
    };
    let (own, of_paper) = (key("--password-file", "password"), key("--recovery-key-file", "key"));
    assert_ne!(own, of_paper);
    let listed = person.run(&["access", "list", "my.vault", "--json"]).done().json();
    let fingerprints: Vec<&str> =
        listed.as_array().unwrap().iter().map(|access| access["fingerprint"].as_str().unwrap()).collect();
    let told = person.run(&["public-key", "my.vault"]).done().err().to_owned();
    assert!(told.contains(fingerprints[0]) && !told.contains(fingerprints[1]), "{told}");

    person.run(&["password", "my.vault", "--small-device", "--new-password-file", "new"]).done();
    assert_eq!(key("--password-file", "new"), own);
    // A new password for a forgotten one, and a new recovery key, sign with others.
    let recover = ["recover", "my.vault", "--recovery-key-file", "key", "--small-device", "--yes"];
    let more = ["--new-password-file", "password", "--new-recovery-key-out", "new-key"];
    let done = person.run_bare(&[&recover[..], &more].concat(), "").done();
    assert!(done.out().contains("personal public-key"), "{}", done.out());
    let (new, new_paper) = (key("--password-file", "password"), key("--recovery-key-file", "new-key"));
    assert!(![&own, &of_paper].contains(&&new) && ![&own, &of_paper].contains(&&new_paper));
}
