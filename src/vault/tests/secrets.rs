//! Secret types can be neither printed nor copied nor written, and no error
//! repeats what it was about.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::time::Duration;

use super::basics::{diagnosis, note, options};
use super::disk::{Fault, SimDisk};
use super::hostile::with_newer_place;
use super::workload::{clinic, new_image, owner};
use crate::crypto::kem::SlotSeed;
use crate::crypto::key::{
    AreaMacKey, CompartmentKey, ContentKey, GrantKey, IdentityKey, RootKey, SelectorKey, ShortcutKey,
    SigningSeed, UnlockKey, VaultRootKey,
};
use crate::crypto::random::Randomness;
use crate::crypto::signature::SigningKey;
use crate::engine::core::{Core, Snapshot};
use crate::format::object::KeyedRef;
use crate::format::place::Place;
use crate::format::root::Root;
use crate::keys::{Keyring, OpenedSlot, SlotKeys, UnlockKeys};
use crate::payload::catalogue::{ChildV1, ObjectV1, PageV1, RowV1};
use crate::payload::custody::VaultRecordV1;
use crate::payload::secret::SecretV1;
use crate::secret::{SecretBytes, SharedBytes};
use crate::store::lying::{Lie, LyingStore};
use crate::tree::{Page, Row};
use crate::vault::session::state::{State, Unlocked};
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

/// The same but for printing, of what prints no more than its name.
trait Uncopyable<Trait> {
    fn holds() {}
}
impl<T: ?Sized> Uncopyable<()> for T {}
impl<T: ?Sized + std::fmt::Display> Uncopyable<Shows> for T {}
impl<T: Clone> Uncopyable<Copies> for T {}
impl<T: ?Sized + serde::Serialize> Uncopyable<Writes> for T {}

/// Does not compile where a type could be shown, copied or written.
macro_rules! uncopyable {
    ($($secret:ty),+ $(,)?) => {
        [$(<$secret as Uncopyable<_>>::holds as fn()),+]
    };
}

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
        SharedBytes,
        UnlockKey,
        SelectorKey,
        ShortcutKey,
        SigningSeed,
        SlotKeys,
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
        Keyring,
        OpenedSlot,
        UnlockKeys,
        KeyedRef,
        Place,
        Root,
        Row,
        Page,
        Core,
        Snapshot,
        State,
    ];
    // What an embedder holds has a `Debug` of its name alone.
    let handed_out = uncopyable![SecretText, Password, RecoveryKey, RawKey, Credential, Vault, LockedVault];
    assert_eq!(handed_out.len(), 7);
    // Keys on the way into a box, or out of one. A handle's own parts are counted
    // references, which are copied and never printed.
    let on_the_wire = unprintable![SecretV1, VaultRecordV1, ObjectV1<'_>, RowV1<'_>, ChildV1<'_>, PageV1<'_>];
    let _: fn() = <Unlocked as Unwritable<_>>::holds;
    assert_eq!((in_memory.len(), on_the_wire.len()), (28, 6));
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
struct Said {
    texts: Vec<String>,
    /// Of every error of the façade.
    codes: BTreeSet<&'static str>,
}

impl Said {
    #[track_caller]
    fn error<T, E: StdError + 'static>(&mut self, result: Result<T, E>) {
        let error = result.err().expect("an error");
        self.codes.extend((&error as &dyn Any).downcast_ref::<Error>().map(Error::code));
        self.text(told(&error));
    }

    /// What a value prints as.
    #[track_caller]
    fn value(&mut self, value: &dyn std::fmt::Debug) {
        self.text(format!("{value:?} {value:#?}"));
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
        self.texts.push(text);
    }
}

const KEY: &[u8; 32] = b"planted raw key of thirty-two by";
const WORDS: &str = "planted password of the owner";

fn planted(text: &str) -> Password {
    Password::new(text.into()).unwrap()
}

fn about_credentials_and_entries(said: &mut Said) {
    said.error(Password::new(format!("{PLANTED}\u{378}")));
    said.error(Password::new(PLANTED.repeat(1000)).map_err(Error::from));
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
    let mut new = NewVault { holder_name: "planted holder", ..NewVault::individual(&owner) };
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
        "planted recipient",
        "planted purpose",
        Policy::everything_of([Kind::Immunization]),
    )
    .unwrap();
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
}

#[test]
fn no_error_about_credentials_or_entries_repeats_them() {
    let mut said = Said::default();
    about_credentials_and_entries(&mut said);
    assert!(said.texts.len() > 25);
}

/// A vault on a simulated disk, opened by the owner, with a planted entry.
fn planted_vault() -> (SimDisk, Vault, EntryId) {
    let disk = SimDisk::without_trace(new_image(WORDS));
    let vault = disk.unlock(&owner()).unwrap();
    let id = vault.update(&planted_actor(), |tx| tx.add(&planted_entry())).unwrap().value;
    (disk, vault, id)
}

fn planted_actor() -> Actor {
    Actor::new("planted actor").unwrap()
}

fn planted_entry() -> Entry {
    diagnosis("planted", "planted depression", "2019")
}

fn planted_access(key: &Credential, grant: Grant) -> Access<'_> {
    Access { credential: key, name: "planted way in", grant }
}

fn about_histories_and_ways_in(said: &mut Said) {
    let (disk, vault, _) = planted_vault();
    let (old, actor) = (disk.image(), planted_actor());
    vault.update(&actor, |tx| tx.add(&planted_entry())).unwrap();
    let now = vault.checkpoint().unwrap();
    let older = SimDisk::without_trace(old).open().unwrap();
    said.error(older.expecting(now).unlock(&owner()));
    let other: Checkpoint = format!("{}:{}", now.epoch(), "5a".repeat(32)).parse().unwrap();
    said.error(disk.open().unwrap().expecting(other).unlock(&owner()));

    let keys: Vec<Credential> = (0..16)
        .map(|n| RawKey::from_bytes(&[KEY.as_slice(), &[n]].concat()[1..].try_into().unwrap()).into())
        .collect();
    let add = keys.iter().map(|key| planted_access(key, Grant::ALL)).collect();
    said.error(vault.change_access(&actor, &AccessChange { revoke: Vec::new(), add }));
    let beside = disk.unlock(&owner()).unwrap();
    let listed = vault.access().unwrap();
    let full = listed.iter().filter(|access| access.grant == Grant::ALL).map(|access| access.id).collect();
    let add = vec![planted_access(&keys[0], Grant::of(&[Compartment::General]))];
    said.error(vault.change_access(&actor, &AccessChange { revoke: full, add }));
    let add = vec![planted_access(&keys[0], Grant::ALL)];
    vault.change_access(&actor, &AccessChange { revoke: Vec::new(), add }).unwrap();
    said.error(beside.update(&actor, |tx| tx.add(&planted_entry())));
}

/// A source that fails in the end.
struct Failing(bool);

impl std::io::Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if std::mem::replace(&mut self.0, true) {
            return Err(std::io::Error::other("EIO"));
        }
        buffer[..PLANTED.len()].copy_from_slice(PLANTED.as_bytes());
        Ok(PLANTED.len())
    }
}

/// A signer that does not sign.
struct Refusing(PublicKey);

impl Signer for Refusing {
    fn public_key(&self) -> PublicKey {
        self.0
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignerError> {
        Err(SignerError::Failed { reason: "the card was pulled out".into() })
    }
}

fn planted_attachment() -> NewAttachment {
    NewAttachment::new(Attachment {
        title: Some(Token::new("planted scan").unwrap()),
        ..Attachment::default()
    })
}

fn planted_request() -> ReleaseRequest {
    ReleaseRequest::new("planted recipient", "planted purpose", Policy::everything_of([Kind::Diagnosis]))
        .unwrap()
}

fn about_contents_and_releases(said: &mut Said) {
    crate::testing::shrink_slices(1016, 4);
    let (_disk, vault, id) = planted_vault();
    let actor = planted_actor();
    let stored = Attachment {
        location: Some(Location::Stored(ContentDigest::of(b"planted"))),
        ..Attachment::default()
    };
    let record = Note { attachments: vec![stored], ..Note::default() };
    said.error(vault.update(&actor, |tx| tx.add(&Entry::new(record.clone(), Provenance::default()))));
    said.error(vault.attachment(id, 7).map(|_| ()));
    let (new, bytes) = (planted_attachment(), PLANTED.repeat(1000));
    said.error(vault.resume_upload(&actor, ContentId::from_bytes([7; 16]), &new, &mut bytes.as_bytes()));
    said.error(vault.attach(&actor, &new, &mut Failing(false)));
    said.error(vault.attach(&actor, &planted_attachment().expecting_size(9), &mut bytes.as_bytes()));
    said.error(vault.update(&actor, |tx| tx.store(Compartment::General, &mut bytes.as_bytes()).map(|_| ())));
    said.error(vault.source_document(crate::vault::DocumentId::from_bytes([7; 16])));
    said.error(vault.export_fhir(&actor, &Filter::all(), crate::interop::ExportForm::Bundle, Full));
    said.error(vault.release_with(&Refusing(vault.public_key().unwrap()), &actor, &planted_request()));
}

/// A destination that takes nothing.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _bytes: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn about_costs_and_versions(said: &mut Said) {
    let (disk, _vault, _) = planted_vault();
    let password = Credential::from(planted(WORDS));
    let costly = KdfLimits { max_memory_kib: 8, min_memory_kib: 8, min_passes: 1, ..KdfLimits::default() };
    for limits in [KdfLimits::default(), costly] {
        said.error(disk.open_with(options().with_kdf_limits(limits)).unwrap().unlock(&password));
    }
    let none = KdfLimits { min_memory_kib: 0, min_passes: 0, ..KdfLimits::default() };
    let cost = KdfCost { memory_kib: 0, passes: 0, lanes: 0 };
    let useless = options().with_kdf_limits(none).with_kdf_cost(cost);
    said.error(Vault::create_in_memory(&NewVault::individual(&password), useless));
    let mut newer = disk.image();
    newer[16] = 2;
    said.error(SimDisk::without_trace(newer).open());
    let newer = with_newer_place(disk.image(), Compartment::PsychotherapyNotes);
    said.error(SimDisk::without_trace(newer).unlock(&owner()).unwrap().list(&Filter::all()));
}

fn about_disks(said: &mut Said) {
    let actor = planted_actor();
    for (fault, call) in
        [Fault::Full, Fault::Io].into_iter().flat_map(|fault| (0..40).map(move |call| (fault, call)))
    {
        let (disk, vault, id) = planted_vault();
        disk.fail_at(call, fault);
        if let failed @ Err(_) = vault.update(&actor, |tx| tx.amend(id, &planted_entry(), "planted reason")) {
            said.error(failed);
        }
    }
    let (disk, vault, _) = planted_vault();
    let store = disk.store();
    let writer = store.lock(Duration::ZERO).unwrap();
    said.error(vault.update(&actor, |tx| tx.add(&planted_entry())));
    drop(writer);

    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("a.vault"), folder.path().join("b.vault"));
    let owner = owner();
    let vault = Vault::create(&path, &NewVault::individual(&owner), options()).unwrap();
    vault.update(&actor, |tx| tx.add(&planted_entry())).unwrap();
    said.error(vault.backup(&actor, folder.path().join("planted").join("copy"), "planted copy"));
    std::fs::write(folder.path().join("a.vault.old"), PLANTED).unwrap();
    said.error(vault.compact(&actor));
    std::fs::remove_file(folder.path().join("a.vault.old")).unwrap();
    std::fs::hard_link(&path, folder.path().join("planted twin")).unwrap();
    said.error(vault.compact(&actor));
    drop(Vault::create(&aside, &NewVault::individual(&owner), options()).unwrap());
    std::fs::rename(&aside, &path).unwrap();
    said.error(vault.update(&actor, |tx| tx.add(&planted_entry())));

    for lie in [Lie::LosesPut, Lie::KeepsErased] {
        let store = LyingStore::new(lie);
        let dynamic = std::sync::Arc::clone(&store) as std::sync::Arc<dyn Store>;
        let vault = Vault::create_in(dynamic, &NewVault::individual(&owner), options()).unwrap();
        let id = vault.update(&actor, |tx| tx.add(&planted_entry())).unwrap().value;
        store.lie(true);
        said.error(vault.expunge(&actor, &[id], "planted reason"));
        said.error(vault.compact(&actor));
    }
}

fn about_imports(said: &mut Said) {
    let (_disk, vault, _) = planted_vault();
    let actor = planted_actor();
    let imported = |name: &str, born: &str| {
        let patient = r#"{"resourceType": "Patient", "id": "planted", "name": [{"family": "planted"}], "birthDate": "BORN"}"#;
        let text = format!("{}\n{}", patient.replace("BORN", born), PLANTED_BUNDLE.replace('\n', " "));
        let mut import = Import::new(ImportOptions::default());
        import.read(Some(name), text.as_bytes()).unwrap();
        import.finish().unwrap()
    };
    said.error(vault.undo_import(&actor, Epoch::new(9_999)));
    let report = vault.import(&actor, &imported("planted file", "1970-02-03")).unwrap();
    said.error(vault.import(&actor, &imported("planted other", "2001-09-09")));
    let ids: Vec<_> = report.added.iter().chain(&report.kept_raw).copied().collect();
    let condition = ids.into_iter().find(|id| vault.entry(*id).unwrap().kind() == Kind::Diagnosis).unwrap();
    vault.update(&actor, |tx| tx.amend(condition, &planted_entry(), "planted reason")).unwrap();
    said.error(vault.undo_import(&actor, report.number.unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("planted".repeat(36));
    said.error(Vault::create(&long, &NewVault::individual(&owner()), options()));
}

fn about_moves(said: &mut Said) {
    let (disk, vault, id) = planted_vault();
    let actor = planted_actor();
    let line = r#"{"resourceType":"Condition","id":"9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8","code":{"text":"planted"}}"#;
    let take = |vault: &Vault| {
        let mut import = Import::new(ImportOptions::default());
        import.read(Some("planted file"), line.as_bytes()).unwrap();
        super::take_all(vault, &actor, &import.finish().unwrap()).unwrap().added
    };
    let to_sealed =
        |ids: &[EntryId]| vault.move_entries(&actor, ids, Compartment::Sealed, Some("planted reason"));
    to_sealed(&take(&vault)).unwrap();
    said.error(to_sealed(&take(&disk.unlock(&clinic()).unwrap())));
    let mut disputed = planted_entry();
    disputed.marks.disputes = vec![id];
    let disputed = vault.update(&actor, |tx| tx.add(&disputed)).unwrap().value;
    said.error(to_sealed(&[disputed]));
}

/// What is built of texts from outside, and refused.
fn about_texts(said: &mut Said) {
    let mut refused = |error: Error| said.error(Err::<(), _>(error));
    refused("planted".parse::<PartialDate>().unwrap_err().into());
    refused("planted".parse::<EntryId>().unwrap_err().into());
    refused("planted|planted*planted".parse::<CodeFilter>().unwrap_err().into());
    refused("planted".parse::<ViewDigest>().unwrap_err().into());
    // A field that there is not is named: it is the word of whoever writes the policy.
    refused(Policy::nothing().mask("code", Mask::Year).unwrap_err().into());
    let planted = Value::Narrative(Narrative::new("planted").unwrap());
    refused(Record::from_fields(Kind::Diagnosis, [(1, 0, planted)]).err().unwrap().into());
    let mut import = Import::new(ImportOptions::default());
    refused(import.read(Some("planted"), &b"planted"[..]).unwrap_err().into());
    refused(PublicKey::from_jwk(b"planted").unwrap_err().into());
    refused(UnverifiedExcerpt::parse(b"planted").err().unwrap().into());
}

/// Codes that the planted workload does not make, and why they carry nothing.
const WITHOUT_FIELDS: [(&str, &str); 11] = [
    ("doubtful-clock", "of two clocks, with their times only"),
    ("closed-folder", "of folders that root may always use, without a field"),
    ("area-lost", "of lying stores, without a field"),
    ("not-as-previewed", "of a release, without a field"),
    ("reserved-name", "of files, without a field"),
    ("superseded", "of a reader that was overtaken, without a field"),
    ("no-randomness", "the system's failure, without a field"),
    ("conflict", "of stores without locks, without a field"),
    ("read-only", "of files, without a field"),
    ("no-locks", "of file systems, without a field"),
    ("other-process", "of a forked process, without a field"),
];

/// Every code, out of the functions that give them.
fn all_codes() -> BTreeSet<&'static str> {
    let source = include_str!("../../error/kind.rs").split_once("pub fn code(").expect("the codes").1;
    let arms = source.split("=> \"").skip(1).filter_map(|rest| rest.split_once('"'));
    arms.map(|(code, _)| code).collect()
}

#[test]
fn every_code_is_made_of_planted_values_or_can_carry_none() {
    let mut said = Said::default();
    about_credentials_and_entries(&mut said);
    about_histories_and_ways_in(&mut said);
    about_contents_and_releases(&mut said);
    about_costs_and_versions(&mut said);
    about_disks(&mut said);
    about_imports(&mut said);
    about_moves(&mut said);
    about_texts(&mut said);
    let excused: BTreeMap<&str, &str> = WITHOUT_FIELDS.into();
    let expected: BTreeSet<&str> =
        all_codes().into_iter().filter(|code| !excused.contains_key(code)).collect();
    assert!(expected.len() > 35 && excused.keys().all(|code| all_codes().contains(code)));
    let missing: Vec<_> = expected.difference(&said.codes).collect();
    assert!(missing.is_empty(), "never made: {missing:?}");
    let needless: Vec<_> = excused.keys().filter(|code| said.codes.contains(*code)).collect();
    assert!(needless.is_empty(), "made after all: {needless:?}");
}

const PLANTED_BUNDLE: &str = r#"{"resourceType": "Condition", "id": "planted-1", "subject": {"reference": "Patient/planted"},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "planted"}], "text": "planted"},
    "onsetString": "planted", "extension": [{"url": "planted", "valueString": "planted"}]}"#;

#[test]
fn no_public_type_prints_what_was_planted() {
    crate::testing::shrink_slices(1016, 4);
    let mut said = Said::default();
    let events = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = std::sync::Arc::clone(&events);
    let audited = options().with_audit(move |event| told.lock().unwrap().push(event.clone()));
    let disk = SimDisk::without_trace(new_image(WORDS));
    let vault = disk.open_with(audited).unwrap().unlock(&owner()).unwrap();
    let actor = planted_actor();
    let added = vault.update(&actor, |tx| tx.add(&planted_entry())).unwrap();
    let text = vault.update(&actor, |tx| tx.add(&note("planted", "planted narrative"))).unwrap().value;
    said.value(&added);
    let entry = vault.entry(added.value).unwrap();
    said.value(&entry);
    said.value(&(&entry.record, &entry.provenance, &entry.marks, &entry.source));
    for field in entry.record.fields().into_iter().chain(vault.entry(text).unwrap().record.fields()) {
        said.value(&field);
    }
    let key: Credential = RawKey::from_bytes(KEY).into();
    let add = vec![planted_access(&key, Grant::of(&[Compartment::General]))];
    vault.change_access(&actor, &AccessChange { revoke: Vec::new(), add }).unwrap();
    said.value(&vault.access().unwrap());

    let bytes = PLANTED.repeat(1000);
    let longer = planted_attachment().expecting_size(bytes.len() as u64 + 1);
    said.error(vault.attach(&actor, &longer, &mut bytes.as_bytes()));
    assert_eq!(vault.uploads().unwrap().len(), 1);
    said.value(&vault.uploads().unwrap());
    let attached = vault.attach(&actor, &planted_attachment(), &mut bytes.as_bytes()).unwrap().value;
    said.value(vault.attachment(attached, 0).unwrap().attachment());

    let to = crate::store::Destination::on(disk.folder(), "backup".into()).unwrap();
    said.value(&vault.backup_to(&actor, &to, "planted drawer", &mut |_| {}).unwrap());
    said.value(&vault.backups().unwrap());
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("planted file"), PLANTED_BUNDLE.as_bytes()).unwrap();
    said.value(&import);
    let imported = import.finish().unwrap();
    said.value(&imported);
    let confirmed = ImportDecisions { patient_is_same: true, ..ImportDecisions::default() };
    said.value(&vault.import_with(&actor, &imported, &confirmed, |_, _| {}).unwrap());

    let filter: CodeFilter = "planted|planted*".parse().unwrap();
    said.value(&filter);
    let policy = Policy::everything_of([Kind::Diagnosis]).with_code(filter);
    said.value(&policy);
    let view = vault.preview(&policy).unwrap();
    said.value(&view);
    said.value(&(view.subject(), view.released(), view.withheld(), view.notices()));
    let excerpt = vault.release(&actor, &planted_request()).unwrap();
    said.value(&excerpt);
    let unverified = UnverifiedExcerpt::parse(excerpt.to_json().as_bytes()).unwrap();
    said.value(&unverified);
    let verified = unverified.verify(&TrustedKeys::none(), std::time::SystemTime::now()).unwrap();
    said.value(&(&verified, verified.entries()));
    said.value(&vault.list(&Filter::all()).unwrap());
    said.value(&vault.list(&Filter::all()).unwrap()[0].card);
    said.value(&vault.ledger().unwrap());
    said.value(&vault.history(text).unwrap());
    said.value(&Filter::all().text("planted").provider("planted"));
    said.value(&(planted_request(), planted_attachment(), vault.attachment(attached, 0).unwrap()));
    let way_in = planted_access(&key, Grant::of(&[Compartment::General]));
    said.value(&(way_in, NewVault::individual(&key), options(), &key, &vault));
    said.value(&(RawKey::from_bytes(KEY), planted(WORDS), RecoveryKey::generate().unwrap()));
    let in_a_transaction = |tx: &mut Transaction<'_>| {
        said.value(&*tx);
        Ok(())
    };
    vault.update(&actor, in_a_transaction).unwrap();
    said.value(&vault.public_key().unwrap());
    said.value(&vault.export(&actor).unwrap().entries);
    let moved =
        vault.move_entries(&actor, &[added.value], Compartment::Sealed, Some("planted reason")).unwrap();
    said.value(&moved);
    said.value(&vault.expunge(&actor, &[moved.moved[0].to], "planted reason").unwrap());
    let report = vault.compact_with(&actor, |progress| drop(format!("{progress:?}"))).unwrap();
    said.value(&report);
    said.value(&vault.check_deep().unwrap());
    said.value(&vault.space().unwrap());
    said.value(&vault.checkpoint().unwrap());
    let events = events.lock().unwrap();
    assert!(events.len() > 8);
    said.value(&*events);
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
    assert!(said.texts.len() > 12, "{}", said.texts.len());
}
