//! The end of a vault file: the segment that a commit appends, and the image of a file
//! that is put together in memory.

use super::disk::Disk;
use super::file::{AREAS, FileStore, ROOTS, file_offset, file_reference};
use super::{Chosen, Creation, ObjectRef, Publication, Repairs, Segment, StoreError, StoreWriter};
use crate::crypto::random::Randomness;
use crate::crypto::segment_digest::RunningSegmentDigest;
use crate::format::header::geometry;
use crate::format::segment::{Parts, Tier, class};

/// Appended bytes that are held back before they are written.
const BUFFER: usize = 1 << 20;
/// Written bytes of a segment that the system may begin to make durable.
const EARLY: u64 = 8 << 20;
/// Random bytes written at a time.
const NOISE: usize = 64 * 1024;

/// The segment that a commit appends: digested as it grows, and held back for a while.
#[derive(Default)]
pub(super) struct Tail {
    /// Where the segment starts.
    first: u64,
    layout: Parts,
    /// The bytes of the parts, held back until the segment ends.
    parts: Vec<u8>,
    /// How much of each part is used, by tier.
    used: [u64; 3],
    is_beyond_parts: bool,
    /// Offset of the first byte in `buffer`.
    start: u64,
    buffer: Vec<u8>,
    /// How much of `buffer` is in the digest: long pieces are digested several times as
    /// fast as short ones.
    digested: usize,
    /// How much of the segment was written when the system was last told to begin.
    early: u64,
    end: u64,
    digest: RunningSegmentDigest,
    ended: Option<Segment>,
}

impl Tail {
    pub(super) fn at(append_end: u64) -> Self {
        let end = append_end.max(geometry::APPEND);
        Self { first: end, start: end, end, ..Self::default() }
    }

    /// Sets room apart, at the beginning of an empty segment.
    pub(super) fn set_apart(&mut self, parts: Parts) {
        self.layout = parts;
        self.parts = vec![0; usize::try_from(self.layout.len()).unwrap_or_default()];
        self.start = self.first + self.layout.len();
        self.end = self.start;
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn is_beyond_parts(&self) -> bool {
        self.is_beyond_parts
    }

    /// Fills the parts, and the segment up to its class, with random bytes, which nobody can
    /// tell from objects under keys that they lack.
    pub(super) fn end_segment(&mut self, disk: &dyn Disk) -> Result<Segment, StoreError> {
        self.end_with(disk, class)
    }

    /// The same with another rule for the length.
    pub(super) fn end_with(
        &mut self,
        disk: &dyn Disk,
        length: impl FnOnce(u64) -> u64,
    ) -> Result<Segment, StoreError> {
        if let Some(segment) = self.ended {
            return Ok(segment);
        }
        let mut random = Randomness::from_system();
        let mut filler = length(self.end - self.first).saturating_sub(self.end - self.first);
        while filler > 0 {
            let step = usize::try_from(filler).map_or(NOISE, |left| left.min(NOISE));
            let held = self.buffer.len();
            self.buffer.resize(held + step, 0);
            let noise = self.buffer.get_mut(held..).unwrap_or_default();
            fill(&mut random, noise)?;
            self.end += step as u64;
            filler -= step as u64;
            self.flush_if_full(disk)?;
        }
        for (tier, used) in [Tier::Protected, Tier::Hidden].into_iter().zip(&self.used[1..]) {
            let part = self.layout.range(tier);
            fill(&mut random, slice(&mut self.parts, part.start + used..part.end))?;
        }
        self.digest_held();
        self.digest.update(&self.parts);
        let (start, parts) = (self.first, self.layout.len());
        let segment = Segment { start, end: self.end, parts, digest: self.digest.digest() };
        self.ended = Some(segment);
        Ok(segment)
    }

    /// Ends the segment and writes what is held back, and room for the next commits
    /// behind it.
    pub(super) fn finish(&mut self, disk: &dyn Disk) -> Result<Segment, StoreError> {
        let segment = self.end_segment(disk)?;
        if self.start == self.first + self.layout.len() {
            // Nothing is written yet: all of it at once.
            self.parts.append(&mut self.buffer);
            self.buffer = std::mem::take(&mut self.parts);
            self.start = self.first;
        } else if !self.parts.is_empty() {
            disk.write_at(self.first, &self.parts)?;
        }
        self.flush(disk)?;
        let room = with_room(self.end);
        if !disk.reaches(room)? {
            disk.reserve(room)?;
        }
        Ok(segment)
    }

    /// Takes what is held back into the digest.
    fn digest_held(&mut self) {
        self.digest.update(self.buffer.get(self.digested..).unwrap_or_default());
        self.digested = self.buffer.len();
    }

    fn flush(&mut self, disk: &dyn Disk) -> Result<(), StoreError> {
        if !self.buffer.is_empty() {
            disk.write_at(self.start, &self.buffer)?;
        }
        self.start += self.buffer.len() as u64;
        self.buffer.clear();
        self.digested = 0;
        Ok(())
    }

    fn flush_if_full(&mut self, disk: &dyn Disk) -> Result<(), StoreError> {
        if self.buffer.len() < BUFFER {
            return Ok(());
        }
        self.digest_held();
        self.flush(disk)?;
        self.sync_early(disk);
        Ok(())
    }

    /// Writes an object without holding it back: a copy costs as much as a cipher does.
    fn write_large(&mut self, disk: &dyn Disk, object: &[u8]) -> Result<(), StoreError> {
        self.digest_held();
        self.flush(disk)?;
        self.digest.update(object);
        disk.write_at(self.start, object)?;
        self.start += object.len() as u64;
        self.sync_early(disk);
        Ok(())
    }

    fn sync_early(&mut self, disk: &dyn Disk) {
        if self.start - self.first >= self.early + EARLY {
            self.early = self.start - self.first;
            disk.start_sync();
        }
    }

    pub(super) fn put(&mut self, disk: &dyn Disk, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        let mut references = Vec::with_capacity(objects.len());
        for bytes in objects {
            references.push(file_reference(self.end, bytes.len()));
            self.end += bytes.len() as u64;
            if bytes.len() < BUFFER {
                self.buffer.extend_from_slice(bytes);
                self.flush_if_full(disk)?;
            } else {
                self.write_large(disk, bytes)?;
            }
        }
        Ok(references)
    }

    /// Puts an object into the part of its tier; behind the parts, where its length shows,
    /// if that has no room for it.
    pub(super) fn put_in(
        &mut self,
        disk: &dyn Disk,
        tier: Tier,
        bytes: &[u8],
    ) -> Result<ObjectRef, StoreError> {
        let part = self.layout.range(tier);
        let used = self.used.get_mut(tier as usize).ok_or(StoreError::Missing)?;
        let start = part.start + *used;
        if bytes.len() as u64 <= part.end - start {
            *used += bytes.len() as u64;
            slice(&mut self.parts, start..part.end).iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            return Ok(file_reference(self.first + start, bytes.len()));
        }
        self.is_beyond_parts |= !part.is_empty();
        self.put(disk, &[bytes])?.pop().ok_or(StoreError::Missing)
    }

    /// The bytes of objects, those not yet written included.
    pub(super) fn written(&self, disk: &dyn Disk, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        let find = |object: &ObjectRef| {
            let offset = file_offset(object).ok_or(StoreError::Missing)?;
            let held = [(self.first, &self.parts), (self.start, &self.buffer)];
            let held = held.into_iter().find(|(first, bytes)| {
                offset.checked_sub(*first).is_some_and(|from| from < bytes.len() as u64)
            });
            let Some((first, bytes)) = held else { return FileStore::read_object(disk, object) };
            let range = usize::try_from(offset - first).ok().zip(usize::try_from(object.length).ok());
            let found = range.and_then(|(from, length)| bytes.get(from..from.checked_add(length)?));
            found.map(<[u8]>::to_vec).ok_or(StoreError::Missing)
        };
        objects.iter().map(find).collect()
    }
}

/// How long a file is whose last segment ends there. It grows in steps, so that most commits
/// change no length. A power of two: else the steps themselves grow with every commit.
pub(crate) fn with_room(end: u64) -> u64 {
    end.next_multiple_of((end / 16).next_power_of_two().clamp(16 * 1024, 1 << 20))
}

fn fill(random: &mut Randomness, noise: &mut [u8]) -> Result<(), StoreError> {
    random.noise(noise).map_err(|error| StoreError::from(std::io::Error::other(error)))
}

/// A range of a buffer, as far as it has it.
fn slice(buffer: &mut [u8], range: std::ops::Range<u64>) -> &mut [u8] {
    let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    range.and_then(|(start, end)| buffer.get_mut(start..end)).unwrap_or_default()
}

/// A vault file that is put together in memory before it gets its name.
pub(crate) struct FileImage {
    appended: Vec<u8>,
    root: Vec<u8>,
}

impl FileImage {
    pub(crate) fn new() -> Self {
        Self { appended: Vec::new(), root: Vec::new() }
    }

    /// Where the next object would stand.
    pub(crate) fn end(&self) -> u64 {
        geometry::APPEND + self.appended.len() as u64
    }

    /// header ‖ area ‖ area ‖ root ‖ gap ‖ root ‖ the first segment.
    pub(crate) fn finish(self, header: &[u8], area: &[u8]) -> Vec<u8> {
        let mut image = Vec::new();
        let mut put = |offset: u64, bytes: &[u8]| {
            image.resize(usize::try_from(offset).expect("the fixed parts are small"), 0);
            image.extend_from_slice(bytes);
        };
        put(0, header);
        AREAS.iter().for_each(|offset| put(*offset, area));
        ROOTS.iter().for_each(|offset| put(*offset, &self.root));
        put(geometry::APPEND, &self.appended);
        image
    }
}

impl StoreWriter for FileImage {
    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn settle(&mut self, _chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        Ok(Repairs::default())
    }

    fn start(&mut self, _append_end: u64) {}

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        let references = objects.iter().map(|bytes| {
            let reference = file_reference(self.end(), bytes.len());
            self.appended.extend_from_slice(bytes);
            reference
        });
        Ok(references.collect())
    }

    fn written(&self, _objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        Err(StoreError::Missing)
    }

    fn end_segment(&mut self) -> Result<Segment, StoreError> {
        let objects = self.appended.len();
        let length = usize::try_from(class(objects as u64)).map_err(|_| StoreError::Missing)?;
        self.appended.resize(length, 0);
        let filler = self.appended.get_mut(objects..).unwrap_or_default();
        fill(&mut Randomness::from_system(), filler)?;
        let mut digest = RunningSegmentDigest::default();
        digest.update(&self.appended);
        Ok(Segment { start: geometry::APPEND, end: self.end(), parts: 0, digest: digest.digest() })
    }

    fn create(&mut self, creation: &Creation<'_>) -> Result<(), StoreError> {
        self.root = creation.root.to_vec();
        Ok(())
    }

    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        self.root = publication.root.to_vec();
        Ok(())
    }
}

/// Overwrites a range with random bytes.
pub(super) fn overwrite(disk: &dyn Disk, range: std::ops::Range<u64>) -> std::io::Result<()> {
    let mut random = Randomness::from_system();
    let mut noise = vec![0; NOISE];
    let mut offset = range.start;
    while offset < range.end {
        let step = usize::try_from(range.end - offset).map_or(NOISE, |left| left.min(NOISE));
        let bytes = noise.get_mut(..step).unwrap_or_default();
        random.noise(bytes).map_err(std::io::Error::other)?;
        disk.write_at(offset, bytes)?;
        offset += step as u64;
    }
    Ok(())
}
