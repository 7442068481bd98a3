//! A document as parts, each of which becomes an entry.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::context::Context;
use super::map;
use super::narrative::{self, Narrative};
use super::part::{Made, Part, Role, bytes_of, without};
use super::section::{sections, word_of};
use super::sharing::share;
use super::statement::{Unit, add_words, statement_in, statements_in};
use super::{conserve, header};
use crate::codec::xml::{El, Space, parse};
use crate::crypto::digest::Digest;
use crate::interop::finding::FindingReason;
use crate::interop::fitting;
use crate::interop::foreign::ForeignFormat;
use crate::interop::options::ImportError;
use crate::interop::prepared::Prepared;
use crate::record::{
    Coding, Concept, Entry, Kind, Note, Origin, Other, PartialDate, Party, Provenance, Record, Source,
    SourceFile, SourceFormat, Token,
};

/// A document, read.
pub(crate) struct CdaDocument {
    pub(crate) parts: Vec<Part>,
    /// What was found where no entry came from it.
    pub(crate) findings: BTreeMap<(String, FindingReason), usize>,
    /// What it is called: its id, with what it is and when.
    pub(crate) name: String,
    pub(crate) effective: Option<String>,
    pub(crate) version: Option<String>,
}

/// Longest name of something.
const NAME: usize = 600;
/// What one document may copy of itself into entries, beside twice its length.
const COPIES: usize = 1 << 20;
/// Most statements of a document. The longest in the field have some thousands.
const MOST_STATEMENTS: usize = 20_000;
/// Longest original of an entry.
const ENTRY: usize = 48 << 20;

/// Reads a document from its text.
///
/// # Errors
/// [`ImportError`] if it is not well-formed, over a limit, encrypted, or no C-CDA.
pub(crate) fn read(text: &str) -> Result<CdaDocument, ImportError> {
    let tree = parse(text).map_err(ImportError::from)?;
    let root = tree.root();
    if !root.is("ClinicalDocument") {
        return Err(ImportError::Foreign { format: ForeignFormat::Cda });
    }
    if root.elements().any(|inner| inner.space() == Space::Encryption) {
        return Err(ImportError::Encrypted);
    }
    let narrative = Narrative::of(root);
    let context = Context::new(&narrative, "ClinicalDocument");
    let effective = root.child("effectiveTime").and_then(|time| context.as_date(time));
    let document = Document {
        text,
        root,
        narrative: &narrative,
        name: name_of(root, effective.as_ref()),
        labels: header::labels(&context, root),
        author: header::author(&context, root),
        custodian: context.parties(root, "custodian").into_iter().next(),
        effective,
        copies: Cell::new(0),
        findings: RefCell::default(),
    };
    document.read()
}

struct Document<'t> {
    text: &'t str,
    root: El<'t>,
    narrative: &'t Narrative<'t>,
    name: String,
    labels: Vec<Coding>,
    author: Option<Party>,
    custodian: Option<Party>,
    effective: Option<PartialDate>,
    /// How many bytes went into entries.
    copies: Cell<usize>,
    /// What was found where no entry came from it.
    findings: RefCell<BTreeMap<(String, FindingReason), usize>>,
}

/// The name of a document: programs draw the same ids for several, so what it is and when it
/// was made count, unless it is one of a series.
fn name_of(root: El<'_>, effective: Option<&PartialDate>) -> String {
    let id = |name| root.child(name).and_then(named_by_id);
    let code = root.child("code").and_then(|code| code.peek("code")).unwrap_or_default();
    let is_versioned = root.child("versionNumber").is_some_and(|number| number.peek("value").is_some());
    let name = match id("setId").filter(|_| is_versioned) {
        Some(set) => format!("C-CDA {set} {code}"),
        None => {
            let when = effective.map(PartialDate::as_str).unwrap_or_default();
            format!("C-CDA {} {code} {when}", id("id").unwrap_or_default())
        }
    };
    match name.len() <= NAME && root.child("id").is_some() {
        true => name.trim_end().to_owned(),
        false => format!("C-CDA sha256:{}", Digest::of(&[root.bytes().as_bytes()])),
    }
}

/// `root|extension` of an `id`.
fn named_by_id(id: El<'_>) -> Option<String> {
    let root = id.peek("root")?;
    Some(match id.peek("extension") {
        Some(extension) => format!("{root}|{extension}"),
        None => root.to_owned(),
    })
}

impl<'t> Document<'t> {
    fn read(self) -> Result<CdaDocument, ImportError> {
        let body = self.root.children("component").find_map(|component| component.child("structuredBody"));
        let mut statements = 0;
        for section in body.into_iter().flat_map(sections) {
            let place = word_of(section);
            let found = section.children("entry").filter_map(statement_in);
            statements += found.map(|statement| map::units(statement, place).len()).sum::<usize>();
        }
        if statements > MOST_STATEMENTS {
            return Err(ImportError::TooManyResources { limit: MOST_STATEMENTS });
        }
        let mut parts = Vec::new();
        let targets: Vec<El<'t>> = self.root.children("recordTarget").collect();
        for target in &targets {
            parts.push(self.patient(*target));
        }
        let encounter = self.root.at(&["componentOf", "encompassingEncounter"]);
        parts.extend(encounter.map(|encounter| self.encounter(encounter)));
        parts.push(self.itself(&targets, encounter, body));
        for section in body.into_iter().flat_map(sections) {
            self.section(section, &mut parts);
        }
        let version = self.root.child("versionNumber").and_then(|number| number.peek("value"));
        Ok(CdaDocument {
            parts,
            findings: self.findings.take(),
            version: version.map(str::to_owned),
            effective: self.effective.as_ref().map(|date| date.as_str().to_owned()),
            name: self.name,
        })
    }

    fn context(&self, place: &'static str) -> Context<'t> {
        Context { made: self.effective.clone(), ..Context::new(self.narrative, place) }
    }

    fn patient(&self, target: El<'t>) -> Part {
        let context = self.context("ClinicalDocument");
        let (record, person) = header::patient(&context, target);
        conserve::report(&context, target, &[]);
        let id = target.at(&["patientRole", "id"]).and_then(named_by_id).unwrap_or_default();
        self.part(Made {
            context,
            record: record.into(),
            kept_raw: false,
            role: Role::Patient(Box::new(person)),
            identity: format!("patient {id}"),
            ranges: vec![target.span()],
            fragments: Vec::new(),
            labels: Vec::new(),
            author: None,
        })
    }

    fn encounter(&self, encounter: El<'t>) -> Part {
        let context = self.context("ClinicalDocument");
        let record = map::encounter_of(&context, encounter);
        conserve::report(&context, encounter, &[]);
        self.part(Made {
            context,
            record,
            kept_raw: false,
            role: Role::Other,
            identity: self.identity("encompassingEncounter", encounter, &[encounter.span()]),
            ranges: vec![encounter.span()],
            fragments: Vec::new(),
            labels: Vec::new(),
            author: None,
        })
    }

    /// The document itself, without what its parts have.
    fn itself(&self, targets: &[El<'t>], encounter: Option<El<'t>>, body: Option<El<'t>>) -> Part {
        let context = self.context("ClinicalDocument");
        let record = header::document(&context, self.root, &self.labels, self.effective.clone());
        let sections = body.into_iter().flat_map(|body| body.children("component"));
        let sections = sections.filter(|part| part.child("section").is_some());
        let apart: Vec<El<'t>> = targets.iter().copied().chain(encounter).chain(sections).collect();
        let mut numbers: Vec<u32> = apart.iter().map(|element| element.number()).collect();
        numbers.sort_unstable();
        conserve::report(&context, self.root, &numbers);
        let holes: Vec<Range<usize>> = apart.iter().map(|element| element.span()).collect();
        self.part(Made {
            context,
            record,
            kept_raw: false,
            role: Role::Other,
            identity: "document".to_owned(),
            ranges: without(self.root.span(), &holes),
            fragments: Vec::new(),
            labels: Vec::new(),
            author: None,
        })
    }

    fn identity(&self, name: &str, element: El<'t>, ranges: &[Range<usize>]) -> String {
        let id = element.children("id").find_map(named_by_id);
        match id.filter(|id| id.len() <= NAME / 2) {
            Some(id) => format!("{name} {id}"),
            None => format!("{name} sha256:{}", Digest::of(&[&bytes_of(self.text, ranges)])),
        }
    }

    fn section(&self, section: El<'t>, parts: &mut Vec<Part>) {
        let place = word_of(section);
        let head = self.context(place);
        let labels = header::labels(&head, section);
        let author = header::author(&head, section);
        let mut made: Vec<Made<'t>> = Vec::new();
        let mut apart: Vec<El<'t>> = Vec::new();
        for entry in section.children("entry") {
            apart.push(entry);
            let Some(statement) = statement_in(entry) else {
                made.extend(self.unknown(entry, place));
                continue;
            };
            made.extend(self.statement(entry, statement, place));
        }
        // What is in other namespaces or of no known name is kept too.
        for odd in section.elements().filter(|inner| inner.space() == Space::Encryption) {
            apart.push(odd);
            made.extend(self.unknown(odd, place));
        }
        for one in &mut made {
            one.labels.extend(labels.iter().cloned());
            one.author = one.author.take().or_else(|| author.clone());
        }
        let text = section.child("text");
        let taken = text.map(|text| share(text, &mut made)).unwrap_or_default();
        let note = self.note(section, text, &taken, &apart, (labels, author, head));
        parts.extend(made.into_iter().map(|made| self.part(made)));
        parts.extend(note);
    }

    /// What stands where a statement should and is none: encrypted, or not known.
    fn unknown(&self, element: El<'t>, place: &'static str) -> Option<Made<'t>> {
        let is_encrypted = element.space() == Space::Encryption
            || element.elements().any(|inner| inner.space() == Space::Encryption);
        if !is_encrypted && element.elements().next().is_none() {
            return None;
        }
        let context = self.context(place);
        context.not_understood(element);
        context.report(element, if is_encrypted { FindingReason::Encrypted } else { FindingReason::KeptRaw });
        let name = if is_encrypted { "EncryptedData" } else { "entry" };
        let record = Other { resource_type: Token::new(name).ok(), ..Other::default() };
        Some(Made {
            context,
            record: record.into(),
            kept_raw: true,
            role: Role::Other,
            identity: self.identity(name, element, &[element.span()]),
            ranges: vec![element.span()],
            fragments: Vec::new(),
            labels: Vec::new(),
            author: None,
        })
    }

    fn statement(&self, entry: El<'t>, statement: El<'t>, place: &'static str) -> Vec<Made<'t>> {
        let units = map::units(statement, place);
        let containers: Vec<El<'t>> = units.iter().filter_map(|unit| unit.container).collect();
        let around = around(self.text, entry, &containers);
        let mut made: Vec<Made<'t>> =
            units.iter().map(|unit| self.unit(entry, unit, &around, place)).collect();
        if statements_in(entry).count() > 1 {
            made.iter().for_each(|one| one.context.not_understood(entry));
        }
        if !containers.is_empty() {
            // What is around several is named once, and marks each.
            let context = self.context(place);
            let numbers: Vec<u32> = containers.iter().map(|container| container.number()).collect();
            conserve::report(&context, entry, &numbers);
            let marks: Vec<String> = context.not_understood.take().into_iter().take(MOST_MARKS).collect();
            for one in &made {
                one.context.not_understood.borrow_mut().extend(marks.iter().cloned());
            }
            if let Some(first) = made.first_mut() {
                first.context.findings.borrow_mut().extend(context.findings.take());
            }
        }
        made
    }

    /// The entry of a statement, with its own bytes and those around it.
    fn unit(&self, entry: El<'t>, unit: &Unit<'t>, around: &[Range<usize>], place: &'static str) -> Made<'t> {
        let context = self.context(place);
        let (record, kept_raw) = map::record(&context, unit);
        let ranges = match unit.container {
            None => vec![entry.span()],
            Some(container) => {
                let mut ranges: Vec<_> = around.iter().cloned().chain([container.span()]).collect();
                ranges.sort_by_key(|range| range.start);
                ranges
            }
        };
        let mut labels = header::labels(&context, unit.own);
        let mut author = header::author(&context, unit.own);
        if unit.own != unit.outer {
            labels.extend(header::labels(&context, unit.outer));
            author = author.or_else(|| header::author(&context, unit.outer));
        }
        conserve::report(&context, unit.container.unwrap_or(entry), &[]);
        let identity = self.identity(unit.own.name(), unit.own, &[unit.own.span()]);
        let fragments = context.referred.take();
        Made { context, record, kept_raw, role: Role::Other, identity, ranges, fragments, labels, author }
    }

    /// What the narrative of a section says and no entry has.
    fn note(
        &self,
        section: El<'t>,
        text: Option<El<'t>>,
        taken: &[u32],
        apart: &[El<'t>],
        (labels, author, context): (Vec<Coding>, Option<Party>, Context<'t>),
    ) -> Option<Part> {
        let title = section.child("title").map(El::words);
        let code = context.concept(section, "code").map(|code| named(code, title.as_deref()));
        let inner: Vec<El<'t>> = section.children("component").collect();
        let mut numbers: Vec<u32> = apart.iter().chain(&inner).map(|element| element.number()).collect();
        numbers.extend(text.map(El::number));
        let mut holes: Vec<Range<usize>> = apart.iter().chain(&inner).map(|element| element.span()).collect();
        numbers.sort_unstable();
        let words = text.map(|text| narrative::plain(text, taken)).unwrap_or_default();
        let is_empty = text.is_none_or(|text| narrative::is_headings(text, taken));
        if let Some(text) = text {
            collect(text, taken, &mut holes);
        }
        conserve::report(&context, section, &numbers);
        if is_empty {
            // Nothing but headings: they are part of no entry, and that is said.
            context.add(context.place.to_owned(), FindingReason::HeadingsOnly);
            for (found, count) in context.findings.take() {
                *self.findings.borrow_mut().entry(found).or_default() += count;
            }
            return None;
        }
        let form = match codes_of(&code, &labels) {
            true => "psychotherapy",
            false => "other",
        };
        let mut note = Note {
            form: Token::new(form).ok(),
            date: self.effective.clone(),
            title: title.and_then(|title| context.token(section, &title)),
            code,
            custodian: self.custodian.clone(),
            ..Note::default()
        };
        note.authors.extend(author.clone().or_else(|| self.author.clone()));
        note.text.extend(text.and_then(|text| context.words(text, &words)));
        let ranges = without(section.span(), &holes);
        Some(self.part(Made {
            context,
            record: note.into(),
            kept_raw: false,
            role: Role::Other,
            identity: self.identity(&format!("section {}", word_of(section)), section, &ranges),
            ranges,
            fragments: Vec::new(),
            labels,
            author,
        }))
    }

    fn part(&self, made: Made<'t>) -> Part {
        let Made { context, mut record, kept_raw, role, identity, mut ranges, fragments, labels, author } =
            made;
        let size: usize = ranges.iter().map(Range::len).sum();
        let most = (2 * self.text.len() + COPIES).saturating_sub(self.copies.get()).min(ENTRY);
        let mut bytes = Vec::new();
        if size > most {
            // What is around very many entries would be copied into each.
            context.add(context.place.to_owned(), FindingReason::TooLarge);
            context.not_understood.borrow_mut().insert(context.place.to_owned());
            ranges.clear();
        } else {
            bytes = bytes_of(self.text, &ranges);
        }
        let own = ranges.len();
        let own_words = words_in(&String::from_utf8_lossy(&bytes));
        let (mut files, mut size) = (Vec::new(), bytes.len());
        // The words of its narrative.
        let mut told: HashSet<String> = HashSet::new();
        for fragment in fragments {
            let part = fragment.bytes();
            let address = fragment.peek("ID").unwrap_or("text");
            let Ok(address) = Token::new(format!("#{address}")) else { continue };
            if size.saturating_add(part.len()) > most || files.len() >= FILES {
                context.report(fragment, FindingReason::TooLarge);
                context.not_understood.borrow_mut().insert(context.path(fragment));
                continue;
            }
            size += part.len();
            files.push(SourceFile::new(address, part.as_bytes().to_vec()));
            ranges.push(fragment.span());
            let said = narrative::plain(fragment, &[]);
            told.extend(words_in(&said));
            if !words_in(&said).is_subset(&own_words)
                && !holds(&record, &said)
                && let Some(words) = context.words(fragment, &said)
            {
                add_words(&mut record, words);
            }
        }
        self.copies.set(self.copies.get().saturating_add(size));
        // Of a result the narrative often has the value alone.
        let is_the_fact = matches!(
            record.kind(),
            Kind::Diagnosis | Kind::Medication | Kind::Treatment | Kind::Allergy | Kind::Immunization
        );
        if let Some(code) = record.code()
            && is_the_fact
            && differs(code, &told)
        {
            let path = format!("{}.code", context.place);
            context.add(path.clone(), FindingReason::WordsDiffer);
            context.not_understood.borrow_mut().insert(path);
        }
        let record = fitting::within_limits(
            record,
            |field| context.add(format!("{}.{field}", context.place), FindingReason::TooLarge),
            |field| {
                context.not_understood.borrow_mut().insert(format!("{}.{field}", context.place));
            },
        );
        // As `Type/id`, a name within its document; what has no id is told by its content.
        let sort = if identity.contains(" sha256:") { "cda " } else { "Cda/" };
        let identity = format!("{sort}{} {identity}", self.name);
        let mut all_labels = labels;
        all_labels.extend(self.labels.iter().cloned());
        let mut seen = HashSet::new();
        all_labels.retain(|label| seen.insert((label.system.clone(), label.code.clone())));
        let author = author.or_else(|| self.author.clone());
        let custodian =
            || self.custodian.clone().map(|party| Party { role: Token::new("custodian").ok(), ..party });
        let provenance = Provenance {
            provider: author.or_else(custodian),
            document: Token::new(self.name.clone()).ok(),
            recorded: self.effective.clone(),
            origin: Origin::Imported,
            identity: Token::new(identity.clone()).ok(),
            address: None,
            labels: all_labels,
        };
        let mut entry = Entry::new(record, provenance);
        entry.source = Some(Source { files, ..Source::new(SourceFormat::CdaXml, bytes) });
        entry.not_understood = fitting::not_understood(context.not_understood.take());
        let findings = context.findings.take();
        Part { role, identity, prepared: Prepared { entry, kept_raw, findings }, ranges, own }
    }
}

/// A code that has no words, with those of a title: nobody reads a bare code.
fn named(code: Concept, title: Option<&str>) -> Concept {
    let has_words = code.text.is_some() || code.codings.iter().any(|coding| coding.display.is_some());
    let text = title.filter(|_| !has_words).and_then(|title| Token::new(title).ok());
    Concept { text: code.text.or(text), ..code }
}

/// Most paths of what is around several entries and not understood.
const MOST_MARKS: usize = 64;

/// The bytes of a section's entry around those in it that become entries of their own: its tags and
/// what else is in it.
fn around(text: &str, statement: El<'_>, containers: &[El<'_>]) -> Vec<Range<usize>> {
    let holes: Vec<Range<usize>> = containers.iter().map(|container| container.span()).collect();
    let pieces = without(statement.span(), &holes);
    let says = |range: &Range<usize>| text.get(range.clone()).is_some_and(|piece| !piece.trim().is_empty());
    pieces.into_iter().filter(says).collect()
}

/// Most fragments of narrative of one entry.
const FILES: usize = 64;

fn codes_of(code: &Option<Concept>, labels: &[Coding]) -> bool {
    let codings = code.as_ref().map(|code| code.codings.as_slice()).unwrap_or_default();
    crate::classify::codes::is_psychotherapy_note(codings, labels)
}

/// Whether a record has these words already.
fn holds(record: &Record, said: &str) -> bool {
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    record.values().into_iter().any(|field| match field.value {
        crate::record::ValueRef::Narrative(words) => {
            words.as_str().split_whitespace().collect::<Vec<_>>().join(" ") == line
        }
        _ => false,
    })
}

/// Whether a code's words have none in common with these, which tell of it otherwise. A program
/// that fills in the same words for each code makes a diagnosis of what is none.
fn differs(code: &Concept, told: &HashSet<String>) -> bool {
    let displays = code.codings.iter().filter_map(|coding| coding.display.as_ref()).map(Token::as_str);
    let words: HashSet<String> =
        displays.chain(code.text.as_ref().map(Token::as_str)).flat_map(words_in).collect();
    let tells = |words: &HashSet<String>| words.iter().any(|word| word.chars().count() >= LONG);
    // Of the same stem, as `depressive` and `depression`.
    let are_alike = |one: &String, other: &String| {
        let common = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
        one == other || common >= STEM
    };
    tells(&words) && tells(told) && !words.iter().any(|word| told.iter().any(|other| are_alike(word, other)))
}

/// Letters of a word that says something.
const LONG: usize = 4;
/// Letters that two forms of one word begin with.
const STEM: usize = 4;

/// The words of a text, in lower case.
fn words_in(text: &str) -> HashSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The spans of the elements of these numbers.
fn collect(element: El<'_>, numbers: &[u32], spans: &mut Vec<Range<usize>>) {
    let mut open = vec![element];
    while let Some(element) = open.pop() {
        match numbers.binary_search(&element.number()) {
            Ok(_) => spans.push(element.span()),
            Err(_) => open.extend(element.elements()),
        }
    }
}
