//! `check`: the whole vault read and authenticated.

use serde_json::{Value as Json, json};
use subrosa::{CheckFinding, CheckReport, Checkpoint, Error, SpaceReport, StoreError};

use crate::access;
use crate::arguments::{Check, Common};
use crate::failure::{Exit, Failure};
use crate::output::{self, note};
use crate::progress::size;
use crate::target;

pub(crate) fn run(common: &Common, command: &Check) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let expected = command.expect.as_deref().map(str::parse::<Checkpoint>).transpose();
    let expected = expected.map_err(|error| Failure::usage(error.to_string()))?;
    let vault = access::to_read_expecting(common, &path, expected)?;
    let report = vault.check()?;
    let space = vault.space()?;
    let checkpoint = match vault.checkpoint() {
        // While somebody writes there is no state at rest to name.
        Err(Error::Store(StoreError::Busy | StoreError::NoLocks)) => None,
        checkpoint => Some(checkpoint?),
    };
    match common.json {
        true => output::json(&for_programs(&report, space, checkpoint))?,
        false => output::say(&told(&report, space, checkpoint))?,
    }
    if report.is_clean() {
        return Ok(());
    }
    note("personal: the vault is damaged: make a copy of the file as it is, then restore a backup");
    Err(Failure::Reported(Exit::Damaged))
}

fn told(report: &CheckReport, space: SpaceReport, checkpoint: Option<Checkpoint>) -> String {
    let mut lines = vec![match report.is_clean() {
        true => "The vault is whole: everything in it was read and is as it was written.".to_owned(),
        false => format!("The vault is damaged, in {} places:", report.findings.len()),
    }];
    lines.extend(report.findings.iter().map(|finding| format!("  {}", words(finding))));
    lines.push(String::new());
    lines.push(format!("  {} entries and {} earlier versions", report.entries, report.revisions));
    lines.push(format!("  {} commits, {} bytes authenticated", report.commits, report.bytes));
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

fn words(finding: &CheckFinding) -> String {
    match finding {
        CheckFinding::CopiesDiffer => {
            "the two copies of the root or of the credentials differ; the next change repairs that".to_owned()
        }
        CheckFinding::DamagedPage { compartment } => {
            format!("a page of the catalogue in {compartment}: its entries are out of reach")
        }
        CheckFinding::DamagedEntry { compartment, id, revision } => {
            format!("entry {id}, version {revision}, in {compartment}")
        }
        CheckFinding::DamagedPart { compartment } => format!("another part in {compartment}"),
        CheckFinding::BrokenHistory { epoch } => format!("the history at commit {epoch}"),
        CheckFinding::WrongSize { compartment } => {
            format!("the size that {compartment} says it takes; everything in it is there")
        }
        CheckFinding::ForeignLine { compartment, epoch } => {
            format!("the ledger of {compartment} at commit {epoch}: not what was written then")
        }
        _ => "something that this program has no words for".to_owned(),
    }
}

fn for_programs(report: &CheckReport, space: SpaceReport, checkpoint: Option<Checkpoint>) -> Json {
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
        "findings": report.findings.iter().map(words).collect::<Vec<_>>(),
        "checkpoint": checkpoint.map(|checkpoint| checkpoint.to_string()),
    })
}
