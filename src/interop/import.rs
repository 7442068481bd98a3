//! One import: inputs in, entries and findings out.
//!
//! `resources` = entries + earlier versions + files + repetitions + what is left out, always.

mod belonging;
mod choice;
mod making;
mod shown;
mod versions;

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::time::SystemTime;

use jiff::Timestamp;

use self::belonging::{Belonging, Rules, Verdict, named};
use self::choice::Choice;
use self::making::Making;
use self::shown::NamesShown;
use crate::interop::cda::{self, Role};
use crate::interop::fhir::about::{About, AboutReader, Shown};
use crate::interop::fhir::claimed::{self, Spoken};
use crate::interop::fhir::files::{Neighbours, is_file, labels_of};
use crate::interop::fhir::found::{Found, identity_of, server_of};
use crate::interop::fhir::held::{Held, HeldInput, Part, path_of};
use crate::interop::fhir::identifier::identifiers;
use crate::interop::fhir::index::{Index, Scope, Summary, absolute, each_reference};
use crate::interop::fhir::input::{self, InputPiece};
use crate::interop::fhir::linking::link;
use crate::interop::fhir::stored::described;
use crate::interop::fhir::summary::summarize;
use crate::interop::people::{Known, Mention, People};

use crate::codec::json::Object;
use crate::codec::xml::{declares_utf_16, to_text};
use crate::crypto::digest::Digest;
use crate::interop::claims::Claims;
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::foreign::ForeignFormat;
use crate::interop::imported::{DeletedResource, Imported, LeftOut, Piece};
use crate::interop::options::{ImportError, ImportOptions};
use crate::record::{Person, Record};

/// An import in progress.
///
/// Read one or more inputs, then [`finish`](Import::finish). References are resolved across all of
/// them. [`Vault::import`](crate::Vault::import) writes the result.
pub struct Import {
    options: ImportOptions,
    resources: Vec<Held>,
    inputs: Vec<HeldInput>,
    deleted: Vec<DeletedResource>,
    scopes: usize,
    index: Index,
    people: People,
    findings: Findings,
    /// What resources claim as parts of an export.
    spoken: Vec<(usize, Box<Claims>)>,
    /// Whose the parts of documents are.
    subjects: Vec<Subjects>,
    /// What could not be read: which input, where in it, and why.
    unread: Vec<(usize, String, FindingReason)>,
}

impl Import {
    /// An import with no input yet.
    #[must_use]
    pub fn new(options: ImportOptions) -> Self {
        Self {
            options,
            resources: Vec::new(),
            inputs: Vec::new(),
            deleted: Vec::new(),
            scopes: 0,
            index: Index::default(),
            people: People::default(),
            findings: Findings::default(),
            spoken: Vec::new(),
            subjects: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Reads an input: a FHIR bundle, a resource, NDJSON, or wrappers of them such as
    /// `Parameters`; or a C-CDA document. What it is, its content says.
    ///
    /// A line that cannot be read is left out and becomes a finding.
    ///
    /// `name` tells sources apart if resources have only `Type/id`. A vault takes one of them
    /// for a newer version of another only if the bundle's id or this name is the same.
    ///
    /// # Errors
    /// [`ImportError`] if the input is neither FHIR R4 as JSON nor C-CDA, or exceeds a limit.
    pub fn read(&mut self, name: Option<&str>, reader: impl Read) -> Result<(), ImportError> {
        let limits = self.options.limits;
        let input = input::read(reader, limits)?;
        if let Some(document) = input.cda {
            return self.read_cda(name, document);
        }
        self.unread
            .extend(input.unread.into_iter().map(|(place, reason)| (self.inputs.len(), place, reason)));
        for (path, reason) in input.beside {
            self.findings.add(path, reason);
        }
        let mut pieces = Vec::new();
        let first = self.resources.len();
        let mut scopes = Scopes { next: self.scopes, known: HashMap::new() };
        for piece in input.pieces {
            match piece {
                InputPiece::Gap(bytes) => pieces.push(Piece::Gap(bytes)),
                InputPiece::Resource(found) => {
                    if self.resources.len() >= limits.resources {
                        return Err(ImportError::TooManyResources { limit: limits.resources });
                    }
                    pieces.push(Piece::Resource(self.resources.len()));
                    let scope = scopes.of(&found);
                    let document = found.bundle_id.clone().or_else(|| name.map(str::to_owned));
                    let held = Self::held(*found, document, scope);
                    self.hold(held)?;
                }
            }
        }
        let document = |bundle: Option<String>| bundle.or_else(|| name.map(str::to_owned));
        self.deleted.extend(input.deleted.iter().map(|(identity, bundle)| DeletedResource {
            identity: identity.clone(),
            document: document(bundle.clone()),
        }));
        let deleted: HashSet<_> = input.deleted.into_iter().map(|(identity, _)| identity).collect();
        for held in self.resources.iter_mut().skip(first) {
            held.is_deleted = !deleted.is_empty() && deleted.contains(&identity_of(&held.found));
        }
        self.scopes = scopes.next;
        self.inputs.push(HeldInput { name: name.map(str::to_owned), pieces, is_kept: false });
        Ok(())
    }

    /// Whether an input says that it is an export of a vault. Ask whoever imports it whether
    /// they made it themselves, and if so call [`as_own_export`](Import::as_own_export).
    #[must_use]
    pub fn holds_export(&self) -> bool {
        !self.spoken.is_empty()
    }

    /// Believes what the inputs say as exports of a vault
    /// ([`ImportOptions::own_export`]).
    pub fn as_own_export(&mut self) {
        self.options.own_export = true;
    }

    /// Reads a C-CDA document.
    fn read_cda(&mut self, name: Option<&str>, bytes: Vec<u8>) -> Result<(), ImportError> {
        let is_utf_16 = declares_utf_16(&bytes);
        let (text, original) = to_text(bytes)?;
        // Other texts in UTF-16 are refused as ever.
        if is_utf_16 && ForeignFormat::of(text.as_bytes()) != Some(ForeignFormat::Cda) {
            return Err(ImportError::Utf16);
        }
        let document = cda::read(&text)?;
        if self.resources.len() + document.parts.len() > self.options.limits.resources {
            return Err(ImportError::TooManyResources { limit: self.options.limits.resources });
        }
        if original.is_some() {
            self.findings.add("ClinicalDocument".to_owned(), FindingReason::Recoded);
        }
        for ((path, reason), count) in document.findings {
            self.findings.add_times(path, reason, count);
        }
        self.scopes += 1;
        let scope = Scope(self.scopes);
        let first = self.resources.len();
        let (mut patients, mut ranges) = (Vec::new(), Vec::new());
        for mut part in document.parts {
            let position = self.resources.len();
            part.ranges.truncate(part.own);
            ranges.push((position, part.ranges));
            let is_patient = match part.role {
                Role::Patient(person) => {
                    self.people.add_resource(position, None, *person);
                    patients.push(position);
                    true
                }
                Role::Other => false,
            };
            let sort = if is_patient { "Patient" } else { CDA };
            let summary = Summary { resource_type: Some(sort.to_owned()), ..Summary::default() };
            let found = Found {
                resource_type: Some(sort.to_owned()),
                id: None,
                name: Some(part.identity),
                full_url: None,
                last_modified: None,
                etag: None,
                bundle_id: None,
                bundle: None,
                text: 0,
                span: 0..0,
                bytes: Vec::new(),
            };
            self.index.add(&found, scope, summary);
            let source = part.prepared.entry.source.as_ref();
            let said = source.map(|source| source.bytes.as_slice()).unwrap_or_default();
            self.resources.push(Held {
                digest: Digest::of(&[said]),
                document: Some(document.name.clone()),
                scope,
                server: None,
                last_updated: document.effective.clone(),
                version_id: document.version.clone(),
                labels: Vec::new(),
                is_deleted: false,
                part: Part::Prepared(Box::new(part.prepared)),
                found,
            });
        }
        let of = Subjects { parts: first..self.resources.len(), patients };
        self.subjects.push(of);
        let pieces = document_pieces(&text, original, &ranges);
        self.inputs.push(HeldInput { name: name.map(str::to_owned), pieces, is_kept: true });
        Ok(())
    }

    /// What each part of a C-CDA document says of whom it is about: the patients of the document.
    fn about_part(&self, position: usize) -> About {
        let of = self.subjects.iter().find(|of| of.parts.contains(&position));
        let patients = of.map(|of| of.patients.as_slice()).unwrap_or_default();
        let is_own = patients.contains(&position);
        let about = patients.iter().filter(|patient| !is_own || **patient == position);
        let mut named: Vec<Mention> = about.filter_map(|patient| self.people.itself_at(*patient)).collect();
        named.sort_unstable();
        named.dedup();
        About { named, ..About::default() }
    }

    fn held(found: Found, document: Option<String>, scope: Scope) -> Held {
        Held {
            document,
            scope,
            server: server_of(&found),
            last_updated: None,
            version_id: None,
            digest: Digest::of(&[&found.bytes]),
            labels: Vec::new(),
            is_deleted: false,
            part: Part::Resource,
            found,
        }
    }

    fn hold(&mut self, mut held: Held) -> Result<(), ImportError> {
        let json = input::parse(&held.found.bytes, self.options.limits)?;
        let position = self.resources.len();
        let nothing = Object::default();
        let object = json.as_object().unwrap_or(&nothing);
        let meta = |name| object.member("meta")?.member(name)?.as_str().map(str::to_owned);
        // Some servers say it beside the resource only.
        held.last_updated = meta("lastUpdated").or(held.found.last_modified.take());
        held.version_id = meta("versionId").or(held.found.etag.take().as_deref().map(version_of_etag));
        if is_file(held.found.resource_type.as_deref()) {
            held.labels = labels_of(object);
        }
        match claimed::spoken(held.resource_type(), object) {
            Some(Spoken::Claims(claims)) => self.spoken.push((position, claims)),
            Some(Spoken::Unreadable) => {
                self.findings.add("Provenance.extension".to_owned(), FindingReason::ClaimsNothing);
            }
            Some(Spoken::Head) => held.part = Part::Beside,
            None => {}
        }
        let namesake = self.index.add(&held.found, held.scope, summarize(object));
        for identifier in identifiers(object) {
            self.index.add_identifier(&identifier);
        }
        each_reference(&json, &mut |reference| {
            if reference.contains("Patient/") {
                self.index.note(&absolute(reference, held.found.full_url.as_deref()));
            }
        });
        if held.resource_type() == "Patient" {
            let content = held.found.id.is_some().then_some(held.digest);
            self.people.add_resource(position, content, described(object));
            if let Some(first) = namesake {
                self.people.meet_namesake(first, position, held.server.is_some());
            }
        }
        self.resources.push(held);
        Ok(())
    }

    /// Makes entries from what was read.
    ///
    /// # Errors
    /// [`ImportError::SeveralPatients`] if there are several and you chose none,
    /// [`ImportError::NoSuchPatient`] if the chosen one is not there.
    pub fn finish(mut self) -> Result<Imported, ImportError> {
        self.report_unread();
        let spoken = std::mem::take(&mut self.spoken);
        let (own, limits) = (self.options.own_export, self.options.limits);
        link(&mut self.resources, spoken, own, limits, &self.findings);
        for (position, held) in self.resources.iter().enumerate() {
            self.index.note_author(position, held.place());
        }
        let mut abouts = self.abouts()?;
        let shown: Vec<Vec<Shown>> =
            abouts.iter_mut().map(|about| std::mem::take(&mut about.shown)).collect();
        let belonging = Belonging::new(&abouts, &self.index, &self.people);
        let named = belonging.people(&self.people);
        let several = named.len() > 1;
        let choice = Choice { people: &self.people, resources: &self.resources, named: &named };
        let person = choice.choose(self.options.patient.as_deref())?;
        let rules = Rules {
            takes_shared: self.options.patient.is_none(),
            unknown_are_the_patients: self.options.unknown_subjects_are_the_patients && !several,
        };
        let verdicts = belonging.verdicts(person, rules);
        let mut neighbours = Neighbours::default();
        for (from, about) in abouts.iter().enumerate() {
            about.linked.iter().for_each(|to| neighbours.add(&self.index, from, *to));
        }
        drop(abouts);
        let mut left_out = LeftOut { unreadable: self.unread.len(), ..LeftOut::default() };
        let mut taken = Vec::with_capacity(verdicts.len());
        for (held, verdict) in self.resources.iter().zip(verdicts) {
            let verdict = match (&held.part, verdict) {
                (Part::Beside, _) => {
                    taken.push(false);
                    continue;
                }
                (Part::Claimed(claimed), _) if claimed.is_believed => Verdict::Taken,
                // An export of a vault that describes no patient has nobody to refer to.
                (Part::Claimed(_), Verdict::Unknown(_)) if !several => Verdict::TakenForNobody,
                (_, verdict) => verdict,
            };
            taken.push(self.judge(held, verdict, &mut left_out));
        }
        self.make(&taken, left_out, person, (&shown, &neighbours))
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

    /// What each resource says of whom it is about.
    fn abouts(&mut self) -> Result<Vec<About>, ImportError> {
        let mut abouts = Vec::with_capacity(self.resources.len());
        let mut of_export: Option<Mention> = None;
        for (position, held) in self.resources.iter().enumerate() {
            if held.prepared().is_some() {
                abouts.push(self.about_part(position));
                continue;
            }
            if held.is_beside() {
                abouts.push(About::default());
                continue;
            }
            let json = input::parse(&held.found.bytes, self.options.limits)?;
            let nothing = Object::default();
            let name = held.identity();
            let reader = AboutReader {
                object: json.as_object().unwrap_or(&nothing),
                resource_type: held.resource_type(),
                position,
                name: &name,
                place: held.place(),
                index: &self.index,
                people: &mut self.people,
            };
            let mut about = reader.read();
            if held.believed().is_some() {
                // All that the vault had was about one person, however its sources name them.
                for mention in about.named.drain(..) {
                    let first = *of_export.get_or_insert(mention);
                    self.people.unite(first, mention);
                }
                about = About { named: of_export.into_iter().collect(), ..About::default() };
            }
            abouts.push(about);
        }
        self.people.join_references(|local| self.index.sole_base(local));
        self.join_unnamed(&abouts);
        Ok(abouts)
    }

    /// A patient without any name by which others could refer to it is the one to whom
    /// they all refer, if there is one of each.
    fn join_unnamed(&mut self, abouts: &[About]) {
        let mut patients = self.people.described();
        let (Some((position, patient)), None) = (patients.next(), patients.next()) else { return };
        drop(patients);
        let held = position.and_then(|position| self.resources.get(position));
        let is_nameless = |held: &Held| {
            let found = &held.found;
            found.id.is_none() && found.full_url.is_none() && found.name.is_none()
        };
        if !held.is_some_and(is_nameless) {
            return;
        }
        let named = named(abouts, &self.people);
        let mut others = named.iter().filter(|other| **other != self.people.root(patient));
        if let (Some(&other), None) = (others.next(), others.next()) {
            self.people.unite(patient, other);
        }
    }

    /// Whether a resource is taken; one that is not is counted and reported.
    fn judge(&self, held: &Held, verdict: Verdict, left_out: &mut LeftOut) -> bool {
        let resource_type = path_of(held.resource_type());
        let report = |path: &str, reason| {
            let dot = if path.is_empty() { "" } else { "." };
            self.findings.add(format!("{resource_type}{dot}{path}"), reason);
        };
        let (count, path, reason) = match verdict {
            Verdict::Taken | Verdict::TakenForNobody | Verdict::TakenAsDecided if held.is_deleted => {
                (&mut left_out.deleted, "", FindingReason::Deleted)
            }
            Verdict::Taken => return true,
            Verdict::TakenForNobody => {
                report("", FindingReason::NamesNobody);
                return true;
            }
            Verdict::TakenAsDecided => {
                report("", FindingReason::SubjectDecided);
                return true;
            }
            Verdict::OtherPatient => {
                left_out.other_patients += 1;
                return false;
            }
            Verdict::SeveralPatients => (&mut left_out.other_patients, "", FindingReason::SeveralSubjects),
            Verdict::Unknown(path) => (&mut left_out.unknown_subject, path, FindingReason::SubjectUnknown),
            Verdict::OtherSubject(path) => (&mut left_out.unknown_subject, path, FindingReason::OtherSubject),
            Verdict::Unreferenced => (&mut left_out.unreferenced, "", FindingReason::Unreferenced),
        };
        *count += 1;
        report(path, reason);
        false
    }

    fn make(
        mut self,
        taken: &[bool],
        left_out: LeftOut,
        person: Option<Mention>,
        (shown, neighbours): (&[Vec<Shown>], &Neighbours),
    ) -> Result<Imported, ImportError> {
        let now = self.options.now.unwrap_or_else(SystemTime::now);
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::MAX);
        let ordinary = self.resources.iter().zip(taken);
        let ordinary: Vec<bool> = ordinary.map(|(held, taken)| *taken && held.claimed().is_none()).collect();
        let earlier = versions::earlier(&self.resources, &ordinary, now);
        let beside = self.resources.iter().filter(|held| held.is_beside()).count();
        let mut making = Making::new(self.options.limits, &self.index, &self.findings);
        making.make(&self.resources, taken, &earlier, neighbours)?;
        let made = making.finish(std::mem::take(&mut self.inputs));
        // Corrections of the patient's description are in what an own export says.
        let corrected = made.entries.iter().filter(|entry| self.options.own_export && entry.key.is_some());
        let corrected = corrected.filter_map(|entry| match &entry.entry.record {
            Record::Patient(patient) => Some(Person::of(patient)),
            _ => None,
        });
        let corrected = corrected.reduce(|mut one, other| {
            one.join(&other);
            one
        });
        let described = corrected.or_else(|| person.map(|person| self.people.person(person).clone()));
        let described = described.filter(|person| !person.is_nameless());
        if person.is_some() && described.is_none() {
            self.findings.add("Patient".to_owned(), FindingReason::KnownByReference);
        }
        let shown = NamesShown::of(shown, taken, &self.resources, (&self.people, person), &self.findings);
        let is_named = described.as_ref().is_some_and(|person| !person.names().is_empty());
        Ok(Imported {
            person_shown: shown.person.filter(|_| !is_named),
            named_otherwise: shown.otherwise,
            person: described,
            person_identities: person.map(|person| self.identities(person, taken)).unwrap_or_default(),
            resources: taken.len() - beside + self.unread.len(),
            beside,
            own_export: self.options.own_export,
            earlier: made.earlier,
            files: made.files,
            repetitions: made.repetitions,
            kept_raw: made.kept_raw,
            entries: made.entries,
            documents: made.documents,
            deleted: self.deleted,
            findings: self.findings.into_list(),
            left_out,
        })
    }

    /// What a person is called: the identities of patients that are taken, and the
    /// references to those that are not in the input.
    fn identities(&self, person: Mention, taken: &[bool]) -> Vec<String> {
        let mentions = self.people.mentions().filter(|(mention, _)| self.people.root(*mention) == person);
        let mut identities: Vec<_> = mentions
            .filter_map(|(_, known)| match known {
                Known::Resource(position) => {
                    let held = self.resources.get(*position).filter(|_| taken.get(*position) == Some(&true));
                    held.map(Held::identity)
                }
                Known::Reference(text) => Some(text.clone()),
                Known::Contained(_) => None,
            })
            .collect();
        identities.sort_unstable();
        identities.dedup();
        identities
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Import({} resources)", self.resources.len())
    }
}

/// A document as the originals of its parts and what stands between them, or as it is where it
/// had to be recoded. Every part is named: it is of this document.
fn document_pieces(
    text: &str,
    original: Option<Vec<u8>>,
    parts: &[(usize, Vec<std::ops::Range<usize>>)],
) -> Vec<Piece> {
    let mut pieces: Vec<Piece> =
        parts.iter().map(|(position, _)| Piece::Part { entry: *position, bytes: 0..0 }).collect();
    if let Some(original) = original {
        pieces.push(Piece::Gap(original));
        return pieces;
    }
    let mut found = Vec::new();
    for (position, ranges) in parts {
        let mut at = 0;
        for range in ranges {
            found.push((range.start, range.end, *position, at));
            at += range.len();
        }
    }
    found.sort_unstable();
    let gap = |range: std::ops::Range<usize>| {
        text.as_bytes().get(range).filter(|bytes| !bytes.is_empty()).map(|bytes| Piece::Gap(bytes.to_vec()))
    };
    let mut end = 0;
    for (from, to, position, at) in found {
        // What is around several entries is in each of them.
        if from >= end {
            pieces.extend(gap(end..from));
            pieces.push(Piece::Part { entry: position, bytes: at..at + (to - from) });
            end = to;
        }
    }
    pieces.extend(gap(end..text.len()));
    pieces
}

/// What parts of C-CDA documents are called in findings.
const CDA: &str = "ClinicalDocument";

/// The parts of a document, and which of them are its patients.
struct Subjects {
    parts: std::ops::Range<usize>,
    patients: Vec<usize>,
}

/// The version that an `ETag` such as `W/"3"` names (FHIR R4 section 3.1.0.1.3).
fn version_of_etag(etag: &str) -> String {
    etag.trim().trim_start_matches("W/").trim_matches('"').to_owned()
}

/// The scopes of one input: its bundles, and what is in none.
struct Scopes {
    next: usize,
    known: HashMap<Option<(usize, usize)>, Scope>,
}

impl Scopes {
    fn of(&mut self, found: &Found) -> Scope {
        *self.known.entry(found.bundle.map(|bundle| (found.text, bundle))).or_insert_with(|| {
            self.next += 1;
            Scope(self.next)
        })
    }
}
