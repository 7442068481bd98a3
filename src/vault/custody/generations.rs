//! Which KDF parameters an area shows, and which of them a new password takes.
//!
//! An area has room for two. A password that is changed by somebody who cannot
//! write the directory keeps the first or moves to the second, and is marked as
//! before: so a mark of the second is always true, and a mark of the first may
//! be late. The first is dropped only where no mark names it, the second only
//! where there is no other password; both by a commit that changes the key of
//! the directory, so that no older marks can be put back.

use crate::crypto::kdf::{KdfCost, KdfLimits, KdfParameters};
use crate::crypto::random::Randomness;
use crate::error::Error;
use crate::format::area::Area;
use crate::keys::check_opening;

/// The KDF parameters of a new area.
pub(crate) struct Generations {
    pub(super) kdf: [KdfParameters; 2],
    /// What a new password takes.
    pub(super) run: KdfParameters,
}

impl Generations {
    /// For a holder of the directory, whose marks of the passwords that stay are
    /// `kept`; `cost` is that of new passwords, if there are any.
    pub(super) fn renewed(
        random: &mut Randomness,
        area: &Area,
        kept: &[u8],
        cost: Option<KdfCost>,
        limits: &KdfLimits,
    ) -> Result<Self, Error> {
        let [first, second] = area.kdf;
        let keeps_first = kept.contains(&1);
        let mut runs = match (keeps_first, kept.is_empty()) {
            (true, _) => vec![first, second],
            (false, false) => vec![second],
            (false, true) => Vec::new(),
        };
        runs.dedup();
        let run = match cost {
            None => second,
            Some(cost) => match [second, first].into_iter().find(|run| run.cost == cost) {
                Some(same) => same,
                None if runs.len() < 2 => KdfParameters::generate(random, cost)?,
                None => return Err(THIRD_COST),
            },
        };
        if cost.is_some() {
            check_opening(&[first, second, run], limits).map_err(|_| TOO_COSTLY)?;
            runs.push(run);
        }
        Ok(Self { kdf: in_order(&area.kdf, &runs), run })
    }

    /// For somebody who does not know what the other passwords use; the one that
    /// is changed uses `own`.
    pub(super) fn beside_others(
        random: &mut Randomness,
        area: &Area,
        own: &KdfParameters,
        cost: KdfCost,
        limits: &KdfLimits,
    ) -> Result<Self, Error> {
        let [first, second] = area.kdf;
        let usable = if *own == first { [second, first] } else { [second; 2] };
        if let Some(run) = usable.into_iter().find(|run| run.cost == cost) {
            return Ok(Self { kdf: area.kdf, run });
        }
        if first != second {
            return Err(THIRD_COST);
        }
        let run = KdfParameters::generate(random, cost)?;
        check_opening(&[first, run], limits).map_err(|_| TOO_COSTLY)?;
        Ok(Self { kdf: [first, run], run })
    }

    /// The directory's mark of a password that uses this run.
    pub(super) fn mark(&self, run: &KdfParameters) -> u8 {
        let [first, _] = self.kdf;
        if *run == first { 1 } else { 2 }
    }
}

/// Two generations of these runs: those of the area in its order, a fresh one last.
fn in_order(before: &[KdfParameters; 2], runs: &[KdfParameters]) -> [KdfParameters; 2] {
    let [first, second] = *before;
    let known = [first, second].into_iter().filter(|run| runs.contains(run));
    let fresh = runs.iter().copied().filter(|run| !before.contains(run));
    let mut ordered: Vec<KdfParameters> = known.chain(fresh).collect();
    ordered.dedup();
    match ordered.as_slice() {
        [only] => [*only; 2],
        [one, other] => [*one, *other],
        _ => [second; 2],
    }
}

const THIRD_COST: Error = Error::Invalid {
    what: "passwords of two costs are in use and a third is not possible: keep one of the two costs for new passwords, or change those of the older cost first",
};
const TOO_COSTLY: Error = Error::Invalid {
    what: "the old and the new cost of passwords together exceed the limits of one opening: choose a lower cost for new passwords, or keep the present one",
};
