//! How to import, what it may cost, and why it may be refused.

use std::io;
use std::time::SystemTime;

use thiserror::Error;

use super::foreign::ForeignFormat;
use super::imported::PatientReferences;
use crate::codec::json::JsonError;
use crate::codec::xml::XmlError;

/// Longest original of an entry, its files included: an entry holds it and its fields.
pub(crate) const RESOURCE_LIMIT: usize = 48 << 20;

/// What an import may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportLimits {
    /// Longest input in bytes.
    pub input_bytes: u64,
    /// Longest line of NDJSON in bytes.
    pub line_bytes: u64,
    /// Most JSON values in one text: an input, or a line of NDJSON.
    pub values: usize,
    /// Most resources in all inputs together.
    pub resources: usize,
}

impl Default for ImportLimits {
    /// 256 MiB an input, or a line of it, 10 million values, 1 million resources.
    fn default() -> Self {
        Self { input_bytes: 256 << 20, line_bytes: 256 << 20, values: 10_000_000, resources: 1_000_000 }
    }
}

/// Whose records to import, and at what cost.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// Whose records to take if the input is about several patients: a reference
    /// such as `Patient/123`, an id, or a bundle entry's `fullUrl`.
    pub patient: Option<String>,
    /// Whether to take resources that do not say whose they are as the patient's. If not,
    /// they are left out. This applies only if the input is about one person: with
    /// several, they may be somebody else's.
    pub unknown_subjects_are_the_patients: bool,
    /// Whether to believe what an export of a vault says beside its resources: who entered an
    /// entry and from which document it came, that it was corrected, withdrawn, held or
    /// disputed, that it is kept apart, and that all of it is about one person. Only say so of
    /// an export that you made yourself and that nobody else could change since; then the
    /// entries come back as they were. If not, such a file is one like any other.
    pub own_export: bool,
    /// The time of the import. Versions with a later date have no order. `None` takes the
    /// system's clock.
    pub now: Option<SystemTime>,
    /// What the import may cost.
    pub limits: ImportLimits,
}

impl ImportOptions {
    /// Takes the records of this patient only.
    #[must_use]
    pub fn for_patient(reference: impl Into<String>) -> Self {
        Self { patient: Some(reference.into()), ..Self::default() }
    }

    /// The same, and what does not say whose it is belongs to the patient: a decision.
    #[must_use]
    pub fn with_unknown_subjects_as_the_patients(mut self) -> Self {
        self.unknown_subjects_are_the_patients = true;
        self
    }

    /// The same, believing what an export of a vault says: whoever imports it made it.
    #[must_use]
    pub fn from_own_export(mut self) -> Self {
        self.own_export = true;
        self
    }

    /// The same with this moment as that of the import.
    #[must_use]
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// The same within these limits.
    #[must_use]
    pub fn within(mut self, limits: ImportLimits) -> Self {
        self.limits = limits;
        self
    }
}

impl std::fmt::Debug for ImportOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportOptions")
            .field("patient", &self.patient.as_ref().map(|_| "…"))
            .field("unknown_subjects_are_the_patients", &self.unknown_subjects_are_the_patients)
            .field("own_export", &self.own_export)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Why nothing was imported. Names no value of the input.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Reading the input failed.
    #[error("the input cannot be read: check the file and its permissions")]
    Read(#[from] io::Error),
    /// The input is larger than the limit.
    #[error("the input is larger than {limit} bytes; split it or raise the limit")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// A line of the input is longer than the limit.
    #[error("line {number} is longer than {limit} bytes; raise the limit for lines")]
    LineTooLong {
        /// The line, from 1.
        number: usize,
        /// The limit in bytes.
        limit: u64,
    },
    /// There are more resources than the limit.
    #[error("the input holds more than {limit} resources; split it or raise the limit")]
    TooManyResources {
        /// The limit.
        limit: usize,
    },
    /// Bundles hold bundles deeper than the limit.
    #[error("bundles are nested deeper than {limit} levels")]
    BundlesTooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// The input holds nothing, or white space.
    #[error("the input is empty; fetch it again")]
    Empty,
    /// The input ends in the middle of a document.
    #[error("the input seems to be cut off: it ends at byte {offset}, in the middle; fetch it again")]
    CutOff {
        /// How long the document is as far as it is there.
        offset: usize,
    },
    /// The input is not JSON.
    #[error("{0}; FHIR as JSON is expected")]
    Json(JsonError),
    /// Lines of the input are not JSON, and none of the others holds a resource.
    #[error("line {number}: {reason}; one FHIR resource as JSON is expected on each line")]
    Line {
        /// The first such line, from 1.
        number: usize,
        /// What is wrong.
        reason: JsonError,
    },
    /// The input is encoded in UTF-16 or UTF-32.
    #[error("the input is in UTF-16 or UTF-32; convert it to UTF-8")]
    Utf16,
    /// The input is of another format, as its first bytes say.
    #[error("the input is {format}, which is not read; {}", format.advice())]
    Foreign {
        /// Of which.
        format: ForeignFormat,
    },
    /// The input is XML, and neither FHIR nor one of the documents that are known by name.
    #[error("the input is XML, but neither FHIR nor C-CDA, and is not read; ask for FHIR as JSON or XML")]
    FhirXml,
    /// The input is a document of XML, FHIR or C-CDA, that cannot be read as XML.
    #[error("the FHIR or C-CDA document cannot be read: {0}")]
    Xml(XmlError),
    /// The input is a C-CDA document that is encrypted as a whole (XML Encryption).
    #[error("the C-CDA document is encrypted and cannot be read; ask the sender for one that is not")]
    Encrypted,
    /// The input is JSON but not FHIR.
    #[error(
        "the input is JSON but not FHIR: it has no resourceType; ask for the records as FHIR JSON, or keep the \
         file as an attachment"
    )]
    NotFhir,
    /// The input is a SMART Health Card as it is signed and compressed.
    #[error(
        "the input is a SMART Health Card, which is signed and compressed and is not read; ask for FHIR as JSON"
    )]
    HealthCard,
    /// The input is about several patients and no patient was chosen.
    #[error("the input is about {} patients; choose one of them", patients.len())]
    SeveralPatients {
        /// References that choose a patient. Identifiers, which may identify a person.
        patients: PatientReferences,
    },
    /// The chosen patient is not in the input.
    #[error("the chosen patient is not among the {count} in the input")]
    NoSuchPatient {
        /// How many patients the input is about.
        count: usize,
    },
}

impl From<XmlError> for ImportError {
    fn from(reason: XmlError) -> Self {
        Self::Xml(reason)
    }
}

impl From<JsonError> for ImportError {
    fn from(reason: JsonError) -> Self {
        Self::Json(reason)
    }
}
