//! Ledger lines of an expunged entry: destroyed, while the chain still verifies.

use super::links::leaf_digest;
use super::transaction::Transaction;
use crate::codec::wire;
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::payload::history::{LeafBodyV1, LeafV1};
use crate::tree::{Row, RowKey};

impl Transaction<'_> {
    /// Destroys the lines of a commit that tell of this entry alone; the
    /// leaves' digests stay, so that the chain still verifies.
    pub(crate) fn destroy_lines(
        &mut self,
        compartment: Compartment,
        epoch: Epoch,
        id: EntryId,
    ) -> Result<(), Error> {
        let key = RowKey::ledger(self.core.scope.vault, epoch);
        let Some(row) = self.row(compartment, &key)? else { return Ok(()) };
        if self.core.told().is_shared(compartment, epoch) {
            return Ok(());
        }
        if self.is_changed(compartment, &key) {
            // Given up before by this commit.
            return Ok(());
        }
        // What this commit itself destroyed in the row before is not stored yet.
        let pending = self.work.redacted.remove(&(compartment, epoch));
        let is_first = pending.is_none();
        let mut ledger = match pending {
            Some(ledger) => ledger,
            None => match self.reader().ledger_of(compartment, &row) {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    return self.give_up_lines(compartment, row);
                }
                ledger => ledger?,
            },
        };
        let mut destroyed = false;
        let alone =
            |leaf: &LeafV1| matches!(&leaf.body, LeafBodyV1::Line(_, line) if line.subjects.len() == 1);
        if is_first && !ledger.leaves.iter().any(alone) {
            self.core.told().set_shared(compartment, epoch);
        }
        for leaf in &mut ledger.leaves {
            if let LeafBodyV1::Line(salt, line) = &leaf.body
                && line.subjects == [*id.as_bytes()]
            {
                leaf.body = LeafBodyV1::Destroyed(*leaf_digest(salt, line)?.as_bytes());
                destroyed = true;
            }
        }
        if let Some(object) = row.object.as_deref().filter(|_| is_first && destroyed) {
            self.erase(compartment, object);
        }
        if destroyed || !is_first {
            self.work.redacted.insert((compartment, epoch), ledger);
        }
        Ok(())
    }

    /// Erases lines that cannot be read, of which some may tell of the entry alone.
    /// The row stays, so that the commit is known for one whose lines are damaged,
    /// and names bytes that nobody has: no backup may give them back.
    fn give_up_lines(&mut self, compartment: Compartment, mut row: Row) -> Result<(), Error> {
        if let Some(object) = &mut row.object {
            self.erase(compartment, object);
            object.key = ContentKey::from_secret(self.work.random.secret()?);
            object.digest = ObjectDigest::from_bytes(self.work.random.bytes()?);
        }
        self.put_row(compartment, row)
    }

    /// Puts the ledger rows of which lines were destroyed.
    pub(crate) fn write_redacted(&mut self) -> Result<(), Error> {
        for ((compartment, epoch), ledger) in std::mem::take(&mut self.work.redacted) {
            let key = RowKey::ledger(self.core.scope.vault, epoch);
            if let Some(row) = self.row(compartment, &key)? {
                self.put_encrypted(compartment, row, &wire::encode(&ledger)?)?;
            }
        }
        Ok(())
    }
}
