//! What a compartment remembers of imports: rows that say what each brought, as long as any of
//! it is there. The last entry of a document takes along that the document ever came.

use std::collections::{BTreeMap, BTreeSet};

use super::core::StateReader;
use super::transaction::Transaction;
use crate::codec::wire;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::payload::imports::{AnswerV1, DocumentV1, ImportV1};
use crate::record::Entry;
use crate::tree::{Row, RowClass, RowKey};

/// The document that a revision was made of, as imports are remembered by it.
pub(crate) fn document_of(entry: &Entry) -> Option<&str> {
    entry.provenance.document.as_ref().map(|document| document.as_str())
}

/// The documents of an entry's revisions by the commits that wrote them; none where a revision
/// cannot be read.
#[derive(Default)]
pub(crate) struct Written(BTreeMap<Epoch, Option<BTreeSet<Option<String>>>>);

impl Written {
    /// Takes in a revision.
    pub(crate) fn add(&mut self, epoch: Epoch, entry: Option<&Entry>) {
        let documents = self.0.entry(epoch).or_insert_with(|| Some(BTreeSet::new()));
        match (entry, documents) {
            (Some(entry), Some(documents)) => {
                documents.insert(document_of(entry).map(str::to_owned));
            }
            (None, documents) => *documents = None,
            (Some(_), None) => {}
        }
    }
}

impl StateReader<'_> {
    /// What an import brought, as its row in a compartment says.
    pub(crate) fn import_in(&self, compartment: Compartment, row: &Row) -> Result<ImportV1, Error> {
        Ok(wire::decode(&self.core.open_row(compartment, row)?)?)
    }

    /// What every import brought into the compartments that are open, by their commits.
    pub(crate) fn import_rows(&self) -> Result<Vec<(Compartment, Epoch, ImportV1)>, Error> {
        let mut imports = Vec::new();
        for compartment in self.open_compartments_and_sealed() {
            let mut rows = Vec::new();
            self.trie(compartment)?.scan(&mut |row| {
                if row.class == RowClass::Import {
                    rows.push(row.duplicate());
                }
                Ok(())
            })?;
            for row in rows {
                imports.push((compartment, row.epoch, self.import_in(compartment, &row)?));
            }
        }
        imports.sort_by_key(|(compartment, epoch, _)| (*epoch, *compartment));
        Ok(imports)
    }
}

impl Transaction<'_> {
    /// Puts what an import brought into a compartment with this commit, or anew.
    pub(crate) fn put_import(
        &mut self,
        compartment: Compartment,
        epoch: Epoch,
        import: &ImportV1,
    ) -> Result<(), Error> {
        let row = Row::unnamed(RowKey::import(self.core.scope.vault, epoch), RowClass::Import, epoch);
        self.put_anew(compartment, row, &wire::encode(import)?)
    }

    /// An entry comes to a compartment from another one, and with it what is remembered of the
    /// imports that brought it: its part of a count, the scopes of its documents, answers about
    /// documents, and whom an import only refers to. Answers about people stay behind, as they
    /// may name somebody whom only others name.
    pub(crate) fn carry_brought(
        &mut self,
        from: Compartment,
        to: Compartment,
        written: &Written,
    ) -> Result<(), Error> {
        for (epoch, documents) in &written.0 {
            let documents = documents.as_ref().ok_or(Error::Damaged { what: "entry" })?;
            // A row that is damaged goes with an expungement; a move loses nothing.
            let open = Compartment::HOLDING_ENTRIES.into_iter();
            let open = open.filter(|compartment| self.snapshot.place(*compartment).is_ok());
            open.map(|compartment| self.import_left(compartment, *epoch)).collect::<Result<Vec<_>, _>>()?;
            let (there, here) = (self.import_left(from, *epoch)?, self.import_left(to, *epoch)?);
            let Some(mut import) = here.or_else(|| there.as_ref().map(ImportV1::without_documents)) else {
                continue;
            };
            if let Some(there) = &there {
                import.answers_from(there);
            }
            for name in documents {
                let scope = there.as_ref().and_then(|there| there.scope_of(name));
                match import.documents.binary_search_by(|document| document.name.cmp(name)) {
                    Ok(at) => import.documents.iter_mut().skip(at).take(1).for_each(|it| it.entries += 1),
                    Err(at) => {
                        let scope = scope.map_or_else(|| self.work.random.bytes(), Ok)?;
                        import.documents.insert(at, DocumentV1 { name: name.clone(), scope, entries: 1 });
                    }
                }
            }
            self.work.imports.insert((to, *epoch), Some(import));
        }
        Ok(())
    }

    /// What is remembered of an import, as this commit leaves it so far.
    pub(super) fn import_left(
        &self,
        compartment: Compartment,
        epoch: Epoch,
    ) -> Result<Option<ImportV1>, Error> {
        if let Some(pending) = self.work.imports.get(&(compartment, epoch)) {
            return Ok(pending.clone());
        }
        let key = RowKey::import(self.core.scope.vault, epoch);
        let row = self.reader().row(compartment, &key)?;
        row.map(|row| self.reader().import_in(compartment, &row)).transpose()
    }

    /// An entry goes, and with it what is remembered of the imports that brought it: its part
    /// of a count, a document of which nothing else is there, and answers about people, which
    /// may name somebody whom this entry alone names. A row that is damaged goes.
    pub(crate) fn forget_brought(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        written: Written,
    ) -> Result<(), Error> {
        for (epoch, documents) in written.0 {
            let Some(mut import) = self.pending_import(compartment, epoch)? else { continue };
            match documents {
                Some(documents) => {
                    for brought in import.documents.iter_mut().filter(|one| documents.contains(&one.name)) {
                        brought.entries = brought.entries.saturating_sub(1);
                    }
                }
                None => self.count_anew(compartment, epoch, id, &mut import)?,
            }
            import.documents.retain(|document| document.entries > 0);
            self.work.imports.insert((compartment, epoch), Some(import));
            for other in Compartment::HOLDING_ENTRIES {
                if let Some(mut import) = self.pending_import(other, epoch)? {
                    import.forget_people();
                    self.work.imports.insert((other, epoch), Some(import));
                }
            }
        }
        Ok(())
    }

    /// The same, where a row that is damaged goes.
    fn pending_import(&mut self, compartment: Compartment, epoch: Epoch) -> Result<Option<ImportV1>, Error> {
        if self.snapshot.place(compartment).is_err() {
            return Ok(None);
        }
        let key = RowKey::import(self.core.scope.vault, epoch);
        let is_there = || matches!(self.reader().row(compartment, &key), Ok(Some(_)));
        match self.import_left(compartment, epoch) {
            Err(error) if error.kind() == ErrorKind::Damaged && is_there() => {
                self.work.imports.insert((compartment, epoch), None);
                Ok(None)
            }
            import => import,
        }
    }

    /// Counts what is left of an import besides an entry that cannot be read, nor told of which
    /// document it was.
    fn count_anew(
        &self,
        compartment: Compartment,
        epoch: Epoch,
        gone: EntryId,
        import: &mut ImportV1,
    ) -> Result<(), Error> {
        let mut rows = Vec::new();
        self.reader().trie(compartment)?.scan(&mut |row| {
            let is_revision = matches!(row.class, RowClass::Entry | RowClass::Superseded);
            if is_revision && row.epoch == epoch && row.id != gone {
                rows.push(row.duplicate());
            }
            Ok(())
        })?;
        let mut left: BTreeSet<(Option<String>, EntryId)> = BTreeSet::new();
        for row in rows.iter().filter(|row| !self.is_removed(compartment, &row.key)) {
            if let Ok(entry) = self.core.open_entry(compartment, row) {
                left.insert((document_of(&entry).map(str::to_owned), row.id));
            }
        }
        for document in &mut import.documents {
            document.entries = left.iter().filter(|(name, _)| *name == document.name).count() as u64;
        }
        Ok(())
    }

    fn is_removed(&self, compartment: Compartment, key: &RowKey) -> bool {
        let changes = self.work.changes.get(compartment.index());
        changes.and_then(|changes| changes.get(key)).is_some_and(Option::is_none)
    }

    /// Nothing is remembered any more of an import whose revisions this commit takes back.
    pub(crate) fn forget_import(&mut self, compartment: Compartment, epoch: Epoch) {
        self.work.imports.insert((compartment, epoch), None);
    }

    /// Drops what was answered to some imports, by their numbers.
    pub(crate) fn drop_answers(&mut self, is_dropped: impl Fn(Epoch) -> bool) -> Result<(), Error> {
        for (compartment, epoch, before) in self.reader().import_rows()? {
            let pending = self.work.imports.get(&(compartment, epoch)).cloned();
            let Some(mut import) = pending.unwrap_or(Some(before)) else { continue };
            let answers = import.answers.len();
            import.answers.retain(|answer| !is_dropped(Epoch::new(answer.epoch)));
            if import.answers.len() < answers {
                self.work.imports.insert((compartment, epoch), Some(import));
            }
        }
        Ok(())
    }

    /// Puts what is left of imports of which this commit took something.
    pub(crate) fn write_imports(&mut self) -> Result<(), Error> {
        for ((compartment, epoch), import) in std::mem::take(&mut self.work.imports) {
            match import.filter(|import| !import.documents.is_empty()) {
                Some(import) => self.put_import(compartment, epoch, &import)?,
                None => self.take_away(compartment, &RowKey::import(self.core.scope.vault, epoch))?,
            }
        }
        Ok(())
    }
}

impl ImportV1 {
    /// The same import where nothing of it is yet.
    fn without_documents(&self) -> Self {
        Self { documents: Vec::new(), answers: Vec::new(), unnamed: self.unnamed.clone() }
    }

    /// The scope of a document, if the import brought it.
    pub(crate) fn scope_of(&self, name: &Option<String>) -> Option<[u8; 16]> {
        self.documents.iter().find(|document| document.name == *name).map(|document| document.scope)
    }

    /// Takes over whom the same import only refers to elsewhere, and the answers that are not
    /// about other people.
    fn answers_from(&mut self, other: &Self) {
        self.unnamed = self.unnamed.take().or_else(|| other.unnamed.clone());
        let mut others = Self { unnamed: self.unnamed.clone(), ..other.clone() };
        others.forget_people();
        let is_new = |answer: &AnswerV1| !self.answers.contains(answer);
        let new: Vec<AnswerV1> = others.answers.into_iter().filter(is_new).collect();
        self.answers.extend(new);
    }

    /// Drops answers about people, but for one that says whose the records are to which the
    /// import only refers.
    fn forget_people(&mut self) {
        let kept = self.unnamed.as_ref().map(|unnamed| unnamed.answer);
        self.answers.retain(|answer| !answer.is_of_person || Some(answer.digest) == kept);
    }
}
