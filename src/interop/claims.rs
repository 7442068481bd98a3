//! What an export of a vault says of an entry beside its resource: what FHIR has no place for.
//!
//! It stands in an extension of a FHIR `Provenance`, under an address of this project. It is
//! what a file claims, whoever wrote that. Reading is the strict inverse of writing: what is
//! not exactly of this form claims nothing. What of it is believed, [`super::fhir`] decides.

mod form;
mod record;

use form::{Form, Members, object};

use crate::codec::base64url;
use crate::codec::json::{Json, JsonLimits, Object};
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::format::place::Compartment;
use crate::record::{
    FhirVersion, LegalHold, MOST_ITEMS, Marks, Origin, Provenance, Record, Source, SourceFormat, Token,
};

/// The address of the extension. Nobody can own a name below `.invalid` (RFC 2606), so it means
/// nothing else anywhere.
pub(crate) const URL: &str = "https://subrosa.invalid/fhir/entry";
/// The address of the extension of the resource that says what an export does not hold.
pub(crate) const HEAD_URL: &str = "https://subrosa.invalid/fhir/export";

/// The only version of the form so far.
const VERSION: &str = "1";
/// Longest piece of JSON in one FHIR string, which may have 1 MiB (FHIR R4 `string`).
const PIECE: usize = 256 << 10;
/// What the JSON may cost to read.
const LIMITS: JsonLimits = JsonLimits { bytes: 48 << 20, depth: 32, values: 1 << 20 };

/// What is claimed of an entry.
#[derive(Clone)]
pub(crate) struct Claims {
    /// What the export calls the entry: `urn:uuid:` and a random-looking UUID.
    pub(crate) key: String,
    /// SHA-256 of the resource that stands for it, as it is written.
    pub(crate) resource: Digest,
    pub(crate) compartment: Compartment,
    pub(crate) record: Record,
    pub(crate) provenance: Provenance,
    pub(crate) not_understood: Vec<Token>,
    pub(crate) original: Option<Original>,
    /// What was decided about it, without disputes.
    pub(crate) marks: Marks,
    /// The entries that dispute it, as the export calls them.
    pub(crate) disputes: Vec<String>,
    /// The contents that the vault stores for it, and SHA-256 of the resource that holds each.
    pub(crate) contents: Vec<(ContentDigest, Digest)>,
}

/// The original of an entry.
#[derive(Clone)]
pub(crate) struct Original {
    pub(crate) format: SourceFormat,
    /// Its bytes, where the resource that stands for the entry is not them.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) files: Vec<OriginalFile>,
}

/// A file of an original.
#[derive(Clone)]
pub(crate) struct OriginalFile {
    pub(crate) address: Token,
    pub(crate) held: Held,
}

/// Where the bytes of a file are.
#[derive(Clone)]
pub(crate) enum Held {
    /// In the resource of this SHA-256: they are all of it.
    Resource(Digest),
    Here(Vec<u8>),
}

/// Whether a resource has an extension of this address.
pub(crate) fn has_extension(resource: &Object, url: &str) -> bool {
    extension(resource, url).is_some()
}

fn extension<'a>(resource: &'a Object, url: &str) -> Option<&'a Json> {
    let all = resource.member("extension")?.as_array()?;
    all.iter().find(|extension| text_of(extension, "url") == Some(url))
}

fn text_of<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.member(name).and_then(Json::as_str)
}

fn part(url: &str, name: &str, value: Json) -> Json {
    object([("url", Some(Json::string(url))), (name, Some(value))])
}

impl Claims {
    /// The claims as the extension of a FHIR resource.
    pub(crate) fn extension(&self) -> Json {
        let mut parts = vec![part("version", "valueString", Json::string(VERSION))];
        let text = self.to_json().to_text();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let mut at = rest.len().min(PIECE);
            while !rest.is_char_boundary(at) {
                at -= 1;
            }
            let (piece, others) = rest.split_at(at);
            parts.push(part("entry", "valueString", Json::string(piece)));
            rest = others;
        }
        let bytes = |bytes: &[u8]| Json::string(base64url::encode_padded(bytes));
        if let Some(original) = &self.original {
            let here = original.bytes.iter();
            parts.extend(here.map(|here| part("original", "valueBase64Binary", bytes(here))));
            for file in &original.files {
                if let Held::Here(here) = &file.held {
                    parts.push(part("file", "valueBase64Binary", bytes(here)));
                }
            }
        }
        object([("url", Some(Json::string(URL))), ("extension", Some(Json::Array(parts)))])
    }

    /// What a resource claims, if it claims anything that can be read.
    pub(crate) fn of(resource: &Object) -> Option<Self> {
        let extension = extension(resource, URL)?;
        let mut parts = extension.member("extension")?.as_array()?.iter().peekable();
        let version = parts.next().filter(|part| text_of(part, "url") == Some("version"))?;
        if text_of(version, "valueString") != Some(VERSION) {
            return None;
        }
        let mut text = String::new();
        while let Some(piece) = parts.next_if(|part| text_of(part, "url") == Some("entry")) {
            text.push_str(text_of(piece, "valueString")?);
        }
        let mut bytes = |url: &str| {
            let part = parts.next_if(|part| text_of(part, "url") == Some(url))?;
            base64url::decode_padded(text_of(part, "valueBase64Binary")?).ok()
        };
        let claims = Self::of_json(&Json::parse(text.as_bytes(), LIMITS).ok()?, &mut bytes)?;
        parts.next().is_none().then_some(claims)
    }

    fn to_json(&self) -> Json {
        let digest = |digest: &Digest| Some(Json::string(digest.to_string()));
        let list = |items: Vec<Json>| (!items.is_empty()).then_some(Json::Array(items));
        let content = |(content, resource): &(ContentDigest, Digest)| {
            object([("blake3", Some(Json::string(content.to_string()))), ("resource", digest(resource))])
        };
        object([
            ("key", Some(self.key.write())),
            ("resource", digest(&self.resource)),
            ("compartment", Some(Json::string(self.compartment.name()))),
            ("record", Some(self.record.write())),
            ("provenance", Some(write_provenance(&self.provenance))),
            ("not_understood", list(self.not_understood.iter().map(Form::write).collect())),
            ("original", self.original.as_ref().map(Original::write)),
            ("marks", Some(write_marks(&self.marks))),
            ("disputes", list(self.disputes.iter().map(Form::write).collect())),
            ("contents", list(self.contents.iter().map(content).collect())),
        ])
    }

    fn of_json(json: &Json, bytes: &mut dyn FnMut(&str) -> Option<Vec<u8>>) -> Option<Self> {
        let mut members = Members::of(json)?;
        let content = |json: &Json| {
            let mut members = Members::of(json)?;
            let content = ContentDigest::parse(members.take("blake3")?.as_str()?).ok()?;
            let resource = digest_of(members.take("resource")?)?;
            members.finish()?;
            Some((content, resource))
        };
        let claims = Self {
            key: String::read(members.take("key")?).filter(|key| is_key(key))?,
            resource: digest_of(members.take("resource")?)?,
            compartment: compartment_of(members.take("compartment")?.as_str()?)?,
            record: Record::read(members.take("record")?)?,
            provenance: read_provenance(members.take("provenance")?)?,
            not_understood: members.part("not_understood")?,
            original: match members.take("original") {
                None => None,
                Some(original) => Some(Original::read(original, bytes)?),
            },
            marks: read_marks(members.take("marks")?)?,
            disputes: members.part("disputes")?,
            contents: match members.take("contents") {
                None => Vec::new(),
                Some(contents) => contents.as_array()?.iter().map(content).collect::<Option<_>>()?,
            },
        };
        members.finish()?;
        claims.is_bounded().then_some(claims)
    }

    /// Whether it is no more than an entry may have.
    fn is_bounded(&self) -> bool {
        let items: usize = self.record.values().iter().map(|field| 1 + field.value.items()).sum();
        let provider = self.provenance.provider.as_ref();
        let beside = [
            provider.map_or(0, |party| party.identifiers.len() + party.contact.len()),
            self.provenance.labels.len(),
            self.not_understood.len(),
            self.original.as_ref().map_or(0, |original| original.files.len()),
            self.marks.legal_holds.len(),
            self.disputes.len(),
        ];
        items + beside.iter().sum::<usize>() <= MOST_ITEMS
            && self.contents.len() <= MOST_ITEMS
            && self.disputes.iter().all(|key| is_key(key))
    }
}

/// Whether a text is what an export calls an entry.
fn is_key(text: &str) -> bool {
    let id = text.strip_prefix("urn:uuid:").unwrap_or_default();
    id.len() == 36
        && id.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

fn digest_of(json: &Json) -> Option<Digest> {
    Digest::parse(json.as_str()?).ok()
}

fn compartment_of(name: &str) -> Option<Compartment> {
    Compartment::HOLDING_ENTRIES.into_iter().find(|compartment| compartment.name() == name)
}

const FHIR_JSON: &str = "fhir-json";
const CDA_XML: &str = "cda-xml";
const FHIR_XML: &str = "fhir-xml";
const VERSIONS: [FhirVersion; 5] =
    [FhirVersion::Dstu2, FhirVersion::Stu3, FhirVersion::R4, FhirVersion::R4B, FhirVersion::R5];

impl Original {
    /// The original of an entry, `is_written` if the resource that stands for it is its bytes.
    pub(crate) fn of(source: &Source, is_written: bool, files: Vec<OriginalFile>) -> Self {
        Self { format: source.format, bytes: (!is_written).then(|| source.bytes.clone()), files }
    }

    fn write(&self) -> Json {
        let (format, version) = match self.format {
            SourceFormat::FhirJson(version) => (FHIR_JSON, Some(version.name())),
            SourceFormat::FhirXml(version) => (FHIR_XML, Some(version.name())),
            SourceFormat::CdaXml => (CDA_XML, None),
        };
        let file = |file: &OriginalFile| {
            let resource = match &file.held {
                Held::Resource(digest) => Some(Json::string(digest.to_string())),
                Held::Here(_) => None,
            };
            object([("address", Some(file.address.write())), ("resource", resource)])
        };
        let files: Vec<Json> = self.files.iter().map(file).collect();
        object([
            ("format", Some(Json::string(format))),
            ("version", version.map(Json::string)),
            ("here", self.bytes.as_ref().map(|_| Json::Bool(true))),
            ("files", (!files.is_empty()).then_some(Json::Array(files))),
        ])
    }

    fn read(json: &Json, bytes: &mut dyn FnMut(&str) -> Option<Vec<u8>>) -> Option<Self> {
        let mut members = Members::of(json)?;
        let format = match members.take("format")?.as_str()? {
            word @ (FHIR_JSON | FHIR_XML) => {
                let version = members.take("version")?.as_str()?;
                let version = VERSIONS.into_iter().find(|known| known.name() == version)?;
                if word == FHIR_XML {
                    SourceFormat::FhirXml(version)
                } else {
                    SourceFormat::FhirJson(version)
                }
            }
            CDA_XML => SourceFormat::CdaXml,
            _ => return None,
        };
        let is_here: bool = members.part("here")?;
        let here = if is_here { Some(bytes("original")?) } else { None };
        let mut files = Vec::new();
        if let Some(said) = members.take("files") {
            for file in said.as_array()? {
                let mut members = Members::of(file)?;
                let address = Token::read(members.take("address")?)?;
                let held = match members.take("resource") {
                    Some(digest) => Held::Resource(digest_of(digest)?),
                    None => Held::Here(bytes("file")?),
                };
                members.finish()?;
                files.push(OriginalFile { address, held });
            }
        }
        members.finish()?;
        Some(Self { format, bytes: here, files })
    }
}

const ORIGINS: [(&str, Origin); 4] = [
    ("imported", Origin::Imported),
    ("entered-by-owner", Origin::EnteredByOwner),
    ("entered-by-provider", Origin::EnteredByProvider),
    ("imported-and-changed", Origin::ImportedAndChanged),
];

fn write_provenance(provenance: &Provenance) -> Json {
    let origin = ORIGINS.iter().find(|(_, origin)| *origin == provenance.origin);
    let labels = &provenance.labels;
    object([
        ("provider", provenance.provider.as_ref().map(Form::write)),
        ("document", provenance.document.as_ref().map(Form::write)),
        ("recorded", provenance.recorded.as_ref().map(Form::write)),
        ("origin", origin.map(|(word, _)| Json::string(*word))),
        ("identity", provenance.identity.as_ref().map(Form::write)),
        ("address", provenance.address.as_ref().map(Form::write)),
        ("labels", (!labels.is_empty()).then(|| Json::Array(labels.iter().map(Form::write).collect()))),
    ])
}

fn read_provenance(json: &Json) -> Option<Provenance> {
    let mut members = Members::of(json)?;
    let word = members.take("origin")?.as_str()?;
    let provenance = Provenance {
        provider: members.part("provider")?,
        document: members.part("document")?,
        recorded: members.part("recorded")?,
        origin: ORIGINS.iter().find(|(known, _)| *known == word)?.1,
        identity: members.part("identity")?,
        address: members.part("address")?,
        labels: members.part("labels")?,
    };
    members.finish()?;
    Some(provenance)
}

fn write_marks(marks: &Marks) -> Json {
    let hold = |hold: &LegalHold| {
        object([("reason", Some(hold.reason.write())), ("until", hold.until.as_ref().map(Form::write))])
    };
    let holds = &marks.legal_holds;
    object([
        ("retracted", marks.retracted.then_some(Json::Bool(true))),
        ("expires", marks.expires.as_ref().map(Form::write)),
        ("legal_holds", (!holds.is_empty()).then(|| Json::Array(holds.iter().map(hold).collect()))),
        ("same_person", marks.same_person.then_some(Json::Bool(true))),
    ])
}

fn read_marks(json: &Json) -> Option<Marks> {
    let mut members = Members::of(json)?;
    let hold = |json: &Json| {
        let mut members = Members::of(json)?;
        let hold = LegalHold::new(Form::read(members.take("reason")?)?, members.part("until")?);
        members.finish()?;
        Some(hold)
    };
    let marks = Marks {
        retracted: members.part("retracted")?,
        expires: members.part("expires")?,
        legal_holds: match members.take("legal_holds") {
            None => Vec::new(),
            Some(holds) => holds.as_array()?.iter().map(hold).collect::<Option<_>>()?,
        },
        disputes: Vec::new(),
        same_person: members.part("same_person")?,
    };
    members.finish()?;
    Some(marks)
}

crate::secret::redacted_debug!(Claims, Original, OriginalFile, Held);
