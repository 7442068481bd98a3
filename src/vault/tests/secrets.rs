//! Secret types can be neither printed nor copied nor written, and no error
//! repeats what it was about.

use std::error::Error as StdError;

use super::basics::{diagnosis, note, options};
use crate::crypto::kem::SlotSeed;
use crate::crypto::key::{
    AreaMacKey, CompartmentKey, ContentKey, GrantKey, IdentityKey, RootKey, UnlockKey, VaultRootKey,
};
use crate::crypto::random::Randomness;
use crate::crypto::signature::SigningKey;
use crate::format::object::SealedObject;
use crate::format::place::Place;
use crate::format::root::Root;
use crate::keys::{Keyring, OpenedSlot, UnlockKeys};
use crate::payload::catalogue::{ChildV1, ObjectV1, PageV1, RowV1};
use crate::payload::custody::VaultRecordV1;
use crate::secret::SecretBytes;
use crate::tree::{Page, Row};
use crate::vault::core::{Core, Snapshot};
use crate::vault::{State, Unlocked};
use crate::*;

/// Has one implementation for every type, and one more for each banned trait
/// that the type has: then the compiler cannot choose.
trait Unprintable<Trait> {
    fn holds() {}
}
struct Prints;
struct Shows;
struct Copies;
impl<T: ?Sized> Unprintable<()> for T {}
impl<T: ?Sized + std::fmt::Debug> Unprintable<Prints> for T {}
impl<T: ?Sized + std::fmt::Display> Unprintable<Shows> for T {}
impl<T: Clone> Unprintable<Copies> for T {}

/// The same for writing, from which wire structs are exempt.
trait Unwritable<Trait> {
    fn holds() {}
}
struct Writes;
impl<T: ?Sized> Unwritable<()> for T {}
impl<T: ?Sized + serde::Serialize> Unwritable<Writes> for T {}

/// Does not compile where a type could be printed or copied.
macro_rules! unprintable {
    ($($secret:ty),+ $(,)?) => {
        [$(<$secret as Unprintable<_>>::holds as fn()),+]
    };
}

/// Does not compile where a type could be printed, copied or written.
macro_rules! secret {
    ($($secret:ty),+ $(,)?) => {
        ([$(<$secret as Unwritable<_>>::holds as fn()),+], unprintable![$($secret),+])
    };
}

#[test]
fn no_secret_type_can_be_printed_copied_or_written() {
    let (in_memory, _) = secret![
        SecretBytes,
        SecretText,
        UnlockKey,
        GrantKey,
        VaultRootKey,
        RootKey,
        AreaMacKey,
        CompartmentKey,
        IdentityKey,
        ContentKey,
        SlotSeed,
        SigningKey,
        Randomness,
        Password,
        RecoveryKey,
        RawKey,
        Credential,
        Keyring,
        OpenedSlot,
        UnlockKeys,
        SealedObject,
        Place,
        Root,
        Row,
        Page,
        Core,
        Snapshot,
        State,
        Vault,
        LockedVault,
    ];
    // Keys on the way into a box, or out of one. A handle's own parts are counted
    // references, which are copied and never printed.
    let on_the_wire = unprintable![VaultRecordV1, ObjectV1, RowV1, ChildV1, PageV1];
    let _: fn() = <Unlocked as Unwritable<_>>::holds;
    assert_eq!((in_memory.len(), on_the_wire.len()), (30, 5));
}

/// A word that stands in every password, key and health value of these tests.
const PLANTED: &str = "planted";

/// What an error says, with all that it says about its causes.
fn told(error: &dyn StdError) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&format!("{error} | {error:?} | {error:#?}\n"));
        next = error.source();
    }
    text
}

/// What was said, which must not repeat what was planted, whatever the encoding.
#[derive(Default)]
struct Said(Vec<String>);

impl Said {
    #[track_caller]
    fn error<T, E: StdError + 'static>(&mut self, result: Result<T, E>) {
        let error = result.err().expect("an error");
        self.text(told(&error));
    }

    #[track_caller]
    fn text(&mut self, text: String) {
        let hex: String = PLANTED.bytes().map(|byte| format!("{byte:02x}")).collect();
        let bytes: Vec<String> = PLANTED.bytes().map(|byte| byte.to_string()).collect();
        let lines: String = text.split_whitespace().collect();
        let plain = text.to_lowercase();
        for form in [PLANTED.to_owned(), hex] {
            assert!(!plain.contains(&form), "{text}");
        }
        assert!(!lines.contains(&bytes.join(",")), "{text}");
        self.0.push(text);
    }
}

const KEY: &[u8; 32] = b"planted raw key of thirty-two by";
const WORDS: &str = "planted password of the owner";

fn planted(text: &str) -> Password {
    Password::new(text.into()).unwrap()
}

#[test]
fn no_error_about_credentials_or_entries_repeats_them() {
    let mut said = Said::default();
    said.error(Password::new(format!("{PLANTED}\u{378}")));
    said.error(Password::new(PLANTED.repeat(1000)));
    said.error(RecoveryKey::parse("planted planted planted"));
    said.error(Actor::new(PLANTED.repeat(40)));
    said.error(PLANTED.parse::<EntryId>());
    said.error(PLANTED.parse::<AccessId>());
    said.error(PLANTED.parse::<Checkpoint>());
    said.error(PLANTED.parse::<PartialDate>());
    said.error(Token::new(PLANTED.repeat(200)));
    said.error(Narrative::new(PLANTED.repeat(1_200_000)));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("planted.vault");
    let (owner, key) = (Credential::from(planted(WORDS)), Credential::from(RawKey::from_bytes(KEY)));
    let mut new = NewVault::individual(&owner);
    new.access.push(Access { credential: &key, name: "planted", grant: Grant::of(&[Compartment::General]) });
    let name = PLANTED.repeat(200);
    said.error(Vault::create(
        &path,
        &NewVault { holder_name: &name, ..NewVault::individual(&owner) },
        options(),
    ));
    let vault = Vault::create(&path, &new, options()).unwrap();
    said.error(Vault::create(&path, &new, options()));
    said.error(LockedVault::open(folder.path().join("planted"), options()));
    said.error(LockedVault::open(&path, options()).unwrap().unlock(&planted("planted and wrong").into()));

    let actor = Actor::new("planted actor").unwrap();
    let health = "planted depression";
    let mut held = diagnosis("planted", health, "2019");
    held.marks.legal_holds = vec![LegalHold::new(Narrative::new("planted subpoena").unwrap(), None)];
    let id = vault.update(&actor, |tx| tx.add(&held)).unwrap().value;
    said.error(vault.expunge(&actor, &[id], "planted reason"));
    said.error(vault.entry(EntryId::from_bytes([1; 16])));
    said.error(vault.entry_revision(id, 9));
    said.error(vault.update(&actor, |tx| tx.add_in(Compartment::Custody, &held)));
    said.error(vault.update(&actor, |tx| tx.amend(id, &note("psychotherapy", health), "planted")));
    said.error(vault.change_password(&actor, planted("planted, not so"), planted("planted, new")));
    let again = Access { credential: &key, name: "planted twin", grant: Grant::ALL };
    said.error(vault.change_access(&actor, &AccessChange { revoke: Vec::new(), add: vec![again] }));
    let long = Access { credential: &key, name: &name, grant: Grant::ALL };
    said.error(vault.change_access(&actor, &AccessChange { revoke: Vec::new(), add: vec![long] }));
    let stranger = AccessChange { revoke: vec![AccessId::from_bytes([1; 16])], add: Vec::new() };
    said.error(vault.change_access(&actor, &stranger));
    let clinic = LockedVault::open(&path, options()).unwrap().unlock(&key).unwrap();
    said.error(clinic.access());
    said.error(clinic.change_access(&actor, &stranger));
    let request = ReleaseRequest::new(
        Token::new("planted recipient").unwrap(),
        Token::new("planted purpose").unwrap(),
        Policy::everything_of([Kind::Immunization]),
    );
    said.error(vault.release(&actor, &request));

    // Damage: every object of the file is noise, and it holds what was planted.
    let mut file = std::fs::read(&path).unwrap();
    let at = usize::try_from(crate::format::header::geometry::APPEND).unwrap();
    file[at..]
        .chunks_mut(PLANTED.len())
        .for_each(|part| part.copy_from_slice(&PLANTED.as_bytes()[..part.len()]));
    std::fs::write(&path, &file).unwrap();
    said.error(LockedVault::open(&path, options()).unwrap().unlock(&owner));
    said.text(format!("{:?}", vault.check().unwrap().findings));
    std::fs::write(&path, PLANTED.repeat(50_000)).unwrap();
    said.error(LockedVault::open(&path, options()));
    vault.forget_keys().unwrap_or_default();
    said.error(vault.list(&Filter::all()));
    assert!(said.0.len() > 25);
}

#[test]
fn no_error_about_what_comes_from_outside_repeats_it() {
    let mut said = Said::default();
    for text in [
        r#"{"resourceType": "Condition", "planted"#,
        r#"{"resourceType": "planted", "id": 1}"#,
        r#"{"planted": "planted"}"#,
        r#"["planted"]"#,
        "planted",
        r#"{"resourceType": "Condition", "id": "planted", "planted": {"planted": [}}"#,
    ] {
        let mut import = Import::new(ImportOptions::default());
        if let Err(error) = import.read(None, std::io::Cursor::new(text)) {
            said.text(told(&error));
        } else if let Err(error) = import.finish() {
            said.text(told(&error));
        }
        said.error(PublicKey::from_jwk(text.as_bytes()));
    }
    for excerpt in ["planted", "{\"envelope\": \"planted\"}", "<html>planted</html>"] {
        match UnverifiedExcerpt::parse(excerpt.as_bytes()) {
            Err(error) => said.text(told(&error)),
            Ok(excerpt) => said.error(excerpt.verify(&TrustedKeys::none(), std::time::SystemTime::now())),
        }
    }
    let policy = || Policy::everything_of([Kind::Diagnosis]);
    said.error(policy().mask("code", Mask::Year));
    assert!(said.0.len() > 12, "{}", said.0.len());
}
