//! A record as JSON, by the table of kinds, and back.

use super::form::{Form, Members};
use crate::codec::json::{Json, Object};
use crate::record::{
    Address, Attachment, Component, Concept, FieldSchema, FieldType, HumanName, Identifier, Kind, Narrative,
    PartialDate, Party, Quantity, Record, Telecom, Token, Value, ValueRef,
};

/// The member that names the kind.
const KIND: &str = "kind";

impl Form for Record {
    fn write(&self) -> Json {
        let mut members = vec![(KIND.to_owned(), Json::string(self.kind().name()))];
        let values = self.values();
        for run in values.chunk_by(|one, next| one.tag == next.tag) {
            let Some(first) = run.first() else { continue };
            let Some(schema) = self.kind().schema().iter().find(|schema| schema.tag == first.tag) else {
                continue;
            };
            let value = match schema.repeats {
                true => Json::Array(run.iter().map(|field| write(&field.value)).collect()),
                false => write(&first.value),
            };
            members.push((schema.name.to_owned(), value));
        }
        Json::Object(Object::new(members))
    }

    fn read(json: &Json) -> Option<Self> {
        let mut members = Members::of(json)?;
        let kind = Kind::from_name(members.take(KIND)?.as_str()?)?;
        let mut fields = Vec::new();
        for schema in kind.schema() {
            let Some(json) = members.take(schema.name) else { continue };
            for (index, value) in values(schema, json)?.into_iter().enumerate() {
                fields.push((schema.tag, u16::try_from(index).ok()?, value));
            }
        }
        members.finish()?;
        Self::from_fields(kind, fields).ok()
    }
}

fn values(schema: &FieldSchema, json: &Json) -> Option<Vec<Value>> {
    match schema.repeats {
        true => json.as_array()?.iter().map(|item| read(schema.field_type, item)).collect(),
        false => Some(vec![read(schema.field_type, json)?]),
    }
}

fn write(value: &ValueRef<'_>) -> Json {
    match value {
        ValueRef::Concept(value) => value.write(),
        ValueRef::Date(value) => value.write(),
        ValueRef::Token(value) => value.write(),
        ValueRef::Narrative(value) => value.write(),
        ValueRef::Quantity(value) => value.write(),
        ValueRef::Boolean(value) => value.write(),
        ValueRef::Party(value) => value.write(),
        ValueRef::Name(value) => value.write(),
        ValueRef::Address(value) => value.write(),
        ValueRef::Telecom(value) => value.write(),
        ValueRef::Identifier(value) => value.write(),
        ValueRef::Attachment(value) => value.write(),
        ValueRef::Component(value) => value.write(),
    }
}

fn read(field_type: FieldType, json: &Json) -> Option<Value> {
    Some(match field_type {
        FieldType::Concept => Value::Concept(Concept::read(json)?),
        FieldType::Date => Value::Date(PartialDate::read(json)?),
        FieldType::Token => Value::Token(Token::read(json)?),
        FieldType::Narrative => Value::Narrative(Narrative::read(json)?),
        FieldType::Quantity => Value::Quantity(Quantity::read(json)?),
        FieldType::Boolean => Value::Boolean(bool::read(json)?),
        FieldType::Party => Value::Party(Party::read(json)?),
        FieldType::Name => Value::Name(HumanName::read(json)?),
        FieldType::Address => Value::Address(Address::read(json)?),
        FieldType::Telecom => Value::Telecom(Telecom::read(json)?),
        FieldType::Identifier => Value::Identifier(Identifier::read(json)?),
        FieldType::Attachment => Value::Attachment(Attachment::read(json)?),
        FieldType::Component => Value::Component(Component::read(json)?),
        _ => return None,
    })
}
