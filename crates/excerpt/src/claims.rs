//! Claims of an entry as a tree in which every node says whether it is released.
//!
//! The tree holds withheld values too, because they are committed to when the
//! entry is signed; only [`Visibility::Disclosed`] nodes ever leave in the clear.

use std::fmt;

use subrosa_base::codec::json::{Json, Object};

/// The claim that says how a record denies what it names.
pub const NEGATION: &str = "negation";
/// The claim that names parts that change the meaning and were not understood.
pub const NOT_UNDERSTOOD: &str = "not_understood";

/// The claim that the holder of the record changed it after it was imported.
pub const CHANGED: &str = "changed";

/// Whether a claim is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Part of the signed token itself: anyone who holds the token reads it.
    Always,
    /// Committed to by a salted digest, and disclosed.
    Disclosed,
    /// Committed to by a salted digest, and kept back.
    Withheld,
}

/// One claim: its visibility and its value.
#[derive(Clone, PartialEq)]
pub struct Claim {
    pub visibility: Visibility,
    pub value: ClaimValue,
}

/// The value of a claim.
#[derive(Clone, PartialEq)]
pub enum ClaimValue {
    /// A value that is released or withheld as a whole.
    Whole(Json),
    /// Members that are released one by one.
    Object(Vec<(String, Claim)>),
    /// Items that are released one by one.
    Array(Vec<Claim>),
}

impl Claim {
    /// A claim that anyone who holds the token reads.
    pub fn always(value: ClaimValue) -> Self {
        Self { visibility: Visibility::Always, value }
    }

    /// A claim that can be disclosed, and is if `released`.
    pub fn disclosable(value: ClaimValue, released: bool) -> Self {
        let visibility = if released { Visibility::Disclosed } else { Visibility::Withheld };
        Self { visibility, value }
    }
}

/// The claim that words stay which stand beside what leaves and may take it back.
pub const WORDS_WITHHELD: &str = "words_withheld";

impl ClaimValue {
    /// Whether a reader of it reads anything.
    pub fn says_anything(&self) -> bool {
        let says = |claim: &Claim| claim.visibility != Visibility::Withheld && claim.value.says_anything();
        match self {
            Self::Whole(_) => true,
            Self::Object(members) => members.iter().any(|(_, claim)| says(claim)),
            Self::Array(items) => items.iter().any(says),
        }
    }
}

impl Claim {
    /// Whether this member's field of that name lets out a text or a code's display.
    pub fn discloses_words_of(&self, field: &str) -> bool {
        let ClaimValue::Object(members) = &self.value else { return false };
        members.iter().any(|(name, claim)| name == field && claim.discloses_words())
    }

    /// Whether this member's field of that name lets out its text.
    pub fn discloses_text_of(&self, field: &str) -> bool {
        let of = |claim: &Claim, name: &str| match &claim.value {
            ClaimValue::Object(members) => {
                members.iter().find(|(known, _)| known == name).map(|(_, claim)| claim.clone())
            }
            _ => None,
        };
        let text = of(self, field).and_then(|field| of(&field, "text"));
        text.is_some_and(|text| text.visibility != Visibility::Withheld)
    }

    /// Whether this member's field of that name lets out an answer: of parts that are
    /// questions and answers, not a question alone.
    pub fn discloses_answer_of(&self, field: &str) -> bool {
        let ClaimValue::Object(members) = &self.value else { return false };
        let leaves = |claim: &Claim| claim.visibility != Visibility::Withheld && claim.value.says_anything();
        let answers = |item: &Claim| match &item.value {
            ClaimValue::Object(parts) if parts.iter().any(|(name, _)| name == "code") => {
                parts.iter().any(|(name, part)| name == "value" && leaves(part))
            }
            _ => leaves(item),
        };
        members.iter().filter(|(name, claim)| name == field && leaves(claim)).any(|(_, claim)| {
            match &claim.value {
                ClaimValue::Array(items) => items.iter().any(|item| leaves(item) && answers(item)),
                _ => true,
            }
        })
    }

    /// Whether this member's field of that name leaves.
    pub fn discloses(&self, field: &str) -> bool {
        let ClaimValue::Object(members) = &self.value else { return false };
        let is_it =
            |(name, claim): &(String, Claim)| name == field && claim.visibility != Visibility::Withheld;
        members.iter().any(is_it)
    }

    fn discloses_words(&self) -> bool {
        let is_words = |name: &str| name == "display" || name == "text";
        let speaks = |(name, claim): &(String, Claim)| match claim.value {
            ClaimValue::Whole(_) => is_words(name) && claim.visibility != Visibility::Withheld,
            _ => claim.discloses_words(),
        };
        self.visibility != Visibility::Withheld
            && match &self.value {
                ClaimValue::Whole(_) => false,
                ClaimValue::Object(members) => members.iter().any(speaks),
                ClaimValue::Array(items) => items.iter().any(Claim::discloses_words),
            }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim")
    }
}

/// What a recipient reads of these claims.
#[must_use]
pub fn disclosed(members: &[(String, Claim)]) -> Object {
    let disclosed = members.iter().filter_map(|(name, claim)| Some((name.clone(), shown_of(claim)?)));
    Object::new(disclosed.collect())
}

fn shown_of(claim: &Claim) -> Option<Json> {
    if claim.visibility == Visibility::Withheld {
        return None;
    }
    Some(match &claim.value {
        ClaimValue::Whole(json) => json.clone(),
        ClaimValue::Object(members) => Json::Object(disclosed(members)),
        ClaimValue::Array(items) => Json::Array(items.iter().filter_map(shown_of).collect()),
    })
}

subrosa_base::redacted_debug!(ClaimValue);
