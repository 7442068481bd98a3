//! `ledger`: everything that was ever done with the vault.

use serde_json::{Map, Value as Json, json};
use subrosa::EntryId;
use subrosa::vault::{Action, Detail, LedgerLine};

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
        lines.retain(|line| matches!(line.action, Action::Released | Action::Exported));
    }
    if let Some(prefix) = &wanted {
        lines.retain(|line| line.entries.iter().any(|id| id.to_string().starts_with(prefix)));
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

/// How an entry's id begins.
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
        let is_one = |last: &&mut LedgerLine| {
            (last.epoch, last.action, &last.reason) == (line.epoch, line.action, &line.reason)
                && shown(&last.details) == shown(&line.details)
        };
        match joined.last_mut().filter(is_one) {
            Some(last) => {
                let new: Vec<EntryId> =
                    line.entries.iter().filter(|id| !last.entries.contains(id)).copied().collect();
                last.entries.extend(new);
            }
            None => joined.push(line),
        }
    }
    // What everybody is told of a commit says no more than the act itself, where that is told.
    let says_nothing = |line: &LedgerLine| {
        matches!(line.action, Action::Changed | Action::Renewed)
            && line.entries.is_empty()
            && line.reason.is_none()
            && shown(&line.details).is_empty()
    };
    let told: Vec<_> = joined.iter().filter(|line| !says_nothing(line)).map(|line| line.epoch).collect();
    joined.retain(|line| !says_nothing(line) || !told.contains(&line.epoch));
    joined
}

/// The details that people are shown.
fn shown(details: &[(Detail, String)]) -> Vec<&(Detail, String)> {
    let wanted = [Detail::Recipient, Detail::Purpose, Detail::Name, Detail::Excerpt, Detail::Import];
    details.iter().filter(|(detail, _)| wanted.contains(detail)).collect()
}

fn row(line: &LedgerLine, with_ids: bool) -> Vec<String> {
    let told = shown(&line.details).into_iter().map(|(detail, text)| match detail {
        Detail::Excerpt => format!("copy: {text}"),
        _ => format!("{}: {text}", detail.name()),
    });
    let is_gone = line.action == Action::Released && line.detail(Detail::Recipient).is_none();
    let gone = is_gone.then(|| "to whom is no longer kept, or not for you to see".to_owned());
    let about: Vec<String> = line.reason.iter().cloned().chain(told).chain(gone).collect();
    vec![
        moment(line.time),
        line.action.name().to_owned(),
        line.actor.clone(),
        about.join("; "),
        entries(&line.entries, with_ids),
    ]
}

fn entries(ids: &[EntryId], with_ids: bool) -> String {
    match ids {
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
    let entries: Vec<String> = line.entries.iter().map(ToString::to_string).collect();
    let details = line.details.iter().map(|(detail, text)| (detail.name().to_owned(), json!(text)));
    object.insert("action".to_owned(), json!(line.action.name()));
    object.insert("actor".to_owned(), json!(line.actor));
    object.insert("reason".to_owned(), json!(line.reason));
    object.insert("entries".to_owned(), json!(entries));
    object.insert("details".to_owned(), Json::Object(details.collect()));
    Json::Object(object)
}
