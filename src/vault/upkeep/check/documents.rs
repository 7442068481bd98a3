//! Whether source documents and the entries that were made of them fit together.

use crate::engine::core::StateReader;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{DocumentId, EntryId};
use crate::payload::documents::RangeV1;
use crate::tree::{Row, RowClass, RowKey};

#[derive(Default)]
pub(super) struct Documents {
    /// Those that are there.
    rows: Vec<DocumentId>,
    /// Those that the list names.
    listed: Vec<DocumentId>,
}

impl Documents {
    /// Takes a row in; whether it can be read, and all entries that it names are there.
    pub(super) fn take(&mut self, reader: &StateReader<'_>, compartment: Compartment, row: &Row) -> bool {
        match row.class {
            RowClass::Document => {
                self.rows.push(DocumentId::from_bytes(*row.id.as_bytes()));
                reader.document_is_sound(compartment, row).unwrap_or(false)
            }
            RowClass::Documents => {
                let listed = reader.documents_of(compartment);
                listed.map(|listed| self.listed = listed).is_ok()
            }
            _ => true,
        }
    }

    /// Whether the list names every document, and no others.
    pub(super) fn fit(&mut self) -> bool {
        self.rows.sort_unstable();
        self.rows == self.listed
    }
}

impl StateReader<'_> {
    fn document_is_sound(&self, compartment: Compartment, row: &Row) -> Result<bool, Error> {
        let document = self.document_in(compartment, row)?;
        let mut here: u64 = 0;
        for range in &document.ranges {
            if let RangeV1::Here(bytes) = range {
                here = here.saturating_add(bytes.0.len() as u64);
            }
        }
        for id in &document.entries {
            let entry = self.row(compartment, &RowKey::entry(EntryId::from_bytes(*id)))?;
            let Some(entry) = entry.filter(|row| row.class == RowClass::Entry) else { return Ok(false) };
            let is_there = |range: &RangeV1<'_>| match range {
                RangeV1::Original(original) if original.entry == *id => original.revision <= entry.revision,
                _ => true,
            };
            if !document.ranges.iter().all(is_there) {
                return Ok(false);
            }
        }
        Ok(here <= document.size)
    }
}
