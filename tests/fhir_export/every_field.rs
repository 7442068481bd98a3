//! Entries made by hand, of every kind and with every field.

use proptest::prelude::*;
use subrosa::record::{
    Address, Attachment, Coding, Component, FieldSchema, FieldType, HumanName, Identifier, LegalHold,
    Location, Narrative, Origin, Party, Quantity, Scalar, Telecom, Value,
};
use subrosa::vault::Compartment;
use subrosa::{Actor, Concept, Entry, Kind, PartialDate, Provenance, Record, Token, Vault};

use crate::support::{assert_round_trip, vault};

pub(crate) fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

fn concept(text: &str) -> Concept {
    let mut coding = Coding::default();
    coding.system = Some(token("http://snomed.info/sct"));
    coding.code = Some(token("195967001"));
    coding.display = Some(token(text));
    let mut concept = Concept::from_coding(coding);
    concept.text = Some(token("as the author wrote it"));
    concept
}

fn quantity() -> Quantity {
    let mut quantity = Quantity::default();
    quantity.value = Some(token("6.1000"));
    quantity.comparator = Some(token("<"));
    quantity.unit = Some(token("mmol/L"));
    quantity.system = Some(token("http://unitsofmeasure.org"));
    quantity.code = Some(token("mmol/L"));
    quantity
}

fn telecom() -> Telecom {
    let mut telecom = Telecom::default();
    telecom.system = Some(token("phone"));
    telecom.value = Some(token("+1 555 0100"));
    telecom.purpose = Some(token("home"));
    telecom
}

fn identifier() -> Identifier {
    let mut identifier = Identifier::default();
    identifier.system = Some(token("urn:oid:1.2.3"));
    identifier.value = Some(token("12-34"));
    identifier.sort = Some(token("MR"));
    identifier
}

fn party() -> Party {
    let mut party = Party::default();
    party.name = Some(token("Dr. Ada Lee"));
    party.role = Some(token("attending"));
    party.reference = Some(token("Practitioner/12"));
    party.identifiers = vec![identifier()];
    party.contact = vec![telecom()];
    party
}

fn attachment() -> Attachment {
    let mut attachment = Attachment::default();
    attachment.content_type = Some(token("text/plain"));
    attachment.title = Some(token("a letter"));
    attachment.created = Some("2019-04".parse().unwrap());
    attachment.size = Some(5);
    attachment.location = Some(Location::Inline(b"words".to_vec()));
    attachment
}

/// A value of this type. Dates and words of status are such as people write.
fn value(schema: &FieldSchema, at: usize) -> Value {
    let words = format!("{} {at}", schema.name);
    match schema.field_type {
        FieldType::Concept => Value::Concept(concept(&words)),
        FieldType::Date => {
            let dates =
                ["2019", "2019-04", "2019-04-27", "2019-04-27T15:30:00.250-05:00", "2019-04-27T15:30Z"];
            Value::Date(dates[schema.tag as usize % dates.len()].parse().unwrap())
        }
        FieldType::Token => Value::Token(token(&words)),
        FieldType::Narrative => {
            Value::Narrative(Narrative::new(format!("{words}\nin two lines & <more>")).unwrap())
        }
        FieldType::Quantity => Value::Quantity(quantity()),
        FieldType::Boolean => Value::Boolean(schema.tag.is_multiple_of(2)),
        FieldType::Party => Value::Party(party()),
        FieldType::Name => {
            let mut name = HumanName::default();
            name.purpose = Some(token("official"));
            name.given = vec![token("Ada"), token("King")];
            name.family = Some(token("Byron"));
            name.prefix = vec![token("Lady")];
            name.suffix = vec![token("II")];
            Value::Name(name)
        }
        FieldType::Address => {
            let mut address = Address::default();
            address.purpose = Some(token("home"));
            address.lines = vec![token("1 Main Street"), token("Back door")];
            address.city = Some(token("Ohio City"));
            address.postal_code = Some(token("44113"));
            Value::Address(address)
        }
        FieldType::Telecom => Value::Telecom(telecom()),
        FieldType::Identifier => Value::Identifier(identifier()),
        FieldType::Attachment => Value::Attachment(attachment()),
        FieldType::Component => {
            let mut component = Component::default();
            component.code = concept(&words);
            let date: PartialDate = "2020-02".parse().unwrap();
            let values = [
                Scalar::Concept(concept("an answer")),
                Scalar::Quantity(quantity()),
                Scalar::Date(date),
                Scalar::Text(Narrative::new("in words").unwrap()),
                Scalar::Boolean(true),
            ];
            component.value = values.get(at % 6).cloned();
            Value::Component(component)
        }
        other => panic!("no value of the type {other:?}"),
    }
}

/// A record with every field of its kind, lists with several values.
pub(crate) fn full(kind: Kind) -> Record {
    let mut fields = Vec::new();
    for schema in kind.schema() {
        let most = if schema.repeats { 3 } else { 1 };
        fields.extend((0..most).map(|at| (schema.tag, u16::try_from(at).unwrap(), value(schema, at))));
    }
    Record::from_fields(kind, fields).unwrap()
}

/// A record with one field of its kind.
fn alone(kind: Kind, schema: &FieldSchema) -> Record {
    Record::from_fields(kind, [(schema.tag, 0, value(schema, 0))]).unwrap()
}

/// Forms of records that FHIR has as resources of their own.
const FORMS: [(Kind, &[&str]); 4] = [
    (Kind::Treatment, &["procedure", "therapy-session", "care-plan"]),
    (Kind::Medication, &["request", "statement", "dispense", "administration"]),
    (Kind::Provider, &["practitioner", "organization", "practitioner-role", "location"]),
    (Kind::Note, &["progress", "psychotherapy", "discharge-summary", "other"]),
];

/// A full record in each of its forms.
pub(crate) fn in_forms(kind: Kind) -> Vec<Record> {
    let Some((_, forms)) = FORMS.iter().find(|(of, _)| *of == kind) else { return vec![full(kind)] };
    let tag = kind.field("form").unwrap().tag;
    let with = |form: &&str| {
        let fields = full(kind).fields().into_iter();
        let fields = fields.map(|field| match field.tag == tag {
            true => (field.tag, field.index, Value::Token(token(form))),
            false => (field.tag, field.index, field.value),
        });
        Record::from_fields(kind, fields).unwrap()
    };
    forms.iter().map(with).collect()
}

/// A vault with an entry of every kind in each form, and one for each field alone.
pub(crate) fn everything() -> Vault {
    let vault = vault();
    let mut entries = Vec::new();
    for &kind in Kind::all() {
        let alone = kind.schema().iter().map(|schema| alone(kind, schema));
        for record in in_forms(kind).into_iter().chain(alone).chain([Record::from_fields(kind, []).unwrap()])
        {
            let mut provenance = Provenance::default();
            provenance.origin = if entries.len().is_multiple_of(3) {
                Origin::EnteredByProvider
            } else {
                Origin::EnteredByOwner
            };
            provenance.provider = Some(party());
            entries.push(Entry::new(record, provenance));
        }
    }
    vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap();
    vault
}

#[test]
fn every_kind_and_field_comes_back() {
    assert_round_trip(&everything(), "every field");
}

#[test]
fn what_was_decided_about_entries_comes_back() {
    let vault = vault();
    let owner = Actor::owner();
    let note = |text: &str| {
        let fields = [(10, 0, Value::Narrative(Narrative::new(text).unwrap()))];
        Entry::new(Record::from_fields(Kind::Note, fields).unwrap(), Provenance::default())
    };
    let ids = vault
        .update(&owner, |tx| tx.add_all(&[note("one"), note("two"), note("three"), note("one")]))
        .unwrap();
    let ids = ids.value;
    vault.update(&owner, |tx| tx.retract(ids[0], "wrong")).unwrap();
    let mut held = note("two");
    held.marks.legal_holds =
        vec![LegalHold::new(Narrative::new("a request").unwrap(), Some("2030".parse().unwrap()))];
    held.marks.expires = Some("2040-01".parse().unwrap());
    held.marks.disputes = vec![ids[2], ids[0]];
    vault.update(&owner, |tx| tx.amend(ids[1], &held, "as it is")).unwrap();
    // Kept apart by hand.
    vault.update(&owner, |tx| tx.add_in(Compartment::PsychotherapyNotes, &note("apart"))).unwrap();
    assert_round_trip(&vault, "marks");
}

#[test]
fn stored_files_come_back() {
    let vault = vault();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    for (title, bytes) in [("long", bytes.as_slice()), ("short", b"x"), ("again", b"x"), ("empty", b"")] {
        let add = |tx: &mut subrosa::vault::Transaction<'_>| {
            let mut stored = tx.store(Compartment::General, &mut &*bytes)?;
            stored.title = Some(token(title));
            let record = Record::from_fields(Kind::Attachment, [(2, 0, Value::Attachment(stored))]).unwrap();
            tx.add(&Entry::new(record, Provenance::default()))
        };
        vault.update(&Actor::owner(), add).unwrap();
    }
    assert_round_trip(&vault, "files");
}

#[test]
fn what_the_holder_changed_of_an_import_comes_back() {
    let vault = vault();
    let sample = include_bytes!("../../examples/sample/patient.json");
    let mut import = subrosa::Import::new(subrosa::ImportOptions::default());
    import.read(Some("clinic.json"), sample.as_slice()).unwrap();
    vault.import(&Actor::owner(), &import.finish().unwrap()).unwrap();
    for listed in vault.list(&subrosa::Filter::all()).unwrap() {
        let mut entry = vault.entry(listed.id).unwrap();
        entry.record = full(entry.kind());
        if entry.kind() != Kind::Note {
            vault.update(&Actor::owner(), |tx| tx.amend(listed.id, &entry, "better known")).unwrap();
        }
    }
    assert_round_trip(&vault, "changed");
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,20}",
        "[ \\t\\r\\n\u{0}-\u{1f}]{1,4}",
        any::<String>().prop_filter("said", |text| !text.is_empty())
    ]
}

fn any_token() -> impl Strategy<Value = Token> {
    any_text().prop_map(|text| Token::new(text.chars().take(200).collect::<String>()).unwrap())
}

fn any_date() -> impl Strategy<Value = PartialDate> {
    prop::sample::select(vec![
        "0001",
        "2019",
        "2019-12",
        "2019-04-27",
        "2019-04-27T23:59:60Z",
        "2019-04-27T15:30",
        "2019-04-27T15:30:00",
        "2019-04-27T15:30:00.123456789+14:00",
        "9999-12-31",
    ])
    .prop_filter_map("a date", |text| text.parse().ok())
}

fn any_concept() -> impl Strategy<Value = Concept> {
    let coding = prop::collection::vec(prop::option::of(any_token()), 4).prop_map(|mut parts| {
        let mut coding = Coding::default();
        coding.system = parts.pop().unwrap();
        coding.version = parts.pop().unwrap();
        coding.code = parts.pop().unwrap();
        coding.display = parts.pop().unwrap();
        coding
    });
    (prop::collection::vec(coding, 0..3), prop::option::of(any_token())).prop_map(|(codings, text)| {
        let mut concept = Concept::default();
        (concept.codings, concept.text) = (codings, text);
        concept
    })
}

fn any_value(field_type: FieldType) -> BoxedStrategy<Value> {
    let optional = || prop::option::of(any_token());
    match field_type {
        FieldType::Concept => any_concept().prop_map(Value::Concept).boxed(),
        FieldType::Date => any_date().prop_map(Value::Date).boxed(),
        FieldType::Token => any_token().prop_map(Value::Token).boxed(),
        FieldType::Narrative => {
            any_text().prop_map(|text| Value::Narrative(Narrative::new(text).unwrap())).boxed()
        }
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        FieldType::Quantity => (optional(), optional(), optional())
            .prop_map(|(value, comparator, unit)| {
                let mut quantity = Quantity::default();
                (quantity.value, quantity.comparator, quantity.unit) = (value, comparator, unit);
                Value::Quantity(quantity)
            })
            .boxed(),
        FieldType::Party => (optional(), optional(), optional())
            .prop_map(|(name, role, reference)| {
                let mut party = Party::default();
                (party.name, party.role, party.reference) = (name, role, reference);
                Value::Party(party)
            })
            .boxed(),
        FieldType::Component => (any_concept(), prop::option::of(any_concept()))
            .prop_map(|(code, value)| {
                let mut component = Component::default();
                (component.code, component.value) = (code, value.map(Scalar::Concept));
                Value::Component(component)
            })
            .boxed(),
        FieldType::Attachment => (optional(), prop::option::of(prop::collection::vec(any::<u8>(), 0..50)))
            .prop_map(|(title, bytes)| {
                let mut attachment = Attachment::default();
                (attachment.title, attachment.location) = (title, bytes.map(Location::Inline));
                Value::Attachment(attachment)
            })
            .boxed(),
        FieldType::Name => prop::collection::vec(any_token(), 0..3)
            .prop_map(|given| {
                let mut name = HumanName::default();
                name.given = given;
                Value::Name(name)
            })
            .boxed(),
        FieldType::Address => optional()
            .prop_map(|city| {
                let mut address = Address::default();
                address.city = city;
                Value::Address(address)
            })
            .boxed(),
        FieldType::Telecom => (optional(), optional())
            .prop_map(|(system, value)| {
                let mut telecom = Telecom::default();
                (telecom.system, telecom.value) = (system, value);
                Value::Telecom(telecom)
            })
            .boxed(),
        FieldType::Identifier => (optional(), optional())
            .prop_map(|(system, value)| {
                let mut identifier = Identifier::default();
                (identifier.system, identifier.value) = (system, value);
                Value::Identifier(identifier)
            })
            .boxed(),
        other => panic!("no value of the type {other:?}"),
    }
}

pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    prop::sample::select(Kind::all().to_vec()).prop_flat_map(|kind| {
        let fields: Vec<_> = kind
            .schema()
            .iter()
            .map(|schema| {
                let most = if schema.repeats { 0..3_usize } else { 0..2 };
                prop::collection::vec(any_value(schema.field_type), most)
                    .prop_map(move |values| (schema.tag, values))
            })
            .collect();
        fields.prop_map(move |fields| {
            let fields = fields.into_iter().flat_map(|(tag, values)| {
                let indexed = values.into_iter().enumerate();
                indexed.map(move |(index, value)| (tag, u16::try_from(index).unwrap(), value))
            });
            Record::from_fields(kind, fields).unwrap()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_write_comes_back(records in prop::collection::vec(any_record(), 1..12)) {
        let vault = vault();
        let entries: Vec<Entry> =
            records.into_iter().map(|record| Entry::new(record, Provenance::default())).collect();
        vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap();
        assert_round_trip(&vault, "any record");
    }
}
