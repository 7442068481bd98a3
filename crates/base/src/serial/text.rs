//! What is one text: words, free text, dates, identifiers, names of kinds.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::{Deserializer, Error};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::error::Fault;
use super::node::{Members, Node};
use super::shape::{Read, member};
use crate::codec::base64url;
use crate::date::{DateRange, PartialDate, Precision};
use crate::digest::Digest;
use crate::id::{AccessId, CommitId, ContentId, DocumentId, EntryId, Epoch, ExcerptId, VaultId};
use crate::schema::Kind;
use crate::text::{Narrative, Token};

/// The value of a text that parses.
pub fn parse<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
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

        crate::deserialize_by_serde!($name);
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

crate::deserialize_by_serde!(PartialDate);

impl Serialize for DateRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, date) in [("start", self.start()), ("end", self.end())] {
            if let Some(date) = date {
                map.serialize_entry(name, date)?;
            }
        }
        map.end()
    }
}

impl Read for DateRange {
    fn read(node: Node) -> Result<Self, Fault> {
        let mut members = Members::of(node)?;
        let range = Self::new(member(&mut members, "start")?, member(&mut members, "end")?);
        members.finish()?;
        Ok(range)
    }
}

crate::deserialize_by_serde!(DateRange);

crate::text_only!(VaultId, EntryId, CommitId, ContentId, DocumentId, ExcerptId, AccessId);

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

crate::deserialize_by_serde!(Epoch);

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Read for Digest {
    fn read(node: Node) -> Result<Self, Fault> {
        let text = node.into_text()?;
        Self::parse(&text).map_err(|_| Fault::new("a digest is 64 hexadecimal digits"))
    }
}

crate::deserialize_by_serde!(Digest);

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

        crate::deserialize_by_serde!($name);
    )+};
}

named! {
    Kind, Kind::all();
}

crate::words_by_serde! {
    Precision {
        "year" Year,
        "month" Month,
        "day" Day,
        "minute" Minute,
        "second" Second,
        "fraction" Fraction,
    }
}

/// Bytes as a text: base64url without padding (RFC 4648 section 5).
pub struct Bytes<'a>(pub &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url::encode(self.0))
    }
}

pub fn read_bytes(node: Node) -> Result<Vec<u8>, Fault> {
    base64url::decode(&node.into_text()?).map_err(Fault::new)
}

crate::redacted_debug!(Bytes<'_>);
