//! `ledger`: everything that was ever done with the vault.

use std::collections::{BTreeSet, HashSet};

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
        lines.retain(|line| line.entries.iter().any(|id| begins_with(*id, prefix)));
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

/// Whether an id, in hexadecimal, begins with these digits.
fn begins_with(id: EntryId, prefix: &str) -> bool {
    let digits = id.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
    prefix.chars().zip(digits).filter(|(one, other)| one == other).count() == prefix.chars().count()
}

/// An act, and the entries that it was about.
struct Act {
    line: LedgerLine,
    /// Those that a row may name, each once. An export names one alone.
    ids: BTreeSet<EntryId>,
    count: usize,
}

impl Act {
    fn of(line: LedgerLine) -> Self {
        let mut act = Self { line: line.clone(), ids: BTreeSet::new(), count: 0 };
        act.add(&line);
        act
    }

    fn add(&mut self, line: &LedgerLine) {
        match line.action {
            // It held everything. A line for each export with a name for each entry would take
            // the product of both.
            Action::Exported => {
                self.count += line.entries.len();
                self.ids.extend(line.entries.iter().take(1));
            }
            _ => {
                self.ids.extend(line.entries.iter());
                self.count = self.ids.len();
            }
        }
    }
}

/// What was one act and has a line in each compartment, as one.
fn together(lines: Vec<LedgerLine>) -> Vec<Act> {
    let mut joined: Vec<Act> = Vec::new();
    for line in lines {
        let is_one = |last: &&mut Act| {
            let last = &last.line;
            (last.epoch, last.action, &last.reason) == (line.epoch, line.action, &line.reason)
                && shown(&last.details) == shown(&line.details)
        };
        match joined.last_mut().filter(is_one) {
            Some(last) => last.add(&line),
            None => joined.push(Act::of(line)),
        }
    }
    // What everybody is told of a commit says no more than the act itself, where that is told.
    let says_nothing = |act: &Act| {
        matches!(act.line.action, Action::Changed | Action::Renewed)
            && act.count == 0
            && act.line.reason.is_none()
            && shown(&act.line.details).is_empty()
    };
    let told: HashSet<_> = joined.iter().filter(|act| !says_nothing(act)).map(|act| act.line.epoch).collect();
    joined.retain(|act| !says_nothing(act) || !told.contains(&act.line.epoch));
    joined
}

/// The details that people are shown.
fn shown(details: &[(Detail, String)]) -> Vec<&(Detail, String)> {
    let wanted = [Detail::Recipient, Detail::Purpose, Detail::Name, Detail::Excerpt, Detail::Import];
    details.iter().filter(|(detail, _)| wanted.contains(detail)).collect()
}

fn row(act: &Act, with_ids: bool) -> Vec<String> {
    let line = &act.line;
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
        entries(act, with_ids),
    ]
}

fn entries(act: &Act, with_ids: bool) -> String {
    let Act { ids, count: entries, .. } = act;
    match entries {
        0 => String::new(),
        _ if *entries == 1 || (with_ids && ids.len() == *entries) => {
            ids.iter().map(|id| access::short_id(*id)).collect::<Vec<_>>().join(" ")
        }
        _ => count(*entries, "entry", "entries"),
    }
}

/// A line as one object.
pub(crate) fn for_programs(line: &LedgerLine) -> Json {
    let mut object = Map::new();
    object.insert("epoch".to_owned(), json!(line.epoch.number()));
    object.insert("time".to_owned(), json!(moment_for_programs(line.time)));
    object.insert("compartment".to_owned(), json!(line.compartment.name()));
    // An export held all that its compartment had. A name of each for each export would take the
    // product of both.
    let entries = match line.action {
        Action::Exported => Json::Null,
        _ => line.entries.iter().map(ToString::to_string).collect(),
    };
    let details = line.details.iter().map(|(detail, text)| (detail.name().to_owned(), json!(text)));
    object.insert("action".to_owned(), json!(line.action.name()));
    object.insert("actor".to_owned(), json!(line.actor));
    object.insert("reason".to_owned(), json!(line.reason));
    object.insert("entries".to_owned(), entries);
    object.insert("count".to_owned(), json!(line.entries.len()));
    object.insert("details".to_owned(), Json::Object(details.collect()));
    Json::Object(object)
}
