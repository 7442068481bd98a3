//! The root: one committed box of fixed size, from which everything else is reached.

use super::place::{PLACE_BOX_LEN, PLACES};
use super::segment::Segment;
use crate::codec::fixed::{LayoutError, Reader, Writer};
use crate::crypto::committed_len;
use crate::crypto::digest::Digest;
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::segment_digest::SegmentDigest;
use crate::id::{CommitId, Epoch};

/// Stored bytes of a root: its own 4 KiB block.
pub(crate) const ROOT_LEN: usize = 4096;
/// Plaintext bytes of a root.
pub(crate) const ROOT_PLAIN_LEN: usize = ROOT_LEN - committed_len(0);

const _: () = assert!(8 + 16 + 32 + 8 + 32 + 2 + 3 * 8 + 32 + PLACES * PLACE_BOX_LEN <= ROOT_PLAIN_LEN);

/// A place as stored: opaque without its compartment's key.
#[derive(Clone)]
pub(crate) struct PlaceBox(pub(crate) [u8; PLACE_BOX_LEN]);

/// A decrypted root.
pub(crate) struct Root {
    pub(crate) epoch: Epoch,
    pub(crate) commit: CommitId,
    /// SHA-256 of the stored block of the previous root; zeros at creation.
    pub(crate) previous: Digest,
    pub(crate) area_generation: u64,
    pub(crate) area_digest: ObjectDigest,
    pub(crate) least_reader: u16,
    /// What this commit appended. Nothing below its end is reused.
    pub(crate) segment: Segment,
    pub(crate) places: [PlaceBox; PLACES],
}

/// What every reader version finds at the same place in a root, so that an
/// older one can tell that it is too old from a root that it cannot decode.
pub(crate) struct RootHeading {
    pub(crate) area_digest: ObjectDigest,
    pub(crate) least_reader: u16,
}

impl RootHeading {
    /// Bytes before the heading: epoch, commit, previous root, area generation.
    const OFFSET: usize = 8 + 16 + 32 + 8;

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes, "root");
        reader.slice(Self::OFFSET)?;
        Ok(Self { area_digest: ObjectDigest::from_bytes(reader.array()?), least_reader: reader.u16()? })
    }
}

impl Root {
    pub(crate) fn encode(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut writer = Writer::with_capacity(ROOT_PLAIN_LEN);
        writer
            .u64(self.epoch.number())
            .slice(self.commit.as_bytes())
            .slice(self.previous.as_bytes())
            .u64(self.area_generation)
            .slice(self.area_digest.as_bytes())
            .u16(self.least_reader)
            .u64(self.segment.start)
            .u64(self.segment.end)
            .u64(self.segment.parts)
            .slice(self.segment.digest.as_bytes());
        for place in &self.places {
            writer.slice(&place.0);
        }
        writer.finish_zero(ROOT_PLAIN_LEN)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes, "root");
        if bytes.len() != ROOT_PLAIN_LEN {
            return Err(reader.fault());
        }
        let epoch = Epoch::new(reader.u64()?);
        let commit = CommitId::from_bytes(reader.array()?);
        let previous = Digest::from_bytes(reader.array()?);
        let area_generation = reader.u64()?;
        let area_digest = ObjectDigest::from_bytes(reader.array()?);
        let least_reader = reader.u16()?;
        let [start, end, parts] = [reader.u64()?, reader.u64()?, reader.u64()?];
        let segment = Segment { start, end, parts, digest: SegmentDigest::from_bytes(reader.array()?) };
        let mut places = Vec::with_capacity(PLACES);
        for _ in 0..PLACES {
            places.push(PlaceBox(reader.array()?));
        }
        let fault = reader.fault();
        reader.finish_zero()?;
        let is_first = epoch.number() == 1;
        let is_numbered = epoch.number() > 0 && (!is_first || previous.as_bytes() == &[0; 32]);
        if !segment.is_sound() || !is_numbered {
            return Err(fault);
        }
        let places = places.try_into().map_err(|_| fault)?;
        Ok(Self { epoch, commit, previous, area_generation, area_digest, least_reader, segment, places })
    }
}
