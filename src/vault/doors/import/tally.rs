//! How a document stands to what an earlier import brought, counted.

use crate::engine::time::from_milliseconds;
use crate::id::Epoch;
use crate::record::ImportQuestion;

/// How an entry that comes stands to the one that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Same,
    /// It says the same, and has files that the known one lacks.
    Fuller,
    Older,
    Newer,
    Unstated,
    Undecided,
}

#[derive(Default, Clone)]
pub(super) struct Tally {
    pub(super) known: usize,
    pub(super) same: usize,
    pub(super) older: usize,
    pub(super) newer: usize,
    pub(super) about_others: usize,
    pub(super) is_strangers: bool,
}

impl Tally {
    pub(super) fn count(&mut self, how: How) {
        self.known += 1;
        match how {
            How::Same | How::Fuller => self.same += 1,
            How::Older => self.older += 1,
            How::Newer => self.newer += 1,
            How::Unstated | How::Undecided => {}
        }
    }

    /// Whether nothing that is known would change.
    pub(super) fn is_harmless(&self) -> bool {
        self.known == self.same + self.older
    }

    /// Whether at least half of a document's entries are known and the same: it looks like
    /// another export of the same records.
    pub(super) fn is_export_of(&self, entries: usize) -> bool {
        self.same > 0 && self.same * 2 >= entries
    }

    /// Whether a document continues what an import of that number and time brought.
    pub(super) fn question(&self, document: Option<String>, known: (Epoch, i64)) -> ImportQuestion {
        let (since, time) = (known.0, from_milliseconds(known.1));
        let Self { known, same, about_others, .. } = *self;
        ImportQuestion::ChangedSource { document, since, time, known, same, about_others }
    }
}
