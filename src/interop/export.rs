//! Entries out as FHIR R4, in a form that an import reads back.
//!
//! An original that is an R4 resource goes out byte for byte; any other entry is written as
//! one. Beside each stands a FHIR `Provenance` with what R4 has no place for
//! ([`super::claims`]). One entry is in memory at a time.

mod original;
mod resource;
mod types;
mod written;

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use original::{file_url, full_url, verbatim};
use resource::resource;
use types::Fhir;
use written::Written;

use super::claims::{Claims, HEAD_URL, Held, Original, OriginalFile};
use super::options::RESOURCE_LIMIT;
use crate::codec::base64url;
use crate::codec::json::Json;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::{Digest, RunningDigest};
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::record::{Attachment, Entry, Location, Marks, Origin, Token};

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportForm {
    /// One FHIR R4 `Bundle` of the type `collection`.
    Bundle,
    /// FHIR R4 resources, one a line.
    Ndjson,
}

/// Most bytes of a stored attachment that an export holds; base64 makes a third more of them.
pub(crate) const MOST_OF_CONTENT: u64 = 32 << 20;

/// Bytes of a content that become base64 at once.
const AT_ONCE: usize = 48 << 10;

/// What an export does not hold, in words for whoever reads it.
const NOT_HELD: [&str; 4] = [
    "Not in this file: earlier revisions of entries; each is as it is now.",
    "Not in this file: the vault's ledger, its releases and what they held.",
    "Not in this file: the ways into the vault, its passwords and keys.",
    "Not in this file: records in the compartment sealed, and what the way in that made it does not open.",
];

/// One entry to be written.
pub(crate) struct Outgoing<'a> {
    pub(crate) id: EntryId,
    pub(crate) compartment: Compartment,
    pub(crate) entry: &'a Entry,
    /// The entry in words, a line each.
    pub(crate) words: &'a dyn Fn() -> Vec<String>,
    /// The stored contents of it that were written, and the SHA-256 of the resource of each.
    pub(crate) contents: Vec<(ContentDigest, Digest)>,
}

/// The patient to whom resources refer that an export writes.
pub(crate) struct Subject(Json);

impl Subject {
    /// Nobody who is described.
    pub(crate) fn unknown() -> Self {
        Self(types::unknown())
    }

    /// The patient of this entry.
    pub(crate) fn of(id: EntryId, entry: &Entry, form: ExportForm) -> Self {
        let key = key_of(id);
        let local = verbatim(entry.source.as_ref()).and_then(|resource| resource.id);
        let reference = match form {
            ExportForm::Bundle => full_url(entry).unwrap_or(key),
            ExportForm::Ndjson => {
                let id = local.unwrap_or_else(|| key.trim_start_matches("urn:uuid:").to_owned());
                format!("Patient/{id}")
            }
        };
        Self(Fhir::default().with("reference", Json::string(reference)).json())
    }
}

/// What an export calls an entry: a UUID that says nothing of its id, the same in each export.
pub(crate) fn key_of(id: EntryId) -> String {
    uuid(b"subrosa export\0entry\0", id.as_bytes())
}

fn uuid(domain: &[u8], bytes: &[u8]) -> String {
    let mut digits: Vec<char> = Digest::of(&[domain, bytes]).to_string().chars().take(32).collect();
    // Version 4 and its variant (RFC 9562 section 5.4).
    for (at, digit) in [(12, '4'), (16, 'a')] {
        if let Some(place) = digits.get_mut(at) {
            *place = digit;
        }
    }
    let digits: String = digits.into_iter().collect();
    let group = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let groups = [group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)];
    format!("urn:uuid:{}", groups.join("-"))
}

/// An export being written.
pub(crate) struct Export<W: Write> {
    out: W,
    form: ExportForm,
    /// The time of the export, as FHIR has it.
    time: String,
    subject: Subject,
    is_first: bool,
    /// Addresses that entries of the bundle have, by their digests: none has one twice.
    addresses: HashSet<[u8; 32]>,
    /// Resources of files that were written.
    files: HashSet<[u8; 32]>,
    /// Stored contents that were written, each with the SHA-256 of its resource.
    contents: HashMap<ContentDigest, Digest>,
}

impl<W: Write> Export<W> {
    /// Begins an export of this time, in RFC 3339.
    pub(crate) fn begin(mut out: W, form: ExportForm, time: &str, subject: Subject) -> io::Result<Self> {
        if form == ExportForm::Bundle {
            let time = Json::string(time).to_text();
            write!(
                out,
                "{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"timestamp\":{time},\"entry\":["
            )?;
        }
        let mut export = Self {
            out,
            form,
            time: time.to_owned(),
            subject,
            is_first: true,
            addresses: HashSet::new(),
            files: HashSet::new(),
            contents: HashMap::new(),
        };
        let address = uuid(b"subrosa export\0head\0", time.as_bytes());
        export.resource(Some(&address), head().to_text().as_bytes())?;
        Ok(export)
    }

    /// The SHA-256 of the resource of a stored content, if that was written.
    pub(crate) fn written(&self, digest: &ContentDigest) -> Option<Digest> {
        self.contents.get(digest).copied()
    }

    /// Writes the bytes of a stored content as a FHIR `Binary`, once. Gives the SHA-256 of the
    /// resource.
    pub(crate) fn content(
        &mut self,
        digest: &ContentDigest,
        content_type: Option<&Token>,
        bytes: &[u8],
    ) -> io::Result<Digest> {
        if let Some(known) = self.written(digest) {
            return Ok(known);
        }
        let content_type =
            types::code(content_type).unwrap_or_else(|| Json::string("application/octet-stream"));
        let start = format!(
            "{{\"resourceType\":\"Binary\",\"id\":\"{digest}\",\"contentType\":{},\"data\":\"",
            content_type.to_text()
        );
        self.start(Some(&content_url(digest)))?;
        let mut sha256 = RunningDigest::default();
        let mut put = |bytes: &[u8]| {
            sha256.update(bytes);
            self.out.write_all(bytes)
        };
        put(start.as_bytes())?;
        // A multiple of three bytes is whole in base64.
        for part in bytes.chunks(AT_ONCE) {
            put(base64url::encode_padded(part).as_bytes())?;
        }
        put(b"\"}")?;
        self.end()?;
        let resource = sha256.finish();
        self.contents.insert(*digest, resource);
        Ok(resource)
    }

    /// Writes an entry. `false` where so much belongs to it that no import would read it back
    /// whole: then the resource stands alone.
    pub(crate) fn entry(&mut self, outgoing: &Outgoing<'_>) -> io::Result<bool> {
        let Outgoing { id, entry, .. } = *outgoing;
        let key = key_of(id);
        let source = entry.source.as_ref();
        let original = verbatim(source);
        let is_original = original.is_some();
        let (bytes, resource_type, local) = match original {
            Some(original) => (self.in_lines(original.bytes), original.resource_type, original.id),
            None => {
                let id = key.trim_start_matches("urn:uuid:");
                let words = (outgoing.words)();
                let stored = |attachment: &Attachment| self.stored_url(attachment, &outgoing.contents);
                let written = Written { entry, id, subject: &self.subject.0, words: &words, stored: &stored };
                let resource = resource(&written);
                let name = resource.member("resourceType").and_then(Json::as_str).unwrap_or_default();
                let name = name.to_owned();
                (resource.to_text().into_bytes(), name, Some(id.to_owned()))
            }
        };
        let address = full_url(entry).filter(|_| is_original);
        let address = self.free_address(address.unwrap_or_else(|| key.clone()), &key);
        self.resource(Some(&address), &bytes)?;
        let is_written = source.is_some_and(|source| source.bytes == bytes);
        let claims = Claims {
            resource: Digest::of(&[&bytes]),
            compartment: outgoing.compartment,
            record: entry.record.clone(),
            provenance: entry.provenance.clone(),
            not_understood: entry.not_understood.clone(),
            original: match source {
                Some(source) => Some(Original::of(source, is_written, self.files(entry)?)),
                None => None,
            },
            marks: Marks { disputes: Vec::new(), ..entry.marks.clone() },
            disputes: entry.marks.disputes.iter().map(|id| key_of(*id)).collect(),
            contents: outgoing.contents.clone(),
            key: key.clone(),
        };
        let target = match (self.form, local) {
            (ExportForm::Ndjson, Some(id)) => format!("{resource_type}/{id}"),
            _ => address,
        };
        let provenance = self.provenance(entry, &claims, &target).to_text();
        if provenance.len() > RESOURCE_LIMIT {
            return Ok(false);
        }
        let address = uuid(b"subrosa export\0claims\0", id.as_bytes());
        self.resource(Some(&address), provenance.as_bytes())?;
        Ok(true)
    }

    /// Ends the export. What was written may still be on its way to the disk.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        if self.form == ExportForm::Bundle {
            self.out.write_all(b"\n]}\n")?;
        }
        self.out.flush()?;
        Ok(self.out)
    }

    fn start(&mut self, address: Option<&str>) -> io::Result<()> {
        if self.form == ExportForm::Ndjson {
            return Ok(());
        }
        self.out.write_all(if self.is_first { b"\n{" } else { b",\n{" })?;
        self.is_first = false;
        if let Some(address) = address {
            write!(self.out, "\"fullUrl\":{},", Json::string(address).to_text())?;
        }
        self.out.write_all(b"\"resource\":")
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.write_all(match self.form {
            ExportForm::Bundle => b"}",
            ExportForm::Ndjson => b"\n",
        })
    }

    fn resource(&mut self, address: Option<&str>, bytes: &[u8]) -> io::Result<()> {
        self.start(address)?;
        self.out.write_all(bytes)?;
        self.end()
    }

    /// A resource as it stands in this form: on one line in NDJSON, where line breaks between
    /// its parts become spaces.
    fn in_lines(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        if self.form == ExportForm::Ndjson {
            bytes.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        }
        bytes
    }

    /// The address, or the other one where something has it.
    fn free_address(&mut self, address: String, otherwise: &str) -> String {
        let digest = Digest::of(&[address.as_bytes()]);
        if self.addresses.insert(*digest.as_bytes()) { address } else { otherwise.to_owned() }
    }

    fn stored_url(&self, attachment: &Attachment, contents: &[(ContentDigest, Digest)]) -> Option<String> {
        let Some(Location::Stored(digest)) = &attachment.location else { return None };
        let is_written = contents.iter().any(|(known, _)| known == digest);
        is_written.then(|| match self.form {
            ExportForm::Bundle => content_url(digest),
            ExportForm::Ndjson => format!("Binary/{digest}"),
        })
    }

    /// The files of an original: those that are resources are written, once each.
    fn files(&mut self, entry: &Entry) -> io::Result<Vec<OriginalFile>> {
        let mut files = Vec::new();
        let address = full_url(entry);
        for file in entry.source.iter().flat_map(|source| &source.files) {
            let resource = original::as_resource(&file.bytes).filter(|found| found.bytes == file.bytes);
            let held = match resource {
                Some(found)
                    if found.resource_type == "Binary" && self.in_lines(&file.bytes) == file.bytes =>
                {
                    let digest = Digest::of(&[&file.bytes]);
                    if self.files.insert(*digest.as_bytes()) {
                        let own = uuid(b"subrosa export\0file\0", digest.as_bytes());
                        let url = file_url(address.as_deref(), file).unwrap_or_else(|| own.clone());
                        let url = self.free_address(url, &own);
                        self.resource(Some(&url), &file.bytes)?;
                    }
                    Held::Resource(digest)
                }
                _ => Held::Here(file.bytes.clone()),
            };
            files.push(OriginalFile { address: file.address.clone(), held });
        }
        Ok(files)
    }

    fn provenance(&self, entry: &Entry, claims: &Claims, target: &str) -> Json {
        let provenance = &entry.provenance;
        let document = provenance.document.as_ref().and_then(|name| types::string(name.as_str()));
        let who = match provenance.origin {
            Origin::EnteredByOwner => "The owner of the vault",
            Origin::EnteredByProvider => "A provider",
            Origin::Imported => "An import",
            Origin::ImportedAndChanged => "An import; the record was changed in the vault since",
        };
        let agent = Fhir::default().with("display", Json::string(who)).json();
        let entity = document.map(|name| {
            let what = Fhir::default().with("display", name).json();
            Fhir::default().with("role", Json::string("source")).with("what", what).json()
        });
        let target = Fhir::default().with("reference", Json::string(target)).json();
        Fhir::of_type("Provenance")
            .list("extension", [claims.extension()])
            .list("target", [target])
            .with("recorded", Json::string(self.time.as_str()))
            .list("agent", [Fhir::default().with("who", agent).json()])
            .list("entity", entity)
            .json()
    }
}

/// What an export is, and what it does not hold.
fn head() -> Json {
    let issue = |text: &str| {
        let details = Fhir::default().with("text", Json::string(text)).json();
        Fhir::default()
            .with("severity", Json::string("information"))
            .with("code", Json::string("informational"))
            .with("details", details)
            .json()
    };
    let what = "Records of a vault of Subrosa. This file is not encrypted: whoever has it can read it. What it says \
                of entries beside their resources is what the file claims.";
    let extension =
        Fhir::default().with("url", Json::string(HEAD_URL)).with("valueString", Json::string("1"));
    Fhir::of_type("OperationOutcome")
        .list("extension", [extension.json()])
        .list("issue", [what].into_iter().chain(NOT_HELD).map(issue))
        .json()
}

fn content_url(digest: &ContentDigest) -> String {
    uuid(b"subrosa export\0content\0", digest.as_bytes())
}

crate::secret::redacted_debug!(Outgoing<'_>, Subject);
