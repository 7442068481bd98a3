//! An entry that its format made when it was read.

use std::collections::BTreeMap;

use super::finding::FindingReason;
use crate::record::Entry;

/// An entry that waits for the decision whether it is taken.
pub(crate) struct Prepared {
    pub(crate) entry: Entry,
    /// Whether nothing maps it.
    pub(crate) kept_raw: bool,
    /// What it does not carry, how often.
    pub(crate) findings: BTreeMap<(String, FindingReason), usize>,
}
