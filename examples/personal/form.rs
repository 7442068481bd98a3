//! Asking for the fields of a record, on the terminal or as JSON.

use std::io::Read as _;

use serde_json::{Map, Value as Json};
use subrosa::record::{FieldName, FieldSchema, FieldType, Value};
use subrosa::{Kind, Record};

use crate::failure::Failure;
use crate::output::{self, count, note, printable};
use crate::prompt;
use crate::values;
use crate::words;

/// Longest JSON on standard input, in bytes.
const INPUT_LIMIT: u64 = 64 << 20;

/// Fields that people mostly know, the best known first.
const FIRST: [&str; 22] = [
    "names",
    "name",
    "birth_date",
    "gender",
    "code",
    "instrument",
    "title",
    "relationship",
    "admission",
    "discharge",
    "conditions",
    "date",
    "start",
    "occurrence",
    "onset",
    "dosages",
    "quantity",
    "score",
    "facility",
    "end",
    "abatement",
    "text",
];

/// The values of a record's fields, changed field by field.
pub(crate) struct Form {
    kind: Kind,
    fields: Vec<(&'static FieldSchema, Vec<Value>)>,
    changed: bool,
}

impl Form {
    /// A form filled in with a record.
    pub(crate) fn of(record: &Record) -> Self {
        let kind = record.kind();
        let fields = record.fields();
        let values = |tag| fields.iter().filter(|f| f.tag == tag).map(|field| field.value.clone()).collect();
        Self { kind, fields: kind.schema().iter().map(|f| (f, values(f.tag))).collect(), changed: false }
    }

    /// Whether anything was changed.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    /// The record that the form makes.
    pub(crate) fn into_record(self) -> Result<Record, Failure> {
        let values = self.fields.into_iter().flat_map(|(field, values)| {
            (0..=u16::MAX).zip(values).map(move |(index, value)| (field.tag, index, value))
        });
        Record::from_fields(self.kind, values).map_err(|error| Failure::refused(error.to_string()))
    }

    /// Whether the record says anything at all: more than when, and in what state.
    pub(crate) fn says_something(&self) -> bool {
        let is_said = |field: &FieldSchema, value: &Value| match field.field_type {
            // That there was a stay or a visit is something; what it was is for other fields.
            FieldType::Date => matches!(self.kind, Kind::Hospitalization | Kind::Encounter),
            FieldType::Attachment => true,
            _ => known_words(field).is_empty() && !values::words(value).trim().is_empty(),
        };
        self.fields.iter().any(|(field, values)| values.iter().any(|value| is_said(field, value)))
    }

    /// Asks for every field. Enter goes on, a full stop ends the questions.
    pub(crate) fn ask(&mut self) -> Result<(), Failure> {
        note("Enter leaves a field as it is; - removes what is in it; a full stop ends the questions.\n");
        let all: Vec<&str> = self.fields.iter().map(|(field, _)| field.name).collect();
        self.ask_those(&all).map(drop)
    }

    /// Asks for what people mostly know, and for the rest on request.
    pub(crate) fn ask_first(&mut self) -> Result<(), Failure> {
        let first = self.first();
        note("Enter leaves a field out; a full stop ends the questions.\n");
        let goes_on = self.ask_those(&first)?;
        let rest: Vec<&str> = self.fields.iter().map(|(field, _)| field.name).collect();
        let rest: Vec<&str> = rest.into_iter().filter(|name| !first.contains(name)).collect();
        if goes_on && !rest.is_empty() {
            let question = format!(
                "There {} that can be filled in. See {}?",
                more(rest.len()),
                if rest.len() == 1 { "it" } else { "them" }
            );
            if prompt::agrees(&question)? {
                self.ask_those(&rest)?;
            }
        }
        Ok(())
    }

    /// The fields that are asked for first: of a note its text, of others up to four
    /// that people know, and remarks.
    fn first(&self) -> Vec<&'static str> {
        if self.kind == Kind::Note {
            return vec!["text", "title", "date", "authors"];
        }
        let names: Vec<&'static str> = self.fields.iter().map(|(field, _)| field.name).collect();
        let mut first: Vec<_> = FIRST.into_iter().filter(|name| names.contains(name)).take(4).collect();
        first.extend(names.into_iter().filter(|name| *name == "notes"));
        first
    }

    /// Asks for the fields of these names, in this order; whether the questions were not ended.
    fn ask_those(&mut self, names: &[&str]) -> Result<bool, Failure> {
        for name in names {
            let field = self.fields.iter_mut().find(|(field, _)| field.name == *name);
            let Some((field, values)) = field else { continue };
            match ask_field(field, values)? {
                Asked::Kept => {}
                Asked::Changed(new) => {
                    *values = new;
                    self.changed = true;
                }
                Asked::Ended => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Takes fields out of a JSON object; `null` empties one.
    pub(crate) fn take(&mut self, object: &Map<String, Json>) -> Result<(), Failure> {
        for (name, json) in object {
            let named = FieldName::find(name).map_or(name.as_str(), |found| found.name);
            let field = self.fields.iter_mut().find(|(field, _)| field.name == named);
            let (field, values) = field.ok_or_else(|| {
                Failure::refused(format!(
                    "{} has no field {}; `personal add --fields {}` lists them",
                    words::kind(self.kind),
                    printable(&output::shortened(name, 64)),
                    self.kind
                ))
            })?;
            *values = match json {
                Json::Null => Vec::new(),
                Json::Array(items) if field.repeats => {
                    items.iter().map(|item| values::read(field, item)).collect::<Result<_, _>>()?
                }
                one => vec![values::read(field, one)?],
            };
            self.changed = true;
        }
        Ok(())
    }
}

fn more(rest: usize) -> String {
    format!("{} {}", if rest == 1 { "is" } else { "are" }, count(rest, "more field", "more fields"))
}

/// What was answered for a field.
enum Asked {
    Kept,
    Changed(Vec<Value>),
    Ended,
}

fn ask_field(field: &'static FieldSchema, current: &[Value]) -> Result<Asked, Failure> {
    note(&question(field));
    for value in current {
        note(&format!("  now: {}", printable(&values::words(value))));
    }
    let mut new = Vec::new();
    loop {
        let Some(answer) = prompt::line("  > ")? else { return Ok(Asked::Ended) };
        match answer.trim() {
            "" if new.is_empty() => return Ok(Asked::Kept),
            "." if new.is_empty() => return Ok(Asked::Ended),
            // As in mail programs of old: a full stop alone ends a text.
            "" | "." => return Ok(Asked::Changed(new)),
            "-" => return Ok(Asked::Changed(Vec::new())),
            text if !is_meant(field, text)? => note("  Once more:"),
            text => match values::read(field, &Json::String(text.to_owned())) {
                Ok(value) => new.push(value),
                Err(Failure::Told { message, .. }) => note(&format!("  {}. Once more:", printable(&message))),
                Err(other) => return Err(other),
            },
        }
        if !field.repeats && !new.is_empty() {
            return Ok(Asked::Changed(new));
        }
    }
}

/// What is asked, and how the answer is written.
fn question(field: &FieldSchema) -> String {
    if field.name == "text" && field.field_type == FieldType::Narrative {
        return "What do you want to write? (An empty line, or a full stop alone, ends it.)".to_owned();
    }
    let ends = if field.repeats { "; an empty line ends them" } else { "" };
    format!("{} ({}; {}{ends})", field.label, meaning(field), how(field))
}

/// The words that a field mostly has, as its documentation lists them.
fn known_words(field: &FieldSchema) -> Vec<&'static str> {
    match field.field_type {
        FieldType::Token => field.doc.split('`').skip(1).step_by(2).collect(),
        _ => Vec::new(),
    }
}

/// Whether an answer is a word that the field mostly has, or is meant all the same.
fn is_meant(field: &FieldSchema, answer: &str) -> Result<bool, Failure> {
    let known = known_words(field);
    if known.is_empty() || known.contains(&answer) {
        return Ok(true);
    }
    note(&format!("  The usual words are: {}.", known.join(", ")));
    prompt::agrees(&format!("  Keep \"{}\" all the same?", printable(&output::shortened(answer, 48))))
}

fn how(field: &FieldSchema) -> String {
    let several = if field.repeats { ", several on a line each" } else { "" };
    format!("{}{several}", values::explain(field.field_type))
}

/// What a field means, without the marks of the documentation.
fn meaning(field: &FieldSchema) -> String {
    field.doc.trim_end_matches('.').replace('`', "")
}

/// Lists the fields of a kind and how each is written.
pub(crate) fn explain(kind: Kind) -> String {
    let row =
        |field: &FieldSchema| vec![field.label.to_owned(), field.name.to_owned(), meaning(field), how(field)];
    let rows = kind.schema().iter().map(row);
    format!(
        "{}\n\n{}",
        kind.doc(),
        output::table(&["Field", "Name in JSON", "What it is", "How it is written"], rows.collect())
    )
}

/// The JSON object on standard input.
pub(crate) fn from_standard_input() -> Result<Map<String, Json>, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(INPUT_LIMIT + 1).read_to_string(&mut text);
    read.map_err(|_| Failure::refused("what is on standard input is not UTF-8 text"))?;
    if text.len() as u64 > INPUT_LIMIT {
        return Err(Failure::refused("what is on standard input is longer than 64 MiB"));
    }
    match serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text)) {
        Ok(Json::Object(object)) => Ok(object),
        _ => Err(Failure::refused(
            "a JSON object {\"field\": value} is expected on standard input; `personal add --fields KIND` lists \
             the fields",
        )),
    }
}
