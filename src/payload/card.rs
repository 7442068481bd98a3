//! A card in bytes, version 1: small enough that a page of rows holds many.
//!
//! What does not fit is shortened and then left out, and the card says so.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::PayloadError;
use super::mirror::{Mirror, Text};
use crate::codec::wire::{self, Wire};
use crate::record::{self, Card, CardFlags, Coding, DateRange, Kind, PartialDate, Token};

/// Largest encoded card in bytes.
pub(crate) const CARD_LIMIT: usize = 300;

/// A text is shortened to no less than this before whole parts are left out.
const SHORTEST: usize = 24;

/// Code systems that a card names by number. Numbers are never reused.
const SYSTEMS: [(u16, &str); 16] = [
    (1, "http://snomed.info/sct"),
    (2, "http://loinc.org"),
    (3, "http://www.nlm.nih.gov/research/umls/rxnorm"),
    (4, "http://hl7.org/fhir/sid/icd-10-cm"),
    (5, "http://hl7.org/fhir/sid/icd-9-cm"),
    (6, "http://hl7.org/fhir/sid/icd-10"),
    (7, "http://hl7.org/fhir/sid/cvx"),
    (8, "http://hl7.org/fhir/sid/ndc"),
    (9, "http://www.ama-assn.org/go/cpt"),
    (10, "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"),
    (11, "http://www.cms.gov/Medicare/Coding/ICD10"),
    (12, "http://terminology.hl7.org/CodeSystem/v3-ActCode"),
    (13, "http://www.whocc.no/atc"),
    (14, "http://www.ada.org/cdt"),
    (15, "http://unitsofmeasure.org"),
    (16, "urn:oid:2.16.840.1.113883.6.238"),
];

const RETRACTED: u16 = 1;
const LEGAL_HOLD: u16 = 1 << 1;
const DISPUTED: u16 = 1 << 2;
const ATTACHMENT: u16 = 1 << 3;
const MORE_CODINGS: u16 = 1 << 4;
const EXPIRES: u16 = 1 << 5;
const NOT_UNDERSTOOD: u16 = 1 << 6;
const ELSEWHERE: u16 = 1 << 7;
const CHANGED: u16 = 1 << 8;
const ALL_FLAGS: u16 = (1 << 9) - 1;

/// Version 1 of a card.
#[derive(Serialize, Deserialize)]
struct CardV1<'a> {
    kind: u16,
    flags: u16,
    complete: bool,
    start: Option<Text<'a>>,
    end: EndV1<'a>,
    system: SystemV1<'a>,
    code: Option<Text<'a>>,
    display: Option<Text<'a>>,
    provider: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
enum EndV1<'a> {
    Open,
    SameAsStart,
    At(Text<'a>),
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
enum SystemV1<'a> {
    Absent,
    Known(u16),
    Named(Text<'a>),
}

impl Wire for CardV1<'_> {
    const NAME: &'static str = "CardV1";
    const LIMIT: usize = CARD_LIMIT;

    fn is_canonical(&self) -> bool {
        let end = match &self.end {
            EndV1::Open => true,
            EndV1::SameAsStart => self.start.is_some(),
            EndV1::At(end) => self.start.as_ref() != Some(end),
        };
        let system = match &self.system {
            SystemV1::Absent => true,
            SystemV1::Known(number) => SYSTEMS.iter().any(|(known, _)| known == number),
            SystemV1::Named(uri) => SYSTEMS.iter().all(|(_, known)| known != uri),
        };
        end && system && self.flags & !ALL_FLAGS == 0
    }
}

/// Encodes a card in at most [`CARD_LIMIT`] bytes: shortens the display, then the
/// provider, then leaves out the provider and the code, and marks the card incomplete.
///
/// # Errors
/// [`PayloadError::Wire`] never happens for cards that this module shortens.
pub(crate) fn encode_card(card: &Card) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
    let mut form = CardV1::of(card);
    let mut excess = form.size().saturating_sub(CARD_LIMIT);
    for step in STEPS {
        if excess == 0 {
            break;
        }
        step(&mut form, excess);
        form.complete = false;
        excess = form.size().saturating_sub(CARD_LIMIT);
    }
    Ok(wire::encode(&form)?)
}

/// Decodes a card from exactly these bytes.
///
/// # Errors
/// [`PayloadError`] when the bytes are not a card.
pub(crate) fn decode_card(bytes: &[u8]) -> Result<Card, PayloadError> {
    wire::decode::<CardV1<'_>>(bytes)?.back()
}

/// What gives way when a card is too large, in order.
///
/// The start of the display stays: it says what a negation denies.
const STEPS: [fn(&mut CardV1<'_>, usize); 4] = [
    |card, excess| shorten(&mut card.display, excess),
    |card, excess| shorten(&mut card.provider, excess),
    |card, _| card.provider = None,
    |card, _| {
        card.system = SystemV1::Absent;
        card.code = None;
    },
];

fn shorten(text: &mut Option<Text<'_>>, excess: usize) {
    if let Some(text) = text {
        let target = text.len().saturating_sub(excess).max(SHORTEST);
        match text {
            Text::Borrowed(text) => *text = record::shorten(text, target),
            Text::Owned(text) => text.truncate(record::shorten(text, target).len()),
        }
    }
}

impl CardV1<'_> {
    /// The length of the encoding: fixed widths, and 8 bytes of length for each text.
    fn size(&self) -> usize {
        const FIXED: usize = 2 + 2 + 1 + 1 + 4 + 4 + 1 + 1 + 1;
        let optional = [&self.start, &self.code, &self.display, &self.provider];
        let texts: usize = optional.into_iter().flatten().map(|text| 8 + text.len()).sum();
        let end = if let EndV1::At(text) = &self.end { 8 + text.len() } else { 0 };
        let system = match &self.system {
            SystemV1::Absent => 0,
            SystemV1::Known(_) => 2,
            SystemV1::Named(uri) => 8 + uri.len(),
        };
        FIXED + texts + end + system
    }
}

impl<'a> Mirror<'a, Card> for CardV1<'a> {
    fn of(card: &'a Card) -> Self {
        Self {
            kind: card.kind.number(),
            flags: pack(card.flags),
            complete: card.complete,
            start: card.dates.start().map(Mirror::of),
            end: EndV1::of_range(&card.dates),
            system: SystemV1::of_uri(card.coding.system.as_ref()),
            code: Mirror::of(&card.coding.code),
            display: Mirror::of(&card.coding.display),
            provider: Mirror::of(&card.provider),
        }
    }

    fn back(self) -> Result<Card, PayloadError> {
        let kind = Kind::from_number(self.kind).ok_or(PayloadError::UnknownKind { number: self.kind })?;
        let start: Option<PartialDate> = self.start.back()?;
        let end = match self.end {
            EndV1::Open => None,
            EndV1::SameAsStart => start.clone(),
            EndV1::At(text) => Some(text.back()?),
        };
        Ok(Card {
            kind,
            dates: DateRange::new(start, end),
            coding: Coding {
                system: self.system.into_uri().back()?,
                version: None,
                code: self.code.back()?,
                display: self.display.back()?,
            },
            provider: self.provider.back()?,
            flags: unpack(self.flags),
            complete: self.complete,
        })
    }
}

impl<'a> EndV1<'a> {
    fn of_range(dates: &'a DateRange) -> Self {
        match dates.end() {
            None => Self::Open,
            end if end == dates.start() => Self::SameAsStart,
            Some(end) => Self::At(Mirror::of(end)),
        }
    }
}

impl<'a> SystemV1<'a> {
    fn of_uri(uri: Option<&'a Token>) -> Self {
        let Some(uri) = uri.map(Token::as_str) else {
            return Self::Absent;
        };
        match SYSTEMS.iter().find(|(_, known)| *known == uri) {
            Some((number, _)) => Self::Known(*number),
            None => Self::Named(Text::Borrowed(uri)),
        }
    }

    fn into_uri(self) -> Option<Text<'a>> {
        match self {
            Self::Absent => None,
            Self::Known(number) => {
                let known = SYSTEMS.iter().find(|(known, _)| *known == number);
                known.map(|(_, uri)| Text::Borrowed(*uri))
            }
            Self::Named(uri) => Some(uri),
        }
    }
}

fn pack(flags: CardFlags) -> u16 {
    let bits = [
        (flags.retracted, RETRACTED),
        (flags.legal_hold, LEGAL_HOLD),
        (flags.disputed, DISPUTED),
        (flags.attachment, ATTACHMENT),
        (flags.more_codings, MORE_CODINGS),
        (flags.expires, EXPIRES),
        (flags.not_understood, NOT_UNDERSTOOD),
        (flags.elsewhere, ELSEWHERE),
        (flags.changed, CHANGED),
    ];
    bits.into_iter().filter(|(set, _)| *set).fold(0, |packed, (_, bit)| packed | bit)
}

fn unpack(packed: u16) -> CardFlags {
    let is_set = |bit| packed & bit != 0;
    CardFlags {
        retracted: is_set(RETRACTED),
        legal_hold: is_set(LEGAL_HOLD),
        disputed: is_set(DISPUTED),
        attachment: is_set(ATTACHMENT),
        more_codings: is_set(MORE_CODINGS),
        expires: is_set(EXPIRES),
        not_understood: is_set(NOT_UNDERSTOOD),
        elsewhere: is_set(ELSEWHERE),
        changed: is_set(CHANGED),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(system: &str, display: usize, provider: usize, code: usize) -> Card {
        let text = |letter: &str, count: usize| Token::new(letter.repeat(count)).ok();
        let date = |text: &str| text.parse().ok();
        Card {
            kind: Kind::Encounter,
            dates: DateRange::new(
                date("2019-04-27T15:30:00.250-05:00"),
                date("2019-04-27T16:30:00.250-05:00"),
            ),
            coding: Coding {
                system: Token::new(system).ok(),
                version: None,
                code: text("1", code),
                display: text("é", display),
            },
            provider: text("日", provider),
            flags: CardFlags { retracted: true, more_codings: true, ..CardFlags::default() },
            complete: true,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

        #[test]
        fn any_card_fits_and_says_when_it_lost_something(
            system in "|http://loinc\\.org|urn:[a-z]{1,900}",
            display in 0..500usize,
            provider in 0..340usize,
            code in prop_oneof![0..30usize, 0..1024usize],
        ) {
            let whole = card(&system, display, provider, code);
            let bytes = encode_card(&whole).unwrap();
            prop_assert!(bytes.len() <= CARD_LIMIT);
            let read = decode_card(&bytes).unwrap();
            prop_assert_eq!(read.complete, read == whole);
            prop_assert_eq!((read.kind, read.flags), (whole.kind, whole.flags));
        }

        #[test]
        fn changed_bytes_are_refused_or_are_another_card(at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let card = card("urn:x", 10, 10, 10);
            let mut bytes = encode_card(&card).unwrap().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(other) = decode_card(&bytes) {
                prop_assert!(other != card);
                prop_assert!(*encode_card(&other).unwrap() == bytes);
            }
            prop_assert!(decode_card(&bytes[..at]).is_err());
        }
    }

    #[test]
    fn the_size_is_that_of_the_encoding() {
        for card in [card("", 0, 0, 0), card("urn:x", 3, 2, 1), card("http://loinc.org", 3, 2, 1)] {
            assert_eq!(CardV1::of(&card).size(), encode_card(&card).unwrap().len());
        }
    }

    #[test]
    fn the_display_gives_way_before_the_provider_and_both_before_the_code() {
        let bytes = encode_card(&card("http://snomed.info/sct", 200, 10, 9)).unwrap();
        let read = decode_card(&bytes).unwrap();
        assert_eq!(read.provider.unwrap().as_str(), "日".repeat(10));
        assert!(read.coding.display.unwrap().as_str().chars().all(|letter| letter == 'é'));
        let read = decode_card(&encode_card(&card("http://snomed.info/sct", 0, 0, 1024)).unwrap()).unwrap();
        assert_eq!(read.coding, Coding::default());
        assert!(read.dates.start().is_some() && !read.complete);
    }

    #[test]
    fn a_known_system_has_one_encoding() {
        let card = card("http://loinc.org", 1, 1, 1);
        let mut form = CardV1::of(&card);
        form.system = SystemV1::Named("http://loinc.org".into());
        assert!(!form.is_canonical());
        form.system = SystemV1::Known(9999);
        assert!(!form.is_canonical());
    }
}
