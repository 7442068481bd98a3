//! `ledger`: everything that was ever done with the vault.

use serde_json::{Map, Value as Json, json};
use subrosa::EntryId;
use subrosa::vault::{Action, Detail, LedgerLine, LineState};

use crate::access;
use crate::arguments::{Common, Ledger};
use crate::failure::Failure;
use crate::output::{self, count, moment, moment_for_programs};
use crate::target;

pub(crate) fn run(common: &Common, command: &Ledger) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let wanted = command.entry.as_deref().map(prefix).transpose()?;
    let vault = access::to_read(common, &path)?;
    let mut lines = vault.ledger()?;
    if command.released {
        lines.retain(|line| matches!(line.action(), Some(Action::Released | Action::Exported)));
    }
    if let Some(prefix) = &wanted {
        lines.retain(|line| line.subjects().iter().any(|id| id.to_string().starts_with(prefix)));
    }
    if common.json {
        return output::json(&lines.iter().map(for_programs).collect());
    }
    let is_narrowed = command.released || wanted.is_some();
    if is_narrowed && lines.is_empty() {
        output::note("Nothing of this sort was done, as far as the ledger knows.");
        return Ok(());
    }
    let rows = together(lines).iter().map(|line| row(line, is_narrowed)).collect();
    output::say(&output::table(&["Time", "What was done", "By", "Why, to whom, what for", "Entries"], rows))
}

/// How an entry's id begins, be it one that is no longer there.
fn prefix(text: &str) -> Result<String, Failure> {
    let prefix = text.trim().to_lowercase();
    let is_id =
        prefix.len() >= access::SHORTEST_PREFIX && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(prefix).ok_or_else(|| {
        Failure::usage("--entry takes an entry's id, or at least its first 4 digits (0-9, a-f)")
    })
}

/// What was one act and has a line in each compartment, as one line.
fn together(lines: Vec<LedgerLine>) -> Vec<LedgerLine> {
    let mut joined: Vec<LedgerLine> = Vec::new();
    for line in lines {
        let last = joined.last_mut().filter(|last| last.epoch == line.epoch);
        match (last.map(|last| &mut last.state), &line.state) {
            (
                Some(LineState::Whole { action, reason, subjects, details, .. }),
                LineState::Whole { action: more, reason: also, subjects: others, details: further, .. },
            ) if action == more && reason == also && shown(details) == shown(further) => {
                subjects
                    .extend(others.iter().filter(|id| !subjects.contains(id)).copied().collect::<Vec<_>>());
            }
            _ => joined.push(line),
        }
    }
    joined
}

/// The details that people are shown.
fn shown(details: &[(Detail, String)]) -> Vec<&(Detail, String)> {
    let wanted = [Detail::Recipient, Detail::Purpose, Detail::Name, Detail::Excerpt, Detail::Import];
    details.iter().filter(|(detail, _)| wanted.contains(detail)).collect()
}

fn row(line: &LedgerLine, with_ids: bool) -> Vec<String> {
    match &line.state {
        LineState::Whole { action, actor, reason, subjects, details } => {
            let told = shown(details).into_iter().map(|(detail, text)| match detail {
                Detail::Excerpt => format!("copy: {text}"),
                _ => format!("{}: {text}", detail.name()),
            });
            let about: Vec<String> = reason.iter().cloned().chain(told).collect();
            vec![
                moment(line.time),
                action.name().to_owned(),
                actor.clone(),
                about.join("; "),
                entries(subjects, with_ids),
            ]
        }
        _ => {
            let gone = "an entry that was expunged since; what it said went with the entry".to_owned();
            vec![moment(line.time), "(expunged)".to_owned(), String::new(), gone, String::new()]
        }
    }
}

fn entries(subjects: &[EntryId], with_ids: bool) -> String {
    match subjects {
        [] => String::new(),
        [one] => access::short_id(*one),
        several if with_ids => several.iter().map(|id| access::short_id(*id)).collect::<Vec<_>>().join(" "),
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
