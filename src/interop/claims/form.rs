//! Values of a record as JSON, and back, in the form of docs/json.md.
//!
//! Reading is the strict inverse of writing: a member that is not known, a text beyond its
//! limit or a value of another type is refused, and so is the whole.

use crate::codec::base64url;
use crate::codec::json::{Json, Object};
use crate::crypto::content_digest::ContentDigest;
use crate::record::{
    Address, Attachment, Coding, Component, Concept, HumanName, Identifier, Location, Narrative, PartialDate,
    Party, Quantity, Scalar, Telecom, Token,
};

/// What is one JSON value.
pub(super) trait Form: Sized {
    fn write(&self) -> Json;
    /// `None` for anything but what [`Form::write`] gives.
    fn read(json: &Json) -> Option<Self>;
}

/// What is a member of an object, or none where it is empty.
pub(super) trait Part: Sized {
    fn write_part(&self) -> Option<Json>;
    fn read_part(json: Option<&Json>) -> Option<Self>;
}

impl<T: Form> Part for Option<T> {
    fn write_part(&self) -> Option<Json> {
        self.as_ref().map(Form::write)
    }

    fn read_part(json: Option<&Json>) -> Option<Self> {
        match json {
            None => Some(None),
            Some(json) => T::read(json).map(Some),
        }
    }
}

impl<T: Form> Part for Vec<T> {
    fn write_part(&self) -> Option<Json> {
        (!self.is_empty()).then(|| Json::Array(self.iter().map(Form::write).collect()))
    }

    fn read_part(json: Option<&Json>) -> Option<Self> {
        match json {
            None => Some(Vec::new()),
            Some(json) => json.as_array()?.iter().map(T::read).collect(),
        }
    }
}

impl Part for Concept {
    fn write_part(&self) -> Option<Json> {
        Some(self.write())
    }

    fn read_part(json: Option<&Json>) -> Option<Self> {
        Self::read(json?)
    }
}

impl Part for bool {
    fn write_part(&self) -> Option<Json> {
        self.then_some(Json::Bool(true))
    }

    fn read_part(json: Option<&Json>) -> Option<Self> {
        match json {
            None => Some(false),
            Some(json) => json.as_bool(),
        }
    }
}

/// Members being read from an object, each once.
pub(super) struct Members<'a>(Vec<&'a (String, Json)>);

impl<'a> Members<'a> {
    pub(super) fn of(json: &'a Json) -> Option<Self> {
        Some(Self(json.as_object()?.members().iter().collect()))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<&'a Json> {
        let at = self.0.iter().position(|(member, _)| member == name)?;
        Some(&self.0.swap_remove(at).1)
    }

    pub(super) fn part<T: Part>(&mut self, name: &str) -> Option<T> {
        T::read_part(self.take(name))
    }

    /// Whether nothing is left.
    pub(super) fn finish(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The object of these members, those that are empty left out.
pub(super) fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let said = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Json::Object(Object::new(said.collect()))
}

macro_rules! objects {
    ($($name:ident { $($member:ident),+ })+) => {$(
        impl Form for $name {
            fn write(&self) -> Json {
                object([$((stringify!($member), self.$member.write_part())),+])
            }

            fn read(json: &Json) -> Option<Self> {
                let mut members = Members::of(json)?;
                let read = Self { $($member: members.part(stringify!($member))?),+ };
                members.finish()?;
                Some(read)
            }
        }
    )+};
}

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

impl Form for Token {
    fn write(&self) -> Json {
        Json::string(self.as_str())
    }

    fn read(json: &Json) -> Option<Self> {
        Self::new(json.as_str()?).ok()
    }
}

impl Form for Narrative {
    fn write(&self) -> Json {
        Json::string(self.as_str())
    }

    fn read(json: &Json) -> Option<Self> {
        Self::new(json.as_str()?).ok()
    }
}

impl Form for PartialDate {
    fn write(&self) -> Json {
        Json::string(self.as_str())
    }

    fn read(json: &Json) -> Option<Self> {
        json.as_str()?.parse().ok()
    }
}

impl Form for bool {
    fn write(&self) -> Json {
        Json::Bool(*self)
    }

    fn read(json: &Json) -> Option<Self> {
        json.as_bool()
    }
}

impl Form for u64 {
    fn write(&self) -> Json {
        Json::Number(self.to_string())
    }

    fn read(json: &Json) -> Option<Self> {
        let text = json.as_number()?;
        text.parse().ok().filter(|number: &u64| number.to_string() == text)
    }
}

impl Form for String {
    fn write(&self) -> Json {
        Json::string(self.as_str())
    }

    fn read(json: &Json) -> Option<Self> {
        json.as_str().map(str::to_owned)
    }
}

/// `{"type": WORD, "value": VALUE}`.
fn typed(word: &str, value: Json) -> Json {
    object([("type", Some(Json::string(word))), ("value", Some(value))])
}

fn of_typed(json: &Json) -> Option<(&str, &Json)> {
    let mut members = Members::of(json)?;
    let (word, value) = (members.take("type")?.as_str()?, members.take("value")?);
    members.finish()?;
    Some((word, value))
}

impl Form for Scalar {
    fn write(&self) -> Json {
        match self {
            Self::Concept(value) => typed("concept", value.write()),
            Self::Quantity(value) => typed("quantity", value.write()),
            Self::Date(value) => typed("date", value.write()),
            Self::Text(value) => typed("text", value.write()),
            Self::Boolean(value) => typed("boolean", value.write()),
        }
    }

    fn read(json: &Json) -> Option<Self> {
        let (word, value) = of_typed(json)?;
        Some(match word {
            "concept" => Self::Concept(Form::read(value)?),
            "quantity" => Self::Quantity(Form::read(value)?),
            "date" => Self::Date(Form::read(value)?),
            "text" => Self::Text(Form::read(value)?),
            "boolean" => Self::Boolean(Form::read(value)?),
            _ => return None,
        })
    }
}

impl Form for Location {
    fn write(&self) -> Json {
        match self {
            Self::Inline(bytes) => typed("inline", Json::string(base64url::encode(bytes))),
            Self::InSource(pointer) => typed("in-source", pointer.write()),
            Self::External(address) => typed("external", address.write()),
            Self::Stored(digest) => typed("stored", Json::string(digest.to_string())),
        }
    }

    fn read(json: &Json) -> Option<Self> {
        let (word, value) = of_typed(json)?;
        Some(match word {
            "inline" => Self::Inline(base64url::decode(value.as_str()?).ok()?),
            "in-source" => Self::InSource(Form::read(value)?),
            "external" => Self::External(Form::read(value)?),
            "stored" => Self::Stored(ContentDigest::parse(value.as_str()?).ok()?),
            _ => return None,
        })
    }
}
