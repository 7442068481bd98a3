//! Fields as data: how a struct's typed members become tagged values and back.
//!
//! `accept` is the strict inverse of `give`: no unknown type, no gap, no second
//! value where one is allowed.

#[cfg(test)]
use subrosa_base::schema::FieldType;

use super::date::PartialDate;
use super::search::{Needle, Searchable};
use super::text::{Narrative, Token};
use super::value::{
    Address, Attachment, Component, Concept, HumanName, Identifier, Party, Quantity, Telecom, Value,
};

/// One value of one field of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Field {
    /// The field's number within its kind. Never reused.
    pub tag: u16,
    /// The field's name.
    pub name: &'static str,
    /// Which of the field's values this is, from 0.
    pub index: u16,
    /// The value.
    pub value: Value,
}

/// One value of one field of a record, as the record lends it.
pub(crate) struct FieldRef<'a> {
    /// As of [`Field`].
    pub(crate) tag: u16,
    /// As of [`Field`].
    pub(crate) index: u16,
    /// The value.
    pub(crate) value: ValueRef<'a>,
}

/// Why one member does not take a value.
pub(super) enum Refusal {
    WrongType,
    OutOfOrder,
}

/// A member of a record's struct: `Option<T>` or `Vec<T>`.
pub(super) trait Member {
    #[cfg(test)]
    const TYPE: FieldType;
    #[cfg(test)]
    const REPEATS: bool;

    /// Appends the member's values, lent.
    fn lend<'a>(&'a self, tag: u16, out: &mut Vec<FieldRef<'a>>);

    /// Appends the member's values.
    fn give(self, tag: u16, name: &'static str, out: &mut Vec<Field>);

    /// Takes the next value.
    fn accept(&mut self, index: u16, value: Value) -> Result<(), Refusal>;

    /// The first value, if it is a concept.
    fn concept(&self) -> Option<&Concept>;

    /// The first value, if it is a date.
    fn date(&self) -> Option<&PartialDate>;

    /// The first value in words for people.
    fn title(&self) -> Option<String>;

    /// Whether the needle is in one of the values.
    fn matches(&self, needle: &Needle) -> bool;
}

/// The type of a member's values.
pub(super) trait Item: Sized + Searchable {
    #[cfg(test)]
    const TYPE: FieldType;

    fn lent(&self) -> ValueRef<'_>;

    fn into_value(self) -> Value;

    fn from_value(value: Value) -> Option<Self>;

    fn concept(&self) -> Option<&Concept> {
        None
    }

    fn date(&self) -> Option<&PartialDate> {
        None
    }

    fn title(&self) -> Option<String> {
        None
    }
}

impl<T: Item> Member for Option<T> {
    #[cfg(test)]
    const TYPE: FieldType = T::TYPE;
    #[cfg(test)]
    const REPEATS: bool = false;

    fn lend<'a>(&'a self, tag: u16, out: &mut Vec<FieldRef<'a>>) {
        out.extend(self.as_ref().map(|item| FieldRef { tag, index: 0, value: item.lent() }));
    }

    fn give(self, tag: u16, name: &'static str, out: &mut Vec<Field>) {
        out.extend(self.map(|item| Field { tag, name, index: 0, value: item.into_value() }));
    }

    fn accept(&mut self, index: u16, value: Value) -> Result<(), Refusal> {
        if index != 0 || self.is_some() {
            return Err(Refusal::OutOfOrder);
        }
        *self = Some(T::from_value(value).ok_or(Refusal::WrongType)?);
        Ok(())
    }

    fn concept(&self) -> Option<&Concept> {
        self.as_ref().and_then(T::concept)
    }

    fn date(&self) -> Option<&PartialDate> {
        self.as_ref().and_then(T::date)
    }

    fn title(&self) -> Option<String> {
        self.as_ref().and_then(T::title)
    }

    fn matches(&self, needle: &Needle) -> bool {
        Searchable::matches(self, needle)
    }
}

impl<T: Item> Member for Vec<T> {
    #[cfg(test)]
    const TYPE: FieldType = T::TYPE;
    #[cfg(test)]
    const REPEATS: bool = true;

    fn lend<'a>(&'a self, tag: u16, out: &mut Vec<FieldRef<'a>>) {
        let fields = self.iter().zip(indices());
        out.extend(fields.map(|(item, index)| FieldRef { tag, index, value: item.lent() }));
    }

    fn give(self, tag: u16, name: &'static str, out: &mut Vec<Field>) {
        let fields = self.into_iter().zip(indices());
        out.extend(fields.map(|(item, index)| Field { tag, name, index, value: item.into_value() }));
    }

    fn accept(&mut self, index: u16, value: Value) -> Result<(), Refusal> {
        if usize::from(index) != self.len() {
            return Err(Refusal::OutOfOrder);
        }
        self.push(T::from_value(value).ok_or(Refusal::WrongType)?);
        Ok(())
    }

    fn concept(&self) -> Option<&Concept> {
        self.first().and_then(T::concept)
    }

    fn date(&self) -> Option<&PartialDate> {
        self.first().and_then(T::date)
    }

    fn title(&self) -> Option<String> {
        self.iter().find_map(T::title)
    }

    fn matches(&self, needle: &Needle) -> bool {
        Searchable::matches(self, needle)
    }
}

/// The indices of a field's values. Those that do not fit repeat the last one,
/// which encoding refuses.
fn indices() -> impl Iterator<Item = u16> {
    (0..=u16::MAX).chain(std::iter::repeat(u16::MAX))
}

macro_rules! items {
    ($($item:ty, $variant:ident $({ $($extra:item)* })?;)+) => {
        /// A [`Value`] that a record lends.
        pub(crate) enum ValueRef<'a> {
            $($variant(&'a $item),)+
        }

        impl Value {
            /// The value, lent.
            pub(crate) fn lent(&self) -> ValueRef<'_> {
                match self {
                    $(Self::$variant(item) => ValueRef::$variant(item),)+
                }
            }
        }

        $(impl Item for $item {
            #[cfg(test)]
            const TYPE: FieldType = FieldType::$variant;

            fn lent(&self) -> ValueRef<'_> {
                ValueRef::$variant(self)
            }

            fn into_value(self) -> Value {
                Value::$variant(self)
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant(item) => Some(item),
                    _ => None,
                }
            }

            $($($extra)*)?
        })+
    };
}

items! {
    Concept, Concept {
        fn concept(&self) -> Option<&Concept> {
            Some(self)
        }

        fn title(&self) -> Option<String> {
            Concept::title(self).map(str::to_owned)
        }
    };
    PartialDate, Date {
        fn date(&self) -> Option<&PartialDate> {
            Some(self)
        }
    };
    Token, Token {
        fn title(&self) -> Option<String> {
            Some(self.as_str().to_owned())
        }
    };
    Narrative, Narrative;
    Quantity, Quantity;
    bool, Boolean;
    Party, Party {
        fn title(&self) -> Option<String> {
            self.name.as_ref().map(|name| name.as_str().to_owned())
        }
    };
    HumanName, Name {
        fn title(&self) -> Option<String> {
            self.to_line()
        }
    };
    Address, Address;
    Telecom, Telecom;
    Identifier, Identifier;
    Attachment, Attachment {
        fn title(&self) -> Option<String> {
            self.title.as_ref().map(|title| title.as_str().to_owned())
        }
    };
    Component, Component;
}
