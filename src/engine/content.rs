//! Contents of attachments: stored in slices, once per compartment, for as
//! long as an entry uses them in any of its revisions.
//!
//! A commit never puts a content that no entry uses, nor an entry that uses a
//! content which its compartment does not hold.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::Range;

use zeroize::Zeroizing;

use super::core::StateReader;
use super::list;
use super::slices::{Slices, digest_and_encrypt};
use super::transaction::{Content, Transaction};
use crate::codec::wire;
use crate::crypto::content_digest::{ContentDigest, RunningContentDigest};
use crate::crypto::digest::{Digest, RunningDigest};
use crate::error::{Error, ErrorKind};
use crate::format::object::KeyedRef;
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId};
use crate::parallel::beside;
use crate::payload::content::{ContentV1, slice_count, slice_len};
use crate::record::{Attachment, Entry, Location};
use crate::tree::{Row, RowClass, RowKey};

/// Most slices that one commit stores: 64 MiB.
const STEP: u64 = 64;

/// [`STEP`], or what this thread's test makes of it.
pub(crate) fn step() -> u64 {
    #[cfg(any(test, fuzzing))]
    if let Some((_, most)) = crate::seams::slices() {
        return most;
    }
    STEP
}

/// The contents that an entry uses.
pub(crate) fn stored_contents(entry: &Entry) -> impl Iterator<Item = ContentDigest> {
    entry.lent_attachments().filter_map(|attachment| match attachment.location {
        Some(Location::Stored(digest)) => Some(digest),
        _ => None,
    })
}

/// Whether a revision may name a content, as far as its row tells.
fn may_use_contents(row: &Row) -> bool {
    match row.class {
        RowClass::Entry => !list::card_of(row).is_ok_and(|card| !card.flags.attachment),
        class => class == RowClass::Superseded,
    }
}

impl StateReader<'_> {
    /// The head of a content, if the compartment holds it.
    pub(crate) fn content(
        &self,
        compartment: Compartment,
        digest: &ContentDigest,
    ) -> Result<Option<(Row, ContentV1)>, Error> {
        let row = self.row(compartment, &RowKey::content(digest))?;
        let Some(row) = row.filter(|row| row.class == RowClass::Content) else { return Ok(None) };
        let head = self.content_head(compartment, &row)?;
        if head.digest == *digest.as_bytes() { Ok(Some((row, head))) } else { Err(damaged_attachment()) }
    }

    /// The head that a row holds. It may claim no more slices than there are rows.
    pub(crate) fn content_head(&self, compartment: Compartment, row: &Row) -> Result<ContentV1, Error> {
        let head: ContentV1 = wire::decode(&self.core.open_row(compartment, row)?)?;
        let its_own = head.content == *row.id.as_bytes()
            && row.key == RowKey::content(&ContentDigest::from_bytes(head.digest))
            && head.slices < self.snapshot.place(compartment)?.rows;
        if its_own { Ok(head) } else { Err(damaged_attachment()) }
    }

    /// SHA-256 of a content, for which all of it is read.
    pub(crate) fn content_sha256(
        &self,
        compartment: Compartment,
        digest: &ContentDigest,
    ) -> Result<Digest, Error> {
        let (_, head) = self.content(compartment, digest)?.ok_or_else(damaged_attachment)?;
        let content = ContentId::from_bytes(head.content);
        let (mut sha256, mut whole) = (RunningDigest::default(), RunningContentDigest::default());
        for index in 0..head.slices {
            let bytes = self.slice(compartment, content, index)?.ok_or_else(damaged_attachment)?;
            sha256.update(&bytes);
            whole.update(&bytes);
        }
        if whole.finish() == *digest { Ok(sha256.finish()) } else { Err(damaged_attachment()) }
    }

    /// The bytes of a slice, if it is there.
    pub(crate) fn slice(
        &self,
        compartment: Compartment,
        content: ContentId,
        index: u64,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let row = self.row(compartment, &RowKey::slice(content, index))?;
        let row = row.filter(|row| row.class == RowClass::Slice);
        row.map(|row| self.core.open_row(compartment, &row)).transpose()
    }
}

/// How many bytes the slice of this index has, of a content of this size.
pub(crate) fn length_of_slice(size: u64, index: u64) -> u64 {
    let start = index.saturating_mul(slice_len() as u64);
    size.saturating_sub(start).min(slice_len() as u64)
}

pub(crate) fn damaged_attachment() -> Error {
    Error::Damaged { what: "attachment" }
}

impl Transaction<'_> {
    /// Stores the bytes of an attachment, up to 64 MiB of them, and gives an
    /// attachment that says where they are: to be completed with a title and
    /// put into an entry by the same commit. What no entry uses when the commit
    /// is made is not kept. The same bytes are stored once in a compartment.
    ///
    /// The writer's lock is held while the source is read. For more bytes, and
    /// to be able to go on after an interruption, there is
    /// [`Vault::attach`](crate::Vault::attach).
    ///
    /// # Errors
    /// [`Error::Source`], [`Error::TooLarge`], [`Error::NeedsCompartment`],
    /// [`Error::Invalid`] for a compartment that does not hold entries, [`Error::Store`],
    /// [`Error::Random`].
    pub fn store(&mut self, compartment: Compartment, source: &mut dyn Read) -> Result<Attachment, Error> {
        self.may_store(compartment)?;
        let half_done = std::mem::replace(&mut self.work.half_done, true);
        let content = self.draw_content_id()?;
        let (mut slices, mut digest) = (Slices::new(source), RunningContentDigest::default());
        let mut next = slices.next()?;
        let alone = next.as_ref().is_none_or(|slice| slice.content().len() < slice_len());
        beside(alone, digest_and_encrypt(&mut digest), |helper| {
            for index in 0.. {
                let Some(slice) = next.take() else { break };
                if index == step() {
                    return Err(Error::TooLarge);
                }
                helper.give(self.slice_job(compartment, content, index, slice));
                self.put_slices(compartment, helper, &mut slices, 1)?;
                next = slices.next()?;
            }
            self.put_slices(compartment, helper, &mut slices, 0)
        })?;
        let digest = digest.finish();
        self.complete_content(compartment, content, slices.size, digest)?;
        self.work.half_done = half_done;
        Ok(stored_attachment(Attachment::default(), slices.size, digest))
    }

    /// Whether contents can be stored in this compartment by this writer.
    pub(crate) fn may_store(&self, compartment: Compartment) -> Result<(), Error> {
        if !Compartment::HOLDING_ENTRIES.contains(&compartment) {
            return Err(Error::Invalid { what: "this compartment does not hold entries" });
        }
        self.snapshot.place(compartment).map(|_| ())
    }

    pub(crate) fn draw_content_id(&mut self) -> Result<ContentId, Error> {
        Ok(ContentId::from_bytes(self.work.random.bytes()?))
    }

    /// Makes slices that are all there a content; where the compartment holds
    /// the same content already, gives them up for that one.
    pub(crate) fn complete_content(
        &mut self,
        compartment: Compartment,
        content: ContentId,
        size: u64,
        digest: ContentDigest,
    ) -> Result<(), Error> {
        let slices = slice_count(size);
        if self.content(compartment, digest)?.is_some() {
            return self.remove_slices(compartment, content, 0..slices);
        }
        let head = ContentV1 {
            content: *content.as_bytes(),
            size,
            digest: *digest.as_bytes(),
            slices,
            users: Vec::new(),
        };
        let content = Content { head, stored: None, changed: true };
        self.work.contents.insert((compartment, digest), content);
        Ok(())
    }

    /// Removes slices, and erases those that an earlier commit stored.
    pub(crate) fn remove_slices(
        &mut self,
        compartment: Compartment,
        content: ContentId,
        indexes: Range<u64>,
    ) -> Result<(), Error> {
        for index in indexes {
            let key = RowKey::slice(content, index);
            let before = self.reader().row(compartment, &key)?;
            // What is missing already must not keep the rest from being removed.
            let Some(current) = self.row(compartment, &key)? else { continue };
            match before {
                Some(_) if current.epoch != self.epoch() => {
                    self.work.withdraws = true;
                    self.remove_row(compartment, &current)?;
                }
                Some(_) => self.change(compartment, key, None)?,
                None => self.forget_change(compartment, &key),
            }
        }
        Ok(())
    }

    /// Takes back what this commit put: it was never part of the vault.
    fn forget_change(&mut self, compartment: Compartment, key: &RowKey) {
        if let Some(changes) = self.work.changes.get_mut(compartment.index()) {
            changes.remove(key);
        }
    }

    /// A content with the changes of this commit.
    pub(super) fn content(
        &mut self,
        compartment: Compartment,
        digest: ContentDigest,
    ) -> Result<Option<&mut Content>, Error> {
        let at = (compartment, digest);
        if !self.work.contents.contains_key(&at) {
            if self.row(compartment, &RowKey::content(&digest))?.is_none() {
                return Ok(None);
            }
            let Some((row, head)) = self.reader().content(compartment, &digest)? else { return Ok(None) };
            let stored = row.object.as_ref().map(KeyedRef::duplicate);
            self.work.contents.insert(at, Content { head, stored, changed: false });
        }
        Ok(self.work.contents.get_mut(&at))
    }

    /// Makes an entry a user of the contents that it names.
    pub(crate) fn use_contents(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        entry: &Entry,
    ) -> Result<(), Error> {
        let used: Vec<ContentDigest> = stored_contents(entry).collect();
        // All are looked for before any is changed.
        for digest in &used {
            self.content(compartment, *digest)?.ok_or(Error::NoSuchContent)?;
        }
        for digest in used {
            let content = self.content(compartment, digest)?.ok_or(Error::NoSuchContent)?;
            let users = &mut content.head.users;
            if let Err(at) = users.binary_search(id.as_bytes()) {
                users.insert(at, *id.as_bytes());
                content.changed = true;
            }
        }
        Ok(())
    }

    /// The contents that a revision of an entry uses.
    pub(crate) fn contents_of(
        &self,
        compartment: Compartment,
        revision: &Row,
    ) -> Result<BTreeSet<ContentDigest>, Error> {
        match self.core.open_entry(compartment, revision) {
            Err(error) if error.kind() == ErrorKind::Damaged => {
                self.contents_of_unreadable(compartment, revision)
            }
            entry => Ok(stored_contents(&entry?).collect()),
        }
    }

    /// The contents of which the entry of a revision that cannot be read is said to
    /// be a user.
    pub(crate) fn contents_of_unreadable(
        &self,
        compartment: Compartment,
        revision: &Row,
    ) -> Result<BTreeSet<ContentDigest>, Error> {
        if !may_use_contents(revision) {
            return Ok(BTreeSet::new());
        }
        let mut used = BTreeSet::new();
        for row in self.rows_where(compartment, |row| row.class == RowClass::Content)? {
            let head = self.reader().content_head(compartment, &row)?;
            if head.users.binary_search(revision.id.as_bytes()).is_ok() {
                used.insert(ContentDigest::from_bytes(head.digest));
            }
        }
        Ok(used)
    }

    fn rows_where(
        &self,
        compartment: Compartment,
        is_wanted: impl Fn(&Row) -> bool,
    ) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        self.reader().trie(compartment)?.scan(&mut |row| {
            if is_wanted(row) {
                rows.push(row.duplicate());
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// A head that cannot be read, made anew from the slices and from the entries
    /// that this commit leaves in the vault.
    fn derive_head(
        &self,
        compartment: Compartment,
        digest: ContentDigest,
        row: &Row,
    ) -> Result<ContentV1, Error> {
        let content = row.content_id();
        let slices = self.rows_where(compartment, |other| {
            other.class == RowClass::Slice && other.content_id() == content
        })?;
        let mut indexes: Vec<u64> = slices.iter().map(|slice| slice.revision).collect();
        indexes.sort_unstable();
        if !indexes.iter().copied().eq(0..slices.len() as u64) {
            return Err(damaged_attachment());
        }
        let users = self.users_of(compartment, digest)?;
        let size = match indexes.last() {
            // A content that goes with its last user needs no size.
            Some(_) if users.is_empty() => 0,
            Some(last) => {
                let bytes =
                    self.reader().slice(compartment, content, *last)?.ok_or_else(damaged_attachment)?;
                last * slice_len() as u64 + bytes.len() as u64
            }
            None => 0,
        };
        let (content, slices) = (*content.as_bytes(), slices.len() as u64);
        Ok(ContentV1 { content, size, digest: *digest.as_bytes(), slices, users })
    }

    /// The entries that name a content in a revision which this commit leaves in
    /// the vault, ascending.
    fn users_of(&self, compartment: Compartment, digest: ContentDigest) -> Result<Vec<[u8; 16]>, Error> {
        let is_left = |row: &Row| match self.row(compartment, &row.key) {
            Ok(row) => row.is_some(),
            Err(_) => true,
        };
        let mut users = BTreeSet::new();
        for row in self.rows_where(compartment, |row| may_use_contents(row) && is_left(row))? {
            let entry = self.core.open_entry(compartment, &row)?;
            if stored_contents(&entry).any(|used| used == digest) {
                users.insert(*row.id.as_bytes());
            }
        }
        Ok(users.into_iter().collect())
    }

    /// A content with the changes of this commit, even if its head cannot be read.
    fn content_or_derived(
        &mut self,
        compartment: Compartment,
        digest: ContentDigest,
    ) -> Result<Option<&mut Content>, Error> {
        let is_damaged = self.content(compartment, digest).is_err_and(|e| e.kind() == ErrorKind::Damaged);
        if is_damaged && let Some(row) = self.row(compartment, &RowKey::content(&digest))? {
            let head = self.derive_head(compartment, digest, &row)?;
            self.work
                .contents
                .insert((compartment, digest), Content { head, stored: row.object, changed: true });
        }
        self.content(compartment, digest)
    }

    /// Makes an expunged entry no longer a user; a content goes with its last one.
    pub(crate) fn give_up_contents(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        contents: BTreeSet<ContentDigest>,
    ) -> Result<(), Error> {
        for digest in contents {
            let Some(content) = self.content_or_derived(compartment, digest)? else { continue };
            content.head.users.retain(|user| user != id.as_bytes());
            content.changed = true;
            if !content.head.users.is_empty() {
                continue;
            }
            let Some(content) = self.work.contents.remove(&(compartment, digest)) else { continue };
            let (id, slices) = (ContentId::from_bytes(content.head.content), content.head.slices);
            self.remove_slices(compartment, id, 0..slices)?;
            let key = RowKey::content(&digest);
            match &content.stored {
                Some(object) => {
                    self.erase(compartment, object);
                    self.change(compartment, key, None)?;
                }
                None => self.forget_change(compartment, &key),
            }
        }
        Ok(())
    }

    /// Puts the heads that changed, and gives up what no entry came to use.
    pub(crate) fn write_contents(&mut self) -> Result<(), Error> {
        for ((compartment, digest), content) in std::mem::take(&mut self.work.contents) {
            let id = ContentId::from_bytes(content.head.content);
            if content.head.users.is_empty() {
                self.remove_slices(compartment, id, 0..content.head.slices)?;
                continue;
            }
            if !content.changed {
                continue;
            }
            if let Some(before) = &content.stored {
                self.supersede(compartment, before);
            }
            let mut row = Row::unnamed(RowKey::content(&digest), RowClass::Content, self.epoch());
            row.id = EntryId::from_bytes(content.head.content);
            self.put_encrypted(compartment, row, &wire::encode(&content.head)?)?;
        }
        Ok(())
    }
}

/// An attachment whose bytes are stored in the vault.
pub(crate) fn stored_attachment(attachment: Attachment, size: u64, digest: ContentDigest) -> Attachment {
    Attachment { size: Some(size), location: Some(Location::Stored(digest)), ..attachment }
}
