//! How members become an object and back, and what is written as a text.

use std::time::SystemTime;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::error::Fault;
use super::node::{Members, Node};

/// What can be read.
pub trait Read: Sized {
    /// The value that a node says.
    fn read(node: Node) -> Result<Self, Fault>;

    /// What it is where an object does not have it.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether it is left out when it is written.
    fn is_left_out(&self) -> bool {
        false
    }
}

impl<T: Read> Read for Option<T> {
    fn read(node: Node) -> Result<Self, Fault> {
        match node {
            Node::Null => Ok(None),
            node => T::read(node).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: Node) -> Result<Self, Fault> {
        let items = node.into_list()?.into_iter().enumerate();
        items.map(|(index, item)| T::read(item).map_err(|fault| fault.in_item(index))).collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn is_left_out(&self) -> bool {
        self.is_empty()
    }
}

impl Read for bool {
    fn read(node: Node) -> Result<Self, Fault> {
        match node {
            Node::Boolean(value) => Ok(value),
            other => Err(Fault::expected("true or false", other.found())),
        }
    }
}

impl Read for u64 {
    fn read(node: Node) -> Result<Self, Fault> {
        match node {
            Node::Number(value) => Ok(value),
            other => Err(Fault::expected("a whole number", other.found())),
        }
    }
}

/// A member of an object.
pub fn member<T: Read>(members: &mut Members, name: &'static str) -> Result<T, Fault> {
    match members.take(name) {
        Some(node) => T::read(node).map_err(|fault| fault.in_member(name)),
        None => T::absent().ok_or_else(|| Fault::new(format_args!("{name} is missing"))),
    }
}

/// Writes `{"type": WORD, "value": VALUE}`.
pub fn write_typed<S: Serializer>(
    serializer: S,
    word: &str,
    value: &(impl Serialize + ?Sized),
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry("type", word)?;
    map.serialize_entry("value", value)?;
    map.end()
}

/// Reads what [`write_typed`] wrote.
pub fn read_typed(node: Node) -> Result<(String, Node), Fault> {
    let mut members = Members::of(node)?;
    let mut take = |name| members.take(name).ok_or_else(|| Fault::new(format_args!("{name} is missing")));
    let word = take("type")?.into_text().map_err(|fault| fault.in_member("type"))?;
    let value = take("value")?;
    members.finish()?;
    Ok((word, value))
}

/// Writes a moment as RFC 3339 has it, in UTC; one that no calendar has by its number.
pub fn moment<S: Serializer>(moment: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::date::moment::written(*moment))
}

/// Lets types be read: what a format holds first, then what it means.
#[doc(hidden)]
#[macro_export]
macro_rules! deserialize_by_serde {
    ($($name:ty),+ $(,)?) => {$(
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let node = $crate::serial::node::Node::deserialize(deserializer)?;
                $crate::serial::shape::Read::read(node).map_err(::serde::de::Error::custom)
            }
        }
    )+};
}

/// Writes and reads structs as objects of all their members.
#[doc(hidden)]
#[macro_export]
macro_rules! objects_by_serde {
    ($($name:ident { $($member:ident),+ $(,)? })+) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeMap as _;
                let Self { $($member),+ } = self;
                let count = 0 $(+ usize::from(!$crate::serial::shape::Read::is_left_out($member)))+;
                let mut map = serializer.serialize_map(Some(count))?;
                $(if !$crate::serial::shape::Read::is_left_out($member) {
                    map.serialize_entry(stringify!($member), $member)?;
                })+
                map.end()
            }
        }

        impl $crate::serial::shape::Read for $name {
            fn read(node: $crate::serial::node::Node) -> Result<Self, $crate::serial::error::Fault> {
                let mut members = $crate::serial::node::Members::of(node)?;
                let value = Self {
                    $($member: $crate::serial::shape::member(&mut members, stringify!($member))?),+
                };
                members.finish()?;
                Ok(value)
            }
        }

        $crate::deserialize_by_serde!($name);
    )+};
}

/// Writes and reads enums of one word for each variant.
#[doc(hidden)]
#[macro_export]
macro_rules! words_by_serde {
    ($($name:ident { $($word:literal $variant:ident),+ $(,)? })+) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self { $(Self::$variant => $word),+ })
            }
        }

        impl $crate::serial::shape::Read for $name {
            fn read(node: $crate::serial::node::Node) -> Result<Self, $crate::serial::error::Fault> {
                match node.into_text()?.as_str() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::serial::error::Fault::word(&[$($word),+])),
                }
            }
        }

        $crate::deserialize_by_serde!($name);
    )+};
}

/// Writes types as the text that they print and reads what parses.
#[doc(hidden)]
#[macro_export]
macro_rules! text_only {
    ($($name:ty),+ $(,)?) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::serial::parse(deserializer)
            }
        }
    )+};
}

/// Writes types as something else that can be written.
#[doc(hidden)]
#[macro_export]
macro_rules! written_as {
    ($name:ty, $other:expr) => {
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let other: fn(&Self) -> _ = $other;
                ::serde::Serialize::serialize(&other(self), serializer)
            }
        }
    };
}
