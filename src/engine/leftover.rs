//! What an opening does with the traces of an interrupted compaction (rule R7 of
//! `docs/format.md`).

use std::sync::Arc;

use super::core::{Core, Snapshot, StateReader};
use super::opening::Candidate;
use crate::crypto::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::format::area::Area;
use crate::payload::history::SegmentSpanV1;
use crate::store::{
    Beside, FileStore, FileWriter, Found, Heads, Store as _, StoreError, has_unwritten_sector,
};

/// What stands behind the append end of a file that the file with this root takes
/// the place of: no copy that was made before has it, and no backup.
pub(crate) fn replacement_mark(root: &[u8]) -> Digest {
    Digest::of(&[b"subrosa/v1 replaced by".as_slice(), root])
}

/// What a file beside the vault is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A compaction left it.
    Leftover,
    /// Somebody put it there, or nothing is there.
    Foreign,
    /// It follows upon the vault's root, and is too damaged to say what it is.
    Unclear,
}

impl Origin {
    fn leftover_if(is_leftover: bool) -> Self {
        if is_leftover { Self::Leftover } else { Self::Foreign }
    }
}

/// Finishes or undoes an interrupted compaction, once the vault itself is known
/// to be whole. Tells whether there was one. What is no leftover stays; beside what
/// may be one, the writer withdraws nothing.
pub(crate) fn tidy(
    core: &Core,
    snapshot: &Snapshot,
    file: &FileStore,
    writer: &mut FileWriter<'_>,
) -> Result<bool, Error> {
    let mut tidied = false;
    let known = StateReader { core, snapshot };
    for which in [Beside::Draft, Beside::Old] {
        let found = file.beside(which)?;
        let origin = match &found {
            Found::Nothing | Found::Foreign => Origin::Foreign,
            Found::Itself => Origin::leftover_if(which == Beside::Old),
            Found::Beginning => Origin::leftover_if(which == Beside::Draft),
            Found::Vault(store) => known.origin(which, store)?,
        };
        match origin {
            Origin::Leftover => {
                writer.discard(which, &found)?;
                tidied = true;
            }
            Origin::Foreign => {}
            Origin::Unclear => writer.refuse_withdrawals(which),
        }
    }
    Ok(tidied)
}

impl StateReader<'_> {
    /// Whether a file of this vault is what a compaction leaves, so that nobody
    /// can miss it; a copy that somebody made is not.
    fn origin(&self, which: Beside, store: &FileStore) -> Result<Origin, Error> {
        let heads = match store.heads() {
            // A draft may end before its heads, an old file was whole.
            Err(StoreError::Missing) => return Ok(Origin::leftover_if(which == Beside::Draft)),
            heads => heads?,
        };
        let Some(candidate) = Candidate::newest_of_any(self.core, &heads.roots) else {
            return Ok(Origin::leftover_if(self.is_unfinished(which, &heads)));
        };
        match which {
            Beside::Old => Ok(Origin::leftover_if(self.was_replaced(&candidate, store)?)),
            Beside::Draft => self.origin_of_draft(candidate, store),
        }
    }

    /// Whether a file of which no root opens is what writing a draft's heads, or
    /// overwriting them, leaves when it is interrupted. Somebody's copy whose roots
    /// are damaged still has its areas, and roots without a gap.
    fn is_unfinished(&self, which: Beside, heads: &Heads) -> bool {
        let mut intact = heads.areas.iter().filter(|area| Area::parse(area).is_ok()).peekable();
        match which {
            _ if intact.peek().is_none() => true,
            Beside::Old => false,
            Beside::Draft => {
                let is_torn = heads.roots.first().is_some_and(|root| has_unwritten_sector(root));
                is_torn && intact.all(|area| Area::is_same(area, &self.snapshot.area_bytes))
            }
        }
    }

    /// Whether the vault's file took the place of this one.
    fn was_replaced(&self, old: &Candidate, store: &FileStore) -> Result<bool, Error> {
        let is_previous = self.snapshot.root.previous == Digest::of(&[&old.root_bytes]);
        let mark = replacement_mark(&self.snapshot.root_bytes);
        Ok(is_previous && store.has_mark(old.root.segment.end, &mark)?)
    }

    /// A draft is gone before the vault's next commit, so that it follows upon the
    /// present root. `record` alone says what it is: damage in other compartments
    /// must not make a stranger's file of it.
    fn origin_of_draft(&self, candidate: Candidate, store: &FileStore) -> Result<Origin, Error> {
        if candidate.root.previous != self.snapshot.root_digest() {
            return Ok(Origin::Foreign);
        }
        let core = self.core.on(Arc::new(store.again()?));
        match candidate.compacts(&core) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(Origin::Unclear),
            compacts => Ok(Origin::leftover_if(compacts?)),
        }
    }
}

impl Candidate {
    /// Whether this root's commit is a compaction.
    fn compacts(self, core: &Core) -> Result<bool, Error> {
        let epoch = self.root.epoch;
        let snapshot = self.unchecked(core)?;
        let link = StateReader { core, snapshot: &snapshot }.link(epoch)?;
        let link = link.ok_or(Error::Damaged { what: "history" })?;
        // A compaction begins a file: before it nothing was appended there.
        Ok(epoch.number() > 1 && link.segment == SegmentSpanV1::default())
    }
}
