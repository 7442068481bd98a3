//! Ways in that come and go: who opens what afterwards, who is refused, and
//! what the costs of passwords do meanwhile.

use std::path::{Path, PathBuf};

use super::basics::{diagnosis, key, note, options};
use crate::crypto::object_digest::ObjectDigest;
use crate::format::area::AREA_LEN;
use crate::format::header::geometry;
use crate::*;

const CHEAP: KdfCost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
const DEARER: KdfCost = KdfCost { memory_kib: 128, passes: 1, lanes: 1 };
const THIRD: KdfCost = KdfCost { memory_kib: 96, passes: 1, lanes: 1 };

fn password(text: &str) -> Password {
    Password::new(text.into()).unwrap()
}

fn actor() -> Actor {
    Actor::owner()
}

fn general() -> Grant {
    Grant::of(&[Compartment::General])
}

/// A vault file opened by the owner's key 1, and by what else was added.
struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
    vault: Vault,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
        Self { _folder: folder, path, vault }
    }

    fn open(&self, credential: &Credential) -> Result<Vault, Error> {
        self.open_with(credential, options())
    }

    fn open_with(&self, credential: &Credential, options: VaultOptions) -> Result<Vault, Error> {
        LockedVault::open(&self.path, options)?.unlock(credential)
    }

    fn add(&self, credential: &Credential, name: &str, grant: Grant) -> AccessId {
        add(&self.vault, credential, name, grant).unwrap()
    }

    /// Header, areas and roots: what follows is erased again at each opening.
    fn heads(&self) -> Vec<u8> {
        let end = usize::try_from(geometry::APPEND).unwrap();
        std::fs::read(&self.path).unwrap()[..end].to_vec()
    }
}

fn add(vault: &Vault, credential: &Credential, name: &str, grant: Grant) -> Result<AccessId, Error> {
    let change = AccessChange { add: vec![Access { credential, name, grant }], ..AccessChange::default() };
    vault.change_access(&actor(), &change).map(|added| added[0])
}

fn revoke(vault: &Vault, id: AccessId) -> Result<(), Error> {
    let change = AccessChange { revoke: vec![id], ..AccessChange::default() };
    vault.change_access(&actor(), &change).map(|added| assert!(added.is_empty()))
}

fn id_of(vault: &Vault, name: &str) -> AccessId {
    vault.access().unwrap().into_iter().find(|access| access.name == name).unwrap().id
}

fn is_wrong(result: Result<Vault, Error>) -> bool {
    matches!(result, Err(Error::WrongCredential))
}

fn areas(file: &[u8]) -> [&[u8]; 2] {
    [geometry::AREA_A, geometry::AREA_B].map(|at| &file[usize::try_from(at).unwrap()..][..AREA_LEN])
}

/// The runs of the area that a password is tried under.
fn runs(path: &Path) -> usize {
    let bytes = std::fs::read(path).unwrap();
    crate::format::area::Area::parse(areas(&bytes)[0]).unwrap().kdf_runs().len()
}

#[test]
fn whoever_stays_opens_exactly_their_grant_and_whoever_was_revoked_opens_nothing() {
    let fixture = Fixture::new();
    let recovery = RecoveryKey::generate().unwrap();
    let words = recovery.to_words();
    let recovery = || Credential::from(RecoveryKey::parse(words.expose_secret()).unwrap());
    let substance = Grant::of(&[Compartment::SubstanceUse, Compartment::General]);
    let clinic = fixture.add(&key(2), "clinic", general());
    fixture.add(&key(3), "counsellor", substance);
    fixture.add(&password("spouse").into(), "spouse", Grant::ALL);
    fixture.add(&recovery(), "paper", Grant::ALL);
    let entry = diagnosis("F33", "Depression", "2019");
    let id = fixture.vault.update(&actor(), |tx| tx.add(&entry)).unwrap().value;
    let before = fixture.heads();
    let new = key(4);
    let added = AccessChange {
        revoke: vec![clinic],
        add: vec![Access { credential: &new, name: "hospital", grant: general() }],
    };
    fixture.vault.change_access(&actor(), &added).unwrap();

    let after = fixture.heads();
    assert!(areas(&after)[0] == areas(&after)[1]);
    assert!(areas(&before).iter().all(|area| *area != areas(&after)[0]));
    assert!(is_wrong(fixture.open(&key(2))));
    let grants = [
        (key(1), Grant::ALL),
        (key(3), substance),
        (key(4), general()),
        (password("spouse").into(), Grant::ALL),
        (recovery(), Grant::ALL),
    ];
    for (credential, grant) in grants {
        let vault = fixture.open(&credential).unwrap();
        assert_eq!(vault.grant(), grant);
        assert!(vault.entry(id).unwrap() == entry);
        let report = vault.check().unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
        vault.update(&actor(), |tx| tx.add(&note("progress", "slept well"))).unwrap();
    }
    let names: Vec<String> =
        fixture.open(&key(1)).unwrap().access().unwrap().into_iter().map(|a| a.name).collect();
    assert_eq!(names.len(), 5);
    assert!(!names.contains(&"clinic".to_owned()) && names.contains(&"hospital".to_owned()));
}

#[test]
fn the_handle_that_changed_access_goes_on_and_the_others_are_told() {
    let fixture = Fixture::new();
    let id = fixture.vault.update(&actor(), |tx| tx.add(&note("progress", "slept badly"))).unwrap().value;
    let (other, reader) = (fixture.open(&key(1)).unwrap(), fixture.open(&key(1)).unwrap());
    fixture.add(&key(2), "clinic", general());
    let add = |vault: &Vault| vault.update(&actor(), |tx| tx.add(&note("progress", "x"))).map(drop);
    assert!(matches!(add(&other), Err(Error::AccessChanged)));
    assert!(matches!(reader.refresh(), Err(Error::AccessChanged)));
    assert!(matches!(reader.check(), Err(Error::AccessChanged)));
    let revoked = id_of(&fixture.vault, "clinic");
    assert!(matches!(revoke(&other, revoked), Err(Error::AccessChanged)));
    for _ in 0..3 {
        add(&fixture.vault).unwrap();
    }
    fixture.vault.refresh().unwrap();
    assert!(fixture.vault.entry(id).is_ok());
    assert!(fixture.vault.check().unwrap().is_clean());
}

#[test]
fn threads_that_share_the_handle_do_not_notice_a_change_of_access() {
    let fixture = Fixture::new();
    let ids: Vec<EntryId> = (0..40)
        .map(|n| {
            let entry = note("progress", &format!("night {n}"));
            fixture.vault.update(&actor(), |tx| tx.add(&entry)).unwrap().value
        })
        .collect();
    let done = std::sync::atomic::AtomicBool::new(false);
    let vault = &fixture.vault;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    ids.iter().for_each(|id| assert!(vault.entry(*id).is_ok()));
                    vault.refresh().unwrap();
                    assert_eq!(vault.list(&Filter::all()).unwrap().len(), ids.len());
                }
            });
        }
        for round in 0..6 {
            let id = add(vault, &key(50 + round), "guest", general()).unwrap();
            revoke(vault, id).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    });
}

#[test]
fn threads_that_write_with_the_handle_do_not_notice_a_change_of_access() {
    const EACH: u64 = 15;
    let fixture = Fixture::new();
    let spouse = fixture.add(&password("0").into(), "spouse", Grant::ALL);
    let patient = || options().with_lock_wait(std::time::Duration::from_secs(300));
    let vault = &fixture.open_with(&key(1), patient()).unwrap();
    let write = |number: u64| {
        for written in 0..EACH {
            if number == 0 {
                let letter = NewAttachment::new(Attachment::default());
                let bytes = written.to_string();
                vault.attach(&actor(), &letter, &mut bytes.as_bytes()).unwrap();
            } else {
                vault.update(&actor(), |tx| tx.add(&note("progress", "slept badly"))).unwrap();
            }
            // The lock is tried now and then: who holds it nearly always keeps others out.
            std::thread::sleep(std::time::Duration::from_millis(15));
        }
    };
    std::thread::scope(|scope| {
        for number in 0..3 {
            scope.spawn(move || write(number));
        }
        for round in 0..4 {
            let id = add(vault, &key(50 + round), "guest", general()).unwrap();
            let (old, new) = (round.to_string(), (round + 1).to_string());
            vault.change_password(&actor(), password(&old), password(&new)).unwrap();
            revoke(vault, id).unwrap();
        }
        revoke(vault, spouse).unwrap();
    });
    let report = vault.check().unwrap();
    assert!(report.is_clean() && report.entries == 3 * EACH);
}

#[test]
fn the_ledger_tells_of_changed_access_to_those_who_see_the_directory() {
    let fixture = Fixture::new();
    let clinic = fixture.add(&key(2), "clinic", general());
    let named = |vault: &Vault, action: Action| {
        vault
            .ledger()
            .unwrap()
            .into_iter()
            .any(|line| line.action == action && line.details.contains(&(Detail::Name, "clinic".into())))
    };
    assert!(named(&fixture.vault, Action::AccessGranted));
    assert!(!named(&fixture.open(&key(2)).unwrap(), Action::AccessGranted));
    revoke(&fixture.vault, clinic).unwrap();
    assert!(named(&fixture.vault, Action::AccessRevoked));
}

#[test]
fn without_every_key_access_is_not_changed() {
    let fixture = Fixture::new();
    let clinic = fixture.add(&key(2), "clinic", general());
    let before = fixture.heads();
    let vault = fixture.open(&key(2)).unwrap();
    for result in [revoke(&vault, clinic), add(&vault, &key(9), "friend", general()).map(drop)] {
        let needed = Compartment::Custody;
        assert!(
            matches!(&result, Err(Error::NeedsCompartment { compartment }) if *compartment == needed),
            "{result:?}"
        );
    }
    let unlocked = vault.unlocked().unwrap();
    for compartment in [Compartment::PsychotherapyNotes, Compartment::SpareB] {
        let held = unlocked.reader().holds(Grant::of(&[compartment]));
        assert!(matches!(held, Err(Error::NeedsCompartment { compartment: told }) if told == compartment));
    }
    assert!(fixture.heads() == before);
    let read_only = LockedVault::open(&fixture.path, options()).unwrap().unlock_read_only(&key(1)).unwrap();
    assert!(matches!(revoke(&read_only, clinic), Err(Error::Invalid { .. })));
    assert!(matches!(
        fixture.vault.change_access(&actor(), &AccessChange::default()),
        Err(Error::Invalid { .. })
    ));
    assert!(fixture.heads() == before);
}

#[test]
fn custody_without_everything_is_granted_to_nobody() {
    let fixture = Fixture::new();
    let before = fixture.heads();
    let all_but_one = Grant::of(&Compartment::ALL[..7]);
    for grant in [Grant::of(&[Compartment::Custody]), all_but_one] {
        let refused = add(&fixture.vault, &key(2), "manager", grant);
        assert!(matches!(refused, Err(Error::Invalid { what }) if what.contains("leave custody out")));
        let (owner, manager) = (key(1), key(2));
        let mut new = NewVault::individual(&owner);
        new.access.push(Access { credential: &manager, name: "manager", grant });
        let refused = Vault::create_in_memory(&new, options()).map(drop);
        assert!(matches!(refused, Err(Error::Invalid { what }) if what.contains("leave custody out")));
    }
    assert!(fixture.heads() == before);
    let most: Vec<Compartment> =
        Compartment::ALL.into_iter().filter(|compartment| *compartment != Compartment::Custody).collect();
    fixture.add(&key(2), "manager", Grant::of(&most));
    fixture.add(&key(3), "spouse", Grant::ALL);
}

#[test]
fn a_seventeenth_way_in_is_refused_until_one_is_taken_away() {
    let fixture = Fixture::new();
    for number in 2..=16 {
        fixture.add(&key(number), &format!("guest {number}"), general());
    }
    let before = fixture.heads();
    assert!(matches!(add(&fixture.vault, &key(17), "guest 17", general()), Err(Error::NoFreeAccess)));
    assert!(fixture.heads() == before);
    let new = key(17);
    let change = AccessChange {
        revoke: vec![id_of(&fixture.vault, "guest 9")],
        add: vec![Access { credential: &new, name: "guest 17", grant: general() }],
    };
    fixture.vault.change_access(&actor(), &change).unwrap();
    for number in 1..=17 {
        assert_eq!(fixture.open(&key(number)).is_ok(), number != 9, "{number}");
    }
}

#[test]
fn a_credential_of_another_way_in_is_refused() {
    let fixture = Fixture::new();
    fixture.add(&password("spouse").into(), "spouse", Grant::ALL);
    let clinic = fixture.add(&key(2), "clinic", general());
    let before = fixture.heads();
    let dearer = fixture.open_with(&key(1), options().with_kdf_cost(DEARER)).unwrap();
    for vault in [&fixture.vault, &dearer] {
        for credential in [key(1), key(2), password("spouse").into()] {
            let refused = add(vault, &credential, "again", general());
            assert!(
                matches!(refused, Err(Error::Invalid { what }) if what.contains("the same password or key"))
            );
        }
    }
    let (one, other) = (key(7), key(7));
    let access = |credential| Access { credential, name: "twin", grant: general() };
    let twins = AccessChange { revoke: Vec::new(), add: vec![access(&one), access(&other)] };
    assert!(matches!(fixture.vault.change_access(&actor(), &twins), Err(Error::Invalid { .. })));
    assert!(fixture.heads() == before);
    // What is taken away by the same commit is free.
    let again =
        AccessChange { revoke: vec![clinic], add: vec![Access::to_everything(&other, "a"), access(&one)] };
    assert!(fixture.vault.change_access(&actor(), &again).is_err());
    let again = AccessChange { revoke: vec![clinic], add: vec![access(&one)] };
    fixture.vault.change_access(&actor(), &again).unwrap();
    let two = key(2);
    fixture
        .vault
        .change_access(&actor(), &AccessChange { revoke: Vec::new(), add: vec![access(&two)] })
        .unwrap();
    assert_eq!(fixture.open(&two).unwrap().grant(), general());
}

#[test]
fn the_last_way_in_to_everything_stays_until_there_is_another() {
    let fixture = Fixture::new();
    fixture.add(&key(2), "clinic", general());
    let owner = id_of(&fixture.vault, "owner");
    let before = fixture.heads();
    assert!(matches!(revoke(&fixture.vault, owner), Err(Error::LastFullAccess)));
    let narrower = Grant::of(&Compartment::ALL[2..]);
    let (new, most) = (key(3), key(4));
    let change = AccessChange {
        revoke: vec![owner],
        add: vec![Access { credential: &most, name: "most", grant: narrower }],
    };
    assert!(matches!(fixture.vault.change_access(&actor(), &change), Err(Error::LastFullAccess)));
    assert!(fixture.heads() == before);
    let change = AccessChange { revoke: vec![owner], add: vec![Access::to_everything(&new, "owner")] };
    fixture.vault.change_access(&actor(), &change).unwrap();
    assert!(is_wrong(fixture.open(&key(1))));
    assert_eq!(fixture.open(&new).unwrap().grant(), Grant::ALL);
    // The handle whose own way in is gone goes on until it is dropped.
    assert!(fixture.vault.access().unwrap().iter().all(|access| !access.is_own));
    fixture.vault.update(&actor(), |tx| tx.add(&note("progress", "x"))).unwrap();
}

#[test]
fn an_id_never_names_what_takes_the_slot_later() {
    let fixture = Fixture::new();
    let clinic = fixture.add(&key(2), "clinic", general());
    let new = key(3);
    let change = AccessChange {
        revoke: vec![clinic],
        add: vec![Access { credential: &new, name: "clinic", grant: general() }],
    };
    let added = fixture.vault.change_access(&actor(), &change).unwrap()[0];
    assert_ne!(added, clinic);
    let before = fixture.heads();
    let unknown = AccessId::from_bytes([0; 16]);
    for stale in [clinic, unknown] {
        assert!(matches!(revoke(&fixture.vault, stale), Err(Error::NoSuchAccess)));
    }
    assert!(fixture.heads() == before);
    assert!(fixture.open(&key(3)).is_ok());
    // A password change leaves the id as it is.
    let spouse = fixture.add(&password("one").into(), "spouse", Grant::ALL);
    fixture.vault.change_password(&actor(), password("one"), password("two")).unwrap();
    assert_eq!(id_of(&fixture.vault, "spouse"), spouse);
}

#[test]
fn the_list_says_what_opened_the_handle_and_what_passwords_cost() {
    let fixture = Fixture::new();
    fixture.add(&password("spouse").into(), "spouse", Grant::ALL);
    let vault = fixture.open(&password("spouse").into()).unwrap();
    let listed = vault.access().unwrap();
    let find = |name: &str| listed.iter().find(|access| access.name == name).unwrap();
    assert!(find("spouse").is_own && !find("owner").is_own);
    assert_eq!((find("spouse").password_cost, find("owner").password_cost), (Some(CHEAP), None));
}

#[test]
fn every_password_moves_to_a_dearer_cost_and_the_old_one_is_dropped() {
    let fixture = Fixture::new();
    for name in ["ada", "bea"] {
        fixture.add(&password(name).into(), name, Grant::ALL);
    }
    assert_eq!(runs(&fixture.path), 1);
    for (name, runs_after) in [("ada", 2), ("bea", 1)] {
        let vault = fixture.open_with(&password(name).into(), options().with_kdf_cost(DEARER)).unwrap();
        assert_eq!(vault.outdated_password_cost(), Some(CHEAP));
        vault.upgrade_password(&actor(), password(name)).unwrap();
        assert_eq!(vault.outdated_password_cost(), None);
        assert!(vault.check().unwrap().is_clean());
        assert_eq!(runs(&fixture.path), runs_after);
    }
    // And once more: the first generation is free again.
    for name in ["ada", "bea"] {
        let vault = fixture.open_with(&password(name).into(), options().with_kdf_cost(THIRD)).unwrap();
        vault.change_password(&actor(), password(name), password(&format!("{name} 2"))).unwrap();
    }
    for name in ["ada", "bea"] {
        assert!(is_wrong(fixture.open(&password(name).into())));
        assert!(fixture.open(&password(&format!("{name} 2")).into()).is_ok());
    }
    assert_eq!(runs(&fixture.path), 1);
    let owner = fixture.open(&key(1)).unwrap();
    assert!(owner.access().unwrap().iter().all(|a| a.password_cost.is_none_or(|cost| cost == THIRD)));
}

#[test]
fn opening_upgrades_nothing() {
    let fixture = Fixture::new();
    fixture.add(&password("ada").into(), "ada", Grant::ALL);
    let before = fixture.heads();
    drop(fixture.open_with(&password("ada").into(), options().with_kdf_cost(DEARER)).unwrap());
    assert!(fixture.heads() == before);
}

#[test]
fn a_password_changed_without_the_directory_is_never_locked_out_by_its_old_mark() {
    let fixture = Fixture::new();
    fixture.add(&password("ada").into(), "ada", Grant::ALL);
    fixture.add(&password("clinic").into(), "clinic", general());
    let clinic = fixture.open_with(&password("clinic").into(), options().with_kdf_cost(DEARER)).unwrap();
    clinic.change_password(&actor(), password("clinic"), password("clinic 2")).unwrap();
    assert_eq!(clinic.outdated_password_cost(), None);
    // Its mark still says the first, so that the first is kept.
    let owner = fixture.open_with(&password("ada").into(), options().with_kdf_cost(DEARER)).unwrap();
    let cost_of = |vault: &Vault, name: &str| {
        vault.access().unwrap().into_iter().find(|access| access.name == name).unwrap().password_cost
    };
    assert_eq!(cost_of(&owner, "clinic"), Some(CHEAP));
    owner.upgrade_password(&actor(), password("ada")).unwrap();
    // Another way in, so that the directory is written while the mark is late.
    let friend = add(&owner, &key(30), "friend", general()).unwrap();
    assert_eq!(runs(&fixture.path), 2);
    for text in ["ada", "clinic 2"] {
        assert!(fixture.open(&password(text).into()).is_ok(), "{text}");
    }
    // A third cost has to wait until the mark is put right.
    let third = fixture.open_with(&key(1), options().with_kdf_cost(THIRD)).unwrap();
    let refused = third.change_password(&actor(), password("ada"), password("ada 2"));
    assert!(matches!(refused, Err(Error::Invalid { what }) if what.contains("keep one of the two costs")));
    let refused = add(&third, &password("new").into(), "new", general());
    assert!(matches!(refused, Err(Error::Invalid { what }) if what.contains("keep one of the two costs")));
    revoke(&third, friend).unwrap();
    let dearer = fixture.open_with(&key(1), options().with_kdf_cost(DEARER)).unwrap();
    dearer.change_password(&actor(), password("clinic 2"), password("clinic 3")).unwrap();
    assert_eq!((cost_of(&dearer, "clinic"), runs(&fixture.path)), (Some(DEARER), 1));
    let third = fixture.open_with(&key(1), options().with_kdf_cost(THIRD)).unwrap();
    third.change_password(&actor(), password("ada"), password("ada 2")).unwrap();
    for text in ["ada 2", "clinic 3"] {
        assert!(fixture.open(&password(text).into()).is_ok(), "{text}");
    }
}

#[test]
fn whoever_cannot_write_the_directory_does_not_go_back_to_the_first_cost() {
    let fixture = Fixture::new();
    fixture.add(&password("ada").into(), "ada", Grant::ALL);
    fixture.add(&password("clinic").into(), "clinic", general());
    let clinic = |cost| {
        let credential = [password("clinic").into(), password("clinic 2").into()];
        let open = |c: &Credential| fixture.open_with(c, options().with_kdf_cost(cost));
        credential.iter().find_map(|c| open(c).ok()).unwrap()
    };
    clinic(DEARER).change_password(&actor(), password("clinic"), password("clinic 2")).unwrap();
    let before = fixture.heads();
    for cost in [CHEAP, THIRD] {
        let refused = clinic(cost).change_password(&actor(), password("clinic 2"), password("clinic 3"));
        assert!(
            matches!(refused, Err(Error::Invalid { what }) if what.contains("keep one of the two costs"))
        );
    }
    assert!(fixture.heads() == before);
    clinic(DEARER).change_password(&actor(), password("clinic 2"), password("clinic")).unwrap();
}

#[test]
fn revoking_the_last_password_of_the_old_cost_drops_it() {
    let fixture = Fixture::new();
    fixture.add(&password("ada").into(), "ada", Grant::ALL);
    let old = fixture.add(&password("clinic").into(), "clinic", general());
    let vault = fixture.open_with(&key(1), options().with_kdf_cost(DEARER)).unwrap();
    vault.upgrade_password(&actor(), password("ada")).unwrap();
    assert_eq!(runs(&fixture.path), 2);
    revoke(&vault, old).unwrap();
    assert_eq!(runs(&fixture.path), 1);
    assert!(fixture.open(&password("ada").into()).is_ok());
}

#[test]
fn a_place_of_a_renewed_compartment_is_new_even_if_it_holds_nothing_new() {
    let fixture = Fixture::new();
    let clinic = fixture.add(&key(2), "clinic", general());
    let keys = |vault: &Vault| {
        let snapshot = vault.unlocked().unwrap().snapshot;
        Compartment::ALL.map(|compartment| {
            let place = snapshot.place(compartment).unwrap();
            place.trie.as_ref().map(|root| (*root.key.expose_secret(), root.object, root.digest))
        })
    };
    fixture.vault.update(&actor(), |tx| tx.add(&note("progress", "slept badly"))).unwrap();
    fixture.vault.update(&actor(), |tx| tx.add(&note("psychotherapy", "said"))).unwrap();
    let before = keys(&fixture.vault);
    revoke(&fixture.vault, clinic).unwrap();
    let after = keys(&fixture.vault);
    let changed = Compartment::ALL.into_iter().zip(before.iter().zip(&after)).filter(|(_, (a, b))| a != b);
    let changed: Vec<Compartment> = changed.map(|(compartment, _)| compartment).collect();
    assert_eq!(changed, [Compartment::Record, Compartment::Custody, Compartment::General]);
    // The page image before is no longer there to be read with its old key.
    let (_, object, digest) = before[Compartment::General.index()].unwrap();
    let at = usize::try_from(u64::from_le_bytes(*object.reference.first_chunk().unwrap())).unwrap();
    let file = std::fs::read(&fixture.path).unwrap();
    let stored = &file[at..at + usize::try_from(object.length).unwrap()];
    assert!(ObjectDigest::of(stored) != digest);
}

/// The bytes of both areas of the file, and the shortcuts in them of a slot.
fn shortcuts(fixture: &Fixture, slot: usize) -> [Vec<u8>; 2] {
    areas(&fixture.heads()).map(|area| area[crate::format::area::testing::shortcut(slot)].to_vec())
}

/// Whether the slot that opened the vault has a shortcut that leads to its granted box.
/// Whether the slot that a handle was opened by had a shortcut, or has it back.
pub(super) fn has_shortcut(vault: &Vault) -> bool {
    vault.unlocked().unwrap().way_in.as_ref().unwrap().restored.is_none()
}

#[test]
fn whoever_was_granted_anew_by_somebody_else_gets_the_shortcut_back_with_the_next_commit() {
    let fixture = Fixture::new();
    fixture.add(&key(2), "clinic", general());
    assert!(has_shortcut(&fixture.open(&key(2)).unwrap()), "its seed was drawn with it");
    fixture.add(&key(3), "spouse", Grant::ALL);
    assert!(has_shortcut(&fixture.vault) && has_shortcut(&fixture.open(&key(1)).unwrap()));
    let granted = fixture.heads();
    let clinic = fixture.open(&key(2)).unwrap();
    let reading = LockedVault::open(&fixture.path, options()).unwrap().unlock_read_only(&key(2)).unwrap();
    assert!(!has_shortcut(&clinic) && !has_shortcut(&reading));
    assert!(fixture.heads() == granted, "an opening alone writes nothing");

    clinic.update(&actor(), |tx| tx.add(&diagnosis("F33", "Depression", "2019"))).unwrap();
    assert!(has_shortcut(&clinic));
    assert!(has_shortcut(&fixture.open(&key(2)).unwrap()));
    let restored = fixture.heads();
    let shortcut = crate::format::area::testing::shortcut(1);
    for (before, after) in areas(&granted).iter().zip(areas(&restored)) {
        let differs = (0..AREA_LEN).filter(|at| before[*at] != after[*at]).collect::<Vec<_>>();
        assert!(differs.len() > 80 && differs.iter().all(|at| shortcut.contains(at)), "nothing else changes");
    }
    assert!(areas(&restored)[0] == areas(&restored)[1]);

    // Whoever had the vault open meanwhile goes on, and finds no fault.
    for vault in [&fixture.vault, &reading] {
        assert!(vault.check_deep().unwrap().is_clean());
    }
    fixture.vault.update(&actor(), |tx| tx.add(&diagnosis("J45", "Asthma", "2020"))).unwrap();
    clinic.update(&actor(), |tx| tx.add(&diagnosis("I10", "Hypertension", "2021"))).unwrap();
    assert_eq!(areas(&fixture.heads()), areas(&restored), "and it is put back once");
    assert!(fixture.open(&key(1)).unwrap().check().unwrap().is_clean());
}

#[test]
fn a_shortcut_that_was_put_back_in_one_copy_only_is_put_in_the_other_or_made_anew() {
    let fixture = Fixture::new();
    fixture.add(&key(2), "clinic", general());
    fixture.add(&key(3), "spouse", Grant::ALL);
    let before = std::fs::read(&fixture.path).unwrap();
    let clinic = fixture.open(&key(2)).unwrap();
    clinic.update(&actor(), |tx| tx.add(&diagnosis("F33", "Depression", "2019"))).unwrap();
    clinic.lock().unwrap();
    let after = std::fs::read(&fixture.path).unwrap();
    let shortcut = crate::format::area::testing::shortcut(1);
    for (copy, area) in [geometry::AREA_A, geometry::AREA_B].into_iter().enumerate() {
        let at = usize::try_from(area).unwrap();
        let range = at + shortcut.start..at + shortcut.end;
        let mut torn = after.clone();
        torn[range.clone()].copy_from_slice(&before[range]);
        std::fs::write(&fixture.path, torn).unwrap();
        let owner = fixture.open(&key(1)).unwrap();
        assert_eq!(owner.recovery(), Recovery::Recovered);
        assert!(owner.check().unwrap().is_clean());
        owner.lock().unwrap();
        let [first, second] = shortcuts(&fixture, 1);
        assert!(first == second);
        let clinic = fixture.open(&key(2)).unwrap();
        assert_eq!(has_shortcut(&clinic), copy == 1, "the first copy is taken");
        clinic.update(&actor(), |tx| tx.add(&diagnosis("J45", "Asthma", "2020"))).unwrap();
        assert!(has_shortcut(&fixture.open(&key(2)).unwrap()));
    }
}

#[test]
fn a_password_change_leaves_the_shortcuts_of_all_as_they_are() {
    let fixture = Fixture::new();
    fixture.add(&password("spouse").into(), "spouse", Grant::ALL);
    let before = [shortcuts(&fixture, 0), shortcuts(&fixture, 1)];
    let vault = fixture.open(&password("spouse").into()).unwrap();
    vault.change_password(&actor(), password("spouse"), password("another")).unwrap();
    assert_eq!([shortcuts(&fixture, 0), shortcuts(&fixture, 1)], before);
    assert!(has_shortcut(&fixture.open(&password("another").into()).unwrap()));
    assert!(has_shortcut(&fixture.open(&key(1)).unwrap()));
}

#[test]
fn a_password_change_under_new_keys_keeps_the_shortcuts_of_both_whose_keys_are_known() {
    let fixture = Fixture::new();
    fixture.add(&password("spouse").into(), "spouse", Grant::ALL);
    fixture.add(&password("other").into(), "other", Grant::ALL);
    let vault = fixture.open_with(&key(1), options().with_kdf_cost(DEARER)).unwrap();
    vault.change_password(&actor(), password("spouse"), password("another")).unwrap();
    assert!(has_shortcut(&fixture.open(&key(1)).unwrap()));
    assert!(has_shortcut(&fixture.open(&password("another").into()).unwrap()));
    assert!(!has_shortcut(&fixture.open(&password("other").into()).unwrap()));
}

#[test]
fn a_vault_in_a_store_that_is_no_file_opens_by_its_encapsulation_after_a_grant() {
    let store = std::sync::Arc::new(MemoryStore::new());
    let owner = key(1);
    let vault = Vault::create_in(store.clone(), &NewVault::individual(&owner), options()).unwrap();
    add(&vault, &key(2), "clinic", general()).unwrap();
    add(&vault, &key(3), "spouse", Grant::ALL).unwrap();
    for _ in 0..2 {
        let clinic = LockedVault::of(store.clone(), options()).unwrap().unlock(&key(2)).unwrap();
        assert!(!has_shortcut(&clinic));
        clinic.update(&actor(), |tx| tx.add(&diagnosis("F33", "Depression", "2019"))).unwrap();
    }
}
