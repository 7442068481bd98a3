//! Whether the bytes that each commit appended to the file are still those: all of them, filler
//! and what this access cannot decrypt included.
//!
//! A segment is read once, a step at a time, and no two of them may share a byte: so however
//! many links claim whatever, the file is read once. Where nobody wrote, as in a hole of a sparse
//! file, a segment is read no further.

use crate::engine::core::StateReader;
use crate::format::header::geometry;
use crate::id::Epoch;
use crate::store::{Segment, SegmentDigest, StoreError};

/// Most commits that a report names.
const NAMED: usize = 1024;

/// What the history says of the bytes that commits appended to the file.
///
/// A change is no damage by itself: an expungement overwrites bytes, and no digest is brought
/// up to date then. Damage of anything that this access can read is among the findings of the
/// check. What is changed and not among them was erased, or nothing reaches it any more, or it
/// belongs to compartments that this access does not open: nobody without their keys can tell
/// which.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SegmentsReport {
    /// Commits of whose bytes every one is as it was written.
    pub whole: u64,
    /// Commits of whose bytes something was erased or changed.
    pub changed: u64,
    /// The latest of these, at most 1024, the latest first.
    pub changed_in: Vec<Epoch>,
    /// Earlier commits, of which nothing says where their bytes are: those before the last
    /// compaction, and all before a link that cannot be read. All of them in a store that is
    /// not a file.
    pub unknown: u64,
}

impl SegmentsReport {
    fn count(&mut self, epoch: Epoch, is_whole: bool) {
        if is_whole {
            self.whole += 1;
            return;
        }
        self.changed += 1;
        if self.changed_in.len() < NAMED {
            self.changed_in.push(epoch);
        }
    }
}

impl StateReader<'_> {
    /// Compares each segment with its digest, the last one first. Each link names the segment
    /// of the commit before it, which ends where the one behind it starts; gives the commits
    /// whose bytes nobody wrote, and the commit whose link names another segment.
    pub(super) fn check_segments(&self) -> (SegmentsReport, Vec<Epoch>, Option<Epoch>) {
        let root = &self.snapshot.root;
        let (mut epoch, mut segment) = (root.epoch, root.segment);
        let mut report = SegmentsReport { unknown: epoch.number(), ..SegmentsReport::default() };
        let mut holes = Vec::new();
        let Some(file) = self.core.store.as_file() else { return (report, holes, None) };
        loop {
            let found = file.digest_of(&segment);
            holes.extend(matches!(found, Err(StoreError::Missing)).then_some(epoch));
            // What cannot be read is not as it was written.
            let is_same =
                |found: Option<SegmentDigest>| found.is_some_and(|found| found.matches(&segment.digest));
            report.count(epoch, found.is_ok_and(is_same));
            report.unknown = epoch.number().saturating_sub(1);
            let follows = |before: &Segment| {
                let is_appended = before.start >= geometry::APPEND && before.length() > 0;
                is_appended && before.end == segment.start && epoch.number() > 1
            };
            match self.segment_before(epoch) {
                // The link is a finding of its own.
                None => return (report, holes, None),
                Some(Segment::NONE) if segment.start == geometry::APPEND => return (report, holes, None),
                Some(before) if before.is_sound() && follows(&before) => {
                    (segment, epoch) = (before, Epoch::new(report.unknown));
                }
                Some(_) => return (report, holes, Some(epoch)),
            }
        }
    }

    /// What the commit before this one appended, as this one's link says.
    fn segment_before(&self, epoch: Epoch) -> Option<Segment> {
        let span = self.link(epoch).ok()??.segment;
        let digest = SegmentDigest::from_bytes(span.digest);
        Some(Segment { start: span.start, end: span.end, parts: span.parts, digest })
    }
}
