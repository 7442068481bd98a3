//! `attach`: a file of any size into the vault; an interrupted one goes on
//! where it stopped.

use std::fs::{File, Metadata};
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use subrosa::record::{Attachment, AttachmentRecord, FieldSchema, FieldType, Narrative};
use subrosa::vault::{NewAttachment, Upload};
use subrosa::{Actor, Entry, EntryId, Provenance, Record, Token, Vault};

use crate::access;
use crate::arguments::{self, Common};
use crate::failure::Failure;
use crate::list;
use crate::output::{self, counted, moment, note, printable};
use crate::prompt;
use crate::target::{self, Wanted};
use crate::values;
use crate::words;

pub(crate) fn run(common: &Common, command: &arguments::Attach) -> Result<(), Failure> {
    let (path, name) = target::vault_and(
        common,
        &command.names,
        Wanted { question: "Which file?", command: "attach FILE" },
    )?;
    let mut source = Steady::open(&name)?;
    let title = match prompt::value(command.title.as_deref(), "What to call it")? {
        Some(title) => Some(title),
        None => name.file_name().and_then(|name| name.to_str()).map(str::to_owned),
    };
    let title = title.as_deref().map(Token::new).transpose();
    let title = title.map_err(|error| Failure::refused(format!("the title: {error}")))?;
    let mut attachment = Attachment::default();
    attachment.content_type = values::content_type(&name).and_then(|name| Token::new(name).ok());
    attachment.title.clone_from(&title);
    let vault = access::to_write(common, &path)?;
    let unfinished = unfinished(&vault, &attachment)?;
    let mut new = NewAttachment::new(attachment);
    if let Some(size) = source.size() {
        new = new.expecting_size(size);
    }
    if let Some(kind) = prompt::value(command.kind.as_deref(), "What kind of entry")? {
        new = new.with_entry(Entry::new(Record::empty(list::kind(&kind)?), Provenance::default()));
    }
    if let Some(id) = &command.to {
        new = beside_or_in(&vault, access::entry_id(&vault, id)?, new, title.as_ref())?;
    }
    let bar = bar("Encrypting", source.size());
    let owner = Actor::owner();
    let goes_on = goes_on(common, command, unfinished.as_ref())?;
    let result = match unfinished {
        Some(upload) if goes_on => {
            vault.resume_upload_with(&owner, upload.id, &new, &mut source, |read| bar.set_position(read))
        }
        other => {
            if let Some(upload) = other {
                vault.discard_upload(&owner, upload.id)?;
            }
            vault.attach_with(&owner, &new, &mut source, |read| bar.set_position(read))
        }
    };
    bar.finish_and_clear();
    if result.is_err() && !vault.uploads()?.is_empty() {
        note("What was stored so far is kept: the same command goes on where it stopped.");
    }
    let id = result?.value;
    access::close(vault);
    if common.json {
        return output::json(&json!({ "id": id.to_string(), "bytes": source.read }));
    }
    output::say(&format!(
        "Attached {} as {}. The file itself is still readable on this disk.",
        counted(source.read, "byte", "bytes"),
        access::short_id(id)
    ))
}

/// The attachment as part of an entry; where its kind holds none, as an entry of its own
/// in the same compartment that says to which it belongs.
fn beside_or_in(
    vault: &Vault,
    id: EntryId,
    new: NewAttachment,
    title: Option<&Token>,
) -> Result<NewAttachment, Failure> {
    let entry = vault.entry(id)?;
    let holds = |field: &FieldSchema| field.field_type == FieldType::Attachment && field.repeats;
    if entry.kind().schema().iter().any(holds) {
        return Ok(new.to_entry(id, "a file was attached"));
    }
    let what = entry.display().unwrap_or_else(|| "(no title)".to_owned());
    let belongs = format!("Belongs to the {} {what} ({})", words::kind(entry.kind()), access::short_id(id));
    let mut record = AttachmentRecord::default();
    record.title = title.cloned();
    record.notes = Narrative::new(belongs).into_iter().collect();
    note(&format!(
        "An entry of the kind {} holds no files: the file becomes an entry of its own that names it.",
        words::kind(entry.kind())
    ));
    let place = access::listed(vault, id)?.compartment;
    Ok(new.with_entry(Entry::new(record, Provenance::default())).in_compartment(place))
}

/// An interrupted attachment of the same title.
fn unfinished(vault: &Vault, attachment: &Attachment) -> Result<Option<Upload>, Failure> {
    let title = attachment.title.as_ref().map(Token::as_str);
    Ok(vault.uploads()?.into_iter().find(|upload| upload.title.as_deref() == title))
}

/// Whether to go on with what was interrupted.
fn goes_on(common: &Common, command: &arguments::Attach, upload: Option<&Upload>) -> Result<bool, Failure> {
    let Some(upload) = upload.filter(|_| !command.restart) else { return Ok(false) };
    let question = format!(
        "Attaching \"{}\" was interrupted on {} after {} MiB. Go on with it? (No begins anew)",
        printable(upload.title.as_deref().unwrap_or_default()),
        moment(upload.started),
        upload.bytes >> 20
    );
    // Nobody to ask: what is stored is compared, so that going on is safe.
    Ok(common.yes || !prompt::is_interactive() || prompt::agrees(&question)?)
}

/// A bar over bytes, where somebody can see it.
pub(crate) fn bar(verb: &str, bytes: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = bytes.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = format!("{verb} {{wide_bar}} {{bytes}} of {{total_bytes}}");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// A file that must not change while it is read.
struct Steady {
    file: File,
    before: Metadata,
    read: u64,
}

impl Steady {
    fn open(path: &Path) -> Result<Self, Failure> {
        let open = || {
            let file = File::open(path)?;
            let before = file.metadata()?;
            if before.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok((file, before)) }
        };
        let (file, before) = open().map_err(|error| Failure::reading(path, &error))?;
        Ok(Self { file, before, read: 0 })
    }

    /// How long it is, if that can be known.
    fn size(&self) -> Option<u64> {
        self.before.is_file().then_some(self.before.len())
    }
}

impl Read for Steady {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        if count == 0 && self.before.is_file() {
            let now = self.file.metadata()?;
            if now.len() != self.before.len() || now.modified().ok() != self.before.modified().ok() {
                return Err(io::Error::other("the file was changed while it was read"));
            }
        }
        Ok(count)
    }
}
