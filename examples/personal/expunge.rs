//! `expunge`: entries are destroyed, after a look at what exactly goes.

use std::collections::HashSet;

use serde_json::{Value as Json, json};
use subrosa::vault::{
    Action, Backup, Coverage, Epoch, ErasedSource, ErasureReport, Expungement, HandedOut, Listed, Remains,
};
use subrosa::{Actor, EntryId, Filter, Vault};

use crate::access;
use crate::arguments::{Common, Expunge};
use crate::documents;
use crate::entries;
use crate::failure::Failure;
use crate::output::{self, count, moment, moment_for_programs, note, printable};
use crate::prompt;
use crate::target::{self, Wanted};

/// Most entries beside the named ones that are listed unasked: what will be destroyed must
/// not be scrolled away.
const BESIDE_SHOWN: usize = 20;

pub(crate) fn run(common: &Common, command: &Expunge) -> Result<(), Failure> {
    let (path, names) = target::vault_and_some(
        common,
        &command.names,
        Wanted::new("Which entries? `personal list` shows the ids.", "expunge ID…"),
    )?;
    let vault = access::to_write(common, &path)?;
    let mut ids = Vec::new();
    for name in &names {
        let id = access::entry_id(&vault, target::text(name)?)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let related = related(&vault, &ids)?;
    let shown = if command.all { related.len() } else { related.len().min(BESIDE_SHOWN) };
    let what = what_goes(&vault, &ids, &related, shown)?;
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
    // Nobody destroys by one word what they were not shown.
    let offered = if shown == related.len() { shown } else { 0 };
    if confirm(common.yes, ids.len(), offered)? {
        ids.extend(&related);
    }
    let how = reason.map_or_else(Expungement::new, |reason| Expungement::new().because(&reason));
    let how = if command.stay_away { how.staying_away() } else { how };
    let report = vault.expunge(&Actor::owner(), &ids, how)?;
    access::close(vault);
    if common.json {
        return output::json(&for_programs(&report, &related));
    }
    output::say(&told(&report))
}

/// The other entries that tell of the same as these; of each, first those of which one refers
/// to the other.
fn related(vault: &Vault, ids: &[EntryId]) -> Result<Vec<EntryId>, Failure> {
    let (mut related, mut seen) = (Vec::new(), HashSet::new());
    for id in ids {
        let others = vault.related(*id)?.into_iter().map(|related| related.id);
        related.extend(others.filter(|other| !ids.contains(other) && seen.insert(*other)));
    }
    Ok(related)
}

/// What will be destroyed, right above the question; before it what stays, and what this does
/// not reach.
fn what_goes(vault: &Vault, ids: &[EntryId], related: &[EntryId], shown: usize) -> Result<String, Failure> {
    let all = vault.list(&Filter::all().with_retracted().with_sealed())?;
    let of_id = |id: &EntryId| all.iter().filter(|entry| entry.id == *id).cloned().collect::<Vec<Listed>>();
    let named: Vec<Vec<Listed>> = ids.iter().map(of_id).collect();
    let earlier = named.iter().flatten().map(|entry| entry.revision.saturating_sub(1));
    let earlier = earlier.fold(0, u64::saturating_add);
    let doubles: String = named.iter().filter_map(|of_id| double(of_id)).collect();
    let listed: Vec<Listed> = named.into_iter().filter_map(|of_id| of_id.into_iter().next()).collect();
    let with_them = match earlier {
        0 => String::new(),
        some => format!(
            "\n{} {} too.\n",
            output::counted(some, "earlier version", "earlier versions"),
            if some == 1 { "goes" } else { "go" }
        ),
    };
    Ok(format!(
        "{}This does not reach copies and backups of the vault file, the files that you imported, excerpts and exports \
         that you gave away, or other entries that mention the same thing.\n\nThis will be destroyed, with its files, and \
         cannot be brought back:\n\n{}\n{with_them}{}{doubles}",
        what_stays(vault, related, shown)?,
        entries::table(vault, &listed)?,
        documents::that_go_with(vault, ids)?
    ))
}

/// The entries beside the named ones, as many as are shown.
fn what_stays(vault: &Vault, related: &[EntryId], shown: usize) -> Result<String, Failure> {
    if related.is_empty() {
        return Ok(String::new());
    }
    let wanted: HashSet<EntryId> = related.iter().take(shown).copied().collect();
    let mut listed = vault.list(&Filter::all().with_retracted())?;
    listed.retain(|entry| wanted.contains(&entry.id));
    let more = match related.len() - shown {
        0 => String::new(),
        more => format!("… and {more} more (--all shows them, and lets you destroy all of these too)\n"),
    };
    Ok(format!(
        "These have the same code, words or drug, in what is shown or in their originals, and stay:\n\n{}\n{more}\n",
        entries::table(vault, &listed)?
    ))
}

/// What to say of an id that somebody gave several entries: all of them go.
fn double(of_id: &[Listed]) -> Option<String> {
    let [first, _, ..] = of_id else { return None };
    let places: Vec<&str> = of_id.iter().map(|entry| entry.compartment.name()).collect();
    Some(format!(
        "\n{} names an entry in each of these: {}. All of them go, though you see one here. `personal check` says \
         more.\n",
        access::short_id(first.id),
        places.join(", ")
    ))
}

/// Asks how many entries are to go; whether those beside the named ones are to go too.
fn confirm(yes: bool, entries: usize, beside: usize) -> Result<bool, Failure> {
    if yes {
        return Ok(false);
    }
    let all = entries + beside;
    let with_all = match beside {
        0 => String::new(),
        some => format!(" ({all} to destroy the {some} beside too)"),
    };
    let question = format!("To destroy {}, type how many{with_all}: ", count(entries, "entry", "entries"));
    let answer = prompt::line(&question)?;
    let answer = answer.as_deref().map(str::trim);
    if answer == Some(entries.to_string().as_str()) {
        return Ok(false);
    }
    if answer == Some(all.to_string().as_str()) {
        return Ok(true);
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
    if report.documents > 0 {
        let went = output::counted(report.documents, "document", "documents");
        lines.push(format!("  Documents:       {went} that told of it, kept as they came, went too"));
    }
    lines.extend(source_lines(report));
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
    lines.push("  Still here:".to_owned());
    lines.extend(report.remains.iter().filter_map(remains_words).map(|words| format!("    {words}")));
    lines.join("\n")
}

/// What would bring it back, and whether it would.
fn source_lines(report: &ErasureReport) -> Vec<String> {
    if report.sources.is_empty() {
        return Vec::new();
    }
    let head = match report.stays_away {
        true => "  Came from:       these; what they say of it is left out if you import them again:",
        false => "  Came from:       these; importing them again brings it back, so delete them:",
    };
    let source = |source: &ErasedSource| {
        let document = source.document.as_deref().unwrap_or("a file without a name");
        let server = source.server.as_ref().map(|server| format!(", from {server}"));
        printable(&format!("    {document}{}", server.unwrap_or_default()))
    };
    let mut lines = vec![head.to_owned()];
    lines.extend(report.sources.iter().map(source));
    if report.stays_away {
        lines.push("    Somebody who does not open the sealed records can still import it.".to_owned());
    }
    lines
}

fn remains_words(remains: &Remains) -> Option<String> {
    Some(match remains {
        Remains::CommitTimes { commits } => format!(
            "when {} made, not what of",
            match commits.len() {
                1 => "one change was".to_owned(),
                some => format!("{some} changes were"),
            }
        ),
        Remains::PaddedSizes => "about how long these changes were, until the vault is compacted".to_owned(),
        Remains::Accounting { releases } => format!(
            "to whom {} went and for what",
            count(releases.len(), "excerpt that held it", "excerpts that held it")
        ),
        Remains::Reason => "your reason, for whoever sees the ways in".to_owned(),
        Remains::Tombstone => "what it is known again by, for whoever opens the sealed records".to_owned(),
        _ => return None,
    })
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

fn remains_for_programs(remains: &Remains) -> Option<Json> {
    let numbers = |epochs: &[Epoch]| epochs.iter().map(|epoch| epoch.number()).collect::<Vec<_>>();
    Some(match remains {
        Remains::CommitTimes { commits } => json!({ "what": "commit-times", "commits": numbers(commits) }),
        Remains::PaddedSizes => json!({ "what": "padded-sizes" }),
        Remains::Accounting { releases } => json!({ "what": "accounting", "releases": numbers(releases) }),
        Remains::Reason => json!({ "what": "reason" }),
        Remains::Tombstone => json!({ "what": "tombstone" }),
        _ => return None,
    })
}

fn for_programs(report: &ErasureReport, related: &[EntryId]) -> Json {
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
    let source = |source: &ErasedSource| json!({ "document": source.document, "server": source.server });
    json!({
        "expunged": report.entries.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "related": related.iter().filter(|id| !report.entries.contains(id)).map(ToString::to_string).collect::<Vec<_>>(),
        "bytes": report.bytes,
        "vault": coverage_for_programs(&report.vault),
        "medium": coverage_for_programs(&report.medium),
        "copies": coverage_for_programs(&report.copies),
        "backups": report.backups.iter().map(backup).collect::<Vec<_>>(),
        "sources": report.sources.iter().map(source).collect::<Vec<_>>(),
        "stays_away": report.stays_away,
        "documents": report.documents,
        "remains": report.remains.iter().filter_map(remains_for_programs).collect::<Vec<_>>(),
        "handed_out": report.handed_out.iter().map(copy).collect::<Vec<_>>(),
    })
}
