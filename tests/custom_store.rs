//! The store of the example `custom_store` keeps the contract, and many vaults apart.

#[path = "../examples/custom_store/sqlite.rs"]
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use sqlite::Database;
use subrosa::record::Diagnosis;
use subrosa::store::{Store, StoreError, check_creation, check_store};
use subrosa::{
    Actor, Concept, Credential, Entry, Error, Filter, LockedVault, NewVault, Provenance, RawKey, Token,
    Vault, VaultOptions,
};

fn key() -> Credential {
    RawKey::from_bytes(&[7; 32]).into()
}

fn diagnosis(text: &str) -> Entry {
    let mut diagnosis = Diagnosis::default();
    diagnosis.code = Some(Concept::from_text(Token::new(text).expect("a short text")));
    Entry::new(diagnosis, Provenance::default())
}

#[test]
fn a_store_in_sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ehr.sqlite");
    let open = || -> Arc<dyn Store> { Database::open(&path).expect("the database opens").store(7) };
    assert_eq!(check_creation(&open), Ok(()));
    assert_eq!(check_store(&open), Ok(()));
}

#[test]
fn a_vault_is_created_in_a_database_once_and_beside_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::open(&folder.path().join("ehr.sqlite")).expect("the database opens");
    let (key, options) = (key(), VaultOptions::default());
    let new = NewVault::individual(&key);
    let nothing = LockedVault::of(database.store(1), options.clone());
    assert!(matches!(nothing, Err(Error::Store(StoreError::NotFound))));
    for patient in 1..=3 {
        let vault = Vault::create_in(database.store(patient), &new, options.clone()).expect("a vault");
        let entry = diagnosis(&format!("condition {patient}"));
        vault.update(&Actor::owner(), |tx| tx.add(&entry)).expect("the entry is added");
    }
    let again = Vault::create_in(database.store(2), &new, options.clone());
    assert!(matches!(again, Err(Error::Store(StoreError::Exists))));
    for patient in 1..=3 {
        let locked = LockedVault::of(database.store(patient), options.clone()).expect("a vault");
        let vault = locked.unlock(&key).expect("the vault opens");
        let listed = vault.list(&Filter::all()).expect("the vault lists");
        let titles: Vec<_> = listed.iter().map(|listed| listed.card.display()).collect();
        assert_eq!(titles, [Some(format!("condition {patient}").as_str())]);
        assert!(vault.check().expect("the vault is readable").is_clean());
    }
}

#[test]
fn an_expunged_entry_leaves_the_database_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::open(&folder.path().join("ehr.sqlite")).expect("the database opens");
    let key = key();
    let vault = Vault::create_in(database.store(1), &NewVault::individual(&key), VaultOptions::default());
    let vault = vault.expect("a vault");
    let objects = || -> Vec<Vec<u8>> {
        let connection = database.connection().expect("a connection");
        let mut select = connection.prepare("SELECT bytes FROM vault_object ORDER BY id").expect("SQL");
        let rows = select.query_map([], |row| row.get(0)).expect("SQL");
        rows.collect::<Result<_, _>>().expect("rows")
    };
    let entry = diagnosis("to be destroyed");
    let id = vault.update(&Actor::owner(), |tx| tx.add(&entry)).expect("the entry is added").value;
    let before = objects();
    vault.expunge(&Actor::owner(), &[id], "order").expect("the entry is expunged");
    let (after, mut erased) = (objects(), 0);
    let files = std::fs::read_dir(folder.path()).expect("the folder");
    let files: Vec<Vec<u8>> =
        files.map(|file| std::fs::read(file.expect("a file").path()).expect("readable")).collect();
    for object in before.iter().filter(|object| !after.contains(object)) {
        // The middle, so that a page's boundary does not hide it.
        let part = object.get(64..128).expect("objects are padded to more");
        assert!(!files.iter().any(|file| file.windows(64).any(|window| window == part)));
        erased += 1;
    }
    assert!(erased >= 2, "the entry and its page");
}

#[test]
fn a_writer_of_the_database_is_busy_for_others_and_readers_do_not_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ehr.sqlite");
    let (key, options) = (key(), VaultOptions::default().with_lock_wait(Duration::from_millis(20)));
    let one = Database::open(&path).expect("the database opens");
    let vault =
        Vault::create_in(one.store(1), &NewVault::individual(&key), options.clone()).expect("a vault");
    let two = Database::open(&path).expect("the database opens again");
    let other = LockedVault::of(two.store(1), options).expect("a vault").unlock(&key).expect("it opens");
    let entry = diagnosis("x");
    vault
        .update(&Actor::owner(), |tx| {
            assert!(other.list(&Filter::all())?.is_empty());
            let refused = other.update(&Actor::owner(), |tx| tx.add(&entry));
            assert!(matches!(refused, Err(Error::Store(StoreError::Busy))));
            tx.add(&entry)
        })
        .expect("the first writer goes on");
    other.update(&Actor::owner(), |tx| tx.add(&entry)).expect("the second writes on top");
    assert_eq!(other.list(&Filter::all()).expect("the vault lists").len(), 2);
}
