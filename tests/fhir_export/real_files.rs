//! Real records, out and in again.

use std::fs;
use std::path::{Path, PathBuf};

use subrosa::interop::ImportError;
use subrosa::vault::{ChangedSource, ImportDecisions};
use subrosa::{Actor, Error, Import, ImportOptions, Vault};

use crate::support::{assert_round_trip, vault};

fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if !path.exists() {
        println!("SKIPPED: {} is absent, so this test proves nothing", path.display());
        return None;
    }
    Some(path)
}

fn files(path: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|file| file.unwrap().path()).collect();
    let is_read = |file: &PathBuf| file.extension().is_some_and(|found| found == "json" || found == "ndjson");
    // A server's log of an export is no record.
    files.retain(|file| is_read(file) && !file.ends_with("log.ndjson"));
    files.sort();
    files
}

fn import(files: &[PathBuf], patient: Option<String>) -> Result<subrosa::interop::Imported, ImportError> {
    let mut options = ImportOptions::default().with_unknown_subjects_as_the_patients();
    options.patient = patient;
    let mut import = Import::new(options);
    for file in files {
        import.read(file.file_name().and_then(|name| name.to_str()), fs::read(file).unwrap().as_slice())?;
    }
    import.finish()
}

/// A vault of the files; one for each of the first patients where they are of several.
pub(crate) fn vaults(files: &[PathBuf], most: usize) -> Vec<Vault> {
    let imported = match import(files, None) {
        Err(ImportError::SeveralPatients { patients }) => {
            let chosen =
                patients.iter().take(most).map(|patient| import(files, Some(patient.to_owned())).unwrap());
            chosen.collect()
        }
        imported => vec![imported.unwrap()],
    };
    let into_vault = |imported| {
        let vault = vault();
        let mut decisions = ImportDecisions::default();
        (decisions.patient_is_same, decisions.changed_source) = (true, Some(ChangedSource::KeepBeside));
        vault.import_with(&Actor::owner(), &imported, &decisions, |_, _| {}).unwrap();
        vault
    };
    imported.into_iter().map(into_vault).collect()
}

fn round_trips(name: &str) {
    let Some(path) = folder(name) else { return };
    for file in files(&path) {
        let what = file.display().to_string();
        for vault in vaults(std::slice::from_ref(&file), 2) {
            assert_round_trip(&vault, &what);
        }
    }
}

#[test]
fn bundles_come_back() {
    round_trips("fhir-bundles");
}

#[test]
fn patient_summaries_come_back() {
    round_trips("fhir-ips");
}

#[test]
fn examples_of_r4_come_back() {
    round_trips("fhir-r4-examples");
}

#[test]
fn records_of_behavioral_health_come_back() {
    round_trips("fhir-us-behavioral-health");
    round_trips("fhir-us-behavioral-health/json");
}

#[test]
fn bulk_exports_come_back() {
    let Some(path) = folder("fhir-bulk") else { return };
    for vault in vaults(&files(&path), 2) {
        assert_round_trip(&vault, "fhir-bulk");
    }
}

/// Several documents of one person, some with the same local names.
#[test]
fn documents_that_share_names_come_back_apart() {
    let Some(path) = folder("cases") else { return };
    let one = vault();
    let mut taken = 0;
    for file in files(&path) {
        let Ok(imported) = import(std::slice::from_ref(&file), None) else { continue };
        let mut decisions = ImportDecisions::default();
        (decisions.patient_is_same, decisions.changed_source) = (true, Some(ChangedSource::KeepBeside));
        match one.import_with(&Actor::owner(), &imported, &decisions, |_, _| {}) {
            Ok(_) => taken += 1,
            Err(Error::ImportAsks { .. }) => {}
            Err(error) => panic!("{}: {error}", file.display()),
        }
    }
    assert!(taken > 10, "{taken}");
    assert_round_trip(&one, "cases");
}
