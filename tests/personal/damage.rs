//! A vault of which a page is damaged: what a command did, it tells.

use crate::support::Person;
use crate::with_records;

/// Where the objects of a vault file begin, and the page that a disk loses at a time.
const OBJECTS: usize = 81920;
const PAGE: usize = 4096;

#[test]
fn a_command_that_changed_a_damaged_vault_says_what_it_did_whatever_is_damaged() {
    let person: Person = with_records();
    let whole = person.read("my.vault");
    let (mut said, mut refused) = (0, 0);
    for start in (OBJECTS..whole.len()).step_by(PAGE) {
        let mut damaged = whole.clone();
        damaged[start..(start + PAGE).min(whole.len())].fill(0);
        person.write("d.vault", &damaged);
        let key = ["--recovery-key-file", "key", "add", "d.vault", "note"];
        let ran = person.run_bare(&key, r#"{"title": "typed once"}"#);
        let is_changed = person.read("d.vault") != damaged;
        assert_eq!(
            is_changed,
            ran.out().contains("Added as"),
            "page at {start}:\n{}\n{}",
            ran.out(),
            ran.err()
        );
        if is_changed {
            said += 1;
        } else {
            refused += 1;
            ran.refused(4, "--repair --from BACKUP");
        }
    }
    assert!(said > 0 && refused > 0, "{said} {refused}");
}

/// Damages the first bytes of a file in some way.
type Damage = fn(&mut [u8]);

#[test]
fn a_damaged_header_is_put_back_from_a_backup_and_nothing_newer_is_lost() {
    let person: Person = with_records();
    person.run(&["backup", "my.vault", "backup"]).done();
    person.run_with(&["add", "my.vault", "note"], r#"{"title": "after the backup"}"#).done();
    person.run(&["init", "other.vault", "--small-device", "--yes", "--no-recovery-key"]);
    let whole = person.read("my.vault");
    let damages: [(Damage, i32); 3] =
        [(|file| file[3] ^= 1, 1), (|file| file[50] ^= 1, 4), (|file| file[..PAGE].fill(0), 4)];
    for (damage, exit) in damages {
        let mut damaged = whole.clone();
        damage(&mut damaged);
        person.write("d.vault", &damaged);
        let told = person.run(&["list", "d.vault"]);
        told.refused(exit, "--repair --from BACKUP");
        person.run(&["check", "d.vault", "--repair", "--from", "other.vault"]);
        assert!(person.read("d.vault") == damaged, "a vault of others mends nothing");
        person.write("nothing", "");
        person.run(&["check", "d.vault", "--repair", "--from", "nothing"]).refused(4, "personal: nothing: ");
        let mended = person.run(&["check", "d.vault", "--repair", "--from", "backup"]).done().out();
        assert!(mended.contains("1"), "{mended}");
        assert!(person.read("d.vault") == whole);
        assert!(person.run(&["list", "d.vault"]).done().out().contains("after the backup"));
    }
}

#[test]
fn what_can_still_be_read_of_a_damaged_vault_can_be_listed_and_exported_and_is_said_to_be_incomplete() {
    let person: Person = with_records();
    let whole = person.read("my.vault");
    let key = ["--recovery-key-file", "key"];
    let listed = |name: &str| person.run_bare(&[&key[..], &["list", name, "--json"]].concat(), "");
    let all = listed("my.vault").done().json();
    let mut rescued = 0;
    for start in (OBJECTS..whole.len()).step_by(PAGE) {
        let mut damaged = whole.clone();
        damaged[start..(start + PAGE).min(whole.len())].fill(0);
        person.write("d.vault", &damaged);
        let ran = listed("d.vault");
        let is_rescued = ran.err().contains("it may be incomplete") && !ran.out().is_empty();
        if is_rescued {
            assert_eq!((ran.exit(), ran.json()), (4, all.clone()), "page at {start}");
            rescued += 1;
            let out = format!("{start}.json");
            let export = person.run_bare(&[&key[..], &["export", "d.vault", &out, "--yes"]].concat(), "");
            assert_eq!(export.exit(), 4, "page at {start}: {}", export.err());
            let exported: serde_json::Value = serde_json::from_slice(&person.read(&out)).unwrap();
            assert!(!exported["entry"].as_array().unwrap().is_empty(), "page at {start}");
        } else {
            assert!(
                ran.exit() == 4 || ran.exit() == 0 && ran.json() == all,
                "page at {start}: {}",
                ran.err()
            );
        }
        assert!(person.read("d.vault") == damaged, "page at {start}");
    }
    assert!(rescued > 0);
}

#[test]
fn an_entry_that_is_damaged_keeps_no_other_out_of_an_export() {
    let person: Person = with_records();
    person.run_with(&["add", "my.vault", "note"], r#"{"title": "typed once"}"#).done();
    let whole = person.read("my.vault");
    let key = ["--recovery-key-file", "key"];
    let list = [&key[..], &["list", "my.vault", "--json"]].concat();
    let all = person.run_bare(&list, "").done().json().as_array().unwrap().len();
    let named = |json: &serde_json::Value| json["damaged"]["entries"].as_array().unwrap().len();
    let mut in_part = 0;
    for start in (OBJECTS..whole.len()).step_by(PAGE) {
        let mut damaged = whole.clone();
        damaged[start..(start + PAGE).min(whole.len())].fill(0);
        person.write("d.vault", &damaged);
        let out = format!("all-{start}.json");
        let ran = person.run_bare(&[&key[..], &["export", "d.vault", &out, "--yes", "--json"]].concat(), "");
        if ran.out().is_empty() {
            assert_eq!(ran.exit(), 4, "page at {start}: {}", ran.err());
            continue;
        }
        let said = ran.json();
        let there = usize::try_from(said["entries"].as_u64().unwrap()).unwrap();
        if said["damaged"]["rows_of_the_catalogue"] == 0 {
            assert_eq!(there + named(&said), all, "page at {start}: {said}");
        }
        let exported: serde_json::Value = serde_json::from_slice(&person.read(&out)).unwrap();
        assert_eq!(exported["subrosa"]["entries"].as_array().unwrap().len(), there);
        if there < all {
            assert_eq!(ran.exit(), 4, "page at {start}: {said}");
            in_part += usize::from(there > 0 && named(&said) > 0);
        }
    }
    assert!(in_part > 0, "no entry alone was damaged");
}
