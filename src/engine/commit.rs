//! One commit: ledger rows and a link, tries, places, one new root, published.
//!
//! What a withdrawing commit takes out of a compartment is named by the compartment's place.

use super::core::Snapshot;
use super::facts::{Action, Role};
use super::links::{Links, Telling};
use super::transaction::Transaction;
use crate::crypto::boxes::encrypt_committed;
use crate::error::Error;
use crate::format::object::KeyedRef;
use crate::format::place::{Compartment, LedgerHead, PLACES, Place};
use crate::format::root::{PlaceBox, Root};
use crate::id::{CommitId, Epoch};
use crate::payload::catalogue::EraseListV1;
use crate::payload::history::SegmentSpanV1;
use crate::store::{Publication, StoreWriter};
use crate::tree::{Changes, Row, RowClass, RowKey, Trie, TrieUpdate};

impl Transaction<'_> {
    /// Writes and publishes everything; `None` when nothing was changed.
    pub(crate) fn commit(self, new_area: Option<(u64, Vec<u8>)>) -> Result<Option<Snapshot>, Error> {
        Ok(self.commit_and_tell(new_area)?.map(|(published, _)| published))
    }

    /// The same, with what everybody who opens the vault is told of the commit.
    pub(crate) fn commit_and_tell(
        mut self,
        new_area: Option<(u64, Vec<u8>)>,
    ) -> Result<Option<(Snapshot, Action)>, Error> {
        if !self.work.half_done {
            self.write_contents()?;
            self.settle_accounts()?;
            self.write_stories()?;
            self.drop_documents()?;
            self.write_imports()?;
        }
        let unchanged = self.work.changes.iter().all(Changes::is_empty)
            && self.work.lines.is_empty()
            && self.work.common.is_none();
        if unchanged && new_area.is_none() {
            return Ok(None);
        }
        if self.work.half_done {
            return Err(Error::Invalid {
                what: "a change of this commit failed half-way: nothing was written",
            });
        }
        let epoch = self.epoch();
        let before = &self.snapshot.root.segment;
        let before = match self.snapshot.is_before_creation() {
            true => SegmentSpanV1::default(),
            false => SegmentSpanV1 {
                start: before.start,
                end: before.end,
                parts: before.parts,
                digest: *before.digest.as_bytes(),
            },
        };
        let told = self.common_action();
        let links = self.write_history(epoch, before)?;
        let mut places = self.write_tries(epoch)?;
        if self.snapshot.is_before_creation() {
            for place in places.iter_mut().filter(|place| place.is_none()) {
                *place = Some(Place::empty(epoch));
            }
        }
        links.set_heads(epoch, &mut places);
        Ok(Some((self.publish(epoch, places, new_area)?, told)))
    }

    /// Puts the ledger rows and the link of this commit; `before` is what the one before it
    /// appended to this file.
    fn write_history(&mut self, epoch: Epoch, before: SegmentSpanV1) -> Result<Links, Error> {
        let links = self.write_link(epoch, before)?;
        for compartment in Compartment::ALL {
            self.write_ledger(&links, compartment)?;
        }
        Ok(links)
    }

    /// Puts the link of this commit, which names what its ledger rows will hold.
    pub(crate) fn write_link(&mut self, epoch: Epoch, before: SegmentSpanV1) -> Result<Links, Error> {
        if epoch <= self.snapshot.root.epoch {
            return Err(Error::Damaged { what: "root" });
        }
        let action = self.common_action();
        let telling = Telling {
            epoch,
            time: self.time,
            action,
            // Who did what others do not see is for those who do.
            role: if action == Action::Renewed { Role::Software } else { self.actor.role() },
            previous_link: self.snapshot.place(Compartment::Record)?.ledger.link,
            previous_root: self.snapshot.root_digest(),
            segment: before,
        };
        let lines = std::mem::take(&mut self.work.lines);
        let links = Links::build(&mut self.work.random, &telling, lines)?;
        let mut row = Row::unnamed(RowKey::link(self.core.scope.vault, epoch), RowClass::Link, epoch);
        row.inline = crate::codec::wire::encode(&links.link)?.into();
        self.put_row(Compartment::Record, row)?;
        Ok(links)
    }

    /// Puts this commit's ledger row of a compartment, if it has lines there.
    pub(crate) fn write_ledger(&mut self, links: &Links, compartment: Compartment) -> Result<(), Error> {
        let epoch = self.epoch();
        for (_, ledger) in links.ledgers.iter().filter(|(place, _)| *place == compartment) {
            let content = crate::codec::wire::encode(ledger)?;
            let key = RowKey::ledger(self.core.scope.vault, epoch);
            self.put_encrypted(compartment, Row::unnamed(key, RowClass::Ledger, epoch), &content)?;
        }
        Ok(())
    }

    /// What everybody who opens the vault is told: the same of every commit that changed
    /// nothing but what others see.
    fn common_action(&self) -> Action {
        let is_seen = |compartment: Compartment| {
            let changes = self.work.changes.get(compartment.index());
            changes.is_some_and(|changes| !changes.is_empty())
                || self.work.lines.iter().any(|(place, _)| *place == compartment)
        };
        let is_seen = is_seen(Compartment::Record) || is_seen(Compartment::General);
        #[cfg(test)]
        if crate::testing::sabotaged_action() && !self.work.changes.iter().all(Changes::is_empty) {
            return Action::Changed;
        }
        match self.work.common {
            Some(said @ (Action::Released | Action::Imported)) if is_seen => said,
            None | Some(Action::Released | Action::Imported) if is_seen => Action::Changed,
            None | Some(Action::Released | Action::Imported) => Action::Renewed,
            Some(said) => said,
        }
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
            if let Some(erase) = self.work.erase.get_mut(compartment.index()) {
                // Pages of a compartment from which nothing is withdrawn stay: that they go
                // would show who compares two copies of the file where it was changed.
                let is_due = self.work.withdraws && (renewed || !erase.is_empty());
                #[cfg(test)]
                let is_due = is_due || self.work.withdraws && crate::testing::sabotaged_pages();
                if is_due {
                    erase.extend(update.superseded);
                }
            }
            let TrieUpdate { root: trie, rows, live, .. } = update;
            let (ledger, least_reader) = (current.ledger, current.least_reader);
            *place = Some(Place { epoch, trie, rows, ledger, live, least_reader, erase: None });
        }
        Ok(places)
    }

    pub(crate) fn publish(
        mut self,
        epoch: Epoch,
        changed: [Option<Place>; PLACES],
        new_area: Option<(u64, Vec<u8>)>,
    ) -> Result<Snapshot, Error> {
        let places = self.renew_places(changed)?;
        let boxes = self.encrypt_places(&places)?;
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
            least_reader: self.snapshot.root.least_reader,
            segment: self.work.writer.end_segment()?,
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
            erase: &self.work.erase.concat(),
        })?;
        Ok(Snapshot { root, root_bytes, area_bytes, places, newer: self.snapshot.newer, settled: true })
    }

    /// Every place that is held as this commit leaves it: changed or not, with the list of
    /// what is withdrawn from it. The list of the commit before was finished and goes.
    fn renew_places(&mut self, changed: [Option<Place>; PLACES]) -> Result<[Option<Place>; PLACES], Error> {
        let known = self.snapshot;
        let mut places = changed;
        for ((compartment, known), place) in Compartment::ALL.into_iter().zip(&known.places).zip(&mut places)
        {
            if place.is_none() {
                *place = known.as_ref().map(Place::duplicate);
            }
            let erase = self.write_erase_list(compartment)?;
            if let Some(place) = place {
                place.erase = erase;
            }
        }
        Ok(places)
    }

    /// Every place whose key is held is encrypted anew, changed or not, so that
    /// nobody without its key sees which ones changed; the others are carried over.
    fn encrypt_places(&mut self, places: &[Option<Place>; PLACES]) -> Result<[PlaceBox; PLACES], Error> {
        let mut boxes = self.snapshot.root.places.clone();
        for ((compartment, place), stored) in Compartment::ALL.into_iter().zip(places).zip(&mut boxes) {
            #[cfg(test)]
            if crate::testing::sabotaged_places()
                && place.as_ref().is_some_and(|place| place.epoch != self.epoch())
            {
                continue;
            }
            if let Some(place) = place
                && let Some(encrypted) = self.core.encrypt_place(&mut self.work.random, compartment, place)?
            {
                *stored = encrypted;
            }
        }
        Ok(boxes)
    }

    /// The object that names what is withdrawn from a compartment, if anything is.
    fn write_erase_list(&mut self, compartment: Compartment) -> Result<Option<KeyedRef>, Error> {
        let withdrawn = self.work.erase.get(compartment.index()).map_or(&[][..], Vec::as_slice);
        if withdrawn.is_empty() {
            return Ok(None);
        }
        let objects = withdrawn.iter().map(|object| (object.reference, object.length)).collect();
        let content = crate::codec::wire::encode(&EraseListV1 { objects })?;
        let context = self.core.erase_context(compartment);
        Ok(Some(self.work.objects().encrypt(&context, &content)?))
    }
}

impl Snapshot {
    /// Starts the segment of the next commit, with parts for every tier of which a
    /// compartment is held, so that what a commit did in them does not show.
    /// They are longer where keys change: that shows anyway.
    pub(crate) fn start_segment(&self, writer: &mut dyn StoreWriter, keys_change: bool) {
        writer.start(self.root.segment.end);
        let held = Compartment::ALL.into_iter().filter(|compartment| self.place(*compartment).is_ok());
        let tiers: Vec<_> = held.map(Compartment::tier).collect();
        #[cfg(test)]
        let tiers = if crate::testing::sabotaged_parts() { Vec::new() } else { tiers };
        writer.set_apart(&tiers, keys_change);
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
