//! What a writer starts from.

use std::sync::Arc;
use std::time::Duration;

use super::state::{Unlocked, WayIn};
use crate::engine::core::Snapshot;
use crate::engine::leftover::tidy;
use crate::engine::opening::{current_of, expect_successor, settle};
use crate::error::Error;
use crate::format::area::Area;
use crate::store::{Chosen, FileWriter, Store, StoreWriter, proven_writer};

/// A writer, and the state that it starts from. What the handle knows is asked for
/// under the lock: another thread may change the keys while this one waits for it.
///
/// What a compaction of another handle left when it was interrupted goes first:
/// what this writer withdraws could be read there for ever.
pub(crate) fn start_writing<'s>(
    store: &'s dyn Store,
    known: impl FnOnce() -> Result<Unlocked, Error>,
    wait: Duration,
) -> Result<(Box<dyn StoreWriter + 's>, Unlocked), Error> {
    let Some(file) = store.as_file() else {
        let mut writer = proven_writer(store, wait)?;
        let current = current_in_store(&known()?, &mut *writer)?;
        return Ok((writer, current));
    };
    let mut writer = file.lock(wait)?;
    let current = current_for_writing(&known()?, &mut writer)?;
    tidy(&current.core, &current.snapshot, file, &mut writer)?;
    let current = with_shortcut(current, &mut writer)?;
    Ok((Box::new(writer), current))
}

/// Puts back the shortcut that the handle's slot lacked when it was opened (rule C4).
/// It is done with a commit, so that who compares copies of the file learns no more
/// than that this way in wrote.
fn with_shortcut(current: Unlocked, writer: &mut dyn StoreWriter) -> Result<Unlocked, Error> {
    let Unlocked { core, snapshot, way_in } = current;
    let Some((way_in, shortcut)) = way_in.clone().and_then(|way_in| Some((way_in.clone(), way_in.restored?)))
    else {
        return Ok(Unlocked { core, snapshot, way_in });
    };
    let area = Area::with_shortcut(&snapshot.area_bytes, way_in.slot, &shortcut);
    writer.sync()?;
    writer.settle(&Chosen { area: &area, root: &snapshot.root_bytes, erase: &[] })?;
    let mut newer = current_of(&core, &core.store.heads()?, Some(&snapshot))?.value;
    settle(&core, &mut newer, writer)?;
    let way_in = Some(WayIn { restored: None, ..way_in });
    Ok(Unlocked { core, snapshot: Arc::new(newer), way_in })
}

/// The state that the writer of a file starts from: the one it knows, if this handle was the
/// last to write; else what another writer left, which may have died.
pub(crate) fn current_for_writing(known: &Unlocked, writer: &mut FileWriter<'_>) -> Result<Unlocked, Error> {
    let snapshot = &*known.snapshot;
    if snapshot.settled && writer.left_last(&snapshot.root_bytes)? {
        return Ok(known.clone());
    }
    recovered(known, writer)
}

/// The same in a store that swaps its root.
fn current_in_store(known: &Unlocked, writer: &mut dyn StoreWriter) -> Result<Unlocked, Error> {
    let snapshot = &*known.snapshot;
    let heads = known.core.store.heads()?;
    let at_rest = heads.roots.iter().all(|root| *root == snapshot.root_bytes)
        && heads.areas.iter().all(|area| *area == snapshot.area_bytes);
    if snapshot.settled && at_rest {
        return Ok(known.clone());
    }
    recovered(known, writer)
}

fn recovered(known: &Unlocked, writer: &mut dyn StoreWriter) -> Result<Unlocked, Error> {
    let mut newer = successor_of(known, writer)?;
    settle(&known.core, &mut newer, writer)?;
    Ok(known.with(newer))
}

/// The state that a repair of a vault under diagnosis starts from. Nothing is
/// settled: that is for an opening that finds the vault whole.
pub(crate) fn current_for_repair(known: &Unlocked, writer: &mut dyn StoreWriter) -> Result<Unlocked, Error> {
    Ok(known.with(successor_of(known, writer)?))
}

/// The newest state, once what a dead process wrote is durable.
fn successor_of(known: &Unlocked, writer: &mut dyn StoreWriter) -> Result<Snapshot, Error> {
    let (core, snapshot) = (&*known.core, &*known.snapshot);
    writer.sync()?;
    let newer = current_of(core, &core.store.heads()?, Some(snapshot))?.value;
    expect_successor(core, snapshot, &newer)?;
    Ok(newer)
}
