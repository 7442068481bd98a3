//! Who signs what: each way in with a key of its own, for as long as it is one.

use std::path::PathBuf;

use super::basics::{diagnosis, key, options};
use super::release::{request, verified};
use crate::crypto::signature::SigningKey;
use crate::engine::signing::signing_key;
use crate::*;

const DEARER: KdfCost = KdfCost { memory_kib: 128, passes: 1, lanes: 1 };

fn password(text: &str) -> Password {
    Password::new(text.into()).unwrap()
}

fn owner() -> Actor {
    Actor::owner()
}

/// A vault file with a diagnosis: key 1 opens everything, key 2 and the password "nurse" the
/// general compartment.
struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
    vault: Vault,
}

impl Fixture {
    fn new(signature: SignatureAlgorithm) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let (own, clinic, nurse) = (key(1), key(2), Credential::from(password("nurse")));
        let grant = Grant::of(&[Compartment::General]);
        let new = NewVault::individual(&own)
            .named("Ada Byron")
            .signing_with(signature)
            .with_access(Access::new(&clinic, "clinic", grant))
            .with_access(Access::new(&nurse, "nurse", grant));
        let vault = Vault::create(&path, &new, options()).unwrap();
        vault.update(&owner(), |tx| tx.add(&diagnosis("J45", "Asthma", "1998"))).unwrap();
        Self { _folder: folder, path, vault }
    }

    fn open(&self, credential: &Credential) -> Vault {
        self.open_with(credential, options())
    }

    fn open_with(&self, credential: &Credential, options: VaultOptions) -> Vault {
        LockedVault::open(&self.path, options).unwrap().unlock(credential).unwrap()
    }

    /// The key that the directory lists for a way in.
    fn listed(&self, name: &str) -> Option<PublicKey> {
        let access = self.vault.access().unwrap().into_iter();
        access.filter(|access| access.name == name).find_map(|access| access.public_key)
    }

    fn id(&self, name: &str) -> AccessId {
        self.vault.access().unwrap().into_iter().find(|access| access.name == name).unwrap().id
    }

    fn revoke(&self, name: &str) {
        let change = AccessChange::default().revoking([self.id(name)]);
        self.vault.change_access(&owner(), &change).unwrap();
    }
}

fn release(vault: &Vault) -> Result<Excerpt, Error> {
    vault.release(&owner(), &request())
}

#[test]
fn each_way_in_signs_with_a_key_of_its_own_that_the_directory_lists() {
    for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519] {
        let fixture = Fixture::new(algorithm);
        let handles = [
            ("owner", fixture.open(&key(1))),
            ("clinic", fixture.open(&key(2))),
            ("nurse", fixture.open(&password("nurse").into())),
        ];
        let keys = handles.each_ref().map(|(_, vault)| vault.public_key().unwrap());
        for ((name, vault), own) in handles.iter().zip(keys) {
            assert_eq!(own.algorithm(), algorithm);
            assert_eq!(fixture.listed(name), Some(own));
            let excerpt = release(vault).unwrap();
            for key in keys {
                let expected =
                    if key == own { Outcome::SignedByTrustedKey } else { Outcome::IntactUnknownSigner };
                assert_eq!(verified(&excerpt, key), expected, "{name}");
            }
            let line = vault.ledger().unwrap().pop().unwrap();
            assert!(line.details.contains(&(Detail::Signer, own.fingerprint().to_string())));
        }
        assert_eq!(fixture.vault.public_key().unwrap(), keys[0], "the handle that created the vault");
    }
}

#[test]
fn whoever_was_revoked_signs_nothing_more_and_the_ledger_says_whose_key_it_was() {
    let fixture = Fixture::new(SignatureAlgorithm::Es256);
    let clinic = fixture.open(&key(2));
    let its_key = fixture.listed("clinic").unwrap();
    release(&clinic).unwrap();
    let before = clinic.epoch();
    fixture.revoke("clinic");
    assert!(matches!(release(&clinic), Err(Error::AccessChanged)));
    assert!(LockedVault::open(&fixture.path, options()).unwrap().unlock(&key(2)).is_err());
    assert_eq!(fixture.listed("clinic"), None);
    let line = fixture.vault.ledger().unwrap().pop().unwrap();
    assert_eq!((line.action, line.compartment), (Action::AccessRevoked, Compartment::Custody));
    assert!(line.epoch > before);
    let said = [(Detail::Name, "clinic".to_owned()), (Detail::Signer, its_key.fingerprint().to_string())];
    assert_eq!(line.details, said);
    // The same key of a program, let in again, signs with another key.
    let (again, grant) = (key(2), Grant::of(&[Compartment::General]));
    let change = AccessChange::default().adding(Access::new(&again, "clinic", grant));
    fixture.vault.change_access(&owner(), &change).unwrap();
    let new = fixture.open(&key(2)).public_key().unwrap();
    assert!(new != its_key && fixture.listed("clinic") == Some(new));
    let line = fixture.vault.ledger().unwrap().pop().unwrap();
    assert_eq!(line.action, Action::AccessGranted);
    assert!(line.details.contains(&(Detail::Signer, new.fingerprint().to_string())));
}

#[test]
fn a_handle_whose_own_way_in_was_taken_away_signs_with_another_key_or_not_at_all() {
    let fixture = Fixture::new(SignatureAlgorithm::Ed25519);
    let second = key(3);
    let change = AccessChange::default()
        .revoking([fixture.id("owner")])
        .adding(Access::to_everything(&second, "second"));
    fixture.vault.change_access(&owner(), &change).unwrap();
    let epoch = fixture.vault.epoch();
    assert!(matches!(release(&fixture.vault), Err(Error::AccessChanged)));
    assert!(matches!(fixture.vault.public_key(), Err(Error::AccessChanged)));
    assert_eq!(fixture.vault.epoch(), epoch, "nothing was written");
    let outside = SigningKey::generate(
        SignatureAlgorithm::Es256,
        &mut crate::crypto::random::Randomness::from_system(),
    );
    let excerpt = fixture.vault.release_with(&outside.unwrap(), &owner(), &request()).unwrap();
    assert_eq!(verified(&excerpt, fixture.listed("second").unwrap()), Outcome::IntactUnknownSigner);
    assert!(release(&fixture.open(&second)).is_ok());
}

#[test]
fn a_changed_password_signs_with_the_same_key() {
    let fixture = Fixture::new(SignatureAlgorithm::Es256);
    let spouse = Credential::from(password("spouse"));
    let change = AccessChange::default().adding(Access::to_everything(&spouse, "spouse"));
    fixture.vault.change_access(&owner(), &change).unwrap();
    let before = (fixture.listed("spouse"), fixture.listed("nurse"));
    assert!(before.0.is_some() && before.0 != before.1);
    // Without the directory, with it, and with it under new keys.
    let nurse = fixture.open(&password("nurse").into());
    nurse.change_password(&owner(), password("nurse"), password("night nurse")).unwrap();
    let own = fixture.open(&spouse);
    own.change_password(&owner(), password("spouse"), password("husband")).unwrap();
    let dearer = fixture.open_with(&password("husband").into(), options().with_kdf_cost(DEARER));
    dearer.change_password(&owner(), password("husband"), password("dear")).unwrap();
    let fixture = Fixture { vault: dearer, ..fixture };
    assert_eq!((fixture.listed("spouse"), fixture.listed("nurse")), before);
    for (text, listed) in [("dear", before.0), ("night nurse", before.1)] {
        let vault = fixture.open(&password(text).into());
        assert_eq!(vault.public_key().ok(), listed);
        assert_eq!(verified(&release(&vault).unwrap(), listed.unwrap()), Outcome::SignedByTrustedKey);
    }
}

/// The secret bytes of both signing keys of a handle's way in.
fn secrets(vault: &Vault) -> Vec<Vec<u8>> {
    let unlocked = vault.unlocked().unwrap();
    let way_in = unlocked.way_in.as_ref().unwrap();
    let mut record = unlocked.reader().vault_record().unwrap();
    let of = [1, 2].map(|algorithm| {
        record.signing_algorithm = algorithm;
        match signing_key(way_in.signing_seed().unwrap(), &record).unwrap() {
            SigningKey::Es256(key) => key.to_bytes().to_vec(),
            SigningKey::Ed25519(key) => key.to_bytes().to_vec(),
        }
    });
    of.to_vec()
}

#[test]
fn no_key_and_no_object_of_the_vault_gives_a_signing_key_to_another_way_in() {
    let fixture = Fixture::new(SignatureAlgorithm::Es256);
    let clinic = fixture.open(&key(2));
    let wanted = [secrets(&clinic), secrets(&fixture.vault)].concat();
    release(&clinic).unwrap();
    let vault = fixture.open(&key(1));
    let unlocked = vault.unlocked().unwrap();
    let reader = unlocked.reader();
    let mut readable = vec![std::fs::read(&fixture.path).unwrap()];
    for compartment in Compartment::ALL {
        let key = unlocked.core.keyring.compartment(compartment).unwrap();
        readable.push(key.secret().expose_secret().to_vec());
        let mut rows = Vec::new();
        let scanned = reader.trie(compartment).unwrap().scan(&mut |row| {
            rows.push(row.duplicate());
            Ok(())
        });
        scanned.unwrap();
        for row in &rows {
            readable.push(row.inline.to_vec());
            let content = row.object.is_some().then(|| unlocked.core.open_row(compartment, row).unwrap());
            readable.extend(content.map(|content| content.to_vec()));
        }
    }
    let holds = |secret: &Vec<u8>| readable.iter().any(|bytes| bytes.windows(32).any(|part| part == secret));
    assert!(!wanted.iter().any(holds));
    let listed = reader.directory().unwrap().slots.into_iter().find_map(|slot| slot.signing).unwrap();
    assert!(holds(&listed.ed25519.to_vec()), "what is written down is found");
}
