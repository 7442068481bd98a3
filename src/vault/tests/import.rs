//! Real bundles through the vault: nothing lost, nothing added twice, nothing readable at rest.

use std::collections::BTreeSet;

use super::basics::{key, options};
use crate::vault::Expungement;
use crate::*;

fn data(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    let Ok(files) = std::fs::read_dir(&path) else {
        eprintln!("SKIPPED: ../shared/data/{folder} is absent");
        return vec![];
    };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    let json =
        files.into_iter().filter(|path| path.extension().is_some_and(|e| e == "json" || e == "ndjson"));
    json.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

fn read(bytes: &[u8], patient: Option<&str>) -> Result<Imported, ImportError> {
    let options = patient.map(ImportOptions::for_patient).unwrap_or_default();
    let mut import = Import::new(options);
    import.read(None, bytes)?;
    import.finish()
}

/// Imports into a vault and checks that every resource comes back byte for byte.
fn import_and_compare(name: &str, vault: &Vault, imported: &Imported) {
    let owner = Actor::owner();
    // One real record is of Eve Everywoman and says that her father's history is Peter Patient's.
    let is_of_two = name == "Bundle-father.json";
    assert_eq!(imported.named_otherwise.is_empty(), !is_of_two, "{name}");
    let decisions = ImportDecisions { patient_is_same: is_of_two, ..ImportDecisions::default() };
    let report = vault.import_with(&owner, imported, &decisions, |_, _| {}).unwrap();
    assert_eq!(report.added.len() + report.kept_raw.len(), imported.entries.len(), "{name}");
    let ids = report.added.iter().chain(&report.kept_raw);
    let back: BTreeSet<Vec<u8>> = ids.map(|id| vault.entry(*id).unwrap().source.unwrap().bytes).collect();
    let sent: BTreeSet<Vec<u8>> =
        imported.entries.iter().map(|e| e.entry.source.as_ref().unwrap().bytes.clone()).collect();
    assert!(back == sent, "{name}");
    let again = vault.import(&owner, imported).unwrap();
    assert_eq!(again.unchanged, imported.entries.len(), "{name}");
    assert!(again.added.is_empty() && again.amended.is_empty() && again.kept_raw.is_empty(), "{name}");
}

fn in_memory() -> Vault {
    Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap()
}

#[test]
fn every_real_resource_comes_back_byte_for_byte_and_is_not_added_twice() {
    for folder in ["fhir-bundles", "fhir-ips", "fhir-us-behavioral-health", "fhir-r4-examples"] {
        for (name, bytes) in data(folder) {
            let patients: Vec<Option<String>> = match read(&bytes, None) {
                Ok(_) => vec![None],
                Err(ImportError::SeveralPatients { patients }) => {
                    patients.iter().map(|p| Some(p.to_owned())).collect()
                }
                Err(error) => panic!("{name}: {error}"),
            };
            for patient in patients {
                let imported = read(&bytes, patient.as_deref()).unwrap();
                let vault = in_memory();
                import_and_compare(&name, &vault, &imported);
                assert!(vault.check().unwrap().is_clean(), "{name}");
            }
        }
    }
}

#[test]
fn a_changed_resource_becomes_a_revision_and_an_expunged_one_stays_away() {
    let vault = in_memory();
    let owner = Actor::owner();
    let first = br#"{"resourceType":"Condition","id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","subject":{"reference":"Patient/1"},"onsetDateTime":"2019"}"#;
    let second = br#"{"resourceType":"Condition","id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","subject":{"reference":"Patient/1"},"onsetDateTime":"2018"}"#;
    let take = |bytes: &[u8], expunged| {
        let decisions = ImportDecisions { expunged, ..ImportDecisions::default() };
        vault.import_with(&owner, &read(bytes, None).unwrap(), &decisions, |_, _| {}).unwrap()
    };
    let id = take(first, Expunged::StayAway).added[0];
    assert_eq!(take(second, Expunged::StayAway).amended, [id]);
    assert_eq!(vault.entry(id).unwrap().source.unwrap().bytes, second);
    assert_eq!(vault.entry_revision(id, 1).unwrap().source.unwrap().bytes, first);
    vault.expunge(&owner, &[id], Expungement::new().because("order").staying_away()).unwrap();
    let report = take(second, Expunged::StayAway);
    assert_eq!((report.expunged_before, report.added.len()), (1, 0));
    assert_eq!(take(second, Expunged::TakeAgain).added, [id]);
}

/// A bundle of a patient and a condition, with this in front of their addresses if
/// they have any.
fn bundle_of(base: Option<&str>, bundle: &str, patient: &str, onset: &str) -> Vec<u8> {
    let url = |name: &str| base.map(|base| format!(r#""fullUrl":"{base}{name}","#)).unwrap_or_default();
    format!(
        r#"{{"resourceType":"Bundle"{bundle},"entry":[
        {{{}"resource":{{"resourceType":"Patient","id":"1",{patient}}}}},
        {{{}"resource":{{"resourceType":"Condition","id":"1","subject":{{"reference":"Patient/1"}},
            "onsetDateTime":"{onset}"}}}}]}}"#,
        url("Patient/1"),
        url("Condition/1")
    )
    .into_bytes()
}

fn identified(value: &str) -> String {
    format!(r#""identifier":[{{"system":"urn:x","value":"{value}"}}]"#)
}

/// What an import did: added, amended, unchanged, findings of one identity twice.
fn take(vault: &Vault, inputs: &[(Option<&str>, &[u8])]) -> (usize, usize, usize, usize) {
    let same = ImportDecisions { patient_is_same: true, ..ImportDecisions::default() };
    decided(vault, inputs, same).unwrap()
}

fn accepting(vault: &Vault, inputs: &[(Option<&str>, &[u8])]) -> (usize, usize, usize, usize) {
    let changed_source = Some(ChangedSource::Accept);
    let decisions = ImportDecisions { patient_is_same: true, changed_source, ..ImportDecisions::default() };
    decided(vault, inputs, decisions).unwrap()
}

fn decided(
    vault: &Vault,
    inputs: &[(Option<&str>, &[u8])],
    decisions: ImportDecisions,
) -> Result<(usize, usize, usize, usize), Error> {
    let mut import = Import::new(ImportOptions::default());
    inputs.iter().for_each(|(name, bytes)| import.read(*name, *bytes).unwrap());
    let imported = import.finish().unwrap();
    let report = vault.import_with(&Actor::owner(), &imported, &decisions, |_, _| {})?;
    let same = report.findings.iter().filter(|found| found.reason == FindingReason::SameIdentity);
    Ok((report.added.len(), report.amended.len(), report.unchanged, same.map(|found| found.count).sum()))
}

#[test]
fn records_of_two_servers_with_one_type_and_id_stay_apart() {
    let vault = in_memory();
    let of = |base, onset| bundle_of(Some(base), "", &identified("7"), onset);
    assert_eq!(take(&vault, &[(None, &of("https://a.clinic.org/", "2018"))]), (2, 0, 0, 0));
    assert_eq!(take(&vault, &[(None, &of("https://b.clinic.org/", "2019"))]), (2, 0, 0, 0));
    for (base, onset) in [("https://a.clinic.org/", "2018"), ("https://b.clinic.org/", "2019")] {
        assert_eq!(take(&vault, &[(None, &of(base, onset))]), (0, 0, 2, 0));
    }
    // A newer version is one of its own server's, whatever the file is called.
    assert_eq!(take(&vault, &[(Some("new"), &of("https://b.clinic.org/", "2020"))]), (0, 1, 1, 0));
    assert_eq!(take(&vault, &[(None, &of("https://a.clinic.org/", "2018"))]), (0, 0, 2, 0));
}

#[test]
fn records_without_a_server_are_amended_by_their_own_source_only() {
    let plain = |bundle: &str, patient: &str, onset: &str| bundle_of(None, bundle, patient, onset);
    let born = |year: &str| format!(r#""birthDate":"{year}""#);
    // What tells the second source from the first: the patient, the name or the bundle.
    let pairs = [
        ((None, plain("", &identified("a"), "2018")), (None, plain("", &identified("b"), "2019"))),
        ((None, plain("", &born("1980"), "2018")), (None, plain("", &born("1981"), "2019"))),
        (
            (Some("one"), plain("", &identified("a"), "2018")),
            (Some("other"), plain("", &identified("b"), "2019")),
        ),
        (
            (None, plain(r#","id":"x""#, &identified("a"), "2018")),
            (None, plain(r#","id":"y""#, &identified("b"), "2019")),
        ),
    ];
    for ((name, one), (other_name, other)) in &pairs {
        let vault = in_memory();
        assert_eq!(take(&vault, &[(*name, one)]), (2, 0, 0, 0));
        assert_eq!(take(&vault, &[(*other_name, other)]), (2, 0, 0, 2));
        for (name, bytes) in [(name, one), (other_name, other)] {
            assert_eq!(take(&vault, &[(*name, bytes)]), (0, 0, 2, 0));
        }
        // The same in one import, in either order.
        let twice = [(*name, one.as_slice()), (*other_name, other.as_slice())];
        for inputs in [twice, [twice[1], twice[0]]] {
            let mut import = Import::new(ImportOptions::default());
            inputs.iter().for_each(|(name, bytes)| import.read(*name, *bytes).unwrap());
            if let Ok(imported) = import.finish() {
                let decisions = ImportDecisions { patient_is_same: true, ..ImportDecisions::default() };
                let report = vault.import_with(&Actor::owner(), &imported, &decisions, |_, _| {}).unwrap();
                assert_eq!((report.added.len(), report.amended.len(), report.unchanged), (0, 0, 4));
            }
        }
        let newer = String::from_utf8(other.clone()).unwrap().replace("2019", "2020");
        let asked = decided(&vault, &[(*other_name, newer.as_bytes())], ImportDecisions::default());
        assert_eq!(asked.unwrap_err().code(), "import-asks", "half of the names are the same, or who it is");
        assert_eq!(accepting(&vault, &[(*other_name, newer.as_bytes())]).1, 1, "it finds its own");
        assert_eq!(take(&vault, &[(*name, one)]), (0, 0, 2, 0));
        assert!(vault.check().unwrap().is_clean());
    }
}

#[test]
fn a_resource_with_a_uuid_is_amended_by_another_file_once_that_is_accepted() {
    let vault = in_memory();
    let id = "0b0e1a5c-9f1a-4a0e-8f53-0d5a6d1c2b3a";
    let of = |onset: &str| {
        format!(r#"{{"resourceType":"Condition","id":"{id}","onsetDateTime":"{onset}"}}"#).into_bytes()
    };
    assert_eq!(take(&vault, &[(Some("one"), &of("2018"))]), (1, 0, 0, 0));
    let asked = decided(&vault, &[(Some("other"), &of("2019"))], ImportDecisions::default());
    assert_eq!(asked.unwrap_err().code(), "import-asks");
    assert_eq!(accepting(&vault, &[(Some("other"), &of("2019"))]), (0, 1, 0, 0));
    assert_eq!(take(&vault, &[(Some("other"), &of("2020"))]), (0, 1, 0, 0), "it is now its own source");
    assert_eq!(take(&vault, &[(Some("one"), &of("2018"))]), (0, 0, 0, 0), "it was an earlier revision");
}

#[test]
fn an_expunged_entry_does_not_keep_anothers_changes_away() {
    let vault = in_memory();
    let owner = Actor::owner();
    let of = |value: &str, onset: &str| bundle_of(None, "", &identified(value), onset);
    take(&vault, &[(Some("one"), &of("a", "2018"))]);
    let before: BTreeSet<EntryId> =
        vault.list(&Filter::all()).unwrap().into_iter().map(|listed| listed.id).collect();
    take(&vault, &[(Some("other"), &of("b", "2019"))]);
    let how = Expungement::new().because("wish").staying_away();
    vault.expunge(&owner, &before.into_iter().collect::<Vec<_>>(), how).unwrap();
    assert_eq!(take(&vault, &[(Some("other"), &of("b", "2019"))]), (0, 0, 2, 0));
    assert_eq!(accepting(&vault, &[(Some("other"), &of("b", "2020"))]), (0, 1, 1, 0));
    assert_eq!(take(&vault, &[(Some("one"), &of("a", "2018"))]).0, 0, "what was expunged stays away");
}

#[test]
fn no_word_of_a_real_bundle_is_readable_in_the_vault_file() {
    for (name, bytes) in data("fhir-bundles").into_iter().take(3) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
        let imported = read(&bytes, None).unwrap();
        vault.import(&Actor::owner(), &imported).unwrap();
        drop(vault);
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1, "no temporary file is left");
        let file = std::fs::read(&path).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        // A word of 8 letters is there by chance about once in 10^13 files.
        let words: BTreeSet<&str> = text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .filter(|word| word.len() >= 8)
            .collect();
        let mut windows = std::collections::HashSet::new();
        file.windows(8).for_each(|window| {
            windows.insert(window);
        });
        let found: Vec<_> = words.iter().filter(|word| windows.contains(&word.as_bytes()[..8])).collect();
        assert!(found.is_empty(), "{name}: {} words", found.len());
    }
}

#[test]
fn a_resource_of_more_items_than_an_entry_may_have_comes_in_and_is_not_understood() {
    let coding = r#"{"code":"1"}"#;
    let component = format!(r#"{{"code":{{"coding":[{}]}}}}"#, vec![coding; 20].join(","));
    let text = format!(
        r#"{{"resourceType":"Observation","id":"many","status":"final","code":{{"text":"Many"}},"component":[{}]}}"#,
        vec![component; 4000].join(",")
    );
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("many.json"), text.as_bytes()).unwrap();
    let report = super::take_all(&vault, &Actor::owner(), &import.finish().unwrap()).unwrap();
    let entry = vault.entry(report.added[0]).unwrap();
    assert_eq!(entry.source.as_ref().unwrap().bytes, text.as_bytes());
    let Record::Observation(result) = &entry.record else { panic!() };
    assert_eq!((result.components.len(), result.status.is_some()), (1024 / 21, true));
    assert!(entry.not_understood.iter().any(|path| path.as_str() == "Observation.components"));
    assert!(vault.check().unwrap().is_clean());
}
