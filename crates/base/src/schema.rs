//! What kinds of record there are, what fields they have, and which words deny what a
//! record names.

mod names;
mod negation;
mod table;

use std::fmt;

pub use names::{FieldName, PROVENANCE};
pub use negation::{ENTERED_IN_ERROR, denial, denies, denies_by_flag};

/// The type of a field's values, one for each sort of value that a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldType {
    /// A coded value.
    Concept,
    /// A date as precise as it was written.
    Date,
    /// A short text.
    Token,
    /// Free text.
    Narrative,
    /// A measured amount.
    Quantity,
    /// Yes or no.
    Boolean,
    /// A person or organization that acts in the record.
    Party,
    /// A person's name.
    Name,
    /// A postal address.
    Address,
    /// A telephone number, mail address or the like.
    Telecom,
    /// A number that somebody gave: medical record number, licence.
    Identifier,
    /// A document or picture.
    Attachment,
    /// A part of a result: a question and its answer.
    Component,
}

/// What a field of a kind holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldSchema {
    /// The field's number within its kind. Never reused.
    pub tag: u16,
    /// The field's name, for programs: masks and JSON use it.
    pub name: &'static str,
    /// The field's name for people, such as `Began` for `onset`: the one that previews,
    /// pages and verifiers show. A field has the same one in every kind.
    pub label: &'static str,
    /// The type of its values.
    pub field_type: FieldType,
    /// Whether it may hold more than one value.
    pub repeats: bool,
    /// What the field means.
    pub doc: &'static str,
}

/// The type of a field's values, by the name of the Rust type.
macro_rules! field_type {
    (PartialDate) => {
        FieldType::Date
    };
    (bool) => {
        FieldType::Boolean
    };
    (HumanName) => {
        FieldType::Name
    };
    ($other:ident) => {
        FieldType::$other
    };
}

macro_rules! repeats {
    (Option) => {
        false
    };
    (Vec) => {
        true
    };
}

macro_rules! schema {
    ($(
        $(#[doc = $kind_doc:literal])+
        $number:literal $kind_name:literal $kind_label:literal $variant:ident $kind:ident (
            code: [$($code:ident)*], start: [$($start:ident)*], end: [$($end:ident)*], $span:ident,
            provider: [$($provider:ident)*], title: [$($title:ident)*]
        ) {
            $($(#[doc = $field_doc:literal])+ $tag:literal $field:ident $label:literal: $number_of:ident<$item:ident>;)+
        }
    )+) => {
        /// The kinds of record. Names and numbers never change their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {$(
            $(#[doc = $kind_doc])+
            $variant,
        )+}

        impl Kind {
            /// Every kind, by number.
            #[must_use]
            pub fn all() -> &'static [Kind] {
                &[$(Self::$variant),+]
            }

            /// The name, such as `diagnosis`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $kind_name,)+
                }
            }

            /// The name for people, such as `Hospital stay`: the one that a page shows.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $kind_label,)+
                }
            }

            /// The number that stands for the kind in a vault.
            #[must_use]
            pub fn number(self) -> u16 {
                match self {
                    $(Self::$variant => $number,)+
                }
            }

            /// What the kind is, in a sentence or two.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($kind_doc),+).trim_ascii(),)+
                }
            }

            /// What fields a record of this kind may have, by tag.
            #[must_use]
            pub fn schema(self) -> &'static [FieldSchema] {
                match self {
                    $(Self::$variant => const { &[$(
                        FieldSchema {
                            tag: $tag,
                            name: stringify!($field),
                            label: $label,
                            field_type: field_type!($item),
                            repeats: repeats!($number_of),
                            doc: concat!($($field_doc),+).trim_ascii(),
                        },
                    )+] },)+
                }
            }
        }
    };
}

crate::each_kind!(schema);

impl Kind {
    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|kind| kind.name() == name)
    }

    /// The kind of this number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::all().iter().copied().find(|kind| kind.number() == number)
    }

    /// The field of this name.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'static FieldSchema> {
        self.schema().iter().find(|field| field.name == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_numbers_and_tags_are_unique_and_sorted() {
        let mut numbers = HashSet::new();
        for &kind in Kind::all() {
            assert!(numbers.insert(kind.number()));
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
            assert_eq!(Kind::from_number(kind.number()), Some(kind));
            assert!(kind.schema().windows(2).all(|pair| pair[0].tag < pair[1].tag), "{kind}");
            let names: HashSet<_> = kind.schema().iter().map(|field| field.name).collect();
            assert_eq!(names.len(), kind.schema().len(), "{kind}");
            assert!(
                !kind.label().is_empty()
                    && !kind.doc().is_empty()
                    && kind.schema().iter().all(|field| !field.doc.is_empty())
            );
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::from_name("Diagnosis"), None);
    }
}
