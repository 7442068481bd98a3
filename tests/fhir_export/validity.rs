//! What is exported is FHIR R4, as an implementation says that nobody here wrote.
//!
//! Needs `pip install -r tests/interop/fhir-requirements.txt`; skipped loudly where that is missing,
//! unless `SUBROSA_REQUIRE_FHIR_PYTHON` is set.

use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::Value;
use subrosa::{Actor, Entry, Provenance, Vault};

use crate::every_field::{any_record, everything};
use crate::support::{FORMS, exported, vault};

/// Models of R4 need packages older than what other tests need, so they may have a Python of
/// their own.
fn python() -> std::ffi::OsString {
    std::env::var_os("SUBROSA_FHIR_PYTHON").unwrap_or_else(|| "python3".into())
}

fn python_is_ready() -> bool {
    let ready = Command::new(python()).args(["-c", "import fhir.resources"]).output();
    if ready.is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert!(
        std::env::var_os("SUBROSA_REQUIRE_FHIR_PYTHON").is_none(),
        "python3 with the packages of tests/interop/fhir-requirements.txt is required"
    );
    println!("SKIPPED: python3 with the packages of tests/interop/fhir-requirements.txt is absent");
    false
}

/// What is not valid, a line each, and how many resources were looked at.
fn validated(file: &Path) -> (Vec<Value>, u64) {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/validate_fhir.py");
    let output = Command::new(python()).arg(script).arg(file).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut faults: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let seen = faults.pop().unwrap()["resources"].as_u64().unwrap();
    (faults, seen)
}

/// The faults of an export in both forms, and how many resources the last one has.
fn faults_of(vault: &Vault) -> (Vec<Value>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let (mut faults, mut seen) = (Vec::new(), 0);
    for form in FORMS {
        let file = folder.path().join("export");
        std::fs::write(&file, exported(vault, form).0).unwrap();
        let (found, resources) = validated(&file);
        faults.extend(found);
        seen = resources;
    }
    (faults, seen)
}

#[test]
fn every_kind_and_field_is_valid_r4() {
    if !python_is_ready() {
        return;
    }
    let vault = everything();
    let (faults, seen) = faults_of(&vault);
    assert!(seen > 600, "{seen}");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn whatever_people_write_is_valid_r4() {
    if !python_is_ready() {
        return;
    }
    let mut runner = TestRunner::deterministic();
    let record = || any_record().new_tree(&mut runner).unwrap().current();
    let records: Vec<Entry> = std::iter::repeat_with(record)
        .take(250)
        .map(|record| Entry::new(record, Provenance::default()))
        .collect();
    let vault = vault();
    vault.update(&Actor::owner(), |tx| tx.add_all(&records)).unwrap();
    let (faults, _) = faults_of(&vault);
    assert!(faults.is_empty(), "{faults:#?}");
}

/// An original goes out as it came; whatever is wrong with it was wrong with it before.
#[test]
fn real_records_are_as_valid_as_they_came() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/fhir-us-behavioral-health");
    let file = folder.join("all.ndjson");
    if !file.exists() {
        println!("SKIPPED: {} is absent, so this test proves nothing", file.display());
        return;
    }
    if !python_is_ready() {
        return;
    }
    let before: Vec<(String, String)> = {
        let (faults, _) = validated(&file);
        faults.iter().map(|fault| (fault["type"].to_string(), fault["faults"].to_string())).collect()
    };
    for vault in crate::real_files::vaults(&[file], 2) {
        let (faults, _) = faults_of(&vault);
        for fault in faults {
            let fault = (fault["type"].to_string(), fault["faults"].to_string());
            assert!(before.contains(&fault), "{fault:?}");
        }
    }
}
