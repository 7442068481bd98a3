//! `import`: other people's files into the vault.

mod questions;
mod report;

use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use subrosa::interop::{Finding, ForeignFormat, ImportError, Imported, PatientReferences};
use subrosa::vault::{ImportDecisions, ImportReport};
use subrosa::{Actor, Error, Import, ImportOptions};

use crate::access;
use crate::arguments::{self, Common};
use crate::failure::{Exit, Failure, whole};
use crate::findings;
use crate::output::{self, count, note, printable};
use crate::prompt;
use crate::target::{self, Wanted};
use crate::undo;

/// What an input is called that has no name.
const STANDARD_INPUT: &str = "standard input";
/// Most findings and patients that are listed for people; JSON has all.
const SHOWN: usize = 40;

pub(crate) fn run(common: &Common, command: &arguments::Import) -> Result<(), Failure> {
    if command.undo || command.list || command.forget_answers {
        return undo::run(common, command);
    }
    let (path, files) = target::vault_and_some(
        common,
        &command.names,
        Wanted::new("Which files? A clinic or a portal gives your records as FHIR (JSON).", "import FILE…"),
    )?;
    // The password is asked for first: nobody waits for a wrong one.
    let vault = access::to_write(common, &path)?;
    let imported = match read(common, command, &files)? {
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
    let said = match common.json {
        true => None,
        false => Some(report::told(&vault, &report, &imported.person_identities, &files)?),
    };
    access::close(vault);
    let Some(mut text) = said else {
        output::json(&summary(&report))?;
        note(&report::what_to_do_with(&files, &report));
        return Ok(());
    };
    if command.report {
        text = format!("{text}\n\n{}", findings::report(&report.findings).join("\n"));
    }
    output::say(&text)
}

/// What reading the files gave.
enum Reading {
    Done(Box<Imported>),
    SeveralPatients(PatientReferences),
}

fn read(common: &Common, command: &arguments::Import, files: &[PathBuf]) -> Result<Reading, Failure> {
    let mut options = ImportOptions::default();
    options.patient = prompt::value(command.patient.as_deref(), "Whose records (a reference)")?;
    options.unknown_subjects_are_the_patients = command.unknown_are_same;
    options.limits.input_bytes = command.max_mib << 20;
    options.limits.line_bytes = options.limits.input_bytes;
    let mut import = Import::new(options);
    for file in files {
        let which = match file.to_str() {
            Some("-") => STANDARD_INPUT.to_owned(),
            _ => target::quoted(file),
        };
        read_one(&mut import, file, &which)?;
    }
    if import.holds_export() && !command.as_any_file && (command.own_export || questions::is_own(common)?) {
        import.as_own_export();
    }
    match import.finish() {
        Ok(imported) => Ok(Reading::Done(Box::new(imported))),
        Err(ImportError::SeveralPatients { patients }) => Ok(Reading::SeveralPatients(patients)),
        Err(error) => Err(failure(&error, "the input")),
    }
}

fn read_one(import: &mut Import, file: &Path, which: &str) -> Result<(), Failure> {
    let name = file.file_name().and_then(|name| name.to_str());
    let (reader, name): (Box<dyn Read>, Option<&str>) = match file.to_str() {
        Some("-") => (Box::new(std::io::stdin().lock()), None),
        _ => {
            let open = std::fs::File::open(file);
            (Box::new(open.map_err(|error| Failure::reading(file, &error))?), name)
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
        ImportError::Foreign { format } => Failure::refused(format!(
            "{which}: {error}; nothing was imported{}",
            next_command(*format, which)
        )),
        ImportError::FhirXml | ImportError::NotFhir => {
            Failure::refused(format!("{which}: {error}; nothing was imported{}", to_attach(which)))
        }
        error => Failure::refused(format!("{which}: {}; nothing was imported", whole(&error))),
    }
}

/// What to type for a file that is no FHIR.
fn next_command(format: ForeignFormat, which: &str) -> String {
    match format {
        ForeignFormat::Zip | ForeignFormat::Archive | ForeignFormat::Vault => String::new(),
        ForeignFormat::Excerpt => format!(": `personal verify {which}`"),
        _ => to_attach(which),
    }
}

fn to_attach(which: &str) -> String {
    match which {
        STANDARD_INPUT => String::new(),
        _ => format!(": `personal attach {which}` keeps it as it is"),
    }
}

/// Says whose records there are, and that nothing was taken.
fn choose_one(common: &Common, patients: &PatientReferences) -> Result<Failure, Failure> {
    if common.json {
        let people = patients.people().map(|(_, person)| questions::person_for_programs(person));
        output::json(&json!({
            "error": "several-patients",
            "patients": patients.iter().collect::<Vec<_>>(),
            "people": people.collect::<Vec<_>>(),
        }))?;
    }
    note(&format!(
        "personal: these records are about {}; nothing was imported; choose one with --patient:",
        count(patients.len(), "person", "people")
    ));
    if !common.json {
        // Whom the records are about is what was asked for, and belongs to no log.
        let line = |(reference, person): (&str, &subrosa::record::Person)| {
            printable(&format!("  {reference}  {}", questions::person(person)))
        };
        output::say(&patients.people().take(SHOWN).map(line).collect::<Vec<_>>().join("\n"))?;
    }
    if patients.len() > SHOWN {
        note(&format!("  … and {} more (--json lists all)", patients.len() - SHOWN));
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
        "other_holder": report.other_holder,
        "sources": report.sources,
        "older": report.older.len(),
        "undecided": report.undecided.len(),
        "perhaps_same": report
            .perhaps_same
            .iter()
            .map(|(one, other)| json!([one.to_string(), other.to_string()]))
            .collect::<Vec<_>>(),
        "left_out": report.left_out.total(),
        "left_out_because": {
            "about_somebody_else": report.left_out.other_patients,
            "unclear_whose": report.left_out.unknown_subject,
            "about_nobody": report.left_out.unreferenced,
            "deleted_by_source": report.left_out.deleted,
            "unreadable": report.left_out.unreadable,
        },
        "entries": report.added.len(),
        "kept_raw": report.kept_raw.len(),
        "unchanged": report.unchanged,
        "under_other_names": report.under_other_names,
        "amended": report.amended.len(),
        "expunged_before": report.expunged_before,
        "deleted_at_source": report.deleted_at_source.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "repetitions": report.repetitions,
        "other_patients": report.other_patients,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
