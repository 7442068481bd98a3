//! What an export of a vault claims of an entry, and what of it is taken.
//!
//! Whether it is believed is the importer's decision, and nothing in the input is.

use std::sync::Arc;

use crate::classify::compartment_of;
use crate::codec::json::Object;
use crate::crypto::content_digest::ContentDigest;
use crate::format::place::Compartment;
use crate::interop::claims::{self, Claims, HEAD_URL};
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::options::RESOURCE_LIMIT;
use crate::record::{Entry, Location, Marks, Origin, Record, Source, SourceFile, SourceFormat, Token, Value};

/// What is claimed of the entry of a resource, and what belongs to it.
pub(crate) struct Claimed {
    pub(crate) claims: Claims,
    pub(crate) files: Vec<SourceFile>,
    pub(crate) contents: Vec<(ContentDigest, Arc<Vec<u8>>)>,
    /// Whether whoever imports it says that the export is their own.
    pub(crate) is_believed: bool,
}

/// What a resource is in an export: claims of an entry, or what the export says of itself.
pub(crate) enum Spoken {
    Claims(Box<Claims>),
    /// Claims that cannot be read.
    Unreadable,
    Head,
}

/// What a resource says as a part of an export, if it is one.
pub(crate) fn spoken(resource_type: &str, object: &Object) -> Option<Spoken> {
    match resource_type {
        "Provenance" if claims::has_extension(object, claims::URL) => {
            Some(Claims::of(object).map_or(Spoken::Unreadable, |claims| Spoken::Claims(Box::new(claims))))
        }
        "OperationOutcome" if claims::has_extension(object, HEAD_URL) => Some(Spoken::Head),
        _ => None,
    }
}

impl Claimed {
    /// What the entry is called by who exported it.
    pub(crate) fn identity(&self) -> String {
        let identity = self.claims.provenance.identity.as_ref();
        identity.map_or_else(|| self.claims.key.clone(), |identity| identity.as_str().to_owned())
    }

    /// The bytes of the original, where the resource is not it.
    pub(crate) fn original(&self) -> Option<&[u8]> {
        let original = self.claims.original.as_ref()?;
        original.bytes.as_deref().filter(|_| matches!(original.format, SourceFormat::FhirJson(_)))
    }

    /// The entry that is claimed, of this resource; `None` where it would be more than an entry
    /// may be.
    pub(crate) fn believed(&self, resource: &[u8]) -> Option<Entry> {
        let claims = &self.claims;
        let mut provenance = claims.provenance.clone();
        if provenance.identity.is_none() {
            provenance.identity = Token::new(claims.key.as_str()).ok();
        }
        let mut entry = Entry::new(self.held_record(), provenance);
        entry.not_understood = claims.not_understood.clone();
        entry.marks = Marks { disputes: Vec::new(), ..claims.marks.clone() };
        entry.source = claims.original.as_ref().map(|original| Source {
            files: self.files.clone(),
            ..Source::new(original.format, original.bytes.as_deref().unwrap_or(resource).to_vec())
        });
        let size = entry.source.as_ref().map_or(0, Source::size);
        (size <= RESOURCE_LIMIT).then_some(entry)
    }

    /// The compartment of the entry that is claimed: what its kind keeps apart is kept apart,
    /// and nothing hides what is sealed nowhere.
    pub(crate) fn compartment(&self, entry: &Entry) -> Compartment {
        let rule = compartment_of(entry);
        match self.claims.compartment {
            Compartment::PsychotherapyNotes | Compartment::SubstanceUse => self.claims.compartment,
            _ => rule,
        }
    }

    /// The record that is claimed. A file of it that is in no resource is not said to be anywhere.
    fn held_record(&self) -> Record {
        let is_here = |digest: &ContentDigest| self.contents.iter().any(|(known, _)| known == digest);
        let record = &self.claims.record;
        let mut fields = record.clone().into_fields();
        for field in &mut fields {
            if let Value::Attachment(attachment) = &mut field.value {
                attachment
                    .location
                    .take_if(|place| matches!(place, Location::Stored(digest) if !is_here(digest)));
            }
        }
        let fields = fields.into_iter().map(|field| (field.tag, field.index, field.value));
        Record::from_fields(record.kind(), fields).unwrap_or_else(|_| record.clone())
    }

    /// Takes of what is claimed what says no more than the file may: the record, as one that is
    /// not what its source says wherever it is not.
    pub(crate) fn apply_unbelieved(&self, entry: &mut Entry, path: &str, findings: &Findings) {
        let claims = &self.claims;
        let is_plain = claims.marks == Marks::default()
            && claims.disputes.is_empty()
            && claims.provenance.origin == Origin::Imported
            && claims.compartment == compartment_of(entry);
        if !is_plain {
            findings.add(path.to_owned(), FindingReason::NotBelieved);
        }
        let is_own_original = claims.original.as_ref().is_some_and(|original| {
            matches!(original.format, SourceFormat::FhirJson(_))
                && claims.provenance.origin != Origin::ImportedAndChanged
        });
        let record = self.held_record();
        if is_own_original || record == entry.record || !holds(entry, &record) {
            return;
        }
        entry.record = record;
        entry.provenance.origin = Origin::ImportedAndChanged;
        for said in &claims.not_understood {
            if !entry.not_understood.contains(said) {
                entry.not_understood.push(said.clone());
            }
        }
    }
}

/// Whether a source holds the files to which a record points in it.
fn holds(entry: &Entry, record: &Record) -> bool {
    let mut with = Entry::new(record.clone(), entry.provenance.clone());
    with.source.clone_from(&entry.source);
    let source = with.source.as_ref();
    with.lent_attachments().all(|attachment| match &attachment.location {
        Some(Location::InSource(place)) => source.is_some_and(|source| source.file_at(place).is_some()),
        _ => true,
    })
}
