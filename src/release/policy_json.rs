//! A policy as serde writes and reads it.
//!
//! Every member must be there: a mask or a date that got lost would let more out.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::policy::{CodeFilter, Mask, Policy, PolicyError};
use subrosa_base::serial::error::Fault;
use subrosa_base::serial::node::{Members, Node};
use subrosa_base::serial::shape::Read;
use subrosa_excerpt::Audience;

/// The version of the form. Another one is refused.
const VERSION: u64 = 1;

impl Serialize for CodeFilter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("system", &self.system)?;
        map.serialize_entry("code", &self.code)?;
        map.serialize_entry("prefix", &self.is_prefix)?;
        map.end()
    }
}

impl Read for CodeFilter {
    fn read(node: Node) -> Result<Self, Fault> {
        let mut members = Members::of(node)?;
        let system = match required(&mut members, "system")? {
            Node::Null => None,
            node => Some(node.into_text().map_err(|fault| fault.in_member("system"))?),
        };
        let code = required(&mut members, "code")?.into_text().map_err(|fault| fault.in_member("code"))?;
        let is_prefix: bool = read(&mut members, "prefix")?;
        members.finish()?;
        if code.is_empty() && !is_prefix {
            return Err(Fault::new("a code is not empty").in_member("code"));
        }
        Ok(Self { system, code, is_prefix })
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let masks: BTreeMap<&str, &str> =
            self.masks.iter().map(|(field, mask)| (*field, mask.name())).collect();
        let mut map = serializer.serialize_map(Some(15))?;
        map.serialize_entry("version", &VERSION)?;
        map.serialize_entry("audience", self.audience.name())?;
        map.serialize_entry("kinds", &self.kinds)?;
        map.serialize_entry("codes", &self.codes)?;
        map.serialize_entry("entries", &self.entries)?;
        map.serialize_entry("since", &self.since)?;
        map.serialize_entry("until", &self.until)?;
        map.serialize_entry("masks", &masks)?;
        map.serialize_entry("dates_as_years", &self.years)?;
        map.serialize_entry("bars", &self.bars)?;
        map.serialize_entry("not_understood", &self.not_understood)?;
        map.serialize_entry("not_understood_of", &self.not_understood_of)?;
        map.serialize_entry("words_withheld", &self.without_words)?;
        map.serialize_entry("words_withheld_of", &self.without_words_of)?;
        map.end()
    }
}

impl Read for Policy {
    fn read(node: Node) -> Result<Self, Fault> {
        let mut members = Members::of(node)?;
        if read::<u64>(&mut members, "version")? != VERSION {
            return Err(Fault::new("a policy of another version than 1").in_member("version"));
        }
        let policy = Self {
            audience: audience(required(&mut members, "audience")?)?,
            kinds: read::<Vec<_>>(&mut members, "kinds")?.into_iter().collect(),
            codes: read(&mut members, "codes")?,
            entries: read::<Vec<_>>(&mut members, "entries")?.into_iter().collect(),
            since: read(&mut members, "since")?,
            until: read(&mut members, "until")?,
            years: read(&mut members, "dates_as_years")?,
            bars: read(&mut members, "bars")?,
            not_understood: read(&mut members, "not_understood")?,
            not_understood_of: read::<Vec<_>>(&mut members, "not_understood_of")?.into_iter().collect(),
            without_words: read(&mut members, "words_withheld")?,
            without_words_of: read::<Vec<_>>(&mut members, "words_withheld_of")?.into_iter().collect(),
            masks: BTreeMap::new(),
        };
        let policy = masked(policy, required(&mut members, "masks")?)?;
        members.finish()?;
        Ok(policy)
    }
}

subrosa_base::deserialize_by_serde!(CodeFilter, Policy);

fn required(members: &mut Members, name: &'static str) -> Result<Node, Fault> {
    members.take(name).ok_or_else(|| Fault::new(format_args!("{name} is missing")))
}

fn read<T: Read>(members: &mut Members, name: &'static str) -> Result<T, Fault> {
    T::read(required(members, name)?).map_err(|fault| fault.in_member(name))
}

fn audience(node: Node) -> Result<Audience, Fault> {
    let text = node.into_text().map_err(|fault| fault.in_member("audience"))?;
    let known = Audience::ALL.map(Audience::name);
    Audience::from_name(&text).ok_or_else(|| Fault::word(&known).in_member("audience"))
}

/// The policy with its masks, each checked as [`Policy::mask`] checks it.
fn masked(mut policy: Policy, node: Node) -> Result<Policy, Fault> {
    let fault = |what: &str| Fault::new(what).in_member("masks");
    let Node::Object(masks) = node else { return Err(fault("expected an object of fields and masks")) };
    for (field, mask) in masks {
        let word = mask.into_text().map_err(|fault| fault.in_member("masks"))?;
        let mask = Mask::ALL.into_iter().find(|mask| mask.name() == word);
        let mask = mask.ok_or_else(|| Fault::word(&Mask::ALL.map(Mask::name)).in_member("masks"))?;
        // The error of a field that there is not would repeat what was read.
        policy = policy.mask(&field, mask).map_err(|error| match error {
            PolicyError::UnknownField { .. } => fault("a mask over a field that no kind of record has"),
            error => fault(&error.to_string()),
        })?;
    }
    Ok(policy)
}
