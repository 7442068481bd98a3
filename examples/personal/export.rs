//! `export`: everything in readable form, for the owner who leaves.
//!
//! The file is a FHIR Bundle of the originals, byte for byte, so that any program
//! that reads FHIR takes it; the member `subrosa` holds what FHIR does not. Stored
//! attachments are files in a folder beside it. An original that is no JSON object would
//! be read as something else there: it stands in base64 with its entry. What is damaged is
//! named, and all else is written: who leaves needs the rest most then. With a format it is
//! FHIR R4 alone, which an import reads back.

mod fhir;
mod originals;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use subrosa::record::{Location, SourceFile};
use subrosa::vault::Readable;
use subrosa::{Actor, Entry, EntryId, Error, ErrorKind, Vault};

use crate::access;
use crate::arguments::{Common, Export};
use crate::extract;
use crate::failure::{Exit, Failure};
use crate::ledger;
use crate::output::{self, NewFile, count, moment_for_programs, note};
use crate::prompt;
use crate::show;
use crate::target::{self, Wanted};

/// Most damaged entries that are named for people.
const ENTRIES_NAMED: usize = 20;
const WARNING: &str = "The file will hold everything in this vault, readable by whoever gets it: no password \
                       protects it.";

pub(crate) fn run(common: &Common, command: &Export) -> Result<(), Failure> {
    let (path, name) =
        target::vault_and(common, &command.names, Wanted::new("Where should the file go?", "export FILE"))?;
    // Of a vault that cannot be written, what can be read goes out all the same.
    let (vault, unnoted) = match access::is_read_only(&path) {
        true => (access::to_read(common, &path)?, Some("The vault cannot be written here")),
        false => match access::to_write(common, &path) {
            Err(failure) if failure.is_damage() => {
                (access::to_read(common, &path)?, Some("The vault is damaged"))
            }
            vault => (vault?, None),
        },
    };
    if let Some(format) = command.format {
        return fhir::run(common, command, (vault, unnoted), &name, format);
    }
    note(WARNING);
    prompt::confirm(common.yes, "Write it?")?;
    let file = NewFile::create(&name)?;
    let (readable, unnoted) = match unnoted {
        Some(why) => (vault.readable()?, Some(why)),
        None => match vault.export(&Actor::owner()) {
            // Where the line of the export is to go, something is damaged.
            Err(error) if error.kind() == ErrorKind::Damaged => {
                (vault.readable()?, Some("The vault is damaged"))
            }
            readable => (readable?, None),
        },
    };
    let is_read_only = unnoted.is_some();
    let damaged = Damaged::of(&readable);
    let mut entries = readable.entries;
    entries.sort_by_key(|(id, _)| *id);
    let written = write_all(file, &name, &vault, &entries, damaged);
    let (attachments, damaged) = written.map_err(|failure| match is_read_only {
        true => failure,
        false => failure.followed_by(
            "; no file was kept, but the ledger notes the export already: export again to another place, which it \
             notes too",
        ),
    })?;
    if !is_read_only {
        access::close(vault);
    }
    let originals = entries.iter().filter(|(_, entry)| entry.source.is_some()).count();
    if common.json {
        return output::json(&json!({
            "entries": entries.len(), "originals": originals, "attachments": attachments,
            "in_ledger": !is_read_only, "damaged": damaged.for_programs(),
        }))
        .and(damaged.told(false));
    }
    let beside = match attachments {
        0 => String::new(),
        some => format!(
            " {} beside it, in a folder of its name.",
            count(some, "attachment is", "attachments are")
        ),
    };
    let ledger = match unnoted {
        Some(why) => format!("{why}, so its ledger does not note the export."),
        None => "The ledger notes the export.".to_owned(),
    };
    output::say(&format!(
        "Exported {}, {originals} of them with their original.{beside} The file is not encrypted: keep it safe, and delete \
         it when it is no longer needed. {ledger}",
        count(entries.len(), "entry", "entries")
    ))?;
    damaged.told(true)
}

/// What is damaged and so is not in an export.
#[derive(Default)]
struct Damaged {
    entries: Vec<EntryId>,
    lost_rows: u64,
    compartments: Vec<&'static str>,
    attachments: BTreeSet<String>,
    earlier: usize,
    ledger: bool,
}

impl Damaged {
    fn of(readable: &Readable) -> Self {
        Self {
            entries: readable.damaged.clone(),
            lost_rows: readable.lost_rows,
            compartments: readable.lost_compartments.iter().map(|place| place.name()).collect(),
            ..Self::default()
        }
    }

    fn is_empty(&self) -> bool {
        let entries = self.entries.len() + self.compartments.len() + self.earlier + self.attachments.len();
        entries == 0 && self.lost_rows == 0 && !self.ledger
    }

    fn for_programs(&self) -> Json {
        json!({
            "entries": self.entries.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "rows_of_the_catalogue": self.lost_rows,
            "compartments": self.compartments,
            "attachments": self.attachments,
            "earlier_versions": self.earlier,
            "ledger": self.ledger,
        })
    }

    /// How many entries, and the first of them by their ids.
    fn entries_told(&self) -> Option<String> {
        let ids: Vec<String> =
            self.entries.iter().take(ENTRIES_NAMED).map(|id| access::short_id(*id)).collect();
        let more = self.entries.len() - ids.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let entries = count(self.entries.len(), "entry", "entries");
        (!ids.is_empty()).then(|| format!("{entries} ({}{more})", ids.join(", ")))
    }

    /// Ends with what is damaged, if anything is.
    fn told(&self, in_words: bool) -> Result<(), Failure> {
        if self.is_empty() {
            return Ok(());
        }
        let (attachments, earlier) = (self.attachments.len(), self.earlier);
        let rows = output::counted(self.lost_rows, "row", "rows");
        let parts = [
            self.entries_told(),
            (!self.compartments.is_empty()).then(|| format!("all of {}", self.compartments.join(", "))),
            (self.lost_rows > 0).then(|| format!("what {rows} of the catalogue named, which may be entries")),
            (attachments > 0).then(|| count(attachments, "attachment", "attachments")),
            (earlier > 0).then(|| count(earlier, "earlier version", "earlier versions")),
            self.ledger.then(|| "the ledger".to_owned()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if in_words {
            note(&target::hinted(&format!(
                "personal: NOT in the export, because it is damaged: {}. All else is in it. `personal check --explain` \
                 says more.",
                parts.join(", ")
            )));
        }
        Err(Failure::Reported(Exit::Damaged))
    }
}

/// What is not damaged; `None` is.
fn whole<T>(result: Result<T, Error>) -> Result<Option<T>, Failure> {
    match result {
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
        result => Ok(Some(result?)),
    }
}

/// Writes the file and the attachments; how many of these there are, and what is damaged.
fn write_all(
    mut file: NewFile<'_>,
    name: &Path,
    vault: &Vault,
    entries: &[(EntryId, Entry)],
    mut damaged: Damaged,
) -> Result<(usize, Damaged), Failure> {
    let attachments = write_attachments(name, vault, entries, &mut damaged)?;
    write(&mut file, vault, entries, &attachments.files, &mut damaged)?;
    file.finish()?;
    Ok((attachments.keep(), damaged))
}

/// Writes stored attachments, earlier versions' included, as files beside the
/// export, named by their BLAKE3 as its entries name them.
fn write_attachments(
    name: &Path,
    vault: &Vault,
    entries: &[(EntryId, Entry)],
    damaged: &mut Damaged,
) -> Result<NewFolder, Failure> {
    let mut folder = name.as_os_str().to_owned();
    folder.push(".attachments");
    let mut folder = NewFolder { path: folder.into(), created: false, files: Vec::new() };
    let mut written = BTreeSet::new();
    for (id, _) in entries {
        for revision in whole(vault.history(*id))?.unwrap_or_default() {
            let Some(entry) = whole(vault.entry_revision(*id, revision.revision))? else { continue };
            for (number, attachment) in entry.attachments().iter().enumerate() {
                let Some(Location::Stored(digest)) = attachment.location else { continue };
                if !written.insert(digest) {
                    continue;
                }
                folder.create()?;
                let name = digest.to_string();
                let reader = whole(vault.attachment_revision(*id, revision.revision, number))?;
                let Some(mut reader) = reader else {
                    damaged.attachments.insert(name);
                    continue;
                };
                match extract::write_file(&folder.path.join(&name), &mut reader) {
                    Ok(sha256) => folder.files.push(File { name, sha256, bytes: reader.size() }),
                    Err(Failure::Told { exit: Exit::Damaged, .. }) => {
                        damaged.attachments.insert(name);
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
    }
    Ok(folder)
}

/// A folder that was not there before, which only its owner may enter; like a
/// half-written file it goes, with what was written to it, unless it is kept.
struct NewFolder {
    path: PathBuf,
    created: bool,
    files: Vec<File>,
}

/// A file beside the export.
struct File {
    /// Its BLAKE3, in hexadecimal.
    name: String,
    /// Its SHA-256, by which other programs can check it.
    sha256: String,
    bytes: u64,
}

impl File {
    fn for_programs(&self) -> Json {
        json!({ "blake3": self.name, "sha256": self.sha256, "bytes": self.bytes })
    }
}

impl NewFolder {
    fn create(&mut self) -> Result<(), Failure> {
        if self.created {
            return Ok(());
        }
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path).map_err(|error| Failure::file("the folder for attachments", &error))?;
        self.created = true;
        Ok(())
    }

    /// Keeps it; how many files are in it.
    fn keep(mut self) -> usize {
        self.created = false;
        self.files.len()
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if self.created {
            // What cannot be removed stays, 0600 in a folder of 0700.
            self.files.iter().for_each(|file| drop(std::fs::remove_file(self.path.join(&file.name))));
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

fn write(
    file: &mut NewFile<'_>,
    vault: &Vault,
    entries: &[(EntryId, Entry)],
    files: &[File],
    damaged: &mut Damaged,
) -> Result<(), Failure> {
    file.write(b"{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[")?;
    let originals = entries
        .iter()
        .filter_map(|(_, entry)| Some((entry, originals::as_resource(&entry.source.as_ref()?.bytes)?)));
    let mut is_first = true;
    for (entry, resource) in originals {
        let url = full_url(entry);
        let files = entry.source.iter().flat_map(|source| &source.files);
        let files = files
            .filter_map(|file| Some((file_url(url.as_deref(), file), originals::as_resource(&file.bytes)?)));
        let files: Vec<_> = files.collect();
        for (url, bytes) in [(url, resource)].into_iter().chain(files) {
            file.write(if std::mem::take(&mut is_first) { b"\n{" } else { b",\n{" })?;
            if let Some(url) = url {
                file.write(format!("\"fullUrl\":{},", json!(url)).as_bytes())?;
            }
            file.write(b"\"resource\":")?;
            file.write(bytes)?;
            file.write(b"}")?;
        }
    }
    file.write(b"\n],\"subrosa\":{\"entries\":[")?;
    for (position, (id, entry)) in entries.iter().enumerate() {
        let between = if position == 0 { "\n" } else { ",\n" };
        file.write(format!("{between}{}", for_programs(vault, *id, entry, damaged)?).as_bytes())?;
    }
    let lines = whole(vault.ledger())?;
    damaged.ledger = lines.is_none();
    let lines: Json = lines.unwrap_or_default().iter().map(ledger::for_programs).collect();
    let files: Json = files.iter().map(File::for_programs).collect();
    let time = moment_for_programs(std::time::SystemTime::now());
    let end = format!(
        "\n],\"ledger\":{lines},\"attachments\":{files},\"vault\":{},\"exported\":\"{time}\"}}}}\n",
        json!(vault.id().to_string())
    );
    file.write(end.as_bytes())
}

/// The address by which other resources refer to this one: its own where it has no
/// id; where the id is a UUID, the one that bundles make of it.
fn full_url(entry: &Entry) -> Option<String> {
    if let Some(address) = &entry.provenance.address {
        return Some(address.as_str().to_owned());
    }
    let identity = entry.provenance.identity.as_ref()?.as_str();
    if identity.starts_with("urn:") || identity.contains("://") {
        return Some(identity.to_owned());
    }
    let (_, id) = identity.split_once('/')?;
    is_uuid(id).then(|| format!("urn:uuid:{id}"))
}

/// The address of a file in a resource of its own, by which the entry refers to it: below that
/// of the entry's server, where it says none itself.
fn file_url(entry: Option<&str>, file: &SourceFile) -> Option<String> {
    let address = file.address.as_str();
    if address.contains(':') {
        return Some(address.to_owned());
    }
    let mut slashes = entry?.rmatch_indices('/').map(|(at, _)| at);
    let base = entry?.get(..=slashes.nth(1)?)?;
    base.contains("://").then(|| format!("{base}{address}"))
}

/// Whether a text has the form of a UUID (RFC 9562 section 4).
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An entry as the vault reads it, with its earlier versions.
fn for_programs(vault: &Vault, id: EntryId, entry: &Entry, damaged: &mut Damaged) -> Result<Json, Failure> {
    let mut object = show::content(entry);
    object.insert("id".to_owned(), json!(id.to_string()));
    object.insert("kind".to_owned(), json!(entry.kind().name()));
    object.insert("retracted".to_owned(), json!(entry.marks.retracted));
    object.insert("has_original".to_owned(), json!(entry.source.is_some()));
    object.extend(entry.source.as_ref().map(originals::beside_bundle).unwrap_or_default());
    let history = whole(vault.history(id))?;
    damaged.earlier += usize::from(history.is_none());
    let history = history.unwrap_or_default();
    let mut earlier = Vec::new();
    for revision in history.iter().take(history.len().saturating_sub(1)) {
        let time = moment_for_programs(revision.time);
        let Some(old) = whole(vault.entry_revision(id, revision.revision))? else {
            damaged.earlier += 1;
            earlier.push(json!({ "revision": revision.revision, "time": time, "damaged": true }));
            continue;
        };
        let original = old.source.as_ref().filter(|source| entry.source.as_ref() != Some(*source));
        let mut version = json!({
            "revision": revision.revision,
            "time": time,
            "fields": show::fields_for_programs(&old.record),
            "original": Json::Null,
        });
        if let (Some(source), Some(version)) = (original, version.as_object_mut()) {
            version.extend(originals::earlier(source));
        }
        earlier.push(version);
    }
    object.insert("earlier".to_owned(), Json::Array(earlier));
    Ok(Json::Object(object))
}
