//! What this crate's own tests share: the vectors and records beside the
//! project, a record of every box, and sabotage.
//!
//! Absent from every build but the tests'. The state is each thread's own, so
//! that tests do not disturb each other. Everything may use it, so it uses nothing
//! but the seams: keys and places are plain bytes here.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

pub(crate) use crate::seams::{
    compare_segments_up_to, make_worth_compacting, seed_randomness, shrink_slices,
};

/// A file of the shared test data, or a loud skip.
pub(crate) fn data(path: &str) -> Option<Vec<u8>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    let bytes = std::fs::read(&file).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: ../shared/data/{path} is absent");
    }
    bytes
}

/// The test groups of a Wycheproof file.
pub(crate) fn wycheproof(name: &str) -> Option<Vec<Value>> {
    let bytes = data(&format!("crypto/wycheproof/{name}"))?;
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    Some(file["testGroups"].as_array().unwrap().clone())
}

/// The bytes that a JSON string gives in hexadecimal.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    assert!(text.is_ascii() && text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Inflates what the vectors compressed (RFC 1950).
pub(crate) fn inflate(zlib: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec_zlib(zlib).unwrap()
}

thread_local! {
    static BOXES: RefCell<Option<Vec<Encrypted>>> = const { RefCell::new(None) };
    static SABOTAGE: RefCell<Option<Sabotage>> = const { RefCell::new(None) };
    static DERIVED: Cell<usize> = const { Cell::new(0) };
}

/// Counts an id that was derived from a name on this thread.
pub(crate) fn count_derived_id() {
    DERIVED.set(DERIVED.get() + 1);
}

/// How many ids were derived on this thread.
pub(crate) fn derived_ids() -> usize {
    DERIVED.get()
}

/// A single-use box that was made: what an adversary could ever look for.
#[derive(Clone)]
pub(crate) struct Encrypted {
    pub(crate) context: Vec<u8>,
    pub(crate) key: [u8; 32],
    pub(crate) object: Stored,
}

/// Where a store keeps an object, and how long it is.
#[derive(Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) reference: [u8; 16],
    pub(crate) length: u64,
}

/// Records every single-use box that this thread makes from now on.
pub(crate) fn start_recording() {
    BOXES.set(Some(Vec::new()));
}

/// How many boxes were recorded so far.
pub(crate) fn recorded() -> usize {
    BOXES.with_borrow(|encrypted| encrypted.as_ref().map_or(0, Vec::len))
}

/// Ends the recording and gives what was recorded.
pub(crate) fn take_recorded() -> Vec<Encrypted> {
    BOXES.take().unwrap()
}

pub(crate) fn record_encrypted(context: &[u8], key: &[u8; 32], object: Stored) {
    BOXES.with_borrow_mut(|encrypted| {
        if let Some(encrypted) = encrypted {
            encrypted.push(Encrypted { context: context.to_vec(), key: *key, object });
        }
    });
}

/// Where every secret that this process makes is written down, if anywhere.
static SECRETS: OnceLock<File> = OnceLock::new();

/// Writes every secret down that this process makes from now on, each on a line
/// with the place in the code that made it.
pub(crate) fn record_secrets(to: &Path) {
    SECRETS.set(File::create(to).unwrap()).unwrap();
}

/// Writes a secret down as digits, so that the record itself is none in memory.
#[track_caller]
pub(crate) fn record_secret(secret: &[u8; 32]) {
    let Some(mut file) = SECRETS.get() else { return };
    let caller = std::panic::Location::caller();
    let mut line: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    line.push_str(&format!(" {}:{}\n", caller.file(), caller.line()));
    file.write_all(line.as_bytes()).unwrap();
}

/// A deliberate break of the format, which the expunge adversary must catch.
pub(crate) enum Sabotage {
    /// R1 broken: a page image has the key of the image before it.
    ReusedPageKeys {
        /// Whether a context is a page image's.
        is_page: fn(&[u8]) -> bool,
        keys: HashMap<Vec<u8>, [u8; 32]>,
    },
    /// R3 broken: the second root is not written, page images are not overwritten.
    StaleRootAndPages,
    /// R7 broken: the old file loses its name and stays readable.
    ReadableOldFile,
    /// R2 broken: every root is written into the first place.
    AlwaysFirstPlace,
    /// R3 broken: both places of a withdrawal are written under one barrier.
    OneBarrierForBothRoots,
    /// R4 broken: a root is taken without its segment.
    NoSegmentDigest,
    /// R2 broken: a long segment is not durable before its root is written.
    NoBarrierBehindLongSegment,
    /// Hiding broken: no commit sets room apart for compartments that others may not know of.
    NoParts,
    /// Hiding broken: a place is encrypted anew only where its compartment changed.
    StalePlaces,
    /// Hiding broken: everybody is told of a change, whatever it changed.
    PlainAction,
    /// Hiding broken: a withdrawal overwrites superseded pages of every compartment.
    ErasesAllPages,
}

/// Breaks, or mends, what this thread writes from now on.
pub(crate) fn sabotage(sabotage: Option<Sabotage>) {
    SABOTAGE.set(sabotage);
}

/// The key that a box gets under a reused-key sabotage, instead of the fresh one.
pub(crate) fn sabotaged_key(context: &[u8], fresh: &[u8; 32]) -> Option<[u8; 32]> {
    SABOTAGE.with_borrow_mut(|sabotage| match sabotage {
        Some(Sabotage::ReusedPageKeys { is_page, keys }) if is_page(context) => {
            Some(*keys.entry(context.to_vec()).or_insert(*fresh))
        }
        _ => None,
    })
}

/// The page images to overwrite: none under a sabotage.
pub(crate) fn sabotaged_erasure<T>(superseded: Vec<T>) -> Vec<T> {
    let broken = SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::StaleRootAndPages)));
    if broken { Vec::new() } else { superseded }
}

/// Whether an old file is to be left readable.
pub(crate) fn sabotaged_scrubbing() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::ReadableOldFile)))
}

/// Where the second root is written: over the first under a sabotage.
pub(crate) fn sabotaged_root(first: usize, second: usize) -> usize {
    let broken = SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::StaleRootAndPages)));
    if broken { first } else { second }
}

/// Whether every root goes into the first place.
pub(crate) fn sabotaged_place() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::AlwaysFirstPlace)))
}

/// Whether there is no barrier between the two roots of a withdrawal.
pub(crate) fn sabotaged_first_barrier() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::OneBarrierForBothRoots)))
}

/// Whether a root is taken without its segment.
pub(crate) fn sabotaged_segment() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::NoSegmentDigest)))
}

/// Whether the barrier behind a long segment is left out.
pub(crate) fn sabotaged_long_segment() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::NoBarrierBehindLongSegment)))
}

/// Whether no room is set apart.
pub(crate) fn sabotaged_parts() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::NoParts)))
}

/// Whether unchanged places are left as they are.
pub(crate) fn sabotaged_places() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::StalePlaces)))
}

/// Whether everybody is told more than they may be.
pub(crate) fn sabotaged_action() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::PlainAction)))
}

/// Whether superseded pages are overwritten of which nothing is withdrawn.
pub(crate) fn sabotaged_pages() -> bool {
    SABOTAGE.with_borrow(|sabotage| matches!(sabotage, Some(Sabotage::ErasesAllPages)))
}
