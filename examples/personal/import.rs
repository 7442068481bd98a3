//! `import`: other people's files into the vault.

mod questions;

use std::collections::HashMap;
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use subrosa::{
    Actor, EntryId, Error, Filter, Finding, Import, ImportDecisions, ImportError, ImportOptions,
    ImportReport, Imported, Listed, Vault,
};

use crate::access;
use crate::arguments::{self, Common};
use crate::failure::{Exit, Failure};
use crate::findings;
use crate::output::{self, count, note, printable};
use crate::prompt;
use crate::target::{self, hinted};
use crate::undo;

/// Most findings and patients that are listed for people; JSON has all.
const SHOWN: usize = 40;
/// Most pairs of entries that are perhaps the same and are named for people.
const PAIRS_SHOWN: usize = 5;

pub(crate) fn run(common: &Common, command: &arguments::Import) -> Result<(), Failure> {
    if command.undo || command.list || command.forget_answers {
        return undo::run(common, command);
    }
    let (path, files) = target::vault_and_some(common, &command.names)?;
    // The password is asked for first: nobody waits for a wrong one.
    let vault = access::to_write(common, &path)?;
    let imported = match read(command, &files)? {
        Reading::Done(imported) => imported,
        Reading::SeveralPatients(references) => return Err(choose_one(common, &references)?),
    };
    let mut decisions = questions::decided(command);
    let bar = bar(imported.entries.len());
    let import = |decisions: &ImportDecisions| {
        vault.import_with(&Actor::owner(), &imported, decisions, |done, _| bar.set_position(done as u64))
    };
    let report = match import(&decisions) {
        Err(Error::ImportAsks { questions }) => {
            questions::ask(common, &questions, &imported, &mut decisions)?;
            // The first answer may leave a second question, which is the last.
            match import(&decisions) {
                Err(Error::ImportAsks { questions }) => {
                    questions::ask(common, &questions, &imported, &mut decisions)?;
                    import(&decisions)?
                }
                report => report?,
            }
        }
        report => report?,
    };
    bar.finish_and_clear();
    let pairs = if common.json { Vec::new() } else { pairs(&vault, &report)? };
    access::close(vault)?;
    if common.json {
        output::json(&summary(&report))?;
        note(&still_readable(&files));
        return Ok(());
    }
    let mut text = told(&report, &about(&report, &imported.person_identities), &pairs, &files);
    if command.report {
        text = format!("{text}\n\n{}", findings::report(&report.findings).join("\n"));
    }
    output::say(&hinted(&text))
}

/// What reading the files gave.
enum Reading {
    Done(Box<Imported>),
    SeveralPatients(Vec<String>),
}

fn read(command: &arguments::Import, files: &[PathBuf]) -> Result<Reading, Failure> {
    let mut options = ImportOptions::default();
    options.patient = prompt::value(command.patient.as_deref(), "Whose records (a reference)")?;
    options.unknown_subjects_are_the_patients = command.unknown_are_same;
    options.limits.input_bytes = command.max_mib << 20;
    options.limits.line_bytes = options.limits.input_bytes;
    let mut import = Import::new(options);
    for file in files {
        let which = match file.to_str() {
            Some("-") => "standard input".to_owned(),
            _ => target::quoted(file),
        };
        read_one(&mut import, file, &which)?;
    }
    match import.finish() {
        Ok(imported) => Ok(Reading::Done(Box::new(imported))),
        Err(ImportError::SeveralPatients { patients }) => {
            Ok(Reading::SeveralPatients(patients.iter().map(str::to_owned).collect()))
        }
        Err(error) => Err(failure(&error, "the input")),
    }
}

fn read_one(import: &mut Import, file: &Path, which: &str) -> Result<(), Failure> {
    let name = file.file_name().and_then(|name| name.to_str());
    let (reader, name): (Box<dyn Read>, Option<&str>) = match file.to_str() {
        Some("-") => (Box::new(std::io::stdin().lock()), None),
        _ => {
            let open = std::fs::File::open(file);
            (Box::new(open.map_err(|error| Failure::file(which, &error))?), name)
        }
    };
    import.read(name, reader).map_err(|error| failure(&error, which))
}

fn failure(error: &ImportError, which: &str) -> Failure {
    match error {
        ImportError::Read(error) => Failure::file(which, error),
        ImportError::TooLarge { limit } => Failure::refused(format!(
            "{which}: longer than {} MiB; nothing was imported; split it, or allow more with --max-mib",
            limit >> 20
        )),
        error => Failure::refused(format!("{which}: {error}; nothing was imported")),
    }
}

/// Says whose records there are, and that nothing was taken.
fn choose_one(common: &Common, references: &[String]) -> Result<Failure, Failure> {
    if common.json {
        output::json(&json!({ "error": "several-patients", "patients": references }))?;
    }
    note(&format!(
        "personal: these records are about {}; nothing was imported; choose one with --patient:",
        count(references.len(), "person", "people")
    ));
    references.iter().take(SHOWN).for_each(|reference| note(&format!("  {}", printable(reference))));
    if references.len() > SHOWN {
        note(&format!("  … and {} more (--json lists all)", references.len() - SHOWN));
    }
    Ok(Failure::Reported(Exit::Refused))
}

fn bar(entries: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("Encrypting {wide_bar} {pos} of {len}");
    let bar = ProgressBar::new(entries as u64);
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

fn summary(report: &ImportReport) -> Value {
    let finding = |finding: &Finding| json!({ "path": finding.path, "reason": finding.reason.to_string(), "count": finding.count, "group": findings::group_name(finding.group()) });
    json!({
        "number": report.number.map(|number| number.number()),
        "person": report.person.as_ref().map(questions::person_for_programs),
        "sources": report.sources,
        "older": report.older.len(),
        "undecided": report.undecided.len(),
        "perhaps_same": report
            .perhaps_same
            .iter()
            .map(|(one, other)| json!([one.to_string(), other.to_string()]))
            .collect::<Vec<_>>(),
        "left_out": report.left_out.total(),
        "entries": report.added.len(),
        "kept_raw": report.kept_raw.len(),
        "unchanged": report.unchanged,
        "amended": report.amended.len(),
        "expunged_before": report.expunged_before,
        "deleted_at_source": report.deleted_at_source.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "repetitions": report.repetitions,
        "other_patients": report.other_patients,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn told(report: &ImportReport, about: &str, pairs: &[String], files: &[PathBuf]) -> String {
    let new = report.added.len() + report.kept_raw.len();
    let mut lines = vec![about.to_owned()];
    lines.push(match (new, report.number) {
        (0, Some(number)) => format!(
            "Nothing new was imported; what changed is import {number} (`personal import --undo {number}` takes it \
             back)."
        ),
        (0, None) => "Nothing new was imported, and nothing was changed.".to_owned(),
        (_, Some(number)) => format!(
            "Imported {}, as import {number} (`personal import --undo {number}` takes it back).",
            count(new, "entry", "entries")
        ),
        (_, None) => format!("Imported {}.", count(new, "entry", "entries")),
    });
    let facts = [
        (
            report.kept_raw.len(),
            "kept exactly as they came, because this program has no form of its own for them",
        ),
        (report.amended.len(), "changed since the last import; the earlier version stays as history"),
        (report.unchanged, "already there and unchanged"),
        (report.older.len(), "older than what the vault has, and not taken"),
        (
            report.undecided.len(),
            "different from what the vault has, and nothing says which is newer: the vault's stay; \
             --accept-changed-source takes these",
        ),
        (report.perhaps_same.len(), "perhaps the same as an entry from another file, and kept beside it"),
        (report.expunged_before, "not taken again, because you expunged them before"),
        (
            report.deleted_at_source.len(),
            "deleted by their source since, as this file says, and still in the vault: see them with \
             `personal show`, then retract or expunge them, or ask the source why:",
        ),
        (report.repetitions, "in the input twice, and taken once"),
        (report.other_patients, "about somebody else, and left out"),
    ];
    let is_pairs = |what: &str| what.starts_with("perhaps");
    let deleted = report.deleted_at_source.iter().map(|id| format!("    {}", access::short_id(*id)));
    let mut deleted: Vec<String> = deleted.collect();
    if deleted.len() > SHOWN {
        let more = deleted.len() - SHOWN;
        deleted.truncate(SHOWN);
        deleted.push(format!("    … and {more} more (--json lists all)"));
    }
    for (n, what) in facts.into_iter().filter(|(n, _)| *n > 0) {
        lines.push(format!("  {n} {what}{}", if is_pairs(what) { ":" } else { "" }));
        lines.extend(pairs.iter().filter(|_| is_pairs(what)).cloned());
        lines.extend(deleted.iter().filter(|_| what.starts_with("deleted")).cloned());
    }
    let (unread, known): (Vec<_>, Vec<_>) =
        report.findings.iter().cloned().partition(|finding| finding.reason.is_unreadable());
    lines.extend(not_read(&unread));
    lines.extend(findings::told(&known));
    lines.push(String::new());
    lines.push(still_readable(files));
    lines.join("\n")
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

/// Entries that are perhaps the same, a line for each pair.
fn pairs(vault: &Vault, report: &ImportReport) -> Result<Vec<String>, Failure> {
    if report.perhaps_same.is_empty() {
        return Ok(Vec::new());
    }
    let listed = vault.list(&Filter::all().with_retracted())?;
    let title = |entry: &Listed| entry.card.display().map(str::to_owned);
    let titles: HashMap<EntryId, Option<String>> =
        listed.iter().map(|entry| (entry.id, title(entry))).collect();
    let named = |id: &EntryId| {
        let title = titles.get(id).and_then(Option::as_deref).unwrap_or("(no title)");
        format!("{} {}", access::short_id(*id), output::shortened(title, 48))
    };
    let line = |(earlier, new): &(EntryId, EntryId)| {
        printable(&format!("    {}, and already there {}", named(new), named(earlier)))
    };
    let mut lines: Vec<String> = report.perhaps_same.iter().take(PAIRS_SHOWN).map(line).collect();
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

/// What importing does not do.
fn still_readable(files: &[PathBuf]) -> String {
    let named = files.iter().filter(|file| file.to_str() != Some("-")).count();
    match named {
        0 => "If what you imported is also in a file, that file is still readable on its disk by whoever uses \
              this computer."
            .to_owned(),
        1 => "The file that you imported is still readable on this disk, by whoever uses this computer. When you \
              have seen that everything is in the vault, delete it and empty the trash."
            .to_owned(),
        several => format!(
            "The {several} files that you imported are still readable on this disk, by whoever uses this computer. \
             When you have seen that everything is in the vault, delete them and empty the trash."
        ),
    }
}
