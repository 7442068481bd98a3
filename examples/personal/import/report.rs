//! What an import says to people: what came in, what did not, what to know of it, and
//! what to do with the file.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use subrosa::interop::{Finding, FindingReason};
use subrosa::vault::{ImportReport, Listed};
use subrosa::{EntryId, Filter, Kind, Vault};

use super::{SHOWN, questions};
use crate::access;
use crate::entries;
use crate::failure::Failure;
use crate::findings;
use crate::list;
use crate::output::{count, printable};
use crate::target::hinted;
use crate::words;

/// What an export of a vault holds beside its originals.
const OWN_EXPORT: &str = "Bundle.subrosa";
/// Most pairs of entries that are perhaps the same and are named for people.
const PAIRS_SHOWN: usize = 5;

/// The whole report.
pub(super) fn told(
    vault: &Vault,
    report: &ImportReport,
    identities: &[String],
    files: &[PathBuf],
) -> Result<String, Failure> {
    let mut lines = vec![about(report, identities)];
    lines.extend(other_holder(report));
    lines.push(came_in(vault, report)?);
    lines.extend(facts(report));
    lines.extend(deleted(vault, report)?);
    lines.extend(perhaps_same(vault, report)?);
    lines.extend(left_out(report));
    lines.extend(findings::left_out(&report.findings).iter().map(|line| format!("  {line}")));
    let (unread, known): (Vec<_>, Vec<_>) =
        report.findings.iter().cloned().partition(|finding| finding.reason.is_unreadable());
    lines.extend(not_read(&unread));
    let (beside, known): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|finding| finding.reason == FindingReason::NotTaken);
    lines.extend(not_taken(&beside));
    // What a repeated import finds was said the first time.
    if new(report) + report.amended.len() > 0 {
        let known: Vec<Finding> = known.into_iter().filter(|finding| !finding.reason.is_left_out()).collect();
        lines.extend(findings::told(&known, is_whole(report)));
    }
    lines.push(String::new());
    lines.push(what_to_do_with(files, report));
    Ok(lines.join("\n"))
}

fn new(report: &ImportReport) -> usize {
    report.added.len() + report.kept_raw.len()
}

/// Whether everything of the input is in the vault, but for what its source deleted.
fn is_whole(report: &ImportReport) -> bool {
    let is_missing = |reason: FindingReason| reason.is_unreadable() || reason == FindingReason::NotTaken;
    let unread = report.findings.iter().any(|finding| is_missing(finding.reason));
    !unread && missing(report) == 0 && report.undecided.is_empty() && report.expunged_before == 0
}

/// How many records were left out that their source did not delete.
fn missing(report: &ImportReport) -> usize {
    report.left_out.total().saturating_sub(report.left_out.deleted)
}

/// How many records came in, of which kinds, and how to take them back.
fn came_in(vault: &Vault, report: &ImportReport) -> Result<String, Failure> {
    let new = new(report);
    if new == 0 {
        return Ok(match report.number {
            Some(number) => hinted(&format!(
                "Nothing new was imported; what changed is import {number} (`personal import --undo {number}` takes \
                 it back)."
            )),
            None => "Nothing new was imported, and nothing was changed.".to_owned(),
        });
    }
    let came: HashSet<EntryId> = report.added.iter().chain(&report.kept_raw).copied().collect();
    let (mut kinds, mut insurance, mut others) = (Vec::new(), 0, 0);
    for entry in vault.list(&Filter::all().with_retracted())? {
        if !came.contains(&entry.id) {
            continue;
        }
        match entry.card.kind {
            Kind::Other if list::is_insurance(vault, &entry)? => insurance += 1,
            Kind::Other => others += 1,
            kind => kinds.push(kind),
        }
    }
    let mut parts = list::by_kind(kinds.into_iter());
    if others > 0 {
        parts.push(format!("{} (kept exactly as they came)", words::counted(others, Kind::Other)));
    }
    if insurance > 0 {
        parts.push(format!(
            "{} (kept whole, listed with --insurance)",
            count(insurance, "insurance record", "insurance records")
        ));
    }
    let back = report.number.map(|number| {
        hinted(&format!("\nThis is import {number}: `personal import --undo {number}` takes it back."))
    });
    Ok(format!(
        "Imported {}: {}.{}",
        count(new, "record", "records"),
        parts.join(", "),
        back.unwrap_or_default()
    ))
}

/// What became of the records that were not simply added.
fn facts(report: &ImportReport) -> Vec<String> {
    let facts = [
        (report.amended.len(), "changed since the last import; the earlier version stays as history"),
        (report.unchanged, "already there and unchanged"),
        (report.older.len(), "older than what the vault has, and not taken"),
        (
            report.undecided.len(),
            "different from what the vault has, and nothing says which is newer: the vault's stay; \
             --accept-changed-source takes these",
        ),
        (report.expunged_before, "not taken again, because you expunged them to stay away"),
        (report.repetitions, "in the input twice, and taken once"),
        (report.left_out.deleted, "deleted by their source, as this file says"),
    ];
    let mut lines: Vec<String> =
        facts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("  {n} {what}")).collect();
    if report.under_other_names > 0 {
        lines.push(format!(
            "  {} of the unchanged ones came under other names: this is another export of records that are there",
            report.under_other_names
        ));
    }
    lines
}

/// What is not in the vault, why, and what may help.
fn left_out(report: &ImportReport) -> Vec<String> {
    let missing = missing(report);
    if missing == 0 {
        return Vec::new();
    }
    let there = new(report) + report.amended.len() + report.unchanged + report.older.len();
    let all = there + report.undecided.len() + report.expunged_before + missing;
    let reasons = [
        (
            report.left_out.other_patients,
            "about somebody else; a vault of their own takes these with --patient REF",
        ),
        (
            report.left_out.unknown_subject,
            "not clearly about this person; --unknown-are-same takes these as this person's, if you know that \
             they are",
        ),
        (report.left_out.unreferenced, "about nobody, and nothing that was taken refers to them"),
        (report.left_out.unreadable, "could not be read"),
    ];
    let head = format!(
        "LEFT OUT: {missing} of {} NOT in the vault. Do not delete the file.",
        count(all, "record is", "records are")
    );
    let reasons = reasons.into_iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("  {n} {why}"));
    [String::new(), head].into_iter().chain(reasons).collect()
}

/// Whom the input is about, and from where it comes.
fn about(report: &ImportReport, identities: &[String]) -> String {
    let from = match &report.sources[..] {
        [] => String::new(),
        [source] => format!(", from {source}"),
        [source, rest @ ..] => format!(", from {source} and {} more", rest.len()),
    };
    printable(&match (&report.person, identities) {
        (Some(person), _) => format!("This is about {}{from}.", questions::person(person)),
        (None, [first, ..]) => {
            format!("This does not say whom it is about{from}: it only refers to a patient, {first}.")
        }
        (None, []) => format!("This names no patient{from}."),
    })
}

/// That the vault has another name than whom the input is about.
fn other_holder(report: &ImportReport) -> Option<String> {
    let holder = report.other_holder.as_ref()?;
    Some(printable(&format!(
        "The names differ: this vault is named after \"{}\", and signs under that name. What you release of these \
         records says so.",
        holder.replace('"', "'")
    )))
}

/// What entries are called, for people.
struct Titles<'v> {
    vault: &'v Vault,
    listed: HashMap<EntryId, Listed>,
}

impl<'v> Titles<'v> {
    fn of(vault: &'v Vault) -> Result<Self, Failure> {
        let listed = vault.list(&Filter::all().with_retracted())?;
        Ok(Self { vault, listed: listed.into_iter().map(|entry| (entry.id, entry)).collect() })
    }

    fn named(&self, id: EntryId) -> Result<String, Failure> {
        let title = self.listed.get(&id).map(|listed| entries::title(self.vault, listed)).transpose()?;
        let title = title.unwrap_or_else(|| "(no title)".to_owned());
        Ok(format!("{} {title}", access::short_id(id)))
    }
}

/// What the vault has and its source deleted, a line for each.
fn deleted(vault: &Vault, report: &ImportReport) -> Result<Vec<String>, Failure> {
    let gone = &report.deleted_at_source;
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let titles = Titles::of(vault)?;
    let still = count(gone.len(), "record that is still in the vault", "records that are still in the vault");
    let mut lines = vec![format!("  The source has deleted {still}, as this file says:")];
    for id in gone.iter().take(SHOWN) {
        lines.push(printable(&format!("    {}", titles.named(*id)?)));
    }
    if gone.len() > SHOWN {
        lines.push(format!("    … and {} more (--json lists all)", gone.len() - SHOWN));
    }
    let (it, why) = if gone.len() == 1 { ("it", "it") } else { ("them", "they") };
    lines.push(hinted(&format!(
        "    Keep {it}, or take {it} out of use (`personal retract ID`) or destroy {it} (`personal expunge ID`); if you do \
         not know why {why} went, ask the source."
    )));
    Ok(lines)
}

/// Entries that are perhaps the same, a line for each pair.
fn perhaps_same(vault: &Vault, report: &ImportReport) -> Result<Vec<String>, Failure> {
    if report.perhaps_same.is_empty() {
        return Ok(Vec::new());
    }
    let titles = Titles::of(vault)?;
    let mut lines = vec![format!(
        "  {} perhaps the same as an entry from another file, and kept beside it:",
        report.perhaps_same.len()
    )];
    for (earlier, new) in report.perhaps_same.iter().take(PAIRS_SHOWN) {
        let (earlier, new) = (titles.named(*earlier)?, titles.named(*new)?);
        lines.push(printable(&format!("    {new}, and already there {earlier}")));
    }
    if report.perhaps_same.len() > PAIRS_SHOWN {
        lines.push(format!("    … and {} more (--json lists all)", report.perhaps_same.len() - PAIRS_SHOWN));
    }
    Ok(lines)
}

/// What is not in the vault because it could not be read, before everything else.
fn not_read(findings: &[Finding]) -> Vec<String> {
    if findings.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        String::new(),
        "Not read, and NOT in the vault. Ask the sender for these again, or mend the file and import it once more:"
            .to_owned(),
    ];
    let one = |finding: &Finding| printable(&format!("  {}: {}", finding.path, finding.reason));
    lines.extend(findings.iter().take(SHOWN).map(one));
    if findings.len() > SHOWN {
        lines.push(format!("  … and {} more (--json lists all)", findings.len() - SHOWN));
    }
    lines
}

/// What stands beside the records and is not in the vault.
fn not_taken(findings: &[Finding]) -> Vec<String> {
    let (export, others): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.path == OWN_EXPORT);
    let mut lines = Vec::new();
    if !export.is_empty() {
        lines.push(String::new());
        lines.push(
            "This is an export of a vault of this program. Only the records that were once imported there came in, as \
             they came from their sources. NOT taken in: entries that its owner made, corrections, withdrawals, marks, \
             files that were attached, and the ledger. Keep the file, or the vault that it is an export of."
                .to_owned(),
        );
    }
    if !others.is_empty() {
        lines.push(String::new());
        lines.push("NOT in the vault, because it is no record, and kept in the file only:".to_owned());
        let one = |finding: &&Finding| printable(&format!("  {}", finding.path));
        lines.extend(others.iter().take(SHOWN).map(one));
        if others.len() > SHOWN {
            lines.push(format!("  … and {} more (--json lists all)", others.len() - SHOWN));
        }
    }
    lines
}

/// What importing does not do, and what is left to do.
pub(super) fn what_to_do_with(files: &[PathBuf], report: &ImportReport) -> String {
    let named = files.iter().filter(|file| file.to_str() != Some("-")).count();
    let it = if named == 1 { "it" } else { "them" };
    let readable = match named {
        0 => {
            return "If what you imported is also in a file, that file is still readable on its disk by whoever uses \
                    this computer."
                .to_owned();
        }
        1 => "The file that you imported is still readable on this disk, by whoever uses this computer."
            .to_owned(),
        several => format!(
            "The {several} files that you imported are still readable on this disk, by whoever uses this computer."
        ),
    };
    match is_whole(report) {
        true => format!(
            "{readable} When you have seen that everything is in the vault, delete {it} and empty the trash."
        ),
        false => format!("{readable} Keep {it} for now: not everything in {it} is in the vault."),
    }
}
