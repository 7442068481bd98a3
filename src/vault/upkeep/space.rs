//! How much of the vault file is in use.

use crate::engine::core::{Core, Snapshot};
use crate::error::Error;
use crate::format::header::geometry;
use crate::format::place::Compartment;
use crate::format::segment::{Tier, compacted};
use crate::store::{StoreError, with_room};
use crate::vault::session::handle::Session;

/// Dead bytes below which a file is not worth compacting.
const WORTH_COMPACTING: u64 = 16 << 20;

/// [`WORTH_COMPACTING`], or what this thread's test makes of it.
fn worth_compacting() -> u64 {
    #[cfg(any(test, fuzzing))]
    if let Some(dead) = crate::seams::worth_compacting() {
        return dead;
    }
    WORTH_COMPACTING
}

/// How much of the vault file is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SpaceReport {
    /// Length of the file, with space that is reserved for the next commits.
    pub file: u64,
    /// Bytes that the open compartments take: entries, their history and the
    /// catalogue, as stored.
    pub live: u64,
    /// Bytes that compaction gives back; `None` where a compartment is not open. How the rest
    /// of the file divides into what other compartments take, filler, and what nothing
    /// reaches, is told to nobody who lacks a key.
    pub dead: Option<u64>,
}

impl SpaceReport {
    /// Whether compaction at closing is due: it gives back more than it leaves, and enough. So
    /// when a file is compacted does not tell how much is live that others do not know of.
    #[must_use]
    pub fn is_compaction_due(&self) -> bool {
        self.dead.is_some_and(|dead| dead > self.file.saturating_sub(dead).max(worth_compacting()))
    }
}

pub(crate) fn space(session: &Session) -> Result<SpaceReport, Error> {
    let _call = session.begin()?;
    let unlocked = session.unlocked()?;
    space_of(&unlocked.core, &unlocked.snapshot)
}

pub(crate) fn space_of(core: &Core, snapshot: &Snapshot) -> Result<SpaceReport, Error> {
    let file = core.store.as_file().ok_or(StoreError::Unsupported)?.length()?;
    let (mut everyday, mut others) = (0u64, 0u64);
    for (compartment, place) in Compartment::ALL.into_iter().zip(&snapshot.places) {
        let live = match compartment.tier() {
            Tier::Everyday => &mut everyday,
            Tier::Protected | Tier::Hidden => &mut others,
        };
        *live = live.saturating_add(place.as_ref().map_or(0, |place| place.live));
    }
    let all_open = snapshot.places.iter().all(Option::is_some);
    let end = snapshot.root.segment.end;
    let used = end.saturating_sub(geometry::APPEND);
    // What an act left that was interrupted or did not get all its space.
    let left_behind = file.saturating_sub(with_room(end));
    let dead = all_open.then(|| used.saturating_sub(compacted(everyday, others)).saturating_add(left_behind));
    Ok(SpaceReport { file, live: everyday.saturating_add(others), dead })
}
