//! One commit: ledger rows and a link, tries, places, one new root, published.
//!
//! What a withdrawing commit takes out of the vault is named by its root.

use super::core::Snapshot;
use super::links::Links;
use super::transaction::Transaction;
use crate::crypto::boxes::encrypt_committed;
use crate::error::Error;
use crate::format::context::Purpose;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::format::place::{Compartment, LedgerHead, PLACES, Place};
use crate::format::root::{ERASE_CAPACITY, PlaceBox, Root};
use crate::id::{CommitId, Epoch};
use crate::payload::catalogue::EraseListV1;
use crate::store::Publication;
use crate::tree::{Changes, Row, RowClass, RowKey, Trie, TrieUpdate};

impl Transaction<'_> {
    /// Writes and publishes everything; `None` when nothing was changed.
    pub(crate) fn commit(mut self, new_area: Option<(u64, Vec<u8>)>) -> Result<Option<Snapshot>, Error> {
        if !self.work.half_done {
            self.write_contents()?;
        }
        let unchanged = self.work.changes.iter().all(Changes::is_empty) && self.work.lines.is_empty();
        if unchanged && new_area.is_none() {
            return Ok(None);
        }
        if self.work.half_done {
            return Err(Error::Invalid {
                what: "a change of this commit failed half-way: nothing was written",
            });
        }
        let least_reader = self.least_reader()?;
        let epoch = self.epoch();
        self.write_redacted()?;
        let links = self.write_history(epoch)?;
        let mut places = self.write_tries(epoch)?;
        if self.snapshot.is_before_creation() {
            for place in places.iter_mut().filter(|place| place.is_none()) {
                *place = Some(Place::empty(epoch));
            }
        }
        links.set_heads(epoch, &mut places);
        self.publish(epoch, least_reader, places, new_area).map(Some)
    }

    /// What the new root asks of readers: what the last one did, or more where
    /// this commit puts rows that older readers do not know. It never falls, as
    /// nobody sees the rows of every compartment.
    fn least_reader(&self) -> Result<u16, Error> {
        let current = self.snapshot.root.least_reader;
        let rows = self.work.changes.iter().flat_map(|changes| changes.values().flatten());
        let needed = rows.map(|row| row.class.least_reader()).fold(current, u16::max);
        let pinned = self.work.pinned.reader();
        if needed > pinned.max(current) {
            return Err(Error::NeedsNewerReader { needed, pinned });
        }
        Ok(needed)
    }

    /// Puts the ledger rows and the link of this commit.
    pub(crate) fn write_history(&mut self, epoch: Epoch) -> Result<Links, Error> {
        let lines = std::mem::take(&mut self.work.lines);
        let previous = self.snapshot.place(Compartment::Record)?.ledger.link;
        let previous_root = self.snapshot.root_digest();
        let links = Links::build(&mut self.work.random, epoch, self.time, previous, previous_root, lines)?;
        for (compartment, ledger) in &links.ledgers {
            let content = crate::codec::wire::encode(ledger)?;
            let key = RowKey::ledger(self.core.scope.vault, epoch);
            self.put_encrypted(*compartment, Row::unnamed(key, RowClass::Ledger, epoch), &content)?;
        }
        let mut row = Row::unnamed(RowKey::link(self.core.scope.vault, epoch), RowClass::Link, epoch);
        row.inline = crate::codec::wire::encode(&links.link)?;
        self.put_row(Compartment::Record, row)?;
        Ok(links)
    }

    /// Writes the tries that changed; the others' places stay as they are.
    fn write_tries(&mut self, epoch: Epoch) -> Result<[Option<Place>; PLACES], Error> {
        let changes = std::mem::replace(&mut self.work.changes, std::array::from_fn(|_| Changes::new()));
        let mut places = [const { None }; PLACES];
        for ((compartment, changes), place) in Compartment::ALL.into_iter().zip(changes).zip(&mut places) {
            let renewed = self.work.renewed.is_some_and(|renewed| renewed.includes(compartment));
            if changes.is_empty() && !renewed {
                continue;
            }
            let current = self.snapshot.place(compartment)?;
            let trie = Trie {
                store: &*self.core.store,
                cache: &self.core.cache,
                scope: self.core.scope,
                compartment,
                root: current.trie.as_ref(),
                rows: current.rows,
                live: current.live,
            };
            let update = match changes.is_empty() {
                true => trie.renew_root(&mut self.work.objects())?,
                false => trie.update(changes, &mut self.work.objects())?,
            };
            #[cfg(test)]
            let update =
                TrieUpdate { superseded: crate::testing::sabotaged_erasure(update.superseded), ..update };
            if self.work.withdraws {
                self.work.erase.extend(update.superseded);
            }
            let TrieUpdate { root: trie, rows, live, .. } = update;
            *place = Some(Place { epoch, trie, rows, ledger: current.ledger, live });
        }
        Ok(places)
    }

    pub(crate) fn publish(
        mut self,
        epoch: Epoch,
        least_reader: u16,
        changed: [Option<Place>; PLACES],
        new_area: Option<(u64, Vec<u8>)>,
    ) -> Result<Snapshot, Error> {
        let boxes = self.encrypt_places(&changed)?;
        let (erase, erase_list) = self.write_erase_list()?;
        let (area_generation, area_bytes) = match &new_area {
            Some((generation, bytes)) => (*generation, bytes.clone()),
            None => (self.snapshot.root.area_generation, self.snapshot.area_bytes.clone()),
        };
        let root = Root {
            epoch,
            commit: CommitId::from_bytes(self.work.random.bytes()?),
            previous: self.snapshot.root_digest(),
            area_generation,
            area_digest: match &new_area {
                Some((_, bytes)) => crate::format::area::Area::digest(bytes),
                None => self.snapshot.root.area_digest,
            },
            least_reader,
            append_end: self.work.writer.append_end(),
            erase,
            erase_list,
            places: boxes,
        };
        let context = self.core.root_context().bytes();
        let root_bytes = encrypt_committed(
            &mut self.work.random,
            &self.core.keyring.root_key(),
            &context,
            &root.encode(),
        )?;
        self.work.writer.publish(&Publication {
            expected: &self.snapshot.root_bytes,
            area: &self.snapshot.area_bytes,
            root: &root_bytes,
            new_area: new_area.as_ref().map(|(_, bytes)| bytes.as_slice()),
            withdraws: self.work.withdraws,
            erase: &self.work.erase,
        })?;
        let mut places = changed;
        for (place, known) in places.iter_mut().zip(&self.snapshot.places) {
            if place.is_none() {
                *place = known.as_ref().map(Place::duplicate);
            }
        }
        Ok(Snapshot { root, root_bytes, area_bytes, places, settled: true })
    }

    /// Every place whose key is held is encrypted anew, changed or not, so that
    /// nobody without its key sees which ones changed; the others are carried over.
    fn encrypt_places(&mut self, changed: &[Option<Place>; PLACES]) -> Result<[PlaceBox; PLACES], Error> {
        let mut boxes = self.snapshot.root.places.clone();
        let known = self.snapshot.places.iter();
        let places = changed.iter().zip(known).map(|(changed, known)| changed.as_ref().or(known.as_ref()));
        for ((compartment, place), stored) in Compartment::ALL.into_iter().zip(places).zip(&mut boxes) {
            if let Some(place) = place
                && let Some(encrypted) = self.core.encrypt_place(&mut self.work.random, compartment, place)?
            {
                *stored = encrypted;
            }
        }
        Ok(boxes)
    }

    /// What the root names itself, and the object that names the rest.
    fn write_erase_list(&mut self) -> Result<(Vec<ObjectRef>, Option<KeyedRef>), Error> {
        let (first, rest) = match self.work.erase.split_at_checked(ERASE_CAPACITY) {
            Some((first, rest)) if !rest.is_empty() => (first.to_vec(), rest),
            _ => return Ok((self.work.erase.clone(), None)),
        };
        let objects = rest.iter().map(|object| (object.reference, object.length)).collect();
        let content = crate::codec::wire::encode(&EraseListV1 { objects })?;
        let context = self.core.scope.context(Purpose::EraseList);
        let list = self.work.objects().encrypt(&context, &content)?;
        Ok((first, Some(list)))
    }
}

/// The heads of the compartments that a commit's leaves concern.
impl Links {
    pub(crate) fn set_heads(&self, epoch: Epoch, places: &mut [Option<Place>; PLACES]) {
        let head = LedgerHead { epoch, link: self.digest };
        for (compartment, place) in Compartment::ALL.into_iter().zip(places) {
            let concerned =
                compartment == Compartment::Record || self.ledgers.iter().any(|(c, _)| *c == compartment);
            if let Some(place) = place
                && concerned
            {
                place.ledger = head;
            }
        }
    }
}
