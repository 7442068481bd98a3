//! What an entry does not carry of its resource: every leaf that was not read, or was
//! read and is not found in the entry.
//!
//! Nothing here knows a resource's schema, so an element that nobody thought of is found.

use std::collections::HashMap;

use super::modifiers::{harmless_values, is_negating};
use super::reads::Reads;
use crate::codec::json::Json;
use crate::interop::carried::{Carried, in_words};
use crate::interop::finding::{FindingReason, Findings};
use crate::record::Entry;

/// Longest name of an element in a path; input chooses names.
const NAME_LIMIT: usize = 64;

/// Reports every leaf that the entry does not carry.
pub(super) fn report(resource: &Json, root: &str, entry: &Entry, reads: &Reads, findings: &Findings) {
    let mut counted = Leaves::of(entry, reads);
    counted.count(resource);
    let mut path = vec![root];
    Walk { leaves: &counted, findings }.value(resource, &mut path, None);
}

/// How often each text is in the entry, and how often it was read.
struct Leaves<'a> {
    reads: &'a Reads,
    held: Carried,
    read: HashMap<&'a str, usize>,
}

impl<'a> Leaves<'a> {
    fn of(entry: &Entry, reads: &'a Reads) -> Self {
        Self { reads, held: Carried::of(entry), read: HashMap::new() }
    }

    fn count(&mut self, value: &'a Json) {
        match value {
            Json::Object(object) => object.members().iter().for_each(|(_, value)| self.count(value)),
            Json::Array(items) => items.iter().for_each(|value| self.count(value)),
            leaf => {
                if let (true, Some(text)) = (self.reads.is_read(leaf), text_of(leaf).or(flag_of(leaf))) {
                    *self.read.entry(text).or_default() += 1;
                }
            }
        }
    }

    /// Whether the entry holds a leaf as often as it was read: a text, also within words
    /// that were put together, or a yes or no, also in words.
    fn carries(&self, leaf: &Json) -> bool {
        if self.reads.is_settled(leaf) {
            return true;
        }
        if !self.reads.is_read(leaf) {
            return false;
        }
        let Some(text) = text_of(leaf).or(flag_of(leaf)) else {
            return false;
        };
        let read = self.read.get(text).copied().unwrap_or_default();
        self.held.times(text) >= read || self.held.is_worded(text)
    }
}

fn text_of(leaf: &Json) -> Option<&str> {
    leaf.as_str().or(leaf.as_number())
}

/// A yes or no by the word that mappings write for it.
fn flag_of(leaf: &Json) -> Option<&'static str> {
    leaf.as_bool().map(in_words)
}

struct Walk<'a> {
    leaves: &'a Leaves<'a>,
    findings: &'a Findings,
}

impl<'a> Walk<'a> {
    /// Looks at a value and what is in it. `modifier` is the reason to give for leaves
    /// within an element that changes the meaning.
    fn value(&self, value: &'a Json, path: &mut Vec<&'a str>, modifier: Option<FindingReason>) {
        match value {
            Json::Object(object) if !object.members().is_empty() => {
                self.masked(value, path);
                for (name, member) in object.members() {
                    path.push(short(name));
                    let reason = self.modifier(name, member, path).or(modifier);
                    self.value(member, path, reason);
                    path.pop();
                }
            }
            Json::Array(items) if !items.is_empty() => {
                items.iter().for_each(|item| self.value(item, path, modifier));
            }
            leaf => self.leaf(leaf, path, modifier),
        }
    }

    fn leaf(&self, leaf: &Json, path: &[&str], modifier: Option<FindingReason>) {
        let is_type = path.len() == 2 && path.last() == Some(&"resourceType");
        if is_type || self.leaves.carries(leaf) {
            return;
        }
        let joined = path.join(".");
        let word = text_of(leaf).or(leaf.as_bool().map(|flag| if flag { "true" } else { "false" }));
        let negates = modifier.is_some() || is_negating(word, path);
        if negates {
            self.leaves.reads.not_understood(joined.clone());
        }
        let reason = if negates { FindingReason::NotUnderstood } else { FindingReason::NotCarried };
        self.findings.add(joined, modifier.unwrap_or(reason));
    }

    /// Why a member changes the meaning, if it does and the mapping did not understand it.
    fn modifier(&self, name: &str, value: &Json, path: &[&str]) -> Option<FindingReason> {
        let harmless = harmless_values(name)?;
        let says = |leaf: &Json| match (leaf.as_bool(), text_of(leaf)) {
            (Some(flag), _) => harmless.contains(&if flag { "true" } else { "false" }),
            (None, Some(text)) => harmless.contains(&text),
            (None, None) => false,
        };
        // Carried is not understood: only a mapping that acted on it settles it.
        if says(value) || self.leaves.reads.is_settled(value) {
            return None;
        }
        let reason = match name {
            "modifierExtension" => FindingReason::ModifierExtension,
            "implicitRules" => FindingReason::ImplicitRules,
            _ => FindingReason::NotUnderstood,
        };
        let joined = path.join(".");
        self.leaves.reads.not_understood(joined.clone());
        self.findings.add(joined, reason);
        Some(reason)
    }

    /// A value that its source holds back: an extension says so in its place.
    fn masked(&self, value: &Json, path: &[&str]) {
        let extensions = value.member("extension").and_then(Json::as_array).unwrap_or_default();
        let urls = extensions.iter().filter_map(|extension| extension.member("url")?.as_str());
        let mut urls = urls.filter(|url| url.ends_with("data-absent-reason") || url.ends_with("nullFlavor"));
        if urls.next().is_none() {
            return;
        }
        let mut shown: Vec<&str> = path.to_vec();
        if let Some(last) = shown.last_mut() {
            *last = last.strip_prefix('_').unwrap_or(last);
        }
        self.findings.add(shown.join("."), FindingReason::Masked);
    }
}

fn short(name: &str) -> &str {
    if name.len() <= NAME_LIMIT { name } else { "…" }
}
