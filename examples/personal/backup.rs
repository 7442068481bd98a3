//! `backup`, `restore` and `compact`: the vault file as a whole.

use std::path::Path;

use serde_json::{Value as Json, json};
use subrosa::Actor;
use subrosa::vault::BackupReport;

use crate::access;
use crate::arguments::{Backup, Common, Restore, VaultOnly};
use crate::failure::Failure;
use crate::output::{self, count};
use crate::progress::{Bar, size};
use crate::target::{self, Wanted, hinted};

const WANTED: Wanted = Wanted { question: "Where should the backup go?", command: "backup NEWFILE" };

pub(crate) fn run(common: &Common, command: &Backup) -> Result<(), Failure> {
    let (path, to) = target::vault_and(common, &command.names, WANTED)?;
    if access::is_read_only(&path) {
        return of_read_only(common, &path, &to);
    }
    let vault = access::to_write(common, &path)?;
    let file_name = to.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = command.label.clone().or(file_name).unwrap_or_default();
    let bar = Bar::new("Copying");
    let report = vault.backup_with(&Actor::owner(), &to, &name, |progress| bar.show(progress))?;
    drop(bar);
    access::close(vault);
    if common.json {
        return output::json(&for_programs(&report));
    }
    output::say(&hinted(&format!(
        "Backed up {} with their history and the ledger, {} in all. The copy was read back and is whole.\n\n\
         Keep it somewhere else than this computer: another disk, or with somebody whom you trust. It is \
         encrypted: what opens the vault today, password or recovery key, opens the backup, even after you \
         change the password here.\n\n\
         What you destroy in the vault from now on is still in this backup until you delete that too; \
         `personal expunge` names the backups that hold an entry.\n\n\
         Checkpoint: {}",
        entries(&report),
        size(report.bytes),
        report.checkpoint
    )))
}

/// Backs up a vault that cannot be written, and so cannot note it.
fn of_read_only(common: &Common, path: &Path, to: &Path) -> Result<(), Failure> {
    let report = copied(common, path, to, "Copying")?;
    if common.json {
        return output::json(&for_programs(&report));
    }
    output::say(&format!(
        "Backed up {} with their history and the ledger, {} in all. The copy was read back and is whole.\n\n\
         The vault cannot be written here, so its ledger does not note the backup: what you destroy later names \
         no copy that it does not know. Write down where this one is.\n\n\
         Checkpoint: {}",
        entries(&report),
        size(report.bytes),
        report.checkpoint
    ))
}

/// A checked copy of a vault file, of which that file knows nothing.
fn copied(common: &Common, from: &Path, to: &Path, what: &'static str) -> Result<BackupReport, Failure> {
    let locked = access::open(from, access::options(common))?;
    let credential = access::credential(common)?;
    let bar = Bar::new(what);
    let report = locked.restore_with(&credential, to, |progress| bar.show(progress))?;
    drop(bar);
    Ok(report)
}

pub(crate) fn restore(common: &Common, command: &Restore) -> Result<(), Failure> {
    let report = copied(common, &command.backup, &command.to, "Restoring")?;
    if common.json {
        return output::json(&for_programs(&report));
    }
    output::say(&format!(
        "Restored {} with their history and the ledger. The new vault was read back and is whole; the backup is \
         as it was. It opens with what opened the vault when the backup was made.\n\n\
         Checkpoint: {}",
        entries(&report),
        report.checkpoint
    ))
}

pub(crate) fn compact(common: &Common, command: &VaultOnly) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let vault = access::to_write(common, &path)?;
    let bar = Bar::new("Compacting");
    let report = vault.compact_with(&Actor::owner(), |progress| bar.show(progress))?;
    drop(bar);
    access::close(vault);
    if common.json {
        return output::json(&json!({ "before": report.before, "after": report.after }));
    }
    output::say(&format!(
        "The vault's file was {} and is now {}. Nothing that is in the vault was lost.",
        size(report.before),
        size(report.after)
    ))
}

fn entries(report: &BackupReport) -> String {
    count(usize::try_from(report.entries).unwrap_or(usize::MAX), "entry", "entries")
}

fn for_programs(report: &BackupReport) -> Json {
    json!({
        "entries": report.entries,
        "bytes": report.bytes,
        "checkpoint": report.checkpoint.to_string(),
        "not_checked": report.not_checked.iter().map(|place| place.name()).collect::<Vec<_>>(),
    })
}
