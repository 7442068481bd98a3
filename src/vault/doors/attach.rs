//! Attaching: bytes of any size as a stream into the vault. Up to 64 MiB are
//! one commit; more are several, and what is interrupted can be resumed.

use std::io::Read;
use std::time::SystemTime;

use crate::classify::compartment_of;
use crate::codec::wire;
use crate::crypto::content_digest::RunningContentDigest;
use crate::engine::actor::Actor;
use crate::engine::content::{step, stored_attachment};
use crate::engine::core::StateReader;
use crate::engine::slices::{Done, Job, Slice, Slices, digest_and_encrypt};
use crate::engine::time::from_milliseconds;
use crate::engine::transaction::{Committed, Transaction};
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId};
use crate::parallel::{Helper, beside};
use crate::payload::content::{UploadV1, slice_len};
use crate::record::{Attachment, AttachmentRecord, Entry, FieldType, Record, Value};
use crate::store::StoreError;
use crate::tree::{Row, RowClass, RowKey};
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;

/// What is to be attached, and to what.
pub struct NewAttachment {
    attachment: Attachment,
    target: Target,
    compartment: Option<Compartment>,
    size: Option<u64>,
}

enum Target {
    /// An entry of its own.
    Own,
    /// A new entry, which says what it is.
    New(Box<Entry>),
    /// An entry that is there, for this reason.
    Existing(EntryId, String),
}

impl NewAttachment {
    /// An attachment with this title, type and date, as an entry of its own.
    #[must_use]
    pub fn new(attachment: Attachment) -> Self {
        Self { attachment, target: Target::Own, compartment: None, size: None }
    }

    /// The same as part of a new entry, such as a note or a legal document.
    #[must_use]
    pub fn with_entry(mut self, entry: Entry) -> Self {
        self.target = Target::New(Box::new(entry));
        self
    }

    /// The same as part of an entry that is there; it gets a new revision.
    #[must_use]
    pub fn to_entry(mut self, id: EntryId, reason: &str) -> Self {
        self.target = Target::Existing(id, reason.to_owned());
        self
    }

    /// The same, in this compartment. An entry that is there stays where it is.
    #[must_use]
    pub fn in_compartment(mut self, compartment: Compartment) -> Self {
        self.compartment = Some(compartment);
        self
    }

    /// The same, refused unless the source has so many bytes: tells a file that
    /// shrinks or grows while it is read.
    #[must_use]
    pub fn expecting_size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Where it belongs; refuses entries that hold no attachments before anything is read.
    fn place(&self, reader: &StateReader<'_>) -> Result<Compartment, Error> {
        match &self.target {
            Target::Own => Ok(self.compartment.unwrap_or(Compartment::General)),
            Target::New(entry) => {
                attachments_tag(entry)?;
                Ok(self.compartment.unwrap_or_else(|| compartment_of(entry)))
            }
            Target::Existing(id, _) => {
                let ((compartment, _), entry) = reader.entry(*id)?;
                attachments_tag(&entry)?;
                Ok(compartment)
            }
        }
    }

    /// Whether it may follow an upload into another compartment: not where
    /// somebody said where it belongs, nor out of the compartment of its kind.
    fn may_move(&self) -> bool {
        let bound = match &self.target {
            Target::Own => false,
            Target::New(entry) => compartment_of(entry) != Compartment::General,
            Target::Existing(..) => true,
        };
        !bound && self.compartment.is_none()
    }

    /// Puts the entry that holds the attachment.
    fn put(
        &self,
        tx: &mut Transaction<'_>,
        compartment: Compartment,
        attachment: Attachment,
    ) -> Result<EntryId, Error> {
        match &self.target {
            Target::Own => {
                let record = AttachmentRecord {
                    title: attachment.title.clone(),
                    date: attachment.created.clone(),
                    content: vec![attachment],
                    ..AttachmentRecord::default()
                };
                tx.add_in(compartment, &Entry::new(record, crate::record::Provenance::default()))
            }
            Target::New(entry) => tx.add_in(compartment, &with_attachment(entry, attachment)?),
            Target::Existing(id, reason) => {
                let entry = with_attachment(&tx.entry(*id)?, attachment)?;
                tx.amend(*id, &entry, reason).map(|()| *id)
            }
        }
    }
}

/// The field of an entry's kind that holds attachments.
fn attachments_tag(entry: &Entry) -> Result<u16, Error> {
    let mut fields = entry.kind().schema().iter();
    let field = fields.find(|field| field.field_type == FieldType::Attachment && field.repeats);
    field.map(|field| field.tag).ok_or(Error::Invalid {
        what: "an entry of this kind holds no attachments: attach to a note, an observation, a document or a statement",
    })
}

fn with_attachment(entry: &Entry, attachment: Attachment) -> Result<Entry, Error> {
    let tag = attachments_tag(entry)?;
    let fields = entry.record.fields();
    let count = fields.iter().filter(|field| field.tag == tag).count();
    let index = u16::try_from(count).map_err(|_| Error::TooLarge)?;
    let mut fields: Vec<(u16, u16, Value)> =
        fields.into_iter().map(|field| (field.tag, field.index, field.value)).collect();
    let at = fields.partition_point(|(other, _, _)| *other <= tag);
    fields.insert(at, (tag, index, Value::Attachment(attachment)));
    let record = Record::from_fields(entry.kind(), fields).map_err(|_| Error::TooLarge)?;
    Ok(Entry { record, ..entry.clone() })
}

/// An attachment of which a part is stored and the rest is still to come.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upload {
    /// What it is resumed or discarded by.
    pub id: ContentId,
    /// Where its bytes are.
    pub compartment: Compartment,
    /// What it is to be called, if that was said.
    pub title: Option<String>,
    /// Since when.
    pub started: SystemTime,
    /// Bytes that are stored.
    pub bytes: u64,
}

/// An attachment under way.
struct Uploading<'a> {
    new: &'a NewAttachment,
    compartment: Compartment,
    content: Option<ContentId>,
    started: i64,
    /// Slices that earlier commits stored.
    stored: u64,
    /// Slices of the source that were dealt with.
    index: u64,
    slices: Slices<'a>,
    digest: RunningContentDigest,
    next: Option<Slice>,
}

pub(crate) fn attach(
    session: &Session,
    actor: &Actor,
    new: &NewAttachment,
    source: &mut dyn Read,
    progress: impl FnMut(u64),
) -> Result<Committed<EntryId>, Error> {
    session.may_write()?;
    let _call = session.begin()?;
    let compartment = session.read(|reader| new.place(reader))?;
    let started = session.options.now();
    write_upload(session, actor, Uploading::new(new, compartment, started, source)?, progress)
}

pub(crate) fn uploads(session: &Session) -> Result<Vec<Upload>, Error> {
    let uploads = session.read(|reader| reader.uploads())?;
    session.tell_count(ReadKind::UploadsListed, None, Vec::new(), uploads.len());
    Ok(uploads.into_iter().map(|(compartment, upload)| Upload::of(compartment, upload)).collect())
}

pub(crate) fn resume_upload(
    session: &Session,
    actor: &Actor,
    id: ContentId,
    new: &NewAttachment,
    source: &mut dyn Read,
    progress: impl FnMut(u64),
) -> Result<Committed<EntryId>, Error> {
    session.may_write()?;
    let _call = session.begin()?;
    let (place, found) = session.read(|reader| Ok((new.place(reader)?, reader.upload(id)?)))?;
    let (compartment, upload) = found.ok_or(Error::NoSuchUpload { id })?;
    if place != compartment && !new.may_move() {
        return Err(Error::Invalid {
            what: "this upload was begun in another compartment: discard it and attach anew",
        });
    }
    let mut uploading = Uploading::new(new, compartment, upload.started, source)?;
    (uploading.content, uploading.stored) = (Some(id), upload.slices);
    write_upload(session, actor, uploading, progress)
}

pub(crate) fn discard_upload(session: &Session, actor: &Actor, id: ContentId) -> Result<(), Error> {
    session.update(actor, |tx| {
        let (compartment, upload) = tx.reader().upload(id)?.ok_or(Error::NoSuchUpload { id })?;
        let half_done = std::mem::replace(&mut tx.work.half_done, true);
        tx.work.withdraws = true;
        tx.remove_slices(compartment, id, 0..upload.slices)?;
        if let Some(row) = tx.row(compartment, &RowKey::upload(id))? {
            tx.remove_row(compartment, &row)?;
        }
        tx.work.half_done = half_done;
        Ok(())
    })?;
    Ok(())
}

fn write_upload(
    session: &Session,
    actor: &Actor,
    mut uploading: Uploading<'_>,
    mut progress: impl FnMut(u64),
) -> Result<Committed<EntryId>, Error> {
    let mut opened = Vec::new();
    loop {
        let mut step = |tx: &mut Transaction<'_>| uploading.step(tx, &mut progress);
        let result = session.update_once(actor, &mut step, &mut opened);
        if matches!(result, Err(Error::Store(StoreError::NotErased))) {
            session.refresh()?;
        }
        let Committed { value, epoch, erasure, shows_more } = result?;
        let Some(value) = value else { continue };
        if !opened.is_empty() {
            session.tell(ReadKind::Opened, Some(actor), opened);
        }
        return Ok(Committed { value, epoch, erasure, shows_more });
    }
}

impl<'a> Uploading<'a> {
    fn new(
        new: &'a NewAttachment,
        compartment: Compartment,
        started: i64,
        source: &'a mut dyn Read,
    ) -> Result<Self, Error> {
        let mut slices = Slices::new(source);
        let (next, digest) = (slices.next()?, RunningContentDigest::default());
        Ok(Self { new, compartment, content: None, started, stored: 0, index: 0, slices, digest, next })
    }

    /// One commit: the next slices, and with the last of them the entry.
    fn step(
        &mut self,
        tx: &mut Transaction<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<EntryId>, Error> {
        tx.may_store(self.compartment)?;
        let half_done = std::mem::replace(&mut tx.work.half_done, true);
        let content = match self.content {
            Some(content) => content,
            None => *self.content.insert(tx.draw_content_id()?),
        };
        self.expect_untouched(tx, content)?;
        let mut digest = std::mem::take(&mut self.digest);
        let alone = self.next.as_ref().is_none_or(|slice| slice.content().len() < slice_len());
        beside(alone, digest_and_encrypt(&mut digest), |helper| {
            self.put_slices(tx, content, helper, progress)
        })?;
        self.digest = digest;
        if self.next.is_some() {
            self.note_progress(tx, content)?;
            tx.work.half_done = half_done;
            return Ok(None);
        }
        if self.new.size.is_some_and(|expected| expected != self.slices.size) {
            return Err(Error::SourceChanged);
        }
        let attachment = self.complete(tx, content)?;
        tx.work.half_done = half_done;
        self.new.put(tx, self.compartment, attachment).map(Some)
    }

    /// Reads the next slices and puts them; digested and encrypted they are beside.
    fn put_slices(
        &mut self,
        tx: &mut Transaction<'_>,
        content: ContentId,
        helper: &mut Helper<'_, Job, Done>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Error> {
        for _ in 0..step() {
            if self.new.size.is_some_and(|expected| self.slices.size > expected) {
                // What grows while it is read, as the vault itself does, never ends.
                return Err(Error::SourceChanged);
            }
            let Some(slice) = self.next.take() else { break };
            helper.give(self.job(tx, content, slice)?);
            self.index += 1;
            tx.put_slices(self.compartment, helper, &mut self.slices, 1)?;
            progress(self.slices.size);
            self.next = self.slices.next()?;
        }
        tx.put_slices(self.compartment, helper, &mut self.slices, 0)
    }

    /// Between two commits somebody may have discarded or gone on with the upload.
    fn expect_untouched(&self, tx: &Transaction<'_>, content: ContentId) -> Result<(), Error> {
        if self.stored == 0 {
            return Ok(());
        }
        match tx.reader().upload(content)? {
            Some((_, upload)) if upload.slices == self.stored => Ok(()),
            _ => Err(Error::NoSuchUpload { id: content }),
        }
    }

    /// What is to be done with a slice: an earlier commit may have stored the same.
    fn job(&self, tx: &mut Transaction<'_>, content: ContentId, slice: Slice) -> Result<Job, Error> {
        if self.index < self.stored {
            let stored = tx.reader().slice(self.compartment, content, self.index)?;
            if stored.is_some_and(|stored| *stored == slice.content()) {
                return Ok(Job::stored(slice));
            }
            tx.remove_slices(self.compartment, content, self.index..self.index + 1)?;
        }
        Ok(tx.slice_job(self.compartment, content, self.index, slice))
    }

    /// Puts the row that says how far the upload is, if it came further.
    fn note_progress(&mut self, tx: &mut Transaction<'_>, content: ContentId) -> Result<(), Error> {
        if self.index <= self.stored {
            return Ok(());
        }
        let title = self.new.attachment.title.as_ref().map(|title| title.as_str().to_owned());
        let upload = UploadV1 {
            content: *content.as_bytes(),
            slices: self.index,
            title: title.unwrap_or_default(),
            started: self.started,
        };
        let key = RowKey::upload(content);
        if let Some(before) = tx.row(self.compartment, &key)?.and_then(|row| row.object) {
            tx.supersede(self.compartment, &before);
        }
        let mut row = Row::unnamed(key, RowClass::Upload, tx.epoch());
        row.id = EntryId::from_bytes(*content.as_bytes());
        tx.put_encrypted(self.compartment, row, &wire::encode(&upload)?)?;
        self.stored = self.index;
        Ok(())
    }

    fn complete(&mut self, tx: &mut Transaction<'_>, content: ContentId) -> Result<Attachment, Error> {
        if self.index < self.stored {
            tx.remove_slices(self.compartment, content, self.index..self.stored)?;
        }
        let key = RowKey::upload(content);
        if let Some(row) = tx.row(self.compartment, &key)? {
            row.object.iter().for_each(|before| tx.supersede(self.compartment, before));
            tx.change(self.compartment, key, None)?;
        }
        let (size, digest) = (self.slices.size, std::mem::take(&mut self.digest).finish());
        tx.complete_content(self.compartment, content, size, digest)?;
        Ok(stored_attachment(self.new.attachment.clone(), size, digest))
    }
}

impl StateReader<'_> {
    /// Every upload in the compartments that are open.
    fn uploads(&self) -> Result<Vec<(Compartment, UploadV1)>, Error> {
        let mut uploads = Vec::new();
        for compartment in self.open_compartments_and_sealed() {
            let mut rows = Vec::new();
            self.trie(compartment)?.scan(&mut |row| {
                if row.class == RowClass::Upload {
                    rows.push(row.duplicate());
                }
                Ok(())
            })?;
            for row in rows {
                uploads.push((compartment, self.upload_of(compartment, &row)?));
            }
        }
        Ok(uploads)
    }

    fn upload(&self, id: ContentId) -> Result<Option<(Compartment, UploadV1)>, Error> {
        for compartment in self.open_compartments_and_sealed() {
            let row = self.row(compartment, &RowKey::upload(id))?;
            if let Some(row) = row.filter(|row| row.class == RowClass::Upload) {
                return Ok(Some((compartment, self.upload_of(compartment, &row)?)));
            }
        }
        Ok(None)
    }

    /// The upload of a row. It may claim no more slices than there are rows.
    pub(crate) fn upload_of(&self, compartment: Compartment, row: &Row) -> Result<UploadV1, Error> {
        let upload: UploadV1 = wire::decode(&self.core.open_row(compartment, row)?)?;
        let its_own =
            upload.content == *row.id.as_bytes() && upload.slices < self.snapshot.place(compartment)?.rows;
        if its_own { Ok(upload) } else { Err(Error::Damaged { what: "upload" }) }
    }
}

impl Upload {
    fn of(compartment: Compartment, upload: UploadV1) -> Self {
        Self {
            id: ContentId::from_bytes(upload.content),
            compartment,
            title: Some(upload.title).filter(|title| !title.is_empty()),
            started: from_milliseconds(upload.started),
            bytes: upload.slices.saturating_mul(slice_len() as u64),
        }
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upload")
    }
}

crate::secret::redacted_debug!(NewAttachment);
