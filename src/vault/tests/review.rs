//! Faults that were found by reading the code, each with the test that would have shown it.

use super::basics::{diagnosis, individual, key, note, options};
use crate::record::{Coding, Concept, SubstanceUse, Token};
use crate::*;

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    (folder, path)
}

fn open(path: &std::path::Path) -> Vault {
    LockedVault::open(path, options()).unwrap().unlock(&key(1)).unwrap()
}

fn take(vault: &Vault, resource: &str) -> ImportReport {
    let mut import = Import::new(ImportOptions::default());
    import.read(None, resource.as_bytes()).unwrap();
    super::take_all(vault, &Actor::owner(), &import.finish().unwrap()).unwrap()
}

fn encounter(class: &str, text: &str) -> String {
    format!(
        r#"{{"resourceType":"Encounter","id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","status":"finished","class":{{"code":"{class}"}},
            "subject":{{"reference":"Patient/1"}},"type":[{{"text":"{text}"}}]}}"#
    )
}

#[test]
fn a_resource_that_changes_its_kind_is_revised_and_expunged_with_every_revision() {
    let vault = Vault::create_in_memory(&individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    take(&vault, &encounter("AMB", "first"));
    let other = take(&vault, &encounter("IMP", "second")).added[0];
    assert_eq!(take(&vault, &encounter("IMP", "third")).amended, [other]);
    assert_eq!(vault.history(other).unwrap().len(), 2);
    vault.expunge(&owner, &[other], "order").unwrap();
    let report = take(&vault, &encounter("IMP", "fourth"));
    assert_eq!(report.added.len(), 1, "nothing is left by which it would be known");
    let checked = vault.check().unwrap();
    assert_eq!((checked.entries, checked.revisions), (2, 0), "no revision is orphaned");
}

#[test]
fn what_was_decided_about_an_entry_survives_a_change_in_its_source() {
    let vault = Vault::create_in_memory(&individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let id = take(&vault, &encounter("AMB", "first")).added[0];
    let mut held = vault.entry(id).unwrap();
    held.marks.legal_holds = vec![LegalHold::new(Narrative::new("subpoena").unwrap(), None)];
    vault.update(&owner, |tx| tx.amend(id, &held, "hold")).unwrap();
    vault.update(&owner, |tx| tx.retract(id, "in error")).unwrap();
    assert_eq!(take(&vault, &encounter("AMB", "second")).amended, [id]);
    let entry = vault.entry(id).unwrap();
    assert!(entry.marks.retracted && !entry.marks.legal_holds.is_empty());
    assert!(matches!(vault.expunge(&owner, &[id], "wish"), Err(Error::LegalHold { .. })));
}

#[test]
fn an_operation_that_failed_half_way_is_never_committed() {
    let vault = Vault::create_in_memory(&individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let id = vault.update(&owner, |tx| tx.add(&diagnosis("A", "x", "2020"))).unwrap().value;
    let mut huge = diagnosis("B", "x", "2020");
    huge.source = Some(Source::new(SourceFormat::FhirJson(FhirVersion::R4), vec![b'x'; 65 << 20]));
    let before = vault.epoch();
    let result = vault.update(&owner, |tx| {
        assert!(tx.amend(id, &huge, "too large").is_err());
        Ok(())
    });
    assert!(matches!(result, Err(Error::Invalid { .. })));
    assert_eq!(vault.epoch(), before);
    // An entry that is not there leaves nothing half done.
    let absent = EntryId::from_bytes([9; 16]);
    vault
        .update(&owner, |tx| {
            assert!(matches!(tx.expunge(absent, "x"), Err(Error::NoSuchEntry { .. })));
            tx.add(&diagnosis("C", "x", "2020"))
        })
        .unwrap();
}

#[test]
fn an_entry_does_not_slip_into_a_compartment_that_others_read() {
    let vault = Vault::create_in_memory(&individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let id = vault.update(&owner, |tx| tx.add(&note("progress", "x"))).unwrap().value;
    let refused = vault.update(&owner, |tx| tx.amend(id, &note("psychotherapy", "x"), "relabelled"));
    assert!(matches!(refused, Err(Error::Invalid { .. })));
    let code = Some(Concept::from_coding(Coding { display: Token::new("x").ok(), ..Coding::default() }));
    let entry = Entry::new(SubstanceUse { code, ..SubstanceUse::default() }, Provenance::default());
    let added = vault.update(&owner, |tx| tx.add(&entry)).unwrap().value;
    let listed = vault.list(&Filter::all().kind(Kind::SubstanceUse)).unwrap();
    assert_eq!((listed[0].id, listed[0].compartment), (added, Compartment::SubstanceUse));
}

#[test]
fn a_release_is_chosen_on_the_newest_state() {
    let (_folder, path) = file();
    let one = Vault::create(&path, &individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let id = one.update(&owner, |tx| tx.add(&diagnosis("A", "x", "2020"))).unwrap().value;
    let two = open(&path);
    one.update(&owner, |tx| tx.retract(id, "wrong person")).unwrap();
    let request = ReleaseRequest::new("x", "y", Policy::everything_of([Kind::Diagnosis])).unwrap();
    assert!(matches!(two.release(&owner, &request), Err(Error::NothingToRelease)));
}

#[test]
fn a_vault_unlocked_for_reading_does_not_write() {
    let (_folder, path) = file();
    Vault::create(&path, &individual(&key(1)), options()).unwrap();
    let before = std::fs::read(&path).unwrap();
    let vault = LockedVault::open(&path, options()).unwrap().unlock_read_only(&key(1)).unwrap();
    let result = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("A", "x", "2020")));
    assert!(matches!(result, Err(Error::Invalid { .. })));
    vault.checkpoint().unwrap();
    assert!(vault.check().unwrap().is_clean());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn an_open_vault_does_not_adopt_a_history_that_is_not_its_own() {
    let (_folder, path) = file();
    let vault = Vault::create(&path, &individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let older = std::fs::read(&path).unwrap();
    vault.update(&owner, |tx| tx.add(&diagnosis("A", "x", "2020"))).unwrap();
    // Somebody writes an older copy into the file, in place, and goes on from there.
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(&older).unwrap();
    let result = vault.update(&owner, |tx| tx.add(&diagnosis("B", "x", "2020")));
    assert!(matches!(result, Err(Error::RolledBack)));
    let other = open(&path);
    other.update(&owner, |tx| tx.add(&diagnosis("C", "x", "2020"))).unwrap();
    other.update(&owner, |tx| tx.add(&diagnosis("D", "x", "2020"))).unwrap();
    let result = vault.update(&owner, |tx| tx.add(&diagnosis("B", "x", "2020")));
    assert!(matches!(result, Err(Error::Forked)));
    assert!(matches!(vault.refresh(), Err(Error::Forked)));
}

#[test]
fn nobody_sees_which_compartments_changed() {
    let vault = Vault::create_in_memory(&individual(&key(1)), options()).unwrap();
    let before = vault.unlocked().unwrap().snapshot.root.places.clone();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("A", "x", "2020"))).unwrap();
    let after = vault.unlocked().unwrap().snapshot.root.places.clone();
    assert!(before.iter().zip(&after).all(|(before, after)| before.0 != after.0));
}
