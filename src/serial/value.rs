//! The values of a record's fields.

use serde::ser::{Serialize, Serializer};

use subrosa_base::serial::error::Fault;
use subrosa_base::serial::node::Node;
use subrosa_base::serial::shape::{Read, read_typed, write_typed};
use subrosa_base::serial::text::{Bytes, read_bytes};
use subrosa_base::{deserialize_by_serde as deserialize, objects_by_serde as objects};

use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::record::{
    Address, Attachment, Coding, Component, Concept, HumanName, Identifier, Location, Party, Quantity,
    Scalar, Telecom, Value,
};

objects! {
    Coding { system, version, code, display }
    Concept { codings, text }
    Quantity { value, comparator, unit, system, code }
    Party { name, role, reference, identifiers, contact }
    HumanName { purpose, text, family, given, prefix, suffix }
    Address { purpose, text, lines, city, district, state, postal_code, country }
    Telecom { system, value, purpose }
    Identifier { system, value, sort }
    Attachment { content_type, title, created, size, location }
    Component { code, value }
}

/// Enums whose variants hold one value: `{"type": WORD, "value": VALUE}`.
macro_rules! typed {
    ($($name:ident { $($word:literal $variant:ident),+ $(,)? })+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(value) => write_typed(serializer, $word, value)),+ }
            }
        }

        impl Read for $name {
            fn read(node: Node) -> Result<Self, Fault> {
                let (word, value) = read_typed(node)?;
                let read = match word.as_str() {
                    $($word => Read::read(value).map(Self::$variant),)+
                    _ => return Err(Fault::word(&[$($word),+]).in_member("type")),
                };
                read.map_err(|fault| fault.in_member("value"))
            }
        }

        deserialize!($name);
    )+};
}

typed! {
    Scalar {
        "concept" Concept,
        "quantity" Quantity,
        "date" Date,
        "text" Text,
        "boolean" Boolean,
    }
    Value {
        "concept" Concept,
        "date" Date,
        "token" Token,
        "narrative" Narrative,
        "quantity" Quantity,
        "boolean" Boolean,
        "party" Party,
        "name" Name,
        "address" Address,
        "telecom" Telecom,
        "identifier" Identifier,
        "attachment" Attachment,
        "component" Component,
    }
}

impl Serialize for ContentDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Read for ContentDigest {
    fn read(node: Node) -> Result<Self, Fault> {
        Digest::read(node).map(|digest| Self::from_bytes(*digest.as_bytes()))
    }
}

impl Serialize for Location {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Inline(bytes) => write_typed(serializer, "inline", &Bytes(bytes)),
            Self::InSource(pointer) => write_typed(serializer, "in-source", pointer),
            Self::External(address) => write_typed(serializer, "external", address),
            Self::Stored(digest) => write_typed(serializer, "stored", digest),
        }
    }
}

impl Read for Location {
    fn read(node: Node) -> Result<Self, Fault> {
        let (word, value) = read_typed(node)?;
        let read = match word.as_str() {
            "inline" => read_bytes(value).map(Self::Inline),
            "in-source" => Read::read(value).map(Self::InSource),
            "external" => Read::read(value).map(Self::External),
            "stored" => Read::read(value).map(Self::Stored),
            _ => {
                let known = ["inline", "in-source", "external", "stored"];
                return Err(Fault::word(&known).in_member("type"));
            }
        };
        read.map_err(|fault| fault.in_member("value"))
    }
}

deserialize!(Location);
