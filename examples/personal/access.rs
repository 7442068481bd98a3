//! Opening the vault: with what, for what, and what the opening found.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use subrosa::store::StoreError;
use subrosa::vault::{FormatError, KdfCost, KdfLimits, Listed, Recovery};
use subrosa::{Credential, EntryId, Error, Filter, LockedVault, RecoveryKey, Vault, VaultOptions};

use crate::arguments::Common;
use crate::failure::{self, Failure, whole};
use crate::other_file;
use crate::output::note;
use crate::progress::{Bar, size};
use crate::prompt;
use crate::typed;

/// Fewest digits of an id that are taken for its beginning.
pub(crate) const SHORTEST_PREFIX: usize = 4;
/// Digits of an id that lists show.
const SHOWN_DIGITS: usize = 10;

/// The options of every opening.
pub(crate) fn options(common: &Common) -> VaultOptions {
    let options = VaultOptions::default();
    if !common.accept_weak {
        return options;
    }
    let weak = KdfLimits::default().with_least(8, 1);
    options.with_kdf_limits(weak)
}

/// The vault file at this path, which a refusal names.
pub(crate) fn open(path: &Path, options: VaultOptions) -> Result<LockedVault, Failure> {
    LockedVault::open(path, options).map_err(|error| match error {
        Error::Format(FormatError::NotAVault) => other_file::told(path),
        Error::Format(FormatError::Empty) if path.metadata().is_ok_and(|file| file.len() > 0) => {
            other_file::begins_with_zeros(path)
        }
        Error::Format(FormatError::Empty | FormatError::CutOff) => {
            let beside = other_file::vaults_beside(path);
            Failure::from(error).followed_by(&beside).about(path)
        }
        error if error.code() == "not-found" => Failure::from(error).about(path),
        error => Failure::opening(path, error),
    })
}

/// Whether the system lets nobody write the file, as on a read-only disk.
pub(crate) fn is_read_only(path: &Path) -> bool {
    let open = std::fs::OpenOptions::new().write(true).open(path);
    open.is_err_and(|error| {
        matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
    })
}

/// Opens a vault to change it.
pub(crate) fn to_write(common: &Common, path: &Path) -> Result<Vault, Failure> {
    opened(common, path, options(common))
}

/// The same; new passwords are to cost this much.
pub(crate) fn to_write_at_cost(common: &Common, path: &Path, cost: KdfCost) -> Result<Vault, Failure> {
    opened(common, path, options(common).with_kdf_cost(cost))
}

fn opened(common: &Common, path: &Path, options: VaultOptions) -> Result<Vault, Failure> {
    typed::again(common, || {
        let locked = open(path, options.clone())?;
        let credential = credential(common)?;
        Ok(told(locked.unlock(&credential)?))
    })
}

/// Opens a vault to read it: repaired if that is possible, else as it is.
pub(crate) fn to_read(common: &Common, path: &Path) -> Result<Vault, Failure> {
    to_read_expecting(common, path, None, Intent::Read)
}

/// What a reader may do to the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent<'a> {
    /// Read, and repair on the occasion what an interrupted program left.
    Read,
    /// Leave every byte as it is, and look at what is left if the vault is damaged.
    Look,
    /// Repair, if only by this backup.
    Repair { from: Option<&'a Path> },
}

/// The same, demanding that the vault continues a checkpoint.
pub(crate) fn to_read_expecting(
    common: &Common,
    path: &Path,
    checkpoint: Option<subrosa::vault::Checkpoint>,
    intent: Intent<'_>,
) -> Result<Vault, Failure> {
    typed::again(common, || look(common, path, checkpoint, intent))
}

fn look(
    common: &Common,
    path: &Path,
    checkpoint: Option<subrosa::vault::Checkpoint>,
    intent: Intent<'_>,
) -> Result<Vault, Failure> {
    let open = || -> Result<LockedVault, Failure> {
        // A reader need not wait for a writer: it reads beside it.
        let options = options(common).with_lock_wait(Duration::ZERO);
        let locked = match intent {
            Intent::Repair { from: Some(backup) } => {
                LockedVault::with_header_of(path, backup, options).map_err(|error| match error {
                    // The vault's own header may be damaged: it is the backup's that has to be whole.
                    Error::Format(_) => Failure::from(error).about(backup),
                    error => Failure::from(error),
                })?
            }
            _ => open(path, options)?,
        };
        Ok(match checkpoint {
            Some(checkpoint) => locked.expecting(checkpoint),
            None => locked,
        })
    };
    let locked = open()?;
    let credential = credential(common)?;
    let unlocked = match intent {
        Intent::Look => locked.unlock_read_only(&credential),
        _ => locked.unlock(&credential),
    };
    match unlocked {
        Err(error @ (Error::Damaged { .. } | Error::Store(StoreError::Missing | StoreError::Io { .. }))) => {
            let Ok(vault) = open()?.unlock_for_diagnosis(&credential) else { return Err(error.into()) };
            if intent == Intent::Read {
                failure::remember(
                    Failure::from(error)
                        .after("This is what can still be read of the vault, and it may be incomplete:"),
                );
            } else {
                note(
                    "The vault is so damaged that it does not open. This is about what can still be read of it.",
                );
            }
            Ok(told(vault))
        }
        Err(error) if intent != Intent::Read => Err(error.into()),
        Err(Error::Store(StoreError::ReadOnly | StoreError::Busy | StoreError::NoLocks)) => {
            Ok(told(open()?.unlock_read_only(&credential)?))
        }
        result => Ok(told(result?)),
    }
}

/// Closes a vault, so that both copies of its root are durable, and says when its file was made
/// smaller on the occasion. What the command did is done by then: where closing fails, that is
/// said, the command goes on to tell what it did, and [`exit`](failure::exit) is not success.
pub(crate) fn close(vault: Vault) {
    let bar = Bar::new("Compacting");
    let closed = vault.close_with(|progress| bar.show(progress));
    drop(bar);
    let closed = match closed {
        Ok(closed) => closed,
        Err(error) => {
            let told = Failure::from(error).after(
                "What the command did is in the vault, and is told here; but when the vault was closed, this went \
                 wrong:",
            );
            return failure::remember(told);
        }
    };
    if let Some(report) = closed.compacted {
        let (before, after) = (size(report.before), size(report.after));
        note(&format!("Most of the vault's file was no longer in use: it was {before} and is now {after}."));
    }
    if let Some(error) = closed.not_compacted {
        note(&format!(
            "Most of the vault's file is no longer in use, but could not be given back: {}.",
            whole(&error)
        ));
    }
    if let Some(error) = closed.not_renewed {
        let told = Failure::from(error).after(
            "What the command did is in the vault, and is told here. The change at closing that hides what was done \
             from others who open the vault could not be made:",
        );
        failure::remember(told);
    }
}

pub(crate) fn told(vault: Vault) -> Vault {
    match vault.recovery() {
        Recovery::Recovered => note(
            "The program was interrupted the last time it wrote to this vault. That was repaired; nothing \
             that it had finished is lost.",
        ),
        Recovery::Dropped { epoch } => note(&format!(
            "The last change, number {epoch}, was not whole in the file and is not in the vault. Either the program \
             was interrupted before it had finished, or the file was damaged since. Look whether what you entered \
             last is there, and compare the number with your checkpoint if you keep one.",
        )),
        Recovery::Needed => note(
            "The last write to this vault was interrupted or is still going on, and the file cannot be repaired \
             now. You see its newest whole state.",
        ),
        Recovery::ListDamaged => note(
            "The list of what was expunged last is damaged. If the program was interrupted then, parts of that \
             may still be in the file: compact the vault.",
        ),
        _ => {}
    }
    tell_returned(&vault);
    vault
}

/// Says which entries were expunged to stay away and are there again.
fn tell_returned(vault: &Vault) {
    // What cannot be read is told by whatever needs it.
    let Ok(returned) = vault.returned() else { return };
    if returned.is_empty() {
        return;
    }
    let ids: Vec<String> = returned.iter().map(|id| short_id(*id)).collect();
    note(&format!(
        "{} again that you expunged to stay away: {}. Somebody imported it. To destroy it again: `personal expunge \
         VAULT {} --stay-away`. To keep it: import its file with --take-expunged.",
        match ids.len() {
            1 => "An entry is here".to_owned(),
            some => format!("{some} entries are here"),
        },
        ids.join(", "),
        ids.join(" ")
    ));
}

pub(crate) fn credential(common: &Common) -> Result<Credential, Failure> {
    if common.recovery_key || common.recovery_key_file.is_some() {
        return recovery_credential(common);
    }
    Ok(prompt::password(&password_text(common)?)?.into())
}

/// The recovery key: from its file, or asked for.
pub(crate) fn recovery_credential(common: &Common) -> Result<Credential, Failure> {
    let Some(path) = &common.recovery_key_file else { return Ok(typed::recovery_key()?.into()) };
    let text = prompt::secret_file(path, "recovery key")?;
    let key = RecoveryKey::parse(&text).map_err(|error| match typed::slips(&text) {
        Some(slips) => Failure::refused(format!("{error}: {slips}")),
        None => Failure::refused(error.to_string()),
    })?;
    Ok(key.into())
}

/// The password that opens the vault.
pub(crate) fn password_text(common: &Common) -> Result<zeroize::Zeroizing<String>, Failure> {
    match &common.password_file {
        Some(path) => prompt::secret_file(path, "password"),
        None => prompt::hidden("Password: "),
    }
}

/// The entry whose id begins so.
pub(crate) fn entry_id(vault: &Vault, text: &str) -> Result<EntryId, Failure> {
    let prefix = text.trim().to_lowercase();
    if prefix.len() < SHORTEST_PREFIX || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::refused(
            "an entry's id is at least the first 4 of its 32 digits (0-9, a-f), as `personal list` shows them",
        ));
    }
    // What is sealed is found by its whole id.
    let is_whole = prefix.parse::<EntryId>().is_ok();
    let filter = Filter::all().with_retracted();
    let all = vault.list(&if is_whole { filter.with_sealed() } else { filter })?;
    // An id that somebody gave two entries is one id.
    let all: BTreeSet<EntryId> = all.iter().map(|entry| entry.id).collect();
    let mut found = all.into_iter().filter(|id| id.to_string().starts_with(&prefix));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => Err(not_there(&prefix)),
        _ => Err(Failure::refused(format!("several ids begin with {prefix}; give more of its digits"))),
    }
}

/// There is no entry whose id begins so: nothing tells whether there ever was.
fn not_there(prefix: &str) -> Failure {
    match prefix.parse() {
        Ok(id) => Error::NoSuchEntry { id }.into(),
        Err(_) => Failure::refused(format!(
            "no entry's id begins with {prefix}; `personal list` shows what there is"
        )),
    }
}

/// An entry as it is listed.
pub(crate) fn listed(vault: &Vault, id: EntryId) -> Result<Listed, Failure> {
    let all = vault.list(&Filter::all().with_retracted().with_sealed())?;
    all.into_iter().find(|entry| entry.id == id).ok_or_else(|| Error::NoSuchEntry { id }.into())
}

/// The beginning of an id, as lists show it.
pub(crate) fn short_id(id: EntryId) -> String {
    id.to_string().chars().take(SHOWN_DIGITS).collect()
}
