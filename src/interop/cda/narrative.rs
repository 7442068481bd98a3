//! The text of sections that people read: finding what entries refer to, and which rows of it
//! belong to which entry.

use std::cell::Cell;
use std::collections::HashMap;

use crate::codec::xml::{El, Inside};

/// The narrative of a document, by the ids in it.
pub(super) struct Narrative<'t> {
    /// `None` where several have one id.
    named: HashMap<&'t str, Option<El<'t>>>,
    /// How many bytes of narrative may still be read for those that refer to it: many may refer
    /// to one text.
    left: Cell<usize>,
}

/// Elements of narrative that tell one fact each.
const ROWS: [&str; 3] = ["tr", "item", "paragraph"];
/// Elements after which a line ends.
const BLOCKS: [&str; 7] = ["tr", "item", "paragraph", "table", "list", "caption", "thead"];

impl<'t> Narrative<'t> {
    pub(super) fn of(root: El<'t>) -> Self {
        let mut named = HashMap::new();
        let mut open = vec![root];
        while let Some(element) = open.pop() {
            if let Some(id) = element.peek("ID") {
                named.entry(id).and_modify(|found| *found = None).or_insert(Some(element));
            }
            open.extend(element.elements());
        }
        let left = Cell::new(4 * root.span().len() + (1 << 20));
        Self { named, left }
    }

    /// The one element of this id.
    pub(super) fn named(&self, id: &str) -> Option<El<'t>> {
        self.named.get(id).copied().flatten()
    }

    /// An element as plain text; `None` where too much was read.
    pub(super) fn text_of(&self, element: El<'t>) -> Option<String> {
        self.left.set(self.left.get().checked_sub(element.span().len())?);
        Some(plain(element, &[]))
    }
}

/// The narrative as plain text, without the elements of these numbers.
pub(super) fn plain(element: El<'_>, without: &[u32]) -> String {
    let mut text = String::new();
    write(element, without, &mut text);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines = lines.map(|line| line.trim_matches(['|', ' ']).to_owned());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The reader of XML bounds the depth.
fn write(element: El<'_>, without: &[u32], text: &mut String) {
    for inside in element.inside() {
        match inside {
            // Line breaks of the file are white space.
            Inside::Words(words) => {
                text.extend(words.chars().map(|c| if c.is_whitespace() { ' ' } else { c }))
            }
            Inside::Element(inner) if without.binary_search(&inner.number()).is_ok() => {}
            Inside::Element(inner) if is_deleted(inner) => {}
            Inside::Element(inner) => match inner.name() {
                "br" => text.push('\n'),
                "td" | "th" => {
                    text.push_str(" | ");
                    write(inner, without, text);
                }
                name if BLOCKS.contains(&name) => {
                    text.push('\n');
                    write(inner, without, text);
                    text.push('\n');
                }
                _ => write(inner, without, text),
            },
        }
    }
}

/// Whether its author struck a text out (CDA R2 section 4.3.5.1.1).
pub(super) fn is_deleted(element: El<'_>) -> bool {
    element.peek("revised") == Some("delete")
}

/// The row that an element of the narrative is in, or it itself.
pub(super) fn row_of(element: El<'_>) -> El<'_> {
    let mut at = Some(element);
    while let Some(candidate) = at {
        if ROWS.contains(&candidate.name()) {
            return candidate;
        }
        if candidate.name() == "text" {
            break;
        }
        at = candidate.parent();
    }
    element
}

/// All rows of a narrative that hold no further ones, headings left out.
pub(super) fn rows(text: El<'_>) -> Vec<El<'_>> {
    let mut rows = Vec::new();
    let mut open: Vec<El<'_>> = text.elements().collect();
    open.reverse();
    while let Some(element) = open.pop() {
        if element.name() == "thead" {
            continue;
        }
        let mut inner: Vec<_> = element.elements().collect();
        let has_rows =
            inner.iter().any(|inner| matches!(inner.name(), "tr" | "item" | "list" | "table" | "tbody"));
        match ROWS.contains(&element.name()) && !has_rows {
            true => rows.push(element),
            false => {
                inner.reverse();
                open.extend(inner);
            }
        }
    }
    rows
}

/// Whether nothing is left of a narrative but headings.
pub(super) fn is_headings(text: El<'_>, without: &[u32]) -> bool {
    let mut headings: Vec<u32> = without.to_vec();
    let mut open = vec![text];
    while let Some(element) = open.pop() {
        let is_heading = match element.name() {
            "thead" | "caption" | "th" => true,
            "tr" => element.elements().all(|cell| cell.name() == "th"),
            _ => false,
        };
        match is_heading {
            true => headings.push(element.number()),
            false => open.extend(element.elements()),
        }
    }
    headings.sort_unstable();
    plain(text, &headings).is_empty()
}
