//! Slices of a content on their way into the vault: read and put on this thread,
//! digested and encrypted on another one beside it, in buffers that are used again.

use std::io::Read;

use zeroize::Zeroizing;

use super::transaction::Transaction;
use crate::crypto::content_digest::RunningContentDigest;
use crate::crypto::random::Randomness;
use crate::error::Error;
use crate::format::context::Context;
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId};
use crate::parallel::Helper;
use crate::payload::content::slice_len;
use crate::tree::{EncryptedRun, Row, RowClass, RowKey, Run};

/// A slice, with a buffer for its stored form.
#[derive(Default)]
pub(crate) struct Slice {
    content: Zeroizing<Vec<u8>>,
    room: Vec<u8>,
}

impl Slice {
    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    fn encrypt(&mut self, random: &mut Randomness, context: &Context) -> Result<EncryptedRun, Error> {
        let mut run = Run::within(std::mem::take(&mut self.room));
        run.push(context, self.content())?;
        Ok(run.encrypt(random)?)
    }
}

/// A source, slice by slice.
pub(crate) struct Slices<'a> {
    source: &'a mut dyn Read,
    pub(crate) size: u64,
    ended: bool,
    /// Buffers to be used again.
    spare: Vec<Slice>,
}

impl<'a> Slices<'a> {
    pub(crate) fn new(source: &'a mut dyn Read) -> Self {
        Self { source, size: 0, ended: false, spare: Vec::new() }
    }

    /// The next slice; only the last is shorter than the others.
    pub(crate) fn next(&mut self) -> Result<Option<Slice>, Error> {
        let mut slice = self.spare.pop().unwrap_or_default();
        let content = &mut slice.content;
        content.resize(slice_len(), 0);
        let mut filled = 0;
        while filled < content.len() && !self.ended {
            match self.source.read(content.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => self.ended = true,
                Ok(count) => filled = content.len().min(filled.saturating_add(count)),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::Source { source }),
            }
        }
        if filled == 0 {
            return Ok(None);
        }
        content.truncate(filled);
        self.size += filled as u64;
        Ok(Some(slice))
    }
}

/// A slice to be digested, and to be encrypted if it has a row.
pub(crate) struct Job {
    slice: Slice,
    row: Option<(Row, Context)>,
}

/// A slice that was digested, and encrypted for its row.
pub(crate) struct Done {
    slice: Slice,
    row: Option<(Row, Result<EncryptedRun, Error>)>,
}

impl Job {
    /// A slice that is stored already.
    pub(crate) fn stored(slice: Slice) -> Self {
        Self { slice, row: None }
    }
}

/// Takes slices in their order into a digest, and encrypts those that have a row.
pub(crate) fn digest_and_encrypt(digest: &mut RunningContentDigest) -> impl FnMut(Job) -> Done + Send + '_ {
    let mut random = Randomness::from_system();
    move |Job { mut slice, row }| {
        digest.update(slice.content());
        let row = row.map(|(row, context)| {
            let encrypted = slice.encrypt(&mut random, &context);
            (row, encrypted)
        });
        Done { slice, row }
    }
}

impl Transaction<'_> {
    /// A slice to be stored.
    pub(crate) fn slice_job(
        &self,
        compartment: Compartment,
        content: ContentId,
        index: u64,
        slice: Slice,
    ) -> Job {
        let mut row = Row::unnamed(RowKey::slice(content, index), RowClass::Slice, self.epoch());
        row.id = EntryId::from_bytes(*content.as_bytes());
        row.revision = index;
        let context = self.core.row_context(compartment, &row);
        Job { slice, row: Some((row, context)) }
    }

    /// Puts what is done, until no more than so many are under way.
    pub(crate) fn put_slices(
        &mut self,
        compartment: Compartment,
        helper: &mut Helper<'_, Job, Done>,
        slices: &mut Slices<'_>,
        under_way: usize,
    ) -> Result<(), Error> {
        while helper.under_way() > under_way
            && let Some(Done { mut slice, row }) = helper.take()
        {
            if let Some((mut row, encrypted)) = row {
                let (mut objects, room) = self.work.objects().put_run(encrypted?)?;
                row.object = objects.pop();
                slice.room = room;
                self.put_row(compartment, row)?;
            }
            slices.spare.push(slice);
        }
        Ok(())
    }
}
