//! Between domain values and their wire form, field by field.
//!
//! `back` refuses what `of` cannot have made.

use std::borrow::Cow;
use std::cell::Cell;
use std::marker::PhantomData;

use super::PayloadError;
use crate::crypto::content_digest::ContentDigest;
use crate::record::{Narrative, PartialDate, Token};

/// A text: lent by a value that is encoded, owned when it was decoded.
pub(super) type Text<'a> = Cow<'a, str>;

/// The wire form of `Domain`.
pub(super) trait Mirror<'a, Domain>: Sized {
    /// The wire form of a value, which lends it its texts and bytes.
    fn of(value: &'a Domain) -> Self;

    /// The value of a wire form.
    fn back(self) -> Result<Domain, PayloadError>;
}

impl<'a, Domain, Form: Mirror<'a, Domain>> Mirror<'a, Option<Domain>> for Option<Form> {
    fn of(value: &'a Option<Domain>) -> Self {
        value.as_ref().map(Form::of)
    }

    fn back(self) -> Result<Option<Domain>, PayloadError> {
        self.map(Form::back).transpose()
    }
}

impl<'a, Domain, Form: Mirror<'a, Domain>> Mirror<'a, Vec<Domain>> for List<Form> {
    fn of(value: &'a Vec<Domain>) -> Self {
        value.iter().map(Form::of).collect()
    }

    fn back(self) -> Result<Vec<Domain>, PayloadError> {
        self.0.into_iter().map(Form::back).collect()
    }
}

thread_local! {
    /// How many items of lists may be decoded yet.
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// Decodes with at most so many items of lists, all lists together. An item that says nothing
/// has a few bytes, and takes fifty times as many in memory.
pub(super) fn with_items<T>(most: usize, decode: impl FnOnce() -> T) -> T {
    LEFT.set(most);
    let decoded = decode();
    LEFT.set(0);
    decoded
}

/// A sequence, encoded as a `Vec`. It is decoded [`with_items`] only.
#[derive(serde::Serialize)]
#[serde(transparent)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for List<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData)).map(Self)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: serde::Deserialize<'de>> serde::de::Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let length = seq.size_hint().unwrap_or_default();
        if length > LEFT.get() {
            return Err(serde::de::Error::invalid_length(length, &self));
        }
        LEFT.set(LEFT.get() - length);
        let mut items = Vec::with_capacity(length.min(MOST_AT_FIRST));
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

/// Items for which a list takes memory before they are read.
const MOST_AT_FIRST: usize = 64;

macro_rules! texts {
    ($($domain:ty),+) => {$(
        impl<'a> Mirror<'a, $domain> for Text<'a> {
            fn of(value: &'a $domain) -> Self {
                Cow::Borrowed(value.as_str())
            }

            fn back(self) -> Result<$domain, PayloadError> {
                <$domain>::new(self.into_owned()).map_err(|_| PayloadError::Malformed)
            }
        }
    )+};
}

texts!(Token, Narrative);

impl<'a> Mirror<'a, PartialDate> for Text<'a> {
    fn of(value: &'a PartialDate) -> Self {
        Cow::Borrowed(value.as_str())
    }

    fn back(self) -> Result<PartialDate, PayloadError> {
        self.parse().map_err(|_| PayloadError::Malformed)
    }
}

impl Mirror<'_, ContentDigest> for [u8; 32] {
    fn of(value: &ContentDigest) -> Self {
        *value.as_bytes()
    }

    fn back(self) -> Result<ContentDigest, PayloadError> {
        Ok(ContentDigest::from_bytes(self))
    }
}

macro_rules! itself {
    ($($type:ty),+) => {$(
        impl Mirror<'_, $type> for $type {
            fn of(value: &$type) -> Self {
                *value
            }

            fn back(self) -> Result<$type, PayloadError> {
                Ok(self)
            }
        }
    )+};
}

itself!(bool, u64);

/// Declares a wire struct that holds the same fields as a domain struct.
macro_rules! mirror {
    ($($(#[$doc:meta])* $form:ident<$a:lifetime> of $domain:ident { $($field:ident: $type:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(serde::Serialize, serde::Deserialize)]
        pub(super) struct $form<$a> {
            $($field: $type,)+
        }

        impl<$a> $crate::payload::mirror::Mirror<$a, $crate::record::$domain> for $form<$a> {
            fn of(value: &$a $crate::record::$domain) -> Self {
                Self { $($field: $crate::payload::mirror::Mirror::of(&value.$field),)+ }
            }

            fn back(self) -> Result<$crate::record::$domain, $crate::payload::PayloadError> {
                Ok($crate::record::$domain {
                    $($field: $crate::payload::mirror::Mirror::back(self.$field)?,)+
                })
            }
        }
    )+};
}
pub(super) use mirror;

/// Declares a wire enum with the same variants as a domain enum.
macro_rules! mirror_enum {
    ($($(#[$doc:meta])* $form:ident<$a:lifetime> of $domain:ident { $($variant:ident($type:ty),)+ })+) => {$(
        $(#[$doc])*
        #[derive(serde::Serialize, serde::Deserialize)]
        pub(super) enum $form<$a> {
            $($variant($type),)+
        }

        impl<$a> $crate::payload::mirror::Mirror<$a, $crate::record::$domain> for $form<$a> {
            fn of(value: &$a $crate::record::$domain) -> Self {
                match value {
                    $($crate::record::$domain::$variant(inner) => {
                        Self::$variant($crate::payload::mirror::Mirror::of(inner))
                    })+
                }
            }

            fn back(self) -> Result<$crate::record::$domain, $crate::payload::PayloadError> {
                Ok(match self {
                    $(Self::$variant(form) => {
                        $crate::record::$domain::$variant($crate::payload::mirror::Mirror::back(form)?)
                    })+
                })
            }
        }
    )+};
}
pub(super) use mirror_enum;

/// Bytes as one run rather than item by item; the encoding is the same.
#[derive(PartialEq, Eq)]
pub(crate) struct BytesV1<'a>(pub(crate) Cow<'a, [u8]>);

impl serde::Serialize for BytesV1<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for BytesV1<'_> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor).map(|bytes| Self(Cow::Owned(bytes)))
    }
}

struct BytesVisitor;

impl serde::de::Visitor<'_> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes")
    }

    fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_owned())
    }
}

impl<'a> Mirror<'a, Vec<u8>> for BytesV1<'a> {
    fn of(value: &'a Vec<u8>) -> Self {
        Self(Cow::Borrowed(value))
    }

    fn back(self) -> Result<Vec<u8>, PayloadError> {
        Ok(self.0.into_owned())
    }
}
