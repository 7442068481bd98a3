//! Keeping documents as they came, beside the entries that were made of them.

use std::collections::BTreeMap;

use crate::engine::imports::document_of;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{DocumentId, EntryId};
use crate::interop::imported::{Document, Imported, Piece};
use crate::payload::documents::{OriginalV1, RangeV1, SourceDocumentV1};
use crate::payload::mirror::BytesV1;
use crate::record::Entry;

/// What stands for each entry of an import, in their order; none where it stays away.
pub(super) type Taken = [Option<EntryId>];

/// The documents that are kept, by the compartment of all their entries.
pub(super) type Kept<'i> = BTreeMap<Compartment, Vec<(DocumentId, SourceDocumentV1<'i>)>>;

/// The documents of an import that can be kept: all of whose entries are there, in one
/// compartment. One whose entries are kept apart would tell of them in each other's. `id_of`
/// gives the document's id where this import brought anything of it.
pub(super) fn kept<'i>(
    tx: &Transaction<'_>,
    imported: &'i Imported,
    taken: &Taken,
    id_of: impl Fn(Compartment, &Option<String>) -> Option<DocumentId>,
) -> Result<Kept<'i>, Error> {
    let mut all = Kept::new();
    for document in imported.documents.iter().filter(|document| document.is_kept) {
        let Some((compartment, name, kept)) = one(tx, imported, document, taken)? else { continue };
        // One object holds it.
        if kept.size <= MOST
            && let Some(id) = id_of(compartment, &name)
        {
            all.entry(compartment).or_default().push((id, kept));
        }
    }
    Ok(all)
}

/// Most bytes of a document that is kept.
const MOST: u64 = 48 << 20;

type One<'i> = (Compartment, Option<String>, SourceDocumentV1<'i>);

fn one<'i>(
    tx: &Transaction<'_>,
    imported: &'i Imported,
    document: &'i Document,
    taken: &Taken,
) -> Result<Option<One<'i>>, Error> {
    let mut place = None;
    let mut entries: Vec<[u8; 16]> = Vec::new();
    let mut ranges: Vec<RangeV1<'i>> = Vec::new();
    let mut size: u64 = 0;
    for piece in &document.pieces {
        let Some((bytes, of)) = bytes_of(imported, piece) else { return Ok(None) };
        size = size.saturating_add(bytes.len() as u64);
        let mut original = None;
        if let Some(at) = of {
            let Some(id) = taken.get(at).copied().flatten() else { return Ok(None) };
            let (compartment, row) = tx.entry_row(id)?;
            let name = imported.entries.get(at).and_then(|entry| document_of(&entry.entry));
            let found = (compartment, name);
            if place.get_or_insert(found) != &found {
                return Ok(None);
            }
            entries.push(*id.as_bytes());
            let has_it = tx.is_put(compartment, id) || has_original(tx, id, imported, at)?;
            let start = match piece {
                Piece::Resource(_) => Some(0),
                Piece::Part { bytes, .. } => Some(bytes.start as u64),
                _ => None,
            };
            if let (Some(start), true) = (start, has_it && !bytes.is_empty()) {
                let (entry, revision) = (*id.as_bytes(), row.revision);
                original = Some(OriginalV1 { entry, revision, start, length: bytes.len() as u64 });
            }
        }
        match (original, ranges.last_mut()) {
            (Some(original), _) => ranges.push(RangeV1::Original(original)),
            (None, _) if bytes.is_empty() => {}
            (None, Some(RangeV1::Here(before))) => before.0.to_mut().extend_from_slice(bytes),
            (None, _) => ranges.push(RangeV1::Here(BytesV1(bytes.into()))),
        }
    }
    entries.sort_unstable();
    entries.dedup();
    let name = document.name.clone();
    Ok(place.map(|(compartment, of)| {
        (compartment, of.map(str::to_owned), SourceDocumentV1 { name, size, entries, ranges })
    }))
}

/// Whether an entry that is there and stays as it is has the original that came now.
fn has_original(tx: &Transaction<'_>, id: EntryId, imported: &Imported, at: usize) -> Result<bool, Error> {
    let came = imported.entries.get(at).and_then(|entry| entry.entry.source.as_ref());
    let current = tx.current(id)?.and_then(|(_, entry)| entry.source);
    Ok(current.zip(came).is_some_and(|(current, came)| current.bytes == came.bytes))
}

/// The bytes of a piece, and the entry that they are of.
fn bytes_of<'i>(imported: &'i Imported, piece: &'i Piece) -> Option<(&'i [u8], Option<usize>)> {
    let source_of = |entry: &'i Entry| entry.source.as_ref();
    let of = |entry: usize| imported.entries.get(entry);
    Some(match piece {
        Piece::Gap(bytes) => (bytes, None),
        Piece::Resource(entry) => (&source_of(&of(*entry)?.entry)?.bytes, Some(*entry)),
        Piece::Part { entry, bytes } => {
            (source_of(&of(*entry)?.entry)?.bytes.get(bytes.clone())?, Some(*entry))
        }
        Piece::Earlier { entry, version } => {
            (&source_of(of(*entry)?.earlier.get(*version)?)?.bytes, Some(*entry))
        }
        Piece::File { entry, version, file } => {
            let of = of(*entry)?;
            let version = version.map_or(Some(&of.entry), |version| of.earlier.get(version))?;
            (&source_of(version)?.files.get(*file)?.bytes, Some(*entry))
        }
    })
}
