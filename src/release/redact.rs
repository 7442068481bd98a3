//! Redaction: an entry as claims, each marked as released or withheld.
//!
//! The claims are {kind, fields, provenance}. Every field is committed to, so
//! that what is released of it verifies; none leaves that the policy's rule for
//! it does not let out.

use subrosa_excerpt::Audience;
use subrosa_excerpt::claims::{
    CHANGED, Claim, ClaimValue, NEGATION, NOT_UNDERSTOOD, Visibility, WORDS_WITHHELD,
};

use super::attachment::{Files, attachment};
use super::beside::{Held, may_be_taken_back, means_less_than_it_says};
use super::policy::{Mask, Policy, Rule, SOURCE};
use super::values::{self, Extent, Spoken, array, string};
use super::view::{FilterNotice, RedactedEntry, View, Withheld, WithheldReason};
use crate::codec::json::Json;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::id::EntryId;
use crate::record::{Entry, Field, FieldType, Origin, PROVENANCE, Source, Value};

/// Adds the redacted entry to the view.
pub(super) fn release(policy: &Policy, (id, entry): (EntryId, &Entry), files: &dyn Files, view: &mut View) {
    let is_decided = policy.releases_without_words(id);
    let sha256_of = |digest: &ContentDigest| files.sha256(id, digest);
    let mut redaction = Redaction::of(policy, entry, &sha256_of);
    redaction.is_decided = is_decided;
    let mut claims = redaction.claims();
    let Redaction { bars, withheld, held, lost, .. } = redaction;
    let withheld =
        withheld.into_iter().map(|(field, reason)| Withheld { entry: id, field: Some(field), reason });
    view.withheld.extend(withheld);
    notice_lost(lost, view);
    notice_words(entry, &claims, view);
    let means_less = means_less_than_it_says(entry, &claims);
    let may_be_taken_back = may_be_taken_back(entry, &claims, &held);
    let is_for_third_party = policy.audience == Audience::ThirdParty;
    let stays = match (means_less, may_be_taken_back) {
        (true, _) if is_for_third_party => Some(WithheldReason::WithoutWords),
        (_, true) if is_for_third_party && !is_decided => Some(WithheldReason::WordsBeside),
        _ => None,
    };
    if let Some(reason) = stays {
        view.withheld.push(Withheld { entry: id, field: None, reason });
        notice_words_beside(reason, view);
        return;
    }
    if means_less || may_be_taken_back {
        claims.push((WORDS_WITHHELD.to_owned(), Claim::always(ClaimValue::Whole(Json::Bool(true)))));
    }
    view.released.push(RedactedEntry { id, kind: entry.kind(), claims, bars, perhaps_same: None });
}

/// All claims of an entry, for its owner: nothing is withheld but the original and the bytes
/// of files.
pub(super) fn whole(entry: &Entry) -> Vec<(String, Claim)> {
    let provenance = PROVENANCE.map(|field| field.name).into_iter().filter(|name| *name != SOURCE);
    let mut policy = Policy::nothing().for_audience(Audience::Patient);
    policy.masks = entry
        .kind()
        .schema()
        .iter()
        .map(|field| field.name)
        .chain(provenance)
        .map(|name| (name, Mask::Keep))
        .collect();
    let mut redaction = Redaction::of(&policy, entry, &|_| None);
    redaction.describes_files = true;
    redaction.claims()
}

/// What no holder of the entry's token can leave out: that the record denies what it
/// names, which parts that change its meaning were not understood, and that it is not what
/// its source says any more.
fn warnings(entry: &Entry) -> Vec<(String, Claim)> {
    let mut claims = Vec::new();
    if let Some(negation) = entry.record.negation() {
        claims.push((NEGATION.to_owned(), Claim::always(string(&negation.words.join(", ")))));
    }
    if !entry.not_understood.is_empty() {
        let paths = entry.not_understood.iter().map(|path| Json::string(path.as_str())).collect();
        let paths = ClaimValue::Whole(Json::Array(paths));
        claims.push((NOT_UNDERSTOOD.to_owned(), Claim::always(paths)));
    }
    if entry.provenance.origin == Origin::ImportedAndChanged {
        claims.push((CHANGED.to_owned(), Claim::always(ClaimValue::Whole(Json::Bool(true)))));
    }
    claims
}

/// Tells the owner of an entry whose reader sees no words for what it is about.
fn notice_words(entry: &Entry, claims: &[(String, Claim)], view: &mut View) {
    let fields = entry.record.fields();
    let is_main = |field: &&Field| match &field.value {
        Value::Concept(concept) => Some(concept) == entry.code(),
        _ => false,
    };
    let Some(main) = fields.iter().find(is_main).map(|field| field.name) else { return };
    let has_words = entry.code().is_some_and(|code| code.title().is_some());
    if !has_words || claims.iter().any(|(_, claim)| claim.discloses_words_of(main)) {
        return;
    }
    for notice in &mut view.notices {
        match notice {
            FilterNotice::WithoutWords { entries, field } if *field == main => {
                *entries += 1;
                return;
            }
            _ => {}
        }
    }
    view.notices.push(FilterNotice::WithoutWords { entries: 1, field: main });
}

fn notice_words_beside(reason: WithheldReason, view: &mut View) {
    if reason != WithheldReason::WordsBeside {
        return;
    }
    for notice in &mut view.notices {
        if let FilterNotice::WordsBeside { entries } = notice {
            *entries += 1;
            return;
        }
    }
    view.notices.push(FilterNotice::WordsBeside { entries: 1 });
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

struct Redaction<'a> {
    policy: &'a Policy,
    entry: &'a Entry,
    /// SHA-256 of a file that is stored beside the entry.
    sha256_of: &'a dyn Fn(&ContentDigest) -> Option<Digest>,
    /// The owner lets out the entry although words stay that may take it back.
    is_decided: bool,
    bars: Vec<&'static str>,
    withheld: Vec<(&'static str, WithheldReason)>,
    held: Held,
    /// Attachments whose bytes were not found.
    lost: usize,
    /// Of files only the description is wanted.
    describes_files: bool,
}

impl<'a> Redaction<'a> {
    fn of(
        policy: &'a Policy,
        entry: &'a Entry,
        sha256_of: &'a dyn Fn(&ContentDigest) -> Option<Digest>,
    ) -> Self {
        Self {
            policy,
            entry,
            sha256_of,
            is_decided: false,
            bars: Vec::new(),
            withheld: Vec::new(),
            held: Held::default(),
            lost: 0,
            describes_files: false,
        }
    }

    fn claims(&mut self) -> Vec<(String, Claim)> {
        let (fields, provenance) = (self.fields(), self.provenance());
        let mut claims = vec![
            ("kind".to_owned(), Claim::always(string(self.entry.kind().name()))),
            ("fields".to_owned(), Claim::always(ClaimValue::Object(fields))),
            ("provenance".to_owned(), Claim::always(ClaimValue::Object(provenance))),
        ];
        claims.extend(warnings(self.entry));
        claims
    }

    fn fields(&mut self) -> Vec<(String, Claim)> {
        let kind = self.entry.kind();
        let fields = self.entry.record.fields();
        let negating = self.entry.record.negation().map(|negation| negation.fields).unwrap_or_default();
        let mut claims = Vec::new();
        for values in fields.chunk_by(|one, next| one.tag == next.tag) {
            let Some(first) = values.first() else { continue };
            let repeats = kind.field(first.name).is_some_and(|schema| schema.repeats);
            let rule = self.policy.rule(kind, first.name, first.value.field_type());
            let mut claim = self.field(first.name, values, repeats, rule);
            if negating.contains(&first.name) {
                claim.visibility = Visibility::Always;
            }
            claims.push((first.name.to_owned(), claim));
        }
        claims
    }

    fn field(&mut self, name: &'static str, values: &[Field], repeats: bool, rule: Rule) -> Claim {
        if let Rule::Withhold(reason) = rule {
            self.withhold(name, reason);
            self.held.add(name);
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
        // An empty shell would say no more than that there is such a field.
        let says = value.says_anything();
        Claim::disclosable(value, says && !matches!(rule, Rule::Withhold(_)))
    }

    fn value(&mut self, name: &'static str, value: &Value, rule: Rule) -> ClaimValue {
        let extent = self.extent(rule);
        let open = !matches!(rule, Rule::Withhold(_));
        match value {
            Value::Concept(value) => {
                let bare = self.is_decided || Some(value) == self.entry.code();
                let spoken = values::concept(value, Extent { bare, ..extent });
                self.spoken(name, spoken, open.then_some(WithheldReason::Words))
            }
            Value::Date(value) => values::date(value, extent),
            Value::Token(value) => string(value.as_str()),
            Value::Narrative(value) => string(value.as_str()),
            Value::Quantity(value) => values::quantity(value),
            Value::Boolean(value) => ClaimValue::Whole(Json::Bool(*value)),
            Value::Party(value) => values::party(value, extent),
            Value::Name(value) => values::name(value),
            Value::Address(value) => values::address(value),
            Value::Telecom(value) => values::telecom(value),
            Value::Identifier(value) => values::identifier(value),
            Value::Attachment(value) => {
                let extent = Extent { all: extent.all && !self.describes_files, ..extent };
                // Of what stays no file is read.
                let is_named = open && !self.describes_files;
                let sha256 = |digest: &_| is_named.then(|| (self.sha256_of)(digest));
                let (claim, lost) = attachment(value, self.entry.source.as_ref(), sha256, extent);
                self.lost += usize::from(lost);
                claim
            }
            Value::Component(value) => {
                let spoken = values::component(value, extent);
                self.spoken(name, spoken, open.then_some(WithheldReason::FreeText))
            }
        }
    }

    /// The claim, and a note of what of its words stays, for this reason where the field
    /// itself leaves.
    fn spoken(&mut self, name: &'static str, spoken: Spoken, reason: Option<WithheldReason>) -> ClaimValue {
        if let Some(reason) = reason.filter(|_| spoken.withheld) {
            self.withhold(name, reason);
        }
        if spoken.says_more {
            self.held.add(name);
        }
        spoken.claim
    }

    fn extent(&self, rule: Rule) -> Extent {
        let all = rule == Rule::Keep;
        Extent {
            all,
            year: rule == Rule::Year || self.policy.years && rule != Rule::Keep,
            words: all || self.policy.releases_words(),
            bare: self.is_decided,
        }
    }

    /// Notes for the owner that of this field something stays, once for each reason.
    fn withhold(&mut self, name: &'static str, reason: WithheldReason) {
        // A bar is for content; a technical reference is not missed by a reader.
        let has_bar = self.policy.bars && reason != WithheldReason::SourceReference;
        if has_bar && !self.bars.contains(&name) {
            self.bars.push(name);
        }
        if !self.withheld.contains(&(name, reason)) {
            self.withheld.push((name, reason));
        }
    }

    /// What every entry has beside the fields of its kind.
    fn provenance(&mut self) -> Vec<(String, Claim)> {
        let mut claims = Vec::new();
        for name in PROVENANCE.map(|field| field.name) {
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
        let extent = self.extent(rule);
        match name {
            "origin" => Some(string(origin(provenance.origin))),
            "provider" => provenance.provider.as_ref().map(|party| values::party(party, extent)),
            "recorded" => provenance.recorded.as_ref().map(|date| values::date(date, extent)),
            "document" => provenance.document.as_ref().map(|text| string(text.as_str())),
            "identity" => provenance.identity.as_ref().map(|text| string(text.as_str())),
            "labels" => {
                let labels = &provenance.labels;
                (!labels.is_empty()).then(|| array(labels.iter().map(|label| values::coding(label, true))))
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
        Origin::ImportedAndChanged => "imported-and-changed",
    }
}
