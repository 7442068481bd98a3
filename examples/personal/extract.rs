//! `extract`: an attachment as a file again, whole or not at all.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use subrosa::record::Attachment;
use subrosa::vault::{AttachmentReader, RunningContentDigest};
use subrosa::{EntryId, Error};
use zeroize::Zeroizing;

use crate::access;
use crate::arguments::{self, Common};
use crate::attach::bar;
use crate::failure::Failure;
use crate::output::{self, NewFile};
use crate::target::{self, Wanted};

/// Bytes read at a time.
const STEP: usize = 1 << 20;

pub(crate) fn run(common: &Common, command: &arguments::Extract) -> Result<(), Failure> {
    let (path, names) = target::vault_and_some(common, &command.names, Wanted::entry("extract ID FILE"))?;
    let (id, destination) = match names.as_slice() {
        [id] => (id, None),
        [id, destination] => (id, Some(destination)),
        _ => return Err(Failure::usage("name one entry, and where to write its attachment")),
    };
    let vault = access::to_read(common, &path)?;
    let id = access::entry_id(&vault, target::text(id)?)?;
    let number = usize::try_from(command.number - 1).unwrap_or(usize::MAX);
    let mut reader = vault.attachment(id, number).map_err(|error| match error {
        Error::NoSuchAttachment { .. } => {
            Failure::refused("the entry has no such attachment; `personal show` lists what it has")
        }
        error => error.into(),
    })?;
    let destination = destination.cloned().unwrap_or_else(|| default_name(id, reader.attachment()));
    if destination.symlink_metadata().is_ok() {
        return Err(Failure::refused("there is a file of the output's name already; choose another name"));
    }
    let digest = write_file(&destination, &mut reader)?;
    told(common, &destination, reader.size(), &digest)
}

fn told(common: &Common, destination: &Path, size: u64, digest: &str) -> Result<(), Failure> {
    if common.json {
        return output::json(&json!({ "bytes": size, "sha256": digest }));
    }
    output::say(&format!(
        "Wrote {} to {}. The file is not encrypted: delete it when it is no longer needed.",
        output::counted(size, "byte", "bytes"),
        target::quoted(destination)
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name that tells nothing.
fn default_name(id: EntryId, attachment: &Attachment) -> PathBuf {
    let extension = match attachment.content_type.as_ref().map(|form| form.as_str()) {
        Some("application/pdf") => ".pdf",
        Some("image/jpeg") => ".jpg",
        Some("image/png") => ".png",
        Some("text/plain") => ".txt",
        _ => "",
    };
    format!("attachment-{}{extension}", access::short_id(id)).into()
}

/// Writes an attachment under a temporary name, compares what it is known by, and
/// gives it its name; never over another file. Says its SHA-256.
pub(crate) fn write_file(destination: &Path, reader: &mut AttachmentReader<'_>) -> Result<String, Failure> {
    let temporary = destination.with_file_name(format!(".subrosa-{}", std::process::id()));
    let mut file = NewFile::create(&temporary)?;
    let bar = bar("Decrypting", Some(reader.size()));
    let (mut sha256, mut whole) = (Sha256::new(), RunningContentDigest::default());
    let mut buffer = Zeroizing::new(vec![0; STEP]);
    loop {
        let count = reader.read(&mut buffer).map_err(unreadable)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else { break };
        sha256.update(part);
        whole.update(part);
        file.write(part)?;
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    if whole.finish() != reader.content_digest() {
        return Err(Error::Damaged { what: "attachment" }.into());
    }
    file.finish_as(destination)?;
    Ok(hex(&sha256.finalize()))
}

/// What a reader says, as what it is.
fn unreadable(error: std::io::Error) -> Failure {
    match error.downcast::<Error>() {
        Ok(error) => error.into(),
        Err(error) => Failure::file("the attachment cannot be read", &error),
    }
}
