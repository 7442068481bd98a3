//! The invented patient of the golden vaults: every kind with every field, and
//! some small entries.

use crate::*;

pub(in crate::vault::tests) const RAW_KEY: [u8; 32] = *b"a raw key of the golden vault 01";
pub(super) const RECOVERY_KEY: &str = "doctor anxiety move mass federal casual cancel citizen ensure give fatal pact agree powder essence melt film river bind regret remind concert just welcome";

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

fn narrative(text: &str) -> Narrative {
    Narrative::new(text).unwrap()
}

fn date(text: &str) -> PartialDate {
    text.parse().unwrap()
}

fn coding(system: &str, code: &str, display: &str) -> Coding {
    Coding {
        system: Some(token(system)),
        version: None,
        code: Some(token(code)),
        display: Some(token(display)),
    }
}

fn concept(code: &str, display: &str) -> Concept {
    Concept::from_coding(coding("http://snomed.info/sct", code, display))
}

fn identifier() -> Identifier {
    Identifier { system: Some(token("urn:example:mrn")), value: Some(token("0042")), sort: Some(token("MR")) }
}

fn telecom() -> Telecom {
    Telecom { system: Some(token("phone")), value: Some(token("555-0142")), purpose: Some(token("work")) }
}

fn party() -> Party {
    Party {
        name: Some(token("Dr. Ägidia Fennimore")),
        role: Some(token("psychiatrist")),
        reference: Some(token("Practitioner/7")),
        identifiers: vec![identifier()],
        contact: vec![telecom()],
    }
}

/// A value of this type, with every optional part.
fn value(field_type: FieldType, index: u16) -> Value {
    match field_type {
        FieldType::Concept => {
            Value::Concept(Concept { text: Some(token("in words")), ..concept("73211009", "Example") })
        }
        FieldType::Date => {
            Value::Date(date(["2019", "2019-04", "2019-04-27T15:30:00.250+02:00"][usize::from(index) % 3]))
        }
        FieldType::Token => Value::Token(token("active")),
        FieldType::Narrative => Value::Narrative(narrative("Slept badly; „besser“ since May.\nSecond line.")),
        FieldType::Quantity => Value::Quantity(Quantity {
            value: Some(token("6.1000")),
            comparator: Some(token("<=")),
            unit: Some(token("mg")),
            system: Some(token("http://unitsofmeasure.org")),
            code: Some(token("mg")),
        }),
        FieldType::Boolean => Value::Boolean(index == 0),
        FieldType::Party => Value::Party(party()),
        FieldType::Name => Value::Name(HumanName {
            purpose: Some(token("official")),
            text: None,
            family: Some(token("Thornbury")),
            given: vec![token("Rosalind"), token("May")],
            prefix: vec![token("Dr.")],
            suffix: vec![token("III")],
        }),
        FieldType::Address => Value::Address(Address {
            purpose: Some(token("home")),
            text: None,
            lines: vec![token("7 Rose Lane")],
            city: Some(token("Larkfield")),
            district: Some(token("Briar")),
            state: Some(token("NJ")),
            postal_code: Some(token("00000")),
            country: Some(token("US")),
        }),
        FieldType::Telecom => Value::Telecom(telecom()),
        FieldType::Identifier => Value::Identifier(identifier()),
        FieldType::Attachment => Value::Attachment(attachment(index)),
        FieldType::Component => {
            Value::Component(Component { code: concept("44250-9", "Little interest"), value: scalar(index) })
        }
        other => panic!("no sample of the type {other:?}"),
    }
}

fn scalar(index: u16) -> Option<Scalar> {
    match index {
        0 => Some(Scalar::Quantity(Quantity { value: Some(token("3")), ..Quantity::default() })),
        1 => Some(Scalar::Concept(concept("LA6571-9", "Nearly every day"))),
        2 => Some(Scalar::Date(date("2020-02-29"))),
        3 => Some(Scalar::Text(narrative("most mornings"))),
        4 => Some(Scalar::Boolean(false)),
        _ => None,
    }
}

fn attachment(index: u16) -> Attachment {
    Attachment {
        content_type: Some(token("text/plain")),
        title: Some(token("letter")),
        created: Some(date("2021-01")),
        size: Some(5),
        location: Some(match index {
            0 => Location::Inline(b"hello".to_vec()),
            1 => Location::InSource(token("/content/0/attachment/data")),
            _ => Location::External(token("https://example.org/letter")),
        }),
    }
}

/// How many values of a repeating field of this type show all its forms.
fn repeats(schema: &FieldSchema) -> u16 {
    match schema.field_type {
        _ if !schema.repeats => 1,
        FieldType::Component => 6,
        FieldType::Attachment => 3,
        _ => 1 + u16::from(schema.tag.is_multiple_of(4)),
    }
}

/// A record of this kind with every field.
fn full_record(kind: Kind) -> Record {
    let fields = kind.schema().iter().flat_map(|schema| {
        (0..repeats(schema)).map(|index| (schema.tag, index, value(schema.field_type, index)))
    });
    Record::from_fields(kind, fields).unwrap()
}

fn full_provenance() -> Provenance {
    Provenance {
        provider: Some(party()),
        document: Some(token("bundle-17.json")),
        recorded: Some(date("2022-03-04T05:06:07Z")),
        origin: Origin::Imported,
        identity: Some(token("Condition/123")),
        address: Some(token("urn:uuid:2f5c1d80-7b1e-4c3e-9a54-6d9d6a0a7c11")),
        labels: vec![coding("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R", "restricted")],
    }
}

fn small(number: u16) -> Entry {
    let code = format!("{}", 271_650_000 + u32::from(number));
    let mut record = Observation {
        code: Some(concept(&code, "Reading")),
        start: Some(date(&format!("20{:02}-06", number % 26))),
        ..Observation::default()
    };
    record.quantity = Some(Quantity { value: Some(token(&format!("{number}.50"))), ..Quantity::default() });
    Entry::new(record, Provenance::default())
}

fn note(form: &str, text: &str) -> Entry {
    let record = Note {
        form: Some(token(form)),
        text: vec![narrative(text)],
        date: Some(date("2023-11-05")),
        ..Note::default()
    };
    let mut entry = Entry::new(record, Provenance::default());
    entry.provenance.origin = Origin::EnteredByProvider;
    entry
}

fn diagnosis(display: &str) -> Entry {
    let code = Some(Concept::from_coding(coding("http://hl7.org/fhir/sid/icd-10-cm", "F33.1", display)));
    Entry::new(Diagnosis { code, onset: Some(date("2018")), ..Diagnosis::default() }, Provenance::default())
}

/// What the first commit of entries adds.
pub(super) fn entries() -> Vec<Entry> {
    let mut entries = vec![diagnosis("Depressive disorder, recurrent, moderate"), small(0)];
    entries.extend(Kind::all().iter().map(|kind| Entry::new(full_record(*kind), full_provenance())));
    for (form, text) in [
        ("psychotherapy", "Spoke about the orchard."),
        ("psychotherapy", "Spoke about the well."),
        ("progress", "Sleeps better."),
    ] {
        entries.push(note(form, text));
    }
    entries.extend((1..24).map(small));
    let mut marked = diagnosis("Adjustment disorder");
    marked.source = Some(Source::new(
        SourceFormat::FhirJson(FhirVersion::R4),
        br#"{"resourceType":"Condition","n":1.50}"#.to_vec(),
    ));
    if let Some(source) = &mut marked.source {
        let file = br#"{"resourceType":"Binary","data":"T2xkZXIgbGV0dGVy"}"#.to_vec();
        source.files = vec![SourceFile::new(token("Binary/7"), file)];
    }
    marked.not_understood = vec![token("Condition.modifierExtension")];
    marked.marks.same_person = true;
    marked.marks.expires = Some(date("2040"));
    marked.marks.disputes = vec![EntryId::from_bytes([7; 16])];
    marked.marks.legal_holds = vec![LegalHold::new(narrative("subpoena 12-34"), Some(date("2030-01-01")))];
    entries.push(marked);
    entries.push(large());
    entries
}

/// An attachment of more than one chunk, which does not repeat itself.
fn large() -> Entry {
    let mut state = 1u32;
    let bytes: Vec<u8> = (0..20_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .collect();
    let content = Attachment { size: Some(20_000), location: Some(Location::Inline(bytes)), ..attachment(0) };
    let record = AttachmentRecord {
        title: Some(token("scan")),
        content: vec![content],
        ..AttachmentRecord::default()
    };
    Entry::new(record, Provenance::default())
}

pub(super) fn amended() -> Entry {
    diagnosis("Depressive disorder, recurrent, severe")
}

pub(super) fn amended_note() -> Entry {
    note("psychotherapy", "Spoke about the orchard, and the bees.")
}

pub(super) fn amended_again() -> Entry {
    diagnosis("Depressive disorder, recurrent, in remission")
}

pub(super) fn expunged() -> Entry {
    note("progress", "This sentence must be nowhere in the vault.")
}

/// A file of three records, one under a name that means one thing everywhere.
pub(super) fn imported() -> Imported {
    let record = |name: &str, text: &str| {
        format!(r#"{{"resourceType":"Condition","id":"{name}","code":{{"text":"{text}"}}}}"#)
    };
    let records = [
        record("9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8", "Hay fever"),
        record("17", "Chilblains"),
        record("18", "Gout"),
    ];
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("portal.ndjson"), records.join("\n").as_bytes()).unwrap();
    import.finish().unwrap()
}

/// The entries of the smaller vault: two compartments.
pub(super) fn few() -> Vec<Entry> {
    let substance =
        SubstanceUse { code: Some(concept("228273003", "Drinks alcohol")), ..SubstanceUse::default() };
    vec![small(3), note("discharge", "Went home."), Entry::new(substance, Provenance::default())]
}

/// What the stored attachment of the golden vault is called.
pub(super) fn scan() -> Attachment {
    Attachment {
        content_type: Some(token("image/tiff")),
        title: Some(token("scan of the letter")),
        created: Some(date("2024-02")),
        ..Attachment::default()
    }
}

/// Its bytes.
pub(super) fn scanned() -> Vec<u8> {
    (0..1234u32).map(|n| (n * n % 251).to_le_bytes()[0]).collect()
}

/// A note that has the same attachment.
pub(super) fn with_attachment(attachment: Attachment) -> Entry {
    let mut entry = note("letter", "Scanned, see there.");
    if let Record::Note(note) = &mut entry.record {
        note.attachments = vec![attachment];
    }
    entry
}
