//! The hook that is told of every read.

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use super::basics::{diagnosis, individual, key, note, options};
use crate::engine::time::from_milliseconds;
use crate::*;

fn vault_with(hook: impl Fn(&AuditEvent) + Send + Sync + 'static) -> Arc<Vault> {
    let options = options().with_audit(hook);
    Arc::new(Vault::create_in_memory(&individual(&key(1)), options).unwrap())
}

fn request() -> ReleaseRequest {
    ReleaseRequest::new("A school", "admission", Policy::everything_of([Kind::Diagnosis])).unwrap()
}

#[test]
fn every_read_is_told_with_ids_and_the_actor_where_it_is_known() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let vault = vault_with(move |event| told.lock().unwrap().push(event.clone()));
    let nurse = Actor::new("Nurse Quill").unwrap();
    let id = vault.update(&nurse, |tx| tx.add(&diagnosis("J45", "Asthma", "1998"))).unwrap().value;
    vault.update(&nurse, |tx| tx.amend(id, &diagnosis("J46", "Asthma", "1998"), "code")).unwrap();
    vault.update(&nurse, |tx| tx.retract(id, "error")).unwrap();
    vault.update(&nurse, |tx| tx.amend(id, &diagnosis("J45", "Asthma", "1998"), "again")).unwrap();
    assert!(events.lock().unwrap().is_empty(), "changes are the ledger's");

    vault.list(&Filter::all()).unwrap();
    vault.entry(id).unwrap();
    vault.entry_revision(id, 1).unwrap();
    vault.history(id).unwrap();
    let refused = vault.update(&nurse, |tx| {
        tx.entry(id)?;
        Err::<(), _>(Error::Invalid { what: "changed their mind" })
    });
    assert!(refused.is_err());
    vault.preview(&Policy::everything_of([Kind::Diagnosis])).unwrap();
    vault.release(&nurse, &request()).unwrap();
    vault.export(&nurse).unwrap();
    let lines = vault.ledger().unwrap().len();
    vault.access().unwrap();
    assert!(vault.entry(EntryId::from_bytes([9; 16])).is_err(), "nothing was read");

    let events = events.lock().unwrap();
    let seen: Vec<_> = events.iter().map(|e| (e.kind, e.actor.clone(), e.entries.clone(), e.count)).collect();
    let one = vec![id];
    let expected = [
        (ReadKind::Listed, None, one.clone(), 1),
        (ReadKind::Opened, None, one.clone(), 1),
        (ReadKind::RevisionOpened, None, one.clone(), 1),
        (ReadKind::HistoryRead, None, one.clone(), 4),
        (ReadKind::Opened, Some(nurse.clone()), one.clone(), 1),
        (ReadKind::Previewed, None, one.clone(), 1),
        (ReadKind::Released, Some(nurse.clone()), one.clone(), 1),
        (ReadKind::Exported, Some(nurse), one, 1),
        (ReadKind::LedgerRead, None, vec![], lines),
        (ReadKind::AccessListed, None, vec![], 1),
    ];
    assert_eq!(seen, expected);
    assert!(
        events
            .iter()
            .all(|event| event.vault == vault.id() && event.time == from_milliseconds(1_700_000_000_000))
    );
}

#[test]
fn reads_of_attachments_and_of_all_entries_are_told_too() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let vault = vault_with(move |event| told.lock().unwrap().push(event.clone()));
    let nurse = Actor::new("Nurse Quill").unwrap();
    let id = vault.update(&nurse, |tx| tx.add(&note("progress", "see the scan"))).unwrap().value;
    let new = NewAttachment::new(Attachment::default()).to_entry(id, "scanned");
    vault.attach(&nurse, &new, &mut &b"scan"[..]).unwrap();
    let mut bytes = Vec::new();
    vault.attachment(id, 0).unwrap().read_to_end(&mut bytes).unwrap();
    assert!(vault.attachment(id, 1).is_err(), "nothing was read");
    vault.uploads().unwrap();
    vault.for_each_entry(|_, _| Ok(())).unwrap();
    let stopped = vault.for_each_entry(|_, _| Err(Error::Invalid { what: "enough" }));
    assert!(stopped.is_err(), "what was handed out was told");

    let events = events.lock().unwrap();
    let seen: Vec<_> = events.iter().map(|e| (e.kind, e.actor.clone(), e.entries.clone(), e.count)).collect();
    let one = vec![id];
    let expected = [
        // The entry is read to be amended.
        (ReadKind::Opened, Some(nurse), one.clone(), 1),
        (ReadKind::AttachmentOpened, None, one.clone(), 1),
        (ReadKind::UploadsListed, None, vec![], 0),
        (ReadKind::Opened, None, one.clone(), 1),
        (ReadKind::Opened, None, one, 1),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_hook_may_use_the_vault_and_its_own_reads_are_not_told() {
    let vault: Arc<OnceLock<Weak<Vault>>> = Arc::default();
    let (inside, calls) = (Arc::clone(&vault), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&calls);
    let shared = vault_with(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        let vault = inside.get().unwrap().upgrade().unwrap();
        // Neither the writer nor the state is locked while the hook runs.
        vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("seen", "x", "2020"))).unwrap();
        vault.list(&Filter::all()).unwrap();
        vault.refresh().unwrap();
    });
    vault.set(Arc::downgrade(&shared)).unwrap();
    let id = shared.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "x", "2020"))).unwrap().value;
    shared.entry(id).unwrap();
    shared.update(&Actor::owner(), |tx| tx.entry(id).map(drop)).unwrap();
    shared.release(&Actor::owner(), &request()).unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[test]
fn a_hook_that_panics_hands_nothing_out_and_the_vault_goes_on() {
    let failing = Arc::new(AtomicUsize::new(1));
    let fails = Arc::clone(&failing);
    let vault = vault_with(move |_| assert_eq!(fails.load(Ordering::SeqCst), 0, "the access log is full"));
    let owner = Actor::owner();
    let id = vault.update(&owner, |tx| tx.add(&diagnosis("J45", "x", "2020"))).unwrap().value;
    let reads: [&dyn Fn(); 3] =
        [&|| drop(vault.entry(id)), &|| drop(vault.update(&owner, |tx| tx.entry(id))), &|| {
            drop(vault.release(&owner, &request()))
        }];
    for read in reads {
        assert!(catch_unwind(AssertUnwindSafe(read)).is_err());
    }
    failing.store(0, Ordering::SeqCst);
    assert!(vault.entry(id).is_ok());
    vault.update(&owner, |tx| tx.add(&diagnosis("J46", "x", "2020"))).unwrap();
    assert_eq!(vault.list(&Filter::all()).unwrap().len(), 2);
    assert!(vault.check().unwrap().is_clean());
}
