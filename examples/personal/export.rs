//! `export`: everything in readable form, for the owner who leaves.
//!
//! The file is a FHIR Bundle of the originals, byte for byte, so that any program
//! that reads FHIR takes it; the member `subrosa` holds what FHIR does not. Stored
//! attachments are files in a folder beside it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use subrosa::record::Location;
use subrosa::{Actor, Entry, EntryId, Vault};

use crate::access;
use crate::arguments::{Common, Export};
use crate::extract;
use crate::failure::Failure;
use crate::ledger;
use crate::output::{self, NewFile, count, moment_for_programs, note};
use crate::prompt;
use crate::show;
use crate::target;

const WARNING: &str = "The file will hold everything in this vault, readable by whoever gets it: no password \
                       protects it.";

pub(crate) fn run(common: &Common, command: &Export) -> Result<(), Failure> {
    let (path, name) = target::vault_and_one(common, &command.names)?;
    let is_read_only = access::is_read_only(&path);
    let vault = match is_read_only {
        true => access::to_read(common, &path)?,
        false => access::to_write(common, &path)?,
    };
    note(WARNING);
    prompt::confirm(common.yes, "Write it?")?;
    let mut file = NewFile::create(&name)?;
    let entries = match is_read_only {
        true => unrecorded(&vault)?,
        false => vault.export(&Actor::owner())?,
    };
    let attachments = write_attachments(&name, &vault, &entries)?;
    write(&mut file, &vault, &entries, &attachments.files)?;
    file.finish()?;
    let attachments = attachments.keep();
    if !is_read_only {
        access::close(vault);
    }
    let originals = entries.iter().filter(|(_, entry)| entry.source.is_some()).count();
    if common.json {
        return output::json(&json!({
            "entries": entries.len(), "originals": originals, "attachments": attachments,
            "in_ledger": !is_read_only,
        }));
    }
    let beside = match attachments {
        0 => String::new(),
        some => format!(
            " {} beside it, in a folder of its name.",
            count(some, "attachment is", "attachments are")
        ),
    };
    let ledger = match is_read_only {
        true => "The vault cannot be written here, so its ledger does not note the export.",
        false => "The ledger notes the export.",
    };
    output::say(&format!(
        "Exported {}, {originals} of them with their original.{beside} The file is not encrypted: keep it safe, and delete \
         it when it is no longer needed. {ledger}",
        count(entries.len(), "entry", "entries")
    ))
}

/// Every entry of a vault that cannot be written: the owner's own copy, which needs no line in
/// the ledger to be the owner's.
fn unrecorded(vault: &Vault) -> Result<Vec<(EntryId, Entry)>, Failure> {
    let mut entries = Vec::new();
    vault.for_each_entry(|id, entry| {
        entries.push((id, entry));
        Ok(())
    })?;
    entries.sort_by_key(|(id, _)| *id);
    Ok(entries)
}

/// Writes stored attachments, earlier versions' included, as files beside the
/// export, named by their BLAKE3 as its entries name them.
fn write_attachments(name: &Path, vault: &Vault, entries: &[(EntryId, Entry)]) -> Result<NewFolder, Failure> {
    let mut folder = name.as_os_str().to_owned();
    folder.push(".attachments");
    let mut folder = NewFolder { path: folder.into(), created: false, files: Vec::new() };
    let mut written = BTreeSet::new();
    for (id, _) in entries {
        for revision in vault.history(*id)? {
            let entry = vault.entry_revision(*id, revision.revision)?;
            for (number, attachment) in entry.attachments().iter().enumerate() {
                let Some(Location::Stored(digest)) = attachment.location else { continue };
                if !written.insert(digest) {
                    continue;
                }
                folder.create()?;
                let mut reader = vault.attachment_revision(*id, revision.revision, number)?;
                let name = digest.to_string();
                let sha256 = extract::write_file(&folder.path.join(&name), &mut reader)?;
                folder.files.push(File { name, sha256, bytes: reader.size() });
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
) -> Result<(), Failure> {
    file.write(b"{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[")?;
    let originals = entries.iter().filter_map(|(_, entry)| Some((entry, entry.source.as_ref()?)));
    for (position, (entry, source)) in originals.enumerate() {
        file.write(if position == 0 { b"\n{" } else { b",\n{" })?;
        if let Some(url) = full_url(entry) {
            file.write(format!("\"fullUrl\":{},", json!(url)).as_bytes())?;
        }
        file.write(b"\"resource\":")?;
        file.write(&source.bytes)?;
        file.write(b"}")?;
    }
    file.write(b"\n],\"subrosa\":{\"entries\":[")?;
    for (position, (id, entry)) in entries.iter().enumerate() {
        let between = if position == 0 { "\n" } else { ",\n" };
        file.write(format!("{between}{}", for_programs(vault, *id, entry)?).as_bytes())?;
    }
    let lines: Json = vault.ledger()?.iter().map(ledger::for_programs).collect();
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

/// Whether a text has the form of a UUID (RFC 9562 section 4).
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An entry as the vault reads it, with its earlier versions.
fn for_programs(vault: &Vault, id: EntryId, entry: &Entry) -> Result<Json, Failure> {
    let mut object = show::content(entry);
    object.insert("id".to_owned(), json!(id.to_string()));
    object.insert("kind".to_owned(), json!(entry.kind().name()));
    object.insert("retracted".to_owned(), json!(entry.marks.retracted));
    object.insert("has_original".to_owned(), json!(entry.source.is_some()));
    let history = vault.history(id)?;
    let mut earlier = Vec::new();
    for revision in history.iter().take(history.len().saturating_sub(1)) {
        let old = vault.entry_revision(id, revision.revision)?;
        let original = old.source.as_ref().filter(|source| entry.source.as_ref() != Some(*source));
        earlier.push(json!({
            "revision": revision.revision,
            "time": moment_for_programs(revision.time),
            "fields": show::fields_for_programs(&old.record),
            "original": original.map(|source| String::from_utf8_lossy(&source.bytes)),
        }));
    }
    object.insert("earlier".to_owned(), Json::Array(earlier));
    Ok(Json::Object(object))
}
