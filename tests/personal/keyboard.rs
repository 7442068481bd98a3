//! What a person at a terminal is asked, shown and told.

use serde_json::json;

use crate::support::Person;

fn entries(person: &Person) -> Vec<serde_json::Value> {
    person.run(&["list", "my.vault", "--json"]).done().json().as_array().unwrap().clone()
}

#[test]
fn a_note_is_asked_for_its_text_first_and_shown_before_it_is_saved() {
    let person = Person::with_vault();
    let typed = "Slept badly.\nThe new pills?\n.\nA bad night\nMarch 2021\n\nn\n\n";
    let Some(ran) = person.at_keyboard(&["add", "my.vault", "note"], typed) else { return };
    let said = ran.done().out();
    let place = |words: &str| said.find(words).unwrap_or_else(|| panic!("{words}: {said}"));
    assert!(place("What do you want to write?") < place("Title ("));
    assert!(place("full stop alone, ends it") < place("This will be saved"));
    let (_, shown) = said.split_once("This will be saved, as a note").unwrap();
    assert!(shown.find("Slept badly.").unwrap() < shown.find("Save this? [Y/n]").unwrap());
    assert!(shown.contains("Added as") && !said.contains("0 B of 0 B"), "{said}");
    let id = entries(&person)[0]["id"].as_str().unwrap().to_owned();
    let shown = person.run(&["show", "my.vault", &id, "--json"]).done().json();
    assert_eq!(shown["fields"]["text"], json!(["Slept badly.", "The new pills?"]));
    assert_eq!(
        (&shown["fields"]["title"], &shown["fields"]["date"]),
        (&json!("A bad night"), &json!("2021-03"))
    );

    let Some(refused) = person.at_keyboard(&["add", "my.vault", "note"], "Never mind\n\n.\nn\n") else {
        return;
    };
    assert!(refused.ended(1).out().contains("nothing was saved"));
    assert_eq!(entries(&person).len(), 1);
}

#[test]
fn a_word_that_a_status_mostly_has_not_is_asked_about_again() {
    let person = Person::with_vault();
    let typed = "Gout\n\n\n\ny\nMy toe hurts so much\nn\nactive\n.\n\n";
    let Some(ran) = person.at_keyboard(&["add", "my.vault", "diagnosis"], typed) else { return };
    let said = ran.done().out();
    assert!(said.contains("The usual words are: active, recurrence"), "{said}");
    let id = entries(&person)[0]["id"].as_str().unwrap().to_owned();
    let shown = person.run(&["show", "my.vault", &id, "--json"]).done().json();
    assert_eq!(shown["fields"]["clinical_status"], "active");
}

#[test]
fn an_entry_that_says_nothing_is_not_added() {
    let person = Person::with_vault();
    for (kind, nothing) in [
        ("note", r#"{"date": "2020"}"#),
        ("note", r#"{"form": "progress", "status": "final"}"#),
        ("diagnosis", r#"{"onset": "2020", "clinical_status": "active"}"#),
        ("immunization", r#"{"status": "completed"}"#),
    ] {
        person.run_with(&["add", "my.vault", kind], nothing).refused(1, "nothing was added");
    }
    assert!(entries(&person).is_empty());
    person.run_with(&["add", "my.vault", "encounter"], r#"{"start": "2020"}"#).done();
    person.run_with(&["add", "my.vault", "note"], r#"{"text": "x"}"#).done();
}

#[test]
fn a_recovery_key_is_declined_in_words_only() {
    let person = Person::new();
    let init = ["init", "my.vault", "--small-device", "--name", "Ada"];
    let Some(ran) = person.at_keyboard(&init, "n\nwhatever\nno key\n") else { return };
    let said = ran.done().out();
    assert!(
        said.contains("Ready to write down your recovery key? [Y/n]") && said.contains("type: no key"),
        "{said}"
    );
    let Some(ran) =
        person.at_keyboard(&["init", "b.vault", "--small-device", "--name", "Ada"], "\nx\nx\nx\n")
    else {
        return;
    };
    assert!(ran.ended(1).out().contains("Write these 24 words down"));
    assert!(!person.path("b.vault").exists());
}

#[test]
fn a_search_takes_several_words_and_a_date_the_words_of_lists() {
    let person = Person::with_vault();
    person
        .run_with(
            &["add", "my.vault", "diagnosis"],
            r#"{"code": "High blood pressure", "onset": "27 February 2021"}"#,
        )
        .done();
    let found = person.run(&["search", "my.vault", "blood", "pressure", "--json"]).done().json();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["date"]), (1, &json!("2021-02-27")));
    let found =
        |arguments: &[&str]| person.run(&[&["list", "my.vault", "--json"], arguments].concat()).done().json();
    assert_eq!(
        found(&["--since", "March 2022", "--until", "Apr 2022"]).as_array().unwrap().len(),
        1,
        "an open condition"
    );
    assert_eq!(found(&["--until", "January 2021"]), json!([]));
    person.run(&["--vault", "my.vault", "search", "high", "blood"]).done();
}

#[test]
fn a_wrong_password_may_be_typed_again_and_a_wrong_word_of_a_key_is_named() {
    let person = Person::with_vault();
    let typed = format!("wrong\nwrong again\n{}\n", crate::support::PASSWORD);
    let Some(ran) = person.at_keyboard_bare(&["list", "my.vault"], &typed) else { return };
    let said = ran.done().out();
    assert_eq!(said.matches("That is not the password. Once more").count(), 2, "{said}");
    let Some(ran) = person.at_keyboard_bare(&["list", "my.vault"], "a\nb\nc\n") else { return };
    ran.ended(3);

    let key = String::from_utf8(person.read("key")).unwrap();
    let words: Vec<&str> = key.split_whitespace().collect();
    let wrong = format!("{}q", words[4]);
    let mut typed = words.clone();
    typed[4] = &wrong;
    let typed = format!("{}\n{}\n", typed.join(" "), words[4]);
    let Some(ran) = person.at_keyboard_bare(&["--recovery-key", "list", "my.vault"], &typed) else { return };
    let said = ran.done().out();
    assert!(
        said.contains("Word 5 is no word of recovery keys. Did you mean") && said.contains("Word 5 again:"),
        "{said}"
    );
    assert!(!said.contains("Word 6"), "only the wrong word is asked again: {said}");
}
