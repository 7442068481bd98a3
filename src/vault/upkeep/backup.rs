//! Backups: a copy of the vault as one commit left it, checked byte for byte
//! before it gets its name, and recorded in the vault; and the way back.
//!
//! A copy has the same header, area, root and objects at the same offsets, so
//! that it has the same checkpoint.

use std::path::Path;
use std::sync::Arc;

use super::check::CheckReport;
use super::compact::{Meter, Progress, Watch};
use crate::engine::actor::Actor;
use crate::engine::backups::Backup;
use crate::engine::core::{Core, StateReader};
use crate::engine::facts::{Action, Detail};
use crate::engine::history::Checkpoint;
use crate::engine::ledger::{LedgerLine, Line};
use crate::engine::opening::current;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::Epoch;
use crate::keys::{Credential, Grant};
use crate::store::{
    CopySource, Destination, FileCopy, FileStore, Heads, Store, StoreError, StoreWriter as _,
};
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;
use crate::vault::session::open::Locked;
use crate::vault::session::state::Unlocked;
use crate::vault::session::writing::current_for_writing;

/// Copies that are tried while others may write; the next one keeps them out.
const FREE_ATTEMPTS: usize = 3;
/// Longest label of a backup in bytes.
const LABEL_LIMIT: usize = 1024;

/// What a backup, or what was restored from it, holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BackupReport {
    /// The state that was copied: the backup satisfies it.
    pub checkpoint: Checkpoint,
    /// Length of the backup in bytes.
    pub bytes: u64,
    /// Current entries in it, of the compartments that are open.
    pub entries: u64,
    /// Compartments whose key this access does not have: copied, not checked.
    pub not_checked: Vec<Compartment>,
}

pub(crate) fn backup(
    session: &Session,
    actor: &Actor,
    to: impl AsRef<Path>,
    name: &str,
    mut progress: impl FnMut(Progress),
) -> Result<BackupReport, Error> {
    session.may_write()?;
    let _call = session.begin()?;
    backup_to(session, actor, &Destination::at(to.as_ref())?, name, &mut progress)
}

pub(crate) fn backup_to(
    session: &Session,
    actor: &Actor,
    to: &Destination,
    name: &str,
    progress: &mut Watch<'_>,
) -> Result<BackupReport, Error> {
    session.may_write()?;
    if name.trim().is_empty() || name.len() > LABEL_LIMIT {
        return Err(Error::Invalid { what: "the name of a backup has 1 to 1024 bytes" });
    }
    let file = session.store.as_file().ok_or(StoreError::Unsupported)?;
    for attempt in 0..2 * FREE_ATTEMPTS {
        let keeps_out = attempt >= FREE_ATTEMPTS;
        let Some((copy, report)) = copy_in_use(session, file, to, keeps_out, progress)? else { continue };
        if record(session, actor, name, &report.checkpoint)? {
            copy.finish()?;
            return Ok(report);
        }
    }
    Err(StoreError::Busy.into())
}

/// Records a copy, unless something was withdrawn since it was begun:
/// whoever did that was not told of it.
fn record(session: &Session, actor: &Actor, name: &str, checkpoint: &Checkpoint) -> Result<bool, Error> {
    let text = checkpoint.to_string();
    let recorded = session.update(actor, |tx| {
        if tx.reader().may_have_withdrawn_since(checkpoint.epoch())? {
            return Ok(false);
        }
        tx.announce(Action::BackedUp);
        let line = Line::of(Action::BackedUp, actor);
        tx.log(Compartment::Record, line.with(Detail::Name, name).with(Detail::Checkpoint, &text));
        Ok(true)
    })?;
    Ok(recorded.value)
}

/// A checked copy of the newest state, while others may write or while they
/// wait; `None` when something was withdrawn meanwhile.
fn copy_in_use(
    session: &Session,
    file: &FileStore,
    to: &Destination,
    keeps_out: bool,
    progress: &mut Watch<'_>,
) -> Result<Option<(FileCopy, BackupReport)>, Error> {
    let mut writer = file.lock(session.options.lock_wait)?;
    let current = current_for_writing(&session.unlocked()?, &mut writer)?;
    session.adopt(current.clone());
    writer.sync()?;
    let source = file.copy_source();
    let _waiting = keeps_out.then_some(writer);
    current.copy(&source, to, progress)
}

pub(crate) fn backups(session: &Session) -> Result<Vec<Backup>, Error> {
    let lines = session.read(|reader| reader.all_ledger_lines())?;
    session.tell_count(ReadKind::LedgerRead, None, Vec::new(), lines.len());
    Ok(lines.iter().filter_map(Backup::of).collect())
}

impl StateReader<'_> {
    /// Whether a commit after this one withdrew an entry or changed who opens the
    /// vault, as far as can be told from the lines that are in reach.
    fn may_have_withdrawn_since(&self, epoch: Epoch) -> Result<bool, Error> {
        if self.core.keyring.grant() != Grant::ALL {
            return Ok(self.snapshot.root.epoch != epoch);
        }
        for number in epoch.number().saturating_add(1)..=self.snapshot.root.epoch.number() {
            let lines = self.ledger_lines(Epoch::new(number))?;
            if lines.iter().any(withdraws) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Who expunges or changes a password without seeing the ways in leaves the line that
/// everybody reads.
fn withdraws(line: &LedgerLine) -> bool {
    use Action::{AccessChanged, AccessRevoked, Changed, Expunged, ImportUndone, Moved, PasswordChanged};
    let exactly = [Expunged, ImportUndone, Moved, AccessRevoked, PasswordChanged];
    exactly.contains(&line.action) || [Changed, AccessChanged].contains(&line.action)
}

pub(crate) fn restore(
    locked: Locked,
    credential: &Credential,
    to: &Path,
    mut progress: impl FnMut(Progress),
) -> Result<BackupReport, Error> {
    restore_to(locked, credential, &Destination::at(to)?, &mut progress)
}

pub(crate) fn restore_to(
    locked: Locked,
    credential: &Credential,
    to: &Destination,
    progress: &mut Watch<'_>,
) -> Result<BackupReport, Error> {
    let session = locked.unlock_read_only(credential)?;
    let file = session.store.as_file().ok_or(StoreError::Unsupported)?;
    for _ in 0..FREE_ATTEMPTS {
        session.refresh()?;
        let source = file.copy_source();
        if let Some((copy, report)) = session.unlocked()?.copy(&source, to, progress)? {
            copy.finish()?;
            return Ok(report);
        }
    }
    Err(StoreError::Busy.into())
}

impl Unlocked {
    /// A checked copy of this state; `None` when a writer withdrew parts of it
    /// meanwhile.
    fn copy(
        &self,
        source: &CopySource,
        to: &Destination,
        progress: &mut Watch<'_>,
    ) -> Result<Option<(FileCopy, BackupReport)>, Error> {
        let snapshot = &*self.snapshot;
        let end = snapshot.root.segment.end;
        let mut meter = Meter::new(end, progress);
        let heads = (snapshot.area_bytes.as_slice(), snapshot.root_bytes.as_slice());
        let copy = source.copy(to, heads, end, &mut |bytes| meter.advance(bytes));
        let copy = copy.map_err(|error| match error {
            StoreError::Missing => Error::Damaged { what: "bytes of the file that nobody wrote" },
            error => error.into(),
        })?;
        let checked = self.check_copy(&copy, end);
        // What cannot be checked may have changed under the copy's hands.
        let is_sure = checked.as_ref().is_ok_and(|report| report.not_checked.is_empty());
        if !is_sure && current(&self.core, Some(snapshot))?.root_bytes != snapshot.root_bytes {
            return Ok(None);
        }
        checked.map(|report| Some((copy, report)))
    }

    /// Opens a copy with the keys of this handle and reads everything in it.
    fn check_copy(&self, copy: &FileCopy, bytes: u64) -> Result<BackupReport, Error> {
        let core = self.core.on(Arc::new(copy.store()?));
        let checkpoint = self.snapshot.checkpoint();
        match check_newest(&core) {
            Ok((found, report))
                if report.is_clean() && found == checkpoint && self.opens_alike(&*core.store)? =>
            {
                let (entries, not_checked) = (report.entries, report.not_checked);
                Ok(BackupReport { checkpoint, bytes, entries, not_checked })
            }
            Err(error) if error.kind() != ErrorKind::Damaged => Err(error),
            _ => Err(self.why_not_copied()?),
        }
    }

    /// Whether a copy has the header, and every copy of area and root, of this state.
    fn opens_alike(&self, copy: &dyn Store) -> Result<bool, Error> {
        let Heads { areas, roots } = copy.heads()?;
        let root = &self.snapshot.root;
        Ok(copy.header()? == self.core.store.header()?
            && areas.iter().all(|area| *area == self.snapshot.area_bytes)
            && roots.iter().all(|root| *root == self.snapshot.root_bytes)
            && copy.admits(root.segment.end, &[])?)
    }

    /// Whether the vault's file or the copy's is at fault, as both are on disk now.
    fn why_not_copied(&self) -> Result<Error, Error> {
        // Pages in memory may be whole where those on disk are not.
        self.core.cache.clear();
        let is_whole = self.reader().check_everything()?.is_clean();
        Ok(if is_whole { misread() } else { Error::Damaged { what: "what was to be copied" } })
    }
}

/// Reads everything in a copy.
fn check_newest(core: &Core) -> Result<(Checkpoint, CheckReport), Error> {
    let snapshot = current(core, None)?;
    let report = StateReader { core, snapshot: &snapshot }.check_everything()?;
    Ok((snapshot.checkpoint(), report))
}

/// What was written to a copy is not what is read from it.
fn misread() -> Error {
    let source = std::io::Error::other("the copy does not read back as it was written: try another disk");
    StoreError::Io { source }.into()
}
