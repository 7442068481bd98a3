//! One import: inputs in, entries and findings out.
//!
//! `resources` = entries + repetitions + resources of other patients, always.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};

use thiserror::Error;

use super::bundle::Found;
use super::finding::{Finding, FindingReason, Findings};
use super::index::{Index, global_reference, local_reference};
use super::input::{self, InputPiece};
use super::map;
use super::patients::{About, PatientKey, settle};
use crate::codec::json::JsonError;
use crate::crypto::digest::Digest;
use crate::record::Entry;

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
    /// 256 MiB an input, 64 MiB a line, 10 million values, 1 million resources.
    fn default() -> Self {
        Self { input_bytes: 256 << 20, line_bytes: 64 << 20, values: 10_000_000, resources: 1_000_000 }
    }
}

/// How to import.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// Whose records to take, where the input is about several patients: a reference
    /// such as `Patient/123`, an id, or a bundle entry's `fullUrl`.
    pub patient: Option<String>,
    /// What the import may cost.
    pub limits: ImportLimits,
}

impl ImportOptions {
    /// Takes the records of this patient only.
    #[must_use]
    pub fn for_patient(reference: impl Into<String>) -> Self {
        Self { patient: Some(reference.into()), ..Self::default() }
    }
}

/// Why nothing was imported. Names no value of the input.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Reading the input failed.
    #[error("the input cannot be read")]
    Read(#[from] io::Error),
    /// The input is larger than the limit.
    #[error("the input, or a line of it, is larger than {limit} bytes; split it or raise the limit")]
    TooLarge {
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
    /// The input is not JSON.
    #[error("{0}; FHIR as JSON is expected")]
    Json(#[from] JsonError),
    /// A line of the input is not JSON.
    #[error("line {number}: {source}; one FHIR resource as JSON is expected on each line")]
    Line {
        /// The line, from 1.
        number: usize,
        /// What is wrong.
        source: JsonError,
    },
    /// The input is encoded in UTF-16 or UTF-32.
    #[error("the input is in UTF-16 or UTF-32; convert it to UTF-8")]
    Utf16,
    /// The input is XML.
    #[error("the input is XML, such as FHIR XML, which is not read; ask for FHIR as JSON")]
    FhirXml,
    /// The input is JSON but not FHIR.
    #[error("the input is JSON but not FHIR: it has no resourceType")]
    NotFhir,
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

/// References to the patients of an input, each of which chooses one. `Debug` prints
/// their number only.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientReferences(Vec<String>);

impl PatientReferences {
    /// How many patients there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an error about several patients is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The references: first the patients in the input, in order, then those that it only
    /// refers to.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl std::fmt::Debug for PatientReferences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PatientReferences({})", self.0.len())
    }
}

/// What was imported.
#[derive(Debug)]
#[non_exhaustive]
pub struct Imported {
    /// The entries, in the order of the inputs.
    pub entries: Vec<ImportedEntry>,
    /// What a reader may rely on and no field carries.
    pub findings: Vec<Finding>,
    /// How many entries are of kind `other` because nothing maps their type.
    pub kept_raw: usize,
    /// How many resources the inputs hold: entries, repetitions and other patients'.
    pub resources: usize,
    /// How many resources were dropped because they repeat another byte for byte.
    pub repetitions: usize,
    /// How many resources are about other patients than the chosen one.
    pub other_patients: usize,
    /// The inputs, in order, as what stands between resources and the resources: their
    /// bytes one after another are the input. Only inputs all of whose resources were
    /// taken.
    pub documents: Vec<Document>,
}

/// An entry, and what tells it apart in its source.
#[non_exhaustive]
pub struct ImportedEntry {
    /// `Type/id`, with the base of the `fullUrl` in front where it has one; without an id,
    /// the `fullUrl`; without either, `sha256:` and the digest of its bytes. Where another
    /// resource of the same import has it, `#` and the beginning of that digest follow.
    pub identity: String,
    /// The entry.
    pub entry: Entry,
}

/// One input.
#[non_exhaustive]
pub struct Document {
    /// The name that was given to the input.
    pub name: Option<String>,
    /// Its bytes in order.
    pub pieces: Vec<Piece>,
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
    /// What stands between resources.
    Gap(Vec<u8>),
    /// The original bytes of the entry at this position.
    Resource(usize),
}

/// An import in progress: several inputs are one set, in which references are resolved.
pub struct Import {
    options: ImportOptions,
    resources: Vec<Held>,
    inputs: Vec<HeldInput>,
    index: Index,
    findings: Findings,
}

/// A resource held until all inputs are read.
struct Held {
    found: Found,
    document: Option<String>,
    about: About,
}

struct HeldInput {
    name: Option<String>,
    pieces: Vec<Piece>,
}

impl Import {
    /// An import of nothing yet.
    #[must_use]
    pub fn new(options: ImportOptions) -> Self {
        Self {
            options,
            resources: Vec::new(),
            inputs: Vec::new(),
            index: Index::default(),
            findings: Findings::default(),
        }
    }

    /// Reads an input: a bundle, a resource, or NDJSON.
    ///
    /// The name tells sources apart, where resources have no more than `Type/id`: a
    /// vault takes one for a newer version of another only from a bundle of the same id,
    /// or under the same name.
    ///
    /// # Errors
    /// [`ImportError`] when the input is not FHIR R4 as JSON or exceeds a limit.
    pub fn read(&mut self, name: Option<&str>, reader: impl Read) -> Result<(), ImportError> {
        let limits = self.options.limits;
        let input = input::read(reader, limits)?;
        let document = input.bundle_id.or_else(|| name.map(str::to_owned));
        let mut pieces = Vec::new();
        for piece in input.pieces {
            match piece {
                InputPiece::Gap(bytes) => pieces.push(Piece::Gap(bytes)),
                InputPiece::Resource(found) => {
                    if self.resources.len() >= limits.resources {
                        return Err(ImportError::TooManyResources { limit: limits.resources });
                    }
                    pieces.push(Piece::Resource(self.resources.len()));
                    self.hold(*found, document.clone())?;
                }
            }
        }
        self.inputs.push(HeldInput { name: name.map(str::to_owned), pieces });
        Ok(())
    }

    fn hold(&mut self, found: Found, document: Option<String>) -> Result<(), ImportError> {
        for _ in 0..found.empty_entries {
            self.findings.add("Bundle.entry".to_owned(), FindingReason::NoResource);
        }
        let json = input::parse(&found.bytes, self.options.limits)?;
        let summary = json.as_object().map(map::summarize).unwrap_or_default();
        self.index.add(&found, summary);
        self.resources.push(Held { found, document, about: About::default() });
        Ok(())
    }

    /// Makes entries of what was read.
    ///
    /// # Errors
    /// [`ImportError::SeveralPatients`] when there are several and none was chosen,
    /// [`ImportError::NoSuchPatient`] when the chosen one is not there.
    pub fn finish(mut self) -> Result<Imported, ImportError> {
        self.find_patients()?;
        let taken = self.choose()?;
        let mut making = Making::default();
        let mut places = Vec::with_capacity(self.resources.len());
        for (held, taken) in self.resources.iter().zip(&taken) {
            places.push(if *taken { Some(self.make(held, &mut making)?) } else { None });
        }
        let documents = documents(self.inputs, &places);
        let other_patients = places.iter().filter(|place| place.is_none()).count();
        Ok(Imported {
            kept_raw: making.kept_raw,
            repetitions: making.repetitions,
            entries: making.entries,
            findings: self.findings.into_list(),
            resources: places.len(),
            other_patients,
            documents,
        })
    }

    fn find_patients(&mut self) -> Result<(), ImportError> {
        for (position, held) in self.resources.iter_mut().enumerate() {
            let json = input::parse(&held.found.bytes, self.options.limits)?;
            if let Some(object) = json.as_object() {
                held.about = About::read(object, position, &held.found, &self.index);
            }
        }
        Ok(())
    }

    /// Which resources are taken.
    fn choose(&self) -> Result<Vec<bool>, ImportError> {
        let abouts: Vec<&About> = self.resources.iter().map(|held| &held.about).collect();
        let settled = settle(&abouts, &self.index);
        let named: BTreeSet<_> = abouts.iter().flat_map(|about| about.named.iter().cloned()).collect();
        let Some(chosen) = &self.options.patient else {
            if named.len() > 1 {
                let patients = PatientReferences(named.iter().map(|key| self.reference(key)).collect());
                return Err(ImportError::SeveralPatients { patients });
            }
            return Ok(vec![true; settled.len()]);
        };
        let key = self.called(&named, chosen)?;
        let is_taken = |(about, settled): (&&About, &BTreeSet<PatientKey>)| {
            let only = settled.iter().all(|other| other == key);
            about.named.contains(key) || (about.named.is_empty() && only)
        };
        Ok(abouts.iter().zip(&settled).map(is_taken).collect())
    }

    /// A reference that chooses a patient.
    fn reference(&self, key: &PatientKey) -> String {
        match key {
            PatientKey::Reference(text) => text.clone(),
            PatientKey::Resource(position) => {
                let names = self.names(*position);
                let unique = |name: &&String| self.index.resolve(name, None) == Some(*position);
                let name = names.iter().find(unique).or(names.first());
                name.cloned().unwrap_or_default()
            }
        }
    }

    /// The one patient that is called so.
    fn called<'k>(
        &self,
        named: &'k BTreeSet<PatientKey>,
        chosen: &str,
    ) -> Result<&'k PatientKey, ImportError> {
        let called: Vec<_> = named.iter().filter(|key| self.is_called(key, chosen)).collect();
        let exactly = called.iter().find(|key| self.reference(key) == chosen);
        match (called.as_slice(), exactly) {
            (_, Some(key)) | ([key], None) => Ok(key),
            ([], None) => Err(ImportError::NoSuchPatient { count: named.len() }),
            (several, None) => {
                let patients = PatientReferences(several.iter().map(|key| self.reference(key)).collect());
                Err(ImportError::SeveralPatients { patients })
            }
        }
    }

    fn is_called(&self, key: &PatientKey, chosen: &str) -> bool {
        match key {
            PatientKey::Reference(text) => text == chosen || text.strip_prefix("Patient/") == Some(chosen),
            PatientKey::Resource(position) => self
                .names(*position)
                .iter()
                .any(|name| name == chosen || name.strip_prefix("Patient/") == Some(chosen)),
        }
    }

    fn names(&self, position: usize) -> Vec<String> {
        let Some(held) = self.resources.get(position) else {
            return Vec::new();
        };
        let mut names: Vec<_> =
            local_reference(&held.found).into_iter().chain(held.found.full_url.clone()).collect();
        if names.is_empty() {
            names.push(identity_of(&held.found));
        }
        names
    }

    /// Makes the entry of a resource and returns its position.
    fn make(&self, held: &Held, making: &mut Making) -> Result<usize, ImportError> {
        let mut identity = identity_of(&held.found);
        let digest = Digest::of(&[&held.found.bytes]);
        let resource_type = held.found.resource_type.clone().unwrap_or_else(|| "Resource".to_owned());
        if let Some(&position) = making.seen.get(&(identity.clone(), digest)) {
            self.findings.add(resource_type, FindingReason::SameTwice);
            making.repetitions += 1;
            return Ok(position);
        }
        making.seen.insert((identity.clone(), digest), making.entries.len());
        if !making.identities.insert(identity.clone()) {
            self.findings.add(resource_type, FindingReason::SameIdentity);
            identity = beside(&identity, &digest);
            making.identities.insert(identity.clone());
        }
        let json = input::parse(&held.found.bytes, self.options.limits)?;
        let mapped =
            map::entry(&json, &held.found, held.document.as_deref(), &identity, &self.index, &self.findings);
        making.kept_raw += usize::from(mapped.kept_raw);
        making.entries.push(ImportedEntry { identity, entry: mapped.entry });
        Ok(making.entries.len() - 1)
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Import({} resources)", self.resources.len())
    }
}

/// Entries being made.
#[derive(Default)]
struct Making {
    entries: Vec<ImportedEntry>,
    seen: HashMap<(String, Digest), usize>,
    identities: BTreeSet<String>,
    kept_raw: usize,
    repetitions: usize,
}

fn identity_of(found: &Found) -> String {
    let digest = || format!("sha256:{}", Digest::of(&[&found.bytes]));
    let short = |name: &String| name.len() <= 1000;
    global_reference(found)
        .filter(short)
        .or_else(|| found.full_url.clone().filter(short))
        .unwrap_or_else(digest)
}

/// The identity of a resource beside another one that has its own.
pub(crate) fn beside(identity: &str, digest: &Digest) -> String {
    format!("{identity}#{}", digest.to_string().get(..16).unwrap_or_default())
}

/// Whether no two sources give the same identity to two resources: it has a server's
/// address or a UUID.
pub(crate) fn is_global(identity: &str) -> bool {
    let id = identity.rsplit('/').next().unwrap_or_default();
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    let is_uuid = lengths == [8, 4, 4, 4, 12] && id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    identity.contains("://") || identity.starts_with("urn:") || is_uuid
}

/// The inputs all of whose resources were taken, their pieces pointing to entries.
fn documents(inputs: Vec<HeldInput>, places: &[Option<usize>]) -> Vec<Document> {
    let place = |piece| match piece {
        Piece::Gap(bytes) => Some(Piece::Gap(bytes)),
        Piece::Resource(position) => places.get(position).copied().flatten().map(Piece::Resource),
    };
    let document = |input: HeldInput| {
        let pieces = input.pieces.into_iter().map(place).collect::<Option<Vec<_>>>()?;
        Some(Document { name: input.name, pieces })
    };
    inputs.into_iter().filter_map(document).collect()
}
