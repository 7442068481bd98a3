//! Segments: the bytes that one commit appends to a vault file.

use crate::crypto::segment_digest::SegmentDigest;

/// Segments start and end at multiples of this: no byte that was acknowledged shares a
/// block of the disk with a later write.
pub(crate) const BLOCK: u64 = 4096;

/// The bytes that one commit appends to a vault file: its objects, then filler. Where
/// references are not positions, there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Offset of the first byte: the append end of the commit before.
    pub start: u64,
    /// The append end: where the next commit appends.
    pub end: u64,
    /// BLAKE3 of the bytes from `start` to `end`.
    pub digest: SegmentDigest,
}

impl Segment {
    /// That of a store whose references are not positions.
    pub const NONE: Self = Self { start: 0, end: 0, digest: SegmentDigest::from_bytes([0; 32]) };

    /// Whether it can be that of a commit.
    pub(crate) fn is_sound(&self) -> bool {
        let is_aligned = self.start.is_multiple_of(BLOCK) && self.end.is_multiple_of(BLOCK);
        is_aligned && self.start <= self.end && (self.end != 0 || *self == Self::NONE)
    }

    /// Bytes of it.
    pub(crate) fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// How long the segment is that holds so many bytes of objects. The rest is filler.
pub(crate) fn segment_len(objects: u64) -> u64 {
    objects.next_multiple_of(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_sound_if_it_goes_from_block_to_block_or_is_none() {
        let digest = SegmentDigest::from_bytes([7; 32]);
        let is_sound = |start, end| Segment { start, end, digest }.is_sound();
        assert!(is_sound(81920, 86016) && is_sound(81920, 81920) && Segment::NONE.is_sound());
        assert!(!is_sound(81921, 86016) && !is_sound(81920, 86015) && !is_sound(86016, 81920));
        assert!(!is_sound(0, 0), "none has no digest");
    }

    #[test]
    fn a_segment_has_room_for_its_objects_and_no_block_more() {
        for (objects, length) in [(0, 0), (1, 4096), (4096, 4096), (4097, 8192)] {
            assert_eq!(segment_len(objects), length);
        }
    }
}
