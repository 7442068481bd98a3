//! The struct of each kind, made of the table in `crates/base`.

use std::fmt;

use subrosa_base::schema::Kind;

use super::date::PartialDate;
use super::field::{Field, FieldRef, Member, Refusal};
use super::search::Needle;
use super::table::{Span, records};
use super::text::{Narrative, Token};
use super::value::{
    Address, Attachment, Component, Concept, HumanName, Identifier, Party, Quantity, Telecom, Value,
    redacted_debug,
};

subrosa_base::each_kind!(records);

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record::{:?}", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FieldError;

    fn token(text: &str) -> Token {
        Token::new(text).unwrap()
    }

    #[test]
    fn fields_give_the_record_back() {
        let diagnosis = Diagnosis {
            code: Some(Concept::from_text(token("asthma"))),
            onset: Some("2019".parse().unwrap()),
            categories: vec![Concept::from_text(token("a")), Concept::from_text(token("b"))],
            ..Diagnosis::default()
        };
        let record = Record::from(diagnosis);
        let fields = record.fields();
        let keys: Vec<_> = fields.iter().map(|field| (field.tag, field.name, field.index)).collect();
        assert_eq!(keys, [(1, "code", 0), (4, "categories", 0), (4, "categories", 1), (7, "onset", 0)]);
        let triples = fields.into_iter().map(|field| (field.tag, field.index, field.value));
        assert_eq!(Record::from_fields(Kind::Diagnosis, triples), Ok(record));
    }

    #[test]
    fn fields_that_do_not_fit_are_refused() {
        let kind = Kind::Diagnosis;
        let concept = || Value::Concept(Concept::default());
        let read = |fields: Vec<(u16, u16, Value)>| Record::from_fields(kind, fields).err();
        assert_eq!(read(vec![(999, 0, concept())]), Some(FieldError::Unknown { kind, tag: 999 }));
        assert_eq!(read(vec![(1, 0, Value::Boolean(true))]), Some(FieldError::WrongType { kind, tag: 1 }));
        let twice = vec![(1, 0, concept()), (1, 0, concept())];
        assert_eq!(read(twice), Some(FieldError::OutOfOrder { kind, tag: 1, index: 0 }));
        assert_eq!(read(vec![(1, 1, concept())]), Some(FieldError::OutOfOrder { kind, tag: 1, index: 1 }));
        assert_eq!(read(vec![(4, 1, concept())]), Some(FieldError::OutOfOrder { kind, tag: 4, index: 1 }));
    }

    #[test]
    fn debug_prints_no_content() {
        let record = Record::from(Note { title: Some(token("secret")), ..Note::default() });
        assert_eq!(format!("{record:?}"), "Record::Note");
        assert!(!format!("{:?}", record.fields()).contains("secret"));
    }

    #[test]
    fn every_field_has_the_type_that_the_schema_says() {
        let types = types();
        assert!(types.len() > 250);
        for (kind, tag, field_type, repeats) in types {
            let schema = kind.schema().iter().find(|field| field.tag == tag).unwrap();
            assert_eq!((schema.field_type, schema.repeats), (field_type, repeats), "{kind} {tag}");
        }
    }
}
