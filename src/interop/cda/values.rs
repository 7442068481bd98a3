//! HL7 version 3 data types (CDA R2 section 4.2) as values of fields.

use super::context::Context;
use crate::codec::xml::El;
use crate::interop::finding::FindingReason;
use crate::record::{
    Address, Coding, Concept, HumanName, Identifier, PartialDate, Party, Quantity, Telecom, Token,
};

/// Code systems by their object identifiers, as FHIR R4 names them.
pub(super) const SYSTEMS: [(&str, &str); 24] = [
    ("2.16.840.1.113883.6.96", "http://snomed.info/sct"),
    ("2.16.840.1.113883.6.1", "http://loinc.org"),
    ("2.16.840.1.113883.6.88", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("2.16.840.1.113883.6.90", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("2.16.840.1.113883.6.103", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("2.16.840.1.113883.6.104", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("2.16.840.1.113883.6.3", "http://hl7.org/fhir/sid/icd-10"),
    ("2.16.840.1.113883.6.4", "http://www.cms.gov/Medicare/Coding/ICD10"),
    ("2.16.840.1.113883.6.12", "http://www.ama-assn.org/go/cpt"),
    ("2.16.840.1.113883.6.285", "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"),
    ("2.16.840.1.113883.12.292", "http://hl7.org/fhir/sid/cvx"),
    ("2.16.840.1.113883.6.59", "http://hl7.org/fhir/sid/cvx"),
    ("2.16.840.1.113883.6.69", "http://hl7.org/fhir/sid/ndc"),
    ("2.16.840.1.113883.4.9", "http://fdasis.nlm.nih.gov"),
    ("2.16.840.1.113883.3.26.1.1", "http://ncithesaurus-stage.nci.nih.gov"),
    ("2.16.840.1.113883.6.238", "urn:oid:2.16.840.1.113883.6.238"),
    ("2.16.840.1.113883.6.101", "http://nucc.org/provider-taxonomy"),
    ("2.16.840.1.113883.5.4", "http://terminology.hl7.org/CodeSystem/v3-ActCode"),
    ("2.16.840.1.113883.5.25", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"),
    ("2.16.840.1.113883.5.83", "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"),
    ("2.16.840.1.113883.5.111", "http://terminology.hl7.org/CodeSystem/v3-RoleCode"),
    ("2.16.840.1.113883.5.2", "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"),
    ("2.16.840.1.113883.5.8", "http://terminology.hl7.org/CodeSystem/v3-ActReason"),
    ("2.16.840.1.113883.5.1", "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender"),
];

const UCUM: &str = "http://unitsofmeasure.org";

fn fixed(text: &str) -> Option<Token> {
    Token::new(text).ok()
}

/// The URI of a system of codes or numbers.
pub(super) fn system(oid: &str) -> String {
    let known = SYSTEMS.iter().find(|(known, _)| *known == oid);
    match known {
        Some((_, uri)) => (*uri).to_owned(),
        None if is_uuid(oid) => format!("urn:uuid:{}", oid.to_ascii_lowercase()),
        None => format!("urn:oid:{oid}"),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4
}

impl<'t> Context<'t> {
    fn attribute(&self, element: El<'t>, name: &str) -> Option<Token> {
        element.attribute(name).and_then(|text| self.token(element, text))
    }

    fn coding(&self, element: El<'t>) -> Option<Coding> {
        let code = self.attribute(element, "code");
        let display = self.attribute(element, "displayName");
        if code.is_none() && display.is_none() {
            return None;
        }
        let system = element.attribute("codeSystem").map(system);
        Some(Coding {
            system: system.and_then(|system| self.token(element, &system)),
            version: self.attribute(element, "codeSystemVersion"),
            code,
            display,
        })
    }

    /// A coded value with its translations and its original text.
    pub(super) fn as_concept(&self, element: El<'t>) -> Option<Concept> {
        let mut codings: Vec<Coding> = self.coding(element).into_iter().collect();
        for translation in element.children("translation") {
            codings.extend(self.coding(translation));
        }
        let original = element.child("originalText").and_then(|original| self.said(original));
        let own = Some(element.words()).filter(|words| !words.is_empty());
        let text = original.or(own).and_then(|text| self.token(element, &text));
        let concept = Concept { codings, text };
        if concept == Concept::default() {
            return None;
        }
        // What stands instead of the code says it.
        element.attribute("nullFlavor");
        Some(concept)
    }

    pub(super) fn concept(&self, element: El<'t>, name: &'t str) -> Option<Concept> {
        element.child(name).and_then(|found| self.as_concept(found))
    }

    pub(super) fn concepts(&self, element: El<'t>, name: &'t str) -> Vec<Concept> {
        element.children(name).filter_map(|found| self.as_concept(found)).collect()
    }

    /// A point in time.
    pub(super) fn as_date(&self, element: El<'t>) -> Option<PartialDate> {
        let text = element.attribute("value")?;
        let date = iso(text).and_then(|(text, is_whole)| Some((text.parse().ok()?, is_whole)));
        match date {
            Some((date, is_whole)) => {
                if !is_whole {
                    self.report(element, FindingReason::NotCarried);
                }
                Some(date)
            }
            None => {
                self.report(element, FindingReason::Malformed);
                if element.name() == "high" {
                    // Without its end, what is over reads as if it were not.
                    self.not_understood.borrow_mut().insert(self.path(element));
                }
                None
            }
        }
    }

    pub(super) fn date(&self, element: El<'t>, name: &'t str) -> Option<PartialDate> {
        element.child(name).and_then(|found| self.as_date(found))
    }

    /// A point or an interval in time: its beginning and its end.
    pub(super) fn as_interval(&self, time: El<'t>) -> (Option<PartialDate>, Option<PartialDate>) {
        let point = self.as_date(time);
        (point.or_else(|| self.date(time, "low")), self.date(time, "high"))
    }

    /// When a statement was so.
    pub(super) fn interval(&self, element: El<'t>) -> (Option<PartialDate>, Option<PartialDate>) {
        element.child("effectiveTime").map_or((None, None), |time| self.as_interval(time))
    }

    /// An amount.
    pub(super) fn as_quantity(&self, element: El<'t>) -> Option<Quantity> {
        let value = self.attribute(element, "value")?;
        let unit = self.attribute(element, "unit").filter(|unit| unit.as_str() != "1");
        Some(Quantity {
            value: Some(value),
            comparator: None,
            system: unit.as_ref().and_then(|_| fixed(UCUM)),
            code: unit.clone(),
            unit,
        })
    }

    pub(super) fn as_name(&self, name: El<'t>) -> Option<HumanName> {
        let parts = |part: &'t str| -> Vec<Token> {
            let found = name.children(part).map(|part| (part, part.words()));
            found.filter_map(|(part, words)| self.token(part, &words)).collect()
        };
        let family = parts("family").into_iter().map(Token::into_string).collect::<Vec<_>>().join(" ");
        let text = name.words();
        let purpose = match name.attribute("use") {
            Some("L") => fixed("official"),
            Some("P") => fixed("nickname"),
            Some("C") => fixed("usual"),
            _ => None,
        };
        let read = HumanName {
            purpose,
            text: self.token(name, &text),
            family: self.token(name, &family),
            given: parts("given"),
            prefix: parts("prefix"),
            suffix: parts("suffix"),
        };
        (read.to_line().is_some()).then_some(read)
    }

    pub(super) fn as_address(&self, address: El<'t>) -> Option<Address> {
        let lines: Vec<Token> = ["streetAddressLine", "streetName", "houseNumber", "additionalLocator"]
            .into_iter()
            .flat_map(|name| address.children(name))
            .filter_map(|line| self.token(line, &line.words()))
            .collect();
        let part = |name: &'t str| address.child(name).and_then(|part| self.token(part, &part.words()));
        let purpose = match address.attribute("use") {
            Some("H" | "HP" | "HV") => fixed("home"),
            Some("WP" | "DIR" | "PUB") => fixed("work"),
            Some("TMP") => fixed("temp"),
            Some("BAD") => fixed("old"),
            _ => None,
        };
        let read = Address {
            purpose,
            text: self.token(address, &address.words()),
            lines,
            city: part("city"),
            district: part("county"),
            state: part("state"),
            postal_code: part("postalCode"),
            country: part("country"),
        };
        let is_blank = Address { purpose: None, ..read.clone() } == Address::default();
        (!is_blank).then_some(read)
    }

    pub(super) fn telecoms(&self, element: El<'t>) -> Vec<Telecom> {
        let read = |telecom: El<'t>| {
            let value = telecom.attribute("value")?;
            let (scheme, rest) = value.split_once(':').unwrap_or(("", value));
            let (sort, number) = match scheme.to_ascii_lowercase().as_str() {
                "tel" => ("phone", rest),
                "fax" => ("fax", rest),
                "mailto" => ("email", rest),
                "http" | "https" => ("url", value),
                _ => ("other", value),
            };
            let purpose = match telecom.attribute("use") {
                Some("H" | "HP" | "HV") => fixed("home"),
                Some("WP" | "DIR" | "PUB") => fixed("work"),
                Some("MC") => fixed("mobile"),
                _ => None,
            };
            Some(Telecom { system: fixed(sort), value: self.token(telecom, number.trim()), purpose })
        };
        let telecoms = element.children("telecom").filter_map(read);
        telecoms.filter(|telecom| telecom.value.is_some()).collect()
    }

    /// Numbers that somebody gave. An object identifier without a number in it names whoever
    /// gives numbers, or nobody.
    pub(super) fn identifiers(&self, element: El<'t>) -> Vec<Identifier> {
        let read = |id: El<'t>| {
            let value = id.attribute("extension").and_then(|text| self.token(id, text))?;
            let system = id.attribute("root").map(|root| match root {
                "2.16.840.1.113883.4.1" => "http://hl7.org/fhir/sid/us-ssn".to_owned(),
                "2.16.840.1.113883.4.6" => "http://hl7.org/fhir/sid/us-npi".to_owned(),
                other => system(other),
            });
            let system = system.and_then(|system| self.token(id, &system));
            Some(Identifier { system, value: Some(value), sort: None })
        };
        element.children("id").filter_map(read).collect()
    }

    fn name_in(&self, element: El<'t>, steps: &[&'t str]) -> Option<String> {
        let name = element.at(steps)?;
        self.as_name(name)?.to_line()
    }

    /// Who acts: an assigned entity, an author, an organization or a device.
    pub(super) fn as_party(&self, element: El<'t>, role: Option<&str>) -> Option<Party> {
        let person = [
            &["assignedPerson", "name"][..],
            &["informationRecipient", "name"],
            &["associatedPerson", "name"],
            &["relatedPerson", "name"],
            &["playingEntity", "name"],
            &["guardianPerson", "name"],
        ];
        let person = person.into_iter().find_map(|steps| self.name_in(element, steps));
        let device = || {
            let device = element.child("assignedAuthoringDevice")?;
            let name = device.child("softwareName").or_else(|| device.child("manufacturerModelName"))?;
            Some(name.words()).filter(|name| !name.is_empty())
        };
        let organization =
            ["representedOrganization", "representedCustodianOrganization", "receivedOrganization"]
                .into_iter()
                .find_map(|name| element.at(&[name, "name"]))
                .map(El::words)
                .filter(|name| !name.is_empty());
        let name = match (person.or_else(device), organization) {
            (Some(person), Some(organization)) if person != organization => {
                format!("{person}, {organization}")
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => element.child("name").map(El::words).unwrap_or_default(),
        };
        let name = self.token(element, &name)?;
        Some(Party {
            name: Some(name),
            role: role.and_then(fixed),
            reference: None,
            identifiers: self.identifiers(element),
            contact: self.telecoms(element),
        })
    }

    /// Everybody who takes part by an element of this name: performers, authors.
    pub(super) fn parties(&self, element: El<'t>, name: &'t str) -> Vec<Party> {
        let inner =
            ["assignedEntity", "assignedAuthor", "assignedCustodian", "relatedEntity", "participantRole"];
        let read = |participation: El<'t>| {
            let inside = inner.into_iter().find_map(|name| participation.child(name))?;
            self.as_party(inside, None)
        };
        element.children(name).filter_map(read).collect()
    }
}

/// A time of HL7 version 3 (`20140909190455.123-0500`) as ISO 8601, as precise as it is, and
/// whether that is all of it: an hour without minutes and the offset of a day have no form.
fn iso(text: &str) -> Option<(String, bool)> {
    let at = text.find(['+', '-', 'Z', 'z']).unwrap_or(text.len());
    let (clock, offset) = text.split_at(at);
    let (digits, fraction) =
        clock.split_once('.').map_or((clock, None), |(digits, rest)| (digits, Some(rest)));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !text.is_ascii() || !is_digits(digits) || !fraction.is_none_or(is_digits) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| digits.get(range);
    let year = part(0..4)?;
    let day = || Some(format!("{year}-{}-{}", part(4..6)?, part(6..8)?));
    let has_offset = !zone(offset)?.is_empty();
    Some(match digits.len() {
        4 => (year.to_owned(), !has_offset),
        6 => (format!("{year}-{}", part(4..6)?), !has_offset),
        8 => (day()?, !has_offset),
        10 => (day()?, false),
        12 => (format!("{}T{}:{}{}", day()?, part(8..10)?, part(10..12)?, zone(offset)?), fraction.is_none()),
        14 => {
            let fraction = fraction.filter(|fraction| !fraction.is_empty());
            let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
            let clock = format!("{}:{}:{}{fraction}", part(8..10)?, part(10..12)?, part(12..14)?);
            (format!("{}T{clock}{}", day()?, zone(offset)?), true)
        }
        _ => return None,
    })
}

/// An offset: `-0500`, `-05`, `-05:00` or `Z`.
fn zone(offset: &str) -> Option<String> {
    let Some(sign) = offset.get(..1) else { return Some(String::new()) };
    if sign.eq_ignore_ascii_case("z") {
        return (offset.len() == 1).then(|| "Z".to_owned());
    }
    let digits: String = offset.get(1..)?.chars().filter(|c| *c != ':').collect();
    match digits.len() {
        2 => Some(format!("{sign}{digits}:00")),
        4 => Some(format!("{sign}{}:{}", digits.get(..2)?, digits.get(2..)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_precision() {
        let cases = [
            ("2014", Some(("2014", true))),
            ("201409", Some(("2014-09", true))),
            ("20140909", Some(("2014-09-09", true))),
            ("20140909-0500", Some(("2014-09-09", false))),
            ("2014090919", Some(("2014-09-09", false))),
            ("201409091904-0500", Some(("2014-09-09T19:04-05:00", true))),
            ("201409091904+02", Some(("2014-09-09T19:04+02:00", true))),
            ("20140909190455.123-0500", Some(("2014-09-09T19:04:55.123-05:00", true))),
            ("20140909190455Z", Some(("2014-09-09T19:04:55Z", true))),
            ("20140909190455", Some(("2014-09-09T19:04:55", true))),
            ("2014-09-09", None),
            ("201", None),
            ("soon", None),
            ("201409091904-5", None),
            ("é", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(text, is_whole)| (text.to_owned(), is_whole));
            assert_eq!(iso(text), expected, "{text}");
        }
        assert!(iso("00000000").unwrap().0.parse::<PartialDate>().is_err());
    }
}
