//! Source documents: what entries were made of, as it came. A document is there as long as all
//! entries are that were made of it. It tells of each of them, in its narrative too.

use super::core::StateReader;
use super::transaction::Transaction;
use crate::codec::wire;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::{DocumentId, EntryId};
use crate::payload::documents::{DocumentListV1, RangeV1, SourceDocumentV1};
use crate::tree::{Changes, Row, RowClass, RowKey};

/// The name of the row that lists a compartment's documents.
const LIST: &str = "documents";

impl StateReader<'_> {
    /// The documents of a compartment, ascending.
    pub(crate) fn documents_of(&self, compartment: Compartment) -> Result<Vec<DocumentId>, Error> {
        let Some(row) = self.row(compartment, &RowKey::named(LIST))? else { return Ok(Vec::new()) };
        let list: DocumentListV1 = wire::decode(&self.core.open_row(compartment, &row)?)?;
        Ok(list.scopes.into_iter().map(DocumentId::from_bytes).collect())
    }

    /// A document of a compartment, if it has it.
    pub(crate) fn document(
        &self,
        compartment: Compartment,
        id: DocumentId,
    ) -> Result<Option<(Row, SourceDocumentV1<'static>)>, Error> {
        let row = self.row(compartment, &RowKey::document(*id.as_bytes()))?;
        row.map(|row| self.document_in(compartment, &row).map(|document| (row, document))).transpose()
    }

    /// The document of a row.
    pub(crate) fn document_in(
        &self,
        compartment: Compartment,
        row: &Row,
    ) -> Result<SourceDocumentV1<'static>, Error> {
        Ok(wire::decode(&self.core.open_row(compartment, row)?)?)
    }

    /// The same where the list is damaged: as the rows say.
    fn documents_by_rows(&self, compartment: Compartment) -> Result<Vec<DocumentId>, Error> {
        let mut documents = Vec::new();
        self.trie(compartment)?.scan(&mut |row| {
            if row.class == RowClass::Document {
                documents.push(DocumentId::from_bytes(*row.id.as_bytes()));
            }
            Ok(())
        })?;
        documents.sort_unstable();
        Ok(documents)
    }
}

impl Transaction<'_> {
    /// Keeps documents beside the entries that were made of them, each in the place of the one
    /// that has its id.
    pub(crate) fn put_documents(
        &mut self,
        compartment: Compartment,
        documents: &[(DocumentId, SourceDocumentV1<'_>)],
    ) -> Result<(), Error> {
        let mut all = self.reader().documents_of(compartment)?;
        for (id, document) in documents {
            let mut row = Row::unnamed(RowKey::document(*id.as_bytes()), RowClass::Document, self.epoch());
            row.id = EntryId::from_bytes(*id.as_bytes());
            self.put_anew(compartment, row, &wire::encode(document)?)?;
            if let Err(at) = all.binary_search(id) {
                all.insert(at, *id);
            }
        }
        self.list_documents(compartment, all)
    }

    /// Destroys the documents of which this commit takes an entry, or the revision that was
    /// made of them: they tell of it. One that is damaged may tell of anything.
    pub(crate) fn drop_documents(&mut self) -> Result<(), Error> {
        if !self.work.withdraws {
            return Ok(());
        }
        for compartment in Compartment::HOLDING_ENTRIES {
            let changes = self.work.changes.get(compartment.index());
            if changes.is_none_or(Changes::is_empty) || self.snapshot.place(compartment).is_err() {
                continue;
            }
            let listed = match self.reader().documents_of(compartment) {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    self.reader().documents_by_rows(compartment)?
                }
                listed => listed?,
            };
            let mut left = Vec::with_capacity(listed.len());
            for id in &listed {
                if !self.drop_document(compartment, *id)? {
                    left.push(*id);
                }
            }
            if left.len() < listed.len() {
                self.list_documents(compartment, left)?;
            }
        }
        Ok(())
    }

    /// Destroys a document if it is one of those; whether it did.
    fn drop_document(&mut self, compartment: Compartment, id: DocumentId) -> Result<bool, Error> {
        let key = RowKey::document(*id.as_bytes());
        if self.is_changed(compartment, &key) {
            return Ok(false);
        }
        let Some(row) = self.reader().row(compartment, &key)? else { return Ok(true) };
        let goes = match self.reader().document_in(compartment, &row) {
            Ok(document) => self.takes_from(compartment, &document),
            Err(error) if error.kind() == ErrorKind::Damaged => true,
            Err(error) => return Err(error),
        };
        if goes {
            self.remove_row(compartment, &row)?;
            self.work.erasure.documents += 1;
        }
        Ok(goes)
    }

    /// Whether this commit takes away an entry of a document, or a revision of it.
    fn takes_from(&self, compartment: Compartment, document: &SourceDocumentV1<'_>) -> bool {
        let Some(changes) = self.work.changes.get(compartment.index()) else { return false };
        let change = |id: &[u8; 16]| changes.get(&RowKey::entry(EntryId::from_bytes(*id)));
        let is_removed = |id: &[u8; 16]| change(id).is_some_and(Option::is_none);
        let is_taken_back = |range: &RangeV1<'_>| match range {
            RangeV1::Here(_) => false,
            RangeV1::Original(original) => {
                let current = change(&original.entry).and_then(Option::as_ref);
                current.is_some_and(|current| current.revision < original.revision)
            }
        };
        document.entries.iter().any(is_removed) || document.ranges.iter().any(is_taken_back)
    }

    fn list_documents(&mut self, compartment: Compartment, mut all: Vec<DocumentId>) -> Result<(), Error> {
        all.sort_unstable();
        if all.is_empty() {
            return self.take_away(compartment, &RowKey::named(LIST));
        }
        let scopes = all.iter().map(|id| *id.as_bytes()).collect();
        let row = Row::unnamed(RowKey::named(LIST), RowClass::Documents, self.epoch());
        self.put_anew(compartment, row, &wire::encode(&DocumentListV1 { scopes })?)
    }
}
