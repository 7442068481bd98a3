//! Leaving: everything in readable form, for the owner.
//!
//! The line in the ledger is durable before anything is handed out. What is damaged keeps
//! nobody from the rest.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write;

use zeroize::Zeroizing;

use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::engine::actor::Actor;
use crate::engine::content::{damaged_attachment, stored_contents};
use crate::engine::core::StateReader;
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::engine::list::{Filter, Listed};
use crate::engine::readable::Readable;
use crate::error::{Error, ErrorKind};
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId};
use crate::interop::export::{Export, ExportForm, MOST_OF_CONTENT, Outgoing, Subject};
use crate::record::{Entry, Kind, Location};
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;

/// What an export in FHIR holds, and what it does not.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Exported {
    /// How many entries were written.
    pub entries: usize,
    /// How many of them have their original with them.
    pub originals: usize,
    /// How many contents of attachments were written, each once.
    pub attachments: usize,
    /// Entries with an attachment of more than 32 MiB, whose bytes are not in the file.
    pub without_attachment: Vec<EntryId>,
    /// Entries to which more than 48 MiB belong: their resource is in the file, and nothing
    /// that an import would need to make the same entry of it.
    pub too_large: Vec<EntryId>,
    /// Entries that are damaged, or of which an attachment is, and that are not in the file or
    /// not whole.
    pub damaged: Vec<EntryId>,
}

/// The counts, without ids.
impl std::fmt::Debug for Exported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut exported = f.debug_struct("Exported");
        exported.field("entries", &self.entries).field("originals", &self.originals);
        exported.field("attachments", &self.attachments).field("too_large", &self.too_large.len());
        exported.field("damaged", &self.damaged.len()).finish_non_exhaustive()
    }
}

pub(crate) fn export(session: &Session, actor: &Actor) -> Result<Readable, Error> {
    let committed = session.update(actor, |tx| {
        let (readable, compartments) = tx.reader().readable()?;
        for compartment in compartments {
            tx.log(compartment, Line::of(Action::Exported, actor));
        }
        tx.announce(Action::Exported);
        Ok(readable)
    })?;
    session.tell(ReadKind::Exported, Some(actor), ids(&committed.value));
    Ok(committed.value)
}

pub(crate) fn readable(session: &Session) -> Result<Readable, Error> {
    let in_part = RefCell::new(None);
    let read = session.read(|reader| {
        let (readable, _) = reader.readable()?;
        if readable.is_whole() {
            return Ok(readable);
        }
        in_part.replace(Some(readable));
        // It is no damage if a writer withdrew it: then the newer state is read.
        Err(Error::Damaged { what: "entry" })
    });
    let readable = match read {
        Err(error) if error.kind() == ErrorKind::Damaged => in_part.take().ok_or(error)?,
        read => read?,
    };
    session.tell(ReadKind::Opened, None, ids(&readable));
    Ok(readable)
}

fn ids(readable: &Readable) -> Vec<EntryId> {
    readable.entries.iter().map(|(id, _)| *id).collect()
}

pub(crate) fn export_fhir(
    session: &Session,
    actor: &Actor,
    filter: &Filter,
    form: ExportForm,
    out: &mut dyn Write,
) -> Result<Exported, Error> {
    session.update(actor, |tx| {
        let listed = tx.reader().chosen(filter)?;
        let compartments: BTreeSet<Compartment> = listed.iter().map(|entry| entry.compartment).collect();
        for compartment in compartments {
            tx.log(compartment, Line::of(Action::Exported, actor));
        }
        tx.announce(Action::Exported);
        Ok(())
    })?;
    write_fhir(session, Some(actor), filter, form, out)
}

/// Writes an export without a line in the ledger: a vault that cannot be written has none.
pub(crate) fn write_fhir(
    session: &Session,
    actor: Option<&Actor>,
    filter: &Filter,
    form: ExportForm,
    out: &mut dyn Write,
) -> Result<Exported, Error> {
    let _call = session.begin()?;
    let known = session.unlocked()?;
    let reader = known.reader();
    let time = jiff::Timestamp::from_millisecond(session.options.now());
    // A clock behind the end of the calendar says its last moment.
    let time = time.map(|time| time.to_string()).unwrap_or_else(|_| "9999-12-31T23:59:59Z".to_owned());
    let mut opened = Vec::new();
    let written = Writing { reader: &reader, form, exported: Exported::default(), opened: &mut opened }
        .write(filter, &time, out);
    session.tell(ReadKind::Exported, actor, opened);
    match written {
        // A writer may have withdrawn what was not found.
        Err(fault) if fault.kind() == ErrorKind::Damaged => {
            session.successor(&known, fault)?;
            Err(Error::Superseded)
        }
        Ok(exported) if !exported.damaged.is_empty() => {
            match session.successor(&known, damaged_attachment()) {
                Ok(_) => Err(Error::Superseded),
                Err(fault) if fault.kind() == ErrorKind::Damaged => Ok(exported),
                Err(fault) => Err(fault),
            }
        }
        written => written,
    }
}

impl StateReader<'_> {
    /// The entries that a filter chooses, patients first, then in the order of their ids.
    fn chosen(&self, filter: &Filter) -> Result<Vec<Listed>, Error> {
        let mut listed = Vec::new();
        for compartment in self.open_compartments().filter(|compartment| filter.includes(*compartment)) {
            self.list_in(compartment, filter, &mut listed)?;
        }
        listed.sort_by_key(|entry| (entry.card.kind != Kind::Patient, entry.id));
        Ok(listed)
    }

    /// The first patient of the vault, chosen or not.
    fn first_patient(&self) -> Result<Option<EntryId>, Error> {
        let patients = self.chosen(&Filter::all().kind(Kind::Patient))?;
        Ok(patients.first().map(|entry| entry.id))
    }
}

/// An export being written from one state.
struct Writing<'a> {
    reader: &'a StateReader<'a>,
    form: ExportForm,
    exported: Exported,
    opened: &'a mut Vec<EntryId>,
}

/// What is not damaged; `None` is.
fn whole<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
        result => result.map(Some),
    }
}

/// Most characters of a line of an entry in words: longer texts have places of their own.
const LINE: usize = 2000;

/// An entry as its owner reads it, a line each.
fn in_words(entry: &Entry) -> Vec<String> {
    let shown = entry.shown();
    let lines = shown.lines.iter().map(|line| format!("{}: {}", line.label, line.text));
    let all = [shown.heading.clone()].into_iter().chain(shown.warnings.iter().cloned()).chain(lines);
    all.map(|line| match line.char_indices().nth(LINE) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    })
    .collect()
}

fn to_destination<T>(result: std::io::Result<T>) -> Result<T, Error> {
    result.map_err(|source| Error::Destination { source })
}

impl Writing<'_> {
    fn write(mut self, filter: &Filter, time: &str, out: &mut dyn Write) -> Result<Exported, Error> {
        let mut subject = Subject::unknown();
        if let Some(id) = self.reader.first_patient()?
            && let Some((_, patient)) = whole(self.reader.entry(id))?
        {
            subject = Subject::of(id, &patient, self.form);
        }
        let mut export = to_destination(Export::begin(out, self.form, time, subject))?;
        for listed in self.reader.chosen(filter)? {
            let Some(((compartment, _), entry)) = whole(self.reader.entry(listed.id))? else {
                self.exported.damaged.push(listed.id);
                continue;
            };
            self.opened.push(listed.id);
            self.entry(&mut export, listed.id, compartment, &entry)?;
        }
        to_destination(export.finish())?;
        Ok(self.exported)
    }

    fn entry(
        &mut self,
        export: &mut Export<&mut dyn Write>,
        id: EntryId,
        compartment: Compartment,
        entry: &Entry,
    ) -> Result<(), Error> {
        let contents = self.contents(export, id, compartment, entry)?;
        let words = || in_words(entry);
        let outgoing = Outgoing { id, compartment, entry, words: &words, contents };
        if !to_destination(export.entry(&outgoing))? {
            self.exported.too_large.push(id);
        }
        self.exported.entries += 1;
        self.exported.originals += usize::from(entry.source.is_some());
        Ok(())
    }

    /// Writes the stored contents of an entry.
    fn contents(
        &mut self,
        export: &mut Export<&mut dyn Write>,
        id: EntryId,
        compartment: Compartment,
        entry: &Entry,
    ) -> Result<Vec<(ContentDigest, Digest)>, Error> {
        let mut written = Vec::new();
        for digest in stored_contents(entry).collect::<BTreeSet<_>>() {
            if let Some(known) = export.written(&digest) {
                written.push((digest, known));
                continue;
            }
            let Some(bytes) = whole(self.content(compartment, &digest))? else {
                self.exported.damaged.push(id);
                continue;
            };
            let Some(bytes) = bytes else {
                self.exported.without_attachment.push(id);
                continue;
            };
            let is_it = |location: &Option<Location>| *location == Some(Location::Stored(digest));
            let sort = entry.lent_attachments().find(|attachment| is_it(&attachment.location));
            let content_type = sort.and_then(|attachment| attachment.content_type.as_ref());
            written.push((digest, to_destination(export.content(&digest, content_type, &bytes))?));
            self.exported.attachments += 1;
        }
        Ok(written)
    }

    /// The bytes of a stored content, `None` where there are too many of them for the file.
    fn content(
        &self,
        compartment: Compartment,
        digest: &ContentDigest,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let (_, head) = self.reader.content(compartment, digest)?.ok_or_else(damaged_attachment)?;
        if head.size > MOST_OF_CONTENT {
            return Ok(None);
        }
        let content = ContentId::from_bytes(head.content);
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(head.size).unwrap_or_default()));
        for index in 0..head.slices {
            let slice = self.reader.slice(compartment, content, index)?.ok_or_else(damaged_attachment)?;
            bytes.extend_from_slice(&slice);
        }
        if ContentDigest::of(&bytes) == *digest { Ok(Some(bytes)) } else { Err(damaged_attachment()) }
    }
}
