//! Backups, restoring them, and a vault's file made smaller.

use serde_json::json;

use crate::support::Person;
use crate::{id_of, mode, with_records};

#[test]
fn a_backup_is_checked_noted_and_restored_and_nothing_is_overwritten() {
    let person = with_records();
    let said = person.run(&["backup", "my.vault", "copy", "--label", "in the drawer"]).done().out();
    assert!(said.contains("read back") && said.contains("somewhere else"), "{said}");
    assert_eq!(mode(&person, "copy"), 0o600);
    let ledger = person.run(&["ledger", "my.vault"]).done().out();
    assert!(ledger.contains("backed up") && ledger.contains("in the drawer"), "{ledger}");
    let copy = person.read("copy");
    for taken in ["copy", "my.vault", "password"] {
        person.run(&["backup", "my.vault", taken]).refused(1, "choose another name");
        person.run(&["restore", "copy", taken]).refused(1, "choose another name");
    }
    person.run(&["backup", "my.vault", "no folder/copy"]).refused(5, "folder");
    let report = person.run(&["restore", "copy", "again.vault", "--json"]).done().json();
    assert_eq!(report["entries"], json!(4));
    let checkpoint = report["checkpoint"].as_str().unwrap();
    person.run(&["check", "again.vault", "--expect", checkpoint]).done();
    person.run(&["check", "my.vault", "--expect", checkpoint]).done();
    assert!(person.read("copy") == copy, "a restoration only reads the backup");
    person.write("not", b"not a vault");
    person.run(&["restore", "not", "new.vault"]).refused(1, "not");
    assert!(!person.path("new.vault").exists());
}

#[test]
fn an_expungement_names_the_backups_that_hold_the_entry() {
    let person = with_records();
    person.run(&["backup", "my.vault", "copy", "--label", "in the drawer"]).done();
    let id = id_of(&person, "F33");
    let report = person.run(&["expunge", "my.vault", &id, "--yes", "--json"]).done().json();
    assert_eq!(report["backups"][0]["name"], "in the drawer");
    let other = id_of(&person, "195967001");
    let told = person.run_with(&["expunge", "my.vault", &other], "1\n").done().out();
    assert!(told.contains("1 backup still holds it") && told.contains("in the drawer"), "{told}");
}

#[test]
fn compaction_makes_the_file_smaller_and_keeps_what_is_in_it() {
    let person: Person = with_records();
    for code in ["one", "two", "three"] {
        let entry = json!({ "code": code }).to_string();
        person.run_with(&["add", "my.vault", "diagnosis"], &entry).done();
    }
    let before = person.run(&["check", "my.vault", "--json"]).done().json();
    let report = person.run(&["compact", "my.vault", "--json"]).done().json();
    assert!(report["after"].as_u64() < report["before"].as_u64(), "{report}");
    let after = person.run(&["check", "my.vault", "--json"]).done().json();
    assert_eq!((&after["entries"], &after["dead"]), (&before["entries"], &json!(0)));
    person.run(&["check", "my.vault", "--expect", before["checkpoint"].as_str().unwrap()]).done();
    assert!(person.run(&["check", "my.vault"]).done().out().contains("personal compact"));
    person.write("my.vault.old", b"mine");
    person.run(&["compact", "my.vault"]).refused(1, "move it elsewhere");
    assert_eq!(person.read("my.vault.old"), b"mine");
}

#[test]
fn a_vault_too_damaged_to_open_is_explained_and_repaired_from_a_backup() {
    let person = with_records();
    person.run(&["backup", "my.vault", "copy", "--label", "in the drawer"]).done();
    let mut damaged = person.read("my.vault");
    // The objects begin at 81920 (docs/format.md section 1); the backup has these.
    let both = 81920..person.read("copy").len();
    damaged[both].iter_mut().step_by(100).for_each(|byte| *byte ^= 1);
    person.write("my.vault", &damaged);
    person.run(&["list", "my.vault"]).refused(4, "damaged");
    let said = person.run(&["check", "my.vault", "--deep", "--explain"]).ended(4);
    assert!(said.err().contains("does not open"), "{}", said.err());
    assert!(said.out().contains("catalogue of general") && said.out().contains("rows"), "{}", said.out());
    person.run(&["check", "my.vault", "--repair"]).ended(4);
    assert!(person.read("my.vault") == damaged, "nothing is written without a backup");
    let said = person.run(&["check", "my.vault", "--repair", "--from", "copy"]).done();
    assert!(
        said.out().contains("put back from the backup") && said.out().contains("whole"),
        "{}",
        said.out()
    );
    person.run(&["check", "my.vault", "--deep"]).done();
    assert_eq!(person.run(&["list", "my.vault", "--json"]).done().json().as_array().unwrap().len(), 4);
}
