//! What an import asks before anything is written: at a keyboard, or by flags.

use serde_json::{Value, json};
use subrosa::interop::{ImportQuestion, Imported};
use subrosa::record::Person;
use subrosa::vault::{ChangedSource, ImportDecisions};

use crate::arguments::{self, Common};
use crate::failure::{Exit, Failure};
use crate::output::{self, count, moment, moment_for_programs, note, printable};
use crate::prompt;

/// The decisions that the flags give.
pub(super) fn decided(command: &arguments::Import) -> ImportDecisions {
    let mut decisions = ImportDecisions::default();
    if command.take_expunged {
        decisions.expunged = subrosa::vault::Expunged::TakeAgain;
    }
    decisions.patient_is_same = command.patient_is_same;
    decisions.changed_source = match (command.accept_changed_source, command.keep_beside) {
        (true, _) => Some(ChangedSource::Accept),
        (false, true) => Some(ChangedSource::KeepBeside),
        (false, false) => None,
    };
    decisions
}

/// Whether an export of a vault is the importer's own; a script is told the flags.
pub(super) fn is_own(common: &Common) -> Result<bool, Failure> {
    note(
        "The file says that it is an export of a vault. If you made it yourself, from your own vault, and nobody could \
         change it since, its entries come back as they were: who entered them, what was corrected, withdrawn, held or \
         disputed, and where they are kept. If not, they come in as what any file says.",
    );
    if common.json || !prompt::is_interactive() {
        if common.json {
            output::json(&json!({ "error": "import-asks", "questions": [{ "question": "own-export" }] }))?;
        }
        note(
            "personal: nothing was imported; import again with --own-export if it is your own export, or with \
             --as-any-file",
        );
        return Err(Failure::Reported(Exit::Refused));
    }
    prompt::agrees("Is it your own export?")
}

/// Asks a person; a script is told the flags.
pub(super) fn ask(
    common: &Common,
    questions: &[ImportQuestion],
    imported: &Imported,
    decisions: &mut ImportDecisions,
) -> Result<(), Failure> {
    if common.json || !prompt::is_interactive() {
        return Err(refused(common, questions, imported)?);
    }
    // All that is asked about the person is said before the one answer to it.
    let asked = |question: &&ImportQuestion| {
        matches!(question, ImportQuestion::Patient { .. } | ImportQuestion::OtherNames { .. })
    };
    questions.iter().filter(asked).for_each(|question| note(&words(question, imported)));
    for question in questions {
        if !asked(&question) {
            note(&words(question, imported));
        }
        match question {
            ImportQuestion::Patient { .. } | ImportQuestion::OtherNames { .. } => {
                if decisions.patient_is_same {
                    continue;
                }
                if !prompt::agrees("Are these records about the same person?")? {
                    return Err(Failure::refused(
                        "nothing was imported: keep another person's records in a vault of their own",
                    ));
                }
                decisions.patient_is_same = true;
            }
            _ if decisions.changed_source.is_none() => {
                let accepts =
                    prompt::agrees("Does it continue that import, so that it amends those entries?")?;
                decisions.changed_source =
                    Some(if accepts { ChangedSource::Accept } else { ChangedSource::KeepBeside });
            }
            _ => {}
        }
    }
    Ok(())
}

fn refused(common: &Common, questions: &[ImportQuestion], imported: &Imported) -> Result<Failure, Failure> {
    if common.json {
        let questions: Vec<Value> = questions.iter().map(for_programs).collect();
        output::json(&json!({ "error": "import-asks", "questions": questions }))?;
    }
    questions.iter().for_each(|question| note(&words(question, imported)));
    let is_of_person = |question: &ImportQuestion| {
        matches!(question, ImportQuestion::Patient { .. } | ImportQuestion::OtherNames { .. })
    };
    let asks_patient = questions.iter().any(is_of_person);
    let asks_source = questions.iter().any(|question| !is_of_person(question));
    let mut flags = Vec::new();
    if asks_patient {
        flags.push("--patient-is-same if it is the same person");
    }
    if asks_source {
        flags.push("--accept-changed-source to amend those entries, or --keep-beside to keep both");
    }
    note(&format!(
        "personal: nothing was imported; look at it, then import again with {}",
        flags.join(", and ")
    ));
    Ok(Failure::Reported(Exit::Refused))
}

fn words(question: &ImportQuestion, imported: &Imported) -> String {
    printable(&match question {
        ImportQuestion::Patient { found: Some(found), known, differs } => {
            let differs: Vec<String> = differs.iter().map(ToString::to_string).collect();
            let what = if differs.is_empty() {
                String::new()
            } else {
                format!(" (different: {})", differs.join(", "))
            };
            let found = person(found);
            match known.is_nameless() {
                true => format!(
                    "This file is about {found}. Earlier imports do not say whom they are about: they only refer \
                     to a patient."
                ),
                false => format!("This file is about {found}; this vault is about {}{what}.", person(known)),
            }
        }
        ImportQuestion::Patient { found: None, known, .. } => format!(
            "This file does not say whom it is about: it only refers to a patient{}; this vault is about {}{}.",
            imported.person_identities.first().map(|identity| format!(", {identity}")).unwrap_or_default(),
            person(known),
            if known.is_nameless() { ", to whom earlier imports only refer too" } else { "" }
        ),
        ImportQuestion::OtherNames { known, shown } => format!(
            "CAREFUL: records that refer to {} show another name: {}. They may be another person's.",
            person(known),
            shown.join("; ")
        ),
        ImportQuestion::ChangedSource { document, time, known, same, about_others, .. } => format!(
            "{} looks like another export of what was imported on {}: of {} that the vault knows, {}.{}",
            document.as_deref().unwrap_or("The input"),
            moment(*time),
            count(*known, "record", "records"),
            match same {
                0 => "none is the same".to_owned(),
                1 => "1 is the same".to_owned(),
                _ => format!("{same} are the same"),
            },
            match about_others {
                0 => String::new(),
                1 => " CAREFUL: 1 of them is about something else now, such as another illness or another \
                      medicine."
                    .to_owned(),
                _ => format!(
                    " CAREFUL: {about_others} of them are about something else now, such as another illness or \
                     another medicine."
                ),
            }
        ),
        _ => "This import needs a decision that this version of the program does not know.".to_owned(),
    })
}

fn for_programs(question: &ImportQuestion) -> Value {
    match question {
        ImportQuestion::Patient { found, known, differs } => json!({
            "question": "patient-is-same",
            "found": found.as_deref().map(person_for_programs),
            "known": person_for_programs(known),
            "differs": differs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        ImportQuestion::OtherNames { known, shown } => json!({
            "question": "other-names",
            "known": person_for_programs(known),
            "shown": shown,
        }),
        ImportQuestion::ChangedSource { document, since, time, known, same, about_others } => json!({
            "question": "changed-source",
            "document": document,
            "import": since.number(),
            "time": moment_for_programs(*time),
            "known": known,
            "same": same,
            "about_others": about_others,
        }),
        _ => json!({ "question": "unknown" }),
    }
}

/// A person in a line: name and birth date.
pub(super) fn person(person: &Person) -> String {
    let names = person.names();
    let name = names.first().map_or("somebody without a name", String::as_str);
    match person.birth_date() {
        Some(date) => format!("{name}, born {}", date.in_words()),
        None if person.has_unreadable_birth_date() => {
            format!("{name}, with a birth date that could not be read")
        }
        None => name.to_owned(),
    }
}

pub(super) fn person_for_programs(person: &Person) -> Value {
    json!({
        "names": person.names(),
        "birth_date": person.birth_date().map(|date| date.as_str()),
        "birth_date_is_unreadable": person.has_unreadable_birth_date(),
    })
}
