//! Segments: what one commit appends to a vault file, in size classes, and with parts for
//! compartments of which a reader of the file may not know, used or not.

use std::ops::Range;

use super::place::Compartment;
use crate::codec::padding::padme;
use crate::crypto::segment_digest::SegmentDigest;

/// Segments start and end at multiples of this: no byte that was acknowledged shares a
/// block of the disk with a later write.
pub(crate) const BLOCK: u64 = 4096;
/// Bytes of the shortest segment.
pub(crate) const LEAST: u64 = 32 * 1024;
/// Bytes of the longest segment that an opening compares with its digest. A longer one is
/// durable before its root is written: so an opening reads no more than this of a commit,
/// whatever a root claims.
const LONGEST_COMPARED: u64 = 1 << 20;
/// Bytes of the part for protected compartments, if no keys change.
pub(crate) const PROTECTED_PART: u64 = 16 * 1024;
/// Bytes of the part for hidden compartments, if no keys change.
pub(crate) const HIDDEN_PART: u64 = 32 * 1024;

/// The bytes that one commit appends to a vault file: its parts, its other objects, then
/// filler. Where references are not positions, there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Offset of the first byte: the append end of the commit before.
    pub start: u64,
    /// The append end: where the next commit appends.
    pub end: u64,
    /// Bytes of the parts at its beginning.
    pub parts: u64,
    /// BLAKE3 of the bytes behind the parts and then of the parts, which are known last.
    pub digest: SegmentDigest,
}

impl Segment {
    /// That of a store whose references are not positions.
    pub const NONE: Self = Self { start: 0, end: 0, parts: 0, digest: SegmentDigest::from_bytes([0; 32]) };

    /// Whether it can be that of a commit.
    pub(crate) fn is_sound(&self) -> bool {
        let is_aligned = [self.start, self.end, self.parts].iter().all(|at| at.is_multiple_of(BLOCK));
        let is_ordered = self.start.checked_add(self.parts).is_some_and(|parts| parts <= self.end);
        is_aligned && is_ordered && (self.end != 0 || *self == Self::NONE)
    }

    /// Bytes of it.
    pub(crate) fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it is durable before its root is written, so that no opening compares it with
    /// its digest.
    pub(crate) fn is_long(&self) -> bool {
        #[cfg(test)]
        let longest = crate::seams::longest_compared().unwrap_or(LONGEST_COMPARED);
        #[cfg(not(test))]
        let longest = LONGEST_COMPARED;
        self.length() > longest
    }

    /// What its digest is of, in this order.
    pub(crate) fn digested(&self) -> [Range<u64>; 2] {
        let parts = self.start.saturating_add(self.parts);
        [parts..self.end, self.start..parts]
    }
}

/// Who is to learn nothing of a compartment from the lengths and offsets in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Nobody: everyday compartments.
    Everyday,
    /// Who opens everyday compartments only.
    Protected,
    /// Who opens no more than those and protected ones.
    Hidden,
}

impl Compartment {
    /// Who is to learn nothing of it.
    pub(crate) const fn tier(self) -> Tier {
        match self {
            Self::Record | Self::General => Tier::Everyday,
            Self::PsychotherapyNotes | Self::SubstanceUse => Tier::Protected,
            Self::Custody | Self::Sealed | Self::SpareA | Self::SpareB => Tier::Hidden,
        }
    }
}

/// The parts at the beginning of a segment: they are there if the writer can write the
/// compartments that they are for, whether or not it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Parts {
    protected: u64,
    hidden: u64,
}

impl Parts {
    /// Those for these tiers. They are twice as long in a commit that changes keys: it writes
    /// the directory of the ways in, and the root page of each compartment whose key is new,
    /// however full that is.
    pub(crate) fn of(tiers: impl Iterator<Item = Tier>, keys_change: bool) -> Self {
        let times = if keys_change { 2 } else { 1 };
        tiers.fold(Self::default(), |parts, tier| match tier {
            Tier::Everyday => parts,
            Tier::Protected => Self { protected: times * PROTECTED_PART, ..parts },
            Tier::Hidden => Self { hidden: times * HIDDEN_PART, ..parts },
        })
    }

    /// Bytes of all parts together.
    pub(crate) const fn len(self) -> u64 {
        self.protected + self.hidden
    }

    /// Where the part of a tier stands in a segment; empty where it has none.
    pub(crate) const fn range(self, tier: Tier) -> Range<u64> {
        match tier {
            Tier::Everyday => 0..0,
            Tier::Protected => 0..self.protected,
            Tier::Hidden => self.protected..self.len(),
        }
    }
}

/// The length of a segment that has to hold so many bytes.
pub(crate) fn class(bytes: u64) -> u64 {
    let padded = usize::try_from(bytes).map_or(bytes, |bytes| padme(bytes) as u64);
    padded.next_multiple_of(BLOCK).max(LEAST)
}

/// The length of a compacted file's append area, whose everyday objects take so many bytes
/// and all others so many: the class of the everyday ones with room for the others, which
/// shows only where the others need more.
pub(crate) fn compacted(everyday: u64, others: u64) -> u64 {
    let mut length = class(everyday.saturating_add((everyday / 16).max(64 * 1024)));
    while length < everyday.saturating_add(others) {
        length = class(length + 1);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_sound_if_it_goes_from_block_to_block_or_is_none() {
        let digest = SegmentDigest::from_bytes([7; 32]);
        let is_sound = |start, end, parts| Segment { start, end, parts, digest }.is_sound();
        let is_long = |start, end| Segment { start, end, parts: 0, digest }.is_long();
        assert!(is_long(0, LONGEST_COMPARED + 1) && !is_long(4096, LONGEST_COMPARED + 4096));
        assert!(is_sound(81920, 86016, 0) && is_sound(81920, 81920, 0) && Segment::NONE.is_sound());
        assert!(is_sound(81920, 86016, 4096) && !is_sound(81920, 86016, 8192) && !is_sound(81920, 90112, 1));
        assert!(!is_sound(81921, 86016, 0) && !is_sound(81920, 86015, 0) && !is_sound(86016, 81920, 0));
        assert!(!is_sound(0, 0, 0), "none has no digest");
        assert!(!is_sound(81920, 86016, u64::MAX - 4095), "no overflow");
    }

    #[test]
    fn lengths_are_few_and_waste_little() {
        assert_eq!(class(0), LEAST);
        assert_eq!(class(LEAST), LEAST);
        assert_eq!(class(LEAST + 1), LEAST + BLOCK);
        let mut last = 0;
        for bytes in (0..4 << 20).step_by(997) {
            let length = class(bytes);
            assert!(length >= bytes && length.is_multiple_of(BLOCK) && length >= last);
            assert!(length <= LEAST.max(bytes + bytes / 16 + BLOCK));
            last = length;
        }
    }

    #[test]
    fn parts_are_there_whether_used_or_not() {
        use Compartment::{Custody, General, PsychotherapyNotes, Record, Sealed, SubstanceUse};
        let of = |held: &[Compartment]| Parts::of(held.iter().map(|compartment| compartment.tier()), false);
        assert_eq!(of(&[Record, General]).len(), 0);
        assert_eq!(of(&[Record, SubstanceUse]).range(Tier::Protected), 0..PROTECTED_PART);
        assert_eq!(of(&[Record, SubstanceUse, PsychotherapyNotes]).len(), PROTECTED_PART);
        assert_eq!(of(&[Record, Sealed, Custody]).range(Tier::Hidden), 0..HIDDEN_PART);
        let tiers = || Compartment::ALL.into_iter().map(Compartment::tier);
        let all = Parts::of(tiers(), false);
        assert_eq!(Parts::of(tiers(), true).len(), 2 * all.len());
        assert_eq!(all.range(Tier::Protected).end, all.range(Tier::Hidden).start);
        assert_eq!(all.range(Tier::Hidden).end, all.len());
        assert_eq!(all.range(Tier::Everyday), 0..0);
    }

    #[test]
    fn a_compacted_file_shows_others_only_beyond_the_room_for_them() {
        let everyday = 3 << 20;
        let room = compacted(everyday, 0) - everyday;
        assert!(room >= everyday / 16);
        assert_eq!(compacted(everyday, room), compacted(everyday, 0));
        assert!(compacted(everyday, room + 1) > compacted(everyday, 0));
    }
}
