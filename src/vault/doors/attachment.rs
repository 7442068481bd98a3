//! Reading an attachment: any range of it, a slice at a time.
//!
//! Every read is made on the newest state that the handle knows, so that a
//! reader outlives commits, and ends when its entry is expunged.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use zeroize::Zeroizing;

use crate::crypto::content_digest::{ContentDigest, RunningContentDigest};
use crate::crypto::digest::{Digest, RunningDigest};
use crate::engine::content::{damaged_attachment, length_of_slice};
use crate::engine::core::StateReader;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId, Epoch};
use crate::parallel::in_order;
use crate::payload::content::slice_len;
use crate::record::{Attachment, Entry, Location};
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;

/// Bytes that are digested at once.
const AT_ONCE: usize = 64 * 1024;

/// The bytes of an attachment. At most two slices of 1 MiB are in memory, and
/// they are wiped when they are left.
pub struct AttachmentReader<'v> {
    vault: &'v Session,
    entry: EntryId,
    /// The newest state in which the entry was seen.
    seen: Epoch,
    attachment: Attachment,
    size: u64,
    digest: ContentDigest,
    bytes: Bytes,
    position: u64,
}

/// Where the bytes come from.
enum Bytes {
    /// Out of the entry itself.
    Inline(Zeroizing<Vec<u8>>),
    Stored {
        compartment: Compartment,
        content: ContentId,
        /// Slices in memory.
        loaded: Vec<Loaded>,
    },
}

impl Bytes {
    /// Wipes what is in memory.
    fn wipe(&mut self) {
        match self {
            Self::Inline(bytes) => *bytes = Zeroizing::default(),
            Self::Stored { loaded, .. } => loaded.clear(),
        }
    }
}

/// A slice in memory, and the state that it was read from.
struct Loaded {
    index: u64,
    epoch: Epoch,
    bytes: Zeroizing<Vec<u8>>,
}

pub(crate) fn attachment(
    session: &Session,
    id: EntryId,
    number: usize,
) -> Result<AttachmentReader<'_>, Error> {
    open_attachment(session, id, None, number)
}

pub(crate) fn attachment_revision(
    session: &Session,
    id: EntryId,
    revision: u64,
    number: usize,
) -> Result<AttachmentReader<'_>, Error> {
    open_attachment(session, id, Some(revision), number)
}

fn open_attachment(
    session: &Session,
    id: EntryId,
    revision: Option<u64>,
    number: usize,
) -> Result<AttachmentReader<'_>, Error> {
    let open = |reader: &StateReader<'_>| {
        let (compartment, entry) = reader.entry_at(id, revision)?;
        Ok((reader.snapshot.root.epoch, reader.open_attachment(compartment, &entry, id, number)?))
    };
    let (seen, (attachment, size, digest, bytes)) = session.read(open)?;
    session.tell(ReadKind::AttachmentOpened, None, vec![id]);
    Ok(AttachmentReader { vault: session, entry: id, seen, attachment, size, digest, bytes, position: 0 })
}

impl StateReader<'_> {
    fn open_attachment(
        &self,
        compartment: Compartment,
        entry: &Entry,
        id: EntryId,
        number: usize,
    ) -> Result<(Attachment, u64, ContentDigest, Bytes), Error> {
        let attachment = entry.attachments().into_iter().nth(number);
        let mut attachment = attachment.ok_or(Error::NoSuchAttachment { id, number })?;
        match attachment.location.take() {
            Some(Location::Inline(bytes)) => {
                let (size, digest) = (bytes.len() as u64, ContentDigest::of(&bytes));
                Ok((attachment, size, digest, Bytes::Inline(Zeroizing::new(bytes))))
            }
            Some(Location::Stored(digest)) => {
                let (_, head) = self.content(compartment, &digest)?.ok_or_else(damaged_attachment)?;
                attachment.location = Some(Location::Stored(digest));
                let content = ContentId::from_bytes(head.content);
                let bytes = Bytes::Stored { compartment, content, loaded: Vec::new() };
                Ok((attachment, head.size, digest, bytes))
            }
            Some(Location::InSource(place)) => {
                let bytes = entry.source.as_ref().and_then(|source| source.file_at(&place));
                let bytes = bytes.ok_or(Error::Invalid {
                    what: "the original does not hold this attachment as base64 text",
                })?;
                attachment.location = Some(Location::InSource(place));
                let (size, digest) = (bytes.len() as u64, ContentDigest::of(&bytes));
                Ok((attachment, size, digest, Bytes::Inline(Zeroizing::new(bytes))))
            }
            Some(Location::External(_)) | None => Err(Error::Invalid {
                what: "this attachment is not in the vault: its source only says where it is, or holds it damaged",
            }),
        }
    }

    /// Slices of an entry's content, read and decrypted side by side, and the content
    /// that they are of. A later one that cannot be read fails when it is reached.
    fn load(
        &self,
        (entry, digest, compartment, known): (EntryId, ContentDigest, Compartment, ContentId),
        size: u64,
        wanted: Range<u64>,
    ) -> Result<(ContentId, Vec<Loaded>), Error> {
        let epoch = self.snapshot.root.epoch;
        let (first, mut content) = (wanted.start, known);
        let mut loaded = Vec::new();
        let wanted: Vec<(u64, u64)> = wanted.map(|index| (index, length_of_slice(size, index))).collect();
        let read = |(index, length): &(u64, u64)| {
            let mut content = known;
            let bytes = self.slice_of(entry, &digest, compartment, &mut content, *index);
            let whole = |bytes: &Zeroizing<Vec<u8>>| bytes.len() as u64 == *length;
            let bytes = bytes.and_then(|bytes| whole(&bytes).then_some(bytes).ok_or_else(damaged_attachment));
            Ok::<_, Error>((*index, content, bytes))
        };
        in_order(&wanted, read, |(index, now, bytes)| {
            match bytes {
                Ok(bytes) => loaded.push(Loaded { index, epoch, bytes }),
                Err(error) if index == first => return Err(error),
                Err(_) => {}
            }
            content = now;
            Ok(())
        })?;
        Ok((content, loaded))
    }

    /// A slice of an entry's content; where it is gone, so is the entry, or
    /// the same bytes were stored anew.
    fn slice_of(
        &self,
        entry: EntryId,
        digest: &ContentDigest,
        compartment: Compartment,
        content: &mut ContentId,
        index: u64,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (now_in, _) = self.entry_row(entry)?;
        if let Some(bytes) = self.slice(compartment, *content, index)? {
            return Ok(bytes);
        }
        let (_, head) = self.content(now_in, digest)?.ok_or_else(damaged_attachment)?;
        *content = ContentId::from_bytes(head.content);
        self.slice(now_in, *content, index)?.ok_or_else(damaged_attachment)
    }
}

impl AttachmentReader<'_> {
    /// Title, type and date of the attachment.
    #[must_use]
    pub fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// BLAKE3 of its bytes. The vault knows it without reading them.
    #[must_use]
    pub fn content_digest(&self) -> ContentDigest {
        self.digest
    }

    /// SHA-256 of its bytes, as other programs and excerpts name a file. All of them are
    /// read for it, and must have the [`content_digest`](Self::content_digest).
    ///
    /// # Errors
    /// As [`read_at`](Self::read_at).
    pub fn sha256(&mut self) -> Result<Digest, Error> {
        let mut buffer = Zeroizing::new(vec![0; AT_ONCE]);
        let (mut sha256, mut whole) = (RunningDigest::default(), RunningContentDigest::default());
        let mut offset = 0;
        loop {
            let count = self.read_at(offset, &mut buffer)?;
            let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else { break };
            sha256.update(part);
            whole.update(part);
            offset += count as u64;
        }
        if whole.finish() == self.digest { Ok(sha256.finish()) } else { Err(damaged_attachment()) }
    }

    /// Reads from this offset on, up to the end of a slice; 0 at the end of
    /// the attachment.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`] when the entry was expunged meanwhile, also of bytes
    /// that are in memory already;
    /// [`Error::Locked`], [`Error::Damaged`], [`Error::Store`].
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        if offset >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.read_part(offset, buffer);
        if matches!(count, Err(Error::Locked | Error::NoSuchEntry { .. })) {
            self.bytes.wipe();
        }
        count
    }

    fn read_part(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        let epoch = self.vault.unlocked()?.snapshot.root.epoch;
        if epoch != self.seen {
            let entry = self.entry;
            self.seen =
                self.vault.read(|reader| reader.entry_row(entry).map(|_| reader.snapshot.root.epoch))?;
        }
        let (bytes, start): (&[u8], u64) = match &mut self.bytes {
            Bytes::Inline(bytes) => (bytes, 0),
            Bytes::Stored { compartment, content, loaded } => {
                let length = slice_len() as u64;
                let index = offset / length;
                let is_there = |one: &&Loaded| one.index == index && one.epoch == epoch;
                if !loaded.iter().any(|one| is_there(&one)) {
                    // Who comes to the next slice in order comes to the one after it too.
                    let in_order =
                        index.checked_sub(1).is_some_and(|b| loaded.iter().any(|one| one.index == b));
                    let more = if in_order && (index + 1) * length < self.size { 2 } else { 1 };
                    loaded.clear();
                    let wanted = index..index + more;
                    let source = (self.entry, self.digest, *compartment, *content);
                    let (now, read) =
                        self.vault.read(|reader| reader.load(source, self.size, wanted.clone()))?;
                    (*content, *loaded) = (now, read);
                }
                let loaded = loaded.iter().find(is_there).ok_or_else(damaged_attachment)?;
                (&loaded.bytes, index * length)
            }
        };
        let within = usize::try_from(offset - start).map_err(|_| damaged_attachment())?;
        let rest = bytes.get(within..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if count == 0 {
            // Wiped: no end of the attachment.
            return Err(Error::NoSuchEntry { id: self.entry });
        }
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

impl Read for AttachmentReader<'_> {
    /// The error inside is an [`Error`](enum@Error).
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read_at(self.position, buffer).map_err(io::Error::other)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for AttachmentReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

crate::secret::redacted_debug!(AttachmentReader<'_>);
