//! Whose vault it is, which source amends which, and which version is current.

use std::collections::BTreeSet;

use subrosa::interop::ImportQuestion;
use subrosa::vault::{ChangedSource, Expungement, ImportDecisions, ImportReport};
use subrosa::{Actor, Credential, Error, Filter, Import, ImportOptions, NewVault, Vault, VaultOptions};

use crate::support;

fn vault() -> Vault {
    let key = Credential::from(subrosa::RawKey::from_bytes(&[7; 32]));
    Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default()).unwrap()
}

fn take_with(
    vault: &Vault,
    name: &str,
    bytes: &[u8],
    decisions: &ImportDecisions,
) -> Result<ImportReport, Error> {
    vault.import_with(&Actor::owner(), &imported(name, bytes), decisions, |_, _| {})
}

fn imported(name: &str, bytes: &[u8]) -> subrosa::interop::Imported {
    let mut import = Import::new(ImportOptions::default());
    import.read(Some(name), bytes).unwrap();
    import.finish().unwrap()
}

fn take(vault: &Vault, name: &str, bytes: &[u8]) -> ImportReport {
    take_with(vault, name, bytes, &ImportDecisions::default()).unwrap()
}

fn questions(vault: &Vault, name: &str, bytes: &[u8]) -> Vec<ImportQuestion> {
    match take_with(vault, name, bytes, &ImportDecisions::default()) {
        Err(Error::ImportAsks { questions }) => questions,
        _ => panic!("nothing was asked"),
    }
}

/// The current entries as their sources wrote them.
fn current(vault: &Vault) -> BTreeSet<Vec<u8>> {
    let listed = vault.list(&Filter::all()).unwrap();
    listed.iter().map(|entry| vault.entry(entry.id).unwrap().source.unwrap().bytes).collect()
}

fn with(vault: &Vault, text: &str) -> usize {
    current(vault).iter().filter(|bytes| String::from_utf8_lossy(bytes).contains(text)).count()
}

#[test]
fn two_health_cards_of_one_file_name_are_two_vaccinations() {
    let (Some(a), Some(b)) = (support::case("shc-card-a.json"), support::case("shc-card-b.json")) else {
        return;
    };
    let vault = vault();
    take(&vault, "fhirBundle.json", &a);
    let report = take(&vault, "fhirBundle.json", &b);
    assert!(report.amended.is_empty() && report.unchanged == 1, "one patient, of one content");
    assert_eq!((with(&vault, "Covid"), with(&vault, "Influenza")), (1, 1));
}

#[test]
fn visits_with_placeholder_names_stay_apart_and_another_person_is_refused() {
    let files = ["visit-march.json", "visit-may.json", "visit-other-person.json"].map(support::case);
    let [Some(march), Some(may), Some(other)] = files else { return };
    let vault = vault();
    take(&vault, "visit-march.json", &march);
    take(&vault, "visit-may.json", &may);
    assert_eq!((with(&vault, "Potassium"), with(&vault, "Sodium")), (1, 1));
    let before = (current(&vault), vault.checkpoint().unwrap().epoch());
    let asked = questions(&vault, "visit-other-person.json", &other);
    assert!(matches!(&asked[..], [ImportQuestion::Patient { found: Some(_), .. }]));
    assert!(before == (current(&vault), vault.checkpoint().unwrap().epoch()), "nothing was written");
    let mut decisions = ImportDecisions::default();
    decisions.patient_is_same = true;
    take_with(&vault, "visit-other-person.json", &other, &decisions).unwrap();
    assert_eq!((with(&vault, "Glucose"), with(&vault, "Otherperson")), (1, 1));
    // It is not asked again until the answer is taken back or the import undone.
    take(&vault, "visit-other-person.json", &other);
    let number = vault.imports().unwrap().last().unwrap().number;
    vault.undo_import(&Actor::owner(), number).unwrap();
    assert!(before.0 == current(&vault));
    assert!(vault.check().unwrap().is_clean());
    assert_eq!(questions(&vault, "visit-other-person.json", &other).len(), 1);
}

#[test]
fn two_hospitals_of_one_file_name_are_four_diagnoses() {
    let (Some(a), Some(b)) = (support::case("hospital-a.ndjson"), support::case("hospital-b.ndjson")) else {
        return;
    };
    let vault = vault();
    take(&vault, "Condition.ndjson", &a);
    let report = take(&vault, "Condition.ndjson", &b);
    assert_eq!((report.added.len(), report.perhaps_same.len(), current(&vault).len()), (2, 2, 4));
    for bytes in [&a, &b] {
        assert_eq!(take(&vault, "Condition.ndjson", bytes).unchanged, 2);
    }
}

#[test]
fn an_older_export_never_becomes_current_and_a_newer_one_is_asked_about_once() {
    let (Some(new), Some(old)) = (support::case("stale-new.json"), support::case("stale-old.json")) else {
        return;
    };
    let newer_first = vault();
    take(&newer_first, "export.json", &new);
    let report = take(&newer_first, "export.json", &old);
    assert_eq!((report.older.len(), report.amended.len()), (1, 0));
    assert_eq!((with(&newer_first, "resolved"), with(&newer_first, "\"active\"")), (1, 0));

    let older_first = vault();
    take(&older_first, "export.json", &old);
    let asked = questions(&older_first, "export.json", &new);
    assert!(matches!(&asked[..], [ImportQuestion::ChangedSource { known: 2, same: 1, .. }]));
    let mut decisions = ImportDecisions::default();
    decisions.changed_source = Some(ChangedSource::Accept);
    assert_eq!(take_with(&older_first, "export.json", &new, &decisions).unwrap().amended.len(), 1);
    assert!(current(&older_first) == current(&newer_first));
}

/// Versions of one record, of a server that names and counts them.
fn version(number: usize) -> String {
    format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"fullUrl":"https://fhir.clinic-a.org/Condition/1","resource":{{"resourceType":"Condition","id":"1","meta":{{"versionId":"{number}"}},"code":{{"text":"asthma"}},"note":[{{"text":"state {number}"}}]}}}}]}}"#
    )
}

#[test]
fn whatever_the_order_of_imports_the_same_version_is_current() {
    let mut orders = vec![vec![]];
    for number in 1..=4 {
        orders = orders
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, number);
                    order
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 24);
    for order in orders {
        let vault = vault();
        for number in &order {
            take(&vault, &format!("{number}.json"), version(*number).as_bytes());
        }
        assert_eq!((with(&vault, "state 4"), current(&vault).len()), (1, 1), "{order:?}");
    }
}

#[test]
fn two_sources_with_the_same_local_names_never_lose_an_entry() {
    for (names, count) in [(["a", "a"], 1), (["a", "b"], 1), (["a", "a"], 7), (["a", "b"], 7)] {
        let source = |which: &str| -> String {
            let line = |number| {
                format!(
                    r#"{{"resourceType":"Condition","id":"{number}","code":{{"text":"{which} {number}"}},"subject":{{"reference":"Patient/1"}}}}"#
                )
            };
            (0..count).map(line).collect::<Vec<_>>().join("\n")
        };
        let vault = vault();
        for (name, which) in names.iter().zip(["first", "second"]) {
            take(&vault, name, source(which).as_bytes());
        }
        assert_eq!((with(&vault, "first"), with(&vault, "second")), (count, count), "{names:?}");
    }
}

/// A bundle of a person and one of their diagnoses, with local names.
fn record(person: &str, born: &str, diagnosis: &str) -> String {
    format!(
        r#"{{"resourceType":"Bundle","type":"collection","id":"of {person}","entry":[{{"resource":{{"resourceType":"Patient","id":"p","name":[{{"family":"{person}"}}],"birthDate":"{born}"}}}},{{"resource":{{"resourceType":"Condition","id":"c","subject":{{"reference":"Patient/p"}},"code":{{"text":"{diagnosis}"}}}}}}]}}"#
    )
}

fn confirmed() -> ImportDecisions {
    let mut decisions = ImportDecisions::default();
    decisions.patient_is_same = true;
    decisions
}

/// How many entries are marked as confirmed to be of the same person.
fn marked(vault: &Vault) -> usize {
    let listed = vault.list(&Filter::all()).unwrap();
    listed.iter().filter(|entry| vault.entry(entry.id).unwrap().marks.same_person).count()
}

#[test]
fn an_answer_that_is_taken_back_counts_no_more() {
    let (vault, owner) = (vault(), Actor::owner());
    let maiden = record("Rosenquist", "1980-02-03", "asthma");
    let married = record("Thornfield", "1980-02-03", "gout");
    let third = record("Elmsworth", "1980-02-03", "hiccups");
    take(&vault, "a", maiden.as_bytes());
    let before = current(&vault);
    let number = take_with(&vault, "b", married.as_bytes(), &confirmed()).unwrap().number.unwrap();
    let other = take_with(&vault, "c", third.as_bytes(), &confirmed()).unwrap().number.unwrap();
    let answers =
        |vault: &Vault| vault.imports().unwrap().iter().map(|import| import.answers).collect::<Vec<_>>();
    assert_eq!((marked(&vault), answers(&vault)), (2, vec![0, 1, 1]));
    assert_eq!(take(&vault, "b", married.as_bytes()).number, None, "it is remembered");

    // One of them, by the number of its import.
    assert_eq!(vault.forget_import_answers(&owner, Some(number)).unwrap(), 1);
    assert_eq!((marked(&vault), answers(&vault)), (1, vec![0, 0, 1]));
    assert_eq!(questions(&vault, "b", married.as_bytes()).len(), 1);
    assert_eq!(take(&vault, "c", third.as_bytes()).number, None, "the other one stays");
    assert_eq!(vault.forget_import_answers(&owner, Some(number)).unwrap(), 0);
    // Answered again, it counts again.
    let again = take_with(&vault, "b", married.as_bytes(), &confirmed()).unwrap();
    assert_eq!((again.unchanged, again.number.is_some(), marked(&vault)), (2, true, 2));
    assert_eq!(take(&vault, "b", married.as_bytes()).number, None);

    // All.
    assert_eq!(vault.forget_import_answers(&owner, None).unwrap(), 2);
    assert_eq!((marked(&vault), answers(&vault).iter().sum::<usize>()), (0, 0));
    for (name, text) in [("b", &married), ("c", &third)] {
        assert_eq!(questions(&vault, name, text.as_bytes()).len(), 1);
    }
    assert_eq!(take(&vault, "a", maiden.as_bytes()).unchanged, 2, "whose the vault is stays");
    assert!(vault.check().unwrap().is_clean());
    // What was taken back can be undone all the same.
    vault.undo_import(&owner, other).unwrap();
    vault.undo_import(&owner, again.number.unwrap()).unwrap();
    vault.undo_import(&owner, number).unwrap();
    assert!(current(&vault) == before);
    assert!(vault.check().unwrap().is_clean() && vault.check_deep().unwrap().is_clean());
}

#[test]
fn what_was_expunged_stays_away_under_every_name() {
    let (vault, owner) = (vault(), Actor::owner());
    let text = record("Rosenquist", "1980-02-03", "asthma");
    let find = |vault: &Vault| {
        let listed = vault.list(&Filter::all()).unwrap();
        listed.iter().find(|entry| entry.card.kind == subrosa::Kind::Diagnosis).map(|entry| entry.id)
    };
    take(&vault, "a.json", text.as_bytes());
    let id = find(&vault).unwrap();
    // An earlier version is destroyed with it, and stays away as well.
    let newer = text.replace("asthma", "asthma, mild");
    let mut accept = ImportDecisions::default();
    accept.changed_source = Some(ChangedSource::Accept);
    assert_eq!(take_with(&vault, "a.json", newer.as_bytes(), &accept).unwrap().amended, [id]);
    let how = Expungement::new().because("nobody's business").staying_away();
    vault.expunge(&owner, &[id], how).unwrap();
    let renamed = |text: &str, id: &str| text.replace("of Rosenquist", id);
    for (name, text) in [
        ("a.json", text.clone()),
        ("b.json", text.clone()),
        ("c.json", renamed(&text, "another download")),
        ("d.json", renamed(&newer, "a third one")),
    ] {
        let report = take(&vault, name, text.as_bytes());
        assert_eq!((report.expunged_before, report.added.len()), (1, 0), "{name}");
        assert_eq!(find(&vault), None, "{name}");
    }
    // Other content of the same local name is another entry.
    let other = renamed(&text, "a fourth one").replace("asthma", "gout");
    assert_eq!(take(&vault, "e.json", other.as_bytes()).added.len(), 1);
    // What was undone is not expunged.
    let number = vault.imports().unwrap().last().unwrap().number;
    vault.undo_import(&owner, number).unwrap();
    assert_eq!(take(&vault, "f.json", other.as_bytes()).added.len(), 1);
    let mut again = ImportDecisions::default();
    again.expunged = subrosa::vault::Expunged::TakeAgain;
    let text = renamed(&text, "a fifth one");
    assert_eq!(take_with(&vault, "g.json", text.as_bytes(), &again).unwrap().added.len(), 1);
}

/// A result of somebody whom nothing in the file describes.
fn result_of(reference: &str, display: &str, what: &str) -> Vec<u8> {
    let subject = serde_json::json!({ "reference": reference, "display": display });
    let result = serde_json::json!({ "resourceType": "Observation", "id": what, "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": what, "display": what }] }, "subject": subject });
    result.to_string().into_bytes()
}

fn patient(id: &str, name: &str) -> Vec<u8> {
    let patient = serde_json::json!({ "resourceType": "Patient", "id": id, "name": [{ "text": name }],
        "birthDate": "1970-02-03" });
    patient.to_string().into_bytes()
}

fn named_vault() -> Vault {
    let key = Credential::from(subrosa::RawKey::from_bytes(&[7; 32]));
    let mut new = NewVault::individual(&key);
    new.holder_name = "Ada Example";
    Vault::create_in_memory(&new, VaultOptions::default()).unwrap()
}

fn released(vault: &Vault) -> Option<String> {
    let policy = subrosa::Policy::everything_of([subrosa::Kind::Observation]);
    let view = vault.preview(&policy).unwrap();
    view.subject().map(|subject| subject.name.clone())
}

#[test]
fn strangers_whom_files_only_refer_to_are_never_taken_for_the_vaults_patient() {
    // A name that the references show is held against the vault's.
    let vault = named_vault();
    assert_eq!(questions(&vault, "a.json", &result_of("Patient/zz", "Carl Stranger", "1-8")).len(), 1);
    assert!(current(&vault).is_empty());
    // One patient without a name is taken and is the vault's; a second one is asked about.
    take(&vault, "a.json", &result_of("Patient/zz", "Ada Example", "1-8"));
    assert_eq!(released(&vault), None, "nobody said that it is");
    take_with(&vault, "a.json", &result_of("Patient/zz", "Ada Example", "1-8"), &confirmed()).unwrap();
    assert_eq!(released(&vault).as_deref(), Some("Ada Example"));
    take(&vault, "b.json", &result_of("Patient/zz", "Ada Example", "2-6"));
    let other = result_of("Patient/yy", "", "3-4");
    assert_eq!(questions(&vault, "c.json", &other).len(), 1);
    // So is a patient who is described later.
    let bob = [patient("bob", "Bob Other"), b"\n".to_vec(), result_of("Patient/bob", "", "4-2")].concat();
    assert_eq!(questions(&vault, "d.ndjson", &bob).len(), 1);
    assert_eq!(current(&vault).len(), 2);
}

#[test]
fn whoever_was_only_referred_to_is_confirmed_once_and_released_only_then() {
    let yes = confirmed();
    let vault = named_vault();
    take(&vault, "a.json", &result_of("Patient/zz", "", "1-8"));
    let ada = patient("ada", "Ada Example");
    assert_eq!(questions(&vault, "p.json", &ada).len(), 1);
    let confirmed = take_with(&vault, "p.json", &ada, &yes).unwrap().number.unwrap();
    assert_eq!(released(&vault).as_deref(), Some("Ada Example"));
    // An answer that is taken back counts no more.
    vault.forget_import_answers(&Actor::owner(), Some(confirmed)).unwrap();
    assert_eq!(released(&vault), None);
    // A random name that a patient has later is recognized without a question.
    let vault = named_vault();
    let id = "3f2b1c4d-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
    take(&vault, "a.json", &result_of(&format!("Patient/{id}"), "", "1-8"));
    take(&vault, "p.json", &patient(id, "Ada Example"));
    assert_eq!(released(&vault).as_deref(), Some("Ada Example"));
}

#[test]
fn a_family_name_alone_opens_no_vault_to_a_relative() {
    let vault = vault();
    take(&vault, "a.json", &patient("ada", "Ada Example"));
    let relative = br#"{"resourceType": "Patient", "id": "r", "name": [{"family": "Example"}]}"#;
    assert_eq!(questions(&vault, "r.json", relative).len(), 1);
    take_with(&vault, "r.json", relative, &confirmed()).unwrap();
    assert_eq!(take(&vault, "r.json", relative).unchanged, 1, "what was confirmed is not asked again");
}

/// A condition at one address, in a version that says what it is and when.
fn condition(code: &str, text: &str, version: usize) -> String {
    format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"fullUrl":"https://fhir.clinic-a.org/Condition/1","resource":{{"resourceType":"Condition","id":"1","meta":{{"versionId":"{version}"}},"code":{{"coding":[{{"system":"http://snomed.info/sct","code":"{code}"}}],"text":"{text}"}}}}}}]}}"#
    )
}

#[test]
fn a_record_that_is_about_another_thing_now_is_asked_about() {
    let vault = vault();
    take(&vault, "a.json", condition("44054006", "Diabetes", 1).as_bytes());
    // A correction of the code or of the words is none of another thing.
    let same_words = take(&vault, "a.json", condition("73211009", "diabetes", 2).as_bytes());
    let same_code = take(&vault, "a.json", condition("73211009", "Diabetes mellitus", 3).as_bytes());
    assert_eq!((same_words.amended.len(), same_code.amended.len()), (1, 1));
    let other = imported("a.json", condition("58214004", "Schizophrenia", 4).as_bytes());
    let questions = questions(&vault, "a.json", condition("58214004", "Schizophrenia", 4).as_bytes());
    let [ImportQuestion::ChangedSource { about_others: 1, known: 1, same: 0, .. }] = &questions[..] else {
        panic!("{questions:?}");
    };
    assert_eq!((with(&vault, "Schizophrenia"), current(&vault).len()), (0, 1));
    let mut decisions = ImportDecisions::default();
    decisions.changed_source = Some(ChangedSource::KeepBeside);
    let beside = vault.import_with(&Actor::owner(), &other, &decisions, |_, _| {}).unwrap();
    assert_eq!((beside.added.len(), beside.amended.len(), beside.perhaps_same.len()), (1, 0, 1));
    assert_eq!((with(&vault, "Schizophrenia"), with(&vault, "Diabetes")), (1, 1));
}

#[test]
fn a_version_that_is_dated_beside_the_resource_only_counts() {
    let version = |day: u32, text: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"history","entry":[{{"fullUrl":"https://fhir.clinic-a.org/Condition/1","resource":{{"resourceType":"Condition","id":"1","code":{{"text":"asthma"}},"note":[{{"text":"{text}"}}]}},"response":{{"status":"200","lastModified":"2024-03-0{day}T10:00:00Z","etag":"W/\"{day}\""}}}}]}}"#
        )
    };
    for order in [[2, 1], [1, 2]] {
        let vault = vault();
        for day in order {
            take(&vault, &format!("{day}.json"), version(day, &format!("state {day}")).as_bytes());
        }
        assert_eq!((with(&vault, "state 2"), current(&vault).len()), (1, 1), "{order:?}");
    }
    // Of two versions in one input the etag tells which is the newer one.
    let two = version(1, "state 1").replace("lastModified", "x");
    let entry =
        |text: &str| text[text.find("[{\"fullUrl\"").unwrap() + 1..text.rfind("]}").unwrap()].to_owned();
    let second = entry(&version(2, "state 2").replace("lastModified", "x"));
    let both = format!("{},{second}]}}", two.strip_suffix("]}").unwrap());
    let imported = imported("both.json", both.as_bytes());
    assert_eq!((imported.entries.len(), imported.earlier), (1, 1));
    assert!(
        String::from_utf8_lossy(&imported.entries[0].entry.source.as_ref().unwrap().bytes)
            .contains("state 2")
    );
}

#[test]
fn what_its_source_deleted_is_said_and_stays() {
    let deletion = r#"{"resourceType":"Bundle","type":"history","entry":[{"fullUrl":"https://fhir.clinic-a.org/Condition/1","request":{"method":"DELETE","url":"Condition/1"},"response":{"status":"204"}},{"fullUrl":"https://fhir.clinic-a.org/Basic/1","resource":{"resourceType":"Basic","id":"1"}}]}"#;
    let vault = vault();
    let added = take(&vault, "a.json", condition("44054006", "Diabetes", 1).as_bytes());
    let report = take(&vault, "b.json", deletion.as_bytes());
    assert_eq!(report.deleted_at_source, added.added);
    assert_eq!(with(&vault, "Diabetes"), 1);
    vault.update(&Actor::owner(), |tx| tx.retract(added.added[0], "deleted there")).unwrap();
    let again = take(&vault, "b.json", deletion.as_bytes());
    assert!(again.deleted_at_source.is_empty(), "a retracted entry needs nothing more");
    // Within one document, by its own names.
    let local = |entries: &str| {
        format!(r#"{{"resourceType":"Bundle","type":"history","id":"d","entry":[{entries}]}}"#)
    };
    let basic = r#"{"resource":{"resourceType":"Basic","id":"1"}}"#;
    let first = take(&vault, "c.json", local(basic).as_bytes());
    let other =
        r#"{"resource":{"resourceType":"Basic","id":"2"}},{"request":{"method":"DELETE","url":"Basic/1"}}"#;
    let report = take(&vault, "c.json", local(other).as_bytes());
    assert_eq!(report.deleted_at_source, [first.kept_raw, first.added].concat());
}

/// A JSON text without white space between its tokens, numbers as they were.
fn compact(json: &[u8]) -> String {
    let (mut text, mut is_string, mut is_escaped) = (String::new(), false, false);
    for c in std::str::from_utf8(json).unwrap().chars().filter(|c| !c.is_control()) {
        let is_quote = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_string ^= is_quote;
        if is_string || !c.is_whitespace() {
            text.push(c);
        }
    }
    text
}

/// A real export as its program would write it another day: every UUID drawn anew, handed
/// out at another time, no white space; and one measurement corrected.
fn exported_again(bundle: &[u8]) -> (Vec<u8>, String) {
    let text = compact(bundle).replace(r#""meta":{"#, r#""meta":{"lastUpdated":"2026-01-05T10:00:00Z","#);
    let text = text.replace(r#""lastUpdated":"2026-01-05T10:00:00Z","lastUpdated""#, r#""lastUpdated""#);
    let (before, value) = text.split_once(r#""valueQuantity":{"value":"#).expect("there is a measurement");
    let value = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let corrected = "987.654".to_owned();
    let text = format!(r#"{before}"valueQuantity":{{"value":{corrected}{value}"#);
    let mut again = String::new();
    let mut rest = text.as_str();
    let digit = |c: char| char::from_digit((c.to_digit(16).unwrap() + 7) % 16, 16).unwrap();
    while let Some(first) = rest.chars().next() {
        let uuid = rest.get(..36).filter(|uuid| {
            uuid.char_indices().all(|(at, c)| match at {
                8 | 13 | 18 | 23 => c == '-',
                _ => c.is_ascii_hexdigit(),
            })
        });
        match uuid {
            // The digits that make it a random UUID stay.
            Some(uuid) => {
                again.extend(uuid.char_indices().map(|(at, c)| match at {
                    14 | 19 => c,
                    _ if c == '-' => c,
                    _ => digit(c),
                }));
                rest = &rest[36..];
            }
            None => {
                again.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    (again.into_bytes(), corrected)
}

fn bundle(name: &str) -> Option<Vec<u8>> {
    let path = support::folder().join("../fhir-bundles").join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is absent, so this test proves nothing", path.display());
        return None;
    }
    Some(std::fs::read(path).unwrap())
}

#[test]
fn an_export_with_new_ids_doubles_nothing_and_marks_what_it_corrects() {
    for name in ["synthea_Milan_Beatty.json", "uscore_patient_85.json"] {
        let Some(first) = bundle(name) else { return };
        let (again, corrected) = exported_again(&first);
        let before = {
            let vault = vault();
            take(&vault, name, &first);
            current(&vault).len()
        };
        for file in [name, "renamed (1).json"] {
            let vault = vault();
            take(&vault, name, &first);
            let report = take(&vault, file, &again);
            // The corrected one, and a report that refers to it.
            let new = report.added.len() + report.kept_raw.len();
            assert!((1..=2).contains(&new), "{name} {file}: {new}");
            assert_eq!((report.unchanged, report.under_other_names), (before - new, before - new));
            assert_eq!((report.amended.len(), with(&vault, &corrected)), (0, 1));
            assert_eq!(report.perhaps_same.len(), new, "what replaces nothing is named");
            let marked: BTreeSet<_> = vault.perhaps_same().unwrap().into_iter().flatten().collect();
            assert!(report.added.iter().all(|id| marked.contains(id)), "{name} {file}");
            // Once more changes nothing, and undoing takes it back.
            assert_eq!(take(&vault, file, &again).number, None, "{name} {file}");
            vault.undo_import(&Actor::owner(), report.number.unwrap()).unwrap();
            assert_eq!((current(&vault).len(), with(&vault, &corrected)), (before, 0));
            let mut beside = ImportDecisions::default();
            beside.changed_source = Some(ChangedSource::KeepBeside);
            let report = take_with(&vault, file, &again, &beside).unwrap();
            assert_eq!(report.added.len() + report.kept_raw.len(), before, "{name} {file}");
            assert!(report.perhaps_same.len() * 10 > before * 9, "{name}: {}", report.perhaps_same.len());
            assert!(vault.check().unwrap().is_clean());
        }
    }
}

/// A bundle of one patient, one practitioner and these resources.
fn of_ada(resources: &[String]) -> Vec<u8> {
    let patient = r#"{"resourceType":"Patient","id":"1","name":[{"family":"Example","given":["Ada"]}],"birthDate":"1980-01-01"}"#;
    let doctor = r#"{"resourceType":"Practitioner","id":"d","name":[{"family":"Doe"}]}"#;
    let all = [patient, doctor].into_iter().map(str::to_owned).chain(resources.iter().cloned());
    let entries: Vec<String> = all.map(|resource| format!(r#"{{"resource":{resource}}}"#)).collect();
    format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(",")).into_bytes()
}

fn glucose(id: &str, day: &str, value: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"2339-0"}}]}},"subject":{{"reference":"Patient/1"}},"performer":[{{"reference":"Practitioner/d"}}],"effectiveDateTime":"{day}","valueQuantity":{{"value":{value}}}{more}}}"#
    )
}

const MARCH: [&str; 4] = ["2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04"];

fn glucoses(prefix: &str, value: &str) -> Vec<String> {
    MARCH.iter().map(|day| glucose(&format!("{prefix}{day}"), day, value, "")).collect()
}

#[test]
fn another_result_of_a_day_amends_nothing_unless_both_have_one_number_in_their_source() {
    let accepting = {
        let mut decisions = ImportDecisions::default();
        decisions.changed_source = Some(ChangedSource::Accept);
        decisions
    };
    let vault = vault();
    let numbered = |value: &str| {
        let number = r#","identifier":[{"system":"urn:lab","value":"4711"}]"#;
        glucose(&format!("n{value}"), "2024-03-05", value, number)
    };
    let mut first = glucoses("a", "5.1");
    first.push(numbered("6.1"));
    take(&vault, "a.json", &of_ada(&first));
    // The same days, one of them with another value: what it is, nobody knows.
    let mut second = glucoses("b", "5.1");
    second[3] = glucose("b9", MARCH[3], "9.9", "");
    second.push(numbered("6.2"));
    let questions = questions(&vault, "b.json", &of_ada(&second));
    assert!(
        matches!(&questions[..], [ImportQuestion::ChangedSource { known: 4, same: 3, .. }]),
        "{questions:?}"
    );
    let report = take_with(&vault, "b.json", &of_ada(&second), &accepting).unwrap();
    assert_eq!((report.amended.len(), with(&vault, "6.2"), with(&vault, "6.1")), (1, 1, 0));
    assert_eq!((with(&vault, "9.9"), with(&vault, "5.1"), report.perhaps_same.len()), (1, 4, 1));
    // What the holder corrected is nobody else's to amend.
    let id = report.amended[0];
    let mut own = vault.entry(id).unwrap();
    own.marks.disputes = vec![];
    let subrosa::Record::Observation(mut record) = own.record.clone() else { panic!("an observation") };
    record.issued = "2024-03-06".parse().ok();
    own.record = subrosa::Record::Observation(record);
    vault.update(&Actor::owner(), |tx| tx.amend(id, &own, "the laboratory called")).unwrap();
    let mut third = glucoses("c", "5.1");
    third.push(numbered("6.3"));
    let report = take_with(&vault, "c.json", &of_ada(&third), &accepting).unwrap();
    assert!(report.amended.is_empty() && vault.entry(id).unwrap().record == own.record);
    assert_eq!(with(&vault, "6.3"), 1, "it stands beside");
}

#[test]
fn who_had_to_do_with_records_makes_no_export_of_them() {
    let vault = vault();
    take(&vault, "a.json", &of_ada(&[glucose("1", MARCH[0], "5.1", "")]));
    let report = take(&vault, "b.json", &of_ada(&[glucose("2", MARCH[0], "9.9", "")]));
    assert_eq!((with(&vault, "5.1"), with(&vault, "9.9"), report.amended.len()), (1, 1, 0));
}

#[test]
fn an_export_that_grew_is_known_again() {
    let vault = vault();
    take(&vault, "a.json", &of_ada(&glucoses("a", "5.1")));
    let mut grown = glucoses("b", "5.1");
    grown.extend((10..20).map(|day| glucose(&format!("c{day}"), &format!("2024-04-{day}"), "5.2", "")));
    let report = take(&vault, "b.json", &of_ada(&grown));
    assert_eq!((with(&vault, "5.1"), with(&vault, "5.2"), report.under_other_names >= 4), (4, 10, true));
}

#[test]
fn what_a_record_refers_to_is_part_of_what_it_says() {
    let request = |id: &str, medication: &str| {
        format!(
            r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"active","intent":"order","subject":{{"reference":"Patient/1"}},"authoredOn":"2024-03-01","medicationReference":{{"reference":"{medication}"}}}}"#
        )
    };
    let specimen = |id: &str, side: &str| {
        glucose(id, "2024-05-01", "7.7", &format!(r#","specimen":{{"reference":"Specimen/{side}"}}"#))
    };
    let letter = |id: &str, url: &str| {
        format!(
            r#"{{"resourceType":"DocumentReference","id":"{id}","status":"current","subject":{{"reference":"Patient/1"}},"date":"2024-03-01T08:00:00Z","type":{{"coding":[{{"system":"http://loinc.org","code":"11488-4"}}]}},"content":[{{"attachment":{{"contentType":"application/pdf","url":"Binary/{url}"}}}}]}}"#
        )
    };
    let drug = |id: &str, text: &str| {
        format!(r#"{{"resourceType":"Medication","id":"{id}","code":{{"text":"{text}"}}}}"#)
    };
    let pairs = [
        (request("1", "Medication/111"), request("2", "Medication/222")),
        (specimen("1", "left"), specimen("2", "right")),
        (
            letter("1", "1f9e2b0c-58a7-4c3e-9a70-2f1f0c9b7a11"),
            letter("2", "07d6c3a4-6c1c-4f6a-8a9f-54c3f7b0d1e2"),
        ),
    ];
    for (one, other) in &pairs {
        let vault = vault();
        take(&vault, "a.json", &of_ada(&[glucoses("a", "5.1"), vec![one.clone()]].concat()));
        let before = current(&vault).len();
        let report = take(&vault, "b.json", &of_ada(&[glucoses("b", "5.1"), vec![other.clone()]].concat()));
        assert_eq!(report.added.len() + report.kept_raw.len(), 1, "{other}");
        assert_eq!(current(&vault).len(), before + 1);
        // With the order turned round, and both in the second export.
        let both =
            [vec![other.clone(), one.replace(r#""id":"1""#, r#""id":"7""#)], glucoses("c", "5.1")].concat();
        let report = take(&vault, "c.json", &of_ada(&both));
        assert_eq!(
            (report.added.len() + report.kept_raw.len(), current(&vault).len()),
            (0, before + 1),
            "{other}"
        );
    }
    // What is referred to may have a new name, if it says the same.
    let vault = vault();
    let first = [glucoses("a", "5.1"), vec![request("1", "Medication/m"), drug("m", "Warfarin")]].concat();
    take(&vault, "a.json", &of_ada(&first));
    let before = current(&vault).len();
    let again = [glucoses("b", "5.1"), vec![request("2", "Medication/n"), drug("n", "Warfarin")]].concat();
    assert_eq!(take(&vault, "b.json", &of_ada(&again)).number, None);
    let other = [glucoses("c", "5.1"), vec![request("3", "Medication/o"), drug("o", "Amoxicillin")]].concat();
    take(&vault, "c.json", &of_ada(&other));
    assert_eq!(current(&vault).len(), before + 2);
    // To expunge one drug keeps no other one away, and itself under any name.
    let warfarin = vault.list(&Filter::all().text("warfarin").kind(subrosa::Kind::Medication)).unwrap();
    let how = Expungement::new().because("a wish").staying_away();
    vault.expunge(&Actor::owner(), &[warfarin[0].id], how).unwrap();
    let third = [vec![request("4", "Medication/p"), drug("p", "Lithium")], glucoses("d", "5.1")].concat();
    let report = take(&vault, "d.json", &of_ada(&third));
    assert_eq!((report.expunged_before, report.added.len() + report.kept_raw.len()), (0, 2));
    let report = take(&vault, "e.json", &of_ada(&again));
    assert_eq!(report.expunged_before, 1);
}

#[test]
fn what_its_owner_retracted_or_corrected_does_not_come_back_under_another_name() {
    let vault = vault();
    take(&vault, "a.json", &of_ada(&glucoses("a", "5.1")));
    let listed = vault.list(&Filter::all().kind(subrosa::Kind::Observation)).unwrap();
    let [corrected, retracted] = [listed[0].id, listed[1].id];
    let mut own = vault.entry(corrected).unwrap();
    let subrosa::Record::Observation(mut record) = own.record.clone() else { panic!("an observation") };
    record.start = "2024-02-01".parse().ok();
    own.record = subrosa::Record::Observation(record);
    vault
        .update(&Actor::owner(), |tx| {
            tx.amend(corrected, &own, "the day was wrong")?;
            tx.retract(retracted, "another person's")
        })
        .unwrap();
    let report = take(&vault, "b.json", &of_ada(&glucoses("b", "5.1")));
    assert_eq!((report.added.len(), report.unchanged >= 4), (0, true));
    assert_eq!(vault.list(&Filter::all().kind(subrosa::Kind::Observation)).unwrap().len(), 3);
}

#[test]
fn of_what_one_source_has_twice_only_what_another_says_too_is_marked() {
    let eye = |id: &str, side: &str, value: &str| {
        glucose(id, "2024-05-01", value, &format!(r#","bodySite":{{"text":"{side}"}}"#))
    };
    let vault = vault();
    take(&vault, "a.json", &of_ada(&[eye("1", "left", "14"), eye("2", "right", "22")]));
    assert!(vault.perhaps_same().unwrap().is_empty());
    let mut beside = ImportDecisions::default();
    beside.changed_source = Some(ChangedSource::KeepBeside);
    take_with(&vault, "b.json", &of_ada(&[eye("9", "left", "14")]), &beside).unwrap();
    let groups = vault.perhaps_same().unwrap();
    let of_results = groups.iter().filter(|group| {
        group.iter().all(|id| vault.entry(*id).unwrap().kind() == subrosa::Kind::Observation)
    });
    let of_results: Vec<_> = of_results.collect();
    assert_eq!(of_results.len(), 1);
    assert!(of_results[0].iter().all(|id| {
        String::from_utf8_lossy(&vault.entry(*id).unwrap().source.unwrap().bytes).contains("left")
    }));
}

#[test]
fn what_was_expunged_stays_away_under_new_ids_too() {
    let Some(first) = bundle("synthea_Milan_Beatty.json") else { return };
    let (again, _) = exported_again(&first);
    let vault = vault();
    let added = take(&vault, "a.json", &first).added;
    let diagnoses: Vec<_> = vault.list(&Filter::all().kind(subrosa::Kind::Diagnosis)).unwrap();
    let ids: Vec<_> = diagnoses.iter().map(|listed| listed.id).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| added.contains(id)));
    vault.expunge(&Actor::owner(), &ids, Expungement::new().staying_away()).unwrap();
    let mut decisions = ImportDecisions::default();
    for decision in [ChangedSource::KeepBeside, ChangedSource::Accept] {
        decisions.changed_source = Some(decision);
        let report = take_with(&vault, "b.json", &again, &decisions).unwrap();
        assert_eq!(report.expunged_before, ids.len());
        assert!(vault.list(&Filter::all().kind(subrosa::Kind::Diagnosis)).unwrap().is_empty());
    }
}

#[test]
fn a_file_that_was_only_written_anew_changes_nothing() {
    let Some(first) = bundle("uscore_patient_85.json") else { return };
    let vault = vault();
    let before = take(&vault, "a.json", &first);
    for name in ["a.json", "b.json"] {
        let report = take(&vault, name, compact(&first).as_bytes());
        assert_eq!(
            (report.unchanged, report.number),
            (before.added.len() + before.kept_raw.len(), None),
            "{name}"
        );
    }
    // What got a label is no repetition.
    let labelled = compact(&first).replacen(r#""meta":{"#, r#""meta":{"security":[{"code":"R"}],"#, 1);
    let mut decisions = ImportDecisions::default();
    decisions.changed_source = Some(ChangedSource::Accept);
    let report = take_with(&vault, "a.json", labelled.as_bytes(), &decisions).unwrap();
    assert_eq!(report.amended.len(), 1);
}

#[test]
fn two_results_of_one_day_and_two_hospitals_of_one_test_are_no_export() {
    let result = |id: &str, code: &str, value: &str, time: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"subject":{{"reference":"Patient/1"}},"effectiveDateTime":"{time}","valueQuantity":{{"value":{value}}}}}}}"#
        )
    };
    let patient = r#"{"resource":{"resourceType":"Patient","id":"1","name":[{"family":"Example","given":["Ada"]}],"birthDate":"1980-01-01"}}"#;
    let bundle = |results: &[String]| {
        format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{patient},{}]}}"#,
            results.join(",")
        )
    };
    let vault = vault();
    let time = "2024-03-01T08:00:00Z";
    take(
        &vault,
        "a.json",
        bundle(&[result("1", "2345-7", "5.1", time), result("2", "2345-7", "5.2", time)]).as_bytes(),
    );
    assert_eq!(current(&vault).len(), 3, "one source means two");
    let others = [result("7", "2345-7", "6.0", "2024-03-02T08:00:00Z"), result("8", "718-7", "140", time)];
    let report = take(&vault, "b.json", bundle(&others).as_bytes());
    assert_eq!((report.added.len(), report.perhaps_same.len()), (2, 0));
    // The same result in one more file is kept beside, and named.
    let third =
        [result("x", "718-7", "140", time), result("y", "1-8", "1", time), result("z", "2-8", "1", time)];
    let report = take(&vault, "c.json", bundle(&third).as_bytes());
    assert_eq!((report.added.len(), report.perhaps_same.len()), (3, 1));
}

/// What a third party reads of everything of this kind in a vault: each entry's words.
fn read_by_others(vault: &Vault, kind: subrosa::Kind) -> Vec<String> {
    let policy = subrosa::Policy::everything_of([kind]);
    let request = subrosa::ReleaseRequest::new("Court", "a case", policy.clone()).unwrap();
    let preview = vault.preview(&policy).unwrap();
    let excerpt = vault.release(&Actor::owner(), &request.as_previewed(&preview)).unwrap();
    let now = std::time::SystemTime::now();
    let mut read = Vec::new();
    for file in [excerpt.to_json(), excerpt.to_html().unwrap()] {
        let verified = subrosa::UnverifiedExcerpt::parse(file.as_bytes()).unwrap();
        let verified = verified.verify(&subrosa::TrustedKeys::none(), now).unwrap();
        let words: Vec<String> = verified.entries().iter().map(|entry| entry.shown().to_string()).collect();
        let previewed: Vec<String> =
            preview.released().iter().map(|entry| entry.shown().to_string()).collect();
        assert_eq!(words, previewed);
        for (entry, words) in verified.entries().iter().zip(&words) {
            assert_eq!(entry.perhaps_same().is_some(), words.contains("Perhaps one record"));
        }
        read = words;
    }
    read
}

#[test]
fn what_two_sources_brought_is_marked_wherever_it_is_read() {
    let result = |id: &str, code: &str, value: &str, time: &str| {
        format!(
            r#"{{"resource":{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"{code}","display":"Test {code}"}}]}},"subject":{{"reference":"Patient/1"}},"effectiveDateTime":"{time}","valueQuantity":{{"value":{value}}}}}}}"#
        )
    };
    let patient = r#"{"resource":{"resourceType":"Patient","id":"1","name":[{"family":"Example","given":["Ada"]}],"birthDate":"1980-01-01"}}"#;
    let bundle = |results: &[String]| {
        format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{patient},{}]}}"#,
            results.join(",")
        )
    };
    let vault = vault();
    let (morning, evening) = ("2024-03-01T08:00:00Z", "2024-03-01T20:00:00Z");
    let first = [
        result("1", "2345-7", "5.1", morning),
        result("2", "2345-7", "5.2", evening),
        result("3", "718-7", "140", morning),
        result("4", "718-7", "141", morning),
        result("5", "4548-4", "6.1", "2024-03-01"),
    ];
    take(&vault, "a.json", bundle(&first).as_bytes());
    assert!(vault.perhaps_same().unwrap().is_empty(), "what one document has twice, its author meant twice");
    assert!(
        read_by_others(&vault, subrosa::Kind::Observation).iter().all(|words| !words.contains("Perhaps"))
    );
    let second = [
        // The same moment written otherwise, and corrected.
        result("x", "2345-7", "5.9", "2024-03-01T09:00:00+01:00"),
        // A day on which the other has two times: of which, nobody knows.
        result("y", "2345-7", "7", "2024-03-01"),
        result("z", "4548-4", "6.4", "2024-03-01T07:00:00Z"),
        result("w", "2951-2", "139", morning),
    ];
    let added = take(&vault, "b.json", bundle(&second).as_bytes()).added;
    let groups = vault.perhaps_same().unwrap();
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    let read = read_by_others(&vault, subrosa::Kind::Observation);
    assert_eq!(read.iter().filter(|words| words.contains("Perhaps one record, mark 1")).count(), 2);
    assert_eq!(read.iter().filter(|words| words.contains("Perhaps one record, mark 2")).count(), 2);
    assert_eq!(read.iter().filter(|words| words.contains("Perhaps")).count(), 4);
    // What leaves alone bears no mark, and its owner is told.
    let policy = subrosa::Policy::only([groups[0][0]]);
    let preview = vault.preview(&policy).unwrap();
    assert!(!preview.released()[0].shown().to_string().contains("Perhaps"));
    let stays = |notice: &subrosa::release::FilterNotice| {
        matches!(notice, subrosa::release::FilterNotice::PerhapsSameStays { entries: 1 })
    };
    assert!(preview.notices().iter().any(stays));
    // What was expunged leaves no mark on what was like it.
    vault.expunge(&Actor::owner(), &added, "a wish").unwrap();
    assert!(vault.perhaps_same().unwrap().is_empty());
    assert!(
        read_by_others(&vault, subrosa::Kind::Observation).iter().all(|words| !words.contains("Perhaps"))
    );
}

#[test]
fn records_that_show_another_name_are_asked_about_once() {
    let bundle = |display: &str| {
        serde_json::json!({ "resourceType": "Bundle", "type": "collection", "id": "b", "entry": [
            { "resource": { "resourceType": "Patient", "id": "p1", "birthDate": "1970-02-03", "name": [{ "text": "Ada Example" }] } },
            { "resource": { "resourceType": "Condition", "id": "c1", "code": { "text": "Gout" },
                "subject": { "reference": "Patient/p1", "display": display } } },
        ] })
        .to_string()
        .into_bytes()
    };
    let vault = vault();
    let asked = questions(&vault, "a.json", &bundle("John Other"));
    let [ImportQuestion::OtherNames { known, shown }] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(
        (known.names(), shown.as_slice()),
        (vec!["Ada Example".to_owned()], &["John Other".to_owned()][..])
    );
    assert!(!format!("{asked:?}").contains("John"), "a question prints no name");
    assert!(current(&vault).is_empty());
    let mut confirmed = ImportDecisions::default();
    confirmed.patient_is_same = true;
    take_with(&vault, "a.json", &bundle("John Other"), &confirmed).unwrap();
    assert_eq!(take(&vault, "a.json", &bundle("John Other")).unchanged, 2, "the answer is remembered");
    assert!(matches!(
        &questions(&vault, "a.json", &bundle("Jane Third"))[..],
        [ImportQuestion::OtherNames { .. }, ..]
    ));
    take(&self::vault(), "a.json", &bundle("EXAMPLE, Ada M."));
}

#[test]
fn a_birth_date_that_could_not_be_read_may_be_anothers() {
    let patient = |born: &str| {
        serde_json::json!({ "resourceType": "Patient", "id": "p1", "name": [{ "text": "Ada Example" }],
            "birthDate": born, "gender": "female" })
        .to_string()
        .into_bytes()
    };
    let vault = vault();
    take(&vault, "a.json", &patient("1970-02-03"));
    take(&vault, "a.json", &patient("1970-02-03"));
    let asked = questions(&vault, "a.json", &patient("12/03/1980"));
    let Some(ImportQuestion::Patient { found: Some(found), .. }) = asked.first() else { panic!("{asked:?}") };
    assert!(found.has_unreadable_birth_date());
    // Where nobody ever read one, the same file is the same person's again.
    let other = self::vault();
    take(&other, "a.json", &patient("12/03/1980"));
    assert_eq!(take(&other, "a.json", &patient("12/03/1980")).unchanged, 1);
}
