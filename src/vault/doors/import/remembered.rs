//! What is known before an import is judged, and what it may need.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::memory::{Memory, ScopeId};
use crate::engine::tombstone::Tombstones;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::interop::imported::Imported;
use crate::record::Token;

/// What of a document's name entries keep, by which imports are remembered.
pub(super) fn kept(document: Option<&str>) -> Option<String> {
    document.and_then(|name| Token::new(name).ok()).map(|name| name.as_str().to_owned())
}

/// What is known before an import is judged.
pub(super) struct Remembered {
    pub(super) memory: Memory,
    /// A scope for each document that may need a new one.
    pub(super) fresh: HashMap<Option<String>, ScopeId>,
    pub(super) tombstones: Tombstones,
}

impl Remembered {
    pub(super) fn of(tx: &mut Transaction<'_>, imported: &Imported) -> Result<Self, Error> {
        let mut fresh = HashMap::new();
        for found in &imported.entries {
            let document = kept(found.document.as_deref());
            if let Entry::Vacant(unknown) = fresh.entry(document) {
                unknown.insert(tx.work.random.bytes()?);
            }
        }
        let reader = tx.reader();
        Ok(Self { memory: Memory::of(&reader)?, fresh, tombstones: reader.tombstones()? })
    }
}
