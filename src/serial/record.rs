//! Records: each field of the table of kinds under its name.
//!
//! The table itself is followed, so that the next kind or field is written and read
//! without a word here.

use serde::ser::{Serialize, SerializeMap, SerializeStruct as _, Serializer};

use subrosa_base::deserialize_by_serde as deserialize;
use subrosa_base::serial::error::Fault;
use subrosa_base::serial::node::{Members, Node};
use subrosa_base::serial::shape::Read;

use crate::record::{
    Address, AdvanceDirective, Allergy, Assessment, Attachment, AttachmentRecord, Component, Concept,
    Diagnosis, Encounter, FamilyHistory, Field, FieldRef, FieldSchema, FieldType, Hospitalization, HumanName,
    Identifier, Immunization, Kind, LegalDocument, Medication, Narrative, Note, Observation, Other,
    PartialDate, Party, Patient, Provider, Quantity, Record, Statement, SubstanceUse, Telecom, Token,
    Treatment, Value, ValueRef, each_kind,
};

/// The member of an object that names the kind of record.
const KIND: &str = "kind";

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Concept(value) => value.serialize(serializer),
            Self::Date(value) => value.serialize(serializer),
            Self::Token(value) => value.serialize(serializer),
            Self::Narrative(value) => value.serialize(serializer),
            Self::Quantity(value) => value.serialize(serializer),
            Self::Boolean(value) => value.serialize(serializer),
            Self::Party(value) => value.serialize(serializer),
            Self::Name(value) => value.serialize(serializer),
            Self::Address(value) => value.serialize(serializer),
            Self::Telecom(value) => value.serialize(serializer),
            Self::Identifier(value) => value.serialize(serializer),
            Self::Attachment(value) => value.serialize(serializer),
            Self::Component(value) => value.serialize(serializer),
        }
    }
}

/// The values of a field that repeats.
struct Repeated<'a, 'b>(&'b [FieldRef<'a>]);

impl Serialize for Repeated<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|field| &field.value))
    }
}

fn write_fields<M: SerializeMap>(map: &mut M, kind: Kind, values: &[FieldRef<'_>]) -> Result<(), M::Error> {
    for run in values.chunk_by(|one, next| one.tag == next.tag) {
        let Some(first) = run.first() else { continue };
        let Some(schema) = kind.schema().iter().find(|schema| schema.tag == first.tag) else { continue };
        match schema.repeats {
            true => map.serialize_entry(schema.name, &Repeated(run))?,
            false => map.serialize_entry(schema.name, &first.value)?,
        }
    }
    Ok(())
}

fn read_fields(kind: Kind, mut members: Members) -> Result<Record, Fault> {
    let mut fields = Vec::new();
    for schema in kind.schema() {
        let Some(node) = members.take(schema.name) else { continue };
        let values = read_field(schema, node).map_err(|fault| fault.in_member(schema.name))?;
        for (index, value) in values.into_iter().enumerate() {
            let index = u16::try_from(index)
                .map_err(|_| Fault::new("more values than a field may have").in_member(schema.name))?;
            fields.push((schema.tag, index, value));
        }
    }
    members.finish()?;
    Record::from_fields(kind, fields).map_err(Fault::new)
}

fn read_field(schema: &FieldSchema, node: Node) -> Result<Vec<Value>, Fault> {
    let value = |node| read_value(schema.field_type, node);
    match node {
        Node::Null if !schema.repeats => Ok(Vec::new()),
        node if !schema.repeats => Ok(vec![value(node)?]),
        node => {
            let items = node.into_list()?.into_iter().enumerate();
            items.map(|(index, item)| value(item).map_err(|fault| fault.in_item(index))).collect()
        }
    }
}

fn read_value(field_type: FieldType, node: Node) -> Result<Value, Fault> {
    Ok(match field_type {
        FieldType::Concept => Value::Concept(Concept::read(node)?),
        FieldType::Date => Value::Date(PartialDate::read(node)?),
        FieldType::Token => Value::Token(Token::read(node)?),
        FieldType::Narrative => Value::Narrative(Narrative::read(node)?),
        FieldType::Quantity => Value::Quantity(Quantity::read(node)?),
        FieldType::Boolean => Value::Boolean(bool::read(node)?),
        FieldType::Party => Value::Party(Party::read(node)?),
        FieldType::Name => Value::Name(HumanName::read(node)?),
        FieldType::Address => Value::Address(Address::read(node)?),
        FieldType::Telecom => Value::Telecom(Telecom::read(node)?),
        FieldType::Identifier => Value::Identifier(Identifier::read(node)?),
        FieldType::Attachment => Value::Attachment(Attachment::read(node)?),
        FieldType::Component => Value::Component(Component::read(node)?),
        _ => return Err(Fault::new("a type of value that is not known")),
    })
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(KIND, &self.kind())?;
        write_fields(&mut map, self.kind(), &self.values())?;
        map.end()
    }
}

impl Read for Record {
    fn read(node: Node) -> Result<Self, Fault> {
        let mut members = Members::of(node)?;
        let kind = members.take(KIND).ok_or_else(|| Fault::new("kind is missing"))?;
        let kind = Kind::read(kind).map_err(|fault| fault.in_member(KIND))?;
        read_fields(kind, members)
    }
}

deserialize!(Record);

/// The struct of each kind: as its record, without the kind's name.
macro_rules! kinds_alone {
    ($($kind:ident $variant:ident;)+) => {$(
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                write_fields(&mut map, Kind::$variant, &self.values())?;
                map.end()
            }
        }

        impl Read for $kind {
            fn read(node: Node) -> Result<Self, Fault> {
                match read_fields(Kind::$variant, Members::of(node)?)? {
                    Record::$variant(record) => Ok(*record),
                    _ => Err(Fault::new("a record of another kind")),
                }
            }
        }

        deserialize!($kind);
    )+};
}

each_kind!(kinds_alone);

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { tag, name, index, value } = self;
        let mut fields = serializer.serialize_struct("Field", 4)?;
        fields.serialize_field("tag", tag)?;
        fields.serialize_field("name", name)?;
        fields.serialize_field("index", index)?;
        fields.serialize_field("value", value)?;
        fields.end()
    }
}
