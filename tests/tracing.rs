//! What the feature `tracing` tells, and what it never does.
//!
//! One test in a process of its own: a subscriber is the process's.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Metadata, Subscriber};

use subrosa::record::{Attachment, Coding, Diagnosis, Narrative, Note};
use subrosa::vault::{AccessChange, Compartment, KdfCost, KdfLimits, NewAttachment, Recovery};
use subrosa::{
    Access, Actor, Concept, Credential, Entry, Error, Filter, Grant, Import, ImportOptions, Kind,
    LockedVault, NewVault, Password, Policy, Provenance, RecoveryKey, ReleaseRequest, Token, Vault,
    VaultOptions,
};

fn token(text: &str) -> Token {
    Token::new(text).expect("a short text")
}

fn options() -> VaultOptions {
    let cost = KdfCost { memory_kib: 64, passes: 1, lanes: 1 };
    let limits = KdfLimits::default().with_least(8, 1);
    VaultOptions::default().with_kdf_cost(cost).with_kdf_limits(limits)
}

fn entries() -> [Entry; 2] {
    let mut coding = Coding::default();
    coding.code = Some(token("J45canary"));
    coding.display = Some(token("Penicillin-canary"));
    let mut diagnosis = Diagnosis::default();
    diagnosis.code = Some(Concept::from_coding(coding));
    let mut note = Note::default();
    note.text = vec![Narrative::new("narrative-canary").expect("a short text")];
    [Entry::new(diagnosis, Provenance::default()), Entry::new(note, Provenance::default())]
}

/// Takes down everything that is told, at every level.
#[derive(Clone, Default)]
struct Everything {
    text: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Everything {
    fn line(&self, metadata: &Metadata<'_>, fields: impl FnOnce(&mut Line<'_>)) {
        let mut text = self.text.lock().unwrap();
        write!(text, "{} {}", metadata.target(), metadata.name()).unwrap();
        fields(&mut Line(&mut text));
        text.push('\n');
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.line(span.metadata(), |line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &Id, values: &SpanRecord<'_>) {
        values.record(&mut Line(&mut self.text.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.line(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What must not be told: each is planted somewhere in the workload.
const PLANTED: [&str; 20] = [
    "Penicillin-canary",
    "narrative-canary",
    "J45canary",
    "holder-canary",
    "access-canary",
    "actor-canary",
    "reason-canary",
    "recipient-canary",
    "purpose-canary",
    "password-canary",
    "second-password",
    "folder-canary",
    "title-canary",
    "content-canary",
    "backup-canary",
    "copy-canary",
    "guest-canary",
    "import-canary",
    "third-password",
    "identity-canary",
];

const BUNDLE: &str = r#"{"resourceType": "Condition", "id": "identity-canary", "subject": {"reference": "Patient/1"},
    "code": {"text": "import-canary"}, "import-canary": 1}"#;

fn open(path: &std::path::Path, credential: &Credential) -> Result<Vault, Error> {
    LockedVault::open(path, options()).unwrap().unlock(credential)
}

/// What brings data in and takes it out.
fn in_and_out(vault: &Vault, actor: &Actor, folder: &std::path::Path) {
    let mut attachment = Attachment::default();
    attachment.title = Some(token("title-canary"));
    let mut content = &b"content-canary"[..];
    let id = vault.attach(actor, &NewAttachment::new(attachment), &mut content).unwrap().value;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut vault.attachment(id, 0).unwrap(), &mut bytes).unwrap();
    assert_eq!(bytes, b"content-canary");
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("import-canary"), BUNDLE.as_bytes()).unwrap();
    vault.import(actor, &import.finish().unwrap()).unwrap();
    assert!(vault.export(actor).unwrap().entries.len() > 2);
    vault.backup(actor, folder.join("copy-canary"), "backup-canary").unwrap();
    let taken = vault.backup(actor, folder.join("copy-canary"), "backup-canary");
    assert_eq!(taken.unwrap_err().code(), "exists");
}

/// A guest comes and goes; the owner forgets the password and sets another.
fn change_ways_in(vault: &Vault, actor: &Actor) -> RecoveryKey {
    let guest: Credential = Password::new("guest-canary".to_owned()).unwrap().into();
    let key = RecoveryKey::generate().unwrap();
    let recovery = Credential::from(RecoveryKey::parse(key.to_words().expose_secret()).unwrap());
    let change = AccessChange::default()
        .adding(Access::new(&guest, "guest-canary", Grant::of(&[Compartment::General])))
        .adding(Access::to_everything(&recovery, "access-canary"));
    let added = vault.change_access(actor, &change).unwrap();
    vault.change_access(actor, &AccessChange::default().revoking(added[..1].to_vec())).unwrap();
    key
}

fn recover(path: &std::path::Path, actor: &Actor, key: RecoveryKey) {
    let vault = open(path, &key.into()).unwrap();
    let password: Credential = Password::new("third-password".to_owned()).unwrap().into();
    let forgotten = vault.access().unwrap().into_iter().map(|access| access.id);
    let change =
        AccessChange::default().revoking(forgotten).adding(Access::to_everything(&password, "access-canary"));
    vault.change_access(actor, &change).unwrap();
    drop(vault.lock().unwrap());
    assert!(open(path, &password).is_ok());
}

/// Damages everything that a copy can give back.
fn damage_and_repair(path: &std::path::Path, credential: &Credential) {
    let copy = path.with_extension("copy");
    std::fs::copy(path, &copy).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    bytes[81920..].iter_mut().step_by(100).for_each(|byte| *byte ^= 1);
    std::fs::write(path, bytes).unwrap();
    let locked = LockedVault::open(path, options()).unwrap();
    let vault = locked.unlock_for_diagnosis(credential).unwrap();
    assert!(!vault.check_deep().unwrap().is_clean());
    assert!(vault.repair_from(&copy).unwrap().check.is_clean());
}

fn workload() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folder-canary.vault");
    let text = |text: &str| Password::new(text.to_owned()).unwrap();
    let password: Credential = text("password-canary").into();
    let mut new = NewVault::individual(&password).named("holder-canary");
    new.access[0].name = "access-canary";
    let actor = Actor::new("actor-canary").unwrap();
    let vault = Vault::create(&path, &new, options()).unwrap();
    let entries = entries();
    let ids =
        vault.update(&actor, |tx| entries.iter().map(|entry| tx.add(entry)).collect::<Result<Vec<_>, _>>());
    let ids = ids.unwrap().value;
    vault.update(&actor, |tx| tx.amend(ids[0], &entries[0], "reason-canary")).unwrap();
    vault.list(&Filter::all().text("Penicillin-canary")).unwrap();
    vault.entry(ids[1]).unwrap();
    let policy = Policy::everything_of([Kind::Diagnosis]).include("code").unwrap();
    let request = ReleaseRequest::new("recipient-canary", "purpose-canary", policy).unwrap();
    vault.release(&actor, &request).unwrap();
    vault.expunge(&actor, &ids[1..], "reason-canary").unwrap();
    vault.change_password(&actor, text("password-canary"), text("second-password")).unwrap();
    assert!(vault.check().unwrap().is_clean());
    assert!(vault.entry(ids[1]).is_err());
    assert!(vault.update(&actor, |_| Err::<(), _>(Error::Invalid { what: "changed their mind" })).is_err());
    drop(vault.lock().unwrap());
    assert!(LockedVault::open(&path, options()).unwrap().unlock(&password).is_err());

    // An interrupted writer: the second root is that of another time.
    let mut bytes = std::fs::read(&path).unwrap();
    // The second root ends where the append area begins (docs/format.md section 1).
    let root = 81920 - 4096;
    bytes[root..root + 64].fill(0);
    std::fs::write(&path, bytes).unwrap();
    let vault = LockedVault::open(&path, options()).unwrap().unlock(&text("second-password").into()).unwrap();
    assert_eq!(vault.recovery(), Recovery::Recovered);
    in_and_out(&vault, &actor, folder.path());
    vault.compact(&actor).unwrap();
    let key = change_ways_in(&vault, &actor);
    vault.close().unwrap();
    damage_and_repair(&path, &text("second-password").into());
    recover(&path, &actor, key);
}

#[test]
fn what_is_traced_holds_no_health_value_name_or_password() {
    let everything = Everything::default();
    tracing::subscriber::set_global_default(everything.clone()).expect("the first subscriber");
    workload();
    let told = everything.text.lock().unwrap();
    for word in PLANTED {
        assert!(!told.contains(word), "{word} in {told}");
    }
    let expected = [
        "opened",
        "unlock",
        "commit",
        "committed",
        "read",
        "release",
        "released entries=1",
        "expunge",
        "expunged entries=1",
        "check",
        "checked",
        "recovered",
        "repair",
        "repaired restored=",
        "micros=",
        "outcome=\"wrong-credential\"",
        "outcome=\"no-such-entry\"",
        "outcome=\"invalid\"",
        "outcome=\"ok\"",
    ];
    for word in expected {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    // Nothing but what is named here: a new field has to be thought about.
    let fields: std::collections::BTreeSet<&str> =
        told.split_whitespace().filter_map(|word| word.split_once('=')).map(|(name, _)| name).collect();
    let known = [
        "area",
        "bytes",
        "entries",
        "epoch",
        "erased",
        "findings",
        "message",
        "micros",
        "operation",
        "outcome",
        "restored",
        "root",
        "vault",
    ];
    assert_eq!(fields.into_iter().collect::<Vec<_>>(), known);
}
