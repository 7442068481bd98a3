//! A store that lies: a typed error, and the vault as it was.

use std::sync::Arc;

use super::basics::{diagnosis, key, options};
use crate::record::Record;
use crate::store::lying::{Lie, LyingStore};
use crate::*;

const OLD: &str = "old password";

type Change<'a> = &'a dyn Fn(&Vault) -> Result<(), Error>;

/// A vault with one entry on a store that does not lie yet.
fn vault_on(lie: Lie) -> (Arc<LyingStore>, Vault, EntryId) {
    let store = LyingStore::new(lie);
    let (raw, password) = (key(1), Credential::password(OLD).unwrap());
    let access = vec![Access::to_everything(&raw, "key"), Access::to_everything(&password, "password")];
    let new = NewVault { access, ..NewVault::individual(&raw) };
    let vault = Vault::create_in(Arc::clone(&store) as Arc<dyn Store>, &new, options()).unwrap();
    let id = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("A", "true", "2020"))).unwrap().value;
    (store, vault, id)
}

fn open(store: &Arc<LyingStore>) -> Result<Vault, Error> {
    LockedVault::of(Arc::clone(store) as Arc<dyn Store>, options())?.unlock(&key(1))
}

fn add(vault: &Vault, code: &str) -> Result<EntryId, Error> {
    Ok(vault.update(&Actor::owner(), |tx| tx.add(&diagnosis(code, "new", "2021")))?.value)
}

fn titles(vault: &Vault) -> Vec<String> {
    let listed = vault.list(&Filter::all()).unwrap();
    let mut titles: Vec<String> =
        listed.iter().map(|listed| code(&vault.entry(listed.id).unwrap())).collect();
    titles.sort_unstable();
    titles
}

fn code(entry: &Entry) -> String {
    let Record::Diagnosis(diagnosis) = &entry.record else { panic!("a diagnosis") };
    diagnosis.code.as_ref().unwrap().codings[0].code.as_ref().unwrap().as_str().to_owned()
}

/// The vault as somebody sees it who opens it on a store that has come to its senses.
fn assert_holds(store: &Arc<LyingStore>, expected: &[&str]) {
    store.lie(false);
    let vault = open(store).unwrap();
    assert_eq!(titles(&vault), expected);
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn a_put_or_a_root_that_is_not_kept_is_told_before_it_is_acknowledged() {
    for lie in [Lie::LosesPut, Lie::ChangesPut, Lie::LosesRoot] {
        let (store, vault, _) = vault_on(lie);
        let before = vault.epoch();
        store.lie(true);
        let refused = add(&vault, "B");
        assert!(matches!(refused, Err(Error::Store(StoreError::Unreliable { .. }))), "{lie:?}");
        assert_eq!(vault.epoch(), before);
        assert_holds(&store, &["A"]);
        add(&vault, "C").unwrap();
        assert_holds(&store, &["A", "C"]);
    }
}

#[test]
fn nothing_is_created_on_a_store_that_loses_what_is_put() {
    let store = LyingStore::new(Lie::LosesPut);
    store.lie(true);
    let raw = key(1);
    let new = NewVault::individual(&raw);
    let refused = Vault::create_in(Arc::clone(&store) as Arc<dyn Store>, &new, options());
    assert!(matches!(refused, Err(Error::Store(StoreError::Unreliable { .. }))));
    store.lie(false);
    assert!(matches!(open(&store), Err(Error::Store(StoreError::NotFound))));
    Vault::create_in(Arc::clone(&store) as Arc<dyn Store>, &new, options()).unwrap();
}

#[test]
fn a_credential_area_that_is_lost_undoes_the_change_before_anything_is_erased() {
    let changes: [Change<'_>; 3] = [
        &|vault| {
            let password = |text: &str| Password::new(text.into()).unwrap();
            vault.change_password(&Actor::owner(), password(OLD), password("new password"))
        },
        &|vault| {
            let friend = key(2);
            let add = vec![Access::to_everything(&friend, "friend")];
            let change = AccessChange { add, ..AccessChange::default() };
            vault.change_access(&Actor::owner(), &change).map(drop)
        },
        &|vault| {
            let listed = vault.access()?;
            let revoke = listed.iter().filter(|access| access.name == "password").map(|access| access.id);
            let change = AccessChange { revoke: revoke.collect(), ..AccessChange::default() };
            vault.change_access(&Actor::owner(), &change).map(drop)
        },
    ];
    for change in changes {
        let (store, vault, id) = vault_on(Lie::LosesArea);
        let before = vault.epoch();
        store.lie(true);
        assert!(matches!(change(&vault), Err(Error::Store(StoreError::Unreliable { .. }))));
        assert_eq!(vault.epoch(), before);
        assert_eq!(code(&vault.entry(id).unwrap()), "A");
        add(&vault, "B").unwrap();
        assert_holds(&store, &["A", "B"]);
        change(&vault).unwrap();
        assert_holds(&store, &["A", "B"]);
    }
}

#[test]
fn nothing_is_created_on_a_store_that_loses_the_credential_area() {
    let store = LyingStore::new(Lie::LosesArea);
    store.lie(true);
    let raw = key(1);
    let refused =
        Vault::create_in(Arc::clone(&store) as Arc<dyn Store>, &NewVault::individual(&raw), options());
    assert!(matches!(refused, Err(Error::Store(StoreError::Unreliable { .. }))));
}

#[test]
fn a_change_of_access_of_which_something_was_not_erased_is_made_and_the_handle_goes_on() {
    let password = |text: &str| Password::new(text.into()).unwrap();
    let friend = key(2);
    let grant = |vault: &Vault| {
        let add = vec![Access::to_everything(&friend, "friend")];
        let change = AccessChange { add, ..AccessChange::default() };
        vault.change_access(&Actor::owner(), &change).map(drop)
    };
    let change_password =
        |vault: &Vault| vault.change_password(&Actor::owner(), password(OLD), password("new password"));
    // Another own box alone withdraws nothing but the one before, which is in the area.
    let changes: [(Change<'_>, Credential, bool); 2] =
        [(&grant, key(2), true), (&change_password, password("new password").into(), false)];
    for (change, opens, erases) in changes {
        let (store, vault, id) = vault_on(Lie::KeepsErased);
        let before = vault.epoch();
        store.lie(true);
        let told = change(&vault);
        assert_eq!(matches!(told, Err(Error::Store(StoreError::NotErased))), erases, "{told:?}");
        assert!(told.is_ok() != erases && vault.epoch() > before);
        store.lie(false);
        add(&vault, "B").unwrap();
        assert_eq!(code(&vault.entry(id).unwrap()), "A");
        assert!(vault.check().unwrap().is_clean());
        let store = Arc::clone(&store) as Arc<dyn Store>;
        assert_eq!(titles(&LockedVault::of(store, options()).unwrap().unlock(&opens).unwrap()), ["A", "B"]);
    }
}

#[test]
fn a_stale_root_is_a_rollback_to_whoever_knows_a_newer_one() {
    let (store, vault, id) = vault_on(Lie::StaleHeads);
    store.lie(true);
    assert!(matches!(vault.refresh(), Err(Error::RolledBack)));
    assert!(matches!(add(&vault, "B"), Err(Error::RolledBack)));
    assert_eq!(code(&vault.entry(id).unwrap()), "A");
    assert_holds(&store, &["A"]);
}

#[test]
fn stale_or_invented_bytes_are_damage_and_never_content() {
    for lie in [Lie::StaleObjects, Lie::Shuffles, Lie::InventsMissing, Lie::IgnoresLength] {
        let (store, vault, id) = vault_on(lie);
        store.lie(true);
        for _ in 0..3 {
            match open(&store).and_then(|vault| vault.entry(id)) {
                Ok(entry) => assert_eq!(code(&entry), "A", "{lie:?}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Damaged, "{lie:?}"),
            }
        }
        if lie == Lie::StaleObjects {
            // An opening asks once, and what it gets first is what it asked for first.
            let read = open(&store).and_then(|vault| vault.entry(id));
            assert!(read.is_err_and(|error| error.kind() == ErrorKind::Damaged));
        }
        // Whatever it answers for an entry that is gone, it is no entry.
        drop(vault.expunge(&Actor::owner(), &[id], "order"));
        store.lie(false);
        let vault = open(&store).unwrap();
        assert!(matches!(vault.entry(id), Err(Error::NoSuchEntry { .. })) || titles(&vault) == ["A"]);
    }
}

#[test]
fn a_faster_writer_makes_the_closure_run_again_on_what_it_wrote() {
    for lie in [Lie::SharesWriter, Lie::TwoWinners] {
        let (store, vault, id) = vault_on(lie);
        let other = open(&store).unwrap();
        store.lie(true);
        let mut seen = Vec::new();
        let amended = vault.update(&Actor::owner(), |tx| {
            seen.push(code(&tx.entry(id)?));
            if seen.len() == 1 {
                other.update(&Actor::owner(), |tx| {
                    tx.amend(id, &diagnosis("B", "theirs", "2020"), "faster")
                })?;
            }
            tx.amend(id, &diagnosis("C", "ours", "2020"), "slower")
        });
        amended.unwrap();
        assert_eq!(seen, ["A", "B"], "{lie:?}: the second run sees the moved base");
        store.lie(false);
        let vault = open(&store).unwrap();
        let revisions: Vec<String> =
            (1..=3).map(|revision| code(&vault.entry_revision(id, revision).unwrap())).collect();
        assert_eq!(revisions, ["A", "B", "C"], "{lie:?}: no update is lost");
        assert_holds(&store, &["C"]);
    }
}

#[test]
fn a_writer_that_always_loses_is_told_so() {
    let (store, vault, _) = vault_on(Lie::SharesWriter);
    let other = open(&store).unwrap();
    store.lie(true);
    let mut runs = 0;
    let lost = vault.update(&Actor::owner(), |tx| {
        runs += 1;
        add(&other, &format!("B{runs}"))?;
        tx.add(&diagnosis("never", "x", "2020"))
    });
    assert!(matches!(lost, Err(Error::Store(StoreError::Conflict))));
    assert_eq!(runs, 9);
    let expected: Vec<String> =
        ["A".to_owned()].into_iter().chain((1..=runs).map(|run| format!("B{run}"))).collect();
    assert_holds(&store, &expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_swap_that_ignores_the_root_or_the_wait_loses_nothing() {
    let (store, vault, _) = vault_on(Lie::IgnoresExpected);
    store.lie(true);
    let other = open(&store).unwrap();
    add(&vault, "B").unwrap();
    add(&other, "C").unwrap();
    add(&vault, "D").unwrap();
    assert_holds(&store, &["A", "B", "C", "D"]);

    let (store, vault, _) = vault_on(Lie::IgnoresWait);
    store.lie(true);
    let writer = store.writer(std::time::Duration::ZERO).unwrap();
    assert!(matches!(add(&vault, "B"), Err(Error::Store(StoreError::Busy))));
    drop(writer);
    assert_holds(&store, &["A"]);
}

#[test]
fn bytes_that_were_not_erased_are_told_and_the_entry_is_gone_all_the_same() {
    let (store, vault, id) = vault_on(Lie::KeepsErased);
    store.lie(true);
    let told = vault.expunge(&Actor::owner(), &[id], "order");
    assert!(matches!(told, Err(Error::Store(StoreError::NotErased))));
    assert!(matches!(vault.entry(id), Err(Error::NoSuchEntry { .. })));
    assert_holds(&store, &[]);
}

#[test]
fn an_area_of_another_commit_opens_nothing_and_changes_nothing() {
    let (store, vault, _) = vault_on(Lie::TearsHeads);
    let password = |text: &str| Password::new(text.into()).unwrap();
    vault.change_password(&Actor::owner(), password(OLD), password("new password")).unwrap();
    store.lie(true);
    assert!(open(&store).is_err());
    assert!(add(&vault, "B").is_err());
    assert_holds(&store, &["A"]);
    assert!(
        LockedVault::of(store, options())
            .unwrap()
            .unlock(&Credential::password("new password").unwrap())
            .is_ok()
    );
}
