//! Writes the golden vaults of format 1 and the vectors with one fault each,
//! when SUBROSA_WRITE_GOLDEN=1; `tests/golden.rs` reads them.
//!
//! A golden file is written once per format and then only read: writing them
//! again is a decision, because it gives up the proof that old files open.

mod bytes;
mod faults;
mod forge;
mod sample;
mod values;
mod vectors;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::vault::Expungement;
use crate::*;
pub(super) use sample::RAW_KEY;
use sample::RECOVERY_KEY;

pub(super) const PASSWORD: &str = "Grüße aus der Rosenstraße 7";
const CLINIC_PASSWORD: &str = "seven staplers under one umbrella";
const OLD_PASSWORD: &str = "the first of two passwords";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A clock that advances a minute with every look, and the cost of small devices.
fn options() -> VaultOptions {
    let minutes = std::sync::atomic::AtomicU64::new(0);
    VaultOptions::default()
        .with_clock(move || {
            let minute = minutes.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000 + 60 * minute)
        })
        .with_kdf_cost(KdfCost::SMALL_DEVICE)
}

fn password(text: &str) -> Password {
    Password::new(text.into()).unwrap()
}

/// A vault with everything that an entry can hold, and everything that can
/// happen to one. Returns the bytes at rest before the last commit but one, before the last
/// one and after it.
fn whole_vault(path: &Path) -> [Vec<u8>; 3] {
    let credentials: [Credential; 3] = [
        password(PASSWORD).into(),
        RecoveryKey::parse(RECOVERY_KEY).unwrap().into(),
        RawKey::from_bytes(&RAW_KEY).into(),
    ];
    let [secret, recovery, raw] = &credentials;
    let new = NewVault {
        holder_role: HolderRole::Individual,
        holder_name: "Rosalind Thornbury",
        jurisdiction: "US-NJ",
        signature: SignatureAlgorithm::Ed25519,
        access: vec![
            Access::to_everything(secret, "kitchen table"),
            Access::to_everything(recovery, "paper in the drawer"),
            Access::to_everything(raw, "keyring"),
        ],
        actor: Actor::owner(),
    };
    let vault = Vault::create(path, &new, options()).unwrap();
    let owner = Actor::owner();
    let nurse = Actor::new("Nurse Quill").unwrap();
    let ids = vault
        .update(&owner, |tx| {
            sample::entries().iter().map(|entry| tx.add(entry)).collect::<Result<Vec<_>, _>>()
        })
        .unwrap()
        .value;
    let orchard = ids[2 + Kind::all().len()];
    vault
        .update(&nurse, |tx| {
            tx.amend(ids[0], &sample::amended(), "recurrence found at follow-up")?;
            tx.amend(orchard, &sample::amended_note(), "said more")?;
            tx.retract(ids[1], "entered for another patient")
        })
        .unwrap();
    let gone = vault.update(&owner, |tx| tx.add(&sample::expunged())).unwrap().value;
    vault.expunge(&owner, &[gone], "never belonged here").unwrap();
    let imported = vault.import(&owner, &sample::imported()).unwrap().added;
    vault.expunge(&owner, &imported[2..], Expungement::new().staying_away()).unwrap();
    let new = NewAttachment::new(sample::scan()).in_compartment(Compartment::Sealed);
    let scan = vault.attach(&owner, &new, &mut &sample::scanned()[..]).unwrap().value;
    let again = sample::with_attachment(vault.entry(scan).unwrap().attachments().remove(0));
    let at_rest = |vault: Vault| {
        let locked = vault.lock().unwrap();
        (locked.unlock(raw).unwrap(), std::fs::read(path).unwrap())
    };
    let (vault, first) = at_rest(vault);
    vault.update(&nurse, |tx| tx.add_in(Compartment::Sealed, &again)).unwrap();
    let policy = Policy::only([ids[0], orchard]).include("text").unwrap();
    let request = ReleaseRequest::new("Dr. Lind", "second opinion", policy).unwrap().with_clock_confirmed();
    vault.release(&owner, &request).unwrap();
    let (vault, before) = at_rest(vault);
    vault.update(&owner, |tx| tx.amend(ids[0], &sample::amended_again(), "corrected severity")).unwrap();
    let (_, whole) = at_rest(vault);
    [first, before, whole]
}

/// A vault whose owner has moved to a dearer password derivation while the
/// clinic, which opens one compartment, has not. Returns the bytes before and
/// after the change.
fn migrating_vault(path: &Path) -> [Vec<u8>; 2] {
    let (old, clinic) = (password(OLD_PASSWORD).into(), password(CLINIC_PASSWORD).into());
    let mut new = NewVault::individual(&old);
    let grant = Grant::of(&[Compartment::General]);
    new.access.push(Access { credential: &clinic, name: "clinic", grant });
    let vault = Vault::create(path, &new, options()).unwrap();
    let owner = Actor::owner();
    let entries = sample::few();
    vault.update(&owner, |tx| entries.iter().try_for_each(|entry| tx.add(entry).map(drop))).unwrap();
    vault.lock().unwrap();
    let before = std::fs::read(path).unwrap();
    let cost = KdfCost { memory_kib: 72 * 1024, ..KdfCost::SMALL_DEVICE };
    let locked = LockedVault::open(path, options().with_kdf_cost(cost)).unwrap();
    let vault = locked.unlock(&old).unwrap();
    vault.change_password(&owner, password(OLD_PASSWORD), password(PASSWORD)).unwrap();
    vault.lock().unwrap();
    [before, std::fs::read(path).unwrap()]
}

/// A frozen vault is written once for its format, when that format is final,
/// and never again: `SUBROSA_FREEZE=1 cargo test --lib freeze -- --ignored`.
/// `SUBROSA_FREEZE=1 cargo test --test golden freeze -- --ignored` then writes, once too, what
/// it holds.
#[test]
#[ignore = "writes a file that is to stay as it is for ever"]
fn freeze_a_vault_of_this_format() {
    assert!(std::env::var_os("SUBROSA_FREEZE").is_some(), "set SUBROSA_FREEZE=1 to freeze this format");
    let path = folder().join("frozen").join("format-1.vault");
    assert!(!path.exists(), "this format is frozen: its vault is never written again");
    let fresh = tempfile::tempdir().unwrap();
    let [.., whole] = whole_vault(&fresh.path().join("a.vault"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, whole).unwrap();
}

#[test]
fn golden_vaults_and_vectors_are_written_when_asked_for() {
    if std::env::var_os("SUBROSA_WRITE_GOLDEN").is_none() {
        eprintln!("SKIPPED: golden vaults are written only with SUBROSA_WRITE_GOLDEN=1");
        return;
    }
    let folder = folder();
    let fresh = tempfile::tempdir().unwrap();
    let whole = whole_vault(&fresh.path().join("whole.vault"));
    let migrating = migrating_vault(&fresh.path().join("migrating.vault"));
    for (name, copy) in [("whole.vault", &whole[2]), ("migrating.vault", &migrating[1])] {
        std::fs::write(folder.join(name), copy).unwrap();
    }
    let vectors = vectors::all(&whole, &migrating);
    assert!(vectors.len() >= 140, "{} vectors", vectors.len());
    let lines: Vec<String> = vectors.iter().map(ToString::to_string).collect();
    std::fs::write(folder.join("vectors.json"), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
}
