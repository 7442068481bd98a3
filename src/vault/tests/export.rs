//! An export hands everything out and is written down first.

use super::basics::{diagnosis, key, note, options};
use crate::*;

#[test]
fn an_export_gives_every_entry_and_is_named_by_a_later_erasure_report() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let asthma = vault.update(&owner, |tx| tx.add(&diagnosis("J45", "Asthma", "2019"))).unwrap().value;
    let said = vault.update(&owner, |tx| tx.add(&note("psychotherapy", "said"))).unwrap().value;
    vault.update(&owner, |tx| tx.retract(asthma, "wrong person")).unwrap();

    let exported = vault.export(&owner).unwrap().entries;
    let mut ids: Vec<EntryId> = exported.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    let mut expected = vec![asthma, said];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    assert!(exported.iter().any(|(id, entry)| *id == asthma && entry.marks.retracted));

    let export = vault.epoch();
    let lines = vault.ledger().unwrap();
    let exports = lines.iter().filter(|line| line.epoch == export);
    let is_export = |line: &LedgerLine| line.action == Action::Exported && line.entries.len() == 1;
    assert_eq!(exports.filter(|line| is_export(line)).count(), 2);
    let report = vault.expunge(&owner, &[said], "wish").unwrap();
    assert_eq!(report.released_in, [export]);
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn exports_hold_what_was_there_and_share_one_list_of_it() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let (owner, entry) = (Actor::owner(), note("progress", "slept badly"));
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(vault.update(&owner, |tx| tx.add(&entry)).unwrap().value);
        vault.export(&owner).unwrap();
    }
    let lines = vault.ledger().unwrap();
    let exports: Vec<_> = lines.iter().filter(|line| line.action == Action::Exported).collect();
    let exports: Vec<_> = exports.iter().filter(|line| line.compartment == Compartment::General).collect();
    assert_eq!(exports.len(), 5);
    for (at, line) in exports.iter().enumerate() {
        assert_eq!(line.entries.len(), at + 1);
        assert!(ids.iter().take(at + 1).eq(line.entries.iter()), "in the order in which they came");
        assert_eq!(ids.iter().filter(|id| line.entries.contains(id)).count(), at + 1);
        assert!(line.entries.share_a_list(&exports[0].entries));
    }
    // What is expunged is in no line any more.
    vault.expunge(&owner, &ids[..1], "wish").unwrap();
    let lines = vault.ledger().unwrap();
    assert!(lines.iter().all(|line| !line.entries.contains(&ids[0])));
    assert_eq!(lines.iter().filter(|line| line.entries.contains(&ids[1])).count(), 5);
}
