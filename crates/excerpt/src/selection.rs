//! How a selection was made, in words: the page says so to recipients, a preview to the owner.

use crate::audience::Audience;
use crate::shown::{code_system, kind_label, label};
use subrosa_base::codec::json::{Json, Object};
use subrosa_base::date::PartialDate;

/// One line of how a selection was made.
pub struct Chosen {
    /// What the words are about, such as `Kinds of record`.
    pub heading: &'static str,
    /// The words, as the policy has them or this crate.
    pub words: String,
    /// Whether the words are the policy's, whose characters nobody checked.
    pub is_asked_for: bool,
}

subrosa_base::redacted_debug!(Chosen);

/// What was asked for, line by line.
#[must_use]
pub fn chosen(policy: &Object) -> Vec<Chosen> {
    let mut lines = Vec::new();
    let mut push = |heading, words, is_asked_for| lines.push(Chosen { heading, words, is_asked_for });
    if let Some(audience) = policy.member("audience").and_then(Json::as_str) {
        push("Made for", audience_words(audience).to_owned(), false);
    }
    let kinds = texts(policy, "kinds").iter().map(|kind| kind_label(kind)).collect::<Vec<_>>();
    if !kinds.is_empty() {
        push("Kinds of record", kinds.join(", "), true);
    }
    let codes = texts(policy, "codes");
    if !codes.is_empty() {
        let codes = codes.iter().map(|code| readable_code(code)).collect::<Vec<_>>();
        push("Codes", codes.join(", "), true);
    }
    for (name, heading) in [("since", "From"), ("until", "To")] {
        if let Some(date) = policy.member(name).and_then(Json::as_str) {
            let words = date.parse::<PartialDate>().map_or_else(|_| date.to_owned(), |date| date.in_words());
            push(heading, words, true);
        }
    }
    if policy.member("single_entries").and_then(Json::as_bool) == Some(true) {
        push("Single entries", "some entries were chosen one by one".to_owned(), false);
    }
    for (mask, heading) in [("withhold", "Withheld"), ("year", "Year only"), ("keep", "Kept in full")] {
        let fields = masked(policy, mask);
        if !fields.is_empty() {
            push(heading, fields.join(", "), true);
        }
    }
    lines
}

fn texts(policy: &Object, name: &str) -> Vec<String> {
    let items = policy.member(name).and_then(Json::as_array).unwrap_or_default();
    items.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn audience_words(audience: &str) -> &'static str {
    match Audience::from_name(audience) {
        Some(Audience::Treatment) => "those who treat the patient",
        Some(Audience::Patient) => "the patient",
        _ => {
            "a third party: no words beside codes, no date of birth, nothing that was not understood, unless \
              it was asked for"
        }
    }
}

fn readable_code(filter: &str) -> String {
    match filter.rsplit_once('|') {
        Some((system, code)) => format!("{} {code}", code_system(system)),
        None => filter.to_owned(),
    }
}

fn masked(policy: &Object, wanted: &str) -> Vec<String> {
    let masks = policy.member("masks").and_then(Json::as_object).map(Object::members).unwrap_or_default();
    let masks = masks.iter().filter(|(_, mask)| mask.as_str() == Some(wanted));
    masks.map(|(field, _)| label(field)).collect()
}
