//! Whom records are about, what an import asks, what a record denies: written only.

use std::time::SystemTime;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use subrosa_base::serial::moment;

use crate::record::{ImportQuestion, Likeness, Negation, Person};

impl Serialize for Person {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("names", &self.names())?;
        if let Some(date) = self.birth_date() {
            map.serialize_entry("birth_date", date)?;
        }
        if self.has_unreadable_birth_date() {
            map.serialize_entry("birth_date_is_unreadable", &true)?;
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

/// A moment, as [`moment`] writes it.
struct Moment(SystemTime);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        moment(&self.0, serializer)
    }
}

impl Serialize for ImportQuestion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Patient { found, known, differs } => {
                map.serialize_entry("question", "patient")?;
                map.serialize_entry("found", &found.as_deref())?;
                map.serialize_entry("known", &**known)?;
                map.serialize_entry("differs", differs)?;
            }
            Self::OtherNames { known, shown } => {
                map.serialize_entry("question", "other-names")?;
                map.serialize_entry("known", &**known)?;
                map.serialize_entry("shown", shown)?;
            }
            Self::ChangedSource { document, since, time, known, same, about_others } => {
                map.serialize_entry("question", "changed-source")?;
                map.serialize_entry("document", document)?;
                map.serialize_entry("since", since)?;
                map.serialize_entry("time", &Moment(*time))?;
                map.serialize_entry("known", known)?;
                map.serialize_entry("same", same)?;
                map.serialize_entry("about_others", about_others)?;
            }
        }
        map.end()
    }
}
