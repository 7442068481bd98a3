//! What every [`Store`] must do, as a test that any implementer can run.

use std::time::Duration;

use super::{Chosen, Publication, Store, StoreError};

const WAIT: Duration = Duration::from_millis(20);

/// Runs the contract against a store that holds a freshly created vault.
///
/// # Panics
/// When the store breaks its contract; the message says how.
#[allow(clippy::indexing_slicing, reason = "a test that panics on purpose")]
pub fn check_store(store: &dyn Store) {
    let header = store.header().expect("the header can be read");
    let heads = store.heads().expect("the heads can be read");
    assert!(
        !heads.areas.is_empty() && !heads.roots.is_empty(),
        "a store keeps at least one area and one root"
    );
    assert!(heads.roots.iter().all(|root| *root == heads.roots[0]), "a settled store has equal roots");

    one_writer_at_a_time(store);
    what_is_not_published_leaves_no_trace(store);
    objects_come_back_as_they_went_in(store);
    a_stale_root_is_a_conflict(store);
    what_is_withdrawn_is_gone(store);
    settling_twice_is_harmless(store);
    assert!(store.header().expect("the header can be read") == header, "the header never changes");
}

fn current(store: &dyn Store) -> (Vec<u8>, Vec<u8>) {
    let heads = store.heads().expect("the heads can be read");
    (heads.areas.into_iter().next().unwrap_or_default(), heads.roots.into_iter().next().unwrap_or_default())
}

fn publish(store: &dyn Store, objects: &[&[u8]], erase: &[super::ObjectRef]) -> Vec<super::ObjectRef> {
    let (area, root) = current(store);
    let mut writer = store.writer(WAIT).expect("nobody else writes");
    writer.start(append_start(store));
    let references = writer.put(objects).expect("objects can be put");
    let mut next = root.clone();
    if let Some(byte) = next.first_mut() {
        *byte = byte.wrapping_add(1);
    }
    let publication = Publication {
        expected: &root,
        area: &area,
        root: &next,
        new_area: None,
        withdraws: !erase.is_empty(),
        erase,
    };
    writer.publish(&publication).expect("the root can be replaced");
    drop(writer);
    assert!(current(store).1 == next, "the new root is read back");
    references
}

/// Tests of a file keep appending behind everything that they wrote before.
fn append_start(store: &dyn Store) -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1 << 20);
    let _ = store;
    NEXT.fetch_add(1 << 20, Ordering::SeqCst)
}

fn one_writer_at_a_time(store: &dyn Store) {
    let writer = store.writer(WAIT).expect("nobody else writes");
    assert!(matches!(store.writer(WAIT), Err(StoreError::Busy)), "a second writer is told Busy");
    drop(writer);
    store.writer(WAIT).expect("a dropped writer lets the next one in");
}

fn what_is_not_published_leaves_no_trace(store: &dyn Store) {
    let before = store.heads().expect("the heads can be read");
    let mut writer = store.writer(WAIT).expect("nobody else writes");
    writer.start(append_start(store));
    writer.put(&[b"never published"]).expect("objects can be put");
    drop(writer);
    assert!(store.heads().expect("the heads can be read") == before, "an abandoned writer changes nothing");
}

fn objects_come_back_as_they_went_in(store: &dyn Store) {
    let large = vec![0xa5; 3 << 20];
    let references = publish(store, &[b"one", b"", &large], &[]);
    let back = store.objects(&references).expect("objects can be read");
    assert!(back == [b"one".to_vec(), Vec::new(), large], "objects come back as they went in, in order");
    let mut longer = *references.first().expect("one reference per object");
    longer.length = u64::MAX;
    assert!(store.objects(&[longer]).is_err(), "an object of another length is missing");
}

fn a_stale_root_is_a_conflict(store: &dyn Store) {
    let (area, root) = current(store);
    publish(store, &[], &[]);
    let mut writer = store.writer(WAIT).expect("nobody else writes");
    writer.start(append_start(store));
    let publication = Publication {
        expected: &root,
        area: &area,
        root: &root,
        new_area: None,
        withdraws: false,
        erase: &[],
    };
    assert!(matches!(writer.publish(&publication), Err(StoreError::Conflict)), "a stale root is a conflict");
}

fn what_is_withdrawn_is_gone(store: &dyn Store) {
    let references = publish(store, &[b"to be withdrawn"], &[]);
    publish(store, &[], &references);
    let left = store.objects(&references);
    assert!(
        left.is_err() || left.is_ok_and(|bytes| bytes != [b"to be withdrawn".to_vec()]),
        "withdrawn bytes are gone"
    );
}

fn settling_twice_is_harmless(store: &dyn Store) {
    let (area, root) = current(store);
    for _ in 0..2 {
        let mut writer = store.writer(WAIT).expect("nobody else writes");
        writer.sync().expect("what was written can be made durable");
        let repairs =
            writer.settle(&Chosen { area: &area, root: &root, erase: &[] }).expect("a store can settle");
        assert!(!repairs.root && !repairs.area, "equal copies need no repair");
    }
}
