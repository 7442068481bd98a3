//! `expunge`: entries are destroyed, after a look at what exactly goes.

use serde_json::{Value as Json, json};
use subrosa::vault::{Action, Backup, Coverage, ErasureReport, Expungement, HandedOut, Listed};
use subrosa::{Actor, EntryId, Vault};

use crate::access;
use crate::arguments::{Common, Expunge};
use crate::entries;
use crate::failure::Failure;
use crate::output::{self, count, moment, moment_for_programs, note, printable};
use crate::prompt;
use crate::target;

pub(crate) fn run(common: &Common, command: &Expunge) -> Result<(), Failure> {
    let (path, names) = target::vault_and_some(common, &command.names)?;
    let vault = access::to_write(common, &path)?;
    let mut ids = Vec::new();
    for name in &names {
        let id = access::entry_id(&vault, target::text(name)?)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let what = what_goes(&vault, &ids)?;
    match (common.json, common.yes) {
        (false, _) => output::say(&what)?,
        // The output belongs to a program; a person is asked beside it.
        (true, false) => note(&what),
        (true, true) => {}
    }
    let reason = prompt::value(
        command.reason.as_deref(),
        "Why (kept for whoever sees the ways in; do not name what goes; Enter leaves it out)",
    )?;
    confirm(common.yes, ids.len())?;
    let how = reason.map_or_else(Expungement::new, |reason| Expungement::new().because(&reason));
    let report = vault.expunge(&Actor::owner(), &ids, how)?;
    access::close(vault)?;
    if common.json {
        return output::json(&for_programs(&report));
    }
    output::say(&told(&report))
}

fn what_goes(vault: &Vault, ids: &[EntryId]) -> Result<String, Failure> {
    let listed: Result<Vec<Listed>, Failure> = ids.iter().map(|id| access::listed(vault, *id)).collect();
    let listed = listed?;
    let earlier: u64 = listed.iter().map(|entry| entry.revision - 1).sum();
    let with_them = match earlier {
        0 => String::new(),
        some => format!(
            "\n{} {} too.\n",
            output::counted(some, "earlier version", "earlier versions"),
            if some == 1 { "goes" } else { "go" }
        ),
    };
    Ok(format!(
        "This will be destroyed, with its files, and cannot be brought back:\n\n{}\n{with_them}\nThis does not reach \
         copies and backups of the vault file, the files that you imported, excerpts and exports that you gave \
         away, or other entries that mention the same thing.\n",
        entries::table(vault, &listed)?
    ))
}

fn confirm(yes: bool, entries: usize) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let answer =
        prompt::line(&format!("To destroy {}, type how many: ", count(entries, "entry", "entries")))?;
    if answer.is_some_and(|answer| answer.trim() == entries.to_string()) {
        return Ok(());
    }
    Err(Failure::refused("not confirmed: nothing was destroyed (--yes says yes in scripts)"))
}

fn told(report: &ErasureReport) -> String {
    let copies = &report.handed_out[..];
    let mut lines = vec![
        format!("Destroyed {}.", count(report.entries.len(), "entry", "entries")),
        String::new(),
        format!("  The vault file:  {}", words(&report.vault)),
        format!("  The disk:        {}", words(&report.medium)),
        format!("  Copies:          {}", words(&report.copies)),
    ];
    if !report.backups.is_empty() {
        lines.push(format!(
            "  Backups:         {}:",
            count(report.backups.len(), "backup still holds it", "backups still hold it")
        ));
        lines.extend(
            report
                .backups
                .iter()
                .map(|backup| printable(&format!("    {}: {}", moment(backup.time), backup.name))),
        );
        lines.push("    Delete those, and make a new one.".to_owned());
    }
    lines.push(match copies {
        [] => "  Handed out:      never, as far as the ledger knows".to_owned(),
        copies => format!("  Handed out:      {}:", count(copies.len(), "time", "times")),
    });
    lines.extend(copies.iter().map(|copy| printable(&format!("    {}", copy_words(copy)))));
    if copies.iter().any(|copy| copy.action == Action::Released) {
        lines
            .push("    Ask these recipients to destroy it too; nothing here can do that for you.".to_owned());
    }
    if copies.iter().any(|copy| copy.action == Action::Exported) {
        lines.push("    Delete the exported file yourself, wherever it is now.".to_owned());
    }
    if !report.unreadable.is_empty() {
        lines.push(format!(
            "    The ledger of {} is damaged, so there may be more. `personal check` says what.",
            count(report.unreadable.len(), "change", "changes")
        ));
    }
    lines.join("\n")
}

fn copy_words(copy: &HandedOut) -> String {
    match (copy.action, &copy.recipient) {
        (Action::Exported, _) => format!("{}: exported in readable form", moment(copy.time)),
        (_, recipient) => {
            let recipient = recipient.as_deref().unwrap_or("somebody");
            let purpose = copy.purpose.as_ref().map(|purpose| format!(", for: {purpose}"));
            format!("{}: to {recipient}{}", moment(copy.time), purpose.unwrap_or_default())
        }
    }
}

fn words(coverage: &Coverage) -> String {
    match coverage {
        Coverage::Proven => {
            "overwritten; nothing in it yields the entry any more, with any password".to_owned()
        }
        Coverage::BestEffort { because } => format!("as well as possible; {because}"),
        Coverage::NotCovered { because } => format!("NOT reached; {because}"),
        _ => "depends on whoever operates the storage; ask them".to_owned(),
    }
}

fn coverage_for_programs(coverage: &Coverage) -> Json {
    match coverage {
        Coverage::Proven => json!({ "covered": "proven" }),
        Coverage::BestEffort { because } => json!({ "covered": "best-effort", "because": because }),
        Coverage::NotCovered { because } => json!({ "covered": "no", "because": because }),
        _ => json!({ "covered": "operator-dependent" }),
    }
}

fn for_programs(report: &ErasureReport) -> Json {
    let copy = |copy: &HandedOut| {
        json!({
            "time": moment_for_programs(copy.time),
            "action": copy.action.name(),
            "recipient": copy.recipient,
            "purpose": copy.purpose,
            "excerpt": copy.excerpt,
        })
    };
    let backup = |backup: &Backup| {
        json!({
            "time": moment_for_programs(backup.time),
            "name": backup.name,
            "checkpoint": backup.checkpoint.to_string(),
        })
    };
    json!({
        "expunged": report.entries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "bytes": report.bytes,
        "vault": coverage_for_programs(&report.vault),
        "medium": coverage_for_programs(&report.medium),
        "copies": coverage_for_programs(&report.copies),
        "backups": report.backups.iter().map(backup).collect::<Vec<_>>(),
        "handed_out": report.handed_out.iter().map(copy).collect::<Vec<_>>(),
    })
}
