//! What is one text: words, free text, dates, identifiers, names of kinds.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::{Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::error::Fault;
use super::node::Node;
use super::shape::{Read, deserialize, text_only, words};
use crate::codec::base64url;
use crate::crypto::digest::Digest;
use crate::format::place::Compartment;
use crate::id::{AccessId, CommitId, ContentId, EntryId, Epoch, ExcerptId, VaultId};
use crate::record::{FhirVersion, Kind, Narrative, Origin, PartialDate, PersonDetail, Precision, Token};

/// The value of a text that parses.
pub(crate) fn parse<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    parse_node(Node::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn parse_node<T: FromStr<Err: Display>>(node: Node) -> Result<T, Fault> {
    node.into_text()?.parse().map_err(Fault::new)
}

macro_rules! bounded {
    ($($name:ident)+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl Read for $name {
            fn read(node: Node) -> Result<Self, Fault> {
                Self::new(node.into_text()?).map_err(Fault::new)
            }
        }

        deserialize!($name);
    )+};
}

bounded! { Token Narrative }

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Read for PartialDate {
    fn read(node: Node) -> Result<Self, Fault> {
        parse_node(node)
    }
}

deserialize!(PartialDate);

text_only!(VaultId, EntryId, CommitId, ContentId, ExcerptId, AccessId);

impl Read for EntryId {
    fn read(node: Node) -> Result<Self, Fault> {
        parse_node(node)
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.number())
    }
}

impl Read for Epoch {
    fn read(node: Node) -> Result<Self, Fault> {
        u64::read(node).map(Self::new)
    }
}

deserialize!(Epoch);

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Read for Digest {
    fn read(node: Node) -> Result<Self, Fault> {
        digest(&node.into_text()?).ok_or_else(|| Fault::new("a digest is 64 hexadecimal digits"))
    }
}

deserialize!(Digest);

fn digest(text: &str) -> Option<Digest> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(Digest::from_bytes(bytes))
}

/// Types that have a name, and may be found by it.
macro_rules! named {
    ($($name:ident, $all:expr;)+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl Read for $name {
            fn read(node: Node) -> Result<Self, Fault> {
                let text = node.into_text()?;
                let found = $all.iter().copied().find(|one| one.name() == text);
                found.ok_or_else(|| Fault::word(&$all.iter().map(|one| one.name()).collect::<Vec<_>>()))
            }
        }

        deserialize!($name);
    )+};
}

named! {
    Kind, Kind::all();
    Compartment, Compartment::ALL;
}

words! {
    Origin {
        "imported" Imported,
        "entered-by-owner" EnteredByOwner,
        "entered-by-provider" EnteredByProvider,
        "imported-and-changed" ImportedAndChanged,
    }
    FhirVersion { "DSTU2" Dstu2, "STU3" Stu3, "R4" R4, "R4B" R4B, "R5" R5 }
    Precision {
        "year" Year,
        "month" Month,
        "day" Day,
        "minute" Minute,
        "second" Second,
        "fraction" Fraction,
    }
    PersonDetail { "name" Name, "birth-date" BirthDate, "gender" Gender, "identifier" Identifier }
}

/// Bytes as a text: base64url without padding (RFC 4648 section 5).
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url::encode(self.0))
    }
}

pub(super) fn read_bytes(node: Node) -> Result<Vec<u8>, Fault> {
    base64url::decode(&node.into_text()?).map_err(Fault::new)
}
