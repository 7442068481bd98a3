//! `import --undo`, `--list` and `--forget-answers`: what imports did, and taking it back.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use subrosa::{Actor, EntryId, Epoch, PastImport, UndoReport, Vault};

use crate::access;
use crate::arguments::{Common, Import};
use crate::failure::Failure;
use crate::output::{self, count, moment, moment_for_programs, note};
use crate::prompt;
use crate::target::{self, hinted};

pub(crate) fn run(common: &Common, command: &Import) -> Result<(), Failure> {
    let (path, number) = target(common, command)?;
    let vault = access::to_write(common, &path)?;
    if command.list {
        return list(common, &vault);
    }
    if command.forget_answers {
        return forget(common, number, vault);
    }
    undo(common, number, vault)
}

/// Takes answers back: those that were given to one import, or all.
fn forget(common: &Common, number: Option<u64>, vault: Vault) -> Result<(), Failure> {
    let answers = vault.forget_import_answers(&Actor::owner(), number.map(Epoch::new))?;
    access::close(vault)?;
    if common.json {
        return output::json(&json!({ "forgotten": answers }));
    }
    output::say(&match (answers, number) {
        (0, Some(number)) => {
            format!(
                "Nothing is remembered of what was answered to import {number}; --list shows the imports."
            )
        }
        (0, None) => "Nothing is remembered of what was answered to imports.".to_owned(),
        _ => format!("Took back {}: imports ask again.", count(answers, "answer", "answers")),
    })
}

/// The vault, and the number of an import.
fn target(common: &Common, command: &Import) -> Result<(PathBuf, Option<u64>), Failure> {
    let number = |name: &PathBuf| name.to_str().and_then(|name| name.parse().ok());
    let (numbers, vaults): (Vec<PathBuf>, Vec<PathBuf>) =
        command.names.iter().cloned().partition(|name| !command.list && number(name).is_some());
    if numbers.len() > 1 || vaults.len() > 1 {
        return Err(Failure::usage(
            "name the vault and, with --undo or --forget-answers, the number of one import; --list shows them",
        ));
    }
    Ok((target::vault(common, &vaults)?, numbers.first().and_then(number)))
}

fn list(common: &Common, vault: &Vault) -> Result<(), Failure> {
    let imports = vault.imports()?;
    if common.json {
        let imports: Vec<Value> = imports.iter().map(for_programs).collect();
        return output::json(&json!({ "imports": imports }));
    }
    if imports.is_empty() {
        return output::say("Nothing was imported into this vault.");
    }
    let rows = imports.iter().map(|import| {
        let state = if import.undone { "undone" } else { "" };
        vec![
            import.number.to_string(),
            moment(import.time),
            import.actor.clone(),
            import.added.len().to_string(),
            import.amended.len().to_string(),
            import.answers.to_string(),
            state.to_owned(),
        ]
    });
    output::say(&output::table(
        &["Number", "When", "Who", "Added", "Changed", "Answers", ""],
        rows.collect(),
    ))?;
    if std::io::stdout().is_terminal() {
        note(&hinted(
            "\nThe numbers count every change of the vault, so some are missing here. `personal import --undo NUMBER` \
             takes an import back.",
        ));
    }
    Ok(())
}

fn for_programs(import: &PastImport) -> Value {
    json!({
        "number": import.number.number(),
        "time": moment_for_programs(import.time),
        "actor": import.actor,
        "added": ids(&import.added),
        "amended": ids(&import.amended),
        "answers": import.answers,
        "undone": import.undone,
    })
}

fn ids(ids: &[EntryId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn undo(common: &Common, number: Option<u64>, vault: Vault) -> Result<(), Failure> {
    let number = match number {
        Some(number) => Epoch::new(number),
        None => latest(&vault)?,
    };
    if vault.imports()?.iter().any(|import| import.number == number && import.undone) {
        return Err(Failure::refused(format!("import {number} was undone already: nothing was done")));
    }
    let preview = vault.preview_undo(number)?;
    refuse(
        &preview.changed_since,
        "were changed since",
        "undo the later imports first, or expunge single entries",
    )?;
    refuse(&preview.held, "are under a legal hold", "lift the hold first")?;
    let what = format!(
        "Undoing import {number} destroys {} for good and puts {} back to what was there before. A file that you \
         imported later and that had the same records added nothing: import it again afterwards to keep them. \
         Undoing does not reach copies and backups of the vault file, or excerpts that you gave away.",
        count(preview.destroys.len(), "entry", "entries"),
        count(preview.restores.len(), "entry", "entries"),
    );
    note(&what);
    prompt::confirm(common.yes, "Undo it?")?;
    let report = vault.undo_import(&Actor::owner(), number)?;
    access::close(vault)?;
    if common.json {
        return output::json(&done_for_programs(&report));
    }
    output::say(&told(number, &report))
}

/// The last import that was not undone.
fn latest(vault: &Vault) -> Result<Epoch, Failure> {
    let latest = vault.imports()?.into_iter().rev().find(|import| !import.undone);
    Ok(latest.ok_or_else(|| Failure::refused("there is no import to undo"))?.number)
}

fn refuse(blocking: &[EntryId], why: &str, advice: &str) -> Result<(), Failure> {
    if blocking.is_empty() {
        return Ok(());
    }
    blocking.iter().for_each(|id| note(&format!("  {id}")));
    let entries = count(blocking.len(), "entry", "entries");
    Err(Failure::refused(format!("{entries} of this import {why}: nothing was undone; {advice}")))
}

fn told(number: Epoch, report: &UndoReport) -> String {
    let mut lines = vec![format!(
        "Undid import {number}: destroyed {}, put back {}.",
        count(report.destroyed.len(), "entry", "entries"),
        count(report.restored.len(), "entry", "entries"),
    )];
    let released = report.erasure.released_in.len();
    if released > 0 {
        lines.push(hinted(&format!(
            "  {} that you gave away {} something of it: `personal ledger` shows to whom.",
            count(released, "excerpt or export", "excerpts or exports"),
            if released == 1 { "holds" } else { "hold" }
        )));
    }
    for backup in &report.erasure.backups {
        lines.push(output::printable(&format!(
            "  The backup of {} still holds it: {}. Delete it, and make a new one.",
            moment(backup.time),
            backup.name
        )));
    }
    lines.join("\n")
}

fn done_for_programs(report: &UndoReport) -> Value {
    let epochs: Vec<u64> = report.erasure.released_in.iter().map(|epoch| epoch.number()).collect();
    let backups = report.erasure.backups.iter();
    json!({
        "destroyed": ids(&report.destroyed),
        "restored": ids(&report.restored),
        "released_in": epochs,
        "backups": backups.map(|backup| json!({ "time": moment_for_programs(backup.time), "name": backup.name }))
            .collect::<Vec<_>>(),
    })
}
