//! The wire forms of field values, version 1.
//!
//! Flat: a component holds a scalar, which holds no component. Every text is UTF-8
//! within its type's limit; a date is the text it was written with.

use super::mirror::{BytesV1, List, Mirror, Text, mirror, mirror_enum};
use crate::record::ValueRef;

mirror! {
    CodingV1<'a> of Coding {
        system: Option<Text<'a>>,
        version: Option<Text<'a>>,
        code: Option<Text<'a>>,
        display: Option<Text<'a>>,
    }
    ConceptV1<'a> of Concept {
        codings: List<CodingV1<'a>>,
        text: Option<Text<'a>>,
    }
    QuantityV1<'a> of Quantity {
        value: Option<Text<'a>>,
        comparator: Option<Text<'a>>,
        unit: Option<Text<'a>>,
        system: Option<Text<'a>>,
        code: Option<Text<'a>>,
    }
    PartyV1<'a> of Party {
        name: Option<Text<'a>>,
        role: Option<Text<'a>>,
        reference: Option<Text<'a>>,
        identifiers: List<IdentifierV1<'a>>,
        contact: List<TelecomV1<'a>>,
    }
    NameV1<'a> of HumanName {
        purpose: Option<Text<'a>>,
        text: Option<Text<'a>>,
        family: Option<Text<'a>>,
        given: List<Text<'a>>,
        prefix: List<Text<'a>>,
        suffix: List<Text<'a>>,
    }
    AddressV1<'a> of Address {
        purpose: Option<Text<'a>>,
        text: Option<Text<'a>>,
        lines: List<Text<'a>>,
        city: Option<Text<'a>>,
        district: Option<Text<'a>>,
        state: Option<Text<'a>>,
        postal_code: Option<Text<'a>>,
        country: Option<Text<'a>>,
    }
    TelecomV1<'a> of Telecom {
        system: Option<Text<'a>>,
        value: Option<Text<'a>>,
        purpose: Option<Text<'a>>,
    }
    IdentifierV1<'a> of Identifier {
        system: Option<Text<'a>>,
        value: Option<Text<'a>>,
        sort: Option<Text<'a>>,
    }
    AttachmentV1<'a> of Attachment {
        content_type: Option<Text<'a>>,
        title: Option<Text<'a>>,
        created: Option<Text<'a>>,
        size: Option<u64>,
        location: Option<LocationV1<'a>>,
    }
    ComponentV1<'a> of Component {
        code: ConceptV1<'a>,
        value: Option<ScalarV1<'a>>,
    }
}

mirror_enum! {
    LocationV1<'a> of Location {
        Inline(BytesV1<'a>),
        InSource(Text<'a>),
        External(Text<'a>),
        Stored([u8; 32]),
    }
    ScalarV1<'a> of Scalar {
        Concept(ConceptV1<'a>),
        Quantity(QuantityV1<'a>),
        Date(Text<'a>),
        Text(Text<'a>),
        Boolean(bool),
    }
    ValueV1<'a> of Value {
        Concept(ConceptV1<'a>),
        Date(Text<'a>),
        Token(Text<'a>),
        Narrative(Text<'a>),
        Quantity(QuantityV1<'a>),
        Boolean(bool),
        Party(PartyV1<'a>),
        Name(NameV1<'a>),
        Address(AddressV1<'a>),
        Telecom(TelecomV1<'a>),
        Identifier(IdentifierV1<'a>),
        Attachment(AttachmentV1<'a>),
        Component(ComponentV1<'a>),
    }
}

impl<'a> From<ValueRef<'a>> for ValueV1<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Concept(value) => Self::Concept(Mirror::of(value)),
            ValueRef::Date(value) => Self::Date(Mirror::of(value)),
            ValueRef::Token(value) => Self::Token(Mirror::of(value)),
            ValueRef::Narrative(value) => Self::Narrative(Mirror::of(value)),
            ValueRef::Quantity(value) => Self::Quantity(Mirror::of(value)),
            ValueRef::Boolean(value) => Self::Boolean(Mirror::of(value)),
            ValueRef::Party(value) => Self::Party(Mirror::of(value)),
            ValueRef::Name(value) => Self::Name(Mirror::of(value)),
            ValueRef::Address(value) => Self::Address(Mirror::of(value)),
            ValueRef::Telecom(value) => Self::Telecom(Mirror::of(value)),
            ValueRef::Identifier(value) => Self::Identifier(Mirror::of(value)),
            ValueRef::Attachment(value) => Self::Attachment(Mirror::of(value)),
            ValueRef::Component(value) => Self::Component(Mirror::of(value)),
        }
    }
}
