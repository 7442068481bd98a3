//! How a writer of a handle left the roots of a vault file: what the next one may write over.

use crate::format::header::geometry;
use crate::format::root::ROOT_LEN;

/// The bytes in both places of a root.
pub(super) type Roots = [Vec<u8>; 2];

/// The place that is not this one.
pub(super) const fn other(place: usize) -> usize {
    1 - place
}

/// How a writer of this handle left the roots. Whoever finds others was not the last to
/// write.
pub(super) struct Left {
    pub(super) roots: Roots,
    /// The place of the newest.
    pub(super) newest: usize,
}

impl Left {
    /// Both places hold this root, durably.
    pub(super) fn settled(root: &[u8]) -> Self {
        Self { roots: [root.to_vec(), root.to_vec()], newest: 0 }
    }

    /// As a new file has them.
    pub(super) fn of_image(image: &[u8]) -> Option<Self> {
        let start = usize::try_from(geometry::ROOT_A).ok()?;
        image.get(start..start + ROOT_LEN).map(Self::settled)
    }

    pub(super) fn newest(&self) -> &[u8] {
        self.roots.get(self.newest).map_or(&[], Vec::as_slice)
    }

    pub(super) fn copies_are_equal(&self) -> bool {
        let [a, b] = &self.roots;
        a == b
    }

    /// Whether there is only one durable copy of the newest root.
    pub(super) fn owes_a_copy(&self) -> bool {
        !self.copies_are_equal()
    }

    /// The place that is not the only durable copy of the newest root.
    pub(super) fn free(&self) -> usize {
        if self.owes_a_copy() { other(self.newest) } else { 0 }
    }
}
