//! What an export says beside its resources is a claim of whoever wrote the file: nothing of it
//! is taken that only a vault knows, unless its importer answers for it.

use serde_json::{Value, json};
use subrosa::interop::{ExportForm, FindingReason, Imported};
use subrosa::record::{Narrative, Origin};
use subrosa::vault::{AccessChange, Compartment};
use subrosa::{
    Access, Actor, Credential, Entry, Error, Filter, Grant, Import, ImportOptions, Kind, LockedVault,
    NewVault, Provenance, RawKey, Record, Vault, VaultOptions,
};

use crate::support::{exported, held, import, read, vault};

const CLINIC: &str = r#"{"resourceType":"Bundle","type":"collection","entry":[
    {"fullUrl":"https://clinic.example.org/fhir/Condition/1","resource":{"resourceType":"Condition","id":"1",
    "subject":{"reference":"Patient/7"},"code":{"text":"Asthma"}}}]}"#;

fn note(text: &str) -> Entry {
    let fields = [(10, 0, subrosa::record::Value::Narrative(Narrative::new(text).unwrap()))];
    Entry::new(Record::from_fields(Kind::Note, fields).unwrap(), Provenance::default())
}

fn of_clinic() -> Vault {
    let vault = vault();
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("clinic.json"), CLINIC.as_bytes()).unwrap();
    vault.import(&Actor::owner(), &import.finish().unwrap()).unwrap();
    vault
}

fn bundle(vault: &Vault) -> String {
    String::from_utf8(exported(vault, ExportForm::Bundle).0).unwrap()
}

/// The export with what it claims changed; its resources stay byte for byte.
fn forged(export: &str, forge: impl Fn(&mut Value)) -> String {
    let line = |line: &str| {
        if !line.contains(r#""resource":{"resourceType":"Provenance""#) {
            return line.to_owned();
        }
        let (text, comma) = line.strip_suffix(',').map_or((line, ""), |text| (text, ","));
        let mut entry: Value = serde_json::from_str(text).unwrap();
        let said = &mut entry["resource"]["extension"][0]["extension"][1]["valueString"];
        let mut claims: Value = serde_json::from_str(said.as_str().unwrap()).unwrap();
        forge(&mut claims);
        *said = json!(claims.to_string());
        format!("{entry}{comma}")
    };
    export.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn has(imported: &Imported, reason: FindingReason) -> bool {
    imported.findings.iter().any(|finding| finding.reason == reason)
}

#[test]
fn nothing_that_only_a_vault_knows_is_taken_of_a_file() {
    let vault = vault();
    let owner = Actor::owner();
    let id = vault.update(&owner, |tx| tx.add(&note("I said so myself"))).unwrap().value;
    vault.update(&owner, |tx| tx.retract(id, "wrong")).unwrap();
    vault.update(&owner, |tx| tx.add_in(Compartment::SubstanceUse, &note("kept apart"))).unwrap();
    let imported = read(bundle(&vault).as_bytes(), false);
    assert!(has(&imported, FindingReason::NotBelieved));
    let fresh = self::vault();
    import(&fresh, &imported).unwrap();
    let held = held(&fresh);
    assert_eq!(held.len(), 2);
    for found in held {
        assert!(found.entry.provenance.origin.is_imported());
        assert_eq!(found.entry.marks, subrosa::record::Marks::default());
        assert_eq!(found.compartment, Compartment::General);
        assert!(found.entry.source.is_some());
        // The words are there all the same.
        assert!(["I said so myself", "kept apart"].iter().any(|text| found.entry.text_matches(text)));
    }
}

#[test]
fn a_file_cannot_say_what_a_clinic_did_not_write() {
    let export = bundle(&of_clinic());
    let lie = |claims: &mut Value| claims["record"]["code"]["text"] = json!("No asthma");
    for (claimed, forge_origin) in [("Asthma", "imported"), ("No asthma", "imported-and-changed")] {
        let file = forged(&export, |claims| {
            lie(claims);
            claims["provenance"]["origin"] = json!(forge_origin);
        });
        let imported = read(file.as_bytes(), false);
        let entry = &imported.entries[0].entry;
        assert_eq!(entry.display().as_deref(), Some(claimed));
        let is_changed = entry.provenance.origin == Origin::ImportedAndChanged;
        assert_eq!(is_changed, forge_origin == "imported-and-changed");
    }
    // Nor that somebody entered it who did not.
    let file = forged(&export, |claims| {
        lie(claims);
        claims["provenance"]["origin"] = json!("entered-by-provider");
        claims.as_object_mut().unwrap().remove("original");
    });
    let entry = &read(file.as_bytes(), false).entries[0].entry;
    assert_eq!(entry.provenance.origin, Origin::ImportedAndChanged);
}

#[test]
fn nothing_is_sealed_or_taken_out_of_its_compartment_by_a_file() {
    let vault = vault();
    let record = Record::from_fields(Kind::SubstanceUse, []).unwrap();
    let entries = [Entry::new(record, Provenance::default()), note("a note")];
    vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap();
    for compartment in ["sealed", "general"] {
        let file = forged(&bundle(&vault), |claims| claims["compartment"] = json!(compartment));
        let fresh = self::vault();
        import(&fresh, &read(file.as_bytes(), true)).unwrap();
        let mut places: Vec<Compartment> = held(&fresh).iter().map(|held| held.compartment).collect();
        places.sort_unstable();
        assert_eq!(places, [Compartment::General, Compartment::SubstanceUse]);
        let sealed = fresh.list(&Filter::all().with_sealed().compartment(Compartment::Sealed)).unwrap();
        assert!(sealed.is_empty());
    }
}

#[test]
fn what_is_not_exactly_a_claim_claims_nothing() {
    let mut hand = note("a note");
    hand.provenance.labels = Vec::new();
    let vault = vault();
    vault.update(&Actor::owner(), |tx| tx.add(&hand)).unwrap();
    let export = bundle(&vault);
    let forgeries: [&dyn Fn(&mut Value); 12] = [
        &|claims| claims["compartment"] = json!("record"),
        &|claims| claims["compartment"] = json!("custody"),
        &|claims| claims["reviewed"] = json!(true),
        &|claims| claims["marks"]["reviewed"] = json!(true),
        &|claims| claims["key"] = json!("urn:uuid:x"),
        &|claims| claims["resource"] = json!("00".repeat(32)),
        &|claims| claims["record"]["text"][0] = json!(""),
        &|claims| claims["record"]["text"][0] = json!(7),
        &|claims| claims["record"]["nothing"] = json!("x"),
        &|claims| claims["provenance"]["origin"] = json!("signed"),
        &|claims| claims["record"] = (0..40).fold(json!([]), |inner, _| json!([inner])),
        &|claims| drop(claims.as_object_mut().unwrap().remove("marks")),
    ];
    for forge in forgeries {
        let imported = read_any(&forged(&export, forge));
        assert!(has(&imported, FindingReason::ClaimsNothing));
        // The resource and what stands beside it are records like any other.
        assert!(imported.entries.iter().all(|entry| entry.entry.provenance.origin == Origin::Imported));
        assert!(imported.resources >= 1 && imported.left_out.unreadable == 0);
    }
    // A resource that was changed since has no claims.
    let changed = export.replacen("\"status\":\"current\"", "\"status\":\"superseded\"", 1);
    assert!(changed != export);
    assert!(has(&read_any(&changed), FindingReason::ClaimsNothing));
    let newer = export.replacen(
        "\"valueString\":\"1\"},{\"url\":\"entry\"",
        "\"valueString\":\"2\"},{\"url\":\"entry\"",
        1,
    );
    assert!(newer != export);
    assert!(has(&read_any(&newer), FindingReason::ClaimsNothing));
}

fn read_any(file: &str) -> Imported {
    let options = ImportOptions::default().from_own_export().with_unknown_subjects_as_the_patients();
    let mut import = Import::new(options);
    import.read(Some("export"), file.as_bytes()).unwrap();
    import.finish().unwrap()
}

#[test]
fn a_file_that_calls_its_entry_by_the_name_of_another_changes_none() {
    let vault = vault();
    vault.update(&Actor::owner(), |tx| tx.add(&note("mine"))).unwrap();
    let file = forged(&bundle(&vault), |claims| claims["record"]["text"][0] = json!("not mine"));
    for is_own in [true, false] {
        let epoch = vault.epoch();
        match import(&vault, &read(file.as_bytes(), is_own)) {
            Ok(report) => {
                assert_eq!(report.undecided.len(), 1);
                assert_eq!((report.added.len(), report.amended.len()), (0, 0));
            }
            Err(error) => assert!(matches!(error, Error::ImportAsks { .. }), "{error}"),
        }
        assert_eq!(vault.epoch(), epoch);
        assert!(
            held(&vault)[0].entry.text_matches("mine") && !held(&vault)[0].entry.text_matches("not mine")
        );
    }
}

#[test]
fn what_belongs_where_the_importer_does_not_write_is_refused() {
    let vault = vault();
    vault.update(&Actor::owner(), |tx| tx.add_in(Compartment::PsychotherapyNotes, &note("apart"))).unwrap();
    let file = bundle(&vault);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.vault");
    let [owner, some] = [1, 2].map(|byte| Credential::from(RawKey::from_bytes(&[byte; 32])));
    let other = Vault::create(&path, &NewVault::individual(&owner), VaultOptions::default()).unwrap();
    let access = Access::new(&some, "some", Grant::of(&[Compartment::General]));
    other.change_access(&Actor::owner(), &AccessChange::default().adding(access)).unwrap();
    other.close().unwrap();
    let vault = LockedVault::open(&path, VaultOptions::default()).unwrap().unlock(&some).unwrap();
    let refused = import(&vault, &read(file.as_bytes(), true)).unwrap_err();
    let expected = Compartment::PsychotherapyNotes;
    assert!(
        matches!(refused, Error::NeedsCompartment { compartment } if compartment == expected),
        "{refused}"
    );
    assert!(held(&vault).is_empty());
}

#[test]
fn one_file_that_many_entries_claim_takes_no_more_memory_than_the_input() {
    let vault = of_clinic();
    let big = format!(
        r#"{{"resourceType":"Binary","id":"b","contentType":"text/plain","data":"{}"}}"#,
        "QUJD".repeat(200_000)
    );
    let digest = sha256(big.as_bytes());
    let export = bundle(&vault);
    let file = forged(&export, |claims| {
        let files: Vec<Value> =
            (0..1000).map(|at| json!({"address": format!("Binary/{at}"), "resource": digest})).collect();
        claims["original"]["files"] = json!(files);
    });
    let file = file.replacen("\"entry\":[\n", &format!("\"entry\":[\n{{\"resource\":{big}}},\n"), 1);
    let imported = read_any(&file);
    assert!(has(&imported, FindingReason::ClaimsNothing));
}

fn sha256(bytes: &[u8]) -> String {
    subrosa::vault::Digest::of(&[bytes]).to_string()
}
