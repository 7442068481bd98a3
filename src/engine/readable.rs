//! Everything that can be read, and what of it cannot: for the owner who leaves, who needs the
//! rest most where something is damaged.

use std::fmt;

use super::core::StateReader;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::parallel::{Spare, in_order};
use crate::payload::decode_entry;
use crate::record::Entry;
use crate::tree::{LeafRef, LostPage, Row, RowClass, Trie};

/// Leaves that one core reads at a time.
const LEAVES_AT_A_TIME: usize = 8;

/// The current entries of the open compartments as far as they can be read, and what is
/// damaged. `Debug` prints counts only.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Readable {
    /// The entries that can be read, retracted ones included, in no particular order.
    pub entries: Vec<(EntryId, Entry)>,
    /// The entries that cannot be read. [`Vault::entry_revision`](crate::Vault::entry_revision)
    /// may give an earlier revision.
    pub damaged: Vec<EntryId>,
    /// How many rows of the catalogue are out of reach: each may be an entry, an earlier
    /// revision, a part of an attachment or of the ledger. Nobody can tell which.
    pub lost_rows: u64,
    /// Compartments of which nothing can be read, though this access has their key.
    pub lost_compartments: Vec<Compartment>,
}

impl Readable {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.damaged.is_empty() && self.lost_rows == 0 && self.lost_compartments.is_empty()
    }
}

impl fmt::Debug for Readable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = f.debug_struct("Readable");
        counts.field("entries", &self.entries.len()).field("damaged", &self.damaged.len());
        counts
            .field("lost_rows", &self.lost_rows)
            .field("lost_compartments", &self.lost_compartments)
            .finish()
    }
}

/// What some leaves gave.
#[derive(Default)]
struct Batch {
    entries: Vec<(EntryId, Entry)>,
    damaged: Vec<EntryId>,
    lost_rows: u64,
}

impl StateReader<'_> {
    /// What can be read, and the compartments that the entries are in.
    pub(crate) fn readable(&self) -> Result<(Readable, Vec<Compartment>), Error> {
        let (mut readable, mut places) = (Readable::default(), Vec::new());
        for compartment in self.open_compartments() {
            let trie = match self.trie(compartment) {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    readable.lost_compartments.push(compartment);
                    continue;
                }
                trie => trie?,
            };
            let before = readable.entries.len();
            let leaves = trie.survey_leaves(&mut |_| {});
            let buffers = Spare::default();
            let read = |leaves: &&[Result<LeafRef, LostPage>]| {
                let mut buffer = buffers.take();
                let batch = self.read_leaves(&trie, leaves, &mut buffer);
                buffers.give(buffer);
                batch
            };
            let batches: Vec<_> = leaves.chunks(LEAVES_AT_A_TIME).collect();
            in_order(&batches, read, |batch| {
                readable.entries.extend(batch.entries);
                readable.damaged.extend(batch.damaged);
                readable.lost_rows = readable.lost_rows.saturating_add(batch.lost_rows);
                Ok::<_, Error>(())
            })?;
            places.extend((readable.entries.len() > before).then_some(compartment));
        }
        Ok((readable, places))
    }

    /// The entries of some leaves. What fails otherwise than by damage ends the reading.
    fn read_leaves(
        &self,
        trie: &Trie<'_>,
        leaves: &[Result<LeafRef, LostPage>],
        buffer: &mut crate::tree::Buffer,
    ) -> Result<Batch, Error> {
        let mut batch = Batch::default();
        let mut rows: Vec<Row> = Vec::new();
        let known: Vec<&LeafRef> = leaves.iter().filter_map(|leaf| leaf.as_ref().ok()).collect();
        for (leaf, read) in known.iter().zip(trie.leaf_rows(&known, buffer)) {
            match read.map_err(Error::from) {
                Ok(read) => rows.extend(read.into_iter().filter(|row| row.class == RowClass::Entry)),
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    batch.lost_rows = batch.lost_rows.saturating_add(leaf.lost().rows);
                }
                Err(error) => return Err(error),
            }
        }
        for LostPage { rows } in leaves.iter().filter_map(|leaf| leaf.as_ref().err()) {
            batch.lost_rows = batch.lost_rows.saturating_add(*rows);
        }
        let (rows, mut fault): (Vec<&Row>, _) = (rows.iter().collect(), None);
        self.core.open_rows(trie.compartment, &rows, buffer, |row, content| {
            let entry = content.map(|content| decode_entry(content).ok());
            match entry {
                Ok(Some(entry)) => batch.entries.push((row.id, entry)),
                Ok(None) => batch.damaged.push(row.id),
                Err(error) if error.kind() == ErrorKind::Damaged => batch.damaged.push(row.id),
                Err(error) => fault = fault.take().or(Some(error)),
            }
        });
        fault.map_or(Ok(batch), Err)
    }
}
