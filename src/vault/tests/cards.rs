//! Cards that say something else than their entries, and ids that name two entries: only who
//! has the keys can write them. What is done rests on the entries, and a check names them.

use super::basics::{diagnosis, key, options};
use crate::engine::list::inline_card;
use crate::engine::transaction::Transaction;
use crate::record::{Card, LegalHold, Narrative};
use crate::tree::RowKey;
use crate::vault::Expungement;
use crate::*;

fn vault() -> Vault {
    Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap()
}

fn add(vault: &Vault, entry: &Entry) -> EntryId {
    vault.update(&Actor::owner(), |tx| tx.add(entry)).unwrap().value
}

fn retracted(mut entry: Entry) -> Entry {
    entry.marks.retracted = true;
    entry
}

fn held(mut entry: Entry) -> Entry {
    entry.marks.legal_holds = vec![LegalHold::new(Narrative::new("court").unwrap(), None)];
    entry
}

/// Gives an entry the card of another one.
fn forge(vault: &Vault, id: EntryId, other: &Entry) {
    let put = |tx: &mut Transaction<'_>| {
        let mut row = tx.row(Compartment::General, &RowKey::entry(id))?.unwrap();
        row.inline = inline_card(other)?.into();
        tx.put_row(Compartment::General, row)
    };
    vault.update(&Actor::owner(), put).unwrap();
}

fn listed(vault: &Vault, filter: &Filter) -> Vec<EntryId> {
    vault.list(filter).unwrap().iter().map(|entry| entry.id).collect()
}

#[test]
fn a_wrong_card_is_named_as_that_hides_nothing_and_can_be_put_right() {
    let vault = vault();
    let (asthma, gout) = (diagnosis("J45", "Asthma", "2019"), diagnosis("M10", "Gout", "2001"));
    let hidden = add(&vault, &asthma);
    forge(&vault, hidden, &retracted(asthma.clone()));
    let withdrawn = add(&vault, &held(retracted(asthma.clone())));
    forge(&vault, withdrawn, &gout);
    let whole = add(&vault, &gout);

    let mut found = vault.check().unwrap().findings;
    found.sort_by_key(|finding| format!("{finding:?}"));
    let wrong = |id| CheckFinding::WrongCard { compartment: Compartment::General, id };
    let mut due = [hidden, withdrawn].map(wrong);
    due.sort_by_key(|finding| format!("{finding:?}"));
    assert_eq!(found, due);
    assert!(due.iter().all(|finding| finding.explain().lost.starts_with("Nothing is lost")));

    assert!(listed(&vault, &Filter::all()).contains(&hidden), "its card says that it is retracted");
    let preview = vault.preview(&Policy::everything_of([Kind::Diagnosis])).unwrap();
    let mut leaving: Vec<EntryId> = preview.released().iter().map(|entry| entry.id()).collect();
    leaving.sort_unstable();
    let mut due = [hidden, whole];
    due.sort_unstable();
    assert_eq!(leaving, due, "what is retracted stays, whatever its card says");
    let refused = vault.expunge(&Actor::owner(), &[withdrawn], Expungement::new()).unwrap_err();
    assert_eq!(refused.code(), "legal-hold");

    let before: Vec<u64> =
        [hidden, withdrawn, whole].map(|id| vault.history(id).unwrap().len() as u64).into();
    let mut mended = vault.mend_cards(&Actor::owner()).unwrap();
    mended.sort_unstable();
    let mut due = [hidden, withdrawn];
    due.sort_unstable();
    assert_eq!(mended, due);
    assert!(vault.check().unwrap().is_clean() && vault.check_deep().unwrap().is_clean());
    let after: Vec<u64> = [hidden, withdrawn, whole].map(|id| vault.history(id).unwrap().len() as u64).into();
    assert_eq!(before, after, "no revision came of it");
    let mut all = listed(&vault, &Filter::all());
    all.sort_unstable();
    assert_eq!(all, leaving);
    for entry in vault.list(&Filter::all().with_retracted()).unwrap() {
        assert!(entry.card == Card::of(&vault.entry(entry.id).unwrap()));
    }
    let epoch = vault.checkpoint().unwrap().epoch();
    assert!(vault.mend_cards(&Actor::owner()).unwrap().is_empty());
    assert_eq!(vault.checkpoint().unwrap().epoch(), epoch);
}

#[test]
fn a_card_without_its_hold_does_not_let_an_import_be_undone() {
    let vault = vault();
    let mut import = Import::new(ImportOptions::default());
    let gout =
        r#"{"resourceType":"Condition","id":"9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8","code":{"text":"gout"}}"#;
    import.read(Some("portal.ndjson"), gout.as_bytes()).unwrap();
    let report = super::take_all(&vault, &Actor::owner(), &import.finish().unwrap()).unwrap();
    let (id, number) = (report.added[0], report.number.unwrap());
    let entry = vault.entry(id).unwrap();
    vault.update(&Actor::owner(), |tx| tx.amend(id, &held(entry.clone()), "court")).unwrap();
    forge(&vault, id, &entry);
    assert_eq!(vault.preview_undo(number).unwrap().held, [id]);
}

#[test]
fn an_id_in_two_compartments_is_found_and_expunged_from_both() {
    let vault = vault();
    let (gout, asthma) = (diagnosis("M10", "Gout", "2001"), diagnosis("J45", "Asthma", "2019"));
    let id = EntryId::from_bytes([0xcc; 16]);
    for (compartment, entry) in [(Compartment::General, &gout), (Compartment::Sealed, &asthma)] {
        vault.update(&Actor::owner(), |tx| tx.add_as(compartment, id, entry)).unwrap();
    }
    let second = CheckFinding::SecondOfId { compartment: Compartment::Sealed, id };
    assert_eq!(vault.check().unwrap().findings, [second]);
    let report = vault.expunge(&Actor::owner(), &[id], Expungement::new().staying_away()).unwrap();
    assert_eq!(report.entries, [id]);
    assert_eq!(vault.entry(id).map(drop).unwrap_err().code(), "no-such-entry");
    assert!(vault.list(&Filter::all().with_retracted().with_sealed()).unwrap().is_empty());
    assert!(vault.check().unwrap().is_clean() && vault.check_deep().unwrap().is_clean());
}

#[test]
fn a_hold_on_either_entry_of_an_id_keeps_both() {
    let vault = vault();
    let gout = diagnosis("M10", "Gout", "2001");
    let id = EntryId::from_bytes([0xcc; 16]);
    for (compartment, entry) in [(Compartment::General, gout.clone()), (Compartment::Sealed, held(gout))] {
        vault.update(&Actor::owner(), |tx| tx.add_as(compartment, id, &entry)).unwrap();
    }
    let refused = vault.expunge(&Actor::owner(), &[id], Expungement::new()).unwrap_err();
    assert_eq!(refused.code(), "legal-hold");
    assert_eq!(vault.list(&Filter::all().with_sealed()).unwrap().len(), 2);
}

#[test]
fn a_damaged_entry_is_listed_by_its_card_and_no_search_passes_over_it() {
    let vault = vault();
    let long = "Gout ".repeat(100);
    let (gout, asthma) = (diagnosis("M10", long.trim(), "2001"), diagnosis("J45", "Asthma", "2019"));
    let (damaged, whole) = (add(&vault, &gout), add(&vault, &asthma));
    let swap = |tx: &mut Transaction<'_>| {
        let row = |id| tx.row(Compartment::General, &RowKey::entry(id));
        let (mut one, other) = (row(damaged)?.unwrap(), row(whole)?.unwrap());
        one.object = other.object;
        tx.put_row(Compartment::General, one)
    };
    vault.update(&Actor::owner(), swap).unwrap();
    let mut all = listed(&vault, &Filter::all());
    all.sort_unstable();
    let mut due = [damaged, whole];
    due.sort_unstable();
    assert_eq!(all, due);
    assert_eq!(listed(&vault, &Filter::all().kind(Kind::Diagnosis)).len(), 2);
    assert_eq!(vault.list(&Filter::all().text("asthma")).unwrap_err().kind(), ErrorKind::Damaged);
}
