//! What a list shows and filters by, without opening the entry.
//!
//! A card never says "no" where the entry might say "yes": what it cannot answer,
//! it leaves to the entry.

use subrosa_base::schema::Kind;

use super::date::{DateRange, Fit};
use super::entry::{Entry, Origin};
use super::fold::fold;
use super::search::Needle;
use super::text::Token;
use super::value::{Coding, Concept, Location, redacted_debug};

/// An entry in brief.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Card {
    /// The kind.
    pub kind: Kind,
    /// The dates, as [`Entry::dates`] gives them.
    pub dates: DateRange,
    /// The first coding of the main code, with the entry's title as display.
    pub coding: Coding,
    /// The provider's name.
    pub provider: Option<Token>,
    /// What else a list shows.
    pub flags: CardFlags,
    /// Whether nothing was shortened or left out for want of space.
    pub complete: bool,
}

/// What a list shows of an entry besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct CardFlags {
    /// The entry is withdrawn.
    pub retracted: bool,
    /// A legal hold blocks its expungement.
    pub legal_hold: bool,
    /// Another entry disputes it.
    pub disputed: bool,
    /// It holds a document or picture, whose bytes are in the vault.
    pub attachment: bool,
    /// It refers to a document or picture whose bytes are not in the vault.
    pub elsewhere: bool,
    /// Its main code has more codings than the card shows.
    pub more_codings: bool,
    /// It is to be expunged at some date.
    pub expires: bool,
    /// Its source says something that changes the meaning and was not understood.
    pub not_understood: bool,
    /// The vault's holder changed it after it was imported.
    pub changed: bool,
}

redacted_debug!(Card);

impl Card {
    /// The card of an entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let codings = entry.code().map(|concept| concept.codings.as_slice()).unwrap_or_default();
        let first = codings.first().cloned().unwrap_or_default();
        let display = shortened(entry.display());
        let provider = shortened(entry.provider_name());
        Self {
            kind: entry.kind(),
            dates: entry.dates().unwrap_or_default(),
            coding: Coding { display: display.text, version: None, ..first },
            provider: provider.text,
            flags: CardFlags::of(entry, codings.len() > 1),
            complete: display.whole && provider.whole,
        }
    }

    /// A title for people.
    #[must_use]
    pub fn display(&self) -> Option<&str> {
        self.coding.display.as_ref().map(Token::as_str)
    }

    /// What the entry is about, to hold it against another one: system and code, else its
    /// words whatever their case; empty where it has neither.
    pub(crate) fn code_words(&self) -> String {
        match (&self.coding.system, &self.coding.code) {
            (system, Some(code)) => {
                format!("{}|{}", system.as_ref().map_or("", Token::as_str), code.as_str())
            }
            (_, None) => self.display().map(fold).unwrap_or_default(),
        }
    }

    /// How the entry's dates stand to the range; what is undated may lie in it. `None`
    /// when only the entry can say.
    #[must_use]
    pub fn fit(&self, range: &DateRange) -> Option<Fit> {
        if !self.complete && self.dates.is_unbounded() {
            return None;
        }
        let dates = (!self.dates.is_unbounded()).then_some(&self.dates);
        Some(DateRange::fit(dates, range))
    }

    /// Whether the entry may overlap the range, so that a list shows it: not
    /// [`Fit::Outside`]. `None` when only the entry can say.
    #[must_use]
    pub fn may_overlap(&self, range: &DateRange) -> Option<bool> {
        self.fit(range).map(|fit| fit != Fit::Outside)
    }

    /// Whether the main code has a coding that starts with `prefix`, in this system if
    /// one is given. `None` when only the entry can tell.
    #[must_use]
    pub fn matches_code(&self, system: Option<&str>, prefix: &str) -> Option<bool> {
        let unsure = self.flags.more_codings || !self.complete;
        answer(self.coding.matches(system, prefix), unsure)
    }

    /// Whether the provider's name holds this text, whatever its case. `None` when only
    /// the entry can tell.
    #[must_use]
    pub fn matches_provider(&self, text: &str) -> Option<bool> {
        let needle = Needle::new(text);
        answer(self.provider.as_ref().is_some_and(|name| needle.is_in(name.as_str())), !self.complete)
    }
}

impl CardFlags {
    fn of(entry: &Entry, more_codings: bool) -> Self {
        let locations = entry.lent_attachments().filter_map(|attachment| attachment.location.as_ref());
        let (mut attachment, mut elsewhere) = (false, false);
        locations.for_each(|location| match location {
            Location::External(_) => elsewhere = true,
            _ => attachment = true,
        });
        Self {
            retracted: entry.marks.retracted,
            legal_hold: !entry.marks.legal_holds.is_empty(),
            disputed: !entry.marks.disputes.is_empty(),
            // Bytes in the vault, and bytes that are not.
            attachment,
            elsewhere,
            more_codings,
            expires: entry.marks.expires.is_some(),
            not_understood: !entry.not_understood.is_empty(),
            changed: entry.provenance.origin == Origin::ImportedAndChanged,
        }
    }
}

impl Coding {
    /// Whether the code starts with `prefix`, in this system if one is given.
    #[must_use]
    pub fn matches(&self, system: Option<&str>, prefix: &str) -> bool {
        let own_system = self.system.as_ref().map(Token::as_str);
        let code = self.code.as_ref().map(Token::as_str);
        system.is_none_or(|system| own_system == Some(system))
            && code.is_some_and(|code| code.starts_with(prefix))
    }
}

impl Concept {
    /// Whether one of the codings starts with `prefix`, in this system if one is given.
    #[must_use]
    pub fn matches_code(&self, system: Option<&str>, prefix: &str) -> bool {
        self.codings.iter().any(|coding| coding.matches(system, prefix))
    }
}

fn answer(found: bool, unsure: bool) -> Option<bool> {
    if found || !unsure { Some(found) } else { None }
}

/// The longest start of a text that has at most this many bytes and cuts no character.
pub(crate) fn shorten(text: &str, limit: usize) -> &str {
    let fits = (0..=limit.min(text.len())).rev().find_map(|end| text.get(..end));
    fits.unwrap_or_default()
}

/// A text cut to a token, and whether all of it is there.
struct Shortened {
    text: Option<Token>,
    whole: bool,
}

fn shortened(text: Option<String>) -> Shortened {
    let Some(text) = text else {
        return Shortened { text: None, whole: true };
    };
    let kept = shorten(&text, Token::LIMIT);
    Shortened { text: Token::new(kept).ok(), whole: kept.len() == text.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Diagnosis, Provenance};

    fn card() -> Card {
        let coding = |system: &str, code: &str| Coding {
            system: Token::new(system).ok(),
            code: Token::new(code).ok(),
            ..Coding::default()
        };
        let code = Concept { codings: vec![coding("a", "F33.1"), coding("b", "123")], text: None };
        let onset = "2019".parse().ok();
        Card::of(&Entry::new(
            Diagnosis { code: Some(code), onset, ..Diagnosis::default() },
            Provenance::default(),
        ))
    }

    #[test]
    fn a_card_answers_what_it_knows_and_leaves_the_rest() {
        let card = card();
        assert_eq!(card.matches_code(None, "F33"), Some(true));
        assert_eq!(card.matches_code(Some("a"), "F33.1"), Some(true));
        assert_eq!(card.matches_code(Some("b"), "123"), None);
        assert_eq!(card.matches_provider("x"), Some(false));
        let until = |text: &str| DateRange::new(None, text.parse().ok());
        assert_eq!(card.may_overlap(&until("2018")), Some(false));
        assert_eq!(card.may_overlap(&until("2019-02")), Some(true));
    }

    #[test]
    fn what_a_shortened_card_lost_is_left_to_the_entry() {
        let card = Card { complete: false, dates: DateRange::default(), ..card() };
        assert_eq!(card.matches_provider("x"), None);
        assert_eq!(card.may_overlap(&DateRange::new(None, "2018".parse().ok())), None);
    }
}
