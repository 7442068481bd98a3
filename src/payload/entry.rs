//! An entry in bytes, version 1.
//!
//! Fields are sorted by tag and index, each at most once.

use serde::{Deserialize, Serialize};

use super::PayloadError;
use super::mirror::{BytesV1, List, Mirror, Text, mirror, with_items};
use super::value::{CodingV1, PartyV1, ValueV1};
use crate::codec::wire::{self, Content, Measured, Wire};
use crate::id::EntryId;
use crate::record::{Entry, FhirVersion, FieldRef, Kind, MOST_ITEMS, Origin, Record, Source, SourceFormat};

/// Version 1 of an entry.
#[derive(Serialize, Deserialize)]
struct EntryV1<'a> {
    kind: u16,
    fields: List<FieldV1<'a>>,
    provenance: ProvenanceV1<'a>,
    not_understood: List<Text<'a>>,
    source: Option<SourceV1<'a>>,
    marks: MarksV1<'a>,
}

#[derive(Serialize, Deserialize)]
struct FieldV1<'a> {
    tag: u16,
    index: u16,
    value: ValueV1<'a>,
}

#[derive(Serialize, Deserialize)]
struct SourceV1<'a> {
    format: SourceFormatV1<'a>,
    bytes: BytesV1<'a>,
}

#[derive(Serialize, Deserialize)]
enum SourceFormatV1<'a> {
    FhirJson(FhirVersionV1),
    FhirJsonWithFiles(WithFilesV1<'a>),
    CdaXml(List<SourceFileV1<'a>>),
    FhirXml(WithFilesV1<'a>),
}

#[derive(Serialize, Deserialize)]
struct WithFilesV1<'a> {
    version: FhirVersionV1,
    files: List<SourceFileV1<'a>>,
}

#[derive(Serialize, Deserialize)]
enum FhirVersionV1 {
    Dstu2,
    Stu3,
    R4,
    R4B,
    R5,
}

#[derive(Serialize, Deserialize)]
enum OriginV1 {
    Imported,
    EnteredByOwner,
    EnteredByProvider,
    ImportedAndChanged,
}

mirror! {
    ProvenanceV1<'a> of Provenance {
        provider: Option<PartyV1<'a>>,
        document: Option<Text<'a>>,
        recorded: Option<Text<'a>>,
        origin: OriginV1,
        identity: Option<Text<'a>>,
        address: Option<Text<'a>>,
        labels: List<CodingV1<'a>>,
    }
    MarksV1<'a> of Marks {
        retracted: bool,
        expires: Option<Text<'a>>,
        legal_holds: List<LegalHoldV1<'a>>,
        disputes: List<[u8; 16]>,
        same_person: bool,
    }
    SourceFileV1<'a> of SourceFile {
        address: Text<'a>,
        bytes: BytesV1<'a>,
    }
    LegalHoldV1<'a> of LegalHold {
        reason: Text<'a>,
        until: Option<Text<'a>>,
    }
}

impl Wire for EntryV1<'_> {
    const NAME: &'static str = "EntryV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        self.fields.0.is_sorted_by(|one, next| (one.tag, one.index) < (next.tag, next.index))
    }
}

/// An entry as it is encoded: what it holds is lent, not copied.
///
/// # Errors
/// [`PayloadError::TooManyItems`] and [`PayloadError::Wire`] when it is too large.
pub(crate) fn entry_content(entry: &Entry) -> Result<impl Content + '_, PayloadError> {
    let fields = entry.record.values();
    let of_fields = fields.iter().map(|field| 1 + field.value.items()).sum::<usize>();
    // So no field has more values than its index counts, either.
    if of_fields + entry.items_beside_fields() > MOST_ITEMS {
        return Err(PayloadError::TooManyItems);
    }
    let form = EntryV1 {
        kind: entry.kind().number(),
        fields: fields
            .into_iter()
            .map(|FieldRef { tag, index, value }| FieldV1 { tag, index, value: value.into() })
            .collect(),
        provenance: ProvenanceV1::of(&entry.provenance),
        not_understood: Mirror::of(&entry.not_understood),
        source: entry.source.as_ref().map(SourceV1::of),
        marks: MarksV1::of(&entry.marks),
    };
    Ok(Measured::new(form)?)
}

/// Encodes an entry.
///
/// # Errors
/// As [`entry_content`].
#[cfg(any(test, fuzzing, feature = "testing"))]
pub(crate) fn encode_entry(entry: &Entry) -> Result<zeroize::Zeroizing<Vec<u8>>, PayloadError> {
    let content = entry_content(entry)?;
    let mut bytes = zeroize::Zeroizing::new(vec![0; content.len()]);
    content.write(&mut bytes)?;
    Ok(bytes)
}

/// Decodes an entry from exactly these bytes.
///
/// # Errors
/// Every [`PayloadError`] but [`PayloadError::TooManyItems`]: that is [`PayloadError::Wire`] here.
pub(crate) fn decode_entry(bytes: &[u8]) -> Result<Entry, PayloadError> {
    let form: EntryV1<'_> = with_items(MOST_ITEMS, || wire::decode(bytes))?;
    let kind = Kind::from_number(form.kind).ok_or(PayloadError::UnknownKind { number: form.kind })?;
    let fields = form.fields.0.into_iter().map(|field| Ok((field.tag, field.index, field.value.back()?)));
    let fields = fields.collect::<Result<Vec<_>, PayloadError>>()?;
    Ok(Entry {
        record: Record::from_fields(kind, fields)?,
        provenance: form.provenance.back()?,
        not_understood: form.not_understood.back()?,
        source: form.source.map(SourceV1::back).transpose()?,
        marks: form.marks.back()?,
    })
}

impl<'a> Mirror<'a, Source> for SourceV1<'a> {
    fn of(source: &'a Source) -> Self {
        let files = |source: &'a Source| Mirror::of(&source.files);
        let format = match source.format {
            SourceFormat::FhirJson(version) if source.files.is_empty() => {
                SourceFormatV1::FhirJson(Mirror::of(&version))
            }
            SourceFormat::FhirJson(version) => {
                let with = WithFilesV1 { version: Mirror::of(&version), files: files(source) };
                SourceFormatV1::FhirJsonWithFiles(with)
            }
            SourceFormat::CdaXml => SourceFormatV1::CdaXml(files(source)),
            SourceFormat::FhirXml(version) => {
                SourceFormatV1::FhirXml(WithFilesV1 { version: Mirror::of(&version), files: files(source) })
            }
        };
        Self { format, bytes: BytesV1::of(&source.bytes) }
    }

    fn back(self) -> Result<Source, PayloadError> {
        let (format, files) = match self.format {
            SourceFormatV1::FhirJson(version) => (SourceFormat::FhirJson(version.back()?), Vec::new()),
            // Without files it would have two forms.
            SourceFormatV1::FhirJsonWithFiles(with) if with.files.0.is_empty() => {
                return Err(PayloadError::Malformed);
            }
            SourceFormatV1::FhirJsonWithFiles(with) => {
                (SourceFormat::FhirJson(with.version.back()?), with.files.back()?)
            }
            SourceFormatV1::CdaXml(files) => (SourceFormat::CdaXml, files.back()?),
            SourceFormatV1::FhirXml(with) => {
                (SourceFormat::FhirXml(with.version.back()?), with.files.back()?)
            }
        };
        Ok(Source { files, ..Source::new(format, self.bytes.back()?) })
    }
}

impl Mirror<'_, FhirVersion> for FhirVersionV1 {
    fn of(version: &FhirVersion) -> Self {
        match version {
            FhirVersion::Dstu2 => Self::Dstu2,
            FhirVersion::Stu3 => Self::Stu3,
            FhirVersion::R4 => Self::R4,
            FhirVersion::R4B => Self::R4B,
            FhirVersion::R5 => Self::R5,
        }
    }

    fn back(self) -> Result<FhirVersion, PayloadError> {
        Ok(match self {
            Self::Dstu2 => FhirVersion::Dstu2,
            Self::Stu3 => FhirVersion::Stu3,
            Self::R4 => FhirVersion::R4,
            Self::R4B => FhirVersion::R4B,
            Self::R5 => FhirVersion::R5,
        })
    }
}

impl Mirror<'_, Origin> for OriginV1 {
    fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Imported => Self::Imported,
            Origin::EnteredByOwner => Self::EnteredByOwner,
            Origin::EnteredByProvider => Self::EnteredByProvider,
            Origin::ImportedAndChanged => Self::ImportedAndChanged,
        }
    }

    fn back(self) -> Result<Origin, PayloadError> {
        Ok(match self {
            Self::Imported => Origin::Imported,
            Self::EnteredByOwner => Origin::EnteredByOwner,
            Self::EnteredByProvider => Origin::EnteredByProvider,
            Self::ImportedAndChanged => Origin::ImportedAndChanged,
        })
    }
}

impl Mirror<'_, EntryId> for [u8; 16] {
    fn of(id: &EntryId) -> Self {
        *id.as_bytes()
    }

    fn back(self) -> Result<EntryId, PayloadError> {
        Ok(EntryId::from_bytes(self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::wire::WireError;
    use crate::crypto::content_digest::ContentDigest;
    use crate::record::*;

    fn token() -> impl Strategy<Value = Token> {
        "\\PC{1,12}".prop_map(|text| Token::new(text).unwrap())
    }

    fn narrative() -> impl Strategy<Value = Narrative> {
        "\\PC{1,40}".prop_map(|text| Narrative::new(text).unwrap())
    }

    fn date() -> impl Strategy<Value = PartialDate> {
        prop::sample::select(vec!["2019", "2019-04", "2019-04-27", "2019-04-27T15:30:00.250-05:00"])
            .prop_map(|text| text.parse().unwrap())
    }

    fn coding() -> impl Strategy<Value = Coding> {
        [prop::option::of(token()), prop::option::of(token()), prop::option::of(token())]
            .prop_map(|[system, code, display]| Coding { system, code, display, version: None })
    }

    fn concept() -> impl Strategy<Value = Concept> {
        (prop::collection::vec(coding(), 0..3), prop::option::of(token()))
            .prop_map(|(codings, text)| Concept { codings, text })
    }

    fn quantity() -> impl Strategy<Value = Quantity> {
        (prop::option::of(token()), prop::option::of(token())).prop_map(|(value, unit)| Quantity {
            value,
            unit,
            ..Quantity::default()
        })
    }

    fn attachment() -> impl Strategy<Value = Attachment> {
        let location = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20).prop_map(Location::Inline),
            token().prop_map(Location::InSource),
            token().prop_map(Location::External),
            any::<[u8; 32]>().prop_map(|bytes| Location::Stored(ContentDigest::from_bytes(bytes))),
        ];
        (prop::option::of(location), any::<Option<u64>>(), prop::option::of(date())).prop_map(
            |(location, size, created)| Attachment { location, size, created, ..Attachment::default() },
        )
    }

    fn component() -> impl Strategy<Value = Component> {
        let scalar = prop_oneof![
            concept().prop_map(Scalar::Concept),
            quantity().prop_map(Scalar::Quantity),
            date().prop_map(Scalar::Date),
            narrative().prop_map(Scalar::Text),
            any::<bool>().prop_map(Scalar::Boolean),
        ];
        (concept(), prop::option::of(scalar)).prop_map(|(code, value)| Component { code, value })
    }

    fn value(field_type: FieldType) -> BoxedStrategy<Value> {
        match field_type {
            FieldType::Concept => concept().prop_map(Value::Concept).boxed(),
            FieldType::Date => date().prop_map(Value::Date).boxed(),
            FieldType::Token => token().prop_map(Value::Token).boxed(),
            FieldType::Narrative => narrative().prop_map(Value::Narrative).boxed(),
            FieldType::Quantity => quantity().prop_map(Value::Quantity).boxed(),
            FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
            FieldType::Party => {
                token().prop_map(|name| Value::Party(Party { name: Some(name), ..Party::default() })).boxed()
            }
            FieldType::Name => prop::collection::vec(token(), 0..3)
                .prop_map(|given| Value::Name(HumanName { given, ..HumanName::default() }))
                .boxed(),
            FieldType::Address => token()
                .prop_map(|city| Value::Address(Address { city: Some(city), ..Address::default() }))
                .boxed(),
            FieldType::Telecom => token()
                .prop_map(|value| Value::Telecom(Telecom { value: Some(value), ..Telecom::default() }))
                .boxed(),
            FieldType::Identifier => token()
                .prop_map(|value| {
                    Value::Identifier(Identifier { value: Some(value), ..Identifier::default() })
                })
                .boxed(),
            FieldType::Attachment => attachment().prop_map(Value::Attachment).boxed(),
            FieldType::Component => component().prop_map(Value::Component).boxed(),
            other => panic!("no value of the type {other:?}"),
        }
    }

    fn record() -> impl Strategy<Value = Record> {
        prop::sample::select(Kind::all()).prop_flat_map(|kind| {
            let fields: Vec<_> = kind
                .schema()
                .iter()
                .map(|field| {
                    let most = if field.repeats { 3 } else { 1 };
                    let tag = field.tag;
                    prop::collection::vec(value(field.field_type), 0..=most).prop_map(move |values| {
                        (0..).zip(values).map(|(index, value)| (tag, index, value)).collect::<Vec<_>>()
                    })
                })
                .collect();
            fields.prop_map(move |fields| Record::from_fields(kind, fields.into_iter().flatten()).unwrap())
        })
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let source = prop::option::of(prop::collection::vec(any::<u8>(), 0..50));
        let holds = prop::collection::vec((narrative(), prop::option::of(date())), 0..3);
        let flags = any::<(bool, bool)>();
        let files = prop::collection::vec((token(), prop::collection::vec(any::<u8>(), 0..50)), 0..3);
        let source = (source, files);
        (record(), source, holds, flags, coding(), prop::option::of(token())).prop_map(
            |(record, (source, files), holds, (retracted, same_person), label, identity)| {
                let (fhir, cda) = (SourceFormat::FhirJson(FhirVersion::R5), SourceFormat::CdaXml);
                let mut entry = Entry::new(record, Provenance { identity, ..Provenance::default() });
                entry.provenance.labels = vec![label];
                let xml = SourceFormat::FhirXml(FhirVersion::R4);
                let format = if same_person {
                    xml
                } else if retracted {
                    cda
                } else {
                    fhir
                };
                entry.source = source.map(|bytes| Source::new(format, bytes));
                if let Some(source) = &mut entry.source {
                    source.files = files.into_iter().map(|(at, bytes)| SourceFile::new(at, bytes)).collect();
                }
                entry.not_understood = entry.provenance.identity.iter().cloned().collect();
                entry.marks.same_person = same_person;
                entry.marks.retracted = retracted;
                entry.marks.legal_holds =
                    holds.into_iter().map(|(reason, until)| LegalHold::new(reason, until)).collect();
                entry.marks.disputes = vec![EntryId::from_bytes([7; 16])];
                entry
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

        #[test]
        fn an_entry_comes_back_equal(entry in entry()) {
            let bytes = encode_entry(&entry).unwrap();
            prop_assert!(decode_entry(&bytes) == Ok(entry));
        }

        #[test]
        fn changed_bytes_are_refused_or_are_another_entry(
            entry in entry(),
            at in any::<prop::sample::Index>(),
            bit in 0..8u8,
        ) {
            let bytes = encode_entry(&entry).unwrap();
            let mut flipped = bytes.to_vec();
            flipped[at.index(bytes.len())] ^= 1 << bit;
            if let Ok(other) = decode_entry(&flipped) {
                prop_assert!(other != entry);
                prop_assert!(*encode_entry(&other).unwrap() == flipped);
            }
            let cut = decode_entry(&bytes[..at.index(bytes.len())]);
            prop_assert!(cut.is_err());
            let mut longer = bytes.to_vec();
            longer.push(0);
            prop_assert_eq!(
                decode_entry(&longer),
                Err(WireError::TrailingBytes { type_name: "EntryV1" }.into())
            );
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(entry) = decode_entry(&bytes) {
                prop_assert!(*encode_entry(&entry).unwrap() == bytes);
            }
        }
    }

    #[test]
    fn a_hostile_length_is_refused_before_memory_is_claimed() {
        for length in [u64::MAX, 1 << 40, (64 << 20) + 1] {
            let mut bytes = vec![1, 0]; // a diagnosis
            bytes.extend(1u64.to_le_bytes()); // with one field
            bytes.extend([3, 0, 0, 0]); // verification status
            bytes.extend(2u32.to_le_bytes()); // a token
            bytes.extend(length.to_le_bytes());
            assert_eq!(decode_entry(&bytes), Err(WireError::Malformed { type_name: "EntryV1" }.into()));
        }
    }

    #[test]
    fn unsorted_and_unknown_fields_are_refused() {
        let (provenance, marks) = (Provenance::default(), Marks::default());
        let form = |kind, fields: &[(u16, u16)]| EntryV1 {
            kind,
            fields: fields
                .iter()
                .map(|&(tag, index)| FieldV1 { tag, index, value: ValueV1::Token("a".into()) })
                .collect(),
            provenance: ProvenanceV1::of(&provenance),
            not_understood: List(Vec::new()),
            source: None,
            marks: MarksV1::of(&marks),
        };
        let not_canonical = WireError::NotCanonical { type_name: "EntryV1" };
        assert_eq!(wire::encode(&form(1, &[(3, 0), (2, 0)])).err(), Some(not_canonical));
        assert_eq!(wire::encode(&form(1, &[(2, 0), (2, 0)])).err(), Some(not_canonical));
        let decode = |form: EntryV1<'_>| decode_entry(&wire::encode(&form).unwrap()).err();
        assert_eq!(decode(form(999, &[])), Some(PayloadError::UnknownKind { number: 999 }));
        let kind = Kind::Diagnosis;
        assert_eq!(decode(form(1, &[(99, 0)])), Some(FieldError::Unknown { kind, tag: 99 }.into()));
        assert_eq!(decode(form(1, &[(1, 0)])), Some(FieldError::WrongType { kind, tag: 1 }.into()));
    }

    #[test]
    fn more_items_than_an_entry_may_have_are_neither_written_nor_read() {
        let with_codings = |number: usize| {
            let code = Concept { codings: vec![Coding::default(); number], text: None };
            Entry::new(Diagnosis { code: Some(code), ..Diagnosis::default() }, Provenance::default())
        };
        let entry = with_codings(MOST_ITEMS - 1);
        let bytes = encode_entry(&entry).unwrap();
        assert!(decode_entry(&bytes) == Ok(entry));
        assert_eq!(encode_entry(&with_codings(MOST_ITEMS)).err(), Some(PayloadError::TooManyItems));
        // One coding more, in bytes: its number stands behind kind, fields, tag, index and type.
        let mut forged = bytes.to_vec();
        forged[18..26].copy_from_slice(&(MOST_ITEMS as u64).to_le_bytes());
        forged.splice(26..26, [0; 4]);
        assert_eq!(decode_entry(&forged).err(), Some(WireError::Malformed { type_name: "EntryV1" }.into()));

        let notes = vec![Narrative::new("a").unwrap(); MOST_ITEMS + 1];
        let entry = Entry::new(Diagnosis { notes, ..Diagnosis::default() }, Provenance::default());
        assert_eq!(encode_entry(&entry).err(), Some(PayloadError::TooManyItems));
    }

    #[test]
    fn every_list_counts() {
        let token = || Token::new("a").unwrap();
        let concept = || Concept { codings: vec![Coding::default(); 2], text: None };
        let name = HumanName {
            given: vec![token()],
            prefix: vec![token(); 2],
            suffix: vec![token()],
            ..HumanName::default()
        };
        let party = || Party {
            identifiers: vec![Identifier::default(); 2],
            contact: vec![Telecom::default(); 3],
            ..Party::default()
        };
        let address = Address { lines: vec![token(); 3], ..Address::default() };
        let patient = Patient {
            names: vec![name],
            addresses: vec![address],
            languages: vec![concept()],
            contacts: vec![party()],
            ..Patient::default()
        };
        let answer = Component { code: concept(), value: Some(Scalar::Concept(concept())) };
        let result = Observation { components: vec![answer], ..Observation::default() };
        for (record, items) in [(Record::from(patient), 4 + 4 + 3 + 2 + 5), (result.into(), 1 + 4)] {
            let mut entry = Entry::new(record, Provenance::default());
            entry.provenance.provider = Some(party());
            entry.provenance.labels = vec![Coding::default(); 2];
            entry.not_understood = vec![token()];
            entry.marks.disputes = vec![EntryId::from_bytes([1; 16]); 2];
            entry.marks.legal_holds = vec![LegalHold::new(Narrative::new("a").unwrap(), None)];
            let mut source = Source::new(SourceFormat::FhirJson(FhirVersion::R4), Vec::new());
            source.files = vec![SourceFile::new(token(), Vec::new()); 2];
            entry.source = Some(source);
            let all = items + 5 + 2 + 1 + 2 + 1 + 2;
            let bytes = encode_entry(&entry).unwrap();
            assert!(with_items(all, || wire::decode::<EntryV1<'_>>(&bytes)).is_ok());
            assert!(with_items(all - 1, || wire::decode::<EntryV1<'_>>(&bytes)).is_err());
            let fields = entry.record.values().iter().map(|field| 1 + field.value.items()).sum::<usize>();
            assert_eq!(fields + entry.items_beside_fields(), all);
        }
    }
}
