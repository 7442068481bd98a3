//! `ledger`: everything that was ever done with the vault.

use serde_json::{Map, Value as Json, json};
use subrosa::{Detail, EntryId, LedgerLine, LineState};

use crate::access;
use crate::arguments::{Common, VaultOnly};
use crate::failure::Failure;
use crate::output::{self, count, moment, moment_for_programs};
use crate::target;

pub(crate) fn run(common: &Common, command: &VaultOnly) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let vault = access::to_read(common, &path)?;
    let lines = vault.ledger()?;
    if common.json {
        return output::json(&lines.iter().map(for_programs).collect());
    }
    let rows = lines.iter().map(row).collect();
    output::say(&output::table(&["Time", "What was done", "By", "Why, to whom, what for", "Entries"], rows))
}

fn row(line: &LedgerLine) -> Vec<String> {
    match &line.state {
        LineState::Whole { action, actor, reason, subjects, details } => {
            let wanted = [Detail::Recipient, Detail::Purpose, Detail::Name];
            let told = details.iter().filter(|(detail, _)| wanted.contains(detail));
            let told = told.map(|(detail, text)| format!("{}: {text}", detail.name()));
            let about: Vec<String> = reason.iter().cloned().chain(told).collect();
            vec![
                moment(line.time),
                action.name().to_owned(),
                actor.clone(),
                about.join("; "),
                entries(subjects),
            ]
        }
        _ => {
            let gone = "destroyed with the entry that it told of".to_owned();
            vec![moment(line.time), "?".to_owned(), String::new(), gone, String::new()]
        }
    }
}

fn entries(subjects: &[EntryId]) -> String {
    match subjects {
        [] => String::new(),
        [one] => access::short_id(*one),
        several => count(several.len(), "entry", "entries"),
    }
}

/// A line as one object.
pub(crate) fn for_programs(line: &LedgerLine) -> Json {
    let mut object = Map::new();
    object.insert("epoch".to_owned(), json!(line.epoch.number()));
    object.insert("time".to_owned(), json!(moment_for_programs(line.time)));
    object.insert("compartment".to_owned(), json!(line.compartment.name()));
    let LineState::Whole { action, actor, reason, subjects, details } = &line.state else {
        object.insert("action".to_owned(), Json::Null);
        object.insert("destroyed".to_owned(), json!(true));
        return Json::Object(object);
    };
    let subjects: Vec<String> = subjects.iter().map(ToString::to_string).collect();
    let details = details.iter().map(|(detail, text)| (detail.name().to_owned(), json!(text)));
    object.insert("action".to_owned(), json!(action.name()));
    object.insert("actor".to_owned(), json!(actor));
    object.insert("reason".to_owned(), json!(reason));
    object.insert("entries".to_owned(), json!(subjects));
    object.insert("details".to_owned(), Json::Object(details.collect()));
    Json::Object(object)
}
