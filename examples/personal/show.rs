//! `show`: one entry, its history, or its original bytes.

use std::io::IsTerminal as _;

use serde_json::{Map, Value as Json, json};
use subrosa::record::{Location, Origin, Source, SourceFormat};
use subrosa::vault::{Listed, Revision};
use subrosa::{Entry, EntryId, Record, Vault};

use crate::access;
use crate::arguments::{Common, Show};
use crate::entries;
use crate::failure::Failure;
use crate::output::{self, moment, moment_for_programs, printable};
use crate::target::{self, Wanted, hinted};
use crate::values;

pub(crate) fn run(common: &Common, command: &Show) -> Result<(), Failure> {
    let (path, id) = target::vault_and(common, &command.names, Wanted::entry("show ID"))?;
    let vault = access::to_read(common, &path)?;
    let id = access::entry_id(&vault, target::text(&id)?)?;
    let entry = match command.revision {
        Some(revision) => vault.entry_revision(id, revision)?,
        None => vault.entry(id)?,
    };
    if command.raw {
        let source = entry.source.ok_or_else(|| {
            Failure::refused("this entry was not imported, so it has no original; leave --raw out")
        })?;
        return original(&source.bytes);
    }
    let listed = access::listed(&vault, id)?;
    let revision = command.revision.unwrap_or(listed.revision);
    if common.json {
        return output::json(&for_programs(&vault, &listed, &entry, revision, command.history)?);
    }
    let mut text = told(&vault, &listed, &entry, revision)?;
    if command.history {
        text.push_str(&history(&vault, id)?);
    }
    output::say(text.trim_end())
}

/// The original, byte for byte; on a terminal with what it would obey escaped, as JSON may
/// have it.
fn original(bytes: &[u8]) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return output::bytes(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Failure::refused("the original is no text: write it to a file, as in `personal show ID --raw > FILE`")
    })?;
    output::say_json(text.replace("\r\n", "\n").replace('\t', "    ").trim_end())
}

/// The entry as a preview and an excerpt say it, and below that what only the vault knows.
fn told(vault: &Vault, listed: &Listed, entry: &Entry, revision: u64) -> Result<String, Failure> {
    let mut lines = vec![output::entry(&entry.shown()), String::new()];
    let mut line = |label: &str, text: &str| lines.push(output::labelled(label, text));
    if !entry.not_understood.is_empty() {
        line("Not understood", "read the original (--raw) before you rely on this");
    }
    marks(entry).iter().for_each(|mark| line("Mark", mark));
    let (others, more) = entries::Doubles::of(vault)?.of_entry(listed.id);
    for other in others {
        let title = entries::title(vault, &access::listed(vault, other)?)?;
        line("Perhaps the same as", &printable(&format!("{} {title}", access::short_id(other))));
    }
    if more > 0 {
        line("Perhaps the same as", &format!("{more} more"));
    }
    for file in &entry.attachments() {
        line("File", &values::attachment_words(file));
    }
    if let Some(source) = &entry.source {
        let bytes = output::counted(source.bytes.len() as u64, "byte", "bytes");
        line("Original", &format!("{}{bytes}, as they came (--raw prints them)", format_of(source)));
    }
    line("Version", &format!("{revision} of {}", listed.revision));
    line("Id", &listed.id.to_string());
    lines.extend(how_to_extract(listed, entry));
    Ok(lines.join("\n"))
}

/// How the files of an entry are taken out.
fn how_to_extract(listed: &Listed, entry: &Entry) -> Option<String> {
    let is_outside = |place: &Option<Location>| matches!(place, Some(Location::External(_)) | None);
    let files = entry.attachments();
    let first = files.iter().position(|file| !is_outside(&file.location))?;
    let number = if files.len() > 1 { format!(" --number {}", first + 1) } else { String::new() };
    let id = access::short_id(listed.id);
    Some(hinted(&format!(
        "\n`personal extract {id} FILE{number}` writes the file to a new one on this disk."
    )))
}

/// What the original is written in.
fn format_of(source: &Source) -> String {
    match source.format {
        SourceFormat::FhirJson(version) => format!("FHIR {version}, "),
        SourceFormat::FhirXml(version) => format!("FHIR {version} as XML, "),
        SourceFormat::CdaXml => "C-CDA, ".to_owned(),
        _ => String::new(),
    }
}

fn marks(entry: &Entry) -> Vec<String> {
    let marks = &entry.marks;
    let mut lines = Vec::new();
    lines.extend(marks.retracted.then(|| "retracted: no longer listed or released".to_owned()));
    lines.extend(marks.same_person.then(|| "you confirmed that this is the same person".to_owned()));
    lines.extend(marks.expires.as_ref().map(|date| format!("to be expunged at {}", date.in_words())));
    lines.extend(marks.legal_holds.iter().map(|hold| format!("legal hold: {}", hold.reason.as_str())));
    lines.extend(marks.disputes.iter().map(|id| format!("disputed by {}", access::short_id(*id))));
    lines
}

fn history(vault: &Vault, id: EntryId) -> Result<String, Failure> {
    let mut text = "\nHistory, oldest first\n".to_owned();
    for revision in vault.history(id)? {
        let entry = vault.entry_revision(id, revision.revision)?;
        let act = act(&revision);
        let who = act.as_ref().map_or("what was done is no longer known".to_owned(), |act| act.words());
        text.push_str(&format!(
            "\nVersion {}, {}: {}\n",
            revision.revision,
            moment(revision.time),
            printable(&who)
        ));
        text.push_str(&format!("{}\n", output::entry(&entry.shown())));
    }
    Ok(text)
}

/// What made a revision.
struct Act<'a> {
    action: &'static str,
    actor: &'a str,
    reason: Option<&'a str>,
}

impl Act<'_> {
    fn words(&self) -> String {
        let reason = self.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} by {}{reason}", self.action, self.actor)
    }
}

fn act(revision: &Revision) -> Option<Act<'_>> {
    let actor = revision.actor.as_deref().unwrap_or("somebody");
    Some(Act { action: revision.action?.name(), actor, reason: revision.reason.as_deref() })
}

fn for_programs(
    vault: &Vault,
    listed: &Listed,
    entry: &Entry,
    revision: u64,
    with_history: bool,
) -> Result<Json, Failure> {
    let mut shown = entries::for_programs(vault, listed, &entries::Doubles::of(vault)?)?;
    let Some(object) = shown.as_object_mut() else { return Ok(shown) };
    object.insert("display".to_owned(), json!(entry.display()));
    object.insert("revision".to_owned(), json!(revision));
    object.insert("revisions".to_owned(), json!(listed.revision));
    object.extend(content(entry));
    object.insert("original_bytes".to_owned(), json!(entry.source.as_ref().map(|source| source.bytes.len())));
    if with_history {
        let revisions = vault.history(listed.id)?;
        let history: Result<Vec<Json>, Failure> =
            revisions.iter().map(|revision| revision_for_programs(vault, listed.id, revision)).collect();
        object.insert("history".to_owned(), Json::Array(history?));
    }
    Ok(shown)
}

fn revision_for_programs(vault: &Vault, id: EntryId, revision: &Revision) -> Result<Json, Failure> {
    let entry = vault.entry_revision(id, revision.revision)?;
    let act = act(revision);
    Ok(json!({
        "revision": revision.revision,
        "time": moment_for_programs(revision.time),
        "action": act.as_ref().map(|act| act.action),
        "actor": act.as_ref().map(|act| act.actor),
        "reason": act.as_ref().and_then(|act| act.reason),
        "fields": fields_for_programs(&entry.record),
    }))
}

/// What an entry says and where it came from, as members of an object.
pub(crate) fn content(entry: &Entry) -> Map<String, Json> {
    let provenance = &entry.provenance;
    let text = |token: &Option<subrosa::Token>| token.as_ref().map(|token| token.as_str().to_owned());
    let origin = match provenance.origin {
        Origin::EnteredByOwner => "owner",
        Origin::EnteredByProvider => "provider",
        Origin::ImportedAndChanged => "imported-and-changed",
        _ => "imported",
    };
    let mut members = Map::new();
    members.insert("fields".to_owned(), fields_for_programs(&entry.record));
    members.insert(
        "provenance".to_owned(),
        json!({
            "origin": origin,
            "provider": provenance.provider.as_ref().map(values::write_party),
            "document": text(&provenance.document),
            "identity": text(&provenance.identity),
            "recorded": provenance.recorded.as_ref().map(|date| date.as_str()),
            "labels": provenance.labels.iter().map(values::write_coding).collect::<Vec<_>>(),
        }),
    );
    let not_understood: Vec<&str> = entry.not_understood.iter().map(|path| path.as_str()).collect();
    members.insert("not_understood".to_owned(), json!(not_understood));
    members.insert("marks".to_owned(), json!(marks(entry)));
    members
}

/// The fields of a record as JSON, lists where a field may repeat.
pub(crate) fn fields_for_programs(record: &Record) -> Json {
    let mut object = Map::new();
    for field in record.fields() {
        let repeats = record.kind().field(field.name).is_some_and(|schema| schema.repeats);
        let value = values::write(&field.value);
        match object.get_mut(field.name) {
            Some(Json::Array(items)) => items.push(value),
            _ if repeats => {
                object.insert(field.name.to_owned(), json!([value]));
            }
            _ => {
                object.insert(field.name.to_owned(), value);
            }
        }
    }
    Json::Object(object)
}
