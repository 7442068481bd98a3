//! Which parts of a resource its mapping read.
//!
//! Read does not yet mean carried: [`super::conserve`] compares what was read with what
//! the entry holds.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};

use crate::codec::json::Json;

/// The leaves that were read, those that need no further word, and what was not understood.
#[derive(Default)]
pub(super) struct Reads {
    read: RefCell<HashSet<usize>>,
    settled: RefCell<HashSet<usize>>,
    not_understood: RefCell<BTreeSet<String>>,
}

impl Reads {
    /// The value was read into a field as it is.
    pub(super) fn read(&self, value: &Json) {
        self.read.borrow_mut().insert(address(value));
    }

    /// The value is in a field in another form, or was reported.
    pub(super) fn settle(&self, value: &Json) {
        self.settled.borrow_mut().insert(address(value));
    }

    pub(super) fn is_read(&self, value: &Json) -> bool {
        self.read.borrow().contains(&address(value))
    }

    pub(super) fn is_settled(&self, value: &Json) -> bool {
        self.settled.borrow().contains(&address(value))
    }

    /// What is at this path changes the meaning, and the mapping does not know how.
    pub(super) fn not_understood(&self, path: String) {
        self.not_understood.borrow_mut().insert(path);
    }

    pub(super) fn into_not_understood(self) -> BTreeSet<String> {
        self.not_understood.into_inner()
    }
}

/// Where a value is in memory: one resource is not moved while it is mapped.
fn address(value: &Json) -> usize {
    std::ptr::from_ref(value).addr()
}
