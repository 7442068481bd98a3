//! Passwords that are equal, and changes after which no password would open.

use std::path::{Path, PathBuf};

use super::basics::options;
use crate::*;

const CHEAP: KdfCost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
const DEARER: KdfCost = KdfCost { memory_kib: 128, passes: 1, lanes: 1 };
const THIRD: KdfCost = KdfCost { memory_kib: 96, passes: 1, lanes: 1 };

fn password(text: &str) -> Password {
    Password::new(text.into()).unwrap()
}

fn opens(path: &Path, options: VaultOptions, text: &str) -> bool {
    match LockedVault::open(path, options).unwrap().unlock(&password(text).into()) {
        Ok(_) => true,
        Err(Error::WrongCredential) => false,
        Err(error) => panic!("{error}"),
    }
}

/// A vault file with these passwords, the first of which opens everything.
fn vault_of(passwords: &[&str], options: VaultOptions) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    create(&path, passwords.iter().map(|text| password(text).into()).collect(), options).unwrap();
    (folder, path)
}

fn create(path: &Path, credentials: Vec<Credential>, options: VaultOptions) -> Result<Vault, Error> {
    let mut new = NewVault::individual(&credentials[0]);
    let narrow = Grant::of(&[Compartment::General]);
    new.access.extend(credentials[1..].iter().map(|credential| Access {
        credential,
        name: "clinic",
        grant: narrow,
    }));
    Vault::create(path, &new, options)
}

/// Header, areas and roots: what follows them is erased again at each opening.
fn heads(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()[..81920].to_vec()
}

/// Changes a password through the handle of one of them.
fn change(path: &Path, options: VaultOptions, handle: &str, from: &str, to: &str) -> Result<(), Error> {
    let vault = LockedVault::open(path, options).unwrap().unlock(&password(handle).into()).unwrap();
    vault.change_password(&Actor::owner(), password(from), password(to))
}

#[track_caller]
fn assert_refused(result: Result<(), Error>, because: &str) {
    match result {
        Err(Error::Invalid { what }) => assert!(what.contains(because), "{what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_vault_with_one_credential_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    let raw = || Credential::from(RawKey::from_bytes(&[7; 32]));
    let words = RecoveryKey::generate().unwrap().to_words();
    let recovery = || Credential::from(RecoveryKey::parse(words.expose_secret()).unwrap());
    // One text in two Unicode forms is one password.
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    for twice in [
        vec![password("same").into(), password("same").into()],
        vec![password(composed).into(), password(decomposed).into()],
        vec![raw(), raw()],
        vec![password("owner").into(), recovery(), recovery()],
    ] {
        assert_refused(create(&path, twice, options()).map(drop), "the same password or key");
        assert!(!path.exists());
    }
    create(&path, vec![password("same").into(), password("Same").into(), raw(), recovery()], options())
        .unwrap();
}

#[test]
fn a_password_of_another_way_in_is_refused_in_either_generation() {
    let (_folder, path) = vault_of(&["owner", "clinic", "lawyer"], options());
    let before = heads(&path);
    for cost in [CHEAP, DEARER] {
        let result = change(&path, options().with_kdf_cost(cost), "owner", "clinic", "owner");
        assert_refused(result, "the same password");
    }
    assert!(heads(&path) == before, "something was written");

    // Now the owner's password is of the second generation, the others' of the first.
    change(&path, options().with_kdf_cost(DEARER), "owner", "owner", "owner 2").unwrap();
    let before = heads(&path);
    for cost in [CHEAP, DEARER] {
        for taken in ["owner 2", "lawyer"] {
            let result = change(&path, options().with_kdf_cost(cost), "owner 2", "clinic", taken);
            assert_refused(result, "the same password");
        }
    }
    assert!(heads(&path) == before, "something was written");
    for text in ["owner 2", "clinic", "lawyer"] {
        assert!(opens(&path, options(), text), "{text}");
    }
    change(&path, options().with_kdf_cost(DEARER), "owner 2", "clinic", "owner").unwrap();
    assert!(opens(&path, options(), "owner"));
}

#[test]
fn a_password_may_be_kept_at_a_new_cost() {
    let (_folder, path) = vault_of(&["owner", "clinic"], options());
    change(&path, options().with_kdf_cost(DEARER), "owner", "owner", "owner").unwrap();
    assert!(opens(&path, options(), "owner"));
}

/// Limits that either cost meets alone, and both together do not.
fn tight() -> VaultOptions {
    let max_work = u64::from(DEARER.memory_kib) + 1;
    let limits = KdfLimits { max_work, ..options().kdf_limits };
    options().with_kdf_limits(limits)
}

#[test]
fn a_change_after_which_both_costs_exceed_the_limits_is_refused_and_the_old_password_opens() {
    for passwords in [&["owner", "clinic"][..], &["owner"]] {
        let (_folder, path) = vault_of(passwords, tight().with_kdf_cost(DEARER));
        let before = heads(&path);
        let result = change(&path, tight().with_kdf_cost(CHEAP), "owner", "owner", "new");
        assert_refused(result, "together exceed the limits");
        assert!(heads(&path) == before, "something was written");
        for text in passwords {
            assert!(opens(&path, tight(), text), "{text}");
        }
    }
}

#[test]
fn a_sole_password_as_costly_as_the_limits_allow_can_be_changed() {
    let (_folder, path) = vault_of(&["owner"], tight().with_kdf_cost(DEARER));
    change(&path, tight().with_kdf_cost(DEARER), "owner", "owner", "new").unwrap();
    assert!(opens(&path, tight(), "new"));
    assert!(!opens(&path, tight(), "owner"));
}

#[test]
fn a_third_cost_is_refused_while_the_first_is_in_use_and_the_advice_given_works() {
    for advice in ["keep", "change"] {
        let (_folder, path) = vault_of(&["owner", "clinic"], options());
        change(&path, options().with_kdf_cost(DEARER), "owner", "owner", "owner 2").unwrap();
        let before = heads(&path);
        let third = change(&path, options().with_kdf_cost(THIRD), "owner 2", "owner 2", "owner 3");
        assert_refused(third, "keep one of the two costs");
        assert!(heads(&path) == before, "something was written");
        let mut cost = DEARER;
        if advice == "change" {
            change(&path, options().with_kdf_cost(DEARER), "owner 2", "clinic", "clinic 2").unwrap();
            cost = THIRD;
        }
        change(&path, options().with_kdf_cost(cost), "owner 2", "owner 2", "owner 3").unwrap();
        assert!(opens(&path, options(), "owner 3"));
        assert!(opens(&path, options(), if advice == "change" { "clinic 2" } else { "clinic" }));
    }
}
