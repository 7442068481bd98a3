//! Documents as they came: which are there, and their bytes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};

use zeroize::Zeroizing;

use crate::engine::core::StateReader;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{DocumentId, EntryId, Epoch};
use crate::payload::documents::{OriginalV1, RangeV1, SourceDocumentV1};
use crate::tree::{Row, RowKey};
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;

/// A document of which entries were made, and which the vault keeps as it came. Its bytes are
/// with its entries, and what none of them holds, such as its heading, is beside them. It goes
/// with the first of its entries that is expunged or moved: it tells of all of them.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SourceDocument {
    /// Names it in this vault.
    pub id: DocumentId,
    /// The name of the file, as it was imported.
    pub name: Option<String>,
    /// The commit of the import that brought it, the last one if it came several times.
    pub imported: Epoch,
    /// Its length in bytes.
    pub size: u64,
    /// The entries that were made of it.
    pub entries: Vec<EntryId>,
    /// Where it and its entries are.
    pub compartment: Compartment,
}

crate::secret::redacted_debug!(SourceDocument);

const DAMAGED: Error = Error::Damaged { what: "source document" };

pub(crate) fn source_documents(session: &Session) -> Result<Vec<SourceDocument>, Error> {
    let documents = session.read(|reader| reader.source_documents())?;
    session.tell_count(ReadKind::DocumentsListed, None, Vec::new(), documents.len());
    Ok(documents)
}

pub(crate) fn source_document(session: &Session, id: DocumentId) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (document, bytes) = session.read(|reader| {
        let (document, ranges) = reader.source_document(id)?;
        let mut all = Zeroizing::new(Vec::new());
        // An entry may have several ranges.
        let mut originals = BTreeMap::new();
        for range in &ranges {
            match range {
                RangeV1::Here(bytes) => all.extend_from_slice(&bytes.0),
                RangeV1::Original(of) => {
                    let revision = (EntryId::from_bytes(of.entry), of.revision);
                    let original = match originals.entry(revision) {
                        Occupied(original) => original.into_mut(),
                        Vacant(place) => place.insert(reader.original(document.compartment, revision)?),
                    };
                    all.extend_from_slice(part(original, of)?);
                }
            }
            if all.len() as u64 > document.size {
                return Err(DAMAGED);
            }
        }
        if all.len() as u64 == document.size { Ok((document, all)) } else { Err(DAMAGED) }
    })?;
    session.tell(ReadKind::DocumentOpened, None, document.entries);
    Ok(bytes)
}

impl SourceDocument {
    fn of(id: DocumentId, compartment: Compartment, row: &Row, document: &SourceDocumentV1<'_>) -> Self {
        let entries = document.entries.iter().map(|entry| EntryId::from_bytes(*entry)).collect();
        let SourceDocumentV1 { name, size, .. } = document;
        Self { id, name: name.clone(), imported: row.epoch, size: *size, entries, compartment }
    }
}

impl StateReader<'_> {
    fn source_documents(&self) -> Result<Vec<SourceDocument>, Error> {
        let mut documents = Vec::new();
        for compartment in self.open_compartments() {
            for id in self.documents_of(compartment)? {
                let (row, document) = self.document(compartment, id)?.ok_or(DAMAGED)?;
                documents.push(SourceDocument::of(id, compartment, &row, &document));
            }
        }
        documents.sort_by_key(|document| (document.imported, document.id));
        Ok(documents)
    }

    fn source_document(&self, id: DocumentId) -> Result<(SourceDocument, Vec<RangeV1<'static>>), Error> {
        for compartment in self.open_compartments() {
            if let Some((row, document)) = self.document(compartment, id)? {
                return Ok((SourceDocument::of(id, compartment, &row, &document), document.ranges));
            }
        }
        Err(Error::NoSuchDocument { id })
    }

    /// The original of a revision.
    fn original(
        &self,
        compartment: Compartment,
        (id, revision): (EntryId, u64),
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let current = self.row(compartment, &RowKey::entry(id))?.ok_or(DAMAGED)?;
        let row = match current.revision == revision {
            true => current,
            false => self.row(compartment, &RowKey::revision(id, revision))?.ok_or(DAMAGED)?,
        };
        let source = self.core.open_entry(compartment, &row)?.source.ok_or(DAMAGED)?;
        Ok(Zeroizing::new(source.bytes))
    }
}

/// The bytes of an original that a range names.
fn part<'o>(original: &'o [u8], of: &OriginalV1) -> Result<&'o [u8], Error> {
    let start = usize::try_from(of.start).map_err(|_| DAMAGED)?;
    let end = usize::try_from(of.length).ok().and_then(|length| start.checked_add(length));
    end.and_then(|end| original.get(start..end)).ok_or(DAMAGED)
}
