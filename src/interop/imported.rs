//! What an import gives: entries, whose they are, what was left out.

use std::sync::Arc;

use super::finding::Finding;
use crate::crypto::content_digest::ContentDigest;
use crate::format::place::Compartment;
use crate::record::{Entry, PartialDate, Person};

/// References to the patients of an input. Each chooses one. `Debug` prints
/// their number only.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientReferences(Vec<(String, Person)>);

impl PatientReferences {
    pub(crate) fn new(references: impl Iterator<Item = (String, Person)>) -> Self {
        Self(references.collect())
    }

    /// How many patients there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an error about several patients is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The references: first the patients in the input, in order, then those that it only
    /// refers to.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(reference, _)| reference.as_str())
    }

    /// Each reference with the person as the input describes them, to choose by.
    pub fn people(&self) -> impl Iterator<Item = (&str, &Person)> {
        self.0.iter().map(|(reference, person)| (reference.as_str(), person))
    }
}

impl std::fmt::Debug for PatientReferences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PatientReferences({})", self.0.len())
    }
}

/// What was imported.
#[non_exhaustive]
pub struct Imported {
    /// The entries, in the order of the inputs.
    pub entries: Vec<ImportedEntry>,
    /// What a reader may rely on and no field carries.
    pub findings: Vec<Finding>,
    /// How many entries are of kind `other`, because no kind is theirs. Of types that nothing maps
    /// at all there is a finding ([`FindingReason::KeptRaw`](super::FindingReason::KeptRaw)).
    pub kept_raw: usize,
    /// Whom the entries are about, as the patients among them say; `None` where there is no
    /// patient among them, and the person is known by reference only or not at all.
    pub person: Option<Person>,
    /// The identities of that person: of the patients among the entries and of those that
    /// entries only refer to, written as [`ImportedEntry::identity`].
    pub person_identities: Vec<String>,
    /// The person as references to them read (FHIR `Reference.display`), where no patient
    /// among the entries says more.
    pub person_shown: Option<Person>,
    /// Names that references to that person show and that are none of theirs: the records may
    /// be somebody else's. `Debug` prints none.
    pub named_otherwise: Vec<String>,
    /// How many resources the inputs hold: entries, earlier versions of them, files of them,
    /// repetitions and what was left out.
    pub resources: usize,
    /// How many resources are what an export of a vault says beside its entries. They are not
    /// among [`resources`](Self::resources).
    pub beside: usize,
    /// Whether what an export of a vault says beside its entries is believed
    /// ([`ImportOptions::own_export`](crate::ImportOptions::own_export)).
    pub own_export: bool,
    /// How many resources are files of entries (FHIR `Binary`): [`Source::files`] has them.
    ///
    /// [`Source::files`]: crate::record::Source::files
    pub files: usize,
    /// How many resources are earlier versions of entries.
    pub earlier: usize,
    /// How many resources were dropped because they repeat another byte for byte.
    pub repetitions: usize,
    /// How many resources were left out, and why.
    pub left_out: LeftOut,
    /// What the input says that its source deleted, by the identity of
    /// [`ImportedEntry::identity`], whether the input has it or not.
    pub deleted: Vec<DeletedResource>,
    /// The inputs, in order, as what stands between resources and the resources: their
    /// bytes one after another are the input. Only inputs all of whose resources were
    /// taken; what could not be read stands between resources.
    pub documents: Vec<Document>,
}

/// A resource that its source deleted.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedResource {
    /// What its source calls it.
    pub identity: String,
    /// The document that says so: a bundle's id, or the name of a file.
    pub document: Option<String>,
}

/// How many resources an import left out, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LeftOut {
    /// They are about other patients than the one whose records were taken.
    pub other_patients: usize,
    /// It is not clear whose they are.
    pub unknown_subject: usize,
    /// They are about nobody, and nothing that was taken refers to them.
    pub unreferenced: usize,
    /// Their source deleted them.
    pub deleted: usize,
    /// They cannot be read, such as a line that is damaged. [`Imported::findings`] names
    /// each.
    pub unreadable: usize,
}

impl LeftOut {
    /// How many in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.other_patients + self.unknown_subject + self.unreferenced + self.deleted + self.unreadable
    }
}

/// An entry, and what identifies it in its source.
#[non_exhaustive]
pub struct ImportedEntry {
    /// `Type/id`, with the base of the `fullUrl` in front where it has one; without an id,
    /// the `fullUrl`; without either, `sha256:` and the digest of its bytes. Where another
    /// resource of the same import has it, `#` and the beginning of that digest follow.
    pub identity: String,
    /// Whether no other source gives this identity to another resource: it has a random
    /// UUID (RFC 9562 version 4) or an absolute address. Any other is a name within its
    /// source only.
    pub is_global: bool,
    /// The base of the server that the resource comes from, such as
    /// `https://example.org/fhir/`, where its address names one.
    pub server: Option<String>,
    /// What it came in: the id of the bundle or, without one, the name of the input.
    pub document: Option<String>,
    /// When its server last changed it (FHIR `meta.lastUpdated`), as it says.
    pub last_updated: Option<PartialDate>,
    /// Its version on its server (FHIR `meta.versionId`). Numbers count up, other texts
    /// are in no order.
    pub version_id: Option<String>,
    /// The entry.
    pub entry: Entry,
    /// Earlier versions of it that the input holds, the oldest first.
    pub earlier: Vec<Entry>,
    /// Where it is kept.
    pub(crate) compartment: Compartment,
    /// What the export of a vault calls it, if it comes from one.
    pub(crate) key: Option<String>,
    /// The entries that dispute it, by what the export calls them.
    pub(crate) disputes: Vec<String>,
    /// Contents that the vault is to store for it.
    pub(crate) contents: Vec<(ContentDigest, Arc<Vec<u8>>)>,
}

/// One input.
#[non_exhaustive]
pub struct Document {
    /// The name that was given to the input.
    pub name: Option<String>,
    /// Its bytes in order.
    pub pieces: Vec<Piece>,
    /// Whether the vault keeps it as it came: it says what its entries do not.
    pub(crate) is_kept: bool,
}

impl std::fmt::Debug for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Imported")
            .field("entries", &self.entries.len())
            .field("earlier", &self.earlier)
            .field("files", &self.files)
            .field("repetitions", &self.repetitions)
            .field("left_out", &self.left_out)
            .field("findings", &self.findings.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ImportedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ImportedEntry")
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} pieces)", self.pieces.len())
    }
}

/// A run of bytes of an input.
#[non_exhaustive]
pub enum Piece {
    /// Bytes between resources.
    Gap(Vec<u8>),
    /// The original bytes of the entry at this position.
    Resource(usize),
    /// A part of them.
    Part {
        /// The position of the entry.
        entry: usize,
        /// Which of its original bytes.
        bytes: std::ops::Range<usize>,
    },
    /// The original bytes of an earlier version of an entry.
    Earlier {
        /// The position of the entry.
        entry: usize,
        /// The position of the version in [`ImportedEntry::earlier`].
        version: usize,
    },
    /// The original bytes of a file of an entry.
    File {
        /// The position of the entry.
        entry: usize,
        /// The position of the version in [`ImportedEntry::earlier`], if it is a file of one.
        version: Option<usize>,
        /// The position of the file among those of the source.
        file: usize,
    },
}

crate::secret::redacted_debug!(DeletedResource, Piece);
