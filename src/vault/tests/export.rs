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

    let exported = vault.export(&owner).unwrap();
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
