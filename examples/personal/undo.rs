//! `import --undo`, `--list` and `--forget-answers`: what imports did, and taking it back.

use std::collections::HashSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use subrosa::vault::{Epoch, PastImport, UndoReport};
use subrosa::{Actor, EntryId, Filter, Vault};

use crate::access;
use crate::arguments::{Common, Import};
use crate::entries;
use crate::failure::Failure;
use crate::output::{self, count, moment, moment_for_programs, note, printable};
use crate::prompt;
use crate::target::{self, hinted};

/// Most entries that the question before an undoing names.
const SHOWN: usize = 20;

pub(crate) fn run(common: &Common, command: &Import) -> Result<(), Failure> {
    let (path, which) = target(common, command)?;
    if command.list {
        return list(common, &access::to_read(common, &path)?);
    }
    let vault = access::to_write(common, &path)?;
    if command.forget_answers {
        return forget(common, which, vault);
    }
    undo(common, which, vault)
}

/// Takes answers back: those that were given to one import, or all.
fn forget(common: &Common, which: Option<Which>, vault: Vault) -> Result<(), Failure> {
    let number = which.map(|which| which.number(&vault)).transpose()?;
    let answers = vault.forget_import_answers(&Actor::owner(), number)?;
    access::close(vault);
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

/// Which import is meant.
#[derive(Clone, Copy)]
enum Which {
    Last,
    Number(u64),
}

impl Which {
    fn named(name: &Path) -> Option<Self> {
        let name = name.to_str()?;
        match name.eq_ignore_ascii_case("last") {
            true => Some(Self::Last),
            false => name.parse().ok().map(Self::Number),
        }
    }

    fn number(self, vault: &Vault) -> Result<Epoch, Failure> {
        match self {
            Self::Last => latest(vault),
            Self::Number(number) => Ok(Epoch::new(number)),
        }
    }
}

/// The vault, and which import.
fn target(common: &Common, command: &Import) -> Result<(PathBuf, Option<Which>), Failure> {
    let (imports, vaults): (Vec<PathBuf>, Vec<PathBuf>) =
        command.names.iter().cloned().partition(|name| !command.list && Which::named(name).is_some());
    if imports.len() > 1 || vaults.len() > 1 {
        return Err(Failure::usage(
            "name the vault and, with --undo or --forget-answers, `last` or the number of one import; --list shows \
             them",
        ));
    }
    Ok((target::vault(common, &vaults)?, imports.first().and_then(|name| Which::named(name))))
}

fn list(common: &Common, vault: &Vault) -> Result<(), Failure> {
    let imports = vault.imports()?;
    if common.json {
        let imports: Result<Vec<Value>, Failure> =
            imports.iter().map(|import| for_programs(vault, import)).collect();
        return output::json(&json!({ "imports": imports? }));
    }
    if imports.is_empty() {
        return output::say("Nothing was imported into this vault.");
    }
    let row = |import: &PastImport| -> Result<Vec<String>, Failure> {
        let state = if import.undone { "undone".to_owned() } else { documents(vault, import)?.join(", ") };
        Ok(vec![
            import.number.to_string(),
            moment(import.time),
            import.actor.clone(),
            import.added.len().to_string(),
            import.amended.len().to_string(),
            import.answers.to_string(),
            state,
        ])
    };
    let rows: Result<Vec<Vec<String>>, Failure> = imports.iter().map(row).collect();
    let header = ["Number", "When", "Who", "Added", "Changed", "Answers", "From"];
    output::say(&output::table(&header, rows?))?;
    if std::io::stdout().is_terminal() {
        note(&hinted(
            "\nThe numbers count every change of the vault, so some are missing here. `personal import --undo NUMBER` \
             takes an import back, `personal import --undo last` the last one.",
        ));
    }
    Ok(())
}

/// When an import was, and of which files: ` of 3 May 2026, 10:15 UTC (records.json)`.
fn of_when(vault: &Vault, import: &PastImport) -> Result<String, Failure> {
    let files = documents(vault, import)?;
    let files = if files.is_empty() { String::new() } else { format!(" ({})", printable(&files.join(", "))) };
    Ok(format!(" of {}{files}", moment(import.time)))
}

/// The files or bundles that an import brought, as far as its entries are still there.
fn documents(vault: &Vault, import: &PastImport) -> Result<Vec<String>, Failure> {
    let mut documents: Vec<String> = Vec::new();
    for id in import.added.iter().chain(&import.amended) {
        let document = vault.entry(*id)?.provenance.document;
        let name = document.map(|name| name.as_str().to_owned());
        documents.extend(name.filter(|name| !documents.contains(name)));
    }
    Ok(documents)
}

/// The first of these entries as lists show them, and how many more there are.
fn some_of(vault: &Vault, ids: &[EntryId]) -> Result<String, Failure> {
    let wanted: HashSet<EntryId> = ids.iter().take(SHOWN).copied().collect();
    let mut listed = vault.list(&Filter::all().with_retracted())?;
    listed.retain(|entry| wanted.contains(&entry.id));
    let more = ids.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("\n… and {more} more") } else { String::new() };
    Ok(format!("{}{rest}", entries::table(vault, &listed)?))
}

fn for_programs(vault: &Vault, import: &PastImport) -> Result<Value, Failure> {
    Ok(json!({
        "number": import.number.number(),
        "time": moment_for_programs(import.time),
        "actor": import.actor,
        "added": ids(&import.added),
        "amended": ids(&import.amended),
        "answers": import.answers,
        "documents": documents(vault, import)?,
        "undone": import.undone,
    }))
}

fn ids(ids: &[EntryId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn undo(common: &Common, which: Option<Which>, vault: Vault) -> Result<(), Failure> {
    let number = which.unwrap_or(Which::Last).number(&vault)?;
    let import = vault.imports()?.into_iter().find(|import| import.number == number);
    if import.as_ref().is_some_and(|import| import.undone) {
        return Err(Failure::refused(format!("import {number} was undone already: nothing was done")));
    }
    let preview = vault.preview_undo(number)?;
    refuse(
        &preview.changed_since,
        "were changed since",
        "undo the later imports first, or expunge single entries",
    )?;
    refuse(&preview.held, "are under a legal hold", "lift the hold first")?;
    let when = import.as_ref().map(|import| of_when(&vault, import)).transpose()?.unwrap_or_default();
    note(&format!(
        "Undoing import {number}{when} destroys {} for good and puts {} back to what was there before. A file that \
         you imported later and that had the same records added nothing: import it again afterwards to keep them. \
         Undoing does not reach copies and backups of the vault file, or excerpts that you gave away.\n",
        count(preview.destroys.len(), "entry", "entries"),
        count(preview.restores.len(), "entry", "entries"),
    ));
    let shown = [("Destroyed:", &preview.destroys), ("Put back:", &preview.restores)];
    for (what, ids) in shown.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        note(&format!("{what}\n{}\n", some_of(&vault, ids)?));
    }
    prompt::confirm(common.yes, "Undo it?")?;
    let report = vault.undo_import(&Actor::owner(), number)?;
    access::close(vault);
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
