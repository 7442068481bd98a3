//! What tests and fuzz targets determine of this thread: the randomness that it
//! draws, the length of its slices and when compaction is worth it. Absent from
//! every other build.

use std::cell::Cell;

thread_local! {
    static SLICES: Cell<Option<(usize, u64)>> = const { Cell::new(None) };
    static WORTH_COMPACTING: Cell<Option<u64>> = const { Cell::new(None) };
    #[cfg(test)]
    static LONGEST_COMPARED: Cell<Option<u64>> = const { Cell::new(None) };
    static SEEDS: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
}

/// Makes slices on this thread so many bytes long, and so many the most of
/// one commit.
pub(crate) fn shrink_slices(length: usize, most: u64) {
    SLICES.set(Some((length, most)));
}

/// What [`shrink_slices`] said.
pub(crate) fn slices() -> Option<(usize, u64)> {
    SLICES.get()
}

/// Makes segments of this thread's that are longer than this durable before their roots.
#[cfg(test)]
pub(crate) fn compare_segments_up_to(length: u64) {
    LONGEST_COMPARED.set(Some(length));
}

/// What [`compare_segments_up_to`] said.
#[cfg(test)]
pub(crate) fn longest_compared() -> Option<u64> {
    LONGEST_COMPARED.get()
}

/// Makes so many dead bytes worth compacting a vault that this thread closes.
#[cfg(test)]
pub(crate) fn make_worth_compacting(dead: u64) {
    WORTH_COMPACTING.set(Some(dead));
}

/// What [`make_worth_compacting`] said.
pub(crate) fn worth_compacting() -> Option<u64> {
    WORTH_COMPACTING.get()
}

/// Makes every source of randomness that this thread opens from now on one of
/// a sequence that the seed determines.
pub(crate) fn seed_randomness(seed: u64) {
    SEEDS.set(Some((seed, 0)));
}

/// The seed of the next source, where this thread's are determined.
pub(crate) fn next_seed() -> Option<u64> {
    let (seed, count) = SEEDS.get()?;
    SEEDS.set(Some((seed, count + 1)));
    Some(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(count.wrapping_mul(0xd134_2543_de82_ef95)))
}
