//! Create, open, add, amend, retract, expunge, list, check.

use crate::record::{Coding, Concept, Diagnosis, Narrative, Note, Provenance, Token};
pub(super) use crate::vault::disk::options;
use crate::*;

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

pub(super) fn diagnosis(code: &str, display: &str, onset: &str) -> Entry {
    let coding = Coding {
        system: Some(token("http://hl7.org/fhir/sid/icd-10-cm")),
        code: Some(token(code)),
        display: Some(token(display)),
        ..Coding::default()
    };
    Entry::new(
        Diagnosis {
            code: Some(Concept::from_coding(coding)),
            onset: onset.parse().ok(),
            ..Diagnosis::default()
        },
        Provenance::default(),
    )
}

pub(super) fn note(form: &str, text: &str) -> Entry {
    let text = vec![Narrative::new(text).unwrap()];
    Entry::new(Note { form: Some(token(form)), text, ..Note::default() }, Provenance::default())
}

/// An individual's vault with a name, so that excerpts say whom they are about.
pub(super) fn individual(credential: &Credential) -> NewVault<'_> {
    NewVault { holder_name: "Ada Byron", ..NewVault::individual(credential) }
}

pub(super) fn key(byte: u8) -> Credential {
    RawKey::from_bytes(&[byte; 32]).into()
}

pub(super) fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    (folder, path)
}

pub(super) fn open(path: &std::path::Path, credential: &Credential) -> Result<Vault, Error> {
    LockedVault::open(path, options())?.unlock(credential)
}

#[test]
fn entries_survive_closing_and_every_revision_stays_readable() {
    let (_folder, path) = file();
    let owner = Actor::owner();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let first = diagnosis("F33.1", "Major depressive disorder", "2019");
    let id = vault.update(&owner, |tx| tx.add(&first)).unwrap().value;
    let second = diagnosis("F33.2", "Major depressive disorder, severe", "2019-03");
    vault.update(&owner, |tx| tx.amend(id, &second, "new finding")).unwrap();
    drop(vault);

    let vault = open(&path, &key(1)).unwrap();
    assert_eq!(vault.recovery(), Recovery::NotNeeded);
    assert!(vault.entry(id).unwrap() == second);
    assert!(vault.entry_revision(id, 1).unwrap() == first);
    assert!(matches!(vault.entry_revision(id, 3), Err(Error::NoSuchRevision { revision: 3, .. })));
    let history = vault.history(id).unwrap();
    assert_eq!(history.iter().map(|r| r.epoch.number()).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((history[0].action, history[1].action), (Some(Action::Added), Some(Action::Amended)));
    assert_eq!((&history[0].reason, history[1].reason.as_deref()), (&None, Some("new finding")));
    assert_eq!(history[1].actor.as_deref(), Some("owner"));
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.entries, report.revisions, report.commits), (1, 1, 3));
}

#[test]
fn a_failed_closure_leaves_everything_as_it_was() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let before = vault.checkpoint().unwrap();
    let result = vault.update(&Actor::owner(), |tx| {
        tx.add(&diagnosis("F20", "x", "2020"))?;
        Err::<(), _>(Error::Invalid { what: "no" })
    });
    assert!(result.is_err());
    assert_eq!(vault.checkpoint().unwrap(), before);
    assert!(vault.list(&Filter::all()).unwrap().is_empty());
}

#[test]
fn retracted_entries_are_listed_only_when_asked_for() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let owner = Actor::owner();
    let id = vault.update(&owner, |tx| tx.add(&diagnosis("F20", "x", "2020"))).unwrap().value;
    vault.update(&owner, |tx| tx.retract(id, "entered in error")).unwrap();
    assert!(vault.list(&Filter::all()).unwrap().is_empty());
    assert_eq!(vault.list(&Filter::all().with_retracted()).unwrap().len(), 1);
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn filters_select_by_kind_date_code_and_text() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let ids = vault
        .update(&Actor::owner(), |tx| {
            Ok([
                tx.add(&diagnosis("F33.1", "Depression", "2019"))?,
                tx.add(&diagnosis("J45", "Asthma", "2021-05-01"))?,
                tx.add(&note("progress", "slept badly"))?,
            ])
        })
        .unwrap()
        .value;
    let list =
        |filter: Filter| -> Vec<EntryId> { vault.list(&filter).unwrap().iter().map(|e| e.id).collect() };
    assert_eq!(list(Filter::all()), [ids[1], ids[0], ids[2]]);
    assert_eq!(list(Filter::all().kind(Kind::Note)), [ids[2]]);
    assert_eq!(list(Filter::all().code(None, "F")), [ids[0]]);
    assert_eq!(list(Filter::all().code(Some("http://snomed.info/sct"), "F")), []);
    assert_eq!(list(Filter::all().text("BADLY")), [ids[2]]);
    let since = Filter::all().dates("2020".parse().ok(), None);
    // A diagnosis without an end may still be there; a note without a date may be of any.
    assert_eq!(list(since.clone()), [ids[1], ids[0], ids[2]]);
    assert_eq!(list(Filter::all().dates(None, "2020".parse().ok())), [ids[0], ids[2]]);
}

#[test]
fn expunging_destroys_every_revision_and_its_story_and_keeps_the_chain() {
    let (_folder, path) = file();
    let owner = Actor::owner();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let id =
        vault.update(&owner, |tx| tx.add(&diagnosis("F10.2", "Alcohol dependence", "2018"))).unwrap().value;
    let other = vault.update(&owner, |tx| tx.add(&diagnosis("J45", "Asthma", "2018"))).unwrap().value;
    vault.update(&owner, |tx| tx.amend(id, &diagnosis("F10.20", "x", "2018"), "the secret reason")).unwrap();
    let report = vault.expunge(&owner, &[id], "court order").unwrap();
    assert_eq!(report.entries, [id]);
    assert_eq!(report.vault, Coverage::Proven);
    assert!(matches!(vault.entry(id), Err(Error::NoSuchEntry { .. })));
    assert!(vault.entry(other).is_ok());
    let lines = vault.ledger().unwrap();
    assert!(lines.iter().all(|line| !line.entries.contains(&id)));
    assert!(lines.iter().any(|line| line.entries.iter().eq(&[other])));
    assert!(lines.iter().all(|line| line.reason.as_deref() != Some("the secret reason")));
    let checked = vault.check().unwrap();
    assert!(checked.is_clean(), "{:?}", checked.findings);
    assert_eq!((checked.entries, checked.revisions), (1, 0));
}

#[test]
fn many_entries_can_be_expunged_at_once() {
    let (_folder, path) = file();
    let owner = Actor::owner();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let ids: Vec<_> = (0..300)
        .map(|n| vault.update(&owner, |tx| tx.add(&diagnosis(&format!("X{n}"), "x", "2018"))).unwrap().value)
        .collect();
    vault.expunge(&owner, &ids[..250], "order").unwrap();
    drop(vault);
    let vault = open(&path, &key(1)).unwrap();
    assert_eq!(vault.list(&Filter::all()).unwrap().len(), 50);
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn entries_of_one_commit_can_be_expunged_by_one_commit() {
    let (_folder, path) = file();
    let owner = Actor::owner();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let entries = [diagnosis("A", "x", "2018"), diagnosis("B", "x", "2018"), diagnosis("C", "x", "2018")];
    let ids = vault.update(&owner, |tx| entries.iter().map(|e| tx.add(e)).collect::<Result<Vec<_>, _>>());
    let ids = ids.unwrap().value;
    vault.expunge(&owner, &ids[..2], "order").unwrap();
    let lines = vault.ledger().unwrap();
    let about: Vec<_> = lines.iter().flat_map(|line| line.entries.iter().copied()).collect();
    assert_eq!(about, [ids[2]]);
    assert!(vault.check().unwrap().is_clean());
    assert!(vault.entry(ids[2]).is_ok());
}

#[test]
fn a_legal_hold_blocks_expungement() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let mut held = diagnosis("F20", "x", "2020");
    held.marks.legal_holds = vec![LegalHold::new(Narrative::new("subpoena").unwrap(), None)];
    let id = vault.update(&Actor::owner(), |tx| tx.add(&held)).unwrap().value;
    assert!(matches!(vault.expunge(&Actor::owner(), &[id], "wish"), Err(Error::LegalHold { .. })));
    assert!(vault.entry(id).is_ok());
}

#[test]
fn wrong_credentials_and_changed_passwords_are_told_apart_from_damage() {
    let (_folder, path) = file();
    let old = Credential::password("old password").unwrap();
    let vault = Vault::create(&path, &NewVault::individual(&old), options()).unwrap();
    let (from, to) =
        (Password::new("old password".into()).unwrap(), Password::new("new password".into()).unwrap());
    vault.change_password(&Actor::owner(), from, to).unwrap();
    let id = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("F20", "x", "2020"))).unwrap().value;
    drop(vault);
    assert!(matches!(open(&path, &old), Err(Error::WrongCredential)));
    assert!(matches!(open(&path, &key(9)), Err(Error::WrongCredential)));
    let vault = open(&path, &Credential::password("new password").unwrap()).unwrap();
    assert_eq!(vault.recovery(), Recovery::NotNeeded);
    assert!(vault.entry(id).is_ok());
    let wrong = Password::new("wrong".into()).unwrap();
    let result = vault.change_password(&Actor::owner(), wrong, Password::new("x".into()).unwrap());
    assert!(matches!(result, Err(Error::WrongCredential)));
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn a_writer_without_a_compartments_key_carries_it_over_a_hundred_commits() {
    let (_folder, path) = file();
    let (owner, clinic) = (key(1), key(2));
    let new = NewVault {
        access: vec![
            Access::to_everything(&owner, "owner"),
            Access { credential: &clinic, name: "clinic", grant: Grant::of(&[Compartment::General]) },
        ],
        ..NewVault::individual(&owner)
    };
    let vault = Vault::create(&path, &new, options()).unwrap();
    let secret = note("psychotherapy", "what was said");
    let id = vault.update(&Actor::owner(), |tx| tx.add(&secret)).unwrap().value;
    drop(vault);

    let member = open(&path, &clinic).unwrap();
    let staff = Actor::new("clinic").unwrap();
    assert!(matches!(member.entry(id), Err(Error::NoSuchEntry { .. })));
    let refused = member.update(&staff, |tx| tx.add(&secret));
    assert!(matches!(refused, Err(Error::NeedsCompartment { compartment: Compartment::PsychotherapyNotes })));
    let mut last = None;
    for n in 0..100 {
        let entry = diagnosis(&format!("X{n}"), "x", "2020");
        let added = member.update(&staff, |tx| tx.add(&entry)).unwrap().value;
        if let Some(last) = last.filter(|_| n % 10 == 0) {
            member.expunge(&staff, &[last], "tidy").unwrap();
        }
        last = Some(added);
    }
    assert!(member.check().unwrap().is_clean());
    drop(member);

    let vault = open(&path, &owner).unwrap();
    assert!(vault.entry(id).unwrap() == secret);
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.entries, 92);
}

#[test]
fn a_checkpoint_tells_rollback_and_fork() {
    let (_folder, path) = file();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let early = vault.checkpoint().unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("F20", "x", "2020"))).unwrap();
    drop(vault);
    let older = std::fs::read(&path).unwrap();
    let vault = open(&path, &key(1)).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("F21", "x", "2020"))).unwrap();
    let late = vault.checkpoint().unwrap();
    vault.expect(&early).unwrap();
    drop(vault);
    std::fs::write(&path, older).unwrap();
    let expect =
        |checkpoint| LockedVault::open(&path, options()).unwrap().expecting(checkpoint).unlock(&key(1));
    assert!(matches!(expect(late), Err(Error::RolledBack)));
    assert!(expect(early).is_ok());
    let vault = open(&path, &key(1)).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("F22", "x", "2020"))).unwrap();
    assert!(matches!(vault.expect(&late), Err(Error::Forked)));
}

#[test]
fn two_handles_see_each_others_commits() {
    let (_folder, path) = file();
    let one = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let two = open(&path, &key(1)).unwrap();
    let owner = Actor::owner();
    let a = one.update(&owner, |tx| tx.add(&diagnosis("A", "x", "2020"))).unwrap().value;
    let b = two.update(&owner, |tx| tx.add(&diagnosis("B", "x", "2020"))).unwrap().value;
    one.expunge(&owner, &[b], "wish").unwrap();
    // The other handle's snapshot names pages that were overwritten since.
    assert_eq!(two.list(&Filter::all()).unwrap().len(), 2);
    assert!(matches!(two.entry(b), Err(Error::NoSuchEntry { .. })));
    two.refresh().unwrap();
    assert_eq!(two.list(&Filter::all()).unwrap().len(), 1);
    assert!(two.entry(a).is_ok());
    assert!(matches!(two.entry(b), Err(Error::NoSuchEntry { .. })));
}

#[test]
fn threads_share_a_vault() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let vault = &vault;
            scope.spawn(move || {
                for n in 0..10 {
                    let entry = diagnosis(&format!("T{thread}.{n}"), "x", "2020");
                    let options = Actor::owner();
                    while let Err(error) = vault.update(&options, |tx| tx.add(&entry)) {
                        assert!(error.is_retryable(), "{error}");
                    }
                    vault.list(&Filter::all()).unwrap();
                }
            });
        }
    });
    assert_eq!(vault.list(&Filter::all()).unwrap().len(), 40);
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn every_byte_of_the_file_looks_random() {
    let (_folder, path) = file();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&note("progress", &"CANARY-".repeat(500)))).unwrap();
    drop(vault);
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(7).any(|window| window == b"CANARY-"));
    assert!(!bytes.windows(5).any(|window| window == b"owner"));
}

#[test]
fn a_handle_that_forgot_its_keys_does_nothing_more() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let id = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "x", "2020"))).unwrap().value;
    let (epoch, grant) = (vault.epoch(), vault.grant());
    vault.forget_keys().unwrap();
    vault.forget_keys().unwrap();
    assert!(matches!(vault.entry(id), Err(Error::Locked)));
    assert!(matches!(vault.update(&Actor::owner(), |tx| tx.retract(id, "")), Err(Error::Locked)));
    assert!(matches!(vault.refresh(), Err(Error::Locked)));
    assert!(matches!(vault.check(), Err(Error::Locked)));
    assert!(matches!(vault.checkpoint(), Err(Error::Locked)));
    assert_eq!((vault.epoch(), vault.grant()), (epoch, grant));
}

#[test]
fn what_the_holder_changes_of_an_imported_entry_says_so() {
    let (owner, key) = (Actor::owner(), key(1));
    let vault = Vault::create_in_memory(&NewVault::individual(&key), options()).unwrap();
    let source = |bytes: &[u8]| Some(Source::new(SourceFormat::FhirJson(FhirVersion::R4), bytes.to_vec()));
    let mut entry = diagnosis("F32", "Depressive episode", "2019");
    entry.provenance.origin = Origin::Imported;
    entry.source = source(b"{}");
    let id = vault.update(&owner, |tx| tx.add(&entry)).unwrap().value;
    let amend = |entry: &Entry| {
        vault.update(&owner, |tx| tx.amend(id, entry, "")).unwrap();
        vault.entry(id).unwrap()
    };
    let mut held = entry.clone();
    held.marks.legal_holds = vec![LegalHold::new(Narrative::new("open request").unwrap(), None)];
    assert_eq!(amend(&held).provenance.origin, Origin::Imported, "marks are the vault's own");
    let mut changed = entry.clone();
    changed.record = diagnosis("F33", "Recurrent depression", "2018").record;
    assert_eq!(amend(&changed).provenance.origin, Origin::ImportedAndChanged);
    // Changing it back, with the old word for its origin, does not undo that.
    assert_eq!(amend(&entry).provenance.origin, Origin::ImportedAndChanged);
    let mut newer = changed;
    newer.source = source(b"{\"a\":1}");
    assert_eq!(amend(&newer).provenance.origin, Origin::Imported, "its source says so now");
}

#[test]
fn a_search_anywhere_finds_words_in_originals_and_in_files_of_words() {
    let (owner, key) = (Actor::owner(), key(1));
    let vault = Vault::create_in_memory(&NewVault::individual(&key), options()).unwrap();
    let note = base64(b"Severe ANXIETY at night");
    let original = format!(
        r#"{{"resourceType":"Claim","id":"1","subject":{{"display":"Omar"}},"item":[{{"productOrService":{{"text":"Attention deficit"}}}}],
            "note":{{"contentType":"text/plain; charset=utf-8","data":"{note}"}},"scan":{{"contentType":"image/png","data":"{note}"}},
            "link":{{"url":"http://lithium.example"}}}}"#
    );
    let mut entry = diagnosis("Z00", "Visit", "2019");
    entry.source = Some(Source::new(SourceFormat::FhirJson(FhirVersion::R4), original.into_bytes()));
    vault.update(&owner, |tx| tx.add(&entry)).unwrap();
    let found = |filter: Filter| vault.list(&filter).unwrap().len();
    for text in ["attention DEFICIT", "anxiety", "visit"] {
        assert_eq!(found(Filter::all().text_anywhere(text)), 1, "{text}");
    }
    for text in ["attention", "anxiety"] {
        assert_eq!(found(Filter::all().text(text)), 0, "{text}");
    }
    // Whom it is about is no word of it, nor is an address.
    for text in ["Omar", "lithium", "png2"] {
        assert_eq!(found(Filter::all().text_anywhere(text)), 0, "{text}");
    }
}

fn base64(bytes: &[u8]) -> String {
    crate::codec::base64url::encode_padded(bytes)
}
