//! An import is undone as one act, or not at all.

use super::basics::{key, options};
use crate::*;

fn vault() -> Vault {
    Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap()
}

fn take(vault: &Vault, lines: &[(&str, &str, u8)]) -> (ImportReport, Epoch) {
    let line = |(id, text, version): &(&str, &str, u8)| {
        format!(
            r#"{{"resourceType":"Condition","id":"{id}","code":{{"text":"{text}"}},"meta":{{"lastUpdated":"201{version}-01-01T00:00:00Z"}}}}"#
        )
    };
    let text = lines.iter().map(line).collect::<Vec<_>>().join("\n");
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("portal.ndjson"), text.as_bytes()).unwrap();
    let report = vault.import(&Actor::owner(), &import.finish().unwrap()).unwrap();
    (report, vault.checkpoint().unwrap().epoch())
}

fn listing(vault: &Vault) -> Vec<(EntryId, u64, Vec<u8>)> {
    let listed = vault.list(&Filter::all()).unwrap();
    listed.iter().map(|l| (l.id, l.revision, vault.entry(l.id).unwrap().source.unwrap().bytes)).collect()
}

const A: &str = "9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8";
const B: &str = "5be0cd19-137e-4f83-a9ab-fb41bd6b1f2c";

#[test]
fn what_it_added_is_gone_and_what_it_amended_is_what_it_was() {
    let (vault, owner) = (vault(), Actor::owner());
    take(&vault, &[(A, "asthma", 1)]);
    let before = listing(&vault);
    let (report, number) = take(&vault, &[(A, "asthma, mild", 2), (B, "gout", 1)]);
    let after = listing(&vault);
    let preview = vault.preview_undo(number).unwrap();
    assert_eq!((&preview.destroys, &preview.restores), (&report.added, &report.amended));
    let undone = vault.undo_import(&owner, number).unwrap();
    assert_eq!((&undone.destroyed, &undone.restored), (&report.added, &report.amended));
    assert!(listing(&vault) == before);
    assert!(vault.check().unwrap().is_clean() && vault.check_deep(|_| {}).unwrap().is_clean());
    assert_eq!(vault.history(report.amended[0]).unwrap().len(), 1);
    // It is remembered as undone, and what it brought may come again.
    let imports = vault.imports().unwrap();
    let found = imports.iter().find(|import| import.number == number).unwrap();
    assert!(found.undone && found.added.is_empty() && found.amended.is_empty());
    take(&vault, &[(A, "asthma, mild", 2), (B, "gout", 1)]);
    assert!(listing(&vault) == after);
    assert!(vault.check().unwrap().is_clean());
    assert_eq!(vault.undo_import(&owner, Epoch::new(1)).unwrap_err().code(), "no-such-import");
}

#[test]
fn it_is_refused_while_an_entry_was_changed_since_or_is_held() {
    let (vault, owner) = (vault(), Actor::owner());
    let (report, number) = take(&vault, &[(A, "asthma", 1), (B, "gout", 1)]);
    let id = report.added[0];
    vault.update(&owner, |tx| tx.retract(id, "doubted")).unwrap();
    let before = listing(&vault);
    match vault.undo_import(&owner, number).unwrap_err() {
        Error::ChangedSinceImport { ids } => assert_eq!(ids, [id]),
        error => panic!("{error}"),
    }
    assert!(listing(&vault) == before);
    assert_eq!(vault.preview_undo(number).unwrap().changed_since, [id]);
}

#[test]
fn excerpts_and_backups_that_hold_it_are_named() {
    let (vault, owner) = (vault(), Actor::owner());
    let (_, number) = take(&vault, &[(A, "asthma", 1)]);
    let before = vault.checkpoint().unwrap().epoch();
    vault.export(&owner).unwrap();
    let exported = vault.checkpoint().unwrap().epoch();
    assert!(exported > before);
    let undone = vault.undo_import(&owner, number).unwrap();
    assert_eq!(undone.erasure.released_in, [exported]);
}
