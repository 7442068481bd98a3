//! Redaction: an entry as claims, each marked as released or withheld.
//!
//! The claims are {kind, fields, provenance}. Every field is committed to, so
//! that what is released of it verifies; none leaves that the policy's rule for
//! it does not let out.

use super::attachment::attachment;
use super::claims::{Claim, ClaimValue};
use super::policy::{PROVENANCE, Policy, Rule, SOURCE};
use super::values::{self, Detail, array, string};
use super::view::{FilterNotice, RedactedEntry, Subject, View, Withheld, WithheldReason};
use crate::id::EntryId;
use crate::record::{Entry, Field, FieldType, HumanName, Kind, Origin, Record, Source, Value};

/// Adds the redacted entry to the view.
pub(super) fn release(policy: &Policy, id: EntryId, entry: &Entry, view: &mut View) {
    let mut redaction = Redaction { policy, entry, bars: Vec::new(), withheld: Vec::new(), lost: 0 };
    let fields = redaction.fields();
    let provenance = redaction.provenance();
    let claims = vec![
        ("kind".to_owned(), Claim::always(string(entry.kind().name()))),
        ("fields".to_owned(), Claim::always(ClaimValue::Object(fields))),
        ("provenance".to_owned(), Claim::always(ClaimValue::Object(provenance))),
    ];
    let Redaction { bars, withheld, lost, .. } = redaction;
    let withheld =
        withheld.into_iter().map(|(field, reason)| Withheld { entry: id, field: Some(field), reason });
    view.withheld.extend(withheld);
    notice_lost(lost, view);
    view.released.push(RedactedEntry { id, kind: entry.kind(), claims, bars });
}

fn notice_lost(lost: usize, view: &mut View) {
    for notice in &mut view.notices {
        if let FilterNotice::AttachmentWithoutBytes { attachments } = notice {
            *attachments += lost;
            return;
        }
    }
    if lost > 0 {
        view.notices.push(FilterNotice::AttachmentWithoutBytes { attachments: lost });
    }
}

/// The person whom the entries are about, if there is exactly one with a name and
/// the policy does not withhold it.
pub(super) fn subject(policy: &Policy, entries: &[(EntryId, &Entry)]) -> Option<Subject> {
    let mut patients = entries.iter().filter(|(_, entry)| !entry.marks.retracted).filter_map(|(_, entry)| {
        match &entry.record {
            Record::Patient(patient) => Some(patient),
            _ => None,
        }
    });
    let patient = patients.next()?;
    if patients.next().is_some() {
        return None;
    }
    if let Rule::Withhold(_) = policy.rule(Kind::Patient, "names", FieldType::Name) {
        return None;
    }
    let name = patient.names.iter().find_map(HumanName::to_line)?;
    let born = patient.birth_date.as_ref();
    let born = match policy.rule(Kind::Patient, "birth_date", FieldType::Date) {
        Rule::Withhold(_) => None,
        Rule::Year => born.map(|date| format!("{:04}", date.year())),
        Rule::Keep | Rule::Default => born.map(|date| date.as_str().to_owned()),
    };
    Some(Subject { name, born })
}

struct Redaction<'a> {
    policy: &'a Policy,
    entry: &'a Entry,
    bars: Vec<&'static str>,
    withheld: Vec<(&'static str, WithheldReason)>,
    /// Attachments whose bytes were not found.
    lost: usize,
}

impl Redaction<'_> {
    fn fields(&mut self) -> Vec<(String, Claim)> {
        let kind = self.entry.kind();
        let fields = self.entry.record.fields();
        let mut claims = Vec::new();
        for values in fields.chunk_by(|one, next| one.tag == next.tag) {
            let Some(first) = values.first() else { continue };
            let repeats = kind.field(first.name).is_some_and(|schema| schema.repeats);
            let rule = self.policy.rule(kind, first.name, first.value.field_type());
            claims.push((first.name.to_owned(), self.field(first.name, values, repeats, rule)));
        }
        claims
    }

    fn field(&mut self, name: &'static str, values: &[Field], repeats: bool, rule: Rule) -> Claim {
        if let Rule::Withhold(reason) = rule {
            // A bar is for content; a technical reference is not missed by a reader.
            if reason != WithheldReason::SourceReference {
                self.bars.push(name);
            }
            self.withheld.push((name, reason));
        }
        if rule == Rule::Year {
            self.withheld.push((name, WithheldReason::YearOnly));
        }
        let mut items: Vec<ClaimValue> = Vec::new();
        for field in values {
            items.push(self.value(name, &field.value, rule));
        }
        let value = match items.pop() {
            Some(only) if !repeats && items.is_empty() => only,
            last => array(items.into_iter().chain(last)),
        };
        Claim::disclosable(value, !matches!(rule, Rule::Withhold(_)))
    }

    fn value(&mut self, name: &'static str, value: &Value, rule: Rule) -> ClaimValue {
        let detail = Detail { all: rule == Rule::Keep, year: rule == Rule::Year };
        match value {
            Value::Concept(value) => values::concept(value),
            Value::Date(value) => values::date(value, detail),
            Value::Token(value) => string(value.as_str()),
            Value::Narrative(value) => string(value.as_str()),
            Value::Quantity(value) => values::quantity(value),
            Value::Boolean(value) => ClaimValue::Whole(crate::codec::json::Json::Bool(*value)),
            Value::Party(value) => values::party(value, detail),
            Value::Name(value) => values::name(value),
            Value::Address(value) => values::address(value),
            Value::Telecom(value) => values::telecom(value),
            Value::Identifier(value) => values::identifier(value),
            Value::Attachment(value) => {
                let (claim, lost) = attachment(value, self.entry.source.as_ref(), detail);
                self.lost += usize::from(lost);
                claim
            }
            Value::Component(value) => {
                let (claim, text_withheld) = values::component(value, detail);
                let open = !matches!(rule, Rule::Withhold(_));
                if text_withheld && open && !self.bars.contains(&name) {
                    self.bars.push(name);
                    self.withheld.push((name, WithheldReason::FreeText));
                }
                claim
            }
        }
    }

    /// What every entry has beside the fields of its kind.
    fn provenance(&mut self) -> Vec<(String, Claim)> {
        let mut claims = Vec::new();
        for name in PROVENANCE {
            let rule = self.provenance_rule(name);
            let Some(value) = self.provenance_value(name, rule) else { continue };
            if let Rule::Withhold(reason) = rule {
                self.withheld.push((name, reason));
            }
            let released = !matches!(rule, Rule::Withhold(_));
            claims.push((name.to_owned(), Claim::disclosable(value, released)));
        }
        claims
    }

    fn provenance_rule(&self, name: &str) -> Rule {
        // Concept stands for any type that leaves by default.
        match self.policy.rule(self.entry.kind(), name, FieldType::Concept) {
            Rule::Default | Rule::Withhold(WithheldReason::Identity) => match name {
                "origin" | "provider" => Rule::Default,
                SOURCE => Rule::Withhold(WithheldReason::Original),
                _ => Rule::Withhold(WithheldReason::SourceReference),
            },
            rule => rule,
        }
    }

    fn provenance_value(&self, name: &str, rule: Rule) -> Option<ClaimValue> {
        let provenance = &self.entry.provenance;
        let detail = Detail { all: rule == Rule::Keep, year: rule == Rule::Year };
        match name {
            "origin" => Some(string(origin(provenance.origin))),
            "provider" => provenance.provider.as_ref().map(|party| values::party(party, detail)),
            "recorded" => provenance.recorded.as_ref().map(|date| values::date(date, detail)),
            "document" => provenance.document.as_ref().map(|text| string(text.as_str())),
            "identity" => provenance.identity.as_ref().map(|text| string(text.as_str())),
            "labels" => {
                let labels = &provenance.labels;
                (!labels.is_empty()).then(|| array(labels.iter().map(values::coding)))
            }
            // The original is committed to only when it leaves: its copy would
            // double the cost of every entry for nothing.
            _ if rule == Rule::Keep => self.entry.source.as_ref().map(original),
            _ => None,
        }
    }
}

fn original(source: &Source) -> ClaimValue {
    string(&String::from_utf8_lossy(&source.bytes))
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Imported => "imported",
        Origin::EnteredByOwner => "entered-by-owner",
        Origin::EnteredByProvider => "entered-by-provider",
    }
}
