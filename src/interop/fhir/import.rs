//! One import: inputs in, entries and findings out.
//!
//! `resources` = entries + earlier versions + repetitions + what is left out, always.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};

use thiserror::Error;

use super::bundle::Found;
use super::finding::{FindingReason, Findings};
use super::identity::{beside, identity_of, is_global, server_of};
use super::imported::{Document, Imported, ImportedEntry, LeftOut, PatientReferences, Piece};
use super::index::{Index, local_reference};
use super::input::{self, InputPiece};
use super::map;
use super::patients::{About, PatientKey, settle};
use crate::codec::json::{Json, JsonError};
use crate::crypto::digest::Digest;
use crate::record::{Person, Record};

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
    /// The input is not JSON.
    #[error("{0}; FHIR as JSON is expected")]
    Json(#[from] JsonError),
    /// Lines of the input are not JSON, and none of the others holds a resource.
    #[error("line {number}: {source}; one FHIR resource as JSON is expected on each line")]
    Line {
        /// The first such line, from 1.
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

/// An import in progress: several inputs are one set, in which references are resolved.
pub struct Import {
    options: ImportOptions,
    resources: Vec<Held>,
    inputs: Vec<HeldInput>,
    index: Index,
    findings: Findings,
    /// What could not be read: which input, where in it, and why.
    unread: Vec<(usize, String, FindingReason)>,
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
            unread: Vec::new(),
        }
    }

    /// Reads an input: a bundle, a resource, NDJSON, or wrappers of them such as
    /// `Parameters`.
    ///
    /// A line that cannot be read is left out and becomes a finding.
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
        self.unread
            .extend(input.unread.into_iter().map(|(place, reason)| (self.inputs.len(), place, reason)));
        for (path, reason) in input.beside {
            self.findings.add(path.to_owned(), reason);
        }
        let mut pieces = Vec::new();
        for piece in input.pieces {
            match piece {
                InputPiece::Gap(bytes) => pieces.push(Piece::Gap(bytes)),
                InputPiece::Resource(found) => {
                    if self.resources.len() >= limits.resources {
                        return Err(ImportError::TooManyResources { limit: limits.resources });
                    }
                    pieces.push(Piece::Resource(self.resources.len()));
                    let document = found.bundle_id.clone().or_else(|| name.map(str::to_owned));
                    self.hold(*found, document)?;
                }
            }
        }
        self.inputs.push(HeldInput { name: name.map(str::to_owned), pieces });
        Ok(())
    }

    fn hold(&mut self, found: Found, document: Option<String>) -> Result<(), ImportError> {
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
        self.report_unread();
        self.find_patients()?;
        let taken = self.choose()?;
        let mut making = Making::default();
        let mut places = Vec::with_capacity(self.resources.len());
        for (held, taken) in self.resources.iter().zip(&taken) {
            places.push(if *taken { Some(self.make(held, &mut making)?) } else { None });
        }
        let documents = documents(self.inputs, &places);
        let person = making.person.filter(|person| !person.is_nameless());
        let other_patients = places.iter().filter(|place| place.is_none()).count();
        Ok(Imported {
            kept_raw: making.kept_raw,
            repetitions: making.repetitions,
            entries: making.entries,
            findings: self.findings.into_list(),
            resources: places.len() + self.unread.len(),
            earlier: 0,
            left_out: LeftOut { other_patients, unreadable: self.unread.len(), ..LeftOut::default() },
            person,
            person_identities: making.person_identities,
            documents,
        })
    }

    /// Names what could not be read by its place, and by its input where there are several.
    fn report_unread(&self) {
        for (input, place, reason) in &self.unread {
            let path = match self.inputs.len() {
                1 => place.clone(),
                _ => format!("input {}, {place}", input + 1),
            };
            self.findings.add(path, *reason);
        }
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
                let patients = PatientReferences::new(named.iter().map(|key| self.reference(key)));
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
                let patients = PatientReferences::new(several.iter().map(|key| self.reference(key)));
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
        if let Record::Patient(patient) = &mapped.entry.record {
            making.person.get_or_insert_default().join(&Person::of(patient));
            making.person_identities.push(identity.clone());
        }
        let meta = json.member("meta");
        let text = |name| meta.and_then(|meta| meta.member(name)).and_then(Json::as_str);
        making.entries.push(ImportedEntry {
            is_global: is_global(&identity),
            server: server_of(&held.found),
            document: held.document.clone(),
            last_updated: text("lastUpdated").and_then(|text| text.parse().ok()),
            version_id: text("versionId").map(str::to_owned),
            earlier: Vec::new(),
            entry: mapped.entry,
            identity,
        });
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
    person: Option<Person>,
    person_identities: Vec<String>,
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
