//! Backups: a copy of the vault as one commit left it, checked byte for byte
//! before it gets its name, and recorded in the vault; and the way back.
//!
//! A copy has the same header, area, root and objects at the same offsets, so
//! that it has the same checkpoint.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::audit::ReadKind;
use super::check::CheckReport;
use super::compact::{Meter, Progress, Watch};
use super::core::{Core, View};
use super::history::Checkpoint;
use super::ledger::{Action, Detail, Line, LineState};
use super::open::{self, LockedVault};
use super::options::Actor;
use super::{Unlocked, Vault};
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::Epoch;
use crate::keys::{Credential, Grant};
use crate::store::{
    CopySource, Destination, FileCopy, FileStore, Heads, Store, StoreError, StoreWriter as _,
};

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

/// A backup as the ledger lists it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Backup {
    /// The commit that recorded it.
    pub epoch: Epoch,
    /// When.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serial::moment"))]
    pub time: SystemTime,
    /// What its maker called it.
    pub name: String,
    /// The state that it holds.
    pub checkpoint: Checkpoint,
}

/// Without the name.
impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { epoch, checkpoint, .. } = self;
        f.debug_struct("Backup").field("epoch", epoch).field("checkpoint", checkpoint).finish_non_exhaustive()
    }
}

impl Vault {
    /// Copies the vault to a new file, which every credential of today opens.
    /// Others may read, write and compact meanwhile.
    ///
    /// The copy is read back and authenticated whole, recorded in the ledger
    /// under `name`, and only then given its own name. If the system fails
    /// between the last two, the ledger tells of a backup that does not exist;
    /// if it fails before, a file whose name begins with `.subrosa-` may be left
    /// beside the backup's place, which can be deleted.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is such a file, the vault itself
    /// included; [`StoreError::ReservedName`] for the names that compaction uses
    /// beside a file; [`StoreError::NoFolder`], [`StoreError::NoSpace`],
    /// [`StoreError::Unsupported`] for a vault that is not in a file;
    /// [`Error::Damaged`] when something in the vault cannot be read;
    /// [`Error::Invalid`] for a name that is empty or too long; and as
    /// [`Vault::update`]. Nothing is left behind then.
    pub fn backup(
        &self,
        actor: &Actor,
        to: impl AsRef<Path>,
        name: &str,
        mut progress: impl FnMut(Progress),
    ) -> Result<BackupReport, Error> {
        self.may_write()?;
        let _call = self.begin()?;
        self.backup_to(actor, &Destination::at(to.as_ref())?, name, &mut progress)
    }

    pub(crate) fn backup_to(
        &self,
        actor: &Actor,
        to: &Destination,
        name: &str,
        progress: &mut Watch<'_>,
    ) -> Result<BackupReport, Error> {
        self.may_write()?;
        if name.trim().is_empty() || name.len() > LABEL_LIMIT {
            return Err(Error::Invalid { what: "the name of a backup has 1 to 1024 bytes" });
        }
        let file = self.store.as_file().ok_or(StoreError::Unsupported)?;
        for attempt in 0..2 * FREE_ATTEMPTS {
            let keeps_out = attempt >= FREE_ATTEMPTS;
            let Some((copy, report)) = self.copy_in_use(file, to, keeps_out, progress)? else { continue };
            if self.record(actor, name, &report.checkpoint)? {
                copy.finish()?;
                return Ok(report);
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Records a copy, unless something was withdrawn since it was begun:
    /// whoever did that was not told of it.
    fn record(&self, actor: &Actor, name: &str, checkpoint: &Checkpoint) -> Result<bool, Error> {
        let text = checkpoint.to_string();
        let recorded = self.update(actor, |tx| {
            if tx.view().may_have_withdrawn_since(checkpoint.epoch())? {
                return Ok(false);
            }
            let line = Line::about(Action::BackedUp, actor, None, []);
            tx.log(Compartment::Record, line.with(Detail::Name, name).with(Detail::Checkpoint, &text));
            Ok(true)
        })?;
        Ok(recorded.value)
    }

    /// A checked copy of the newest state, while others may write or while they
    /// wait; `None` when something was withdrawn meanwhile.
    fn copy_in_use(
        &self,
        file: &FileStore,
        to: &Destination,
        keeps_out: bool,
        progress: &mut Watch<'_>,
    ) -> Result<Option<(FileCopy, BackupReport)>, Error> {
        let mut writer = file.lock(self.options.lock_wait)?;
        let current = open::current_for_writing(&self.unlocked()?, &mut writer)?;
        self.adopt(current.clone());
        writer.sync()?;
        let source = file.copy_source();
        let _waiting = keeps_out.then_some(writer);
        current.copy(&source, to, progress)
    }

    /// The backups that were made of this vault, oldest first.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn backups(&self) -> Result<Vec<Backup>, Error> {
        let lines = self.read(|view| view.all_ledger_lines())?;
        self.tell_count(ReadKind::LedgerRead, None, Vec::new(), lines.len());
        Ok(lines.iter().filter_map(|line| Backup::of(line.epoch, line.time, &line.state)).collect())
    }
}

impl View<'_> {
    /// Whether a commit after this one withdrew an entry or changed who opens the
    /// vault, as far as can be told from the lines that are in reach.
    fn may_have_withdrawn_since(&self, epoch: Epoch) -> Result<bool, Error> {
        if self.core.keyring.grant() != Grant::ALL {
            return Ok(self.snapshot.root.epoch != epoch);
        }
        for number in epoch.next().number()..=self.snapshot.root.epoch.number() {
            let lines = self.ledger_lines(Epoch::new(number))?;
            if lines.iter().any(|line| withdraws(&line.state)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn withdraws(state: &LineState) -> bool {
    use Action::{AccessRevoked, Expunged, PasswordChanged};
    matches!(state, LineState::Whole { action: Expunged | AccessRevoked | PasswordChanged, .. })
}

impl LockedVault {
    /// Restores a backup, which this is, to a new file: a copy that was read back
    /// and authenticated whole, with the same checkpoint. The backup stays as it is.
    ///
    /// # Errors
    /// As [`LockedVault::unlock_read_only`] and [`Vault::backup`].
    pub fn restore(
        self,
        credential: &Credential,
        to: impl AsRef<Path>,
        mut progress: impl FnMut(Progress),
    ) -> Result<BackupReport, Error> {
        self.restore_to(credential, &Destination::at(to.as_ref())?, &mut progress)
    }

    pub(super) fn restore_to(
        self,
        credential: &Credential,
        to: &Destination,
        progress: &mut Watch<'_>,
    ) -> Result<BackupReport, Error> {
        let vault = self.unlock_read_only(credential)?;
        let file = vault.store.as_file().ok_or(StoreError::Unsupported)?;
        for _ in 0..FREE_ATTEMPTS {
            vault.refresh()?;
            let source = file.copy_source();
            if let Some((copy, report)) = vault.unlocked()?.copy(&source, to, progress)? {
                copy.finish()?;
                return Ok(report);
            }
        }
        Err(StoreError::Busy.into())
    }
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
        let end = snapshot.root.append_end;
        let mut meter = Meter::new(end, progress);
        let heads = (snapshot.area_bytes.as_slice(), snapshot.root_bytes.as_slice());
        let copy = source.copy(to, heads, end, &mut |bytes| meter.advance(bytes))?;
        let checked = self.check_copy(&copy, end);
        // What cannot be checked may have changed under the copy's hands.
        let is_sure = checked.as_ref().is_ok_and(|report| report.not_checked.is_empty());
        if !is_sure && open::current(&self.core)?.root_bytes != snapshot.root_bytes {
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
            && copy.admits(root.append_end, &root.erase)?)
    }

    /// Whether the vault's file or the copy's is at fault, as both are on disk now.
    fn why_not_copied(&self) -> Result<Error, Error> {
        // Pages in memory may be whole where those on disk are not.
        self.core.cache.clear();
        let is_whole = self.view().check_everything()?.is_clean();
        Ok(if is_whole { misread() } else { Error::Damaged { what: "what was to be copied" } })
    }
}

/// Reads everything in a copy.
fn check_newest(core: &Core) -> Result<(Checkpoint, CheckReport), Error> {
    let snapshot = open::current(core)?;
    let report = View { core, snapshot: &snapshot }.check_everything()?;
    Ok((snapshot.checkpoint(), report))
}

/// What was written to a copy is not what is read from it.
fn misread() -> Error {
    let source = std::io::Error::other("the copy does not read back as it was written: try another disk");
    StoreError::Io { source }.into()
}

impl Backup {
    /// The backup that a line of the ledger tells of.
    pub(super) fn of(epoch: Epoch, time: SystemTime, state: &LineState) -> Option<Self> {
        let LineState::Whole { action: Action::BackedUp, details, .. } = state else { return None };
        let detail = |wanted| details.iter().find(|(detail, _)| *detail == wanted).map(|(_, text)| text);
        let checkpoint = detail(Detail::Checkpoint)?.parse().ok()?;
        Some(Self { epoch, time, name: detail(Detail::Name)?.clone(), checkpoint })
    }
}
