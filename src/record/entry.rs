//! An entry: a record with where it came from, its original bytes and its marks.
//!
//! The original bytes are never rewritten; the record beside them is a reading.

use std::fmt;

use subrosa_base::schema::{FieldSchema, FieldType, Kind};

use super::date::{DateRange, PartialDate};
use super::field::ValueRef;
use super::kinds::Record;
use super::search::{Needle, Searchable as _};
use super::table::Span;
use super::text::{Narrative, Token};
use super::value::{Attachment, Coding, Concept, Party, redacted_debug};
use crate::id::EntryId;

/// One item of a person's record: a diagnosis, a treatment, a note, …
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What it says.
    pub record: Record,
    /// Where it came from.
    pub provenance: Provenance,
    /// Paths of elements in the source that change its meaning and were not understood,
    /// such as `Observation.modifierExtension`. If there are any, the record may say what the
    /// source does not. Only an import sets them.
    pub not_understood: Vec<Token>,
    /// Its original bytes, if it was imported.
    pub source: Option<Source>,
    /// What people decided about it, such as a legal hold.
    pub marks: Marks,
}

impl Entry {
    /// An entry without source and marks.
    #[must_use]
    pub fn new(record: impl Into<Record>, provenance: Provenance) -> Self {
        Self {
            record: record.into(),
            provenance,
            not_understood: Vec::new(),
            source: None,
            marks: Marks::default(),
        }
    }

    /// The kind of the record.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.record.kind()
    }

    /// The main code: what the entry is about.
    #[must_use]
    pub fn code(&self) -> Option<&Concept> {
        self.record.code()
    }

    /// The dates that listing sorts and filters by, such as onset to abatement or
    /// admission to discharge. A missing end means "still so, or not known"; what
    /// happens at one moment starts and ends with the same date. `None` when undated.
    #[must_use]
    pub fn dates(&self) -> Option<DateRange> {
        let start = self.record.first_date();
        let end = self.record.last_date().or(match self.record.span() {
            Span::Open => None,
            Span::Point => start,
        });
        let range = DateRange::new(start.cloned(), end.cloned());
        (!range.is_unbounded()).then_some(range)
    }

    /// A title for people: what the record denies or puts off, as in `NOT GIVEN: `, then
    /// the code's first display, else its text, else the record's own title or name.
    #[must_use]
    pub fn display(&self) -> Option<String> {
        let title = self.code().and_then(Concept::title).map(str::to_owned);
        let title = title.or_else(|| self.record.own_title());
        match self.record.negation() {
            Some(negation) => Some(negation.entitle(title.as_deref())),
            None => title,
        }
    }

    /// Who provided what the entry is about: as the record says, else the provenance.
    #[must_use]
    pub fn provider_name(&self) -> Option<String> {
        let from_provenance = || self.provenance.provider.as_ref()?.name.as_ref();
        self.record.provider_title().or_else(|| from_provenance().map(|name| name.as_str().to_owned()))
    }

    /// The attachments, in the order of the record's fields.
    #[must_use]
    pub fn attachments(&self) -> Vec<Attachment> {
        self.lent_attachments().cloned().collect()
    }

    /// The attachments, as [`Entry::attachments`] gives them.
    pub(crate) fn lent_attachments(&self) -> impl Iterator<Item = &Attachment> {
        let holds = |schema: &FieldSchema| schema.field_type == FieldType::Attachment;
        let values = match self.kind().schema().iter().any(holds) {
            true => self.record.values(),
            false => Vec::new(),
        };
        values.into_iter().filter_map(|field| match field.value {
            ValueRef::Attachment(attachment) => Some(attachment),
            _ => None,
        })
    }

    /// Whether a text is found in the entry, whatever its case: in any code, display,
    /// name or free text of the record or the provenance.
    #[must_use]
    pub fn text_matches(&self, text: &str) -> bool {
        let needle = Needle::new(text);
        self.record.matches(&needle) || self.provenance.provider.matches(&needle)
    }

    /// The same, and in its original: every text there but addresses and whom it is about,
    /// words in files of plain text that it holds included.
    #[must_use]
    pub fn text_matches_anywhere(&self, text: &str) -> bool {
        let needle = Needle::new(text);
        self.text_matches(text) || self.source.as_ref().is_some_and(|source| source.matches(&needle))
    }
}

/// Where an entry came from.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Provenance {
    /// Who provided it.
    pub provider: Option<Party>,
    /// The document it came from, such as a bundle's id or a file's name.
    pub document: Option<Token>,
    /// When the source last changed it.
    pub recorded: Option<PartialDate>,
    /// How it came into the vault.
    pub origin: Origin,
    /// Its stable identity in its source, such as `Condition/123`, with the server's
    /// address in front where that is known.
    pub identity: Option<Token>,
    /// The address that its document gave it, by which others there refer to it (FHIR
    /// `Bundle.entry.fullUrl`), where that is not its identity.
    pub address: Option<Token>,
    /// Security labels that the source gave it (FHIR `meta.security`).
    pub labels: Vec<Coding>,
}

/// How an entry came into the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Origin {
    /// Imported from a document or an interface.
    Imported,
    /// Entered by the vault's owner.
    #[default]
    EnteredByOwner,
    /// Entered by a provider.
    EnteredByProvider,
    /// Imported, and its record changed in the vault since: it is not what its source says.
    ImportedAndChanged,
}

impl Origin {
    /// Whether it came from a document or an interface.
    #[must_use]
    pub fn is_imported(self) -> bool {
        matches!(self, Self::Imported | Self::ImportedAndChanged)
    }
}

/// The exact original bytes of an imported entry.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// What the bytes are.
    pub format: SourceFormat,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Parts of the entry that stand elsewhere in its source: files in resources of their own
    /// (FHIR `Binary`), elements of the narrative (CDA).
    pub files: Vec<SourceFile>,
}

impl Source {
    /// Bytes of this format, without files.
    #[must_use]
    pub fn new(format: SourceFormat, bytes: Vec<u8>) -> Self {
        Self { format, bytes, files: Vec::new() }
    }

    /// How many bytes it has, those of its files included.
    #[must_use]
    pub fn size(&self) -> usize {
        self.files.iter().fold(self.bytes.len(), |size, file| size.saturating_add(file.bytes.len()))
    }
}

/// The exact original bytes of what an entry refers to: of a FHIR `Binary`, or of an element of
/// the narrative of a CDA document.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFile {
    /// By what the entry refers to it, such as `Binary/7` or `#allergy1`.
    pub address: Token,
    /// The bytes: the resource, with the file in base64 in it.
    pub bytes: Vec<u8>,
}

impl SourceFile {
    /// A file of this address.
    #[must_use]
    pub fn new(address: Token, bytes: Vec<u8>) -> Self {
        Self { address, bytes }
    }
}

/// What the original bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceFormat {
    /// One FHIR resource as JSON, of this version.
    FhirJson(FhirVersion),
    /// One element of an HL7 CDA R2 document (C-CDA, C32) as XML in UTF-8, without what of it
    /// is in entries of its own. Its files are the elements of the narrative that tell the same.
    CdaXml,
    /// One FHIR resource as XML in UTF-8, of this version.
    FhirXml(FhirVersion),
}

/// A version of FHIR. The same element may mean another thing in another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FhirVersion {
    /// 1.0.2.
    Dstu2,
    /// 3.0.2.
    Stu3,
    /// 4.0.1.
    R4,
    /// 4.3.0.
    R4B,
    /// 5.0.0.
    R5,
}

impl FhirVersion {
    /// Its name, such as `R4`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dstu2 => "DSTU2",
            Self::Stu3 => "STU3",
            Self::R4 => "R4",
            Self::R4B => "R4B",
            Self::R5 => "R5",
        }
    }
}

impl fmt::Display for FhirVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was decided about an entry.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Marks {
    /// The entry is withdrawn: kept as history, not listed by default.
    pub retracted: bool,
    /// When the entry is to be expunged.
    pub expires: Option<PartialDate>,
    /// What blocks an expungement.
    pub legal_holds: Vec<LegalHold>,
    /// Entries that dispute this one.
    pub disputes: Vec<EntryId>,
    /// Of a patient entry: the owner confirmed that it is about the vault's patient,
    /// although its name, birth date or sex differ.
    pub same_person: bool,
}

/// What blocks the expungement of an entry: an open request, a subpoena, a case.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LegalHold {
    /// Why.
    pub reason: Narrative,
    /// Until when; without a date, until it is lifted.
    pub until: Option<PartialDate>,
}

impl LegalHold {
    /// A hold for this reason.
    #[must_use]
    pub fn new(reason: Narrative, until: Option<PartialDate>) -> Self {
        Self { reason, until }
    }
}

redacted_debug!(Entry, Provenance, Source, SourceFile, Marks, LegalHold);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Diagnosis, Encounter, HumanName, Observation, Patient};

    fn token(text: &str) -> Token {
        Token::new(text).unwrap()
    }

    fn entry(record: impl Into<Record>) -> Entry {
        Entry::new(record, Provenance::default())
    }

    #[test]
    fn dates_are_those_of_the_kind() {
        let onset = "2018".parse().ok();
        let diagnosis =
            entry(Diagnosis { onset, recorded: "2020-01-01".parse().ok(), ..Diagnosis::default() });
        assert_eq!(diagnosis.dates(), Some(DateRange::new("2018".parse().ok(), None)));
        let observation = entry(Observation { start: "2018".parse().ok(), ..Observation::default() });
        assert_eq!(observation.dates(), Some(DateRange::at("2018".parse().unwrap())));
        assert_eq!(entry(Patient::default()).dates(), None);
    }

    #[test]
    fn a_title_is_found_where_the_kind_has_one() {
        let name =
            HumanName { given: vec![token("Ada")], family: Some(token("Byron")), ..HumanName::default() };
        let patient = entry(Patient { names: vec![name], ..Patient::default() });
        assert_eq!(patient.display().as_deref(), Some("Ada Byron"));
        let visit = Encounter { types: vec![Concept::from_text(token("visit"))], ..Encounter::default() };
        assert_eq!(entry(visit.clone()).display().as_deref(), Some("visit"));
        let off = Encounter { status: Some(token("cancelled")), ..visit };
        assert_eq!(entry(off).display().as_deref(), Some("CANCELLED: visit"));
    }

    #[test]
    fn search_finds_any_case_in_codes_words_and_free_text() {
        let coding = Coding {
            system: Some(token("http://snomed.info/sct")),
            code: Some(token("195967001")),
            display: Some(token("Ästhma")),
            ..Coding::default()
        };
        let diagnosis = entry(Diagnosis {
            code: Some(Concept::from_coding(coding)),
            notes: vec![Narrative::new("Uses a Spacer").unwrap()],
            ..Diagnosis::default()
        });
        for found in ["äSTHMA", "195967", "spacer"] {
            assert!(diagnosis.text_matches(found), "{found}");
        }
        assert!(!diagnosis.text_matches("snomed"));
    }
}
