//! What reading one part of a document needs, and what it gathers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::narrative::Narrative;
use crate::codec::xml::{El, Space};
use crate::interop::finding::FindingReason;
use crate::record::{Narrative as Words, PartialDate, TextError, Token};

/// What reading one part needs.
pub(super) struct Context<'t> {
    pub(super) narrative: &'t Narrative<'t>,
    /// When the document was made.
    pub(super) made: Option<PartialDate>,
    /// What findings call the place: a section's word, or the document.
    pub(super) place: &'static str,
    /// How often what was found where.
    pub(super) findings: RefCell<BTreeMap<(String, FindingReason), usize>>,
    pub(super) not_understood: RefCell<BTreeSet<String>>,
    /// Elements of the narrative to which the part refers.
    pub(super) referred: RefCell<Vec<El<'t>>>,
}

impl<'t> Context<'t> {
    pub(super) fn new(narrative: &'t Narrative<'t>, place: &'static str) -> Self {
        Self {
            narrative,
            made: None,
            place,
            findings: RefCell::default(),
            not_understood: RefCell::default(),
            referred: RefCell::default(),
        }
    }

    /// The path of an element, from its section or the document on.
    pub(super) fn path(&self, element: El<'_>) -> String {
        let mut names = Vec::new();
        let mut at = Some(element);
        while let Some(element) = at {
            if element.is("section") || element.is("ClinicalDocument") {
                break;
            }
            if !matches!(element.name(), "entry" | "structuredBody") {
                names.push(shown(element));
            }
            at = element.parent();
        }
        names.push(self.place);
        names.reverse();
        names.join(".")
    }

    /// Adds a finding at a path.
    pub(super) fn add(&self, path: String, reason: FindingReason) {
        *self.findings.borrow_mut().entry((path, reason)).or_default() += 1;
    }

    pub(super) fn report(&self, element: El<'_>, reason: FindingReason) {
        self.add(self.path(element), reason);
    }

    pub(super) fn report_attribute(&self, element: El<'_>, name: &str, reason: FindingReason) {
        self.add(self.path_of(element, name), reason);
    }

    /// The path of an attribute.
    pub(super) fn path_of(&self, element: El<'_>, name: &str) -> String {
        let name = if is_name(name) { name } else { "…" };
        format!("{}.{name}", self.path(element))
    }

    /// The element changes the meaning, and the mapping does not know how.
    pub(super) fn not_understood(&self, element: El<'_>) {
        self.report(element, FindingReason::NotUnderstood);
        self.not_understood.borrow_mut().insert(self.path(element));
    }

    /// A text as a short one; reported where it does not fit.
    pub(super) fn token(&self, element: El<'_>, text: &str) -> Option<Token> {
        self.fits(element, Token::new(text))
    }

    /// A text as free text; reported where it does not fit.
    pub(super) fn words(&self, element: El<'_>, text: &str) -> Option<Words> {
        self.fits(element, Words::new(text))
    }

    fn fits<T>(&self, element: El<'_>, text: Result<T, TextError>) -> Option<T> {
        match text {
            Ok(text) => Some(text),
            Err(TextError::Empty) => None,
            Err(_) => {
                self.report(element, FindingReason::TooLarge);
                self.not_understood.borrow_mut().insert(self.path(element));
                None
            }
        }
    }

    /// What an element refers to in the narrative, or says itself, as plain text.
    pub(super) fn said(&self, element: El<'t>) -> Option<String> {
        let own = element.words();
        let referred = element.child("reference").and_then(|reference| self.referred(reference));
        match (own.is_empty(), referred) {
            (_, Some(referred)) if own.is_empty() || own == referred => Some(referred),
            (false, Some(referred)) => Some(format!("{own} {referred}")),
            (false, None) => Some(own),
            (true, _) => None,
        }
    }

    fn referred(&self, reference: El<'t>) -> Option<String> {
        let value = reference.peek("value")?;
        // Some write the id without the number sign.
        let found = self.narrative.named(value.strip_prefix('#').unwrap_or(value))?;
        let text = self.narrative.text_of(found).filter(|_| self.referred.borrow().len() < MOST_REFERRED);
        let Some(text) = text else {
            self.not_understood(reference);
            return None;
        };
        reference.attribute("value");
        self.referred.borrow_mut().push(found);
        Some(text).filter(|text| !text.is_empty())
    }
}

/// Most elements of the narrative to which one part refers.
const MOST_REFERRED: usize = 256;

/// A name as a part of a path: input chooses its text.
fn shown(element: El<'_>) -> &str {
    match element.space() {
        Space::Encryption => "EncryptedData",
        _ if is_name(element.name()) => element.name(),
        _ => "…",
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
