//! Whether what a compartment remembers of imports and its entries fit together.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::core::StateReader;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::payload::imports::ImportV1;
use crate::tree::{Row, RowClass};

/// The entries of which a commit wrote a revision, by the document that this was made of.
type Written = BTreeMap<Option<String>, BTreeSet<EntryId>>;

#[derive(Default)]
pub(super) struct Imports {
    rows: BTreeMap<Epoch, ImportV1>,
    written: BTreeMap<Epoch, Written>,
    /// Commits of which a revision cannot be read.
    unread: BTreeSet<Epoch>,
}

impl Imports {
    /// Takes a row in, with the document that its entry was made of where that can be read;
    /// whether the row can.
    pub(super) fn take(
        &mut self,
        reader: &StateReader<'_>,
        compartment: Compartment,
        row: &Row,
        document: Option<&Option<String>>,
    ) -> bool {
        match row.class {
            RowClass::Import => {
                let import = reader.import_in(compartment, row);
                import.map(|import| self.rows.insert(row.epoch, import)).is_ok()
            }
            RowClass::Entry | RowClass::Superseded => {
                match document {
                    Some(document) => {
                        let written = self.written.entry(row.epoch).or_default();
                        written.entry(document.clone()).or_default().insert(row.id);
                    }
                    None => {
                        self.unread.insert(row.epoch);
                    }
                }
                true
            }
            _ => true,
        }
    }

    /// Whether every import counts the entries that it brought, no more and no fewer.
    pub(super) fn fit(&self) -> bool {
        let nothing = Written::new();
        self.rows.iter().filter(|(epoch, _)| !self.unread.contains(epoch)).all(|(epoch, import)| {
            let written = self.written.get(epoch).unwrap_or(&nothing);
            let counted = written.iter().map(|(document, entries)| (document, entries.len() as u64));
            counted.eq(import.documents.iter().map(|document| (&document.name, document.entries)))
        })
    }
}
