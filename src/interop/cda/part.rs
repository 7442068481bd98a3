//! One part of a document that becomes an entry, and which bytes of the document it has.

use std::ops::Range;

use super::context::Context;

use crate::codec::xml::El;
use crate::interop::prepared::Prepared;
use crate::record::{Coding, Party, Person, Record};

/// What a part is to the others.
pub(crate) enum Role {
    /// The patient whom the document is about.
    Patient(Box<Person>),
    /// Anything else: it is about that patient.
    Other,
}

/// A part of a document, ready as an entry.
pub(crate) struct Part {
    pub(crate) role: Role,
    /// What it is called.
    pub(crate) identity: String,
    pub(crate) prepared: Prepared,
    /// The bytes of the document in UTF-8 that went into it, in order, those of the narrative
    /// included. Two parts may share a range of narrative.
    pub(crate) ranges: Vec<Range<usize>>,
    /// How many of them are its original; the others are files of it.
    pub(crate) own: usize,
}

/// What one part is made of.
pub(super) struct Made<'t> {
    pub(super) context: Context<'t>,
    pub(super) record: Record,
    pub(super) kept_raw: bool,
    pub(super) role: Role,
    /// What names it in its document.
    pub(super) identity: String,
    /// Its own bytes.
    pub(super) ranges: Vec<Range<usize>>,
    /// Its bytes of the narrative, with the ids there.
    pub(super) fragments: Vec<El<'t>>,
    pub(super) labels: Vec<Coding>,
    pub(super) author: Option<Party>,
}

/// A range without the parts of it that belong to others.
pub(super) fn without(outer: Range<usize>, holes: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut holes: Vec<_> =
        holes.iter().filter(|hole| hole.start >= outer.start && hole.end <= outer.end).collect();
    holes.sort_by_key(|hole| hole.start);
    let mut kept = Vec::new();
    let mut at = outer.start;
    for hole in holes {
        if hole.start > at {
            kept.push(at..hole.start);
        }
        at = at.max(hole.end);
    }
    if at < outer.end {
        kept.push(at..outer.end);
    }
    kept
}

/// The bytes of these ranges, one after another.
pub(super) fn bytes_of(text: &str, ranges: &[Range<usize>]) -> Vec<u8> {
    ranges.iter().filter_map(|range| text.get(range.clone())).flat_map(str::bytes).collect()
}
