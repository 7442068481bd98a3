//! A record as its fields, and back.

use thiserror::Error;

use subrosa_base::schema::Kind;

use super::field::{Field, Refusal};
use super::kinds::Record;
use super::value::Value;

/// Why fields do not make a record. Names tags, never values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The kind has no field of this tag.
    #[error("{kind} has no field {tag}")]
    Unknown {
        /// The kind.
        kind: Kind,
        /// The tag.
        tag: u16,
    },
    /// The value is of another type than the field's.
    #[error("field {tag} of {kind} holds values of another type")]
    WrongType {
        /// The kind.
        kind: Kind,
        /// The tag.
        tag: u16,
    },
    /// The value's index does not follow the one before, or the field holds one value only.
    #[error("value {index} of field {tag} of {kind} is out of order or one too many")]
    OutOfOrder {
        /// The kind.
        kind: Kind,
        /// The tag.
        tag: u16,
        /// The index.
        index: u16,
    },
}

impl Record {
    /// The record's values, sorted by tag and index.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        self.clone().into_fields()
    }

    /// Whether the field of this tag has a value.
    pub(crate) fn has(&self, tag: u16) -> bool {
        self.values().iter().any(|field| field.tag == tag)
    }

    /// The record of these fields: the inverse of [`Record::fields`].
    ///
    /// # Errors
    /// [`FieldError`] when the kind has no such field, a value is of another type, or
    /// an index does not follow the one before it.
    pub fn from_fields(
        kind: Kind,
        fields: impl IntoIterator<Item = (u16, u16, Value)>,
    ) -> Result<Self, FieldError> {
        let mut record = Self::empty(kind);
        for (tag, index, value) in fields {
            match record.accept(tag, index, value) {
                None => return Err(FieldError::Unknown { kind, tag }),
                Some(Err(Refusal::WrongType)) => return Err(FieldError::WrongType { kind, tag }),
                Some(Err(Refusal::OutOfOrder)) => return Err(FieldError::OutOfOrder { kind, tag, index }),
                Some(Ok(())) => {}
            }
        }
        Ok(record)
    }
}
