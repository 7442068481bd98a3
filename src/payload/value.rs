//! The wire forms of field values, version 1.
//!
//! Flat: a component holds a scalar, which holds no component. Every text is UTF-8
//! within its type's limit; a date is the text it was written with.

use super::mirror::{BytesV1, mirror, mirror_enum};

mirror! {
    CodingV1 of Coding {
        system: Option<String>,
        version: Option<String>,
        code: Option<String>,
        display: Option<String>,
    }
    ConceptV1 of Concept {
        codings: Vec<CodingV1>,
        text: Option<String>,
    }
    QuantityV1 of Quantity {
        value: Option<String>,
        comparator: Option<String>,
        unit: Option<String>,
        system: Option<String>,
        code: Option<String>,
    }
    PartyV1 of Party {
        name: Option<String>,
        role: Option<String>,
        reference: Option<String>,
        identifiers: Vec<IdentifierV1>,
        contact: Vec<TelecomV1>,
    }
    NameV1 of HumanName {
        purpose: Option<String>,
        text: Option<String>,
        family: Option<String>,
        given: Vec<String>,
        prefix: Vec<String>,
        suffix: Vec<String>,
    }
    AddressV1 of Address {
        purpose: Option<String>,
        text: Option<String>,
        lines: Vec<String>,
        city: Option<String>,
        district: Option<String>,
        state: Option<String>,
        postal_code: Option<String>,
        country: Option<String>,
    }
    TelecomV1 of Telecom {
        system: Option<String>,
        value: Option<String>,
        purpose: Option<String>,
    }
    IdentifierV1 of Identifier {
        system: Option<String>,
        value: Option<String>,
        sort: Option<String>,
    }
    AttachmentV1 of Attachment {
        content_type: Option<String>,
        title: Option<String>,
        created: Option<String>,
        size: Option<u64>,
        location: Option<LocationV1>,
    }
    ComponentV1 of Component {
        code: ConceptV1,
        value: Option<ScalarV1>,
    }
}

mirror_enum! {
    LocationV1 of Location {
        Inline(BytesV1),
        InSource(String),
        External(String),
        Stored([u8; 32]),
    }
    ScalarV1 of Scalar {
        Concept(ConceptV1),
        Quantity(QuantityV1),
        Date(String),
        Text(String),
        Boolean(bool),
    }
    ValueV1 of Value {
        Concept(ConceptV1),
        Date(String),
        Token(String),
        Narrative(String),
        Quantity(QuantityV1),
        Boolean(bool),
        Party(PartyV1),
        Name(NameV1),
        Address(AddressV1),
        Telecom(TelecomV1),
        Identifier(IdentifierV1),
        Attachment(AttachmentV1),
        Component(ComponentV1),
    }
}
