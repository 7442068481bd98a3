//! Files that their source keeps in resources of their own (FHIR R4 `Binary`): each becomes a
//! part of what refers to it, so that whoever keeps apart, moves or destroys an entry does so
//! with its files.
//!
//! A file goes with the most protected of those that refer to it, and with none that is kept
//! less apart. What no entry can take in is an entry of its own, and is kept where they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::attachment::may_be_hash;
use super::held::Held;
use super::index::{Index, Target, each_object};
use super::input;
use crate::classify::codes::is_psychotherapy_note;
use crate::classify::compartment_of;
use crate::codec::base64url;
use crate::codec::json::{Json, Object};
use crate::format::place::Compartment;
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::options::ImportLimits;
use crate::record::{Coding, Entry, Location, Record, SourceFile, Token, Value};

/// Whether a resource holds a file and nothing else.
pub(crate) fn is_file(resource_type: Option<&str>) -> bool {
    resource_type == Some("Binary")
}

/// What refers to each file of an input, or what it names as its security context.
#[derive(Default)]
pub(crate) struct Neighbours(HashMap<usize, BTreeSet<usize>>);

impl Neighbours {
    /// Notes that the resource at one position refers to that at the other.
    pub(crate) fn add(&mut self, index: &Index, from: usize, to: usize) {
        for (file, other) in [(to, from), (from, to)] {
            if is_file(index.type_at(file)) {
                self.0.entry(file).or_default().insert(other);
            }
        }
    }

    pub(crate) fn of(&self, file: usize) -> impl Iterator<Item = usize> {
        self.0.get(&file).into_iter().flatten().copied()
    }
}

/// How much apart entries are kept: more is more.
pub(crate) fn apart(compartment: Compartment) -> u8 {
    match compartment {
        Compartment::General => 0,
        Compartment::SubstanceUse => 1,
        Compartment::PsychotherapyNotes => 2,
        _ => 3,
    }
}

/// The files to which the attachments of an entry refer, by their position, with the address.
pub(crate) fn referred_to(entry: &Entry, held: &Held, index: &Index) -> BTreeMap<usize, Token> {
    let mut files = BTreeMap::new();
    for attachment in entry.lent_attachments() {
        let Some(Location::External(address)) = &attachment.location else { continue };
        if let Target::One(position) = index.resolve(address.as_str(), held.place())
            && is_file(index.type_at(position))
        {
            files.entry(position).or_insert_with(|| address.clone());
        }
    }
    files
}

/// The security labels of a resource.
pub(crate) fn labels_of(resource: &Object) -> Vec<Coding> {
    let labels = resource.member("meta").and_then(|meta| meta.member("security")?.as_array());
    let label = |coding: &Json| {
        let text = |name| coding.member(name).and_then(Json::as_str).and_then(|text| Token::new(text).ok());
        let [system, version, code, display] = ["system", "version", "code", "display"].map(text);
        Coding { system, version, code, display }
    };
    labels.unwrap_or_default().iter().map(label).collect()
}

/// Gives an entry the labels of its file, and makes a note what they say that it is.
pub(crate) fn label(entry: &mut Entry, file: &[Coding]) {
    if let (Record::Note(note), true) = (&mut entry.record, is_psychotherapy_note(&[], file)) {
        note.form = Token::new("psychotherapy").ok();
    }
    let labels = &mut entry.provenance.labels;
    let new: Vec<Coding> = file.iter().filter(|label| !labels.contains(label)).cloned().collect();
    labels.extend(new);
}

/// A file, read.
pub(crate) struct FileRead {
    bytes: Vec<u8>,
    /// The member that has it in base64.
    member: &'static str,
    content_type: Option<Token>,
}

impl FileRead {
    /// `None` for what holds no file that can be decoded.
    pub(crate) fn of(resource: &[u8], limits: ImportLimits) -> Option<Self> {
        let json = input::parse(resource, limits).ok()?;
        // `content` in DSTU2 and STU3.
        let member = ["data", "content"].into_iter().find(|name| json.member(name).is_some())?;
        let bytes = base64url::decode_foreign(json.member(member)?.as_str()?).ok()?;
        let content_type = json.member("contentType").and_then(Json::as_str);
        let content_type = content_type.and_then(|text| Token::new(text).ok());
        Some(Self { bytes, member, content_type })
    }

    /// Makes it a file of an entry, wherever that refers to it.
    pub(crate) fn attach(
        &self,
        entry: &mut Entry,
        resource: &Held,
        is_it: impl Fn(&Token) -> bool,
        findings: &Findings,
    ) {
        let mut fields = entry.record.clone().into_fields();
        let kind = entry.record.kind();
        let Some(source) = &mut entry.source else { return };
        let number = source.files.len();
        let mut address = None;
        for field in &mut fields {
            let Value::Attachment(attachment) = &mut field.value else { continue };
            let Some(Location::External(url)) = attachment.location.take_if(|place| match place {
                Location::External(url) => is_it(url),
                _ => false,
            }) else {
                continue;
            };
            let size = self.bytes.len() as u64;
            if attachment.size.is_some_and(|said| said != size) || self.differs(&source.bytes, &url) {
                findings.add("Binary".to_owned(), FindingReason::FileDiffers);
            }
            attachment.size = Some(size);
            if attachment.content_type.is_none() {
                attachment.content_type.clone_from(&self.content_type);
            }
            attachment.location =
                Token::new(format!("{number}/{}", self.member)).ok().map(Location::InSource);
            address.get_or_insert(url);
        }
        if let Some(address) = address {
            source.files.push(SourceFile::new(address, resource.found.bytes.clone()));
            let fields = fields.into_iter().map(|field| (field.tag, field.index, field.value));
            entry.record =
                Record::from_fields(kind, fields).expect("fields of a record are fields of a record");
        }
    }

    /// Whether what refers to it gives another digest for it.
    fn differs(&self, source: &[u8], address: &Token) -> bool {
        let Ok(json) = input::parse(source, ImportLimits::default()) else { return false };
        let mut differs = false;
        each_object(&json, &mut |object| {
            let text = |name| object.member(name).and_then(Json::as_str);
            let is_it = text("url") == Some(address.as_str());
            differs |= is_it && text("hash").is_some_and(|hash| !may_be_hash(hash, &self.bytes));
        });
        differs
    }
}

/// Where a file is kept that is an entry of its own: as much apart as the entries beside it.
pub(crate) fn kept_with<'e>(entry: &'e Entry, beside: impl Iterator<Item = &'e Entry>) -> Compartment {
    let all = beside.chain([entry]).map(compartment_of);
    all.max_by_key(|compartment| apart(*compartment)).unwrap_or(Compartment::General)
}
