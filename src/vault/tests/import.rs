//! Real bundles through the vault: nothing lost, nothing added twice, nothing readable at rest.

use std::collections::BTreeSet;

use super::basics::{key, options};
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
    let report = vault.import(&owner, imported, Expunged::StayAway, |_, _| {}).unwrap();
    assert_eq!(report.added.len() + report.kept_raw.len(), imported.entries.len(), "{name}");
    let ids = report.added.iter().chain(&report.kept_raw);
    let back: BTreeSet<Vec<u8>> = ids.map(|id| vault.entry(*id).unwrap().source.unwrap().bytes).collect();
    let sent: BTreeSet<Vec<u8>> =
        imported.entries.iter().map(|e| e.entry.source.as_ref().unwrap().bytes.clone()).collect();
    assert!(back == sent, "{name}");
    let again = vault.import(&owner, imported, Expunged::StayAway, |_, _| {}).unwrap();
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
    let first = br#"{"resourceType":"Condition","id":"a","subject":{"reference":"Patient/1"},"onsetDateTime":"2019"}"#;
    let second = br#"{"resourceType":"Condition","id":"a","subject":{"reference":"Patient/1"},"onsetDateTime":"2018"}"#;
    let take = |bytes: &[u8], expunged| {
        vault.import(&owner, &read(bytes, None).unwrap(), expunged, |_, _| {}).unwrap()
    };
    let id = take(first, Expunged::StayAway).added[0];
    assert_eq!(take(second, Expunged::StayAway).amended, [id]);
    assert_eq!(vault.entry(id).unwrap().source.unwrap().bytes, second);
    assert_eq!(vault.entry_revision(id, 1).unwrap().source.unwrap().bytes, first);
    vault.expunge(&owner, &[id], "order").unwrap();
    let report = take(second, Expunged::StayAway);
    assert_eq!((report.expunged_before, report.added.len()), (1, 0));
    assert_eq!(take(second, Expunged::TakeAgain).added, [id]);
}

#[test]
fn no_word_of_a_real_bundle_is_readable_in_the_vault_file() {
    for (name, bytes) in data("fhir-bundles").into_iter().take(3) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
        let imported = read(&bytes, None).unwrap();
        vault.import(&Actor::owner(), &imported, Expunged::StayAway, |_, _| {}).unwrap();
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
