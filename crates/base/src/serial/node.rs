//! What a format holds, before anything is known of its meaning.
//!
//! Any value is taken here and judged by this crate, because the errors of formats
//! repeat the value that they refuse.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::error::Fault;

/// How deep values may nest. An entry has half as many levels.
const DEPTH_LIMIT: usize = 16;

/// How a number is written by a reader of JSON that keeps every digit.
const EXACT_NUMBER: &str = "$serde_json::private::Number";

/// One value.
pub enum Node {
    Null,
    Boolean(bool),
    Number(u64),
    Text(String),
    List(Vec<Node>),
    Object(BTreeMap<String, Node>),
    /// What no member is: its name for people.
    Other(&'static str),
}

impl Node {
    /// Reads one value of any format that says what it holds.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reader { depth: 0 }.deserialize(deserializer)
    }

    /// What it is, for people.
    pub fn found(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Other(name) => name,
        }
    }

    pub fn into_text(self) -> Result<String, Fault> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(Fault::expected("a text", other.found())),
        }
    }

    pub fn into_list(self) -> Result<Vec<Self>, Fault> {
        match self {
            Self::List(list) => Ok(list),
            other => Err(Fault::expected("a list", other.found())),
        }
    }
}

/// Reads one value at a depth.
struct Reader {
    depth: usize,
}

impl Reader {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        match self.depth < DEPTH_LIMIT {
            true => Ok(Self { depth: self.depth + 1 }),
            false => Err(E::custom("nested deeper than any record")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a record")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deeper()?.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.deeper()?.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Boolean(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(u64::try_from(value).map_or(Node::Other("a negative number"), Node::Number))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Other("a very large number"))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Other("a very large number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other("a number with a fraction"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Node, E> {
        Ok(Node::Other("bytes"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = access.next_element_seed(self.deeper()?)? {
            list.push(node);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = access.next_key_seed(self.deeper()?)? {
            let Node::Text(name) = name else {
                return Err(A::Error::custom("the name of a member is not a text"));
            };
            let node = access.next_value_seed(self.deeper()?)?;
            if members.insert(name, node).is_some() {
                return Err(A::Error::custom("a member stands there twice"));
            }
        }
        Ok(exact_number(&members).unwrap_or(Node::Object(members)))
    }
}

fn exact_number(members: &BTreeMap<String, Node>) -> Option<Node> {
    match members.first_key_value() {
        Some((name, Node::Text(digits))) if name == EXACT_NUMBER && members.len() == 1 => {
            Some(digits.parse().map_or(Node::Other("another number"), Node::Number))
        }
        _ => None,
    }
}

/// The members of an object, taken one by one.
pub struct Members {
    left: BTreeMap<String, Node>,
    known: Vec<&'static str>,
}

impl Members {
    pub fn of(node: Node) -> Result<Self, Fault> {
        match node {
            Node::Object(left) => Ok(Self { left, known: Vec::new() }),
            other => Err(Fault::expected("an object", other.found())),
        }
    }

    /// The member of this name, if it is there.
    pub fn take(&mut self, name: &'static str) -> Option<Node> {
        self.known.push(name);
        self.left.remove(name)
    }

    /// That there is no further member.
    pub fn finish(self) -> Result<(), Fault> {
        match self.left.is_empty() {
            true => Ok(()),
            false => {
                let known = self.known.join(", ");
                Err(Fault::new(format_args!("there is a member that is not known; known are {known}")))
            }
        }
    }
}

crate::redacted_debug!(Node, Members);
