//! One word per thing: what one screen calls it, every screen and every option does.

use serde_json::json;

use crate::support::{BUNDLE, Person};
use crate::{id_of, with_records};

/// The labels of a screen's lines: what stands at this column and before two spaces.
fn labels(screen: &str) -> Vec<String> {
    let line = |line: &str| {
        let text = line.strip_prefix("    ").filter(|text| text.starts_with(|c: char| c.is_alphabetic()))?;
        text.split_once("  ").map(|(label, _)| label.to_owned())
    };
    screen.lines().filter_map(line).collect()
}

#[test]
fn a_field_has_one_name_on_every_screen_and_a_mask_takes_it() {
    let person = with_records();
    let id = id_of(&person, "F33");
    let shown = person.run(&["show", "my.vault", &id]).done().out();
    let release = ["release", "my.vault", "--entry", &id, "--audience", "treatment", "--include", "Notes"];
    let with = |more: &[&str]| person.run(&[&release[..], more].concat());
    let preview = with(&["--preview"]).done().out();
    with(&["--yes", "--to", "Dr. Lee", "--purpose", "advice", "--out", "a.html"]).done();
    let verified = person.run_bare(&["verify", "a.html", "--accept-unknown-signer"], "").done().out();
    let page = String::from_utf8(person.read("a.html")).unwrap();
    let fields = labels(&preview);
    assert!(
        ["Coded as", "Began", "Notes", "Origin"].iter().all(|known| fields.contains(&(*known).to_owned()))
    );
    for label in &fields {
        assert!(labels(&shown).contains(label), "show does not say {label}: {shown}");
        assert!(labels(&verified).contains(label), "verify does not say {label}: {verified}");
        assert!(
            page.contains(&format!(">{label}<")) || page.contains(label),
            "the page does not say {label}"
        );
        for written in [label.clone(), label.to_uppercase()] {
            let mask = format!("{written}=withhold");
            let masked = person.run(&[
                "release",
                "my.vault",
                "--entry",
                &id,
                "--audience",
                "treatment",
                "--preview",
                "--mask",
                &mask,
            ]);
            assert!(!labels(&masked.done().out()).contains(label), "{mask} changes nothing");
        }
    }
}

#[test]
fn a_mask_by_the_word_that_is_shown_is_the_mask_by_name() {
    let person = with_records();
    let preview = |mask: &str| {
        let asked =
            ["release", "my.vault", "--preview", "--json", "--code", "ICD-10-CM|F33*", "--mask", mask];
        person.run(&asked).done().json()
    };
    assert_eq!(preview("Began=year"), preview("onset=year"));
    assert_eq!(preview("began = Year"), preview("onset=year"));
    assert_eq!(preview("onset=year")["released"][0]["disclosed"]["fields"]["onset"], json!({"year": "2019"}));
    let asked = ["release", "my.vault", "--preview", "--kind", "diagnosis", "--mask", "Beginning=year"];
    person.run(&asked).refused(2, "onset (Began)");
    let told =
        person.run(&["release", "my.vault", "--preview", "--kind", "diagnosis", "--mask", "onset=year"]);
    assert!(told.done().out().contains("Began (onset): the year only"));
}

#[test]
fn fields_are_typed_by_either_name_and_listed_with_both() {
    let person = Person::with_vault();
    let added = person
        .run_with(&["add", "my.vault", "diagnosis", "--json"], r#"{"Coded as": "Gout", "began": "2019"}"#);
    let id = added.done().json()["id"].as_str().unwrap().to_owned();
    let shown = person.run(&["show", "my.vault", &id, "--json"]).done().json();
    assert_eq!(
        (&shown["fields"]["onset"], &shown["fields"]["code"]["text"]),
        (&json!("2019"), &json!("Gout"))
    );
    let listed = person.run(&["add", "--fields", "diagnosis"]).done().out();
    assert!(listed.lines().any(|line| line.contains("Began") && line.contains("onset")), "{listed}");
}

#[test]
fn a_kind_has_one_name_on_every_screen() {
    let person = Person::with_vault();
    person.write("records.json", BUNDLE);
    person.run(&["import", "my.vault", "records.json"]).done();
    let stay = r#"{"admission": "2024-05-03", "reasons": ["ICD-10|J45|Asthma"]}"#;
    let id =
        person.run_with(&["add", "my.vault", "hospital stay", "--json"], stay).done().json()["id"].clone();
    let id = id.as_str().unwrap();
    let listed = person.run(&["list", "my.vault"]).done().out();
    let shown = person.run(&["show", "my.vault", id]).done().out();
    let preview = person.run(&["release", "my.vault", "--preview", "--kind", "hospital stay"]).done().out();
    assert!(listed.contains("hospital stay") && shown.contains("Hospital stay: Asthma"), "{listed}{shown}");
    assert!(preview.contains("Hospital stay: Asthma") && preview.contains("3 May 2024"), "{preview}");
}
