//! `backup`, `restore` and `compact`: the vault file as a whole.

use serde_json::{Value as Json, json};
use subrosa::{Actor, BackupReport};

use crate::access;
use crate::arguments::{Backup, Common, Restore, VaultOnly};
use crate::failure::Failure;
use crate::output::{self, count};
use crate::progress::{Bar, size};
use crate::target::{self, Wanted, hinted};

const WANTED: Wanted = Wanted { question: "Where should the backup go?", command: "backup NEWFILE" };

pub(crate) fn run(common: &Common, command: &Backup) -> Result<(), Failure> {
    let (path, to) = target::vault_and(common, &command.names, WANTED)?;
    let vault = access::to_write(common, &path)?;
    let file_name = to.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = command.label.clone().or(file_name).unwrap_or_default();
    let bar = Bar::new("Copying");
    let report = vault.backup_with(&Actor::owner(), &to, &name, |progress| bar.show(progress))?;
    drop(bar);
    access::close(vault)?;
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

pub(crate) fn restore(common: &Common, command: &Restore) -> Result<(), Failure> {
    let backup = access::open(&command.backup, access::options(common))?;
    let credential = access::credential(common)?;
    let bar = Bar::new("Restoring");
    let report = backup.restore_with(&credential, &command.to, |progress| bar.show(progress))?;
    drop(bar);
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
    access::close(vault)?;
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
