//! Whom records are about: written only, since an import says it.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::record::{Likeness, Negation, Person};

impl Serialize for Person {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("names", &self.names())?;
        if let Some(date) = self.birth_date() {
            map.serialize_entry("birth_date", date)?;
        }
        if let Some(gender) = self.gender() {
            map.serialize_entry("gender", gender)?;
        }
        map.serialize_entry("identifiers", &self.identifiers())?;
        map.end()
    }
}

impl Serialize for Likeness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(
            "likeness",
            match self {
                Self::Same => "same",
                Self::Unknown => "unknown",
                Self::Different { .. } => "different",
            },
        )?;
        if let Self::Different { what } = self {
            map.serialize_entry("what", what)?;
        }
        map.end()
    }
}

impl Serialize for Negation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { words, fields } = self;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("words", words)?;
        map.serialize_entry("fields", fields)?;
        map.end()
    }
}
