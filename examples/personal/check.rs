//! `check`: the whole vault read and authenticated.

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use subrosa::store::StoreError;
use subrosa::vault::{
    CheckFinding, CheckReport, Checkpoint, Explanation, RepairReport, SegmentsReport, SpaceReport,
};
use subrosa::{Actor, Error, ErrorKind, Vault};

use crate::access::{self, Intent};
use crate::arguments::{Check, Common};
use crate::failure::{Exit, Failure};
use crate::output::{self, count, counted, note};
use crate::progress::{Bar, size};
use crate::target::{self, hinted};

pub(crate) fn run(common: &Common, command: &Check) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let expected = command.expect.as_deref().map(str::parse::<Checkpoint>).transpose();
    let expected = expected.map_err(|error| Failure::usage(error.to_string()))?;
    let intent = match command.repair {
        true => Intent::Repair { from: command.from.as_deref() },
        false => Intent::Look,
    };
    let vault = access::to_read_expecting(common, &path, expected, intent)?;
    let repair = |backup: &PathBuf| {
        vault.repair_from(backup).map_err(|error| match error {
            Error::Format(_) => Failure::from(error).about(backup),
            error => Failure::from(error),
        })
    };
    let repaired = command.from.as_ref().map(repair).transpose()?;
    let check = || match command.deep {
        true => {
            let bar = Bar::new("Reading");
            vault.check_deep_with(|progress| bar.show(progress))
        }
        false => vault.check(),
    };
    let mut report = check()?;
    let mended = if command.repair { mend_cards(&vault, &report)? } else { 0 };
    if mended > 0 {
        report = check()?;
    }
    let space = vault.space()?;
    let checkpoint = match report.is_clean() {
        // A state that is not whole is none to hold later ones against.
        false => None,
        true => at_rest(&vault)?,
    };
    match common.json {
        true => output::json(&for_programs(&report, (repaired.as_ref(), mended), space, checkpoint))?,
        false => {
            let told = told(&report, (repaired.as_ref(), mended), command.explain, space, checkpoint);
            output::say(&hinted(&told))?;
        }
    }
    if report.is_clean() {
        return Ok(());
    }
    note(&hinted(match (command.repair, &command.from) {
        (false, _) => {
            "personal: the vault is damaged: make a copy of the file as it is; then `personal check --repair`, with \
             `--from BACKUP` if you have one; `--explain` says what each finding means"
        }
        (true, None) => {
            "personal: the vault is still damaged: make a copy of the file as it is; then `personal check --repair \
             --from BACKUP`, or restore the backup"
        }
        (true, Some(_)) => "personal: the vault is still damaged: the backup does not have what is missing",
    }));
    Err(Failure::Reported(Exit::Damaged))
}

/// Puts right what lists show of entries, where the check found that wrong and the vault can be
/// written; of how many entries.
fn mend_cards(vault: &Vault, report: &CheckReport) -> Result<usize, Failure> {
    let is_wrong = |finding: &CheckFinding| matches!(finding, CheckFinding::WrongCard { .. });
    if !report.findings.iter().any(is_wrong) {
        return Ok(0);
    }
    match vault.mend_cards(&Actor::owner()) {
        Ok(mended) => Ok(mended.len()),
        // What keeps it from being written is among the findings, or said by the opening.
        Err(error) if matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Refused) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// The checkpoint, unless somebody writes and there is no state at rest to name.
fn at_rest(vault: &Vault) -> Result<Option<Checkpoint>, Failure> {
    match vault.checkpoint() {
        Err(Error::Store(StoreError::Busy | StoreError::NoLocks)) => Ok(None),
        checkpoint => Ok(Some(checkpoint?)),
    }
}

fn told(
    report: &CheckReport,
    (repaired, mended): (Option<&RepairReport>, usize),
    explain: bool,
    space: SpaceReport,
    checkpoint: Option<Checkpoint>,
) -> String {
    let mut lines: Vec<String> = repaired.map(restored).into_iter().collect();
    if mended > 0 {
        let entries = count(mended, "entry", "entries");
        lines.push(format!("What lists show of {entries} was wrong and was put right.\n"));
    }
    lines.push(match report.is_clean() {
        true => "The vault is whole: everything in it was read and is as it was written.".to_owned(),
        false => format!("The vault is damaged, in {}:", count(report.findings.len(), "place", "places")),
    });
    for finding in &report.findings {
        lines.push(format!("  {}", words(finding)));
        if explain {
            let Explanation { lost, remedy, .. } = finding.explain();
            lines.push(format!("    Lost: {lost}\n    To do: {remedy}"));
        }
    }
    lines.push(String::new());
    lines.push(format!(
        "  {} and {}",
        counted(report.entries, "entry", "entries"),
        counted(report.revisions, "earlier version", "earlier versions")
    ));
    lines.push(format!(
        "  {} to the vault, {} read and compared with {} seals",
        counted(report.commits, "change", "changes"),
        size(report.bytes),
        if report.commits == 1 { "its" } else { "their" }
    ));
    lines.push(written(&report.segments));
    lines.push(match space.dead {
        Some(dead) => format!(
            "  the file has {}; `personal compact` would give back about {}",
            size(space.file),
            size(dead)
        ),
        None => format!("  the file has {}", size(space.file)),
    });
    if !report.not_checked.is_empty() {
        let names: Vec<&str> = report.not_checked.iter().map(|place| place.name()).collect();
        lines.push(format!("  not checked, for want of a key: {}", names.join(", ")));
    }
    if !report.is_clean() {
        return lines.join("\n");
    }
    lines.push(String::new());
    lines.push(match checkpoint {
        Some(checkpoint) => format!(
            "Checkpoint: {checkpoint}\nKeep that line elsewhere. Later, `personal check --expect CHECKPOINT` tells \
             whether somebody put an older or another vault in this one's place."
        ),
        None => "There is no checkpoint now, because another program writes to the vault; try again.".to_owned(),
    });
    lines.join("\n")
}

/// Whether the bytes of the file are those that the changes wrote.
fn written(segments: &SegmentsReport) -> String {
    let SegmentsReport { whole, changed, unknown, .. } = segments;
    let mut line =
        format!("  the bytes of {} are as they were written", counted(*whole, "change", "changes"));
    if *changed > 0 {
        line += &format!("; of {changed} something was erased, or changed where nothing is read");
    }
    if *unknown > 0 {
        line += &format!("; nothing says that of {unknown} earlier ones");
    }
    line
}

fn restored(report: &RepairReport) -> String {
    match report.restored {
        0 => "The backup has nothing that could be put back.\n".to_owned(),
        parts => format!(
            "{} put back from the backup, {} in all.\n",
            count(usize::try_from(parts).unwrap_or(usize::MAX), "damaged part was", "damaged parts were"),
            size(report.bytes)
        ),
    }
}

/// What is wrong, without the full stop.
fn words(finding: &CheckFinding) -> String {
    finding.explain().wrong.trim_end_matches('.').to_owned()
}

fn for_programs(
    report: &CheckReport,
    (repaired, mended): (Option<&RepairReport>, usize),
    space: SpaceReport,
    checkpoint: Option<Checkpoint>,
) -> Json {
    json!({
        "clean": report.is_clean(),
        "entries": report.entries,
        "revisions": report.revisions,
        "commits": report.commits,
        "bytes": report.bytes,
        "file": space.file,
        "live": space.live,
        "dead": space.dead,
        "not_checked": report.not_checked.iter().map(|place| place.name()).collect::<Vec<_>>(),
        "mended": mended,
        "restored": repaired.map(|report| report.restored),
        "segments": {
            "whole": report.segments.whole,
            "changed": report.segments.changed,
            "changed_in": report.segments.changed_in.iter().map(|epoch| epoch.number()).collect::<Vec<_>>(),
            "unknown": report.segments.unknown,
        },
        "findings": report.findings.iter().map(words).collect::<Vec<_>>(),
        "explanations": report.findings.iter().map(explanation).collect::<Vec<_>>(),
        "checkpoint": checkpoint.map(|checkpoint| checkpoint.to_string()),
    })
}

fn explanation(finding: &CheckFinding) -> Json {
    let Explanation { wrong, lost, remedy, .. } = finding.explain();
    json!({ "wrong": wrong, "lost": lost, "remedy": remedy })
}
